"""Upkeep of banks: check whether one is sound, and merge several into one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from incongruent.data.basics.streams import Purpose, stream
from incongruent.models import Model
from incongruent.simulation.simulator import Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.bank import Bank, open_bank
from incongruent.storage.bank.card import simulator_card, write_card, writing
from incongruent.storage.bank.folder import SIZES, set_size
from incongruent.storage.bank.layout import (
    Origin,
    create_arrays,
    digest_of,
    layout_of,
    read_marker,
    to_arrays,
    write_arrays,
)
from incongruent.storage.cards import differences


@dataclass(frozen=True)
class Verification:
    """What `verify` found in the chunks of a bank.

    Attributes:
        path: of the bank.
        whole: the chunks that are complete and as they were written.
        missing: those that are not there.
        damaged: those whose checksum differs, or that cannot be read.
        repeated: those that came out the same when simulated again here.
        changed: those that came out otherwise: this installation is not the one that wrote them.
        not_repeated: why none was simulated again; "" when some were, or none was to be.
    """

    path: Path
    whole: tuple[int, ...]
    missing: tuple[int, ...]
    damaged: tuple[int, ...]
    repeated: tuple[int, ...]
    changed: tuple[int, ...]
    not_repeated: str

    @property
    def sound(self) -> bool:
        """Nothing is damaged or came out otherwise; chunks may be missing."""
        return not self.damaged and not self.changed

    def __str__(self) -> str:
        words = [*self._chunk_words(), *self._repetition_words()]
        return "; ".join(words).rstrip(".") + "."

    def _chunk_words(self) -> Iterator[str]:
        """How many chunks are complete, missing and damaged."""
        n_chunks = len(self.whole) + len(self.missing) + len(self.damaged)
        yield f"{len(self.whole)} of {n_chunks} chunks of the bank {self.path} are complete"
        if self.missing:
            yield f"{len(self.missing)} missing ({_listed(self.missing)})"
        if self.damaged:
            yield (
                f"{len(self.damaged)} damaged ({_listed(self.damaged)}), to be simulated again with"
                " write_chunk"
            )

    def _repetition_words(self) -> Iterator[str]:
        """What came of simulating chunks again."""
        if self.repeated:
            yield f"simulated again, {_listed(self.repeated)} came out the same"
        if self.changed:
            yield (
                f"simulated again, {_listed(self.changed)} came out otherwise, so that another"
                " installation wrote them"
            )
        if self.not_repeated:
            yield f"none was simulated again: {self.not_repeated}"


def verify(bank: Bank, *, resimulate: int = 1, seed: int) -> Verification:
    """Read every chunk of a bank, compare its checksum, and simulate some again.

    Args:
        bank: to check.
        resimulate: how many of the sound chunks to simulate again, chosen by chance.
        seed: of this choice.

    Example:
        >>> import tempfile
        >>> from incongruent import Design, Simulator, models, priors, write_bank
        >>> design = Design(20, {"congruent": 0.5, "incongruent": 0.5})
        >>> simulator = Simulator(models.dmc(), priors.schaefer2025(), design)
        >>> folder = tempfile.TemporaryDirectory()
        >>> verify(write_bank(folder.name, simulator, 600, seed=1), seed=1).sound
        True
        >>> folder.cleanup()
    """
    done = bank.done
    there, missing = np.flatnonzero(done).tolist(), np.flatnonzero(~done).tolist()
    sound = [index for index in there if _reads(bank, index)]
    damaged = [index for index in there if index not in sound]
    same, reason = _simulated_again(bank, _chosen_among(sound, resimulate, seed))
    return Verification(
        bank.path,
        whole=tuple(sound),
        missing=tuple(missing),
        damaged=tuple(damaged),
        repeated=_chunks_with(True, same),
        changed=_chunks_with(False, same),
        not_repeated=reason,
    )


def _chosen_among(chunks: Sequence[int], n: int, seed: int) -> list[int]:
    """Up to n of these chunks, chosen by chance."""
    return stream(seed, Purpose.CHOSEN_CHUNKS).permutation(chunks)[:n].astype(int).tolist()


def _chunks_with(answer: bool, same: Mapping[int, bool]) -> tuple[int, ...]:
    """The chunks with this answer to whether they came out the same, in order."""
    return tuple(sorted(index for index, found in same.items() if found == answer))


def _simulated_again(bank: Bank, chunks: Sequence[int]) -> tuple[dict[int, bool], str]:
    """Whether each chunk comes out the same; or none, and why the simulator cannot simulate here.

    It cannot when its model is known by its simulations alone, or when its design has a function,
    which no file holds.
    """
    try:
        return {index: _comes_out_the_same(bank, index) for index in chunks}, ""
    except ValueError as error:
        return {}, str(error)


def _reads(bank: Bank, index: int) -> bool:
    """Whether a chunk can be read and has the checksum that it was written with."""
    try:
        bank.arrays(index)
    except FileError:
        return False
    return True


def _comes_out_the_same(bank: Bank, index: int) -> bool:
    """Whether a chunk has the same checksum when it is simulated again."""
    origin = bank.origin(index)
    made = to_arrays(*bank.simulator.chunk(origin.seed, origin.index))
    return digest_of(origin, made) == read_marker(bank.path, index, origin)["sha256"]


def _listed(chunks: Sequence[int]) -> str:
    """Their numbers; of many the first."""
    return ", ".join(map(str, chunks[:10])) + (", …" if len(chunks) > 10 else "")


def merge_banks(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    model: Model | None = None,
) -> Bank:
    """Merge banks of the same simulator into one.

    Banks of one seed give its chunks, each once, in their places; those that no bank has stay
    missing, and `write_bank` can go on. Of banks of several seeds the complete chunks are put one
    after the other, each seed and index once, and each keeps them as its ``Origin``.

    Args:
        paths: of the banks, which stay as they are.
        out: folder for the new one, complete or absent; must not be there.
        model: the model, when it does not ship with the package.

    Raises:
        FileError: when the simulators differ, a chunk is damaged in all banks that hold it, there
            is no chunk at all, or ``out`` is there already or cannot be written.
    """
    banks = [open_bank(path, model) for path in paths]
    if not banks:
        raise ValueError("Expected at least one bank to merge; got none.")
    if Path(out).exists():
        raise FileError(
            f"Expected a new folder for the merged bank; {out} is there already. Choose another, or"
            " remove it."
        )
    _refuse_differences(banks)
    sources = _sources(banks)
    if not sources:
        raise FileError(
            f"Expected at least one complete chunk in the banks {', '.join(map(str, paths))}; there"
            " is none."
        )
    merge = _merged_by_place if _of_one_seed(banks) else _merged_in_a_row
    with writing(Path(out)):
        _write_folder_atomically(Path(out), banks[0].simulator, merge(banks, sources))
    return open_bank(out, model)


def _of_one_seed(banks: Sequence[Bank]) -> bool:
    """Whether all banks have the same seed; a bank that was merged from several has none."""
    seeds = {bank.seed for bank in banks}
    return len(seeds) == 1 and None not in seeds


Sources = dict[tuple[int, int], list[tuple[Bank, int]]]
"""By seed and index of a chunk the banks that hold it, and where."""


@dataclass(frozen=True)
class _Merged:
    """What a merged bank will hold.

    Attributes:
        places: for each chunk its position, its origin, and the banks that hold it, and where.
        n_chunks: for which there is room.
        n_datasets: that the bank is meant to hold; None when its card says it chunk by chunk.
        card: seed and origins.
    """

    places: list[tuple[int, Origin, list[tuple[Bank, int]]]]
    n_chunks: int
    n_datasets: int | None
    card: dict[str, Any]


def _merged_by_place(banks: Sequence[Bank], sources: Sources) -> _Merged:
    """Chunks of one seed, each in the place that its index says."""
    places = [(index, Origin(seed, index), held) for (seed, index), held in sources.items()]
    n_chunks = 1 + max(index for _, index in sources)
    n_datasets = max(bank.n_datasets for bank in banks)
    return _Merged(places, n_chunks, n_datasets, {"seed": banks[0].seed, "origins": None})


def _merged_in_a_row(banks: Sequence[Bank], sources: Sources) -> _Merged:
    """Chunks of several seeds, one after the other; the card says where each comes from."""
    places = [
        (position, Origin(seed, index), held)
        for position, ((seed, index), held) in enumerate(sources.items())
    ]
    origins = [
        [seed, index, max(bank.origin(at).n for bank, at in held)]
        for (seed, index), held in sources.items()
    ]
    return _Merged(places, len(places), None, {"seed": None, "origins": origins})


def _sources(banks: Sequence[Bank]) -> Sources:
    """Where each chunk can be read, over all banks."""
    sources: Sources = {}
    for bank in banks:
        for at in np.flatnonzero(bank.done):
            origin = bank.origin(int(at))
            sources.setdefault((origin.seed, origin.index), []).append((bank, int(at)))
    return sources


def _refuse_differences(banks: Sequence[Bank]) -> None:
    """Refuse banks whose simulator is not that of the first."""
    for bank in banks[1:]:
        found = differences(simulator_card(banks[0].simulator), simulator_card(bank.simulator))
        if found:
            raise FileError(
                f"Expected banks of the same simulator; {bank.path} has {'; '.join(found[:5])} in"
                f" {banks[0].path}. Merge it with others."
            )


def _write_folder_atomically(out: Path, simulator: Simulator, merged: _Merged) -> None:
    """Write a merged bank under another name, then rename it."""
    beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        _write_merged(beside, simulator, merged)
        beside.chmod(0o755)
        os.rename(beside, out)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _write_merged(folder: Path, simulator: Simulator, merged: _Merged) -> None:
    """Write the arrays of a merged bank, its chunks and last its card."""
    create_arrays(folder, simulator, merged.n_chunks)
    (folder / SIZES).mkdir()
    if merged.n_datasets is not None:
        set_size(folder, merged.n_datasets)
    layout = layout_of(simulator)
    for position, origin, held in merged.places:
        write_arrays(folder, layout, position, origin, _first_sound(held))
    write_card(folder, {"simulator": simulator_card(simulator), **merged.card})


def _first_sound(held: Sequence[tuple[Bank, int]]) -> dict[str, np.ndarray]:
    """The arrays of a chunk from the first bank that holds it undamaged.

    Raises:
        FileError: that of the last bank, when it is damaged in all.
    """
    for bank, at in held[:-1]:
        if _reads(bank, at):
            return bank.arrays(at)
    bank, at = held[-1]
    return bank.arrays(at)

"""Keeping banks: see whether one is sound, and make one of several."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from incongruent.data.basics.streams import Purpose, stream
from incongruent.models import Model
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.bank import (
    SIZES,
    Bank,
    differences,
    open_bank,
    plain,
    write_card,
    writing,
)
from incongruent.storage.bank.layout import (
    Origin,
    create_arrays,
    digest_of,
    layout_of,
    read_marker,
    to_arrays,
    write_arrays,
)


@dataclass(frozen=True)
class Verification:
    """What a look at every chunk of a bank found.

    Attributes:
        path: of the bank.
        whole: the chunks that are there and as they were written.
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
        n_chunks = len(self.whole) + len(self.missing) + len(self.damaged)
        words = [f"{len(self.whole)} of {n_chunks} chunks of the bank {self.path} are whole"]
        words += [f"{len(self.missing)} missing ({_listed(self.missing)})"] if self.missing else []
        words += (
            [
                f"{len(self.damaged)} damaged ({_listed(self.damaged)}), to be simulated again with"
                " write_chunk"
            ]
            if self.damaged
            else []
        )
        words += (
            [f"simulated again, {_listed(self.repeated)} came out the same"]
            if self.repeated
            else []
        )
        words += (
            [
                f"simulated again, {_listed(self.changed)} came out otherwise, so that another"
                " installation wrote them"
            ]
            if self.changed
            else []
        )
        words += [f"none was simulated again: {self.not_repeated}"] if self.not_repeated else []
        return "; ".join(words).rstrip(".") + "."


def verify(bank: Bank, *, resimulate: int = 1, seed: int = 1) -> Verification:
    """Read every chunk of a bank, compare its checksum, and simulate some again.

    Args:
        bank: to look at.
        resimulate: how many of the whole chunks to simulate again, chosen by chance.
        seed: of this choice.

    Example:
        >>> import tempfile
        >>> from incongruent import Design, Simulator, models, priors, write_bank
        >>> simulator = Simulator(models.dmc(), priors.schaefer2025(), Design(20, {"congruent": 0.5, "incongruent": 0.5}))
        >>> folder = tempfile.TemporaryDirectory()
        >>> verify(write_bank(folder.name, simulator, 600, seed=1)).sound
        True
        >>> folder.cleanup()
    """
    done = bank.done
    damaged = [int(index) for index in np.flatnonzero(done) if not _reads(bank, int(index))]
    whole = [int(index) for index in np.flatnonzero(done) if index not in damaged]
    chosen = (
        stream(seed, Purpose.CHOSEN_CHUNKS).permutation(whole)[:resimulate].astype(int).tolist()
    )
    try:
        same = {index: _comes_out_the_same(bank, index) for index in chosen}
        reason = ""
    except (
        ValueError
        # a model that is known by its simulations alone, or a design with a function that no file holds
    ) as error:
        same, reason = {}, str(error)
    repeated, changed = (
        tuple(sorted(index for index, found in same.items() if found is wanted))
        for wanted in (True, False)
    )
    missing = tuple(np.flatnonzero(~done).tolist())
    return Verification(bank.path, tuple(whole), missing, tuple(damaged), repeated, changed, reason)


def _reads(bank: Bank, index: int) -> bool:
    try:
        bank.arrays(index)
    except FileError:
        return False
    return True


def _comes_out_the_same(bank: Bank, index: int) -> bool:
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
    """One bank of several of the same simulator.

    Banks of one seed give its chunks, each once, in their places; those that nobody has stay
    missing, and `write_bank` can go on. Of banks of several seeds the whole chunks are put one
    after the other, each seed and index once, and each remembers them as its ``Origin``.

    Args:
        paths: of the banks, which stay as they are.
        out: folder for the new one, whole or absent; must not be there.
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
    seeds = {bank.seed for bank in banks}
    sources = _sources(banks)
    if not sources:
        raise FileError(
            f"Expected at least one whole chunk in the banks {', '.join(map(str, paths))}; there is"
            " none."
        )
    with writing(Path(out)):
        if len(seeds) == 1 and None not in seeds:
            _write_folder_atomically(
                Path(out),
                banks[0],
                sources,
                {"seed": banks[0].seed, "origins": None},
                max(bank.n_datasets for bank in banks),
            )
        else:
            origins = [
                [seed, index, max(bank.origin(at).n for bank, at in places)]
                for (seed, index), places in sources.items()
            ]
            _write_folder_atomically(
                Path(out), banks[0], sources, {"seed": None, "origins": origins}, None
            )
    return open_bank(out, model)


Sources = dict[tuple[int, int], list[tuple[Bank, int]]]
"""By seed and index of a chunk the banks that hold it, and where."""


def _sources(banks: Sequence[Bank]) -> Sources:
    sources: Sources = {}
    for bank in banks:
        for at in np.flatnonzero(bank.done):
            origin = bank.origin(int(at))
            sources.setdefault((origin.seed, origin.index), []).append((bank, int(at)))
    return sources


def _refuse_differences(banks: Sequence[Bank]) -> None:
    for bank in banks[1:]:
        found = differences(plain(banks[0].simulator), plain(bank.simulator))
        if found:
            raise FileError(
                f"Expected banks of the same simulator; {bank.path} has {'; '.join(found[:5])} in"
                f" {banks[0].path}. Merge it with others."
            )


def _write_folder_atomically(
    out: Path, like: Bank, sources: Sources, card: dict, n_datasets: int | None
) -> None:
    """The merged bank beside its place, then renamed."""
    beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        n_chunks = (
            1 + max(index for _, index in sources) if n_datasets is not None else len(sources)
        )
        create_arrays(beside, like.simulator, n_chunks)
        (beside / SIZES).mkdir()
        if n_datasets is not None:
            (beside / SIZES / str(n_datasets)).touch()
        for place, ((seed, index), places) in enumerate(sources.items()):
            arrays = _first_sound(places)
            write_arrays(
                beside,
                layout_of(like.simulator),
                index if n_datasets is not None else place,
                Origin(seed, index),
                arrays,
            )
        write_card(beside, {"simulator": plain(like.simulator), **card})
        beside.chmod(0o755)
        os.rename(beside, out)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _first_sound(places: Sequence[tuple[Bank, int]]) -> dict[str, np.ndarray]:
    for bank, at in places[:-1]:
        if _reads(bank, at):
            return bank.arrays(at)
    bank, at = places[-1]
    return bank.arrays(at)

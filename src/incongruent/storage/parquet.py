"""Simulations in one Parquet file, for other programs and other people.

One row a data set: ``name``; ``theta.A``, … a number for each parameter; then lists with one entry
for each trial that is present, in their order: ``place`` (where it stood among the trials), a list
for each column, categories as the words of their levels, outcomes null where no answer came, and
``answered``; ``excluded.<reason>`` counts trials that were left out before. The schema's metadata
hold columns and simulator as JSON, the simulator unless its design is that of a study. R (arrow),
polars, pandas and DuckDB read these types as they are; unnesting the lists gives one row a trial.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from incongruent.data.trials import (
    Category,
    Column,
    Trials,
    column_from_json,
    column_to_json,
    concatenate,
)
from incongruent.models import Model
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import CHUNK, Simulations, Simulator
from incongruent.storage.atomic import FileError, atomic_path
from incongruent.storage.bank.bank import Bank
from incongruent.storage.bank.card import simulator_card
from incongruent.storage.cards import simulator_from_json

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "Expected the package pyarrow, which reads and writes files of simulations; it is not"
        ' installed. Install it with pip install "incongruent[formats]".',
        name=error.name,
    ) from error

Array = np.ndarray

KIND, VERSION, KEY = "incongruent simulations", 1, b"incongruent"
RESERVED = ("name", "place", "answered")
"""Columns of the file; no column of trials may have their names."""


def export_simulations(simulations: Simulations | Bank, path: str | os.PathLike[str]) -> None:
    """Write simulations, or all complete chunks of a bank, to one Parquet file.

    The file is complete or absent; of a bank only one chunk at a time is in memory.

    Args:
        simulations: in memory, or a bank.
        path: of the file.

    Raises:
        ValueError: when a column of the trials has a name that the file needs for itself.
        FileError: when a chunk of the bank is damaged, or none is complete.
    """
    described = _described(simulations)
    described.refuse_reserved()
    schema = _schema(described).with_metadata(_metadata(simulations, described))
    with (
        atomic_path(path) as beside,
        pq.ParquetWriter(beside, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for part in _parts(simulations):
            columns = _to_arrow(part, described.reasons)
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _metadata(simulations: Simulations | Bank, described: _Described) -> dict[bytes, bytes]:
    """The card of simulations, as the metadata of a file."""
    card = {"kind": KIND, "version": VERSION, **described.to_json(), **_origin(simulations)}
    return {KEY: json.dumps(card, allow_nan=False).encode()}


def _origin(simulations: Simulations | Bank) -> dict[str, Any]:
    """Notes, and the simulator that made them, for the card; None for that of a study."""
    notes = list(simulations.trials.notes) if isinstance(simulations, Simulations) else []
    simulator = simulations.simulator
    if simulator is None or not isinstance(simulator.design, Design):
        return {"notes": notes, "simulator": None}
    return {"notes": notes, "simulator": simulator_card(simulator)}


def import_simulations(path: str | os.PathLike[str], model: Model | None = None) -> Simulations:
    """Read the simulations in a file that `export_simulations` wrote.

    Theta, masks, counts, names and all values that mean something are bit for bit what was written.
    Places without a trial, and outcomes of trials without an answer, hold zeros.

    Args:
        path: of the file.
        model: the model, when it does not ship with the package; without it, one that cannot
            simulate.

    Raises:
        FileError: when the file is absent, foreign, damaged, of an unknown version or of another
            model.

    Example:
        >>> import tempfile
        >>> from incongruent import Design, Simulator, models, priors
        >>> design = Design((10, 20), {"congruent": 0.5, "incongruent": 0.5})
        >>> simulator = Simulator(models.dmc(), priors.schaefer2025(), design)
        >>> simulations = simulator.simulate(30, seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     export_simulations(simulations, f"{folder}/simulations.parquet")
        ...     again = import_simulations(f"{folder}/simulations.parquet", models.dmc())
        >>> np.array_equal(again.theta, simulations.theta), again.trials
        (True, Trials(30 data sets, 10–20 trials each, columns condition, response, rt))
    """
    if not Path(path).is_file():
        raise FileError(f"Expected a file of simulations at {path}; there is none.")
    try:
        content = _read(path, model)
    except FileError:
        raise
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise FileError(
            f"Expected a file of simulations; {path} is damaged or of another format ({error})."
            " Copy or make it again."
        ) from error
    return content.simulations()


@dataclass(frozen=True, eq=False)
class _Content:
    """What a file of simulations holds.

    Attributes:
        card: its metadata.
        columns: of the trials.
        simulator: that made the simulations; None when the card names none.
        parts: theta and trials, batch by batch.
    """

    card: Mapping[str, Any]
    columns: tuple[Column, ...]
    simulator: Simulator | None
    parts: list[tuple[Array, Trials]]

    def simulations(self) -> Simulations:
        """All parts in one."""
        names = tuple(self.card["parameters"])
        theta = np.concatenate([np.zeros((0, len(names))), *(theta for theta, _ in self.parts)])
        return Simulations(theta, self._trials(), names, self.simulator)

    def _trials(self) -> Trials:
        """The trials of all parts, with the notes of the card."""
        if not self.parts:
            return replace(_no_trials(self.columns, self.card), notes=tuple(self.card["notes"]))
        joined = concatenate([trials for _, trials in self.parts])
        return replace(joined, columns=self.columns, notes=tuple(self.card["notes"]))


def _read(path: str | os.PathLike[str], model: Model | None) -> _Content:
    """Read a file, and check that it is complete and of this model, if one is given."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        card = _card(file.schema_arrow.metadata or {}, path)
        columns = tuple(column_from_json(spec) for spec in card["columns"])
        _refuse_other(card, columns, model, path)
        spec = card["simulator"]
        simulator = simulator_from_json(spec, model) if spec is not None else None
        parts = [_from_arrow(batch, columns, card) for batch in file.iter_batches(CHUNK)]
        n_read, n_written = sum(len(theta) for theta, _ in parts), file.metadata.num_rows
        if n_read != n_written:
            raise ValueError(f"{n_written} data sets were written, and {n_read} are there")
    return _Content(card, columns, simulator, parts)


@dataclass(frozen=True, eq=False)
class _Described:
    """What simulations consist of.

    Attributes:
        columns: of the trials.
        parameters: by name.
        reasons: for which trials were left out.
        n_trials: how many places the trials of a data set have.
    """

    columns: tuple[Column, ...]
    parameters: tuple[str, ...]
    reasons: tuple[str, ...]
    n_trials: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "parameters": list(self.parameters),
            "columns": [column_to_json(column) for column in self.columns],
            "reasons": list(self.reasons),
            "n_trials": self.n_trials,
        }

    def refuse_reserved(self) -> None:
        """Refuse columns whose names the file needs for itself."""
        thetas = (f"theta.{name}" for name in self.parameters)
        taken = {*RESERVED, *thetas, *(f"excluded.{reason}" for reason in self.reasons)}
        for column in self.columns:
            if column.name in taken:
                raise ValueError(
                    f"Expected a column of trials not called any of {sorted(taken)}; got"
                    f" {column.name!r}. Rename it in the model."
                )


def _described(simulations: Simulations | Bank) -> _Described:
    if isinstance(simulations, Bank):
        return _described_by(simulations.simulator)
    trials = simulations.trials
    width = trials.present.shape[1]
    return _Described(trials.columns, simulations.parameter_names, tuple(trials.excluded), width)


def _described_by(simulator: Simulator) -> _Described:
    """What the simulations of a simulator consist of."""
    columns, width = simulator.model.columns, simulator.design.largest
    return _Described(columns, simulator.prior.names, simulator.reasons, width)


def _parts(simulations: Simulations | Bank) -> Iterator[Simulations]:
    """Simulations in parts of 256 data sets, with the names that they have among all."""
    if isinstance(simulations, Bank):
        yield from _chunks(simulations)
    else:
        for start in range(0, len(simulations), CHUNK):
            yield simulations.select(slice(start, start + CHUNK))


def _chunks(bank: Bank) -> Iterator[Simulations]:
    """The complete chunks of a bank, with data sets that are numbered through."""
    done = np.flatnonzero(bank.done)
    if not len(done):
        raise FileError(
            f"Expected at least one complete chunk in the bank {bank.path}; there is none."
            " Write some with write_bank."
        )
    n = 0
    for index in done:
        theta, trials = bank.chunk(int(index))
        names = tuple(str(n + 1 + i) for i in range(len(trials)))
        n += len(trials)
        yield Simulations(theta, replace(trials, names=names), bank.simulator.prior.names)


def _schema(described: _Described) -> pa.Schema:
    """Names and types of the columns of the file."""
    return pa.schema(
        [
            ("name", pa.string()),
            *((f"theta.{name}", pa.float64()) for name in described.parameters),
            ("place", pa.list_(pa.int32())),
            *((column.name, pa.list_(_type(column))) for column in described.columns),
            ("answered", pa.list_(pa.bool_())),
            *((f"excluded.{reason}", pa.int64()) for reason in described.reasons),
        ]
    )


def _type(column: Column) -> pa.DataType:
    return pa.string() if isinstance(column, Category) else pa.from_numpy_dtype(column.dtype)


def _to_arrow(part: Simulations, reasons: Sequence[str]) -> list[pa.Array]:
    """Simulations as columns of the file, in the order of its schema."""
    trials = part.trials
    at = np.nonzero(trials.present)
    offsets = pa.array(np.concatenate([[0], np.cumsum(trials.n_trials)]), pa.int32())

    by_trial = [
        pa.array(at[1], pa.int32()),
        *(_present_values(trials, column, at) for column in trials.columns),
        pa.array(trials.answered[at]),
    ]
    return [
        pa.array(trials.names, pa.string()),
        *(pa.array(values, pa.float64()) for values in part.theta.T),
        *(pa.ListArray.from_arrays(offsets, flat) for flat in by_trial),
        *(pa.array(np.asarray(trials.excluded[reason], np.int64)) for reason in reasons),
    ]


def _present_values(trials: Trials, column: Column, at: tuple[Array, ...]) -> pa.Array:
    """The values of a column where trials are present, null for outcomes without an answer."""
    flat = trials.values[column.name][at]
    unknown = None if column.given else ~trials.answered[at]
    if not isinstance(column, Category):
        return pa.array(flat, _type(column), mask=unknown)
    positions = pa.array(flat, pa.int8(), mask=unknown)
    return pa.DictionaryArray.from_arrays(positions, pa.array(column.levels)).cast(pa.string())


def _card(metadata: Mapping[bytes, bytes], path: str | os.PathLike[str]) -> dict[str, Any]:
    """The card in the metadata of a file.

    Raises:
        FileError: when the file is foreign or of an unknown version.
    """
    card = json.loads(metadata.get(KEY, b"{}"))
    if card.get("kind") != KIND:
        raise FileError(
            f"Expected a Parquet file that export_simulations wrote; {path} is another. Read a"
            " study with read_trials."
        )
    if card.get("version") != VERSION:
        raise FileError(
            f"Expected simulations of version {VERSION}; {path} has version {card.get('version')}."
            " Use the release that wrote it."
        )
    return card


def _refuse_other(
    card: Mapping[str, Any],
    columns: tuple[Column, ...],
    model: Model | None,
    path: str | os.PathLike[str],
) -> None:
    """Refuse a file whose columns or parameters are not those of the model, if one is given."""
    if model is None:
        return
    for what, wanted, came in (
        ("columns", model.columns, columns),
        ("parameters", model.parameter_names, tuple(card["parameters"])),
    ):
        if wanted != came:
            raise FileError(
                f"Expected simulations with the {what} {wanted} of the model {model.name!r}; {path}"
                f" has {came}. Pass their model."
            )


def _from_arrow(
    batch: pa.RecordBatch, columns: tuple[Column, ...], card: Mapping[str, Any]
) -> tuple[Array, Trials]:
    """Theta and trials of some rows of the file."""
    shape, at = (len(batch), int(card["n_trials"])), _places_in(batch)

    def spread(flat: Array, dtype: Any) -> Array:
        out = np.zeros(shape, dtype)
        out[at] = flat
        return out

    trials = Trials(
        columns,
        {column.name: spread(_flat_values(batch, column), column.dtype) for column in columns},
        spread(np.ones(len(at[0]), bool), bool),
        spread(batch.column("answered").flatten().to_numpy(zero_copy_only=False), bool),
        tuple(batch.column("name").to_pylist()),
        {reason: batch.column(f"excluded.{reason}").to_numpy() for reason in card["reasons"]},
    )
    theta = [batch.column(f"theta.{name}").to_numpy() for name in card["parameters"]]
    return np.stack(theta, axis=1), trials


def _places_in(batch: pa.RecordBatch) -> tuple[Array, Array]:
    """The data set and the place of every trial, one after the other."""
    places = batch.column("place")
    dataset = np.repeat(np.arange(len(batch)), np.diff(places.offsets.to_numpy()))
    return dataset, places.flatten().to_numpy()


def _flat_values(batch: pa.RecordBatch, column: Column) -> Array:
    """The values of a column in all its trials, one after the other; positions for words."""
    flat = batch.column(column.name).flatten()
    if isinstance(column, Category):
        positions = pc.index_in(flat, value_set=pa.array(column.levels))  # type: ignore[attr-defined]
        if positions.null_count != flat.null_count:
            raise ValueError(
                f"column {column.name!r} has words that are not among its levels {column.levels}"
            )
        flat = positions
    return flat.fill_null(0).to_numpy()


def _no_trials(columns: tuple[Column, ...], card: Mapping[str, Any]) -> Trials:
    """The trials of no data set."""
    empty = np.zeros((0, int(card["n_trials"])), bool)
    return Trials(
        columns,
        {column.name: empty.astype(column.dtype) for column in columns},
        empty,
        empty,
        excluded={reason: np.zeros(0, int) for reason in card["reasons"]},
    )

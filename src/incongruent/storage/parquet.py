"""Simulations in one Parquet file, for other programs and other people.

One row a data set: ``name``; ``theta.A``, … a number for each parameter; then lists with one entry
for each trial that is present, in their order: ``place`` (where it stood among the trials), a list
for each column, categories as the words of their levels, outcomes null where no answer came, and
``answered``; ``excluded.<reason>`` counts trials that were left out before. The schema's metadata
hold columns and simulator as JSON, the simulator unless its design is that of one study. R (arrow),
polars, pandas and DuckDB read these types as they are; unnesting the lists gives one row a trial.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

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
from incongruent.simulation.simulator import CHUNK, Simulations
from incongruent.storage.atomic import FileError, atomic_path
from incongruent.storage.bank.bank import Bank, plain
from incongruent.storage.cards import simulator_from_json

Array = np.ndarray

KIND, VERSION, KEY = "incongruent simulations", 1, b"incongruent"
OWN = ("name", "place", "answered")
"""Columns of the file that no column of trials may be called."""


def export_simulations(simulations: Simulations | Bank, path: str | os.PathLike[str]) -> None:
    """Write simulations, or all whole chunks of a bank, to one Parquet file, whole or absent; of a
    bank only one chunk at a time is in memory.

    Args:
        simulations: in memory, or a bank.
        path: of the file.

    Raises:
        ValueError: when a column of the trials has a name that the file needs for itself.
        FileError: when a chunk of the bank is damaged, or none is whole.
    """
    columns, parameters, reasons = _described(simulations)
    simulator = simulations.simulator
    card = {
        "kind": KIND,
        "version": VERSION,
        "parameters": parameters,
        "columns": [column_to_json(column) for column in columns],
        "reasons": reasons,
        "n_trials": _width(simulations),
        "notes": list(simulations.trials.notes) if isinstance(simulations, Simulations) else [],
        "simulator": (
            plain(simulator)
            if simulator is not None and isinstance(simulator.design, Design)
            else None
        ),
    }
    schema = _schema(columns, parameters, reasons).with_metadata(
        {KEY: json.dumps(card, allow_nan=False).encode()}
    )
    with (
        atomic_path(path) as beside,
        pq.ParquetWriter(beside, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for part in _parts(simulations):
            writer.write_table(pa.Table.from_arrays(_to_arrow(part, reasons), schema=schema))


def import_simulations(path: str | os.PathLike[str], model: Model | None = None) -> Simulations:
    """The simulations in a file that `export_simulations` wrote, into memory.

    Theta, masks, counts and names are bit for bit what was written, and so is every value that may
    be looked at; what stood in places without a trial, and outcomes of trials without an answer,
    come back as zeros.

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
        >>> simulator = Simulator(models.dmc(), priors.schaefer2025(), Design((10, 20), {"congruent": 0.5, "incongruent": 0.5}))
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
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            card = _card(file.schema_arrow.metadata or {}, path)
            columns = tuple(column_from_json(spec) for spec in card["columns"])
            _refuse_other(card, columns, model, path)
            simulator = (
                simulator_from_json(card["simulator"], model)
                if card["simulator"] is not None
                else None
            )
            parts = [_from_arrow(batch, columns, card) for batch in file.iter_batches(CHUNK)]
            n_read, n_written = sum(len(theta) for theta, _ in parts), file.metadata.num_rows
            if n_read != n_written:
                raise ValueError(f"{n_written} data sets were written, and {n_read} are there")
    except FileError:
        raise
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise FileError(
            f"Expected a file of simulations; {path} is damaged or of another format ({error})."
            " Copy or make it again."
        ) from error
    trials = concatenate([trials for _, trials in parts]) if parts else _nothing(columns, card)
    trials = Trials(
        columns,
        trials.values,
        trials.present,
        trials.answered,
        trials.names,
        trials.excluded,
        tuple(card["notes"]),
    )
    theta = np.concatenate([np.zeros((0, len(card["parameters"]))), *(theta for theta, _ in parts)])
    return Simulations(theta, trials, tuple(card["parameters"]), simulator)


def _described(simulations: Simulations | Bank) -> tuple[tuple[Column, ...], list[str], list[str]]:
    """Columns, names of parameters, and reasons for which trials were left out."""
    if isinstance(simulations, Bank):
        simulator = simulations.simulator
        columns, parameters, reasons = (
            simulator.model.columns,
            simulator.prior.names,
            simulator.reasons,
        )
    else:
        columns, parameters, reasons = (
            simulations.trials.columns,
            simulations.parameter_names,
            tuple(simulations.trials.excluded),
        )
    taken = {
        *OWN,
        *(f"theta.{name}" for name in parameters),
        *(f"excluded.{reason}" for reason in reasons),
    }
    for column in columns:
        if column.name in taken:
            raise ValueError(
                f"Expected a column of trials not called any of {sorted(taken)}; got"
                f" {column.name!r}. Rename it in the model."
            )
    return columns, list(parameters), list(reasons)


def _width(simulations: Simulations | Bank) -> int:
    return (
        simulations.simulator.design.largest
        if isinstance(simulations, Bank)
        else simulations.trials.present.shape[1]
    )


def _parts(simulations: Simulations | Bank) -> Iterator[Simulations]:
    """One chunk after the other, with the names that the whole has."""
    if isinstance(simulations, Simulations):
        yield from (
            simulations.select(slice(start, start + CHUNK))
            for start in range(0, len(simulations), CHUNK)
        )
        return
    done = np.flatnonzero(simulations.done)
    if not len(done):
        raise FileError(
            f"Expected at least one whole chunk in the bank {simulations.path}; there is none."
            " Write some with write_bank."
        )
    n = 0
    for index in done:
        theta, trials = simulations.chunk(int(index))
        names = tuple(str(n + 1 + i) for i in range(len(trials)))
        n += len(trials)
        named = Trials(
            trials.columns, trials.values, trials.present, trials.answered, names, trials.excluded
        )
        yield Simulations(theta, named, simulations.simulator.prior.names)


def _schema(columns: tuple[Column, ...], parameters: list[str], reasons: list[str]) -> pa.Schema:
    return pa.schema(
        [
            ("name", pa.string()),
            *((f"theta.{name}", pa.float64()) for name in parameters),
            ("place", pa.list_(pa.int32())),
            *((column.name, pa.list_(_type(column))) for column in columns),
            ("answered", pa.list_(pa.bool_())),
            *((f"excluded.{reason}", pa.int64()) for reason in reasons),
        ]
    )


def _type(column: Column) -> pa.DataType:
    return pa.string() if isinstance(column, Category) else pa.from_numpy_dtype(column.dtype)


def _to_arrow(part: Simulations, reasons: list[str]) -> list[pa.Array]:
    trials = part.trials
    dataset, place = np.nonzero(trials.present)
    answered = trials.answered[dataset, place]
    offsets = pa.array(np.concatenate([[0], np.cumsum(trials.n_trials)]), pa.int32())

    def listed(flat: pa.Array) -> pa.Array:
        return pa.ListArray.from_arrays(offsets, flat)

    def values(column: Column) -> pa.Array:
        flat = trials.values[column.name][dataset, place]
        unknown = None if column.given else ~answered
        if not isinstance(column, Category):
            return pa.array(flat, _type(column), mask=unknown)
        return pa.DictionaryArray.from_arrays(
            pa.array(flat, pa.int8(), mask=unknown), pa.array(column.levels)
        ).cast(pa.string())

    return [
        pa.array(trials.names, pa.string()),
        *(pa.array(part.theta[:, i], pa.float64()) for i in range(part.theta.shape[1])),
        listed(pa.array(place, pa.int32())),
        *(listed(values(column)) for column in trials.columns),
        listed(pa.array(answered)),
        *(pa.array(np.asarray(trials.excluded[reason], np.int64)) for reason in reasons),
    ]


def _card(metadata: Mapping[bytes, bytes], path: str | os.PathLike[str]) -> dict[str, Any]:
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
    shape = (len(batch), int(card["n_trials"]))
    places = batch.column("place")
    at = (
        np.repeat(np.arange(len(batch)), np.diff(places.offsets.to_numpy())),
        places.flatten().to_numpy(),
    )

    def spread(flat: Array, dtype: Any) -> Array:
        out = np.zeros(shape, dtype)
        out[at] = flat
        return out

    def values(column: Column) -> Array:
        flat = batch.column(column.name).flatten()
        if isinstance(column, Category):
            positions = pc.index_in(flat, value_set=pa.array(column.levels))  # type: ignore[attr-defined]
            if positions.null_count != flat.null_count:
                raise ValueError(
                    f"column {column.name!r} has words that are not among its levels"
                    f" {column.levels}"
                )
            flat = positions
        return spread(flat.fill_null(0).to_numpy(), column.dtype)

    theta = np.stack(
        [batch.column(f"theta.{name}").to_numpy() for name in card["parameters"]], axis=1
    )
    trials = Trials(
        columns,
        {column.name: values(column) for column in columns},
        spread(np.ones(len(at[0]), bool), bool),
        spread(batch.column("answered").flatten().to_numpy(zero_copy_only=False), bool),
        tuple(batch.column("name").to_pylist()),
        {reason: batch.column(f"excluded.{reason}").to_numpy() for reason in card["reasons"]},
    )
    return theta, trials


def _nothing(columns: tuple[Column, ...], card: Mapping[str, Any]) -> Trials:
    empty = np.zeros((0, int(card["n_trials"])), bool)
    return Trials(
        columns,
        {column.name: empty.astype(column.dtype) for column in columns},
        empty,
        empty,
        excluded={r: np.zeros(0, int) for r in card["reasons"]},
    )

"""Chunks of simulations on disk: for each quantity one zarr array, for each chunk one marker.

Data first, marker last: the arrays of a chunk are written and flushed, then a small file that holds
where the chunk comes from and the SHA-256 of its arrays. A chunk without a marker is absent, one
whose arrays do not fit its marker is damaged; neither is ever read as good. On disk a chunk always
has 256 data sets, so that writing it again, by whomever, writes the same.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from incongruent.data.trials import Column, Trials, column_to_json
from incongruent.simulation.simulator import CHUNK, Simulator
from incongruent.storage.atomic import FileError, flush, write_atomically
from incongruent.storage.weights import digest

if TYPE_CHECKING:
    import zarr

Array = np.ndarray
Layout = Mapping[str, tuple[np.dtype, tuple[int, ...]]]
"""By the name of an array its type and its shape for one data set."""

MARKERS = "chunks"


@dataclass(frozen=True)
class Origin:
    """Where a chunk comes from.

    Attributes:
        seed: of the simulations.
        index: the chunk is ``simulator.chunk(seed, index)``.
        n: how many of its 256 data sets, from the first, belong to the bank.
    """

    seed: int
    index: int
    n: int = CHUNK


def layout_of(simulator: Simulator) -> Layout:
    """The arrays that keep the chunks of a simulator."""
    n_trials = (simulator.design.largest,)
    layout = {
        "theta": (np.dtype(np.float64), (len(simulator.prior.names),)),
        "present": (np.dtype(bool), n_trials),
        "answered": (np.dtype(bool), n_trials),
    }
    for i, column in enumerate(simulator.model.columns):
        layout[_column_name(i, column)] = (np.dtype(column.dtype), n_trials)
    for i, reason in enumerate(simulator.reasons):
        layout[_reason_name(i, reason)] = (np.dtype(np.int64), ())
    return layout


def to_arrays(theta: Array, trials: Trials) -> dict[str, Array]:
    """A chunk as arrays (dataset, …), by the names of `layout_of`."""
    arrays = {
        "theta": np.asarray(theta, float),
        "present": trials.present,
        "answered": trials.answered,
    }
    for i, column in enumerate(trials.columns):
        arrays[_column_name(i, column)] = trials.values[column.name]
    for i, (reason, counts) in enumerate(trials.excluded.items()):
        arrays[_reason_name(i, reason)] = counts
    return arrays


def from_arrays(
    arrays: Mapping[str, Array], columns: tuple[Column, ...], reasons: Sequence[str]
) -> tuple[Array, Trials]:
    """Theta and trials of a chunk from the arrays that `to_arrays` made of it."""
    values = {column.name: arrays[_column_name(i, column)] for i, column in enumerate(columns)}
    excluded = {reason: arrays[_reason_name(i, reason)] for i, reason in enumerate(reasons)}
    present, answered = arrays["present"], arrays["answered"]
    return arrays["theta"], Trials(columns, values, present, answered, excluded=excluded)


def _column_name(position: int, column: Column) -> str:
    return _name("column", position, column.name)


def _reason_name(position: int, reason: str) -> str:
    return _name("excluded", position, reason)


def _name(kind: str, position: int, name: str) -> str:
    """The name of a folder that every file system can hold; its position makes it unique."""
    return f"{kind}{position}_{re.sub(r'[^A-Za-z0-9]+', '_', name)[:40]}"


def _zarr() -> Any:
    """The package zarr, which only banks need.

    Raises:
        FileError: when it is not installed.
    """
    try:
        import zarr
    except ModuleNotFoundError as error:
        if error.name != "zarr":
            raise
        raise FileError(
            "Expected the package zarr, which banks need; it is not installed. Install it with: pip"
            ' install "incongruent[bank]"'
        ) from error
    return zarr


def create_arrays(folder: Path, simulator: Simulator, n_chunks: int) -> None:
    """Make the arrays that are not there yet, and enlarge the others to at least so many chunks."""
    zarr = _zarr()
    (folder / MARKERS).mkdir(parents=True, exist_ok=True)
    with suppress(zarr.errors.ContainsGroupError):  # another process was faster
        zarr.open_group(folder, mode="a", zarr_format=3)
    columns = _columns_to_json(simulator)
    for name, (dtype, rest) in layout_of(simulator).items():
        if (folder / name / "zarr.json").exists():
            _grow(folder / name, n_chunks)
        else:
            _create(folder / name, (n_chunks * CHUNK, *rest), dtype, columns.get(name, {}))


def _columns_to_json(simulator: Simulator) -> dict[str, dict[str, Any]]:
    """By the name of its array what describes a column of the trials."""
    columns = enumerate(simulator.model.columns)
    return {_column_name(i, column): column_to_json(column) for i, column in columns}


def _create(
    path: Path, shape: tuple[int, ...], dtype: np.dtype, attributes: dict[str, Any]
) -> None:
    """Make an array of data sets; another process may make the same one meanwhile."""
    zarr = _zarr()
    dimensions = ("dataset", "parameter" if path.name == "theta" else "trial")
    try:
        zarr.create_array(
            store=path,
            shape=shape,
            chunks=(CHUNK, *shape[1:]),
            dtype=dtype,
            compressors=zarr.codecs.ZstdCodec(level=3),
            attributes=attributes,
            dimension_names=dimensions[: len(shape)],
        )
    except zarr.errors.ContainsArrayError:  # another process was faster
        _grow(path, shape[0] // CHUNK)


def _grow(path: Path, n_chunks: int) -> None:
    """Enlarge an array, for other programs that read the folder; `_opened` does not rely on it."""
    array = _found(path, "r+")
    if array.shape[0] < n_chunks * CHUNK:
        array.resize((n_chunks * CHUNK, *array.shape[1:]))


def _found(path: Path, mode: Any) -> zarr.Array:
    """The array at a path, as large as it says it is."""
    try:
        return _zarr().open_array(store=path, mode=mode, zarr_format=3)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"Expected a zarr array at {path}; it is absent or damaged ({error}). Copy or make the"
            " bank again."
        ) from error


def _opened(
    path: Path, position: int, dtype: np.dtype, rest: tuple[int, ...], mode: str
) -> zarr.Array:
    """An array with room for the chunk at ``position``, also when it says that it is smaller."""
    array = _found(path, mode)
    if (array.dtype, array.shape[1:], array.chunks) != (dtype, rest, (CHUNK, *rest)):
        raise FileError(
            f"Expected {dtype} of shape {(CHUNK, *rest)} in each chunk of {path}; got"
            f" {array.dtype}, {array.chunks}. It is of another bank."
        )
    return _of_size(array, (position + 1) * CHUNK)


def _of_size(array: zarr.Array, n_datasets: int) -> zarr.Array:
    """The same array as if it had so many data sets; nothing is written."""
    zarr, metadata = _zarr(), cast(Any, array.metadata)
    metadata = metadata.update_shape((n_datasets, *array.shape[1:]))
    config = {"write_empty_chunks": True}
    return zarr.Array(
        zarr.AsyncArray(metadata=metadata, store_path=array.store_path, config=config)
    )


def write_arrays(
    folder: Path, layout: Layout, position: int, origin: Origin, arrays: Mapping[str, Array]
) -> None:
    """Put a chunk into its place: its arrays, then its marker."""
    _check_layout(layout, arrays)
    for name, (dtype, rest) in layout.items():
        _opened(folder / name, position, dtype, rest, "r+")[position * CHUNK :] = arrays[name]
        flush(folder.joinpath(name, "c", str(position), *["0"] * len(rest)))
    _write_marker(folder, position, origin, arrays)


def _check_layout(layout: Layout, arrays: Mapping[str, Array]) -> None:
    """Refuse arrays of a chunk of other types or shapes than those of the bank."""
    kept = {name: (dtype, (CHUNK, *rest)) for name, (dtype, rest) in layout.items()}
    made = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    if made != kept:
        raise ValueError(f"Expected the arrays {kept} of a chunk; got {made}.")


def _write_marker(folder: Path, position: int, origin: Origin, arrays: Mapping[str, Array]) -> None:
    """Say that a chunk is complete, where it comes from and what its checksum is."""
    marker = {**asdict(Origin(origin.seed, origin.index)), "sha256": digest_of(origin, arrays)}
    write_atomically(marker_path(folder, position), json.dumps(marker).encode())


def digest_of(origin: Origin, arrays: Mapping[str, Array]) -> str:
    """SHA-256 of all arrays of a chunk and of where it comes from."""
    return digest(arrays, f"seed {origin.seed} index {origin.index}")


def read_arrays(folder: Path, layout: Layout, position: int, origin: Origin) -> dict[str, Array]:
    """Read the arrays of a chunk, all 256 data sets, and compare their checksum.

    Raises:
        FileError: when the chunk is absent or damaged.
    """
    marker = read_marker(folder, position, origin)
    arrays = {
        name: _read(folder / name, position, dtype, rest) for name, (dtype, rest) in layout.items()
    }
    if digest_of(origin, arrays) != marker["sha256"]:
        raise damaged(folder, position, "its checksum differs")
    return arrays


def _read(path: Path, position: int, dtype: np.dtype, rest: tuple[int, ...]) -> Array:
    """Read one array of a chunk."""
    array = _opened(path, position, dtype, rest, "r")
    try:
        return np.asarray(array[position * CHUNK :])
    except Exception as error:  # codecs raise errors of any type for damaged bytes
        raise damaged(path.parent, position, f"{path.name}: {error}") from error


def damaged(folder: Path, position: int, why: str) -> FileError:
    """The error for a chunk that is not what was written."""
    return FileError(
        f"Expected chunk {position} of the bank {folder} as it was written; got a damaged chunk"
        f" ({why}). Simulate it again with write_chunk({str(folder)!r}, {position})."
    )


def marker_path(folder: Path, position: int) -> Path:
    """The file that says that a chunk is complete."""
    return folder / MARKERS / f"{position:08d}.json"


def read_marker(folder: Path, position: int, origin: Origin) -> dict[str, Any]:
    """Read the marker of a chunk: seed, index, n and sha256.

    Raises:
        FileError: when there is none, or it is not that of this chunk.
    """
    try:
        marker = json.loads(marker_path(folder, position).read_bytes())
    except FileNotFoundError as error:
        raise FileError(
            f"Expected chunk {position} in the bank {folder}; it is absent. Simulate it with"
            f" write_bank, or write_chunk({str(folder)!r}, {position})."
        ) from error
    except ValueError as error:
        raise damaged(folder, position, f"its marker is no JSON: {error}") from error
    wanted = asdict(Origin(origin.seed, origin.index))
    if not isinstance(marker, dict) or not _is_marker_of(wanted, marker):
        raise damaged(folder, position, f"its marker is not that of {wanted}")
    return marker


def _is_marker_of(origin: Mapping[str, int], marker: Mapping[str, Any]) -> bool:
    """Whether a marker has the entries of this origin, and a checksum."""
    return set(marker) == {*origin, "sha256"} and all(
        marker[name] == value for name, value in origin.items()
    )


def marked(folder: Path, n_chunks: int) -> Array:
    """Which chunks have a marker, bool (chunk,)."""
    found = np.zeros(n_chunks, bool)
    with os.scandir(folder / MARKERS) as entries:
        positions = [position for entry in entries for position in _position_in(entry.name)]
    found[[position for position in positions if position < n_chunks]] = True
    return found


def _position_in(name: str) -> list[int]:
    """The number of the chunk whose marker has this name; none for files that are no markers."""
    matched = re.fullmatch(r"(\d{8,})\.json", name)
    return [int(matched[1])] if matched else []

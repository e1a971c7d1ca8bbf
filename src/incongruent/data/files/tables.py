"""Tables: a file, several files or a frame of any kind as a pandas frame with named columns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from incongruent.data.codings import FILE_COLUMN
from incongruent.data.files.belonging import LeftOut, Part, alike
from incongruent.data.files.cells import AS_WRITTEN, NotATable, understood
from incongruent.data.files.failures import package
from incongruent.data.files.folders import Files, files_of
from incongruent.data.files.formats import read_content
from incongruent.data.files.headers import check_different, without_data
from incongruent.data.files.joining import how_read, joined
from incongruent.data.files.typed import frame_of_arrow
from incongruent.data.values import DataError, column_of, listed, texts

__all__ = ["FILE_COLUMN", "is_source", "read_table", "source_name"]


def read_table(source: Any, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[str]]:
    """The source as a frame whose columns have different names, and sentences about the reading.

    Args:
        source: a file, a folder, a pattern such as ``data/*.csv``, several of these, or a frame of
            pandas, polars or another library that narwhals knows. The rows of several files come
            one file after the other, with the file's name in the column `FILE_COLUMN`.
        names: of the columns, for files without a header.

    Raises:
        DataError: when it cannot be read or named.
        TypeError: when it is neither a path, nor several, nor a frame.
    """
    if not is_source(source):
        return _named_frame(_native_frame(source), names, "the frame")
    files = files_of(source)
    if isinstance(files, Files):
        return _read_several(files, names)
    named, notes = _read_content(files, _content(files), names)
    table, twins = understood(named)
    return table, notes + twins


def is_source(source: Any) -> bool:
    """True for a path, and for several in a list, a tuple, a set or an iterator."""
    if isinstance(source, str | os.PathLike | Iterator):
        return True
    return (
        isinstance(source, list | tuple | set | frozenset)
        and bool(source)
        and all(isinstance(one, str | os.PathLike) for one in source)
    )


def source_name(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> str:
    """The name of a source in a report: that of the file or folder, or how many files there are."""
    paths = [source] if isinstance(source, str | os.PathLike) else list(source)
    if len(paths) != 1:
        return f"{len(paths)} files"
    return Path(paths[0]).name or str(paths[0])


def _read_several(files: Files, names: Sequence[str] | None) -> tuple[pd.DataFrame, list[str]]:
    found, no_tables, notes = _parts(files, names)
    parts, others = alike(files, found)
    as_written, about_columns = joined(files, parts)
    table, twins = understood(as_written)
    kept = {part.path for part in parts}
    about_kept = {path: said for path, said in notes.items() if path in kept}
    about_files = how_read(files, parts, [*no_tables, *others], about_kept)
    return table, [*about_files, *about_columns, *twins]


def _parts(
    files: Files, names: Sequence[str] | None
) -> tuple[list[Part], LeftOut, dict[Path, list[str]]]:
    """The tables of the files, the files that hold none, and sentences about each table."""
    parts, left_out, notes = [], [], {}
    for path in files.paths:
        content = _content(path)
        try:
            named, notes[path] = _read_content(path, content, names)
        except NotATable as error:
            if files.chosen:
                raise
            left_out.append((path, f"no table of trials ({_reason(error)})"))
        else:
            parts.append(Part(path, content, named))
    if not parts:
        found = listed(map(files.name, files.paths), 5)
        raise DataError(
            f"Expected files of trials in {str(files.root)!r}; none of {len(files.paths)} files is"
            f" a table: {found}."
        )
    return parts, left_out, notes


def _read_content(
    path: Path, content: bytes, names: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """The table in a file's content, with names for its columns, and sentences."""
    frame, notes = read_content(path.name, content, names)
    named, more = _named_frame(frame, names, path.name)
    return named, notes + more


def _reason(error: NotATable) -> str:
    """What the message says that came instead of a table."""
    return str(error).partition(";")[2].strip().partition(".")[0]


def _native_frame(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source  # not through narwhals, which refuses names that are not text
    try:
        frame = nw.from_native(source)
    except TypeError as error:
        raise TypeError(
            f"Expected a path or a frame of pandas or polars; got {type(source).__name__}."
        ) from error
    package("pyarrow", "frames of other libraries than pandas")
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return frame_of_arrow(eager.to_arrow())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(
            f"Expected a file at {str(path)!r}; there is none. Check the path."
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(f"Expected a file that can be read; got {str(path)!r}: {error}.") from error


def _named_frame(
    frame: pd.DataFrame, names: Sequence[str] | None, name: str
) -> tuple[pd.DataFrame, list[str]]:
    """The frame with text for the names of its columns, and sentences.

    Columns that are only numbered get the given names; a named index becomes columns.
    """
    if any(label is not None for label in frame.index.names):
        frame = frame.reset_index()
    _check_names(frame, names, name)
    columns, notes = [str(column) for column in frame.columns], []
    if names is not None:
        columns, notes = _padded_names(frame, names, name)
    check_different(name, columns)
    if not len(frame):
        raise without_data(name, columns)
    return frame.set_axis(columns, axis=1).reset_index(drop=True), notes


def _check_names(frame: pd.DataFrame, names: Sequence[str] | None, name: str) -> None:
    """Refuse names for a frame that has its own, and a frame that has none without them."""
    nameless = all(isinstance(column, int | np.integer) for column in frame.columns)
    if names is not None and not nameless:
        raise DataError(
            f"Expected {name} to have no names of its own, since `names` are given; got"
            f" {listed(frame.columns)}. Leave `names` out."
        )
    if names is None and nameless:
        raise DataError(
            f"Expected {name} to have names for its columns; got {listed(frame.columns)}. Give"
            " `names` (on the command line: --columns)."
        )


def _padded_names(
    frame: pd.DataFrame, names: Sequence[str], name: str
) -> tuple[list[str], list[str]]:
    """The given names, with names for further columns of a single value, and sentences."""
    width = frame.shape[1]
    surplus = [i for i in range(len(names), width) if _differs(frame.iloc[:, i])]
    if len(names) > width or not names or surplus:
        more = f" Column {surplus[0] + 1} has no name, and its values differ." if surplus else ""
        raise DataError(
            f"Expected {width} names, one for each column of {name}; got {len(names)}.{more} Give"
            " the names of all columns in order."
        )
    extra = [f"column_{i}" for i in range(len(names) + 1, width + 1)]
    return [*names, *extra], [
        f"{column} has no name and the same value in all rows; it is not used." for column in extra
    ]


def _differs(column: pd.Series) -> bool:
    frame = column.to_frame("x")
    values = understood(frame)[0] if column.dtype == AS_WRITTEN else frame
    return len(set(texts(column_of(values, "x")))) > 1

"""Tables: from a file, several files or a frame of any kind to a pandas frame with a name for each
column.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from incongruent.data.codings import FILE_COLUMN
from incongruent.data.files.cells import AS_WRITTEN, NotATable, understood
from incongruent.data.files.folders import Files, Part, alike, files_of, joined, told
from incongruent.data.files.formats import frame_of_arrow, read_content
from incongruent.data.values import DataError, column_of, listed, texts

__all__ = ["FILE_COLUMN", "is_source", "read_table", "source_name"]


def read_table(source: Any, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[str]]:
    """The source as a frame with different names for all columns, and sentences about how it was
    read.

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
    frame, notes = read_content(files.name, _content(files), names)
    named, more = _named_frame(frame, names, files.name)
    table, twins = understood(named)
    return table, notes + more + twins


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
    """What a source is called in a report: the file's or folder's name, or how many there are."""
    paths = [source] if isinstance(source, str | os.PathLike) else list(source)
    return Path(paths[0]).name or str(paths[0]) if len(paths) == 1 else f"{len(paths)} files"


def _read_several(files: Files, names: Sequence[str] | None) -> tuple[pd.DataFrame, list[str]]:
    parts, left_out, notes = [], [], {}
    for path in files.paths:
        try:
            content = _content(path)
            frame, said = read_content(path.name, content, names)
            named, more = _named_frame(frame, names, path.name)
        except NotATable as error:
            if files.chosen:
                raise
            left_out.append(
                (
                    path,
                    (
                        "no table of trials"
                        f" ({str(error).partition(';')[2].strip().partition('.')[0]})"
                    ),
                )
            )
            continue
        parts.append(Part(path, content, named))
        notes[path] = said + more
    if not parts:
        found = listed(map(files.name, files.paths), 5)
        raise DataError(
            f"Expected files of trials in {str(files.root)!r}; none of {len(files.paths)} files is"
            f" a table: {found}."
        )
    parts, others = alike(files, parts)
    whole, said = joined(files, parts)
    table, twins = understood(whole)
    kept = {part.path for part in parts}
    return table, [
        *told(files, parts, [*left_out, *others], {p: n for p, n in notes.items() if p in kept}),
        *said,
        *twins,
    ]


def _native_frame(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source  # not through narwhals, which refuses names that are not text
    try:
        frame = nw.from_native(source)
    except TypeError as error:
        raise TypeError(
            f"Expected a path or a frame of pandas or polars; got {type(source).__name__}."
        ) from error
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
    """The frame with text names; columns that are only counted get the given ones; a named index
    becomes columns.
    """
    notes = []
    if any(label is not None for label in frame.index.names):
        frame = frame.reset_index()
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
    columns = [str(column) for column in frame.columns]
    if names is not None:
        columns, notes = _padded_names(frame, names, name)
    twice = [column for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if twice:
        raise DataError(
            f"Expected different names for all columns of {name}; got {listed(twice)} more than"
            " once. Rename or remove columns."
        )
    if not len(frame):
        raise NotATable(f"Expected trials in {name}; got only the header {listed(columns)}.")
    return frame.set_axis(columns, axis=1).reset_index(drop=True), notes


def _padded_names(
    frame: pd.DataFrame, names: Sequence[str], name: str
) -> tuple[list[str], list[str]]:
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
    plain = (
        understood(column.to_frame("x"))[0] if column.dtype == AS_WRITTEN else column.to_frame("x")
    )
    return len(set(texts(column_of(plain, "x")))) > 1

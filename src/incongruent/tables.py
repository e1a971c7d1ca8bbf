"""Tables: from a file or a frame of any kind to a pandas frame with a name for each column."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from incongruent.codings import DataError, as_text, is_number, listed, text_numbers, texts


def read_table(source: Any, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[str]]:
    """The source as a frame with different names for all columns, and sentences about how it was read.

    Raises:
        DataError: when it cannot be read or named.
        TypeError: when it is neither a path nor a frame.
    """
    if not isinstance(source, str | os.PathLike):
        return _named_frame(_native_frame(source), names, "the frame")
    path = Path(source)
    content = _content(path)
    if content[:4] == b"PAR1":
        return _named_frame(_parquet(path, content), names, path.name)
    text, notes = _decode(path, content)
    frame, named_notes = _named_text(_rows(path.name, text), names, path.name)
    return frame, notes + named_notes


def _native_frame(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source  # not through narwhals, which refuses names that are not text
    try:
        frame = nw.from_native(source)
    except TypeError as error:
        raise TypeError(f"Expected a path or a frame of pandas or polars; got {type(source).__name__}.") from error
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return eager.to_pandas()


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"Expected a file; got the folder {str(path)!r}. Give one of the files in it.")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"Expected a file at {str(path)!r}; there is none. Check the path.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"Expected a file that can be read; got {str(path)!r}: {error}.") from error
    if not content.strip():
        raise DataError(f"Expected a table in {path.name}; the file is empty.")
    return content


def _parquet(path: Path, content: bytes) -> pd.DataFrame:
    try:
        return pd.read_parquet(io.BytesIO(content))
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        raise DataError(f"Expected a whole Parquet file; {path.name} starts like one but cannot be read: {error}") from error


def _decode(path: Path, content: bytes) -> tuple[str, list[str]]:
    """Text as UTF-8 with or without a byte-order mark, UTF-16 with one, or Windows-1252."""
    for encoding in ("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, [f"{path.name} is not UTF-8; it was read as Windows-1252."] if encoding == "cp1252" else []
    raise DataError(
        f"Expected a text file (CSV, TSV, ';' or whitespace between columns) or Parquet; {path.name} is neither. Save it as CSV with UTF-8 text."
    )


def _split_lines(lines: Sequence[str], separator: str) -> list[list[str]]:
    if separator == " ":
        return list(csv.reader((" ".join(line.split("\t")).strip() for line in lines), delimiter=" ", skipinitialspace=True))
    return list(csv.reader(lines, delimiter=separator, skipinitialspace=True))


def _separator(lines: Sequence[str]) -> str:
    """Tab, semicolon or comma, the first that gives all lines equally many fields (a header may lack one); else whitespace."""
    for separator in "\t;,":
        first, *others = [len(row) for row in _split_lines(lines, separator)] or [0]
        if first > 1 and len(set(others)) <= 1 and set(others) <= {first, first + 1}:
            return separator
    return next((separator for separator in "\t;," if separator in lines[0]), " ")


def _rows(name: str, text: str) -> list[list[str]]:
    """The fields of each line that has any, without spaces around them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)
    head = [line for line in lines if line.strip()][:50]
    try:
        rows = _split_lines(lines, _separator(head)) if head else []
    except csv.Error as error:
        raise DataError(f"Expected a table in {name}; got text that cannot be split into fields ({error}). Check its quotes.") from error
    filled = [[cell.strip() for cell in row] for row in rows]
    filled = [row for row in filled if any(row)]
    if not filled:
        raise DataError(f"Expected a table in {name}; the file is empty.")
    return filled


def _has_header(rows: list[list[str]]) -> bool:
    """True when the first line holds no number, unless it only lacks one that all others have (NA)."""
    if any(is_number(cell) for cell in rows[0]):
        return False
    over_numbers = []
    for i, cell in enumerate(rows[0]):
        below = [row[i] for row in rows[1:] if i < len(row) and as_text(row[i])]
        if sum(map(is_number, below)) > len(below) / 2:
            over_numbers.append(cell)
    return not over_numbers or any(as_text(cell) for cell in over_numbers)


def _named_text(rows: list[list[str]], names: Sequence[str] | None, name: str) -> tuple[pd.DataFrame, list[str]]:
    header = _has_header(rows)
    if not header and names is None:
        raise DataError(
            f"Expected a header with the columns' names in the first line of {name}; got {listed(rows[0])}. "
            "Give the columns' names in order with `names` (on the command line: --columns)."
        )
    # A header beside given names is refused rather than replaced: were the names in another order, columns would be mixed up in silence.
    if header and names is not None:
        raise DataError(
            f"Expected a file without a header, since `names` are given; the first line of {name} is {listed(rows[0])}. Leave `names` out."
        )
    body = rows[1:] if header else rows
    if not body:
        raise DataError(f"Expected trials in {name}; got only the header {listed(rows[0])}.")
    width = len(body[0])
    for i, row in enumerate(body, start=len(rows) - len(body) + 1):
        if len(row) != width:
            raise DataError(f"Expected {width} fields in every line of {name}; line {i} (not counting empty ones) has {len(row)}. Repair that line.")
    frame = pd.DataFrame({i: _inferred(i, column) for i, column in enumerate(zip(*body, strict=True))})
    if not header:
        return _named_frame(frame, names, name)
    return _named_frame(frame.set_axis(_full_header(rows[0], body, name), axis=1), None, name)


def _full_header(header: list[str], body: list[list[str]], name: str) -> list[str]:
    """A name for each column: lines may end in a separator that the header lacks, or begin with row names that it does not name, as R writes them."""
    width = len(body[0])
    if len(header) == width - 1:
        header = [*header, ""] if not any(row[-1] for row in body) else ["", *header] if len({row[0] for row in body}) == len(body) else header
    if len(header) != width:
        raise DataError(f"Expected as many fields in every line of {name} as names in the header, {len(header)}; got {width}. Repair the header.")
    return [cell or f"column_{i}" for i, cell in enumerate(header, start=1)]


def _inferred(name: object, cells: Sequence[str]) -> pd.Series:
    """Numbers where all cells are numbers (or missing), text otherwise; digits too many for a number, as in long identifiers, stay text."""
    words = np.array([as_text(cell) for cell in cells], object)
    full = [word for word in words if word is not None]
    if not all(is_number(word) for word in full) or any(len(word) > 15 and word.isdigit() for word in full):
        return pd.Series(words, name=name, dtype=object)
    return pd.Series(text_numbers(words), name=name)


def _named_frame(frame: pd.DataFrame, names: Sequence[str] | None, name: str) -> tuple[pd.DataFrame, list[str]]:
    """The frame with text names; columns that are only counted get the given ones."""
    notes = []
    nameless = all(isinstance(column, int | np.integer) for column in frame.columns)
    if names is not None and not nameless:
        raise DataError(f"Expected {name} to have no names of its own, since `names` are given; got {listed(frame.columns)}. Leave `names` out.")
    if names is None and nameless:
        raise DataError(f"Expected {name} to have names for its columns; got {listed(frame.columns)}. Give `names` (on the command line: --columns).")
    columns = [str(column) for column in frame.columns]
    if names is not None:
        columns, notes = _padded_names(frame, names, name)
    twice = [column for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if twice:
        raise DataError(f"Expected different names for all columns of {name}; got {listed(twice)} more than once. Rename or remove columns.")
    if not len(frame):
        raise DataError(f"Expected trials in {name}; got only the header {listed(columns)}.")
    return frame.set_axis(columns, axis=1).reset_index(drop=True), notes


def _padded_names(frame: pd.DataFrame, names: Sequence[str], name: str) -> tuple[list[str], list[str]]:
    width = frame.shape[1]
    surplus = [i for i in range(len(names), width) if len(set(texts(frame.iloc[:, i]))) > 1]
    if len(names) > width or not names or surplus:
        more = f" Column {surplus[0] + 1} has no name, and its values differ." if surplus else ""
        raise DataError(f"Expected {width} names, one for each column of {name}; got {len(names)}.{more} Give the names of all columns in order.")
    extra = [f"column_{i}" for i in range(len(names) + 1, width + 1)]
    return [*names, *extra], [f"{column} has no name and the same value in all rows; it is not used." for column in extra]

"""Text with a separator between columns, as a frame."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import pandas as pd

from incongruent.data.files.cells import NotATable
from incongruent.data.files.headers import headed, header_of, skipped, without_data
from incongruent.data.files.layout import FIRST_LINES, Layout, has_numbers, layout_of_lines, split
from incongruent.data.files.splitting import body_of
from incongruent.data.values import DataError

LONGEST_START = 200_000
"""The first lines are taken from so many characters, if these are enough."""
SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?\s*', re.IGNORECASE)
"""The first line that Excel writes and reads to say which separator follows."""


class _Head(NamedTuple):
    """What the first lines of a text show.

    Args:
        lines: the first lines.
        start: the line on which the table begins.
        found: how the lines from the separator line on are laid out.
        rows: of the table, within the first lines: the line on which each begins, and its cells.
    """

    lines: list[str]
    start: int
    found: Layout
    rows: list[tuple[int, list[str]]]

    @property
    def cells(self) -> list[list[str]]:
        """The cells of each row."""
        return [row for _, row in self.rows]

    def above(self) -> list[str]:
        """The lines above the table that hold any text."""
        return [line.strip() for line in self.lines[: self.start] if line.strip()]

    def below_header(self) -> int:
        """The line on which the first row below the header begins."""
        return self.rows[1][0] if len(self.rows) > 1 else len(self.lines)


def read_text(name: str, text: str, names: Sequence[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """The table in a text, cells as written, and sentences about what was skipped.

    Columns are numbered when it has no header.

    Raises:
        NotATable: when there is no table in it.
        DataError: when its lines differ in their number of cells, or it has a header although names
            are given, or none.
    """
    try:
        return _read_text(name, text, names)
    except DataError as error:
        # R writes a quote within quotes with a backslash before it.
        if '\\"' not in text:
            raise
        refused = error
    try:
        return _read_text(name, text.replace('\\"', '""'), names)
    except DataError:
        raise refused from None


def _read_text(name: str, text: str, names: Sequence[str] | None) -> tuple[pd.DataFrame, list[str]]:
    try:
        head = _head_of(text)
        return _table_below(name, text, head, names)
    except csv.Error as error:
        raise DataError(
            f"Expected a table in {name}; got text that cannot be split into cells ({error}). Check"
            " its quotes."
        ) from error


def _table_below(
    name: str, text: str, head: _Head, names: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """The table that begins with this head; errors in prose say that it is no table."""
    try:
        return _table(name, text, head, names)
    except DataError as error:
        if has_numbers(head.cells):
            raise
        raise NotATable(str(error)) from error  # words only are prose rather than damaged trials


def _table(
    name: str, text: str, head: _Head, names: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    if not head.rows:
        raise NotATable(f"Expected a table in {name}; the file is empty.")
    header = header_of(name, head.cells, names)
    if header is not None and len(head.rows) == 1:
        raise without_data(name, header)
    first = head.start if header is None else head.below_header()
    offset = sum(map(len, head.lines[:first]))
    table, n_comments = body_of(name, text, offset, first, head.found)
    frame, notes = headed(name, table, header)
    return frame, skipped(name, head.above()) + _about_comments(name, n_comments) + notes


def _about_comments(name: str, n_lines: int) -> list[str]:
    if not n_lines:
        return []
    return [f"{n_lines} lines of comments, which begin with '#', were skipped in {name}."]


def _head_of(text: str) -> _Head:
    """What the first lines show.

    Raises:
        csv.Error: when a cell is too long.
    """
    lines = _first_lines(text)
    separator, begin = _stated_separator(lines)
    found = layout_of_lines(lines[begin:], separator)
    start = begin + found.start
    rows = [(start + i, row) for i, row in split(lines[start:], found.separator)]
    return _Head(lines, start, found, rows)


def _first_lines(text: str) -> list[str]:
    start = text[:LONGEST_START]
    is_enough = start.count("\n") + start.count("\r") >= 2 * FIRST_LINES
    return list(islice(io.StringIO(start if is_enough else text, newline=""), FIRST_LINES))


def _stated_separator(lines: Sequence[str]) -> tuple[str | None, int]:
    """The separator that the first line names, as Excel writes it, and the line after it."""
    for i, line in enumerate(lines):
        if line.strip(" \r\n"):
            found = SEPARATOR_LINE.fullmatch(line.lstrip(" "))
            return (found[1], i + 1) if found else (None, 0)
    return None, 0

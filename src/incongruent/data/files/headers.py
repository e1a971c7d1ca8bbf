"""The header of a table: whether there is one, and the cells below it as a frame with its names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from incongruent.data.files.cells import NotATable, as_written
from incongruent.data.files.layout import Row, has_numbers, is_header
from incongruent.data.trials import Array
from incongruent.data.values import DataError, listed

LONGEST_SHOWN = 80
"""So many characters of a line above the table are shown to the user."""


def skipped(name: str, lines: Sequence[str]) -> list[str]:
    """A sentence about the lines above the table, when there are any."""
    if not lines:
        return []
    shown = "; ".join(repr(_shortened(line)) for line in lines[:5])
    counted = f"{len(lines)} {'line was' if len(lines) == 1 else 'lines were'}"
    return [f"Above the table in {name}, {counted} skipped: {shown}."]


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_SHOWN else f"{line[:LONGEST_SHOWN]}…"


def header_of(
    name: str, rows: Sequence[list[str]], names: Sequence[str] | None
) -> list[str] | None:
    """The first row if it is a header; None if there is none and names are given.

    Raises:
        NotATable: when there is a header although names are given, and no row has a number.
        DataError: when there is a header although names are given, or neither of them.
    """
    header = is_header(rows)
    if not header and names is None:
        raise DataError(
            f"Expected a header with the columns' names in the first line of {name}; got"
            f" {listed(rows[0])}. Give the columns' names in order with `names` (on the command"
            " line: --columns)."
        )
    # A header is never replaced by given names: if these were in another order, columns would be
    # confused without a message.
    if header and names is not None:
        kind = DataError if has_numbers(rows) else NotATable
        raise kind(
            f"Expected a file without a header, since `names` are given; the first line of {name}"
            f" is {listed(rows[0])}. Leave `names` out."
        )
    return rows[0] if header else None


def without_data(name: str, header: Row | None) -> NotATable:
    """The error for a table that has no rows below its header."""
    return NotATable(f"Expected trials in {name}; got only the header {listed(header or [])}.")


def headed(
    name: str, columns: list[Array], header: list[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """A frame of the cells as written, with the header's names, and sentences.

    Columns are numbered when there is no header. Lines that repeat the header are left out.

    Args:
        name: of the file.
        columns: (row,) the cells of each.
        header: None when there is none.

    Raises:
        NotATable: when nothing is left.
        DataError: when the header has another number of names, or a name twice.
    """
    columns = _without(columns, [""] * len(columns))
    if not len(columns[0]):
        raise without_data(name, header)
    if header is None:
        return as_written(dict(enumerate(columns))), []
    full = _full_header(name, header, columns)
    kept = _without(columns, full)
    if not len(kept[0]):
        raise without_data(name, header)
    check_different(name, full)
    notes = _about_repeated(name, len(columns[0]) - len(kept[0]))
    return as_written(dict(zip(full, kept, strict=True))), notes


def _about_repeated(name: str, n_lines: int) -> list[str]:
    if not n_lines:
        return []
    return [f"The header stands again within {name}; these lines were left out: {n_lines}."]


def check_different(name: str, columns: Sequence[str]) -> None:
    """Check that all names of columns are different.

    Raises:
        DataError: when several columns have the same name.
    """
    twice = [column for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if twice:
        raise DataError(
            f"Expected different names for all columns of {name}; got {listed(twice)} more than"
            " once. Rename or remove columns."
        )


def _full_header(name: str, header: list[str], columns: Sequence[Array]) -> list[str]:
    """A name for each column.

    Lines may end in a separator that the header lacks, or begin with row names that it does not
    name, as R writes them.
    """
    width = len(columns)
    if len(header) == width - 1:
        if not any(columns[-1]):
            header = [*header, ""]
        elif len(set(columns[0])) == len(columns[0]):
            header = ["", *header]
    if len(header) != width:
        raise DataError(
            f"Expected as many fields in every line of {name} as names in the header,"
            f" {len(header)}; got {width}. Repair the header."
        )
    return [cell or f"column_{i}" for i, cell in enumerate(header, start=1)]


def _without(columns: list[Array], cells: Row) -> list[Array]:
    """The rows whose cells are not all the same as these."""
    same = np.ones(len(columns[0]), bool)
    for column, cell in zip(columns, cells, strict=True):
        same &= column == cell
        if not same.any():
            return columns
    return [column[~same] for column in columns]

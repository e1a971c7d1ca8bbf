"""How a text is laid out: what separates its cells, and where its table begins.

Both are found from the first lines, or from the first rows of a sheet.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from incongruent.data.values import as_text, is_number

SEPARATORS = "\t;,|"
FIRST_LINES = 300
"""The separator and the beginning of the table are found from at most so many lines."""
Row = Sequence[str]


@dataclass(frozen=True)
class Layout:
    """How a text is laid out.

    Args:
        separator: between cells; a space stands for any spaces and tabs.
        start: the line on which the table begins, from 0.
        width: how many cells most rows have.
        agreement: the share of rows, among the first lines, that have so many cells.
    """

    separator: str
    start: int
    width: int
    agreement: float


def split(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, from 0, and its cells without spaces around them.

    Rows without any text are left out.

    Raises:
        csv.Error: when a cell is too long.
    """
    spaced = (" ".join(line.split("\t")).strip() for line in lines) if separator == " " else lines
    reader, line = csv.reader(spaced, delimiter=separator, skipinitialspace=True), 0
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield line, cells
        line = reader.line_num


# --- the separator --------------------------------------------------------------------------------


def layout_of_lines(lines: Sequence[str], separator: str | None) -> Layout:
    """The layout of a text with these first lines.

    Args:
        lines: the first lines of the text.
        separator: of the cells; None when the one is wanted that gives the clearest table.
    """
    layouts = [_layout(lines, one) for one in ([separator] if separator else SEPARATORS)]
    found = [one for one in layouts if one.width > 1]
    spaces = _layout(lines, " ")
    if not found:
        return spaces
    if spaces.width > 1 and spaces.agreement == 1 and _has_decimal_commas_only(lines, found):
        return spaces
    agreeing = [one for one in found if one.agreement == 1]
    if agreeing:
        return min(agreeing, key=lambda one: one.start)
    return max(found, key=lambda one: one.agreement)


def _has_decimal_commas_only(lines: Sequence[str], found: Sequence[Layout]) -> bool:
    """True when the comma is the only separator and stands only between digits."""
    if [one.separator for one in found] != [","]:
        return False
    text = "".join(lines)
    return text.count(",") == len(re.findall(r"(?<=[0-9]),(?=[0-9])", text))


def _layout(lines: Sequence[str], separator: str) -> Layout:
    """The layout when this is the separator."""
    numbered = _whole_rows(lines, separator)
    if not numbered:
        return Layout(separator, start=0, width=1, agreement=0.0)
    rows = [row for _, row in numbered]
    width = _usual_width(rows)
    first = _first_row(rows, width)
    return Layout(separator, numbered[first][0], width, _agreement(rows[first:], width))


def _whole_rows(lines: Sequence[str], separator: str) -> list[tuple[int, list[str]]]:
    """The rows of these lines, without a last one that may go on beyond them."""
    rows = list(split(lines, separator))
    return rows[:-1] if len(lines) == FIRST_LINES and len(rows) > 1 else rows


def _usual_width(rows: Sequence[Row]) -> int:
    """How many cells most rows have; comments are left out, since they may stand anywhere."""
    counts = Counter(len(row) for row in rows if not row[0].startswith("#"))
    counts = counts or Counter(map(len, rows))
    return max(counts, key=lambda width: (counts[width], width))


def _agreement(rows: Sequence[Row], width: int) -> float:
    """The share of rows below the first one that have so many cells."""
    below = [row for row in rows[1:] if len(row) == width or not row[0].startswith("#")]
    fits = [len(row) == width for row in below or rows[:1]]
    return sum(fits) / len(fits)


# --- the first row --------------------------------------------------------------------------------


def _first_row(rows: Sequence[Row], width: int) -> int:
    """The row with which a table of so many columns begins.

    It is the header or the first data, below a title, paths and comments.
    """
    first = next(i for i, row in enumerate(rows) if len(row) == width)
    if first and _is_header_of_row_names(rows[first - 1 :], width):
        first -= 1
    return first if _is_no_data(rows, first, width) else 0


def _is_header_of_row_names(rows: Sequence[Row], width: int) -> bool:
    """True for a header that lacks one cell, the name of the row numbers."""
    return len(rows[0]) == width - 1 > 1 and not _is_comment(rows[0]) and is_header(rows)


def _is_no_data(rows: Sequence[Row], first: int, width: int) -> bool:
    """True when the rows above the first one can be skipped."""
    if is_header(rows[first:]) and has_numbers(rows[first + 1 :]):
        return True
    return all(len(row) == 1 < width or _is_comment(row) for row in rows[:first])


def _is_comment(row: Row) -> bool:
    return row[0].startswith(("#", "//", "%"))


def has_numbers(rows: Sequence[Row]) -> bool:
    """True when any cell is a number."""
    return any(is_number(cell) for row in rows for cell in row)


def is_header(rows: Sequence[Row]) -> bool:
    """True when the first row holds the names of columns.

    Such a row has no numbers. It is a row of data, though, if it only lacks numbers because its
    cells in the columns of numbers are all missing (NA).
    """
    if has_numbers(rows[:1]):
        return False
    over_numbers = [cell for i, cell in enumerate(rows[0]) if _are_mostly_numbers(rows[1:], i)]
    return not over_numbers or any(as_text(cell) for cell in over_numbers)


def _are_mostly_numbers(rows: Sequence[Row], place: int) -> bool:
    cells = [row[place] for row in rows if place < len(row) and as_text(row[place])]
    return sum(map(is_number, cells)) > len(cells) / 2


def layout_of_rows(rows: Sequence[Row]) -> Layout:
    """The layout of rows of a sheet, which are all as long as the longest.

    Titles above the table fill few of their cells.
    """
    width = len(rows[0])
    filled = [sum(map(bool, row)) for row in rows]
    start = next((i for i, n in enumerate(filled) if n > width / 2), 0)
    return Layout("", start, width, 1.0)

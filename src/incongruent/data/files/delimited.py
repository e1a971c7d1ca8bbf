"""Text with a separator between columns: where its table begins, what separates its cells, and the
cells.

The separator and the first line of the table are found from the first lines. The rest is split by
pyarrow where it can be sure to split as the csv module of the standard library does, and by that
module elsewhere; both give the same cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as pyarrow_csv

from incongruent.data.files.cells import NotATable, as_written
from incongruent.data.values import DataError, as_text, is_number, listed

pc: Any = compute  # whose functions are made when it is imported
SEPARATORS = "\t;,|"
FIRST_LINES = 300
"""Lines from which the separator and the beginning of the table are told."""
LONGEST_START = 200_000
"""Characters in which these lines are looked for first."""
SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?\s*', re.IGNORECASE)
"""The first line that Excel writes and reads to say which separator follows."""
BLANK = re.compile(r"[ \t]+")


# --- where the table begins, and what separates its cells -----------------------------------------


@dataclass(frozen=True)
class Layout:
    """How a text is laid out.

    Args:
        separator: between cells; a space stands for any spaces and tabs.
        start: the line on which the table begins, from 0.
        width: how many cells most rows have.
        agreement: the share of rows, among the first lines, that have so many.
    """

    separator: str
    start: int
    width: int
    agreement: float


def split(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, from 0, and its cells without spaces around them; rows
    without any are left out.

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


def layout(lines: Sequence[str], separator: str | None) -> Layout:
    """How a text with these first lines is laid out: the separator that makes the most of it a
    table.
    """
    found = [_layout(lines, s) for s in ([separator] if separator else SEPARATORS)]
    found = [one for one in found if one.width > 1]
    spaces = _layout(lines, " ")
    if spaces.width > 1 and spaces.agreement == 1 and (not found or _only_decimals(lines, found)):
        return spaces
    if not found:
        return spaces
    whole = [one for one in found if one.agreement == 1]
    return (
        min(whole, key=lambda one: one.start)
        if whole
        else max(found, key=lambda one: one.agreement)
    )


def _only_decimals(lines: Sequence[str], found: Sequence[Layout]) -> bool:
    """True when the comma is the only separator and stands only between digits, as in a decimal
    comma.
    """
    text = "".join(lines)
    return [one.separator for one in found] == [","] and text.count(",") == len(
        re.findall(r"(?<=[0-9]),(?=[0-9])", text)
    )


def _layout(lines: Sequence[str], separator: str) -> Layout:
    rows = list(split(lines, separator))
    rows = (
        rows[:-1] if len(lines) == FIRST_LINES and len(rows) > 1 else rows
    )  # the last may go on beyond these lines
    counts = [len(row) for _, row in rows]
    # A comment that does not split as the table does may stand anywhere.
    frequent = Counter(
        n for n, (_, row) in zip(counts, rows, strict=True) if not row[0].startswith("#")
    ) or Counter(counts)
    width = max(frequent, key=lambda n: (frequent[n], n), default=1)
    first = _first_row([row for _, row in rows], width)
    body = [
        n
        for n, (_, row) in zip(counts[first + 1 :], rows[first + 1 :], strict=True)
        if n == width or not row[0].startswith("#")
    ]
    agreement = (
        sum(n == width for n in body) / len(body)
        if body
        else float(counts[first] == width)
        if counts
        else 0.0
    )
    return Layout(separator, rows[first][0] if rows else 0, width, agreement)


def _first_row(rows: Sequence[Sequence[str]], width: int) -> int:
    """The row with which a table of so many columns begins: its header or its first data, below a
    title, paths and comments.
    """
    fitting = [i for i, row in enumerate(rows) if len(row) == width]
    if not fitting:
        return 0
    first = fitting[0]
    if (
        first
        and len(rows[first - 1]) == width - 1 > 1
        and not _is_comment(rows[first - 1])
        and _is_header(rows[first - 1 :])
    ):
        first -= 1  # a header that lacks the name of the row numbers
    certain = _is_header(rows[first:]) and _has_numbers(rows[first + 1 :])
    skippable = certain or all(len(row) == 1 < width or _is_comment(row) for row in rows[:first])
    return first if skippable else 0


def _has_numbers(rows: Sequence[Sequence[str]]) -> bool:
    return any(is_number(cell) for row in rows for cell in row)


def _is_comment(row: Sequence[str]) -> bool:
    return row[0].startswith(("#", "//", "%"))


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """True when the first row holds no number, unless it only lacks one that all others have (NA)."""
    if any(is_number(cell) for cell in rows[0]):
        return False
    over_numbers = []
    for i, cell in enumerate(rows[0]):
        below = [row[i] for row in rows[1:] if i < len(row) and as_text(row[i])]
        if sum(map(is_number, below)) > len(below) / 2:
            over_numbers.append(cell)
    return not over_numbers or any(as_text(cell) for cell in over_numbers)


# --- the table ------------------------------------------------------------------------------------


def read_text(name: str, text: str, names: Sequence[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """The table in a text, cells as written, columns by number when it has no header; and sentences
    about what was skipped.

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
    lines = _first_lines(text)
    separator, begin = _said_separator(lines)
    head: list[tuple[int, list[str]]] = []
    try:
        found = layout(lines[begin:], separator)
        start = begin + found.start
        head = [(start + i, row) for i, row in split(lines[start:], found.separator)]
        if not head:
            raise NotATable(f"Expected a table in {name}; the file is empty.")
        header = header_of(name, [row for _, row in head], names, found)
        after = head[1][0] if len(head) > 1 else len(lines)
        if header is not None and len(head) == 1:
            raise NotATable(f"Expected trials in {name}; got only the header {listed(header)}.")
        first = start if header is None else after
        table, comments = _body(name, text, sum(map(len, lines[:first])), first, found)
        frame, notes = headed(name, table, header)
    except csv.Error as error:
        raise DataError(
            f"Expected a table in {name}; got text that cannot be split into cells ({error}). Check"
            " its quotes."
        ) from error
    except DataError as error:
        if any(_has_numbers([row]) for _, row in head):
            raise
        raise NotATable(str(error)) from error  # words only are prose rather than damaged trials
    above = skipped(name, [line.strip() for line in lines[:start] if line.strip()])
    within = (
        [f"{comments} lines of comments, which begin with '#', were skipped in {name}."]
        if comments
        else []
    )
    return frame, above + within + notes


def _first_lines(text: str) -> list[str]:
    start = text[:LONGEST_START]
    stream = io.StringIO(
        text if start.count("\n") + start.count("\r") < 2 * FIRST_LINES else start, newline=""
    )
    return [line for _, line in zip(range(FIRST_LINES), stream, strict=False)]


def _said_separator(lines: Sequence[str]) -> tuple[str | None, int]:
    """The separator that the first line names, as Excel writes it, and the number of the line after
    it.
    """
    for i, line in enumerate(lines):
        if line.strip(" \r\n"):
            found = SEPARATOR_LINE.fullmatch(line.lstrip(" "))
            return (found[1], i + 1) if found else (None, 0)
    return None, 0


def skipped(name: str, lines: Sequence[str]) -> list[str]:
    """A sentence about the lines above the table, when there are any."""
    if not lines:
        return []
    shown = "; ".join(repr(line if len(line) <= 80 else f"{line[:80]}…") for line in lines[:5])
    return [
        f"Above the table in {name}, {len(lines)} {'line was' if len(lines) == 1 else 'lines were'}"
        f" skipped: {shown}."
    ]


def layout_of_rows(rows: Sequence[Sequence[str]]) -> Layout:
    """How rows of cells that are all as long as the longest are laid out, as in a sheet: titles
    above the table fill few cells.
    """
    width = len(rows[0])
    filled = [sum(map(bool, row)) for row in rows]
    start = next((i for i, n in enumerate(filled) if n > width / 2), 0)
    return Layout("", start, width, 1.0)


def header_of(
    name: str, rows: Sequence[list[str]], names: Sequence[str] | None, found: Layout
) -> list[str] | None:
    """The first row when it is a header, None when there is none and names are given.

    Raises:
        NotATable: when there is neither a header nor any number.
        DataError: when there is a header beside names, or neither of them.
    """
    header = _is_header(rows)
    if not header and names is None:
        raise DataError(
            f"Expected a header with the columns' names in the first line of {name}; got"
            f" {listed(rows[0])}. Give the columns' names in order with `names` (on the command"
            " line: --columns)."
        )
    # A header beside given names is refused rather than replaced: were the names in another order,
    # columns would be mixed up in silence.
    if header and names is not None:
        kind = DataError if _has_numbers(rows) else NotATable
        raise kind(
            f"Expected a file without a header, since `names` are given; the first line of {name}"
            f" is {listed(rows[0])}. Leave `names` out."
        )
    return rows[0] if header else None


def headed(name: str, table: pa.Table, header: list[str] | None) -> tuple[pd.DataFrame, list[str]]:
    """A frame of the cells as written with the header's names, or numbers for names; lines that
    repeat the header are left out.

    Raises:
        NotATable: when nothing is left.
        DataError: when the header has another number of names.
    """
    table = _without_empty_rows(table)
    if not len(table):
        raise NotATable(f"Expected trials in {name}; got only the header {listed(header or [])}.")
    if header is None:
        return as_written({i: column for i, column in enumerate(table.columns)}), []
    full = _full_header(name, header, table)
    kept = _without_repeated(table, full)
    if not len(kept):
        raise NotATable(f"Expected trials in {name}; got only the header {listed(header)}.")
    repeated = len(table) - len(kept)
    notes = (
        [f"The header stands again within {name}; these lines were left out: {repeated}."]
        if repeated
        else []
    )
    twice = [cell for cell in dict.fromkeys(full) if full.count(cell) > 1]
    if twice:
        raise DataError(
            f"Expected different names for all columns of {name}; got {listed(twice)} more than"
            " once. Rename or remove columns."
        )
    return as_written(dict(zip(full, kept.columns, strict=True))), notes


def _full_header(name: str, header: list[str], table: pa.Table) -> list[str]:
    """A name for each column: lines may end in a separator that the header lacks, or begin with row
    names that it does not name, as R writes them.
    """
    width = table.num_columns
    if len(header) == width - 1:
        if not pc.any(
            pc.greater(pc.binary_length(pc.utf8_trim_whitespace(table[width - 1])), 0)
        ).as_py():
            header = [*header, ""]
        elif pc.count_distinct(table[0]).as_py() == len(table):
            header = ["", *header]
    if len(header) != width:
        raise DataError(
            f"Expected as many fields in every line of {name} as names in the header,"
            f" {len(header)}; got {width}. Repair the header."
        )
    return [cell or f"column_{i}" for i, cell in enumerate(header, start=1)]


def _without_empty_rows(table: pa.Table) -> pa.Table:
    return _without(table, [""] * table.num_columns)


def _without_repeated(table: pa.Table, header: list[str]) -> pa.Table:
    return _without(table, header)


def _without(table: pa.Table, cells: Sequence[str]) -> pa.Table:
    """The rows whose cells are not all the same as these."""
    same = None
    for column, cell in zip(table.columns, cells, strict=True):
        here = pc.equal(column, cell)
        same = here if same is None else pc.and_(same, here)
        if not pc.any(same).as_py():
            return table
    return table.filter(pc.invert(same)) if same is not None else table


# --- splitting the body ---------------------------------------------------------------------------


def _body(name: str, text: str, offset: int, first: int, found: Layout) -> tuple[pa.Table, int]:
    """The cells below the header, and how many lines of comments stood among them.

    Args:
        name: of the file.
        text: of the whole file.
        offset: where the body begins in it.
        first: how many lines stand before the body.
        found: the layout.
    """
    body = text[offset:] if offset else text
    separator, width = found.separator, found.width
    if separator == " " and '"' not in body:
        body = re.sub(r" ?(\r\n|\r|\n) ?", r"\1", BLANK.sub(" ", body)).strip(" ")
    try:
        if '"' not in body or not (separator == " " or ' "' in body):
            return _by_pyarrow(body, separator, width)
    except pa.ArrowInvalid:
        pass  # a row has another number of cells, or a cell is too long: the csv module tells which
    return _by_csv(name, text[offset:], first, found)


def _by_pyarrow(body: str, separator: str, width: int) -> tuple[pa.Table, int]:
    """The cells as pyarrow splits them.

    Raises:
        pa.ArrowInvalid: when a row that is neither empty nor a comment has another number of cells.
    """
    comments = 0

    def look_at(row: pyarrow_csv.InvalidRow) -> str:
        nonlocal comments
        if row.text.startswith("#"):
            comments += 1
        elif row.text.strip(f"{separator} \t"):
            return "error"
        return "skip"

    names = [str(i) for i in range(width)]
    table = pyarrow_csv.read_csv(
        pa.BufferReader(body.encode()),
        read_options=pyarrow_csv.ReadOptions(
            column_names=names, use_threads=False, block_size=1 << 22
        ),
        parse_options=pyarrow_csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=look_at
        ),
        convert_options=pyarrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    if any(blank in body for blank in " \t" if blank != separator):
        table = pa.table([pc.utf8_trim_whitespace(column) for column in table.columns], names)
    return table, comments


def _by_csv(name: str, body: str, first: int, found: Layout) -> tuple[pa.Table, int]:
    """The cells as the csv module splits them.

    Raises:
        NotATable: when most rows differ in their number of cells, as in prose.
        DataError: when a row that is neither empty nor a comment has another number of cells than
            most.
    """
    kept, comments = [], 0
    for line, row in split(io.StringIO(body, newline=""), found.separator):
        if len(row) == found.width:
            kept.append(row)
        elif row[0].startswith("#"):
            comments += 1
        else:
            raise _ragged(name, first + line + 1, row, found)
    columns = zip(*kept, strict=True) if kept else [()] * found.width
    return (
        pa.table({str(i): pa.array(column, pa.string()) for i, column in enumerate(columns)}),
        comments,
    )


def _ragged(name: str, line: int, row: Sequence[str], found: Layout) -> DataError:
    kind = DataError if found.agreement >= 0.5 else NotATable
    open_quote = any("\n" in cell or "\r" in cell for cell in row)
    advice = "Look for a quote that is not closed." if open_quote else "Repair that line."
    return kind(
        f"Expected {found.width} fields in every line of {name}, as in most; line {line} has"
        f" {len(row)}. {advice}"
    )

"""The cells below the header of a text.

They are split by pyarrow where it certainly gives the same cells as the csv module of the standard
library, and by that module elsewhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import compute

from incongruent.data.files.cells import NotATable
from incongruent.data.files.layout import Layout, split
from incongruent.data.values import DataError

if TYPE_CHECKING:
    from pyarrow.csv import InvalidRow

pc: Any = compute  # whose functions are made when it is imported
BLANK = re.compile(r"[ \t]+")
BLANK_BESIDE_LINE_END = re.compile(r" ?(\r\n|\r|\n) ?")


def body_of(name: str, text: str, offset: int, first: int, found: Layout) -> tuple[pa.Table, int]:
    """The cells below the header, and how many lines of comments stood among them.

    Args:
        name: of the file.
        text: of the whole file.
        offset: the character at which the body begins.
        first: how many lines stand before the body.
        found: the layout.

    Raises:
        NotATable: as `by_csv`.
        DataError: as `by_csv`.
    """
    body = text[offset:]
    if _is_split_alike(body, found.separator):
        try:
            return by_pyarrow(_single_spaced(body, found.separator), found.separator, found.width)
        except pa.ArrowInvalid:
            pass  # a row has another number of cells, or a cell is too long: by_csv says which
    return by_csv(name, body, first, found)


def _is_split_alike(body: str, separator: str) -> bool:
    """True when pyarrow and the csv module certainly find the same cells, whatever the quotes."""
    return '"' not in body or (separator != " " and ' "' not in body)


def _single_spaced(body: str, separator: str) -> str:
    """The body with one space between cells, when spaces and tabs separate them."""
    if separator != " ":
        return body
    return BLANK_BESIDE_LINE_END.sub(r"\1", BLANK.sub(" ", body)).strip(" ")


class _InvalidRows:
    """What pyarrow does with a row of another number of cells; comments are counted."""

    def __init__(self, separator: str) -> None:
        self.blanks = f"{separator} \t"
        self.n_comments = 0

    def __call__(self, row: InvalidRow) -> str:
        if row.text.startswith("#"):
            self.n_comments += 1
            return "skip"
        return "error" if row.text.strip(self.blanks) else "skip"


def by_pyarrow(body: str, separator: str, width: int) -> tuple[pa.Table, int]:
    """The cells as pyarrow splits them, and how many lines are comments.

    Raises:
        pa.ArrowInvalid: when a row that is neither empty nor a comment has another number of cells.
    """
    from pyarrow import csv

    names = [str(i) for i in range(width)]
    invalid = _InvalidRows(separator)
    table = csv.read_csv(
        pa.BufferReader(body.encode()),
        read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=1 << 22),
        parse_options=csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, invalid_row_handler=invalid
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    return _trimmed(table) if _may_need_trimming(body, separator) else table, invalid.n_comments


def _may_need_trimming(body: str, separator: str) -> bool:
    return any(blank in body for blank in " \t" if blank != separator)


def _trimmed(table: pa.Table) -> pa.Table:
    columns = [pc.utf8_trim_whitespace(column) for column in table.columns]
    return pa.table(columns, table.column_names)


def by_csv(name: str, body: str, first: int, found: Layout) -> tuple[pa.Table, int]:
    """The cells as the csv module splits them, and how many lines are comments.

    Args:
        name: of the file.
        body: the text below the header.
        first: how many lines stand before it.
        found: the layout.

    Raises:
        NotATable: when most rows differ in their number of cells, as in prose.
        DataError: when a row that is neither empty nor a comment has another number of cells than
            most.
    """
    kept, n_comments = [], 0
    for line, row in split(io.StringIO(body, newline=""), found.separator):
        if len(row) == found.width:
            kept.append(row)
        elif row[0].startswith("#"):
            n_comments += 1
        else:
            raise _ragged(name, first + line + 1, row, found)
    return text_table(kept, found.width), n_comments


def text_table(rows: Sequence[Sequence[str]], width: int) -> pa.Table:
    """Rows of so many cells as a table of text, whose columns are called "0", "1", …"""
    columns = zip(*rows, strict=True) if rows else [()] * width
    return pa.table({str(i): pa.array(column, pa.string()) for i, column in enumerate(columns)})


def _ragged(name: str, line: int, row: Sequence[str], found: Layout) -> DataError:
    kind = DataError if found.agreement >= 0.5 else NotATable
    open_quote = any("\n" in cell or "\r" in cell for cell in row)
    advice = "Look for a quote that is not closed." if open_quote else "Repair that line."
    return kind(
        f"Expected {found.width} fields in every line of {name}, as in most; line {line} has"
        f" {len(row)}. {advice}"
    )

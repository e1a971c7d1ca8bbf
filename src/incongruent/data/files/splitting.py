"""The cells below the header of a text.

They are split by the parser of pandas where it certainly gives the same cells as the csv module of
the standard library, and by that module elsewhere, which takes five times as long.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from incongruent.data.files.cells import NotATable
from incongruent.data.files.layout import Layout, split
from incongruent.data.trials import Array
from incongruent.data.values import DataError

BLANK = re.compile(r"[ \t]+")
BLANK_BESIDE_LINE_END = re.compile(r" ?(\r\n|\r|\n) ?")


def body_of(
    name: str, text: str, offset: int, first: int, found: Layout
) -> tuple[list[Array], int]:
    """The cells below the header, and how many lines of comments stood among them.

    Args:
        name: of the file.
        text: of the whole file.
        offset: the character at which the body begins.
        first: how many lines stand before the body.
        found: the layout.

    Returns:
        For each column its cells without spaces around them, (row,) texts.

    Raises:
        NotATable: as `by_csv`.
        DataError: as `by_csv`.
    """
    body = text[offset:]
    if _is_split_alike(body, found.separator):
        columns = by_pandas(_single_spaced(body, found.separator), found.separator, found.width)
        if columns is not None:
            return columns, 0
    return by_csv(name, body, first, found)


def _is_split_alike(body: str, separator: str) -> bool:
    """True when pandas and the csv module certainly find the same cells, whatever the quotes."""
    return '"' not in body or (separator != " " and ' "' not in body)


def _single_spaced(body: str, separator: str) -> str:
    """The body with one space between cells, when spaces and tabs separate them."""
    if separator != " ":
        return body
    return BLANK_BESIDE_LINE_END.sub(r"\1", BLANK.sub(" ", body)).strip(" ")


def by_pandas(body: str, separator: str, width: int) -> list[Array] | None:
    """The cells as pandas splits them, without spaces around them; for each column (row,) texts.

    None when a row has another number of cells, which may be a comment; `by_csv` then says more.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of cells that it leaves out
            table = pd.read_csv(
                io.BytesIO(body.encode()),
                sep=separator,
                header=None,
                names=range(width),
                index_col=False,
                dtype=object,
                na_filter=False,
                low_memory=False,  # the same text is one object in all rows
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError):
        return None
    columns = [table[i].to_numpy() for i in range(width)]
    if not _are_complete(body, separator, columns):
        return None
    may_need_trimming = any(blank in body for blank in " \t" if blank != separator)
    return [_trimmed(column) for column in columns] if may_need_trimming else columns


def _are_complete(body: str, separator: str, columns: Sequence[Array]) -> bool:
    """True when no row had fewer cells, which pandas fills up with empty ones.

    Then as many separators as there are between the cells stand outside of them.
    """
    within = sum("".join(column).count(separator) for column in columns) if '"' in body else 0
    return body.count(separator) - within == len(columns[0]) * (len(columns) - 1)


def _trimmed(column: Array) -> Array:
    codes, different = pd.factorize(column)
    return np.array([cell.strip() for cell in different], object)[codes]


def by_csv(name: str, body: str, first: int, found: Layout) -> tuple[list[Array], int]:
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
    return columns_of(kept, found.width), n_comments


def columns_of(rows: Sequence[Sequence[str]], width: int) -> list[Array]:
    """Rows of so many cells column by column, (row,) texts each."""
    return list(np.array(rows, object).reshape(len(rows), width).T)


def _ragged(name: str, line: int, row: Sequence[str], found: Layout) -> DataError:
    kind = DataError if found.agreement >= 0.5 else NotATable
    open_quote = any("\n" in cell or "\r" in cell for cell in row)
    advice = "Look for a quote that is not closed." if open_quote else "Repair that line."
    return kind(
        f"Expected {found.width} fields in every line of {name}, as in most; line {line} has"
        f" {len(row)}. {advice}"
    )

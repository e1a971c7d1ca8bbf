"""Tables of results as CSV in which no spreadsheet finds formulas, and back.

A name from a data file may begin like a formula ("=1+1", "@home"), and a spreadsheet that opens the
table would run it. Such text gets an apostrophe before it, which marks text in spreadsheets. Plain
numbers, also "-1" and "+5", stay as they are. `read_results` removes the apostrophe again, so that
names are the same as in the data.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet reads a cell that begins with one of these as a formula."""
NAMES = ("participant", "person", "subject")
"""Columns that hold names; they are read as text even where they look like numbers."""


def as_csv(frame: pd.DataFrame) -> str:
    """A table as CSV, with an apostrophe before text that a spreadsheet would read as a formula.

    Example:
        >>> import pandas as pd
        >>> print(as_csv(pd.DataFrame({"participant": ["=1+1", "-1", "VP 3"]})), end="")
        participant
        '=1+1
        -1
        VP 3
    """
    return _with_text_changed(frame, _marked).to_csv(index=False)


def read_results(path: str | os.PathLike[str]) -> pd.DataFrame:
    """A table that this package wrote, with people's names as they are in the data.

    Args:
        path: the path of the CSV file.
    """
    import pandas as pd

    frame = pd.read_csv(path, converters=dict.fromkeys(NAMES, str))
    return _with_text_changed(frame, _unmarked)


def _with_text_changed(frame: pd.DataFrame, change: Callable[[object], object]) -> pd.DataFrame:
    """The table with a change made to each name of a column and to each value that is no number."""
    text = frame.select_dtypes(exclude="number").columns
    changed = {name: [change(value) for value in frame[name]] for name in text}
    return frame.assign(**changed).rename(columns=change)


def _marked(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _like_a_formula(value) else value


def _unmarked(value: object) -> object:
    if isinstance(value, str) and value.startswith("'") and _like_a_formula(value):
        return value[1:]
    return value


def _like_a_formula(text: str) -> bool:
    """True for text that begins like a formula and is no number, below its apostrophes."""
    bare = text.lstrip("'")
    return bare.startswith(FORMULA) and not _is_a_number(bare)


def _is_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

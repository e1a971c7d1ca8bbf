"""Tables of results as CSV that no spreadsheet takes for formulas, and back.

A name from a data file may begin like a formula ("=1+1", "@home"), and a spreadsheet that opens the
table would run it. Such text gets an apostrophe before it, which spreadsheets know as the sign of
text. Plain numbers, "-1" and "+5" as well, stay as they are. `read_results` takes the apostrophe
off again, so that names are the same as in the data.
"""

from __future__ import annotations

import os

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula."""
NAMES = ("person", "subject")
"""Columns that hold names, which are text whatever they look like."""


def as_csv(frame: pd.DataFrame) -> str:
    """A table as CSV; text that a spreadsheet would take for a formula gets an apostrophe before
    it.

    Example:
        >>> print(as_csv(pd.DataFrame({"person": ["=1+1", "-1", "VP 3"]})), end="")
        person
        '=1+1
        -1
        VP 3
    """
    text = frame.select_dtypes(exclude="number").columns
    harmless = frame.assign(**{name: [_marked(value) for value in frame[name]] for name in text})
    return harmless.rename(columns=_marked).to_csv(index=False)


def read_results(path: str | os.PathLike[str]) -> pd.DataFrame:
    """A table that this package wrote, with names of people as they are in the data.

    Args:
        path: of the CSV.
    """
    frame = pd.read_csv(path, converters=dict.fromkeys(NAMES, str))
    text = frame.select_dtypes(exclude="number").columns
    return frame.assign(
        **{name: [_unmarked(value) for value in frame[name]] for name in text}
    ).rename(columns=_unmarked)


def _marked(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _like_a_formula(value) else value


def _unmarked(value: object) -> object:
    return (
        value[1:]
        if isinstance(value, str) and value.startswith("'") and _like_a_formula(value)
        else value
    )


def _like_a_formula(text: str) -> bool:
    """Whether text begins like a formula and is no plain number, whatever apostrophes stand before
    it.
    """
    bare = text.lstrip("'")
    if not bare.startswith(FORMULA):
        return False
    try:
        float(bare)
    except ValueError:
        return True
    return False

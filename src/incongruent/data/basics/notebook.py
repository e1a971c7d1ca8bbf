"""What notebooks show of an object: a heading, sentences and the first rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import escape

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 10
"""Rows of a table that are shown; a sentence says how many there are."""


def html(heading: str, sentences: Sequence[str] = (), table: pd.DataFrame | None = None) -> str:
    """A short HTML text; everything that comes from outside is escaped.

    Args:
        heading: what the object is.
        sentences: what is to be known about it, one paragraph each.
        table: shown with its first rows, numbers with four digits.

    Example:
        >>> html("Draws of <2> people", ["All is well."])
        '<p><b>Draws of &lt;2&gt; people</b></p><p>All is well.</p>'
    """
    parts = [f"<p><b>{escape(heading)}</b></p>"]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in sentences]
    if table is not None:
        parts.append(_rows(table))
        if len(table) > MOST_ROWS:
            parts.append(f"<p>The first {MOST_ROWS} of {len(table)} rows.</p>")
    return "".join(parts)


def _rows(table: pd.DataFrame) -> str:
    shown = table.head(MOST_ROWS)
    return shown.to_html(index=False, border=0, float_format="{:.4g}".format, na_rep="–")

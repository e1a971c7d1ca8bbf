"""Tables: on the screen, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.table import Table

from incongruent.cli.parts import plain
from incongruent.data.basics.csvs import as_csv
from incongruent.posterior.progress import screen
from incongruent.storage.atomic import write_atomically

if TYPE_CHECKING:
    import pandas as pd

SHORT = {
    "contraction": "contr.",
    "coverage_50": "in 50 %",
    "coverage_90": "in 90 %",
    "calibration_error": "ECE",
}
"""Column heads that fit a narrow screen."""
LEGEND = (
    "contr.: contraction; in 50 %, in 90 %: share of intervals that contain the true value; ECE:"
    " expected calibration error"
)


NAMES = ("parameter", "quantity", "variant")
"""Columns of names; all others are numbers, and stand on the right."""
DIGITS = 3


def show_table(frame: pd.DataFrame, title: str) -> None:
    """Print a table."""
    _show_columns({str(name): list(frame[name]) for name in frame.columns}, title)


def _show_columns(columns: Mapping[str, Sequence[Any]], title: str) -> None:
    """Print a table with these columns, by name."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    for name in columns:
        table.add_column(SHORT.get(name, name), justify="left" if name in NAMES else "right")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*(plain(str(value)) for value in row))
    screen.print(table)


def show_quality(notes: Mapping[str, Any]) -> None:
    """Print how well a network recovers parameters, where its notes say so."""
    quality = notes.get("quality")
    if not quality:
        return
    _show_columns(
        _rounded_columns(quality["overall"]),
        f"Recovery on {quality['n_datasets']} fresh data sets, {quality['nats']:.2f} nats over"
        " the prior",
    )
    screen.print(LEGEND, style="dim")
    for at in quality.get("efficiency", []):
        screen.print(
            f"Against the exact posterior at {at['trials']} trials: {at['median']:.0%} of the"
            f" draws effective (median; one in ten below {at['q10']:.0%}), weights good for"
            f" {at['k_hat_good']:.1%}."
        )


def _rounded_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The columns of a table that a card holds row by row."""
    return {name: [_rounded(row[name]) for row in rows] for name in rows[0]}


def _rounded(value: Any) -> Any:
    """A number with few digits, a dash for one that is not known, and text as it is."""
    if isinstance(value, str):
        return value
    return "–" if value is None else float(np.round(value, DIGITS))


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV; the file is complete or absent."""
    write_atomically(path, as_csv(frame).encode())

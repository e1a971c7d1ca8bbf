"""Tables: on the screen, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table

from incongruent.cli.parts import plain
from incongruent.data.basics.csvs import as_csv
from incongruent.posterior.progress import screen
from incongruent.storage.atomic import write_atomically

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


def show_table(frame: pd.DataFrame, title: str) -> None:
    """Print a table."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    for column in frame.columns:
        is_text = frame[column].dtype == object or column == "parameter"
        table.add_column(SHORT.get(column, str(column)), justify="left" if is_text else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*(plain(str(value)) for value in row))
    screen.print(table)


def show_quality(notes: Mapping[str, Any]) -> None:
    """Print how well a network recovers parameters, where its notes say so."""
    quality = notes.get("quality")
    if not quality:
        return
    show_table(
        pd.DataFrame(quality["overall"]).round(3),
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


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV; the file is complete or absent."""
    write_atomically(path, as_csv(frame).encode())

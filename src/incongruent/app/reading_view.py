"""How a file was understood, as the page shows it: in sentences, by person, and its first rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from nicegui import ui

from incongruent.app.choices import Reading, first_rows
from incongruent.app.shared import heading, refusal
from incongruent.data.reading.read_trials import exclusions
from incongruent.data.trials import Trials

PEOPLE_A_PAGE = 10


def show_sentences(reading: Reading) -> None:
    """Show how a file was understood, or why not."""
    if reading.refusal is not None:
        _show_refusal(reading.refusal)
    if reading.study is not None:
        heading(_size(reading.study), 3).classes("at-summary")
    for note in reading.notes:
        ui.label(f"• {note}").classes("note")
    if reading.study is not None:
        _show_exclusions(reading.study)


def _show_refusal(words: str) -> None:
    heading("This file cannot be read as trials yet.", 3)
    refusal(words)
    ui.label("Say under Corrections what the columns are, or give another file.").classes(
        "soft small"
    )


def _size(study: Trials) -> str:
    """How many people and trials there are."""
    who = f"{len(study)} people" if len(study) != 1 else "1 data set"
    left_out = int(study.n_excluded.sum())
    return f"{who}, {_trials_each(study)} trials each; {left_out} trials left out."


def _trials_each(study: Trials) -> str:
    """The fewest and the most trials of a person."""
    fewest, most = study.n_trials.min(), study.n_trials.max()
    return f"{fewest}" if fewest == most else f"{fewest}–{most}"


def _show_exclusions(study: Trials) -> None:
    """A table of the trials kept and left out of each person, closed at first."""
    columns, rows = _exclusions(study)
    with (
        ui.expansion("Trials kept and left out, person by person")
        .classes("fill")
        .props("dense header-class=q-px-none")
    ):
        table = ui.table(columns=columns, rows=rows, row_key="c0", pagination=PEOPLE_A_PAGE)
        table.classes("table").props("dense flat")


def _exclusions(study: Trials) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Columns and rows of the table of trials kept and left out."""
    frame = exclusions(study)
    columns = [
        _column(i, name.replace("_", " "), "right" if i else "left") for i, name in enumerate(frame)
    ]
    return columns, [_row(map(str, row)) for row in frame.itertuples(index=False)]


def show_rows(reading: Reading, lines: list[str]) -> None:
    """Show the first rows as the reader split them, or the first lines when it could not."""
    if reading.table is None:
        ui.label("\n".join(lines)).classes("mono").classes("at-raw")
    else:
        _show_table(reading.table)


def _show_table(content: pd.DataFrame) -> None:
    """The first rows of a table."""
    columns = [_column(i, name, "left") for i, name in enumerate(content.columns)]
    rows = [{"row": k, **_row(row)} for k, row in enumerate(first_rows(content))]
    table = ui.table(columns=columns, rows=rows, row_key="row").classes("table")
    table.props("dense flat hide-pagination").classes("at-raw")


def _column(position: int, label: str, align: str) -> dict[str, Any]:
    """A column of a table; it is known by its position, as labels come from outside."""
    return {"name": f"c{position}", "label": label, "field": f"c{position}", "align": align}


def _row(cells: Iterable[str]) -> dict[str, Any]:
    """A row of a table, by position."""
    return {f"c{i}": cell for i, cell in enumerate(cells)}

"""How good a network is according to its own notes, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.report.values import Cell, Column, Table, percent, shown

Array = np.ndarray

COLUMNS = (
    Column("parameter", number=False),
    Column("r", "true values against posterior means"),
    Column("contraction"),
    Column("in 50 % intervals", "share of true values"),
    Column("in 90 % intervals", "share of true values"),
)
RANKS = Column(
    "p of uniform ranks",
    "simulation-based calibration of corrected draws; of many such tests one in twenty lies below"
    " 0.05",
)


def quality(posterior: Posterior | Ensemble, study_trials: Array | None) -> dict[str, Any] | None:
    """Recovery and calibration, overall and at this study's numbers of trials.

    Args:
        posterior: whose notes are read.
        study_trials: numbers of trials of people; None without a study.

    Returns:
        Plain values for the page; None when nothing was measured.
    """
    notes = posterior.notes.get("quality")
    if not notes:
        return None
    calibration = notes.get("calibration", {})
    return {
        "n_datasets": notes["n_datasets"],
        "n_calibrated": calibration.get("n_datasets"),
        "nats": shown(notes["nats"]),
        "overall": _overall(notes["overall"], calibration.get("overall", [])),
        "at": _by_trials(notes.get("by_trials", []), study_trials),
        "efficiency": notes.get("efficiency", []),
    }


def _overall(recovery: Sequence[Mapping[str, Any]], ranks: Sequence[Mapping[str, Any]]) -> Table:
    """One row for each parameter: recovery, and whether ranks are uniform."""
    p_values = {row["quantity"]: row["p"] for row in ranks}
    rows = ((*_recovery_cells(row), _rank_cell(p_values.get(row["parameter"]))) for row in recovery)
    return Table((*COLUMNS, RANKS), tuple(rows))


def _recovery_cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    """One parameter, in the order of `COLUMNS`."""
    return (
        Cell(row["parameter"]),
        *(Cell(f"{row[name]:.2f}", row[name]) for name in ("r", "contraction")),
        *(Cell(percent(row[name]), row[name]) for name in ("coverage_50", "coverage_90")),
    )


def _rank_cell(p: float | None) -> Cell:
    return Cell(f"{p:.2f}" if p is not None else "–", p)


def _by_trials(
    rows: Sequence[Mapping[str, Any]], study_trials: Array | None
) -> list[tuple[str, Table]]:
    """A table for each bin of trial number in which people of the study lie."""
    if study_trials is None:
        return []
    bins = dict.fromkeys(str(row["trials"]) for row in rows)
    return [(name, _of_bin(name, rows)) for name in bins if _is_met(name, study_trials)]


def _of_bin(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """The recovery of data sets in one bin of trial number."""
    return Table(COLUMNS, tuple(_recovery_cells(row) for row in rows if row["trials"] == name))


def _is_met(name: str, study_trials: Array) -> bool:
    """Whether the numbers of trials of some people lie in a bin such as "50–100"."""
    low, _, high = name.partition("–")
    return bool(((study_trials >= int(low)) & (study_trials <= int(high or low))).any())

"""What the page says of the statistics that fail: each with its size against its margin."""

from __future__ import annotations

from incongruent.checks.model.relevance import Misfit
from incongruent.checks.record import Check
from incongruent.report.values import Cell, Column, Table, shown

COLUMNS = (
    Column("statistic", number=False),
    Column("observed", "mean over people"),
    Column("predicted", "mean over people of what the fitted model predicts"),
    Column("size", "by how much the two differ, beyond what they do when the model is right"),
    Column("margin", "up to which a difference does not matter"),
    Column("relevant", "larger than the margin", number=False),
)
AFTER = Column(
    "under a prior made for these people", "whether the model fails there too", number=False
)


def misfits_table(check: Check) -> Table | None:
    """One row for each statistic in which the group fails, the worst first; None without any."""
    misfits = check.misfits()
    if not misfits:
        return None
    rows = tuple(_row(misfit) for misfit in misfits)
    if check.panel_after is None:
        return Table(COLUMNS, rows)
    explained = check.answers.explained_by_prior
    after = [(Cell("does not fail" if m in explained else "fails too"),) for m in misfits]
    return Table((*COLUMNS, AFTER), tuple(a + b for a, b in zip(rows, after, strict=True)))


def _row(misfit: Misfit) -> tuple[Cell, ...]:
    statistic = misfit.statistic
    return (
        Cell(misfit.name),
        Cell(statistic.shown(misfit.observed), misfit.observed),
        Cell(statistic.shown(misfit.predicted), misfit.predicted),
        Cell(f"{misfit.size_in_words} {misfit.unit}".rstrip(), misfit.size),
        Cell(shown(misfit.margin, 2), misfit.margin),
        Cell("yes" if misfit.relevant else "no"),
    )

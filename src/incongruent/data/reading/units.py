"""Units: whether reaction times are in s or in ms.

The user may say it; else it follows from the column's name and the median reaction time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.trials import Array
from incongruent.data.values import DataError, listed, texts

EXAMPLES = 5
"""So many values of a column without reaction times are shown in a message."""


@dataclass(frozen=True)
class Unit:
    """A unit of time, and the medians of reaction times that are possible only in this unit.

    Attributes:
        name: "s" or "ms".
        ms: how many ms it has.
        low: the lowest such median.
        high: the highest.
    """

    name: str
    ms: float
    low: float
    high: float


UNITS = (Unit("s", 1000.0, 0.1, 10.0), Unit("ms", 1.0, 100.0, 10_000.0))


@dataclass(frozen=True)
class UnitEvidence:
    """What is known about the unit of a column of reaction times.

    Attributes:
        column: its name.
        asked: the unit that the user gave, if any.
        in_name: the unit in which the column's name ends, if any.
        median: of the reaction times.
    """

    column: str
    asked: str | None
    in_name: str | None
    median: float

    @property
    def said(self) -> str | None:
        """The name of the unit that the user gave, or else that the column's name has."""
        return self.asked or self.in_name

    @property
    def by_median(self) -> Unit | None:
        """The unit in which such a median is possible; None when it may be either."""
        return next((unit for unit in UNITS if unit.low <= self.median <= unit.high), None)


def unit_of(evidence: UnitEvidence) -> Unit:
    """The unit of reaction times.

    Raises:
        DataError: when it is not known, or contradicts the median.
    """
    by_median = evidence.by_median
    if evidence.said is None:
        if by_median is None:
            raise _unknown(evidence)
        return by_median
    if by_median is not None and by_median.name != evidence.said:
        raise _contradiction(evidence, by_median)
    return next(unit for unit in UNITS if unit.name == evidence.said)


def median_of(column: str, times: Array, series: pd.Series) -> float:
    """The median of the positive times of a column.

    Args:
        column: its name.
        times: (row,) the times, NaN where there is none.
        series: what the column has, to be shown when there are no times.

    Raises:
        DataError: when there are no positive times.
    """
    positive = times[np.isfinite(times) & (times > 0)]
    if not len(positive):
        raise DataError(
            f"Expected positive reaction times in column {column!r}; got"
            f" {listed(dict.fromkeys(texts(series)), EXAMPLES)}."
        )
    return float(np.median(positive))


def unit_note(evidence: UnitEvidence, unit: Unit) -> str:
    """A sentence about the column of reaction times and its unit."""
    if evidence.asked:
        how = "as given"
    elif evidence.in_name:
        how = "recognised by its name and median"
    else:
        how = "recognised by the median"
    return (
        f"The reaction time was taken from column {evidence.column!r}, in {unit.name} ({how},"
        f" {evidence.median:.4g})."
    )


def _unknown(evidence: UnitEvidence) -> DataError:
    return DataError(
        f"Expected reaction times in ms or s; the median of column {evidence.column!r} is"
        f" {evidence.median:.4g}, which may be either. Give {doors.option('unit')}."
    )


def _contradiction(evidence: UnitEvidence, by_median: Unit) -> DataError:
    how = (
        f"`unit` is {evidence.asked!r}"
        if evidence.asked
        else f"the name of column {evidence.column!r} says {evidence.in_name!r}"
    )
    return DataError(
        f"Expected reaction times in {evidence.said}, since {how}; got a median of"
        f" {evidence.median:.4g}. Give {doors.option('unit', by_median.name)} if it is that."
    )

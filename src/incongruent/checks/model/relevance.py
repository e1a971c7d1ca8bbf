"""How large is a misfit of the panel, and does that matter?

A panel of forty statistics on a few thousand trials finds differences of five milliseconds. Whether
a difference is more than chance is one question, whether it matters another: its size is held
against a margin in a unit that readers of the field know. docs/checks_of_the_model.md argues for
the margins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from incongruent.checks.model.panel import LEVEL, Panel
from incongruent.checks.panel_statistics import Kind, Statistic, position_of
from incongruent.checks.statistics import nan_mean

Array = np.ndarray

PART = 2.5
"""Factor of the margin for what a part of the trials gives: accuracy in a fifth of the RTs, and how
slow errors are.
"""
SKEWNESS_OF_SD = 6.0
"""Where skewness is larger by d, mean and median are further apart by d / 6 of the SD, to first
order (Cornish & Fisher 1938).
"""
OF_PART = (Kind.ACCURACY, Kind.ERROR_RT)


@dataclass(frozen=True)
class Margins:
    """How large a difference has to be before it matters.

    Attributes:
        ms: of RTs and of the congruency effect, in ms. 2.5 times as much for how slow errors are.
        errors: of shares of errors, fast answers and omissions, in percentage points. 2.5 times as
            much for the accuracy of a fifth of the RTs.
        sd: of the SD of RT, as a share of the predicted SD. Also of quantiles and means of RT,
            where that is more than ``ms``; skewness has six times this margin.
        moves: of the mean of a parameter under another variant of the model, in posterior SDs of a
            person.

    Raises:
        ValueError: unless all are positive numbers.
    """

    ms: float = 10.0
    errors: float = 2.0
    sd: float = 0.1
    moves: float = 0.5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value > 0.0):
                raise ValueError(
                    f"Expected a positive number for the margin {name!r}; got {value!r}. Leave it"
                    " out for the usual one."
                )

    def of(self, statistic: Statistic, predicted_sd: float) -> float:
        """The margin of a statistic, in the unit of its size.

        Args:
            statistic: one of the panel.
            predicted_sd: of RT in its condition, in ms; NaN where it is of no single condition.
        """
        part = PART if statistic.kind in OF_PART else 1.0
        if statistic.kind is Kind.SD_RT:
            return 100.0 * self.sd
        if statistic.kind is Kind.SKEWNESS:
            return SKEWNESS_OF_SD * self.sd
        if statistic.unit == "%":
            return part * self.errors
        return float(np.fmax(part * self.ms, _of_spread(statistic, predicted_sd) * self.sd))


def _of_spread(statistic: Statistic, predicted_sd: float) -> float:
    """The SD of RT for quantiles and means of RT, which count in shares of it too; 0 for others."""
    return predicted_sd if statistic.kind in (Kind.RT_QUANTILE, Kind.MEAN_RT) else 0.0


@dataclass(frozen=True)
class Misfit:
    """One statistic of the group that differs from its prediction: how much, and does it matter?

    Attributes:
        statistic: which.
        observed: its mean over people, in its own unit.
        predicted: the mean over people of the prediction.
        size: the difference with its sign, in ``unit``; less what replicates of the fitted model
            differ from their own predictions.
        margin: what it is held against, in the same unit.
    """

    statistic: Statistic
    observed: float
    predicted: float
    size: float
    margin: float

    @property
    def name(self) -> str:
        """Of the statistic."""
        return self.statistic.name

    @property
    def unit(self) -> str:
        """Of size and margin: ms, points, % of the SD, ms per 100 ms; empty for skewness."""
        if self.statistic.kind is Kind.SD_RT:
            return "% of the SD"
        return "points" if self.statistic.unit == "%" else self.statistic.unit

    @property
    def relevant(self) -> bool:
        """Whether the size exceeds the margin, or is not known."""
        return not abs(self.size) <= self.margin

    @property
    def shares_of_margin(self) -> float:
        """The size without its sign, in margins."""
        return abs(self.size) / self.margin

    @property
    def size_in_words(self) -> str:
        """The size with its sign, without its unit."""
        return _number(self.size, signed=True)

    @property
    def words(self) -> str:
        """The size against the margin."""
        size = f"{self.size_in_words} {self.unit}".rstrip()
        return f"{size} against a margin of {_number(self.margin)}"

    @property
    def sentence(self) -> str:
        """The size against the margin, and whether it matters."""
        return f"Size: {self.words}, {'relevant' if self.relevant else 'not relevant'}."

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "statistic": self.name,
            "observed": self.observed,
            "predicted": self.predicted,
            "size": self.size,
            "margin": self.margin,
            "unit": self.unit,
            "relevant": self.relevant,
        }


def _number(value: float, *, signed: bool = False) -> str:
    """Two significant digits, and all digits before the point, with a typographic minus sign."""
    if np.isnan(value):
        return "unknown"
    digits = 0 if abs(value) >= 9.95 else 1 if abs(value) >= 0.95 else 2
    return f"{round(value, digits) + 0.0:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def misfits_of(
    panel: Panel, margins: Margins, person: int | None = None, *, level: float = LEVEL
) -> tuple[Misfit, ...]:
    """The statistics in which the group fails, or one person, with their sizes, the worst first."""
    sized = {misfit.name: misfit for misfit in all_sizes(panel, margins, person)}
    return tuple(sized[name] for name in panel.failing(person, level=level))


def still_failing(failing: Sequence[Misfit], panel: Panel, margins: Margins) -> tuple[Misfit, ...]:
    """What fails under another prior as well, with its sizes there.

    Beside what fails in the panel under that prior these are statistics that were relevant before,
    and still are as large as matters there: that they cannot be told from chance any more does not
    mean that the prior explains them.

    Args:
        failing: what fails under the prior in use.
        panel: under the other prior.
        margins: how large a difference has to be before it matters.
    """
    found = misfits_of(panel, margins)
    names, relevant = {m.name for m in found}, {m.name for m in relevant_among(failing)}
    there = {misfit.name: misfit for misfit in all_sizes(panel, margins)}
    large = [there[m.name] for m in failing if m.name in relevant - names]
    return (*found, *relevant_among(large))


def all_sizes(panel: Panel, margins: Margins, person: int | None = None) -> tuple[Misfit, ...]:
    """Every statistic of the group, or of one person, with its size and margin."""
    who = slice(None) if person is None else [person]
    values = (panel.observed[who], panel.predicted[who], panel.usual[who])
    return sizes_of(panel.statistics, *values, margins)


def sizes_of(
    statistics: tuple[Statistic, ...],
    observed: Float[Array, "person statistic"],
    predicted: Float[Array, "person statistic"],
    usual: Float[Array, "person statistic"],
    margins: Margins,
) -> tuple[Misfit, ...]:
    """Every statistic with the size of the group's misfit, and its margin.

    A size is the mean over people who have the statistic and its prediction.

    Args:
        statistics: of the panel.
        observed: statistics of the people.
        predicted: what a model predicts for them.
        usual: by how much replicates of the fitted model differ from their own predictions.
        margins: how large a difference has to be before it matters.
    """
    everything = np.stack([observed, predicted, observed - predicted - np.nan_to_num(usual)])
    means = nan_mean(np.where(np.isnan(everything[2]), np.nan, everything), 1)  # (3, statistic)
    return tuple(
        _sized(statistic, means[:, i], _predicted_sd(statistics, statistic, means[1]), margins)
        for i, statistic in enumerate(statistics)
    )


def _sized(statistic: Statistic, means: Array, predicted_sd: float, margins: Margins) -> Misfit:
    """One statistic, from the means over people of data, prediction and difference."""
    observed, predicted, difference = map(float, means)
    if statistic.kind is Kind.SD_RT:
        difference = 100.0 * difference / predicted if predicted != 0.0 else float("inf")
    margin = margins.of(statistic, predicted_sd)
    return Misfit(statistic, observed, predicted, difference, margin)


def _predicted_sd(
    statistics: tuple[Statistic, ...], statistic: Statistic, predicted: Float[Array, " statistic"]
) -> float:
    """The predicted SD of RT in the condition of a statistic; NaN where it has none."""
    if statistic.condition is None:
        return float("nan")
    return float(predicted[position_of(statistics, Kind.SD_RT, statistic.condition)])


def relevant_among(misfits: Sequence[Misfit]) -> tuple[Misfit, ...]:
    """Those whose size exceeds their margin."""
    return tuple(misfit for misfit in misfits if misfit.relevant)


def table_of(panel: Panel, margins: Margins) -> pd.DataFrame:
    """The group's table of the panel, with what matters.

    Columns are those of `Panel.table`, and size, size_unit, margin, relevant (fails, and by more
    than its margin).
    """
    frame, sizes, failing = panel.table(), all_sizes(panel, margins), panel.failing()
    frame["size"] = [misfit.size for misfit in sizes]
    frame["size_unit"] = [misfit.unit for misfit in sizes]
    frame["margin"] = [misfit.margin for misfit in sizes]
    frame["relevant"] = [misfit.relevant and misfit.name in failing for misfit in sizes]
    return frame


def sentences_of(panel: Panel, margins: Margins) -> tuple[str, ...]:
    """What the panel says of the group, each failing statistic with its size."""
    first, *others = str(panel).splitlines()
    misfits = misfits_of(panel, margins)
    sized = [
        f"{sentence} {misfit.sentence}"
        for sentence, misfit in zip(panel.sentences(), misfits, strict=True)
    ]
    return (_with_relevant(first, misfits), *sized, *others[len(sized) :])


def _with_relevant(sentence: str, misfits: tuple[Misfit, ...]) -> str:
    """The panel's first sentence, with how many of the failing statistics matter."""
    if not misfits:
        return sentence
    n = len(relevant_among(misfits))
    return f"{sentence.removesuffix('.')}, relevantly in {n or 'none'}."

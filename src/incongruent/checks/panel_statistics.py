"""The statistics of the predictive panel as records: kind, condition, probability, unit and words.

`panel_values` computes them for all data sets at once, `panel_noise` says how much their sampling
noise differs between data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from incongruent.checks.statistics import N_BINS, PROBABILITIES
from incongruent.data.trials import CONDITION, CONFLICT_TASK, Trials

FAST = 250.0
"""Answers before this RT, in ms, are fast ones."""
BIN_WORDS = ("fastest", "second fastest", "middle", "second slowest", "slowest")
DIGITS = {"ms": 0, "%": 1, "ms per 100 ms": 1}
"""Decimal places by unit; two for a pure number."""


class Kind(Enum):
    """What a statistic measures."""

    RT_QUANTILE = "RT quantile of correct answers"
    MEAN_RT = "mean RT of correct answers"
    SD_RT = "SD of RT of correct answers"
    SKEWNESS = "skewness of RT of correct answers"
    ERRORS = "share of errors"
    ERROR_RT = "mean RT of errors minus that of correct answers"
    ACCURACY = "accuracy in a bin of RT"
    DELTA = "congruency effect at a quantile"
    DELTA_SLOPE = "slope of the delta function at slow responses"
    FAST = "share of fast answers"
    OMISSIONS = "share of trials without an answer"


HEADINGS = {Kind.DELTA: "delta function", Kind.DELTA_SLOPE: "delta function"}
"""Headings of statistics that are of no single condition; "all trials" for the others."""


@dataclass(frozen=True)
class Statistic:
    """One statistic of a data set.

    Attributes:
        kind: what it measures.
        label: its short name, without the condition.
        unit: "ms", "%", "ms per 100 ms", or "" for a pure number.
        words: what it is, as the subject of a sentence.
        condition: whose trials it is computed from; None where it is of no single condition.
        probability: of a quantile; None for other kinds.
        rt_bin: the bin of RT, from 0, of an accuracy; None for other kinds.
    """

    kind: Kind
    label: str
    unit: str
    words: str
    condition: str | None = None
    probability: float | None = None
    rt_bin: int | None = None

    @property
    def name(self) -> str:
        """The short name, with the condition."""
        return self.label if self.condition is None else f"{self.label}, {self.condition}"

    @property
    def group(self) -> str:
        """The heading it stands under: a condition, "delta function" or "all trials"."""
        return self.condition or HEADINGS.get(self.kind, "all trials")

    def number(self, value: float) -> str:
        """A value without its unit; "none" for NaN."""
        return "none" if np.isnan(value) else _with_minus_sign(value, DIGITS.get(self.unit, 2))

    def shown(self, value: float) -> str:
        """A value with its unit; "none" for NaN."""
        number = self.number(value)
        return number if np.isnan(value) else f"{number} {self.unit}".rstrip()


def _with_minus_sign(value: float, digits: int) -> str:
    """A number with so many decimal places, and a typographic minus sign."""
    rounded = round(value, digits) + 0.0  # + 0.0 so that −0 becomes 0
    return f"{rounded:.{digits}f}".replace("-", "−")


def statistics_for(study: Trials) -> tuple[Statistic, ...]:
    """The statistics that a study of a conflict task has.

    Fifteen for each condition, six of the delta function where there are congruent and incongruent
    trials, the share of fast answers, and omissions where some trial has no answer.

    Raises:
        ValueError: when the trials are not those of a conflict task.
    """
    _check_columns(study)
    levels = levels_in(study)
    found = [statistic for level in levels for statistic in _of_condition(level)]
    if has_delta(levels):
        found += _of_delta_function()
    found.append(_fast_answers())
    if _has_omissions(study):
        found.append(_omissions())
    return tuple(found)


def _check_columns(study: Trials) -> None:
    """Refuse trials that are not those of a conflict task."""
    if set(study.columns) != set(CONFLICT_TASK):
        raise ValueError(
            "Expected trials of a conflict task, with condition, response and rt; got"
            f" {[c.name for c in study.columns]}."
        )


def _has_omissions(study: Trials) -> bool:
    """Whether some trial has no answer."""
    return bool((study.present & ~study.answered).any())


def levels_in(study: Trials) -> tuple[str, ...]:
    """The conditions that occur, in their own order."""
    return tuple(level for level in CONDITION.levels if study.where(CONDITION.name, level).any())


def has_delta(levels: tuple[str, ...]) -> bool:
    """Whether conditions have a delta function: congruent and incongruent are among them."""
    return {"congruent", "incongruent"} <= set(levels)


def position_of(statistics: tuple[Statistic, ...], kind: Kind, condition: str | None = None) -> int:
    """The first position of a statistic of a kind and condition.

    Raises:
        ValueError: when there is none.
    """
    return [(s.kind, s.condition) for s in statistics].index((kind, condition))


def _of_condition(level: str) -> list[Statistic]:
    """The fifteen statistics of one condition, in the order in which they are computed."""
    return [*_quantiles(level), *_moments_and_errors(level), *_accuracies(level)]


def _quantiles(level: str) -> list[Statistic]:
    """The quantiles of correct RTs in one condition."""
    return [
        Statistic(
            Kind.RT_QUANTILE,
            f"RT quantile 0.{10 * p:.0f}",
            "ms",
            f"the {100 * p:.0f} % quantile of correct RTs in {level} trials",
            level,
            probability=p,
        )
        for p in PROBABILITIES
    ]


def _moments_and_errors(level: str) -> list[Statistic]:
    """Moments of correct RTs, the share of errors, and how slow errors are, in one condition."""
    rows = (
        (Kind.MEAN_RT, "mean RT", "ms", "the mean correct RT"),
        (Kind.SD_RT, "SD of RT", "ms", "the standard deviation of correct RTs"),
        (Kind.SKEWNESS, "skewness of RT", "", "the skewness of correct RTs"),
        (Kind.ERRORS, "errors", "%", "the share of errors"),
        (
            Kind.ERROR_RT,
            "error − correct RT",
            "ms",
            "the mean RT of errors minus that of correct answers",
        ),
    )
    return [
        Statistic(kind, label, unit, f"{words} in {level} trials", level)
        for kind, label, unit, words in rows
    ]


def _accuracies(level: str) -> list[Statistic]:
    """The conditional accuracy function of one condition, from fast to slow answers."""
    return [
        Statistic(
            Kind.ACCURACY,
            f"accuracy, RT bin {k + 1}",
            "%",
            f"the accuracy of the {BIN_WORDS[k]} fifth of answers in {level} trials",
            level,
            rt_bin=k,
        )
        for k in range(N_BINS)
    ]


def _of_delta_function() -> list[Statistic]:
    """The congruency effect at each quantile, and the last slope of the delta function."""
    slope = Statistic(
        Kind.DELTA_SLOPE,
        "delta, last slope",
        "ms per 100 ms",
        "the slope of the delta function at slow responses",
    )
    return [*(_effect_at(p) for p in PROBABILITIES), slope]


def _effect_at(p: float) -> Statistic:
    """The congruency effect at one quantile."""
    return Statistic(
        Kind.DELTA,
        f"delta at 0.{10 * p:.0f}",
        "ms",
        f"the congruency effect (incongruent − congruent RT) at the {100 * p:.0f} % quantile",
        probability=p,
    )


def _fast_answers() -> Statistic:
    words = f"the share of answers faster than {FAST:.0f} ms"
    return Statistic(Kind.FAST, f"RT < {FAST:.0f} ms", "%", words)


def _omissions() -> Statistic:
    return Statistic(Kind.OMISSIONS, "omissions", "%", "the share of trials without an answer")

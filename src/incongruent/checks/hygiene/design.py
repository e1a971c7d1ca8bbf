"""Findings about the design: are units people, and is there a conflict at all?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from incongruent.checks import statistics
from incongruent.checks.hygiene.findings import Finding, Severity
from incongruent.checks.hygiene.pooling import FEWEST_UNITS, Pooling, pooling_of
from incongruent.data.trials import Trials

Array = np.ndarray

NO_CONFLICT_MS, NO_CONFLICT_ERRORS = 10.0, 0.05
"""A congruency effect that is surely smaller than both of these, in RT and in errors, is next to
none.
"""


def units(study: Trials, level: float, seed: int) -> Finding:
    """Are the data sets people, or random batches of pooled trials?"""
    pooling = pooling_of(study, seed=seed)
    severity, sentence = _judged(pooling, level)
    return Finding("units", severity, sentence, _numbers_of(pooling), pooling.p_batches)


def _numbers_of(pooling: Pooling) -> dict[str, float]:
    return {
        "units": float(pooling.n_units),
        "share of the variance of log RT between units": pooling.between,
        **_variance_ratios(pooling),
    }


def _variance_ratios(pooling: Pooling) -> dict[str, float]:
    ratios = zip(pooling.ratios["statistic"], pooling.ratios["ratio"], strict=True)
    return {f"variance ratio, {name}": float(value) for name, value in ratios}


def _judged(pooling: Pooling, level: float) -> tuple[Severity, str]:
    """How much it matters, and a sentence."""
    if not pooling.powerful and not _surely_differ(pooling, level):
        return Severity.UNKNOWN, _units_unknown(pooling.n_units)
    if pooling.batches:
        return Severity.WARNING, _units_are_batches(pooling)
    return Severity.FINE, (
        f"The {pooling.n_units} data sets differ as people do: {pooling.between:.0%} of the"
        " variance of log RT lies between them."
    )


def _surely_differ(pooling: Pooling, level: float) -> bool:
    """Whether units differ more than batches, however little could have been found."""
    return pooling.n_units >= FEWEST_UNITS and pooling.p_batches < level


def _units_unknown(n: int) -> str:
    return (
        f"Whether these {n} data sets are people or random batches of pooled"
        f" trials cannot be determined: it takes {FEWEST_UNITS} or more with enough trials each."
        " Make sure that a data set is one person (in one session)."
    )


def _units_are_batches(pooling: Pooling) -> str:
    return (
        f"The {pooling.n_units} data sets differ from each other no more than random samples of"
        f" one pool of trials do ({max(pooling.between, 0.0):.1%} of the variance of log RT"
        " lies between them; between people it is 5 to 50 %). If trials of several people were"
        " pooled and cut into batches, each batch is a mixture that no parameters of one"
        " person produce, and every check will call the model too extreme for the data. Make"
        " every data set one person (in one session): read_trials(…, by=…)."
    )


@dataclass(frozen=True)
class _Effect:
    """The mean over people of an effect, and half the width of its 95 % confidence interval."""

    mean: float
    half: float

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.mean + self.half


def congruency_effect(study: Trials) -> Finding:
    """Is there a conflict at all? Means over people of the effects in RT and in errors."""
    rt, errors = _effects_of_people(study)
    n = len(rt)
    if n < FEWEST_UNITS:
        sentence = (
            f"Whether there is a congruency effect cannot be determined: {n} people have correct"
            " answers in both conditions."
        )
        return Finding("congruency effect", Severity.UNKNOWN, sentence, {"people": float(n)})
    ms, share = _effect_of(rt), _effect_of(errors)
    numbers = _numbers_of_effects(n, ms, share)
    return Finding("congruency effect", *_conflict(ms, share), numbers)


def _effects_of_people(study: Trials) -> tuple[Array, Array]:
    """The effects in RT and in errors of people who have both, each (person,)."""
    rt = statistics.mean_rt(study, "incongruent") - statistics.mean_rt(study, "congruent")
    errors = statistics.error_share(study, "incongruent") - statistics.error_share(
        study, "congruent"
    )
    both = np.isfinite(rt) & np.isfinite(errors)
    return rt[both], errors[both]


def _numbers_of_effects(n_people: int, ms: _Effect, share: _Effect) -> dict[str, float]:
    """The numbers on which the finding rests; those of errors in percent."""
    return {
        "people": float(n_people),
        "effect (ms)": ms.mean,
        "± (ms)": ms.half,
        "effect (errors, %)": 100 * share.mean,
        "± (errors, %)": 100 * share.half,
    }


def _effect_of(values: Array) -> _Effect:
    """The mean of the effects of people, (person,), and how exactly it is known."""
    return _Effect(float(values.mean()), float(_half_of_interval(values)))


def _half_of_interval(values: Array) -> float:
    """Half the width of the 95 % confidence interval of the mean."""
    n = len(values)
    return stats.t(n - 1).ppf(0.975) / np.sqrt(n) * values.std(ddof=1)


def _conflict(ms: _Effect, share: _Effect) -> tuple[Severity, str]:
    """How much the effects in RT (ms) and in the share of errors matter, and a sentence."""
    size = _words_of_size(ms, share)
    if ms.high < 0 and share.mean <= 0:
        return Severity.WARNING, (
            f"Congruent trials are slower than incongruent ones ({size}), and not more accurate."
            " Are the codes of the condition the right way round? See read_trials(…, coding=…)."
        )
    if ms.high < NO_CONFLICT_MS and share.high < NO_CONFLICT_ERRORS:
        return Severity.WARNING, (
            f"There is hardly a congruency effect in RT ({size}). Without a conflict the automatic"
            " activation A is near 0 and its time scale tau cannot be estimated; do not interpret"
            " them, nor differences of them. Is the condition coded rightly, and does the task have"
            " a conflict?"
        )
    return Severity.FINE, f"The congruency effect is {size}."


def _words_of_size(ms: _Effect, share: _Effect) -> str:
    """How large the effects in RT and in errors are, with their intervals."""
    return (
        f"{ms.mean:+.0f} ± {ms.half:.0f} ms, {100 * share.mean:+.1f} ± {100 * share.half:.1f} % of"
        " errors"
    )

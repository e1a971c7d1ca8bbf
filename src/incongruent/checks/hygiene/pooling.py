r"""Are the units of a study people, or random batches of trials of many people?

Batches of a pooled data set differ by sampling alone: the variance between units of any statistic
is its sampling variance. People differ more. The decision rests on log RT, with the conditions'
means taken off: with k units of about n trials, F = variance between / expected from within is
distributed as F(k - 1, N - k) when units are batches, and about (1 + n rho / (1 - rho)) times that
when a share rho of the variance lies between people. People in published studies have rho of 0.15
and more. Units are called batches when F is smaller than people with rho = 0.05 would give in one
study of a hundred, and nothing else sets them apart; that is the rate of false alarms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from incongruent.checks.panel_statistics import Kind, Statistic, statistics_for
from incongruent.checks.panel_values import panel_values
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import CONDITION, Trials

Array = np.ndarray

FEWEST_UNITS = 5
LEAST_BETWEEN = 0.05
"""Share of the variance of log RT between people that any study of people exceeds."""
FALSE_ALARMS = 0.01
N_BOOTSTRAP = 50
SHOWN = (Kind.MEAN_RT, Kind.SD_RT, Kind.ERRORS)
"""Statistics whose variance ratios are shown, besides the median."""


@dataclass(frozen=True, eq=False)
class Pooling:
    """How much the units of a study differ.

    Attributes:
        n_units: with at least two answers.
        between: share of the variance of log RT that lies between units (intraclass correlation);
            below 0 by chance when there is none.
        p_batches: probability of so much difference, or more, between random batches.
        p_people: probability of so little difference, or less, between people with 5 % of the
            variance between them.
        power: probability that batches of this size would be distinguished from such people.
        ratios: statistic, ratio of its variance between units to its bootstrap sampling variance.
    """

    n_units: int
    between: float
    p_batches: float
    p_people: float
    power: float
    ratios: pd.DataFrame

    @property
    def powerful(self) -> bool:
        """Whether there is enough to distinguish batches from people."""
        return self.n_units >= FEWEST_UNITS and self.power >= 0.5

    @property
    def batches(self) -> bool:
        """Whether the units look like random batches."""
        return (
            self.n_units >= FEWEST_UNITS
            and self.p_people < FALSE_ALARMS
            and self.p_batches > FALSE_ALARMS
        )


def pooling_of(study: Trials, *, seed: int) -> Pooling:
    """Compare the differences between units with those within.

    Args:
        study: one data set a unit.
        seed: of the bootstrap behind ``ratios``; the decision does not depend on it.
    """
    unit, y = _centred_log_rt(study)
    n = np.bincount(unit, minlength=len(study)).astype(float)
    n_units = int((n > 1).sum())
    if n_units < 2:
        return _nothing_to_compare(n_units)
    ratio, size = _variance_ratio(unit, y, n)
    least = _least_ratio_of_people(size)
    f = stats.f(n_units - 1, float(n[n > 1].sum()) - n_units)
    return Pooling(
        n_units=n_units,
        between=float((ratio - 1.0) / (ratio - 1.0 + size)),
        p_batches=float(f.sf(ratio)),
        p_people=float(f.cdf(ratio / least)),
        power=float(f.cdf(least * f.ppf(FALSE_ALARMS))),
        ratios=_ratios(study, seed),
    )


def _nothing_to_compare(n_units: int) -> Pooling:
    """The result where there are fewer than two units."""
    nothing = pd.DataFrame({"statistic": [], "ratio": []})
    return Pooling(n_units, np.nan, np.nan, np.nan, 0.0, nothing)


def _least_ratio_of_people(size: float) -> float:
    """The expected F of units of a size that are people who differ as little as people can."""
    return 1.0 + size * LEAST_BETWEEN / (1.0 - LEAST_BETWEEN)


def _centred_log_rt(study: Trials) -> tuple[Array, Array]:
    """The unit and the log RT of each answer, the conditions' means taken off; both (answer,)."""
    unit, trial = np.nonzero(study.answered)
    y = _log_of(study.values["rt"][unit, trial])
    condition = study.values[CONDITION.name][unit, trial]
    for level in np.unique(condition):
        y[condition == level] -= y[condition == level].mean()
    return unit, y


def _log_of(rt: Array) -> Array:
    """Log RT; that of an RT of 0 is finite."""
    return np.log(np.maximum(rt.astype(float), 1e-3))


def _variance_ratio(unit: Array, y: Array, n: Array) -> tuple[float, float]:
    """F, the variance between units over that within, and the size of a unit.

    Units have n answers, (unit,), and those with fewer than two are left out. The size is that of
    units of equal sizes which would give as much power.
    """
    used = n > 1
    n_units, total = int(used.sum()), float(n[used].sum())
    mean = np.bincount(unit, y, minlength=len(n)) / np.maximum(n, 1)
    within = ((y - mean[unit]) ** 2)[n[unit] > 1].sum() / (total - n_units)
    centre = (n * mean)[used].sum() / total
    ratio = float((n * (mean - centre) ** 2)[used].sum() / (n_units - 1) / within)
    return ratio, _typical_size(n[used])


def _typical_size(n: Array) -> float:
    """The size of units of equal sizes that give as much power as units of n answers, (unit,)."""
    total = float(n.sum())
    return (total - (n**2).sum() / total) / (len(n) - 1)


def _ratios(study: Trials, seed: int) -> pd.DataFrame:
    """The variance ratios of median, mean, spread and errors.

    They are the variance between units over the mean variance of bootstrap samples of their trials.
    """
    rng, known = stream(seed, Purpose.POOLING), statistics_for(study)
    shown = [i for i, statistic in enumerate(known) if _is_shown(statistic)]
    observed = panel_values(study, known)[:, shown]
    samples = np.stack(
        [panel_values(_resampled(study, rng), known)[:, shown] for _ in range(N_BOOTSTRAP)]
    )
    ratio = [_ratio(observed[:, j], samples[:, :, j]) for j in range(len(shown))]
    return pd.DataFrame({"statistic": [known[i].name for i in shown], "ratio": ratio})


def _is_shown(statistic: Statistic) -> bool:
    is_median = statistic.kind is Kind.RT_QUANTILE and statistic.probability == 0.5
    return is_median or statistic.kind in SHOWN


def _ratio(observed: Array, samples: Array) -> float:
    """The variance of a statistic between units over that of bootstrap samples (sample, unit)."""
    defined = np.isfinite(observed) & np.isfinite(samples).all(axis=0)
    if defined.sum() < 2:
        return np.nan
    sampling = _sampling_variance(samples[:, defined])
    return observed[defined].var(ddof=1) / sampling if sampling > 0 else np.nan


def _sampling_variance(samples: Array) -> float:
    """The mean over units of the variance of bootstrap samples (sample, unit)."""
    return samples.var(axis=0, ddof=1).mean()


def _resampled(study: Trials, rng: np.random.Generator) -> Trials:
    """A bootstrap sample: as many trials of every unit, drawn from its own with replacement."""
    place = _drawn_places(study, rng)
    values = {name: _at(array, place) for name, array in study.values.items()}
    present = np.arange(study.present.shape[1]) < study.n_trials[:, None]
    return replace(
        study, values=values, present=present, answered=_at(study.answered, place) & present
    )


def _drawn_places(study: Trials, rng: np.random.Generator) -> Array:
    """Positions of trials drawn from each unit's own, with replacement, (unit, trial)."""
    n = study.n_trials[:, None]
    trials_first = np.argsort(~study.present, axis=1, kind="stable")  # absent ones after them
    drawn = (rng.random(study.present.shape) * n).astype(int)
    return _at(trials_first, np.minimum(drawn, np.maximum(n - 1, 0)))


def _at(values: Array, places: Array) -> Array:
    """Values (unit, trial) at places (unit, trial)."""
    return np.take_along_axis(values, places, axis=1)

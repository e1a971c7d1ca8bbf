r"""Are the units of a study people, or random batches of trials of many people?

Batches of a pooled data set differ by sampling alone: the variance between units of any statistic
is its sampling variance. People differ more. The decision rests on log RT, with the conditions'
means taken off: with k units of about n trials, F = variance between / expected from within is
distributed as F(k - 1, N - k) when units are batches, and about (1 + n rho / (1 - rho)) times that
when a share rho of the variance lies between people. People in published studies have rho of .15
and more. Units are called batches when F is smaller than people with rho = .05 would give in one
study of a hundred, and nothing else sets them apart; that is the rate of false alarms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from incongruent.checks.panel_statistics import panel_values, statistics_for
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import CONDITION, Trials

Array = np.ndarray

FEWEST_UNITS = 5
LEAST_BETWEEN = 0.05
"""Share of the variance of log RT between people that any study of people exceeds."""
FALSE_ALARMS = 0.01
N_BOOTSTRAP = 50


@dataclass(frozen=True, eq=False)
class Pooling:
    """How much units differ.

    Attributes:
        n_units: with at least two answers.
        between: share of the variance of log RT that lies between units (intraclass correlation);
            below 0 by chance when there is none.
        p_batches: probability of so much difference, or more, between random batches.
        p_people: probability of so little difference, or less, between people with 5 % of the
            variance between them.
        power: probability that batches of this size would be told from such people.
        ratios: statistic, ratio of its variance between units to its bootstrap sampling variance.
    """

    n_units: int
    between: float
    p_batches: float
    p_people: float
    power: float
    ratios: pd.DataFrame

    @property
    def told(self) -> bool:
        """Whether there is enough to tell batches from people."""
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
    unit, trial = np.nonzero(study.answered)
    y = np.log(np.maximum(study.values["rt"][unit, trial].astype(float), 1e-3))
    condition = study.values[CONDITION.name][unit, trial]
    for level in np.unique(condition):
        y[condition == level] -= y[condition == level].mean()
    n = np.bincount(unit, minlength=len(study)).astype(float)
    k, total = int((n > 1).sum()), float(n[n > 1].sum())
    if k < 2:
        return Pooling(k, np.nan, np.nan, np.nan, 0.0, pd.DataFrame({"statistic": [], "ratio": []}))
    mean = np.bincount(unit, y, minlength=len(study)) / np.maximum(n, 1)
    within = ((y - mean[unit]) ** 2)[n[unit] > 1].sum() / (total - k)
    used = n > 1
    centre = (n * mean)[used].sum() / total
    ratio = float((n * (mean - centre) ** 2)[used].sum() / (k - 1) / within)
    size = (total - (n[used] ** 2).sum() / total) / (k - 1)
    least = 1.0 + size * LEAST_BETWEEN / (1.0 - LEAST_BETWEEN)
    f = stats.f(k - 1, total - k)
    between = float((ratio - 1.0) / (ratio - 1.0 + size))
    power = float(f.cdf(least * f.ppf(FALSE_ALARMS)))
    return Pooling(
        k, between, float(f.sf(ratio)), float(f.cdf(ratio / least)), power, _ratios(study, seed)
    )


def _ratios(study: Trials, seed: int) -> pd.DataFrame:
    """Variance between units of mean, spread and errors over the mean variance of bootstrap samples
    of their trials.
    """
    rng, known = stream(seed, Purpose.POOLING), statistics_for(study)
    kept = [
        i
        for i, s in enumerate(known)
        if s.name.startswith(("RT quantile .5", "mean RT", "SD of RT", "errors"))
    ]
    observed = panel_values(study, known)[:, kept]
    samples = np.stack(
        [panel_values(_resampled(study, rng), known)[:, kept] for _ in range(N_BOOTSTRAP)]
    )
    ratio = []
    for j in range(len(kept)):
        fine = np.isfinite(observed[:, j]) & np.isfinite(samples[:, :, j]).all(axis=0)
        sampling = samples[:, fine, j].var(axis=0, ddof=1).mean() if fine.any() else 0.0
        ratio.append(
            observed[fine, j].var(ddof=1) / sampling if fine.sum() > 1 and sampling > 0 else np.nan
        )
    return pd.DataFrame({"statistic": [known[i].name for i in kept], "ratio": ratio})


def _resampled(study: Trials, rng: np.random.Generator) -> Trials:
    """As many trials of every unit, drawn from its own with replacement."""
    n = study.n_trials
    front = np.argsort(
        ~study.present, axis=1, kind="stable"
    )  # places of the trials, before those of absent ones
    drawn = np.minimum(
        (rng.random(study.present.shape) * n[:, None]).astype(int), np.maximum(n - 1, 0)[:, None]
    )
    place = np.take_along_axis(front, drawn, 1)
    values = {name: np.take_along_axis(array, place, 1) for name, array in study.values.items()}
    present = np.arange(study.present.shape[1]) < n[:, None]
    return replace(
        study,
        values=values,
        present=present,
        answered=np.take_along_axis(study.answered, place, 1) & present,
    )

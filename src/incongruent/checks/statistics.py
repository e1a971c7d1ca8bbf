"""Statistics of conflict tasks, for all data sets of a `Trials` at once.

Every function returns NaN where a data set has no trials of the kind.
"""

from __future__ import annotations

import numpy as np

from incongruent.data.trials import CONDITION, RESPONSE, Trials
from incongruent.posterior.statistics import quantiles_of

Array = np.ndarray

PROBABILITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
N_BINS = 5


def error_share(trials: Trials, level: str) -> Array:
    """Share of errors among the answers of a condition, (dataset,)."""
    here = trials.where(CONDITION.name, level) & trials.answered
    return _ratio((here & trials.where(RESPONSE.name, "error")).sum(axis=1), here.sum(axis=1))


def rt_quantiles(
    trials: Trials,
    level: str,
    probabilities: tuple[float, ...] = PROBABILITIES,
    response: str = "correct",
) -> Array:
    """Quantiles of the RT of one response in one condition, (dataset, quantile); linear between
    order statistics.
    """
    here = trials.where(CONDITION.name, level) & trials.where(RESPONSE.name, response)
    return quantiles_of(trials.values["rt"], here, probabilities)


def mean_rt(trials: Trials, level: str, response: str = "correct") -> Array:
    """Mean RT of one response in one condition, (dataset,)."""
    here = trials.where(CONDITION.name, level) & trials.where(RESPONSE.name, response)
    return _ratio(
        np.where(here, trials.values["rt"], 0.0).sum(axis=1, dtype=float), here.sum(axis=1)
    )


def conditional_accuracy(trials: Trials, level: str, n_bins: int = N_BINS) -> Array:
    """Conditional accuracy function: the share of correct answers in bins of equally many trials
    from fast to slow, (dataset, bin).
    """
    here = trials.where(CONDITION.name, level) & trials.answered
    n = here.sum(axis=1)
    order = np.argsort(np.where(here, trials.values["rt"], np.inf), axis=1, kind="stable")
    correct = np.take_along_axis(trials.where(RESPONSE.name, "correct") & here, order, 1)
    rank = np.arange(order.shape[1])[None, :]
    bins = np.where(
        rank < n[:, None], rank * n_bins // np.maximum(n, 1)[:, None], -1
    )  # (dataset, rank)
    return np.stack(
        [
            _ratio((correct & (bins == k)).sum(axis=1), (bins == k).sum(axis=1))
            for k in range(n_bins)
        ],
        axis=1,
    )


def delta_function(
    trials: Trials, probabilities: tuple[float, ...] = PROBABILITIES
) -> tuple[Array, Array]:
    """Delta function: incongruent minus congruent RT quantiles of correct answers against their
    mean; both (dataset, quantile).
    """
    slow, fast = (
        rt_quantiles(trials, "incongruent", probabilities),
        rt_quantiles(trials, "congruent", probabilities),
    )
    return 0.5 * (slow + fast), slow - fast


def _ratio(part: Array, whole: Array) -> Array:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)

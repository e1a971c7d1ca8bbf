"""Statistics of conflict tasks, for all data sets of a `Trials` at once.

Every function returns NaN where a data set has no trials of the kind.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from incongruent.data.trials import CONDITION, RESPONSE, Trials
from incongruent.posterior.statistics import quantiles_of

Array = np.ndarray

PROBABILITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
N_BINS = 5


def error_share(trials: Trials, level: str) -> Float[Array, " dataset"]:
    """The share of errors among the answers of a condition, (dataset,)."""
    here = trials.where(CONDITION.name, level) & trials.answered
    return _share_of(here & trials.where(RESPONSE.name, "error"), here)


def rt_quantiles(
    trials: Trials,
    level: str,
    probabilities: tuple[float, ...] = PROBABILITIES,
    response: str = "correct",
) -> Float[Array, "dataset quantile"]:
    """Quantiles of the RT of one response in one condition, (dataset, quantile).

    They are linear between order statistics.
    """
    here = _answers_of(trials, level, response)
    return quantiles_of(trials.values["rt"], here, probabilities)


def mean_rt(trials: Trials, level: str, response: str = "correct") -> Float[Array, " dataset"]:
    """The mean RT of one response in one condition, (dataset,)."""
    here = _answers_of(trials, level, response)
    total = np.where(here, trials.values["rt"], 0.0).sum(axis=1, dtype=float)
    return _ratio(total, here.sum(axis=1))


def conditional_accuracy(
    trials: Trials, level: str, n_bins: int = N_BINS
) -> Float[Array, "dataset bin"]:
    """The conditional accuracy function of one condition, (dataset, bin).

    It is the share of correct answers in bins of equally many trials from fast to slow.
    """
    here = trials.where(CONDITION.name, level) & trials.answered
    order = _from_fast_to_slow(trials.values["rt"], here)
    correct = np.take_along_axis(trials.where(RESPONSE.name, "correct") & here, order, 1)
    bins = _bins_of_ranks(here.sum(axis=1), order.shape[1], n_bins)  # (dataset, rank)
    shares = [_share_of(correct & (bins == k), bins == k) for k in range(n_bins)]
    return np.stack(shares, axis=1)


def _from_fast_to_slow(rt: Array, here: Array) -> Array:
    """Positions of trials by RT, (dataset, rank); those that are not here come last."""
    return np.argsort(np.where(here, rt, np.inf), axis=1, kind="stable")


def _bins_of_ranks(n: Array, n_ranks: int, n_bins: int) -> Array:
    """The RT bin of each rank of n (dataset,) answers, (dataset, rank); −1 beyond the answers."""
    rank = np.arange(n_ranks)[None, :]
    return np.where(rank < n[:, None], rank * n_bins // np.maximum(n, 1)[:, None], -1)


def delta_function(
    trials: Trials, probabilities: tuple[float, ...] = PROBABILITIES
) -> tuple[Float[Array, "dataset quantile"], Float[Array, "dataset quantile"]]:
    """The delta function: its places and its values, each (dataset, quantile).

    The values are incongruent minus congruent RT quantiles of correct answers, the places their
    means.
    """
    slow = rt_quantiles(trials, "incongruent", probabilities)
    fast = rt_quantiles(trials, "congruent", probabilities)
    return 0.5 * (slow + fast), slow - fast


def nan_mean(values: Array, axis: int) -> Array:
    """The mean over an axis of the values that are not NaN; NaN where there are none.

    It is `numpy.nanmean`, guarded: slices without any value are filled before, so that no warning
    is raised for them.
    """
    defined = ~np.isnan(values).all(axis=axis, keepdims=True)
    means = np.nanmean(np.where(defined, values, 0.0), axis=axis, keepdims=True)
    return np.where(defined, means, np.nan).squeeze(axis)


def _share_of(part: Array, of: Array) -> Array:
    """The share of some trials (dataset, trial) among others, (dataset,)."""
    return _ratio(part.sum(axis=1), of.sum(axis=1))


def _answers_of(trials: Trials, level: str, response: str) -> Bool[Array, "dataset trial"]:
    """Which trials of a condition have a response, bool (dataset, trial)."""
    return trials.where(CONDITION.name, level) & trials.where(RESPONSE.name, response)


def _ratio(part: Array, of: Array) -> Float[Array, "*shape"]:
    """The share of a part in numbers of trials, elementwise; NaN where there are none."""
    return np.where(of > 0, part / np.maximum(of, 1), np.nan)

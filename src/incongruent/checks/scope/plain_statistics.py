"""Plain statistics of data sets, on scales on which they are closer to normal."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from incongruent.checks import statistics
from incongruent.data.trials import CONFLICT_TASK, Trials
from incongruent.posterior.statistics import statistics_of

Array = np.ndarray


def plain_statistics(
    trials: Trials, levels: tuple[str, ...]
) -> dict[str, Float[Array, " dataset"]]:
    """Plain statistics of each data set by name, (dataset,), NaN where there is nothing.

    For conflict tasks, by condition: log RT quantiles of correct answers and their log mean, share
    of errors and of errors among the fastest fifth (arcsine of the root), log mean RT of errors.
    For other data the quantiles and shares of `posterior.statistics.statistics_of`.
    """
    if set(trials.columns) != set(CONFLICT_TASK):
        return _statistics_of_other_data(trials, levels)
    return _statistics_of_conflict_task(trials, levels)


def _statistics_of_conflict_task(trials: Trials, levels: tuple[str, ...]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for level in levels:
        found |= _of_condition(trials, level)
    return found


def _statistics_of_other_data(trials: Trials, levels: tuple[str, ...]) -> dict[str, Array]:
    """The statistics of data that are not of a conflict task."""
    return {known.name: values for known, values in statistics_of(trials, levels).items()}


def _of_condition(trials: Trials, level: str) -> dict[str, Float[Array, " dataset"]]:
    return (
        _log_quantiles(trials, level)
        | {f"mean RT, {level}": np.log(statistics.mean_rt(trials, level))}
        | _error_statistics(trials, level)
    )


def _log_quantiles(trials: Trials, level: str) -> dict[str, Float[Array, " dataset"]]:
    """Log RT quantiles of correct answers."""
    quantiles = statistics.rt_quantiles(trials, level).T
    return {
        f"{q:.0%} RT, {level}": np.log(values)
        for q, values in zip(statistics.PROBABILITIES, quantiles, strict=True)
    }


def _error_statistics(trials: Trials, level: str) -> dict[str, Float[Array, " dataset"]]:
    """Shares of errors, in all trials and in the fastest fifth, and their log mean RT."""
    return {
        f"errors, {level}": _arcsine(statistics.error_share(trials, level)),
        f"fast errors, {level}": _arcsine(_share_of_fast_errors(trials, level)),
        f"mean RT of errors, {level}": np.log(statistics.mean_rt(trials, level, "error")),
    }


def _share_of_fast_errors(trials: Trials, level: str) -> Float[Array, " dataset"]:
    """The share of errors among the fastest fifth, (dataset,)."""
    return 1.0 - statistics.conditional_accuracy(trials, level)[:, 0]


def _arcsine(share: Float[Array, " dataset"]) -> Float[Array, " dataset"]:
    """The arcsine of the root, which makes the variance of a share nearly constant."""
    return np.arcsin(np.sqrt(share))


def plain_matrix(trials: Trials, levels: tuple[str, ...]) -> Float[Array, "dataset statistic"]:
    """The values of `plain_statistics` side by side, (dataset, statistic)."""
    return np.stack(list(plain_statistics(trials, levels).values()), axis=1)

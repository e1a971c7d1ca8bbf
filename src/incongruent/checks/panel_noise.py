"""How the sampling noise of the panel's statistics differs between data sets.

Discrepancies of people with few or variable answers are noisier than those of others. In units of
what each fit predicts for this noise they can be compared between data sets.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from incongruent.checks.panel_statistics import Kind, Statistic, position_of

Array = np.ndarray

LEAST_MS = 1.0
"""Gaps between quantiles, and standard deviations, are not taken to be smaller, in ms."""


def noise_of(
    observed: Float[Array, "*of statistic"],
    predicted: Float[Array, "*of statistic"],
    statistics: tuple[Statistic, ...],
) -> Float[Array, "*of statistic"]:
    """The sampling noise of each statistic up to a constant, (…, statistic).

    Quantiles vary with the gap between the predicted quantiles beside them, means with the
    predicted SD, those of errors also with the number of errors, shares as binomial ones.
    """
    noise = np.ones_like(predicted)
    for i in range(len(statistics)):
        noise[..., i] = _noise_of_one(i, observed, predicted, statistics)
    return noise


def _noise_of_one(
    i: int, observed: Array, predicted: Array, statistics: tuple[Statistic, ...]
) -> Array | float:
    """The noise of the statistic in position i, (…,)."""
    statistic = statistics[i]
    if statistic.unit == "%":
        return _of_share(predicted[..., i])
    if statistic.kind is Kind.DELTA:
        return _of_difference(predicted, statistics, statistic.probability)
    if statistic.kind is Kind.SKEWNESS:
        return 0.5 + np.abs(predicted[..., i])
    if statistic.kind is Kind.RT_QUANTILE:
        return _gap_between_quantiles(
            predicted, statistics, statistic.condition, statistic.probability
        )
    if statistic.kind is Kind.ERROR_RT:
        return _spread(predicted, statistics, statistic.condition) / _root_of_errors(
            observed, statistics, statistic.condition
        )
    if statistic.unit == "ms":
        return _spread(predicted, statistics, statistic.condition)
    return 1.0


def _of_difference(
    predicted: Array, statistics: tuple[Statistic, ...], probability: float | None
) -> Array:
    """The noise of the difference of a quantile between the conditions, (…,)."""
    congruent, incongruent = (
        _gap_between_quantiles(predicted, statistics, condition, probability)
        for condition in ("congruent", "incongruent")
    )
    return np.hypot(congruent, incongruent)


def _of_share(percent: Array) -> Array:
    """The binomial noise of a share in percent, up to a constant; one percent added to both."""
    return np.sqrt((percent + 1.0) * (101.0 - percent))


def _gap_between_quantiles(
    predicted: Array,
    statistics: tuple[Statistic, ...],
    condition: str | None,
    probability: float | None,
) -> Array:
    """The distance of the predicted RT quantiles on both sides of one, (…,)."""
    places = _places_of_quantiles(statistics, condition)
    k = [statistics[i].probability for i in places].index(probability)
    above = predicted[..., places[min(k + 1, len(places) - 1)]]
    below = predicted[..., places[max(k - 1, 0)]]
    return np.maximum(above - below, LEAST_MS)


def _places_of_quantiles(statistics: tuple[Statistic, ...], condition: str | None) -> list[int]:
    """The positions of the RT quantiles of a condition, in order."""
    return [
        i
        for i, statistic in enumerate(statistics)
        if statistic.kind is Kind.RT_QUANTILE and statistic.condition == condition
    ]


def _spread(predicted: Array, statistics: tuple[Statistic, ...], condition: str | None) -> Array:
    """The predicted standard deviation of correct RTs in a condition, (…,)."""
    return np.maximum(predicted[..., position_of(statistics, Kind.SD_RT, condition)], LEAST_MS)


def _root_of_errors(
    observed: Array, statistics: tuple[Statistic, ...], condition: str | None
) -> Array:
    """The square root of the share of errors in a condition, (…,)."""
    errors = observed[..., position_of(statistics, Kind.ERRORS, condition)]
    return np.sqrt(np.maximum(errors, 1e-3))

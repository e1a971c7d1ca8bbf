r"""Many statistics at once: p-values from replicates, and their control of the family-wise error
(Westfall & Young 1993).

Observed and replicated values of statistics j are exchangeable when the model is right. With z_j =
(t_j - centre_j) / scale_j, all of it computed from observed and replicated together, the share of
replicates with |z_j| at least as large is a valid p-value, however many replicates there are; the
share whose largest |z| over the statistics reaches |z_j| is adjusted for their number, and for
their dependence. Stepping down, those larger than j are left out of that maximum.

The scale is the largest of the standard deviation and of what the 95 % and 99 % points of |t -
centre| would be for a normal distribution, so that a statistic with rare large values, such as the
accuracy of a fast fifth with hardly any errors, does not rule the maximum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray

TAILS = ((0.95, 1.96), (0.99, 2.576))
FEWEST = 20
"""Replicates in which a statistic must be defined to be looked at."""


@dataclass(frozen=True, eq=False)
class Simultaneous:
    """Statistics against replicates; every array is (…, statistic) but the band.

    Attributes:
        z: signed distance from the replicates' mean, in units of their spread; NaN where not
            defined.
        p: calibrated p-value of each alone, two-sided.
        adjusted: adjusted for all statistics, step-down; below alpha for any of them with
            probability alpha when all is well.
        band: (…,) which |z| the largest of all exceeds in 5 % of the replicates.
    """

    z: Array
    p: Array
    adjusted: Array
    band: Array


def max_t(values: Array) -> Simultaneous:
    """p-values of statistics and their step-down adjustment.

    Args:
        values: (1 + replicate, …, statistic), the observed ones first; NaN where not defined.
    """
    everything = np.abs(standardised(values, values))
    z = standardised(values[:1], values[1:])[0]
    z = np.where(np.isnan(everything[0]), np.nan, z)
    defined = ~np.isnan(everything)
    large = np.where(defined, everything, -1.0)
    p = (large >= large[0] - 1e-9).sum(axis=0) / np.maximum(defined.sum(axis=0), 1)
    missing = ~defined[0]
    band = np.quantile(np.maximum(large[1:].max(axis=-1), 0.0), 0.95, axis=0)
    adjusted = np.maximum(_step_down(large), p)  # p may rest on fewer replicates
    return Simultaneous(z, np.where(missing, np.nan, p), np.where(missing, np.nan, adjusted), band)


def standardised(values: Array, by: Array) -> Array:
    """Values by the centre and scale of others along the first axis; NaN for statistics that are
    hardly ever defined or do not vary.
    """
    known = ~np.isnan(by)
    n = known.sum(axis=0)
    centre = np.where(known, by, 0.0).sum(axis=0) / np.maximum(n, 1)
    away = np.where(known, np.abs(by - centre), 0.0)
    scale = np.sqrt((away**2).sum(axis=0) / np.maximum(n - 1, 1))
    ordered = np.sort(np.where(known, away, np.inf), axis=0)
    for probability, normal in TAILS:
        place = np.maximum(np.floor(probability * n).astype(int) - 1, 0)
        scale = np.maximum(
            scale, np.where(n > 0, np.take_along_axis(ordered, place[None], 0)[0], 0.0) / normal
        )
    usable = (n >= FEWEST) & (scale > 1e-9)
    return np.where(usable, (values - centre) / np.where(usable, scale, 1.0), np.nan)


def _step_down(large: Array) -> Array:
    """Adjusted p (…, statistic) from |z| (1 + replicate, …, statistic), undefined ones below 0."""
    order = np.argsort(-large[0], axis=-1, kind="stable")
    ordered = np.take_along_axis(large, np.broadcast_to(order, large.shape), -1)
    rest = np.maximum.accumulate(ordered[..., ::-1], axis=-1)[
        ..., ::-1
    ]  # largest of those not larger than the observed one
    adjusted = np.maximum.accumulate((rest >= ordered[:1] - 1e-9).mean(axis=0), axis=-1)
    out = np.empty_like(adjusted)
    np.put_along_axis(out, order, adjusted, -1)
    return out

r"""Many statistics at once: p-values from replicates, and family-wise error control.

Observed and replicated values of statistics j are exchangeable when the model is right. With z_j =
(t_j - centre_j) / scale_j, all of it computed from observed and replicated together, the share of
replicates with |z_j| at least as large is a valid p-value, however many replicates there are; the
share whose largest |z| over the statistics reaches |z_j| is adjusted for their number, and for
their dependence (Westfall & Young 1993). Stepping down, those larger than j are left out of that
maximum.

The scale is the largest of the standard deviation and of what the 95 % and 99 % points of |t -
centre| would be for a normal distribution, so that a statistic with rare large values, such as the
accuracy of a fast fifth with hardly any errors, does not rule the maximum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from incongruent.checks.statistics import nan_mean

Array = np.ndarray

TAILS = ((0.95, 1.96), (0.99, 2.576))
"""Probabilities at which the scale is judged, with the points of |t| for a normal distribution."""
FEWEST = 20
"""Replicates in which a statistic must be defined to be used."""
ROUNDING = 1e-9
"""Differences of |z| below this are ties."""


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

    z: Float[Array, "*of statistic"]
    p: Float[Array, "*of statistic"]
    adjusted: Float[Array, "*of statistic"]
    band: Array


def max_t(values: Float[Array, "sample *of statistic"]) -> Simultaneous:
    """Compute p-values of statistics and their step-down adjustment.

    Args:
        values: (1 + replicate, …, statistic), the observed ones first; NaN where not defined.
    """
    everything = np.abs(standardised(values, values))
    defined = ~np.isnan(everything)
    large = np.where(defined, everything, -1.0)
    p = _p_of_each(large, defined)
    adjusted = np.maximum(_step_down(large), p)  # p may rest on fewer replicates
    z = standardised(values[:1], values[1:])[0]
    z, p, adjusted = (np.where(defined[0], found, np.nan) for found in (z, p, adjusted))
    return Simultaneous(z, p, adjusted, _band_of(large[1:]))


def _p_of_each(large: Array, defined: Array) -> Array:
    """The p-value of each statistic alone, from |z| and where it is defined."""
    return _as_large(large, large[0]).sum(axis=0) / np.maximum(defined.sum(axis=0), 1)


def _as_large(large: Array, observed: Array) -> Array:
    """Which |z| are at least as large as the observed ones, up to rounding."""
    return large >= observed - ROUNDING


def _band_of(large: Array) -> Array:
    """The 95 % point of the largest |z| over the statistics of each replicate, (…,)."""
    return np.quantile(np.maximum(large.max(axis=-1), 0.0), 0.95, axis=0)


def standardised(
    values: Float[Array, "sample *of statistic"], by: Float[Array, "other *of statistic"]
) -> Float[Array, "sample *of statistic"]:
    """Values minus the centre, over the scale, of others along the first axis.

    NaN for statistics that are hardly ever defined or do not vary.
    """
    centre = nan_mean(by, axis=0)
    scale = _scale_of(np.abs(by - centre))
    usable = (_n_defined(by) >= FEWEST) & (scale > 1e-9)
    return np.where(usable, (values - centre) / np.where(usable, scale, 1.0), np.nan)


def _n_defined(values: Float[Array, "sample *of statistic"]) -> Int[Array, "*of statistic"]:
    """How many values along the first axis are not NaN."""
    return (~np.isnan(values)).sum(axis=0)


def _scale_of(distance: Float[Array, "sample *of statistic"]) -> Float[Array, "*of statistic"]:
    """The scale of distances from the centre along the first axis, NaN where not defined."""
    n = _n_defined(distance)
    scale = _root_mean_square(distance, n)
    ordered = np.sort(distance, axis=0)  # NaN come last
    for probability, normal in TAILS:
        point = _point_of(ordered, n, probability)
        scale = np.maximum(scale, np.where(n > 0, point, 0.0) / normal)
    return scale


def _root_mean_square(distance: Array, n: Array) -> Array:
    """The SD from n distances from the centre along the first axis; 0 where there are none."""
    squares = np.where(np.isnan(distance), 0.0, distance) ** 2
    return np.sqrt(squares.sum(axis=0) / np.maximum(n - 1, 1))


def _point_of(ordered: Array, n: Array, probability: float) -> Array:
    """The point that a share of the n first values in order are up to."""
    place = np.maximum(np.floor(probability * n).astype(int) - 1, 0)
    return np.take_along_axis(ordered, place[None], axis=0)[0]


def _step_down(large: Float[Array, "sample *of statistic"]) -> Float[Array, "*of statistic"]:
    """Adjusted p (…, statistic) from |z| (1 + replicate, …, statistic), undefined ones below 0."""
    order = np.argsort(-large[0], axis=-1, kind="stable")
    ordered = np.take_along_axis(large, np.broadcast_to(order, large.shape), -1)
    as_large = _as_large(_largest_of_the_rest(ordered), ordered[:1])
    adjusted = np.maximum.accumulate(as_large.mean(axis=0), axis=-1)
    out = np.empty_like(adjusted)
    np.put_along_axis(out, order, adjusted, -1)
    return out


def _largest_of_the_rest(ordered: Array) -> Array:
    """The largest |z| of each statistic and all after it, (…, statistic)."""
    return np.maximum.accumulate(ordered[..., ::-1], axis=-1)[..., ::-1]


def holm(p: Float[Array, " test"]) -> Float[Array, " test"]:
    """p-values (test,) corrected for their number by Holm's step-down method; NaN stays NaN."""
    out, known = np.full(len(p), np.nan), np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    out[order] = _stepped_down(p[order])
    return out


def _stepped_down(ordered: Float[Array, " test"]) -> Float[Array, " test"]:
    """Corrected p-values from p-values that rise."""
    raised = ordered * (len(ordered) - np.arange(len(ordered)))
    return np.minimum(1.0, np.maximum.accumulate(raised))

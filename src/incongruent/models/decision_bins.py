"""Masses of first passages in bins of decision time, and their convolution with a kernel."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

from incongruent.models.compiling import kernel, step

NOISE = 1e-13
"""Shares of the paths to one bound that are smaller than this are rounding errors."""


class Solved(NamedTuple):
    """First passages as the forward equation gives them.

    Each parameter value has one row, or several where its drift varies much.

    Attributes:
        times: (row, step + 1) in ms, from 0.
        later: (row, condition, side, step + 1) probability of a passage after each time.
        decay: (row, condition) rate of the decay after the last time, 1 / ms.
        never: (row, condition) probability of no passage before the horizon.
        horizon: ms.
        first: (theta + 1,) where the rows of each parameter value begin, and end.
        weight: (row,) share of the trials of its parameter value.
    """

    times: np.ndarray
    later: np.ndarray
    decay: np.ndarray
    never: np.ndarray
    horizon: float
    first: np.ndarray
    weight: np.ndarray


class Bins(NamedTuple):
    """Bins of decision time of one length; the last one takes all that is later.

    Attributes:
        n: number of bins, from time 0 on.
        first: the first bin that counts; what is earlier lies in other bins.
        per_place: number of bins from one place to the next.
        width: length of a bin in ms.
        first_tap: distance in places from the first bins to the first place that they reach.
        kernel: (bin of a place, tap) densities of R as in `kernel_of`.
    """

    n: int
    first: int
    per_place: int
    width: float
    first_tap: int
    kernel: np.ndarray


class Middles(NamedTuple):
    """Weights of the middles of bins, for one condition and side.

    Attributes:
        bins: the bins.
        weights: (bin,) of all bins; the last one is a mass.
        alone: (bin,) of the bins from ``bins.first`` on without the others.
    """

    bins: Bins
    weights: np.ndarray
    alone: np.ndarray


@step
def middles_of(solved, i, c, s, bins):  # pragma: no cover - compiled
    """Weights of middles at parameter value i, in condition c, at bound s (0 upper, 1 lower)."""
    masses, first, flow = np.zeros(bins.n), bins.first, 0.0
    if bins.n > 1:
        add_masses_of(solved, i, c, s, bins.width, masses)
    if first > 0:
        flow = flow_between(masses[first - 1], masses[first])
    spread(masses)
    return Middles(bins, masses, from_bin(masses, first, flow))


@step
def add_masses_of(solved, i, c, s, width, masses):  # pragma: no cover - compiled
    """Add the masses of a parameter value, condition and side, summed over its rows."""
    times, later, decay, weight = solved.times, solved.later, solved.decay, solved.weight
    for row in range(solved.first[i], solved.first[i + 1]):
        add_bin_masses(
            times[row], later[row, c, s], decay[row, c], solved.horizon, width, weight[row], masses
        )


@kernel
def add_bin_masses(
    times, solved, decay, horizon, width, weight, masses
):  # pragma: no cover - compiled
    """Add the absorbed mass in each bin of decision time to ``masses`` (bin,).

    The last bin takes all that is later. What is later, ``solved`` (step + 1,), is read off a
    monotone cubic between the ends of steps, and decays exponentially behind the last one.
    """
    later = _monotone(solved)
    n_steps, n_bins = len(later) - 1, len(masses)
    end = times[n_steps]
    cut_off = math.exp(-decay * (horizon - end))  # the share of the tail behind the horizon
    k = 0
    before = later[0]
    for j in range(n_bins):
        t = (j + 1) * width
        if j == n_bins - 1 or t >= horizon:
            masses[j] += weight * before
            return
        if t >= end:
            now = later[n_steps] * _share_of_tail(decay * (t - end), cut_off)
        else:
            while times[k + 1] < t:
                k += 1
            dt = times[k + 1] - times[k]
            chord = (later[k + 1] - later[k]) / dt
            slope1 = chord
            if k < n_steps - 1:
                next_dt, next_rise = times[k + 2] - times[k + 1], later[k + 2] - later[k + 1]
                slope1 = _parabola_slope(dt, chord, next_dt, next_rise)
            if k > 0:
                last_dt, last_rise = times[k] - times[k - 1], later[k] - later[k - 1]
                slope0 = _parabola_slope(dt, chord, last_dt, last_rise)
            else:
                slope0 = 2.0 * chord - slope1
            now = _falling_cubic((t - times[k]) / dt, dt, later[k], chord, slope0, slope1)
        now = max(min(now, before), 0.0)
        masses[j] += weight * (before - now)
        before = now


@step
def _monotone(solved):  # pragma: no cover - compiled
    """The mass that is absorbed later than the end of each step, falling from step to step.

    Steps at the end are left out where the mass is lost in rounding errors. Where the solution
    rings it does not grow again, so that nothing counts twice.
    """
    n_steps = len(solved) - 1
    while n_steps > 2 and solved[n_steps] <= NOISE * solved[0]:
        n_steps -= 1
    later, most = np.empty(n_steps + 1), 0.0
    for j in range(n_steps, -1, -1):
        most = max(most, solved[j])
        later[j] = min(most, solved[0])
    return later


@step
def _share_of_tail(decayed, cut_off):  # pragma: no cover - compiled
    """The share of an exponential tail that is left, of its part before the horizon."""
    return max(math.exp(-decayed) - cut_off, 0.0) / max(1.0 - cut_off, 1e-300)


@step
def _parabola_slope(dt, chord, next_dt, next_rise):  # pragma: no cover - compiled
    """The slope of a parabola through three points, where a step meets the next or last one."""
    return (next_rise / next_dt * dt + chord * next_dt) / (next_dt + dt)


@step
def _limited(slope, chord):  # pragma: no cover - compiled
    """A slope at the end of a falling step so that its cubic falls (Fritsch & Carlson 1980)."""
    return max(min(slope, 0.0), 3.0 * chord)


@step
def _falling_cubic(x, dt, value, chord, slope0, slope1):  # pragma: no cover - compiled
    """Hermite's cubic with limited slopes, at the share x of a step that begins with a value."""
    slope0, slope1 = _limited(slope0, chord), _limited(slope1, chord)
    return (
        value
        + x * dt * chord
        + x * (1.0 - x) * dt * ((1.0 - x) * (slope0 - chord) - x * (slope1 - chord))
    )


@kernel
def spread(masses):  # pragma: no cover - compiled
    """Turn masses of bins into weights of their middles, in place.

    The weights give every bin its own mean and variance. The last bin reaches to the horizon, and
    keeps its mass.
    """
    flow = 0.0
    for j in range(len(masses) - 1):
        here, next_flow = masses[j], 0.0
        if j < len(masses) - 2:
            next_flow = flow_between(here, masses[j + 1])
        masses[j] += next_flow - flow
        flow = next_flow


@kernel
def flow_between(here, there):  # pragma: no cover - compiled
    """What the weight of one middle gains from the next: a twenty-fourth of their difference.

    It is never so much that a weight would be negative.
    """
    most = 0.25 * min(here, there)
    return max(min((here - there) / 24.0, most), -most)


@kernel
def exchanged(weights, k):  # pragma: no cover - compiled
    """What the middles of bins k - 1 and k hold of the mass behind the edge between them.

    The first number is what the middle of bin k holds of bin k - 1, the second one what the middle
    of bin k - 1 holds of bin k.
    """
    before = weights[k - 2] if k > 1 else 0.0
    after = weights[k + 1] if k + 2 < len(weights) else 0.0
    return (
        weights[k - 1] / 24.0 + (weights[k] - before) / 48.0,
        weights[k] / 24.0 - (after - weights[k - 1]) / 48.0,
    )


@kernel
def from_bin(weights, first, flow):  # pragma: no cover - compiled
    """Weights of the middles of the bins from ``first`` on without the others, and without loss.

    ``flow`` is what the middle before ``first`` has gained from it.
    """
    if first == 0:
        return weights
    alone = weights.copy()
    alone[:first] = 0.0
    alone[first - 1] = max(min(exchanged(weights, first)[1], 0.25 * weights[first]), 0.0)
    alone[first] += flow - alone[first - 1]
    return alone


@numba.njit(nogil=True, cache=True, fastmath=True)
def convolve(masses, kernel, first_tap, first_node, density):  # pragma: no cover - compiled
    """Add to density[a] the sum over m of kernel[m - first_tap] masses[first_node + a - m]."""
    n_bins, n_taps = len(masses), len(kernel)
    for m in range(n_taps):
        shift = first_node - (first_tap + m)
        value = kernel[m]
        for a in range(max(0, -shift), min(len(density), n_bins - shift)):
            density[a] += value * masses[a + shift]


@kernel
def share_before(time, times, later):  # pragma: no cover - compiled
    """The largest share of the paths to one bound that end before a time.

    It is the largest one over rows, conditions and bounds.
    """
    most = 0.0
    for q in range(len(times)):
        k = 0
        while k < times.shape[1] - 1 and times[q, k] < time:
            k += 1
        for c in range(later.shape[1]):
            for s in range(2):
                if later[q, c, s, 0] > 1e-9:
                    most = max(most, 1.0 - later[q, c, s, k] / later[q, c, s, 0])
    return most

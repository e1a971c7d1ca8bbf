"""Decision times in bins: masses of first passages, gathered from what the forward equation
absorbs, and their convolution with a kernel.
"""

from __future__ import annotations

import math

import numba
import numpy as np

NOISE = 1e-13
"""Shares of the paths to one bound that are smaller than this are rounding errors."""


@numba.njit(nogil=True, cache=True)
def add_bin_masses(
    times, solved, decay, horizon, width, weight, masses
):  # pragma: no cover - compiled
    """Add to ``masses`` (bin,) the absorbed mass in each bin of decision time, the last bin taking
    all that is later.

    What is later, ``solved`` (step + 1,), is read off a cubic with the slopes of parabolas through
    three points, and decays exponentially behind its end, or where it is lost in rounding errors.
    Where the solution rings it does not grow again, so that nothing counts twice.
    """
    n_steps, n_bins = len(times) - 1, len(masses)
    while n_steps > 2 and solved[n_steps] <= NOISE * solved[0]:
        n_steps -= 1
    later, most = np.empty(n_steps + 1), 0.0
    for j in range(n_steps, -1, -1):
        most = max(most, solved[j])
        later[j] = min(most, solved[0])
    end = times[n_steps]
    left = math.exp(
        -decay * (horizon - end)
    )  # the share of an exponential that the horizon cuts off
    k = 0
    before = later[0]
    for j in range(n_bins):
        t = (j + 1) * width
        if j == n_bins - 1 or t >= horizon:
            masses[j] += weight * before
            return
        if t >= end:
            now = (
                later[n_steps]
                * max(math.exp(-decay * (t - end)) - left, 0.0)
                / max(1.0 - left, 1e-300)
            )
        else:
            while times[k + 1] < t:
                k += 1
            dt = times[k + 1] - times[k]
            chord = (later[k + 1] - later[k]) / dt
            slope0, slope1 = chord, chord
            if k > 0:
                dt0 = times[k] - times[k - 1]
                slope0 = ((later[k] - later[k - 1]) / dt0 * dt + chord * dt0) / (dt0 + dt)
            if k < n_steps - 1:
                dt1 = times[k + 2] - times[k + 1]
                slope1 = ((later[k + 2] - later[k + 1]) / dt1 * dt + chord * dt1) / (dt1 + dt)
            if k == 0:
                slope0 = 2.0 * chord - slope1
            slope0, slope1 = (
                max(min(slope0, 0.0), 3.0 * chord),
                max(min(slope1, 0.0), 3.0 * chord),
            )  # monotone (Fritsch & Carlson 1980)
            x = (t - times[k]) / dt
            now = (
                later[k]
                + x * dt * chord
                + x * (1.0 - x) * dt * ((1.0 - x) * (slope0 - chord) - x * (slope1 - chord))
            )
        now = max(min(now, before), 0.0)
        masses[j] += weight * (before - now)
        before = now


@numba.njit(nogil=True, cache=True)
def spread(masses):  # pragma: no cover - compiled
    """From masses of bins to weights of their middles, in place; the last bin reaches to the
    horizon, and stays.
    """
    flow = 0.0
    for j in range(len(masses) - 1):
        here, next_flow = masses[j], 0.0
        if j < len(masses) - 2:
            next_flow = flow_between(here, masses[j + 1])
        masses[j] += next_flow - flow
        flow = next_flow


@numba.njit(nogil=True, cache=True)
def flow_between(here, there):  # pragma: no cover - compiled
    """What the weight of one middle gains from the next: a twenty-fourth of the difference, and
    never so much that a weight would be negative.
    """
    most = 0.25 * min(here, there)
    return max(min((here - there) / 24.0, most), -most)


@numba.njit(nogil=True, cache=True)
def exchanged(weights, k):  # pragma: no cover - compiled
    """What weights of middles, which give every bin its mean and variance, hold across the edge
    between bins k - 1 and k: the middle of bin k of bin k - 1, and the middle of bin k - 1 of bin
    k.
    """
    before = weights[k - 2] if k > 1 else 0.0
    after = weights[k + 1] if k + 2 < len(weights) else 0.0
    return (
        weights[k - 1] / 24.0 + (weights[k] - before) / 48.0,
        weights[k] / 24.0 - (after - weights[k - 1]) / 48.0,
    )


@numba.njit(nogil=True, cache=True)
def from_bin(weights, first, flow):  # pragma: no cover - compiled
    """Weights of the middles for the bins from ``first`` on alone, without loss of mass; ``flow``
    is what the middle before has gained from it.
    """
    if first == 0:
        return weights
    own = weights.copy()
    own[:first] = 0.0
    own[first - 1] = max(min(exchanged(weights, first)[1], 0.25 * weights[first]), 0.0)
    own[first] += flow - own[first - 1]
    return own


@numba.njit(nogil=True, cache=True, fastmath=True)
def convolve(masses, kernel, first_tap, first_node, density):  # pragma: no cover - compiled
    """Adds to density[a] the sum over m of kernel[m - first_tap] masses[first_node + a - m]."""
    n_bins, n_taps = len(masses), len(kernel)
    for m in range(n_taps):
        shift = first_node - (first_tap + m)
        value = kernel[m]
        for a in range(max(0, -shift), min(len(density), n_bins - shift)):
            density[a] += value * masses[a + shift]


@numba.njit(nogil=True, cache=True)
def share_before(time, times, later):  # pragma: no cover - compiled
    """The largest share, over nodes, conditions and bounds, of paths to one bound that end before a
    time.
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

"""Log densities of the RT at equally spaced places, and between them.

The density is the sum over bins of decision time of mass times the density of R. Two ends of this
sum need care: where R is cut in its midst its density jumps at 0, and where R no longer reaches the
logarithm goes on as a parabola.
"""

from __future__ import annotations

import math

import numpy as np

from incongruent.models.bin_layout import REACH
from incongruent.models.compiling import kernel, step
from incongruent.models.decision_bins import add_masses_of, convolve, exchanged, spread
from incongruent.models.non_decision import bell, normaliser

OVERSHOOT = 0.1
"""How far the polynomial through log densities may leave the two that it lies between."""
FLOOR = 1e-300
"""Densities and probabilities that are no larger count as 0, with -inf as their logarithm."""
EARLY_BINS = 512
"""Number of bins of decision time in a density that is summed up for one trial."""


@step
def logarithm(value):  # pragma: no cover - compiled
    """The logarithm of a density or probability; -inf where it counts as 0."""
    return math.log(value) if value > FLOOR else -math.inf


@step
def fill_log_densities(logs, layout, early, later, residual):  # pragma: no cover - compiled
    """Fill ``logs`` (place,) with the log densities of one condition and side."""
    logs[:] = 0.0
    _add_reached(logs, later, layout.first_place)
    if layout.n_first:
        _add_reached(logs, early, layout.first_place)
    if layout.cut:
        _correct_the_cut(logs, layout, early, later, residual)
    _take_logarithms(logs, layout, residual)


@step
def _add_reached(density, middles, first_place):  # pragma: no cover - compiled
    """Add to the density at each place what the middles of bins contribute."""
    alone, bins = middles.alone, middles.bins
    kernel_of_bins, first_tap, per_place = bins.kernel, bins.first_tap, bins.per_place
    for j in range(per_place):
        middles_behind = np.ascontiguousarray(alone[j:-1:per_place])
        convolve(middles_behind, kernel_of_bins[j], first_tap, first_place, density)


@kernel
def _correct_the_cut(density, layout, early, later, residual):  # pragma: no cover - compiled
    """Correct the density for the jump of the density of R at 0, at which the sum ends.

    Every place gets what bins before its own time owe to the middle behind it, where R would be
    negative, and loses what they hold of the bin behind it.
    """
    first_place, n_first = layout.first_place, layout.n_first
    seam, n_before = n_first - first_place, (later.bins.n - 1) // later.bins.per_place
    _correct_places(density, first_place, 1, n_first, early, residual)
    if n_first > 0 and 0 <= seam < len(density):
        held, half = later.alone[later.bins.first - 1], 0.5 * later.bins.width
        density[seam] += _owed_less_held(0.0, held, half, residual)
    _correct_places(density, first_place, n_first + 1 if n_first else 1, n_before, later, residual)


@step
def _correct_places(
    density, first_place, begin, end, middles, residual
):  # pragma: no cover - compiled
    """Correct the places from one on, before another one, with the bins around them."""
    weights, per_place, half = middles.weights, middles.bins.per_place, 0.5 * middles.bins.width
    for place in range(max(begin, first_place), min(end, first_place + len(density))):
        owed, held = exchanged(weights, place * per_place)
        density[place - first_place] += _owed_less_held(owed, held, half, residual)


@step
def _owed_less_held(owed, held, half, residual):  # pragma: no cover - compiled
    """The density at a place of two masses that lie half a bin behind and before its time."""
    scale = 1.0 / normaliser(residual)
    return scale * (owed * bell(residual, -half) - held * bell(residual, half))


@kernel
def _take_logarithms(density, layout, residual):  # pragma: no cover - compiled
    """Take logarithms in place; where R does not reach they go on as a parabola, as its own do."""
    first_place, width, mu, sd = layout.first_place, layout.width, residual.mu, residual.sd
    n, valid = len(density), 0
    while valid < n - 1 and (first_place + valid) * width < mu - (REACH - 1.0) * sd:
        valid += 1
    for a in range(valid, n):
        density[a] = logarithm(density[a])
    z = ((first_place + valid) * width - mu) / sd
    for a in range(valid):
        here = ((first_place + a) * width - mu) / sd
        density[a] = (
            density[valid]
            - 0.5 * (here * here - z * z)
            - (1.5 * math.log(here / z) if z < -1.0 else 0.0)
        )


@kernel
def summed_density(t, solved, i, c, s, residual):  # pragma: no cover - compiled
    """The density at t, soon after the first possible response, as one sum over short bins."""
    width = t / EARLY_BINS
    masses = np.zeros(EARLY_BINS + 1)
    add_masses_of(solved, i, c, s, width, masses)
    spread(masses)
    total = 0.0
    for j in range(EARLY_BINS):
        total += masses[j] * bell(residual, t - (j + 0.5) * width)
    return total / normaliser(residual)


@kernel
def read_off(logs, a, x):  # pragma: no cover - compiled
    """The log density at a + x, 0 <= x < 1, by a polynomial through the six places around it.

    The polynomial goes through fewer places where some of them have no density.
    """
    if logs[a] == -math.inf or logs[a + 1] == -math.inf:
        return -math.inf
    before = logs[a - 1] if logs[a - 1] > -math.inf else 2.0 * logs[a] - logs[a + 1]
    after = logs[a + 2] if logs[a + 2] > -math.inf else 2.0 * logs[a + 1] - logs[a]
    value = _cubic(before, logs[a], logs[a + 1], after, x)
    first, last = logs[a - 2], logs[a + 3]
    if first > -math.inf and last > -math.inf:
        value += _beyond_cubic(first, before, logs[a], logs[a + 1], after, last, x)
    least, most = min(logs[a], logs[a + 1]), max(logs[a], logs[a + 1])
    return min(max(value, least - OVERSHOOT), most + OVERSHOOT)  # only the edge of nothing is steep


@step
def _cubic(before, here, there, after, x):  # pragma: no cover - compiled
    """The cubic through values at -1, 0, 1 and 2, at x."""
    return (
        -x * (x - 1.0) * (x - 2.0) / 6.0 * before
        + (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0 * here
        - (x + 1.0) * x * (x - 2.0) / 2.0 * there
        + (x + 1.0) * x * (x - 1.0) / 6.0 * after
    )


@step
def _beyond_cubic(first, before, here, there, after, last, x):  # pragma: no cover - compiled
    """What the fourth and fifth differences of six values add to the cubic through four."""
    fourth = first - 4.0 * before + 6.0 * here - 4.0 * there + after
    fifth = last - 5.0 * after + 10.0 * there - 10.0 * here + 5.0 * before - first
    inner = (x + 1.0) * x * (x - 1.0) * (x - 2.0)
    return inner / 24.0 * fourth + inner * (x + 2.0) / 120.0 * fifth

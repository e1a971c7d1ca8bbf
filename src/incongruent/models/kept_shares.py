"""Shares of trials that a window and a deadline keep, so that densities can be scaled to them."""

from __future__ import annotations

import math
from typing import NamedTuple

from incongruent.models.compiling import kernel, step
from incongruent.models.decision_bins import exchanged
from incongruent.models.non_decision import cut_cdf

NO_EDGE = 1e9
"""Stands for a window or deadline, in ms, that is not there."""
LEAST_KEPT = 1e-12
"""Trials are impossible in a condition of which a design keeps a smaller share.

What is kept would be lost in rounding errors."""
GAUSS_LEGENDRE = (
    (0.5 - math.sqrt(0.15), 5.0 / 18.0),
    (0.5, 8.0 / 18.0),
    (0.5 + math.sqrt(0.15), 5.0 / 18.0),
)
"""Three points of [0, 1], and their weights in an integral over it."""


class Rules(NamedTuple):
    """Which trials exist, in ms; `NO_EDGE` where there is no such rule.

    Attributes:
        low: answered trials before are left out.
        high: answered trials after are left out.
        deadline: a later answer counts as none.
    """

    low: float
    high: float
    deadline: float


class Shares(NamedTuple):
    """Shares of trials of one condition.

    Attributes:
        below: answered before the window.
        above: answered after the window, and before the deadline.
        silent: without an answer before the deadline.
    """

    below: float
    above: float
    silent: float


@step
def add_shares(shares, early, later, residual, rules):  # pragma: no cover - compiled
    """Shares of a condition with those of the paths to one bound added.

    What is never absorbed belongs to no bound.
    """
    absorbed = later.weights.sum()
    low = _answered_by(rules.low, absorbed, early, later, residual)
    high = _answered_by(min(rules.high, rules.deadline), absorbed, early, later, residual)
    deadline = _answered_by(rules.deadline, absorbed, early, later, residual)
    return Shares(
        shares.below + low,
        shares.above + (deadline - high),
        shares.silent + (absorbed - deadline),
    )


@step
def _answered_by(edge, absorbed, early, later, residual):  # pragma: no cover - compiled
    """P(RT <= edge) of the paths to one bound."""
    if edge >= NO_EDGE:
        return absorbed
    return _answered_of(early, edge, residual) + _answered_of(later, edge, residual)


@kernel
def _answered_of(middles, edge, residual):  # pragma: no cover - compiled
    """P(RT <= edge) of the paths in some bins, but the last.

    In the sum over whole bins R is distributed as a normal distribution that goes on below 0; the
    bin in which the edge lies is integrated over as a parabola, by Gauss and Legendre.
    """
    weights, width, first = middles.weights, middles.bins.width, middles.bins.first
    n, here = len(weights) - 1, int(edge / width)
    if here < first:
        return 0.0
    total = _of_whole_bins(middles, edge, here, residual) if here > first else 0.0
    if here >= n:
        return total
    if here > first:
        total += _of_exchanged(middles, edge, here, residual)
    before = weights[here - 1] if here > 0 else 0.0
    after = weights[here + 1] if here + 1 < n else 0.0
    inside = edge - here * width
    for point, share in GAUSS_LEGENDRE:
        weight = _parabola(before, weights[here], after, point * inside / width - 0.5)
        late = cut_cdf((1.0 - point) * inside, residual)
        total += share * inside / width * weight * late
    return total


@step
def _of_whole_bins(middles, edge, here, residual):  # pragma: no cover - compiled
    """P(RT <= edge) of the paths in the bins before the one in which the edge lies."""
    total, width, alone = 0.0, middles.bins.width, middles.alone
    for j in range(max(middles.bins.first - 1, 0), min(here, len(alone) - 1)):
        total += alone[j] * cut_cdf(edge - (j + 0.5) * width, residual)
    return total


@step
def _of_exchanged(middles, edge, here, residual):  # pragma: no cover - compiled
    """What bins before the edge's own owe to its middle, less what they hold of its bin."""
    owed, held = exchanged(middles.weights, here)
    width = middles.bins.width
    return owed * cut_cdf(edge - (here + 0.5) * width, residual) - held * cut_cdf(
        edge - (here - 0.5) * width, residual
    )


@step
def _parabola(before, here, after, x):  # pragma: no cover - compiled
    """The parabola through values at -1, 0 and 1, at x."""
    slope, bend = 0.5 * (after - before), 0.5 * (after + before) - here
    return here + x * (slope + x * bend)


@step
def shares_of_lapses(low, high, rules):  # pragma: no cover - compiled
    """Shares of lapses, whose RTs are uniform between two times in ms."""
    span = high - low
    below = min(max(rules.low - low, 0.0), span) / span
    late = min(max(high - min(rules.high, rules.deadline), 0.0), span) / span
    silent = min(max(high - rules.deadline, 0.0), span) / span
    return Shares(below, late - silent, silent)


@step
def mixed(shares, lapses, rate):  # pragma: no cover - compiled
    """Shares where so many of the trials are lapses."""
    return Shares(
        (1.0 - rate) * shares.below + rate * lapses.below,
        (1.0 - rate) * shares.above + rate * lapses.above,
        (1.0 - rate) * shares.silent + rate * lapses.silent,
    )


@step
def log_share_kept(shares):  # pragma: no cover - compiled
    """The logarithm of the share of trials that is kept; inf where it is too small."""
    kept = 1.0 - max(shares.below, 0.0) - max(shares.above, 0.0)
    return math.log(kept) if kept > LEAST_KEPT else math.inf

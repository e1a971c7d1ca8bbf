"""Where densities of one parameter value are worked out, and from which bins of decision time.

Places lie a quarter of the standard deviation of the non-decision time R apart. Each place has one
bin of decision time or several, more at each level of accuracy. The first places have more of them
where many paths end at once, and where R is cut in its midst.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from incongruent.models.compiling import step
from incongruent.models.decision_bins import Bins, share_before
from incongruent.models.non_decision import kernel_of

REACH = 6.0
"""How many of its standard deviations the non-decision time reaches from its mean."""
CUT = 5.0
"""R is cut in its midst where its mean lies fewer of its standard deviations above 0."""
BINS_AT_CUT, FIRST_BINS_AT_CUT = 2, 64
"""The least number of bins for each place there, and for each of the first `EARLY` places."""
EARLY = 16
"""Where R is cut, densities before so many places are summed up anew for each trial.

Their logarithms bend too much there for a polynomial."""
SHORTEST_BIN = 0.125
"""Bins of decision time, in ms, need not be shorter."""
SHARE_AT_ONCE, BINS_AT_ONCE, PLACES_AT_ONCE = 0.05, 16, 4
"""When many paths end at once, how many bins each of the first places has, and how many those are.

Paths end at once where a larger share than the first number of those to one bound ends within one
bin, as after a strong and brief push or from starts close to the bound. The numbers are the same on
every level of accuracy."""


class Layout(NamedTuple):
    """Places of densities, and the bins of decision time that lead to them.

    Attributes:
        width: distance of the places in ms.
        first_place: number of the first place, counted from time 0.
        n_places: number of places.
        cut: whether R is cut in its midst.
        summed_until: ms; densities of earlier trials are summed up anew for each trial.
        latest: ms; there are no later responses.
        n_first: number of the places whose decision times are in the early bins.
        early: short bins for the first places; only a last one where there are no such places.
        later: the bins from there on.
    """

    width: float
    first_place: int
    n_places: int
    cut: bool
    summed_until: float
    latest: float
    n_first: int
    early: Bins
    later: Bins


class Span(NamedTuple):
    """The times, in ms, between which densities and probabilities are asked for.

    Attributes:
        shortest: shortest RT of the trials.
        longest: longest RT of the trials.
        furthest: the latest of the longest RT and the ends of a window and a deadline.
    """

    shortest: float
    longest: float
    furthest: float


@step
def layout_of(solved, i, residual, span, fineness):  # pragma: no cover - compiled
    """The layout for parameter value i, with at least ``fineness`` bins for each place."""
    mu, sd = residual.mu, residual.sd
    width = min(max(sd / 4.0, 0.25), 8.0)
    cut = mu < CUT * sd
    reach = min(span.furthest - max(mu - REACH * sd, 0.0), solved.horizon)
    n_before = max(math.ceil(reach / width), 0) + 3  # the slowest trial is read off three further
    per_place, per_first = _bins_of_a_place(solved, i, cut, width, fineness)
    n_first = 0
    if per_first > per_place:
        n_first = min(EARLY if cut else PLACES_AT_ONCE, n_before - 1)
    latest = solved.horizon + max(mu, 0.0) + REACH * sd
    first_place, n_places = _places(residual, span, latest, width)
    return Layout(
        width,
        first_place,
        n_places,
        cut,
        EARLY * width if cut else 0.0,
        latest,
        n_first,
        _bins(residual, width, per_first, 0, n_first),
        _bins(residual, width, per_place, n_first, n_before),
    )


@step
def _bins_of_a_place(solved, i, cut, width, fineness):  # pragma: no cover - compiled
    """How many bins each place has, and each of the first places."""
    rows = slice(solved.first[i], solved.first[i + 1])
    at_once = share_before(width, solved.times[rows], solved.later[rows]) > SHARE_AT_ONCE
    finest = math.ceil(width / SHORTEST_BIN)
    per_place = min(max(fineness, BINS_AT_CUT if cut else 1), finest)
    least = FIRST_BINS_AT_CUT if cut else BINS_AT_ONCE if at_once else 1
    return per_place, min(max(per_place, least), finest)


@step
def _places(residual, span, latest, width):  # pragma: no cover - compiled
    """The first place and the number of places, so that six lie around every trial.

    The last one lies within the reach of R, so that the densities of earlier trials can be extended
    from there.
    """
    first = math.floor(min(span.shortest, latest) / width) - 2
    within_reach = residual.mu - (REACH - 2.0) * residual.sd
    last = math.floor(max(min(span.longest, latest), within_reach) / width) + 3
    return first, last - first + 1


@step
def _bins(residual, width, per_place, first_place, n_before):  # pragma: no cover - compiled
    """Bins for the decision times of the places from one on, before another one."""
    mu, sd = residual.mu, residual.sd
    first_tap = max(math.floor((mu - REACH * sd) / width + 0.5), 1)
    n_taps = max(math.ceil((mu + REACH * sd) / width + 1.0) - first_tap + 1, 1)
    return Bins(
        n_before * per_place + 1,
        first_place * per_place,
        per_place,
        width / per_place,
        first_tap,
        kernel_of(residual, per_place, first_tap, n_taps, width),
    )

r"""Response-time densities and likelihoods of first-passage models, from the masses that the
forward equation absorbs.

RT = first passage + R with R ~ Normal(mu_R, sd_R) cut at 0. Decision times are gathered into short
bins, shorter at each level of accuracy and where the cut lies in the midst of R; the density of the
RT is the sum over bins of mass times the density of R, and a trial's log density is read off a
polynomial through its logarithms at equally spaced times. Trials that a design does not keep do not
exist: densities are scaled to those it keeps. Lapses are mixed in, and drift variability is
integrated over by Gauss-Hermite quadrature. Several shares of lapses cost hardly more than one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numba
import numpy as np

from incongruent.models.decision_bins import (
    add_bin_masses,
    convolve,
    exchanged,
    flow_between,
    from_bin,
    share_before,
    spread,
)
from incongruent.models.first_passage import Paths, TrialEffects
from incongruent.models.forward_equation import Resolution, first_passages
from incongruent.models.model import Kept

Array = np.ndarray

PathsOf = Callable[[Array, Array | None], Paths]
"""Mean paths of the parameter values at some positions, on given times or, for None, on the
simulator's own.
"""

REACH = 6.0
"""How many of its standard deviations the non-decision time reaches; further out its logarithm is
extended as a parabola.
"""
NO_EDGE = 1e9
"""Stands for a window or deadline, in ms, that is not there."""
OVERSHOOT = 0.1
"""How far the cubic through log densities may leave the two that it lies between."""
FLOOR = 1e-300
"""Densities and probabilities that are no larger count as 0: such a trial is impossible, and its
logarithm -inf.
"""
LEAST_KEPT = 1e-12
"""Where a design keeps a smaller share of the trials of a condition, what is kept is lost in
rounding errors; trials are impossible there as well.
"""
CUT = 5.0
"""Where the mean non-decision time lies fewer of its standard deviations above 0, that it is cut
there can be seen.
"""
BINS_AT_CUT, FIRST_BINS_AT_CUT = 2, 64
"""Bins for each place there, and for each of the first ones, which are as many as EARLY says."""
EARLY = 16
"""Where that is so, densities before so many places are summed up anew for each trial: their
logarithms bend too much there.
"""
EARLY_BINS = 512
"""… over so many bins of decision time."""
SHORTEST_BIN = 0.125
"""Bins of decision time, in ms, need not be shorter."""
SHARE_AT_ONCE, BINS_AT_ONCE, PLACES_AT_ONCE = 0.05, 16, 4
"""Where a larger share than this of the paths to one bound ends within the first bin, as after a
strong and brief push or from starts close to the bound, there are so many bins in the place of
each of so many first ones, on every level of accuracy."""
SMALLEST_SD = 1.0
"""A non-decision time that varies by less than this, in ms, counts as varying by this."""


@dataclass(frozen=True, eq=False)
class Observed:
    """The trials of one data set, as the likelihood reads them.

    Attributes:
        condition: (trial,) position on the condition axis of the paths; answered trials only.
        side: (trial,) 0 for the upper bound, 1 for the lower.
        rt: (trial,) in ms.
        unanswered: (condition,) trials without an answer.
    """

    condition: Array
    side: Array
    rt: Array
    unanswered: Array


def drift_nodes(drift_sd: float, n_nodes: int) -> tuple[Array, Array]:
    """Standard normal deviates (node,) and their weights (node,), Gauss-Hermite; a single 0 without
    drift variability.

    Late densities change over a drift of about sigma / sqrt(t), .15 per ms, so that a drift that
    varies by more than .25 needs more nodes than ``n_nodes``, in proportion.
    """
    if drift_sd == 0.0:
        return np.zeros(1), np.ones(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(
        min(int(n_nodes * max(1.0, 4.0 * drift_sd)), 200)
    )
    return nodes, weights / weights.sum()


def log_likelihood(
    paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution
) -> Array:
    """Log likelihood of one data set at many parameter values.

    Args:
        paths_of: mean paths of some of the parameter values on given times.
        effects: of every parameter value, (theta,).
        observed: the trials.
        kept: which trials exist.
        resolution: how finely the forward equation is solved.

    Returns:
        (theta,), in nats; (theta, rate) when ``effects.lapse`` is (theta, rate), at hardly more
        cost.
    """
    total, _ = _evaluate(paths_of, effects, observed, kept, resolution, each=False)
    return total


def log_densities(
    paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution
) -> Array:
    """The same trial by trial, without those that have no answer: (theta, trial), in log (1 / ms)."""
    alone = replace(observed, unanswered=np.zeros_like(observed.unanswered))
    return _evaluate(paths_of, effects, alone, kept, resolution, each=True)[1]


def _evaluate(
    paths_of: PathsOf,
    effects: TrialEffects,
    observed: Observed,
    kept: Kept,
    resolution: Resolution,
    *,
    each: bool,
) -> tuple[Array, Array]:
    n_theta = len(effects.mu_R)
    deviates, weights = drift_nodes(float(effects.drift_sd.max(initial=0.0)), resolution.nodes)
    rows = np.repeat(np.arange(n_theta), len(deviates))
    extra = np.tile(deviates, n_theta) * effects.drift_sd[rows]  # (theta x node,) 1 / ms

    def paths_on(times: Array | None) -> Paths:
        paths = paths_of(rows, times)
        return (
            replace(
                paths,
                increment=paths.increment + (extra[:, None] * np.diff(paths.times))[:, None, :],
            )
            if len(deviates) > 1
            else paths
        )

    passages = first_passages(paths_on, effects.start, resolution)
    low, high = kept.window if kept.window is not None else (0.0, NO_EDGE)
    deadline = kept.deadline if kept.deadline is not None else NO_EDGE
    lapse = np.ascontiguousarray(effects.lapse.reshape(n_theta, -1))  # (theta, rate)
    total, values = np.empty(lapse.shape), np.empty((n_theta if each else 0, len(observed.rt)))
    solved = (
        passages.times,
        passages.later,
        passages.decay,
        passages.never,
        passages.horizon,
        weights,
    )
    varying = (
        effects.mu_R,
        np.maximum(effects.sd_R, SMALLEST_SD),
        lapse,
        float(effects.lapse_range[0]),
        float(effects.lapse_range[1]),
    )
    rules = (float(low), float(min(high, NO_EDGE)), float(min(deadline, NO_EDGE)))
    trials = (
        observed.condition.astype(np.int64),
        observed.side.astype(np.int64),
        observed.rt.astype(float),
        observed.unanswered.astype(float),
    )
    _log_likelihood(*solved, *varying, *rules, *trials, resolution.bins, total, values)
    return total.reshape(effects.lapse.shape), values


@numba.njit(nogil=True, cache=True)
def _normal_cdf(x):  # pragma: no cover - compiled
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@numba.njit(nogil=True, cache=True)
def _early_density(
    t, times, later, decay, horizon, node_weights, mu, sd, whole, masses
):  # pragma: no cover - compiled
    """Density at t, soon after the first response that is possible; ``later`` (node, step + 1) is
    of one condition and side.
    """
    n_bins = len(masses) - 1
    width = t / n_bins
    masses[:] = 0.0
    for q in range(len(node_weights)):
        add_bin_masses(times[q], later[q], decay[q], horizon, width, node_weights[q], masses)
    spread(masses)
    total = 0.0
    for j in range(n_bins):
        z = (t - (j + 0.5) * width - mu) / sd
        total += masses[j] * math.exp(-0.5 * z * z)
    return total / (sd * math.sqrt(2.0 * math.pi) * whole)


@numba.njit(nogil=True, cache=True)
def _take_logarithms(density, first_node, width, mu, sd):  # pragma: no cover - compiled
    """Logarithms in place. Where the non-decision time no longer reaches, they go on as a parabola,
    as those of its own density do.
    """
    n = len(density)
    valid = 0
    while valid < n - 1 and (first_node + valid) * width < mu - (REACH - 1.0) * sd:
        valid += 1
    for a in range(valid, n):
        density[a] = math.log(density[a]) if density[a] > FLOOR else -math.inf
    anchor = (first_node + valid) * width
    z = (anchor - mu) / sd
    for a in range(valid):
        here = ((first_node + a) * width - mu) / sd
        density[a] = (
            density[valid]
            - 0.5 * (here * here - z * z)
            - (1.5 * math.log(here / z) if z < -1.0 else 0.0)
        )


@numba.njit(nogil=True, cache=True)
def _kernel(fine, first_tap, n_taps, width, mu, sd, whole):  # pragma: no cover - compiled
    """Densities of R, (bin, tap): bin number j of those from one place to the next lies (j + 1/2) /
    fine behind it.
    """
    kernel = np.empty((fine, n_taps))
    for r in range(fine):
        for m in range(n_taps):
            z = ((first_tap + m - (r + 0.5) / fine) * width - mu) / sd
            kernel[r, m] = math.exp(-0.5 * z * z) / (sd * math.sqrt(2.0 * math.pi) * whole)
    return kernel


@numba.njit(nogil=True, cache=True)
def _mend_the_cut(
    masses,
    own,
    fine,
    masses_at_first,
    fine_at_first,
    n_first,
    first_node,
    width,
    mu,
    sd,
    whole,
    density,
):  # pragma: no cover - compiled
    """A sum over middles ends at R = 0, where the density of R does not: every place gets what bins
    before its own time owe to the middle behind it, where R would be negative, and loses what they
    hold of the bin behind it.
    """
    scale = 1.0 / (sd * math.sqrt(2.0 * math.pi) * whole)
    for a in range(len(density)):
        node = first_node + a
        owed, held, half = 0.0, 0.0, 0.5 * width / fine
        if 0 < node < n_first:
            half = 0.5 * width / fine_at_first
            owed, held = exchanged(masses_at_first, node * fine_at_first)
        elif 0 < node == n_first:
            held = own[node * fine - 1]
        elif node > 0 and node * fine < len(masses) - 1:
            owed, held = exchanged(masses, node * fine)
        behind, ahead = (-half - mu) / sd, (half - mu) / sd
        density[a] += scale * (
            owed * math.exp(-0.5 * behind * behind) - held * math.exp(-0.5 * ahead * ahead)
        )


@numba.njit(nogil=True, cache=True)
def _answered_until(edge, own, weights, first, width, mu, sd, whole):  # pragma: no cover - compiled
    """P(RT <= edge) of the paths in the bins from ``first`` on but the last; ``own`` are the
    weights of middles for these alone.

    In the sum over whole bins R is distributed as a normal distribution that goes on below 0; the
    bin in which the edge lies is integrated over as a parabola, by three points of Gauss and
    Legendre.
    """
    n, here, total = len(weights) - 1, int(edge / width), 0.0
    if here < first:
        return total
    if here > first:
        for j in range(max(first - 1, 0), min(here, n)):
            total += own[j] * _cut_cdf(edge - (j + 0.5) * width, mu, sd, whole)
    if here >= n:
        return total
    if here > first:
        owed, held = exchanged(weights, here)
        total += owed * _cut_cdf(edge - (here + 0.5) * width, mu, sd, whole) - held * _cut_cdf(
            edge - (here - 0.5) * width, mu, sd, whole
        )
    before, after = (
        weights[here - 1] if here > 0 else 0.0,
        weights[here + 1] if here + 1 < n else 0.0,
    )
    slope, bend = 0.5 * (after - before), 0.5 * (after + before) - weights[here]
    inside = edge - here * width
    for point, share in (
        (0.5 - math.sqrt(0.15), 5.0 / 18.0),
        (0.5, 8.0 / 18.0),
        (0.5 + math.sqrt(0.15), 5.0 / 18.0),
    ):
        x = point * inside / width - 0.5
        total += (
            share
            * inside
            / width
            * (weights[here] + x * (slope + x * bend))
            * _cut_cdf((1.0 - point) * inside, mu, sd, whole)
        )
    return total


@numba.njit(nogil=True, cache=True)
def _log_likelihood(
    times,
    later,
    decay,
    never,
    horizon,
    node_weights,
    mu_R,
    sd_R,
    lapse,
    lapse_low,
    lapse_high,
    low,
    high,
    deadline,
    condition,
    side,
    rt,
    unanswered,
    fineness,
    out,
    each,
):  # pragma: no cover - compiled
    n_nodes, n_conditions = len(node_weights), later.shape[1]
    shortest, longest = NO_EDGE, 0.0
    for j in range(len(rt)):
        shortest, longest = min(shortest, rt[j]), max(longest, rt[j])
    if len(rt) == 0:
        shortest, longest = 100.0, 101.0
    n_rates, soon = lapse.shape[1], np.empty(EARLY_BINS + 1)
    counts, log_kept = np.zeros(n_conditions), np.zeros((n_conditions, n_rates))
    for j in range(len(rt)):
        counts[condition[j]] += 1.0
    furthest, edges, until = longest, np.array([low, min(high, deadline), deadline]), np.empty(3)
    for edge in (high, deadline):
        if edge < NO_EDGE:
            furthest = max(furthest, edge)
    for i in range(len(out)):
        mu, sd = mu_R[i], sd_R[i]
        width = min(max(sd / 4.0, 0.25), 8.0)
        whole = _normal_cdf(mu / sd)
        reach = min(furthest - max(mu - REACH * sd, 0.0), horizon)
        n_bins = (
            max(math.ceil(reach / width), 0) + 4
        )  # up to the last of the places that the slowest trial is read off
        first_tap = max(math.floor((mu - REACH * sd) / width + 0.5), 1)
        n_taps = max(math.ceil((mu + REACH * sd) / width + 1.0) - first_tap + 1, 1)
        at = slice(i * n_nodes, (i + 1) * n_nodes)
        cut = mu < CUT * sd
        at_once = share_before(width, times[at], later[at]) > SHARE_AT_ONCE
        finest = math.ceil(width / SHORTEST_BIN)
        fine = min(max(fineness, BINS_AT_CUT if cut else 1), finest)
        fine_at_first = min(
            max(fine, FIRST_BINS_AT_CUT if cut else BINS_AT_ONCE if at_once else 1), finest
        )
        n_first = min(EARLY if cut else PLACES_AT_ONCE, n_bins - 2) if fine_at_first > fine else 0
        kernel = _kernel(fine, first_tap, n_taps, width, mu, sd, whole)
        kernel_at_first = (
            _kernel(fine_at_first, first_tap, n_taps, width, mu, sd, whole) if n_first else kernel
        )
        bin_width, n_fine = width / fine, (n_bins - 1) * fine + 1
        width_at_first, masses_at_first = (
            width / fine_at_first,
            np.empty(n_first * fine_at_first + 1),
        )
        summed_until = EARLY * width if cut else 0.0
        latest = horizon + max(mu, 0.0) + REACH * sd  # behind which there are no responses
        first_node = math.floor(min(shortest, latest) / width) - 2
        last_node = math.floor(max(min(longest, latest), mu - (REACH - 2.0) * sd) / width) + 3
        density = np.empty((n_conditions, 2, last_node - first_node + 1))
        masses = np.empty(n_fine)
        out[i] = 0.0
        for c in range(n_conditions):
            below, above, silent = 0.0, 0.0, 0.0
            for s in range(2):
                masses[:] = 0.0
                for q in range(n_nodes):
                    row = i * n_nodes + q
                    add_bin_masses(
                        times[row],
                        later[row, c, s],
                        decay[row, c],
                        horizon,
                        bin_width,
                        node_weights[q],
                        masses,
                    )
                flow = (
                    flow_between(masses[n_first * fine - 1], masses[n_first * fine])
                    if n_first
                    else 0.0
                )
                spread(masses)
                own = from_bin(masses, n_first * fine, flow)
                density[c, s] = 0.0
                for r in range(fine):
                    convolve(
                        np.ascontiguousarray(own[r : n_fine - 1 : fine]),
                        kernel[r],
                        first_tap,
                        first_node,
                        density[c, s],
                    )
                masses_at_first[:] = 0.0
                if n_first:
                    for q in range(n_nodes):
                        row = i * n_nodes + q
                        add_bin_masses(
                            times[row],
                            later[row, c, s],
                            decay[row, c],
                            horizon,
                            width_at_first,
                            node_weights[q],
                            masses_at_first,
                        )
                    spread(masses_at_first)
                    for r in range(fine_at_first):
                        convolve(
                            np.ascontiguousarray(masses_at_first[r:-1:fine_at_first]),
                            kernel_at_first[r],
                            first_tap,
                            first_node,
                            density[c, s],
                        )
                if cut:
                    _mend_the_cut(
                        masses,
                        own,
                        fine,
                        masses_at_first,
                        fine_at_first,
                        n_first,
                        first_node,
                        width,
                        mu,
                        sd,
                        whole,
                        density[c, s],
                    )
                _take_logarithms(density[c, s], first_node, width, mu, sd)
                absorbed = masses.sum()
                for e in range(3):
                    until[e] = absorbed
                    if edges[e] < NO_EDGE:
                        until[e] = _answered_until(
                            edges[e],
                            masses_at_first,
                            masses_at_first,
                            0,
                            width_at_first,
                            mu,
                            sd,
                            whole,
                        )
                        until[e] += _answered_until(
                            edges[e], own, masses, n_first * fine, bin_width, mu, sd, whole
                        )
                below += until[0]
                above += until[2] - until[1]
                silent += absorbed - until[2]
            for q in range(n_nodes):
                silent += node_weights[q] * never[i * n_nodes + q, c]
            span = lapse_high - lapse_low
            early = min(max(low - lapse_low, 0.0), span) / span
            lapse_late = min(max(lapse_high - min(high, deadline), 0.0), span) / span
            lapse_silent = min(max(lapse_high - deadline, 0.0), span) / span
            for e in range(n_rates):
                eps = lapse[i, e]
                mixed = (1.0 - eps) * silent + eps * lapse_silent
                cut_below = (1.0 - eps) * below + eps * early
                cut_above = (1.0 - eps) * above + eps * (lapse_late - lapse_silent)
                kept = 1.0 - max(cut_below, 0.0) - max(cut_above, 0.0)
                log_kept[c, e] = math.log(kept) if kept > LEAST_KEPT else math.inf
                if unanswered[c] > 0.0:
                    out[i, e] += unanswered[c] * (
                        (math.log(mixed) if mixed > FLOOR else -math.inf) - log_kept[c, e]
                    )
                if counts[c] > 0.0:
                    out[i, e] -= counts[c] * log_kept[c, e]
        for j in range(len(rt)):
            place = min(rt[j], latest) / width - first_node
            a = int(place)
            x = place - a
            value = _read_off(density[condition[j], side[j]], a, x)
            likely = math.exp(value)
            if rt[j] > latest:
                value, likely = -math.inf, 0.0
            elif rt[j] < summed_until:
                at = slice(i * n_nodes, (i + 1) * n_nodes)
                c, s = condition[j], side[j]
                likely = _early_density(
                    rt[j],
                    times[at],
                    later[at, c, s],
                    decay[at, c],
                    horizon,
                    node_weights,
                    mu,
                    sd,
                    whole,
                    soon,
                )
                value = math.log(likely) if likely > FLOOR else -math.inf
            inside = 0.5 / (lapse_high - lapse_low) if lapse_low <= rt[j] <= lapse_high else 0.0
            for e in range(n_rates):
                eps = lapse[i, e]
                mixed = value
                if eps > 0.0:
                    mixture = (1.0 - eps) * likely + eps * inside
                    mixed = math.log(mixture) if mixture > FLOOR else -math.inf
                out[i, e] += mixed
                if e == 0 and len(each):
                    each[i, j] = mixed - log_kept[condition[j], 0]


@numba.njit(nogil=True, cache=True)
def _read_off(logs, a, x):  # pragma: no cover - compiled
    """The log density at a + x, 0 <= x < 1, of a polynomial through those at the six places around
    it; through fewer where nothing is there.
    """
    if logs[a] == -math.inf or logs[a + 1] == -math.inf:
        return -math.inf
    before = logs[a - 1] if logs[a - 1] > -math.inf else 2.0 * logs[a] - logs[a + 1]
    after = logs[a + 2] if logs[a + 2] > -math.inf else 2.0 * logs[a + 1] - logs[a]
    value = (
        -x * (x - 1.0) * (x - 2.0) / 6.0 * before
        + (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0 * logs[a]
        - (x + 1.0) * x * (x - 2.0) / 2.0 * logs[a + 1]
        + (x + 1.0) * x * (x - 1.0) / 6.0 * after
    )
    least, most = min(logs[a], logs[a + 1]), max(logs[a], logs[a + 1])
    first, last = logs[a - 2], logs[a + 3]
    if (
        first > -math.inf and last > -math.inf
    ):  # what the fifth differences add to the cubic through the inner four
        inner = (x + 1.0) * x * (x - 1.0) * (x - 2.0)
        fourth = first - 4.0 * before + 6.0 * logs[a] - 4.0 * logs[a + 1] + after
        fifth = last - 5.0 * after + 10.0 * logs[a + 1] - 10.0 * logs[a] + 5.0 * before - first
        value += inner / 24.0 * fourth + inner * (x + 2.0) / 120.0 * fifth
    return min(
        max(value, least - OVERSHOOT), most + OVERSHOOT
    )  # more than a peak's height only at the edge of nothing


@numba.njit(nogil=True, cache=True)
def _cut_cdf(x, mu, sd, whole):  # pragma: no cover - compiled
    """P(R <= x) for R ~ Normal(mu, sd) cut at 0, and below 0 its smooth continuation; ``whole`` is
    what the cut leaves.
    """
    z = (x - mu) / sd
    if z > 8.0:
        return 1.0
    if z < -8.0 and mu > 8.0 * sd:
        return 0.0
    return (_normal_cdf(z) + whole - 1.0) / whole

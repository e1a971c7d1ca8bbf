r"""Response-time densities and likelihoods of first-passage models, from the masses that the forward equation absorbs.

RT = first passage + R with R ~ Normal(mu_R, sd_R) cut at 0. Decision times are gathered into short bins; the density of the RT is the sum over bins
of mass times the density of R, and a trial's log density is read off a cubic through its logarithms at equally spaced times. Trials that a design
does not keep do not exist: densities are scaled to those it keeps. Lapses are mixed in, and drift variability is integrated over by Gauss-Hermite
quadrature. Several shares of lapses cost hardly more than one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numba
import numpy as np

from incongruent.models.first_passage import Paths, TrialEffects
from incongruent.models.forward_equation import Resolution, first_passages
from incongruent.models.model import Kept

Array = np.ndarray

PathsOf = Callable[[Array, Array | None], Paths]
"""Mean paths of the parameter values at some positions, on given times or, for None, on the simulator's own."""

REACH = 6.0
"""How many of its standard deviations the non-decision time reaches; further out its logarithm is extended as a parabola."""
NO_EDGE = 1e9
"""Stands for a window or deadline, in ms, that is not there."""
OVERSHOOT = 0.1
"""How far the cubic through log densities may leave the two that it lies between."""
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
    """Standard normal deviates (node,) and their weights (node,), Gauss-Hermite; a single 0 without drift variability.

    Late densities change over a drift of about sigma / sqrt(t), .15 per ms, so that a drift that varies by more than .25 needs more nodes than
    ``n_nodes``, in proportion.
    """
    if drift_sd == 0.0:
        return np.zeros(1), np.ones(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(min(int(n_nodes * max(1.0, 4.0 * drift_sd)), 200))
    return nodes, weights / weights.sum()


def log_likelihood(paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution) -> Array:
    """Log likelihood of one data set at many parameter values.

    Args:
        paths_of: mean paths of some of the parameter values on given times.
        effects: of every parameter value, (theta,).
        observed: the trials.
        kept: which trials exist.
        resolution: how finely the forward equation is solved.

    Returns:
        (theta,), in nats; (theta, rate) when ``effects.lapse`` is (theta, rate), at hardly more cost.
    """
    total, _ = _evaluate(paths_of, effects, observed, kept, resolution, each=False)
    return total


def log_densities(paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution) -> Array:
    """The same trial by trial, without those that have no answer: (theta, trial), in log (1 / ms)."""
    alone = replace(observed, unanswered=np.zeros_like(observed.unanswered))
    return _evaluate(paths_of, effects, alone, kept, resolution, each=True)[1]


def _evaluate(paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution, *, each: bool) -> tuple[Array, Array]:
    n_theta = len(effects.mu_R)
    deviates, weights = drift_nodes(float(effects.drift_sd.max(initial=0.0)), resolution.nodes)
    rows = np.repeat(np.arange(n_theta), len(deviates))
    extra = np.tile(deviates, n_theta) * effects.drift_sd[rows]  # (theta x node,) 1 / ms

    def paths_on(times: Array | None) -> Paths:
        paths = paths_of(rows, times)
        return replace(paths, increment=paths.increment + (extra[:, None] * np.diff(paths.times))[:, None, :]) if len(deviates) > 1 else paths

    passages = first_passages(paths_on, effects.start, resolution)
    low, high = kept.window if kept.window is not None else (0.0, NO_EDGE)
    deadline = kept.deadline if kept.deadline is not None else NO_EDGE
    lapse = np.ascontiguousarray(effects.lapse.reshape(n_theta, -1))  # (theta, rate)
    total, values = np.empty(lapse.shape), np.empty((n_theta if each else 0, len(observed.rt)))
    solved = (passages.times, passages.later, passages.decay, passages.never, passages.horizon, weights)
    varying = (effects.mu_R, np.maximum(effects.sd_R, SMALLEST_SD), lapse, float(effects.lapse_range[0]), float(effects.lapse_range[1]))
    rules = (float(low), float(min(high, NO_EDGE)), float(min(deadline, NO_EDGE)))
    trials = (observed.condition.astype(np.int64), observed.side.astype(np.int64), observed.rt.astype(float), observed.unanswered.astype(float))
    _log_likelihood(*solved, *varying, *rules, *trials, total, values)
    return total.reshape(effects.lapse.shape), values


@numba.njit(nogil=True, cache=True)
def _normal_cdf(x):  # pragma: no cover - compiled
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@numba.njit(nogil=True, cache=True)
def _add_bin_masses(times, later, decay, horizon, width, weight, masses):  # pragma: no cover - compiled
    """Add to ``masses`` (bin,) the absorbed mass in each bin of decision time, the last bin taking all that is later; returns that sum.

    ``later`` (step + 1,) is read off a cubic with the slopes of parabolas through three points, and decays exponentially behind its end.
    """
    n_steps, n_bins = len(times) - 1, len(masses)
    end = times[n_steps]
    left = math.exp(-decay * (horizon - end))  # the share of an exponential that the horizon cuts off
    k = 0
    before = later[0]
    for j in range(n_bins):
        t = (j + 1) * width
        if j == n_bins - 1 or t >= horizon:
            masses[j] += weight * before
            return
        if t >= end:
            now = later[n_steps] * max(math.exp(-decay * (t - end)) - left, 0.0) / max(1.0 - left, 1e-300)
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
            slope0, slope1 = max(min(slope0, 0.0), 3.0 * chord), max(min(slope1, 0.0), 3.0 * chord)  # monotone (Fritsch & Carlson 1980)
            x = (t - times[k]) / dt
            now = later[k] + x * dt * chord + x * (1.0 - x) * dt * ((1.0 - x) * (slope0 - chord) - x * (slope1 - chord))
        masses[j] += weight * max(before - now, 0.0)
        before = now


@numba.njit(nogil=True, cache=True, fastmath=True)
def _convolve(masses, kernel, first_tap, first_node, density):  # pragma: no cover - compiled
    """density[a] = sum over m of kernel[m - first_tap] masses[first_node + a - m]."""
    n_bins, n_taps = len(masses), len(kernel)
    density[:] = 0.0
    for m in range(n_taps):
        shift = first_node - (first_tap + m)
        value = kernel[m]
        for a in range(max(0, -shift), min(len(density), n_bins - shift)):
            density[a] += value * masses[a + shift]


@numba.njit(nogil=True, cache=True)
def _take_logarithms(density, first_node, width, mu, sd):  # pragma: no cover - compiled
    """Logarithms in place. Where the non-decision time no longer reaches, they go on as a parabola, as those of its own density do."""
    n = len(density)
    valid = 0
    while valid < n - 1 and (first_node + valid) * width < mu - (REACH - 1.0) * sd:
        valid += 1
    for a in range(valid, n):
        density[a] = math.log(max(density[a], 1e-300))
    anchor = (first_node + valid) * width
    z = (anchor - mu) / sd
    for a in range(valid):
        here = ((first_node + a) * width - mu) / sd
        density[a] = density[valid] - 0.5 * (here * here - z * z) - (1.5 * math.log(here / z) if z < -1.0 else 0.0)


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
    out,
    each,
):  # pragma: no cover - compiled
    n_nodes, n_conditions = len(node_weights), later.shape[1]
    shortest, longest = NO_EDGE, 0.0
    for j in range(len(rt)):
        shortest, longest = min(shortest, rt[j]), max(longest, rt[j])
    if len(rt) == 0:
        shortest, longest = 100.0, 101.0
    n_rates = lapse.shape[1]
    counts, log_kept = np.zeros(n_conditions), np.zeros((n_conditions, n_rates))
    for j in range(len(rt)):
        counts[condition[j]] += 1.0
    furthest = longest
    for edge in (high, deadline):
        if edge < NO_EDGE:
            furthest = max(furthest, edge)
    for i in range(len(out)):
        mu, sd = mu_R[i], sd_R[i]
        width = min(max(sd / 4.0, 0.25), 8.0)
        whole = _normal_cdf(mu / sd)
        n_bins = max(math.ceil(min(furthest - max(mu - REACH * sd, 0.0), horizon) / width), 0) + 2
        first_tap = max(math.floor((mu - REACH * sd) / width + 0.5), 1)
        n_taps = max(math.ceil((mu + REACH * sd) / width + 0.5) - first_tap + 1, 1)
        kernel = np.empty(n_taps)
        for m in range(n_taps):
            z = ((first_tap + m - 0.5) * width - mu) / sd
            kernel[m] = math.exp(-0.5 * z * z) / (sd * math.sqrt(2.0 * math.pi) * whole)
        first_node = math.floor(shortest / width) - 1
        last_node = math.floor(max(longest, mu - (REACH - 2.0) * sd) / width) + 2
        density = np.empty((n_conditions, 2, last_node - first_node + 1))
        masses = np.empty(n_bins)
        out[i] = 0.0
        for c in range(n_conditions):
            below, above, silent = 0.0, 0.0, 0.0
            for s in range(2):
                masses[:] = 0.0
                for q in range(n_nodes):
                    row = i * n_nodes + q
                    _add_bin_masses(times[row], later[row, c, s], decay[row, c], horizon, width, node_weights[q], masses)
                flow = 0.0
                for j in range(n_bins - 1):  # from masses of bins to weights of their middles; the last bin reaches to the horizon
                    here, next_flow = masses[j], 0.0
                    if j < n_bins - 2:
                        most = 0.25 * min(here, masses[j + 1])
                        next_flow = max(min((here - masses[j + 1]) / 24.0, most), -most)
                    masses[j] += next_flow - flow
                    flow = next_flow
                _convolve(masses[: n_bins - 1], kernel, first_tap, first_node, density[c, s])
                _take_logarithms(density[c, s], first_node, width, mu, sd)
                for j in range(n_bins):
                    middle = (j + 0.5) * width
                    below += masses[j] * _up_to(low - middle, mu, sd, whole)
                    if j < n_bins - 1:
                        late = 1.0 - _up_to(min(high, deadline) - middle, mu, sd, whole)
                        too_late = 1.0 - _up_to(deadline - middle, mu, sd, whole)
                    else:
                        late, too_late = 1.0 if min(high, deadline) < NO_EDGE else 0.0, 1.0 if deadline < NO_EDGE else 0.0
                    silent += masses[j] * too_late
                    above += masses[j] * (late - too_late)
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
                log_kept[c, e] = math.log(max(1.0 - max(cut_below, 0.0) - max(cut_above, 0.0), 1e-300))
                out[i, e] += unanswered[c] * (math.log(max(mixed, 1e-300)) - log_kept[c, e]) - counts[c] * log_kept[c, e]
        for j in range(len(rt)):
            place = rt[j] / width - first_node
            a = int(place)
            x = place - a
            near = density[condition[j], side[j]]
            value = (
                -x * (x - 1.0) * (x - 2.0) / 6.0 * near[a - 1]
                + (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0 * near[a]
                - (x + 1.0) * x * (x - 2.0) / 2.0 * near[a + 1]
                + (x + 1.0) * x * (x - 1.0) / 6.0 * near[a + 2]
            )
            least, most = min(near[a], near[a + 1]), max(near[a], near[a + 1])
            value = min(max(value, least - OVERSHOOT), most + OVERSHOOT)  # more than a peak's height only at the edge of nothing
            likely = math.exp(value)
            inside = 0.5 / (lapse_high - lapse_low) if lapse_low <= rt[j] <= lapse_high else 0.0
            for e in range(n_rates):
                eps = lapse[i, e]
                mixed = math.log(max((1.0 - eps) * likely + eps * inside, 1e-300)) if eps > 0.0 else value
                out[i, e] += mixed
                if e == 0 and len(each):
                    each[i, j] = mixed - log_kept[condition[j], 0]


@numba.njit(nogil=True, cache=True)
def _up_to(longest, mu, sd, whole):  # pragma: no cover - compiled
    """P(R <= longest) for R ~ Normal(mu, sd) cut at 0; ``whole`` is what the cut leaves."""
    if longest <= 0.0:
        return 0.0
    z = (longest - mu) / sd
    if z > 8.0:
        return 1.0
    if z < -8.0:
        return 0.0
    return max(_normal_cdf(z) + whole - 1.0, 0.0) / whole

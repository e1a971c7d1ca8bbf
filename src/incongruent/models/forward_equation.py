r"""First-passage densities of the same diffusions that `first_passage` simulates, by the Kolmogorov forward equation.

With y = x / b(t) the bounds stand still at -1 and 1 and the density p(y, t) obeys

    dp/dt = - d/dy [ (m'(t) - y b'(t)) / b(t) p ] + sigma^2 / (2 b(t)^2) d^2p/dy^2,     p(-1, t) = p(1, t) = 0

Finite volumes in y keep the mass: what leaves the outer cells is what has been absorbed, to the last digit. Time is stepped by Crank & Nicolson
(1947); a start at a single point begins with implicit steps (Rannacher 1984), since Crank-Nicolson would let its kink ring. Only the change of
the mean path over a step enters, so a drift without a finite value at 0 does no harm.

The steps lie where they are needed: each data set has the same number of them, shared between the decay of the mass, the bending of the mean
path and the first moments after the start. Once less than exp(-21) of the mass is left it is let decay exponentially.

The density of the response time is the sum over short bins of decision time of the absorbed mass times the density of the non-decision time; a
trial's log density is read off a cubic through the logarithms at equally spaced times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numba
import numpy as np

from incongruent.models.first_passage import Paths, TrialEffects
from incongruent.models.model import Kept

Array = np.ndarray

PathsOn = Callable[[Array | None], Paths]
"""Mean paths and bounds on given times (dataset, step + 1), or on the simulator's own times for None."""

PathsOf = Callable[[Array, Array | None], Paths]
"""The same of the parameter values at some positions."""

LANES = 64
"""Densities that one pass of the solver advances side by side, so that the processor's vector units are full."""
SURVIVAL_NATS = 21.0
"""The equation is solved until so much of the mass has decayed, e^-21 = 1e-9."""
SHARE_OF_DECAY, SHARE_OF_BENDING = 0.65, 0.25
"""How the time steps are shared out; the rest falls to the beginning."""
REACH = 6.0
"""How many of its standard deviations the non-decision time reaches; further out its logarithm is extended as a parabola."""
SMALLEST_SD = 1.0
"""A non-decision time that varies by less than this, in ms, counts as varying by this."""


@dataclass(frozen=True)
class Resolution:
    """How finely the equation is solved.

    Attributes:
        cells: of the space between the bounds; even.
        steps: of time.
    """

    cells: int
    steps: int


LEVELS = tuple(Resolution(80 * 2**level, 256 * 2**level) for level in range(4))
"""From fast to fine; errors fall by four from one to the next."""


@dataclass(frozen=True, eq=False)
class Passages:
    """When, and at which bound, the paths of many data sets end.

    Attributes:
        times: (dataset, step + 1) in ms, from 0.
        later: (dataset, condition, side, step + 1) probability of a passage after each time at the upper (0) and lower (1) bound.
        decay: (dataset, condition) rate, 1 / ms, at which what is left after the last time decays.
        never: (dataset, condition) probability of no passage before the horizon.
        horizon: ms; a path that has met no bound by then is a trial without an answer.
    """

    times: Array
    later: Array
    decay: Array
    never: Array
    horizon: float


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


def first_passages(paths_on: PathsOn, start: Array, resolution: Resolution) -> Passages:
    """Solve the forward equation for every data set and condition of the paths.

    Args:
        paths_on: the diffusion.
        start: (knot,) as in `TrialEffects`.
        resolution: how finely.

    Returns:
        `Passages` on times chosen for each data set.
    """
    probe = paths_on(None)
    paths = paths_on(_times(probe, resolution.steps))
    n_datasets, n_conditions, _ = paths.increment.shape
    dt = np.diff(paths.times)
    weight = np.full(dt.shape[1], 0.5)  # of the end of a step, against its beginning
    if len(start) == 1:
        paths, dt, weight = _with_implicit_start(paths_on, paths.times)
    middle = 0.5 * (paths.bound[:, 1:] + paths.bound[:, :-1])
    per_lane = [
        np.broadcast_to(values, paths.increment.shape)
        for values in (
            (paths.increment / middle[:, None]),  # change of the mean of y over a step
            (np.diff(paths.bound) / middle)[:, None],  # how far the bound moves, which presses y outwards or inwards
            (0.5 * paths.sigma**2 * dt / middle**2)[:, None],
        )
    ]
    lanes = [_in_lanes(values) for values in per_lane]
    absorbed, remaining = _solve(_start_masses(start, resolution.cells), *lanes, weight)
    absorbed = _out_of_lanes(absorbed, n_datasets * n_conditions).reshape(2, n_datasets, n_conditions, -1)
    remaining = remaining.reshape(-1)[: n_datasets * n_conditions].reshape(n_datasets, n_conditions)
    return _passages(paths.times, absorbed, np.maximum(remaining, 0.0), float(probe.times[:, -1].max()))


def _times(probe: Paths, n_steps: int) -> Array:
    """Times (dataset, n_steps + 1) between which as much happens, up to where almost nothing is left."""
    dt = np.maximum(np.diff(probe.times), 1e-300)
    middle = 0.5 * (probe.bound[:, 1:] + probe.bound[:, :-1])
    speed = probe.increment / dt[:, None]
    decay = (speed**2 / (2.0 * probe.sigma**2)).min(axis=1) + (math.pi * probe.sigma / middle) ** 2 / 8.0
    bending = np.sqrt(8.0 * np.abs(probe.bow).max(axis=1))
    first = 0.01 * (probe.bound[:, :1] / probe.sigma) ** 2  # ms; how long the start stays sharp
    return _equidistributed(probe.times, decay * dt, bending, first[:, 0], n_steps)


@numba.njit(nogil=True, cache=True)
def _equidistributed(times, decay, bending, first, n_steps):  # pragma: no cover - compiled
    n_datasets, n_probe = decay.shape
    out = np.zeros((n_datasets, n_steps + 1))
    ends = np.zeros(n_probe + 1)
    work = np.zeros(n_probe + 1)
    for i in range(n_datasets):
        ends[:] = times[i]
        last, left = n_probe, SURVIVAL_NATS
        for k in range(n_probe):
            if decay[i, k] >= left:
                ends[k + 1] = ends[k] + (ends[k + 1] - ends[k]) * left / decay[i, k]
                last = k + 1
                break
            left -= decay[i, k]
        total_decay, total_bending = 0.0, 0.0
        for k in range(last):
            part = (ends[k + 1] - ends[k]) / max(times[i, k + 1] - times[i, k], 1e-300)
            total_decay += decay[i, k] * part
            total_bending += bending[i, k] * part
        of_bending = SHARE_OF_BENDING if total_bending > 1e-9 else 0.0
        of_start = 1.0 - SHARE_OF_DECAY - SHARE_OF_BENDING
        of_decay = 1.0 - of_start - of_bending
        total_start = math.log1p(ends[last] / first[i])
        for k in range(last):
            part = (ends[k + 1] - ends[k]) / max(times[i, k + 1] - times[i, k], 1e-300)
            step = of_decay * decay[i, k] * part / total_decay
            step += of_start * (math.log1p(ends[k + 1] / first[i]) - math.log1p(ends[k] / first[i])) / total_start
            if of_bending > 0.0:
                step += of_bending * bending[i, k] * part / total_bending
            work[k + 1] = work[k] + step
        k = 0
        for j in range(1, n_steps):
            wanted = j * work[last] / n_steps
            while work[k + 1] < wanted:
                k += 1
            out[i, j] = ends[k] + (ends[k + 1] - ends[k]) * (wanted - work[k]) / (work[k + 1] - work[k])
        out[i, n_steps] = ends[last]
    return out


def _with_implicit_start(paths_on: PathsOn, times: Array) -> tuple[Paths, Array, Array]:
    """The same times with the first two steps halved, to be taken implicitly."""
    halves = 0.5 * (times[:, :2] + times[:, 1:3])
    times = np.concatenate([times[:, :1], halves[:, :1], times[:, 1:2], halves[:, 1:], times[:, 2:]], axis=1)
    dt = np.diff(times)
    weight = np.full(dt.shape[1], 0.5)
    weight[:4] = 1.0
    return paths_on(times), dt, weight


def _start_masses(start: Array, n_cells: int) -> Array:
    """Mass of each cell at time 0, from the same table from which starts are simulated."""
    if len(start) == 1:
        masses = np.zeros(n_cells)
        masses[n_cells // 2 - 1 : n_cells // 2 + 1] = 0.5
        return masses
    edges = np.linspace(-1.0, 1.0, n_cells + 1)
    return np.diff(np.interp(edges, start, np.linspace(0.0, 1.0, len(start))))


def _in_lanes(values: Array) -> Array:
    """(dataset, condition, step) -> (group, step, lane), filled up with copies of the last."""
    flat = values.reshape(-1, values.shape[-1])
    missing = -len(flat) % LANES
    if missing:
        flat = np.concatenate([flat, np.repeat(flat[-1:], missing, axis=0)])
    return np.ascontiguousarray(flat.reshape(-1, LANES, flat.shape[-1]).transpose(0, 2, 1))


def _out_of_lanes(values: Array, n: int) -> Array:
    """(side, group, step, lane) -> (side, n, step)."""
    return values.transpose(0, 1, 3, 2).reshape(2, -1, values.shape[2])[:, :n]


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _solve(start, push, squeeze, spread, weight):  # pragma: no cover - compiled
    """Masses absorbed at the upper (0) and lower (1) bound in every step, and what remains.

    push, squeeze and spread are (group, step, lane): over a step, the change of the mean of y, the relative movement of the bound, and the
    diffusion. The flux through the face at y from the cell on its left to that on its right is (adv + r) p_left + (adv - r) p_right with adv the
    advection there; through a wall it is r (3 p_outer - p_next / 3), the slope of a parabola that is zero at the wall. Each step is one
    tridiagonal system, solved for all lanes together.
    """
    n_cells, n_groups, n_steps = len(start), push.shape[0], push.shape[1]
    absorbed = np.zeros((2, n_groups, n_steps, LANES))
    remaining = np.zeros((n_groups, LANES))
    p, ratio, partial = np.empty((n_cells, LANES)), np.empty((n_cells, LANES)), np.empty((n_cells, LANES))
    r, adv, slope = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    width = 2.0 / n_cells
    last = n_cells - 1
    for g in range(n_groups):
        for j in range(n_cells):
            for i in range(LANES):
                p[j, i] = start[j]
        for k in range(n_steps):
            end, begin = weight[k], 1.0 - weight[k]
            for i in range(LANES):
                r[i] = spread[g, k, i] / (width * width)
                adv[i] = push[g, k, i] / (2.0 * width)
                slope[i] = squeeze[g, k, i] / (2.0 * width)
                absorbed[0, g, k, i] = begin * r[i] * (3.0 * p[last, i] - p[last - 1, i] / 3.0)
                absorbed[1, g, k, i] = begin * r[i] * (3.0 * p[0, i] - p[1, i] / 3.0)
            y = -1.0 + width
            for i in range(LANES):
                right = adv[i] - slope[i] * y
                own, above = -4.0 * r[i] - right, 4.0 / 3.0 * r[i] - right
                scale = 1.0 / (1.0 - end * own)
                ratio[0, i] = -end * above * scale
                partial[0, i] = (p[0, i] + begin * (own * p[0, i] + above * p[1, i])) * scale
            for j in range(1, last):
                y_left = -1.0 + width * j
                y_right = y_left + width
                for i in range(LANES):
                    left, right = adv[i] - slope[i] * y_left, adv[i] - slope[i] * y_right
                    below, own, above = left + r[i], left - right - 2.0 * r[i], r[i] - right
                    scale = 1.0 / (1.0 - end * own + end * below * ratio[j - 1, i])
                    ratio[j, i] = -end * above * scale
                    explicit = p[j, i] + begin * (below * p[j - 1, i] + own * p[j, i] + above * p[j + 1, i])
                    partial[j, i] = (explicit + end * below * partial[j - 1, i]) * scale
            y = 1.0 - width
            for i in range(LANES):
                left = adv[i] - slope[i] * y
                below, own = left + 4.0 / 3.0 * r[i], left - 4.0 * r[i]
                scale = 1.0 / (1.0 - end * own + end * below * ratio[last - 1, i])
                explicit = p[last, i] + begin * (below * p[last - 1, i] + own * p[last, i])
                p[last, i] = (explicit + end * below * partial[last - 1, i]) * scale
            for back in range(1, n_cells):
                j = last - back
                for i in range(LANES):
                    p[j, i] = partial[j, i] - ratio[j, i] * p[j + 1, i]
            for i in range(LANES):
                absorbed[0, g, k, i] += end * r[i] * (3.0 * p[last, i] - p[last - 1, i] / 3.0)
                absorbed[1, g, k, i] += end * r[i] * (3.0 * p[0, i] - p[1, i] / 3.0)
        for j in range(n_cells):
            for i in range(LANES):
                remaining[g, i] += p[j, i]
    return absorbed, remaining


def _passages(times: Array, absorbed: Array, remaining: Array, horizon: float) -> Passages:
    """What is left at the end goes on to decay as it did in the last steps, until the horizon."""
    end = times[:, -1]
    n_last = 4
    last = np.maximum(absorbed[..., -n_last:].sum(axis=-1), 0.0)  # (side, dataset, condition)
    flux = last.sum(axis=0) / (end - times[:, -1 - n_last])[:, None]
    decay = np.where(remaining > 0.0, flux / np.maximum(remaining, 1e-300), 0.0)
    rest = decay * (horizon - end)[:, None]
    after, never = remaining * -np.expm1(-rest), remaining * np.exp(-rest)
    share = last / np.maximum(last.sum(axis=0), 1e-300)
    from_end = np.flip(np.cumsum(np.flip(np.concatenate([absorbed, (after * share)[..., None]], axis=-1), -1), axis=-1), -1)
    return Passages(times, np.ascontiguousarray(from_end.transpose(1, 2, 0, 3)), decay, never, horizon)


def drift_nodes(drift_sd: float, n_nodes: int = 11) -> tuple[Array, Array]:
    """Standard normal deviates (node,) and their weights (node,), Gauss-Hermite; a single 0 without drift variability."""
    if drift_sd == 0.0:
        return np.zeros(1), np.ones(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(n_nodes)
    return nodes, weights / weights.sum()


def log_likelihood(paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution) -> Array:
    """Log likelihood of one data set at many parameter values.

    Args:
        paths_of: mean paths of some of the parameter values, given as a slice or positions, on given times.
        effects: of every parameter value, (theta,).
        observed: the trials.
        kept: which trials exist.
        resolution: how finely the forward equation is solved.

    Returns:
        (theta,); -inf where a trial is impossible.
    """
    n_theta = len(effects.mu_R)
    deviates, weights = drift_nodes(float(effects.drift_sd.max(initial=0.0)))
    rows = np.repeat(np.arange(n_theta), len(deviates))
    extra = np.tile(deviates, n_theta) * effects.drift_sd[rows]  # (theta x node,) 1 / ms

    def paths_on(times: Array | None) -> Paths:
        paths = paths_of(rows, times)
        return replace(paths, increment=paths.increment + (extra[:, None] * np.diff(paths.times))[:, None, :]) if len(deviates) > 1 else paths

    passages = first_passages(paths_on, effects.start, resolution)
    low, high = kept.window if kept.window is not None else (0.0, math.inf)
    deadline = kept.deadline if kept.deadline is not None else math.inf
    out = np.empty(n_theta)
    trials = (observed.condition.astype(np.int64), observed.side.astype(np.int64), observed.rt.astype(float), observed.unanswered.astype(float))
    varying = (effects.mu_R, np.maximum(effects.sd_R, SMALLEST_SD), effects.lapse, *map(float, effects.lapse_range))
    rules = (float(low), float(min(high, 1e9)), float(min(deadline, 1e9)))
    _log_likelihood(passages.times, passages.later, passages.decay, passages.never, passages.horizon, weights, *varying, *rules, *trials, out)
    return out


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
                slope0 = min(0.0, 2.0 * chord - slope1)
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
    while valid < n - 1 and ((first_node + valid) * width < mu - (REACH - 1.0) * sd or density[valid] <= 0.0):
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
):  # pragma: no cover - compiled
    n_nodes, n_conditions = len(node_weights), later.shape[1]
    shortest, longest = 1e9, 0.0
    for j in range(len(rt)):
        shortest, longest = min(shortest, rt[j]), max(longest, rt[j])
    if len(rt) == 0:
        shortest, longest = 100.0, 101.0
    counts = np.zeros(n_conditions)
    for j in range(len(rt)):
        counts[condition[j]] += 1.0
    furthest = longest
    for edge in (high, deadline):
        if edge < 1e9:
            furthest = max(furthest, edge)
    for i in range(len(out)):
        mu, sd, eps = mu_R[i], sd_R[i], lapse[i]
        width = min(max(sd / 2.5, 0.5), 8.0)
        whole = _normal_cdf(mu / sd)
        n_bins = max(int(math.ceil(min(furthest - max(mu - REACH * sd, 0.0), horizon) / width)), 0) + 2
        first_tap = max(int(math.floor((mu - REACH * sd) / width + 0.5)), 1)
        n_taps = max(int(math.ceil((mu + REACH * sd) / width + 0.5)) - first_tap + 1, 1)
        kernel = np.empty(n_taps)
        for m in range(n_taps):
            z = ((first_tap + m - 0.5) * width - mu) / sd
            kernel[m] = math.exp(-0.5 * z * z) / (sd * math.sqrt(2.0 * math.pi) * whole)
        first_node = int(math.floor(shortest / width)) - 1
        density = np.empty((n_conditions, 2, int(math.floor(longest / width)) - first_node + 3))
        masses = np.empty(n_bins)
        total = 0.0
        for c in range(n_conditions):
            below, above, silent = 0.0, 0.0, 0.0
            for s in range(2):
                masses[:] = 0.0
                for q in range(n_nodes):
                    row = i * n_nodes + q
                    _add_bin_masses(times[row], later[row, c, s], decay[row, c], horizon, width, node_weights[q], masses)
                before = masses[0]
                for j in range(n_bins - 2):  # from masses of bins to weights of their middles; the last bin reaches to the horizon
                    own = masses[j]
                    left = before - own if j > 0 else 0.0
                    right = masses[j + 1] - own if j < n_bins - 3 else 0.0
                    masses[j] -= max(min((left + right) / 24.0, 0.5 * own), -0.5 * own)
                    before = own
                _convolve(masses[: n_bins - 1], kernel, first_tap, first_node, density[c, s])
                _take_logarithms(density[c, s], first_node, width, mu, sd)
                for j in range(n_bins):
                    middle = (j + 0.5) * width
                    below += masses[j] * _up_to(low - middle, mu, sd, whole)
                    if j < n_bins - 1:
                        late = 1.0 - _up_to(min(high, deadline) - middle, mu, sd, whole)
                        too_late = 1.0 - _up_to(deadline - middle, mu, sd, whole)
                    else:
                        late, too_late = 1.0 if min(high, deadline) < 1e9 else 0.0, 1.0 if deadline < 1e9 else 0.0
                    silent += masses[j] * too_late
                    above += masses[j] * (late - too_late)
            for q in range(n_nodes):
                silent += node_weights[q] * never[i * n_nodes + q, c]
            silent = (1.0 - eps) * silent
            below, above = (1.0 - eps) * below, (1.0 - eps) * above
            if eps > 0.0:
                span = lapse_high - lapse_low
                below += eps * min(max(low - lapse_low, 0.0), span) / span
                lapse_late = eps * min(max(lapse_high - min(high, deadline), 0.0), span) / span
                lapse_silent = eps * min(max(lapse_high - deadline, 0.0), span) / span
                silent += lapse_silent
                above += lapse_late - lapse_silent
            kept = math.log(max(1.0 - max(below, 0.0) - max(above, 0.0), 1e-300))
            total += unanswered[c] * math.log(max(silent, 1e-300)) - (unanswered[c] + counts[c]) * kept
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
            if eps > 0.0:
                inside = 0.5 * eps / (lapse_high - lapse_low) if lapse_low <= rt[j] <= lapse_high else 0.0
                value = math.log(max((1.0 - eps) * math.exp(value) + inside, 1e-300))
            total += value
        out[i] = total


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

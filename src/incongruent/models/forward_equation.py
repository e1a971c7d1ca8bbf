r"""First-passage densities of the same diffusions that `first_passage` simulates, by the Kolmogorov
forward equation.

With y = x / b(t) the bounds stand still at -1 and 1 and the density p(y, t) obeys

    dp/dt = - d/dy [ (m'(t) - y b'(t)) / b(t) p ] + sigma^2 / (2 b(t)^2) d^2p/dy^2,     p(-1, t) =
    p(1, t) = 0

Finite volumes in y keep the mass: what leaves the outer cells is what has been absorbed, to the
last digit. Time is stepped by Crank & Nicolson (1947); a start at a single point, or with mass at
the bounds, begins with implicit steps (Rannacher 1984), since Crank-Nicolson would let it ring.
Only the change of the mean path over a step enters, so a drift without a finite value at 0 does no
harm.

The steps lie where they are needed: each data set has the same number of them, shared between the
decay of the mass, the bending of the mean path and the first moments after the start. Once less
than exp(-21) of the mass is left it is let decay exponentially.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

from incongruent.models.first_passage import Paths

Array = np.ndarray

PathsOn = Callable[[Array | None], Paths]
"""Mean paths and bounds on given times (dataset, step + 1), or on the simulator's own times for
None.
"""

LANES = 64
"""Densities that one pass of the solver advances side by side, so that the processor's vector units
are full.
"""
SURVIVAL_NATS = 21.0
"""The equation is solved until so much of the mass has decayed, e^-21 = 8e-10."""
SHARE_OF_DECAY, SHARE_OF_BENDING = 0.65, 0.25
"""How the time steps are shared out; the rest falls to the beginning."""


@dataclass(frozen=True)
class Resolution:
    """How finely the equation is solved, and decision times are gathered.

    Attributes:
        cells: of the space between the bounds; even.
        steps: of time.
        nodes: of the quadrature over a drift that varies.
        bins: of decision time, for each place at which the density of the response time is worked
            out.
    """

    cells: int
    steps: int
    nodes: int
    bins: int


LEVELS = tuple(
    Resolution(80 * 2**level, 256 * 2**level, 15 * 2**level, bins)
    for level, bins in enumerate((1, 2, 8, 32))
)
"""From fast to fine; errors fall by four from one to the next."""


@dataclass(frozen=True, eq=False)
class Passages:
    """When, and at which bound, the paths of many data sets end.

    Attributes:
        times: (dataset, step + 1) in ms, from 0.
        later: (dataset, condition, side, step + 1) probability of a passage after each time at the
            upper (0) and lower (1) bound.
        decay: (dataset, condition) rate, 1 / ms, at which what is left after the last time decays.
        never: (dataset, condition) probability of no passage before the horizon.
        horizon: ms; a path that has met no bound by then is a trial without an answer.
    """

    times: Array
    later: Array
    decay: Array
    never: Array
    horizon: float


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
    if not start_vanishes(start):
        paths, dt, weight = _with_implicit_start(paths_on, paths.times)
    middle = 0.5 * (paths.bound[:, 1:] + paths.bound[:, :-1])
    push = paths.increment / middle[:, None]  # change of the mean of y over a step
    squeeze = np.broadcast_to(
        (np.diff(paths.bound) / middle)[:, None], push.shape
    )  # how far the bound moves, which presses y outwards or inwards
    spread = np.broadcast_to((0.5 * paths.sigma**2 * dt / middle**2)[:, None], push.shape)
    masses = _start_masses(start, resolution.cells)
    absorbed, remaining = _solve(
        masses, _in_lanes(push), _in_lanes(squeeze), _in_lanes(spread), weight
    )
    absorbed = _out_of_lanes(absorbed, n_datasets * n_conditions).reshape(
        2, n_datasets, n_conditions, -1
    )
    remaining = remaining.reshape(-1)[: n_datasets * n_conditions].reshape(n_datasets, n_conditions)
    return _passages(
        paths.times, absorbed, np.maximum(remaining, 0.0), float(probe.times[:, -1].max())
    )


def _times(probe: Paths, n_steps: int) -> Array:
    """Times (dataset, n_steps + 1) between which as much happens, up to where almost nothing is
    left.
    """
    dt = np.maximum(np.diff(probe.times), 1e-300)
    middle = 0.5 * (probe.bound[:, 1:] + probe.bound[:, :-1])
    lasting = (
        np.abs(probe.increment.sum(axis=-1)) / probe.times[:, -1:]
    )  # (dataset, condition); a brief push is over before it absorbs much
    speed = np.minimum(np.abs(probe.increment) / dt[:, None], lasting[..., None])
    decay = (speed**2 / (2.0 * probe.sigma**2)).min(axis=1) + (
        math.pi * probe.sigma / middle
    ) ** 2 / 8.0
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
            step += (
                of_start
                * (math.log1p(ends[k + 1] / first[i]) - math.log1p(ends[k] / first[i]))
                / total_start
            )
            if of_bending > 0.0:
                step += of_bending * bending[i, k] * part / total_bending
            work[k + 1] = work[k] + step
        k = 0
        for j in range(1, n_steps):
            wanted = j * work[last] / n_steps
            while work[k + 1] < wanted:
                k += 1
            out[i, j] = ends[k] + (ends[k + 1] - ends[k]) * (wanted - work[k]) / (
                work[k + 1] - work[k]
            )
        out[i, n_steps] = ends[last]
    return out


def _with_implicit_start(paths_on: PathsOn, times: Array) -> tuple[Paths, Array, Array]:
    """The same times with the first two steps halved, to be taken implicitly."""
    halves = 0.5 * (times[:, :2] + times[:, 1:3])
    times = np.concatenate(
        [times[:, :1], halves[:, :1], times[:, 1:2], halves[:, 1:], times[:, 2:]], axis=1
    )
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
    masses = np.diff(np.interp(edges, start, np.linspace(0.0, 1.0, len(start))))
    return masses / masses.sum()


def start_vanishes(start: Array) -> bool:
    """Whether the density of the start falls to 0 at the bounds; where it does not, or is a point,
    Crank-Nicolson alone would ring.
    """
    near = len(start) // 1000
    return len(start) > 1 and (start[near] + 1.0) * (len(start) - 1) > 4.0 * near


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

    push, squeeze and spread are (group, step, lane): over a step, the change of the mean of y, the
    relative movement of the bound, and the diffusion. The flux through the face at y from the cell
    on its left to that on its right is (adv + r) p_left + (adv - r) p_right with adv the advection
    there; through a wall it is r (3 p_outer - p_next / 3), the slope of a parabola that is zero at
    the wall. Where a strong push makes
    |adv| larger than r, the flux takes |adv| for r, and through a wall 2 (r + adv) p_outer: upstream differences, which cannot ring. Each step is
    one tridiagonal system, solved for all lanes together.
    """
    n_cells, n_groups, n_steps = len(start), push.shape[0], push.shape[1]
    absorbed = np.zeros((2, n_groups, n_steps, LANES))
    remaining = np.zeros((n_groups, LANES))
    p, ratio, partial = (
        np.empty((n_cells, LANES)),
        np.empty((n_cells, LANES)),
        np.empty((n_cells, LANES)),
    )
    r, adv, slope = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    up, up_next, low, low_next = (
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
    )  # weights of the cells in the fluxes out
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
                upwards, downwards = adv[i] - slope[i], -adv[i] - slope[i]
                up[i], up_next[i] = (
                    (3.0 * r[i], r[i] / 3.0)
                    if abs(upwards) <= r[i]
                    else (2.0 * r[i] + 2.0 * max(upwards, 0.0), 0.0)
                )
                low[i], low_next[i] = (
                    (3.0 * r[i], r[i] / 3.0)
                    if abs(downwards) <= r[i]
                    else (2.0 * r[i] + 2.0 * max(downwards, 0.0), 0.0)
                )
                absorbed[0, g, k, i] = begin * (up[i] * p[last, i] - up_next[i] * p[last - 1, i])
                absorbed[1, g, k, i] = begin * (low[i] * p[0, i] - low_next[i] * p[1, i])
            y = -1.0 + width
            for i in range(LANES):
                right = adv[i] - slope[i] * y
                right_r = max(r[i], abs(right))
                own, above = -low[i] - right - right_r, low_next[i] + right_r - right
                scale = 1.0 / (1.0 - end * own)
                ratio[0, i] = -end * above * scale
                partial[0, i] = (p[0, i] + begin * (own * p[0, i] + above * p[1, i])) * scale
            for j in range(1, last):
                y_left = -1.0 + width * j
                y_right = y_left + width
                for i in range(LANES):
                    left, right = adv[i] - slope[i] * y_left, adv[i] - slope[i] * y_right
                    left_r, right_r = max(r[i], abs(left)), max(r[i], abs(right))
                    below, own, above = (
                        left + left_r,
                        left - right - left_r - right_r,
                        right_r - right,
                    )
                    scale = 1.0 / (1.0 - end * own + end * below * ratio[j - 1, i])
                    ratio[j, i] = -end * above * scale
                    explicit = p[j, i] + begin * (
                        below * p[j - 1, i] + own * p[j, i] + above * p[j + 1, i]
                    )
                    partial[j, i] = (explicit + end * below * partial[j - 1, i]) * scale
            y = 1.0 - width
            for i in range(LANES):
                left = adv[i] - slope[i] * y
                left_r = max(r[i], abs(left))
                below, own = left + left_r + up_next[i], left - left_r - up[i]
                scale = 1.0 / (1.0 - end * own + end * below * ratio[last - 1, i])
                explicit = p[last, i] + begin * (below * p[last - 1, i] + own * p[last, i])
                p[last, i] = (explicit + end * below * partial[last - 1, i]) * scale
            for back in range(1, n_cells):
                j = last - back
                for i in range(LANES):
                    p[j, i] = partial[j, i] - ratio[j, i] * p[j + 1, i]
            for i in range(LANES):
                absorbed[0, g, k, i] += end * (up[i] * p[last, i] - up_next[i] * p[last - 1, i])
                absorbed[1, g, k, i] += end * (low[i] * p[0, i] - low_next[i] * p[1, i])
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
    from_end = np.flip(
        np.cumsum(
            np.flip(np.concatenate([absorbed, (after * share)[..., None]], axis=-1), -1), axis=-1
        ),
        -1,
    )
    return Passages(
        times, np.ascontiguousarray(from_end.transpose(1, 2, 0, 3)), decay, never, horizon
    )

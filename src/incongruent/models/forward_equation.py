r"""First-passage densities of the diffusions of `first_passage`, by Kolmogorov's forward equation.

With y = x / b(t) the bounds stand still at -1 and 1 and the density p(y, t) obeys

    dp/dt = - d/dy [ (m'(t) - y b'(t)) / b(t) p ] + sigma^2 / (2 b(t)^2) d^2p/dy^2
    p(-1, t) = p(1, t) = 0

Finite volumes in y keep the mass: what leaves the outer cells is what has been absorbed, to the
last digit. Time is stepped by Crank & Nicolson (1947). What is sharp in the density fades quickly,
but Crank-Nicolson lets it ring for long: late, when a thousandth of a millionth of the mass is
left, hardly anything else would remain. So a few steps on the way are taken in two implicit halves
(Rannacher 1984), and the first two as well where the start is a single point or has mass at the
bounds. Only the change of the mean path over a step enters, so a drift without a finite value at 0
does no harm. A drift that varies over trials is the task of `varying_drift`.

The steps lie where they are needed: each data set has the same number of them, shared between the
decay of the mass, the bending of the mean path and the first moments after the start. Once less
than exp(-21) of the mass is left it is let decay exponentially.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from incongruent.models.finite_volumes import absorbed_masses
from incongruent.models.first_passage import Paths
from incongruent.models.time_steps import equally_busy_times
from incongruent.models.varying_drift import absorbed_over_drifts

Array = np.ndarray

PathsOn = Callable[[Array | None], Paths]
"""Mean paths and bounds on given times (dataset, step + 1), or on the simulator's own times for
None.
"""


@dataclass(frozen=True)
class Resolution:
    """How finely the equation is solved, and decision times are gathered.

    Attributes:
        cells: of the space between the bounds; even.
        steps: of time.
        level: 0 for the fastest; the higher, the more finely a varying drift is integrated over.
        bins: of decision time, for each place at which the density of the response time is worked
            out.
    """

    cells: int
    steps: int
    level: int
    bins: int


LEVELS = tuple(
    Resolution(80 * 2**level, 256 * 2**level, level, bins)
    for level, bins in enumerate((1, 2, 8, 32))
)
"""From fast to fine; errors fall by four from one to the next."""
N_LAST = 4
"""The number of steps at the end from which the decay behind them is taken."""
IMPLICIT = (0.5, 0.7, 0.9)
"""Shares of the steps after which one is taken in two implicit halves."""


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


def first_passages(
    paths_on: PathsOn, start: Array, drift_sd: Array, resolution: Resolution
) -> Passages:
    """Solve the forward equation for every data set and condition of the paths.

    Args:
        paths_on: the diffusion.
        start: (knot,) as in `TrialEffects`.
        drift_sd: (dataset,) standard deviation over trials of a constant drift beside that of the
            paths, 1 / ms.
        resolution: how finely.

    Returns:
        `Passages` on times chosen for each data set.
    """
    probe = paths_on(None)
    times, weight = _chosen_times(probe, start, drift_sd, resolution.steps)
    paths = paths_on(times)
    absorbed, remaining = _absorbed(paths, weight, start, drift_sd, resolution)
    horizon = float(probe.times[:, -1].max())
    return _passages(paths.times, absorbed, np.maximum(remaining, 0.0), horizon)


def _absorbed(
    paths: Paths, weight: Array, start: Array, drift_sd: Array, resolution: Resolution
) -> tuple[Array, Array]:
    """Absorbed masses (side, dataset, condition, step), and what remains (dataset, condition)."""
    moves = _in_units_of_the_bound(paths)
    masses = _start_masses(start, resolution.cells)
    if drift_sd.any():
        return absorbed_over_drifts(paths, weight, moves, masses, drift_sd, resolution.level)
    starts = np.broadcast_to(masses, (*moves[0].shape[:2], len(masses)))
    absorbed, left = absorbed_masses(starts, *moves, weight)
    return absorbed, left.sum(axis=-1)


def _chosen_times(probe: Paths, start: Array, drift_sd: Array, n_steps: int) -> tuple[Array, Array]:
    """Times of the steps (dataset, step + 1), and the weight of each step's end, (step,).

    The weight is against the beginning of the step: 1/2 is Crank-Nicolson, 1 an implicit step.
    """
    implicit = _implicit_steps(start, n_steps)
    times = _with_halves(equally_busy_times(probe, drift_sd, n_steps), implicit)
    weight = np.full(times.shape[1] - 1, 0.5)
    first_halves = implicit + np.arange(len(implicit))
    weight[first_halves] = weight[first_halves + 1] = 1.0
    return times, weight


def _implicit_steps(start: Array, n_steps: int) -> Array:
    """Which of the steps are taken in two implicit halves, in rising order."""
    on_the_way = [int(share * n_steps) for share in IMPLICIT]
    return np.array(on_the_way if start_vanishes(start) else [0, 1, *on_the_way])


def _with_halves(times: Array, steps: Array) -> Array:
    """Times (dataset, step + 1) with the middles of some steps among them."""
    middles = 0.5 * (times[:, steps] + times[:, steps + 1])
    return np.insert(times, steps + 1, middles, axis=1)


def _in_units_of_the_bound(paths: Paths) -> tuple[Array, Array, Array]:
    """What a step does to y, each (dataset, condition, step).

    The first array is the change of its mean, the second one how far the bound moves, which presses
    y outwards or inwards, the third one half of the variance that it gains.
    """
    middle = 0.5 * (paths.bound[:, 1:] + paths.bound[:, :-1])
    push = paths.increment / middle[:, None]
    squeeze = (np.diff(paths.bound) / middle)[:, None]
    spread = (0.5 * paths.sigma**2 * np.diff(paths.times) / middle**2)[:, None]
    return push, np.broadcast_to(squeeze, push.shape), np.broadcast_to(spread, push.shape)


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
    """Whether the density of the start falls to 0 at the bounds.

    Where it does not, or the start is a point, Crank-Nicolson alone would ring.
    """
    near = len(start) // 1000
    return len(start) > 1 and (start[near] + 1.0) * (len(start) - 1) > 4.0 * near


def _passages(times: Array, absorbed: Array, remaining: Array, horizon: float) -> Passages:
    """Passages when what is left at the end decays as in the last steps, until the horizon."""
    last = np.maximum(absorbed[..., -N_LAST:].sum(axis=-1), 0.0)  # (side, dataset, condition)
    decay = _rate_of_decay(last, remaining, times)
    rest = decay * (horizon - times[:, -1])[:, None]
    after, never = remaining * -np.expm1(-rest), remaining * np.exp(-rest)
    later = _absorbed_later(absorbed, after * _share_of_sides(last))
    return Passages(times, later, decay, never, horizon)


def _rate_of_decay(last: Array, remaining: Array, times: Array) -> Array:
    """The rate at which mass has decayed exponentially in the last steps, (dataset, condition)."""
    duration = times[:, -1] - times[:, -1 - N_LAST]
    lost = last.sum(axis=0) / np.maximum(remaining, 1e-300)
    return np.where(remaining > 0.0, np.log1p(lost) / duration[:, None], 0.0)


def _share_of_sides(masses: Array) -> Array:
    """The share of each side in masses (side, dataset, condition); 0 where there is no mass."""
    return masses / np.maximum(masses.sum(axis=0), 1e-300)


def _absorbed_later(absorbed: Array, after: Array) -> Array:
    """The mass absorbed from each step on, (dataset, condition, side, step + 1).

    ``absorbed`` is (side, dataset, condition, step), and ``after`` what comes behind the last step.
    """
    later = _summed_from_the_end(np.concatenate([absorbed, after[..., None]], axis=-1))
    return np.ascontiguousarray(later.transpose(1, 2, 0, 3))


def _summed_from_the_end(values: Array) -> Array:
    """Sums of the values along the last axis from each place on to the end."""
    return np.flip(np.cumsum(np.flip(values, -1), axis=-1), -1)

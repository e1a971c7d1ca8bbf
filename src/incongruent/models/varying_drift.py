r"""First passages where the drift varies over trials, by one solution for all drifts.

A trial's drift is that of the mean path and eta more, eta ~ Normal(0, s^2). By Girsanov's theorem
a shift by eta multiplies the probability of a path that began at x0 and is at x at time t by
exp(eta z / sigma^2 - eta^2 t / (2 sigma^2)), z = x - m(t) - x0, with m the mean path. The mean over
eta has a closed form,

    g = c^(-1/2) exp(s^2 z^2 / (2 sigma^4 c)),    c(t) = 1 + s^2 t / sigma^2

Paths from x0 = 0 of all drifts together are themselves a diffusion, since where a path is tells
which drift is to be expected. It is the guide, whose drift is linear in x:

    dX = m'(t) dt + s^2 / (sigma^2 c) (X - m(t)) dt + sigma dW

A path of the guide from x0 = b(0) y0 to x = m(t) + b(0) zeta counts, with r = s b(0) / sigma^2,

    exp(r^2 y0^2) exp(-r^2 [zeta y0 / c + (1 - 1 / c) y0^2 / 2])

The first factor belongs to the start. The second one is smooth in y0, and is replaced by the
polynomial through a few places y0 = y_k: the start is divided into as many parts, each multiplied
by the Lagrange polynomial of its place, all parts follow the same equation, and what is absorbed of
part k in a step counts with the factor of y_k. A point start needs no parts and no factor.
Probabilities are scaled to sum to 1, so that errors of the polynomial and of the grid, which the
factors enlarge, stay small.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from incongruent.models.finite_volumes import absorbed_masses
from incongruent.models.first_passage import Paths

Array = np.ndarray

Moves = tuple[Array, Array, Array]
"""Push, squeeze and spread of y in each step, (dataset, condition, step)."""

PARTS = (1.7, 1.2, 1.6)
"""The start has at least as many parts as the polynomial in r with these coefficients says.

On the fastest level of accuracy densities are then as exact as without drift variability."""
STEEP = 0.4
"""Late factors need as many parts as an r whose square is this share of r^2 |zeta| / c."""
LANES_AT_ONCE = 1024
"""Parts and conditions that are followed together. More would not fit into the processor's
cache."""


class _Parts(NamedTuple):
    """Parts of the starts of all data sets, one after the other.

    Attributes:
        dataset: (part,) position of the data set.
        place: (part,) y_k.
        masses: (part, cell) at time 0.
    """

    dataset: Array
    place: Array
    masses: Array


class _Guide(NamedTuple):
    """What the guide adds to the mean path.

    Attributes:
        r: (dataset,) how far the expected drift depends on the start.
        c: (dataset, step + 1) from 1 on, how much the drift's variance shrinks as time tells it.
        mean: (dataset, condition, step + 1) the mean path at the ends of the steps, from 0.
    """

    r: Array
    c: Array
    mean: Array


def growth_of_spread(times: Array, drift_sd: Array, sigma: float) -> Array:
    """c(t) at times (dataset, time), for drift_sd (dataset,)."""
    return 1.0 + (drift_sd / sigma)[:, None] ** 2 * times


def absorbed_over_drifts(
    paths: Paths, weight: Array, moves: Moves, masses: Array, drift_sd: Array, level: int
) -> tuple[Array, Array]:
    """The mass absorbed at each bound in every step over all drifts, and what remains.

    Args:
        paths: mean paths and bounds.
        weight: (step,) as `absorbed_masses` takes it.
        moves: push, squeeze and spread of the mean drift as `absorbed_masses` takes them.
        masses: (cell,) of the start; of two cells in the middle for a point start.
        drift_sd: (dataset,) standard deviation of the drift, 1 / ms.
        level: of accuracy; 0 is the fastest one.

    Returns:
        The absorbed mass (side, dataset, condition, step) and the remaining one (dataset,
        condition).
    """
    guide = _guide(paths, drift_sd)
    guided = _guided(moves, paths, guide)
    n_datasets, n_conditions, n_steps = guided[0].shape
    absorbed = np.empty((2, n_datasets, n_conditions, n_steps))
    remaining = np.empty((n_datasets, n_conditions))
    for some in _blocks(_parts(masses, guide, paths, level), n_conditions):
        datasets, first = np.unique(some.dataset, return_index=True)
        of_parts, left = _counted(paths, weight, guide, guided, some)
        absorbed[:, datasets] = np.add.reduceat(of_parts, first, axis=1)
        remaining[datasets] = np.add.reduceat(left, first, axis=0)
    total = absorbed.sum(axis=(0, -1)) + remaining
    absorbed /= total[..., None]
    return absorbed, remaining / total


def _counted(
    paths: Paths, weight: Array, guide: _Guide, guided: Moves, parts: _Parts
) -> tuple[Array, Array]:
    """The counted mass that is absorbed of each part, and that remains of it.

    The first is (side, part, condition, step), the second (part, condition).
    """
    n_conditions = guided[0].shape[1]
    start = np.repeat(parts.masses[:, None], n_conditions, axis=1)
    push, squeeze, spread = (values[parts.dataset] for values in guided)
    absorbed, left = absorbed_masses(start, push, squeeze, spread, weight)
    absorbed *= _factors(paths, guide, parts)
    left *= _factors_at_end(paths, guide, parts)
    return absorbed, left.sum(axis=-1)


def _guide(paths: Paths, drift_sd: Array) -> _Guide:
    mean = np.zeros((*paths.increment.shape[:2], paths.times.shape[1]))
    np.cumsum(paths.increment, axis=-1, out=mean[..., 1:])
    r = drift_sd * paths.bound[:, 0] / paths.sigma**2
    return _Guide(r, growth_of_spread(paths.times, drift_sd, paths.sigma), mean)


def _guided(moves: Moves, paths: Paths, guide: _Guide) -> Moves:
    """Push, squeeze and spread of the guide from those of the mean drift."""
    push, squeeze, spread = moves
    pull = np.diff(np.log(guide.c))[:, None]
    middle = _middles(paths.bound)[:, None]
    return push - pull * _middles(guide.mean) / middle, squeeze - pull, spread


def _middles(values: Array) -> Array:
    """The means of neighbours along the last axis."""
    return 0.5 * (values[..., 1:] + values[..., :-1])


def _parts(masses: Array, guide: _Guide, paths: Paths, level: int) -> _Parts:
    """Parts of the start (cell,) of every data set."""
    r, n_cells = guide.r, len(masses)
    if np.count_nonzero(masses) == 2:  # a point start
        return _Parts(np.arange(len(r)), np.zeros(len(r)), np.tile(masses, (len(r), 1)))
    number = _number_of_parts(np.maximum(r, np.sqrt(STEEP * _steepest(paths, guide)))) + level
    place = np.concatenate([_places(n) for n in number.tolist()])
    shape = np.concatenate([_polynomials(n, n_cells) for n in number.tolist()])
    of_start = masses * np.exp((r[:, None] * _middles_of_cells(n_cells)) ** 2)
    dataset = np.repeat(np.arange(len(r)), number)
    return _Parts(dataset, place, shape * of_start[dataset])


def _number_of_parts(r: Array) -> Array:
    return np.ceil(PARTS[0] + r * (PARTS[1] + r * PARTS[2])).astype(int)


def _steepest(paths: Paths, guide: _Guide) -> Array:
    """The largest r^2 |zeta| / c at the end, where hardly a path is left, (dataset,)."""
    distance = paths.bound[:, -1] + np.abs(guide.mean[..., -1]).max(axis=1)
    return guide.r**2 * distance / (paths.bound[:, 0] * guide.c[:, -1])


def _middles_of_cells(n_cells: int) -> Array:
    """The middles of the cells between -1 and 1, (cell,)."""
    return (np.arange(n_cells) + 0.5) * 2.0 / n_cells - 1.0


@lru_cache(maxsize=64)
def _places(number: int) -> Array:
    """Places between -1 and 1 for a polynomial: the extrema of Legendre's of one degree more."""
    return np.polynomial.legendre.Legendre.basis(number + 1).deriv().roots().real


@lru_cache(maxsize=256)
def _polynomials(number: int, n_cells: int) -> Array:
    """Lagrange's polynomials of so many places in the middles of cells, (place, cell)."""
    y, places = _middles_of_cells(n_cells), _places(number)
    others = [np.delete(places, k) for k in range(number)]
    each = zip(places, others, strict=True)
    return np.array([np.prod((y[:, None] - o) / (p - o), axis=1) for p, o in each])


def _blocks(parts: _Parts, n_conditions: int) -> Iterator[_Parts]:
    """All parts of some data sets at a time."""
    first = np.searchsorted(parts.dataset, parts.dataset)  # (part,) first part of the data set
    block = first * n_conditions // LANES_AT_ONCE
    edges = np.flatnonzero(np.diff(block, prepend=-1, append=block[-1] + 1))
    for begin, end in pairwise(edges):
        yield _Parts(*(values[begin:end] for values in parts))


def _factors(paths: Paths, guide: _Guide, parts: _Parts) -> Array:
    """What counts of the mass absorbed of each part, (side, part, condition, step).

    It is that of the means over the step of zeta / c and 1 / c.
    """
    rows = np.arange(parts.dataset[0], parts.dataset[-1] + 1)
    at, bound, c, mean = parts.dataset - rows[0], paths.bound[rows], guide.c[rows], guide.mean[rows]
    scale = 1.0 / (bound[:, :1] * c)[:, None]
    zeta = np.stack([_middles((side * bound[:, None] - mean) * scale) for side in (1.0, -1.0)])
    return _factor(guide, parts, zeta[:, at], _middles(1.0 / c)[at])


def _factors_at_end(paths: Paths, guide: _Guide, parts: _Parts) -> Array:
    """What counts of the mass that remains of each part in the cells, (part, condition, cell)."""
    at = parts.dataset
    bound, c = paths.bound[at], guide.c[at, -1:]
    x = _middles_of_cells(parts.masses.shape[1]) * bound[:, -1:]
    zeta = (x[:, None] - guide.mean[at, :, -1:]) / bound[:, :1, None]
    return _factor(guide, parts, zeta / c[..., None], 1.0 / c)


def _factor(guide: _Guide, parts: _Parts, zeta: Array, shrunk: Array) -> Array:
    """The factor of parts at zeta / c (..., part, condition, value) and 1 / c (part, value)."""
    tilt = guide.r[parts.dataset] ** 2 * parts.place
    bend = (0.5 * tilt * parts.place)[:, None] * (1.0 - shrunk)
    return np.exp(-tilt[:, None, None] * zeta - bend[:, None])

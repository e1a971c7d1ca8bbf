r"""The forward equation by finite volumes in y, many densities side by side.

Over a step the mass p of a cell changes by the fluxes through its two faces. The flux through the
face at y from the cell on its left to that on its right is

    (adv + r) p_left + (adv - r) p_right

with adv the advection there and r the diffusion; through a wall it is r (3 p_outer - p_next / 3),
the slope of a parabola that is zero at the wall. Where a strong push makes |adv| larger than r, the
flux takes |adv| for r, and through a wall 2 (r + adv) p_outer: upstream differences, which cannot
ring. Each step is one tridiagonal system, solved for all lanes together.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from incongruent.models.compiling import step

Array = np.ndarray

LANES = 64
"""Densities that one pass of the solver advances side by side, to fill the vector units."""


class _Rates(NamedTuple):
    """What happens within a step, for each lane; every array is (lane,).

    Attributes:
        r: diffusion.
        adv: advection at y = 0.
        slope: what the advection loses from y = 0 to y = 1, since the bound moves.
        up: weight of the uppermost cell in the flux through the upper wall.
        up_next: weight, to be subtracted, of the cell below it.
        low: weight of the lowest cell in the flux through the lower wall.
        low_next: weight, to be subtracted, of the cell above it.
    """

    r: Array
    adv: Array
    slope: Array
    up: Array
    up_next: Array
    low: Array
    low_next: Array


def absorbed_masses(
    start: Array, push: Array, squeeze: Array, spread: Array, weight: Array
) -> tuple[Array, Array]:
    """The mass absorbed at each bound in every step, and what remains after the last one.

    Args:
        start: (dataset, condition, cell) masses at time 0.
        push: (dataset, condition, step) change of the mean of y over a step.
        squeeze: (dataset, condition, step) relative movement of the bound over a step.
        spread: (dataset, condition, step) half the variance that a step adds to y.
        weight: (step,) of the end of a step against its beginning: 1/2 for Crank-Nicolson, 1 for
            an implicit step.

    Returns:
        The absorbed mass (side, dataset, condition, step), the upper bound first, and the remaining
        one (dataset, condition, cell).
    """
    absorbed, remaining = _solve(
        _in_lanes(start), _in_lanes(push), _in_lanes(squeeze), _in_lanes(spread), weight
    )
    sides = [_in_order(side, push.shape) for side in absorbed]
    return np.stack(sides), _in_order(remaining, start.shape)


def _in_lanes(values: Array) -> Array:
    """(dataset, condition, step) -> (group, step, lane), filled up with copies of the last."""
    flat = values.reshape(-1, values.shape[-1])
    missing = -len(flat) % LANES
    if missing:
        flat = np.concatenate([flat, np.repeat(flat[-1:], missing, axis=0)])
    return np.ascontiguousarray(flat.reshape(-1, LANES, flat.shape[-1]).transpose(0, 2, 1))


def _in_order(lanes: Array, shape: tuple[int, ...]) -> Array:
    """(group, step, lane) -> (dataset, condition, step), without the copies."""
    flat = lanes.transpose(0, 2, 1).reshape(-1, shape[-1])
    return flat[: shape[0] * shape[1]].reshape(shape)


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _solve(start, push, squeeze, spread, weight):  # pragma: no cover - compiled
    """Absorbed masses (side, group, step, lane) and what remains (group, cell, lane).

    ``start`` is (group, cell, lane); ``push``, ``squeeze`` and ``spread`` are (group, step, lane).
    """
    n_cells, n_groups, n_steps = start.shape[1], push.shape[0], push.shape[1]
    absorbed = np.zeros((2, n_groups, n_steps, LANES))
    remaining = np.empty((n_groups, n_cells, LANES))
    p, ratio, partial = (
        np.empty((n_cells, LANES)),
        np.empty((n_cells, LANES)),
        np.empty((n_cells, LANES)),
    )
    rates = _empty_rates()
    width = 2.0 / n_cells
    for g in range(n_groups):
        p[:] = start[g]
        for k in range(n_steps):
            end, begin = weight[k], 1.0 - weight[k]
            _set_rates(rates, push, squeeze, spread, g, k, width)
            _add_fluxes(absorbed, g, k, p, rates, begin)
            _eliminate(p, ratio, partial, rates, begin, end, width)
            _substitute(p, ratio, partial)
            _add_fluxes(absorbed, g, k, p, rates, end)
        remaining[g] = p
    return absorbed, remaining


@step
def _empty_rates():  # pragma: no cover - compiled
    """Rates to be filled."""
    return _Rates(
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
    )


@step
def _set_rates(rates, push, squeeze, spread, g, k, width):  # pragma: no cover - compiled
    """The rates of step k of a group, with cells of a width."""
    r, adv, slope, up, up_next, low, low_next = rates
    for i in range(LANES):
        r[i] = spread[g, k, i] / (width * width)
        adv[i] = push[g, k, i] / (2.0 * width)
        slope[i] = squeeze[g, k, i] / (2.0 * width)
        up[i], up_next[i] = _wall(r[i], adv[i] - slope[i])
        low[i], low_next[i] = _wall(r[i], -adv[i] - slope[i])


@step
def _wall(r, outwards):  # pragma: no cover - compiled
    """Weights of the outer cell and of the next one in the flux through a wall.

    The second one is to be subtracted.
    """
    if abs(outwards) <= r:
        return 3.0 * r, r / 3.0
    return 2.0 * r + 2.0 * max(outwards, 0.0), 0.0


@step
def _add_fluxes(absorbed, g, k, p, rates, share):  # pragma: no cover - compiled
    """Add a share of the fluxes through both walls to what step k absorbs."""
    up, up_next, low, low_next = rates.up, rates.up_next, rates.low, rates.low_next
    last = len(p) - 1
    for i in range(LANES):
        absorbed[0, g, k, i] += share * (up[i] * p[last, i] - up_next[i] * p[last - 1, i])
        absorbed[1, g, k, i] += share * (low[i] * p[0, i] - low_next[i] * p[1, i])


@step
def _eliminate(p, ratio, partial, rates, begin, end, width):  # pragma: no cover - compiled
    """The forward sweep of the tridiagonal system; the last cell of ``p`` is at its end already."""
    _eliminate_lowest(p, ratio, partial, rates, begin, end, width)
    _eliminate_inner(p, ratio, partial, rates, begin, end, width)
    _solve_uppermost(p, ratio, partial, rates, begin, end, width)


@step
def _eliminate_lowest(p, ratio, partial, rates, begin, end, width):  # pragma: no cover - compiled
    """The row of the lowest cell, which lies at the lower wall."""
    r, adv, slope, low, low_next = rates.r, rates.adv, rates.slope, rates.low, rates.low_next
    y = -1.0 + width
    for i in range(LANES):
        right = adv[i] - slope[i] * y
        right_r = max(r[i], abs(right))
        own, above = -low[i] - right - right_r, low_next[i] + right_r - right
        scale = 1.0 / (1.0 - end * own)
        ratio[0, i] = -end * above * scale
        partial[0, i] = (p[0, i] + begin * (own * p[0, i] + above * p[1, i])) * scale


@step
def _eliminate_inner(p, ratio, partial, rates, begin, end, width):  # pragma: no cover - compiled
    """The rows of the cells between the outermost ones, upwards."""
    r, adv, slope = rates.r, rates.adv, rates.slope
    for j in range(1, len(p) - 1):
        y_left = -1.0 + width * j
        y_right = y_left + width
        for i in range(LANES):
            below, own, above = _row(r[i], adv[i] - slope[i] * y_left, adv[i] - slope[i] * y_right)
            scale = 1.0 / (1.0 - end * own + end * below * ratio[j - 1, i])
            ratio[j, i] = -end * above * scale
            explicit = p[j, i] + begin * (below * p[j - 1, i] + own * p[j, i] + above * p[j + 1, i])
            partial[j, i] = (explicit + end * below * partial[j - 1, i]) * scale


@step
def _solve_uppermost(p, ratio, partial, rates, begin, end, width):  # pragma: no cover - compiled
    """The row of the uppermost cell, which lies at the upper wall, and its mass at the end."""
    r, adv, slope, up, up_next = rates.r, rates.adv, rates.slope, rates.up, rates.up_next
    last, y = len(p) - 1, 1.0 - width
    for i in range(LANES):
        left = adv[i] - slope[i] * y
        left_r = max(r[i], abs(left))
        below, own = left + left_r + up_next[i], left - left_r - up[i]
        scale = 1.0 / (1.0 - end * own + end * below * ratio[last - 1, i])
        explicit = p[last, i] + begin * (below * p[last - 1, i] + own * p[last, i])
        p[last, i] = (explicit + end * below * partial[last - 1, i]) * scale


@step
def _row(r, left, right):  # pragma: no cover - compiled
    """Rates at which a cell gains from the one below, itself and the one above.

    ``left`` and ``right`` are the advections through its faces.
    """
    left_r, right_r = max(r, abs(left)), max(r, abs(right))
    return left + left_r, left - right - left_r - right_r, right_r - right


@step
def _substitute(p, ratio, partial):  # pragma: no cover - compiled
    """The backward sweep of the tridiagonal system, from the last cell of ``p`` on."""
    last = len(p) - 1
    for back in range(1, len(p)):
        j = last - back
        for i in range(LANES):
            p[j, i] = partial[j, i] - ratio[j, i] * p[j + 1, i]

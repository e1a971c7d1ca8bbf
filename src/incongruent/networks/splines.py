r"""Monotone rational-quadratic splines (Durkan, Bekasov, Murray & Papamakarios 2019, Neural Spline
Flows, equations 4-8).

A spline maps [-limit, limit] onto itself through K bins with knots (x_k, y_k) and derivatives d_k >
0, and is the identity outside. With s = (y_{k+1} - y_k) / (x_{k+1} - x_k) and xi the place within
the bin, in [0, 1]:

    y = y_k + (y_{k+1} - y_k) [s xi^2 + d_k xi (1 - xi)] / [s + (d_{k+1} + d_k - 2 s) xi (1 - xi)]
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LIMIT = 5.0
SMALLEST_BIN = 1e-3
SMALLEST_SLOPE = 1e-3
UNIT_SLOPE = math.log(
    math.expm1(1.0 - SMALLEST_SLOPE)
)  # softplus of this is a slope of 1: raw zeros give the identity


class Spline(NamedTuple):
    """The knots of one spline; slopes unconstrained, since only the two at the ends of a bin are
    ever needed.
    """

    x: Float[Array, " knot"]
    y: Float[Array, " knot"]
    raw_slope: Float[Array, " knot"]


def n_raw(n_bins: int) -> int:
    """How many unconstrained numbers describe a spline of so many bins."""
    return 3 * n_bins - 1


def spline_from_raw(raw: Float[Array, " raw"], n_bins: int) -> Spline:
    """A spline from unconstrained numbers; zeros give the identity."""
    width, height, slope = jnp.split(raw, [n_bins, 2 * n_bins])
    return Spline(_knots(width, n_bins), _knots(height, n_bins), jnp.pad(slope, 1))


def _knots(raw: Float[Array, " bin"], n_bins: int) -> Float[Array, " knot"]:
    share = SMALLEST_BIN + (1.0 - SMALLEST_BIN * n_bins) * jax.nn.softmax(raw)
    inner = LIMIT * (2.0 * jnp.cumsum(share)[:-1] - 1.0)
    return jnp.pad(inner, 1, constant_values=(-LIMIT, LIMIT))


def _bin_of(
    value: Float[Array, ""], knots: Float[Array, " knot"], spline: Spline
) -> tuple[Array, ...]:
    """The bin's corners x0, x1, y0, y1 and end slopes d0, d1. A sum over a one-hot mask is faster
    than a gather on every device.
    """
    here = (value >= knots[:-1]) & (value < knots[1:])
    x0, x1, y0, y1, raw0, raw1 = (
        jnp.sum(jnp.where(here, ends, 0.0)) for array in spline for ends in (array[:-1], array[1:])
    )
    return x0, x1, y0, y1, _slope(raw0), _slope(raw1)


def _slope(raw: Float[Array, ""]) -> Float[Array, ""]:
    return SMALLEST_SLOPE + jax.nn.softplus(raw + UNIT_SLOPE)


def forward(spline: Spline, x: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Y and log dy/dx."""
    inside = jnp.abs(x) < LIMIT
    safe = jnp.where(inside, x, 0.0)
    x0, x1, y0, y1, d0, d1 = _bin_of(safe, spline.x, spline)
    s = (y1 - y0) / (x1 - x0)
    xi = (safe - x0) / (x1 - x0)
    bend = xi * (1.0 - xi)
    y = y0 + (y1 - y0) * (s * xi**2 + d0 * bend) / (s + (d1 + d0 - 2.0 * s) * bend)
    return jnp.where(inside, y, x), jnp.where(inside, _log_slope(xi, s, d0, d1), 0.0)


def inverse(spline: Spline, y: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """X with forward(x) = y, and log dy/dx there: the root of a quadratic, in the form that does
    not cancel.
    """
    inside = jnp.abs(y) < LIMIT
    safe = jnp.where(inside, y, 0.0)
    x0, x1, y0, y1, d0, d1 = _bin_of(safe, spline.y, spline)
    s = (y1 - y0) / (x1 - x0)
    curve = (safe - y0) * (d1 + d0 - 2.0 * s)
    a = (y1 - y0) * (s - d0) + curve
    b = (y1 - y0) * d0 - curve
    c = -s * (safe - y0)
    xi = 2.0 * c / (-b - jnp.sqrt(jnp.maximum(b * b - 4.0 * a * c, 0.0)))
    return jnp.where(inside, x0 + xi * (x1 - x0), y), jnp.where(
        inside, _log_slope(xi, s, d0, d1), 0.0
    )


def _log_slope(
    xi: Float[Array, ""], s: Float[Array, ""], d0: Float[Array, ""], d1: Float[Array, ""]
) -> Float[Array, ""]:
    """Log dy/dx at the place xi of a bin with mean slope s and end slopes d0, d1."""
    bend = xi * (1.0 - xi)
    return (
        2.0 * jnp.log(s)
        + jnp.log(d1 * xi**2 + 2.0 * s * bend + d0 * (1.0 - xi) ** 2)
        - 2.0 * jnp.log(s + (d1 + d0 - 2.0 * s) * bend)
    )

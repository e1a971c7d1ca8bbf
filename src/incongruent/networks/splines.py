r"""Monotone rational-quadratic splines.

They are those of Durkan, Bekasov, Murray & Papamakarios (2019, Neural Spline Flows, equations 4-8).
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
UNIT_SLOPE = math.log(math.expm1(1.0 - SMALLEST_SLOPE))
"""Softplus of this is a slope of 1, so that raw zeros give the identity."""


class Spline(NamedTuple):
    """The knots of one spline.

    Slopes are unconstrained, since only the two at the ends of a bin are ever needed.
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
    """Knots from -limit to limit, with bins of at least a smallest width."""
    share = SMALLEST_BIN + (1.0 - SMALLEST_BIN * n_bins) * jax.nn.softmax(raw)
    inner = LIMIT * (2.0 * jnp.cumsum(share)[:-1] - 1.0)
    return jnp.pad(inner, 1, constant_values=(-LIMIT, LIMIT))


class Bin(NamedTuple):
    """One bin of a spline: its corners, and the slopes at its ends."""

    x0: Float[Array, ""]
    x1: Float[Array, ""]
    y0: Float[Array, ""]
    y1: Float[Array, ""]
    d0: Float[Array, ""]
    d1: Float[Array, ""]

    @property
    def mean_slope(self) -> Float[Array, ""]:
        """The slope of the line between the corners."""
        return (self.y1 - self.y0) / (self.x1 - self.x0)


def _bin_of(value: Float[Array, ""], knots: Float[Array, " knot"], spline: Spline) -> Bin:
    """The bin between whose knots a value lies.

    A sum over a one-hot mask is faster than a gather on every device.
    """
    here = (value >= knots[:-1]) & (value < knots[1:])
    x0, x1, y0, y1, raw0, raw1 = (
        jnp.sum(jnp.where(here, ends, 0.0)) for array in spline for ends in (array[:-1], array[1:])
    )
    return Bin(x0, x1, y0, y1, _slope(raw0), _slope(raw1))


def _slope(raw: Float[Array, ""]) -> Float[Array, ""]:
    return SMALLEST_SLOPE + jax.nn.softplus(raw + UNIT_SLOPE)


def forward(spline: Spline, x: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Y and log dy/dx."""
    inside = jnp.abs(x) < LIMIT
    safe = jnp.where(inside, x, 0.0)
    at = _bin_of(safe, spline.x, spline)
    s = at.mean_slope
    xi = (safe - at.x0) / (at.x1 - at.x0)
    y = jnp.where(inside, _height(at, s, xi), x)
    return y, jnp.where(inside, _log_slope(at, s, xi), 0.0)


def inverse(spline: Spline, y: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """X with forward(x) = y, and log dy/dx there."""
    inside = jnp.abs(y) < LIMIT
    safe = jnp.where(inside, y, 0.0)
    at = _bin_of(safe, spline.y, spline)
    s = at.mean_slope
    xi = _place(at, s, safe)
    x = jnp.where(inside, at.x0 + xi * (at.x1 - at.x0), y)
    return x, jnp.where(inside, _log_slope(at, s, xi), 0.0)


def _height(at: Bin, s: Float[Array, ""], xi: Float[Array, ""]) -> Float[Array, ""]:
    """Y at the place xi of a bin with mean slope s."""
    bend, rise = xi * (1.0 - xi), at.y1 - at.y0
    return at.y0 + rise * (s * xi**2 + at.d0 * bend) / (s + (at.d1 + at.d0 - 2.0 * s) * bend)


def _place(at: Bin, s: Float[Array, ""], y: Float[Array, ""]) -> Float[Array, ""]:
    """The place xi of a bin with mean slope s that has this y.

    It is the root of a quadratic equation, in the form in which no terms cancel.
    """
    rise = at.y1 - at.y0
    curve = (y - at.y0) * (at.d1 + at.d0 - 2.0 * s)
    a = rise * (s - at.d0) + curve
    b = rise * at.d0 - curve
    c = -s * (y - at.y0)
    return 2.0 * c / (-b - jnp.sqrt(jnp.maximum(b * b - 4.0 * a * c, 0.0)))


def _log_slope(at: Bin, s: Float[Array, ""], xi: Float[Array, ""]) -> Float[Array, ""]:
    """Log dy/dx at the place xi of a bin with mean slope s."""
    bend = xi * (1.0 - xi)
    return (
        2.0 * jnp.log(s)
        + jnp.log(at.d1 * xi**2 + 2.0 * s * bend + at.d0 * (1.0 - xi) ** 2)
        - 2.0 * jnp.log(s + (at.d1 + at.d0 - 2.0 * s) * bend)
    )

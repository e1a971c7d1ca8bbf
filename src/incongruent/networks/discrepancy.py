r"""Maximum mean discrepancy (Gretton et al. 2012) with a sum of inverse multiquadric kernels.

    MMD^2(P, Q) = E k(x, x') - 2 E k(x, y) + E k(y, y')
    k(x, y) = sum_c c / (c + |x - y|^2) / 5,    c = 2 dim {1/4, 1/2, 1, 2, 4}

|x - y|^2 between standard normal vectors averages 2 dim, so the scales lie where the kernel can
tell vectors apart. The estimate is unbiased: pairs i = j are left out.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)


def kernel(x: Float[Array, "m dim"], y: Float[Array, "n dim"]) -> Float[Array, "m n"]:
    """k(x_i, y_j) for all pairs."""
    squared = jnp.maximum(_squared_distances(x, y), 0.0)[..., None]  # (m, n, 1)
    scales = 2.0 * x.shape[1] * jnp.asarray(SCALES)[None, None]  # (1, 1, scale)
    return jnp.sum(scales / (scales + squared), axis=-1) / len(SCALES)


def _squared_distances(x: Float[Array, "m dim"], y: Float[Array, "n dim"]) -> Float[Array, "m n"]:
    """|x_i - y_j|^2; rounding may make it slightly negative."""
    return jnp.sum(x**2, 1)[:, None] + jnp.sum(y**2, 1)[None, :] - 2.0 * x @ y.T


def mmd_squared(x: Float[Array, "m dim"], y: Float[Array, "n dim"]) -> Float[Array, ""]:
    """Unbiased estimate of MMD^2 between the distributions of x and y; may be slightly negative."""

    def within(a: Float[Array, "k dim"]) -> Float[Array, ""]:
        k = kernel(a, a)
        return (jnp.sum(k) - jnp.trace(k)) / (len(a) * (len(a) - 1))

    return within(x) + within(y) - 2.0 * jnp.mean(kernel(x, y))

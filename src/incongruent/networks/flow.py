r"""Conditional normalising flows: an invertible map z -> u given a context, with u standard normal.

    log q(z | context) = log N(u; 0, I) + log |du/dz|

`Whitening` removes the location, scale and linear dependence that the context predicts; layers with
affine or spline transforms do the rest. This is the interface: options build a flow, and a flow is
made of layers. Methods are written for one data set.
"""

from __future__ import annotations

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.networks.layers import Linear, Weights, linear, part_of


class FlowOptions(abc.ABC):
    """The settings of a flow, and how it is built from them: what `Architecture` takes."""

    @abc.abstractmethod
    def build(self, weights: Weights, dim: int, context_dim: int) -> Flow:
        """An untrained flow with these settings.

        Args:
            weights: initial ones.
            dim: dimension of z.
            context_dim: dimension of the context.
        """


class Layer(eqx.Module):
    """An invertible map of z that the context chooses."""

    @abc.abstractmethod
    def forward(
        self,
        z: Float[Array, " dim"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """The next z and log |d next / dz|, with dropout where there is a key."""

    @abc.abstractmethod
    def inverse(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """Z with forward(z) = u, and log |du/dz|."""


class Whitening(eqx.Module):
    """u = exp(s) * T (z - m), where m, s and T come from the context.

    m is the location, s are the log scales, and T is unit lower triangular.
    """

    head: Linear
    dim: int = eqx.field(static=True)

    def __init__(self, dim: int, context_dim: int) -> None:
        self.dim = dim
        n_terms = 2 * dim + dim * (dim - 1) // 2
        self.head = linear(None, context_dim, n_terms)  # zeros: learning begins at the identity

    def _terms(self, context: Float[Array, " context"]) -> tuple[Array, Array, Array]:
        location, log_scale, lower = jnp.split(self.head(context), [self.dim, 2 * self.dim])
        return location, log_scale, jnp.eye(self.dim).at[np.tril_indices(self.dim, -1)].set(lower)

    def forward(
        self, z: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """U and log |du/dz|."""
        location, log_scale, lower = self._terms(context)
        return jnp.exp(log_scale) * (lower @ (z - location)), jnp.sum(log_scale)

    def inverse(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """Z with forward(z) = u, and log |du/dz|."""
        location, log_scale, lower = self._terms(context)
        # The triangle is inverted, so that this happens once a context and not once a draw.
        undo = jax.scipy.linalg.solve_triangular(
            lower, jnp.eye(self.dim), lower=True, unit_diagonal=True
        )
        return location + undo @ (jnp.exp(-log_scale) * u), jnp.sum(log_scale)


class Flow(eqx.Module):
    """Whitening, then layers.

    Args:
        dim: dimension of z.
        context_dim: dimension of the context.
        layers: untrained ones.
    """

    whitening: Whitening
    layers: tuple[Layer, ...]
    dim: int = eqx.field(static=True)

    def __init__(self, dim: int, context_dim: int, layers: tuple[Layer, ...]) -> None:
        self.dim = dim
        self.whitening = Whitening(dim, context_dim)
        self.layers = layers

    def log_prob(
        self,
        z: Float[Array, " dim"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, ""]:
        """Log q(z | context), with dropout where there is a key."""
        u, total = self.whitening.forward(z, context)
        for i, layer in enumerate(self.layers):
            u, log_slope = layer.forward(u, context, key=part_of(key, i))
            total = total + log_slope
        return total + jnp.sum(jax.scipy.stats.norm.logpdf(u))

    def sample(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """The draw z that standard normal noise u becomes, and log q(z | context)."""
        total = jnp.sum(jax.scipy.stats.norm.logpdf(u))
        for layer in (*reversed(self.layers), self.whitening):
            u, log_slope = layer.inverse(u, context)
            total = total + log_slope
        return u, total

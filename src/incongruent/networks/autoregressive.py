"""Autoregressive flows: every coordinate moves, as the ones before it say."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import unchanging
from incongruent.networks.conditioner import (
    Conditioner,
    Permutation,
    Transform,
    check_layers,
    moved_back,
    moved_by,
)
from incongruent.networks.flow import Flow, FlowOptions, Layer
from incongruent.networks.layers import Weights, part_of


@checked_names
@dataclass(frozen=True, kw_only=True)
class AutoregressiveFlow(FlowOptions):
    """Every coordinate moves as the ones before it and the summaries say.

    Somewhat better than couplings, and slower with many parameters.

    Attributes:
        n_layers: autoregressions; with none the posterior is normal on the real line.
        transform: "spline" or "affine".
        n_bins: bins of each spline.
        width: hidden units of the networks that choose the transforms, one for each coordinate.
        dropout: share of these units left out in training.
        permutation: "random" or "fixed".
    """

    n_layers: int = 4
    transform: Transform = "spline"
    n_bins: int = 8
    width: int = 64
    dropout: float = 0.0
    permutation: Permutation = "random"

    def __post_init__(self) -> None:
        check_layers(self)

    def build(self, weights: Weights, dim: int, context_dim: int) -> Flow:
        """An untrained flow with these settings."""
        orders = reversals(dim, self.n_layers, self.permutation)
        layers = tuple(Autoregression(weights, order, context_dim, self) for order in orders)
        return Flow(dim, context_dim, layers)


class Autoregression(Layer):
    """The coordinates before it in the order, and the context, choose how each one moves.

    Each goes through an affine map and a spline.
    """

    conditioners: tuple[Conditioner, ...]
    order: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        weights: Weights,
        order: tuple[int, ...],
        context_dim: int,
        options: AutoregressiveFlow,
    ) -> None:
        self.order = order
        self.conditioners = tuple(
            Conditioner(weights, i, 1, context_dim, options) for i in range(len(order))
        )

    def forward(
        self,
        z: Float[Array, " dim"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """The next z and log |d next / dz|."""
        z = z[np.array(self.order)]
        by = [c(z[:i], context, key=part_of(key, i)) for i, c in enumerate(self.conditioners)]
        each = [moved_by(moves, z[i : i + 1]) for i, moves in enumerate(by)]
        moved, log_slopes = zip(*each, strict=True)
        return jnp.concatenate(moved)[np.argsort(self.order)], sum(log_slopes, jnp.zeros(()))

    def inverse(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """Z with forward(z) = u, coordinate after coordinate, and log |du/dz|."""
        u = u[np.array(self.order)]
        z, total = jnp.zeros(0), jnp.zeros(())
        for i, conditioner in enumerate(self.conditioners):
            moved, log_slope = moved_back(conditioner(z, context), u[i : i + 1])
            z, total = jnp.concatenate([z, moved]), total + log_slope
        return z[np.argsort(self.order)], total


def reversals(dim: int, n_layers: int, permutation: Permutation) -> list[tuple[int, ...]]:
    """An order, then the same backwards, and so on."""
    places = unchanging().permutation(dim) if permutation == "random" else range(dim)
    order = tuple(map(int, places))
    return [order if i % 2 == 0 else order[::-1] for i in range(n_layers)]

"""Coupling flows (Dinh, Sohl-Dickstein & Bengio 2017): half of the coordinates move at a time.

Both directions are one pass, so density and draws cost the same.
"""

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
from incongruent.networks.layers import Weights


@checked_names
@dataclass(frozen=True, kw_only=True)
class CouplingFlow(FlowOptions):
    """Half of the coordinates move as the other half and the summaries say; then the reverse.

    Density and draws cost the same.

    Attributes:
        n_layers: couplings; with none the posterior is normal on the real line.
        transform: "spline" or "affine".
        n_bins: bins of each spline.
        width: hidden units of the network that chooses the transforms.
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
        orders = halves(dim, self.n_layers, self.permutation)
        layers = tuple(Coupling(weights, order, context_dim, self) for order in orders)
        return Flow(dim, context_dim, layers)


class Coupling(Layer):
    """Some coordinates pass; they and the context choose how the others move.

    These go through an affine map and a spline. Where there is one coordinate, it moves.
    """

    conditioner: Conditioner
    order: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self, weights: Weights, order: tuple[int, ...], context_dim: int, options: CouplingFlow
    ) -> None:
        n_pass = len(order) // 2
        self.order = order
        self.conditioner = Conditioner(weights, n_pass, len(order) - n_pass, context_dim, options)

    def forward(
        self,
        z: Float[Array, " dim"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """The next z and log |d next / dz|."""
        passing, moved = jnp.split(z[np.array(self.order)], [len(self.order) // 2])
        moved, log_slope = moved_by(self.conditioner(passing, context, key=key), moved)
        return jnp.concatenate([passing, moved])[np.argsort(self.order)], log_slope

    def inverse(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """Z with forward(z) = u, and log |du/dz|."""
        passing, moved = jnp.split(u[np.array(self.order)], [len(self.order) // 2])
        moved, log_slope = moved_back(self.conditioner(passing, context), moved)
        return jnp.concatenate([passing, moved])[np.argsort(self.order)], log_slope


def halves(dim: int, n_layers: int, permutation: Permutation) -> list[tuple[int, ...]]:
    """Orders of the coordinates in pairs: one half moves, then the other half.

    So every two layers move every coordinate.
    """
    rng, n_moved = unchanging(), dim - dim // 2
    orders: list[tuple[int, ...]] = []
    for _ in range((n_layers + 1) // 2):
        order = rng.permutation(dim) if permutation == "random" else np.arange(dim)
        swapped = np.roll(order, n_moved)
        orders += [tuple(map(int, order)), tuple(map(int, swapped))]
    return orders[:n_layers]

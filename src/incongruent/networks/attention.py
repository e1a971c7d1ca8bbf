"""Attention in several heads, and blocks in which trials attend to each other by inducing points.

In a block the inducing points attend to the trials, and the trials to what came of that: weights
are (trial × point), never (trial × trial), so the cost is linear in the number of trials.
"""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.networks.layers import (
    Linear,
    ResidualBlock,
    Weights,
    layer_norm,
    linear,
    normal,
    part_of,
)
from incongruent.networks.padded import FAR_BELOW


class Attention(eqx.Module):
    """Queries attend to keys in several heads, then each passes a residual block.

    With d units in a head, a query q becomes q + W_o softmax(W_q q · W_k k / sqrt(d)) W_v k.
    """

    norm_queries: eqx.nn.LayerNorm
    norm_keys: eqx.nn.LayerNorm
    queries: Linear
    keys: Linear
    values: Linear
    out: Linear
    block: ResidualBlock
    n_heads: int = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(self, weights: Weights, width: int, n_heads: int, dropout: float) -> None:
        self.n_heads, self.dropout = n_heads, dropout
        self.norm_queries, self.norm_keys = layer_norm(width), layer_norm(width)
        self.queries, self.keys, self.values, self.out = (
            linear(weights, width, width) for _ in range(4)
        )
        self.block = ResidualBlock(weights, width)

    def __call__(
        self,
        queries: Float[Array, "query width"],
        keys: Float[Array, "key width"],
        mask: Float[Array, " key"] | None = None,
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, "query width"]:
        """The next queries; keys where the mask is 0 get no weight."""
        seen = jax.vmap(self.norm_keys)(keys)
        q = self._heads(self.queries, jax.vmap(self.norm_queries)(queries))  # (query, head, unit)
        k, v = self._heads(self.keys, seen), self._heads(self.values, seen)
        found = jnp.einsum("hqk,khd->qhd", attention_weights(q, k, mask), v)
        found = found.reshape(len(queries), -1)
        rows = None if key is None else jax.random.split(key, len(queries))
        through_block = jax.vmap(lambda h, r: self.block(h, rate=self.dropout, key=r))
        return through_block(queries + jax.vmap(self.out)(found), rows)

    def _heads(self, linear: Linear, h: Float[Array, "row width"]) -> Float[Array, "row head unit"]:
        return jax.vmap(linear)(h).reshape(len(h), self.n_heads, -1)


def attention_weights(
    q: Float[Array, "query head unit"],
    k: Float[Array, "key head unit"],
    mask: Float[Array, " key"] | None,
) -> Float[Array, "head query key"]:
    """Softmax of the scaled products of queries and keys; 0 where there is no key."""
    scores = jnp.einsum("qhd,khd->hqk", q, k) / math.sqrt(q.shape[-1])
    if mask is None:
        return jax.nn.softmax(scores, axis=-1)
    weights = jax.nn.softmax(jnp.where(mask > 0, scores, FAR_BELOW), axis=-1)
    return weights * mask[None, None]  # all 0 where there is no key at all


class InducedBlock(eqx.Module):
    """The inducing points attend to the trials, then the trials to them."""

    points: Float[Array, "point width"]
    gather: Attention
    spread: Attention

    def __init__(
        self, weights: Weights, width: int, n_heads: int, n_inducing: int, dropout: float
    ) -> None:
        self.points = normal(weights, n_inducing, width)
        self.gather, self.spread = (Attention(weights, width, n_heads, dropout) for _ in range(2))

    def __call__(
        self,
        h: Float[Array, "length width"],
        mask: Float[Array, " length"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, "length width"]:
        """The next h."""
        gathered = self.gather(self.points, h, mask, key=part_of(key, 0))
        return self.spread(h, gathered, key=part_of(key, 1))

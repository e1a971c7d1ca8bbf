"""The set transformer, an encoder for any columns (Lee et al. 2019).

The summaries are g(pool(block(…block(x)…)), log n), where g is a residual network.
"""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout, checked_names
from incongruent.networks.attention import Attention, InducedBlock
from incongruent.networks.channels import Channels, channels_of
from incongruent.networks.encoder import EncoderOptions
from incongruent.networks.layers import Linear, ResidualNetwork, Weights, linear, normal, part_of
from incongruent.networks.padded import ChannelEncoder, log_n, unscaled
from incongruent.networks.task import Task


@checked_names
@dataclass(frozen=True, kw_only=True)
class SetTransformer(EncoderOptions):
    """Trials attend to each other through a few inducing points (Lee et al. 2019).

    So the cost is linear in the number of trials. It reads any columns.

    Attributes:
        width: units; a multiple of ``n_heads``.
        n_heads: heads of each attention.
        n_blocks: induced set attention blocks.
        n_inducing: inducing points of each block.
        n_seeds: vectors into which the trials are pooled.
        dropout: share of units left out in training.
    """

    width: int = 64
    n_heads: int = 4
    n_blocks: int = 2
    n_inducing: int = 16
    n_seeds: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self, {"width": 1, "n_heads": 1, "n_blocks": 1, "n_inducing": 1, "n_seeds": 1})
        check_dropout(self)
        if self.width % self.n_heads:
            raise ValueError(
                f"Expected a width that is a multiple of n_heads; got width={self.width},"
                f" n_heads={self.n_heads}."
            )

    def build(self, weights: Weights, task: Task, n_summaries: int) -> SetTransformerEncoder:
        """An untrained encoder with these settings."""
        return SetTransformerEncoder(weights, task, self, n_summaries)


class SetTransformerEncoder(ChannelEncoder):
    """Induced set attention blocks, pooling by attention, and a network that reads the pool.

    Args:
        weights: initial ones.
        task: any columns.
        options: sizes.
        n_summaries: dimension of the summaries.
    """

    center: Float[Array, " channel"]
    scale: Float[Array, " channel"]
    first: Linear
    blocks: tuple[InducedBlock, ...]
    seeds: Float[Array, "seed width"]
    pool: Attention
    pooled: ResidualNetwork
    channels: Channels = eqx.field(static=True)
    largest: int = eqx.field(static=True)
    n_summaries: int = eqx.field(static=True)

    def __init__(
        self, weights: Weights, task: Task, options: SetTransformer, n_summaries: int
    ) -> None:
        width, heads, dropout = options.width, options.n_heads, options.dropout
        self.channels, self.largest, self.n_summaries = channels_of(task), task.largest, n_summaries
        self.center, self.scale = unscaled(self.channels)
        self.first = linear(weights, self.channels.n_channels, width)
        self.blocks = tuple(
            InducedBlock(weights, width, heads, options.n_inducing, dropout)
            for _ in range(options.n_blocks)
        )
        self.seeds = normal(weights, options.n_seeds, width)
        self.pool = Attention(weights, width, heads, dropout)
        n_pooled = options.n_seeds * width + 1
        self.pooled = ResidualNetwork(
            weights, n_pooled, n_summaries, width=width, n_blocks=1, dropout=dropout
        )

    def __call__(
        self, features: Float[Array, "length channel"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " summary"]:
        """Summaries of one data set."""
        mask = features[:, -1]
        h = jax.vmap(self.first)(self.standardised(features))
        for i, block in enumerate(self.blocks):
            h = block(h, mask, key=part_of(key, i + 2))
        found = self.pool(self.seeds, h, mask, key=part_of(key, 0))  # (seed, width)
        together = jnp.concatenate([found.ravel(), log_n(mask, self.largest)])
        return self.pooled(together, key=part_of(key, 1))

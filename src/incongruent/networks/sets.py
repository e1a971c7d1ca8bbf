r"""Encoders that look at every trial, for any columns: deep sets (Zaheer et al. 2017), set
transformers (Lee et al. 2019), and vectors.

    deep set          summaries = g(mean_i f(x_i), max_i f(x_i), log n)
    set transformer   summaries = g(pool(block(…block(x)…)), log n), where in a block the inducing
    points attend to the trials, and the trials to what
                      came of that: (trial × point) weights, never (trial × trial)

Means, maxima and attention are over the trials that are there. Means and attention do not tell n,
on which the posterior's width depends, so log n is read beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout, checked_names
from incongruent.data.trials import Trials
from incongruent.networks.channels import Channels, channels_of
from incongruent.networks.encoder import Coded, Encoder, EncoderOptions, rung_of
from incongruent.networks.layers import (
    Linear,
    ResidualBlock,
    ResidualNetwork,
    Weights,
    filled,
    layer_norm,
    linear,
    normal,
    part_of,
)
from incongruent.networks.task import Task

FAR_BELOW = -1e30
"""Stands for minus infinity in maxima and attention; finite, so that gradients are."""

_E = TypeVar("_E", bound="ChannelEncoder")


class ChannelEncoder(Encoder):
    """What encoders of channels share: features (batch, length, channel), padded to a rung of the
    ladder, and standardised inside.
    """

    ragged: ClassVar[bool] = False
    center: eqx.AbstractVar[Float[Array, " channel"]]
    scale: eqx.AbstractVar[Float[Array, " channel"]]
    channels: eqx.AbstractVar[Channels]
    largest: eqx.AbstractVar[int]

    @property
    def bytes_per_trial(self) -> int:
        """As the columns need."""
        return self.channels.bytes_per_trial

    def shape(self, n_trials: int) -> tuple[int, ...]:
        """Length of the rung, and channels."""
        return rung_of(n_trials, self.largest)[1], self.channels.n_channels

    def code(self, trials: Trials) -> Coded:
        """Numbers, levels, and where there are trials and answers.

        Raises:
            ValueError: when a trial has a level that the encoder does not read.
        """
        return self.channels.code(trials)

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        """Features (batch, length, channel); the length is the rung on which the largest of the
        sizes lies.
        """
        return self.channels.collect(
            coded, rows, starts, sizes, self.shape(int(sizes.max(initial=0)))[0]
        )

    def fitted(self: _E, features: np.ndarray) -> _E:
        """The same encoder, standardising numbers by mean and SD over the trials of these (batch,
        length, channel).
        """
        center, scale = self.channels.spread(features)
        return eqx.tree_at(
            lambda e: (e.center, e.scale), self, (jnp.asarray(center), jnp.asarray(scale))
        )

    def standardised(
        self, features: Float[Array, "*length channel"]
    ) -> Float[Array, "*length channel"]:
        """Features with numbers standardised, and still 0 where nothing is known."""
        center, scale = jax.lax.stop_gradient((self.center, self.scale))
        known = jnp.where(self.channels.answered_only, features[..., -2:-1], features[..., -1:])
        return (features - center) / scale * known


def _as_they_are(channels: Channels) -> tuple[Float[Array, " channel"], Float[Array, " channel"]]:
    """Center and scale that change nothing."""
    shape = (channels.n_channels,)
    return filled(0.0, shape), filled(1.0, shape)


def log_n(mask: Float[Array, " length"], largest: int) -> Float[Array, " 1"]:
    """Log of the number of trials, as a share of that of the largest trained for."""
    return jnp.log(jnp.maximum(mask.sum(keepdims=True), 1.0)) / math.log(1.0 + largest)


@checked_names
@dataclass(frozen=True, kw_only=True)
class DeepSet(EncoderOptions):
    """A network reads each trial, means and maxima over trials are taken, another network reads
    those (Zaheer et al. 2017). Any columns.

    Attributes:
        width: units of both networks.
        n_blocks: residual blocks of each.
        dropout: share of units left out in training.
    """

    width: int = 64
    n_blocks: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self, {"width": 1, "n_blocks": 0})
        check_dropout(self)

    def build(self, weights: Weights, task: Task, n_summaries: int) -> DeepSetEncoder:
        """An untrained encoder with these settings."""
        return DeepSetEncoder(weights, task, self, n_summaries)


class DeepSetEncoder(ChannelEncoder):
    """One network for each trial, means and maxima, another network.

    Args:
        weights: initial ones.
        task: any columns.
        options: sizes.
        n_summaries: dimension of the summaries.
    """

    center: Float[Array, " channel"]
    scale: Float[Array, " channel"]
    trial: ResidualNetwork
    pooled: ResidualNetwork
    channels: Channels = eqx.field(static=True)
    largest: int = eqx.field(static=True)
    n_summaries: int = eqx.field(static=True)

    def __init__(self, weights: Weights, task: Task, options: DeepSet, n_summaries: int) -> None:
        self.channels, self.largest, self.n_summaries = channels_of(task), task.largest, n_summaries
        self.center, self.scale = _as_they_are(self.channels)
        size = {"width": options.width, "n_blocks": options.n_blocks, "dropout": options.dropout}
        self.trial = ResidualNetwork(weights, self.channels.n_channels, options.width, **size)
        self.pooled = ResidualNetwork(weights, 2 * options.width + 1, n_summaries, **size)

    def __call__(
        self, features: Float[Array, "length channel"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " summary"]:
        """Summaries of one data set."""
        mask = features[:, -1]
        keys = None if key is None else jax.random.split(jax.random.fold_in(key, 0), len(features))
        h = jax.vmap(lambda x, k: self.trial(x, key=k))(
            self.standardised(features), keys
        )  # (length, width)
        n = jnp.maximum(mask.sum(), 1.0)
        mean = jnp.sum(h * mask[:, None], axis=0) / n
        highest = jnp.where(
            mask.any(), jnp.max(jnp.where(mask[:, None] > 0, h, FAR_BELOW), axis=0), 0.0
        )
        return self.pooled(
            jnp.concatenate([mean, highest, log_n(mask, self.largest)]), key=part_of(key, 1)
        )


class Attention(eqx.Module):
    """Queries look at keys: q + W_o softmax(W_q q · W_k k / sqrt(head)) W_v k in several heads,
    then a residual block for each query.
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
        """The next queries; keys where the mask is 0 are not looked at."""
        seen = jax.vmap(self.norm_keys)(keys)
        q = self._heads(self.queries, jax.vmap(self.norm_queries)(queries))  # (query, head, unit)
        k, v = self._heads(self.keys, seen), self._heads(self.values, seen)
        scores = jnp.einsum("qhd,khd->hqk", q, k) / math.sqrt(q.shape[-1])
        weights = jax.nn.softmax(
            scores if mask is None else jnp.where(mask > 0, scores, FAR_BELOW), axis=-1
        )
        weights = weights if mask is None else weights * mask  # with no key at all, nothing is seen
        found = jnp.einsum("hqk,khd->qhd", weights, v).reshape(len(queries), -1)
        rows = None if key is None else jax.random.split(key, len(queries))
        return jax.vmap(lambda h, r: self.block(h, rate=self.dropout, key=r))(
            queries + jax.vmap(self.out)(found), rows
        )

    def _heads(self, linear: Linear, h: Float[Array, "row width"]) -> Float[Array, "row head unit"]:
        return jax.vmap(linear)(h).reshape(len(h), self.n_heads, -1)


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
        return self.spread(
            h, self.gather(self.points, h, mask, key=part_of(key, 0)), key=part_of(key, 1)
        )


@checked_names
@dataclass(frozen=True, kw_only=True)
class SetTransformer(EncoderOptions):
    """Trials attend to each other by way of a few inducing points, so that the cost is linear in
    their number (Lee et al. 2019). Any columns.

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
    """Induced set attention blocks, pooling by attention with learned seeds, and a network that
    reads what was pooled.

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
        self.center, self.scale = _as_they_are(self.channels)
        self.first = linear(weights, self.channels.n_channels, width)
        self.blocks = tuple(
            InducedBlock(weights, width, heads, options.n_inducing, dropout)
            for _ in range(options.n_blocks)
        )
        self.seeds = normal(weights, options.n_seeds, width)
        self.pool = Attention(weights, width, heads, dropout)
        self.pooled = ResidualNetwork(
            weights,
            options.n_seeds * width + 1,
            n_summaries,
            width=width,
            n_blocks=1,
            dropout=dropout,
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
        return self.pooled(
            jnp.concatenate([found.ravel(), log_n(mask, self.largest)]), key=part_of(key, 1)
        )


@checked_names
@dataclass(frozen=True, kw_only=True)
class MLP(EncoderOptions):
    """A residual network for vectors, which are data sets of one trial.

    Attributes:
        width: its units.
        n_blocks: its residual blocks.
        dropout: share of units left out in training.
    """

    every_trial: ClassVar[bool] = False
    width: int = 128
    n_blocks: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self, {"width": 1, "n_blocks": 0})
        check_dropout(self)

    def build(self, weights: Weights, task: Task, n_summaries: int) -> VectorEncoder:
        """An untrained encoder with these settings."""
        return VectorEncoder(weights, task, self, n_summaries)


class VectorEncoder(ChannelEncoder):
    """A residual network for data sets of one trial; features are (batch, channel).

    Args:
        weights: initial ones.
        task: any columns; one trial.
        options: sizes.
        n_summaries: dimension of the summaries.

    Raises:
        ValueError: when data sets can have more than one trial.
    """

    ragged: ClassVar[bool] = True
    center: Float[Array, " channel"]
    scale: Float[Array, " channel"]
    network: ResidualNetwork
    channels: Channels = eqx.field(static=True)
    largest: int = eqx.field(static=True)
    n_summaries: int = eqx.field(static=True)

    def __init__(self, weights: Weights, task: Task, options: MLP, n_summaries: int) -> None:
        if task.largest != 1:
            raise ValueError(
                "Expected a design with n_trials=1 for the encoder MLP, which reads vectors; got"
                f" up to {task.largest}. Use DeepSet()."
            )
        self.channels, self.largest, self.n_summaries = channels_of(task), task.largest, n_summaries
        self.center, self.scale = _as_they_are(self.channels)
        self.network = ResidualNetwork(
            weights,
            self.channels.n_channels,
            n_summaries,
            width=options.width,
            n_blocks=options.n_blocks,
            dropout=options.dropout,
        )

    def shape(self, n_trials: int) -> tuple[int, ...]:
        """The number of channels."""
        return (self.channels.n_channels,)

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        """Features (batch, channel) of the trials at ``starts`` of the data sets at ``rows``.

        Raises:
            ValueError: when a data set has more than one trial.
        """
        features = self.channels.collect(
            coded, rows, starts, sizes, max(1, int(sizes.max(initial=0)))
        )
        if (features[:, 1:, -1] > 0).any():
            raise ValueError(
                "Expected data sets of one trial, which are vectors; got one with"
                f" {int(features[..., -1].sum(axis=1).max())} trials."
            )
        return features[:, 0]

    def __call__(
        self, features: Float[Array, " channel"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " summary"]:
        """Summaries of one vector."""
        return self.network(self.standardised(features), key=key)

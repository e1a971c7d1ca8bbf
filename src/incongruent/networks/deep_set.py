"""The deep set, an encoder for any columns (Zaheer et al. 2017).

The summaries are g(mean_i f(x_i), max_i f(x_i), log n), where f and g are residual networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout, checked_names
from incongruent.networks.channels import Channels, channels_of
from incongruent.networks.encoder import EncoderOptions
from incongruent.networks.layers import ResidualNetwork, Weights, part_of
from incongruent.networks.padded import FAR_BELOW, ChannelEncoder, log_n, unscaled
from incongruent.networks.task import Task


@checked_names
@dataclass(frozen=True, kw_only=True)
class DeepSet(EncoderOptions):
    """A network reads each trial, another one their means and maxima (Zaheer et al. 2017).

    It reads any columns.

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
    """One network for each trial, then means and maxima, then another network.

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
        self.center, self.scale = unscaled(self.channels)
        size = {"width": options.width, "n_blocks": options.n_blocks, "dropout": options.dropout}
        self.trial = ResidualNetwork(weights, self.channels.n_channels, options.width, **size)
        self.pooled = ResidualNetwork(weights, 2 * options.width + 1, n_summaries, **size)

    def __call__(
        self, features: Float[Array, "length channel"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " summary"]:
        """Summaries of one data set."""
        mask = features[:, -1]
        h = self._each_trial(features, part_of(key, 0))
        together = [mean_of(h, mask), highest_of(h, mask), log_n(mask, self.largest)]
        return self.pooled(jnp.concatenate(together), key=part_of(key, 1))

    def _each_trial(
        self, features: Float[Array, "length channel"], key: PRNGKeyArray | None
    ) -> Float[Array, "length width"]:
        """What the first network makes of each trial."""
        keys = None if key is None else jax.random.split(key, len(features))
        read = jax.vmap(lambda x, k: self.trial(x, key=k))
        return read(self.standardised(features), keys)


def mean_of(
    h: Float[Array, "length width"], mask: Float[Array, " length"]
) -> Float[Array, " width"]:
    """Mean over the trials that are there; 0 when there is none."""
    n = jnp.maximum(mask.sum(), 1.0)
    return jnp.sum(h * mask[:, None], axis=0) / n


def highest_of(
    h: Float[Array, "length width"], mask: Float[Array, " length"]
) -> Float[Array, " width"]:
    """Maximum over the trials that are there; 0 when there is none."""
    highest = jnp.max(jnp.where(mask[:, None] > 0, h, FAR_BELOW), axis=0)
    return jnp.where(mask.any(), highest, 0.0)

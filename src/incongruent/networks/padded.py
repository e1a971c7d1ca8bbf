"""What the encoders share that look at every trial: standardised channels, padded to a bucket.

Features are (batch, length, channel), where the length is one of few, so that few programs are
compiled. Means, maxima and attention are taken over the trials that are there. They do not tell how
many there are, on which the posterior's width depends, so the logarithm of that number is read
beside them.
"""

from __future__ import annotations

import math
from typing import ClassVar, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from incongruent.data.trials import Trials
from incongruent.networks.channels import Channels
from incongruent.networks.encoder import Coded, Encoder, bucket_of
from incongruent.networks.layers import filled

FAR_BELOW = -1e30
"""Stands for minus infinity in maxima and attention; finite, so that gradients are."""

_E = TypeVar("_E", bound="ChannelEncoder")


class ChannelEncoder(Encoder):
    """Reads channels, (batch, length, channel), padded to a bucket and standardised inside."""

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
        """Padded length, and channels."""
        return bucket_of(n_trials, self.largest)[1], self.channels.n_channels

    def code(self, trials: Trials) -> Coded:
        """Numbers, levels, and where there are trials and answers.

        Raises:
            ValueError: when a trial has a level that the encoder does not read.
        """
        return self.channels.code(trials)

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        """Features (batch, length, channel), padded to the bucket of the largest of the sizes."""
        length = self.shape(int(sizes.max(initial=0)))[0]
        return self.channels.collect(coded, rows, starts, sizes, length)

    def fitted(self: _E, features: np.ndarray) -> _E:
        """The same encoder, which standardises numbers by mean and SD over these trials.

        Args:
            features: (batch, length, channel).
        """
        center, scale = self.channels.spread(features)
        return eqx.tree_at(
            lambda e: (e.center, e.scale), self, (jnp.asarray(center), jnp.asarray(scale))
        )

    def standardised(
        self, features: Float[Array, "*length channel"]
    ) -> Float[Array, "*length channel"]:
        """Features with numbers standardised, and still 0 where nothing is known."""
        center, scale = (
            jnp.broadcast_to(number, features.shape)
            for number in jax.lax.stop_gradient((self.center, self.scale))
        )
        answered, present = features[..., -2:-1], features[..., -1:]
        known = jnp.where(self.channels.answered_only, answered, present)
        return (features - center) / scale * known


def unscaled(channels: Channels) -> tuple[Float[Array, " channel"], Float[Array, " channel"]]:
    """Centre and scale that change nothing."""
    shape = (channels.n_channels,)
    return filled(0.0, shape), filled(1.0, shape)


def log_n(mask: Float[Array, " length"], largest: int) -> Float[Array, " 1"]:
    """Log of the number of trials, as a share of that of the largest trained for."""
    return jnp.log(jnp.maximum(mask.sum(keepdims=True), 1.0)) / math.log(1.0 + largest)

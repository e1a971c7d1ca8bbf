"""A residual network for vectors, which are data sets of one trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout, checked_names
from incongruent.networks.channels import Channels, channels_of
from incongruent.networks.encoder import Coded, EncoderOptions
from incongruent.networks.layers import ResidualNetwork, Weights
from incongruent.networks.padded import ChannelEncoder, unscaled
from incongruent.networks.task import Task


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
        self.center, self.scale = unscaled(self.channels)
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
        length = max(1, int(sizes.max(initial=0)))
        features = self.channels.collect(coded, rows, starts, sizes, length)
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

"""Encoders to choose from: what reads the trials, and how large it is. ``inc.Architecture(encoder=inc.encoders.DeepSet(width=64))``."""

from __future__ import annotations

from dataclasses import dataclass

from incongruent.options import check_counts, check_dropout, helpful


@helpful
@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts trials on knots of one continuous column in each cell of the categories; as fast for 10,000 trials as for ten.

    Attributes:
        n_knots: on the axis of the continuous column.
        n_quantiles: of each cell, read beside its histogram.
        width: units of the network that reads them.
        n_blocks: its residual blocks.
        dropout: share of its units left out in training.
    """

    n_knots: int = 32
    n_quantiles: int = 16
    width: int = 256
    n_blocks: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self, {"n_knots": 2, "n_quantiles": 0, "width": 1, "n_blocks": 1})
        check_dropout(self)


@helpful
@dataclass(frozen=True, kw_only=True)
class DeepSet:
    """A network reads each trial, means and maxima over trials are taken, another network reads those (Zaheer et al. 2017). Any columns.

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


@helpful
@dataclass(frozen=True, kw_only=True)
class SetTransformer:
    """Trials attend to each other by way of a few inducing points, so that the cost is linear in their number (Lee et al. 2019). Any columns.

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
            raise ValueError(f"Expected a width that is a multiple of n_heads; got width={self.width}, n_heads={self.n_heads}.")


@helpful
@dataclass(frozen=True, kw_only=True)
class MLP:
    """A residual network for vectors, which are data sets of one trial.

    Attributes:
        width: its units.
        n_blocks: its residual blocks.
        dropout: share of units left out in training.
    """

    width: int = 128
    n_blocks: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self, {"width": 1, "n_blocks": 0})
        check_dropout(self)


EncoderOptions = Histogram | DeepSet | SetTransformer | MLP
"""One of them."""

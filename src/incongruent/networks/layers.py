"""Layers that several networks share, each written for one data set.

Dropout happens only where there is a key.

Initial weights are drawn by numpy: JAX compiles its random numbers, and the zeros and ones of
layers, anew for every shape, and a network has a dozen shapes. Where there is no generator they are
0: such a network is a form that weights from elsewhere fill.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

Weights = np.random.Generator | None
"""Where initial weights come from; None makes them 0."""


class Linear(eqx.Module):
    """W x + b.

    Equinox's own layer takes a fifth of a second to make, and a network has a dozen shapes.
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"] | None

    def __call__(self, x: Float[Array, " in"]) -> Float[Array, " out"]:
        """The outputs."""
        return self.weight @ x if self.bias is None else self.weight @ x + self.bias


def linear(weights: Weights, n_in: int, n_out: int, *, use_bias: bool = True) -> Linear:
    """A linear layer; weights and biases are uniform between -1 and 1, over sqrt(n_in)."""
    limit = 1.0 / math.sqrt(n_in)

    def drawn(*shape: int) -> Float[Array, ...]:
        return filled(0.0 if weights is None else weights.uniform(-limit, limit, shape), shape)

    return Linear(drawn(n_out, n_in), drawn(n_out) if use_bias else None)


def normal(weights: Weights, *shape: int) -> Float[Array, ...]:
    """Weights that are standard normal."""
    return filled(0.0 if weights is None else weights.standard_normal(shape), shape)


def layer_norm(width: int) -> eqx.nn.LayerNorm:
    """A layer that standardises over its units, and does nothing else at first."""
    weights = filled(1.0, (width,)), filled(0.0, (width,))
    return eqx.tree_at(lambda n: (n.weight, n.bias), _norm_form(width), weights)


def filled(values: float | np.ndarray, shape: tuple[int, ...]) -> Float[Array, ...]:
    """An array of JAX, for which nothing is compiled.

    `jnp.asarray` would compile a copy for each shape.
    """
    return jax.device_put(np.full(shape, values, np.float32))


@cache
def _norm_form(width: int) -> eqx.nn.LayerNorm:
    return eqx.filter_eval_shape(eqx.nn.LayerNorm, width)


def dropped(h: Float[Array, ...], rate: float, key: PRNGKeyArray | None) -> Float[Array, ...]:
    """H with a random share of its entries at 0 and the others stretched to make up for it.

    Without a key it is h itself.
    """
    if key is None or rate == 0.0:
        return h
    return jnp.where(jax.random.bernoulli(key, 1.0 - rate, h.shape), h / (1.0 - rate), 0.0)


def drops(part: Any) -> bool:
    """Whether a layer of a network leaves units out, so that it needs a key.

    Where none does, no keys are made for each trial.
    """
    if isinstance(part, eqx.Module):
        return getattr(part, "dropout", 0.0) > 0.0 or any(map(drops, vars(part).values()))
    return isinstance(part, tuple) and any(map(drops, part))


def part_of(key: PRNGKeyArray | None, part: int) -> PRNGKeyArray | None:
    """The key of one part of a network; None stays None."""
    return None if key is None else jax.random.fold_in(key, part)


class ResidualBlock(eqx.Module):
    """h + W2 silu(W1 norm(h))."""

    norm: eqx.nn.LayerNorm
    first: Linear
    second: Linear

    def __init__(self, weights: Weights, width: int) -> None:
        self.norm = layer_norm(width)
        self.first, self.second = linear(weights, width, width), linear(weights, width, width)

    def __call__(
        self, h: Float[Array, " width"], *, rate: float = 0.0, key: PRNGKeyArray | None = None
    ) -> Float[Array, " width"]:
        """The next h."""
        return h + self.second(dropped(jax.nn.silu(self.first(self.norm(h))), rate, key))


class ResidualNetwork(eqx.Module):
    """A linear layer, residual blocks, and a linear layer.

    Args:
        weights: initial ones.
        n_in: inputs.
        n_out: outputs.
        width: units of the blocks.
        n_blocks: how many.
        dropout: share of units left out where there is a key.
    """

    first: Linear
    blocks: tuple[ResidualBlock, ...]
    last: Linear
    dropout: float = eqx.field(static=True)

    def __init__(
        self,
        weights: Weights,
        n_in: int,
        n_out: int,
        *,
        width: int,
        n_blocks: int,
        dropout: float = 0.0,
    ) -> None:
        self.dropout = dropout
        self.first = linear(weights, n_in, width)
        self.blocks = tuple(ResidualBlock(weights, width) for _ in range(n_blocks))
        self.last = linear(weights, width, n_out)

    def __call__(
        self, x: Float[Array, " in"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " out"]:
        """The outputs."""
        return through(self.first, self.blocks, self.last, x, rate=self.dropout, key=key)


def through(
    first: Linear,
    blocks: tuple[ResidualBlock, ...],
    last: Linear,
    x: Float[Array, " in"],
    *,
    rate: float = 0.0,
    key: PRNGKeyArray | None = None,
) -> Float[Array, " out"]:
    """X through the layers of a residual network."""
    h = first(x)
    for i, block in enumerate(blocks):
        h = block(h, rate=rate, key=part_of(key, i))
    return last(jax.nn.silu(h))

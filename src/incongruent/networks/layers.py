"""Layers that several networks share. Each is written for one data set; dropout happens only where there is a key."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


def dropped(h: Float[Array, ...], rate: float, key: PRNGKeyArray | None) -> Float[Array, ...]:
    """H with a random share of its entries at 0 and the others stretched to make up for it; h itself without a key."""
    if key is None or rate == 0.0:
        return h
    return jnp.where(jax.random.bernoulli(key, 1.0 - rate, h.shape), h / (1.0 - rate), 0.0)


def part_of(key: PRNGKeyArray | None, part: int) -> PRNGKeyArray | None:
    """The key of one part of a network; None stays None."""
    return None if key is None else jax.random.fold_in(key, part)


class ResidualBlock(eqx.Module):
    """h + W2 silu(W1 norm(h))."""

    norm: eqx.nn.LayerNorm
    first: eqx.nn.Linear
    second: eqx.nn.Linear

    def __init__(self, key: PRNGKeyArray, width: int) -> None:
        one, two = jax.random.split(key)
        self.norm = eqx.nn.LayerNorm(width)
        self.first, self.second = eqx.nn.Linear(width, width, key=one), eqx.nn.Linear(width, width, key=two)

    def __call__(self, h: Float[Array, " width"], *, rate: float = 0.0, key: PRNGKeyArray | None = None) -> Float[Array, " width"]:
        """The next h."""
        return h + self.second(dropped(jax.nn.silu(self.first(self.norm(h))), rate, key))


class ResidualNetwork(eqx.Module):
    """A linear layer, residual blocks, and a linear layer.

    Args:
        key: initial weights.
        n_in: inputs.
        n_out: outputs.
        width: units of the blocks.
        n_blocks: how many.
        dropout: share of units left out where there is a key.
    """

    first: eqx.nn.Linear
    blocks: tuple[ResidualBlock, ...]
    last: eqx.nn.Linear
    dropout: float = eqx.field(static=True)

    def __init__(self, key: PRNGKeyArray, n_in: int, n_out: int, *, width: int, n_blocks: int, dropout: float = 0.0) -> None:
        keys = jax.random.split(key, n_blocks + 2)
        self.dropout = dropout
        self.first = eqx.nn.Linear(n_in, width, key=keys[0])
        self.blocks = tuple(ResidualBlock(k, width) for k in keys[2:])
        self.last = eqx.nn.Linear(width, n_out, key=keys[1])

    def __call__(self, x: Float[Array, " in"], *, key: PRNGKeyArray | None = None) -> Float[Array, " out"]:
        """The outputs."""
        return through(self.first, self.blocks, self.last, x, rate=self.dropout, key=key)


def through(
    first: eqx.nn.Linear,
    blocks: tuple[ResidualBlock, ...],
    last: eqx.nn.Linear,
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

"""What layers of flows share: networks that choose affine maps and splines, and what these do.

Splines are monotone and rational-quadratic (Durkan et al. 2019).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, get_args, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout
from incongruent.data.basics.plain import plain
from incongruent.networks import splines
from incongruent.networks.layers import Linear, Weights, dropped, linear, part_of

LARGEST_LOG_SCALE = 3.0
"""A layer stretches or shrinks by exp(3), twentyfold, at most. Far out, where nothing was
learned, unbounded layers feed on each other and overflow."""

Transform = Literal["spline", "affine"]
"""A spline on top of an affine map, or the affine map alone."""
Permutation = Literal["random", "fixed"]
"""In which order the layers take the coordinates: a random one, or that of the parameters.

The layer after it takes the opposite one.
"""


@runtime_checkable
class LayerOptions(Protocol):
    """The settings that layers of affine maps and splines have in common."""

    @property
    def n_layers(self) -> int:
        """How many layers."""
        ...

    @property
    def transform(self) -> Transform:
        """What each of them applies."""
        ...

    @property
    def n_bins(self) -> int:
        """Bins of each spline."""
        ...

    @property
    def width(self) -> int:
        """Hidden units of the networks that choose the transforms."""
        ...

    @property
    def dropout(self) -> float:
        """Share of these units left out in training."""
        ...

    @property
    def permutation(self) -> Permutation:
        """In which order the layers take the coordinates."""
        ...


def check_layers(options: LayerOptions) -> None:
    """Look at the settings of a record, and make them plain.

    Raises:
        ValueError: naming the setting that is impossible.
    """
    check_counts(options, {"n_layers": 0, "n_bins": 1, "width": 1})
    check_dropout(options)
    _check_choice(options, "transform", get_args(Transform))
    _check_choice(options, "permutation", get_args(Permutation))


def _check_choice(options: LayerOptions, name: str, choices: tuple[str, ...]) -> None:
    object.__setattr__(options, name, plain(getattr(options, name)))
    if getattr(options, name) not in choices:
        raise ValueError(f"Expected {name} to be one of {choices}; got {getattr(options, name)!r}.")


class Moves(NamedTuple):
    """How some coordinates move: an affine map, then a spline; affine layers have no splines."""

    shift: Float[Array, " moved"]
    log_scale: Float[Array, " moved"]
    bends: splines.Spline | None


class Conditioner(eqx.Module):
    """Chooses affine maps and splines for some coordinates, given others and the context."""

    from_z: Linear | None
    from_context: Linear
    hidden: Linear
    out: Linear
    n_bins: int = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(
        self, weights: Weights, n_given: int, n_moved: int, context_dim: int, options: LayerOptions
    ) -> None:
        width, self.dropout = options.width, options.dropout
        self.n_bins = options.n_bins if options.transform == "spline" else 0
        self.from_z = linear(weights, n_given, width, use_bias=False) if n_given else None
        self.from_context = linear(weights, context_dim, width)
        self.hidden = linear(weights, width, width)
        self.out = linear(None, width, n_moved * self.n_raw)  # zeros: the identity

    @property
    def n_raw(self) -> int:
        """Numbers for each moved coordinate: shift, log scale, and those of the spline if any."""
        return 2 + (splines.n_raw(self.n_bins) if self.n_bins else 0)

    def __call__(
        self,
        given: Float[Array, " given"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Moves:
        """Shift, log scale and spline of each moved coordinate."""
        raw = self._raw(given, context, key)
        bends, shift = self._bends(raw[:, 2:]), raw[:, 0]
        log_scale = jnp.clip(raw[:, 1], -LARGEST_LOG_SCALE, LARGEST_LOG_SCALE)
        return Moves(shift, log_scale, bends)

    def _raw(
        self,
        given: Float[Array, " given"],
        context: Float[Array, " context"],
        key: PRNGKeyArray | None,
    ) -> Float[Array, "moved raw"]:
        """Unconstrained numbers for each moved coordinate."""
        first = self.from_context(context)
        if self.from_z is not None:
            first = first + self.from_z(given)
        first = dropped(jax.nn.silu(first), self.dropout, part_of(key, 0))
        hidden = dropped(jax.nn.silu(self.hidden(first)), self.dropout, part_of(key, 1))
        return self.out(hidden).reshape(-1, self.n_raw)

    def _bends(self, raw: Float[Array, "moved raw"]) -> splines.Spline | None:
        """A spline for each moved coordinate; none in affine layers."""
        if not self.n_bins:
            return None
        return jax.vmap(lambda row: splines.spline_from_raw(row, self.n_bins))(raw)


def moved_by(
    moves: Moves, z: Float[Array, " moved"]
) -> tuple[Float[Array, " moved"], Float[Array, ""]]:
    """The affine map, then the spline if there is one, and log |d next / dz|."""
    shift, log_scale, bends = moves
    moved = z * jnp.exp(log_scale) + shift
    if bends is None:
        return moved, jnp.sum(log_scale)
    moved, log_slope = jax.vmap(splines.forward)(bends, moved)
    return moved, jnp.sum(log_slope + log_scale)


def moved_back(
    moves: Moves, u: Float[Array, " moved"]
) -> tuple[Float[Array, " moved"], Float[Array, ""]]:
    """Undoes `moved_by`; the log slope is that of `moved_by` there."""
    shift, log_scale, bends = moves
    if bends is None:
        return (u - shift) * jnp.exp(-log_scale), jnp.sum(log_scale)
    moved, log_slope = jax.vmap(splines.inverse)(bends, u)
    return (moved - shift) * jnp.exp(-log_scale), jnp.sum(log_slope + log_scale)

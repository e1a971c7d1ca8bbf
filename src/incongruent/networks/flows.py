r"""Conditional normalising flows: an invertible map z -> u given a context, with u standard normal.

    log q(z | context) = log N(u; 0, I) + log |du/dz|

`Whitening` removes the location, scale and linear dependence that the context predicts; coupling
layers (Dinh, Sohl-Dickstein & Bengio 2017) with affine or spline transforms (Durkan et al. 2019) do
the rest. Both directions are one pass, so density and draws cost the same. Methods are written for
one data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout, checked_names
from incongruent.data.basics.plain import plain
from incongruent.data.basics.streams import unchanging
from incongruent.networks import splines
from incongruent.networks.layers import Linear, Weights, dropped, linear, part_of

LARGEST_LOG_SCALE = 3.0
"""A coupling stretches or shrinks by exp(3), twentyfold, at most. Far out, where nothing was
learned, unbounded layers feed on each other and overflow."""


Transform = Literal["spline", "affine"]
"""A spline on top of an affine map, or the affine map alone."""
Permutation = Literal["random", "fixed"]
"""In which order the layers take the coordinates: a random one, or the order of the parameters; the
layer after it takes the opposite one.
"""


def _check(flow: CouplingFlow | AutoregressiveFlow) -> None:
    check_counts(flow, {"n_layers": 0, "n_bins": 1, "width": 1})
    check_dropout(flow)
    for name, choices in (
        ("transform", get_args(Transform)),
        ("permutation", get_args(Permutation)),
    ):
        object.__setattr__(flow, name, plain(getattr(flow, name)))
        if getattr(flow, name) not in choices:
            raise ValueError(
                f"Expected {name} to be one of {choices}; got {getattr(flow, name)!r}."
            )


@checked_names
@dataclass(frozen=True, kw_only=True)
class CouplingFlow:
    """Half of the coordinates move, the other half and the summaries say how; then the other way
    round. Density and draws cost the same.

    Attributes:
        n_layers: couplings; with none the posterior is normal on the real line.
        transform: "spline" or "affine".
        n_bins: bins of each spline.
        width: hidden units of the network that chooses the transforms.
        dropout: share of these units left out in training.
        permutation: "random" or "fixed".
    """

    n_layers: int = 4
    transform: Transform = "spline"
    n_bins: int = 8
    width: int = 64
    dropout: float = 0.0
    permutation: Permutation = "random"

    def __post_init__(self) -> None:
        _check(self)


@checked_names
@dataclass(frozen=True, kw_only=True)
class AutoregressiveFlow:
    """Every coordinate moves, the ones before it and the summaries say how. Somewhat better than
    couplings, and slower with many parameters.

    Attributes:
        n_layers: autoregressions; with none the posterior is normal on the real line.
        transform: "spline" or "affine".
        n_bins: bins of each spline.
        width: hidden units of the networks that choose the transforms, one for each coordinate.
        dropout: share of these units left out in training.
        permutation: "random" or "fixed".
    """

    n_layers: int = 4
    transform: Transform = "spline"
    n_bins: int = 8
    width: int = 64
    dropout: float = 0.0
    permutation: Permutation = "random"

    def __post_init__(self) -> None:
        _check(self)


FlowOptions = CouplingFlow | AutoregressiveFlow
"""One of them."""


class Whitening(eqx.Module):
    """u = exp(s) * T (z - m), with location m, log scales s and unit lower triangular T from the
    context.
    """

    head: Linear
    dim: int = eqx.field(static=True)

    def __init__(self, dim: int, context_dim: int) -> None:
        self.dim = dim
        self.head = linear(
            None, context_dim, 2 * dim + dim * (dim - 1) // 2
        )  # zeros, so that the identity is where learning begins

    def _terms(self, context: Float[Array, " context"]) -> tuple[Array, Array, Array]:
        location, log_scale, lower = jnp.split(self.head(context), [self.dim, 2 * self.dim])
        return location, log_scale, jnp.eye(self.dim).at[np.tril_indices(self.dim, -1)].set(lower)

    def forward(
        self, z: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """U and log |du/dz|."""
        location, log_scale, lower = self._terms(context)
        return jnp.exp(log_scale) * (lower @ (z - location)), jnp.sum(log_scale)

    def inverse(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """Z with forward(z) = u, and log |du/dz|; the triangle is inverted once a context, not once
        a draw.
        """
        location, log_scale, lower = self._terms(context)
        undo = jax.scipy.linalg.solve_triangular(
            lower, jnp.eye(self.dim), lower=True, unit_diagonal=True
        )
        return location + undo @ (jnp.exp(-log_scale) * u), jnp.sum(log_scale)


Moves = tuple[Array, Array, splines.Spline | None]
"""Shift (moved,), log scale (moved,) and splines of the moved coordinates; no splines in affine
layers.
"""


class Conditioner(eqx.Module):
    """Chooses affine maps and splines for some coordinates, given others and the context."""

    from_z: Linear | None
    from_context: Linear
    hidden: Linear
    out: Linear
    n_bins: int = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(
        self, weights: Weights, n_given: int, n_moved: int, context_dim: int, options: FlowOptions
    ) -> None:
        width = options.width
        self.n_bins, self.dropout = (
            options.n_bins if options.transform == "spline" else 0,
            options.dropout,
        )
        self.from_z = linear(weights, n_given, width, use_bias=False) if n_given else None
        self.from_context = linear(weights, context_dim, width)
        self.hidden = linear(weights, width, width)
        self.out = linear(None, width, n_moved * self.n_raw)  # zeros: the identity, as above

    @property
    def n_raw(self) -> int:
        """Numbers for each moved coordinate: shift, log scale, and those of the spline; without
        bins there is none.
        """
        return 2 + (splines.n_raw(self.n_bins) if self.n_bins else 0)

    def __call__(
        self,
        given: Float[Array, " given"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Moves:
        """Shift, log scale and spline of each moved coordinate."""
        first = self.from_context(context)
        if self.from_z is not None:
            first = first + self.from_z(given)
        hidden = jax.nn.silu(
            self.hidden(dropped(jax.nn.silu(first), self.dropout, part_of(key, 0)))
        )
        raw = self.out(dropped(hidden, self.dropout, part_of(key, 1))).reshape(
            -1, self.n_raw
        )  # (moved, raw)
        bends = (
            jax.vmap(lambda row: splines.spline_from_raw(row, self.n_bins))(raw[:, 2:])
            if self.n_bins
            else None
        )
        return raw[:, 0], jnp.clip(raw[:, 1], -LARGEST_LOG_SCALE, LARGEST_LOG_SCALE), bends


def _move(z: Float[Array, " moved"], by: Moves) -> tuple[Float[Array, " moved"], Float[Array, ""]]:
    """The affine map, then the spline if there is one, and log |d next / dz|."""
    shift, log_scale, bends = by
    moved = z * jnp.exp(log_scale) + shift
    if bends is None:
        return moved, jnp.sum(log_scale)
    moved, log_slope = jax.vmap(splines.forward)(bends, moved)
    return moved, jnp.sum(log_slope + log_scale)


def _move_back(
    u: Float[Array, " moved"], by: Moves
) -> tuple[Float[Array, " moved"], Float[Array, ""]]:
    """Undoes `_move`; the log slope is that of `_move` there."""
    shift, log_scale, bends = by
    if bends is None:
        return (u - shift) * jnp.exp(-log_scale), jnp.sum(log_scale)
    moved, log_slope = jax.vmap(splines.inverse)(bends, u)
    return (moved - shift) * jnp.exp(-log_scale), jnp.sum(log_slope + log_scale)


class Coupling(eqx.Module):
    """Some coordinates pass; the others go through an affine map and a spline that the passing ones
    and the context choose. One alone moves.
    """

    conditioner: Conditioner
    order: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self, weights: Weights, order: tuple[int, ...], context_dim: int, options: FlowOptions
    ) -> None:
        n_pass = len(order) // 2
        self.order = order
        self.conditioner = Conditioner(weights, n_pass, len(order) - n_pass, context_dim, options)

    def forward(
        self,
        z: Float[Array, " dim"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """The next z and log |d next / dz|."""
        passing, moved = jnp.split(z[np.array(self.order)], [len(self.order) // 2])
        moved, log_slope = _move(moved, self.conditioner(passing, context, key=key))
        return jnp.concatenate([passing, moved])[np.argsort(self.order)], log_slope

    def inverse(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """Z with forward(z) = u, and log |du/dz|."""
        passing, moved = jnp.split(u[np.array(self.order)], [len(self.order) // 2])
        moved, log_slope = _move_back(moved, self.conditioner(passing, context))
        return jnp.concatenate([passing, moved])[np.argsort(self.order)], log_slope


class Autoregression(eqx.Module):
    """Every coordinate goes through an affine map and a spline that the ones before it in the order
    and the context choose.
    """

    conditioners: tuple[Conditioner, ...]
    order: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self, weights: Weights, order: tuple[int, ...], context_dim: int, options: FlowOptions
    ) -> None:
        self.order = order
        self.conditioners = tuple(
            Conditioner(weights, i, 1, context_dim, options) for i in range(len(order))
        )

    def forward(
        self,
        z: Float[Array, " dim"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """The next z and log |d next / dz|."""
        z = z[np.array(self.order)]
        by = [c(z[:i], context, key=part_of(key, i)) for i, c in enumerate(self.conditioners)]
        moved, log_slopes = zip(
            *(_move(z[i : i + 1], moves) for i, moves in enumerate(by)), strict=True
        )
        return jnp.concatenate(moved)[np.argsort(self.order)], sum(log_slopes, jnp.zeros(()))

    def inverse(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """Z with forward(z) = u, coordinate after coordinate, and log |du/dz|."""
        u = u[np.array(self.order)]
        z, total = jnp.zeros(0), jnp.zeros(())
        for i, conditioner in enumerate(self.conditioners):
            moved, log_slope = _move_back(u[i : i + 1], conditioner(z, context))
            z, total = jnp.concatenate([z, moved]), total + log_slope
        return z[np.argsort(self.order)], total


class Flow(eqx.Module):
    """Whitening, then couplings or autoregressions with permuted coordinates.

    Args:
        weights: initial ones.
        dim: dimension of z.
        context_dim: dimension of the context.
        options: which layers, how many and how large.
    """

    whitening: Whitening
    layers: tuple[Coupling | Autoregression, ...]
    dim: int = eqx.field(static=True)

    def __init__(self, weights: Weights, dim: int, context_dim: int, options: FlowOptions) -> None:
        self.dim = dim
        self.whitening = Whitening(dim, context_dim)
        layer, orders = (
            (Coupling, _halves)
            if isinstance(options, CouplingFlow)
            else (Autoregression, _reversals)
        )
        of_each = orders(dim, options.n_layers, options.permutation)
        self.layers = tuple(layer(weights, order, context_dim, options) for order in of_each)

    def log_prob(
        self,
        z: Float[Array, " dim"],
        context: Float[Array, " context"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, ""]:
        """Log q(z | context), with dropout where there is a key."""
        u, total = self.whitening.forward(z, context)
        for i, layer in enumerate(self.layers):
            u, log_slope = layer.forward(u, context, key=part_of(key, i))
            total = total + log_slope
        return total + jnp.sum(jax.scipy.stats.norm.logpdf(u))

    def sample(
        self, u: Float[Array, " dim"], context: Float[Array, " context"]
    ) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """The draw z that standard normal noise u becomes, and log q(z | context)."""
        total = jnp.sum(jax.scipy.stats.norm.logpdf(u))
        for layer in (*reversed(self.layers), self.whitening):
            u, log_slope = layer.inverse(u, context)
            total = total + log_slope
        return u, total


def _halves(dim: int, n_layers: int, permutation: Permutation) -> list[tuple[int, ...]]:
    """Orders in pairs: half of the coordinates moves, then the other half, so that every two layers
    move every coordinate.
    """
    rng = unchanging()
    orders: list[tuple[int, ...]] = []
    for _ in range((n_layers + 1) // 2):
        order = rng.permutation(dim) if permutation == "random" else np.arange(dim)
        orders += [
            tuple(map(int, order)),
            tuple(map(int, np.roll(order, dim // 2 if dim % 2 == 0 else dim - dim // 2))),
        ]
    return orders[:n_layers]


def _reversals(dim: int, n_layers: int, permutation: Permutation) -> list[tuple[int, ...]]:
    """An order, then the same backwards, and so on."""
    order = tuple(
        map(int, unchanging().permutation(dim) if permutation == "random" else range(dim))
    )
    return [order if i % 2 == 0 else order[::-1] for i in range(n_layers)]

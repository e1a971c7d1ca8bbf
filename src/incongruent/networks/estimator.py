r"""The posterior estimator: encoder and flow, trained together.

For theta ~ p(theta) and x ~ p(x | theta), E[-log q(theta | x)] is smallest for q(theta | x) = p(theta | x), so the loss is the mean of -log q over
simulations (Papamakarios & Murray 2016; Radev et al. 2020). Theta enters as z on the real line (`Prior.to_real`). With ``mmd_weight`` > 0 the loss
adds mmd_weight * MMD^2(summaries, N(0, I)), which gives the summaries a known distribution under the model (Schmitt, Bürkner, Köthe & Radev 2021,
arXiv 2112.08866).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.networks.discrepancy import mmd_squared
from incongruent.networks.encoders import Axis, HistogramEncoder
from incongruent.networks.flows import LAYERS, Flow
from incongruent.trials import Category, Column, Continuous

SUMMARIES_PER_PARAMETER = 3

_T = TypeVar("_T")


@dataclass(frozen=True)
class Architecture:
    """The size of an estimator.

    Attributes:
        n_summaries: learned summary statistics; three for each parameter when None.
        n_knots: knots of the histogram on the axis of the continuous column.
        n_quantiles: quantiles of each cell that the encoder reads beside its histogram.
        width: units of the encoder.
        n_blocks: its residual blocks.
        flow: "coupling" or "autoregressive".
        n_layers: couplings or autoregressions.
        n_bins: bins of their splines.
        flow_width: hidden units of each conditioner.
    """

    n_summaries: int | None = None
    n_knots: int = 32
    n_quantiles: int = 16
    width: int = 256
    n_blocks: int = 1
    flow: str = "coupling"
    n_layers: int = 4
    n_bins: int = 8
    flow_width: int = 64

    def __post_init__(self) -> None:
        if self.flow not in LAYERS:
            raise ValueError(f"Expected a flow out of {sorted(LAYERS)}; got {self.flow!r}.")
        for name, value in vars(self).items():
            least = {"n_knots": 2, "n_quantiles": 0}.get(name, 1)
            if name != "flow" and value is not None and (not isinstance(value, int) or value < least):
                raise ValueError(f"Expected a whole number for {name}, at least {least}; got {value!r}.")


class Estimator(eqx.Module):
    """q(z | features) = flow(z; encoder(features))."""

    encoder: HistogramEncoder
    flow: Flow

    def log_prob(self, z: Float[Array, "dataset parameter"], features: Float[Array, "dataset feature"]) -> Float[Array, " dataset"]:
        """Log q(z | features) of each data set."""
        return jax.vmap(lambda z, f: self.flow.log_prob(z, self.encoder(f)))(z, features)

    def summaries(self, features: Float[Array, "dataset feature"]) -> Float[Array, "dataset summary"]:
        """Learned summary statistics."""
        return jax.vmap(self.encoder)(features)

    def sample(self, u: Float[Array, "dataset draw parameter"], features: Float[Array, "dataset feature"]) -> tuple[Array, Array]:
        """Draws z (dataset, draw, parameter) from standard normal noise, and their log q (dataset, draw)."""

        def one(u: Float[Array, "draw parameter"], f: Float[Array, " feature"]) -> tuple[Array, Array]:
            context = self.encoder(f)
            return jax.vmap(lambda noise: self.flow.sample(noise, context))(u)

        return jax.vmap(one)(u, features)


def loss(
    estimator: Estimator, z: Float[Array, "dataset parameter"], features: Float[Array, "dataset feature"], mmd_weight: float, key: PRNGKeyArray
) -> Float[Array, ""]:
    """Mean -log q(z | features), plus the weighted MMD^2 of the summaries from standard normal ones."""
    if mmd_weight == 0.0:
        return -jnp.mean(estimator.log_prob(z, features))
    summaries = estimator.summaries(features)
    log_q = jax.vmap(estimator.flow.log_prob)(z, summaries)
    return -jnp.mean(log_q) + mmd_weight * mmd_squared(summaries, jax.random.normal(key, summaries.shape))


@dataclass(frozen=True)
class Task:
    """What an estimator is built for.

    Attributes:
        columns: of the trials: one continuous and one category answered, one category given.
        levels: the levels of the given category that occur.
        window: range of the continuous column.
        n_parameters: dimension of theta.
    """

    columns: tuple[Column, ...]
    levels: tuple[str, ...]
    window: tuple[float, float]
    n_parameters: int


def build_estimator(key: PRNGKeyArray, task: Task, architecture: Architecture) -> Estimator:
    """An untrained estimator.

    Raises:
        ValueError: when the columns are not one continuous and one category that are answered, and one category that is given.
    """
    continuous = _only([c for c in task.columns if isinstance(c, Continuous)], "continuous column")
    outcome = _only([c for c in task.columns if isinstance(c, Category) and not c.given], "category that is answered")
    given = _only([c for c in task.columns if isinstance(c, Category) and c.given], "category that the design gives")
    n_summaries = architecture.n_summaries or SUMMARIES_PER_PARAMETER * task.n_parameters
    for_encoder, for_flow = jax.random.split(key)
    axis = Axis(continuous.name, *task.window, architecture.n_knots)
    encoder = HistogramEncoder(
        for_encoder,
        axis=axis,
        given=(given, task.levels),
        outcome=outcome,
        n_summaries=n_summaries,
        n_quantiles=architecture.n_quantiles,
        width=architecture.width,
        n_blocks=architecture.n_blocks,
    )
    flow = Flow(
        for_flow,
        task.n_parameters,
        n_summaries,
        kind=architecture.flow,
        n_layers=architecture.n_layers,
        n_bins=architecture.n_bins,
        width=architecture.flow_width,
    )
    return Estimator(encoder, flow)


def _only(found: Sequence[_T], what: str) -> _T:
    if len(found) != 1:
        raise ValueError(f"Expected exactly one {what} for the histogram encoder; got {len(found)}.")
    return found[0]

r"""The posterior estimator: encoder and flow, trained together.

For theta ~ p(theta) and x ~ p(x | theta), E[-log q(theta | x)] is smallest for q(theta | x) =
p(theta | x), so the loss is the mean of -log q over simulations (Papamakarios & Murray 2016; Radev
et al. 2020). Theta enters as z on the real line (`Prior.to_real`). With ``mmd_weight`` > 0 the loss
adds mmd_weight * MMD^2(summaries, N(0, I)), which gives the summaries a known distribution under
the model (Schmitt, Bürkner, Köthe & Radev 2021, arXiv 2112.08866).
"""

from __future__ import annotations

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.networks.architecture import SUMMARIES_PER_PARAMETER, Architecture
from incongruent.networks.discrepancy import mmd_squared
from incongruent.networks.encoder import Encoder
from incongruent.networks.flow import Flow
from incongruent.networks.layers import Weights, drops, part_of
from incongruent.networks.task import Task


class Conditional(eqx.Module):
    """A network that gives q(z | features), where z are parameters or stand for a model."""

    encoder: eqx.AbstractVar[Encoder]

    @abc.abstractmethod
    def log_prob(
        self,
        z: Float[Array, "dataset target"],
        features: Float[Array, "dataset ..."],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, " dataset"]:
        """Log q(z | features) of each data set; with a key, units are dropped."""


class Estimator(Conditional):
    """q(z | features) = flow(z; encoder(features))."""

    encoder: Encoder
    flow: Flow

    def log_prob(
        self,
        z: Float[Array, "dataset parameter"],
        features: Float[Array, "dataset ..."],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, " dataset"]:
        """Log q(z | features) of each data set; with a key there is dropout."""
        return self.log_prob_of(z, self.summaries(features, key=key), key=key)

    def log_prob_of(
        self,
        z: Float[Array, "dataset parameter"],
        summaries: Float[Array, "dataset summary"],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, " dataset"]:
        """Log q(z | summaries), when the summaries are known already."""
        of_each = jax.vmap(lambda z, s, k: self.flow.log_prob(z, s, key=k))
        return of_each(z, summaries, _keys(part_of(key, 1), len(z)))

    def summaries(
        self, features: Float[Array, "dataset ..."], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "dataset summary"]:
        """Learned summary statistics."""
        of_each = jax.vmap(lambda f, k: self.encoder(f, key=k))
        return of_each(features, _keys(part_of(key, 0), len(features)))

    def sample(
        self, u: Float[Array, "dataset draw parameter"], features: Float[Array, "dataset ..."]
    ) -> tuple[Float[Array, "dataset draw parameter"], Float[Array, "dataset draw"]]:
        """Draws z from standard normal noise, and their log q."""

        def one(
            u: Float[Array, "draw parameter"], f: Float[Array, ...]
        ) -> tuple[Float[Array, "draw parameter"], Float[Array, " draw"]]:
            context = self.encoder(f)
            return jax.vmap(lambda noise: self.flow.sample(noise, context))(u)

        return jax.vmap(one)(u, features)


def _keys(key: PRNGKeyArray | None, n: int) -> PRNGKeyArray | None:
    """One key for each data set; None stays None."""
    return None if key is None else jax.random.split(key, n)


def loss(
    network: Conditional,
    z: Float[Array, "dataset target"],
    features: Float[Array, "dataset ..."],
    mmd_weight: float,
    key: PRNGKeyArray,
) -> Float[Array, ""]:
    """Mean -log q(z | features), plus the weighted MMD^2 of the summaries from N(0, I).

    The key makes the random numbers of dropout and of the standard normal vectors.
    """
    noise, dropout = jax.random.split(key)
    dropout = dropout if drops(network) else None
    if mmd_weight == 0.0 or not isinstance(network, Estimator):
        return -jnp.mean(network.log_prob(z, features, key=dropout))
    summaries = network.summaries(features, key=dropout)
    log_q = network.log_prob_of(z, summaries, key=dropout)
    normal = jax.random.normal(noise, summaries.shape)
    return -jnp.mean(log_q) + mmd_weight * mmd_squared(summaries, normal)


def build_estimator(weights: Weights, task: Task, architecture: Architecture) -> Estimator:
    """An untrained estimator, with weights from a stream of random numbers.

    Without a stream all weights are 0: it is a form that saved weights fill.

    Raises:
        ValueError: when the encoder cannot read such trials.
    """
    encoder = build_encoder(weights, task, architecture)
    flow = architecture.flow.build(weights, task.n_parameters, encoder.n_summaries)
    return Estimator(encoder, flow)


def build_encoder(weights: Weights, task: Task, architecture: Architecture) -> Encoder:
    """An untrained encoder.

    Raises:
        ValueError: when it cannot read such trials.
    """
    n_summaries = architecture.n_summaries or SUMMARIES_PER_PARAMETER * task.n_parameters
    return architecture.encoder_for(task.columns, task.largest).build(weights, task, n_summaries)

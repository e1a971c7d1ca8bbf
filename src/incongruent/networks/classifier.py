r"""A network that tells models apart: p(model | trials) = softmax(head(encoder(trials))).

For m ~ p(m), theta ~ p(theta | m) and x ~ p(x | theta, m) the expected cross-entropy -log p(m | x)
is smallest at the posterior model probabilities (Pudlo et al. 2016; Elsemüller et al. 2023), whose
ratios are Bayes factors when the models are equally likely beforehand.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.networks.architecture import Architecture
from incongruent.networks.encoder import Encoder
from incongruent.networks.estimator import Conditional, build_encoder
from incongruent.networks.layers import Linear, Weights, linear
from incongruent.networks.task import Task

WIDTH = 64
"""Units between the summaries and the probabilities."""


class Classifier(Conditional):
    """Log probabilities of models from the summaries of their trials."""

    encoder: Encoder
    hidden: Linear
    last: Linear

    def log_probabilities(
        self, features: Float[Array, "dataset ..."], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "dataset model"]:
        """Log p(model | trials) of each data set."""
        if key is None:
            return jax.vmap(lambda f: self._of_one(f, None))(features)
        return jax.vmap(self._of_one)(features, jax.random.split(key, len(features)))

    def _of_one(
        self, features: Float[Array, ...], key: PRNGKeyArray | None
    ) -> Float[Array, " model"]:
        """Log p(model | trials) of one data set."""
        hidden = jax.nn.silu(self.hidden(self.encoder(features, key=key)))
        return jax.nn.log_softmax(self.last(hidden))

    def log_prob(
        self,
        z: Float[Array, "dataset model"],
        features: Float[Array, "dataset ..."],
        *,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, " dataset"]:
        """Log probability of the model that z, 1 for it and 0 for the others, points at."""
        return jnp.sum(z * self.log_probabilities(features, key=key), axis=1)


def build_classifier(
    weights: Weights, task: Task, architecture: Architecture, n_models: int
) -> Classifier:
    """An untrained classifier, with weights from a stream of random numbers.

    Without a stream all weights are 0: it is a form that saved weights fill.
    """
    encoder = build_encoder(weights, task, architecture)
    hidden = linear(weights, encoder.n_summaries, WIDTH)
    last = linear(None, WIDTH, n_models)  # zeros: equal probabilities at first
    return Classifier(encoder, hidden, last)

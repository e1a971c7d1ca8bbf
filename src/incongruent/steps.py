"""One step of learning: what is to be learned, what a step changes, and the step.

Gradients are clipped by their norm, the optimiser is Adam (Kingma & Ba 2015), and an exponential average of the weights is kept beside them.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import numpy as np
import optax
from jaxtyping import Array, PRNGKeyArray

from incongruent.networks.estimator import loss
from incongruent.recipe import Recipe


class Plan(Protocol):
    """What is to be learned; hashable."""

    def build(self, key: PRNGKeyArray) -> Any:
        """A network that has learned nothing: a module with an ``encoder`` and ``log_prob(z, features, key=None)``."""
        ...

    def baseline(self, z: np.ndarray) -> float:
        """What such a network scores, mean -log p(z), on z (dataset, target)."""
        ...

    def describe(self) -> dict[str, Any]:
        """Plain values that tell one plan from another."""
        ...


class State(NamedTuple):
    """Everything that a step changes."""

    network: Any
    moments: optax.OptState
    average: Any


def _optimiser(recipe: Recipe) -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(recipe.clip), optax.scale_by_adam())


class Pace(NamedTuple):
    """How far a step goes: the learning rate, the decay of the averaged weights, and the step's number, which makes its random numbers."""

    rate: np.float32
    keep: np.float32
    step: np.int32


@eqx.filter_jit
def learn(state: State, z: Any, features: Any, pace: Pace, key: PRNGKeyArray, recipe: Recipe) -> tuple[State, Array]:
    """One step: gradient of the loss at z (batch, target) and features (batch, …), Adam, average."""
    value, gradient = eqx.filter_value_and_grad(loss)(state.network, z, features, recipe.mmd_weight, jax.random.fold_in(key, pace.step))
    weights = eqx.filter(state.network, eqx.is_inexact_array)
    updates, moments = _optimiser(recipe).update(gradient, state.moments, weights)
    network = eqx.apply_updates(state.network, jax.tree.map(lambda u: -pace.rate * u, updates))
    average = jax.tree.map(lambda old, new: pace.keep * old + (1.0 - pace.keep) * new if eqx.is_inexact_array(old) else old, state.average, network)
    return State(network, moments, average), value


@eqx.filter_jit
def fresh_state(key: PRNGKeyArray, plan: Plan, recipe: Recipe) -> State:
    """A network that has learned nothing, and its optimiser."""
    network = plan.build(key)
    return State(network, _optimiser(recipe).init(eqx.filter(network, eqx.is_inexact_array)), network)


def standardised(state: State, features: np.ndarray) -> State:
    """The state with an encoder that standardises as these features (dataset, …) need it."""
    encoder = state.network.encoder.fitted(features)
    network, average = (eqx.tree_at(lambda n: n.encoder, whole, encoder) for whole in (state.network, state.average))
    return State(network, state.moments, average)

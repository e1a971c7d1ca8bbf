"""One step of learning: what is to be learned, what a step changes, and the step.

Gradients are clipped by their norm, the optimiser is Adam (Kingma & Ba 2015), and an exponential
average of the weights is kept beside them.

The compiler takes about as long for a small array as for a large one, and a network has a hundred
small ones. So everything that treats all weights alike works on one long vector of them, and is
compiled once, whatever the lengths of data sets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.networks.estimator import loss
from incongruent.networks.layers import Weights
from incongruent.training.recipe import Recipe


@runtime_checkable
class Plan(Protocol):
    """What is to be learned; hashable."""

    def build(self, weights: Weights) -> Any:
        """A network that has learned nothing; None makes all weights 0.

        It is a module with an ``encoder`` and ``log_prob(z, features, key=None)``.
        """
        ...

    def baseline(self, z: np.ndarray) -> float:
        """What such a network scores, mean -log p(z), on z (dataset, target)."""
        ...

    def describe(self) -> dict[str, Any]:
        """Plain values that tell one plan from another."""
        ...


@dataclass(frozen=True)
class Form:
    """How one vector of weights becomes a network: the tree of its weights, and their shapes."""

    tree: Any
    shapes: tuple[tuple[int, ...], ...]

    def filled(self, weights: Any, rest: Any) -> Any:
        """The network with these weights (weight,), and the rest of it, which does not learn."""
        split = np.split if isinstance(weights, np.ndarray) else jnp.split
        parts = zip(split(weights, self._ends), self.shapes, strict=True)
        leaves = [part.reshape(shape) for part, shape in parts]
        return eqx.combine(jax.tree.unflatten(self.tree, leaves), rest)

    @property
    def _ends(self) -> list[int]:
        return list(accumulate(map(math.prod, self.shapes)))[:-1]


class State(NamedTuple):
    """Everything that a step changes, and the rest of the network.

    Attributes:
        form: of the network.
        rest: of the network, without its weights.
        weights: (weight,) present ones.
        moments: of the optimiser, for the weights as one vector.
        average: (weight,) averaged weights.
    """

    form: Form
    rest: Any
    weights: Float[Array, " weight"]
    moments: optax.OptState
    average: Float[Array, " weight"]

    @property
    def network(self) -> Any:
        """The network with its present weights; nothing is compiled."""
        return jax.device_put(self.form.filled(np.asarray(self.weights), self.rest))

    @property
    def averaged(self) -> Any:
        """The network with averaged weights."""
        return jax.device_put(self.form.filled(np.asarray(self.average), self.rest))


def _optimiser(recipe: Recipe) -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(recipe.clip), optax.scale_by_adam())


class Pace(NamedTuple):
    """How far a step goes.

    Attributes:
        rate: learning rate.
        keep: decay of the averaged weights.
        step: its number, which makes its random numbers.
    """

    rate: np.float32
    keep: np.float32
    step: np.int32


def learn(
    state: State, z: Any, features: Any, pace: Pace, key: PRNGKeyArray, recipe: Recipe
) -> tuple[State, Array]:
    """One step of Adam on a batch, z (batch, target) and features (batch, …); and its loss."""
    value, gradient = _gradient(
        state.form, state.rest, state.weights, z, features, recipe.mmd_weight, pace.step, key
    )
    weights, moments, average = _advance(
        state.weights, state.moments, state.average, gradient, pace, recipe
    )
    return State(state.form, state.rest, weights, moments, average), value


@eqx.filter_jit
def _gradient(
    form: Form,
    rest: Any,
    weights: Float[Array, " weight"],
    z: Any,
    features: Any,
    mmd_weight: float,
    step: Any,
    key: PRNGKeyArray,
) -> tuple[Array, Float[Array, " weight"]]:
    """The loss and its gradient.

    This is the only part whose program depends on the shape of the features.
    """
    network = form.filled(weights, rest)
    value, gradient = eqx.filter_value_and_grad(loss)(
        network, z, features, mmd_weight, jax.random.fold_in(key, step)
    )
    return value, ravel_pytree(gradient)[0]


@eqx.filter_jit
def _advance(
    weights: Float[Array, " weight"],
    moments: optax.OptState,
    average: Array,
    gradient: Float[Array, " weight"],
    pace: Pace,
    recipe: Recipe,
) -> tuple[Array, optax.OptState, Array]:
    """The next weights, moments and averaged weights."""
    updates, moments = _optimiser(recipe).update(gradient, moments)
    weights = weights - pace.rate * jnp.asarray(updates)
    return weights, moments, pace.keep * average + (1.0 - pace.keep) * weights


def state_of(network: Any, recipe: Recipe) -> State:
    """A network with an optimiser that has not made a step. Nothing is compiled."""
    learning, rest = eqx.partition(network, eqx.is_inexact_array)
    leaves, tree = jax.tree.flatten(learning)
    form = Form(tree, tuple(leaf.shape for leaf in leaves))
    weights = jax.device_put(np.concatenate([np.ravel(leaf) for leaf in leaves]))
    return State(form, rest, weights, _optimiser(recipe).init(weights), weights)


def standardised(network: Any, features: np.ndarray, recipe: Recipe) -> State:
    """The state before the first step, of a network whose encoder standardises these features."""
    fitted = network.encoder.fitted(features)
    return state_of(eqx.tree_at(lambda n: n.encoder, network, fitted), recipe)

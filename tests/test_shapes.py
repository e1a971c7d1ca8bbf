"""Shapes are checked in tests, everywhere they are named."""

import equinox as eqx
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from shapes import CHECKED, is_compiled, names_shapes, sources

from incongruent.checks.kernels import Whitening, squared_distances
from incongruent.data.trials import CONFLICT_TASK
from incongruent.exact.importance import weigh
from incongruent.networks.architecture import Architecture
from incongruent.networks.discrepancy import kernel
from incongruent.networks.encoders import Histogram
from incongruent.networks.estimator import build_estimator
from incongruent.networks.flows import CouplingFlow
from incongruent.networks.layers import linear
from incongruent.networks.task import Task
from incongruent.simulation.observed import ObservedLayout


def test_every_module_that_names_shapes_is_checked():
    """So compiled kernels live in modules of their own."""
    named = {name for name, text in sources().items() if names_shapes(text)}
    assert named == set(CHECKED)
    rooms = {name.split(".")[1] for name in named}
    assert rooms >= {"simulation", "networks", "posterior", "training", "exact", "checks"}
    assert any(is_compiled(text) for text in sources().values())


def test_a_wrong_shape_is_refused():
    x, y = jnp.ones((3, 2)), jnp.ones((4, 5))
    assert kernel(x, y[:, :2]).shape == (3, 4)
    with pytest.raises(jaxtyping.TypeCheckError, match="dim"):
        kernel(x, y)
    layer = linear(None, 3, 2)
    assert layer(jnp.ones(3)).shape == (2,)
    with pytest.raises(jaxtyping.TypeCheckError):
        layer(jnp.ones((3, 1)))
    with pytest.raises(jaxtyping.TypeCheckError):
        layer(jnp.ones(3, int))


def test_a_wrong_shape_is_refused_inside_of_compiled_programs():
    task = Task(CONFLICT_TASK, (), (150.0, 2500.0), 6)
    small = Architecture(Histogram(width=8), CouplingFlow(n_layers=1, width=8))
    estimator = build_estimator(None, task, small)
    features = jnp.zeros((2, *estimator.encoder.shape(100)))
    sampled = eqx.filter_jit(estimator.sample).lower
    assert sampled(jnp.zeros((2, 5, 6)), features)
    with pytest.raises(jaxtyping.TypeCheckError, match="dataset"):
        sampled(jnp.zeros((3, 5, 6)), features)


def test_arrays_of_numpy_are_held_to_their_shapes_too():
    x, y = np.ones((3, 2)), np.zeros((4, 5))
    assert squared_distances(x, y[:, :2]).shape == (3, 4)
    with pytest.raises(jaxtyping.TypeCheckError, match="dim"):
        squared_distances(x, y)
    with pytest.raises(jaxtyping.TypeCheckError, match="draw"):
        weigh(np.zeros((2, 30)), np.zeros((2, 31)))


def test_arrays_of_a_record_agree_with_each_other():
    assert Whitening(np.zeros(2), np.eye(2)).to_white.shape == (2, 2)
    with pytest.raises(jaxtyping.TypeCheckError, match="dim"):
        Whitening(np.zeros(3), np.eye(2))


def test_shapes_are_checked_where_their_names_are_imported_for_type_checkers_alone():
    layout = ObservedLayout({}, np.ones((2, 3), bool))
    assert layout.present.shape == (2, 3)
    with pytest.raises(jaxtyping.TypeCheckError, match="person trial"):
        ObservedLayout({}, np.ones(3, bool))


def test_an_array_is_not_spread_over_one_with_more_axes():
    with pytest.raises(ValueError, match="rank_promotion"):
        jnp.ones((3, 2)) + jnp.ones(2)
    assert (jnp.ones((3, 2)) + jnp.ones(2)[None]).shape == (3, 2)

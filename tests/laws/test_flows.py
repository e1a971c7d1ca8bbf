"""What every flow owes: density and draws fit each other, and the density is one. Weights are
random, so that nothing is the identity.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from incongruent.networks import splines
from incongruent.networks.flows import AutoregressiveFlow, CouplingFlow
from incongruent.storage.weights import load_arrays, named_leaves, save_arrays, with_leaves

CONTEXT = 3
SIZES = {
    "whitening alone, dim 2": (2, CouplingFlow(n_layers=0)),
    "whitening alone, dim 3": (3, AutoregressiveFlow(n_layers=0)),
    "dim 1": (1, CouplingFlow(n_layers=2, n_bins=8, width=16)),
    "dim 2": (2, CouplingFlow(n_layers=2, n_bins=4, width=16)),
    "dim 3": (3, CouplingFlow(n_layers=2, n_bins=1, width=8)),
    "dim 3, fixed": (3, CouplingFlow(n_layers=3, n_bins=4, width=8, permutation="fixed")),
    "dim 6": (6, CouplingFlow(n_layers=3, n_bins=8, width=32)),
    "affine, dim 1": (1, CouplingFlow(n_layers=2, width=8, transform="affine")),
    "affine, dim 2": (2, CouplingFlow(n_layers=2, width=16, transform="affine", dropout=0.3)),
    "affine, dim 5": (
        5,
        CouplingFlow(n_layers=4, width=16, transform="affine", permutation="fixed"),
    ),
    "autoregressive, dim 1": (1, AutoregressiveFlow(n_layers=2, n_bins=4, width=8)),
    "autoregressive, dim 3": (3, AutoregressiveFlow(n_layers=2, n_bins=6, width=16)),
    "autoregressive, affine, dim 2": (
        2,
        AutoregressiveFlow(n_layers=2, width=8, transform="affine", dropout=0.3),
    ),
    "autoregressive, affine, dim 4, fixed": (
        4,
        AutoregressiveFlow(n_layers=2, width=8, transform="affine", permutation="fixed"),
    ),
}


def randomised(flow, scale: float = 0.2):
    """The same flow with noise on every weight; untrained ones are the identity, and a law that
    holds there says little. Nothing is compiled.
    """
    weights, rest = eqx.partition(flow, eqx.is_inexact_array)
    leaves, tree = jax.tree.flatten(weights)
    rng = np.random.default_rng(99)
    sizes = [scale * (leaf.shape[-1] if leaf.ndim > 1 else 1) ** -0.5 for leaf in leaves]
    noisy = [
        np.asarray(leaf) + size * rng.standard_normal(leaf.shape, np.float32)
        for leaf, size in zip(leaves, sizes, strict=True)
    ]
    return eqx.combine(
        jax.tree.unflatten(tree, jax.device_put([leaf.astype(np.float32) for leaf in noisy])), rest
    )


FLOWS = {
    name: randomised(options.build(np.random.default_rng(1), dim, CONTEXT))
    for name, (dim, options) in SIZES.items()
}
LONG = {
    "dim 6",
    "dim 3, fixed",
    "dim 2",
    "autoregressive, dim 3",
    "autoregressive, affine, dim 4, fixed",
    "affine, dim 5",
}
"""Compiling these takes seconds a test, and others are like them, so that they are looked at with
the slow tests.
"""
every_flow = pytest.mark.parametrize(
    "flow",
    [
        pytest.param(flow, id=name, marks=pytest.mark.slow if name in LONG else ())
        for name, flow in FLOWS.items()
    ],
)
CONTEXTS = jax.device_put(np.random.default_rng(2).standard_normal((40, CONTEXT), np.float32))


def noise(flow, scale: float = 1.0, key: int = 3) -> jax.Array:
    return jax.device_put(
        np.float32(scale)
        * np.random.default_rng(key).standard_normal((len(CONTEXTS), flow.dim), np.float32)
    )


@eqx.filter_jit
def log_prob(flow, z, contexts):
    return jax.vmap(flow.log_prob)(z, contexts)


@eqx.filter_jit
def sample(flow, u, contexts):
    return jax.vmap(flow.sample)(u, contexts)


def forward(flow, z, context):
    """U, by all layers."""
    for layer in (flow.whitening, *flow.layers):
        z, _ = layer.forward(z, context)
    return z


@eqx.filter_jit
def undone(flow, z, contexts):
    return jax.vmap(lambda z, c: forward(flow, z, c))(z, contexts)


@eqx.filter_jit
def jacobians(flow, z, contexts):
    """Log |du / dz| by automatic differentiation, and as the density has it."""

    def one(z, context):
        automatic = jnp.linalg.slogdet(jax.jacfwd(lambda z: forward(flow, z, context))(z))[1]
        return automatic, flow.log_prob(z, context) - jnp.sum(
            jax.scipy.stats.norm.logpdf(forward(flow, z, context))
        )

    return jax.vmap(one)(z, contexts)


@every_flow
def test_no_flow_here_is_the_identity(flow):
    u = noise(flow)
    assert (jnp.abs(sample(flow, u, CONTEXTS)[0] - u).max(axis=0) > 0.05).all()


@every_flow
@pytest.mark.parametrize("scale", [1.0, 4.0], ids=["inside", "beyond the splines' limit"])
def test_a_draw_comes_with_its_own_density(flow, scale):
    z, log_q = sample(flow, noise(flow, scale), CONTEXTS)
    np.testing.assert_allclose(log_prob(flow, z, CONTEXTS), log_q, rtol=2e-4, atol=5e-3)


@every_flow
@pytest.mark.parametrize("scale", [1.0, 4.0], ids=["inside", "beyond the splines' limit"])
def test_the_inverse_inverts(flow, scale):
    u = noise(flow, scale)
    z, _ = sample(flow, u, CONTEXTS)
    np.testing.assert_allclose(undone(flow, z, CONTEXTS), u, rtol=1e-3, atol=2e-3)


@every_flow
@pytest.mark.parametrize("scale", [1.0, 4.0], ids=["inside", "beyond the splines' limit"])
def test_the_jacobian_is_that_of_automatic_differentiation(flow, scale):
    automatic, by_hand = jacobians(flow, noise(flow, scale), CONTEXTS)
    np.testing.assert_allclose(by_hand, automatic, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("name", [name for name, (dim, _) in SIZES.items() if dim <= 2])
def test_the_density_integrates_to_one(name):
    flow, dim = FLOWS[name], SIZES[name][0]
    n, edge = (20_001, 40.0) if dim == 1 else (601, 24.0)
    axis = jnp.linspace(-edge, edge, n)
    grid = jnp.stack(jnp.meshgrid(*[axis] * dim), axis=-1).reshape(-1, dim)
    for context in CONTEXTS[:3]:
        mass = (
            jnp.sum(jnp.exp(log_prob(flow, grid, jnp.broadcast_to(context, (len(grid), CONTEXT)))))
            * (axis[1] - axis[0]) ** dim
        )
        assert float(mass) == pytest.approx(1.0, abs=5e-3)


def test_a_wrong_log_slope_does_not_integrate_to_one():
    flow, axis = FLOWS["dim 1"], jnp.linspace(-40.0, 40.0, 20_001)[:, None]
    # the density of another place
    _, wrong = sample(flow, axis, jnp.broadcast_to(CONTEXTS[0], (len(axis), CONTEXT)))
    assert float(jnp.sum(jnp.exp(wrong)) * 0.004) != pytest.approx(1.0, abs=5e-3)


@every_flow
def test_data_sets_do_not_leak_into_each_other(flow):
    z, contexts = noise(flow), CONTEXTS
    changed = log_prob(flow, z.at[1].set(7.0), contexts.at[1].set(-3.0))
    untouched = jnp.arange(len(z)) != 1
    assert np.array_equal(changed[untouched], log_prob(flow, z, contexts)[untouched])
    assert changed[1] != log_prob(flow, z, contexts)[1]


@every_flow
def test_a_batch_is_its_members(flow):
    z = noise(flow)
    for i in range(3):
        alone = log_prob(flow, jnp.tile(z[i], (len(z), 1)), jnp.tile(CONTEXTS[i], (len(z), 1)))
        np.testing.assert_allclose(alone, log_prob(flow, z, CONTEXTS)[i], rtol=1e-5, atol=1e-5)


@every_flow
def test_context_matters(flow):
    z = noise(flow)
    assert (
        jnp.abs(log_prob(flow, z, CONTEXTS) - log_prob(flow, z, CONTEXTS[::-1])) > 0
    ).mean() > 0.9


@eqx.filter_jit
def gradients(flow, places):
    """Gradients of the log density by weights and inputs, at one place in all coordinates."""
    z = jnp.tile(places[:, None], flow.dim)
    one = eqx.filter_grad(lambda inputs: inputs[0].log_prob(inputs[1], CONTEXTS[0]))
    return jax.tree.leaves(jax.vmap(one, ((None, 0),))((flow, z)))


def untrained(flow):
    """The same flow with zeros for weights: the identity, so that the splines meet their edges
    exactly.
    """
    return jax.tree.map(
        lambda leaf: (
            jax.device_put(np.zeros(leaf.shape, np.float32)) if eqx.is_inexact_array(leaf) else leaf
        ),
        flow,
    )


@every_flow
def test_gradients_are_finite_at_the_edges_and_far_out(flow):
    places = jnp.array([-50.0, -5.0, 0.0, 5.0, 50.0])
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in gradients(untrained(flow), places))
    assert all(bool(jnp.isfinite(leaf[1:4]).all()) for leaf in gradients(flow, places))


def test_densities_stay_finite_far_out_whatever_the_weights():
    flow = randomised(SIZES["dim 6"][1].build(np.random.default_rng(1), 6, CONTEXT), 0.4)
    assert bool(jnp.isfinite(log_prob(flow, noise(flow, 6.0), CONTEXTS)).all())


@every_flow
def test_an_untrained_flow_is_standard_normal(flow):
    z = noise(flow, 2.0)
    np.testing.assert_allclose(
        log_prob(untrained(flow), z, CONTEXTS),
        jax.scipy.stats.norm.logpdf(z).sum(axis=1),
        rtol=1e-5,
        atol=1e-4,
    )


@pytest.mark.parametrize("permutation", ["random", "fixed"])
@pytest.mark.parametrize("dim", [1, 2, 3, 5, 6])
def test_every_two_layers_move_every_coordinate(dim, permutation):
    options = CouplingFlow(n_layers=4, n_bins=2, width=4, permutation=permutation)
    flow = eqx.filter_eval_shape(lambda: options.build(np.random.default_rng(1), dim, CONTEXT))
    for first, second in (flow.layers[:2], flow.layers[2:]):
        assert sorted(first.order) == sorted(second.order) == list(range(dim))
        assert {*first.order[dim // 2 :], *second.order[dim // 2 :]} == set(range(dim))


@pytest.mark.slow
def test_in_an_autoregression_a_coordinate_depends_on_those_before_it_alone():
    flow = FLOWS["autoregressive, dim 3"]
    for layer in flow.layers:
        slopes = np.asarray(
            jax.jacobian(lambda z, layer=layer: layer.forward(z, CONTEXTS[0])[0])(
                jnp.array([0.3, -0.7, 1.1])
            )
        )
        ordered = slopes[np.ix_(layer.order, layer.order)]
        assert not np.triu(ordered, 1).any()
        assert (np.abs(np.tril(ordered)[np.tril_indices(3)]) > 1e-6).all()
    assert flow.layers[0].order == flow.layers[1].order[::-1]


def test_a_fixed_permutation_is_the_order_of_the_parameters():
    orders = [
        [layer.order for layer in FLOWS[name].layers]
        for name in ("affine, dim 5", "autoregressive, affine, dim 4, fixed")
    ]
    assert orders == [[(0, 1, 2, 3, 4), (2, 3, 4, 0, 1)] * 2, [(0, 1, 2, 3), (3, 2, 1, 0)]]
    assert FLOWS["dim 6"].layers[0].order != tuple(range(6))


@every_flow
def test_a_flow_that_was_saved_is_the_same(flow, tmp_path):
    save_arrays(tmp_path / "f", named_leaves(flow, "flow"), {}, kind="test", version=1)
    loaded = with_leaves(
        untrained(flow), load_arrays(tmp_path / "f", kind="test", version=1)[0], "flow"
    )
    assert np.array_equal(
        log_prob(loaded, noise(flow), CONTEXTS), log_prob(flow, noise(flow), CONTEXTS)
    )


@every_flow
def test_each_layer_of_each_flow_moves_something(flow):
    for layer in flow.layers:
        moved, _ = layer.forward(jnp.full(flow.dim, 0.3), CONTEXTS[0])
        assert (jnp.abs(moved - 0.3) > 1e-4).sum() >= (flow.dim + 1) // 2


@every_flow
def test_dropout_happens_with_a_key_alone(flow):
    z, context = noise(flow)[0], CONTEXTS[0]
    with_key = [float(flow.log_prob(z, context, key=jax.random.key(seed))) for seed in (1, 1, 2)]
    drops = any(
        c.dropout
        for layer in flow.layers
        for c in (layer.conditioners if hasattr(layer, "conditioners") else [layer.conditioner])
    )
    assert with_key[0] == with_key[1]
    assert (with_key[0] != with_key[2]) == drops
    assert (with_key[0] != float(flow.log_prob(z, context))) == drops


def every_spline(test):
    """Of one and of eight bins, from the identity to bends as steep as they get."""
    return pytest.mark.parametrize("n_bins", [1, 8])(
        pytest.mark.parametrize("scale", [0.0, 1.0, 10.0, 100.0])(test)
    )


def spline_raw(n_bins: int, scale: float) -> jax.Array:
    return scale * jax.random.normal(jax.random.key(4), (splines.n_raw(n_bins),))


@eqx.filter_jit
def along(function, raw, n_bins, x):
    return jax.vmap(function, (None, 0))(splines.spline_from_raw(raw, n_bins), x)


@every_spline
def test_splines_are_monotone_onto_themselves_and_undone(n_bins, scale):
    raw = spline_raw(n_bins, scale)
    knots = splines.spline_from_raw(raw, n_bins).x
    x = jnp.concatenate([jnp.linspace(-7.0, 7.0, 301), knots]).sort()
    y, log_slope = along(splines.forward, raw, n_bins, x)
    back, slope_there = along(splines.inverse, raw, n_bins, y)
    again, _ = along(splines.forward, raw, n_bins, back)
    assert all(bool(jnp.isfinite(array).all()) for array in (log_slope, back, slope_there))
    assert bool((jnp.diff(y) >= -1e-6).all())
    assert np.array_equal(y[jnp.abs(x) >= 5.0], x[jnp.abs(x) >= 5.0])
    np.testing.assert_allclose(again, y, atol=1e-3 if scale <= 1.0 else 2e-2)
    if scale <= 1.0:
        np.testing.assert_allclose(back, x, atol=1e-3)


@eqx.filter_jit
def spline_gradients(function, raw, n_bins, x):
    one = jax.grad(lambda r, v: sum(function(splines.spline_from_raw(r, n_bins), v)), (0, 1))
    return jax.vmap(one, (None, 0))(raw, x)


@every_spline
@pytest.mark.parametrize("function", [splines.forward, splines.inverse])
def test_gradients_of_splines_are_finite_at_edges_and_knots(function, n_bins, scale):
    raw = spline_raw(n_bins, scale)
    spline = splines.spline_from_raw(raw, n_bins)
    places = jnp.concatenate([jnp.array([-50.0, -5.0, 5.0, 50.0]), spline.x, spline.y])
    assert all(bool(jnp.isfinite(g).all()) for g in spline_gradients(function, raw, n_bins, places))

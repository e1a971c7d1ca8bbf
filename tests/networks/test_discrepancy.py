"""MMD² is what its definition says, unbiased, and tells distributions apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from incongruent.networks import discrepancy
from incongruent.networks.discrepancy import SCALES

kernel, mmd_squared = jax.jit(discrepancy.kernel), jax.jit(discrepancy.mmd_squared)


def k(x: np.ndarray, y: np.ndarray) -> float:
    scales = 2.0 * len(x) * np.array(SCALES)
    return float(np.mean(scales / (scales + np.sum((x - y) ** 2))))


def by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, pair by pair."""
    m, n = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    yy = sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return xx + yy - 2.0 * sum(k(a, b) for a in x for b in y) / (m * n)


def normals(key: int, shape: tuple[int, ...]) -> jax.Array:
    return jax.random.normal(jax.random.key(key), shape)


@pytest.mark.parametrize("dim", [1, 3, 18])
def test_it_equals_the_double_loop(dim):
    x, y = normals(1, (12, dim)), 0.5 + normals(2, (9, dim))
    assert float(mmd_squared(x, y)) == pytest.approx(
        by_hand(np.asarray(x, float), np.asarray(y, float)), abs=1e-5
    )


def test_the_kernel_is_one_at_home_and_falls_with_distance():
    x = normals(3, (20, 4))
    np.testing.assert_allclose(jnp.diag(kernel(x, x)), 1.0, atol=1e-5)
    np.testing.assert_allclose(kernel(x, x), kernel(x, x).T, atol=1e-6)
    away = kernel(x[:1], x[:1] + jnp.arange(0.0, 30.0)[:, None])[0]
    assert bool((jnp.diff(away) < 0).all())


def repeated(shift: float, spread: float, n_repeats: int = 2000) -> tuple[float, float]:
    """Mean over repetitions with 20 against 15 points, and its standard error."""
    x, y = normals(4, (n_repeats, 20, 3)), shift + spread * normals(5, (n_repeats, 15, 3))
    values = np.asarray(jax.jit(jax.vmap(mmd_squared))(x, y), float)
    return float(values.mean()), float(values.std() / np.sqrt(n_repeats))


def test_it_is_zero_on_average_for_equal_distributions():
    mean, error = repeated(0.0, 1.0)
    assert abs(mean) < 5 * error


@pytest.mark.parametrize(("shift", "spread"), [(0.5, 1.0), (0.0, 1.5), (0.0, 0.5)])
def test_it_is_positive_for_others(shift, spread):
    mean, error = repeated(shift, spread)
    assert mean > 5 * error


def test_the_gate_tells_the_biased_estimate_from_the_unbiased_one():
    x, y = normals(4, (2000, 20, 3)), normals(5, (2000, 15, 3))
    biased = jax.jit(
        jax.vmap(lambda x, y: kernel(x, x).mean() + kernel(y, y).mean() - 2 * kernel(x, y).mean())
    )(x, y)
    assert float(biased.mean()) > 5 * float(biased.std() / np.sqrt(2000))


def test_its_gradient_is_finite_even_where_points_coincide():
    x = jnp.zeros((5, 2))
    assert bool(jnp.isfinite(jax.grad(mmd_squared)(x, x)).all())

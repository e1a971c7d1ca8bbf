"""A parabola finds a normal density from values far beside it."""

from __future__ import annotations

import numpy as np
import pytest

from incongruent.exact.parabola import FARTHEST, FLATTEST, fewest_places, normal_at_the_top

COVARIANCE = np.array([[0.3, 0.1, 0.0], [0.1, 0.2, -0.05], [0.0, -0.05, 0.5]])
MEAN = np.array([2.0, -1.5, 1.0])


def log_normal(z: np.ndarray) -> np.ndarray:
    away = z - MEAN
    return -0.5 * np.einsum("ni,ij,nj->n", away, np.linalg.inv(COVARIANCE), away)


def beside(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Places several SDs beside the top, and equal weights."""
    z = 0.4 * np.random.default_rng(1).standard_normal((n, 3))
    return z, np.full(n, 1.0 / n)


def test_a_normal_density_is_found_exactly_from_places_beside_it() -> None:
    z, weights = beside()
    found = normal_at_the_top(z, log_normal(z) + 100.0, weights)
    assert found is not None
    assert found[0] == pytest.approx(MEAN, abs=1e-3)
    assert found[1] == pytest.approx(COVARIANCE, abs=1e-3)


def test_places_without_density_count_for_nothing() -> None:
    z, weights = beside()
    log_density = log_normal(z)
    log_density[3] = -np.inf
    found = normal_at_the_top(z, log_density, weights)
    assert found is not None
    assert found[0] == pytest.approx(MEAN, abs=1e-3)


def test_a_density_without_a_top_gives_one_as_wide_as_the_prior() -> None:
    z, weights = beside()
    found = normal_at_the_top(z, 3.0 * (z**2).sum(axis=1) + 50.0 * z[:, 0], weights)
    assert found is not None
    assert found[1] == pytest.approx(np.eye(3) / FLATTEST, abs=1e-6)
    assert (np.abs(found[0]) <= FARTHEST).all()


def test_too_few_places_give_nothing() -> None:
    z, weights = beside(int(fewest_places(3)) - 1)
    assert normal_at_the_top(z, log_normal(z), weights) is None
    z, weights = beside()
    z[:, 1] = 0.7
    assert normal_at_the_top(z, log_normal(z), weights) is None

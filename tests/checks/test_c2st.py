"""The classifier two-sample test finds what the best classifier would, and no more."""

import sys

import numpy as np
import pytest
from scipy import stats

from incongruent.checks.network.c2st import c2st

N = 3000
SE = 0.5 / np.sqrt(2 * N)


def normal(seed: int, shift: float = 0.0, scale: float = 1.0, dim: int = 2) -> np.ndarray:
    """Normal draws, shifted in the first dimension."""
    draws = np.random.default_rng(seed).normal(0.0, scale, (N, dim))
    draws[:, 0] += shift
    return draws


@pytest.mark.parametrize("dim", [1, 2])
def test_equal_distributions_cannot_be_told_apart(dim):
    assert abs(c2st(normal(1, dim=dim), normal(2, dim=dim), seed=1) - 0.5) < 5 * SE


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_shifted_normals_are_told_apart_as_well_as_can_be(shift):
    best = stats.norm.cdf(shift / 2)
    assert abs(c2st(normal(1), normal(2, shift), seed=1) - best) < 5 * SE


def test_distributions_of_equal_mean_are_told_apart_by_their_spread():
    cut = np.sqrt(np.log(4) / (1 - 0.25))  # where the densities of N(0, 1) and N(0, 2) are equal
    best = 0.5 + stats.norm.cdf(cut) - stats.norm.cdf(cut / 2)
    assert abs(c2st(normal(1, dim=1), normal(2, scale=2.0, dim=1), seed=1) - best) < 5 * SE


@pytest.mark.slow
def test_units_do_not_matter():
    a, b, units = normal(1), normal(2, 1.0), np.array([1e6, 1e-6])
    assert c2st(a * units + 5.0, b * units + 5.0, seed=3) == pytest.approx(
        c2st(a, b, seed=3), abs=5 * SE
    )


@pytest.mark.slow
def test_the_same_seed_gives_the_same_number():
    assert c2st(normal(1)[:500], normal(2, 1.0)[:500], seed=3) == c2st(
        normal(1)[:500], normal(2, 1.0)[:500], seed=3
    )


@pytest.mark.parametrize(
    ("reference", "draws", "words"),
    [
        (np.ones(20), np.ones(20), r"one shape \(draw, dim\); got \(20,\) and \(20,\)"),
        (normal(1), normal(2)[:-1], r"got \(3000, 2\) and \(2999, 2\)\. Take as many draws"),
        (normal(1), normal(2, dim=3), r"got \(3000, 2\) and \(3000, 3\)"),
        (np.ones((20, 0)), np.ones((20, 0)), r"got \(20, 0\)"),
        (normal(1)[:9], normal(2)[:9], "at least 10 draws of each; got 9"),
        (normal(1), normal(2, np.nan), "finite draws; got NaN"),
        (
            np.ones((20, 2)),
            normal(2)[:20],
            r"varies in every dimension; got a constant in \[0, 1\]",
        ),
    ],
)
def test_samples_that_cannot_be_compared_are_refused(reference, draws, words):
    with pytest.raises(ValueError, match=words):
        c2st(reference, draws, seed=1)


def test_classifiers_that_have_not_finished_are_reported():
    with pytest.warns(UserWarning, match="of 5 had not, so the accuracy may be too low"):
        c2st(normal(1)[:20], normal(2)[:20], seed=1)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        c2st(normal(1), normal(2), seed=1)

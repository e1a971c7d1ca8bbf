"""What is said to be the exact posterior is: data sets and draws fit each other, and a posterior
that is a little wrong would be seen.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate
from solved import (
    BOX,
    NORMAL_MEAN,
    RT_AND_CHOICE,
    SOLVED,
    B,
    Solved,
    box_log_density,
    normal_mean_moments,
    rt_and_choice_posterior,
)

from incongruent.checks.network.uniformity import uniformity_p
from incongruent.data.trials import checked

N_DATASETS, N_DRAWS = 1000, 99
every_task = pytest.mark.parametrize("task", SOLVED.values(), ids=SOLVED)


def calibration_p(task: Solved) -> np.ndarray:
    """P-values of uniform ranks of theta among draws, (parameter,)."""
    simulations = task.simulator.simulate(N_DATASETS, seed=1)
    below = (task.draws(simulations.trials, N_DRAWS, seed=2) < simulations.theta[:, None]).sum(
        axis=1
    )
    ranks = (below + np.random.default_rng(3).random(below.shape)) / (N_DRAWS + 1)
    return np.array([uniformity_p(column) for column in ranks.T])


def values_of(trials, i: int) -> dict[str, np.ndarray]:
    return {name: values[i, trials.present[i]] for name, values in trials.values.items()}


@every_task
def test_the_exact_posterior_is_calibrated(task):
    assert (calibration_p(task) > 0.001).all()


def wider(draws: np.ndarray) -> np.ndarray:
    return draws.mean(axis=0) + 1.15 * (draws - draws.mean(axis=0))


def shifted(draws: np.ndarray) -> np.ndarray:
    return draws + 0.15 * draws.std(axis=0)


@every_task
@pytest.mark.parametrize("wrong", [wider, shifted])
def test_a_posterior_that_is_a_little_wrong_would_be_seen(task, wrong):
    off = replace(task, exact=lambda values, n_draws, rng: wrong(task.exact(values, n_draws, rng)))
    assert (calibration_p(off) <= 0.001).any()


@every_task
def test_simulated_data_sets_are_whole(task):
    trials = checked(task.simulator.simulate(300, seed=4).trials)
    sizes, design = trials.n_trials, task.simulator.design
    assert trials.n_excluded.sum() == 0
    assert (trials.answered == trials.present).all()
    assert (sizes.min(), sizes.max()) == (design.smallest, design.largest)


@every_task
def test_draws_depend_on_the_seed_alone(task):
    trials = task.simulator.simulate(3, seed=4).trials
    assert np.array_equal(task.draws(trials, 5, seed=1), task.draws(trials, 5, seed=1))
    assert not np.array_equal(task.draws(trials, 5, seed=1), task.draws(trials, 5, seed=2))


def near(draws: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> bool:
    """Are mean and SD of draws (draw, parameter) right, up to five of their standard errors?"""
    n, z = len(draws), (draws - mean) / sd
    return bool(
        (np.abs(z.mean(axis=0)) < 5 * n**-0.5).all()
        and (np.abs((z**2).mean(axis=0) - 1) < 5 * (z**2).std(axis=0) * n**-0.5).all()
    )


@pytest.mark.parametrize("i", range(3))
def test_draws_have_the_moments_of_the_formula(i):
    for task, moments in (
        (NORMAL_MEAN, normal_mean_moments),
        (RT_AND_CHOICE, rt_and_choice_moments),
        (BOX, box_moments),
    ):
        trials = task.simulator.simulate(3, seed=5).trials
        assert near(task.draws(trials, 4000, seed=6)[i], *moments(values_of(trials, i)))


def rt_and_choice_moments(values):
    posteriors = rt_and_choice_posterior(values)
    return np.array([p.mean() for p in posteriors]), np.array([p.std() for p in posteriors])


def box_moments(values):
    """By quadrature over the box."""
    x = np.array([values["x"][0], values["y"][0]], float)
    grid = np.linspace(-1.0, 1.0, 201)
    theta = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1)
    density = np.exp(box_log_density(theta, x))

    def mean(of: np.ndarray) -> float:
        return integrate.simpson(
            integrate.simpson(of * density, x=grid), x=grid
        ) / integrate.simpson(integrate.simpson(density, x=grid), x=grid)

    first = np.array([mean(theta[..., k]) for k in range(2)])
    return first, np.sqrt([mean((theta[..., k] - first[k]) ** 2) for k in range(2)])


def test_the_box_is_never_left():
    trials = BOX.simulator.simulate(200, seed=7).trials
    outside = (
        np.abs(np.linalg.solve(B, np.stack([trials.values["x"][:, 0], trials.values["y"][:, 0]])))
        > 1
    )
    assert outside.any(axis=0).mean() > 0.2  # the peak without the prior lies outside for many
    assert np.abs(BOX.draws(trials, 50, seed=8)).max() <= 1.0

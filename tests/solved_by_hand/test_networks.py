"""Networks against posteriors known exactly: a classifier can hardly tell their draws from exact
ones, also at numbers of trials never trained on.
"""

from dataclasses import replace

import numpy as np
import pytest
from solved import BOX, NORMAL_MEAN, RT_AND_CHOICE, Solved

import incongruent as inc
from incongruent.checks.network.c2st import c2st
from incongruent.checks.network.uniformity import uniformity_p

TASKS = {"normal mean": NORMAL_MEAN, "RT and choice": RT_AND_CHOICE, "box": BOX}
N_SETS, N_DRAWS = 4, 1000


@pytest.fixture(scope="module", params=TASKS)
def learned(request: pytest.FixtureRequest) -> tuple[Solved, inc.Posterior]:
    task = TASKS[request.param]
    return task, inc.train(task.simulator, steps=3000, seed=1, progress=False)


def accuracies(task: Solved, posterior: inc.Posterior, design: inc.Design) -> np.ndarray:
    study = (
        inc.Simulator(task.simulator.model, task.simulator.prior, design)
        .simulate(N_SETS, seed=11)
        .trials
    )
    exact = task.draws(study, N_DRAWS, seed=12)
    drawn = posterior.sample(study, N_DRAWS, seed=13).theta
    return np.array([c2st(e, d, seed=14) for e, d in zip(exact, drawn, strict=True)])


@pytest.mark.slow
def test_draws_are_hardly_told_from_exact_ones(learned: tuple[Solved, inc.Posterior]) -> None:
    task, posterior = learned
    found = accuracies(task, posterior, task.simulator.design)
    assert found.mean() <= 0.55, found


@pytest.mark.slow
def test_nor_at_a_number_of_trials_never_trained_on(learned: tuple[Solved, inc.Posterior]) -> None:
    task, posterior = learned
    design = task.simulator.design
    if design.largest == 1:
        pytest.skip("vectors have one number of trials")
    found = []
    wide = replace(
        posterior,
        simulator=inc.Simulator(
            task.simulator.model,
            task.simulator.prior,
            replace(design, n_trials=(1, 2 * design.largest)),
        ),
    )
    for n in (int(1.2 * design.largest),):
        found.append(accuracies(task, wide, replace(design, n_trials=n)))
    assert np.mean(found) <= 0.58, found


@pytest.mark.slow
def test_ranks_are_uniform(learned: tuple[Solved, inc.Posterior]) -> None:
    task, posterior = learned
    study = task.simulator.simulate(500, seed=21)
    draws = posterior.sample(study.trials, 199, seed=22).theta
    ranks = (draws < study.theta[:, None]).sum(axis=1)
    p = [
        uniformity_p((ranks[:, k] + np.random.default_rng(k).random(500)) / 200)
        for k in range(ranks.shape[1])
    ]
    assert min(p) > 0.01 / len(p), p

"""Training: it learns, it repeats itself, it survives a kill, and it says why it stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.models import Model
from incongruent.posterior.history import History, Stopped, history_from_json
from incongruent.posterior.posterior import task_of
from incongruent.training import learner
from incongruent.training.job import Job
from incongruent.training.loop import validation_for
from incongruent.training.plan import PosteriorPlan
from incongruent.training.recipe import Budget
from incongruent.training.split import data_for


def weights(posterior: inc.Posterior) -> list[np.ndarray]:
    return [
        np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(posterior.estimator, eqx.is_array))
    ]


def test_a_few_hundred_steps_teach_more_than_the_prior_knows(posterior: inc.Posterior) -> None:
    assert posterior.history is not None
    assert posterior.history.nats > 2.0
    assert (
        posterior.history.evaluations[-1].validation
        < posterior.history.evaluations[0].validation - 1.0
    )


def test_the_same_seed_and_steps_give_the_same_network(
    simulator: inc.Simulator, small: inc.Architecture
) -> None:
    one, two, other = (
        inc.train(simulator, steps=30, seed=seed, architecture=small, progress=False)
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_a_budget_in_minutes_is_kept(simulator: inc.Simulator, small: inc.Architecture) -> None:
    begun = time.perf_counter()
    history = inc.train(simulator, minutes=0.3, seed=1, architecture=small, progress=False).history
    assert history is not None
    assert history.stopped is Stopped.BUDGET
    assert 18.0 <= time.perf_counter() - begun < 36.0


def test_the_weights_returned_are_those_of_the_best_evaluation(
    simulator: inc.Simulator, posterior: inc.Posterior
) -> None:
    assert posterior.history is not None
    data = data_for(simulator, None, 3, 0)
    plan = PosteriorPlan(
        task_of(simulator, posterior.architecture), posterior.architecture, simulator.prior
    )
    job = Job(data, plan, Budget(None, 400), 3, inc.Recipe(), None)
    validation = validation_for(job, posterior.estimator.encoder, data.held_out())
    assert validation.loss(posterior.estimator) == pytest.approx(
        posterior.history.best.best, abs=1e-5
    )


def test_training_stops_when_nothing_improves(
    simulator: inc.Simulator, small: inc.Architecture
) -> None:
    idle = inc.Recipe(peak_rate=1e-30)
    history = inc.train(
        simulator, steps=200, seed=1, architecture=small, recipe=idle, progress=False
    ).history
    assert history is not None
    assert history.stopped is Stopped.NO_BETTER
    assert history.evaluations[-1].step < 200
    assert "had not improved" in str(history)


def test_a_loss_that_is_not_finite_stops_with_step_and_advice(
    simulator: inc.Simulator, small: inc.Architecture
) -> None:
    with pytest.raises(
        inc.TrainingError,
        match=r"Expected a finite loss; got none at step \d+ .*Try Recipe\(peak_rate=",
    ):
        inc.train(
            simulator,
            steps=200,
            seed=1,
            architecture=small,
            recipe=inc.Recipe(peak_rate=1e30, warmup=1),
            progress=False,
        )


def test_a_budget_that_ends_before_the_first_step_is_an_error(
    simulator: inc.Simulator, small: inc.Architecture
) -> None:
    with pytest.raises(inc.TrainingError, match="give a larger budget"):
        inc.train(simulator, minutes=1e-4, seed=1, architecture=small, progress=False)


@pytest.mark.slow
def test_an_mmd_term_draws_the_summaries_to_a_standard_normal(
    simulator: inc.Simulator, small: inc.Architecture, posterior: inc.Posterior
) -> None:
    drawn = inc.train(
        simulator,
        steps=400,
        seed=3,
        architecture=small,
        recipe=inc.Recipe(mmd_weight=10.0),
        progress=False,
    )
    study = simulator.simulate(500, seed=9).trials
    spread = {
        name: np.abs(p.summaries(study).std(axis=0) - 1.0).mean()
        for name, p in (("free", posterior), ("drawn", drawn))
    }
    assert spread["drawn"] < 0.5 * spread["free"]


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({}, "either minutes or steps"),
        ({"minutes": 1.0, "steps": 5}, "either minutes or steps"),
        ({"steps": -3}, "whole number for steps, at least 1; got -3"),
        ({"minutes": 0.0}, "above 0"),
    ],
)
def test_an_impossible_budget_is_refused(
    simulator: inc.Simulator, budget: dict[str, float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        inc.train(simulator, seed=1, progress=False, **budget)  # type: ignore[arg-type]


def test_impossible_recipes_and_architectures_are_refused() -> None:
    with pytest.raises(ValueError, match="peak_rate > 0"):
        inc.Recipe(peak_rate=-1.0)
    with pytest.raises(ValueError, match="whole number for n_bins"):
        inc.flows.CouplingFlow(n_bins=0)
    with pytest.raises(TypeError):
        inc.Recipe(dropout=0.1)  # type: ignore[call-arg]


@pytest.mark.slow
def test_without_a_window_the_axis_is_that_of_simulated_data_sets_and_is_kept(
    simulator: inc.Simulator, small: inc.Architecture, tmp_path: Path
) -> None:
    endless = inc.Simulator(
        simulator.model, simulator.prior, inc.Design((50, 60), {"congruent": 1.0}, window=None)
    )
    posterior = inc.train(endless, steps=3, seed=1, architecture=small, progress=False)
    posterior.save(tmp_path / "endless")
    monkey = pytest.MonkeyPatch()
    monkey.setattr(inc.Simulator, "simulate", lambda *_, **__: pytest.fail("simulated"))
    loaded = inc.load_posterior(tmp_path / "endless")
    monkey.undo()
    assert loaded.card()["axis"] == posterior.card()["axis"]
    assert eqx.tree_equal(loaded.estimator, posterior.estimator)


LEARNERS = {
    "deep set": (inc.encoders.DeepSet(width=16, n_blocks=1, dropout=0.1), (2, 40)),
    "set transformer": (
        inc.encoders.SetTransformer(width=8, n_heads=2, n_blocks=1, n_inducing=4),
        (20, 40),
    ),
    "vector": (None, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_other_encoders_learn_as_well(name: str, tmp_path: Path) -> None:
    """The mean of a normal with two columns of noise: the validation loss comes near that of the
    exact posterior.
    """
    encoder, n_trials = LEARNERS[name]

    def simulate(
        theta: np.ndarray, _: object, present: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        made = {
            column: (theta[:, :1] + rng.standard_normal(present.shape)).astype(np.float32)
            for column in ("x", "y")
        }
        return made, present.copy()

    model = Model("two", ["mean"], (inc.Continuous("x"), inc.Continuous("y")), simulate)
    two = inc.Simulator(model, inc.Prior(mean=stats.norm(0, 1)), inc.Design(n_trials))
    architecture = inc.Architecture(
        encoder, inc.flows.CouplingFlow(n_layers=1, width=8, transform="affine", dropout=0.1), 4
    )
    posterior = inc.train(
        two,
        steps=900,
        seed=1,
        architecture=architecture,
        progress=False,
        recipe=inc.Recipe(batch_size=64, warmup=20),
    )
    posterior.save(tmp_path / "two")
    loaded = inc.load_posterior(tmp_path / "two", model=model)
    assert eqx.tree_equal(loaded.estimator, posterior.estimator)
    assert loaded.architecture == posterior.architecture
    if encoder is None:
        assert loaded.architecture.encoder == inc.encoders.MLP()
    trials = two.simulate(2000, seed=3)
    exact = stats.norm.entropy(scale=1.0 / np.sqrt(1.0 + 2.0 * trials.trials.n_trials)).mean()
    assert posterior.history is not None
    assert posterior.history.best.best < exact + 0.2


def test_a_model_with_columns_of_its_own_trains_saves_and_loads(
    small: inc.Architecture, tmp_path: Path
) -> None:
    levels = inc.Category("contrast", ("low", "high"), given=True)
    columns = (levels, inc.Category("response", ("left", "right")), inc.Continuous("rt", unit="ms"))

    def simulate(
        theta: np.ndarray,
        given: dict[str, np.ndarray],
        present: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        rt = 300.0 + theta[:, :1] * rng.exponential(size=present.shape)
        right = (rng.random(present.shape) < 0.5 + 0.2 * given["contrast"]).astype(np.int8)
        return {
            "contrast": given["contrast"],
            "response": right,
            "rt": rt.astype(np.float32),
        }, present.copy()

    model = Model(
        "own",
        (inc.Parameter("scale", "mean of the exponential", "ms", 1.0, np.inf, 100.0),),
        columns,
        simulate,
    )
    design = inc.Design((50, 60), {"low": 0.5, "high": 0.5}, condition=levels)
    own = inc.Simulator(model, inc.Prior(scale=stats.gamma(10, scale=10)), design)
    posterior = inc.train(own, steps=150, seed=1, architecture=small, progress=False)
    posterior.save(tmp_path / "own")
    loaded = inc.load_posterior(tmp_path / "own", model=model)
    simulations = own.simulate(100, seed=5)
    means = loaded.sample(simulations.trials, 50, seed=1).means
    assert np.corrcoef(means[:, 0], simulations.theta[:, 0])[0, 1] > 0.8


def test_a_design_of_one_study_cannot_be_trained_on(simulator: inc.Simulator) -> None:
    study = simulator.simulate(3, seed=1).trials
    observed = inc.Simulator(simulator.model, simulator.prior, inc.design_of(study))
    with pytest.raises(TypeError, match="which has no sizes to draw from"):
        inc.train(observed, steps=1, seed=1, progress=False)


def test_an_interrupted_run_goes_on_to_the_same_number_of_steps(
    simulator: inc.Simulator, small: inc.Architecture, tmp_path: Path
) -> None:
    broken = replace_model(simulator, fail_after=12)
    checkpoint = tmp_path / "run.checkpoint"
    monkey = pytest.MonkeyPatch()
    monkey.setattr(learner, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(RuntimeError, match="pulled the plug"):
        inc.train(
            broken, steps=300, seed=5, architecture=small, checkpoint=checkpoint, progress=False
        )
    monkey.undo()
    assert checkpoint.exists()
    resumed = inc.train(
        simulator, steps=300, seed=5, architecture=small, checkpoint=checkpoint, progress=False
    )
    assert resumed.history is not None
    assert resumed.history.evaluations[-1].step == 300
    steps = [e.step for e in resumed.history.evaluations]
    assert steps == sorted(set(steps))
    assert not checkpoint.exists()


def replace_model(simulator: inc.Simulator, *, fail_after: int) -> inc.Simulator:
    """The same simulator, whose model fails after so many calls."""
    calls = []

    def simulate(*arguments: object) -> object:
        calls.append(1)
        # the validation simulations come in eight chunks, and two are tried out before
        if len(calls) > fail_after + 8 + 2 + 2:
            raise RuntimeError("somebody pulled the plug")
        return simulator.model.simulate(*arguments)  # type: ignore[arg-type]

    model: Model = replace(simulator.model, simulate=simulate)  # type: ignore[arg-type]
    return inc.Simulator(model, simulator.prior, simulator.design)


def test_a_checkpoint_of_another_run_is_refused(
    simulator: inc.Simulator, small: inc.Architecture, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    monkey = pytest.MonkeyPatch()
    monkey.setattr(learner, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(RuntimeError):
        inc.train(
            replace_model(simulator, fail_after=12),
            steps=300,
            seed=5,
            architecture=small,
            checkpoint=checkpoint,
            progress=False,
        )
    monkey.undo()
    with pytest.raises(inc.FileError, match="it differs in seed"):
        inc.train(
            simulator, steps=300, seed=6, architecture=small, checkpoint=checkpoint, progress=False
        )


SCRIPT = """
import sys, incongruent as inc
from incongruent.training import learner
learner.CHECKPOINT_SECONDS = 0.2
design = inc.Design((50, 200), {"congruent": 0.5, "incongruent": 0.5})
simulator = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design)
flow = inc.flows.CouplingFlow(n_layers=2, n_bins=4, width=16)
small = inc.Architecture(inc.encoders.Histogram(width=32), flow, 8)
options = {"architecture": small, "checkpoint": sys.argv[1], "progress": False}
posterior = inc.train(simulator, steps=400, seed=5, **options)
posterior.save(sys.argv[2])
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_where_it_was(tmp_path: Path) -> None:
    checkpoint, out = tmp_path / "run.checkpoint", tmp_path / "network"
    command = [sys.executable, "-c", SCRIPT, str(checkpoint), str(out)]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 120.0
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert checkpoint.exists()
    assert not out.exists()
    subprocess.run(command, check=True, timeout=240)
    history = inc.load_posterior(out).history
    assert history is not None
    assert history.evaluations[-1].step == 400


def test_a_history_survives_json_and_prints_as_sentences(posterior: inc.Posterior) -> None:
    history = posterior.history
    assert isinstance(history, History)
    assert history_from_json(history.to_json()) == history
    assert "nats over the prior" in str(history)
    assert history.bottleneck in ("simulation", "learning")
    assert list(history.to_frame()["step"]) == [e.step for e in history.evaluations]

"""Training from stored simulations: what the forum asks about works, quality follows the data, and
overfitting is told.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import incongruent as inc
from incongruent.posterior.history import Evaluation, History, Stopped
from incongruent.training.split import data_for

FLOW = inc.flows.CouplingFlow(n_layers=2, n_bins=4, width=16)
TINY = inc.Architecture(inc.encoders.DeepSet(width=16, n_blocks=1), FLOW, 4)
MEAN = inc.Model(
    "mean", ["m"], [inc.Continuous("x")], dataset=lambda theta, n, rng: rng.normal(theta[0], 1.0, n)
)
PRIOR = inc.Prior(m=stats.norm(0, 1))
SIMULATOR = inc.Simulator(MEAN, PRIOR, inc.Design((5, 20)))


@pytest.fixture(scope="module")
def trained():
    simulations = inc.Simulator(MEAN, PRIOR, inc.Design(20)).simulate(1500, seed=1)
    stored = inc.simulations_from(
        {"m": simulations.theta[:, 0]}, {"x": simulations.trials.values["x"]}, prior=PRIOR
    )
    return inc.train(
        stored,
        steps=1000,
        seed=1,
        architecture=TINY,
        recipe=inc.Recipe(batch_size=64, warmup=50, peak_rate=5e-3),
        progress=False,
    )


def test_simulations_of_one_size_train_smaller_ones(trained):
    """Data sets of 20 trials stand for all from 2 to 20, by random parts of them."""
    assert (trained.simulator.design.smallest, trained.simulator.design.largest) == (2, 20)
    for n in (3, 20):
        test = inc.Simulator(MEAN, PRIOR, inc.Design(n)).simulate(200, seed=2)
        draws = trained.sample(
            inc.trials_from({"x": test.trials.values["x"]}, trained.simulator.model.columns),
            400,
            seed=3,
        )
        exact = test.trials.values["x"].sum(axis=1) / (n + 1)
        assert (
            np.sqrt(np.mean((draws.theta.mean(axis=1)[:, 0] - exact) ** 2))
            < 0.35 / np.sqrt(n + 1) + 0.05
        )
        assert np.median(draws.theta.std(axis=1)) == pytest.approx(1 / np.sqrt(n + 1), rel=0.35)


def test_the_history_counts_epochs(trained):
    history = trained.history
    assert history.n_stored == 1350
    assert history.epoch(history.evaluations[-1]) == pytest.approx(1000 * 64 / 1350)
    assert "1350 stored data sets, 47.4 epochs" in str(history)


def test_a_posterior_of_external_simulations_is_saved_and_loaded(trained, tmp_path):
    trained.save(tmp_path / "posterior")
    study = inc.trials_from(
        {"x": np.random.default_rng(1).normal(size=(3, 10))}, trained.simulator.model.columns
    )
    again = inc.load_posterior(tmp_path / "posterior")
    assert np.array_equal(
        again.sample(study, 10, seed=1).theta, trained.sample(study, 10, seed=1).theta
    )
    with pytest.raises(ValueError, match="Expected a model that can simulate"):
        again.simulator.simulate(1, seed=1)


def test_a_scalar_trial_number_and_an_array_of_conditions_train_as_they_are():
    """Simulations as users of other packages have them: 699 trials of 4 columns, one scalar for the
    number of trials, conditions shared by all.
    """
    rng, n = np.random.default_rng(1), 699
    theta = {
        "A": rng.gamma(4, 5, 60),
        "tau": rng.uniform(20, 200, 60),
        "v": rng.normal(0.5, 0.1, 60),
    }
    conditions = np.arange(n) % 2
    rt = 300 + rng.gamma(4, 30, (60, n)) + theta["A"][:, None] * conditions
    data = {
        "rt": rt,
        "accuracy": (rng.random((60, n)) < 0.9).astype(float),
        "conditions": conditions,
        "number": n,
    }
    posterior = inc.train(
        inc.simulations_from(theta, data),
        steps=6,
        seed=1,
        architecture=inc.Architecture(flow=FLOW),
        recipe=inc.Recipe(batch_size=2, warmup=2),
        progress=False,
    )
    study = inc.trials_from(
        {name: values if np.ndim(values) < 2 else values[:3] for name, values in data.items()},
        posterior.simulator.model.columns,
    )
    assert posterior.sample(study, 10, seed=1).theta.shape == (3, 10, 3)


def test_a_table_of_parameters_and_a_table_of_trials():
    made = SIMULATOR.simulate(40, seed=1)
    trials = made.trials.to_frame().rename(columns={"participant": "dataset"})
    theta = pd.DataFrame({"dataset": made.trials.names, "m": made.theta[:, 0]}).sample(
        frac=1, random_state=1
    )
    stored = inc.simulations_from(theta, trials)
    np.testing.assert_allclose(stored.theta, made.theta)
    assert np.array_equal(stored.trials.n_trials, made.trials.n_trials)
    assert stored.simulator is not None
    assert not stored.simulator.prior.has_density
    z = stored.simulator.prior.to_real(stored.theta)
    np.testing.assert_allclose([z.mean(), z.std()], [0.0, 1.0], atol=1e-9)


def test_held_out_simulations_are_never_trained_on():
    simulations = SIMULATOR.simulate(100, seed=1)
    data = data_for(simulations, None, 1, 10**9)
    kept = {tuple(row) for row in data.held_out().z}
    assert len(kept) == 10
    assert kept.isdisjoint(tuple(row) for row in data.source.z)
    assert data.source.n_stored == 90


def test_trials_are_taken_at_random():
    """Trials sorted by condition would otherwise come as runs of one condition."""
    condition = np.repeat([0, 1], 50)
    stored = inc.simulations_from(
        {"m": np.random.default_rng(1).normal(size=50)},
        {"x": np.zeros((50, 100)) + 0.5, "c": condition},
    )
    shuffled = data_for(stored, None, 1, 10**9).source.trials
    assert 0.3 < shuffled.values["c"][:, :50].mean() < 0.7
    assert (shuffled.values["c"].sum(axis=1) == 50).all()


def test_validation_data_can_be_given():
    data = data_for(SIMULATOR.simulate(30, seed=1), SIMULATOR.simulate(40, seed=2), 1, 10**9)
    assert data.source.n_stored == 30
    assert len(np.unique(data.held_out().z)) == 40


@pytest.mark.slow
def test_a_bank_trains_in_memory_or_from_the_disk(tmp_path):
    simulator = inc.Simulator(MEAN, PRIOR, inc.Design((5, 20)))
    bank = inc.write_bank(
        tmp_path / "bank", inc.Simulator(SUMS, PRIOR, inc.Design((5, 20))), 1200, seed=1
    )
    assert bank.simulator.design == simulator.design
    small = {"architecture": TINY, "seed": 1, "progress": False}
    for recipe in (inc.Recipe(batch_size=32), inc.Recipe(batch_size=32, buffer_bytes=1)):
        posterior = inc.train(bank, steps=20, recipe=recipe, **small)
        assert posterior.history.n_stored in (1080, 1024)
        assert np.isfinite(posterior.history.best.best)


SUMS = inc.Model(
    "sums", ["m"], [inc.Continuous("x")], dataset=lambda theta, n, rng: rng.normal(theta[0], 1.0, n)
)


UNSIGNED = inc.Simulations(np.zeros((3, 1)), SIMULATOR.simulate(3, seed=1).trials, ("m",))


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("a file", {"steps": 1}, "Expected a Simulator, Simulations or a Bank"),
        (SIMULATOR, {"epochs": 3}, "where there are no epochs"),
        (SIMULATOR, {}, "Expected either minutes or steps"),
        (
            SIMULATOR.simulate(30, seed=1),
            {"epochs": 3, "steps": 2},
            "Expected one of minutes, steps and epochs",
        ),
        (SIMULATOR.simulate(30, seed=1), {"epochs": 0}, "Expected epochs above 0"),
        (
            SIMULATOR.simulate(10, seed=1),
            {"steps": 1},
            "Expected at least 20 data sets to learn from; got 10",
        ),
        (
            inc.Simulations(np.zeros((3, 1)), SIMULATOR.simulate(3, seed=1).trials, ("m",)),
            {"steps": 1},
            "Expected simulations that say what made them",
        ),
    ],
)
def test_what_cannot_be_learned_from_is_refused(source, options, words):
    with pytest.raises((TypeError, ValueError), match=words):
        inc.train(source, seed=1, progress=False, **options)


def test_an_unknown_option_is_refused_with_the_nearest():
    with pytest.raises(TypeError, match="train has no option 'step'; did you mean 'steps'"):
        inc.train(SIMULATOR, step=3, seed=1)


def test_a_slow_simulator_is_refused_before_it_has_cost_an_hour():
    import time

    slow = inc.Model(
        "slow",
        ["m"],
        [inc.Continuous("x")],
        dataset=lambda theta, n, rng: (time.sleep(0.2), rng.normal(theta[0], 1.0, n))[1],
    )
    with pytest.raises(
        inc.TrainingError,
        match=(
            "Expected a simulator fast enough for 1 minutes; 2048 data sets are needed before the"
            " first step"
        ),
    ):
        inc.train(
            inc.Simulator(slow, PRIOR, inc.Design((5, 20))), minutes=1, seed=1, progress=False
        )


def test_a_simulator_that_fails_is_told_before_anything_is_trained():
    broken = inc.Model(
        "broken", ["m"], [inc.Continuous("x")], dataset=lambda theta, n, rng: np.full(n, np.nan)
    )
    with pytest.raises(
        ValueError,
        match="Expected a finite number in column 'x' from the simulator 'broken'; got nan",
    ):
        inc.train(
            inc.Simulator(broken, PRIOR, inc.Design((5, 20))), minutes=60, seed=1, progress=False
        )


def history(training, validation, n_stored=1000):
    looks = tuple(
        Evaluation(100 * i, float(i), t, v, v, 1e-3, n_stored)
        for i, (t, v) in enumerate(zip(training, validation, strict=True), 1)
    )
    return History(looks, Stopped.BUDGET, 2.0, 100, 1.0, 0.0, n_stored=n_stored)


def test_overfitting_is_told_with_its_epoch():
    over = history([1.0, 0.8, 0.6, 0.4, 0.2, 0.1], [1.1, 0.95, 0.9, 1.0, 1.1, 1.2])
    assert over.overfitting == pytest.approx(0.1)
    assert (
        "After epoch 30.0 the validation loss rose by 0.10 nats while the training loss went on"
        " falling" in str(over)
    )
    assert (
        history([1.0, 0.9, 0.8, 0.7, 0.7, 0.7], [1.1, 1.0, 0.9, 0.85, 0.84, 0.84]).overfitting == 0
    )
    # both rise: not by heart
    assert history([1.0, 0.8, 0.7, 0.9, 1.0, 1.0], [1.1, 1.0, 0.9, 1.0, 1.1, 1.2]).overfitting == 0


def test_a_loss_that_still_falls_is_told():
    falling = history(np.linspace(2, 1, 10), np.linspace(2, 1, 10))
    assert falling.still_falling == pytest.approx(2 / 9)
    assert "a longer budget would go on improving" in str(falling)
    assert history(np.ones(10), np.ones(10)).warnings == ()


@pytest.mark.slow
def test_a_further_round_goes_on_from_the_first(trained):
    """With more simulations, from the weights that are there: better from the first look on than
    one that begins anew.
    """
    more = inc.Simulator(MEAN, PRIOR, inc.Design(20)).simulate(500, seed=7)
    stored = inc.simulations_from(
        {"m": more.theta[:, 0]}, {"x": more.trials.values["x"]}, prior=PRIOR
    )
    recipe = inc.Recipe(batch_size=64, peak_rate=1e-4, warmup=5)
    again = inc.refine(trained, stored, steps=20, seed=2, recipe=recipe, progress=False)
    assert again.architecture == trained.architecture
    assert again.history.evaluations[0].best < trained.history.evaluations[0].best - 0.5
    strange = inc.simulations_from(
        {"m": more.theta[:, 0]}, {"y": more.trials.values["x"]}, prior=PRIOR
    )
    with pytest.raises(
        ValueError, match="Expected a posterior to start from with the same columns"
    ):
        inc.refine(trained, strange, steps=20, seed=2, progress=False)


@pytest.mark.slow
def test_rounds_without_a_prior_keep_the_map_of_the_first(tmp_path):
    """Location and scale of samples differ between rounds; weights go with the first ones."""
    rounds = [SIMULATOR.simulate(40, seed=seed) for seed in (1, 2)]
    one, two = (
        inc.simulations_from(
            {"m": r.theta[:, 0]}, {"x": r.trials.values["x"]}, n_trials=r.trials.n_trials
        )
        for r in rounds
    )
    tiny = {"steps": 2, "recipe": inc.Recipe(batch_size=8), "progress": False}
    first = inc.train(one, seed=1, architecture=TINY, **tiny)
    second = inc.refine(first, two, seed=2, **tiny)
    assert two.simulator.prior.to_json() != one.simulator.prior.to_json()
    assert second.simulator.prior.to_json() == one.simulator.prior.to_json()
    assert two.simulator.design.largest != one.simulator.design.largest
    assert second.simulator.design == one.simulator.design
    second.save(tmp_path / "second")
    study = inc.trials_from(
        {"x": rounds[0].trials.values["x"][:3, :10]}, one.simulator.model.columns
    )
    assert np.array_equal(
        inc.load_posterior(tmp_path / "second").sample(study, 5, seed=1).theta,
        second.sample(study, 5, seed=1).theta,
    )
    larger = inc.Simulator(MEAN, PRIOR, inc.Design((5, 90)))
    with pytest.raises(ValueError, match="Expected a posterior to start from with the same"):
        inc.refine(first, larger, steps=2, seed=1, progress=False)


def test_what_is_said_elsewhere_is_refused_with_what_to_write(posterior):
    """Training goes on by another function, in which the architecture is that of the posterior."""
    with pytest.raises(
        TypeError, match=r"train has no option 'start'. .* write inc.refine\(posterior, source, …\)"
    ):
        inc.train(SIMULATOR, start=posterior, steps=3, seed=1)
    with pytest.raises(
        TypeError, match=r"refine has no option 'architecture'. Weights fit into their own .* alone"
    ):
        inc.refine(posterior, SIMULATOR, architecture=TINY, steps=3, seed=1)
    with pytest.raises(TypeError, match="refine has no option 'step'; did you mean 'steps'"):
        inc.refine(posterior, SIMULATOR, step=3, seed=1)
    with pytest.raises(TypeError, match="Expected a Posterior to refine; got Simulator"):
        inc.refine(SIMULATOR, posterior, steps=3, seed=1)


def test_rounds_of_simulations_become_one():
    one, two = SIMULATOR.simulate(3, seed=1), SIMULATOR.simulate(4, seed=2)
    both = one.joined(two)
    assert np.array_equal(both.theta, np.concatenate([one.theta, two.theta]))
    assert both.trials.names == tuple("1234567")
    with pytest.raises(ValueError, match="Expected simulations with the parameters"):
        one.joined(inc.Simulations(two.theta, two.trials, ("other",)))


@pytest.mark.slow
def test_few_simulations_and_a_large_network_overfit_and_say_so():
    simulations = SIMULATOR.simulate(150, seed=1)
    posterior = inc.train(
        simulations,
        steps=2500,
        seed=1,
        architecture=inc.Architecture(encoder=inc.encoders.DeepSet(width=64)),
        progress=False,
    )
    assert posterior.history.overfitting > 0.05
    assert posterior.history.best.step < 1500
    assert posterior.history.stopped is Stopped.NO_BETTER

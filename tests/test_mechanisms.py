"""What holds for every mechanism beside DMC: seeds, gaps, settings, refusals, and the whole pipeline."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from test_dmc import CONGRUENT, INCONGRUENT, simulate

import incongruent as inc
from incongruent.models import build, dstp, ssp

PRIORS = {"ssp": inc.priors.broad_ssp, "dstp": inc.priors.broad_dstp}
every_model = pytest.mark.parametrize("make", [ssp, dstp], ids=["ssp", "dstp"])


def typical(model: inc.Model) -> list[float]:
    return [parameter.typical or 0.0 for parameter in model.parameters]


@every_model
def test_the_seed_alone_decides(make):
    model = make()
    one, again, other = (simulate(model, typical(model), INCONGRUENT, 200, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.isin(one, other).any()


@every_model
def test_the_number_of_workers_changes_nothing(make):
    model = make()
    simulator = inc.Simulator(model, PRIORS[model.name](), inc.Design((5, 20), {"congruent": 0.4, "incongruent": 0.4, "neutral": 0.2}))
    one, two = (simulator.simulate(600, seed=3, workers=workers) for workers in (1, 2))
    for name, values in one.trials.values.items():
        assert np.array_equal(values, two.trials.values[name])


@every_model
def test_places_without_a_trial_are_left_alone(make):
    model, present = make(), np.random.default_rng(1).random((3, 50)) < 0.5
    condition = np.where(present, 1, 99).astype(np.int8)
    values, answered = model.simulate(np.tile(typical(model), (3, 1)), {"condition": condition}, present, np.random.default_rng(2))
    assert np.array_equal(answered, present)
    assert not values["rt"][~present].any()


@every_model
def test_data_sets_do_not_share_parameters(make):
    model = make(fixed={"sd_R": 0.0})
    theta = np.tile(typical(model), (2, 1))
    theta[1, model.parameter_names.index("mu_R")] = 3000.0
    shape = (2, 500)
    values, _ = model.simulate(theta, {"condition": np.zeros(shape, np.int8)}, np.ones(shape, bool), np.random.default_rng(1))
    assert values["rt"][0].max() < 3000.0 < values["rt"][1].min()


@every_model
def test_a_path_that_never_ends_has_no_answer(make):
    model = make(fixed={"b": 1e6})
    _, _, answered = simulate(model, typical(model), INCONGRUENT, 50)
    assert not answered.any()


@every_model
def test_lapses_are_uniform_and_at_random(make):
    model = make(free=["lapse"])
    rt, response, answered = simulate(model, [*typical(model)[:-1], 1.0], CONGRUENT, 20_000)
    assert answered.all()
    assert stats.kstest(rt, "uniform", (150.0, 2350.0)).pvalue > 5.7e-7
    assert abs(response.mean() - 0.5) < 5 * 0.5 / np.sqrt(len(response))


@every_model
@pytest.mark.parametrize("options", [{}, {"fixed": {"sd_R": 30.0}, "free": ["lapse"]}, {"start": "beta"}], ids=["plain", "fixed and free", "start"])
def test_a_model_is_made_again_from_its_name_and_settings(make, options):
    model = make(**options)
    again = build(model.name, json.loads(json.dumps(model.settings, allow_nan=False)))
    assert again.parameters == model.parameters
    for one, other in zip(simulate(model, typical(model), INCONGRUENT, 200), simulate(again, typical(model), INCONGRUENT, 200), strict=True):
        assert np.array_equal(one, other)


@every_model
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "uniform"}, "Expected start to be one of ('point', 'beta'); got 'uniform'"),
        ({"free": ["tau"]}, "each once; got 'tau'"),
        ({"free": ["lapse", "lapse"]}, "each once; got 'lapse'"),
        ({"fixed": {"tau": 1.0}}, "Expected `fixed` to name parameters of the model not in `free`, of ["),
        ({"fixed": {"lapse": 0.1}, "free": ["lapse"]}, "not in `free`"),
        ({"fixed": {"sd_R": -1.0}}, "Expected sd_R within [0.0, inf]; got -1.0"),
        ({"fixed": {"b": float("nan")}}, "Expected b within"),
    ],
)
def test_what_the_model_does_not_know_is_refused(make, options, words):
    with pytest.raises(ValueError, match=r"^Expected") as caught:
        make(**options)
    assert words in str(caught.value)


@every_model
def test_unknown_arguments_are_refused(make):
    with pytest.raises(TypeError, match="sigma"):
        make(sigma=4.0)


@every_model
def test_priors_give_data_like_peoples(make):
    model = make()
    simulator = inc.Simulator(model, PRIORS[model.name](), inc.Design(100, {"congruent": 0.5, "incongruent": 0.5}, window=(100.0, 3000.0)))
    trials = simulator.simulate(400, seed=1).trials
    error = np.array([np.mean(trials.values["response"][i][trials.answered[i]]) for i in range(len(trials))])
    rt = np.array([np.mean(trials.values["rt"][i][trials.answered[i]]) for i in range(len(trials))])
    assert trials.answered.sum() > 0.99 * trials.present.sum()
    assert np.quantile(rt, 0.05) < 360.0 < 640.0 < np.quantile(rt, 0.98)
    assert np.quantile(error, 0.1) < 0.03
    assert 0.15 < np.quantile(error, 0.9) < 0.4


@pytest.mark.slow
@every_model
def test_a_network_is_trained_saved_loaded_and_asked(make, small: inc.Architecture, tmp_path: Path):
    model = make()
    simulator = inc.Simulator(model, PRIORS[model.name](), inc.Design((50, 100), {"congruent": 0.5, "incongruent": 0.5}))
    posterior = inc.train(simulator, steps=10, seed=3, architecture=small, progress=False)
    posterior.save(tmp_path / "network")
    again = inc.load_posterior(tmp_path / "network")
    study = simulator.simulate(2, seed=1).trials
    assert again.simulator.model.name == model.name
    assert np.array_equal(again.sample(study, 20, seed=1).theta, posterior.sample(study, 20, seed=1).theta)


def test_the_likelihood_of_ssp_serves_correction_and_that_of_dstp_is_missed():
    design = inc.Design(100, {"congruent": 0.5, "incongruent": 0.5})
    for make, prior in ((ssp, inc.priors.broad_ssp()), (dstp, inc.priors.broad_dstp())):
        simulator = inc.Simulator(make(), prior, design)
        simulations = simulator.simulate(2, seed=1)
        theta = simulations.theta[:, None] * np.array([1.0, 1.3])[:, None]
        if make is dstp:
            with pytest.raises(inc.LikelihoodError, match="SSP has one"):
                inc.log_likelihood(simulator, theta, simulations.trials)
        else:
            found = inc.log_likelihood(simulator, theta, simulations.trials)
            assert (found[:, 0] > found[:, 1]).all()

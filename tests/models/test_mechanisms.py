"""What holds for every mechanism beside DMC, and not for any model: refusals, priors, and the whole
pipeline.
"""

from pathlib import Path

import numpy as np
import pytest

import incongruent as inc
from incongruent.models import dstp, rdmc, ssp

PRIORS = {
    "rdmc": inc.priors.broad_rdmc,
    "ssp": inc.priors.broad_ssp,
    "dstp": inc.priors.broad_dstp,
}
every_model = pytest.mark.parametrize("make", [rdmc, ssp, dstp], ids=["rdmc", "ssp", "dstp"])


@every_model
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "uniform"}, "Expected start to be one of ('point', 'beta'); got 'uniform'"),
        ({"free": ["mu_c"]}, "each once; got 'mu_c'"),
        ({"free": ["lapse", "lapse"]}, "each once; got 'lapse'"),
        (
            {"fixed": {"mu_c": 1.0}},
            "Expected `fixed` to name parameters of the model not in `free`, of [",
        ),
        ({"fixed": {"lapse": 0.1}, "free": ["lapse"]}, "not in `free`"),
        ({"fixed": {"sd_R": -1.0}}, "Expected sd_R within [0.0, inf]; got -1.0"),
        ({"fixed": {"b": float("nan")}}, "Expected a number for the fixed parameter 'b'; got nan"),
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
    simulator = inc.Simulator(
        model,
        PRIORS[model.name](),
        inc.Design(100, {"congruent": 0.5, "incongruent": 0.5}, window=(100.0, 3000.0)),
    )
    trials = simulator.simulate(400, seed=1).trials
    error = np.array(
        [np.mean(trials.values["response"][i][trials.answered[i]]) for i in range(len(trials))]
    )
    rt = np.array([np.mean(trials.values["rt"][i][trials.answered[i]]) for i in range(len(trials))])
    assert trials.answered.sum() > 0.99 * trials.present.sum()
    assert np.quantile(rt, 0.05) < 360.0 < 640.0 < np.quantile(rt, 0.98)
    assert np.quantile(error, 0.1) < 0.03
    assert 0.15 < np.quantile(error, 0.9) < 0.4


@pytest.mark.slow
@every_model
def test_a_network_is_trained_saved_loaded_and_asked(make, small: inc.Architecture, tmp_path: Path):
    model = make()
    simulator = inc.Simulator(
        model, PRIORS[model.name](), inc.Design((50, 100), {"congruent": 0.5, "incongruent": 0.5})
    )
    posterior = inc.train(simulator, steps=10, seed=3, architecture=small, progress=False)
    posterior.save(tmp_path / "network")
    again = inc.load_posterior(tmp_path / "network")
    study = simulator.simulate(2, seed=1).trials
    assert again.simulator.model.name == model.name
    assert np.array_equal(
        again.sample(study, 20, seed=1).theta, posterior.sample(study, 20, seed=1).theta
    )


def test_the_likelihoods_of_rdmc_and_ssp_serve_correction_and_that_of_dstp_is_missed():
    design = inc.Design(100, {"congruent": 0.5, "incongruent": 0.5})
    for make in (rdmc, ssp, dstp):
        model = make()
        simulator = inc.Simulator(model, PRIORS[model.name](), design)
        simulations = simulator.simulate(2, seed=1)
        theta = simulations.theta[:, None] * np.array([1.0, 1.3])[:, None]
        if make is dstp:
            with pytest.raises(inc.LikelihoodError, match="RDMC and SSP have one"):
                inc.log_likelihood(simulator, theta, simulations.trials)
        else:
            found = inc.log_likelihood(simulator, theta, simulations.trials)
            assert (found[:, 0] > found[:, 1]).all()

"""Parameters that are integrated out, against answers known by calculation and by brute force."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

import incongruent as inc
from incongruent.checks.model.candidates import default_extensions
from incongruent.models.model import Kept, Likelihood
from incongruent.simulation.nuisance import built, integrated_out

HALF = {"congruent": 0.5, "incongruent": 0.5}
N_TRIALS = 12


def shifted_normal() -> inc.Model:
    """Trials of x ~ N(mean + shift, 1), with its likelihood."""

    def at(
        theta: np.ndarray, values: dict, answered: np.ndarray, kept: Kept, level: int
    ) -> np.ndarray:
        return stats.norm.logpdf(values["x"][None, :], theta.sum(axis=1)[:, None]).sum(axis=1)

    def simulate(theta: np.ndarray, n_trials: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(theta.sum(), 1.0, n_trials)

    return inc.Model(
        "shifted",
        ["mean", "shift"],
        [inc.Continuous("x")],
        dataset=simulate,
        likelihood=Likelihood(at),
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("first", ["mean", "shift"])
def test_the_likelihood_is_the_integral_known_by_calculation(first: str) -> None:
    """With shift ~ N(0, s) the trials are normal with covariance I + s^2, whichever of both is
    integrated out.
    """
    sd = 0.4
    model = inc.marginalised(shifted_normal(), **{first: stats.norm(0.1, sd)})
    x = np.random.default_rng(1).normal(0.5, 1.0, N_TRIALS)
    theta = np.array([[-0.3], [0.2], [0.7]])
    assert model.likelihood is not None
    found = model.likelihood.at(theta, {"x": x}, np.ones(N_TRIALS, bool), Kept(), 0)
    covariance = np.eye(N_TRIALS) + sd**2
    expected = [
        stats.multivariate_normal.logpdf(x, np.full(N_TRIALS, value + 0.1), covariance)
        for value in theta[:, 0]
    ]
    assert found == pytest.approx(expected, abs=1e-4)


def test_simulated_data_sets_have_values_of_their_own() -> None:
    """The variance between means is that of the nuisance parameter and of 1 / n."""
    model = inc.marginalised(shifted_normal(), shift=stats.norm(0.0, 0.4))
    simulator = inc.Simulator(model, inc.Prior(mean=stats.norm(0.0, 1.0)), inc.Design(N_TRIALS))
    made = simulator.simulate_at(np.zeros((4000, 1)), seed=1)
    means = made.values["x"].mean(axis=1)
    assert means.var() == pytest.approx(0.4**2 + 1.0 / N_TRIALS, rel=0.1)
    assert means.mean() == pytest.approx(0.0, abs=0.04)


def test_lapses_are_integrated_out_as_by_brute_force() -> None:
    """The 25 nodes against a fine grid over rates of lapses, for people with few and with many
    lapses.
    """
    whole, robust = (
        inc.models.dmc(free=["lapse"]),
        inc.marginalised(inc.models.dmc(free=["lapse"]), lapse=inc.priors.lapse_rate()),
    )
    rng = np.random.default_rng(2)
    theta = inc.priors.schaefer2025().sample(4, seed=rng)
    # behind which there is nothing, for 400 trials of which at most .15 are lapses
    rate = np.linspace(1e-6, 0.3, 401)
    assert whole.likelihood is not None
    assert robust.likelihood is not None
    for share in (0.0, 0.05, 0.15):
        design = inc.Design(400, HALF)
        prior = inc.priors.broad().extended(lapse=stats.uniform(0, 1))
        trials = inc.Simulator(whole, prior, design).simulate_at(
            np.append(theta[0], share)[None], seed=3
        )
        present = trials.present[0]
        values = {name: column[0, present] for name, column in trials.values.items()}
        arguments = (values, trials.answered[0, present], Kept(design.window), 1)
        every = np.concatenate(
            [np.repeat(theta, len(rate), axis=0), np.tile(rate, len(theta))[:, None]], axis=1
        )
        log_joint = whole.likelihood.at(every, *arguments).reshape(
            len(theta), -1
        ) + inc.priors.lapse_rate().logpdf(rate)
        top = log_joint.max(axis=1)
        brute = top + np.log(integrate.simpson(np.exp(log_joint - top[:, None]), x=rate, axis=1))
        assert robust.likelihood.at(theta, *arguments) == pytest.approx(brute, abs=0.05)


def test_many_rates_of_lapses_at_once_are_many_likelihoods() -> None:
    """With a window, a deadline and trials without an answer."""
    likelihood = inc.models.dmc(free=["lapse"]).likelihood
    assert likelihood is not None
    theta = np.column_stack([inc.priors.schaefer2025().sample(3, seed=4), np.full(3, 0.9)])
    rng, rates = np.random.default_rng(5), np.array([0.0, 0.01, 0.3])
    values = {
        "condition": rng.integers(2, size=60),
        "response": rng.integers(2, size=60),
        "rt": rng.uniform(250.0, 890.0, 60),
    }
    answered = rng.random(60) < 0.9
    found = likelihood.on_grid["lapse"](
        theta, rates, values, answered, Kept((200.0, 900.0), 880.0), 1
    )
    for k, rate in enumerate(rates):
        theta[:, 6] = rate
        assert found[:, k] == pytest.approx(
            likelihood.at(theta, values, answered, Kept((200.0, 900.0), 880.0), 1), abs=1e-9
        )


def test_of_two_no_likelihood_is_promised() -> None:
    free = ["lapse", "drift_sd"]
    two = inc.marginalised(
        inc.models.dmc(free=free), lapse=inc.priors.lapse_rate(), drift_sd=stats.uniform(0.1, 0.05)
    )
    assert two.parameter_names == ("A", "tau", "mu_c", "b", "mu_R", "sd_R")
    assert two.likelihood is None
    assert (
        len(inc.Simulator(two, inc.priors.schaefer2025(), inc.Design(20, HALF)).simulate(3, seed=1))
        == 3
    )


def test_extensions_of_a_robust_model_are_robust_and_other_than_lapses() -> None:
    robust = inc.marginalised(inc.models.dmc(free=["lapse"]), lapse=inc.priors.lapse_rate())
    found = {extension.name: extension for extension in default_extensions(robust)}
    assert "lapses" not in found
    assert "lapses" in {extension.name for extension in default_extensions(inc.models.dmc())}
    for name in ("SSP", "DSTP", "drift variability", "collapsing bound"):
        assert set(integrated_out(found[name].variants[0].model)) == {"lapse"}, name


@pytest.mark.parametrize(
    ("distributions", "words"),
    [
        ({}, r"but not all; got \(\)"),
        ({"lapse": stats.beta(1, 20)}, r"got \('lapse',\). Free it first"),
        ({"mu_R": stats.norm(300, 200)}, r"Expected a prior for mu_R within"),
        ({"A": 3.0}, r"Expected a frozen continuous distribution for 'A'"),
    ],
)
def test_impossible_wishes_are_refused(distributions: dict, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        inc.marginalised(inc.models.dmc(), **distributions)


def test_all_are_integrated_out_at_once() -> None:
    robust = inc.marginalised(inc.models.dmc(free=["lapse"]), lapse=inc.priors.lapse_rate())
    with pytest.raises(ValueError, match="Name all at once"):
        inc.marginalised(robust, sd_R=stats.norm(30, 3))
    assert (
        built("dmc", inc.models.dmc().settings).parameter_names == inc.models.dmc().parameter_names
    )


def test_a_panel_says_what_its_predictions_draw_anew(optimised: None) -> None:
    """People who hardly lapse, judged by a model that lets them lapse at rates about 5 %: the
    assumed rates are what fails.
    """
    robust = inc.marginalised(inc.models.dmc(free=["lapse"]), lapse=stats.uniform(0.2, 0.1))
    own = inc.pretrained("dmc")
    posterior = replace(
        own, simulator=inc.Simulator(robust, own.simulator.prior, own.simulator.design)
    )
    study = (
        inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(200, HALF))
        .simulate(8, seed=1)
        .trials
    )
    panel = inc.predictive_panel(posterior, study, n_replicates=39, n_predictions=2, seed=1)
    assert panel.integrated_out == ("lapse",)
    assert panel.failing()
    assert "estimate lapse, and ask again" in str(panel)
    assert inc.predictive_panel(own, study, n_replicates=39, n_predictions=2, seed=1).caution == ""

"""Reweighting and MCMC against posteriors known in closed form, and against each other."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.data.trials import CONFLICT_TASK
from incongruent.exact import anew
from incongruent.exact.importance import Weights, largest_k_hat, resample, weigh
from incongruent.exact.likelihood import LikelihoodError, log_likelihood
from incongruent.exact.reweight import reweight
from incongruent.models import Likelihood, Model, Parameter
from incongruent.posterior.draws import BY_ADAPTIVE, BY_MCMC, BY_NETWORK

SD = 50.0


def gaussian_model(*, n_levels: int = 1, shift: float = 0.0) -> Model:
    """RT ~ Normal(level + 100 effect in the incongruent condition, 50), answers always correct; the
    posterior is known.
    """

    def location(theta, condition):
        return theta[:, :1] + 100.0 * theta[:, 1:] * (condition == 1)

    def simulate(theta, given, present, rng):
        rt = location(theta, given["condition"]) + SD * rng.standard_normal(present.shape)
        return {
            "condition": given["condition"],
            "response": np.zeros(present.shape, np.int8),
            "rt": rt.astype(np.float32),
        }, present.copy()

    def at(theta, values, answered, kept, level):
        rt = values["rt"][None, answered]
        found = (
            stats.norm(location(theta, values["condition"][None, answered]), SD)
            .logpdf(rt)
            .sum(axis=1)
        )
        return found + shift * 0.5**level * np.sin(1e3 * theta[:, 0])

    parameters = (
        Parameter("level", "mean RT", "ms", 0.0, np.inf, 500.0),
        Parameter("effect", "of conflict", "100 ms", -np.inf, np.inf, 0.5),
    )
    return Model(
        "gaussian", parameters, CONFLICT_TASK, simulate, likelihood=Likelihood(at, n_levels)
    )


PRIOR = inc.Prior(level=stats.norm(500.0, 80.0), effect=stats.norm(0.5, 0.5))
DESIGN = inc.Design((20, 60), {"congruent": 0.5, "incongruent": 0.5}, window=None)


def exact_posterior(
    prior: inc.Prior, trials: inc.Trials, person: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, covariance and log evidence of a linear Gaussian model."""
    here = trials.present[person]
    condition, rt = (
        trials.values["condition"][person, here],
        trials.values["rt"][person, here].astype(float),
    )
    design = np.stack([np.ones(len(rt)), 100.0 * (condition == 1)], axis=1)
    places = np.linspace(0.0005, 0.9995, 1000)
    # normal, or cut so far out that it does not matter
    values = [prior[name].ppf(places) for name in prior.names]
    mean0 = np.array([np.median(v) for v in values])
    cov0 = np.diag([((v[841] - v[158]) / (2.0 * stats.norm.ppf(places[841]))) ** 2 for v in values])
    precision = np.linalg.inv(cov0) + design.T @ design / SD**2
    cov = np.linalg.inv(precision)
    mean = cov @ (np.linalg.solve(cov0, mean0) + design.T @ rt / SD**2)
    evidence = stats.multivariate_normal(
        design @ mean0, design @ cov0 @ design.T + SD**2 * np.eye(len(rt))
    ).logpdf(rt)
    return mean, cov, float(evidence)


def poor_draws(
    simulator: inc.Simulator,
    trials: inc.Trials,
    n_draws: int,
    *,
    shift: float = 0.5,
    wide: float = 1.5,
    seed: int = 1,
) -> inc.Draws:
    """Draws of approximations that are shifted by so many SDs and too wide by so much, with their
    densities.
    """
    rng = np.random.default_rng(seed)
    theta, log_q = [], []
    for person in range(len(trials)):
        mean, cov, _ = exact_posterior(simulator.prior, trials, person)
        q = stats.multivariate_normal(mean + shift * np.sqrt(np.diag(cov)), wide**2 * cov, seed=rng)
        theta.append(q.rvs(n_draws))
        log_q.append(q.logpdf(theta[-1]))
    return inc.Draws(np.array(theta), np.array(log_q), simulator, trials.names)


@pytest.fixture(scope="module")
def gaussian() -> tuple[inc.Simulator, inc.Trials]:
    simulator = inc.Simulator(gaussian_model(), PRIOR, DESIGN)
    return simulator, simulator.simulate(8, seed=2).trials


def test_reweighting_gives_the_exact_posterior_and_evidence(gaussian):
    simulator, trials = gaussian
    n = 20_000
    corrected = reweight(poor_draws(simulator, trials, n), trials, seed=3)
    assert corrected.correction is not None
    assert corrected.correction.is_by(BY_NETWORK).all()
    for person in range(len(trials)):
        mean, cov, evidence = exact_posterior(PRIOR, trials, person)
        sd = np.sqrt(np.diag(cov))
        assert np.all(np.abs(corrected.means[person] - mean) < 0.05 * sd)
        assert corrected.theta[person].std(axis=0) == pytest.approx(sd, rel=0.04)
        found, error = (
            corrected.correction.log_evidence[person],
            corrected.correction.log_evidence_error[person],
        )
        assert abs(found - evidence) < 5.0 * error
        assert 0.0 < error < 0.02
        exact = stats.multivariate_normal(mean, cov).logpdf(corrected.theta[person])
        assert corrected.log_q[person] == pytest.approx(exact, abs=6.0 * error)


def test_another_prior_gives_its_own_posterior_without_a_new_network(gaussian):
    simulator, trials = gaussian
    other = inc.Prior(level=stats.norm(480.0, 30.0), effect=stats.norm(0.3, 0.2))
    corrected = reweight(poor_draws(simulator, trials, 20_000), trials, prior=other, seed=3)
    assert corrected.simulator.prior["level"].ppf(0.5) == pytest.approx(480.0, abs=0.1)
    for person in range(len(trials)):
        mean, cov, evidence = exact_posterior(other, trials, person)
        assert np.all(np.abs(corrected.means[person] - mean) < 0.08 * np.sqrt(np.diag(cov)))
        assert (
            abs(corrected.correction.log_evidence[person] - evidence)
            < 6.0 * corrected.correction.log_evidence_error[person]
        )


def test_a_perfect_network_has_equal_weights(gaussian):
    simulator, trials = gaussian
    correction = reweight(
        poor_draws(simulator, trials, 500, shift=0.0, wide=1.0), trials, seed=1
    ).correction
    assert correction.ess == pytest.approx(1.0, abs=1e-6)
    assert (correction.k_hat < 0.5).all()
    assert correction.log_evidence_error == pytest.approx(0.0, abs=1e-4)


def test_weights_rise_with_the_ratio_and_k_hat_with_its_tail():
    rng = np.random.default_rng(1)
    log_ratios = rng.standard_normal((1, 2000))
    weights = weigh(log_ratios, np.zeros((1, 2000)))
    assert np.corrcoef(weights.log_weights[0], log_ratios[0])[0, 1] > 0.99
    assert np.exp(weights.log_weights).sum() == pytest.approx(1.0)
    for shape in (0.3, 0.9):  # ratios with a Pareto tail of that shape
        tail = np.log(stats.genpareto(shape).rvs((40, 4000), random_state=1) + 1.0)
        assert weigh(tail, np.zeros_like(tail)).k_hat.mean() == pytest.approx(shape, abs=0.12)


def test_draws_that_are_all_impossible_are_said_to_be_useless():
    weights = weigh(np.full((1, 50), -np.inf), np.zeros((1, 50)))
    assert weights.k_hat == np.inf
    assert weights.ess == 0.0
    assert weights.log_evidence == -np.inf


@pytest.mark.parametrize("n_usable", [1, 5, 20, 40, 70])
def test_draws_of_which_few_are_possible_are_said_to_be_bad(n_usable):
    log_joint = np.full((1, 1000), -np.inf)
    log_joint[0, :n_usable] = np.random.default_rng(1).standard_normal(n_usable)
    weights = weigh(log_joint, np.zeros((1, 1000)))
    assert weights.k_hat == np.inf
    assert np.isfinite(weights.log_weights).all()
    assert set(resample(weights, [np.random.default_rng(1)])[0]) <= set(range(n_usable))


def test_a_draw_without_density_on_both_sides_costs_nothing_else():
    log_joint, log_q = np.zeros((2, 1, 500))
    log_joint[0, 0] = log_q[0, 0] = -np.inf
    weights = weigh(log_joint + np.linspace(0.0, 0.1, 500), log_q)
    assert weights.ess > 0.99
    assert np.isfinite(weights.log_evidence).all()


def test_few_draws_are_refused_and_their_weights_are_not_trusted(gaussian):
    simulator, trials = gaussian
    with pytest.raises(ValueError, match="at least 25 draws"):
        reweight(poor_draws(simulator, trials, 24), trials, seed=1)
    assert (
        weigh(np.random.default_rng(1).standard_normal((1, 10)), np.zeros((1, 10))).k_hat == np.inf
    )


def test_resampling_follows_the_weights():
    kind = np.random.default_rng(2).permutation(np.repeat(np.arange(4), 1000))
    weights = Weights(np.log((kind[None] + 1.0) / 10_000), *np.zeros((4, 1)))
    rows = resample(weights, [np.random.default_rng(1)])[0]
    assert np.bincount(kind[rows]) / len(rows) == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.005)


def test_bad_weights_lead_to_adaptation_and_adaptation_to_the_exact_posterior(gaussian):
    simulator, trials = gaussian
    some = trials.select([0, 1])
    poor = poor_draws(simulator, some, 1000, shift=8.0, wide=0.5)
    corrected = reweight(poor, some, seed=3)
    assert (corrected.correction.k_hat > largest_k_hat(1000)).all()
    assert corrected.correction.is_by(BY_ADAPTIVE).all()
    assert corrected.correction.trusted.all()
    assert (corrected.correction.effective_draws > 500).all()
    for person in (0, 1):
        mean, cov, evidence = exact_posterior(PRIOR, some, person)
        assert np.all(np.abs(corrected.means[person] - mean) < 0.15 * np.sqrt(np.diag(cov)))
        assert corrected.theta[person].std(axis=0) == pytest.approx(np.sqrt(np.diag(cov)), rel=0.12)
        assert (
            abs(corrected.correction.log_evidence[person] - evidence)
            < 5.0 * corrected.correction.log_evidence_error[person]
        )
    without = reweight(poor, some, adapt=False, seed=1)
    assert without.correction.is_by(BY_NETWORK).all()
    assert not without.correction.trusted.any()


def test_who_is_not_sampled_by_adaptation_is_sampled_by_mcmc(gaussian, monkeypatch):
    simulator, trials = gaussian
    some = trials.select([0, 1])
    poor = poor_draws(simulator, some, 400, shift=8.0, wide=0.5)
    monkeypatch.setattr(anew, "adapt", lambda *_, **__: None)
    corrected = reweight(poor, some, seed=3).correction
    assert corrected.is_by(BY_MCMC).all()
    assert (corrected.mcmc_steps >= 50 * corrected.autocorrelation_time).all()
    outside = reweight(replace(poor, flags=((), ("far away",))), some, seed=3).correction
    assert list(outside.sampled_by) == [BY_MCMC, BY_NETWORK]


def test_a_prior_that_few_draws_reach_leads_to_adaptation(gaussian):
    """Most draws lie outside the support of a uniform prior; sampling starts inside all the
    same.
    """
    simulator, trials = gaussian
    some = trials.select([0])
    draws = poor_draws(simulator, some, 200, wide=3.0)
    level = float(np.quantile(draws.theta[0, :, 0], 0.02))
    prior = inc.Prior(level=stats.uniform(level - 5.0, 5.0), effect=stats.norm(0.5, 0.5))
    corrected = reweight(draws, some, prior=prior, seed=1)
    assert corrected.correction.is_by(BY_ADAPTIVE).all()
    assert corrected.correction.trusted.all()
    assert ((corrected.theta[0, :, 0] >= level - 5.0) & (corrected.theta[0, :, 0] <= level)).all()


def test_a_person_gets_the_same_correction_whoever_else_is_there(gaussian):
    simulator, trials = gaussian
    draws = poor_draws(simulator, trials, 200)
    everybody, alone = (
        reweight(draws, trials, seed=1),
        reweight(draws.select([3]), trials.select([3]), seed=1),
    )
    assert (everybody.theta[3] == alone.theta[0]).all()


def test_exact_samples_everybody(gaussian):
    simulator, trials = gaussian
    some = trials.select([2])
    corrected = reweight(poor_draws(simulator, some, 500), some, exact=True, seed=1)
    assert corrected.correction.is_by(BY_MCMC).all()
    assert (corrected.correction.mcmc_steps >= 50 * corrected.correction.autocorrelation_time).all()
    assert corrected.theta.shape == (1, 500, 2)


def test_the_number_of_workers_changes_nothing(gaussian):
    simulator, trials = gaussian
    draws = poor_draws(simulator, trials, 200)
    one, two = (reweight(draws, trials, seed=1, workers=workers) for workers in (1, 2))
    assert (one.theta == two.theta).all()
    assert (one.correction.log_evidence == two.correction.log_evidence).all()


def test_what_does_not_belong_together_is_refused(gaussian, simulator, posterior):
    own, trials = gaussian
    draws = poor_draws(own, trials, 50)
    with pytest.raises(ValueError, match="the people of the draws"):
        reweight(draws, trials.select(range(4)), seed=1)
    with pytest.raises(ValueError, match="corrected already"):
        reweight(reweight(draws, trials, seed=1), trials, seed=1)
    with pytest.raises(ValueError, match=r"\(person, draw, parameter\)"):
        log_likelihood(own, draws.theta[:, 0], trials)
    narrow = replace(
        draws,
        simulator=inc.Simulator(
            own.model, inc.Prior(level=stats.uniform(400, 200), effect=stats.norm(0, 1)), DESIGN
        ),
    )
    with pytest.raises(ValueError, match=r"within \[400, 600\] ms"):
        reweight(narrow, trials, prior=PRIOR, seed=1)
    without = inc.Simulator(replace(own.model, likelihood=None), PRIOR, DESIGN)
    with pytest.raises(LikelihoodError, match="exact likelihood"):
        reweight(replace(draws, simulator=without), trials, seed=1)


def test_the_level_of_accuracy_is_refined_until_nothing_changes():
    """Levels whose errors halve: the first that differs little enough from the next is taken, and a
    warning says when there is none.
    """
    trials = inc.Simulator(gaussian_model(), PRIOR, DESIGN).simulate(2, seed=2).trials
    theta = np.stack([PRIOR.sample(30, seed=1)] * 2)
    exact = log_likelihood(inc.Simulator(gaussian_model(), PRIOR, DESIGN), theta, trials)
    fine = log_likelihood(
        inc.Simulator(gaussian_model(n_levels=8, shift=1.0), PRIOR, DESIGN), theta, trials
    )
    assert 0.0 < np.abs(fine - exact).max() < 0.3
    with pytest.warns(RuntimeWarning, match="finest level"):
        log_likelihood(
            inc.Simulator(gaussian_model(n_levels=3, shift=50.0), PRIOR, DESIGN), theta, trials
        )


def test_dmc_draws_of_a_small_network_are_corrected(posterior):
    simulations = posterior.simulator.simulate(6, seed=5)
    draws = posterior.sample(simulations.trials, 400, seed=1)
    corrected = reweight(draws, simulations.trials, adapt=False, seed=1)
    correction = corrected.correction
    assert ((correction.ess > 0.0) & (correction.ess < 0.95)).all()
    direct = log_likelihood(posterior.simulator, corrected.theta, simulations.trials)
    assert correction.log_likelihood == pytest.approx(direct, abs=1e-9)
    assert corrected.select([1, 3]).correction.k_hat == pytest.approx(correction.k_hat[[1, 3]])
    table = correction.table()
    assert list(table.columns[:5]) == [
        "k_hat",
        "ess",
        "log_evidence",
        "log_evidence_error",
        "sampled_by",
    ]
    stats = corrected.to_arviz()["sample_stats"]
    assert stats["log_likelihood"].shape == (1, 400, 6)
    assert stats["k_hat"].dims == ("participant",)
    assert stats["k_hat"].sel(participant=corrected.names[2]) == correction.k_hat[2]
    assert "corrected" in repr(corrected)


@pytest.mark.slow
def test_dmc_reweighted_and_mcmc_agree(posterior):
    """Two independent ways to the exact posterior, within Monte Carlo error."""
    simulations = posterior.simulator.simulate(4, seed=6)
    draws = posterior.sample(simulations.trials, 20_000, seed=1)
    weighted = reweight(draws, simulations.trials, adapt=False, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chains = reweight(
            posterior.sample(simulations.trials, 4000, seed=2),
            simulations.trials,
            exact=True,
            seed=1,
        )
    for i in range(4):
        if weighted.correction.k_hat[i] > 0.6:
            continue
        sd = chains.theta[i].std(axis=0)
        effective = 20_000 * weighted.correction.ess[i]
        allowed = 4.5 * np.sqrt(
            1.0 / effective
            + chains.correction.autocorrelation_time[i] / (64 * chains.correction.mcmc_steps[i])
        )
        assert (np.abs(weighted.means[i] - chains.means[i]) / sd < allowed).all()
        assert weighted.theta[i].std(axis=0) == pytest.approx(sd, rel=0.1)
        difference = weighted.correction.log_evidence[i] - chains.correction.log_evidence[i]
        assert abs(difference) < 5.0 * np.hypot(
            weighted.correction.log_evidence_error[i], chains.correction.log_evidence_error[i]
        )


def test_weights_whose_largest_are_equal_can_be_trusted() -> None:
    """Nothing larger is to come, and there is no tail to fit."""
    log_ratio = np.random.default_rng(1).normal(size=(2, 400))
    log_ratio[:, :80] = 5.0
    log_ratio[1, 100:120] = -1e9
    weights = weigh(log_ratio, np.zeros_like(log_ratio))
    assert (weights.k_hat == -np.inf).all()
    assert np.exp(weights.log_weights).sum(axis=1) == pytest.approx(1.0)

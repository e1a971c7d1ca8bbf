"""People for whom the network's draws do not serve, against posteriors known from a grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import incongruent as inc
from incongruent.data.trials import CONFLICT_TASK
from incongruent.exact.likelihood import Person, people_of
from incongruent.exact.reweight import reweight
from incongruent.exact.target import Target
from incongruent.models import Likelihood, Model, Parameter
from incongruent.posterior.draws import BY_ADAPTIVE

Array = np.ndarray

SD = 50.0
HALF = {"congruent": 0.5, "incongruent": 0.5}
LogDensity = Callable[[Array, Array, Array], Array]


def log_normal_densities(theta: Array, rt: Array, condition: Array) -> Array:
    """RT ~ Normal(mean of its condition, 50), at theta (draw, condition); (draw, trial)."""
    return stats.norm(theta[:, condition % theta.shape[1]], SD).logpdf(rt[None])


def model(names: list[str], log_densities: LogDensity = log_normal_densities) -> Model:
    """A model with a mean for each condition, or one for both, whose answers are all correct."""

    def simulate(theta: Array, given: Any, present: Array, rng: Any) -> Any:
        condition = given["condition"] % theta.shape[1]
        rt = np.take_along_axis(theta, condition.astype(int), 1)
        rt = rt + SD * rng.standard_normal(present.shape)
        response = np.zeros(present.shape, np.int8)
        values = {"condition": given["condition"], "response": response, "rt": rt}
        return {**values, "rt": rt.astype(np.float32)}, present.copy()

    def at(theta: Array, values: Any, answered: Array, kept: Any, level: int) -> Array:
        condition = np.asarray(values["condition"][answered], int)
        return log_densities(theta, values["rt"][answered], condition).sum(axis=1)

    parameters = [Parameter(name, "mean RT", "ms", 0.0, 2000.0, 500.0) for name in names]
    return Model("means", parameters, CONFLICT_TASK, simulate, likelihood=Likelihood(at))


def far_draws(
    simulator: inc.Simulator, trials: inc.Trials, n_draws: int, shift: float = 120.0
) -> inc.Draws:
    """Draws far above everybody's means, with their densities."""
    rng = np.random.default_rng(4)
    d = len(simulator.prior.names)
    mean = [[trials.values["rt"][i, trials.present[i]].mean() + shift] for i in range(len(trials))]
    q = stats.norm(np.array(mean)[:, None, :], 8.0)
    theta = q.rvs((len(trials), n_draws, d), random_state=rng)
    return inc.Draws(theta, q.logpdf(theta).sum(axis=-1), simulator, trials.names)


def from_grid(simulator: inc.Simulator, trials: inc.Trials, person: int) -> tuple[Array, float]:
    """Posterior mean (parameter,) and log evidence, from sums over a grid.

    The axes are half a step apart, so that what lies on a diagonal is counted in full.
    """
    one, d = people_of(simulator, trials)[person], len(simulator.prior.names)
    centre = trials.values["rt"][person, trials.present[person]].mean()
    step = 0.02 if d == 1 else 2.0
    axis = np.arange(centre - 250.0, centre + 250.0, step)
    axes = [axis + 0.5 * step * place for place in range(d)]
    theta = np.stack([each.ravel() for each in np.meshgrid(*axes)], axis=1)
    assert simulator.model.likelihood is not None
    log_joint = one.log_likelihood(simulator.model.likelihood, theta, 0)
    log_joint = log_joint + simulator.prior.log_prob(theta)
    log_evidence = float(special.logsumexp(log_joint)) + d * np.log(step)
    return special.softmax(log_joint) @ theta, log_evidence


def assert_exact(corrected: inc.Draws, simulator: inc.Simulator, trials: inc.Trials) -> None:
    """Means within a tenth of an SD or so, evidence within its error."""
    record = corrected.correction
    assert record is not None
    assert record.is_by(BY_ADAPTIVE).all()
    assert record.trusted.all()
    for person in range(len(trials)):
        mean, evidence = from_grid(simulator, trials, person)
        sd = corrected.theta[person].std(axis=0)
        n = min(corrected.theta.shape[1], record.effective_draws[person])
        assert (np.abs(corrected.means[person] - mean) < 4.5 * sd / np.sqrt(n)).all()
        error = record.log_evidence_error[person]
        assert record.log_evidence[person] == pytest.approx(evidence, abs=4.5 * error + 1e-3)


def one_mean(n_trials: int | tuple[int, int] = (20, 60)) -> inc.Simulator:
    prior = inc.Prior(level=stats.norm(500.0, 80.0))
    return inc.Simulator(model(["level"]), prior, inc.Design(n_trials, HALF, window=None))


def ordered_means() -> inc.Simulator:
    """The mean of congruent trials is the smaller one, so that the parameters are dependent."""

    def sample(n: int, rng: np.random.Generator) -> Array:
        return np.sort(rng.uniform(300.0, 700.0, (n, 2)), axis=1)

    def log_prob(theta: Array) -> Array:
        inside = (theta[..., 0] < theta[..., 1]) & (theta > 300.0).all(-1) & (theta < 700.0).all(-1)
        return np.where(inside, np.log(2.0 / 400.0**2), -np.inf)

    limits: dict[str, Any] = {
        "low": {"fast": 300.0, "slow": 300.0},
        "high": {"fast": 700.0, "slow": 700.0},
    }
    prior = inc.JointPrior(["fast", "slow"], sample=sample, log_prob=log_prob, **limits)
    design = inc.Design((20, 60), HALF, window=None)
    return inc.Simulator(model(["fast", "slow"]), prior, design)


@pytest.mark.parametrize("make", [one_mean, ordered_means])
@pytest.mark.parametrize("n_draws", [25, 1000])
def test_one_parameter_and_dependent_ones_are_sampled_exactly(
    make: Callable[[], inc.Simulator], n_draws: int
) -> None:
    simulator = make()
    trials = simulator.simulate(4, seed=3).trials
    corrected = reweight(far_draws(simulator, trials, n_draws), trials, seed=1)
    assert_exact(corrected, simulator, trials)
    if make is ordered_means:
        assert (corrected.theta[..., 0] < corrected.theta[..., 1]).all()


def test_a_person_sampled_anew_depends_on_nobody_else_and_not_on_the_workers() -> None:
    simulator = ordered_means()
    trials = simulator.simulate(5, seed=3).trials
    draws = far_draws(simulator, trials, 300)
    everybody = reweight(draws, trials, seed=1, workers=3)
    order = [4, 1]
    few = reweight(draws.select(order), trials.select(order), seed=1, workers=1)
    assert everybody.correction is not None
    assert few.correction is not None
    assert few.correction.is_by(BY_ADAPTIVE).all()
    assert (everybody.theta[order] == few.theta).all()
    assert (everybody.correction.log_evidence[order] == few.correction.log_evidence).all()
    other = reweight(draws.select(order), trials.select(order), seed=2)
    assert (other.theta != few.theta).any(axis=(1, 2)).all()


def test_another_prior_that_no_draw_reaches_is_sampled_from_itself() -> None:
    """Weights of all the network's draws are 0 then, and it cannot be a start."""
    simulator = one_mean()
    trials = simulator.simulate(2, seed=3).trials
    prior = inc.Prior(level=stats.uniform(480.0, 40.0))
    changed = inc.Simulator(simulator.model, prior, simulator.design)
    draws = far_draws(simulator, trials, 200, shift=400.0)
    assert_exact(reweight(draws, trials, prior=prior, seed=1), changed, trials)


def test_draws_at_the_rim_of_the_prior_can_be_a_start() -> None:
    """Their places on the real line are infinite."""
    prior = inc.Prior(level=stats.uniform(300.0, 400.0))
    simulator = inc.Simulator(model(["level"]), prior, inc.Design(20, HALF, window=None))
    trials = simulator.simulate_at(np.full((2, 1), 690.0), seed=5)
    draws = far_draws(simulator, trials, 200)
    draws.theta[:] = 700.0
    draws.theta[:, ::2] = 300.0
    draws.log_q[:] = 5.0 * np.random.default_rng(1).standard_normal(draws.log_q.shape)
    draws.log_q[0, :50] = -np.inf  # and a density of 0, as rounding may give it
    assert_exact(reweight(draws, trials, seed=1), simulator, trials)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_where_a_likelihood_is_no_number_there_is_no_posterior(bad: float) -> None:
    """Below 500 ms the model fails; the posterior is the one of a prior that is cut there."""

    def broken(theta: Array, rt: Array, condition: Array) -> Array:
        found = log_normal_densities(theta, rt, condition)
        return np.where(theta < 500.0, bad, found)

    prior, design = inc.Prior(level=stats.norm(500.0, 80.0)), inc.Design(20, HALF, window=None)
    simulator = inc.Simulator(model(["level"], broken), prior, design)
    trials = simulator.simulate_at(np.array([[495.0], [520.0]]), seed=5)
    corrected = reweight(far_draws(simulator, trials, 300), trials, seed=1)
    cut = inc.Simulator(
        model(["level"], lambda *a: np.where(a[0] < 500.0, -np.inf, log_normal_densities(*a))),
        prior,
        design,
    )
    assert_exact(corrected, cut, trials)
    assert (corrected.theta >= 500.0).all()


def test_a_target_is_not_asked_where_its_prior_has_no_density() -> None:
    asked: list[Array] = []

    def remembered(theta: Array, rt: Array, condition: Array) -> Array:
        asked.append(theta)
        return log_normal_densities(theta, rt, condition)

    simulator = ordered_means()
    simulator = inc.Simulator(
        model(["fast", "slow"], remembered), simulator.prior, simulator.design
    )
    trials = simulator.simulate(1, seed=3).trials
    target = Target.of(simulator, Person.of(simulator, trials, 0))
    z = simulator.prior.to_real(np.array([[400.0, 500.0], [500.0, 400.0]]))
    z = np.concatenate([z, [[np.nan, 0.0], [np.inf, np.inf]]])
    found = target.log_density(z)
    assert np.isfinite(found[0])
    assert np.isneginf(found[1:3]).all()
    assert not np.isnan(found).any()
    assert all((theta[:, 0] < theta[:, 1]).all() for theta in asked)

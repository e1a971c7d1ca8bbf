"""Priors against populations: scores whose level and direction are known, populations that are
known by simulation and by calculation.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.checks.prior.em import climb
from incongruent.checks.prior.matching import distribution_like
from incongruent.checks.prior.population import check_prior
from incongruent.checks.prior.suggestion import expanded_tail, suggest_prior
from incongruent.checks.simultaneous import holm
from incongruent.data.demo import demo_study
from incongruent.posterior.draws import Draws

pytestmark = pytest.mark.usefixtures("optimised")


@pytest.fixture(scope="module")
def dmc() -> inc.Posterior:
    return inc.pretrained("dmc")


def people_at(dmc: inc.Posterior, z: np.ndarray, seed: int) -> inc.Trials:
    """People whose parameters lie at z (person, parameter) on the prior's scale."""
    own = dmc.simulator
    simulator = inc.Simulator(
        own.model, own.prior, inc.Design(200, {"congruent": 0.5, "incongruent": 0.5})
    )
    return simulator.simulate_at(own.prior.from_real(z), seed=seed)


def test_holm_is_holms() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, np.nan])) == pytest.approx(
        [0.03, 0.06, 0.06, np.nan], nan_ok=True
    )
    assert holm(np.array([0.9, 0.8])).max() <= 1.0


def test_a_population_of_normals_is_found_by_calculation() -> None:
    """Normal data with known error under a standard normal prior: the maximum of the likelihood of
    mean and SD is known.
    """
    rng = np.random.default_rng(1)
    n, error = 400, 0.5
    x = rng.normal(0.7, 0.6, n) + rng.normal(0.0, error, n)
    gain = 1.0 / (1.0 + error**2)
    draws = gain * x[:, None] + np.sqrt(1.0 - gain) * rng.standard_normal((n, 2000))
    mean, log_sd = climb(draws[..., None], np.ones(n), np.zeros((2, 1)))
    assert mean[0] == pytest.approx(x.mean(), abs=0.01)
    assert np.exp(log_sd[0]) == pytest.approx(np.sqrt(x.var() - error**2), abs=0.01)


def test_intervals_of_few_people_are_as_wide_as_those_of_t() -> None:
    """For a mean of normal values the expanded bootstrap interval is Student's, whose coverage is
    exact.
    """
    x = np.random.default_rng(2).normal(size=12)
    weights = np.random.default_rng(3).dirichlet(np.ones(12), 200_000)
    tail = expanded_tail(12)
    found = np.quantile(weights @ x, [tail, 1.0 - tail])
    student = stats.t(11, x.mean(), x.std(ddof=1) / np.sqrt(12)).interval(0.95)
    assert np.ptp(found) == pytest.approx(np.diff(student)[0], rel=0.05)


@pytest.mark.parametrize(("place", "shift", "word"), [(3, -1.0, "down"), (4, 1.0, "up")])
def test_a_moved_population_is_told(
    dmc: inc.Posterior, place: int, shift: float, word: str
) -> None:
    z = np.random.default_rng(place).standard_normal((20, 6))
    z[:, place] += shift
    found = check_prior(dmc, people_at(dmc, z, seed=place), n_draws=100, n_simulated=1000, seed=1)
    assert found.moves()[0] == (dmc.simulator.prior.names[place], word)
    assert found.p_value < 0.01
    assert f"move it {word}" in str(found)


def test_far_away_is_not_called_wide(dmc: inc.Posterior) -> None:
    z = 0.5 * np.random.default_rng(6).standard_normal((15, 6))
    z[:, 4] -= 2.5
    moves = check_prior(
        dmc, people_at(dmc, z, seed=6), n_draws=100, n_simulated=1000, seed=1
    ).moves()
    assert moves[0] == ("mu_R", "down")
    assert ("mu_R", "wider") not in moves


def test_people_who_are_alike_are_told_and_a_narrower_prior_fits_them(dmc: inc.Posterior) -> None:
    z = 0.4 * np.random.default_rng(5).standard_normal((25, 6))
    study = people_at(dmc, z, seed=5)
    found = check_prior(dmc, study, n_draws=100, n_simulated=1000, seed=1)
    assert {word for _, word in found.moves()} == {"narrower"}
    # one draw in a hundred counts under a prior so narrow
    suggestion = suggest_prior(dmc, study, draws=dmc.sample(study, 4000, seed=1), seed=1)
    assert suggestion.share < 0.2
    assert suggestion.trusted
    for i, name in enumerate(suggestion.before.names):
        if name not in suggestion.kept:
            assert suggestion.spread_interval[i, 0] < 0.55
            width = [
                float(np.diff(prior[name].ppf([0.05, 0.95]))[0])
                for prior in (suggestion.before, suggestion.prior)
            ]
            assert width[1] < width[0]
    # can be trained with
    inc.Simulator(dmc.simulator.model, suggestion.prior, dmc.simulator.design)


def test_the_prior_itself_is_left_alone(dmc: inc.Posterior) -> None:
    z = np.random.default_rng(8).standard_normal((30, 6))
    found = check_prior(dmc, people_at(dmc, z, seed=8), n_draws=100, n_simulated=1000, seed=1)
    assert not found.moves(0.01)
    assert found.table().shape == (6, 8)


def test_one_person_can_be_asked_about(dmc: inc.Posterior) -> None:
    found = check_prior(
        dmc, people_at(dmc, np.zeros((1, 6)), seed=2), n_draws=100, n_simulated=1000, seed=1
    )
    assert found.n_people == 1
    assert 0.0 < found.p_value <= 1.0


def test_same_seed_same_answer_whatever_the_order(dmc: inc.Posterior) -> None:
    study = demo_study().select(range(6))
    one, two = (suggest_prior(dmc, study, seed=3) for _ in range(2))
    assert one.prior == two.prior
    turned = suggest_prior(dmc, study.select(range(5, -1, -1)), seed=3)
    assert turned.location == pytest.approx(one.location, abs=0.01)


def test_silent_parameters_keep_their_prior(dmc: inc.Posterior) -> None:
    study = demo_study().select(range(8))
    draws = dmc.sample(study, 400, seed=1)
    theta = draws.theta.copy()
    # nothing learned about tau
    theta[..., 1] = dmc.simulator.prior.sample(8 * 400, seed=1)[:, 1].reshape(8, 400)
    suggestion = suggest_prior(dmc, study, draws=replace(draws, theta=theta), seed=1)
    assert suggestion.kept == ("tau",)
    assert suggestion.prior["tau"].support() == dmc.simulator.prior["tau"].support()
    assert "keep the prior" in str(suggestion)


def test_what_cannot_be_answered_is_refused(dmc: inc.Posterior) -> None:
    study = demo_study().select(range(6))
    with pytest.raises(ValueError, match="at least 5 people, to see how they differ; got 4"):
        suggest_prior(dmc, study.select(range(4)), seed=1)
    with pytest.raises(ValueError, match=r"'nobody'.* are not among"):
        check_prior(dmc, study, leave_out=["nobody"], seed=1)
    with pytest.raises(ValueError, match="who is not left out; got none"):
        check_prior(dmc, study, leave_out=study.names, seed=1)
    draws = dmc.sample(study.select(range(5)), 50, seed=1)
    with pytest.raises(ValueError, match="Expected draws of the people of the study"):
        suggest_prior(dmc, study, draws=draws, seed=1)
    other = inc.Simulator(dmc.simulator.model, inc.priors.schaefer2025(), dmc.simulator.design)
    with pytest.raises(ValueError, match="draws under another prior"):
        suggest_prior(
            dmc,
            study.select(range(5)),
            draws=Draws(draws.theta, draws.log_q, other, draws.names),
            seed=1,
        )
    joint = inc.JointPrior(
        dmc.simulator.prior.names, sample=lambda n, rng: dmc.simulator.prior.sample(n, seed=rng)
    )
    with pytest.raises(TypeError, match="independent parameters"):
        check_prior(
            replace(dmc, simulator=inc.Simulator(dmc.simulator.model, joint, dmc.simulator.design)),
            study,
            seed=1,
        )


@pytest.mark.slow
def test_a_right_prior_is_rejected_as_often_as_stated(dmc: inc.Posterior) -> None:
    rejected = 0
    for study in range(40):
        z = np.random.default_rng(100 + study).standard_normal((10, 6))
        rejected += (
            check_prior(
                dmc, people_at(dmc, z, seed=100 + study), n_draws=100, n_simulated=1000, seed=study
            ).p_value
            <= 0.05
        )
    assert rejected <= stats.binom(40, 0.05).ppf(0.995)


def test_real_people_of_a_flanker_task(dmc: inc.Posterior, data_folder) -> None:
    """The values that published analyses of these sixteen people gave."""
    study = inc.read_trials(data_folder / "ulrich2015/flankerData.txt")
    found = suggest_prior(dmc, study, seed=1).intervals().set_index("parameter")
    for name, value in {"A": 16.0, "mu_c": 0.6, "b": 60.0, "mu_R": 324.0}.items():
        assert found.loc[name, "low"] <= value <= found.loc[name, "high"]


@pytest.mark.parametrize(
    ("location", "spread"), [(-6.0, 0.3), (6.0, 0.3), (-2.0, 1.5), (0.0, 1.0), (1.0, 3.0)]
)
def test_a_population_at_the_edge_of_the_prior_still_has_a_distribution(
    dmc: inc.Posterior, location: float, spread: float
) -> None:
    before = dmc.simulator.prior
    for name in before.names:
        found = distribution_like(before[name], location, spread)
        low, high = before[name].support()
        assert low <= found.support()[0] < found.support()[1] <= high or np.isinf(
            found.support()[1]
        )
        middle = before.from_real(np.full(6, np.clip(location, -3.5, 3.5)))[
            before.names.index(name)
        ]
        numbers = re.findall(r"-?[\d.]+(?:e[+-]\d+)?", repr(inc.Prior(**{name: found})))
        assert max(abs(float(number)) for number in numbers) < 10_000  # what can be read and typed
        assert (
            found.ppf(0.05) - 0.05 * (high - low if np.isfinite(high) else 1.0)
            <= middle
            <= found.ppf(0.95) + 0.05 * (high - low)
        )

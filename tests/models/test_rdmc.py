"""The revised DMC against quadrature, the plain diffusion model, a naive simulation in published
units, and itself.
"""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from test_dmc import CONGRUENT, INCONGRUENT, NEUTRAL, NO_RESIDUAL, cell, simulate
from test_forward_equation import densities, exact_sum, navarro_fuss, simulated_against_exact
from test_ssp import cell_of

from incongruent import Design, Simulator, priors
from incongruent.exact.likelihood import SHARE_OF_SPREAD, TOLERANCE
from incongruent.models import Kept, dmc, rdmc

USUAL = (12.0, 25.0, 0.57, 58.0, 305.0, 28.0)
SIGN = {CONGRUENT: 1.0, INCONGRUENT: -1.0, NEUTRAL: 0.0}
PLACES = {
    "usual": USUAL,
    "brief": (15.0, 4.0, 0.6, 50.0, 320.0, 30.0),
    "long": (40.0, 200.0, 0.5, 80.0, 340.0, 20.0),
    "strong and brief, near bounds": (50.0, 8.0, 0.5, 22.0, 340.0, 35.0),
    "no conflict": (0.0, 60.0, 0.4, 60.0, 340.0, 35.0),
    "slow": (12.0, 40.0, 0.08, 120.0, 340.0, 35.0),
}


def drift(t: float, s: float, d_a: float, d_c: float, A0: float, k: float) -> float:
    """As it is published: attention to two channels, whose weights sum to one."""
    w = A0 * math.exp(-k * t)
    return w * s * d_a + (1.0 - w) * d_c


@pytest.mark.parametrize("A0", [0.2, 1.0])
@pytest.mark.parametrize("ratio", [0.3, 1.0, 8.0])
@pytest.mark.parametrize(("d_a", "tau", "d_c"), [(0.5, 25.0, 0.57), (2.0, 3.0, 1.2), (0.1, 150, 0)])
def test_the_mean_path_is_the_integral_of_the_published_drift(d_a, tau, d_c, ratio, A0):
    model = rdmc(free=["A0", "tau_ratio"])
    theta = np.array([[A0 * d_a * tau, tau, d_c, 60.0, 340.0, 35.0, A0, ratio]])
    times = np.array([[0.0, 0.5, 4.0, 30.0, 120.0, 700.0]])
    found = model.simulate.paths(theta, times, slice(None)).increment[0]
    constants = {CONGRUENT: tau * ratio, INCONGRUENT: tau, NEUTRAL: tau * math.sqrt(ratio)}
    for condition, constant in constants.items():
        of = (SIGN[condition], d_a, d_c, A0, 1.0 / constant)
        expected = [
            integrate.quad(drift, *ends, of, epsabs=1e-12)[0]
            for ends in zip(times[0, :-1], times[0, 1:], strict=True)
        ]
        assert found[condition] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT, NEUTRAL])
def test_without_the_automatic_channel_it_is_dmc_without_activation(condition):
    plain = dmc(start="point", fixed={"A": 0.0, "tau": 40.0})
    ours = rdmc(fixed={"A": 0.0, "A0": 0.0, "tau": 40.0})
    for theta in ([0.5, 60.0, 340.0, 30.0], [0.2, 90.0, 340.0, 30.0]):
        found, expected = (
            densities(model, theta, last=2500.0, condition=condition, level=2)[1]
            for model in (ours, plain)
        )
        assert np.abs(found - expected).max() <= 1e-6 * expected.max()


@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT, NEUTRAL])
def test_attention_that_stays_where_it_is_makes_a_constant_drift(condition):
    d_a, d_c, A0, b, mu, sd = 0.4, 0.6, 0.7, 60.0, 350.0, 10.0
    model = rdmc(fixed={"A0": A0, "tau": 1e7, "A": A0 * d_a * 1e7})
    constant = A0 * SIGN[condition] * d_a + (1.0 - A0) * d_c
    rt, density = densities(model, [d_c, b, mu, sd], last=1500.0, condition=condition, level=2)
    t = np.arange(0.5, 1500.0, 1.0)
    expected = navarro_fuss(t, constant, b) @ stats.norm(mu, sd).pdf(rt[:, None] - t).T
    assert np.abs(density - expected).max() <= 2e-3 * expected.max()


def test_the_ratio_belongs_to_congruent_and_neutral_trials_alone():
    A, tau, ratio, rest = 10.0, 20.0, 4.0, (0.57, 58.0, 305.0, 28.0)
    model = rdmc(free=["tau_ratio"])
    for condition, longer in ((CONGRUENT, ratio), (NEUTRAL, math.sqrt(ratio)), (INCONGRUENT, 1.0)):
        found, expected = (
            densities(of, theta, last=1500.0, condition=condition, level=2)[1]
            for of, theta in (
                (model, [A, tau, *rest, ratio]),
                (rdmc(), [A * longer, tau * longer, *rest]),
            )
        )
        assert found == pytest.approx(expected, abs=1e-5 * expected.max())


def published(
    s: float, d_a: float, d_c: float, A0: float, k: float, b: float, n: int, dt: float
) -> tuple[np.ndarray, np.ndarray]:
    """Decision times in ms and errors, by Euler's scheme in seconds with sigma = 1 per sqrt(s)."""
    rng, x, t = np.random.default_rng(5), np.zeros(n), 0.0
    time, error, running = np.zeros(n), np.zeros(n, bool), np.arange(n)
    while len(running):
        mean = drift(t + 0.5 * dt, s, d_a, d_c, A0, k)
        x += mean * dt + math.sqrt(dt) * rng.standard_normal(len(x))
        t += dt
        over = np.abs(x) >= b
        time[running[over]], error[running[over]] = 1000.0 * (t - 0.5 * dt), x[over] < 0.0
        running, x = running[~over], x[~over]
    return time, error


def agrees_with_a_naive_simulation(condition: int, n: int, dt: float) -> None:
    """Euler's bounds act as if they stood .5826 sigma sqrt(dt) further out (Chernoff 1965); so ours
    are moved there.
    """
    d_a, d_c, A0, k, b = 4.0, 4.5, 0.9, 25.0, 0.5
    place = 4.0 * math.sqrt(1000.0)  # how much larger places are with sigma = 4 per sqrt(ms)
    moved = place * (b + 0.5826 * math.sqrt(dt))
    theta = (place * A0 * d_a / k, 1000.0 / k, place * d_c / 1000.0, moved)
    naive = cell_of(*published(SIGN[condition], d_a, d_c, A0, k, b, n, dt))
    ours = cell(rdmc(fixed={**NO_RESIDUAL, "A0": A0}), theta, condition, 200_000)
    assert ours.like(naive, np.array([0.05, 0.2, 0.2, 0.4])), (ours, naive)


@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT])
def test_a_naive_simulation_in_published_units_agrees(condition):
    agrees_with_a_naive_simulation(condition, 20_000, 2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT, NEUTRAL])
def test_a_naive_simulation_with_tiny_steps_agrees(condition):
    agrees_with_a_naive_simulation(condition, 30_000, 2e-5)


@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT])
@pytest.mark.parametrize("place", PLACES)
def test_simulated_trials_have_the_densities_of_the_likelihood(place, condition):
    p_values = simulated_against_exact(rdmc(), PLACES[place], condition, 100_000, level=2)
    assert min(p_values) > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("number", range(8))
def test_a_million_simulated_trials_at_random_places_have_these_densities(number):
    theta = priors.broad_rdmc().sample(8, seed=5)[number]
    p_values = [
        p
        for condition in (CONGRUENT, INCONGRUENT)
        for p in simulated_against_exact(rdmc(), theta, condition, 1_000_000, level=2, seed=number)
    ]
    assert min(p_values) > 1e-4, (theta, p_values)


@pytest.mark.parametrize("place", PLACES)
def test_total_probability_is_one(place):
    for condition in (CONGRUENT, INCONGRUENT):
        assert exact_sum(rdmc(), PLACES[place], condition, 1)[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("place", PLACES)
def test_shares_of_errors_means_and_quantiles_are_those_of_simulated_trials(place):
    for condition in (CONGRUENT, INCONGRUENT, NEUTRAL):
        rt, response, answered = simulate(rdmc(), PLACES[place], condition, 100_000, 3)
        assert answered.mean() > 0.999
        times, density = densities(rdmc(), PLACES[place], last=6000.0, condition=condition, level=2)
        share = 0.5 * density.sum(axis=1)
        wrong = (response == 1).mean()
        assert abs(wrong - share[1]) < 5.0 * math.sqrt(share[1] * share[0] / len(rt)) + 1e-4
        correct = rt[response == 0]
        mean = 0.5 * (density[0] * times).sum() / share[0]
        assert abs(correct.mean() - mean) < 5.0 * correct.std() / math.sqrt(len(correct)) + 0.05
        below = 0.5 * np.cumsum(density[0]) / share[0]
        for probability in (0.1, 0.5, 0.9):
            quantile = np.interp(probability, below, times + 0.25)
            error = math.sqrt(probability * (1.0 - probability) / len(correct))
            assert abs((correct < quantile).mean() - probability) < 5.0 * error + 1e-4


def test_finer_grids_change_nothing_that_matters():
    """Over a cloud around each of 12 people, wider than their posteriors; allowed is what
    `likelihood` allows when it chooses a level.
    """
    model = rdmc()
    simulations = Simulator(
        model, priors.broad_rdmc(), Design(500, {"congruent": 0.5, "incongruent": 0.5})
    ).simulate(12, seed=4)
    rng, off = np.random.default_rng(1), []
    for i, truth in enumerate(simulations.theta):
        theta = truth * np.exp(0.05 * rng.standard_normal((20, 6)))
        here = simulations.trials.present[i]
        values = {name: column[i, here] for name, column in simulations.trials.values.items()}
        found = [
            model.likelihood.at(theta, values, simulations.trials.answered[i, here], Kept(), level)
            for level in (0, 1, 3)
        ]
        off.append(
            np.array([np.std(found[k] - found[2]) for k in (0, 1)])
            - SHARE_OF_SPREAD * np.ptp(found[2])
        )
    assert np.median(off, axis=0)[0] < 2.0 * TOLERANCE
    assert np.max(off, axis=0)[1] < TOLERANCE


def delta_of(model, theta) -> np.ndarray:
    """The delta function at five quantiles of correct answers, in ms, from 200,000 trials each."""
    at = [0.1, 0.3, 0.5, 0.7, 0.9]
    congruent, incongruent = (
        np.quantile(rt[response == 0], at)
        for rt, response, _ in (
            simulate(model, theta, condition, 200_000) for condition in (CONGRUENT, INCONGRUENT)
        )
    )
    return incongruent - congruent


def test_errors_of_incongruent_trials_are_fast_and_the_delta_function_rises():
    rt, response, _ = simulate(rdmc(), USUAL, INCONGRUENT, 200_000)
    assert rt[response == 1].mean() < rt[response == 0].mean() - 25.0
    delta = delta_of(rdmc(), USUAL)
    assert (delta > 0.0).all()
    assert (np.diff(delta) > 0.0).all()


def test_attention_that_leaves_later_in_congruent_trials_lets_the_delta_function_fall():
    """With a weak automatic channel that holds attention: slow congruent trials lose what fast ones
    win.
    """
    theta = (5.0, 15.0, 0.57, 58.0, 305.0, 28.0)
    delta = delta_of(rdmc(fixed={"tau_ratio": 8.0}), theta)
    assert (np.diff(delta) < 0.0).all()
    assert (np.diff(delta_of(rdmc(), theta)) > 0.0).all()

"""The shrinking spotlight model against quadrature, closed forms, a naive simulation in published
units, and itself.
"""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from test_dmc import CONGRUENT, INCONGRUENT, NEUTRAL, NO_RESIDUAL, Cell, cell, simulate
from test_forward_equation import densities, navarro_fuss, simulated_against_exact

from incongruent import Design, Simulator, priors
from incongruent.exact.likelihood import SHARE_OF_SPREAD, TOLERANCE
from incongruent.models import Kept, ssp
from incongruent.models.ssp import attended

USUAL = (0.506, 37.5, 63.2, 300.0, 35.0)
"""A = .05, p = .4, sd_0 = 1.5, r = .04 per ms, ter = .3 s in published units."""
SIGN = {CONGRUENT: 1.0, INCONGRUENT: -1.0, NEUTRAL: 0.0}


def p_target(t: float, t_int: float, sd_0: float) -> float:
    """As in the paper."""
    sd = max(sd_0 - sd_0 / t_int * t, 0.001)
    return float(stats.norm.cdf(0.5 / sd) - stats.norm.cdf(-0.5 / sd))


@pytest.mark.parametrize("sd_0", [0.3, 1.5, 4.0])
@pytest.mark.parametrize("t_int", [0.5, 37.5, 300.0])
def test_attention_is_the_integral_of_its_share_on_the_target(t_int, sd_0):
    for t in (0.0, 0.3, 20.0, 37.4, 37.5, 120.0, 800.0):
        expected, _ = integrate.quad(
            p_target,
            0.0,
            t,
            (t_int, sd_0),
            epsabs=1e-10,
            epsrel=1e-10,
            limit=500,
            points=[min(t, t_int)],
        )
        assert float(attended(np.array(t), np.array(t_int), np.array(sd_0))) == pytest.approx(
            expected, abs=1e-8
        )


@pytest.mark.slow
@pytest.mark.parametrize("number", range(6))
def test_many_simulated_trials_at_random_places_have_these_densities(number):
    theta = priors.broad_ssp().sample(6, seed=5)[number]
    p_values = [
        p
        for condition in (0, 1)
        for p in simulated_against_exact(ssp(), theta, condition, 1_000_000, level=2, seed=number)
    ]
    assert min(p_values) > 1e-4, (theta, p_values)


def drift_of(p: float, share: float, condition: int) -> float:
    return p * (share + SIGN[condition] * (1.0 - share))


@pytest.mark.parametrize(
    ("t_int", "condition", "share"),
    [
        (37.5, CONGRUENT, 1.0),  # target and flankers alike
        (400.0, CONGRUENT, 1.0),
        (0.01, INCONGRUENT, 1.0),  # a spotlight that is narrow at once
        (0.01, NEUTRAL, 1.0),
        (1e9, INCONGRUENT, p_target(0.0, 1.0, 1.5)),  # one that never shrinks
        (1e9, NEUTRAL, p_target(0.0, 1.0, 1.5)),
    ],
)
def test_limits_with_constant_drift_are_the_plain_diffusion_model(t_int, condition, share):
    p, b, mu, sd = 0.45, 60.0, 350.0, 10.0
    drift = drift_of(p, share, condition)
    rt, density = densities(ssp(), [p, t_int, b, mu, sd], last=1500.0, condition=condition, level=2)
    t = np.arange(0.5, 3500.0, 1.0)
    series = navarro_fuss(t, drift, b)
    expected = series[:, :1500] @ stats.norm(mu, sd).pdf(rt[:, None] - t[:1500]).T
    assert np.abs(density - expected).max() <= 2e-3 * expected.max()
    decision, response, _ = simulate(ssp(fixed=NO_RESIDUAL), [p, t_int, b], condition, 50_000)
    for side in (0, 1):
        law = np.cumsum(series[side]) / series[side].sum()
        assert (
            stats.kstest(
                decision[response == side], lambda x, law=law: np.interp(x, t + 0.5, law)
            ).pvalue
            > 1e-4
        )
    correct = 1.0 / (1.0 + math.exp(-2.0 * drift * b / 16.0))
    assert abs((response == 0).mean() - correct) < 5.0 * math.sqrt(
        correct * (1.0 - correct) / len(response)
    )


def published(condition: int, n: int, dt: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Decision times in ms and errors by Euler's scheme in seconds with sigma = .1, as the model is
    published; flankers beside the target.
    """
    A, p, sd_0, r, sigma = 0.05, 0.4, 1.5, 40.0, 0.1
    rng, x, t = np.random.default_rng(seed), np.zeros(n), 0.0
    time, error, running = np.zeros(n), np.zeros(n, bool), np.arange(n)
    while len(running):
        width = max(sd_0 - r * (t + 0.5 * dt), 0.001)
        target = math.erf(0.5 / width / math.sqrt(2.0))
        drift = p * target + SIGN[condition] * p * (1.0 - target)
        x += drift * dt + sigma * math.sqrt(dt) * rng.standard_normal(len(x))
        t += dt
        over = np.abs(x) >= A
        time[running[over]], error[running[over]] = 1000.0 * (t - 0.5 * dt), x[over] < 0.0
        running, x = running[~over], x[~over]
    return time, error


def cell_of(time: np.ndarray, error: np.ndarray) -> Cell:
    """As `test_dmc.cell`, from decision times and errors."""
    correct, wrong, share, n = time[~error], time[error], error.mean(), len(error)
    of_sd = math.sqrt(
        (np.mean((correct - correct.mean()) ** 4) - correct.var() ** 2) / len(correct)
    ) / (2.0 * correct.std())
    value = [100.0 * share, correct.mean(), correct.std(), wrong.mean()]
    standard_errors = [
        100.0 * math.sqrt(share * (1.0 - share) / n),
        correct.std() / math.sqrt(len(correct)),
        of_sd,
        wrong.std() / math.sqrt(len(wrong)),
    ]
    return Cell(np.array(value), np.array(standard_errors))


def agrees_with_a_naive_simulation(condition: int, n: int, dt: float) -> None:
    """Euler's bounds act as if they stood .5826 sigma sqrt(dt) further out (Chernoff 1965); so ours
    are moved there.
    """
    moved = 63.2456 * (1.0 + 0.5826 * 0.1 * math.sqrt(dt) / 0.05)
    naive, ours = (
        cell_of(*published(condition, n, dt, seed=5)),
        cell(ssp(fixed=NO_RESIDUAL), (0.505964, 37.5, moved), condition, 200_000),
    )
    assert ours.like(naive, np.array([0.05, 0.2, 0.2, 0.4])), (ours, naive)


@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT])
def test_a_naive_simulation_in_published_units_agrees(condition):
    agrees_with_a_naive_simulation(condition, 20_000, 2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT, NEUTRAL])
def test_a_naive_simulation_with_tiny_steps_agrees(condition):
    agrees_with_a_naive_simulation(condition, 30_000, 2e-5)


def test_errors_of_incongruent_trials_are_fast_and_the_delta_function_rises():
    congruent, incongruent = (
        simulate(ssp(), (0.5, 100.0, 70.0, 340.0, 35.0), condition, 200_000)
        for condition in (CONGRUENT, INCONGRUENT)
    )
    correct, wrong = (incongruent[0][incongruent[1] == side] for side in (0, 1))
    assert wrong.mean() < correct.mean() - 50.0
    assert (incongruent[1] == 1).mean() > 2.0 * (congruent[1] == 1).mean()
    at = [0.1, 0.3, 0.5, 0.7, 0.9]
    delta = np.quantile(correct, at) - np.quantile(congruent[0][congruent[1] == 0], at)
    assert (delta > 0.0).all()
    assert (np.diff(delta) > 0.0).all()


def test_finer_grids_change_nothing_that_matters():
    """Over a cloud around each of 12 people, wider than their posteriors; allowed is what
    `likelihood` allows when it chooses a level.
    """
    model = ssp()
    simulations = Simulator(
        model, priors.broad_ssp(), Design(500, {"congruent": 0.5, "incongruent": 0.5})
    ).simulate(12, seed=4)
    rng, off = np.random.default_rng(1), []
    for i, truth in enumerate(simulations.theta):
        theta = truth * np.exp(0.05 * rng.standard_normal((20, 5)))
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

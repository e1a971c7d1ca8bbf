"""The dual-stage two-phase model against closed forms, a naive simulation in published units, and
itself.
"""

import math

import numpy as np
import pytest
from scipy import stats
from test_dmc import CONGRUENT, INCONGRUENT, NEUTRAL, NO_RESIDUAL, Cell, cell, simulate
from test_forward_equation import navarro_fuss
from test_ssp import SIGN, cell_of

from incongruent.models import dstp

MODEL = dstp(fixed=NO_RESIDUAL)
USUAL = (0.0569, 0.0822, 0.4655, 1.9922, 88.544, 108.782)
"""A = .07, C = .086, mu_t = .045, mu_fl = .065, mu_ss = .368, mu_rs2 = 1.575 in published units."""
VARIANCE = 16.0


def follows_the_plain_diffusion_model(
    theta, condition: int, drift: float, b: float, n: int = 50_000, seed: int = 1
) -> None:
    rt, response, answered = simulate(MODEL, theta, condition, n, seed)
    t = np.arange(0.5, 5000.0, 1.0)
    series = navarro_fuss(t, drift, b)
    assert answered.mean() > 0.999
    for side in (0, 1):
        law = np.cumsum(series[side]) / series[side].sum()
        assert (
            stats.kstest(
                rt[answered & (response == side)], lambda x, law=law: np.interp(x, t + 0.5, law)
            ).pvalue
            > 1e-4
        )
    correct = 1.0 / (1.0 + math.exp(-2.0 * drift * b / VARIANCE))
    assert abs((response[answered] == 0).mean() - correct) < 5.0 * math.sqrt(
        correct * (1.0 - correct) / n
    )


@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT, NEUTRAL])
@pytest.mark.parametrize("b", [30.0, 60.0])
def test_without_a_selection_only_the_first_phase_is_there(condition, b):
    """A selection bound that is never reached."""
    mu_t, mu_fl = 0.25, 0.15
    follows_the_plain_diffusion_model(
        (mu_t, mu_fl, 0.4, 1.6, b, 1e6), condition, mu_t + SIGN[condition] * mu_fl, b
    )


def test_a_selection_at_once_leaves_only_the_second_phase():
    follows_the_plain_diffusion_model((0.3, 0.2, 0.5, 0.35, 60.0, 0.1), CONGRUENT, 0.35, 60.0)
    # which selects the target half of the time
    rt, response, _ = simulate(MODEL, (0.3, 0.2, 0.5, 2.0, 60.0, 0.1), INCONGRUENT, 50_000)
    target = 1.0 / (1.0 + math.exp(-2.0 * 0.5 * 0.1 / VARIANCE))
    assert abs((response == 0).mean() - target) < 5.0 * math.sqrt(0.25 / 50_000)
    assert rt.mean() == pytest.approx(60.0 / 2.0, abs=0.4)


@pytest.mark.parametrize("condition", [CONGRUENT, NEUTRAL])
def test_phases_with_the_same_drift_are_one(condition):
    """A path that goes on is one path: when the selection ends does not matter. The target is
    always selected where flankers are neutral.
    """
    mu_fl = 0.15 if condition == CONGRUENT else 0.7
    mu_ss, c = (0.1, 40.0) if condition == CONGRUENT else (0.8, 120.0)
    mu_rs2 = 0.4
    mu_t = mu_rs2 - SIGN[condition] * mu_fl
    follows_the_plain_diffusion_model(
        (mu_t, mu_fl, mu_ss, mu_rs2, 60.0, c), condition, mu_rs2, 60.0
    )


@pytest.mark.parametrize(("mu_ss", "c"), [(0.05, 60.0), (0.2, 40.0), (-0.1, 50.0), (0.45, 20.0)])
def test_selections_have_their_closed_form(mu_ss, c):
    """With a second phase so strong that it never errs, and no drift in the first, responses show
    what was selected and when.
    """
    mu_rs2, b, n = 10.0, 2000.0, 100_000
    rt, response, _ = simulate(MODEL, (0.0, 0.0, mu_ss, mu_rs2, b, c), INCONGRUENT, n)
    target = 1.0 / (1.0 + math.exp(-2.0 * mu_ss * c / VARIANCE))
    assert abs((response == 0).mean() - target) < 5.0 * math.sqrt(target * (1.0 - target) / n)
    decision = c / mu_ss * math.tanh(mu_ss * c / VARIANCE)  # mean first passage, ms
    assert abs(rt.mean() - decision - b / mu_rs2) < 5.0 * rt.std() / math.sqrt(n)
    for side in (0, 1):  # on a given side, the drift's sign does not matter
        assert abs(
            rt[response == side].mean() - decision - b / mu_rs2
        ) < 5.0 * rt.std() / math.sqrt((response == side).sum())


def published(condition: int, n: int, dt: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Decision times in ms and errors by Euler's scheme in seconds with sigma = .1, as the model is
    published, both diffusions side by side.
    """
    A, C, mu_t, mu_fl, mu_ss, mu_rs2, sigma = 0.07, 0.086, 0.045, 0.065, 0.368, 1.575, 0.1
    sign, rng, t = SIGN[condition], np.random.default_rng(seed), 0.0
    x, y, drift = np.zeros(n), np.zeros(n), np.full(n, mu_t + sign * mu_fl)
    time, error, running, selecting = np.zeros(n), np.zeros(n, bool), np.arange(n), np.ones(n, bool)
    while len(running):
        x += drift * dt + sigma * math.sqrt(dt) * rng.standard_normal(len(x))
        y += mu_ss * dt + sigma * math.sqrt(dt) * rng.standard_normal(len(x))
        t += dt
        selected = selecting & (np.abs(y) >= C)
        drift[selected] = np.where(y[selected] > 0.0, mu_rs2, sign * mu_rs2)
        selecting &= ~selected
        over = np.abs(x) >= A
        time[running[over]], error[running[over]] = 1000.0 * (t - 0.5 * dt), x[over] < 0.0
        running, x, y, drift, selecting = (
            values[~over] for values in (running, x, y, drift, selecting)
        )
    return time, error


def agrees_with_a_naive_simulation(condition: int, n: int, dt: float) -> None:
    """Euler's bounds act as if they stood .5826 sigma sqrt(dt) further out (Chernoff 1965); so ours
    are moved there.
    """
    further = 0.5826 * 4.0 * math.sqrt(1000.0 * dt)
    moved = (*USUAL[:4], USUAL[4] + further, USUAL[5] + further)
    naive, ours = (
        cell_of(*published(condition, n, dt, seed=5)),
        cell(MODEL, moved, condition, 200_000),
    )
    assert ours.like(naive, np.array([0.05, 0.2, 0.2, 0.4])), (ours, naive)


@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT])
def test_a_naive_simulation_in_published_units_agrees(condition):
    agrees_with_a_naive_simulation(condition, 10_000, 2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT, NEUTRAL])
def test_a_naive_simulation_with_tiny_steps_agrees(condition):
    agrees_with_a_naive_simulation(condition, 15_000, 4e-5)


def test_errors_of_incongruent_trials_are_fast_and_the_delta_function_rises():
    congruent, incongruent = (
        simulate(MODEL, USUAL, condition, 200_000) for condition in (CONGRUENT, INCONGRUENT)
    )
    correct, wrong = (incongruent[0][incongruent[1] == side] for side in (0, 1))
    assert wrong.mean() < correct.mean() - 30.0
    assert (incongruent[1] == 1).mean() > 2.0 * (congruent[1] == 1).mean()
    at = [0.1, 0.3, 0.5]  # the flankers lose their influence later on
    delta = np.quantile(correct, at) - np.quantile(congruent[0][congruent[1] == 0], at)
    assert (delta > 0.0).all()
    assert (np.diff(delta) > 0.0).all()


def test_a_start_that_varies_makes_fast_responses_in_both_directions():
    point, varies = (
        cell(dstp(fixed=NO_RESIDUAL, start=start), USUAL, CONGRUENT, 100_000)
        for start in ("point", "beta")
    )
    assert isinstance(point, Cell)
    assert varies.value[0] > point.value[0] + 1.0
    assert varies.value[3] < point.value[3] - 5.0


def test_there_is_no_likelihood():
    assert dstp().likelihood is None

"""The likelihood of trials on a lattice is the mass of their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.exact.likelihood import people_of
from incongruent.models import dmc, rdmc, ssp
from incongruent.models.model import Kept, Model
from incongruent.simulation.nuisance import marginalised

HALF = {"congruent": 0.5, "incongruent": 0.5}
SIXTY = 1000.0 / 60.0
USUAL = {"A": 20.0, "tau": 120.0, "mu_c": 0.5, "b": 60.0, "mu_R": 320.0, "sd_R": 30.0}
WINDOW, DEADLINE = (250.0, 900.0), 620.0


@dataclass(frozen=True)
class Subject:
    """A model, and a value of its parameters that leaves trials on both sides of every edge."""

    model: Model
    theta: list[float]


def of_dmc(free: tuple[str, ...] = (), **values: float) -> Subject:
    return Subject(dmc(free=free), list((USUAL | values).values()))


SUBJECTS = {
    "dmc": of_dmc(),
    "small sd_R": of_dmc(sd_R=5.0),
    "lapses": of_dmc(("lapse",), lapse=0.1),
    "drift variability": of_dmc(("drift_sd",), drift_sd=0.2),
    "R cut at 0": of_dmc(mu_R=40.0, sd_R=20.0, b=90.0),
    "ssp": Subject(ssp(), [p.typical for p in ssp().parameters]),
    "rdmc": Subject(rdmc(), [p.typical for p in rdmc().parameters]),
}


def any_prior(model: Model) -> inc.Prior:
    around = {
        p.name: stats.uniform(max(p.low, 0.0) + 1e-6, min(p.high, 1e4) * (1 - 1e-6) - 2e-6)
        for p in model.parameters
    }
    return inc.Prior(**around)


def simulator(subject: Subject, recording: inc.Recording, n_trials: int = 20_000) -> inc.Simulator:
    design = inc.Design(n_trials, HALF, window=WINDOW, deadline=DEADLINE, recording=recording)
    return inc.Simulator(subject.model, any_prior(subject.model), design)


def lattice_within(recording: inc.Recording, phase: float) -> np.ndarray:
    points = phase + recording.step * np.arange(int(1000 / recording.step) + 2)
    return points[(points >= WINDOW[0]) & (points <= DEADLINE)]


def masses(subject: Subject, kept: Kept, points: np.ndarray, level: int) -> np.ndarray:
    """Probabilities of the responses at lattice points (condition, side, point)."""
    condition, side, rt = np.meshgrid([0, 1], [0, 1], points, indexing="ij")
    values = {"condition": condition.ravel(), "response": side.ravel(), "rt": rt.ravel()}
    theta = np.array([subject.theta])
    logs = subject.model.likelihood.densities(theta, values, kept, level)
    return np.exp(logs[0].reshape(rt.shape)) * kept.step


def silence(subject: Subject, kept: Kept, condition: int, level: int) -> float:
    values = {"condition": np.array([condition]), "response": np.zeros(1, int), "rt": np.zeros(1)}
    found = subject.model.likelihood.at(
        np.array([subject.theta]), values, np.zeros(1, bool), kept, level
    )
    return float(np.exp(found[0]))


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("step", [SIXTY, 50.0])
def test_masses_are_those_of_simulated_trials_and_sum_to_one(name: str, step: float) -> None:
    subject, recording = SUBJECTS[name], inc.Recording(step, phase=7.0)
    made = simulator(subject, recording)
    trials = made.simulate_at(np.array([subject.theta]), seed=1)
    [person] = people_of(made, trials)
    assert person.kept.step == step
    points = lattice_within(recording, 7.0)
    found = masses(subject, person.kept, points, 1)
    for c in range(2):
        silent = silence(subject, person.kept, c, 1)
        assert found[c].sum() + silent == pytest.approx(1.0, abs=2e-3)
        here = person.values["condition"] == c
        counts = [
            np.histogram(
                person.values["rt"][here & person.answered & (person.values["response"] == side)],
                np.r_[points - 0.5 * step, points[-1] + 0.5 * step],
            )[0]
            for side in (0, 1)
        ]
        observed = np.r_[np.concatenate(counts), (here & ~person.answered).sum()].astype(float)
        expected = np.r_[found[c].ravel(), silent] * here.sum()
        often = expected >= 10.0
        chi2 = ((observed - expected)[often] ** 2 / expected[often]).sum()
        assert stats.chi2.sf(chi2, often.sum() - 1) > 1e-5


@pytest.mark.parametrize("sd", [3.0, 10.0, 30.0])
@pytest.mark.parametrize("step", [5.0, SIXTY, 50.0])
def test_masses_are_those_of_a_fine_integration(sd: float, step: float) -> None:
    subject, points = of_dmc(sd_R=sd), np.arange(300.0, 700.0, step)
    found = masses(subject, Kept(WINDOW, None, step), points, 2)
    n = 64
    fine = (points[:, None] + ((np.arange(n) + 0.5) / n - 0.5) * step).ravel()
    density = masses(subject, Kept(WINDOW, None, 1e-3), fine, 2) / 1e-3
    expected = density.reshape(2, 2, -1, n).mean(axis=-1) * step
    likely = expected > 1e-4
    error = np.log(found[likely] / expected[likely])
    assert abs((expected[likely] * error).sum()) < 1e-5
    assert np.sqrt((expected[likely] * error**2).sum()) < 2e-3


def test_a_narrow_step_is_the_density_at_the_trial() -> None:
    subject, points = of_dmc(), np.arange(300.0, 700.0, 7.0)
    at, near = (masses(subject, Kept(WINDOW, None, step), points, 1) / step for step in (1e-9, 1.0))
    np.testing.assert_allclose(near, at, rtol=1e-9)


def test_lapses_and_nuisance_parameters_share_the_interval() -> None:
    """Many rates at once are single rates; a rate of almost one value is that value."""
    free, recording = dmc(free=["lapse"]), inc.Recording(SIXTY, phase=3.0)
    subject = of_dmc(("lapse",), lapse=0.05)
    trials = simulator(subject, recording, 200).simulate_at(np.array([subject.theta]), seed=2)
    [person] = people_of(simulator(subject, recording), trials)
    rates = np.array([0.01, 0.05])
    arguments = (person.values, person.answered, person.kept, 1)
    theta = np.array([subject.theta])
    together = free.likelihood.on_grid["lapse"](theta, rates, *arguments)[0]
    single = [free.likelihood.at(np.array([[*subject.theta[:6], r]]), *arguments)[0] for r in rates]
    np.testing.assert_allclose(together, single, rtol=1e-12)
    integrated = marginalised(free, lapse=stats.uniform(0.05 - 1e-6, 2e-6)).likelihood
    np.testing.assert_allclose(integrated.at(theta[:, :6], *arguments)[0], single[1], atol=5e-3)


def best_sd(rt_of: inc.Simulator, trials: inc.Trials, sds: np.ndarray) -> float:
    """Where the likelihood over sd_R is largest, by a parabola around the best on a grid."""
    theta = np.tile(list(USUAL.values()), (1, len(sds), 1))
    theta[..., 5] = sds
    log_lik = inc.log_likelihood(rt_of, theta, trials)[0]
    k = int(np.clip(np.argmax(log_lik), 1, len(sds) - 2))
    a, b, c = log_lik[k - 1 : k + 2]
    return float(sds[k] + (sds[1] - sds[0]) * 0.5 * (a - c) / (a - 2 * b + c))


@pytest.mark.parametrize("step", [SIXTY, 50.0])
def test_sd_of_non_decision_times_is_unbiased_by_intervals_alone(step: float) -> None:
    """A lattice of step h adds a variance of h^2 / 12; the same trials are compared, so that their
    own deviation from what is expected cancels.
    """
    sds = np.arange(22.0, 44.0, 1.0)
    theta = np.array([list(USUAL.values())])
    found = {}
    for name, recording in (("exact", None), ("recorded", inc.Recording(step))):
        design = inc.Design(40_000, HALF, window=None, recording=recording)
        made = inc.Simulator(dmc(), any_prior(dmc()), design)
        trials = made.simulate_at(theta, seed=3)
        found[name] = best_sd(made, trials, sds)
    naive = inc.Simulator(dmc(), any_prior(dmc()), inc.Design(40_000, HALF, window=None))
    found["as if exact"] = best_sd(naive, trials, sds)
    widened = np.sqrt(found["exact"] ** 2 + step**2 / 12.0)
    assert found["recorded"] == pytest.approx(found["exact"], abs=0.02 * step)
    assert found["as if exact"] == pytest.approx(widened, abs=0.02 * step)
    assert found["as if exact"] - found["recorded"] > 0.5 * (widened - found["exact"])

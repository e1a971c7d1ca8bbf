"""What is found of how a study was recorded, and what becomes of it in posteriors and checks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.checks.model.predictive import simulator_again
from incongruent.checks.replicas import refilled

HALF = {"congruent": 0.5, "incongruent": 0.5}
SIXTY = 1000.0 / 60.0


def simulated(n_people: int, n_trials: int, *, seed: int, **options) -> inc.Trials:
    design = inc.Design(n_trials, HALF, **options)
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design)
    return simulator.simulate(n_people, seed=seed, workers=1).trials


def with_rt(study: inc.Trials, rt: np.ndarray) -> inc.Trials:
    return replace(study, values={**study.values, "rt": rt.astype(np.float32)})


@pytest.mark.parametrize(
    ("recording", "shares"),
    [
        (inc.Recording(SIXTY, phase=4.0, jitter=0.3), True),
        (inc.Recording(SIXTY, jitter=0.3), False),
        (inc.Recording(10.0, phase=0.0), True),
        (inc.Recording(50.0, jitter=2.0), False),
    ],
)
def test_lattices_are_found_with_phase_and_jitter(recording: inc.Recording, shares: bool) -> None:
    study = simulated(12, 200, seed=1, recording=recording)
    found = inc.recording_of(study)
    assert found.recording is not None
    assert found.recording.step == pytest.approx(recording.step, rel=1e-3)
    assert found.recording.jitter == pytest.approx(recording.jitter, rel=0.1, abs=1e-3)
    assert (found.recording.phase is not None) == shares
    if shares:
        assert found.recording.phase == pytest.approx(recording.phase, abs=0.3)
    expected = recording.phases_in(study.values["rt"], study.answered)
    turns = np.exp(2j * np.pi * (found.phases - expected) / recording.step)
    assert np.abs(np.angle(turns)).max() < 0.3


def test_ulrichs_keys_were_read_once_a_refresh(data_folder) -> None:
    found = inc.recording_of(inc.read_trials(data_folder / "ulrich2015/flankerData.txt"))
    assert found.recording.step == pytest.approx(16.68, abs=0.01)
    assert 0.02 < found.recording.jitter < 0.3
    assert found.recording.phase is not None
    assert found.latest == pytest.approx(1202.4, abs=0.1)


def test_whole_milliseconds_are_found() -> None:
    study = simulated(4, 100, seed=2)
    assert inc.recording_of(study).recording is None
    whole = inc.recording_of(with_rt(study, np.round(study.values["rt"]))).recording
    assert whole == inc.Recording(1.0, phase=0.0)
    assert not whole.is_wide


def test_nothing_is_known_of_other_trials() -> None:
    vectors = inc.Trials(
        (inc.Continuous("x"),),
        {"x": np.zeros((2, 1))},
        np.ones((2, 1), bool),
        np.ones((2, 1), bool),
    )
    study = simulated(2, 20, seed=3)
    silent = replace(study, answered=np.zeros_like(study.answered))
    for trials in (vectors, silent):
        found = inc.recording_of(trials)
        assert (found.recording, found.latest) == (None, None)
        posterior = inc.pretrained("dmc")
        assert found.applied_to(posterior) is posterior


@pytest.mark.slow
def test_exact_records_are_hardly_ever_called_recorded() -> None:
    """Ends are looked for at a level of 1 %, and steps must be clear besides."""
    steps = ends = 0
    for seed in range(400):
        found = inc.recording_of(simulated(12, 80, seed=9000 + seed))
        steps += found.recording is not None
        ends += found.latest is not None
    assert steps == 0
    assert ends <= stats.binom.ppf(0.995, 400, 0.01)


@pytest.fixture(scope="module")
def coarse() -> inc.Trials:
    """People recorded in steps, whose slow answers are missing."""
    return simulated(8, 200, seed=4, window=(150.0, 520.0), recording=inc.Recording(SIXTY))


def test_posteriors_are_told_what_was_found(coarse: inc.Trials) -> None:
    posterior, found = inc.pretrained("dmc"), inc.recording_of(coarse)
    longest = float(coarse.values["rt"][coarse.answered].max())
    for told in (
        found.applied_to(posterior),
        found.applied_to(inc.Ensemble([posterior, posterior])),
        found.applied_to(posterior.sample(coarse, 30, seed=1)),
    ):
        design = told.simulator.design
        assert design.recording == found.recording
        assert design.window == (150.0, pytest.approx(longest))
        assert design.deadline is None
    again = found.applied_to(found.applied_to(posterior))
    assert again.simulator.design == found.applied_to(posterior).simulator.design
    np.testing.assert_array_equal(
        found.applied_to(posterior).sample(coarse, 5, seed=1).theta,
        posterior.sample(coarse, 5, seed=1).theta,
    )


def test_corrected_draws_are_not_told_later(coarse: inc.Trials) -> None:
    one = coarse.select([0])
    draws = inc.fit(inc.pretrained("dmc"), one, n_draws=50, as_recorded=False, seed=1).draws
    with pytest.raises(ValueError, match="these have been corrected already"):
        inc.recording_of(coarse).applied_to(draws)


def test_omissions_make_a_deadline_of_the_end() -> None:
    """Late answers that stand among the trials as omissions are counted, not left out."""
    study = simulated(8, 200, seed=5, deadline=500.0)
    assert (study.present & ~study.answered).sum() > 50
    found = inc.recording_of(study)
    design = found.applied_to(inc.pretrained("dmc")).simulator.design
    assert design.deadline == pytest.approx(500.0, abs=3.0)
    assert design.window == (150.0, 2500.0)


def test_an_end_that_a_design_has_already_is_no_news() -> None:
    study = simulated(8, 200, seed=6, window=(150.0, 500.0))
    simulator = inc.pretrained("dmc").simulator
    found = inc.recording_of(study)
    assert found.latest is not None
    told = simulator.recorded_as(window=(150.0, 500.0)).design
    assert found.sentences(told) == ()
    assert len(found.sentences(simulator.design)) == 1


def test_a_fit_says_what_it_took_over_and_can_decline(coarse: inc.Trials) -> None:
    two = coarse.select([0, 1])
    posterior = inc.pretrained("dmc")
    fit = inc.fit(posterior, two, n_draws=100, seed=1)
    plain = inc.fit(posterior, two, n_draws=100, as_recorded=False, seed=1)
    assert any("steps of 16.7 ms" in said for said in fit.recorded_as)
    assert any("cut off at" in said for said in fit.recorded_as)
    assert fit.draws.simulator.design.recording is not None
    assert plain.recorded_as == ()
    assert plain.draws.simulator.design == posterior.simulator.design


def test_replicates_are_recorded_like_the_study(coarse: inc.Trials) -> None:
    told = inc.recording_of(coarse).applied_to(inc.pretrained("dmc"))
    again = simulator_again(told.simulator, coarse)
    theta = told.sample(coarse, 1, seed=1).theta[:, 0]
    trials = again.simulate_at(theta, seed=2)
    found = inc.recording_of(trials)
    assert found.recording.step == pytest.approx(SIXTY, rel=1e-3)
    assert trials.values["rt"][trials.answered].max() <= coarse.values["rt"][coarse.answered].max()
    turns = np.exp(2j * np.pi * (found.phases - inc.recording_of(coarse).phases) / SIXTY)
    assert np.abs(np.angle(turns)).max() < 0.1


def test_replicates_have_as_many_trials_as_people_although_some_are_cut_off() -> None:
    simulations = inc.Simulator(
        inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(200, HALF, window=(150.0, 500.0))
    ).simulate(8, seed=7)
    study = simulations.trials
    design = inc.design_of(study, window=(150.0, 500.0))
    again = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design)
    theta = np.tile(simulations.theta, (5, 1))
    trials = refilled(again, theta, seed=1)
    n = np.tile(study.n_trials, 5)
    assert ((trials.n_trials <= n) & (trials.n_trials >= 0.98 * n - 1)).mean() > 0.9
    assert trials.values["rt"][trials.answered].max() <= 500.0
    plain = again.simulate_at(theta, seed=1)
    assert plain.n_trials.sum() < 0.9 * trials.n_trials.sum()
    kept = plain.present
    np.testing.assert_array_equal(trials.values["rt"][kept], plain.values["rt"][kept])
    congruent = [t.where("condition", "congruent").sum(axis=1) for t in (trials, study)]
    assert np.abs(congruent[0] - np.tile(congruent[1], 5)).max() <= 0.04 * 200
    wide = inc.Simulator(again.model, again.prior, inc.design_of(study))
    np.testing.assert_array_equal(
        refilled(wide, theta, seed=2).values["rt"], wide.simulate_at(theta, seed=2).values["rt"]
    )


def test_hygiene_says_what_has_been_done(coarse: inc.Trials) -> None:
    done, declined = (inc.hygiene(coarse, as_recorded=told, seed=1) for told in (True, False))
    assert "predicted RTs come in these steps as well" in done["rounding"].sentence
    assert "cut off there as well" in done["deadline"].sentence
    assert "Below 20 ms this changes posteriors little" in declined["rounding"].sentence
    assert "as_recorded=True" in declined["deadline"].sentence
    for name in ("rounding", "deadline"):
        assert done[name].severity is declined[name].severity


@pytest.mark.slow
def test_the_panel_is_not_misled_by_a_refresh_rate() -> None:
    """Quantiles of people alike, on one lattice, are off by milliseconds; replicates share that."""
    values = {
        "A": (20.0, 2.0),
        "tau": (110.0, 10.0),
        "mu_c": (0.55, 0.03),
        "b": (60.0, 3.0),
        "mu_R": (330.0, 6.0),
        "sd_R": (32.0, 3.0),
    }
    alike = inc.Prior(**{name: stats.norm(*value) for name, value in values.items()})
    design = inc.Design(300, HALF, recording=inc.Recording(50.0, phase=0.0))
    study = inc.Simulator(inc.models.dmc(), alike, design).simulate(12, seed=12).trials
    posterior = inc.pretrained("dmc")
    options = {"n_replicates": 59, "n_predictions": 5, "seed": 1}
    told = inc.predictive_panel(inc.recording_of(study).applied_to(posterior), study, **options)
    plain = inc.predictive_panel(posterior, study, **options)
    assert told.failing() == ()
    assert len(plain.failing()) >= 2


@pytest.mark.slow
def test_coverage_behind_a_wall_is_that_without_one() -> None:
    """15 % of the answers are missing behind a wall; the posteriors know it."""
    prior, posterior = inc.priors.schaefer2025(), inc.pretrained("dmc")
    design = inc.Design(300, HALF, window=(150.0, 547.0))
    simulations = inc.Simulator(inc.models.dmc(), prior, design).simulate(40, seed=5)
    assert 0.1 < simulations.trials.n_excluded.sum() / (40 * 300) < 0.2
    inside = {}
    for told in (True, False):
        options = {"n_draws": 300, "prior": prior, "as_recorded": told, "seed": 3}
        theta = inc.fit(posterior, simulations.trials, **options).draws.theta
        for share in (0.5, 0.9):
            low, high = np.quantile(theta, [0.5 - share / 2, 0.5 + share / 2], axis=1)
            truth = simulations.theta
            inside[told, share] = float(((truth >= low) & (truth <= high)).mean())
    # 40 people, whose six parameters depend on each other
    assert inside[True, 0.5] == pytest.approx(0.5, abs=0.12)
    assert inside[True, 0.9] == pytest.approx(0.9, abs=0.08)
    assert inside[False, 0.5] < 0.35
    assert inside[False, 0.9] < 0.7

"""Recordings: RTs on lattices, in simulations, in designs of studies and in files."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

import incongruent as inc
from incongruent.checks.replicas import matched
from incongruent.simulation.observed import layout_of
from incongruent.storage.cards import check_card, simulator_from_json, simulator_to_json

HALF = {"congruent": 0.5, "incongruent": 0.5}
SIXTY = 1000.0 / 60.0


def simulator(recording: inc.Recording | None = None, n_trials: int = 100, **options):
    design = inc.Design(n_trials, HALF, recording=recording, **options)
    return inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design)


def answers(trials: inc.Trials, person: int) -> np.ndarray:
    return trials.values["rt"][person][trials.answered[person]].astype(float)


def off_lattice(rt: np.ndarray, recording: inc.Recording, phase: float) -> np.ndarray:
    """How far RTs lie from the nearest lattice point."""
    return (rt - phase + 0.5 * recording.step) % recording.step - 0.5 * recording.step


@pytest.mark.parametrize("step", [1.0, 10.0, SIXTY])
def test_rts_lie_on_the_lattice_nearest_to_where_they_were(step: float) -> None:
    recording = inc.Recording(step, phase=2.5)
    exact = simulator(window=None).simulate(5, seed=1).trials
    trials = simulator(recording, window=None).simulate(5, seed=1).trials
    before, after = (t.values["rt"][t.answered].astype(float) for t in (exact, trials))
    assert np.abs(off_lattice(after, recording, 2.5)).max() < 1e-3
    assert np.abs(after - before).max() <= 0.5 * step + 1e-3
    for name in ("condition", "response"):
        np.testing.assert_array_equal(trials.values[name], exact.values[name])


def test_a_delay_of_half_a_step_is_not_added() -> None:
    recording = inc.Recording(50.0)
    exact, trials = (simulator(r, 500).simulate(40, seed=2).trials for r in (None, recording))
    means = [np.mean([answers(t, i).mean() for i in range(40)]) for t in (exact, trials)]
    error = 50.0 / np.sqrt(12.0 * 40 * 500)
    assert abs(means[1] - means[0]) < 5.0 * error


def test_every_data_set_has_a_phase_of_its_own_unless_one_is_given() -> None:
    recording = inc.Recording(40.0)
    trials = simulator(recording).simulate(60, seed=3).trials
    phases = recording.phases_in(trials.values["rt"], trials.answered)
    for i, phase in enumerate(phases):
        assert np.abs(off_lattice(answers(trials, i), recording, phase)).max() < 1e-3
    assert np.histogram(phases, 4, (0.0, 40.0))[0].min() > 4
    assert (
        inc.Recording(40.0, phase=1.0).drawn_phases(3, np.random.default_rng(1)).tolist()
        == [1.0] * 3
    )


def test_jitter_has_the_standard_deviation_it_says() -> None:
    recording = inc.Recording(20.0, phase=0.0, jitter=0.5)
    trials = simulator(recording, 500).simulate(20, seed=4).trials
    rest = off_lattice(trials.values["rt"][trials.answered].astype(float), recording, 0.0)
    assert rest.std() == pytest.approx(0.5, rel=5.0 / np.sqrt(2 * len(rest)))


def test_the_number_of_workers_changes_nothing() -> None:
    one, two = (
        simulator(inc.Recording(SIXTY, jitter=0.3), 20).simulate(600, seed=5, workers=w).trials
        for w in (1, 2)
    )
    np.testing.assert_array_equal(one.values["rt"], two.values["rt"])
    parts = simulator(inc.Recording(SIXTY), 20).simulate(600, seed=5).trials
    on_lattice = [
        np.abs(off_lattice(answers(parts, i), inc.Recording(SIXTY), phase)).max() < 1e-3
        for i, phase in enumerate(
            inc.Recording(SIXTY).phases_in(parts.values["rt"], parts.answered)
        )
    ]
    assert all(on_lattice)


def test_window_and_deadline_act_on_recorded_times() -> None:
    at = {"window": (320.0, 480.0), "deadline": 460.0}
    trials = simulator(inc.Recording(100.0, phase=0.0), 300, **at).simulate(10, seed=6).trials
    assert set(np.unique(trials.values["rt"][trials.answered])) <= {400.0}
    exact = simulator(None, 300, **at).simulate(10, seed=6).trials
    assert trials.n_excluded.sum() != exact.n_excluded.sum()


def test_without_a_recording_nothing_changes() -> None:
    """Numbers of simulations made before there were recordings."""
    trials = simulator(n_trials=5).simulate(1, seed=1).trials
    again = simulator(n_trials=5).simulate(1, seed=1).trials
    np.testing.assert_array_equal(trials.values["rt"], again.values["rt"])
    assert simulator().design.phases_for(3, np.random.default_rng(1)) is None


def test_ends_before_recording_are_those_of_intervals_within() -> None:
    recording = inc.Recording(20.0, phase=5.0)
    # points 145, 165, …, 525, 545 …
    assert recording.before((150.0, 530.0), None, 5.0) == ((155.0, 535.0), None)
    assert recording.before(None, 525.0, 5.0) == (None, 535.0)
    assert recording.before((0.0, 10.0), 9.0, 5.0) == ((0.0, 15.0), 15.0)
    jittered = inc.Recording(20.0, phase=5.0, jitter=0.5)
    assert jittered.before(None, 524.0, 5.0) == (None, 535.0)  # the point lies 2 SDs behind


def test_studies_are_repeated_with_the_phases_that_their_people_have() -> None:
    recording = inc.Recording(SIXTY, jitter=0.1)
    study = simulator(recording, 60).simulate(6, seed=7).trials
    design = inc.design_of(study, recording=recording)
    layout = layout_of(study, window=(150.0, 2500.0), deadline=None, recording=recording)
    assert layout.select(np.array([3, 1])).phases == pytest.approx(design.phases[[3, 1]])
    for observed in (design, layout):
        again = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), observed)
        trials = again.simulate(12, seed=8).trials
        phases = recording.phases_in(trials.values["rt"], trials.answered)
        assert np.abs(off_lattice(phases, recording, np.tile(design.phases, 2))).max() < 0.2


def test_replicas_are_recorded_like_the_study() -> None:
    recording, like = inc.Recording(25.0), {"window": (150.0, 450.0)}
    study = simulator(recording, 40, **like).simulate(4, seed=9).trials
    trials = matched(simulator(recording, 40, **like), study, 5, seed=1).trials
    phases = recording.phases_in(study.values["rt"], study.answered)
    for i in range(20):
        rt = answers(trials, i)
        assert np.abs(off_lattice(rt, recording, phases[i % 4])).max() < 1e-3
        assert rt.max() <= 450.0
        assert len(rt) == study.n_trials[i % 4]


def test_recordings_come_back_from_cards_and_other_processes() -> None:
    made = simulator(inc.Recording(SIXTY, phase=1.0, jitter=0.3), deadline=900.0)
    check_card(made)
    card = json.loads(json.dumps(simulator_to_json(made)))
    assert simulator_from_json(card).design == made.design
    assert pickle.loads(pickle.dumps(made.design)) == made.design
    assert made.design != simulator(deadline=900.0).design
    del card["design"]["recording"]  # as files of earlier releases have it
    assert simulator_from_json(card).design.recording is None


def test_a_simulator_is_told_how_data_are_recorded() -> None:
    told = simulator().recorded_as(inc.Recording(10.0), window=(150.0, 600.0), deadline=500.0)
    assert told.design.recording == inc.Recording(10.0)
    assert (told.design.window, told.design.deadline) == ((150.0, 600.0), 500.0)
    assert told.recorded_as().design == told.design
    assert simulator().recorded_as(inc.Recording(10.0)).design.window == (150.0, 2500.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": 0.0}, "a step above 0 ms"),
        ({"step": "wide"}, "step of a recording"),
        ({"step": 10.0, "jitter": -1.0}, "a jitter of at least 0 ms"),
        ({"step": 10.0, "phase": "late"}, "phase of a recording"),
    ],
)
def test_what_is_no_recording_is_refused(options: dict, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        inc.Recording(**options)


def test_recordings_need_response_times() -> None:
    def vectors(theta, rng):
        return rng.standard_normal((len(theta), 1)) + theta

    model = inc.Model("vectors", ["mean"], [inc.Continuous("x")], vector=vectors)
    prior = inc.Prior(mean=inc.priors.schaefer2025()["A"])
    with pytest.raises(ValueError, match="Expected a column 'rt' for a recording"):
        inc.Simulator(model, prior, inc.Design(1, recording=inc.Recording(10.0)))
    with pytest.raises(ValueError, match="Expected a Recording"):
        inc.Design(10, recording=10.0)
    observed = inc.design_of(simulator().simulate(2, seed=1).trials)
    with pytest.raises(ValueError, match="given columns"):
        inc.Simulator(model, prior, replace(observed, recording=inc.Recording(10.0)))

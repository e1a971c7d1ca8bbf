"""Hygiene: every finding appears where it was planted, and not where it was not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import incongruent as inc
from incongruent.checks.hygiene.findings import Severity
from incongruent.checks.hygiene.lattice import steps_in, wall_in
from incongruent.checks.hygiene.pooling import pooling_of
from incongruent.data.long_format import from_long
from incongruent.data.trials import CONFLICT_TASK

HALF = {"congruent": 0.5, "incongruent": 0.5}


def simulated(n_people: int = 24, n_trials: int = 200, *, seed: int, prior=None) -> inc.Trials:
    """People as DMC has them, in random order."""
    return (
        inc.Simulator(
            inc.models.dmc(), prior or inc.priors.schaefer2025(), inc.Design(n_trials, HALF)
        )
        .simulate(n_people, seed=seed)
        .trials
    )


def with_rt(study: inc.Trials, rt: np.ndarray) -> inc.Trials:
    return replace(study, values={**study.values, "rt": rt.astype(np.float32)})


def pooled(study: inc.Trials, rng: np.random.Generator) -> inc.Trials:
    """The same trials, dealt out at random into as many units."""
    person, trial = np.nonzero(study.present)
    order = rng.permutation(len(person))
    values = {name: array[person, trial][order] for name, array in study.values.items()}
    unit = np.arange(len(order)) * len(study) // len(order)
    return from_long(study.columns, unit, values, answered=study.answered[person, trial][order])


def real(folder: Path, name: str) -> inc.Trials:
    return inc.read_trials(folder / name)


@pytest.fixture(scope="module")
def people() -> inc.Trials:
    return simulated(seed=2)


def test_simulated_people_have_nothing_to_hide(people: inc.Trials) -> None:
    found = inc.hygiene(people, seed=1)
    assert not found.warnings
    assert {finding.severity for finding in found.findings} == {Severity.FINE}
    assert {"finding", "severity", "p", "number", "value"} == set(found.table().columns)
    with pytest.raises(KeyError, match="Expected one of"):
        found["nothing of the kind"]


@pytest.mark.parametrize("seed", range(5))
def test_pooled_batches_of_simulated_people_are_seen(seed: int) -> None:
    study = simulated(seed=10 + seed)
    assert (
        inc.hygiene(pooled(study, np.random.default_rng(seed)), seed=1)["units"].severity
        is Severity.WARNING
    )
    assert inc.hygiene(study, seed=1)["units"].severity is Severity.FINE


@pytest.mark.parametrize(
    "name",
    ["ulrich2015/flankerData.txt", "ulrich2015/simonData.txt", "vonbastian2016/LEF_flanker.csv"],
)
def test_pooled_batches_of_real_people_are_seen(data_folder: Path, name: str) -> None:
    study = real(data_folder, name)
    finding = inc.hygiene(pooled(study, np.random.default_rng(1)), seed=1)["units"]
    assert finding.severity is Severity.WARNING
    assert "no more than random samples of one pool" in finding.sentence
    assert finding.numbers["variance ratio, mean RT, congruent"] < 2.5
    assert inc.hygiene(study, seed=1)["units"].severity is Severity.FINE


def test_batches_have_the_variance_of_their_bootstrap(people: inc.Trials) -> None:
    """A ratio of variances of k units is chi square (k - 1) over k - 1 for batches."""
    ratio = pooling_of(pooled(people, np.random.default_rng(2)), seed=1).ratios["ratio"]
    error = np.sqrt(2.0 / (len(people) - 1))
    assert (np.abs(ratio - 1.0) < 5.0 * error).all()
    assert (pooling_of(people, seed=1).ratios["ratio"] > 1.0 + 5.0 * error).any()


def test_five_people_are_never_called_batches() -> None:
    """The rate of false alarms is 1 % for people far more alike than any; these never come near."""
    for seed in range(40):
        assert not pooling_of(simulated(5, 100, seed=100 + seed), seed=1).batches


@pytest.mark.parametrize(("n_people", "n_trials"), [(3, 300), (8, 10)])
def test_too_little_cannot_be_told(n_people: int, n_trials: int) -> None:
    batches = pooled(simulated(n_people, n_trials, seed=3), np.random.default_rng(1))
    finding = inc.hygiene(batches, seed=1)["units"]
    assert finding.severity is Severity.UNKNOWN
    assert "cannot be determined" in finding.sentence


@pytest.mark.parametrize("step", [1000 / 60, 10.0, 8.0, 50.0, 100.0])
@pytest.mark.parametrize("whole_ms", [False, True])
def test_steps_are_found(people: inc.Trials, step: float, whole_ms: bool) -> None:
    # each person has another offset
    rt = np.round(people.values["rt"] / step) * step + np.linspace(0, 7, len(people))[:, None]
    found = steps_in(with_rt(people, np.round(rt) if whole_ms else rt))
    assert found.size == pytest.approx(step, rel=0.01)
    assert found.p < 1e-6
    assert found.power > 0.7


@pytest.mark.parametrize("step", [0.0, 1.0, 2.0])
def test_fine_times_have_no_steps(people: inc.Trials, step: float) -> None:
    rt = people.values["rt"]
    assert (
        inc.hygiene(with_rt(people, np.round(rt / step) * step if step else rt), seed=1)[
            "rounding"
        ].severity
        is Severity.FINE
    )


def test_steps_are_named_for_what_they_come_from(people: inc.Trials) -> None:
    rt = people.values["rt"]
    assert (
        "a display of 60 Hz"
        in inc.hygiene(with_rt(people, np.round(rt * 0.06) / 0.06), seed=1)["rounding"].sentence
    )
    assert (
        "hundredths of a second"
        in inc.hygiene(with_rt(people, np.round(rt / 10) * 10), seed=1)["rounding"].sentence
    )
    assert (
        inc.hygiene(with_rt(people, np.round(rt / 50) * 50), seed=1)["rounding"].severity
        is Severity.WARNING
    )


@pytest.mark.parametrize("step", [0.0, 1000 / 60])
def test_a_deadline_is_seen(people: inc.Trials, step: float) -> None:
    rt = people.values["rt"]
    rt = np.round(rt / step) * step if step else rt
    wall = float(np.quantile(rt[people.present], 0.97))
    late = rt > wall
    cut = replace(
        with_rt(people, rt), present=people.present & ~late, answered=people.answered & ~late
    )
    finding = inc.hygiene(cut, seed=1)["deadline"]
    assert finding.severity is Severity.WARNING
    assert finding.numbers["longest RT (ms)"] == pytest.approx(wall, abs=max(5.0, step))
    assert 0.005 < finding.numbers["share missing beyond"] < 0.08  # 3 % are


def test_a_wall_after_a_window_may_be_the_window(people: inc.Trials) -> None:
    cut = replace(
        people,
        present=people.present & (people.values["rt"] < 500),
        answered=people.answered & (people.values["rt"] < 500),
    )
    finding = inc.hygiene(replace(cut, excluded={"out of window": np.ones(len(cut), int)}), seed=1)[
        "deadline"
    ]
    assert finding.severity is Severity.NOTE
    assert "a network with the same window" in finding.sentence


def test_walls_are_not_seen_in_tails() -> None:
    """With exponential tails the p-value is exact, so that 1 % of 400 studies are below .01;
    heavier tails give fewer.
    """
    rng = np.random.default_rng(5)
    for heavier in (False, True):
        p = []
        for _ in range(400):
            rt = 300.0 + rng.exponential(100.0, (5, 60)) * (
                np.exp(0.5 * rng.standard_normal((5, 1))) if heavier else 1.0
            )
            study = from_long(
                CONFLICT_TASK,
                np.repeat(np.arange(5), 60),
                {"rt": rt.ravel(), "condition": np.zeros(300), "response": np.zeros(300)},
            )
            p.append(wall_in(study).p)
        assert np.mean(np.array(p) < 0.01) < 0.01 + 5.0 * np.sqrt(0.01 * 0.99 / 400)


def test_a_slow_first_trial_is_seen(people: inc.Trials) -> None:
    rt = people.values["rt"].copy()
    rt[:, 0] += 150.0
    finding = inc.hygiene(with_rt(people, rt), seed=1)["first trial"]
    assert finding.severity is Severity.NOTE
    assert finding.numbers["excess over the own median (ms)"] > 80.0


def test_drifting_speed_is_seen(people: inc.Trials) -> None:
    drift = 60.0 * np.sin(np.arange(people.present.shape[1]) / 15.0)
    finding = inc.hygiene(with_rt(people, people.values["rt"] + drift), seed=1)["autocorrelation"]
    assert finding.severity is Severity.WARNING
    assert finding.numbers["lag-1 correlation"] > 0.1


def with_sequence(study: inc.Trials, size: float) -> inc.Trials:
    """Incongruent trials after incongruent ones are faster by ``size`` ms, after congruent ones
    slower.
    """
    condition = study.values["condition"]
    before = np.roll(condition, 1, axis=1)
    shift = np.where(condition == 1, np.where(before == 1, -size, size), 0.0)
    shift[:, 0] = 0.0
    return with_rt(study, study.values["rt"] + shift)


def test_a_congruency_sequence_is_seen(people: inc.Trials) -> None:
    finding = inc.hygiene(with_sequence(people, 15.0), seed=1)["congruency sequence"]
    assert finding.severity is Severity.WARNING
    difference = (
        finding.numbers["effect after congruent (ms)"]
        - finding.numbers["effect after incongruent (ms)"]
    )
    assert difference == pytest.approx(30.0, abs=12.0)
    assert "Gratton" in finding.sentence
    assert (
        "reverse"
        in inc.hygiene(with_sequence(people, -15.0), seed=1)["congruency sequence"].sentence
    )


def test_sorted_trials_have_no_order(people: inc.Trials) -> None:
    condition = people.values["condition"]
    for key, word in ((condition, "sorted by condition"), (people.values["rt"], "sorted by RT")):
        order = np.argsort(key, axis=1, kind="stable")
        moved = replace(
            people,
            values={
                name: np.take_along_axis(array, order, 1) for name, array in people.values.items()
            },
            present=np.take_along_axis(people.present, order, 1),
            answered=np.take_along_axis(people.answered, order, 1),
        )
        found = inc.hygiene(moved, seed=1)
        assert word in found["order"].sentence
        assert found["order"].severity is Severity.UNKNOWN


def test_other_trials_are_refused(people: inc.Trials) -> None:
    other = inc.Trials(
        (inc.Continuous("x"),),
        {"x": np.zeros((2, 3))},
        np.ones((2, 3), bool),
        np.ones((2, 3), bool),
    )
    with pytest.raises(ValueError, match="Expected trials of a conflict task"):
        inc.hygiene(other, seed=1)
    with pytest.raises(ValueError, match="at least one trial with an answer"):
        inc.hygiene(replace(people, answered=np.zeros_like(people.answered)), seed=1)


def test_nobody_is_needed_in_full(people: inc.Trials) -> None:
    """One person, and people without trials, are no errors."""
    assert inc.hygiene(people.select([0]), seed=1)["units"].severity is Severity.UNKNOWN
    gone = np.arange(len(people))[:, None] == 3
    assert str(
        inc.hygiene(
            replace(people, present=people.present & ~gone, answered=people.answered & ~gone),
            seed=1,
        )
    )


@pytest.mark.slow
def test_order_and_units_keep_their_level() -> None:
    """400 studies of exchangeable trials, each test at 1 %: as many findings as a binomial variable
    has in 99 % of cases, at most.
    """
    counts: dict[str, int] = {}
    for seed in range(400):
        for finding in inc.hygiene(simulated(12, 80, seed=1000 + seed), seed=1).findings:
            counts[finding.name] = counts.get(finding.name, 0) + (
                finding.severity in (Severity.NOTE, Severity.WARNING)
            )
    assert max(counts.values()) <= 10, counts  # P(Binomial(400, .01) > 10) = .003


def test_a_conflict_that_is_hardly_there_is_told() -> None:
    theta = np.tile([20.0, 80.0, 0.55, 60.0, 340.0, 35.0], (30, 1)) + np.random.default_rng(
        1
    ).normal(0, [0, 0, 0.05, 5, 30, 3], (30, 6))
    simulator = inc.Simulator(
        inc.models.dmc(),
        inc.priors.broad(),
        inc.Design(200, {"congruent": 0.5, "incongruent": 0.5}),
    )
    conflict = inc.hygiene(simulator.simulate_at(theta, seed=1), seed=1)["congruency effect"]
    assert conflict.severity is Severity.FINE
    assert conflict.numbers["effect (ms)"] > 10.0
    theta[:, 0] = 0.0
    none = inc.hygiene(simulator.simulate_at(theta, seed=2), seed=1)["congruency effect"]
    assert none.severity is Severity.WARNING
    assert "its time scale tau cannot be estimated" in none.sentence
    few = inc.hygiene(simulator.simulate_at(theta, seed=2).select(range(2)), seed=1)[
        "congruency effect"
    ]
    assert few.severity is Severity.UNKNOWN


def test_codes_the_wrong_way_round_are_told() -> None:
    theta = np.tile([20.0, 80.0, 0.55, 60.0, 340.0, 35.0], (20, 1)) + np.random.default_rng(
        1
    ).normal(0, [0, 0, 0.05, 5, 30, 3], (20, 6))
    simulator = inc.Simulator(
        inc.models.dmc(),
        inc.priors.broad(),
        inc.Design(200, {"congruent": 0.5, "incongruent": 0.5}),
    )
    study = simulator.simulate_at(theta, seed=3)
    swapped = replace(
        study, values={**study.values, "condition": np.array([1, 0, 2])[study.values["condition"]]}
    )
    found = inc.hygiene(swapped, seed=1)["congruency effect"]
    assert found.severity is Severity.WARNING
    assert "the right way round" in found.sentence


def test_a_letter_flanker_without_an_effect(data_folder) -> None:
    found = inc.hygiene(
        inc.read_trials(data_folder / "vonbastian2016" / "LEF_flanker.csv"), seed=1
    )["congruency effect"]
    assert found.severity is Severity.WARNING
    assert abs(found.numbers["effect (ms)"]) < 3.0
    for name in ("LEF_simon.csv", "LEF_stroop.csv"):
        assert (
            inc.hygiene(inc.read_trials(data_folder / "vonbastian2016" / name), seed=1)[
                "congruency effect"
            ].severity
            is Severity.FINE
        )


def test_one_endless_trial_costs_no_time_and_changes_no_step(people: inc.Trials) -> None:
    """The Fourier transform once reached as far as the longest RT."""
    rt = people.values["rt"].copy()
    rt[0, np.flatnonzero(people.answered[0])[3]] = 1e9
    assert steps_in(with_rt(people, rt)).power == pytest.approx(
        steps_in(people).power, rel=0.05, abs=1e-3
    )

"""Posterior and draws: everybody at once, the same alone or in company, saved and loaded, and
refused what it was not trained for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import incongruent as inc
from incongruent.data.basics.streams import Purpose, child
from incongruent.data.demo import demo_study
from incongruent.data.trials import pad
from incongruent.posterior import posterior as module
from incongruent.posterior.task_of import axis_of, levels_of
from incongruent.storage.weights import load_arrays, save_arrays


@pytest.fixture(scope="module")
def study(simulator: inc.Simulator) -> inc.Trials:
    return simulator.simulate(40, seed=8).trials


def test_draws_follow_the_density_that_log_prob_states(
    posterior: inc.Posterior, study: inc.Trials
) -> None:
    draws = posterior.sample(study, 5, seed=1)
    stated = posterior.log_prob(draws.theta[:, 3], study)
    np.testing.assert_allclose(stated, draws.log_q[:, 3], atol=2e-3)


@pytest.mark.parametrize("person", [0, 1, 2])
def test_the_density_integrates_to_one(
    posterior: inc.Posterior, study: inc.Trials, person: int
) -> None:
    """E_q[u / q] = 1 for the uniform density u of a box in the middle of q, at five standard
    errors.
    """
    draws = posterior.sample(study.select([person]), 40_000, seed=2)
    theta = draws.theta[0]
    low, high = np.quantile(theta, 0.2, axis=0), np.quantile(theta, 0.8, axis=0)
    inside = ((theta >= low) & (theta <= high)).all(axis=1)
    weight = np.where(inside, np.exp(-np.log(high - low).sum() - draws.log_q[0]), 0.0)
    error = weight.std() / np.sqrt(len(weight))
    assert error < 0.1
    assert abs(weight.mean() - 1.0) < 5.0 * error


def test_no_draw_leaves_the_prior(posterior: inc.Posterior, study: inc.Trials) -> None:
    draws = posterior.sample(study, 500, seed=3)
    for i, name in enumerate(draws.parameter_names):
        low, high = posterior.simulator.prior[name].support()
        assert ((draws.theta[..., i] >= low) & (draws.theta[..., i] <= high)).all()
    assert np.isfinite(draws.log_q).all()


def test_log_prob_is_minus_infinity_outside_the_prior(
    posterior: inc.Posterior, study: inc.Trials
) -> None:
    theta = posterior.sample(study, 1, seed=1).theta[:, 0]
    theta[0, 0] = 1e4
    log_q = posterior.log_prob(theta, study)
    assert log_q[0] == -np.inf
    assert np.isfinite(log_q[1:]).all()


def test_a_person_gets_the_same_draws_whoever_else_is_there(
    posterior: inc.Posterior, study: inc.Trials
) -> None:
    together = posterior.sample(study, 7, seed=4)
    alone = posterior.sample(study.select([23]), 7, seed=4)
    np.testing.assert_allclose(alone.theta[0], together.theta[23], rtol=1e-5)
    other = posterior.sample(study, 7, seed=5)
    assert not np.allclose(other.theta, together.theta)


def test_people_do_not_share_their_noise(posterior: inc.Posterior, study: inc.Trials) -> None:
    draws = posterior.sample(study, 2000, seed=4)
    z = posterior.simulator.prior.to_real(draws.theta)[:, :, 4]
    correlation = np.corrcoef(z)[np.triu_indices(len(z), 1)]
    assert np.abs(correlation).max() < 6.0 / np.sqrt(2000)


def test_one_compilation_serves_every_number_of_people_and_trials(
    posterior: inc.Posterior, simulator: inc.Simulator
) -> None:
    posterior.sample(simulator.simulate(3, seed=1).trials, 10, seed=1)
    compiled = module._sample._cached._cache_size()  # type: ignore[attr-defined]
    for n, seed in ((1, 2), (17, 3), (33, 4)):
        posterior.sample(simulator.simulate(n, seed=seed).trials, 10, seed=1)
    assert module._sample._cached._cache_size() == compiled  # type: ignore[attr-defined]


def test_padding_changes_no_draw(posterior: inc.Posterior, study: inc.Trials) -> None:
    wide = pad(study, study.present.shape[1] + 57)
    np.testing.assert_array_equal(
        posterior.sample(wide, 3, seed=1).theta, posterior.sample(study, 3, seed=1).theta
    )


def test_save_and_load_give_the_same_posterior(
    posterior: inc.Posterior, study: inc.Trials, tmp_path: Path
) -> None:
    posterior.save(tmp_path / "network")
    loaded = inc.load_posterior(tmp_path / "network")
    np.testing.assert_array_equal(
        loaded.sample(study, 5, seed=1).theta, posterior.sample(study, 5, seed=1).theta
    )
    assert loaded.simulator.prior == posterior.simulator.prior
    assert loaded.simulator.design == posterior.simulator.design
    assert loaded.history == posterior.history
    assert loaded.card() == posterior.card() or str(loaded.card()) == str(posterior.card()).replace(
        "(", "["
    ).replace(")", "]")


V2 = Path(__file__).parent / "files" / "posterior_v2.safetensors"
V2_THETA = [
    [30.1595609, 126.3067618, 0.44920889, 54.5126542, 358.4347428, 13.7021270],
    [15.7810398, 89.4058799, 0.56915966, 55.8449520, 358.1904896, 30.6315842],
]
V2_LOG_Q = [-22.1586206, -17.8283219]
V2_SUMMARIES = [[-0.13127989, 0.027331159, 0.18485788], [0.10226941, -0.06568727, -0.018997155]]
"""Some draws, their log density, and the first three summaries of two people of the demo study, by
the release that wrote the file.
"""


def test_a_file_of_version_2_gives_the_densities_that_it_gave() -> None:
    old, study = inc.load_posterior(V2), demo_study().select([0, 1])
    np.testing.assert_allclose(old.log_prob(np.array(V2_THETA), study), V2_LOG_Q, atol=2e-3)
    draws = old.sample(study, 2, seed=1)
    np.testing.assert_allclose(old.log_prob(draws.theta, study), draws.log_q, atol=2e-3)
    np.testing.assert_allclose(old.summaries(study)[:, :3], V2_SUMMARIES, atol=1e-5)
    assert old.architecture == inc.Architecture(
        inc.encoders.Histogram(n_knots=16, n_quantiles=4, width=16, n_blocks=1),
        inc.flows.CouplingFlow(n_layers=2, n_bins=4, width=16),
        8,
    )


def test_a_file_of_version_2_is_saved_as_one_of_today(tmp_path: Path) -> None:
    old, study = inc.load_posterior(V2), demo_study().select([0, 1])
    old.save(tmp_path / "new")
    new = inc.load_posterior(tmp_path / "new")
    assert new.architecture == old.architecture
    assert new.card()["axis"] == [150.0, 2500.0]
    np.testing.assert_array_equal(
        new.sample(study, 3, seed=1).theta, old.sample(study, 3, seed=1).theta
    )


def test_a_file_of_version_2_without_its_card_is_refused(tmp_path: Path) -> None:
    save_arrays(tmp_path / "poor", {}, {}, kind=module.KIND, version=2)
    with pytest.raises(inc.FileError, match="complete card"):
        inc.load_posterior(tmp_path / "poor")


def test_a_task_needs_no_simulation_unless_a_histogram_has_no_window(
    simulator: inc.Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = inc.Simulator(
        simulator.model, simulator.prior, inc.Design((50, 60), {"congruent": 1.0}, window=None)
    )
    low, high = axis_of(endless)  # type: ignore[misc]
    rt = endless.simulate(512, seed=child(0, Purpose.PILOT)).trials
    fast, slow = np.log(np.quantile(rt.values["rt"][rt.answered].astype(float), [0.001, 0.999]))
    np.testing.assert_allclose(
        [np.log(low), np.log(high)], [fast - 0.05 * (slow - fast), slow + 0.05 * (slow - fast)]
    )
    monkeypatch.setattr(inc.Simulator, "simulate", lambda *_, **__: pytest.fail("simulated"))
    assert module.task_of(simulator).axis == (150.0, 2500.0)
    assert module.task_of(endless, inc.Architecture(inc.encoders.DeepSet())).axis is None
    assert module.task_of(endless, axis=(1.0, 2.0)).axis == (1.0, 2.0)
    assert (module.task_of(simulator).smallest, module.task_of(simulator).largest) == (50, 200)


def test_only_levels_that_the_design_gives_are_read() -> None:
    cue, group = (
        inc.Category("cue", ("none", "valid", "invalid"), given=True),
        inc.Category("group", ("a", "b", "c"), given=True, per="dataset"),
    )
    other = inc.Category("other", ("x", "y"), given=True)
    design = inc.Design(
        5,
        {"valid": 0.5, "invalid": 0.5, "none": 0.0},
        condition=cue,
        given={"group": {"a": 0.5, "c": 0.5}, "other": 1},
    )
    columns = (other, cue, inc.Continuous("x"), group)
    assert levels_of(design, columns) == (
        ("other", ("x", "y")),
        ("cue", ("valid", "invalid")),
        ("group", ("a", "c")),
    )


def test_every_damage_is_refused(posterior: inc.Posterior, tmp_path: Path) -> None:
    path = tmp_path / "network"
    posterior.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for place in [*rng.integers(0, len(whole), 25), 0, 8, len(whole) - 1]:
        broken = bytearray(whole)
        broken[place] ^= 0x5A
        path.write_bytes(bytes(broken))
        with pytest.raises(inc.FileError, match="Expected"):
            inc.load_posterior(path)
    for length in (0, 7, 500, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(inc.FileError, match="Expected"):
            inc.load_posterior(path)


def test_files_that_are_no_posterior_are_refused_in_a_sentence(
    posterior: inc.Posterior, tmp_path: Path
) -> None:
    with pytest.raises(inc.FileError, match="there is none"):
        inc.load_posterior(tmp_path / "absent")
    save_arrays(tmp_path / "foreign", {"a": np.zeros(3)}, {}, kind="something else", version=1)
    with pytest.raises(inc.FileError, match="is something else"):
        inc.load_posterior(tmp_path / "foreign")
    posterior.save(tmp_path / "network")
    arrays, card = load_arrays(tmp_path / "network", kind=module.KIND, version=module.VERSION)
    save_arrays(tmp_path / "newer", arrays, card, kind=module.KIND, version=module.VERSION + 1)
    with pytest.raises(inc.FileError, match=f"has version {module.VERSION + 1}"):
        inc.load_posterior(tmp_path / "newer")
    save_arrays(tmp_path / "poor", arrays, {}, kind=module.KIND, version=module.VERSION)
    with pytest.raises(inc.FileError, match="complete card"):
        inc.load_posterior(tmp_path / "poor")
    save_arrays(tmp_path / "bare", {}, card, kind=module.KIND, version=module.VERSION)
    with pytest.raises(inc.FileError, match="Expected an array"):
        inc.load_posterior(tmp_path / "bare")
    save_arrays(
        tmp_path / "other",
        arrays,
        card | {"model": {"name": "race", "settings": {}}},
        kind=module.KIND,
        version=module.VERSION,
    )
    with pytest.raises(inc.FileError, match=r"race"):
        inc.load_posterior(tmp_path / "other")


def test_too_few_and_too_many_trials_are_flagged_person_by_person(posterior: inc.Posterior) -> None:
    simulator = posterior.simulator
    parts = [
        inc.Simulator(
            simulator.model, simulator.prior, inc.Design(n, {"congruent": 0.5, "incongruent": 0.5})
        ).simulate(2, seed=n)
        for n in (10, 100, 900)
    ]
    admission = posterior.admit(inc.concatenate([part.trials for part in parts]))
    assert [
        any("trials, trained for 50–200" in flag for flag in flags) for flags in admission.flags
    ] == [True, True, False, False, True, True]


def test_another_share_is_flagged_and_a_study_of_nothing_else_refused(
    posterior: inc.Posterior,
) -> None:
    simulator = posterior.simulator
    odd = (
        inc.Simulator(
            simulator.model,
            simulator.prior,
            inc.Design(150, {"congruent": 0.9, "incongruent": 0.1}),
        )
        .simulate(4, seed=1)
        .trials
    )
    fine = simulator.simulate(4, seed=2).trials
    admission = posterior.admit(inc.concatenate([odd, fine]))
    assert ["90% congruent" in " ".join(flags) for flags in admission.flags] == [True] * 4 + [
        False
    ] * 4
    with pytest.raises(
        inc.ScopeError,
        match=(
            r"got nobody: all 4 people lie outside: congruent trials .*Train a network for this"
            r" design"
        ),
    ):
        posterior.admit(odd)


def test_neutral_trials_are_left_out_and_counted(posterior: inc.Posterior) -> None:
    simulator = posterior.simulator
    third = {"congruent": 1 / 3, "incongruent": 1 / 3, "neutral": 1 / 3}
    study = (
        inc.Simulator(simulator.model, simulator.prior, inc.Design(150, third))
        .simulate(4, seed=1)
        .trials
    )
    admission = posterior.admit(study)
    assert admission.trials.n_trials.tolist() == [100] * 4
    assert (
        admission.trials.excluded["neutral trials, which the network does not know"].tolist()
        == [50] * 4
    )


def test_reaction_times_unlike_the_simulated_ones_are_flagged(
    posterior: inc.Posterior, study: inc.Trials
) -> None:
    slow = replace(study, values={**study.values, "rt": study.values["rt"] + 900.0})
    admission = posterior.admit(slow, anyway=True)
    assert all(any("median RT" in flag for flag in flags) for flags in admission.flags)
    assert admission.outside.all()
    assert posterior.admit(study).n_flagged <= 1
    with pytest.raises(
        inc.ScopeError,
        match=(
            r"got nobody: all \d+ people lie outside: .*RT \(ms\) \d+ to \d+, trained for \d+ to"
            r" \d+ \(\d+ of \d+\)"
        ),
    ):
        posterior.sample(slow, 5, seed=1)
    assert (
        len(posterior.sample(slow, 5, seed=1, anyway=True))
        == len(posterior.unguarded().sample(slow, 5, seed=1))
        == len(slow)
    )


def test_flags_come_with_the_draws(posterior: inc.Posterior) -> None:
    simulator = posterior.simulator
    many = (
        inc.Simulator(
            simulator.model,
            simulator.prior,
            inc.Design(900, {"congruent": 0.5, "incongruent": 0.5}),
        )
        .simulate(1, seed=1)
        .trials
    )
    draws = posterior.sample(
        inc.concatenate([simulator.simulate(2, seed=1).trials, many]), 5, seed=1
    )
    assert [bool(flags) for flags in draws.flags] == [False, False, True]
    assert "1 people outside what the network was trained for" in repr(draws)
    assert draws.select([2]).flags == (draws.flags[2],)


def test_levels_are_known_by_their_names_and_not_by_their_places(
    posterior: inc.Posterior, study: inc.Trials
) -> None:
    other = inc.Category("condition", ("incongruent", "congruent", "neutral"), given=True)
    columns = tuple(other if column.name == "condition" else column for column in study.columns)
    places = np.array([1, 0, 2], np.int8)[study.values["condition"]]
    same = replace(study, columns=columns, values={**study.values, "condition": places})
    assert np.array_equal(
        posterior.sample(same, 5, seed=1).theta, posterior.sample(study, 5, seed=1).theta
    )


def test_other_columns_are_refused(posterior: inc.Posterior, study: inc.Trials) -> None:
    columns = tuple(
        inc.Continuous("time") if column.name == "rt" else column for column in study.columns
    )
    values = {"time" if name == "rt" else name: array for name, array in study.values.items()}
    with pytest.raises(
        ValueError,
        match=r"Expected trials with the columns .*: missing \['rt'\], not known here \['time'\]",
    ):
        posterior.sample(replace(study, columns=columns, values=values), 5, seed=1)


def test_people_without_trials_are_named(posterior: inc.Posterior, study: inc.Trials) -> None:
    present = study.present.copy()
    present[3] = False
    empty = replace(study, present=present, answered=study.answered & present)
    with pytest.raises(ValueError, match="got none from 4"):
        posterior.sample(empty, 5, seed=1)


def test_values_that_are_not_finite_are_refused_by_name(
    posterior: inc.Posterior, study: inc.Trials
) -> None:
    rt = study.values["rt"].copy()
    rt[2, 0] = np.nan
    with pytest.raises(
        ValueError, match=r"finite number in column 'rt'; got nan in data set '3', trial 0"
    ):
        posterior.sample(replace(study, values={**study.values, "rt": rt}), 5, seed=1)


def test_wrong_shapes_are_refused(posterior: inc.Posterior, study: inc.Trials) -> None:
    with pytest.raises(ValueError, match=r"theta of shape \(40, 6\)"):
        posterior.log_prob(np.ones((3, 6)), study)
    with pytest.raises(ValueError, match="a whole number for n_draws, at least 1; got 0"):
        posterior.sample(study, 0, seed=1)


def test_the_summary_holds_what_the_draws_say(posterior: inc.Posterior, study: inc.Trials) -> None:
    draws = posterior.sample(study, 400, seed=1)
    table = draws.summary()
    assert list(table.columns) == [
        "participant",
        "parameter",
        "mean",
        "sd",
        "q05",
        "q50",
        "q95",
        "contraction",
    ]
    row = table[(table["participant"] == "7") & (table["parameter"] == "b")].iloc[0]
    mine = draws.theta[6, :, 3]
    assert row["mean"] == pytest.approx(mine.mean())
    assert row["sd"] == pytest.approx(mine.std(ddof=1))
    assert row["q95"] == pytest.approx(np.quantile(mine, 0.95))
    assert row["contraction"] == pytest.approx(
        1.0 - mine.var() / posterior.simulator.prior["b"].base.var(), abs=0.1
    )


def test_arviz_gets_every_draw_in_its_place(posterior: inc.Posterior, study: inc.Trials) -> None:
    draws = posterior.sample(study, 11, seed=1)
    tree = draws.to_arviz()
    assert tree["posterior"]["tau"].dims == ("chain", "draw", "participant")
    np.testing.assert_array_equal(
        tree["posterior"]["tau"].sel(participant="5").to_numpy()[0], draws.theta[4, :, 1]
    )
    np.testing.assert_array_equal(tree["sample_stats"]["log_q"].to_numpy()[0].T, draws.log_q)
    assert tree["posterior"]["mu_R"].attrs["units"] == "ms"

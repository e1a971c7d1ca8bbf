"""Statistics, recovery and prediction against answers known otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import incongruent as inc
from incongruent.checks import statistics
from incongruent.checks.model.predictive import predict
from incongruent.checks.network.recovery import Recovery, recover
from incongruent.plots import (
    people_figures,
    plot_history,
    predictive_figure,
    recovery_figure,
    save_png,
    styled,
)
from incongruent.plots.style import new_figure


@pytest.fixture(scope="module")
def trials() -> inc.Trials:
    third = {"congruent": 0.4, "incongruent": 0.4, "neutral": 0.2}
    return (
        inc.Simulator(inc.models.dmc(), inc.priors.broad(), inc.Design((20, 90), third))
        .simulate(30, seed=4)
        .trials
    )


def of_person(trials: inc.Trials, person: int, level: str) -> tuple[np.ndarray, np.ndarray]:
    """RT and correctness of one person's answers in one condition, in the plainest way."""
    here = trials.where("condition", level)[person] & trials.answered[person]
    return trials.values["rt"][person][here], trials.values["response"][person][here] == 0


@pytest.mark.parametrize("level", ["congruent", "incongruent", "neutral"])
def test_statistics_agree_with_the_plain_way(trials: inc.Trials, level: str) -> None:
    quantiles, accuracy = (
        statistics.rt_quantiles(trials, level),
        statistics.conditional_accuracy(trials, level),
    )
    errors, means = statistics.error_share(trials, level), statistics.mean_rt(trials, level)
    for person in range(len(trials)):
        rt, correct = of_person(trials, person, level)
        assert errors[person] == pytest.approx(1.0 - correct.mean())
        if correct.any():
            np.testing.assert_allclose(
                quantiles[person],
                np.quantile(rt[correct].astype(float), statistics.PROBABILITIES),
                rtol=1e-6,
            )
            assert means[person] == pytest.approx(rt[correct].astype(float).mean())
        order = np.argsort(rt, kind="stable")
        bins = np.arange(len(rt)) * 5 // len(rt)
        np.testing.assert_allclose(
            accuracy[person],
            [correct[order][bins == k].mean() if (bins == k).any() else np.nan for k in range(5)],
        )


def test_a_condition_without_trials_has_no_statistics(trials: inc.Trials) -> None:
    alone = replace(
        trials,
        present=trials.where("condition", "congruent"),
        answered=trials.where("condition", "congruent"),
    )
    assert np.isnan(statistics.error_share(alone, "incongruent")).all()
    assert np.isnan(statistics.rt_quantiles(alone, "incongruent")).all()
    assert np.isnan(statistics.conditional_accuracy(alone, "incongruent")).all()
    assert np.isnan(statistics.delta_function(alone)[1]).all()


def test_the_delta_function_is_the_difference_of_quantiles(trials: inc.Trials) -> None:
    at, delta = statistics.delta_function(trials)
    slow, fast = (
        statistics.rt_quantiles(trials, "incongruent"),
        statistics.rt_quantiles(trials, "congruent"),
    )
    np.testing.assert_allclose(at + 0.5 * delta, slow)
    np.testing.assert_allclose(at - 0.5 * delta, fast)


def gaussian_recovery(bias: float, shrink: float, n: int = 4000) -> Recovery:
    """Recovery of a normal mean with a posterior that is known, or spoiled."""
    rng = np.random.default_rng(1)
    truth = rng.standard_normal((n, 1))
    data = truth + rng.standard_normal((n, 1))
    mean, sd = 0.5 * data + bias, np.sqrt(0.5) * shrink
    draws = mean[:, None, :] + sd * rng.standard_normal((n, 500, 1))
    probability = ((draws < truth[:, None]).sum(axis=1) + 0.5) / 501
    return Recovery(
        truth,
        mean,
        probability,
        np.full((n, 1), 0.5),
        np.zeros(n),
        rng.integers(20, 2000, n),
        ("m",),
    )


def test_recovery_of_a_normal_mean_is_what_theory_says() -> None:
    table = gaussian_recovery(0.0, 1.0).table().iloc[0]
    assert table["r"] == pytest.approx(np.sqrt(0.5), abs=5 * 0.5 / np.sqrt(4000))
    assert table["nrmse"] == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert table["coverage_90"] == pytest.approx(0.9, abs=5 * np.sqrt(0.09 / 4000))
    assert table["calibration_error"] < 0.01


@pytest.mark.parametrize(("bias", "shrink"), [(0.4, 1.0), (0.0, 0.6), (0.0, 1.7)])
def test_a_spoiled_posterior_has_a_calibration_error(bias: float, shrink: float) -> None:
    assert gaussian_recovery(bias, shrink).table()["calibration_error"].iloc[0] > 0.04


def test_bins_of_trials_hold_every_data_set_once() -> None:
    recovery = gaussian_recovery(0.0, 1.0)
    assert recovery.by_trials()["n_datasets"].sum() == len(recovery.truth)


def test_recovery_needs_simulations_of_the_same_parameters(posterior: inc.Posterior) -> None:
    other = inc.models.dmc(fixed={"sd_R": 30.0})
    prior = inc.Prior(**{name: inc.priors.broad()[name] for name in other.parameter_names})
    simulations = inc.Simulator(other, prior, inc.Design(60, {"congruent": 1.0})).simulate(
        3, seed=1
    )
    with pytest.raises(ValueError, match="Expected simulations with the parameters"):
        recover(posterior, simulations, seed=1)


def test_recovery_prints_and_draws(posterior: inc.Posterior, tmp_path) -> None:
    recovery = recover(posterior, n_datasets=200, n_draws=100, seed=2)
    assert "nats over the prior" in str(recovery)
    save_png(
        recovery_figure(recovery, posterior.simulator.model.parameters), tmp_path / "recovery.png"
    )
    assert (tmp_path / "recovery.png").read_bytes().startswith(b"\x89PNG")


def test_predictions_from_the_truth_cover_the_data(posterior: inc.Posterior) -> None:
    """With draws that are the true parameters, the data are one more replicate: 90 % bands hold 90
    % of the statistics.
    """
    simulations = posterior.simulator.simulate(60, seed=6)
    theta = np.repeat(simulations.theta[:, None, :], 120, axis=1)
    draws = inc.Draws(theta, np.zeros((60, 120)), posterior.simulator, simulations.trials.names)
    prediction = predict(draws, simulations.trials, n_replicates=120, seed=1)
    inside = []
    for name in ("quantiles congruent", "quantiles incongruent", "delta"):
        low, high = np.quantile(prediction.replicated[name], [0.05, 0.95], axis=0)
        inside.append(
            ((prediction.observed[name] >= low) & (prediction.observed[name] <= high)).mean(axis=1)
        )
    by_person = np.mean(inside, axis=0)  # one number a person: statistics of one person go together
    assert abs(by_person.mean() - 0.9) < 5.0 * by_person.std() / np.sqrt(60) + 0.02


def test_predictions_have_the_observed_design(posterior: inc.Posterior) -> None:
    study = posterior.simulator.simulate(5, seed=7).trials
    draws = posterior.sample(study, 10, seed=1)
    prediction = predict(draws, study, n_replicates=10, seed=1)
    assert prediction.levels == ("congruent", "incongruent")
    assert prediction.replicated["errors congruent"].shape == (10, 5)
    n = study.where("condition", "congruent").sum(axis=1)
    counts = prediction.replicated["errors congruent"] * n
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)


def test_predictions_repeat_themselves_and_refuse_other_people(posterior: inc.Posterior) -> None:
    study = posterior.simulator.simulate(5, seed=7).trials
    draws = posterior.sample(study, 10, seed=1)
    one, two = (predict(draws, study, n_replicates=4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.replicated["delta"], two.replicated["delta"])
    with pytest.raises(ValueError, match="draws of the people of the study"):
        predict(draws, study.select([1, 0, 2, 3, 4]), seed=1)
    with pytest.raises(ValueError, match="Expected 1 to 10 replicates"):
        predict(draws, study, n_replicates=11, seed=1)


def test_figures_show_every_point_of_their_record(posterior: inc.Posterior) -> None:
    study = posterior.simulator.simulate(23, seed=7).trials
    prediction = predict(posterior.sample(study, 20, seed=1), study, n_replicates=20, seed=1)
    figure = predictive_figure(prediction)
    drawn = [line.get_xdata() for line in figure.axes[0].lines]
    np.testing.assert_allclose(drawn[0], prediction.of_group("quantiles congruent")[0])
    assert [len(page.axes) for page in people_figures(prediction)] == [20, 4]
    assert posterior.history is not None
    with styled():
        ax = plot_history(posterior.history, new_figure(1, 1, width=4, height=3)[1][0])
    assert ax.get_xlabel() == "time since start (s)"
    assert len(ax.lines[1].get_xdata()) == len(posterior.history.evaluations)

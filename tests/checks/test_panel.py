"""The predictive panel: uniform p-values of the right model, and names of what is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from scipy import stats

import incongruent as inc
from incongruent.checks import statistics
from incongruent.checks.panel_noise import noise_of
from incongruent.checks.panel_statistics import Kind, statistics_for
from incongruent.checks.panel_values import PER_LEVEL, panel_values
from incongruent.checks.simultaneous import max_t
from incongruent.plots import panel_figure, plot_panel, save_png
from incongruent.plots.style import new_figure, styled

HALF = {"congruent": 0.5, "incongruent": 0.5}
N_REPLICATES = 59
TIMES = (Kind.RT_QUANTILE, Kind.MEAN_RT, Kind.SD_RT, Kind.DELTA)


def of(values: np.ndarray, trials: inc.Trials) -> dict[str, np.ndarray]:
    return {s.name: values[:, i] for i, s in enumerate(statistics_for(trials))}


@pytest.fixture(scope="module")
def mixed() -> inc.Trials:
    """Three conditions, few trials, timeouts, rounded times."""
    third = {"congruent": 0.4, "incongruent": 0.4, "neutral": 0.2}
    trials = (
        inc.Simulator(
            inc.models.dmc(), inc.priors.broad(), inc.Design((20, 90), third, deadline=700.0)
        )
        .simulate(300, seed=4)
        .trials
    )
    return replace(trials, values={**trials.values, "rt": np.round(trials.values["rt"] / 10) * 10})


@pytest.mark.parametrize("level", ["congruent", "incongruent", "neutral"])
def test_compiled_statistics_are_those_of_the_plain_way(mixed: inc.Trials, level: str) -> None:
    values = of(panel_values(mixed, statistics_for(mixed)), mixed)
    quantiles, accuracy = (
        statistics.rt_quantiles(mixed, level),
        statistics.conditional_accuracy(mixed, level),
    )
    for q, p in enumerate(statistics.PROBABILITIES):
        np.testing.assert_allclose(
            values[f"RT quantile 0.{10 * p:.0f}, {level}"], quantiles[:, q], rtol=1e-6
        )
    for b in range(5):
        np.testing.assert_allclose(
            values[f"accuracy, RT bin {b + 1}, {level}"], 100 * accuracy[:, b]
        )
    np.testing.assert_allclose(
        values[f"errors, {level}"], 100 * statistics.error_share(mixed, level)
    )
    correct, wrong = (statistics.mean_rt(mixed, level, kind) for kind in ("correct", "error"))
    np.testing.assert_allclose(values[f"mean RT, {level}"], correct, rtol=1e-6)
    np.testing.assert_allclose(values[f"error − correct RT, {level}"], wrong - correct, atol=1e-3)
    for person in range(0, len(mixed), 10):
        here = mixed.where("condition", level)[person] & mixed.where("response", "correct")[person]
        rt = mixed.values["rt"][person][here].astype(float)
        if len(rt) > 2 and np.ptp(rt) > 0:
            assert values[f"SD of RT, {level}"][person] == pytest.approx(rt.std(ddof=1))
            assert values[f"skewness of RT, {level}"][person] == pytest.approx(
                float(stats.skew(rt))
            )


def test_compiled_delta_functions_and_omissions(mixed: inc.Trials) -> None:
    known = statistics_for(mixed)
    values = of(panel_values(mixed, known), mixed)
    at, delta = statistics.delta_function(mixed)
    for q, p in enumerate(statistics.PROBABILITIES):
        np.testing.assert_allclose(values[f"delta at 0.{10 * p:.0f}"], delta[:, q], atol=1e-3)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = 100 * (delta[:, 4] - delta[:, 3]) / (at[:, 4] - at[:, 3])
    np.testing.assert_allclose(
        values["delta, last slope"],
        np.where(at[:, 4] > at[:, 3], slope, np.nan),
        rtol=1e-4,
        atol=1e-4,
    )
    np.testing.assert_allclose(
        values["omissions"], 100 * (1 - mixed.answered.sum(axis=1) / mixed.present.sum(axis=1))
    )
    fast = (mixed.answered & (mixed.values["rt"] < 250)).sum(axis=1) / np.maximum(
        mixed.answered.sum(axis=1), 1
    )
    np.testing.assert_allclose(
        values["RT < 250 ms"], np.where(mixed.answered.any(axis=1), 100 * fast, np.nan)
    )
    assert len(known) == 3 * PER_LEVEL + 8
    assert len({s.name for s in known}) == len(known)


def test_a_statistic_says_what_it_is(mixed: inc.Trials) -> None:
    known = statistics_for(mixed)
    median, *_ = [s for s in known if s.kind is Kind.RT_QUANTILE and s.probability == 0.5]
    assert (median.condition, median.name) == ("congruent", "RT quantile 0.5, congruent")
    assert (median.group, median.unit) == ("congruent", "ms")
    assert [s.rt_bin for s in known if s.kind is Kind.ACCURACY] == 3 * [0, 1, 2, 3, 4]
    assert {s.group for s in known if s.condition is None} == {"delta function", "all trials"}
    assert {s.kind for s in known} == set(Kind)
    assert [median.number(x) for x in (-0.2, -1.6, np.nan)] == ["0", "−2", "none"]
    assert [median.shown(x) for x in (-1.6, np.nan)] == ["−2 ms", "none"]


def test_one_condition_has_no_delta_function(mixed: inc.Trials) -> None:
    alone = replace(
        mixed,
        present=mixed.where("condition", "congruent"),
        answered=mixed.answered & mixed.where("condition", "congruent"),
    )
    known = statistics_for(alone)
    assert not [s for s in known if "delta" in s.name]
    assert panel_values(alone, known).shape == (len(alone), PER_LEVEL + 2)


def dependent(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> np.ndarray:
    return np.sqrt(rho) * rng.standard_normal((*shape[:-1], 1)) + np.sqrt(
        1 - rho
    ) * rng.standard_normal(shape)


@pytest.mark.parametrize("rho", [0.0, 0.8])
@pytest.mark.parametrize("rare", [False, True])
def test_family_wise_error_is_the_level(rho: float, rare: bool) -> None:
    """1000 studies at once, 20 statistics, 99 replicates; a third of the statistics may be zero but
    for rare large values, or not defined.
    """
    values = dependent(np.random.default_rng(1), (100, 1000, 20), rho)
    if rare:
        values[..., :7] = np.where(values[..., :7] > 1.7, 1.0, 0.0)
        values[..., 7:10][values[..., 7:10] < 0] = np.nan
    found = max_t(values)
    smallest = np.nanmin(found.adjusted, axis=1)
    assert (
        stats.binomtest(int((smallest <= 0.05).sum()), 1000, 0.05, alternative="greater").pvalue
        > 0.005
    )
    if not rare:
        assert stats.binomtest(int((smallest <= 0.05).sum()), 1000, 0.05).pvalue > 0.005
        n = np.round(found.p[:, 3] * 100).astype(int)  # uniform on 1, …, 100
        assert stats.chisquare(np.bincount((n - 1) // 10, minlength=10)).pvalue > 1e-6
    assert (np.nan_to_num(found.adjusted) >= np.nan_to_num(found.p) - 1e-9).all()


def test_stepping_down_finds_more_and_the_signs_are_right() -> None:
    values = dependent(np.random.default_rng(2), (200, 500, 10), 0.3)
    values[0, :, :5] -= 8.0
    values[0, :, 5] += 2.2
    found = max_t(values)
    assert (found.adjusted[:, :5] <= 0.02).all()
    assert (found.z[:, :5] < 0).all()
    single = (np.abs(values[1:]).max(axis=-1)[:, :, None] >= np.abs(values[0])).mean(axis=0)
    assert (found.adjusted[:, 5] <= 0.05).mean() > (single[:, 5] <= 0.05).mean()
    assert (found.adjusted[:, 6:] <= 0.05).any(axis=1).mean() < 0.05 + 5 * np.sqrt(
        0.05 * 0.95 / 500
    )


def test_noise_is_what_the_statistics_of_repeated_data_sets_vary_by() -> None:
    """Over people, log SD of each statistic over repetitions goes with log noise, and more closely
    than with nothing.
    """
    model, prior = inc.models.dmc(), inc.priors.broad()
    theta = prior.sample(40, seed=np.random.default_rng(1))
    repeated = inc.Simulator(model, prior, inc.Design(200, HALF)).simulate_at(
        np.repeat(theta, 100, axis=0), seed=2
    )
    known = statistics_for(repeated)
    values = panel_values(repeated, known).reshape(40, 100, len(known))
    mean, sd = np.nanmean(values, axis=1), np.nanstd(values, axis=1)
    noise = noise_of(mean, mean, known)
    for i, s in enumerate(known):
        if s.kind in (*TIMES, Kind.ERRORS, Kind.ERROR_RT):
            raw, scaled = np.log(sd[:, i]), np.log(sd[:, i] / noise[:, i])
            fine = np.isfinite(raw) & np.isfinite(scaled)
            assert scaled[fine].std() < raw[fine].std(), s.name


@pytest.fixture(scope="module")
def population(posterior: inc.Posterior) -> inc.Simulator:
    """People between whom there is less difference than in the network's prior."""
    return inc.Simulator(
        posterior.simulator.model, posterior.simulator.prior, inc.Design(200, HALF)
    )


def panel_of(posterior: inc.Posterior, study: inc.Trials, seed: int = 1) -> inc.Panel:
    return inc.predictive_panel(
        posterior, study, n_replicates=N_REPLICATES, n_predictions=8, seed=seed
    )


def test_the_right_model_fails_in_nothing_but_by_chance(
    posterior: inc.Posterior, population: inc.Simulator
) -> None:
    """40 people: those who fail in something are Binomial(40, .05) or fewer."""
    panel = panel_of(posterior, population.simulate(40, seed=11).trials)
    assert len(panel.failing_people()) <= stats.binom.ppf(0.995, 40, 0.05)
    assert panel.people_p() > 0.005
    assert not panel.failing(level=0.02)
    # Shares of a few errors come in steps, and ties count as no surprise, so that their p are too
    # large: that is seen, and times have none.
    shares = (Kind.ERRORS, Kind.ACCURACY, Kind.FAST)
    steps = np.array([s.kind in shares for s in panel.statistics])
    for of_times, bound in ((~steps, 5.0), (steps, np.inf)):
        # statistics of one person go together
        mean_p = np.nanmean(panel.people.p[:, of_times], axis=1)
        error = mean_p.std() / np.sqrt(40)
        assert 0.5 - 5.0 * error < mean_p.mean() < 0.5 + bound * error


@pytest.mark.slow
def test_people_fail_at_the_level(posterior: inc.Posterior) -> None:
    """400 people of 100 trials: those who fail in something are as many as a binomial variable of
    .05 has in 99 % of cases, at most.
    """
    study = (
        inc.Simulator(posterior.simulator.model, posterior.simulator.prior, inc.Design(100, HALF))
        .simulate(400, seed=21)
        .trials
    )
    panel = panel_of(posterior, study)
    assert len(panel.failing_people()) <= stats.binom.ppf(0.995, 400, 0.05)
    # a little too few, since shares of a few errors come in steps
    assert 0.14 < np.nanmean(panel.people.p <= 0.2) < 0.22


def test_a_falling_delta_function_is_named(
    posterior: inc.Posterior, population: inc.Simulator
) -> None:
    """Slow incongruent answers come earlier and slow congruent ones later than DMC has them: the
    largest effect is among the fast ones.
    """
    trials = population.simulate(20, seed=12).trials
    rt, incongruent = trials.values["rt"], trials.where("condition", "incongruent")
    middle = np.array(
        [np.median(row[here]) for row, here in zip(rt, trials.answered, strict=True)]
    )[:, None]
    slow = np.maximum(rt - middle, 0.0)
    study = replace(
        trials,
        values={
            **trials.values,
            "rt": np.where(incongruent, rt - 0.3 * slow, rt + 0.25 * slow).astype(np.float32),
        },
    )
    panel = panel_of(posterior, study)
    assert any("delta" in name for name in panel.failing())
    assert "delta function falls at slow responses" in " ".join(
        panel.sentences()
    ) or "congruency effect" in " ".join(panel.sentences())
    row = panel.table().set_index("statistic").loc["delta at 0.9"]
    assert row["z"] < 0
    assert row["observed"] < row["predicted"]


def test_lapses_are_named(posterior: inc.Posterior) -> None:
    """Ten in a hundred answers at random, of any RT: skewed distributions, slow errors."""
    prior = {name: posterior.simulator.prior[name] for name in posterior.simulator.prior.names}
    lapsing = inc.Simulator(
        inc.models.dmc(free=["lapse"]),
        inc.Prior(**prior, lapse=stats.uniform(0.0999, 0.0002)),
        inc.Design(200, HALF),
    )
    panel = panel_of(posterior, lapsing.simulate(20, seed=13).trials)
    named = " ".join(panel.failing())
    assert "skewness" in named or "SD of RT" in named or "error" in named
    assert len(panel.failing_people()) > 10
    assert "the fitted model fails in" in str(panel)


def test_a_panel_repeats_itself_and_does_not_mind_how_many_go_at_once(
    posterior: inc.Posterior, population: inc.Simulator, monkeypatch
) -> None:
    study = population.simulate(6, seed=14).trials
    one, two = panel_of(posterior, study), panel_of(posterior, study)
    np.testing.assert_array_equal(one.group.z, two.group.z)
    monkeypatch.setattr("incongruent.checks.model.panel.DATASETS_AT_ONCE", 2 * (N_REPLICATES + 1))
    parts = panel_of(posterior, study)
    np.testing.assert_allclose(parts.observed, one.observed)
    assert np.nanmax(np.abs(parts.predicted - one.predicted)[:, :5]) < 60.0
    assert one.table(2).equals(two.table(2))


def test_under_another_prior_the_fit_is_another(
    posterior: inc.Posterior, population: inc.Simulator
) -> None:
    """The people's own prior lets the fitted model predict them; a prior of strong activation alone
    does not, and fails where it must.
    """
    study = population.simulate(8, seed=3).trials
    own = inc.predictive_panel(
        posterior, study, prior=inc.priors.schaefer2025(), n_replicates=39, n_predictions=4, seed=1
    )
    assert own.failing() == ()
    before = {name: posterior.simulator.prior[name] for name in posterior.simulator.prior.names}
    strong = inc.Prior(**{**before, "A": stats.norm(50.0, 2.0)})
    panel = inc.predictive_panel(
        posterior, study, prior=strong, n_replicates=39, n_predictions=4, seed=1
    )
    at = [s.name for s in panel.statistics].index("delta at 0.3")
    assert panel.predicted[:, at].mean() > own.predicted[:, at].mean() + 5.0  # ms
    with pytest.raises(ValueError, match="Expected a prior of the parameters"):
        inc.predictive_panel(
            posterior, study, prior=inc.Prior(x=stats.norm()), n_replicates=39, seed=1
        )


def test_what_cannot_be_judged_is_refused(
    posterior: inc.Posterior, population: inc.Simulator
) -> None:
    study = population.simulate(3, seed=15).trials
    with pytest.raises(ValueError, match="Expected at least 39 replicates"):
        inc.predictive_panel(posterior, study, n_replicates=38, seed=1)
    with pytest.raises(ValueError, match="Expected n_predictions of at least 1"):
        inc.predictive_panel(posterior, study, n_predictions=0, seed=1)
    with pytest.raises(ValueError, match="Expected trials of a conflict task"):
        statistics_for(
            inc.Trials(
                (inc.Continuous("x"),),
                {"x": np.zeros((2, 3))},
                np.ones((2, 3), bool),
                np.ones((2, 3), bool),
            )
        )


def test_figures_of_a_panel(posterior: inc.Posterior, population: inc.Simulator, tmp_path) -> None:
    panel = panel_of(posterior, population.simulate(3, seed=16).trials)
    save_png(panel_figure(panel), tmp_path / "panel.png")
    assert (tmp_path / "panel.png").read_bytes().startswith(b"\x89PNG")
    with styled():
        ax = plot_panel(panel, new_figure(1, 1, width=6, height=8)[1][0], person=1)
    shown = np.concatenate(
        [
            np.asarray(points.get_offsets())[:, 0]
            for points in ax.collections
            if isinstance(points, PathCollection)
        ]
    )
    z = np.clip(panel.people.z[1], *ax.get_xlim())  # far ones are arrows at the edge
    np.testing.assert_allclose(np.sort(shown), np.sort(z[~np.isnan(z)]), atol=1e-6)

"""Tests of misspecification keep their level, see what is wrong, and say it in words."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.checks.kernels import (
    WIDEST,
    GaussianMixture,
    leading_whitening,
    median_kernel,
    mmd_squared,
    whitening_of,
)
from incongruent.checks.replicas import GIVEN_UP, matched, matched_summaries
from incongruent.checks.scope.comparison import conformal
from incongruent.checks.scope.design_groups import groups_of
from incongruent.checks.scope.mmd_result import p_of
from incongruent.checks.scope.moments import moments
from incongruent.checks.scope.surprise import excess
from incongruent.plots import (
    misspecification_figure,
    plot_null,
    plot_surprise,
    save_png,
    space_figure,
    styled,
)
from incongruent.plots.style import new_figure
from incongruent.posterior.scope import readable

Array = np.ndarray

HALF = {"congruent": 0.5, "incongruent": 0.5}
SCALES = (4.0, 2.0, 1.0, 0.5, 0.25)


@pytest.fixture(scope="module")
def dmc() -> inc.Posterior:
    return inc.pretrained("dmc")


def simulator_of(n_trials: int | tuple[int, int]) -> inc.Simulator:
    return inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(n_trials, HALF))


def population(
    n_people: int, *, mean: Array | float = 0.0, sd: float = 1.0, n_trials: int = 60, seed: int
) -> inc.Trials:
    """A study whose theta are normal on the real line of the prior `schaefer2025`; mean 0 and SD 1
    are the prior.
    """
    simulator = simulator_of(n_trials)
    z = mean + sd * np.random.default_rng(seed).standard_normal((n_people, 6))
    return simulator.simulate_at(simulator.prior.from_real(z), seed=seed)


# kernels


def test_mmd_equals_the_double_loop() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(7, 3)), rng.normal(0.5, 1.0, (6, 3))
    kernel = GaussianMixture(2.5)

    def k(a: Array, b: Array) -> float:
        return sum(float(np.exp(-np.sum((a - b) ** 2) / (s * 2.5))) for s in SCALES) / len(SCALES)

    within = [
        sum(k(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j)
        / (len(a) * (len(a) - 1))
        for a in (x, y)
    ]
    by_hand = sum(within) - 2.0 * np.mean([[k(a, b) for b in y] for a in x])
    assert mmd_squared(x, y, kernel) == pytest.approx(by_hand, abs=1e-12)


def test_mmd_is_that_of_normal_distributions() -> None:
    """E k for x - y ~ N(mu, 2 v I) in d dimensions and bandwidth c: (1 + 4 v / c)^(-d / 2)
    exp(-|mu|² / (c + 4 v)), with v the mean of both.
    """
    dim, shift, sd, kernel = 2, 0.8, 1.5, GaussianMixture(3.0)

    def expected(mu_squared: float, variance: float) -> float:
        c = WIDEST * 3.0 / 2.0 ** np.arange(5)
        return float(
            np.mean(
                (1.0 + 2.0 * variance / c) ** (-dim / 2)
                * np.exp(-mu_squared / (c + 2.0 * variance))
            )
        )

    exact = (
        expected(0.0, 2.0)
        + expected(0.0, 2.0 * sd**2)
        - 2.0 * expected(dim * shift**2, 1.0 + sd**2)
    )
    rng = np.random.default_rng(2)
    found = [
        mmd_squared(rng.normal(size=(200, dim)), rng.normal(shift, sd, (150, dim)), kernel)
        for _ in range(60)
    ]
    assert abs(np.mean(found) - exact) < 5 * np.std(found) / np.sqrt(60)


def test_blocks_change_nothing_and_keep_memory_small(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2000, 4)), rng.normal(size=(3000, 4))
    kernel = median_kernel(x)
    whole = mmd_squared(x, y, kernel)
    monkeypatch.setattr("incongruent.checks.kernels.PAIRS_AT_ONCE", 50_000)
    tracemalloc.start()
    assert mmd_squared(x, y, kernel) == pytest.approx(whole, abs=1e-12)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # one matrix would be 72 MB


def test_whitened_points_are_white() -> None:
    rng = np.random.default_rng(4)
    points = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3)) + 7.0
    # one dependent, one constant
    points = np.column_stack([points, points.sum(axis=1), np.full(500, 2.0)])
    white = whitening_of(points)(points)
    assert white.shape == (500, 3)
    np.testing.assert_allclose(white.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.eye(3), atol=1e-9)
    assert leading_whitening(np.column_stack([100.0 * points[:, 0], rng.normal(size=500)]))(
        points[:, :2]
    ).shape == (500, 1)


def test_points_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two points for a median distance; got 1"):
        median_kernel(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="median distance between them is 0"):
        median_kernel(np.zeros((9, 2)))
    with pytest.raises(ValueError, match="at least two points on each side; got 1 and 5"):
        mmd_squared(np.zeros((1, 2)), np.zeros((5, 2)), GaussianMixture(1.0))
    with pytest.raises(ValueError, match=r"more of them than dimensions; got shape \(2, 3\)"):
        whitening_of(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="finite points; got NaN"):
        whitening_of(np.full((5, 1), np.nan))


# the test


@pytest.mark.parametrize("n_people", [1, 2, 5, 20])
def test_a_true_model_is_rejected_as_often_as_alpha_says(n_people: int) -> None:
    rng = np.random.default_rng(n_people)
    tests = []
    for seed in range(400):
        observed, reference, fresh = (
            rng.standard_t(4, size=(*shape, n_people, 3))
            for shape in ((), (60 // n_people,), (max(19, 60 // n_people),))
        )
        tests.append(
            inc.mmd_test(observed, reference.reshape(-1, 3), fresh, n_null=59, alpha=0.1, seed=seed)
        )
    n = sum(test.rejected for test in tests)
    assert stats.binom.cdf(n, 400, 0.1) > 1e-4
    # p is discrete for one person: at most its level
    assert stats.binom.sf(n - 1, 400, 0.1) > 1e-4 or n_people == 1
    assert n <= stats.binom.ppf(0.9999, 400, 0.1)
    if n_people == 20:
        directions = [test.direction for test in tests]
        assert stats.binom.sf(len(directions) - directions.count("neither") - 1, 400, 0.1) > 1e-4


def test_resampling_the_reference_rejects_a_true_model_nearly_always() -> None:
    """What the null must not be; fresh simulations keep the level in the same place."""
    rng, n = np.random.default_rng(8), 300
    naive, ours = [], []
    for seed in range(10):
        reference, observed, fresh = (
            rng.normal(size=(n, 18)),
            rng.normal(size=(n, 18)),
            rng.normal(size=(5, n, 18)),
        )
        kernel = median_kernel(reference)
        matrix = kernel(reference, reference)
        null = []
        for _ in range(39):
            rows = rng.integers(n, size=n)
            null.append(matrix[np.ix_(rows, rows)].mean() - 2.0 * matrix[rows].mean())
        naive.append(
            p_of(
                kernel(observed, observed).mean() - 2.0 * kernel(observed, reference).mean(),
                np.array(null),
            )
            <= 0.05
        )
        ours.append(inc.mmd_test(observed, reference, fresh, n_null=39, seed=seed).rejected)
    assert np.mean(naive) >= 0.9
    assert sum(ours) <= 4


def test_a_narrow_population_is_a_matter_of_spread_and_a_shift_one_of_location() -> None:
    rng = np.random.default_rng(9)
    reference, fresh = rng.normal(size=(600, 4)), rng.normal(size=(60, 30, 4))
    narrow, wide = (
        inc.mmd_test(rng.normal(0.0, sd, (30, 4)), reference, fresh, seed=1) for sd in (0.4, 2.0)
    )
    shifted = inc.mmd_test(rng.normal([1.0, 0.0, 0.0, 0.0], 1.0, (30, 4)), reference, fresh, seed=1)
    assert narrow.rejected
    assert narrow.spread_share > 0.9
    assert (narrow.direction, wide.direction, shifted.direction) == ("narrower", "wider", "neither")
    assert narrow.variance_ratio == pytest.approx(0.16, rel=0.4)
    assert shifted.rejected
    assert shifted.location_share > 0.7
    assert shifted.location == pytest.approx(1.0, abs=0.9)
    assert "30 people differ from 600 data sets" in str(narrow)
    assert "narrower than the reference: 0.1" in str(narrow)


def test_moments_are_unbiased_whatever_the_distribution() -> None:
    """tr (C - I)² / 2 and |mu|² for skewed x: exponential of scale 1.5 in one coordinate, so C =
    diag(2.25, 1).
    """
    rng = np.random.default_rng(10)
    x = np.stack(
        [
            0.5 + 1.5 * (rng.exponential(size=(20_000, 6)) - 1.0),
            rng.exponential(size=(20_000, 6)) - 1.0,
        ],
        axis=-1,
    )
    location, spread = moments(x)
    assert abs(location.mean() - 0.25) < 5 * location.std() / np.sqrt(20_000)
    assert abs(spread.mean() - 0.5 * 1.25**2) < 5 * spread.std() / np.sqrt(20_000)


def test_one_person_is_judged_by_every_fresh_simulation() -> None:
    rng = np.random.default_rng(11)
    reference, fresh = rng.normal(size=(200, 3)), rng.normal(size=(300, 1, 3))
    far, near = (inc.mmd_test(np.full((1, 3), at), reference, fresh, seed=1) for at in (5.0, 0.0))
    assert len(far.null) == 300
    assert far.p_value == pytest.approx(1 / 301)
    assert near.p_value > 0.9
    assert np.isnan(far.effect)
    assert far.direction == "unknown"
    assert str(far).startswith("1 person differs from 200")
    assert str(near).startswith("1 person cannot be distinguished from 200")


def test_equal_values_count_as_large() -> None:
    assert p_of(1.0, np.array([1.0, 1.0, 0.0])) == 3 / 4
    np.testing.assert_allclose(
        conformal(np.array([2.0, 1.0, 0.0, 3.0]), np.array([1.0, 2.0, 2.0])),
        [3 / 4, 1.0, 1.0, 1 / 4],
    )


def test_values_above_the_critical_one_reject() -> None:
    rng = np.random.default_rng(12)
    for seed in range(30):
        test = inc.mmd_test(
            rng.normal(0.4, 1.0, (8, 2)),
            rng.normal(size=(100, 2)),
            rng.normal(size=(30, 8, 2)),
            n_null=99,
            seed=seed,
        )
        assert test.rejected == (test.statistic > test.critical)


def test_the_permutation_test_keeps_its_level_and_sees_a_shift() -> None:
    rng = np.random.default_rng(13)
    n = sum(
        inc.mmd_permutation_test(
            rng.normal(size=(12, 2)), rng.normal(size=(15, 2)), n_null=39, alpha=0.1, seed=i
        ).rejected
        for i in range(150)
    )
    assert stats.binom.cdf(n, 150, 0.1) > 1e-4
    assert stats.binom.sf(n - 1, 150, 0.1) > 1e-4
    narrow = inc.mmd_permutation_test(
        0.3 * rng.normal(size=(40, 2)), rng.normal(size=(50, 2)), seed=1
    )
    assert narrow.rejected
    assert narrow.direction == "narrower"
    x, y = rng.normal(size=(9, 2)), rng.normal(1.0, 1.0, (14, 2))
    test = inc.mmd_permutation_test(x, y, n_null=19, seed=1)
    assert test.statistic == pytest.approx(
        mmd_squared(x, y, median_kernel(np.concatenate([x, y]))), abs=1e-12
    )


def test_what_cannot_be_tested_is_refused() -> None:
    good, fresh = np.random.default_rng(14).normal(size=(20, 2)), np.zeros((30, 5, 2))
    with pytest.raises(
        ValueError,
        match=(
            r"got shapes \(4, 2\), \(20, 2\) and \(30, 5, 2\). Simulate every person's design as"
            r" often"
        ),
    ):
        inc.mmd_test(good[:4], good, fresh, seed=1)
    with pytest.raises(ValueError, match="observed has NaN or infinity"):
        inc.mmd_test(np.full((5, 2), np.nan), good, fresh, seed=1)
    with pytest.raises(
        ValueError,
        match=r"1 / alpha - 1 studies of the null; got alpha=0.01, 50 studies. Simulate more",
    ):
        inc.mmd_test(good[:5], good, fresh, n_null=50, alpha=0.01, seed=1)
    with pytest.raises(ValueError, match=r"one dim; got shapes \(1, 2\) and \(20, 2\)"):
        inc.mmd_permutation_test(good[:1], good, seed=1)
    with pytest.raises(ValueError, match="finite numbers; got NaN"):
        inc.mmd_permutation_test(np.full((5, 2), np.nan), good, seed=1)
    with pytest.raises(TypeError, match="no option 'n_nul'; did you mean 'n_null'"):
        inc.mmd_test(good[:5], good, fresh, n_nul=1, seed=1)  # type: ignore[call-arg]


# replicas


def test_replicas_have_the_trials_of_the_people() -> None:
    """Also where the window cuts a third of what is simulated."""
    study = simulator_of((20, 90)).simulate(4, seed=1).trials
    simulator = inc.Simulator(
        inc.models.dmc(),
        inc.priors.schaefer2025(),
        inc.Design((20, 90), HALF, window=(300.0, 450.0)),
    )
    own = readable(study, simulator.design)
    made = matched(simulator, study, 50, seed=3)
    assert made.theta.shape == (200, 6)
    for level in HALF:
        counts = own.where("condition", level).sum(axis=1)
        np.testing.assert_array_equal(
            made.trials.where("condition", level).sum(axis=1).reshape(50, 4),
            np.tile(counts, (50, 1)),
        )
    rt = made.trials.values["rt"][made.trials.answered]
    assert rt.min() >= 300.0
    assert rt.max() <= 450.0
    again = matched(simulator, study, 50, seed=3)
    np.testing.assert_array_equal(made.theta, again.theta)
    np.testing.assert_array_equal(
        made.trials.values["rt"][made.trials.present],
        again.trials.values["rt"][again.trials.present],
    )
    assert (made.theta != matched(simulator, study, 50, seed=4).theta).all()


def test_answers_of_replicas_are_those_of_the_model_within_the_window() -> None:
    simulator = inc.Simulator(
        inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(40, HALF, window=(300.0, 500.0))
    )
    theta = np.tile([20.5, 118.4, 0.57, 61.0, 358.0, 36.9], (400, 1))
    plain = simulator.simulate_at(theta, seed=1)
    fixed = inc.Prior(A=stats.norm(20.5, 1e-6), tau=stats.norm(118.4, 1e-6), mu_c=stats.norm(0.57, 1e-9), b=stats.norm(61.0, 1e-6), mu_R=stats.norm(358.0, 1e-6), sd_R=stats.norm(36.9, 1e-6))  # fmt: skip # noqa: E501
    made = matched(
        inc.Simulator(simulator.model, fixed, simulator.design),
        plain.select(range(20)),
        20,
        seed=2,
    ).trials
    for level in HALF:
        a, b = (
            trials.values["rt"][
                trials.where("condition", level) & trials.where("response", "correct")
            ]
            for trials in (plain, made)
        )
        assert stats.ks_2samp(a, b).pvalue > 1e-4


def test_theta_that_give_nothing_within_the_window_are_drawn_again_and_counted() -> None:
    far_off = inc.Prior(A=stats.norm(20, 1), tau=stats.norm(80, 5), mu_c=stats.norm(0.6, 0.05), b=stats.norm(60, 5), mu_R=stats.norm(1400, 300), sd_R=stats.norm(30, 2))  # fmt: skip # noqa: E501
    study = simulator_of(20).simulate(2, seed=1).trials
    simulator = inc.Simulator(
        inc.models.dmc(), far_off, inc.Design(20, HALF, window=(150.0, 1300.0))
    )
    made = matched(simulator, study, 15, seed=1)
    assert made.trials.excluded[GIVEN_UP].sum() > 5
    assert (made.trials.n_trials.reshape(15, 2) == study.n_trials).all()
    fast = replace(study, values={**study.values, "rt": np.full_like(study.values["rt"], 250.0)})
    nowhere = inc.Simulator(inc.models.dmc(), far_off, inc.Design(20, HALF, window=(150.0, 300.0)))
    with pytest.raises(
        ValueError,
        match=(
            r"answers lie within the window \(150.0, 300.0\) ms; \d of 2 data sets had nearly"
            r" none.*Widen the window"
        ),
    ):
        matched(nowhere, fast, 1, seed=1)
    with pytest.raises(
        ValueError,
        match="at least one data set for each of at least one person; got n_each=0, 2 people",
    ):
        matched(simulator, study, 0, seed=1)


# people


def test_people_are_outside_by_the_step_up_procedure(dmc: inc.Posterior) -> None:
    """Benjamini and Hochberg's procedure, in the plainest way, for people's p-values."""
    study = guessing(guessing(population(8, n_trials=100, seed=1), 2), 5)
    found = inc.surprise(dmc, study, prior=inc.priors.schaefer2025(), n_simulated=400, seed=1)
    below = np.sort(found.p_value) <= found.alpha * np.arange(1, 9) / 8
    n = int(np.flatnonzero(below).max(initial=-1)) + 1
    assert found.n_outside == n > 0
    assert set(found.outside.nonzero()[0]) == set(np.argsort(found.p_value, kind="stable")[:n])
    np.testing.assert_allclose(found.adjusted, stats.false_discovery_control(found.p_value))


def test_too_many_large_or_small_p_values_are_seen() -> None:
    rng = np.random.default_rng(16)
    central = [excess(rng.random(10), i)[0] for i in range(300)]
    assert stats.binom.cdf(sum(np.array(central) <= 0.05), 300, 0.05) < 1 - 1e-4
    assert stats.kstest(central, "uniform").pvalue > 1e-4
    assert excess(rng.random(30) ** 0.3, 1)[0] < 0.01
    assert excess(rng.random(30) ** 3, 1)[1] < 0.01


def test_people_of_like_designs_are_simulated_together() -> None:
    study = inc.concatenate([simulator_of(n).simulate(2, seed=1).trials for n in (100, 200, 100)])
    groups = groups_of(study)
    assert [sorted(group.tolist()) for group in groups] == [[0, 1, 4, 5], [2, 3]]


def guessing(study: inc.Trials, person: int) -> inc.Trials:
    """The same study, where a person presses at 220 ms in three of ten trials, either key."""
    values = {name: array.copy() for name, array in study.values.items()}
    rng = np.random.default_rng(17)
    fast = rng.random(study.present.shape[1]) < 0.3
    values["rt"][person][fast] = rng.normal(220.0, 5.0, fast.sum())
    values["response"][person][fast] = rng.integers(0, 2, fast.sum())
    return replace(study, values=values)


def test_a_person_who_guesses_is_found(dmc: inc.Posterior, tmp_path) -> None:
    study = guessing(population(6, n_trials=100, seed=1), 2)
    found = inc.surprise(dmc, study, prior=inc.priors.schaefer2025(), n_simulated=600, seed=1)
    assert found.outside.tolist() == [False, False, True, False, False, False]
    table = found.table()
    assert list(table.columns) == [
        "participant",
        "p",
        "adjusted",
        "score",
        "depth",
        "outside",
        "stands_out",
    ]
    assert table["p"][2] == pytest.approx(1 / 601)
    assert "SD" in table["stands_out"][2]
    assert table["stands_out"][0] == ""
    assert abs(found.standing_out(2)[0][1]) >= abs(found.standing_out(2)[1][1]) > 2
    assert (
        "1 of 6 people are outside what the simulator makes (5% false discovery rate): 3."
        in str(found)
    )
    test = inc.mmd_test(np.random.default_rng(1).normal(size=(9, 2)), np.random.default_rng(2).normal(size=(99, 2)), np.random.default_rng(3).normal(size=(20, 9, 2)), n_null=99, seed=1)  # fmt: skip # noqa: E501
    with styled():
        _, axes = new_figure(1, 2, width=6, height=3)
        assert plot_null(test, axes[0]) is axes[0]
        assert plot_surprise(found, axes[1]) is axes[1]
        assert [text.get_text() for text in axes[1].texts] == ["3"]
    save_png(misspecification_figure(test, found), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_surprise_refuses_too_few_simulations(dmc: inc.Posterior) -> None:
    with pytest.raises(
        ValueError,
        match=(
            r"at least people / alpha - 1 = 39, so that one person can be called outside; got"
            r" alpha=0.05, n_simulated=20"
        ),
    ):
        inc.surprise(dmc, population(2, seed=1), n_simulated=20, seed=1)
    with pytest.raises(
        ValueError,
        match=r"prior of the parameters \('A', 'tau', 'mu_c', 'b', 'mu_R', 'sd_R'\); got \('x',\)",
    ):
        inc.surprise(dmc, population(2, seed=1), prior=inc.Prior(x=stats.norm()), seed=1)


# the study as a whole, and summary space


def test_studies_are_told_apart(dmc: inc.Posterior) -> None:
    prior = inc.priors.schaefer2025()
    options = {"prior": prior, "n_reference": 300, "n_fresh": 600, "n_null": 199}
    narrow = inc.mmd_of_study(dmc, population(20, sd=0.4, seed=2), **options, seed=1)
    assert narrow.rejected
    assert narrow.direction == "narrower"
    assert narrow.spread_share > 0.5
    shifted = [
        inc.mmd_of_study(dmc, population(20, mean=np.eye(6)[4], seed=seed), **options, seed=1)
        for seed in (3, 4, 5, 6)
    ]
    assert sum(test.rejected for test in shifted) >= 3  # of ten such studies eight are
    location, spread = sum(test.location for test in shifted), sum(test.spread for test in shifted)
    # Over studies: of ten shares, each of a difference that twenty people show badly, one was .37.
    assert location > spread
    true = inc.mmd_of_study(dmc, population(20, seed=4), **options, seed=1)
    assert not true.rejected
    again = inc.mmd_of_study(dmc, population(20, seed=4), **options, seed=1)
    np.testing.assert_array_equal(true.null, again.null)
    with pytest.raises(
        ValueError, match="n_reference of at least 2 and n_fresh of at least 1; got 1 and 600"
    ):
        inc.mmd_of_study(dmc, population(2, seed=4), n_reference=1, n_fresh=600, seed=1)


def test_summary_space_knows_the_parameters(dmc: inc.Posterior, tmp_path) -> None:
    study = population(10, mean=2.0 * np.eye(6)[4], n_trials=100, seed=5)
    space = inc.summary_space(
        dmc,
        {"slow": study},
        priors={"published": inc.priors.schaefer2025()},
        n_simulated=400,
        seed=1,
    )
    assert {name: len(points) for name, points in space.points.items()} == {
        "simulated": 400,
        "published": 400,
        "slow": 10,
    }
    assert space.explained.sum() == pytest.approx(1.0)
    assert (np.diff(space.explained) <= 1e-12).all()
    np.testing.assert_allclose(space.points["simulated"].var(axis=0, ddof=1) / space.points["simulated"].var(axis=0, ddof=1).sum(), space.explained, atol=1e-6)  # fmt: skip # noqa: E501
    name, r = space.most_like(0)
    assert name == "mu_R"
    assert abs(r) > 0.8
    assert len(space.table()) == 18
    places = space.places().query("set == 'published' and component == 1")
    assert float(places["sd"].iloc[0]) < 0.8  # a narrower prior
    assert "components hold 99% of the variance" in str(space)
    save_png(space_figure(space), tmp_path / "space.png")
    assert (tmp_path / "space.png").stat().st_size > 10_000
    with pytest.raises(ValueError, match="different names for studies and priors"):
        inc.summary_space(dmc, {"simulated": study}, seed=1)
    with pytest.raises(
        ValueError, match="more simulations than the 18 summaries; got n_simulated=10"
    ):
        inc.summary_space(dmc, {}, n_simulated=10, seed=1)


def test_fewer_summaries_would_do(dmc: inc.Posterior) -> None:
    found = inc.suggest_summary_dim(dmc, n_simulated=400, seed=1)
    assert (found.used, found.rule_of_thumb) == (18, 12)
    assert 6 <= found.for_variance <= found.suggested < 18
    assert found.r_squared[0] < 0.5 < found.r_squared.max()
    assert "the rule of thumb is 12" in str(found)
    with pytest.raises(
        ValueError,
        match="at least six simulations for each of the 18 summaries; got n_simulated=50",
    ):
        inc.suggest_summary_dim(dmc, n_simulated=50, seed=1)


# slow: with the network, over many studies


def rates(
    dmc: inc.Posterior,
    n_people: int,
    n_studies: int,
    seed: int,
    *,
    mean: Array | float = 0.0,
    sd: float = 1.0,
) -> list[inc.MmdTest]:
    """Tests of studies from a population against one reference."""
    layout = population(n_people, seed=seed)
    prior = inc.priors.schaefer2025()
    reference = matched_summaries(dmc, layout, -(-500 // n_people), prior=prior, seed=seed).reshape(
        -1, 18
    )
    fresh = matched_summaries(dmc, layout, max(20, 1000 // n_people), prior=prior, seed=seed + 1)
    own = (
        dmc.summaries(population(n_people * n_studies, mean=mean, sd=sd, seed=seed + 2))
        .astype(float)
        .reshape(n_studies, n_people, -1)
    )
    return [
        inc.mmd_test(observed, reference, fresh, n_null=99, seed=i)
        for i, observed in enumerate(own)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("n_people", [1, 5, 20, 60])
def test_the_model_itself_is_rejected_at_the_level(dmc: inc.Posterior, n_people: int) -> None:
    n_studies = {1: 100, 5: 50, 20: 25, 60: 10}[n_people]
    tests = [test for seed in (100, 200, 300) for test in rates(dmc, n_people, n_studies, seed)]
    # studies share references
    assert sum(test.rejected for test in tests) <= stats.binom.ppf(0.9999, len(tests), 0.05) + 2


@pytest.mark.slow
def test_the_network_sees_narrow_and_shifted_populations(dmc: inc.Posterior) -> None:
    narrow = rates(dmc, 20, 20, 400, sd=0.4)
    assert np.mean([test.rejected for test in narrow]) >= 0.7
    assert np.mean([test.direction == "narrower" for test in narrow]) >= 0.9
    assert np.median([test.spread_share for test in narrow]) > 0.7
    shifted = rates(dmc, 30, 20, 500, mean=np.eye(6)[4])
    assert np.mean([test.rejected for test in shifted]) >= 0.7
    assert np.median([test.location_share for test in shifted]) > 0.7


@pytest.mark.slow
def test_surprise_keeps_its_level_and_sees_a_narrow_population(dmc: inc.Posterior) -> None:
    prior = inc.priors.schaefer2025()
    true = inc.surprise(dmc, population(150, seed=600), prior=prior, n_simulated=3000, seed=1)
    assert stats.kstest(true.p_value, "uniform").pvalue > 1e-4
    assert stats.kstest(true.depth, "uniform").pvalue > 1e-4
    assert true.n_outside <= 2
    narrow = inc.surprise(dmc, population(20, sd=0.4, seed=601), prior=prior, seed=1)
    assert narrow.too_central
    assert narrow.n_outside == 0
    assert "nearer to the centre of the prior than expected" in str(narrow)


@pytest.mark.slow
def test_retraining_says_what_more_summaries_gain(
    simulator: inc.Simulator, small: inc.Architecture
) -> None:
    rough = inc.train(simulator, steps=20, seed=3, architecture=small, progress=False)
    found = inc.suggest_summary_dim(
        rough, n_simulated=200, retrain=20, per_parameter=(1, 2), seed=1
    )
    assert list(found.retrained) == [6, 12]
    assert found.suggested in (6, 12)
    assert "Retrained: 6 summaries" in str(found)


@pytest.mark.slow
def test_ten_thousand_against_ten_thousand_fit_into_two_gigabytes() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.03, 1.0, (10_000, 6)), rng.normal(size=(10_000, 6))
    tracemalloc.start()
    found = inc.mmd_permutation_test(first, second, n_null=99, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e9
    assert found.rejected

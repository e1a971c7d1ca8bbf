"""The exact likelihood against published figures, a series known in closed form, simulation, and
itself on finer grids.
"""

import itertools

import numpy as np
import pytest
from scipy import stats
from test_dmc import EXACT, simulate

from incongruent import Design, Simulator, priors
from incongruent.models import Kept, Model, dmc

LEVEL_ERRORS = [
    np.array([0.02, 0.15, 0.1, 0.4]),
    np.array([0.006, 0.05, 0.03, 0.1]),
    np.array([0.003, 0.04, 0.03, 0.08]),
]
"""Errors of the share of errors in points, of mean and SD of correct and mean of error RT in ms, by
level of accuracy.
"""
CONVERGED = {(20, 30, 0.5, 75): 116.54, (10, 200, 0.8, 90): 28.95}
"""Mean error RT of congruent trials, in ms, where the table's single grid is as coarse as level 1:
the limit, over five levels, of the mean of the first passage by the trapezoidal rule, which
needs no bins and no densities."""
STEP = 0.5


def densities(
    model: Model, theta, *, last: float, condition: int = 0, kept: Kept = Kept(), level: int = 0
):
    """RTs (time,) and densities of correct answers and errors, (2, time)."""
    rt = np.arange(STEP / 2, last, STEP)
    values = {
        "rt": np.tile(rt, 2),
        "response": np.repeat([0, 1], len(rt)),
        "condition": np.full(2 * len(rt), condition),
    }
    return rt, np.exp(
        model.likelihood.densities(np.atleast_2d(theta).astype(float), values, kept, level)[0]
    ).reshape(2, -1)


def unanswered(
    model: Model, theta, *, condition: int = 0, kept: Kept = Kept(), level: int = 0
) -> float:
    """Probability of a trial without an answer."""
    values = {"rt": np.zeros(1), "response": np.zeros(1, int), "condition": np.array([condition])}
    return float(
        np.exp(
            model.likelihood.at(
                np.atleast_2d(theta).astype(float), values, np.zeros(1, bool), kept, level
            )[0]
        )
    )


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("parameters", EXACT, ids=str)
def test_the_published_table(parameters, level):
    for condition in (0, 1):
        rt, density = densities(
            dmc(), [*parameters, 400.0, 20.0], last=4000.0, condition=condition, level=level
        )
        share = density.sum(axis=1) * STEP
        mean = (density * rt).sum(axis=1) * STEP / share
        variance = (density[0] * rt**2).sum() * STEP / share[0] - mean[0] ** 2
        found = [
            100.0 * share[1] / share.sum(),
            mean[0] - 400.0,
            np.sqrt(variance - 20.0**2),
            mean[1] - 400.0,
        ]
        wanted = list(EXACT[parameters][condition])
        if condition == 0:
            wanted[3] = CONVERGED.get(parameters, wanted[3])
        assert (np.abs(np.subtract(found, wanted)) <= LEVEL_ERRORS[level]).all(), found


def navarro_fuss(t, drift, half_width, sigma=4.0):
    """First-passage densities at the upper and the lower bound for constant drift and a start in
    the middle, (2, time); 200 terms of the series for large times.
    """
    t, k = np.asarray(t)[None, :], np.arange(1, 201)[:, None]
    width, start = 2.0 * half_width / sigma, 0.5
    decay = np.exp(-0.5 * (k * np.pi / width) ** 2 * t)
    terms = np.pi / width**2 * (k * decay * np.sin(k * np.pi * start)).sum(axis=0)
    v = drift / sigma
    return np.stack([np.exp(s * v * width * 0.5 - 0.5 * v**2 * t[0]) * terms for s in (1.0, -1.0)])


@pytest.mark.parametrize(
    ("drift", "half_width"), [(0.5, 60.0), (0.2, 90.0), (1.1, 35.0), (-0.3, 50.0)]
)
def test_without_conflict_it_is_the_plain_diffusion_model(drift, half_width):
    model = dmc(start="point", fixed={"A": 0.0, "tau": 50.0})
    mu, sd = 350.0, 10.0
    rt, density = densities(model, [drift, half_width, mu, sd], last=3000.0, level=2)
    t = np.arange(0.5, 3500.0, 1.0)
    series = navarro_fuss(t, drift, half_width)
    residual = stats.norm(mu, sd).pdf(rt[:, None] - t[None, :])
    expected = series @ residual.T
    assert np.abs(density - expected).max() <= 2e-3 * expected.max()
    # the error is largest at the steep beginning, where hardly a trial lies
    for share, allowed in (
        (1e-2, 0.02),
        (1e-5, 0.1),
    ):
        often = expected > share * expected.max()
        assert np.abs(np.log(density[often] / expected[often])).max() < allowed


VARIANTS = {
    "standard": (dmc(), [20, 100, 0.55, 60, 340, 35]),
    "steep activation": (dmc(free=["a"]), [18, 60, 0.5, 55, 330, 30, 1.4]),
    "flat activation": (dmc(free=["a"]), [18, 30, 0.5, 55, 330, 30, 3.5]),
    "undershoot": (dmc(free=["undershoot"]), [15, 60, 0.55, 58, 330, 30, 0.4]),
    "brief and deep undershoot": (
        dmc(free=["a", "undershoot"]),
        [25, 12, 0.5, 60, 340, 20, 1.5, 0.55],
    ),
    "very steep activation": (dmc(free=["a"]), [10, 60, 0.5, 55, 330, 30, 1.1]),
    "very strong and brief conflict": (dmc(), [100, 20, 0.5, 90, 340, 30]),
    "drift varies": (dmc(free=["drift_sd"]), [20, 100, 0.55, 60, 340, 35, 0.2]),
    "drift varies much": (dmc(free=["drift_sd"]), [20, 100, 0.55, 60, 340, 35, 0.5]),
    "lapses": (dmc(free=["lapse"]), [20, 100, 0.55, 60, 340, 35, 0.08]),
    "point start": (dmc(start="point"), [20, 40, 0.45, 50, 340, 35]),
    "wide start": (dmc(alpha=1.5), [20, 100, 0.55, 60, 340, 35]),
    "uniform start": (dmc(alpha=1.0), [20, 100, 0.55, 60, 340, 35]),
    "hyperbolic bound": (
        dmc(bound="hyperbolic", free=["kappa", "t_half"]),
        [20, 100, 0.5, 80, 340, 35, 0.7, 200],
    ),
    "weibull bound": (
        dmc(bound="weibull", free=["kappa", "t_half", "shape"]),
        [20, 100, 0.4, 80, 340, 35, 0.8, 300, 4],
    ),
    "strong and brief conflict": (dmc(), [55, 12, 0.5, 60, 340, 20]),
    "narrow residual": (dmc(), [20, 100, 0.55, 60, 340, 3]),
    "fixed residual": (dmc(fixed={"sd_R": 0.0}), [20, 100, 0.55, 60, 340]),
    "residual cut at zero": (dmc(), [20, 100, 0.55, 60, 120, 90]),
    "slow": (dmc(), [20, 100, 0.05, 140, 340, 35]),
}
KEPT = {
    "all trials": Kept(),
    "window": Kept((250.0, 800.0)),
    "deadline": Kept(None, 500.0),
    "deadline within window": Kept((250.0, 800.0), 600.0),
    "window within deadline": Kept((250.0, 500.0), 700.0),
}


@pytest.mark.parametrize("rule", KEPT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_probabilities_sum_to_one(variant, rule):
    model, theta = VARIANTS[variant]
    kept = KEPT[rule]
    low, high = kept.window or (0.0, 6000.0)
    rt, density = densities(model, theta, last=6000.0, condition=1, kept=kept)
    exists = (rt > low) & (rt < min(high, kept.deadline or np.inf))
    total = density[:, exists].sum() * STEP + unanswered(model, theta, condition=1, kept=kept)
    # where R is a needle, and trials end within it, the sum over half milliseconds is that exact
    sharp = {"fixed residual": 1e-2, "narrow residual": 3e-3}
    assert total == pytest.approx(
        1.0, abs=sharp.get(variant, 2e-4 if rule == "all trials" else 1e-3)
    )


def simulated_against_exact(
    model: Model, theta, condition: int, n: int, kept: Kept = Kept(), level: int = 1, seed: int = 1
):
    """p-values of a chi-square test over 40 bins of RT × response and of Kolmogorov-Smirnov tests
    of both.
    """
    rt, response, answered = simulate(model, theta, condition, n, seed)
    low, high = kept.window or (0.0, 6000.0)
    late = answered & (rt > (kept.deadline or np.inf))
    answered &= ~late
    inside = ~answered | ((rt >= low) & (rt <= high))
    rt, response, answered = rt[inside], response[inside], answered[inside]
    times, density = densities(
        model, theta, last=6000.0, condition=condition, kept=kept, level=level
    )
    density[:, (times < low) | (times > min(high, kept.deadline or np.inf))] = 0.0
    observed, expected, p_values = (
        [(~answered).sum()],
        [unanswered(model, theta, condition=condition, kept=kept, level=level) * len(rt)],
        [],
    )
    for side in (0, 1):
        here = np.sort(rt[answered & (response == side)])
        cumulative = np.concatenate([[0.0], np.cumsum(density[side]) * STEP])
        edges = np.unique(
            np.round(
                np.interp(
                    np.linspace(0, 1, 41),
                    cumulative / cumulative[-1],
                    np.arange(len(cumulative)) * STEP,
                )
            )
        )
        observed += list(np.histogram(here, np.r_[-1.0, edges[1:-1], 1e9])[0])
        expected += list(
            np.diff(
                np.r_[
                    0.0,
                    np.interp(edges[1:-1], np.arange(len(cumulative)) * STEP, cumulative),
                    cumulative[-1],
                ]
            )
            * len(rt)
        )
        if len(here) > 100:
            p_values.append(
                stats.kstest(
                    here, lambda x, c=cumulative: np.interp(x, np.arange(len(c)) * STEP, c) / c[-1]
                ).pvalue
            )
    observed, expected = np.array(observed, float), np.array(expected)
    enough = expected >= 5.0
    statistic = ((observed - expected)[enough] ** 2 / expected[enough]).sum()
    return [float(stats.chi2.sf(statistic, enough.sum() - 1)), *p_values]


@pytest.mark.parametrize(
    "variant",
    [name for name in VARIANTS if name != "fixed residual"],
    # whose density is smoothed by 1 ms
)
def test_simulated_trials_have_these_densities(variant):
    model, theta = VARIANTS[variant]
    assert min(simulated_against_exact(model, theta, 1, 100_000)) > 1e-4


@pytest.mark.parametrize("rule", KEPT)
def test_simulated_trials_that_are_kept_have_these_densities(rule):
    model, theta = VARIANTS["lapses"]
    assert min(simulated_against_exact(model, theta, 1, 100_000, KEPT[rule])) > 1e-4


@pytest.mark.parametrize("tau", [5.0, 20.0, 80.0])
@pytest.mark.parametrize(
    ("a", "A"), [(1.2, 20.0), *itertools.product([1.4, 2.0, 4.0], [0.0, 20.0, 60.0, 150.0])]
)
def test_the_equation_is_solved_until_hardly_anything_is_left(A, tau, a):
    """A strong push at the beginning must not be taken for the end."""
    model = dmc(fixed={"A": A, "tau": tau, "a": a, "mu_c": 0.5, "b": 60.0})
    rt, density = densities(model, [340.0, 30.0], last=4000.0, condition=1)
    fine = densities(model, [340.0, 30.0], last=4000.0, condition=1, level=2)[1]
    assert density.sum() * STEP == pytest.approx(1.0, abs=5e-4)
    assert np.abs(density - fine).sum() * STEP < 0.03
    tail = (rt > 1000) & (fine[0] > 1e-9)
    assert np.abs(np.log(density[0, tail] / fine[0, tail])).max(initial=0.0) < 0.2


def test_a_wrong_density_is_noticed():
    model, theta = VARIANTS["standard"]
    other = dmc(fixed={"mu_R": 341.5})
    rt, response, answered = simulate(model, theta, 1, 100_000)
    _, density = densities(
        other, np.delete(np.asarray(theta, float), 4), last=6000.0, condition=1, level=1
    )
    cumulative = np.concatenate([[0.0], np.cumsum(density[0]) * STEP])
    here = rt[answered & (response == 0)]
    assert (
        stats.kstest(
            here,
            lambda x: np.interp(x, np.arange(len(cumulative)) * STEP, cumulative) / cumulative[-1],
        ).pvalue
        < 1e-4
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10))
def test_a_million_simulated_trials_at_random_places(number):
    theta = priors.broad().sample(10, seed=11)[number]
    p_values = [
        p
        for condition in (0, 1)
        for p in simulated_against_exact(dmc(), theta, condition, 1_000_000, level=2, seed=number)
    ]
    assert min(p_values) > 1e-4, (theta, p_values)


def test_finer_grids_change_nothing_that_matters():
    """Over a cloud around each of 12 people, wider than their posteriors; errors fall by about four
    from level to level.
    """
    model, n_draws = dmc(), 40
    simulations = Simulator(
        model, priors.broad(), Design(500, {"congruent": 0.5, "incongruent": 0.5})
    ).simulate(12, seed=4)
    rng = np.random.default_rng(1)
    spread = {level: [] for level in (0, 1, 2)}
    for i, truth in enumerate(simulations.theta):
        theta = truth * np.exp(0.05 * rng.standard_normal((n_draws, 6)))
        here = simulations.trials.present[i]
        values = {name: column[i, here] for name, column in simulations.trials.values.items()}
        found = [
            model.likelihood.at(
                theta, values, simulations.trials.answered[i, here], Kept((150.0, 2500.0)), level
            )
            for level in range(4)
        ]
        for level in spread:
            spread[level].append(np.std(found[level] - found[3]))
    assert np.median(spread[0]) < 0.1
    assert np.max(spread[1]) < 0.05
    assert np.mean(spread[1]) < 0.4 * np.mean(spread[0])
    assert np.mean(spread[2]) < 0.4 * np.mean(spread[1])


def test_the_order_of_parameter_values_and_their_number_do_not_matter():
    model, theta = dmc(), priors.schaefer2025().sample(70, seed=1)
    values = {
        "rt": np.array([350.0, 420.0, 600.0, 390.0]),
        "response": np.array([0, 0, 1, 0]),
        "condition": np.array([0, 1, 1, 2]),
    }
    answered = np.ones(4, bool)
    together = model.likelihood.at(theta, values, answered, Kept(), 0)
    alone = np.concatenate(
        [model.likelihood.at(row[None], values, answered, Kept(), 0) for row in theta[:5]]
    )
    assert together[:5] == pytest.approx(alone, rel=1e-9)
    assert model.likelihood.at(theta[::-1], values, answered, Kept(), 0) == pytest.approx(
        together[::-1], rel=1e-9
    )
    assert len(model.likelihood.at(theta[:0], values, answered, Kept(), 0)) == 0
    nothing = {name: array[:0] for name, array in values.items()}
    assert model.likelihood.at(theta, nothing, answered[:0], Kept(), 0).tolist() == [0.0] * 70
    each = model.likelihood.densities(theta, values, Kept(), 0)
    assert each.sum(axis=1) == pytest.approx(together, rel=1e-9)


def test_an_impossibly_fast_answer_costs_what_its_density_says():
    """Far below the non-decision time the log density goes on as a parabola, without a step and
    without -inf.
    """
    model, theta = dmc(), [20, 100, 0.55, 60, 340, 12]
    rt, density = densities(model, theta, last=500.0)
    slope = np.diff(np.log(density[0]))
    assert np.isfinite(slope).all()
    assert (np.diff(slope[rt[1:] < 330.0]) < 0.01).all()
    fast = {"rt": np.array([200.0]), "response": np.zeros(1, int), "condition": np.zeros(1, int)}
    assert (
        -90.0 < model.likelihood.densities(np.array([theta], float), fast, Kept(), 0)[0, 0] < -65.0
    )


def test_eulers_scheme_has_no_likelihood():
    assert dmc(scheme="euler").likelihood is None


def exact_sum(model: Model, theta, condition: int, level: int) -> tuple[float, np.ndarray]:
    """Total probability, and the mean RT of correct answers and errors, (2,), by midpoints fine
    enough for R of this width.
    """
    sd = max(theta[5], 1.0)
    step = min(0.5, sd / 40.0)
    rt = np.arange(step / 2, theta[4] + 6.0 * sd + 5000.0, step)
    values = {
        "rt": np.tile(rt, 2),
        "response": np.repeat([0, 1], len(rt)),
        "condition": np.full(2 * len(rt), condition),
    }
    density = np.exp(
        model.likelihood.densities(np.atleast_2d(theta).astype(float), values, Kept(), level)[0]
    ).reshape(2, -1)
    return density.sum() * step + unanswered(model, theta, condition=condition, level=level), (
        density * rt
    ).sum(axis=1) / density.sum(axis=1)


CORNERS = {
    "half a normal distribution": [20, 100, 0.55, 60, 0, 50],
    "cut in its middle": [20, 100, 0.55, 60, 20, 13],
    "cut at its edge": [93, 17, 0.76, 36, 100, 32],
    "strong and brief conflict, near bounds": [60, 10, 0.55, 20, 340, 35],
    "near bounds": [3, 100, 0.45, 24, 100, 24],
    "narrow": [52, 17, 0.9, 44, 100, 6],
    "wide": [65, 100, 0.35, 20, 600, 105],
    "slow": [20, 100, 0.05, 140, 340, 35],
}
"""A, tau, mu_c, b, mu_R, sd_R."""


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("place", CORNERS)
def test_total_probability_is_one_also_where_the_residual_is_cut_at_zero(place, level):
    total, _ = exact_sum(dmc(), CORNERS[place], 1, level)
    assert total == pytest.approx(1.0, abs=5e-7)


@pytest.mark.slow
@pytest.mark.parametrize("condition", [0, 1])
@pytest.mark.parametrize("number", range(12))
def test_total_probability_is_one_over_the_range_of_the_parameters(number, condition):
    rng = np.random.default_rng(number)
    tau, b, sd_R = np.exp(rng.uniform(np.log([8.0, 20.0, 1.0]), np.log([300.0, 150.0, 120.0])))
    theta = [
        rng.uniform(0, 100),
        tau,
        rng.uniform(0, 1.2),
        b,
        rng.choice([0.0, 20.0, 100.0, 200.0, 340.0, 600.0]),
        sd_R,
    ]
    assert exact_sum(dmc(), theta, condition, 1)[0] == pytest.approx(1.0, abs=1e-6), theta


@pytest.mark.parametrize(
    "place",
    [
        "strong and brief conflict, near bounds",
        "near bounds",
        "half a normal distribution",
        "cut at its edge",
    ],
)
def test_means_converge_to_those_of_simulated_trials(place):
    """For correct answers and errors, in both conditions."""
    theta = CORNERS[place]
    for condition in (0, 1):
        rt, response, answered = simulate(dmc(), theta, condition, 100_000, 3)
        _, means = exact_sum(dmc(), theta, condition, 2)
        for side in (0, 1):
            here = rt[answered & (response == side)]
            if len(here) > 200:
                assert (
                    abs(here.mean() - means[side]) < 5.0 * here.std() / np.sqrt(len(here)) + 0.05
                ), (condition, side)


def test_a_mean_that_was_once_wrong_on_all_levels():
    """Five million incongruent trials, simulated with seeds 1 to 5, have 4,996,190 errors of
    341.559 ms on average (standard error .016).
    """
    means = [
        exact_sum(dmc(), CORNERS["strong and brief conflict, near bounds"], 1, level)[1][1]
        for level in range(4)
    ]
    assert means == pytest.approx([341.56] * 4, abs=0.02)


@pytest.mark.parametrize("rt", [1e5, 1e7, 1e12])
def test_an_impossibly_slow_answer_has_probability_zero(rt):
    model, theta = dmc(), np.array([[20, 100, 0.55, 60, 340, 35]], float)
    values = {
        "rt": np.array([500.0, rt]),
        "response": np.zeros(2, int),
        "condition": np.zeros(2, int),
    }
    first, second = model.likelihood.densities(theta, values, Kept(), 0)[0]
    assert np.isfinite(first)
    assert second == -np.inf
    assert model.likelihood.at(theta, values, np.ones(2, bool), Kept(), 0)[0] == -np.inf


def test_lapses_make_slow_answers_possible_within_their_range_alone():
    model, theta = VARIANTS["lapses"]
    values = {
        "rt": np.array([2400.0, 1e7]),
        "response": np.zeros(2, int),
        "condition": np.zeros(2, int),
    }
    first, second = model.likelihood.densities(np.array([theta], float), values, Kept(), 0)[0]
    assert np.isfinite(first)
    assert second == -np.inf


def test_a_design_that_keeps_nothing_gives_no_likelihood():
    """It was once a huge one: what is kept stands below the fraction."""
    model, theta = dmc(), np.array([[20, 100, 0.55, 60, 2000, 5]], float)
    values = {"rt": np.array([500.0]), "response": np.zeros(1, int), "condition": np.zeros(1, int)}
    assert (
        model.likelihood.at(theta, values, np.ones(1, bool), Kept((150.0, 900.0)), 0)[0] == -np.inf
    )


@pytest.mark.parametrize(
    "theta", [[20, 100, 1.2, 20, 300, 30], [20, 100, 1.2, 20, 600, 5], [20, 100, 0.58, 60, 350, 38]]
)
def test_late_errors_are_rare_but_not_impossible(theta):
    """Where the solution is lost in rounding errors the tail goes on."""
    rt = np.arange(700.0, 2400.0, 100.0)
    values = {"rt": rt, "response": np.ones(len(rt), int), "condition": np.zeros(len(rt), int)}
    for level in (0, 1):
        found = dmc().likelihood.densities(np.array([theta], float), values, Kept(), level)[0]
        assert np.isfinite(found).all()
        assert (np.diff(found) < 0.0).all()

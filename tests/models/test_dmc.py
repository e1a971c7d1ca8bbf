"""The DMC against the forward equation, published figures, finer steps and itself."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from incongruent.models import Model, build, dmc
from incongruent.models.dmc import activation
from incongruent.models.first_passage import beta_start

CONGRUENT, INCONGRUENT, NEUTRAL = 0, 1, 2
NO_RESIDUAL = {"mu_R": 0.0, "sd_R": 0.0}
EXACT = {
    (20, 118.4, 0.57, 61): ((1.818, 78.01, 65.51, 56.39), (9.198, 122.25, 76.61, 50.30)),
    (20, 120, 0.57, 56): ((2.211, 69.78, 59.20, 52.49), (10.851, 111.60, 72.05, 48.74)),
    (20, 30, 0.5, 75): ((2.049, 127.56, 110.35, 116.64), (8.237, 147.19, 93.07, 36.28)),
    (40, 60, 0.4, 50): ((2.852, 48.61, 64.65, 142.44), (41.829, 127.76, 66.53, 33.28)),
    (10, 200, 0.8, 90): ((0.523, 102.61, 62.95, 29.03), (1.006, 120.82, 70.14, 36.64)),
    (0, 50, 0.3, 60): ((13.975, 149.26, 125.81, 112.32), (13.975, 149.26, 125.81, 112.32)),
}
"""Errors in %, mean and SD of correct RT, mean error RT (ms); congruent, then incongruent. Forward
equation: science.md, section 2.
"""
ALLOWED = np.array([0.1, 0.3, 0.3, 0.3])
"""Discretisation bias that is allowed, in the same order and units."""


@dataclass(frozen=True)
class Cell:
    """Errors in %, mean and SD of correct RT, mean error RT, and their standard errors."""

    value: np.ndarray
    error: np.ndarray

    def near(self, value, allowed, sigmas: float = 5.0) -> bool:
        return bool((np.abs(self.value - value) <= sigmas * self.error + allowed).all())

    def like(self, other: "Cell", allowed) -> bool:
        return bool(
            (
                np.abs(self.value - other.value)
                <= 5.0 * np.hypot(self.error, other.error) + allowed
            ).all()
        )


def simulate(
    model: Model, theta, condition: int, n: int, seed: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """rt, response and answered of n trials of one person."""
    shape, rng = (1, n), np.random.Generator(np.random.SFC64(seed))
    given = {"condition": np.full(shape, condition, np.int8)}
    values, answered = model.simulate(
        np.atleast_2d(np.asarray(theta, float)), given, np.ones(shape, bool), rng
    )
    return values["rt"][0].astype(float), values["response"][0], answered[0]


def cell(model: Model, theta, condition: int, n: int, seed: int = 1) -> Cell:
    rt, response, answered = simulate(model, theta, condition, n, seed)
    assert answered.mean() > 0.999
    correct, wrong = rt[answered & (response == 0)], rt[answered & (response == 1)]
    share, sd = len(wrong) / answered.sum(), correct.std()
    of_sd = np.sqrt((np.mean((correct - correct.mean()) ** 4) - sd**4) / len(correct)) / (2.0 * sd)
    error = [
        100 * np.sqrt(share * (1 - share) / answered.sum()),
        sd / np.sqrt(len(correct)),
        of_sd,
        wrong.std() / np.sqrt(len(wrong)),
    ]
    return Cell(np.array([100 * share, correct.mean(), sd, wrong.mean()]), np.array(error))


def misses(model: Model, n: int, sigmas: float) -> list[str]:
    """Where the model is beyond bias allowance and so many standard errors of the exact table."""
    return [
        f"{theta} condition {condition}: {found.value.round(3)} ± {found.error.round(3)}, exact"
        f" {exact[condition]}"
        for theta, exact in EXACT.items()
        for condition in (CONGRUENT, INCONGRUENT)
        if not (found := cell(model, theta, condition, n, seed=condition)).near(
            exact[condition], ALLOWED, sigmas
        )
    ]


def test_first_passages_agree_with_the_forward_equation():
    assert not misses(dmc(fixed=NO_RESIDUAL), 200_000, 5.0)


@pytest.mark.slow
def test_rare_errors_agree_with_the_forward_equation():
    theta = (10, 200, 0.8, 90)
    assert cell(dmc(fixed=NO_RESIDUAL), theta, INCONGRUENT, 8_000_000).near(
        EXACT[theta][INCONGRUENT], np.array([0.005, 0.2, 0.1, 0.2]), 3.0
    )


@pytest.mark.slow
def test_a_million_first_passages_agree_with_the_forward_equation():
    assert not misses(dmc(fixed=NO_RESIDUAL), 1_000_000, 3.0)


def test_euler_does_not_pass_the_gate_that_the_bridge_passes():
    theta = (20, 118.4, 0.57, 61)
    euler = cell(dmc(fixed=NO_RESIDUAL, scheme="euler", dt=1.0), theta, INCONGRUENT, 100_000)
    assert not euler.near(EXACT[theta][INCONGRUENT], ALLOWED)
    assert euler.value[1] - EXACT[theta][INCONGRUENT][1] > 3.0


def test_euler_with_a_point_start_gives_the_published_figures():
    model = dmc(scheme="euler", dt=1.0, start="point")
    for condition, published in ((CONGRUENT, (0.6, 440, 105)), (INCONGRUENT, (1.3, 459, 94))):
        found = cell(model, (20, 30, 0.5, 75, 300, 30), condition, 200_000)
        half_unit = np.array([0.05, 0.5, 0.5])
        assert (np.abs(found.value[:3] - published) <= half_unit + 5 * found.error[:3]).all(), (
            found,
            published,
        )


def test_without_automatic_activation_conditions_are_alike():
    model = dmc(fixed=NO_RESIDUAL)
    cells = [
        cell(model, (0, 50, 0.3, 60), condition, 50_000, seed=condition) for condition in range(3)
    ]
    assert cells[0].like(cells[1], 0.0)
    assert cells[0].like(cells[2], 0.0)
    one, other = (
        simulate(model, (0, 50, 0.3, 60), condition, 100) for condition in (CONGRUENT, INCONGRUENT)
    )
    assert np.array_equal(one[0], other[0])


def test_neutral_lies_between():
    congruent, incongruent, neutral = (
        cell(dmc(), (20, 120, 0.57, 56, 340, 35), condition, 50_000) for condition in range(3)
    )
    for i in (0, 1):
        assert neutral.value[i] - congruent.value[i] > 5 * np.hypot(
            neutral.error[i], congruent.error[i]
        )
        assert incongruent.value[i] - neutral.value[i] > 5 * np.hypot(
            neutral.error[i], incongruent.error[i]
        )


VARIANTS = {
    "standard": ({}, ()),
    "point start": ({"start": "point"}, ()),
    "drift_sd": ({"free": ["drift_sd"]}, (0.15,)),
    "lapse": ({"free": ["lapse"]}, (0.1,)),
    "a 1.3": ({"free": ["a"]}, (1.3,)),
    "a 3": ({"free": ["a"]}, (3.0,)),
    "undershoot": ({"free": ["undershoot"]}, (0.45,)),
    "hyperbolic": ({"bound": "hyperbolic", "free": ["kappa", "t_half"]}, (0.7, 150.0)),
    "weibull": ({"bound": "weibull", "free": ["kappa", "t_half", "shape"]}, (0.7, 150.0, 3.0)),
}
BASE = (20, 118.4, 0.57, 61)
every_variant = pytest.mark.parametrize(("options", "more"), VARIANTS.values(), ids=VARIANTS)


@every_variant
@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT])
def test_long_steps_agree_with_short_ones(options, more, condition):
    long, short = (
        cell(dmc(fixed=NO_RESIDUAL, dt=dt, **options), (*BASE, *more), condition, n, seed)
        for dt, n, seed in ((None, 100_000, 1), (0.5, 40_000, 2))
    )
    assert long.like(short, ALLOWED), (long, short)


@pytest.mark.slow
@every_variant
@pytest.mark.parametrize("condition", [CONGRUENT, INCONGRUENT])
def test_long_steps_agree_with_many_short_ones(options, more, condition):
    long, short = (
        cell(dmc(fixed=NO_RESIDUAL, dt=dt, **options), (*BASE, *more), condition, n, seed)
        for dt, n, seed in ((None, 1_000_000, 3), (0.25, 300_000, 4))
    )
    assert (
        np.abs(long.value - short.value) <= 3.0 * np.hypot(long.error, short.error) + ALLOWED
    ).all(), (long, short)


@pytest.mark.parametrize(
    "name",
    [name for name in VARIANTS if name != "a 1.3"],
    # Euler cannot follow an infinite drift
)
def test_the_bridge_agrees_with_a_fine_euler_scheme(name):
    """Euler's bounds act as if they stood .5826 sigma sqrt(dt) further out (Chernoff 1965); so the
    bridge's are moved there.
    """
    (options, more), dt = VARIANTS[name], 0.1
    moved = (*BASE[:3], BASE[3] + 0.5826 * 4.0 * np.sqrt(dt))
    euler = cell(
        dmc(fixed=NO_RESIDUAL, scheme="euler", dt=dt, **options),
        (*BASE, *more),
        INCONGRUENT,
        20_000,
        seed=5,
    )
    bridge = cell(dmc(fixed=NO_RESIDUAL, **options), (*moved, *more), INCONGRUENT, 100_000, seed=6)
    assert bridge.like(euler, 2 * ALLOWED), (bridge, euler)


@pytest.mark.parametrize(
    "name",
    [name for name in VARIANTS if name not in ("standard", "undershoot")],
    # which makes one where the activation is brief: below
)
def test_every_option_makes_a_difference(name):
    options, more = VARIANTS[name]
    standard = cell(dmc(fixed=NO_RESIDUAL), BASE, INCONGRUENT, 50_000)
    assert not cell(dmc(fixed=NO_RESIDUAL, **options), (*BASE, *more), INCONGRUENT, 50_000).like(
        standard, ALLOWED
    )


def test_non_decision_times_are_a_normal_cut_at_zero():
    mean, sd, n = 20.0, 40.0, 100_000
    without, _, _ = simulate(dmc(fixed=NO_RESIDUAL), BASE, CONGRUENT, n, seed=1)
    rt, _, _ = simulate(dmc(), (*BASE, mean, sd), CONGRUENT, n, seed=2)
    fast, _, _ = simulate(dmc(), (0, 100, 5.0, 5, mean, sd), CONGRUENT, n, seed=3)
    cut = stats.truncnorm(-mean / sd, np.inf, mean, sd)
    assert fast.min() > 0.0
    assert abs(rt.mean() - without.mean() - cut.mean()) < 5 * np.sqrt(
        (rt.var() + without.var()) / n
    )
    assert np.hypot(without.std(), cut.std()) == pytest.approx(rt.std(), rel=0.02)


@pytest.mark.parametrize("a", [1.3, 2.0, 3.5])
@pytest.mark.parametrize("undershoot", [0.0, 0.1, 0.3, 0.6])
def test_an_activation_that_undershoots_keeps_its_peak_and_ends_at_zero(a, undershoot):
    A, tau = 20.0, 40.0
    t = np.linspace(0.0, 400.0 * tau, 4_000_001)
    found = activation(t, A, tau, a, undershoot)
    assert found.max() == pytest.approx(A, rel=1e-6)
    assert t[found.argmax()] == pytest.approx((a - 1.0) * tau, abs=0.01)
    assert found[0] == 0.0
    assert abs(found[-1]) < 1e-9
    changes = t[1:-1][(found[1:-1] > 0.0) & (found[2:] <= 0.0)]
    if undershoot > 0.0:  # it changes its sign once
        assert changes == pytest.approx([(a - 1.0) * tau + tau / undershoot], abs=0.02)
        assert found.min() < 0.0
    else:
        assert (found >= 0.0).all()
        np.testing.assert_allclose(
            found, A * np.exp(-t / tau) * (np.e * t / ((a - 1.0) * tau)) ** (a - 1.0), atol=1e-9
        )


def test_the_depth_of_the_undershoot_is_as_it_is_said():
    t = np.linspace(0.0, 4000.0, 400_001)
    depth = [-activation(t, 1.0, 40.0, 2.0, undershoot).min() for undershoot in (0.3, 0.4, 0.5)]
    assert depth == pytest.approx([0.09, 0.3, 0.74], abs=0.005)


def test_an_undershoot_lets_the_delta_function_fall_below_zero():
    at, theta = [0.1, 0.3, 0.5, 0.7, 0.9], (20.0, 40.0, 0.5, 58.0, 315.0, 29.0)

    def delta(model: Model) -> np.ndarray:
        congruent, incongruent = (
            np.quantile(rt[response == 0], at)
            for rt, response, _ in (
                simulate(model, theta, condition, 200_000) for condition in (0, 1)
            )
        )
        return incongruent - congruent

    with_it, without = delta(dmc(fixed={"undershoot": 0.45})), delta(dmc())
    assert (without > 0.0).all()
    assert with_it[-1] < -15.0
    assert with_it[0] == pytest.approx(without[0], abs=3.0)


def distance_from_beta(table: np.ndarray, alpha: float = 3.0) -> float:
    """Largest error in probability, at the knots and half-way between them, where starts are read
    off straight lines.
    """
    u, x = (
        np.linspace(0.0, 1.0, 2 * len(table) - 1),
        np.interp(np.arange(2 * len(table) - 1) / 2, np.arange(len(table)), table),
    )
    return float(np.abs(stats.beta(alpha, alpha).cdf((x + 1.0) / 2.0) - u).max())


def test_start_points_follow_the_beta_distribution():
    assert distance_from_beta(beta_start(3.0)) < 1e-4
    # a coarse table made too many errors, and these too fast
    assert distance_from_beta(beta_start(3.0, 1025)) > 1e-4
    assert beta_start(3.0)[[0, -1]].tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "uniform"}, "Expected start to be one of ('beta', 'point'); got 'uniform'"),
        (
            {"bound": "linear"},
            "Expected bound to be one of ('constant', 'hyperbolic', 'weibull'); got 'linear'",
        ),
        ({"scheme": "exact"}, "Expected scheme to be one of ('bridge', 'euler'); got 'exact'"),
        ({"free": ["kappa"]}, "(with bound='constant'), each once; got 'kappa'"),
        (
            {"free": ["shape"], "bound": "hyperbolic"},
            "(with bound='hyperbolic'), each once; got 'shape'",
        ),
        (
            {"free": ["A"]},
            "Expected `free` to name some of ['a', 'undershoot', 'drift_sd', 'lapse']",
        ),
        ({"fixed": {"sdr": 1.0}}, "Expected `fixed` to name parameters of the model"),
        ({"fixed": {"a": 2.0}, "free": ["a"]}, "not in `free`"),
        ({"fixed": {"lapse": 1.5}}, "Expected lapse within [0.0, 1.0]; got 1.5"),
        ({"fixed": {"sd_R": -1.0}}, "Expected sd_R within [0.0, inf]; got -1.0"),
        ({"fixed": {"a": float("nan")}}, "Expected a number for the fixed parameter 'a'; got nan"),
        ({"alpha": 0.0}, ", and dt above 0; got alpha=0.0, dt=40.0"),
        (
            {"alpha": 0.2},
            (
                "Expected alpha of at least 0.5, below which trials begin at a bound, where they"
                " are over at once"
            ),
        ),
        ({"dt": -1.0}, "got alpha=3.0, dt=-1.0"),
        ({"dt": float("nan")}, "Expected a number for dt; got nan"),
        ({"free": ["lapse", "lapse"]}, "each once; got 'lapse'"),
        ({"fixed": {"kappa": 0.5}}, "(with bound='constant') not in `free`"),
    ],
)
def test_what_the_model_does_not_know_is_refused(options, words):
    with pytest.raises(ValueError, match=r"^Expected") as caught:
        dmc(**options)
    assert words in str(caught.value)


def test_unknown_arguments_and_models_are_refused():
    with pytest.raises(TypeError, match="sigma"):
        dmc(sigma=4.0)
    with pytest.raises(
        ValueError,
        match=(
            r"one of the models \['dmc', 'dstp', 'rdmc', 'ssp'\]; got 'lba'. A model of your own"
            r" has to be passed as `model=`"
        ),
    ):
        build("lba", {})

"""The exact likelihood where the drift varies over trials: against the mean over many drifts, a
series known in closed form, and itself.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest
from scipy import stats
from test_forward_equation import densities, simulated_against_exact, unanswered

from incongruent.models import Kept, dmc, ssp
from incongruent.models.drift_mixture import WIDEST

SDS = (0.02, 0.1, 0.2, 0.25, 0.4)
N_TRIALS = 400
"""As many trials as a person has."""
MU_C = 2
"""The position of mu_c among the parameters."""
STEP = 1.0


@dataclass(frozen=True)
class Variant:
    """A model and a parameter value, without drift variability."""

    theta: tuple[float, ...]
    options: dict = field(default_factory=dict)

    def model(self, **more):
        return dmc(**{**self.options, **more})


VARIANTS = {
    "beta start": Variant((20, 100, 0.55, 60, 340, 35)),
    "point start": Variant((20, 100, 0.55, 60, 340, 35), {"start": "point"}),
    "uniform start": Variant((20, 100, 0.55, 60, 340, 35), {"alpha": 1.0}),
    "drift below zero": Variant((20, 100, -0.1, 60, 340, 35)),
    "strong and brief conflict": Variant((60, 10, 0.55, 40, 340, 20)),
    "steep activation": Variant((18, 60, 0.5, 55, 330, 30), {"fixed": {"a": 1.4}}),
    "wide bounds": Variant((20, 100, 0.5, 100, 340, 35)),
    "slow, so that paths are left at the horizon": Variant((20, 100, 0.05, 140, 340, 35)),
    "hyperbolic bound": Variant(
        (20, 100, 0.5, 80, 340, 35),
        {"bound": "hyperbolic", "fixed": {"kappa": 0.7, "t_half": 200.0}},
    ),
    "weibull bound": Variant(
        (20, 100, 0.4, 80, 340, 35),
        {"bound": "weibull", "fixed": {"kappa": 0.8, "t_half": 300.0, "shape": 4.0}},
    ),
}
KEPT = {
    "window": Kept((300.0, 800.0)),
    "deadline": Kept(None, 500.0),
    "deadline within window": Kept((300.0, 800.0), 600.0),
    "window within deadline": Kept((300.0, 500.0), 700.0),
}


def every_density(model, theta, condition: int, level: int) -> np.ndarray:
    """Densities (theta, side, time) at the middles of milliseconds, at theta (theta, parameter)."""
    rt = np.arange(STEP / 2, 4000.0, STEP)
    values = {
        "rt": np.tile(rt, 2),
        "response": np.repeat([0, 1], len(rt)),
        "condition": np.full(2 * len(rt), condition),
    }
    found = model.likelihood.densities(np.asarray(theta, float), values, Kept(), level)
    return np.exp(found).reshape(-1, 2, len(rt))


@cache
def mean_over_drifts(variant: str, sd: float, condition: int, level: int) -> np.ndarray:
    """Densities (side, time) as the mean over 101 drifts, each with the plain model's densities."""
    deviates = np.linspace(-6.0, 6.0, 101)
    weights = stats.norm.pdf(deviates)
    theta = np.tile(np.array(VARIANTS[variant].theta, float), (len(deviates), 1))
    theta[:, MU_C] += sd * deviates
    each = every_density(VARIANTS[variant].model(), theta, condition, level)
    return np.tensordot(weights / weights.sum(), each, 1)


def at_once(variant: str, sd: float, condition: int, level: int) -> np.ndarray:
    """Densities (side, time) of the model whose drift varies."""
    model, theta = VARIANTS[variant].model(free=["drift_sd"]), VARIANTS[variant].theta
    return every_density(model, [(*theta, sd)], condition, level)[0]


def log_ratios(found: np.ndarray, expected: np.ndarray, share: float) -> np.ndarray:
    """Log ratios where the density is more than a share of its maximum, and 0 elsewhere."""
    often = expected > share * expected.max()
    return np.log(np.where(often, found, 1.0) / np.where(often, expected, 1.0))


@pytest.mark.parametrize("condition", [0, 1])
@pytest.mark.parametrize("sd", SDS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_log_likelihood_is_that_of_the_mean_over_drifts(variant, sd, condition):
    """The error of the log likelihood of a person's trials, as mean and SD over people, on the
    fastest level of accuracy.
    """
    expected = mean_over_drifts(variant, sd, condition, 0)
    error = log_ratios(at_once(variant, sd, condition, 0), expected, 1e-9)
    assert np.sqrt(N_TRIALS * (expected * error**2).sum() * STEP) < 0.05
    assert abs(N_TRIALS * (expected * error).sum() * STEP) < 0.01


@pytest.mark.parametrize("sd", [0.02, 0.25, 0.4])
@pytest.mark.parametrize("variant", VARIANTS)
def test_finer_levels_come_closer(variant, sd):
    """The fine levels' own mean over drifts is the standard for both of the coarse ones."""
    expected = mean_over_drifts(variant, sd, 1, 2)
    error = [np.abs(at_once(variant, sd, 1, level) - expected).sum() * STEP for level in (0, 1)]
    assert error[1] < 0.4 * error[0]


@pytest.mark.parametrize("sd", SDS)
@pytest.mark.parametrize("drift", [0.4, 0.7, 1.4])
def test_late_answers_are_as_rare_as_they_should_be(drift, sd):
    """Those who are left late have lower drifts than the mean, by several SDs."""
    theta = np.tile(np.array([20, 100, drift, 60, 340, 35], float), (201, 1))
    deviates = np.linspace(-10.0, 10.0, 201)
    theta[:, MU_C] += sd * deviates
    weights = stats.norm.pdf(deviates)
    expected = np.tensordot(weights / weights.sum(), every_density(dmc(), theta, 0, 1), 1)
    found = every_density(dmc(free=["drift_sd"]), [(*theta[100], sd)], 0, 0)[0]
    late = slice(500, None)
    for side in (0, 1):
        possible = expected[side, late] > 1e-10
        error = np.log(found[side, late][possible] / expected[side, late][possible])
        assert np.abs(error).max(initial=0.0) < 0.05


@pytest.mark.parametrize("rule", KEPT)
@pytest.mark.parametrize("variant", ["beta start", "point start", "hyperbolic bound"])
def test_what_a_design_keeps_is_the_mean_over_drifts_too(variant, rule):
    kept, sd = KEPT[rule], 0.25
    expected = mean_over_drifts(variant, sd, 1, 1)
    rt = np.arange(STEP / 2, 4000.0, STEP)
    low, high = kept.window or (0.0, np.inf)
    late = rt > (kept.deadline or np.inf)
    silent = expected[:, late].sum() * STEP
    exists = (rt > low) & (rt < high) & ~late
    share = expected[:, exists].sum() * STEP + silent
    model, theta = VARIANTS[variant].model(free=["drift_sd"]), (*VARIANTS[variant].theta, sd)
    values = {
        "rt": np.tile(rt[exists], 2),
        "response": np.repeat([0, 1], exists.sum()),
        "condition": np.ones(2 * exists.sum(), int),
    }
    found = model.likelihood.densities(np.array([theta], float), values, kept, 1)[0]
    wanted = np.log(expected[:, exists] / share).ravel()
    common = wanted > wanted.max() - 12.0
    assert np.abs(found - wanted)[common].max() < 0.02
    if kept.deadline is not None:
        assert unanswered(model, theta, condition=1, kept=kept, level=1) == pytest.approx(
            silent / share, abs=2e-4
        )


def without_drift(t, half_width, sigma=4.0):
    """First-passage densities (time,) at either bound from the middle, by the method of images."""
    distance = half_width * (1.0 + 4.0 * np.arange(-20, 21)[:, None])
    each = distance * np.exp(-(distance**2) / (2.0 * sigma**2 * t))
    return each.sum(axis=0) / (sigma * np.sqrt(2.0 * np.pi * t**3))


@pytest.mark.parametrize("drift_sd", [0.01, 0.1, 0.3, 0.7, 2.0])
@pytest.mark.parametrize("make", [dmc, ssp])
def test_without_conflict_it_is_ratcliffs_diffusion_model(make, drift_sd):
    """For a point start and a drift that does not change over time the mean over drifts has a
    closed form.
    """
    drift, b, mu, sd = 0.45, 60.0, 350.0, 10.0
    fixed = {"A": 0.0, "tau": 50.0} if make is dmc else {"t_int": 0.01}
    model = make(start="point", fixed=fixed, free=["drift_sd"])
    rt, density = densities(model, [drift, b, mu, sd, drift_sd], last=1500.0, level=2)
    t = np.arange(0.125, 1500.0, 0.25)
    c, side = 1.0 + drift_sd**2 * t / 16.0, np.array([[1.0], [-1.0]])
    exponent = (drift_sd**2 * b**2 / 16.0 + 2.0 * side * drift * b - drift**2 * t) / (32.0 * c)
    series = without_drift(t, b) * np.exp(exponent) / np.sqrt(c)
    residual = stats.norm(mu, sd).pdf(rt[:, None] - t[None, :])
    expected = 0.25 * series @ residual.T
    assert np.abs(density - expected).max() <= 4e-3 * expected.max()


def test_hardly_any_variability_is_none():
    for name in ("beta start", "point start", "hyperbolic bound"):
        variant = VARIANTS[name]
        plain = every_density(variant.model(), [variant.theta], 1, 0)[0]
        assert at_once(name, 1e-5, 1, 0) == pytest.approx(plain, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("options", [{}, {"start": "point"}], ids=["beta", "point"])
def test_each_parameter_value_has_its_own_variability(options):
    """Values without any, with some and with so much that it is divided, in one call and alone."""
    model = dmc(free=["drift_sd"], **options)
    sd = np.tile([0.0, 0.02, 0.3, 0.1, 1.5, 0.0, 0.7], 20)
    rng = np.random.default_rng(1)
    theta = np.array([20, 100, 0.55, 60, 340, 35]) * np.exp(0.1 * rng.standard_normal((140, 6)))
    theta = np.column_stack([theta, sd])
    values = {
        "rt": np.array([380.0, 520.0, 600.0, 1900.0]),
        "response": np.array([0, 0, 1, 0]),
        "condition": np.array([0, 1, 1, 2]),
    }
    together = model.likelihood.at(theta, values, np.ones(4, bool), Kept(), 0)
    each = [model.likelihood.at(row[None], values, np.ones(4, bool), Kept(), 0) for row in theta]
    assert together == pytest.approx(np.concatenate(each), rel=1e-9)
    none = dmc(**options).likelihood.at(theta[:7, :6], values, np.ones(4, bool), Kept(), 0)
    assert together[[0, 5]] == pytest.approx(none[[0, 5]], rel=1e-9)


@pytest.mark.parametrize("bound", [40.0, 70.0, 100.0])
@pytest.mark.parametrize("options", [{}, {"start": "point"}], ids=["beta", "point"])
def test_the_likelihood_does_not_jump_where_the_drift_is_divided(options, bound):
    """From one drift_sd to one that is slightly larger, as an SD over people."""
    model, sd = dmc(free=["drift_sd"], **options), WIDEST * 16.0 / bound
    theta = [(20, 100, 0.55, bound, 340, 35, share * sd) for share in (1.0 - 1e-9, 1.0 + 1e-9)]
    below, above = every_density(model, theta, 1, 0)
    error = log_ratios(above, below, 1e-9)
    assert np.sqrt(N_TRIALS * (below * error**2).sum() * STEP) < 0.05


@pytest.mark.parametrize("drift_sd", [0.1, 0.4, 1.0])
@pytest.mark.parametrize(
    ("model", "theta"),
    [
        (dmc(start="point", free=["drift_sd"]), (20, 100, 0.55, 60, 340, 35)),
        (dmc(alpha=1.0, free=["drift_sd"]), (20, 100, 0.55, 60, 340, 35)),
        (
            dmc(bound="hyperbolic", fixed={"kappa": 0.7, "t_half": 200.0}, free=["drift_sd"]),
            (20, 100, 0.5, 80, 340, 35),
        ),
        (ssp(free=["drift_sd"]), (0.5, 40.0, 60, 320, 35)),
        (ssp(start="beta", free=["drift_sd"]), (0.5, 40.0, 60, 320, 35)),
    ],
    ids=["point", "uniform", "hyperbolic", "ssp", "ssp, start varies"],
)
def test_simulated_trials_have_these_densities(model, theta, drift_sd):
    p_values = simulated_against_exact(model, [*theta, drift_sd], 1, 100_000, level=0)
    assert min(p_values) > 1e-4
    rule = Kept((300.0, 900.0), 700.0)
    p_values = simulated_against_exact(model, [*theta, drift_sd], 1, 100_000, rule, level=0, seed=2)
    assert min(p_values) > 1e-4


@pytest.mark.parametrize("rule", [None, *KEPT])
@pytest.mark.parametrize("sd", [*SDS, 0.8, 1.5])
@pytest.mark.parametrize("variant", ["beta start", "point start", "hyperbolic bound"])
def test_probabilities_sum_to_one(variant, sd, rule):
    """Lapses are mixed in."""
    kept = Kept() if rule is None else KEPT[rule]
    model = VARIANTS[variant].model(free=["lapse", "drift_sd"])
    theta = (*VARIANTS[variant].theta, 0.05, sd)
    rt, density = densities(model, theta, last=6000.0, condition=1, kept=kept)
    low, high = kept.window or (0.0, 6000.0)
    exists = (rt > low) & (rt < min(high, kept.deadline or np.inf))
    total = 0.5 * density[:, exists].sum() + unanswered(model, theta, condition=1, kept=kept)
    assert total == pytest.approx(1.0, abs=2e-4 if rule is None else 1e-3)

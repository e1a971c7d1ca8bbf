"""What a model does at given values, against its own simulated trials."""

import numpy as np
import pytest

import incongruent as inc
from incongruent.data.trials import CONDITION
from incongruent.models import dmc, dstp, rdmc, ssp
from incongruent.models.curves import mean_activation, rt_densities
from incongruent.models.model import Kept

THETA = [20.0, 120.0, 0.55, 60.0, 340.0, 35.0]


def simulated(
    model: inc.Model, theta: list[float], level: str, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """RT and whether wrong, (trial,)."""
    condition = np.full((1, n), CONDITION.levels.index(level), np.int8)
    values, answered = model.simulate(
        np.array([theta]), {"condition": condition}, np.ones((1, n), bool), np.random.default_rng(1)
    )
    return values["rt"][answered], values["response"][answered] == 1


@pytest.mark.parametrize("model", [dmc(), dmc(bound="weibull", free=("kappa",)), rdmc(), ssp()])
def test_densities_are_those_of_simulated_trials(model):
    theta = (
        [*THETA, 0.5] if "kappa" in model.parameter_names else [p.typical for p in model.parameters]
    )
    densities, n = rt_densities(model, theta), 20_000
    for k, level in enumerate(densities.levels):
        rt, wrong = simulated(model, theta, level, n)
        expected = densities.share("error")[k]
        # the curves hold 99.5 % of the trials
        assert abs(wrong.mean() - expected) < 5.0 * np.sqrt(expected / n) + 0.005
        mass = np.cumsum(densities.density[k].sum(axis=0)) * np.diff(densities.rt)[0]
        at = np.array(
            [np.interp(probability, mass, densities.rt) for probability in (0.1, 0.5, 0.9)]
        )
        assert (rt[:, None] < at).mean(axis=0) == pytest.approx(
            [0.1, 0.5, 0.9], abs=5.0 * 0.5 / np.sqrt(n) + 0.004
        )


def test_activation_is_the_equation():
    activation = mean_activation(dmc(), THETA, until=400.0)
    t = activation.times
    automatic = 20.0 * np.exp(-t / 120.0) * np.e * t / 120.0
    np.testing.assert_allclose(activation.controlled, 0.55 * t, atol=1e-9)
    np.testing.assert_allclose(activation.automatic("congruent"), automatic, atol=1e-9)
    np.testing.assert_allclose(activation.of("incongruent"), 0.55 * t - automatic, atol=1e-9)
    np.testing.assert_allclose(activation.bound, 60.0)


def test_a_collapsing_bound_collapses():
    activation = mean_activation(dmc(bound="weibull"), THETA)
    assert activation.bound[0] == 60.0
    assert (np.diff(activation.bound) <= 0.0).all()
    # kappa .5, t_half 400
    assert float(np.interp(400.0, activation.times, activation.bound)) == pytest.approx(
        60.0 * (1.0 - 0.5 * 0.5)
    )


def test_a_window_scales_densities_to_what_it_keeps():
    densities = rt_densities(dmc(), THETA, kept=Kept(window=(300.0, 500.0)))
    assert densities.rt[0] >= 300.0
    assert densities.rt[-1] <= 500.0
    whole = densities.density.sum(axis=(1, 2)) * np.diff(densities.rt)[0]
    np.testing.assert_allclose(whole, 1.0, atol=0.01)


def test_models_without_curves_are_refused():
    theta = [p.typical for p in dstp().parameters]
    with pytest.raises(
        ValueError,
        match="mean paths between two bounds, like DMC, RDMC or SSP; got 'dstp'",
    ):
        mean_activation(dstp(), theta)
    with pytest.raises(
        ValueError, match="Expected a model whose densities are known; 'dstp' has none"
    ):
        rt_densities(dstp(), theta)
    with pytest.raises(
        ValueError, match=r"Expected a value for each of \('A', .*\); got theta of shape \(2,\)"
    ):
        rt_densities(dmc(), [1.0, 2.0])

"""Curves of one parameter value against simulation from the same model, and against themselves."""

import numpy as np
import pytest

import incongruent as inc
from incongruent.checks import statistics
from incongruent.models.curves import mean_activation
from incongruent.models.implied import PROBABILITIES, curves

MODEL = inc.models.dmc()
TYPICAL = np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0])
EXTREME = (
    [80.0, 20.0, 0.3, 30.0, 200.0, 10.0],
    [40.0, 300.0, 1.2, 150.0, 800.0, 100.0],
    [0.0, 10.0, 0.55, 60.0, 340.0, 2.0],
)


@pytest.fixture(scope="module")
def typical():
    return curves(MODEL, TYPICAL)


@pytest.fixture(scope="module")
def simulated():
    """100,000 trials of each condition."""
    design = inc.Design(200_000, {"congruent": 0.5, "incongruent": 0.5}, window=None)
    return inc.Simulator(MODEL, inc.priors.broad(), design).simulate_at(TYPICAL[None], seed=1)


@pytest.mark.parametrize("theta", [TYPICAL, *EXTREME])
def test_densities_integrate_to_one(theta):
    found = curves(MODEL, np.asarray(theta, float))
    assert np.trapezoid(found.density.sum(axis=1), found.rt, axis=-1) == pytest.approx(
        [1.0, 1.0], abs=1e-4
    )
    assert (found.density >= 0).all()


def test_errors_and_means_are_those_of_simulated_trials(typical, simulated):
    for i, level in enumerate(("congruent", "incongruent")):
        share = statistics.error_share(simulated, level)[0]
        assert typical.errors[i] == pytest.approx(share, abs=5 * np.sqrt(share / 1e5))
        rt = simulated.values["rt"][
            simulated.where("condition", level) & simulated.where("response", "correct")
        ]
        assert typical.mean_rt[i] == pytest.approx(rt.mean(), abs=5 * rt.std() / np.sqrt(len(rt)))


def test_density_is_that_of_simulated_trials(typical, simulated):
    edges = np.arange(250.0, 900.0, 50.0)
    inside = (typical.rt >= edges[0]) & (typical.rt <= edges[-1])
    for i, level in enumerate(("congruent", "incongruent")):
        for j, response in enumerate(("correct", "error")):
            rt = simulated.values["rt"][
                simulated.where("condition", level) & simulated.where("response", response)
            ]
            counts = np.histogram(rt, edges)[0]
            places = typical.rt[inside]
            sums = np.concatenate(
                [
                    [0.0],
                    np.cumsum(
                        0.5
                        * np.diff(places)
                        * (typical.density[i, j, inside][1:] + typical.density[i, j, inside][:-1])
                    ),
                ]
            )
            wanted = 1e5 * np.diff(np.interp(edges, places, sums))
            assert (np.abs(counts - wanted) < 5 * np.sqrt(wanted + 1)).all()


def test_delta_and_conditional_accuracy_are_those_of_simulated_trials(typical, simulated):
    at, delta = (values[0] for values in statistics.delta_function(simulated, tuple(PROBABILITIES)))
    density = 1e5 * typical.density[:, 0]
    # standard errors of quantiles
    spread = [
        np.sqrt(PROBABILITIES * (1 - PROBABILITIES) * 1e5) / np.interp(at, typical.rt, of)
        for of in density
    ]
    error = np.hypot(*spread)
    assert (np.abs(typical.delta_at - at) < 5 * error).all()
    assert (np.abs(typical.delta - delta) < 5 * error).all()
    for i, level in enumerate(("congruent", "incongruent")):
        observed = statistics.conditional_accuracy(simulated, level)[0]
        assert (
            np.abs(typical.accuracy[i] - observed) < 5 * np.sqrt(observed * (1 - observed) / 2e4)
        ).all()


def test_activation_is_the_equation_of_the_model(typical):
    peak = typical.automatic[0].argmax()
    assert typical.time[peak] == pytest.approx(120.0, abs=4.0)  # (a - 1) tau
    assert typical.automatic[0, peak] == pytest.approx(20.0, rel=1e-3)
    assert typical.automatic[1] == pytest.approx(-typical.automatic[0])
    assert typical.activation[1] == pytest.approx(0.55 * typical.time - typical.automatic[0])
    steps = np.diff(typical.time)
    assert np.cumsum(typical.drift * steps, axis=-1) == pytest.approx(typical.activation[:, 1:])
    assert typical.bound == 60.0


@pytest.mark.parametrize("theta", [TYPICAL, *EXTREME])
def test_paths_are_those_that_plots_draw(theta):
    """And reach as far as decisions do, in steps that a screen can show."""
    found = curves(MODEL, np.asarray(theta, float))
    process = mean_activation(MODEL, theta, until=found.time[-1])
    assert np.array_equal(found.time, process.times)
    for i, level in enumerate(("congruent", "incongruent")):
        assert found.activation[i] == pytest.approx(process.of(level), abs=1e-9)
    assert (process.bound == found.bound).all()
    assert found.time[-1] >= found.rt[-1] - theta[4] - 6 * theta[5] - 4
    assert np.diff(found.time).max() < 8.4


def test_variants_with_free_and_fixed_parameters_have_curves_too():
    whole = curves(
        inc.models.dmc(free=["lapse"], fixed={"sd_R": 35.0}),
        np.array([20.0, 120.0, 0.55, 60.0, 340.0, 0.1]),
    )
    assert np.trapezoid(whole.density.sum(axis=1), whole.rt, axis=-1) == pytest.approx(
        [1.0, 1.0], abs=1e-3
    )
    assert whole.errors[0] == pytest.approx(0.9 * curves(MODEL, TYPICAL).errors[0] + 0.05, abs=1e-3)


@pytest.mark.parametrize("undershoot", [0.3, 0.6])
def test_an_activation_that_undershoots_has_curves_too(undershoot):
    theta = np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0, undershoot])
    found = curves(inc.models.dmc(free=["undershoot"]), theta)
    assert np.trapezoid(found.density.sum(axis=1), found.rt, axis=-1) == pytest.approx(
        [1.0, 1.0], abs=1e-4
    )
    assert found.automatic[0].max() == pytest.approx(20.0, rel=1e-3)
    assert found.automatic[0].min() < 0.0


def test_what_has_no_curves_is_refused():
    with pytest.raises(
        ValueError,
        match="Expected DMC with a constant bound and scheme='bridge' for its curves; got ssp",
    ):
        curves(inc.models.ssp(), np.ones(5))
    with pytest.raises(ValueError, match=r"got dmc .*hyperbolic"):
        curves(inc.models.dmc(bound="hyperbolic"), TYPICAL)
    with pytest.raises(ValueError, match="Expected one value for each of"):
        curves(MODEL, TYPICAL[:5])
    with pytest.raises(ValueError, match=r"Expected tau within \[1, inf\] ms; got 0.5"):
        curves(MODEL, np.array([20.0, 0.5, 0.55, 60.0, 340.0, 35.0]))

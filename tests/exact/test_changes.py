"""Changes of a model: what each makes of model and prior, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent import changes
from incongruent.exact.change import Change, changed_twice, combined, in_order
from incongruent.exact.changes import OF_OTHERS, usual_changes
from incongruent.models import Model, build, dmc, dstp, rdmc, ssp
from incongruent.simulation.nuisance import integrated_out

DESIGN = inc.Design(40, {"congruent": 0.5, "incongruent": 0.5})
PRIORS = {
    "dmc": inc.priors.broad,
    "ssp": inc.priors.broad_ssp,
    "rdmc": inc.priors.broad_rdmc,
}
USUAL = [
    pytest.param(base, make, id=f"{base} {make.__name__}")
    for base, makers in OF_OTHERS.items()
    for make in makers
]
NEW_OF_DMC = {
    "lapses": ("lapse",),
    "drift variability": ("drift_sd",),
    "free shape": ("a",),
    "collapsing bound": ("kappa", "t_half"),
    "undershoot": ("undershoot",),
}


def changed(base: str, change: Change, width: float = 1.0) -> inc.Simulator:
    model, prior = change.applied(build(base, {}), PRIORS[base](), width)
    return inc.Simulator(model, prior, DESIGN)


def test_changes_are_there_as_soon_as_the_package_is_imported() -> None:
    """In a process that has imported nothing else of it."""
    code = "import incongruent as inc; print(inc.changes.Change.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Change"


@pytest.mark.parametrize(("base", "make"), USUAL)
def test_people_of_every_usual_change_have_a_likelihood(
    base: str, make: Callable[[], Change]
) -> None:
    """Trials made by the changed model are possible under its own exact likelihood."""
    simulator = changed(base, make())
    assert simulator.prior.names == simulator.model.parameter_names
    made = simulator.simulate(3, seed=1)
    found = inc.log_likelihood(simulator, made.theta[:, None], made.trials)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("base", "make"), USUAL)
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_priors_stay_within_the_domains_of_the_model(
    base: str, make: Callable[[], Change], width: float
) -> None:
    """So that nothing of them is cut off, and evidence at other widths compares what it says."""
    model, prior = make().applied(build(base, {}), PRIORS[base](), width)
    for name in make().free:
        parameter = next(one for one in model.parameters if one.name == name)
        low, high = prior[name].support()
        assert parameter.low <= low < high <= parameter.high


@pytest.mark.parametrize("name", NEW_OF_DMC)
def test_a_wider_prior_is_wider(name: str) -> None:
    change = next(one for one in usual_changes(dmc()) if one.name == name)
    assert change.free == tuple(change.prior_at(1.0)) == NEW_OF_DMC[name]
    for parameter in change.free:
        half, usual, twice = (change.prior_at(width)[parameter] for width in (0.5, 1.0, 2.0))
        ranges = [float(p.ppf(0.9) - p.ppf(0.1)) for p in (half, usual, twice)]
        assert ranges[0] < 0.7 * ranges[1]
        assert ranges[2] > 1.2 * ranges[1] or parameter == "undershoot"  # it ends at its domain


def test_priors_of_new_parameters_are_those_of_the_docstrings() -> None:
    at = {name: prior for one in usual_changes(dmc()) for name, prior in one.prior_at(1.0).items()}
    q = np.array([0.05, 0.5, 0.95])
    log_range = stats.norm.cdf(np.log([1.2 / 2.0, 8.0 / 2.0]) / 0.4)
    known = {
        "lapse": 1.0 - (1.0 - q) ** (1.0 / 25.0),
        "drift_sd": 0.25 * stats.norm.ppf(0.5 + 0.5 * q),
        "a": 2.0 * np.exp(0.4 * stats.norm.ppf(log_range[0] + q * np.ptp(log_range))),
        "kappa": 1.0 - np.sqrt(1.0 - q),
        "t_half": 400.0 * np.exp(0.6 * stats.norm.ppf(q)),
        "undershoot": 0.6 * q,
    }
    assert set(at) == set(known)
    for name, values in known.items():
        assert at[name].ppf(q) == pytest.approx(values, rel=0.01)


def test_a_narrow_start_is_that_of_the_model_with_that_option() -> None:
    model, prior = changes.narrow_start().applied(dmc(), inc.priors.broad())
    assert model.settings == dmc(alpha=12.0).settings
    assert prior == inc.priors.broad()


def test_fixed_parameters_are_no_longer_estimated() -> None:
    simulator = changed("dmc", changes.fixed(tau=100.0, sd_R=30.0))
    assert simulator.model.parameter_names == ("A", "mu_c", "b", "mu_R")
    theta = inc.priors.broad().sample(3, seed=1)
    theta[:, [1, 5]] = 100.0, 30.0
    trials = inc.Simulator(dmc(), inc.priors.broad(), DESIGN).simulate_at(theta, seed=2)
    whole = inc.log_likelihood(
        inc.Simulator(dmc(), inc.priors.broad(), DESIGN), theta[:, None], trials
    )
    rest = inc.log_likelihood(simulator, theta[:, None][..., [0, 2, 3, 4]], trials)
    assert rest == pytest.approx(whole)


def test_equal_parameters_are_at_the_value_that_suits_everybody() -> None:
    """Normal likelihoods around y with SD s, and a standard normal prior: known exactly."""
    y, s = np.array([0.4, 1.5, -0.3]), np.array([0.3, 0.6, 0.2])
    precision = 1.0 + 1.0 / s**2
    draws = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)[None] / np.sqrt(precision)[:, None]
    z = draws + (y / s**2 / precision)[:, None]
    best = (y / s**2).sum() / (1.0 + (1.0 / s**2).sum())
    prior = inc.Prior(x=stats.norm(10.0, 2.0), other=stats.norm(0.0, 1.0))
    theta = np.stack([10.0 + 2.0 * z, np.zeros_like(z)], axis=-1)
    found = changes.equal("x").resolved(theta, prior)
    assert found.equal == ()
    assert found.fixed["x"] == pytest.approx(10.0 + 2.0 * best, abs=0.01)


def test_equal_parameters_that_there_are_not_are_refused() -> None:
    theta, prior = np.zeros((1, 30, 6)), inc.priors.broad()
    with pytest.raises(ValueError, match=r"Expected parameters of the model, A, tau, .*got taau"):
        changes.equal("taau").resolved(theta, prior)
    with pytest.raises(ValueError, match=r"Call resolved\(…\) with draws first"):
        changes.equal("tau").applied(dmc(), prior)


def test_another_mechanism_keeps_lapses_and_drift_variability() -> None:
    """Or a mechanism would be better or worse only for what it lacks."""
    free = ["drift_sd", "lapse"]
    lapse, drift_sd = stats.beta(1.0, 20.0), inc.truncated(stats.halfnorm(0.0, 0.2), 0.0, 2.0)
    prior = inc.priors.broad().extended(drift_sd=drift_sd, lapse=lapse)
    model, its = changes.shrinking_spotlight().applied(dmc(free=free), prior)
    assert set(model.parameter_names) == {"p", "t_int", "b", "mu_R", "sd_R", *free}
    assert its["lapse"].ppf(0.3) == lapse.ppf(0.3)
    assert its["drift_sd"] == drift_sd
    assert its["p"] == inc.priors.broad_ssp()["p"]


def test_another_mechanism_keeps_lapses_that_are_integrated_out() -> None:
    lapse = inc.priors.lapse_rate()
    robust = inc.marginalised(dmc(free=["lapse"]), lapse=lapse)
    model, prior = changes.shrinking_spotlight().applied(robust, inc.priors.broad())
    assert prior == inc.priors.broad_ssp()
    assert model.parameter_names == ssp().parameter_names
    assert integrated_out(model)["lapse"].ppf(0.3) == lapse.ppf(0.3)


@pytest.mark.parametrize(
    ("model", "lacking"),
    [
        (dmc(free=["lapse"]), {"lapses"}),
        (inc.marginalised(dmc(free=["lapse"]), lapse=inc.priors.lapse_rate()), {"lapses"}),
        (dmc(alpha=12.0), {"narrow start"}),
        (dmc(bound="hyperbolic", free=["kappa", "t_half"]), {"collapsing bound"}),
        (dmc(free=["a", "drift_sd"]), {"free shape", "drift variability"}),
        (ssp(start="beta"), {"varying start"}),
        (rdmc(), set()),
    ],
)
def test_what_a_model_has_is_not_asked_about(model: Model, lacking: set[str]) -> None:
    usual = {make().name for make in OF_OTHERS[model.name]}
    assert usual - {one.name for one in usual_changes(model)} == lacking


def test_a_model_without_usual_changes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"there are usual ones only for dmc, ssp, rdmc"):
        usual_changes(dstp())


@pytest.mark.parametrize(
    ("change", "model", "words"),
    [
        (changes.lapses(), dmc(free=["lapse"]), r"dmc has \['lapse'\] already"),
        (
            changes.lapses(),
            inc.marginalised(dmc(free=["lapse"]), lapse=inc.priors.lapse_rate()),
            r"dmc has \['lapse'\] already",
        ),
        (changes.fixed(taau=3.0), dmc(), r"dmc has no parameter \['taau'\]"),
        (changes.fixed(tau=-3.0), dmc(), r"Expected tau within \[1.0, inf\]; got -3.0"),
        (changes.narrow_start(), ssp(), "ssp lacks an option that this needs"),
        (
            changes.lapses(),
            inc.Model(
                "own",
                [inc.Parameter("x", "a number", "", 0.0, 1.0, 0.5)],
                dmc().columns,
                dmc().simulate,
            ),
            "a model of this package, whose options can be changed by 'lapses'; got 'own'",
        ),
    ],
)
def test_a_model_that_cannot_be_changed_so_is_refused(
    change: Change, model: Model, words: str
) -> None:
    prior = inc.priors.broad() if model.name != "own" else inc.Prior(x=stats.uniform(0.0, 1.0))
    with pytest.raises(ValueError, match=words):
        change.applied(model, prior)


def test_a_joint_prior_cannot_be_changed() -> None:
    independent = inc.priors.broad()
    joint = inc.JointPrior(
        independent.names,
        sample=lambda n, rng: independent.sample(n, seed=rng),
        log_prob=independent.log_prob,
    )
    with pytest.raises(ValueError, match="Expected a prior of independent parameters to change"):
        changes.lapses().applied(dmc(), joint)
    model, _ = changes.shrinking_spotlight().applied(dmc(), joint)
    assert model.name == "ssp"


def test_changes_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="'narrow start' and 'wide start' more than one changes"):
        in_order([changes.narrow_start(), changes.wide_start()])
    with pytest.raises(ValueError, match="more than one changes the mechanism"):
        in_order([changes.shrinking_spotlight(), changes.revised_dmc()])
    assert changed_twice([changes.equal("tau"), changes.fixed(tau=100.0)]) == ["tau"]


def test_another_mechanism_comes_first() -> None:
    both = [changes.lapses(), changes.shrinking_spotlight()]
    assert [one.name for one in in_order(both)] == ["SSP", "lapses"]
    assert combined(both) == "SSP + lapses"


@pytest.mark.parametrize("make", [changes.fixed, changes.equal])
def test_a_change_of_nothing_is_refused(make: Callable[[], Change]) -> None:
    with pytest.raises(ValueError, match="for example"):
        make()

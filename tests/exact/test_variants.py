"""Variants of a model against evidence that is known in closed form, and planted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent import changes
from incongruent.data.trials import CONFLICT_TASK
from incongruent.exact.change import Change
from incongruent.exact.forward_selection import may_be_combined, select_forward
from incongruent.exact.likelihood import LikelihoodError
from incongruent.exact.variant_results import BASE, VariantFit, Variants
from incongruent.exact.variants import variants
from incongruent.models import Likelihood, Model, Parameter
from incongruent.priors.distributions import Distribution

Array = np.ndarray

HALF = {"congruent": 0.5, "incongruent": 0.5}
LEVEL = Parameter("level", "mean RT", "ms", -np.inf, np.inf, 500.0)
EFFECT = Parameter("effect", "of conflict", "ms", -np.inf, np.inf, 0.0)
LEVEL_SD, EFFECT_SD = 80.0, 60.0
PRIOR_OF_LEVEL = stats.norm(500.0, LEVEL_SD)


def gaussian(*, sd: float = 50.0, effect: bool = False) -> Model:
    """RT ~ Normal(level, sd), with an effect added in the incongruent condition if wanted."""

    def means(theta: Array, condition: Array) -> Array:
        slope = theta[:, 1:2] if effect else 0.0
        return theta[:, :1] + slope * (condition == 1)

    def simulate(
        theta: Array, given: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        rt = means(theta, given["condition"]) + sd * rng.standard_normal(present.shape)
        response = np.zeros(present.shape, np.int8)
        return {**given, "response": response, "rt": rt.astype(np.float32)}, present.copy()

    def at(theta: Array, values: Mapping[str, Array], answered: Array, kept: Any, level: int):
        each = stats.norm(means(theta, values["condition"][None]), sd).logpdf(values["rt"][None])
        return each[:, answered].sum(axis=1)

    parameters = (LEVEL, EFFECT) if effect else (LEVEL,)
    likelihood = Likelihood(at, 1)
    return Model("gaussian", parameters, CONFLICT_TASK, simulate, likelihood=likelihood)


def effect_prior(width: float) -> Mapping[str, Distribution]:
    return {"effect": stats.norm(0.0, EFFECT_SD * width)}  # type: ignore[dict-item]


def with_effect(name: str = "effect") -> Change:
    """An effect of conflict as a new parameter."""
    prior = inc.Prior(level=PRIOR_OF_LEVEL, **effect_prior(1.0))
    mechanism = (lambda: gaussian(effect=True), lambda: prior)
    return Change(name, "an effect", ("effect",), prior_at=effect_prior, mechanism=mechanism)


def with_sd(sd: float) -> Change:
    """Another SD of RTs."""
    prior = inc.Prior(level=PRIOR_OF_LEVEL)
    return Change(
        f"SD {sd:g}", f"an SD of {sd:g}", mechanism=(lambda: gaussian(sd=sd), lambda: prior)
    )


def evidence(study: inc.Trials, *, sd: float = 50.0, effect_sd: float = 0.0) -> Array:
    """Log p(trials) of each person in closed form, (person,)."""
    found = []
    for person in range(len(study)):
        here = study.present[person]
        slope = (study.values["condition"][person, here] == 1).astype(float)
        cov = LEVEL_SD**2 + effect_sd**2 * np.outer(slope, slope) + sd**2 * np.eye(here.sum())
        rt = study.values["rt"][person, here].astype(float)
        found.append(stats.multivariate_normal(np.full(len(rt), 500.0), cov).logpdf(rt))
    return np.array(found)


def corrected(study: inc.Trials, simulator: inc.Simulator, n_draws: int = 500) -> inc.Draws:
    """Corrected draws of approximations of the posterior of the level."""
    rt = np.where(study.present, study.values["rt"], 0.0)
    n, rng = study.n_trials, np.random.default_rng(3)
    variance = 1.0 / (1.0 / LEVEL_SD**2 + n / 50.0**2)
    mean = variance * (500.0 / LEVEL_SD**2 + rt.sum(axis=1) / 50.0**2)
    q = stats.norm(mean[:, None], 1.3 * np.sqrt(variance)[:, None])
    theta = q.rvs((len(study), n_draws), random_state=rng)
    draws = inc.Draws(theta[..., None], q.logpdf(theta), simulator, study.names)
    return inc.reweight(draws, study, seed=3)


@pytest.fixture(scope="module")
def simulator() -> inc.Simulator:
    design = inc.Design((20, 60), HALF, window=None)
    return inc.Simulator(gaussian(), inc.Prior(level=PRIOR_OF_LEVEL), design)


@pytest.fixture(scope="module")
def study(simulator: inc.Simulator) -> inc.Trials:
    return simulator.simulate(6, seed=2).trials


@pytest.fixture(scope="module")
def draws(simulator: inc.Simulator, study: inc.Trials) -> inc.Draws:
    return corrected(study, simulator)


@pytest.fixture(scope="module")
def found(draws: inc.Draws, study: inc.Trials) -> Variants:
    return variants(draws, study, [with_effect(), with_sd(80.0)], seed=5)


def test_evidence_is_exact(found: Variants, study: inc.Trials) -> None:
    known = {
        BASE: evidence(study),
        "effect": evidence(study, effect_sd=EFFECT_SD),
        "SD 80": evidence(study, sd=80.0),
    }
    assert found.names == tuple(known)
    for i, values in enumerate(known.values()):
        assert found.log_evidence[:, i] == pytest.approx(values, abs=0.1)
        assert abs((found.log_evidence[:, i] - values).mean()) < 0.05


def test_evidence_is_exact_within_its_error_when_sampled_quickly(
    draws: inc.Draws, study: inc.Trials
) -> None:
    found = variants(draws, study, [with_effect(), with_sd(80.0)], quick=True, seed=5)
    known = evidence(study, effect_sd=EFFECT_SD), evidence(study, sd=80.0)
    for fit, values in zip(found.fits, known, strict=True):
        errors = fit.correction.log_evidence_error
        assert (errors < 0.12).all()
        assert (np.abs(fit.log_evidence - values) < 4.0 * errors + 0.03).all()
        assert abs((fit.log_evidence - values).mean()) < 0.1
        assert (fit.correction.effective_draws >= 75.0).all()


def test_evidence_at_other_widths_is_exact(found: Variants, study: inc.Trials) -> None:
    for i, width in enumerate((0.5, 2.0)):
        known = evidence(study, effect_sd=width * EFFECT_SD)
        assert found["effect"].at_widths[i] == pytest.approx(known, abs=0.1)
    assert np.isnan(found["SD 80"].at_widths).all()


def test_a_parameter_about_which_trials_say_nothing_has_the_same_evidence_at_all_widths(
    simulator: inc.Simulator,
) -> None:
    """Without incongruent trials the effect keeps its prior, with all of its tails."""
    design = inc.Design(30, {"congruent": 1.0}, window=None)
    alone = inc.Simulator(simulator.model, simulator.prior, design)
    study = alone.simulate(6, seed=4).trials
    found = variants(corrected(study, alone), study, [with_effect()], seed=1)
    for evidence_at in (found["effect"].log_evidence, *found["effect"].at_widths):
        assert evidence_at == pytest.approx(evidence(study), abs=0.1)
        assert abs((evidence_at - evidence(study)).mean()) < 0.04


def test_the_posterior_of_a_variant_is_exact(found: Variants, study: inc.Trials) -> None:
    """Mean and SD of the effect, by linear regression with a normal prior."""
    here = study.present[0]
    slope = (study.values["condition"][0, here] == 1).astype(float)
    rows = np.stack([np.ones_like(slope), slope], axis=1)
    precision = np.diag([LEVEL_SD**-2, EFFECT_SD**-2]) + rows.T @ rows / 50.0**2
    right = [500.0 / LEVEL_SD**2, 0.0] + rows.T @ study.values["rt"][0, here] / 50.0**2
    mean, sd = np.linalg.solve(precision, right), np.sqrt(np.diag(np.linalg.inv(precision)))
    theta = found["effect"].draws.theta[0]
    assert (theta.mean(axis=0) - mean) / sd == pytest.approx(0.0, abs=0.2)
    assert theta.std(axis=0) / sd == pytest.approx(1.0, abs=0.15)


def test_draws_of_a_variant_are_those_of_a_corrected_posterior(found: Variants) -> None:
    """Their log density is that of the normalised posterior, as of other corrected draws."""
    fit = found["effect"]
    draws, correction = fit.draws, fit.correction
    log_joint = draws.simulator.prior.log_prob(draws.theta) + correction.log_likelihood
    assert draws.log_q == pytest.approx(log_joint - correction.log_evidence[:, None])
    assert draws.parameter_names == ("level", "effect")
    assert correction.trusted.all()


def test_order_and_workers_change_nothing(
    draws: inc.Draws, study: inc.Trials, found: Variants
) -> None:
    order = [4, 0, 5, 2, 1, 3]
    names = [study.names[i] for i in order]
    again = variants(
        draws.select(names), study.select(names), [with_sd(80.0), with_effect()], seed=5, workers=1
    )
    for name in found.names:
        assert np.array_equal(again[name].draws.theta, found[name].draws.theta[order])
        assert np.array_equal(again[name].log_evidence, found[name].log_evidence[order])
        assert np.array_equal(
            again[name].at_widths, found[name].at_widths[:, order], equal_nan=True
        )


def test_the_seed_decides(draws: inc.Draws, study: inc.Trials, found: Variants) -> None:
    other = variants(draws, study, [with_effect()], seed=6)
    assert not np.array_equal(other["effect"].draws.theta, found["effect"].draws.theta)


def test_a_variant_is_named_when_it_is_better_by_three_nats(simulator: inc.Simulator) -> None:
    design = inc.Design(40, HALF, window=None)
    truth = inc.Prior(level=PRIOR_OF_LEVEL, effect=stats.norm(60.0, 5.0))
    planted = inc.Simulator(gaussian(effect=True), truth, design).simulate(6, seed=7).trials
    base = inc.Simulator(simulator.model, simulator.prior, design)
    found = variants(corrected(planted, base), planted, [with_effect(), with_sd(80.0)], seed=1)
    assert found.best == "effect"
    row = found.summary().iloc[0]
    known = evidence(planted, effect_sd=EFFECT_SD) - evidence(planted)
    assert row["variant"] == "effect"
    assert row["gain"] == pytest.approx(known.sum(), abs=0.3)
    assert row["share_better"] == (known > 0.0).mean()
    assert "The model with an effect is better" in str(found)
    assert found.rivals == ()
    assert "cannot be told" not in str(found)
    assert "-" not in str(found)


def test_variants_that_cannot_be_told_from_the_best_one_are_named(found: Variants) -> None:
    gains = {"first": 2.0, "second": 1.9, "third": 0.1}
    fits = tuple(replace(gained(found.base, each), name=name) for name, each in gains.items())
    several = Variants(found.base, fits)
    assert several.best == "first"
    assert several.rivals == ("second",)  # 0.6 nats over six people; the third has 11.4 less
    assert "Second cannot be told from it: the difference is less than 3 nats." in str(several)
    assert Variants(found.base, (gained(found.base, -1.0),)).rivals == ()


def gained(base: VariantFit, nats: float) -> VariantFit:
    """The same people with so much more evidence each."""
    correction = replace(base.correction, log_evidence=base.log_evidence + nats)
    return replace(base, name="x", draws=replace(base.draws, correction=correction))


def test_nothing_is_named_where_there_is_nothing(found: Variants) -> None:
    assert found.best == BASE
    assert "None of 2 variants is better than the model as fitted." in str(found)


# What is asked


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("laps", "Expected the name of a usual variant, 'lapses', .*; got 'laps'"),
        ("lapses + laps", "got 'laps'"),
        (["lapses", "lapses"], "more than one changes lapse"),
        ("SSP + RDMC", "more than one changes the mechanism"),
        ("narrow start + wide start", "more than one changes alpha, start"),
        (changes.fixed(taau=1.0), "has no parameter"),
        (changes.equal("taau"), "Expected parameters of the model"),
    ],
)
def test_variants_that_cannot_be_are_refused(
    of_dmc: tuple[inc.Draws, inc.Trials], asked: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        variants(*of_dmc, [asked], seed=1)


@pytest.fixture(scope="module")
def of_dmc() -> tuple[inc.Draws, inc.Trials]:
    """Two people of standard DMC, with draws near the truth that count as corrected."""
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.broad(), inc.Design(60, HALF))
    theta = np.array([[16.0, 80.0, 0.58, 60.0, 320.0, 28.0], [13.0, 60.0, 0.5, 55.0, 340.0, 32.0]])
    trials = simulator.simulate_at(theta, seed=3)
    near = theta[:, None] * np.exp(0.05 * np.random.default_rng(1).standard_normal((2, 200, 6)))
    log_q = np.zeros(near.shape[:2])
    return inc.reweight(
        inc.Draws(near, log_q, simulator, trials.names), trials, adapt=False, seed=1
    ), trials


def test_draws_that_were_not_corrected_are_refused(draws: inc.Draws, study: inc.Trials) -> None:
    with pytest.raises(ValueError, match=r"corrected by the exact likelihood.*inc\.reweight"):
        variants(replace(draws, correction=None), study, seed=1)


def test_other_people_are_refused(draws: inc.Draws, study: inc.Trials) -> None:
    with pytest.raises(ValueError, match="Expected the people of the draws"):
        variants(draws, study.select(slice(3)), seed=1)


def test_a_model_without_likelihood_is_refused(draws: inc.Draws, study: inc.Trials) -> None:
    own = draws.simulator
    bare = Model("gaussian", own.model.parameters, own.model.columns, own.model.simulate)
    without = replace(draws, simulator=inc.Simulator(bare, own.prior, own.design))
    with pytest.raises(LikelihoodError):
        variants(without, study, [with_effect()], seed=1)


def test_a_model_without_usual_variants_needs_some(draws: inc.Draws, study: inc.Trials) -> None:
    with pytest.raises(ValueError, match=r"it has no usual ones. Pass `asked=`"):
        variants(draws, study, seed=1)


def test_two_variants_of_one_name_are_refused(draws: inc.Draws, study: inc.Trials) -> None:
    same = [with_effect(), replace(with_sd(80.0), name="effect")]
    with pytest.raises(ValueError, match=r"Expected each variant once, .*; got 'effect' more"):
        variants(draws, study, same, seed=1)


# Forward selection


def of_gain(base: VariantFit, name: str, gain: float) -> VariantFit:
    """A variant with a known gain over all people."""
    correction = base.correction
    log_evidence = correction.log_evidence + gain / len(correction.log_evidence)
    draws = replace(base.draws, correction=replace(correction, log_evidence=log_evidence))
    return VariantFit(name, name, draws, base.at_widths)


def selected(base: VariantFit, gains: Mapping[str, float], most: int) -> list[str]:
    """What forward selection fits, in order; what has no gain of its own gains nothing."""
    known: dict[str, VariantFit] = {}

    def fit(made: Sequence[Change]) -> VariantFit:
        name = " + ".join(one.name for one in made)
        return of_gain(base, name, gains.get(name, 0.0))

    usual = [
        changes.lapses(),
        changes.drift_variability(),
        changes.narrow_start(),
        changes.wide_start(),
        changes.shrinking_spotlight(),
    ]
    select_forward(fit, base, known, usual, most)
    return list(known)


SINGLE = ["lapses", "drift variability", "narrow start", "wide start", "SSP"]


def test_selection_goes_on_with_the_best(found: Variants) -> None:
    gains = {"lapses": 20.0, "narrow start": 5.0, "lapses + narrow start": 26.0}
    tried = selected(found.base, gains, 2)
    second = [
        "lapses + drift variability",
        "lapses + narrow start",
        "lapses + wide start",
        "SSP + lapses",
    ]
    assert tried == [*SINGLE, *second]
    third = selected(found.base, gains, 3)[len(tried) :]
    assert third == ["lapses + narrow start + drift variability"]


@pytest.mark.parametrize(("second", "goes_on"), [(22.9, False), (23.1, True)])
def test_selection_ends_when_less_than_three_nats_are_gained(
    found: Variants, second: float, goes_on: bool
) -> None:
    gains = {"lapses": 20.0, "lapses + drift variability": second}
    third = "lapses + drift variability + narrow start"
    assert (third in selected(found.base, gains, 3)) is goes_on


def test_selection_takes_what_was_found(found: Variants) -> None:
    both = "drift variability + lapses"
    known = {both: of_gain(found.base, both, 30.0)}
    usual = [changes.lapses(), changes.drift_variability()]

    def fit(made: Sequence[Change]) -> VariantFit:
        assert len(made) == 1
        return of_gain(found.base, made[0].name, 5.0)

    select_forward(fit, found.base, known, usual, 2)
    assert set(known) == {both, "lapses", "drift variability"}


@pytest.mark.parametrize(
    ("together", "possible"),
    [
        ([changes.lapses(), changes.drift_variability()], True),
        ([changes.lapses(), changes.shrinking_spotlight()], True),
        ([changes.fixed(tau=100.0), changes.narrow_start()], True),
        ([changes.narrow_start(), changes.wide_start()], False),
        ([changes.narrow_start(), changes.shrinking_spotlight()], False),
        ([changes.free_shape(), changes.shrinking_spotlight()], False),
        ([changes.fixed(tau=100.0), changes.shrinking_spotlight()], False),
        ([changes.equal("tau"), changes.shrinking_spotlight()], False),
        ([changes.equal("tau"), changes.fixed(tau=100.0)], False),
        ([changes.revised_dmc(), changes.shrinking_spotlight()], False),
    ],
)
def test_only_what_goes_together_is_combined(together: list[Change], possible: bool) -> None:
    assert may_be_combined(together) is possible
    assert may_be_combined(together[::-1]) is possible


def test_selection_is_among_what_is_asked(draws: inc.Draws, study: inc.Trials) -> None:
    """Also changes of one's own, of a model without usual ones."""
    found = variants(draws, study, [with_effect()], combine=2, seed=1)
    assert found.names == (BASE, "effect")


# Planted in studies


def planted(
    model: Model, theta: Mapping[str, tuple[float, float]], asked: Sequence[str], seed: int
) -> Variants:
    """Variants of DMC for eight people of 200 trials, normal with these means and SDs."""
    posterior = inc.pretrained("dmc")
    people = inc.Prior(
        **{
            name: inc.truncated(stats.norm(mean, sd), 0.001, 1000.0)
            for name, (mean, sd) in theta.items()
        }
    )
    design = inc.Design(200, HALF, window=posterior.simulator.design.window)
    study = inc.Simulator(model, people, design).simulate(8, seed=seed).trials
    draws = inc.reweight(posterior.sample(study, 500, seed=seed), study, seed=seed)
    return variants(draws, study, asked, seed=seed)


FLANKER = {
    "A": (16.0, 5.0),
    "tau": (108.0, 30.0),
    "mu_c": (0.58, 0.1),
    "b": (60.0, 8.0),
    "mu_R": (323.0, 30.0),
    "sd_R": (28.0, 6.0),
}
SPOTLIGHT = {
    "p": (0.56, 0.1),
    "t_int": (46.0, 10.0),
    "b": (58.0, 8.0),
    "mu_R": (302.0, 21.0),
    "sd_R": (28.0, 6.0),
}


@pytest.mark.slow
def test_planted_lapses_are_named() -> None:
    people = FLANKER | {"lapse": (0.04, 0.005)}
    found = planted(inc.models.dmc(free=["lapse"]), people, ["lapses", "SSP"], seed=1)
    assert found.best == "lapses"
    lapse = found["lapses"].draws.means[:, -1].mean()
    assert lapse == pytest.approx(0.04, abs=0.02)


@pytest.mark.slow
def test_nothing_is_named_where_nothing_is_planted() -> None:
    found = planted(inc.models.dmc(), FLANKER, ["lapses", "narrow start", "SSP"], seed=2)
    assert found.best == BASE
    assert found.frequencies.frequencies.argmax() == 0


@pytest.mark.slow
def test_a_planted_spotlight_is_named() -> None:
    assert planted(inc.models.ssp(), SPOTLIGHT, ["SSP"], seed=3).best == "SSP"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lapses", "drift variability"])
def test_evidence_at_other_widths_is_that_under_those_priors(
    of_dmc: tuple[inc.Draws, inc.Trials], name: str
) -> None:
    """Sampled anew under the wider or narrower prior, it is the same."""
    draws, study = (both.select(slice(1)) for both in of_dmc)
    usual = {one.name: one for one in changes.usual_changes(draws.simulator.model)}[name]
    found = variants(draws, study, [usual], seed=1)[name]
    for i, width in enumerate((0.5, 2.0)):

        def at(factor: float, width: float = width) -> Mapping[str, Distribution]:
            return usual.prior_at(width * factor)

        anew = variants(draws, study, [replace(usual, name="anew", prior_at=at)], seed=2)
        assert found.at_widths[i] == pytest.approx(anew["anew"].log_evidence, abs=0.15)

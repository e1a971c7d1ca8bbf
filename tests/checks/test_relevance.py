"""Sizes of misfits against margins: what they are, and what does not change them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import incongruent as inc
from incongruent.checks.conclusions import Verdict
from incongruent.checks.decision import Answers, decide
from incongruent.checks.model.relevance import (
    Margins,
    Misfit,
    all_sizes,
    misfits_of,
    relevant_among,
    sentences_of,
    sizes_of,
    still_failing,
    table_of,
)
from incongruent.checks.panel_statistics import Kind, Statistic, statistics_for
from incongruent.checks.panel_values import panel_values
from incongruent.checks.simultaneous import Simultaneous

pytestmark = pytest.mark.usefixtures("optimised")

HALF = {"congruent": 0.5, "incongruent": 0.5}
USUAL = Margins()


@pytest.fixture(scope="module")
def people() -> inc.Trials:
    theta = inc.priors.schaefer2025().sample(12, seed=np.random.default_rng(1))
    design = inc.Design(200, HALF)
    return inc.Simulator(inc.models.dmc(), inc.priors.broad(), design).simulate_at(theta, seed=2)


@pytest.fixture(scope="module")
def known(people: inc.Trials) -> tuple[Statistic, ...]:
    return statistics_for(people)


@pytest.fixture(scope="module")
def values(people: inc.Trials, known: tuple[Statistic, ...]) -> np.ndarray:
    return panel_values(people, known)


@pytest.fixture(scope="module")
def panel() -> inc.Panel:
    """Of one person in fifty who answers at random: skewness and SD fail."""
    lapsing = inc.models.dmc(free=["lapse"])
    theta = inc.priors.schaefer2025().sample(8, seed=np.random.default_rng(3))
    prior = inc.priors.broad().extended(lapse=inc.priors.lapse_rate())
    simulator = inc.Simulator(lapsing, prior, inc.Design(200, HALF))
    study = simulator.simulate_at(np.column_stack([theta, np.full(8, 0.03)]), seed=4)
    return inc.predictive_panel(
        inc.pretrained("dmc"), study, n_replicates=39, n_predictions=5, seed=5
    )


def by_name(found: tuple[Misfit, ...]) -> dict[str, Misfit]:
    return {misfit.name: misfit for misfit in found}


def sizes(
    known: tuple[Statistic, ...], observed: np.ndarray, predicted: np.ndarray, **margins: float
) -> dict[str, Misfit]:
    return by_name(
        sizes_of(known, observed, predicted, np.zeros_like(observed), Margins(**margins))
    )


def test_sizes_are_differences_in_units_that_people_know(
    known: tuple[Statistic, ...], values: np.ndarray
) -> None:
    at = {s.name: i for i, s in enumerate(known)}
    predicted = values.copy()
    predicted[:, at["RT quantile 0.5, congruent"]] -= 7.0
    predicted[:, at["errors, incongruent"]] += 1.5
    predicted[:, at["SD of RT, congruent"]] *= 0.8
    predicted[:, at["skewness of RT, congruent"]] -= 0.3
    predicted[:, at["delta at 0.9"]] += 20.0
    found = sizes(known, values, predicted)
    expected = {
        "RT quantile 0.5, congruent": (7.0, "ms", False),
        "errors, incongruent": (-1.5, "points", False),
        "SD of RT, congruent": (25.0, "% of the SD", True),
        "skewness of RT, congruent": (0.3, "", False),
        "delta at 0.9": (-20.0, "ms", True),
        "mean RT, congruent": (0.0, "ms", False),
    }
    for name, (size, unit, relevant) in expected.items():
        assert found[name].size == pytest.approx(size, abs=1e-4)
        assert (found[name].unit, found[name].relevant) == (unit, relevant)


def test_sizes_in_margins_do_not_depend_on_the_unit_of_time(
    known: tuple[Statistic, ...], values: np.ndarray
) -> None:
    """RTs in tenths of a ms, with a margin in tenths of a ms: the same shares of their margins."""
    times = np.array([10.0 if s.unit in ("ms", "ms per 100 ms") else 1.0 for s in known])
    predicted = values * np.random.default_rng(6).uniform(0.9, 1.1, values.shape)
    one = sizes(known, values, predicted)
    other = sizes(known, values * times, predicted * times, ms=100.0)
    for name, misfit in one.items():
        assert other[name].shares_of_margin == pytest.approx(misfit.shares_of_margin)
        assert other[name].relevant == misfit.relevant


def test_what_replicates_differ_by_is_no_misfit(
    known: tuple[Statistic, ...], values: np.ndarray
) -> None:
    bias = np.random.default_rng(7).normal(0.0, 1.0, values.shape)
    sized = sizes_of(known, values + bias, values, bias, USUAL)
    assert all(abs(misfit.size) < 1e-4 for misfit in sized)


def test_people_without_a_statistic_are_left_out(
    known: tuple[Statistic, ...], values: np.ndarray
) -> None:
    observed, predicted = values.copy(), values - 3.0
    observed[:5], predicted[5:7] = np.nan, np.nan
    for misfit in sizes_of(known, observed, predicted, np.full_like(values, np.nan), USUAL):
        if misfit.unit != "% of the SD":
            assert misfit.size == pytest.approx(3.0, abs=1e-4)
    nobody = sizes_of(known, np.full_like(values, np.nan), predicted, predicted, USUAL)
    assert all(misfit.relevant and "unknown" in misfit.words for misfit in nobody)


def test_margins_of_each_kind_follow_from_three_numbers(
    known: tuple[Statistic, ...], values: np.ndarray
) -> None:
    found = sizes(known, values, values, ms=8.0, errors=3.0, sd=0.2)
    sd = found["SD of RT, incongruent"].predicted
    assert found["SD of RT, incongruent"].margin == pytest.approx(20.0)
    assert found["RT quantile 0.9, incongruent"].margin == pytest.approx(max(8.0, 0.2 * sd))
    assert found["mean RT, incongruent"].margin == pytest.approx(max(8.0, 0.2 * sd))
    assert found["delta at 0.9"].margin == found["delta, last slope"].margin == 8.0
    assert found["error − correct RT, congruent"].margin == 20.0
    assert found["errors, congruent"].margin == found["RT < 250 ms"].margin == 3.0
    assert found["accuracy, RT bin 1, congruent"].margin == 7.5
    assert found["skewness of RT, congruent"].margin == pytest.approx(1.2)


def test_a_skewness_at_its_margin_moves_mean_and_median_apart_by_the_margin_of_the_sd() -> None:
    """Of gamma distributions, whose skewness is 2 / sqrt(shape)."""
    from scipy import stats

    def apart(skewness: float) -> float:
        gamma = stats.gamma(4.0 / skewness**2)
        return float((gamma.mean() - gamma.median()) / gamma.std())

    for sd in (0.02, 0.05, 0.1):
        margin = 6.0 * sd
        assert apart(0.5 + margin) - apart(0.5) == pytest.approx(sd, rel=0.1)


def test_a_flanker_study_with_nothing_that_readers_would_call_a_misfit(
    known: tuple[Statistic, ...], values: np.ndarray
) -> None:
    """What a panel of 72 people with 320 trials each finds beyond chance, and nobody cares for."""
    at = {s.name: i for i, s in enumerate(known)}
    seen = {
        "skewness of RT, congruent": (0.72, 0.88),
        "RT quantile 0.5, congruent": (472.0, 470.0),
        "errors, congruent": (3.2, 2.9),
        "errors, incongruent": (8.7, 9.2),
    }
    observed, predicted = values.copy(), values.copy()
    for name, (of_people, of_model) in seen.items():
        observed[:, at[name]], predicted[:, at[name]] = of_people, of_model
    found = sizes(known, observed, predicted)
    assert relevant_among([found[name] for name in seen]) == ()


def test_margins_are_about_what_one_person_can_show() -> None:
    """Standard errors of a person with 100 trials a condition, in margins; errors are too few for
    how slow they are.
    """
    theta = np.tile([20.0, 100.0, 0.55, 58.0, 320.0, 30.0], (1000, 1))
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.broad(), inc.Design(200, HALF))
    same = simulator.simulate_at(theta, seed=11)
    known = statistics_for(same)
    values = panel_values(same, known)
    each = sizes_of(known, values, values, np.zeros_like(values), USUAL)
    sd = np.nanstd(values, axis=0)
    of_sd = [100.0 / m.predicted if m.unit == "% of the SD" else 1.0 for m in each]
    errors = dict(zip([m.name for m in each], sd * of_sd / [m.margin for m in each], strict=True))
    usual = [e for name, e in errors.items() if "RT <" not in name and "slope" not in name]
    assert 0.6 < np.median(usual) < 1.1
    assert errors["RT quantile 0.5, incongruent"] == pytest.approx(1.0, abs=0.15)
    assert errors["delta at 0.5"] == pytest.approx(1.2, abs=0.15)
    assert errors["skewness of RT, congruent"] == pytest.approx(1.0, abs=0.2)
    assert errors["errors, congruent"] == pytest.approx(0.7, abs=0.1)


def with_a_bump(study: inc.Trials, ms: float) -> inc.Trials:
    """Correct RTs around the 0.3 quantile of each person and condition are later, by so many ms."""
    rt = study.values["rt"].copy()
    for level in HALF:
        correct = study.where("condition", level) & study.where("response", "correct")
        for person, here in enumerate(correct):
            rank = (np.argsort(np.argsort(rt[person, here])) + 0.5) / here.sum()
            rt[person, here] += ms * np.clip(1.0 - np.abs(rank - 0.3) / 0.2, 0.0, 1.0)
    return replace(study, values={**study.values, "rt": rt})


@pytest.mark.slow
@pytest.mark.parametrize(("ms", "verdict"), [(7.0, Verdict.ADEQUATE), (25.0, Verdict.DEFICIENT)])
def test_in_many_people_a_small_misfit_is_found_and_called_adequate(
    ms: float, verdict: Verdict
) -> None:
    """A bump that no diffusion has: 7 ms are more than chance, and do not matter; 25 ms do."""
    theta = inc.priors.schaefer2025().sample(40, seed=np.random.default_rng(12))
    design = inc.Design(400, HALF)
    study = inc.Simulator(inc.models.dmc(), inc.priors.broad(), design).simulate_at(theta, seed=13)
    panel = inc.predictive_panel(
        inc.pretrained("dmc"),
        with_a_bump(study, ms),
        n_replicates=39,
        n_predictions=4,
        seed=14,
    )
    failing = misfits_of(panel, USUAL)
    assert any(misfit.name.startswith("RT quantile 0.3") for misfit in failing)
    answers = Answers(pooled=False, many_outside=False, moves=(), failing=failing)
    assert decide(answers).verdict is verdict


@pytest.mark.parametrize("name", ["ms", "errors", "sd", "moves"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_margins_are_positive_numbers(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"Expected a positive number for the margin '{name}'"):
        Margins(**{name: value})


def test_what_fails_is_told_with_its_size(panel: inc.Panel) -> None:
    failing = panel.failing()
    assert any(name.startswith(("skewness", "SD")) for name in failing)
    misfits = misfits_of(panel, USUAL)
    assert tuple(misfit.name for misfit in misfits) == failing
    first, *sentences = sentences_of(panel, USUAL)
    n = len(relevant_among(misfits))
    assert first.endswith(f"the fitted model fails in {len(failing)}, relevantly in {n}.")
    for misfit, sentence in zip(misfits, sentences, strict=False):
        assert sentence.endswith(f"Size: {misfit.words}, relevant.") == misfit.relevant
    assert sentences[-1].startswith("Taken alone")
    assert len(sentences) == len(failing) + 1
    table = table_of(panel, USUAL).set_index("statistic")
    assert table.index[table["relevant"]].isin(failing).all()
    assert table["relevant"].sum() == n
    json = [misfit.to_json() for misfit in misfits]
    assert [row["statistic"] for row in json] == list(failing)
    assert table.loc[failing[0], "size"] == json[0]["size"]


def test_sizes_of_a_person_are_their_own(panel: inc.Panel) -> None:
    alone = by_name(all_sizes(panel, USUAL, 2))
    for i, statistic in enumerate(panel.statistics):
        difference = panel.observed[2, i] - panel.predicted[2, i] - panel.usual[2, i]
        if statistic.unit != "%" and statistic.kind is not Kind.SD_RT:
            np.testing.assert_allclose(alone[statistic.name].size, difference)


def test_where_nothing_fails_nothing_is_sized(panel: inc.Panel) -> None:
    group = panel.group
    quiet = replace(
        panel, group=Simultaneous(group.z, group.p, np.ones_like(group.adjusted), group.band)
    )
    assert misfits_of(quiet, USUAL) == ()
    assert sentences_of(quiet, USUAL) == tuple(str(quiet).splitlines())
    assert not table_of(quiet, USUAL)["relevant"].any()


def test_usual_is_what_replicates_differ_by(panel: inc.Panel) -> None:
    assert panel.usual.shape == panel.observed.shape
    assert np.nanmax(np.abs(panel.usual[:, 0])) < 15.0  # ms


def test_what_is_as_large_under_another_prior_still_fails(panel: inc.Panel) -> None:
    """Also where it cannot be told from chance there; what has become small does not."""
    failing = misfits_of(panel, USUAL)
    assert relevant_among(failing)
    ones = np.ones_like(panel.group.adjusted)
    quiet = replace(panel, group=replace(panel.group, adjusted=ones))
    still = still_failing(failing, quiet, USUAL)
    assert still == relevant_among(failing)
    gone = replace(quiet, observed=panel.predicted + panel.usual)
    assert still_failing(failing, gone, USUAL) == ()
    assert still_failing((), quiet, USUAL) == ()
    assert still_failing(failing, panel, USUAL) == failing
    wide = Margins(ms=1e4, errors=1e4, sd=1e4)
    assert still_failing(misfits_of(panel, wide), quiet, wide) == ()

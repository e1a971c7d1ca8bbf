"""Verdicts on studies about which the truth is known, and what is written of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import incongruent as inc
from incongruent.checks.conclusions import Verdict
from incongruent.checks.hygiene.findings import Severity
from incongruent.checks.model.relevance import Margins, misfits_of
from incongruent.checks.record import Check
from incongruent.checks.simultaneous import Simultaneous
from incongruent.checks.verdict import check
from incongruent.data.demo import demo_study
from incongruent.data.trials import Trials
from incongruent.report.files import write_check

pytestmark = pytest.mark.usefixtures("optimised")

SHARE = {"congruent": 0.5, "incongruent": 0.5}


@pytest.fixture(scope="module")
def dmc() -> inc.Posterior:
    return inc.pretrained("dmc")


@pytest.fixture(scope="module")
def demo(dmc: inc.Posterior) -> Check:
    """Thirty people of a population much narrower than the network's prior, made by the model
    itself.
    """
    return check(dmc, demo_study(), n_replicates=39, seed=1)


def people_of(model: inc.Model, theta: np.ndarray, n_trials: int, seed: int) -> Trials:
    prior = inc.priors.broad()
    return inc.Simulator(model, prior, inc.Design(n_trials, SHARE)).simulate_at(theta, seed=seed)


def test_people_narrower_than_the_prior_are_safe_but_wasteful(demo: Check) -> None:
    assert demo.verdict is Verdict.WASTEFUL
    assert demo.outside == ()
    assert demo.scope.too_central
    assert demo.mmd.direction == "narrower"
    assert demo.mmd_after is not None
    assert demo.mmd_after.p_value > 0.05
    assert any(sentence.startswith("The prior may be narrower") for sentence in demo.advice)
    assert any(sentence.startswith("Train with Prior(") for sentence in demo.advice)


def test_a_prior_that_does_not_help_is_not_recommended(demo: Check) -> None:
    assert demo.mmd_after is not None
    advice = replace(demo, mmd_after=replace(demo.mmd_after, p_value=0.001)).advice
    assert any(sentence.startswith("Moving the prior alone does not help") for sentence in advice)
    assert not any(sentence.startswith("Train with") for sentence in advice)


def test_every_question_is_on_the_page_with_its_numbers(demo: Check) -> None:
    page = str(demo)
    assert page.startswith("# Safe but wasteful")
    assert page.count("\n## ") == 6
    assert f"p = {demo.mmd.p_value:.3g}" in page
    assert "  \n" not in page


def test_what_is_written_is_what_was_found(demo: Check, tmp_path: Path) -> None:
    (tmp_path / "panel.png").write_bytes(b"of an earlier check")
    written = write_check(demo, tmp_path)
    assert {path.name for path in written} == {
        "verdict.md",
        "verdict.json",
        "people.csv",
        "scope.png",
        "panel.png",
    }
    assert all(path.stat().st_size > 100 for path in written)
    found = json.loads((tmp_path / "verdict.json").read_text())
    assert found["verdict"] == "safe but wasteful"
    assert set(found["questions"]) == {
        "hygiene",
        "scope",
        "mmd",
        "model",
        "prior",
        "suggestion",
        "mmd_after",
    }
    assert found["questions"]["suggestion"]["prior"].keys() == {
        "A",
        "tau",
        "mu_c",
        "b",
        "mu_R",
        "sd_R",
    }
    assert found["advice"] == list(demo.advice)
    people = pd.read_csv(tmp_path / "people.csv")
    assert people["participant"].astype(str).tolist() == list(demo.scope.names)
    assert list(people.columns) == [
        "participant",
        "p",
        "adjusted",
        "score",
        "depth",
        "outside",
        "stands_out",
        "failing",
        "relevant",
    ]
    assert found["margins"] == {"ms": 10.0, "errors": 2.0, "sd": 0.1, "moves": 0.5}
    statistics = found["questions"]["model"]["statistics"]
    assert {"size", "size_unit", "margin", "relevant"} <= statistics[0].keys()


@pytest.fixture(scope="module")
def lapsing(dmc: inc.Posterior) -> Check:
    """Eight people who answer at random in one trial of ten."""
    rng = np.random.default_rng(3)
    lapses = inc.models.dmc(free=("lapse",))
    theta = inc.priors.schaefer2025().sample(8, seed=rng)
    prior = inc.priors.broad().extended(lapse=stats.beta(2, 40))
    simulator = inc.Simulator(lapses, prior, inc.Design(200, SHARE))
    study = simulator.simulate_at(np.column_stack([theta, np.full(8, 0.1)]), seed=5)
    return check(dmc, study, n_replicates=39, seed=1)


@pytest.mark.slow
def test_people_who_lapse_are_adequately_described_with_lapses(lapsing: Check) -> None:
    assert any(name.startswith(("skewness", "SD")) for name in lapsing.panel.failing()[:3])
    assert any(misfit.relevant for misfit in lapsing.misfits())
    assert lapsing.which_variant is not None
    assert lapsing.verdict is Verdict.ADEQUATE_WITH
    assert lapsing.decision.variant is not None
    assert "lapses" in lapsing.decision.variant
    assert lapsing.extension is None
    said = "\n".join(lapsing.advice)
    assert "Use the model with " in said
    assert "What moves" in said
    assert str(lapsing).startswith(f"# Adequate with {lapsing.decision.variant}")
    written = lapsing.to_json()
    assert written["verdict"] == f"adequate with {lapsing.decision.variant}"
    assert written["variant"] == lapsing.decision.variant
    names = [row["variant"] for row in written["questions"]["variants"]["rows"]]
    assert names == list(lapsing.which_variant.names)


@pytest.mark.slow
def test_without_a_variant_that_repairs_them_they_make_a_deficient_model(lapsing: Check) -> None:
    alone = replace(lapsing, which_variant=None)
    assert alone.verdict is Verdict.DEFICIENT
    assert any("it does not predict" in sentence for sentence in alone.advice)
    assert lapsing.which_variant is not None
    rows = [row for row in lapsing.which_variant.rows if "lapses" not in row.name]
    others = replace(lapsing, which_variant=replace(lapsing.which_variant, rows=tuple(rows)))
    assert others.verdict is Verdict.DEFICIENT
    assert any(sentence.startswith("The closest variant, ") for sentence in others.advice)


@pytest.mark.slow
def test_pooled_batches_are_outside_with_the_reason(dmc: inc.Posterior) -> None:
    """Random batches of everybody's trials are nobody's."""
    theta = inc.priors.broad().sample(20, seed=np.random.default_rng(4))
    people = people_of(inc.models.dmc(), theta, 120, seed=6)
    rng = np.random.default_rng(7)
    whole = {name: values[people.present] for name, values in people.values.items()}
    order = rng.permutation(int(people.present.sum()))[: 20 * 110].reshape(20, 110)
    values, answered = (
        {name: values[order] for name, values in whole.items()},
        people.answered[people.present][order],
    )
    pooled = replace(
        people, values=values, answered=answered, present=np.ones((20, 110), bool), excluded={}
    )
    found = check(dmc, pooled, n_replicates=39, seed=1)
    assert found.hygiene["units"].severity is Severity.WARNING
    assert found.verdict is Verdict.OUTSIDE
    assert found.advice[0] == found.hygiene["units"].sentence


def test_people_outside_are_named_and_left_out_of_the_rest(dmc: inc.Posterior) -> None:
    """Two machines, who answer after half a second, among ten people made by the model."""
    theta = inc.priors.schaefer2025().sample(10, seed=np.random.default_rng(9))
    people = people_of(inc.models.dmc(), theta, 200, seed=8)
    rng = np.random.default_rng(10)
    values, rows = dict(people.values), slice(8, 10)
    values["rt"] = values["rt"].copy()
    values["rt"][rows] = rng.uniform(495.0, 505.0, values["rt"][rows].shape)
    found = check(dmc, replace(people, values=values), n_replicates=39, seed=1)
    assert set(found.outside) == set(people.names[8:])
    assert set(found.panel.names) == set(people.names[:8])
    assert found.verdict is not Verdict.OUTSIDE
    assert any("Do not trust the posteriors" in sentence for sentence in found.advice)


def test_one_person_gets_a_verdict(dmc: inc.Posterior) -> None:
    found = check(dmc, demo_study().select([4]), n_replicates=39, seed=1)
    assert found.suggestion is None
    assert found.verdict in set(Verdict)
    json.dumps(found.to_json(), allow_nan=False)


def failing_in(panel: inc.Panel, name: str, size: float) -> inc.Panel:
    """The same panel, as if the group failed in one statistic, by so much."""
    at = [s.name for s in panel.statistics].index(name)
    z, adjusted = panel.group.z.copy(), np.ones_like(panel.group.adjusted)
    z[at], adjusted[at] = np.sign(size) * 9.0, 0.01
    observed = panel.observed.copy()
    observed[:, at] = panel.predicted[:, at] + panel.usual[:, at] + size
    tests = Simultaneous(z, panel.group.p, adjusted, panel.group.band)
    return replace(panel, observed=observed, group=tests)


def test_the_order_of_the_questions(demo: Check) -> None:
    """Pooled data before the model, the model before the prior."""
    assert replace(demo, prior=None).verdict is Verdict.WELL_SPECIFIED
    everybody = replace(demo.scope, adjusted=np.zeros(len(demo.scope)))
    assert replace(demo, scope=everybody, prior=None).verdict is Verdict.OUTSIDE
    assert demo.prior is not None
    moved = replace(demo.prior, location=np.full(6, -4.0), adjusted_location=np.full(6, 0.001))
    assert replace(demo, prior=moved).verdict is Verdict.MOVE_PRIOR
    fails = failing_in(demo.panel, "delta at 0.9", -20.0)
    assert replace(demo, prior=moved, panel=fails).verdict is Verdict.DEFICIENT


def test_a_failure_is_weighed_against_the_margins(demo: Check) -> None:
    fails = replace(demo, panel=failing_in(demo.panel, "delta at 0.9", -8.0))
    assert fails.verdict is Verdict.ADEQUATE
    assert any(
        sentence.startswith("Nothing has to change about the model: what fails is too small")
        and sentence.endswith("the largest is delta at 0.9, −8.0 ms against a margin of 10.")
        for sentence in fails.advice
    )
    strict = replace(fails, margins=Margins(ms=5.0))
    assert strict.verdict is Verdict.DEFICIENT
    assert any("delta at 0.9 (−8.0 ms against a margin of 5.0)" in said for said in strict.advice)
    assert "Size: −8.0 ms against a margin of 5.0, relevant." in str(strict)
    assert [misfit.relevant for misfit in strict.misfits()] == [True]


def test_what_the_prior_explains_is_not_held_against_the_model(demo: Check) -> None:
    """Fails under the prior in use, and not under the suggested one."""
    fails = failing_in(demo.panel, "delta at 0.9", -20.0)
    explained = replace(demo, panel=fails, panel_after=demo.panel)
    assert explained.verdict is Verdict.MOVE_PRIOR
    assert any("not under one made for these people" in said for said in explained.advice)
    assert not any("Do not interpret" in said for said in explained.advice)
    assert "\n## Does it under a prior made for these people?\n" in str(explained)
    both = replace(demo, panel=fails, panel_after=fails)
    assert both.verdict is Verdict.DEFICIENT
    assert any("under a prior made for them either" in said for said in both.advice)
    small = replace(
        demo, panel=failing_in(demo.panel, "delta at 0.9", -5.0), panel_after=demo.panel
    )
    assert small.verdict is Verdict.ADEQUATE


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_says_what_it_means(verdict: Verdict) -> None:
    assert verdict.meaning
    assert not verdict.meaning.endswith(".")


def test_a_study_of_another_kind_is_refused(dmc: inc.Posterior) -> None:
    other = inc.trials_from({"x": np.ones((3, 5))}, columns=(inc.Continuous("x"),))
    with pytest.raises(
        ValueError,
        match=r"Expected trials with the columns \['condition', 'response', 'rt'\]; got \['x'\]",
    ):
        check(dmc, other, seed=1)


@pytest.fixture
def published(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Public data sets are found in the folder with real data."""
    monkeypatch.setenv("INCONGRUENT_DATA", str(data_folder))


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_the_long_tails_of_a_published_flanker_task_are_named(dmc: inc.Posterior) -> None:
    flanker = check(dmc, inc.datasets.load("ulrich2015_flanker"), seed=1)
    assert flanker.which_variant is not None
    assert {"skewness of RT, congruent", "skewness of RT, incongruent"} <= set(
        flanker.panel.failing()
    )
    assert flanker.which_variant["lapses"].log_evidence > 10.0
    assert any(m.relevant for m in misfits_of(flanker.panel, flanker.margins))


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_the_delta_function_of_a_published_simon_task_falls_below_zero(dmc: inc.Posterior) -> None:
    simon = check(dmc, inc.datasets.load("pratte2010_simon1"), seed=1)
    assert simon.verdict is Verdict.DEFICIENT
    at = [s.name for s in simon.panel.statistics].index("delta at 0.9")
    assert "delta at 0.9" in simon.panel.failing()
    assert simon.panel.group.z[at] < 0
    assert simon.hygiene["congruency sequence"].severity is Severity.WARNING


@pytest.mark.long
@pytest.mark.usefixtures("published")
def test_a_published_flanker_task_of_121_people_hardly_has_a_conflict(dmc: inc.Posterior) -> None:
    letters = check(dmc, inc.datasets.load("vonbastian2016_flanker"), seed=1)
    assert letters.hygiene["congruency effect"].severity is Severity.WARNING
    assert letters.prior is not None
    assert letters.prior.moves()[0] == ("A", "down")
    assert letters.suggestion is not None
    assert "tau" in letters.suggestion.kept
    assert float(letters.suggestion.prior["A"].ppf(0.5)) < 3.0

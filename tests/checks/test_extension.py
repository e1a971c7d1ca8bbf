"""Which extension explains what fails: what was planted is named, otherwise nothing."""

from __future__ import annotations

import json

import pytest
from scipy import stats

import incongruent as inc
from incongruent.checks.model import imitation
from incongruent.checks.model.candidates import Extension, Variant, default_extensions
from incongruent.checks.model.ranking import ExtensionRanking

HALF = {"congruent": 0.5, "incongruent": 0.5}


def study_with(
    parameter: str | None, amount: float, n_people: int, n_trials: int, seed: int
) -> inc.Trials:
    """People of a published prior who also have one parameter more."""
    prior = inc.priors.schaefer2025()
    several = {name: prior[name] for name in prior.names}
    more = {} if parameter is None else {parameter: stats.uniform(amount - 1e-4, 2e-4)}
    model = inc.models.dmc(free=list(more))
    return (
        inc.Simulator(model, inc.Prior(**several, **more), inc.Design(n_trials, HALF))
        .simulate(n_people, seed=seed)
        .trials
    )


def some(*names: str) -> list[Extension]:
    return [
        extension for extension in default_extensions(inc.models.dmc()) if extension.name in names
    ]


def test_usual_candidates_leave_out_what_the_model_has() -> None:
    names = [extension.name for extension in default_extensions(inc.models.dmc())]
    assert names == [
        "lapses",
        "drift variability",
        "start-point variability",
        "free shape a",
        "collapsing bound",
        "SSP",
        "DSTP",
    ]
    assert "lapses" not in [
        extension.name for extension in default_extensions(inc.models.dmc(free=["lapse"]))
    ]
    assert "DMC" in [extension.name for extension in default_extensions(inc.models.ssp())]
    assert [extension.name for extension in default_extensions(inc.models.rdmc())] == [
        "lapses",
        "drift variability",
        "time constants that differ",
        "DMC",
        "SSP",
        "DSTP",
    ]
    assert "time constants that differ" not in [
        extension.name for extension in default_extensions(inc.models.rdmc(free=["tau_ratio"]))
    ]
    assert some("lapses")[0].sentence(0.05) == "Lapses of about 5 % of trials"
    with pytest.raises(ValueError, match="Expected extensions for the model 'dstp'"):
        default_extensions(inc.models.dstp())


def test_candidates_that_are_not_such_are_refused() -> None:
    lapsing = inc.models.dmc(free=["lapse"])
    with pytest.raises(ValueError, match="Expected variants of 'x' with rising amounts"):
        Extension(
            "x",
            (Variant(0.2, lapsing, {"lapse": 0.2}), Variant(0.1, lapsing, {"lapse": 0.1})),
            0.0,
            "x",
        )
    with pytest.raises(ValueError, match="Expected a base amount for 'x', or a prior"):
        Extension("x", (Variant(0.2, inc.models.ssp()),), None, "x")


@pytest.fixture(scope="module")
def lapsing(posterior: inc.Posterior) -> tuple[inc.Trials, inc.Panel]:
    study = study_with("lapse", 0.1, 20, 200, 13)
    return study, inc.predictive_panel(posterior, study, n_replicates=59, n_predictions=5, seed=1)


def test_lapses_are_named(
    posterior: inc.Posterior, lapsing: tuple[inc.Trials, inc.Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imitation, "DATASETS", 400)
    study, panel = lapsing
    found = inc.rank_extensions(
        posterior, study, panel, extensions=some("lapses", "free shape a"), seed=1
    )
    assert found.best == "lapses"
    first = found.candidates[0]
    assert 0.05 <= first.amount <= 0.2
    assert first.p == pytest.approx(1 / 60)
    assert set(first.repaired) | set(first.remaining) == set(panel.failing())
    assert found.sentences()[0].startswith("Lapses of about ")
    assert "free=['lapse']" in found.advice
    assert found.table().columns.tolist() == [
        "extension",
        "amount",
        "log_odds",
        "p",
        "repaired",
        "remaining",
        "spoiled",
        "accepted",
    ]
    assert json.loads(json.dumps(found.to_json(), default=float))["best"] == "lapses"


def test_what_does_not_explain_is_not_accepted(
    posterior: inc.Posterior, lapsing: tuple[inc.Trials, inc.Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imitation, "DATASETS", 200)
    found = inc.rank_extensions(posterior, *lapsing, extensions=some("collapsing bound"), seed=1)
    assert found.best is None
    (said,) = found.sentences()
    assert said.startswith("collapsing bound does not explain what the model fails in: it repairs ")
    assert found.advice.startswith("None of the usual extensions")


def test_nothing_fails_nothing_is_asked(posterior: inc.Posterior) -> None:
    study = study_with(None, 0.0, 10, 150, 21)
    found = inc.rank_extensions(
        posterior,
        study,
        inc.predictive_panel(posterior, study, n_replicates=39, n_predictions=4, seed=1),
        seed=1,
    )
    assert found.best is None
    assert found.sentences() == (
        "The fitted model fails in no statistic of the group, so there is nothing to explain.",
    )


def test_a_panel_of_other_people_is_refused(
    posterior: inc.Posterior, lapsing: tuple[inc.Trials, inc.Panel]
) -> None:
    study, panel = lapsing
    with pytest.raises(ValueError, match="Expected a panel of the people of the study"):
        inc.rank_extensions(posterior, study.select([0, 1]), panel, seed=1)


def test_no_candidates_are_said_to_be_none() -> None:
    assert ExtensionRanking((), ("a",), 9).sentences() == ("No extension was asked about.",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameter", "amount", "name"),
    [("lapse", 0.05, "lapses"), ("drift_sd", 0.25, "drift variability")],
)
def test_what_was_planted_is_named_among_all_of_one_kind(
    parameter: str, amount: float, name: str
) -> None:
    posterior, study = inc.pretrained("dmc"), study_with(parameter, amount, 20, 300, 7)
    panel = inc.predictive_panel(posterior, study, n_replicates=99, seed=1)
    found = inc.rank_extensions(
        posterior, study, panel, extensions=some("lapses", "drift variability"), seed=1
    )
    assert found.best == name
    assert 0.5 * amount < found.candidates[0].amount < 2.0 * amount

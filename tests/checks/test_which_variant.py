"""Which variant: what is planted is named and repairs, the panel is met, and words are plain."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent import changes, plots
from incongruent.checks.model import which_variant as module
from incongruent.checks.model.candidates import for_signatures
from incongruent.checks.model.moves import Move, New, moves_between
from incongruent.checks.model.panel import Panel
from incongruent.checks.model.under_variant import UnderVariant
from incongruent.checks.model.variant_predictions import (
    Predicted,
    at_population_width,
    failing_by_panel,
    group_z,
)
from incongruent.checks.model.variant_sentences import subject, words_of_moves, words_of_repair
from incongruent.checks.model.which_variant import WhichVariant, which_variant
from incongruent.checks.model.worth_asking import worth_asking
from incongruent.exact.change import Change
from incongruent.exact.variant_results import BASE, VariantFit
from incongruent.plots.which_variant import which_variant_figure

HALF = {"congruent": 0.5, "incongruent": 0.5}
SEED = 3
MANY: Any = stats.beta(2, 38)


@pytest.fixture(scope="module")
def posterior() -> inc.Posterior:
    return inc.pretrained("dmc")


@pytest.fixture(scope="module")
def study() -> inc.Trials:
    """Five people who answer at random in about one of twenty trials."""
    prior = inc.priors.schaefer2025().extended(lapse=stats.beta(50, 950))
    simulator = inc.Simulator(inc.models.dmc(free=["lapse"]), prior, inc.Design(160, HALF))
    return simulator.simulate(5, seed=SEED).trials


@pytest.fixture(scope="module")
def panel(posterior: inc.Posterior, study: inc.Trials) -> Panel:
    return inc.predictive_panel(posterior, study, n_replicates=39, n_predictions=3, seed=SEED)


@pytest.fixture(scope="module")
def found(posterior: inc.Posterior, study: inc.Trials, panel: Panel) -> WhichVariant:
    asked = ["lapses", "SSP"]
    found = which_variant(posterior, study, panel, asked=asked, seed=SEED)
    assert found is not None
    return found


def test_the_first_row_is_the_panel(found: WhichVariant, panel: Panel) -> None:
    first = found.rows[0]
    assert (first.name, first.log_evidence, first.repaired) == (BASE, 0.0, ())
    np.testing.assert_array_equal(first.z, panel.group.z)
    np.testing.assert_array_equal(first.predicted, panel.predicted)
    assert first.failing == first.remaining == panel.failing()
    assert all(move.before == move.after for move in first.moves)
    for values, expected in zip(first.means(), panel.result()[:2], strict=True):
        np.testing.assert_allclose(values, expected)


def test_planted_lapses_are_named_and_repair(found: WhichVariant, panel: Panel) -> None:
    lapses = found["lapses"]
    assert found.best == "lapses"
    assert found.names == (BASE, "lapses", "SSP")
    assert lapses.log_evidence > 50.0
    assert lapses.share_better > 0.5
    assert len(lapses.repaired) > len(lapses.remaining)
    assert set(lapses.repaired) | set(lapses.remaining) >= set(panel.failing())
    assert not set(lapses.repaired) & set(lapses.remaining)
    (new,) = lapses.new
    assert (new.parameter, new.unit) == ("lapse", "")
    assert new.mean == pytest.approx(0.05, abs=0.02)
    assert {move.parameter for move in lapses.moves} == {"A", "tau", "mu_c", "b", "mu_R", "sd_R"}


def test_another_mechanism_moves_nothing(found: WhichVariant) -> None:
    assert found["SSP"].moves == ()  # its b and mu_R are other parameters of the same name


def test_values_are_plain_and_sentences_say_them(found: WhichVariant) -> None:
    rows = json.loads(json.dumps(found.to_json(), allow_nan=False))["rows"]
    assert [row["variant"] for row in rows] == list(found.names)
    assert set(rows[1]) >= {
        "variant",
        "log_evidence",
        "share_better",
        "frequency",
        "exceedance",
        "repaired",
        "remaining",
        "moves",
    }
    text = str(found)
    assert text.startswith("Lapses (in ")
    assert " % of trials)" in text
    n = len(found[BASE].failing)
    assert n > 1
    assert f"Of {n} statistics that fail, it predicts" in text
    assert "-" not in text.replace("non-", "")


def test_of_many_people_some_are_asked_first_about_what_is_less_usual(
    posterior: inc.Posterior,
    study: inc.Trials,
    panel: Panel,
    found: WhichVariant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lapses are usual here, SSP is not worth asking everybody, many lapses are."""
    more = Change("many lapses", "many lapses", ("lapse",), prior_at=lambda width: {"lapse": MANY})
    wide = Change("wide start", "", settings={"start": "beta", "alpha": 1.5})
    asked = ((wide,),), ((more,), (changes.narrow_start(),))
    monkeypatch.setattr(module, "worth_asking", lambda model: asked)
    monkeypatch.setattr(module, "FEW_PEOPLE", 4)
    monkeypatch.setattr(module, "N_SCREENED", 2)
    again = which_variant(posterior, study, panel, seed=SEED)
    assert again is not None
    assert again.names[:3] == (BASE, "wide start", "many lapses")
    assert again.best == "many lapses"
    assert again["many lapses"].log_evidence > found["lapses"].log_evidence - 3.0


def test_the_people_have_to_be_those_of_the_panel(
    posterior: inc.Posterior, study: inc.Trials, panel: Panel
) -> None:
    with pytest.raises(ValueError, match="Expected a panel of the people of the study"):
        which_variant(posterior, study.select([0, 1]), panel, seed=1)


def test_without_exact_likelihood_nothing_is_asked(
    posterior: inc.Posterior, study: inc.Trials, panel: Panel
) -> None:
    old = posterior.simulator
    euler = inc.Simulator(inc.models.dmc(scheme="euler"), old.prior, old.design)
    assert which_variant(replace(posterior, simulator=euler), study, panel, seed=1) is None


def test_the_same_predictions_give_the_same_z(panel: Panel) -> None:
    sd = np.ones_like(panel.predicted)
    same = Predicted(panel.predicted, sd)
    np.testing.assert_allclose(group_z(panel, same, same), panel.group.z)


def test_more_variable_statistics_are_nearer(panel: Panel) -> None:
    """A discrepancy counts less where the statistic varies more under the variant.

    Where it varies twice as much and more, it is judged without the panel's replicates.
    """
    same = Predicted(panel.predicted, np.ones_like(panel.predicted))
    wide = Predicted(panel.predicted, 1.6 * np.ones_like(panel.predicted))
    z, half = group_z(panel, same, same), group_z(panel, wide, same)
    far = np.abs(z) > 3.0
    assert far.any()
    assert (np.abs(half[far]) < np.abs(z[far])).all()


def test_what_the_replicates_do_not_reach_fails(panel: Panel) -> None:
    z = np.zeros(len(panel.statistics))
    assert failing_by_panel(panel, z) == ()
    z[4], z[2] = -50.0, 20.0
    names = [statistic.name for statistic in panel.statistics]
    assert failing_by_panel(panel, z) == (names[4], names[2])


def lapsing(rate: float, n_people: int = 30) -> VariantFit:
    """People whose posteriors of lapses are what few lapses in 100 trials leave of the prior."""
    prior = inc.priors.schaefer2025().extended(lapse=stats.beta(1, 25))
    simulator = inc.Simulator(inc.models.dmc(free=["lapse"]), prior, inc.Design(100, HALF))
    rng = np.random.default_rng(2)
    theta = np.stack([prior.sample(400, seed=i) for i in range(n_people)])
    counts = rng.binomial(100, rate, n_people)
    theta[..., -1] = rng.beta(1 + counts[:, None], 125 - counts[:, None], theta.shape[:2])
    names = tuple(map(str, range(n_people)))
    draws = inc.Draws(theta, np.zeros(theta.shape[:2]), simulator, names)
    return VariantFit("lapses", "", draws, np.zeros((2, n_people)), (changes.lapses(),))


@pytest.mark.parametrize("rate", [0.003, 0.02])
def test_priors_are_as_wide_as_suits_the_people(rate: float) -> None:
    """A prior that expects lapses in 4 % of trials adds some to everybody who has fewer."""
    fit = lapsing(rate)
    pulled = fit.draws.theta[..., -1].mean()
    own = at_population_width(fit)[..., -1].mean()
    assert abs(own - rate) < abs(pulled - rate)
    assert own == pytest.approx(rate, abs=0.004)


def test_moves_are_in_posterior_sds() -> None:
    fit = lapsing(0.02, n_people=4)
    before = fit.draws
    theta = before.theta.copy()
    sds = theta[..., 0].std(axis=1)
    theta[..., 0] += 0.5 * sds[:, None]
    after = replace(before, theta=theta)
    first, *others = moves_between(before, after)
    assert (first.parameter, first.unit) == ("A", before.simulator.model.parameters[0].unit)
    assert first.in_posterior_sds == pytest.approx(0.5)
    assert first.of_a_person == pytest.approx(0.5)
    assert first.after - first.before == pytest.approx(0.5 * sds.mean())
    assert all(move.in_posterior_sds == 0.0 for move in others)


def under(**values: object) -> UnderVariant:
    numbers = {"log_evidence": 5.0, "share_better": 1.0, "frequency": 0.5, "exceedance": 0.5}
    arrays = {name: np.zeros((1, 1)) for name in ("observed", "predicted", "z")}
    none = {"failing": (), "repaired": (), "remaining": (), "moves": ()}
    return UnderVariant(**{"name": "x", "words": "", **numbers, **arrays, **none, **values})  # type: ignore[arg-type]


def test_words() -> None:
    new = (New("lapse", "", 0.0123), New("drift_sd", "1/ms", 0.1))
    assert subject(under(name="both", new=new)) == (
        "both (in 1.2 % of trials, drift_sd 0.1 1/ms on average)"
    )
    move = Move("A", "ms", 17.04, 15.0, -0.43, 0.5, -0.2)
    assert words_of_moves([move]) == (
        "Means over people move: A from 17 to 15 ms (−0.4 posterior SDs)."
    )
    small = replace(move, in_posterior_sds=0.1)
    assert words_of_moves([small]).startswith("No parameter's mean over people moves by more")
    assert words_of_repair(under(), 0) == "No statistic fails as fitted, and none under it."
    assert words_of_repair(under(repaired=("a", "b")), 2) == (
        "Of 2 statistics that fail, it predicts 2 (a; b), and none fails under it."
    )
    assert words_of_repair(under(remaining=tuple("abcde")), 1) == (
        "Of 1 statistic that fails, it predicts 0; under it 5 fail (a; b; c; d and 1 more)."
    )


def test_what_is_worth_asking_depends_on_what_the_model_has() -> None:
    def names(model: inc.Model) -> tuple[list[str], list[str]]:
        first, others = worth_asking(model)
        return tuple([" + ".join(c.name for c in one) for one in some] for some in (first, others))  # type: ignore[return-value]

    first, others = names(inc.models.dmc())
    assert first == ["lapses", "drift variability", "lapses + drift variability"]
    assert {"narrow start", "SSP", "lapses + narrow start"} <= set(others)
    assert names(inc.models.dmc(free=["lapse"]))[0] == ["drift variability", "no lapses"]
    assert names(inc.models.dmc(free=["lapse", "drift_sd"]))[0] == [
        "no lapses",
        "no drift variability",
    ]
    assert names(inc.models.ssp())[0] == first
    assert names(inc.models.dstp()) == ([], [])


def test_signatures_are_asked_where_evidence_cannot_tell() -> None:
    assert [one.name for one in for_signatures(inc.models.dmc())] == ["DSTP"]
    assert len(for_signatures(inc.models.dmc(scheme="euler"))) == 7


def test_the_figure_shows_every_statistic_and_the_sums(found: WhichVariant) -> None:
    figure = which_variant_figure(found)
    evidence, statistics = figure.axes
    texts = [text.get_text() for text in evidence.texts]
    assert f"{found['lapses'].log_evidence:+.1f}".replace("-", "−") in texts
    labels = [label.get_text() for label in statistics.get_yticklabels()]
    assert labels == [statistic.label for statistic in found.statistics]
    bold = sum(text.get_fontweight() == "bold" for text in statistics.texts)
    n_groups = len({statistic.group for statistic in found.statistics})
    assert bold == n_groups + len(found[BASE].failing) + len(found["lapses"].failing)
    assert plots.figure_svg(figure, prefix="test-").startswith("<svg")


def test_the_figure_shows_the_variant_that_is_asked_for(found: WhichVariant) -> None:
    other = next(row.name for row in found.rows[1:] if row.name != found.best)
    _, statistics = which_variant_figure(found, variant=other).axes
    assert statistics.get_title(loc="left").endswith(f"with {other} (filled)")

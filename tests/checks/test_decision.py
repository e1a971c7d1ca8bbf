"""How answers make a verdict: the rules, over many cases, and the words that follow from them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from incongruent.checks.conclusions import MEANINGS, Verdict
from incongruent.checks.decision import Answers, decide
from incongruent.checks.model.relevance import Misfit
from incongruent.checks.panel_statistics import Kind, Statistic
from incongruent.checks.repairs import Repair, best_repair, closest_repair

MEAN = Statistic(Kind.MEAN_RT, "mean RT", "ms", "the mean correct RT", "congruent")
LARGE = Misfit(MEAN, 430.0, 400.0, 30.0, 10.0)
SMALL = Misfit(MEAN, 404.0, 400.0, 4.0, 10.0)
FINE = Answers(pooled=False, many_outside=False, moves=(), failing=())

misfits = some.lists(some.sampled_from([LARGE, SMALL]), max_size=3).map(tuple)
repairs = some.lists(
    some.builds(
        Repair,
        name=some.sampled_from(["lapses", "drift variability", "collapsing bound"]),
        log_evidence=some.floats(-20.0, 20.0),
        left=misfits,
        moved=some.floats(0.0, 3.0),
        n_people=some.integers(1, 30),
    ),
    max_size=3,
).map(tuple)
answers = some.builds(
    Answers,
    pooled=some.booleans(),
    many_outside=some.booleans(),
    moves=some.sampled_from([(), (("A", "up"),), (("A", "narrower"),)]),
    failing=misfits,
    failing_after=some.one_of(some.none(), misfits),
    repairs=repairs,
)


def repair(name: str = "lapses", gain: float = 5.0, moved: float = 0.1, *left: Misfit) -> Repair:
    return Repair(name, gain, left, moved, n_people=6)


@given(answers)
def test_a_deficient_model_fails_relevantly_under_both_priors_and_nothing_repairs_it(
    given_answers: Answers,
) -> None:
    if decide(given_answers).verdict is not Verdict.DEFICIENT:
        return
    assert given_answers.failing
    assert any(misfit.relevant for misfit in given_answers.standing)
    assert given_answers.failing_after is None or given_answers.failing_after
    for one in given_answers.repairs:
        against = one.log_evidence <= -3.0 and one.log_evidence <= -one.n_people
        assert against or any(misfit.relevant for misfit in one.left)


@given(answers)
def test_wider_margins_never_make_a_verdict_on_the_model_worse(given_answers: Answers) -> None:
    def forgiven(misfits: tuple[Misfit, ...]) -> tuple[Misfit, ...]:
        return tuple(replace(misfit, margin=1e9) for misfit in misfits)

    wide = replace(
        given_answers,
        failing=forgiven(given_answers.failing),
        failing_after=None
        if given_answers.failing_after is None
        else forgiven(given_answers.failing_after),
        repairs=tuple(replace(one, left=forgiven(one.left)) for one in given_answers.repairs),
    )
    assert decide(wide).verdict is not Verdict.DEFICIENT


@given(answers)
def test_a_named_variant_suffices_and_is_one_of_those_asked(given_answers: Answers) -> None:
    found = decide(given_answers)
    assert (found.variant is not None) == (found.verdict is Verdict.ADEQUATE_WITH)
    if found.variant is None:
        assert found.name == found.verdict.value
        assert found.meaning == MEANINGS[found.verdict]
    else:
        assert found.name == f"adequate with {found.variant}"
        assert found.variant in found.meaning
        assert any(r.name == found.variant and r.suffices for r in given_answers.repairs)


@given(answers)
def test_where_the_panel_finds_nothing_the_verdict_is_about_prior_and_scope(
    given_answers: Answers,
) -> None:
    quiet = replace(given_answers, failing=())
    assert decide(quiet).verdict not in (
        Verdict.DEFICIENT,
        Verdict.ADEQUATE,
        Verdict.ADEQUATE_WITH,
    )
    without = replace(quiet, failing_after=None, repairs=())
    assert decide(quiet) == decide(without)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.WELL_SPECIFIED),
        ({"pooled": True, "failing": (LARGE,)}, Verdict.OUTSIDE),
        ({"many_outside": True}, Verdict.OUTSIDE),
        ({"many_outside": True, "moves": (("A", "up"),)}, Verdict.MOVE_PRIOR),
        ({"moves": (("A", "narrower"),)}, Verdict.WASTEFUL),
        ({"moves": (("A", "wider"),)}, Verdict.MOVE_PRIOR),
        ({"failing": (LARGE,)}, Verdict.DEFICIENT),
        ({"failing": (LARGE,), "many_outside": True}, Verdict.DEFICIENT),
        ({"failing": (SMALL,)}, Verdict.ADEQUATE),
        ({"failing": (SMALL,), "moves": (("A", "up"),)}, Verdict.ADEQUATE),
        ({"failing": (SMALL,), "many_outside": True}, Verdict.OUTSIDE),
        ({"failing": (LARGE,), "failing_after": ()}, Verdict.MOVE_PRIOR),
        ({"failing": (SMALL,), "failing_after": ()}, Verdict.ADEQUATE),
        ({"failing": (LARGE,), "failing_after": (SMALL,)}, Verdict.ADEQUATE),
        ({"failing": (SMALL,), "failing_after": (LARGE,)}, Verdict.DEFICIENT),
        ({"failing": (LARGE,), "repairs": (repair(),)}, Verdict.ADEQUATE_WITH),
        ({"failing": (LARGE,), "repairs": (repair(gain=-7.0),)}, Verdict.DEFICIENT),
        ({"failing": (LARGE,), "repairs": (repair(gain=-5.0),)}, Verdict.ADEQUATE_WITH),
        ({"failing": (LARGE,), "repairs": (repair("l", 9.0, 0.1, LARGE),)}, Verdict.DEFICIENT),
        (
            {"failing": (LARGE,), "repairs": (repair("l", 9.0, 0.1, SMALL),)},
            Verdict.ADEQUATE_WITH,
        ),
        ({"failing": (SMALL,), "repairs": (repair(moved=2.0),)}, Verdict.ADEQUATE_WITH),
        ({"failing": (SMALL,), "repairs": (repair(moved=0.4),)}, Verdict.ADEQUATE),
        ({"failing": (SMALL,), "repairs": (repair(gain=2.0, moved=2.0),)}, Verdict.ADEQUATE),
    ],
)
def test_the_rules_one_by_one(changes: dict[str, object], verdict: Verdict) -> None:
    assert decide(replace(FINE, **changes)).verdict is verdict  # type: ignore[arg-type]


def test_of_several_variants_that_suffice_the_evidence_chooses() -> None:
    few, more, best_but_fails = (
        repair("few", 4.0),
        repair("more", 8.0),
        repair("fails", 20.0, 0.1, LARGE),
    )
    for order in product((few, more, best_but_fails), repeat=3):
        found = best_repair(order)
        names = {one.name for one in order}
        expected = "more" if "more" in names else "few" if "few" in names else None
        assert (found.name if found is not None else None) == expected
    assert closest_repair((best_but_fails, few)) is few
    assert closest_repair(()) is None
    assert decide(replace(FINE, failing=(LARGE,), repairs=(few, more))).variant == "more"


def test_what_the_prior_explains_is_what_fails_under_the_prior_in_use_alone() -> None:
    sd = replace(LARGE, statistic=replace(MEAN, kind=Kind.SD_RT, label="SD of RT"))
    both = replace(FINE, failing=(LARGE, sd), failing_after=(sd,))
    assert both.explained_by_prior == (LARGE,)
    assert both.standing == (sd,)
    assert replace(both, failing_after=None).explained_by_prior == ()
    assert replace(both, failing_after=None).standing == (LARGE, sd)
    assert replace(both, failing=()).standing == ()


def test_what_cannot_be_sized_counts_as_relevant() -> None:
    assert replace(SMALL, size=float("nan")).relevant
    assert not np.isnan(replace(SMALL, size=-4.0).shares_of_margin)

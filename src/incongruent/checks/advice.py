"""What to do, in sentences, once the verdict is known."""

from __future__ import annotations

from collections.abc import Sequence

from incongruent.checks.decision import Answers, Decision, Moves, has_to_move
from incongruent.checks.model.moves import Move
from incongruent.checks.model.panel import LEVEL, Panel
from incongruent.checks.model.ranking import ExtensionRanking
from incongruent.checks.model.relevance import Misfit, relevant_among
from incongruent.checks.model.under_variant import UnderVariant
from incongruent.checks.model.variant_sentences import words_of_move
from incongruent.checks.model.which_variant import WhichVariant
from incongruent.checks.prior.suggestion import Suggestion
from incongruent.checks.repairs import closest_repair
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.data.basics.numerals import percent, signed
from incongruent.exact.variant_results import DECISIVE

MOST_LINES = 3
"""Sentences about the model."""
MOST_NAMED = 3
"""Statistics that are named with their sizes."""


def advice_on_people(outside: Sequence[str], n_people: int, *, are_many: bool) -> list[str]:
    """What to do about people outside the simulator's scope."""
    if are_many:
        return [
            f"{len(outside)} of {n_people} people are outside what the simulator makes, so the"
            " reason is the model or the prior, not single people."
        ]
    if not outside:
        return []
    return [
        f"Do not trust the posteriors of {_first_few(outside)}: look at these trials, and leave"
        " them out or train for them."
    ]


def _first_few(names: Sequence[str]) -> str:
    """At most five of the names, in a list."""
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def advice_on_model(
    decision: Decision,
    answers: Answers,
    panel: Panel,
    which: WhichVariant | None,
    extension: ExtensionRanking | None,
) -> list[str]:
    """What to do about the model: at most three sentences, none where nothing fails."""
    if not answers.failing:
        return []
    if decision.variant is not None and which is not None:
        return _use_variant(which[decision.variant], which, answers)
    if relevant_among(answers.standing):
        said = [_do_not_interpret(answers), *_closest_variant(answers)]
        said += [panel.caution] if panel.integrated_out else []
        said += [extension.advice] if extension is not None else []
        return said[:MOST_LINES]
    return [_nothing_has_to_change(answers), *_what_variants_say(answers)]


def _use_variant(row: UnderVariant, which: WhichVariant, answers: Answers) -> list[str]:
    """To use a variant: its evidence and what it repairs, what moves, where to find it."""
    n = len(which.variants.people)
    return [
        f"Use the model with {which.variants[row.name].words}: {signed(row.log_evidence)} nats"
        f" over {n} people against the model as fitted, more evidence for"
        f" {percent(row.share_better)} of them{_repaired(row)}{_ties(row, answers)}"
        f"{_cost(row)}.",
        _moved(row.moves, answers.most_moved),
        "Report the parameters under this variant: incongruent fit --variants estimates them, and"
        " a network can be trained for it.",
    ]


def _repaired(row: UnderVariant) -> str:
    """What a variant repairs and what it leaves, as the end of a sentence."""
    parts = [f"it repairs {_listed(row.repaired)}"] if row.repaired else []
    if row.remaining:
        parts.append(f"what is left ({_listed(row.remaining)}) is too small to matter")
    return "".join(f"; {part}" for part in parts)


def _cost(row: UnderVariant) -> str:
    """Why a variant is named whose evidence is smaller, as the end of a sentence."""
    if row.log_evidence >= 0.0:
        return ""
    return "; its evidence is smaller since the priors of its new parameters expect more of them"


def _ties(row: UnderVariant, answers: Answers) -> str:
    """Which other variants would do as well, as the end of a sentence."""
    ties = [
        repair.name
        for repair in answers.repairs
        if repair.suffices and 0.0 <= row.log_evidence - repair.log_evidence < DECISIVE
    ]
    others = [name for name in ties if name != row.name]
    return f"; the evidence hardly distinguishes it from {_listed(others)}" if others else ""


def _listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return "; ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _moved(moves: Sequence[Move], most: float) -> str:
    """Which parameters move under a variant, and by how much."""
    far = sorted(moves, key=lambda move: -abs(move.in_posterior_sds))
    far = [move for move in far if abs(move.in_posterior_sds) > most]
    if not far:
        return f"No parameter moves by more than {most:g} posterior SDs of a person."
    return f"What moves, on average over people: {', '.join(map(words_of_move, far))}."


def _do_not_interpret(answers: Answers) -> str:
    """That the model is not to be used, and why."""
    relevant = relevant_among(answers.standing)
    own_prior = "" if answers.failing_after is None else ", under a prior made for them either"
    return (
        f"Do not interpret the parameters of this model: it does not predict {_sized(relevant)}"
        f"{own_prior}. Change the mechanism before the prior."
    )


def _sized(misfits: Sequence[Misfit]) -> str:
    """Statistics with their sizes, and how many more there are."""
    return _listed([f"{misfit.name} ({misfit.words})" for misfit in misfits])


def _closest_variant(answers: Answers) -> list[str]:
    """Which variant comes closest, and what it leaves."""
    closest = closest_repair(answers.repairs)
    if closest is None:
        return []
    evidence = f"{signed(closest.log_evidence)} nats"
    left = relevant_among(closest.left)
    if not left:
        return [
            f"The model with {closest.name} would predict it, but the evidence speaks against it"
            f" ({evidence})."
        ]
    return [f"The closest variant, {closest.name} ({evidence}), leaves {_sized(left)}."]


def _nothing_has_to_change(answers: Answers) -> str:
    """That the model may stay as it is, and why."""
    if not answers.standing:
        return (
            "Nothing has to change about the model: what fails does so under the prior in use,"
            " and not under one made for these people."
        )
    largest = max(answers.standing, key=lambda misfit: misfit.shares_of_margin)
    return (
        "Nothing has to change about the model: what fails is too small to matter; the largest is"
        f" {largest.name}, {largest.words}."
    )


def _what_variants_say(answers: Answers) -> list[str]:
    """That no variant would change the parameters by enough to matter."""
    if not answers.repairs:
        return []
    best = max(answers.repairs, key=lambda repair: repair.log_evidence)
    if best.log_evidence < DECISIVE:
        return ["No variant of the model has clearly more evidence."]
    return [
        f"With {best.name}, which has more evidence ({signed(best.log_evidence)} nats), parameters"
        f" move by at most {best.moved:.1f} posterior SDs of a person."
    ]


def advice_on_prior(moves: Moves) -> list[str]:
    """How the prior should move, if at all."""
    if not moves:
        return []
    words = ", ".join(f"{name} {word}" for name, word in moves)
    if has_to_move(moves):
        return [f"Prior: {words}."]
    return [f"The prior may be narrower: {words}."]


def advice_on_suggestion(
    suggestion: Suggestion,
    moves: Moves,
    mmd: MmdTest,
    after: MmdTest,
    panel: Panel,
    panel_after: Panel | None,
    *,
    with_variant: bool,
) -> list[str]:
    """Whether to train under the suggested prior, with what it changes.

    Nothing is said of a suggestion that was made to ask the panel again, and changed nothing. With
    a variant of the model the suggestion is for the parameters that it shares.
    """
    train = "For the parameters of the model as fitted, train" if with_variant else "Train"
    under = _words_of_tests(mmd, after, panel, panel_after)
    fewer_fail = panel_after is not None and len(panel_after.failing()) < len(panel.failing())
    if not moves and not fewer_fail:
        return []
    if after.p_value > LEVEL:
        return [
            f"{train} with {suggestion.prior!r}: {suggestion.share:.1%} of the present"
            f" simulations lie where these people are; {under}."
        ]
    return [
        "Moving the prior alone does not help: under the best one that was found people still"
        f" differ from the simulations ({under})."
    ]


def _words_of_tests(mmd: MmdTest, after: MmdTest, panel: Panel, panel_after: Panel | None) -> str:
    """What the tests are under the suggested prior, and what they are now."""
    words = f"under it the MMD test has p = {after.p_value:.2g}, now p = {mmd.p_value:.2g}"
    if panel_after is None:
        return words
    return (
        f"{words}, and the fitted model fails in {len(panel_after.failing())} statistics, now in"
        f" {len(panel.failing())}"
    )

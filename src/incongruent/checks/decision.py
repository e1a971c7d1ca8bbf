"""From the answers to all questions to one verdict: rules, and nothing that computes.

1. Data sets that are not people are outside the simulator's scope.
2. A statistic stands against the model when it fails under the prior in use and, where people are
   enough to suggest their own prior, something fails under that one too, or is still as large as
   matters (``still_failing``). What fails under the prior in use alone is what the prior explains.
3. Where a statistic that stands against the model is relevant, a variant is looked for that leaves
   nothing relevant failing, and whose evidence does not speak against it. If there is one, the
   model is adequate with it; if not, it is deficient.
4. Where none is relevant, the model is adequate, unless such a variant has clearly more evidence
   and moves a parameter by more than the margin: then it is adequate with that variant.
5. What is left is about the prior, and about people outside.
"""

from __future__ import annotations

from dataclasses import dataclass

from incongruent.checks.conclusions import Verdict
from incongruent.checks.model.relevance import Misfit, relevant_among
from incongruent.checks.repairs import Repair, best_repair
from incongruent.exact.variant_results import DECISIVE

Moves = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answers:
    """What the questions of a check have found, as far as the verdict depends on it.

    Attributes:
        pooled: the data sets are no people.
        many_outside: more people are outside the simulator's scope than can be odd ones.
        moves: how the prior should change, see `PriorCheck.moves`.
        failing: statistics of the group that fail under the prior in use.
        failing_after: those that fail under the suggested prior, see ``still_failing``; None where
            there is none.
        repairs: variants of the model; empty where they were not asked for.
        most_moved: posterior SDs that a parameter may move before it matters.
    """

    pooled: bool
    many_outside: bool
    moves: Moves
    failing: tuple[Misfit, ...]
    failing_after: tuple[Misfit, ...] | None = None
    repairs: tuple[Repair, ...] = ()
    most_moved: float = 0.5

    @property
    def standing(self) -> tuple[Misfit, ...]:
        """What stands against the model: it fails, and not for the prior's sake."""
        if not self.failing or self.failing_after is None:
            return self.failing
        return self.failing_after

    @property
    def explained_by_prior(self) -> tuple[Misfit, ...]:
        """What fails under the prior in use and not under the suggested one."""
        if self.failing_after is None:
            return ()
        after = {misfit.name for misfit in self.failing_after}
        return tuple(misfit for misfit in self.failing if misfit.name not in after)


@dataclass(frozen=True)
class Decision:
    """A verdict, and the variant of the model with which it is adequate, if it is with one.

    Attributes:
        verdict: what is said.
        variant: its name; None where the verdict is not about one.
        for_parameters: the variant is named since parameters move, not since it repairs anything
            relevant.
    """

    verdict: Verdict
    variant: str | None = None
    for_parameters: bool = False

    @property
    def name(self) -> str:
        """The verdict in words, with the variant's name."""
        if self.variant is None:
            return self.verdict.value
        return f"{Verdict.ADEQUATE.value} with {self.variant}"

    @property
    def meaning(self) -> str:
        """What it means, in a clause."""
        if self.variant is None:
            return self.verdict.meaning
        if self.for_parameters:
            return (
                "the fitted model differs from these data by too little to matter, but a variant"
                f" with clearly more evidence, {self.variant}, has other parameters"
            )
        return (
            "the fitted model does not predict these data, by enough to matter; with"
            f" {self.variant} it does"
        )


def decide(answers: Answers) -> Decision:
    """The verdict, from the first of the questions whose answer is no."""
    if answers.pooled:
        return Decision(Verdict.OUTSIDE)
    if answers.failing:
        of_model = _decision_on_model(answers)
        if of_model is not None:
            return of_model
    return Decision(_verdict_on_prior_and_scope(answers))


def _decision_on_model(answers: Answers) -> Decision | None:
    """What is said of a model that fails in something; None where the reason is another one."""
    standing = answers.standing
    if not standing and relevant_among(answers.failing):
        return Decision(Verdict.MOVE_PRIOR)
    variant = best_repair(answers.repairs)
    if relevant_among(standing):
        if variant is None:
            return Decision(Verdict.DEFICIENT)
        return Decision(Verdict.ADEQUATE_WITH, variant.name)
    if variant is not None and _matters(variant, answers.most_moved):
        return Decision(Verdict.ADEQUATE_WITH, variant.name, for_parameters=True)
    return None if answers.many_outside else Decision(Verdict.ADEQUATE)


def _matters(variant: Repair, most_moved: float) -> bool:
    """Whether a variant has clearly more evidence and moves parameters."""
    return variant.log_evidence >= DECISIVE and variant.moved > most_moved


def _verdict_on_prior_and_scope(answers: Answers) -> Verdict:
    """The verdict where the model is not to blame."""
    if has_to_move(answers.moves):
        return Verdict.MOVE_PRIOR
    if answers.many_outside:
        return Verdict.OUTSIDE
    return Verdict.WASTEFUL if answers.moves else Verdict.WELL_SPECIFIED


def has_to_move(moves: Moves) -> bool:
    """Whether people lie elsewhere than the prior says: a narrower one would only be cheaper."""
    return any(word != "narrower" for _, word in moves)

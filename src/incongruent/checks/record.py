"""What a check found, question by question: a record that prints as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from incongruent.checks.advice import (
    advice_on_model,
    advice_on_people,
    advice_on_prior,
    advice_on_suggestion,
)
from incongruent.checks.answers import (
    json_if_asked,
    json_of_hygiene,
    json_of_mmd,
    json_of_panel,
    json_of_prior,
    json_of_scope,
    json_of_suggestion,
    names_outside,
)
from incongruent.checks.conclusions import Verdict
from incongruent.checks.decision import Answers, Decision, decide
from incongruent.checks.hygiene.findings import Hygiene, Severity
from incongruent.checks.model.panel import Panel
from incongruent.checks.model.ranking import ExtensionRanking
from incongruent.checks.model.relevance import (
    Margins,
    Misfit,
    misfits_of,
    sentences_of,
    still_failing,
    table_of,
)
from incongruent.checks.model.which_variant import WhichVariant
from incongruent.checks.prior.population import PriorCheck
from incongruent.checks.prior.suggestion import Suggestion
from incongruent.checks.repairs import repairs_of
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.checks.scope.surprise import Surprise
from incongruent.data.basics.notebook import html
from incongruent.storage.atomic import strict_json

MOST_OUTSIDE = 0.2
"""With a larger share of people outside, the reason is not single people."""


@dataclass(frozen=True, eq=False)
class Check:
    """What `check` found, question by question.

    Attributes:
        hygiene: of the trials.
        scope: of each person.
        mmd: are the people, as a group, such as model and prior make them?
        panel: does the fitted model predict the data?
        prior: scores of its locations and spreads; None when its parameters depend on each other.
        suggestion: a better prior; None when the prior is quiet and the panel fails in nothing, or
            the people are fewer than five.
        mmd_after: the same people under the suggested prior.
        panel_after: what the panel would be under the suggested prior; None where there is none, or
            the panel finds nothing now.
        which_variant: of the model would predict the data, by exact evidence; None when nothing
            stands against the model, or there is no exact likelihood.
        extension: what explains the statistics in which the model fails; None when no relevant one
            stands against it, a variant repairs them, or there are no candidates.
        margins: how large a difference has to be before it matters.
        network: what the posterior is called: model and prior.
        seed: of everything.
        seconds: it took.
    """

    hygiene: Hygiene
    scope: Surprise
    mmd: MmdTest
    panel: Panel
    prior: PriorCheck | None
    suggestion: Suggestion | None
    mmd_after: MmdTest | None
    panel_after: Panel | None
    which_variant: WhichVariant | None
    extension: ExtensionRanking | None
    margins: Margins
    network: str
    seed: int
    seconds: float

    @cached_property
    def answers(self) -> Answers:
        """What the verdict rests on."""
        return answers_of(
            self.hygiene,
            self.scope,
            self.panel,
            self.prior,
            self.panel_after,
            self.which_variant,
            self.margins,
        )

    @cached_property
    def decision(self) -> Decision:
        """The verdict, with the variant it speaks of."""
        return decide(self.answers)

    @property
    def verdict(self) -> Verdict:
        """What is wrong first."""
        return self.decision.verdict

    @property
    def outside(self) -> tuple[str, ...]:
        """People outside the simulator's scope."""
        return names_outside(self.scope)

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, the first thing first."""
        said = [finding.sentence for finding in self.hygiene.warnings]
        said += advice_on_people(self.outside, len(self.scope), are_many=self.answers.many_outside)
        said += advice_on_model(
            self.decision, self.answers, self.panel, self.which_variant, self.extension
        )
        said += advice_on_prior(self.answers.moves)
        said += self._advice_on_suggestion()
        return tuple(said) or ("Nothing has to change.",)

    def _advice_on_suggestion(self) -> list[str]:
        if self.suggestion is None or self.mmd_after is None:
            return []
        return advice_on_suggestion(
            self.suggestion,
            self.answers.moves,
            self.mmd,
            self.mmd_after,
            self.panel,
            self.panel_after,
            with_variant=self.decision.variant is not None,
        )

    def brief(self) -> str:
        """The verdict and what it means, in one line."""
        return f"{self.decision.name}: {self.reason}"

    @property
    def reason(self) -> str:
        """What the verdict means, in a clause."""
        return self.decision.meaning

    def misfits(self) -> tuple[Misfit, ...]:
        """The statistics in which the group fails, with their sizes, the worst first."""
        return misfits_of(self.panel, self.margins)

    def misfits_of_people(self) -> tuple[tuple[Misfit, ...], ...]:
        """The statistics in which each person fails; none for people who were not asked about."""
        found: list[tuple[Misfit, ...]] = [()] * len(self.scope)
        for k, person in enumerate(asked_about(self.scope)):
            found[person] = misfits_of(self.panel, self.margins, k)
        return tuple(found)

    def statistics(self) -> pd.DataFrame:
        """One row per statistic of the group, with its size and margin."""
        return table_of(self.panel, self.margins)

    def people(self) -> pd.DataFrame:
        """One row per person.

        Columns are those of `Surprise.table`, and failing: the statistics that the fitted model
        does not predict, relevant: those of them whose size exceeds the margin.
        """
        frame, misfits = self.scope.table(), self.misfits_of_people()
        frame["failing"] = ["; ".join(m.name for m in each) for each in misfits]
        frame["relevant"] = ["; ".join(m.name for m in each if m.relevant) for each in misfits]
        return frame

    def to_json(self) -> dict[str, Any]:
        """Plain values: verdict, p-values and effect sizes of each question, advice, people."""
        return strict_json(
            {
                "verdict": self.decision.name,
                "variant": self.decision.variant,
                "network": self.network,
                "margins": vars(self.margins),
                "questions": self._questions(),
                "advice": list(self.advice),
                "people": self.people().to_dict("records"),
                "seed": self.seed,
                "seconds": self.seconds,
            }
        )

    def _questions(self) -> dict[str, Any]:
        """The answers as plain values, for each question that was asked."""
        after = self.panel_after
        answers = {
            "hygiene": json_of_hygiene(self.hygiene),
            "scope": json_of_scope(self.scope),
            "mmd": json_of_mmd(self.mmd),
            "mmd_after": json_if_asked(json_of_mmd, self.mmd_after),
            "model": json_of_panel(self.panel, self.margins),
            "model_after": json_of_panel(after, self.margins) if after is not None else None,
            "variants": self.which_variant.to_json() if self.which_variant is not None else None,
            "extension": self.extension.to_json() if self.extension is not None else None,
            "prior": json_if_asked(json_of_prior, self.prior),
            "suggestion": json_if_asked(json_of_suggestion, self.suggestion),
        }
        return {question: answer for question, answer in answers.items() if answer is not None}

    def sections(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each question that was asked, with the sentences that answer it, and last what to do."""
        sections: list[tuple[str, Sequence[str]]] = [
            (
                "Are the data sets people, and do their trials suit the model?",
                self._words_of_hygiene(),
            ),
            ("Is everybody within the range of the simulations?", [str(self.scope), str(self.mmd)]),
            ("Does the fitted model predict these data?", sentences_of(self.panel, self.margins)),
        ]
        if self.panel_after is not None:
            said = sentences_of(self.panel_after, self.margins)
            sections.append(("Does it under a prior made for these people?", said))
        if self.which_variant is not None:
            sections.append(("Which variant of it would?", self.which_variant.sentences()))
        if self.extension is not None:
            sections.append(("Which mechanism would?", self.extension.sentences()))
        if self.prior is not None:
            sections.append(("Does the prior agree with these people?", self.prior.sentences()))
        if self.suggestion is not None:
            sections.append(("Which prior would agree with them?", self.suggestion.sentences()))
        sections.append(("What to do", self.advice))
        return tuple((title, _without_bullets(sentences)) for title, sentences in sections)

    def _words_of_hygiene(self) -> list[str]:
        notable = [f for f in self.hygiene.findings if f.severity is not Severity.FINE]
        return [finding.sentence for finding in notable] or ["Nothing was found."]

    def to_markdown(self) -> str:
        """A page: the verdict, each question with the sentences that answer it, what to do."""
        parts = [
            f"# {_capitalised(self.decision.name)}",
            _capitalised(self.reason) + f" ({len(self.scope)} people; {self.network}).",
            *(_as_markdown(title, sentences) for title, sentences in self.sections()),
        ]
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return html(_capitalised(self.brief()), self.advice, self.people())


def _capitalised(words: str) -> str:
    """The words with a capital in front, and the others unchanged."""
    return f"{words[0].upper()}{words[1:]}"


def _without_bullets(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(sentence.removeprefix("* ") for sentence in sentences)


def _as_markdown(title: str, sentences: Sequence[str]) -> str:
    """A section with a heading and one bullet a sentence."""
    return f"## {title}\n\n" + "\n".join(f"* {sentence}" for sentence in sentences)


def answers_of(
    clean: Hygiene,
    scope: Surprise,
    panel: Panel,
    prior: PriorCheck | None,
    panel_after: Panel | None,
    which: WhichVariant | None,
    margins: Margins,
) -> Answers:
    """What the verdict rests on, from the answers to the questions; see `Check`."""
    failing = misfits_of(panel, margins)
    after = still_failing(failing, panel_after, margins) if panel_after is not None else None
    without_variants = Answers(
        pooled=clean["units"].severity is Severity.WARNING,
        many_outside=many_outside(scope),
        moves=() if prior is None else prior.moves(),
        failing=failing,
        failing_after=after,
        most_moved=margins.moves,
    )
    explained = {misfit.name for misfit in without_variants.explained_by_prior}
    return replace(without_variants, repairs=repairs_of(which, panel, margins, explained))


def asked_about(scope: Surprise) -> np.ndarray:
    """Positions of the people of whom model and prior are asked.

    Single people outside are left out; where many are outside, everybody stays.
    """
    if many_outside(scope):
        return np.arange(len(scope))
    return np.flatnonzero(~scope.outside)


def many_outside(scope: Surprise) -> bool:
    """Whether more people are outside than can be odd ones."""
    return bool(scope.outside.mean() > MOST_OUTSIDE)

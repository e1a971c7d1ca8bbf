"""Is the model right for these people, and if not, what should change?

Five questions are asked in an order in which each rests on those before.

0. Hygiene: are these data sets people, in trials that the model can speak of?
1. Scope: is everybody inside what the simulator makes? Single people outside are left out of what
   follows, since their posteriors mean nothing; where many are, they stay, since model or prior are
   to blame.
2. Model: is there any parameter value that gives these data? If not, which extension of the model
   would?
3. Prior: if there is, does the prior lie where people are, and is it as wide as they differ?
4. What to change, and what would be better then.

The model is asked about before the prior, since the scores of a prior mean little under a model
that cannot give the data (Evans & Moshonov 2006).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from incongruent.checks.answers import (
    json_if_asked,
    json_of_hygiene,
    json_of_mmd,
    json_of_panel_after,
    json_of_prior,
    json_of_scope,
    json_of_suggestion,
    names_outside,
)
from incongruent.checks.better_prior import better_prior
from incongruent.checks.conclusions import Verdict
from incongruent.checks.hygiene.findings import Hygiene, Severity
from incongruent.checks.hygiene.hygiene import hygiene
from incongruent.checks.model.candidates import WITH_CANDIDATES
from incongruent.checks.model.extension import rank_extensions
from incongruent.checks.model.panel import Panel, predictive_panel
from incongruent.checks.model.ranking import ExtensionRanking
from incongruent.checks.model.which_variant import WhichVariant
from incongruent.checks.prior.population import PriorCheck, check_prior
from incongruent.checks.prior.suggestion import Suggestion
from incongruent.checks.scope.mmd import mmd_of_study
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.checks.scope.surprise import Surprise, surprise
from incongruent.data.basics.notebook import html
from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce
from incongruent.priors.independent import Prior
from incongruent.storage.atomic import strict_json

LEVEL = 0.05
MOST_OUTSIDE = 0.2
"""With a larger share of people outside, the reason is not single people."""
N_REPLICATES = 100


@dataclass(frozen=True, eq=False)
class Check:
    """What `check` found, question by question.

    Attributes:
        verdict: what is wrong first.
        hygiene: of the trials.
        scope: of each person.
        mmd: are the people, as a group, such as model and prior make them?
        panel: does the fitted model predict the data?
        prior: scores of its locations and spreads; None when its parameters depend on each other.
        suggestion: a better prior; None when the prior is quiet or the people are fewer than five.
        mmd_after: the same people under the suggested prior.
        panel_after: what the panel would be under the suggested prior; None where there is none, or
            the panel finds nothing now.
        extension: what explains the statistics in which the model fails; None when it fails in
            none, or is not one for which there are candidates.
        network: what the posterior is called: model and prior.
        seed: of everything.
        seconds: it took.
        which_variant: which variant of the model these people's trials speak for; None where it was
            not asked.
    """

    verdict: Verdict
    hygiene: Hygiene
    scope: Surprise
    mmd: MmdTest
    panel: Panel
    prior: PriorCheck | None
    suggestion: Suggestion | None
    mmd_after: MmdTest | None
    panel_after: Panel | None
    extension: ExtensionRanking | None
    network: str
    seed: int
    seconds: float
    which_variant: WhichVariant | None = None

    @property
    def outside(self) -> tuple[str, ...]:
        """People outside the simulator's scope."""
        return names_outside(self.scope)

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, the first thing first."""
        said = [finding.sentence for finding in self.hygiene.warnings]
        said += self._advice_on_people()
        said += self._advice_on_model()
        said += self._advice_on_prior()
        if self.suggestion is not None and self.mmd_after is not None:
            said.append(self._advice_on_suggestion(self.suggestion, self.mmd_after))
        return tuple(said) or ("Nothing has to change.",)

    def _advice_on_people(self) -> list[str]:
        """What to do about people outside the simulator's scope."""
        if many_outside(self.scope):
            return [
                f"{len(self.outside)} of {len(self.scope)} people are outside what the simulator"
                " makes, so the reason is the model or the prior, not single people."
            ]
        if not self.outside:
            return []
        return [
            f"Do not trust the posteriors of {_first_few(self.outside)}: look at these trials, and"
            " leave them out or train for them."
        ]

    def _advice_on_model(self) -> list[str]:
        """What to do about statistics in which the model fails, and what would explain them."""
        said = []
        failing = self.panel.failing()
        if failing:
            said.append(
                "Do not interpret the parameters of this model: it does not predict "
                + ", ".join(failing[:4])
                + ". Change the mechanism before the prior."
            )
            said += [self.panel.caution] if self.panel.integrated_out else []
        if self.extension is not None:
            said.append(self.extension.advice)
        return said

    def _advice_on_prior(self) -> list[str]:
        """How the prior should move, if at all."""
        moves = _moves_of(self.prior)
        if not moves:
            return []
        words = ", ".join(f"{name} {word}" for name, word in moves)
        if _has_to_move(moves):
            return [f"Prior: {words}."]
        return [f"The prior may be narrower: {words}."]

    def _advice_on_suggestion(self, suggestion: Suggestion, after: MmdTest) -> str:
        """Whether to train under the suggested prior, with what it changes."""
        under = self._words_of_tests_after(after)
        if after.p_value > max(self.mmd.p_value, LEVEL):
            return (
                f"Train with {suggestion.prior!r}: {suggestion.share:.1%} of the present"
                f" simulations lie where these people are; {under}."
            )
        return (
            "Moving the prior alone does not help: under the best one that was found people still"
            f" differ from the simulations ({under})."
        )

    def _words_of_tests_after(self, after: MmdTest) -> str:
        """What the tests are under the suggested prior, and what they are now."""
        words = f"under it the MMD test has p = {after.p_value:.2g}, now p = {self.mmd.p_value:.2g}"
        if self.panel_after is None:
            return words
        return (
            f"{words}, and the fitted model fails in {len(self.panel_after.failing())} statistics,"
            f" now in {len(self.panel.failing())}"
        )

    def brief(self) -> str:
        """The verdict and what it means, in one line."""
        return f"{self.verdict.value}: {self.reason}"

    @property
    def reason(self) -> str:
        """What the verdict means, in a clause."""
        return self.verdict.meaning

    def people(self) -> pd.DataFrame:
        """One row per person.

        Columns are those of `Surprise.table`, and failing: the statistics that the fitted model
        does not predict.
        """
        frame = self.scope.table()
        failing = [""] * len(self.scope)
        for k, person in enumerate(asked_about(self.scope)):
            failing[person] = "; ".join(self.panel.failing(k))
        frame["failing"] = failing
        return frame

    def to_json(self) -> dict[str, Any]:
        """Plain values: verdict, p-values and effect sizes of each question, advice, people."""
        return strict_json(
            {
                "verdict": self.verdict.value,
                "network": self.network,
                "questions": self._questions(),
                "advice": list(self.advice),
                "people": self.people().to_dict("records"),
                "seed": self.seed,
                "seconds": self.seconds,
            }
        )

    def _questions(self) -> dict[str, Any]:
        """The answers as plain values, for each question that was asked."""
        answers = {
            "hygiene": json_of_hygiene(self.hygiene),
            "scope": json_of_scope(self.scope),
            "mmd": json_of_mmd(self.mmd),
            "mmd_after": json_if_asked(json_of_mmd, self.mmd_after),
            "model": {
                "failing": list(self.panel.failing()),
                "statistics": self.panel.table().to_dict("records"),
            },
            "model_after": json_if_asked(json_of_panel_after, self.panel_after),
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
            ("Does the fitted model predict these data?", str(self.panel).splitlines()),
        ]
        if self.extension is not None:
            sections.append(("Which mechanism would predict them?", self.extension.sentences()))
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
            f"# {self.verdict.value.capitalize()}",
            self.reason.capitalize() + f" ({len(self.scope)} people; {self.network}).",
            *(_as_markdown(title, sentences) for title, sentences in self.sections()),
        ]
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return html(self.brief().capitalize(), self.advice, self.people())


def _first_few(names: tuple[str, ...]) -> str:
    """At most five of the names, in a list."""
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _without_bullets(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(sentence.removeprefix("* ") for sentence in sentences)


def _as_markdown(title: str, sentences: Sequence[str]) -> str:
    """A section with a heading and one bullet a sentence."""
    return f"## {title}\n\n" + "\n".join(f"* {sentence}" for sentence in sentences)


def check(
    posterior: Posterior | Ensemble,
    study: Trials,
    *,
    n_replicates: int = N_REPLICATES,
    anyway: bool = False,
    seed: int,
) -> Check:
    """Ask whether the model is right for these people, and what should change.

    Args:
        posterior: a trained one, or an ensemble of several, for a conflict task.
        study: one data set a person.
        n_replicates: of the whole study, for the predictive panel.
        anyway: go on also when nobody is inside what the network was trained for.
        seed: of everything.

    Raises:
        ScopeError: when nobody is inside what the network was trained for, unless ``anyway`` is
            given.
        ValueError: when the trials are not those of a conflict task, or someone has none.
    """
    begun = time.perf_counter()
    study = in_columns(study, posterior.simulator.model.columns)
    posterior.admit(study, anyway=anyway)
    single = cast(Posterior, posterior.unguarded())  # an ensemble has all that is asked of it below
    announce("looking at the trials")
    clean = hygiene(study, seed=seed)
    announce("looking for people unlike the simulations")
    scope = surprise(single, study, seed=seed)
    asked = study if many_outside(scope) else study.select(asked_about(scope))
    announce("comparing the group with simulated groups")
    mmd = mmd_of_study(single, asked, seed=seed)
    announce("testing whether the fitted model predicts the data")
    panel = predictive_panel(single, asked, n_replicates=n_replicates, seed=seed)
    extension = _extension(single, asked, panel, seed)
    prior = _prior_check(single, asked, seed)
    better = better_prior(single, asked, panel, prior, n_replicates, seed)
    return Check(
        verdict=decide(clean, scope, panel, prior),
        hygiene=clean,
        scope=scope,
        mmd=mmd,
        panel=panel,
        prior=prior,
        suggestion=better.suggestion,
        mmd_after=better.mmd,
        panel_after=better.panel,
        extension=extension,
        network=f"{single.simulator.model.name} under {single.simulator.prior!r}",
        seed=seed,
        seconds=time.perf_counter() - begun,
    )


def _extension(
    posterior: Posterior, study: Trials, panel: Panel, seed: int
) -> ExtensionRanking | None:
    """What explains the statistics in which the model fails; None where that cannot be asked."""
    if not panel.failing(level=LEVEL) or posterior.simulator.model.name not in WITH_CANDIDATES:
        return None
    announce("looking for what the model lacks")
    return rank_extensions(posterior, study, panel, seed=seed)


def _prior_check(posterior: Posterior, study: Trials, seed: int) -> PriorCheck | None:
    """The scores of the prior; None when its parameters depend on each other."""
    if not isinstance(posterior.simulator.prior, Prior):
        return None
    announce("comparing the prior with the people")
    return check_prior(posterior, study, seed=seed)


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


def decide(clean: Hygiene, scope: Surprise, panel: Panel, prior: PriorCheck | None) -> Verdict:
    """The verdict, from the first of the questions whose answer is no."""
    if clean["units"].severity is Severity.WARNING:
        return Verdict.OUTSIDE
    if panel.failing(level=LEVEL):
        return Verdict.DEFICIENT
    moves = _moves_of(prior)
    if _has_to_move(moves):
        return Verdict.MOVE_PRIOR
    if many_outside(scope):
        return Verdict.OUTSIDE
    return Verdict.WASTEFUL if moves else Verdict.WELL_SPECIFIED


def _moves_of(prior: PriorCheck | None) -> tuple[tuple[str, str], ...]:
    """How the prior should change; nothing where it was not tested."""
    return () if prior is None else prior.moves(LEVEL)


def _has_to_move(moves: tuple[tuple[str, str], ...]) -> bool:
    """Whether people lie elsewhere than the prior says: a narrower one would only be cheaper."""
    return any(word != "narrower" for _, word in moves)

"""Is the model right for these people, and if not, what should change? Five questions in an order
in which each rests on those before.

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
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import numpy as np
import pandas as pd

from incongruent.checks.hygiene.findings import Hygiene, Severity
from incongruent.checks.hygiene.hygiene import hygiene
from incongruent.checks.model.candidates import WITH_CANDIDATES
from incongruent.checks.model.extension import rank_extensions
from incongruent.checks.model.panel import Panel, predictive_panel
from incongruent.checks.model.ranking import ExtensionRanking
from incongruent.checks.prior.population import PriorCheck, check_prior
from incongruent.checks.prior.suggestion import FEWEST_PEOPLE, Suggestion, suggest_prior
from incongruent.checks.scope.mmd import mmd_of_study
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.checks.scope.surprise import Surprise, surprise
from incongruent.data.basics.streams import Purpose, child
from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials, select
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce
from incongruent.priors.independent import Prior
from incongruent.storage.atomic import strict_json

LEVEL = 0.05
MOST_OUTSIDE = 0.2
"""With a larger share of people outside, it is not they who are odd."""
N_REPLICATES = 100


class Verdict(Enum):
    """What is wrong first, if anything."""

    WELL_SPECIFIED = "well specified"
    WASTEFUL = "safe but wasteful"
    MOVE_PRIOR = "move the prior"
    DEFICIENT = "model deficient"
    OUTSIDE = "outside the simulator's scope"


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

    @property
    def outside(self) -> tuple[str, ...]:
        """People outside the simulator's scope."""
        return tuple(
            name for name, out in zip(self.scope.names, self.scope.outside, strict=True) if out
        )

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do, the first thing first."""
        said = [finding.sentence for finding in self.hygiene.warnings]
        if many_outside(self.scope):
            said.append(
                f"{len(self.outside)} of {len(self.scope)} people are outside what the simulator"
                " makes: model or prior are to blame, not they."
            )
        elif self.outside:
            who = ", ".join(self.outside[:5]) + (" …" if len(self.outside) > 5 else "")
            said.append(
                f"Do not trust the posteriors of {who}: look at these trials, and leave them out or"
                " train for them."
            )
        if self.panel.failing():
            said.append(
                "Do not read parameters of this model as if it were right: it cannot give "
                + ", ".join(self.panel.failing()[:4])
                + ". Change the mechanism before the prior."
            )
            said += [self.panel.caution] if self.panel.integrated_out else []
        if self.extension is not None:
            said.append(self.extension.advice)
        if self.prior is not None:
            moves = self.prior.moves()
            if moves:
                words = ", ".join(f"{name} {word}" for name, word in moves)
                said.append(
                    f"Prior: {words}."
                    if any(w in ("up", "down", "wider") for _, w in moves)
                    else f"The prior may be narrower: {words}."
                )
        if self.suggestion is not None and self.mmd_after is not None:
            under = (
                f"under it the MMD test has p = {self.mmd_after.p_value:.2g}, now p ="
                f" {self.mmd.p_value:.2g}"
            )
            if self.panel_after is not None:
                under += (
                    f", and the fitted model fails in {len(self.panel_after.failing())} statistics,"
                    f" now in {len(self.panel.failing())}"
                )
            if self.mmd_after.p_value > max(self.mmd.p_value, LEVEL):
                said.append(
                    f"Train with {self.suggestion.prior!r}: {self.suggestion.share:.1%} of the"
                    f" present simulations land where people live; {under}."
                )
            else:
                said.append(
                    "Moving the prior alone does not help: the best that was found leaves people"
                    f" unlike the simulations ({under})."
                )
        return tuple(said) or ("Nothing has to change.",)

    def brief(self) -> str:
        """One line."""
        return f"{self.verdict.value}: {self.reason}"

    @property
    def reason(self) -> str:
        """What the verdict means, in a clause."""
        return _REASONS[self.verdict]

    def people(self) -> pd.DataFrame:
        """One row per person: scope (as `Surprise.table`) and failing, the statistics that the
        fitted model does not predict.
        """
        frame = self.scope.table()
        asked = (
            np.arange(len(self.scope))
            if many_outside(self.scope)
            else np.flatnonzero(~self.scope.outside)
        )
        failing = [""] * len(self.scope)
        for k, i in enumerate(asked):
            failing[i] = "; ".join(self.panel.failing(k))
        frame["failing"] = failing
        return frame

    def to_json(self) -> dict[str, Any]:
        """Plain values: verdict, a part for each question with p-values and effect sizes, advice,
        people.
        """
        questions: dict[str, Any] = {
            "hygiene": {
                f.name: {"severity": f.severity.value, "p": f.p, "numbers": dict(f.numbers)}
                for f in self.hygiene.findings
            },
            "scope": {
                "people": len(self.scope),
                "outside": list(self.outside),
                "p_too_central": self.scope.central_p,
                "p_extreme": self.scope.extreme_p,
            },
        }
        for name, test in (("mmd", self.mmd), ("mmd_after", self.mmd_after)):
            if test is not None:
                questions[name] = {
                    "p": test.p_value,
                    "statistic": test.statistic,
                    "effect": test.effect,
                    "location_share": test.location_share,
                }
                questions[name] |= {
                    "spread_share": test.spread_share,
                    "variance_ratio": test.variance_ratio,
                    "people": test.n_people,
                }
        questions["model"] = {
            "failing": list(self.panel.failing()),
            "statistics": self.panel.table().to_dict("records"),
        }
        if self.panel_after is not None:
            questions["model_after"] = {"failing": list(self.panel_after.failing())}
        if self.extension is not None:
            questions["extension"] = self.extension.to_json()
        if self.prior is not None:
            questions["prior"] = {
                "p": self.prior.p_value,
                "moves": [list(move) for move in self.prior.moves()],
            }
            questions["prior"]["parameters"] = self.prior.table().to_dict("records")
        if self.suggestion is not None:
            suggestion = self.suggestion
            questions["suggestion"] = {
                "prior": suggestion.prior.to_json(),
                "share": suggestion.share,
                "trusted": suggestion.trusted,
            }
            questions["suggestion"]["parameters"] = suggestion.table().to_dict("records")
        whole = {
            "verdict": self.verdict.value,
            "network": self.network,
            "questions": questions,
            "advice": list(self.advice),
        }
        return strict_json(
            whole
            | {
                "people": self.people().to_dict("records"),
                "seed": self.seed,
                "seconds": self.seconds,
            }
        )

    def sections(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each question that was asked, with the sentences that answer it, and last what to do."""
        hygiene_words = [
            f.sentence for f in self.hygiene.findings if f.severity not in (Severity.FINE,)
        ] or ["Nothing was found."]
        sections: list[tuple[str, list[str]]] = [
            ("Are these people, and trials that the model can speak of?", hygiene_words)
        ]
        sections.append(
            ("Is everybody inside what the simulator makes?", [str(self.scope), str(self.mmd)])
        )
        sections.append(("Can the model give these data?", str(self.panel).splitlines()))
        if self.extension is not None:
            sections.append(("Which mechanism would?", list(self.extension.sentences())))
        if self.prior is not None:
            sections.append(("Is the prior where people are?", list(self.prior.sentences())))
        if self.suggestion is not None:
            sections.append(("Which prior would be?", list(self.suggestion.sentences())))
        sections.append(("What to do", list(self.advice)))
        return tuple(
            (title, tuple(sentence.removeprefix("* ") for sentence in sentences))
            for title, sentences in sections
        )

    def to_markdown(self) -> str:
        """A page: the verdict, each question with the sentences that answer it, what to do."""
        parts = [
            f"# {self.verdict.value.capitalize()}",
            self.reason.capitalize() + f" ({len(self.scope)} people; {self.network}).",
        ]
        parts += [
            f"## {title}\n\n" + "\n".join(f"* {sentence}" for sentence in sentences)
            for title, sentences in self.sections()
        ]
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        return self.to_markdown()


_REASONS = {
    Verdict.WELL_SPECIFIED: "nothing speaks against model and prior",
    Verdict.WASTEFUL: (
        "the model can give these data and the prior holds everybody, but it is wider than people"
        " differ"
    ),
    Verdict.MOVE_PRIOR: (
        "the model can give these data, but people lie elsewhere than the prior says"
    ),
    Verdict.DEFICIENT: "the fitted model does not predict these data, whatever the prior",
    Verdict.OUTSIDE: (
        "the data sets are not people, or many of them are unlike anything that the simulator makes"
        " and nothing tells why"
    ),
}


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
    posterior = cast(
        Posterior, posterior.unguarded()
    )  # an ensemble has all that is asked of a posterior below
    announce("looking at the trials")
    clean = hygiene(study, seed=seed)
    announce("asking who is unlike the simulations")
    scope = surprise(posterior, study, seed=seed)
    asked = study if many_outside(scope) else select(study, np.flatnonzero(~scope.outside))
    announce("comparing the group with simulated groups")
    mmd = mmd_of_study(posterior, asked, seed=seed)
    announce("asking whether the fitted model predicts the data")
    panel = predictive_panel(posterior, asked, n_replicates=n_replicates, seed=seed)
    prior = suggestion = after = panel_after = extension = None
    if panel.failing(level=LEVEL) and posterior.simulator.model.name in WITH_CANDIDATES:
        announce("looking for what the model lacks")
        extension = rank_extensions(posterior, asked, panel, seed=seed)
    if isinstance(posterior.simulator.prior, Prior):
        announce("asking where the prior lies")
        prior = check_prior(posterior, asked, seed=seed)
    if prior is not None and prior.moves() and len(asked) >= FEWEST_PEOPLE:
        announce("looking for a better prior")
        suggestion = suggest_prior(posterior, asked, seed=seed)
        again = child(seed, Purpose.AFTER_SUGGESTION)
        after = mmd_of_study(posterior, asked, prior=suggestion.prior, seed=again)
        if panel.failing(level=LEVEL):
            panel_after = predictive_panel(
                posterior, asked, prior=suggestion.prior, n_replicates=n_replicates, seed=again
            )
    network = f"{posterior.simulator.model.name} under {posterior.simulator.prior!r}"
    verdict = decide(clean, scope, panel, prior)
    return Check(
        verdict,
        clean,
        scope,
        mmd,
        panel,
        prior,
        suggestion,
        after,
        panel_after,
        extension,
        network,
        seed,
        time.perf_counter() - begun,
    )


def many_outside(scope: Surprise) -> bool:
    """Whether more people are outside than can be odd ones."""
    return bool(scope.outside.mean() > MOST_OUTSIDE)


def decide(clean: Hygiene, scope: Surprise, panel: Panel, prior: PriorCheck | None) -> Verdict:
    """The first of the questions whose answer is no."""
    if clean["units"].severity is Severity.WARNING:
        return Verdict.OUTSIDE
    if panel.failing(level=LEVEL):
        return Verdict.DEFICIENT
    moves = prior.moves(LEVEL) if prior is not None else ()
    if any(word != "narrower" for _, word in moves):
        return Verdict.MOVE_PRIOR
    if many_outside(scope):
        return Verdict.OUTSIDE
    return Verdict.WASTEFUL if moves else Verdict.WELL_SPECIFIED

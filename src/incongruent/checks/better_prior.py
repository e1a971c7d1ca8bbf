"""A better prior for the people of a study, and what the tests are under it."""

from __future__ import annotations

from dataclasses import dataclass

from incongruent.checks.model.panel import Panel, predictive_panel
from incongruent.checks.prior.population import PriorCheck
from incongruent.checks.prior.suggestion import FEWEST_PEOPLE, Suggestion, suggest_prior
from incongruent.checks.scope.mmd import mmd_of_study
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.data.basics.streams import Purpose, child
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce


@dataclass(frozen=True, eq=False)
class BetterPrior:
    """A suggested prior, and what the tests are under it; None where they were not made."""

    suggestion: Suggestion | None = None
    mmd: MmdTest | None = None
    panel: Panel | None = None


def better_prior(
    posterior: Posterior,
    study: Trials,
    panel: Panel,
    prior: PriorCheck | None,
    n_replicates: int,
    seed: int,
) -> BetterPrior:
    """A better prior, if the present one is wrong or the model fails, and people are enough."""
    if prior is None or len(study) < FEWEST_PEOPLE:
        return BetterPrior()
    if not prior.moves() and not panel.failing():
        return BetterPrior()
    announce("looking for a better prior")
    suggestion = suggest_prior(posterior, study, seed=seed)
    again = child(seed, Purpose.AFTER_SUGGESTION)
    mmd = mmd_of_study(posterior, study, prior=suggestion.prior, seed=again)
    if not panel.failing():
        return BetterPrior(suggestion, mmd)
    after = predictive_panel(
        posterior, study, prior=suggestion.prior, n_replicates=n_replicates, seed=again
    )
    return BetterPrior(suggestion, mmd, after)

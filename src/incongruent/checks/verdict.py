"""Is the model right for these people, and if not, what should change?

Questions are asked in an order in which each rests on those before.

0. Hygiene: are these data sets people, in trials that the model can speak of?
1. Scope: is everybody inside what the simulator makes? Single people outside are left out of what
   follows, since their posteriors mean nothing; where many are, they stay, since model or prior are
   to blame.
2. Model: is there any parameter value that gives these data, as far as it matters?
3. Prior: does it lie where people are, and is it as wide as they differ? A better one is suggested
   where it does not, or where the model fails; and the model is asked again under that one, since a
   prior may pull every fit along.
4. Variants: if something still stands against the model, which variant of it would give the data,
   by exact evidence, and what would move?
5. What to change, and what would be better then.

`checks.decision` says how the answers make a verdict. The model is asked about before the prior,
since the scores of a prior mean little under a model that cannot give the data (Evans & Moshonov
2006).
"""

from __future__ import annotations

import time
from typing import cast

from incongruent.checks.better_prior import better_prior
from incongruent.checks.decision import Answers
from incongruent.checks.hygiene.hygiene import hygiene
from incongruent.checks.hygiene.observed import recording_of
from incongruent.checks.model.candidates import (
    WITH_CANDIDATES,
    Extension,
    default_extensions,
    for_signatures,
)
from incongruent.checks.model.extension import rank_extensions
from incongruent.checks.model.panel import Panel, predictive_panel
from incongruent.checks.model.ranking import ExtensionRanking
from incongruent.checks.model.relevance import Margins, relevant_among
from incongruent.checks.model.which_variant import WhichVariant, which_variant
from incongruent.checks.prior.population import PriorCheck, check_prior
from incongruent.checks.record import Check, answers_of, asked_about, many_outside
from incongruent.checks.repairs import best_repair
from incongruent.checks.scope.mmd import mmd_of_study
from incongruent.checks.scope.surprise import surprise
from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials
from incongruent.models import Model
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce
from incongruent.priors.independent import Prior

N_REPLICATES = 100
USUAL_MARGINS = Margins()


def check(
    posterior: Posterior | Ensemble,
    study: Trials,
    *,
    margins: Margins = USUAL_MARGINS,
    n_replicates: int = N_REPLICATES,
    as_recorded: bool = True,
    anyway: bool = False,
    seed: int,
) -> Check:
    """Ask whether the model is right for these people, and what should change.

    Args:
        posterior: a trained one, or an ensemble of several, for a conflict task.
        study: one data set a person.
        margins: how large a difference between data and model has to be before it matters.
        n_replicates: of the whole study, for the predictive panel.
        as_recorded: simulate data recorded like the study, as `fit` does.
        anyway: go on also when nobody is inside what the network was trained for.
        seed: of everything.

    Raises:
        ScopeError: when nobody is inside what the network was trained for, unless ``anyway`` is
            given.
        ValueError: when the trials are not those of a conflict task, or someone has none.
    """
    begun = time.perf_counter()
    study = in_columns(study, posterior.simulator.model.columns)
    posterior = recording_of(study).applied_to(posterior) if as_recorded else posterior
    posterior.admit(study, anyway=anyway)
    single = cast(Posterior, posterior.unguarded())  # an ensemble has all that is asked of it below
    announce("looking at the trials")
    clean = hygiene(study, as_recorded=as_recorded, seed=seed)
    announce("looking for people unlike the simulations")
    scope = surprise(single, study, seed=seed)
    asked = study if many_outside(scope) else study.select(asked_about(scope))
    announce("comparing the group with simulated groups")
    mmd = mmd_of_study(single, asked, seed=seed)
    announce("testing whether the fitted model predicts the data")
    panel = predictive_panel(single, asked, n_replicates=n_replicates, seed=seed)
    prior = _prior_check(single, asked, seed)
    better = better_prior(single, asked, panel, prior, n_replicates, seed)
    found = (clean, scope, panel, prior, better.panel)
    answers = answers_of(*found, None, margins)
    variants = _variants(single, asked, panel, answers, seed)
    with_variants = answers_of(*found, variants, margins)
    return Check(
        hygiene=clean,
        scope=scope,
        mmd=mmd,
        panel=panel,
        prior=prior,
        suggestion=better.suggestion,
        mmd_after=better.mmd,
        panel_after=better.panel,
        which_variant=variants,
        extension=_extension(single, asked, panel, with_variants, seed),
        margins=margins,
        network=f"{single.simulator.model.name} under {single.simulator.prior!r}",
        seed=seed,
        seconds=time.perf_counter() - begun,
    )


def _prior_check(posterior: Posterior, study: Trials, seed: int) -> PriorCheck | None:
    """The scores of the prior; None when its parameters depend on each other."""
    if not isinstance(posterior.simulator.prior, Prior):
        return None
    announce("comparing the prior with the people")
    return check_prior(posterior, study, seed=seed)


def _variants(
    posterior: Posterior, study: Trials, panel: Panel, answers: Answers, seed: int
) -> WhichVariant | None:
    """Which variant of the model would predict the data; None where that need not be asked."""
    if not answers.standing:
        return None
    announce("fitting variants of the model")
    return which_variant(posterior, study, panel, seed=seed)


def _extension(
    posterior: Posterior, study: Trials, panel: Panel, answers: Answers, seed: int
) -> ExtensionRanking | None:
    """What explains the statistics in which the model fails; None where that need not be asked."""
    if not relevant_among(answers.standing) or best_repair(answers.repairs) is not None:
        return None
    candidates = _candidates(posterior.simulator.model, variants_known=bool(answers.repairs))
    if not candidates:
        return None
    announce("looking for what the model lacks")
    return rank_extensions(posterior, study, panel, extensions=candidates, seed=seed)


def _candidates(model: Model, *, variants_known: bool) -> tuple[Extension, ...]:
    """The usual candidates; where variants were fitted, those without an exact likelihood."""
    if model.name not in WITH_CANDIDATES:
        return ()
    return for_signatures(model) if variants_known else default_extensions(model)

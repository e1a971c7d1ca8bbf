"""Which variant of the model would predict these people, by exact evidence, and what would move?

Every variant that is worth asking about is fitted to every person by the exact likelihood
(`exact.variants`), which gives its evidence, without training. Then the panel is asked of it: which
statistics of these people does the variant predict that the model as fitted does not
(`variant_predictions` says how, and which approximation it is)? And how far do the parameters move
that both have, in units and in posterior SDs?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from incongruent.checks.model.moves import moves_between, new_in
from incongruent.checks.model.panel import Panel
from incongruent.checks.model.under_variant import UnderVariant
from incongruent.checks.model.variant_predictions import (
    Predicted,
    failing_by_panel,
    group_z,
    predicted_by,
)
from incongruent.checks.model.variant_sentences import sentences_of
from incongruent.checks.model.worth_asking import Variant, name_of, worth_asking
from incongruent.checks.panel_statistics import Statistic
from incongruent.data.basics.streams import Purpose, as_seed, child
from incongruent.data.trials import Trials
from incongruent.exact.reweight import reweight
from incongruent.exact.variant_results import BASE, DECISIVE, VariantFit, Variants, gain
from incongruent.exact.variants import Asked, variants
from incongruent.posterior.draws import Draws
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

N_DRAWS = 300
"""Draws of each person, under the model as fitted and under each variant."""
FEW_PEOPLE = 24
"""So many people are asked about everything; of more, some are asked first."""
N_SCREENED = 8
"""So many of the people are asked first whether anything else is worth asking about."""


@dataclass(frozen=True, eq=False)
class WhichVariant:
    """What `which_variant` found.

    Attributes:
        statistics: those of the panel.
        rows: the model as fitted first, then its variants.
        variants: everybody's posteriors and evidence.
        band: the largest absolute z of the panel's statistics lies within it in 95 % of its
            replicates.
    """

    statistics: tuple[Statistic, ...]
    rows: tuple[UnderVariant, ...]
    variants: Variants
    band: float

    def __getitem__(self, name: str) -> UnderVariant:
        """The variant of that name."""
        return self.rows[self.variants.names.index(self.variants[name].name)]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the model as fitted and its variants."""
        return tuple(row.name for row in self.rows)

    @property
    def best(self) -> str:
        """The variant that the evidence names; "as fitted" where none is better by 3 nats."""
        return self.variants.best

    def sentences(self) -> tuple[str, ...]:
        """What was found, one sentence each."""
        said = self.variants.sentences()
        if self.best == BASE:
            return said
        return sentences_of(self[self.best], len(self[BASE].failing), said)

    def to_json(self) -> dict[str, Any]:
        """Plain values: one row a variant, the model as fitted first."""
        return {"rows": [row.to_json() for row in self.rows]}

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def which_variant(
    posterior: Posterior | Ensemble,
    study: Trials,
    panel: Panel,
    *,
    asked: Sequence[Asked] | None = None,
    prior: AnyPrior | None = None,
    seed: int,
    workers: int | None = None,
) -> WhichVariant | None:
    """Ask which variant of the model these people's trials speak for, and what it would change.

    Args:
        posterior: a trained one, for a conflict task.
        study: one data set a person, with trials.
        panel: of the same people, by `predictive_panel`.
        asked: the variants, as in `variants`; those that are worth asking about when left out.
        prior: another prior than that the network was trained with, as in `reweight`.
        seed: of everything.
        workers: threads; one for each core when left out.

    Returns:
        None where the model has no exact likelihood, or its prior is not one of independent
        parameters.

    Raises:
        ValueError: when the panel is of other people.
    """
    seed = as_seed(seed)
    _require_same_people(panel, study)
    if not _can_be_asked(posterior, prior):
        return None
    trials = posterior.admit(study, anyway=True).trials
    draws = _corrected(posterior, trials, prior, seed, workers)
    found = _asked_in_turn(draws, trials, asked, seed, workers)
    if found is None:
        return None
    rows = _rows(found, trials, panel, seed)
    return WhichVariant(panel.statistics, rows, found, float(panel.group.band))


def _corrected(
    posterior: Posterior | Ensemble,
    trials: Trials,
    prior: AnyPrior | None,
    seed: int,
    workers: int | None,
) -> Draws:
    """Draws of everybody from the exact posterior under the model as fitted."""
    own = posterior.unguarded().sample(
        trials, N_DRAWS, seed=child(seed, Purpose.WHICH_VARIANT_DRAWS)
    )
    again = child(seed, Purpose.WHICH_VARIANT_CORRECTION)
    return reweight(own, trials, prior=prior, quick=True, seed=again, workers=workers)


def _asked_in_turn(
    draws: Draws, trials: Trials, asked: Sequence[Asked] | None, seed: int, workers: int | None
) -> Variants | None:
    """Everybody under the variants; None where there is nothing to ask about."""
    first = child(seed, Purpose.WHICH_VARIANT_SAMPLING)
    options: dict[str, Any] = {"quick": True, "seed": first, "workers": workers}
    if asked is not None:
        return variants(draws, trials, asked, **options)
    usual, others = worth_asking(draws.simulator.model)
    if not usual or not others:
        return None
    if len(draws) <= FEW_PEOPLE:
        return variants(draws, trials, [*usual, *others], **options)
    found = variants(draws, trials, usual, **options)
    some = np.linspace(0, len(draws) - 1, N_SCREENED).astype(int)
    screened = variants(draws.select(some), trials.select(some), others, **options)
    promising = _promising(screened, others, _largest_gain(found, some))
    if not promising:
        return found
    more = variants(draws, trials, promising, **options)
    return Variants(found.base, (*found.fits, *more.fits))


def _largest_gain(found: Variants, some: Array) -> float:
    """The largest sum of log evidences of any variant over some of the people, 0 at least."""
    return float(np.nan_to_num(found.differences[some]).sum(axis=0).max(initial=0.0))


def _promising(screened: Variants, others: Sequence[Variant], largest: float) -> list[Variant]:
    """The others that were better than all usual ones for the people who were asked first."""
    gains = [gain(screened[name_of(one)], screened.base) for one in others]
    return [one for one, nats in zip(others, gains, strict=True) if nats > largest + DECISIVE]


def _require_same_people(panel: Panel, study: Trials) -> None:
    """Raise ValueError unless the panel is of the people of the study."""
    if panel.names != study.names:
        raise ValueError(
            f"Expected a panel of the people of the study, {study.names[:5]} …; got one of"
            f" {panel.names[:5]} …."
        )


def _can_be_asked(posterior: Posterior | Ensemble, prior: AnyPrior | None) -> bool:
    """Whether there is an exact likelihood, and a prior that variants can extend."""
    simulator = posterior.simulator
    return simulator.model.likelihood is not None and isinstance(prior or simulator.prior, Prior)


def _rows(found: Variants, trials: Trials, panel: Panel, seed: int) -> tuple[UnderVariant, ...]:
    """Every variant with what it predicts, the model as fitted first."""
    summary = found.summary().set_index("variant")
    as_fitted = predicted_by(found.base, trials, panel.statistics, seed)
    first = Predicted(panel.predicted, as_fitted.sd)
    rows = [_row(found.base, found.base, summary, first, panel.group.z, panel.failing(), panel)]
    for one in found.fits:
        predicted = predicted_by(one, trials, panel.statistics, seed)
        z = group_z(panel, predicted, as_fitted)
        failing = failing_by_panel(panel, z)
        rows.append(_row(one, found.base, summary, predicted, z, failing, panel))
    return tuple(rows)


def _row(
    one: VariantFit,
    base: VariantFit,
    summary: pd.DataFrame,
    predicted: Predicted,
    z: Array,
    failing: tuple[str, ...],
    panel: Panel,
) -> UnderVariant:
    """A variant beside the model as fitted."""
    values = summary.loc[one.name]
    return UnderVariant(
        name=one.name,
        words=one.words,
        log_evidence=float(values["gain"]),
        share_better=float(values["share_better"]),
        frequency=float(values["frequency"]),
        exceedance=float(values["protected_exceedance"]),
        observed=panel.observed,
        predicted=predicted.mean,
        z=z,
        failing=failing,
        repaired=tuple(name for name in panel.failing() if name not in failing),
        remaining=failing,
        moves=moves_between(base.draws, one.draws),
        new=new_in(base.draws, one),
    )

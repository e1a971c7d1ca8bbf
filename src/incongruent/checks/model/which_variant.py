"""Which variant of the model would predict these people, by exact evidence, and what would move?

Every variant is fitted to every person by the exact likelihood (`exact.variants`), which gives its
evidence. Then the panel is asked of it: the statistics that a variant predicts are means over data
sets simulated from its exact posteriors, trial by trial like the people's own. What is left of each
person's discrepancy takes the place of the observed one among the replicates of the panel, so that
a statistic fails here by the same test, and of the same size, as under the model as fitted.

The approximation is that the replicates are those of the model as fitted, refitted by that model;
they are not simulated and refitted under the variant. A variant that has more parameters follows
its data more closely than the replicates are followed, and a variant with lapses has noisier
moments than they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incongruent.checks.model.panel import LEVEL, Panel
from incongruent.checks.model.predictive import simulator_again
from incongruent.checks.model.refits import mean_statistics
from incongruent.checks.panel_noise import noise_of
from incongruent.checks.panel_statistics import Statistic
from incongruent.checks.simultaneous import Simultaneous, max_t, standardised
from incongruent.checks.statistics import nan_mean
from incongruent.data.basics.streams import Purpose, as_seed, child
from incongruent.data.trials import Trials
from incongruent.exact.reweight import reweight
from incongruent.exact.variant_results import BASE, VariantFit, Variants
from incongruent.exact.variants import Asked, variants
from incongruent.posterior.draws import Draws
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

N_DRAWS = 300
"""Draws of each person, under the model as fitted and under each variant."""
N_PREDICTIONS = 50
"""Data sets simulated from each posterior to predict the statistics."""


@dataclass(frozen=True)
class Move:
    """How far a parameter moves when a variant takes the place of the model as fitted.

    Attributes:
        parameter: its name.
        unit: "" for none.
        before: mean over people of the posterior means, under the model as fitted.
        after: the same under the variant.
        in_posterior_sds: the difference of the two, in units of a person's posterior SD under the
            model as fitted (mean over people).
        of_a_person: median over people of how far each one's mean moves, without sign, in units of
            the person's own posterior SD.
        in_group_sds: the difference in units of the SD over people of the posterior means.
    """

    parameter: str
    unit: str
    before: float
    after: float
    in_posterior_sds: float
    of_a_person: float
    in_group_sds: float


@dataclass(frozen=True, eq=False)
class UnderVariant:
    """The people of a study under one variant.

    Attributes:
        name: of the variant; "as fitted" for the network's own model.
        log_evidence: sum over people, less that of the model as fitted, in nats.
        share_better: of people whose evidence is larger than under the model as fitted.
        frequency: expected share of people whose trials come from it, among all that were asked.
        exceedance: protected probability that it is the most frequent one.
        observed: (person, statistic), in the order of the panel's statistics.
        predicted: (person, statistic), mean over data sets simulated from its exact posterior; NaN
            for people whose trials it cannot give.
        z: (statistic,) of the group, in the units of the panel's replicates.
        failing: names of statistics that fail by the panel's test, the worst first.
        repaired: those that fail as fitted and not here.
        remaining: those that fail here, also those that did not fail as fitted.
        moves: of the parameters that it shares with the model as fitted.
    """

    name: str
    log_evidence: float
    share_better: float
    frequency: float
    exceedance: float
    observed: Array = field(repr=False)
    predicted: Array = field(repr=False)
    z: Array = field(repr=False)
    failing: tuple[str, ...]
    repaired: tuple[str, ...]
    remaining: tuple[str, ...]
    moves: tuple[Move, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "variant": self.name,
            "log_evidence": self.log_evidence,
            "share_better": self.share_better,
            "frequency": self.frequency,
            "exceedance": self.exceedance,
            "repaired": list(self.repaired),
            "remaining": list(self.remaining),
            "moves": [dict(vars(move)) for move in self.moves],
        }


@dataclass(frozen=True, eq=False)
class WhichVariant:
    """What `which_variant` found.

    Attributes:
        statistics: those of the panel.
        rows: the model as fitted first, then its variants.
        variants: everybody's posteriors and evidence.
    """

    statistics: tuple[Statistic, ...]
    rows: tuple[UnderVariant, ...]
    variants: Variants

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
        return self.variants.sentences()

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
    own = posterior.unguarded().sample(
        trials, N_DRAWS, seed=child(seed, Purpose.WHICH_VARIANT_DRAWS)
    )
    draws = reweight(
        own,
        trials,
        prior=prior,
        seed=child(seed, Purpose.WHICH_VARIANT_CORRECTION),
        workers=workers,
    )
    found = variants(
        draws,
        trials,
        asked,
        quick=True,
        seed=child(seed, Purpose.WHICH_VARIANT_SAMPLING),
        workers=workers,
    )
    return WhichVariant(panel.statistics, _rows(found, trials, panel, seed), found)


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
    rows = []
    for one in found.all:
        predicted = panel.predicted if one.name == BASE else _predicted(one, trials, panel, seed)
        rows.append(_row(one, found.base, summary.loc[one.name], predicted, panel))
    return tuple(rows)


def _predicted(one: VariantFit, trials: Trials, panel: Panel, seed: int) -> Array:
    """The mean statistics that a variant predicts, (person, statistic); NaN where it cannot."""
    out = np.full(panel.observed.shape, np.nan)
    theta = one.draws.theta
    possible = np.flatnonzero(np.isfinite(theta).all(axis=(1, 2)))
    if not len(possible):
        return out
    again = simulator_again(one.draws.simulator, trials.select(possible))

    def simulate(k: int) -> Trials:
        trials_seed = child(seed, Purpose.WHICH_VARIANT_PREDICTIONS, k)
        return again.simulate_at(theta[possible, k], seed=trials_seed)

    n = min(N_PREDICTIONS, theta.shape[1])
    out[possible] = mean_statistics(simulate, n, panel.statistics)
    return out


def _row(
    one: VariantFit, base: VariantFit, summary: Any, predicted: Array, panel: Panel
) -> UnderVariant:
    """A variant beside the model as fitted."""
    tests = tests_with(panel, predicted)
    failing, before = _failing(panel, tests), panel.failing()
    return UnderVariant(
        name=one.name,
        log_evidence=float(summary["gain"]),
        share_better=float(summary["share_better"]),
        frequency=float(summary["frequency"]),
        exceedance=float(summary["protected_exceedance"]),
        observed=panel.observed,
        predicted=predicted,
        z=tests.z,
        failing=failing,
        repaired=tuple(name for name in before if name not in failing),
        remaining=failing,
        moves=moves_between(base.draws, one.draws),
    )


def tests_with(panel: Panel, predicted: Array) -> Simultaneous:
    """The panel's tests of the group with other predictions of the people, (person, statistic).

    With the panel's own predictions they are the panel's own tests.
    """
    observed = panel.observed
    discrepancy = (observed - predicted) / noise_of(observed, predicted, panel.statistics)
    every = np.concatenate([discrepancy[None], panel.discrepancies[1:]])
    of_people = standardised(every, panel.discrepancies)
    return max_t(nan_mean(of_people, axis=1))


def _failing(panel: Panel, tests: Simultaneous) -> tuple[str, ...]:
    """Names of the statistics that fail, the worst first."""
    worst = np.argsort(-np.abs(np.nan_to_num(tests.z)))
    fails = np.nan_to_num(tests.adjusted, nan=1.0) <= LEVEL
    return tuple(panel.statistics[i].name for i in worst if fails[i])


def moves_between(before: Draws, after: Draws) -> tuple[Move, ...]:
    """How far the parameters that two models share move between them.

    People for whom one of them has no draws are left out.
    """
    usable = np.isfinite(after.theta).all(axis=(1, 2))
    units = {p.name: p.unit for p in before.simulator.model.parameters}
    return tuple(
        _move(name, units[name], _of(before, name, usable), _of(after, name, usable))
        for name in before.parameter_names
        if name in after.parameter_names and usable.any()
    )


def _of(draws: Draws, name: str, usable: Array) -> Array:
    """Draws of one parameter of some people, (person, draw)."""
    return draws.theta[usable][..., draws.parameter_names.index(name)]


def _move(name: str, unit: str, before: Array, after: Array) -> Move:
    """The move of one parameter between draws (person, draw)."""
    means, sds = before.mean(axis=1), before.std(axis=1)
    differences = after.mean(axis=1) - means
    group_sd = float(means.std(ddof=1)) if len(means) > 1 else float("nan")
    return Move(
        parameter=name,
        unit=unit,
        before=float(means.mean()),
        after=float(after.mean()),
        in_posterior_sds=float(differences.mean() / sds.mean()),
        of_a_person=float(np.median(np.abs(differences) / sds)),
        in_group_sds=float(differences.mean()) / group_sd,
    )

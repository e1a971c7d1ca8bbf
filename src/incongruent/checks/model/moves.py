"""How far parameters move when a variant takes the place of the model as fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incongruent.checks.model.variant_predictions import at_population_width
from incongruent.checks.statistics import nan_mean
from incongruent.exact.variant_results import VariantFit
from incongruent.posterior.draws import Draws

Array = np.ndarray


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


@dataclass(frozen=True)
class New:
    """A parameter that a variant has and the model as fitted has not.

    Attributes:
        parameter: its name.
        unit: "" for none.
        mean: over people of the posterior means, with a prior as wide as suits these people.
    """

    parameter: str
    unit: str
    mean: float


def moves_between(before: Draws, after: Draws) -> tuple[Move, ...]:
    """How far the parameters that two models share move between them.

    People for whom one of them has no draws are left out. Parameters of another mechanism may have
    the same names and another meaning: they do not move.
    """
    if after.simulator.model.name != before.simulator.model.name:
        return ()
    usable = np.asarray(np.isfinite(after.theta).all(axis=(1, 2)))
    units = {p.name: p.unit for p in before.simulator.model.parameters}
    return tuple(
        _move(name, units[name], _of(before, name, usable), _of(after, name, usable))
        for name in before.parameter_names
        if name in after.parameter_names and usable.any()
    )


def _of(draws: Draws, name: str, usable: Array) -> Array:
    """Draws of one parameter of some people, (person, draw)."""
    return draws.theta[usable][..., draws.parameter_names.index(name)]


def new_in(before: Draws, one: VariantFit) -> tuple[New, ...]:
    """Means of the parameters that a variant adds."""
    after = one.draws
    names = [name for name in after.parameter_names if name not in before.parameter_names]
    units = {p.name: p.unit for p in after.simulator.model.parameters}
    means = nan_mean(at_population_width(one).mean(axis=1), 0)
    return tuple(
        New(name, units[name], float(means[after.parameter_names.index(name)])) for name in names
    )


def _move(name: str, unit: str, before: Array, after: Array) -> Move:
    """The move of one parameter between draws (person, draw)."""
    means, sds = before.mean(axis=1), before.std(axis=1)
    differences = after.mean(axis=1) - means
    group_sd = float(means.std(ddof=1)) if len(means) > 1 else float("nan")
    return Move(
        parameter=name,
        unit=unit,
        before=float(means.mean()),
        after=float(after.mean(axis=1).mean()),
        in_posterior_sds=float(differences.mean() / sds.mean()),
        of_a_person=float(np.median(np.abs(differences) / sds)),
        in_group_sds=float(differences.mean()) / group_sd,
    )

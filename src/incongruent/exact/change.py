"""One change of a model: further parameters, other options, or another mechanism.

What the usual changes are stands in `changes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from incongruent.models.model import Model
from incongruent.priors.distributions import Distribution, distribution_to_json
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.nuisance import MARGINAL, built, integrated_out

Array = np.ndarray

Distributions = Callable[[float], Mapping[str, Distribution]]
"""Priors of new parameters, by name, at so many times their usual width."""
JOINED = " + "
"""Stands between the names of changes that are combined."""
OF_EVERY_MECHANISM = ("lapse", "drift_sd")
"""Parameters that every mechanism may have."""


def _no_distributions(width: float) -> Mapping[str, Distribution]:
    return {}


@dataclass(frozen=True)
class Change:
    """One change of a model.

    Attributes:
        name: short.
        words: what it is, for a sentence.
        free: parameters of the model that are estimated as well.
        settings: options of the model that differ.
        prior_at: the priors of the new parameters at so many times their usual width.
        fixed: parameters that are not estimated, with their values.
        equal: parameters that are the same for everybody, at the value that suits all best.
        mechanism: another model in the place of the first, and its prior; None otherwise. Lapses
            and drift variability that the first model has are kept.
    """

    name: str
    words: str
    free: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    prior_at: Distributions = field(default=_no_distributions, repr=False)
    fixed: Mapping[str, float] = field(default_factory=dict)
    equal: tuple[str, ...] = ()
    mechanism: tuple[Callable[..., Model], Callable[[], Prior]] | None = field(
        default=None, repr=False
    )

    def applied(self, model: Model, prior: AnyPrior, width: float = 1.0) -> tuple[Model, Prior]:
        """The changed model and its prior; priors of new parameters at so many times their width.

        Raises:
            ValueError: when the model has the parameters already, lacks those to be fixed or an
                option to be changed, or its prior is not one of independent parameters.
        """
        if self.mechanism is not None:
            return self._in_place_of(model, prior)
        independent = self._independent(prior)
        self._refuse_what_is_there(model)
        old = self._settings_of(model)
        free = [*_names(old["free"]), *self.free]
        fixed = {name: value for name, value in _values(old["fixed"]).items() if name not in free}
        settings = {**old, **self.settings, "free": _without(free, self.fixed)}
        changed = self._built(model.name, {**settings, "fixed": {**fixed, **self.fixed}})
        kept = {name: independent[name] for name in _without(prior.names, self.fixed)}
        return changed, Prior(**kept).extended(**self.prior_at(width))

    def _in_place_of(self, model: Model, prior: AnyPrior) -> tuple[Model, Prior]:
        """The other mechanism, with the lapses and drift variability that the model has."""
        assert self.mechanism is not None
        make, prior_of = self.mechanism
        other, its_prior = make(), prior_of()
        marginal = integrated_out(model)
        kept = [name for name in OF_EVERY_MECHANISM if name in {*model.parameter_names, *marginal}]
        new = [name for name in kept if name not in other.parameter_names]
        if not new:
            return other, its_prior
        settings = self._settings_of(other)
        free = [*_names(settings["free"]), *new]
        inside = {MARGINAL: {name: distribution_to_json(d) for name, d in marginal.items()}}
        changed = self._built(
            other.name, {**settings, "free": free, **(inside if marginal else {})}
        )
        estimated = [name for name in new if name not in marginal]
        independent = self._independent(prior) if estimated else its_prior
        return changed, its_prior.extended(**{name: independent[name] for name in estimated})

    def _independent(self, prior: AnyPrior) -> Prior:
        """The prior, if it is one of independent parameters."""
        if isinstance(prior, Prior):
            return prior
        raise ValueError(
            f"Expected a prior of independent parameters to change by {self.name!r}; got {prior!r}."
        )

    def _settings_of(self, model: Model) -> dict[str, Any]:
        """The options of a model that ships with the package."""
        settings = dict(model.settings)
        if not {"free", "fixed"} <= set(settings):
            raise ValueError(
                f"Expected a model of this package, whose options can be changed by {self.name!r};"
                f" got {model.name!r}. For a model of your own pass Change(…, mechanism=(model,"
                " prior)), two functions that return the changed model and its prior."
            )
        return settings

    def _built(self, name: str, settings: Mapping[str, Any]) -> Model:
        """The model with other options."""
        try:
            return built(name, settings)
        except TypeError as error:
            raise ValueError(
                f"Expected a model that can be changed by {self.name!r}; {name} lacks an option"
                f" that this needs ({error})."
            ) from error

    def _refuse_what_is_there(self, model: Model) -> None:
        """Refuse new parameters that the model has, fixed ones that it lacks, and open questions.

        Raises:
            ValueError: for any of these.
        """
        if self.equal:
            raise ValueError(
                f"Expected values for {list(self.equal)}, the same for everybody; there are none"
                " yet. Call resolved(…) with draws first."
            )
        names = set(model.parameter_names)
        there = sorted((names | set(integrated_out(model))) & set(self.free))
        missing = sorted(set(self.fixed) - names)
        if there or missing:
            what = f"has {there} already" if there else f"has no parameter {missing}"
            raise ValueError(
                f"Expected a model that can be changed by {self.name!r}; {model.name} {what}. Its"
                f" parameters are {model.parameter_names}."
            )

    def resolved(self, theta: Array, prior: AnyPrior) -> Change:
        """The same change with values for parameters that are the same for everybody.

        Args:
            theta: (person, draw, parameter), posterior draws.
            prior: under which they were drawn.

        Raises:
            ValueError: for a parameter that the prior does not have.
        """
        unknown = [name for name in self.equal if name not in prior.names]
        if unknown:
            raise ValueError(
                f"Expected parameters of the model, {', '.join(prior.names)}, to be the same for"
                f" everybody; got {', '.join(unknown)}."
            )
        if not self.equal:
            return self
        values = {name: _common_value(theta, prior, name) for name in self.equal}
        return replace(self, equal=(), fixed={**self.fixed, **values})


def _without(names: Sequence[str], others: Mapping[str, float]) -> list[str]:
    return [name for name in names if name not in others]


def _names(value: object) -> list[str]:
    assert isinstance(value, list | tuple)
    return [str(name) for name in value]


def _values(value: object) -> dict[str, Any]:
    assert isinstance(value, Mapping)
    return dict(value)


def _common_value(theta: Array, prior: AnyPrior, name: str) -> float:
    """The value of a parameter that suits everybody best.

    On the scale on which the prior is standard normal each person's likelihood is taken for a
    normal density, what the posterior says beyond the prior; their product has the prior once.
    """
    place = prior.names.index(name)
    z = np.clip(np.nan_to_num(prior.to_real(theta)[..., place]), -8.0, 8.0)
    precision = 1.0 / z.var(axis=1)
    informative = np.maximum(precision - 1.0, 0.0)
    best = (precision * z.mean(axis=1))[informative > 0.0].sum() / (1.0 + informative.sum())
    centre = np.zeros(len(prior.names))
    centre[place] = best
    return float(prior.from_real(centre)[place])


def combined(changes: Sequence[Change]) -> str:
    """The name of several changes together; another mechanism comes first."""
    return JOINED.join(change.name for change in in_order(changes))


def in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes in the order in which they are made: another mechanism first.

    Raises:
        ValueError: for changes that contradict each other.
    """
    twice = changed_twice(changes)
    if twice:
        names = " and ".join(repr(change.name) for change in changes)
        raise ValueError(
            f"Expected changes that can be made together; of {names} more than one changes"
            f" {', '.join(twice)}."
        )
    return tuple(sorted(changes, key=lambda change: change.mechanism is None))


def changed_twice(changes: Sequence[Change]) -> list[str]:
    """Parameters and options that more than one of the changes would change."""
    counts = Counter(name for change in changes for name in _changed_by(change))
    return sorted(name for name, n in counts.items() if n > 1)


def _changed_by(change: Change) -> set[str]:
    """Parameters and options that a change is about."""
    mechanism = {"the mechanism"} if change.mechanism is not None else set()
    return mechanism.union(change.settings, change.free, change.fixed, change.equal)

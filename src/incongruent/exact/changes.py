"""Changes of a model that can be asked for without training: further parameters and other settings.

A change frees parameters, with a prior for each, sets options, fixes parameters, or takes another
mechanism in the model's place. Several can be combined. What a change assumes stands in its
docstring; the evidence of a variant depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats

from incongruent.models import dmc, rdmc, ssp
from incongruent.models.model import Model
from incongruent.priors.distributions import Distribution, truncated
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior
from incongruent.priors.published import broad, broad_rdmc, broad_ssp
from incongruent.simulation.nuisance import built

Array = np.ndarray

Distributions = Callable[[float], Mapping[str, Distribution]]
"""Priors of new parameters, by name, at so many times their usual width."""
STRONG, WEAK = 12.0, 1.5
"""Shapes of a start that hardly varies and of one that varies much; the standard is 3."""
JOINED = " + "
"""Stands between the names of changes that are combined."""


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
        mechanism: another model in the place of the first, and its prior; None otherwise.
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
            ValueError: when the model has the parameters already, or lacks those to be fixed, or
                its prior is not one of independent parameters.
        """
        if self.mechanism is not None:
            make, prior_of = self.mechanism
            return make(), prior_of()
        if not isinstance(prior, Prior):
            raise ValueError(
                f"Expected a prior of independent parameters to change by {self.name!r}; got"
                f" {prior!r}."
            )
        self._refuse_what_is_there(model)
        old = dict(model.settings)
        free = [*_names(old["free"]), *self.free]
        fixed = {name: value for name, value in _values(old["fixed"]).items() if name not in free}
        settings = {**old, **self.settings, "free": _without(free, self.fixed)}
        changed = built(model.name, {**settings, "fixed": {**fixed, **self.fixed}})
        kept = {name: prior[name] for name in _without(prior.names, self.fixed)}
        return changed, Prior(**kept).extended(**self.prior_at(width))

    def _refuse_what_is_there(self, model: Model) -> None:
        """Refuse new parameters that the model has, and fixed ones that it lacks."""
        names = set(model.parameter_names)
        there, missing = sorted(names & set(self.free)), sorted(set(self.fixed) - names)
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
        """
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


def fixed(**values: float) -> Change:
    """Parameters with values that are not estimated, the same for everybody.

    Example:
        >>> fixed(tau=100.0).name
        'tau = 100'
    """
    if not values:
        raise ValueError("Expected parameters with values, for example fixed(tau=100).")
    words = ", ".join(f"{name} = {value:g}" for name, value in values.items())
    return Change(words, f"{words} for everybody", fixed=dict(values))


def equal(*names: str) -> Change:
    """Parameters that are the same for everybody, at the value that suits all of them best.

    The value comes from the same data, so that the evidence is a little too large.
    """
    if not names:
        raise ValueError("Expected names of parameters, for example equal('tau').")
    words = ", ".join(names)
    return Change(f"same {words}", f"{words} the same for everybody", equal=names)


def lapses() -> Change:
    """Some trials are answered at random, RT uniform in 150 to 2500 ms; share ~ Beta(1, 25)."""

    def prior(width: float) -> Mapping[str, Distribution]:
        share: Any = stats.beta(1.0, 25.0 / width)
        return {"lapse": share}

    return Change("lapses", "lapses in some trials", ("lapse",), prior_at=prior)


def drift_variability() -> Change:
    """A drift that varies from trial to trial; its SD ~ half-normal with scale 0.25 per ms."""

    def prior(width: float) -> Mapping[str, Distribution]:
        half_normal: Any = stats.halfnorm(0.0, 0.25 * width)
        return {"drift_sd": truncated(half_normal, 0.0, 2.0)}

    words = "a drift that varies from trial to trial"
    return Change("drift variability", words, ("drift_sd",), prior_at=prior)


def narrow_start() -> Change:
    """A start that hardly varies: beta shape 12 instead of 3."""
    words = "a start that hardly varies"
    return Change("narrow start", words, settings={"start": "beta", "alpha": STRONG})


def wide_start() -> Change:
    """A start that varies much: beta shape 1.5 instead of 3."""
    words = "a start that varies much"
    return Change("wide start", words, settings={"start": "beta", "alpha": WEAK})


def free_shape() -> Change:
    """The shape a of the automatic activation is estimated; a ~ log-normal(0.4) around 2."""

    def prior(width: float) -> Mapping[str, Distribution]:
        lognormal: Any = stats.lognorm(0.4 * width, scale=2.0)
        return {"a": truncated(lognormal, 1.2, 8.0)}

    return Change("free shape", "another shape of the automatic activation", ("a",), prior_at=prior)


def collapsing_bound() -> Change:
    """Bounds collapse hyperbolically, by a share kappa ~ Beta(1, 2) in the end.

    Half of it is over after t_half ~ log-normal(0.6) around 400 ms.
    """

    def prior(width: float) -> Mapping[str, Distribution]:
        share: Any = stats.beta(1.0, 2.0 / width)
        lognormal: Any = stats.lognorm(0.6 * width, scale=400.0)
        return {
            "kappa": truncated(share, 0.0, 0.99),
            "t_half": truncated(lognormal, 20.0, 4000.0),
        }

    settings = {"bound": "hyperbolic"}
    words = "bounds that collapse with time"
    return Change("collapsing bound", words, ("kappa", "t_half"), settings, prior)


def undershoot() -> Change:
    """The automatic activation falls below zero after its peak; undershoot ~ Uniform(0, 0.6)."""

    def prior(width: float) -> Mapping[str, Distribution]:
        uniform: Any = stats.uniform(0.0, min(0.6 * width, 1.0))
        return {"undershoot": uniform}

    words = "an activation that falls below zero after its peak"
    return Change("undershoot", words, ("undershoot",), prior_at=prior)


def varying_start() -> Change:
    """A start that varies over trials as in DMC, beta shape 3, for a model whose start is fixed."""
    return Change("varying start", "a start that varies", settings={"start": "beta"})


def shrinking_spotlight() -> Change:
    """SSP in place of the model, under `priors.broad_ssp`."""
    return Change("SSP", "a shrinking spotlight", mechanism=(ssp, broad_ssp))


def revised_dmc() -> Change:
    """RDMC in place of the model, under `priors.broad_rdmc`."""
    return Change("RDMC", "attention that leaves the flankers", mechanism=(rdmc, broad_rdmc))


def standard_dmc() -> Change:
    """DMC in place of the model, under `priors.broad`."""
    return Change("DMC", "an activation that comes and goes", mechanism=(dmc, broad))


OF_DMC = (
    lapses,
    drift_variability,
    narrow_start,
    wide_start,
    free_shape,
    collapsing_bound,
    undershoot,
    shrinking_spotlight,
    revised_dmc,
)
"""Changes that are usually asked about for DMC."""
OF_OTHERS = {
    "dmc": OF_DMC,
    "ssp": (lapses, drift_variability, varying_start, standard_dmc, revised_dmc),
    "rdmc": (lapses, drift_variability, varying_start, standard_dmc, shrinking_spotlight),
}


def usual_changes(model: Model) -> tuple[Change, ...]:
    """The changes that are usually asked about, as far as the model does not have them.

    Raises:
        ValueError: for a model without usual changes.
    """
    if model.name not in OF_OTHERS:
        raise ValueError(
            f"Expected changes for the model {model.name!r}; there are usual ones only for"
            f" {', '.join(OF_OTHERS)}. Pass a list of Change(…)."
        )
    changes = [make() for make in OF_OTHERS[model.name]]
    return tuple(change for change in changes if _is_new(change, model))


def _is_new(change: Change, model: Model) -> bool:
    """Whether a model does not have what a change would bring, not even integrated out."""
    if set(change.free) & {*model.parameter_names, *_names(model.settings["free"])}:
        return False
    if change.settings:
        return any(model.settings.get(name) != value for name, value in change.settings.items())
    return True


def combined(changes: Sequence[Change]) -> str:
    """The name of several changes together; another mechanism comes first."""
    return JOINED.join(change.name for change in in_order(changes))


def in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Changes in the order in which they are made: another mechanism first."""
    return tuple(sorted(changes, key=lambda change: change.mechanism is None))

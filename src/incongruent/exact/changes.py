"""Changes of a model that can be asked for without training: further parameters and other settings.

A change frees parameters, with a prior for each, sets options, fixes parameters, or takes another
mechanism in the model's place. Several can be combined. What a change assumes stands in its
docstring; the evidence of a variant depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy import stats

from incongruent.exact.change import Change
from incongruent.models import dmc, rdmc, ssp
from incongruent.models.model import Model
from incongruent.priors.distributions import Distribution, truncated
from incongruent.priors.published import broad, broad_rdmc, broad_ssp
from incongruent.simulation.nuisance import integrated_out

STRONG, WEAK = 12.0, 1.5
"""Shapes of a start that hardly varies and of one that varies much; the standard is 3."""


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
    """The shape a of the automatic activation is estimated.

    a ~ log-normal(0.4) around 2, cut to 1.2 to 8.
    """

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
    """The automatic activation falls below zero after its peak; undershoot ~ Uniform(0, 0.6).

    More than 0.6 the model does not have, so that a wider prior is the same.
    """

    def prior(width: float) -> Mapping[str, Distribution]:
        uniform: Any = stats.uniform(0.0, min(0.6 * width, 0.6))
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
    if set(change.free) & {*model.parameter_names, *integrated_out(model)}:
        return False
    if change.settings:
        return any(model.settings.get(name) != value for name, value in change.settings.items())
    return True

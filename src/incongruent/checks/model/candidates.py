"""Candidates for what a model lacks: extensions with a grid of strengths, and other mechanisms.

An extension adds one thing to the base model, such as lapses, in a few strengths, of which one or
the end of the grid is the base itself. Another mechanism has parameters of its own and a prior for
them, and no strength.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from incongruent.models import dmc, dstp, ssp
from incongruent.models.model import Model
from incongruent.priors.independent import Prior
from incongruent.priors.published import broad, broad_dstp, broad_ssp
from incongruent.simulation.nuisance import built, integrated_out, marginalised

MECHANISMS = {
    "dmc": "an activation that comes and goes",
    "rdmc": "attention that leaves the irrelevant feature",
    "ssp": "a shrinking spotlight",
}
"""What is special to the models for which there are usual candidates."""
WITH_CANDIDATES = tuple(MECHANISMS)
BY_EVIDENCE = (
    "lapses",
    "drift variability",
    "start-point variability",
    "free shape a",
    "collapsing bound",
    "DMC",
    "SSP",
)
"""Candidates with an exact likelihood, about which `which_variant` asks."""
ALPHA = 3.0
"""Shape of the start's distribution in the standard DMC."""
POINT = 12.0
"""The shape that stands for hardly any variability of the start: its SD is 0.2 of the bound's
distance, for shape 3 it is 0.38.
"""
COLLAPSE_HALF = 200.0
"""Half time of the collapsing bound, in ms."""


@dataclass(frozen=True)
class Variant:
    """One strength of an extension.

    Attributes:
        amount: the strength.
        model: to simulate.
        extra: values of the parameters that the base model has not; empty for another mechanism.
    """

    amount: float
    model: Model = field(repr=False)
    extra: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Extension:
    """A candidate.

    Attributes:
        name: short.
        variants: by amount, rising; the base model itself is not among them.
        base: the amount at which the extension is the base model; None for another mechanism.
        words: a sentence's subject, with ``{}`` where the amount stands.
        amount_words: an amount in words.
        prior: of the parameters of another mechanism; None where they are the base's own, and extra
            ones.
        advice: what to train instead.
        plural: whether the subject takes a verb in the plural.

    Raises:
        ValueError: without variants, or for another mechanism without prior or with more than one
            variant.
    """

    name: str
    variants: tuple[Variant, ...]
    base: float | None
    words: str
    amount_words: Callable[[float], str] = field(default=lambda amount: f"{amount:.2g}", repr=False)
    prior: Prior | None = field(default=None, repr=False)
    advice: str = field(default="", repr=False)
    plural: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        amounts = [variant.amount for variant in self.variants]
        if not amounts or not _rise(amounts) or self.base in amounts:
            raise ValueError(
                f"Expected variants of {self.name!r} with rising amounts other than the base's,"
                f" {self.base}; got {amounts}."
            )
        if not self._has_base_or_prior():
            raise ValueError(
                f"Expected a base amount for {self.name!r}, or a prior and one variant for another"
                " mechanism."
            )

    def _has_base_or_prior(self) -> bool:
        """Whether there is a base amount, or a prior and one variant, but not both."""
        if self.base is not None:
            return self.prior is None
        return self.prior is not None and len(self.variants) == 1

    def sentence(self, amount: float) -> str:
        """The subject of a sentence: what it is, and how much of it."""
        return self.words.format(self.amount_words(amount))


def _rise(amounts: list[float]) -> bool:
    """Whether each amount is larger than the one before."""
    return sorted(set(amounts)) == amounts


def default_extensions(model: Model) -> tuple[Extension, ...]:
    """The usual candidates, as far as the model does not have them already.

    For DMC: lapses, drift variability, start-point variability, free shape a, collapsing bound, and
    the mechanisms SSP and DSTP. For SSP: lapses, drift variability, and DMC and DSTP. For RDMC:
    lapses, drift variability, another time constant in congruent trials, and DMC, SSP and DSTP.

    Raises:
        ValueError: for other models, for which candidates have to be named.
    """
    if model.name not in WITH_CANDIDATES:
        raise ValueError(
            f"Expected extensions for the model {model.name!r}; there are usual ones only for"
            f" {', '.join(WITH_CANDIDATES)}. Pass `extensions=`."
        )
    of_the_model = {"dmc": _for_dmc, "rdmc": _for_rdmc, "ssp": _for_ssp}[model.name](model)
    found = (_lapses(model), _drift(model), *of_the_model, _second_phase(model))
    return tuple(extension for extension in found if extension is not None)


def for_signatures(model: Model) -> tuple[Extension, ...]:
    """The usual candidates of which exact evidence does not tell.

    `which_variant` asks about the others; about none where the model has no exact likelihood.

    Raises:
        ValueError: for models without usual candidates.
    """
    usual = default_extensions(model)
    if model.likelihood is None:
        return usual
    return tuple(extension for extension in usual if extension.name not in BY_EVIDENCE)


def _for_dmc(model: Model) -> tuple[Extension | None, ...]:
    """Candidates for DMC that other models do not have."""
    return _start(model), _shape(model), _bound(model), _spotlight(model)


def _for_rdmc(model: Model) -> tuple[Extension | None, ...]:
    """Candidates for RDMC that other models do not have, and other mechanisms."""
    return _rates(model), _activation(model), _spotlight(model)


def _for_ssp(model: Model) -> tuple[Extension | None, ...]:
    """The other mechanism for SSP."""
    return (_activation(model),)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _lapses(model: Model) -> Extension | None:
    if _has(model, "lapse"):
        return None
    return Extension(
        "lapses",
        _freed(model, "lapse", (0.005, 0.02, 0.05, 0.1, 0.2)),
        base=0.0,
        words="Lapses of about {} of trials",
        amount_words=_percent,
        advice="lapses among the parameters (free=['lapse'])",
        plural=True,
    )


def _drift(model: Model) -> Extension | None:
    if _has(model, "drift_sd"):
        return None
    return Extension(
        "drift variability",
        _freed(model, "drift_sd", (0.1, 0.2, 0.3, 0.45)),
        base=0.0,
        words="Drift that varies from trial to trial, with an SD of about {} per ms,",
        amount_words=lambda x: f"{x:.2f}",
        advice="drift variability among the parameters (free=['drift_sd'])",
    )


def _shape(model: Model) -> Extension | None:
    if _has(model, "a"):
        return None
    return Extension(
        "free shape a",
        _freed(model, "a", (1.2, 1.5, 3.0, 4.5)),
        base=2.0,
        words="Another shape of the automatic activation (a of about {} instead of 2)",
        amount_words=lambda x: f"{x:.1f}",
        advice="a free shape (free=['a'])",
    )


def _rates(model: Model) -> Extension | None:
    """Attention that leaves at another rate in congruent trials; None where the model has it."""
    if _has(model, "tau_ratio"):
        return None
    return Extension(
        "time constants that differ",
        _freed(model, "tau_ratio", (0.2, 3.0, 8.0)),
        base=1.0,
        words="Attention that leaves the irrelevant feature at another rate in congruent trials"
        " (time constant about {} times as long)",
        amount_words=lambda x: f"{x:.1f}",
        advice="that ratio among the parameters (free=['tau_ratio'])",
    )


def _start(model: Model) -> Extension:
    """Another variability of the start.

    Amounts are 1 / shape of the start's distribution, so that more is more variable: 1 is uniform
    between the bounds, and at ``POINT``'s it hardly varies.
    """
    shape = _shape_of_start(model)
    others = [other for other in (POINT, 6.0, ALPHA, 1.5, 1.0) if abs(other - shape) > 0.1]
    return Extension(
        "start-point variability",
        tuple(_with_start(model, other) for other in others),
        base=1.0 / shape,
        words="A starting point that varies more or less than assumed (beta shape of about {}"
        f" instead of {shape:g})",
        amount_words=lambda amount: f"{1.0 / amount:.1f}",
        advice="that start (alpha=…)",
    )


def _shape_of_start(model: Model) -> float | int:
    """The shape of the distribution of a model's start; ``POINT`` where it does not vary."""
    shape = model.settings["alpha"] if model.settings["start"] == "beta" else POINT
    assert isinstance(shape, float | int)
    return shape


def _with_start(model: Model, shape: float) -> Variant:
    """The model with a start that has a beta distribution of this shape."""
    return Variant(1.0 / shape, _with_settings(model, start="beta", alpha=shape))


def _bound(model: Model) -> Extension | None:
    """Bounds that collapse with time; None where the bound is not constant already."""
    if model.settings["bound"] != "constant":
        return None
    return Extension(
        "collapsing bound",
        _collapsing(model, (0.3, 0.6, 0.85)),
        base=0.0,
        words="Bounds that collapse with time (by {} in the end)",
        amount_words=lambda x: f"{100 * x:.0f} %",
        advice="a collapsing bound (bound='hyperbolic', free=['kappa'])",
        plural=True,
    )


def _collapsing(model: Model, grid: tuple[float, ...]) -> tuple[Variant, ...]:
    """The model with bounds that collapse by the shares of a grid in the end."""
    collapsing = _with_settings(model, "kappa", "t_half", bound="hyperbolic")
    return tuple(
        Variant(kappa, collapsing, {"kappa": kappa, "t_half": COLLAPSE_HALF}) for kappa in grid
    )


def _spotlight(model: Model) -> Extension:
    words = f"A shrinking spotlight (SSP) in place of {MECHANISMS[model.name]}"
    return _mechanism("SSP", model, ssp, broad_ssp(), words)


def _activation(model: Model) -> Extension:
    words = (
        f"An automatic activation that comes and goes (DMC) in place of {MECHANISMS[model.name]}"
    )
    return _mechanism("DMC", model, dmc, broad(), words)


def _second_phase(model: Model) -> Extension:
    words = "A late selection of the stimulus in a second phase (DSTP)"
    return _mechanism("DSTP", model, dstp, broad_dstp(), words)


def _freed(model: Model, parameter: str, grid: tuple[float, ...]) -> tuple[Variant, ...]:
    """The model with a further free parameter, at the values of a grid."""
    larger = _with_settings(model, parameter, fixed=_fixed_without(model, parameter))
    return tuple(Variant(amount, larger, {parameter: amount}) for amount in grid)


def _mechanism(
    name: str, base: Model, mechanism: Callable[..., Model], prior: Prior, words: str
) -> Extension:
    """Another mechanism.

    Its people lapse as often as those of the base model where that integrates lapses out.
    """
    model = _with_lapses_of(base, mechanism)
    advice = f"models.{model.name}()"
    return Extension(name, (Variant(1.0, model),), None, words, prior=prior, advice=advice)


def _with_lapses_of(base: Model, mechanism: Callable[..., Model]) -> Model:
    """The other mechanism, with lapses integrated out where they are in the base model."""
    lapse = integrated_out(base).get("lapse")
    if lapse is None:
        return mechanism()
    return marginalised(mechanism(free=["lapse"]), lapse=lapse)


def _with_settings(model: Model, *free: str, **settings: object) -> Model:
    """The model with further free parameters and other settings."""
    already = model.settings["free"]
    assert isinstance(already, list)
    return built(model.name, {**model.settings, "free": [*already, *free], **settings})


def _fixed(model: Model) -> dict[str, Any]:
    """Parameters that are not free, with their values."""
    fixed = model.settings["fixed"]
    assert isinstance(fixed, dict)
    return fixed


def _fixed_without(model: Model, parameter: str) -> dict[str, Any]:
    """Parameters that are not free, except one, with their values."""
    return {key: value for key, value in _fixed(model).items() if key != parameter}


def _has(model: Model, name: str) -> bool:
    """Whether a parameter is free, integrated out, or fixed at another value than 0."""
    return (
        name in model.parameter_names
        or name in integrated_out(model)
        or bool(_fixed(model).get(name, 0.0))
    )

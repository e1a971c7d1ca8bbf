r"""What one parameter value of DMC means, as curves.

These are activation, bounds, drift, densities, delta function and conditional accuracy.

Nothing is simulated. Paths and bounds are those of `mean_activation`. Densities come from the exact
likelihood (`forward_equation`, `response_times`), on a grid that follows them to their ends; the
distribution function is their cumulative trapezoid sum F, quantiles are read off F / F(end), and
the conditional accuracy of a bin is the share of correct answers between two quantiles of all
answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from incongruent.data.trials import CONDITION
from incongruent.models.curves import Activation, densities_at, mean_activation
from incongruent.models.diffusion import HORIZON, LAPSE_RANGE, SIGMA
from incongruent.models.dmc import OPTIONAL
from incongruent.models.model import Kept, Likelihood, Model

Array = np.ndarray

LEVELS = CONDITION.levels[:2]
PROBABILITIES = np.linspace(0.05, 0.95, 19)
"""Of the quantiles at which the delta function is given."""
N_BINS = 5
STEP = 2.0
"""ms between the places at which densities are given."""
TAIL_NATS = 14.0
"""Densities are followed until so much of the mass has decayed, e^-14 = 8e-7."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves of one parameter value.

    Conditions are congruent and incongruent, sides are correct and error.

    Attributes:
        time: (time,) ms since the start of the decision.
        automatic: (condition, time) activation from the irrelevant feature.
        controlled: (time,) activation from the relevant one.
        bound: distance of either bound from zero.
        drift_time: (step,) ms, middles between the times.
        drift: (condition, step) mean change of the activation, per ms.
        rt: (rt,) ms.
        density: (condition, side, rt) per ms, defective: both sides of a condition together
            integrate to 1.
        delta_at: (quantile,) ms, mean over conditions of the 0.05, 0.10, … 0.95 quantiles of
            correct answers.
        delta: (quantile,) ms, incongruent - congruent.
        accuracy: (condition, bin) share correct in fifths of the answers, from fast to slow.
        errors: (condition,) share of errors among the answers.
        mean_rt: (condition,) ms, correct answers.
    """

    time: Array
    automatic: Array
    controlled: Array
    bound: float
    drift_time: Array
    drift: Array
    rt: Array
    density: Array
    delta_at: Array
    delta: Array
    accuracy: Array
    errors: Array
    mean_rt: Array

    @property
    def activation(self) -> Array:
        """Automatic and controlled together: the mean path without bounds, (condition, time)."""
        return self.automatic + self.controlled


def curves(model: Model, theta: Array) -> Curves:
    """The curves of one parameter value.

    Args:
        model: DMC with a constant bound and an exact likelihood.
        theta: (parameter,) as the model orders them.

    Raises:
        ValueError: for another model or variant, or theta outside of the parameters' domains.

    Example:
        >>> from incongruent.models.dmc import dmc
        >>> found = curves(dmc(), np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0]))
        >>> [round(float(error), 3) for error in found.errors]
        [0.021, 0.101]
    """
    likelihood = _likelihood(model)
    values = _values(model, theta)
    rt = _times(values)
    density = _density(likelihood, theta, rt)
    cumulative = _cumulative(density)  # (condition, side, rt)
    quantiles = [_quantiles(rt, side[0], PROBABILITIES) for side in cumulative]
    process = mean_activation(model, theta, until=_decision_time(values))
    time = process.times
    total = cumulative[..., -1]  # (condition, side)
    return Curves(
        time=time,
        automatic=np.stack([process.automatic(level) for level in LEVELS]),
        controlled=process.controlled,
        bound=float(process.bound[0]),
        drift_time=0.5 * (time[1:] + time[:-1]),
        drift=_drift(process),
        rt=rt,
        density=density,
        delta_at=0.5 * (quantiles[0] + quantiles[1]),
        delta=quantiles[1] - quantiles[0],
        accuracy=np.stack([_conditional_accuracy(rt, sides) for sides in cumulative]),
        errors=total[:, 1] / total.sum(axis=1),
        mean_rt=np.trapezoid(density[:, 0] * rt, rt, axis=-1) / total[:, 0],
    )


def _drift(process: Activation) -> Array:
    """The mean drift between neighbouring times, (condition, time - 1)."""
    return np.stack([np.diff(process.of(level)) for level in LEVELS]) / np.diff(process.times)


def _density(likelihood: Likelihood, theta: Array, rt: Array) -> Array:
    """Densities at theta (parameter,), (condition, side, rt)."""
    assert likelihood.densities is not None
    one = np.asarray(theta, float)[None]
    return densities_at(likelihood.densities, one, range(len(LEVELS)), rt, Kept())


def _likelihood(model: Model) -> Likelihood:
    if model.name != "dmc" or model.settings.get("bound") != "constant" or model.likelihood is None:
        raise ValueError(
            "Expected DMC with a constant bound and scheme='bridge' for its curves; got"
            f" {model.name} {dict(model.settings)}."
        )
    return model.likelihood


def _values(model: Model, theta: Array) -> dict[str, float]:
    """Every parameter by name: free ones from theta, fixed ones from the model's settings."""
    if np.shape(theta) != (len(model.parameters),):
        raise ValueError(
            f"Expected one value for each of {model.parameter_names}; got shape {np.shape(theta)}."
        )
    for parameter, value in zip(model.parameters, theta, strict=True):
        if not parameter.low <= value <= parameter.high:
            raise ValueError(
                f"Expected {parameter.name} within [{parameter.low:g}, {parameter.high:g}]"
                f" {parameter.unit}; got {value:g}."
            )
    fixed = model.settings["fixed"]
    assert isinstance(fixed, Mapping)
    typical = {p.name: p.typical for p in OPTIONAL if p.typical is not None}
    return {**typical, **fixed, **dict(zip(model.parameter_names, map(float, theta), strict=True))}


def _decision_time(values: Mapping[str, float]) -> float:
    """Time in ms after which hardly a decision is open.

    It is that of the slowest decay that a varying drift allows.
    """
    after_activation = TAIL_NATS / _slowest_decay(values)
    return min(after_activation + 2.0 * values["a"] * values["tau"], HORIZON)


def _slowest_decay(values: Mapping[str, float]) -> float:
    """The rate per ms at which open decisions decay with the smallest drift that is likely."""
    slowest = max(values["mu_c"] - 3.0 * values["drift_sd"], 0.0)
    return slowest**2 / (2.0 * SIGMA**2) + (math.pi * SIGMA / values["b"]) ** 2 / 8.0


def _times(values: Mapping[str, float]) -> Array:
    first = max(values["mu_R"] - 6.0 * values["sd_R"], STEP)
    last = _decision_time(values) + values["mu_R"] + 6.0 * values["sd_R"]
    if values["lapse"] > 0.0:
        first, last = min(first, LAPSE_RANGE[0]), max(last, LAPSE_RANGE[1])
    return np.arange(STEP * math.floor(first / STEP), last + STEP, STEP)


def _cumulative(density: Array) -> Array:
    """Trapezoid sums along the last axis, which has `STEP` between its places."""
    sums = np.cumsum(0.5 * STEP * (density[..., 1:] + density[..., :-1]), axis=-1)
    return np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)


def _quantiles(rt: Array, cumulative: Array, probabilities: Array) -> Array:
    return np.interp(probabilities * cumulative[-1], cumulative, rt)


def _conditional_accuracy(rt: Array, cumulative: Array) -> Array:
    """(bin,) from the distribution functions of both sides, (side, rt)."""
    edges = _quantiles(rt, cumulative.sum(axis=0), np.linspace(0.0, 1.0, N_BINS + 1))
    inside = np.diff([np.interp(edges, rt, side) for side in cumulative], axis=-1)  # (side, bin)
    return inside[0] / np.maximum(inside.sum(axis=0), 1e-300)

r"""Priors of parameters that depend on each other, or of which only samples are known.

Networks learn z = (t - m) / s, where t is theta without its limits,

    t = theta,   log(theta - low),   -log(high - theta)   or   log((theta - low) / (high - theta)),

and m and s are the mean and SD of t over the prior. Draws keep to the limits, and log q(theta) =
log q(z) + log |dz / dtheta| is exact. Unlike with a `Prior`, z need not be normal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from incongruent.data.basics.packing import Portable
from incongruent.data.basics.plain import number, text_of, words_of
from incongruent.data.basics.streams import Purpose, stream_or, unchanging
from incongruent.models.model import Parameter
from incongruent.priors.independent import Prior, prior_from_json

Array = np.ndarray

N_DRAWS = 10_000
"""Draws from which location and scale of t are taken."""
RANGE_IN_FILES = "recorded"
"""What files of all releases call the range of the samples."""


class PriorError(ValueError):
    """A prior lacks what is asked of it: a density, or a function that samples."""


class JointPrior(Portable):
    """A prior of dependent parameters, given by functions.

    Args:
        names: of the parameters, in the order of the columns of theta.
        sample: ``sample(n, rng) -> (n, parameter)``; None when only samples are known, see
            `joint_prior_of`.
        log_prob: ``log_prob(theta) -> (…)`` for theta (…, parameter), -inf outside the support;
            None when it is not known.
        low: smallest value of a parameter, by name; where left out there is none.
        high: largest value, by name.
        location: (parameter,) m; from 10,000 samples when left out.
        scale: (parameter,) s; from the same samples when left out.
        sample_range: smallest and largest value by parameter, where only samples are known; draws
            beyond are counted.

    Raises:
        ValueError: when the samples have another shape, are not finite, or leave their limits.

    Example:
        >>> def ordered(n, rng):
        ...     return np.sort(rng.uniform(0.0, 1.0, (n, 2)), axis=1)
        >>> low, high = {"fast": 0, "slow": 0}, {"fast": 1, "slow": 1}
        >>> prior = JointPrior(["fast", "slow"], sample=ordered, low=low, high=high)
        >>> prior.sample(3, seed=1).shape
        (3, 2)
    """

    FUNCTIONS = ("_sample", "_log_prob")

    def __init__(
        self,
        names: Sequence[str],
        *,
        sample: Callable[[int, np.random.Generator], Array] | None = None,
        log_prob: Callable[[Array], Array] | None = None,
        low: Mapping[str, float] | None = None,
        high: Mapping[str, float] | None = None,
        location: Array | None = None,
        scale: Array | None = None,
        sample_range: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        self._names = words_of("parameter names", names)
        low, high = _limits_of("low", low), _limits_of("high", high)
        self._check_names(list(names), set(low) | set(high))
        self.sample_range = None if sample_range is None else _ranges_of(sample_range)
        self._low = np.array([low.get(name, -math.inf) for name in self._names])
        self._high = np.array([high.get(name, math.inf) for name in self._names])
        if not (self._low < self._high).all():
            raise ValueError(
                f"Expected low < high for every parameter; got low={low}, high={high}."
            )
        self._sample, self._log_prob = sample, log_prob
        if location is None or scale is None:
            location, scale = self._location_and_scale()
        self._location, self._scale = np.array(location, float), np.array(scale, float)
        if not (np.isfinite(self._location).all() and (self._scale > 0).all()):
            raise ValueError(
                "Expected a prior under which every parameter varies; got SDs"
                f" {dict(zip(self._names, self._scale, strict=True))}."
            )

    def _check_names(self, names: list[str], limited: set[str]) -> None:
        unknown = sorted(limited - set(self._names))
        if unknown or len(set(self._names)) != len(self._names) or not self._names:
            raise ValueError(
                "Expected different parameter names, and limits for these alone; got names"
                f" {names}, limits for {unknown} beside."
            )

    def _location_and_scale(self) -> tuple[Array, Array]:
        """Mean and SD of t, from draws."""
        if self._sample is None:
            raise PriorError(
                "Expected a function that samples, or location and scale; got neither. Use"
                " joint_prior_of for samples alone."
            )
        t = self._free(self._drawn(N_DRAWS, unchanging()))
        return t.mean(axis=0), t.std(axis=0)

    def __repr__(self) -> str:
        def limits(low: float, high: float) -> str:
            return "" if math.isinf(low) and math.isinf(high) else f" in [{low:g}, {high:g}]"

        words = ", ".join(
            name + limits(a, b)
            for name, a, b in zip(self._names, self._low, self._high, strict=True)
        )
        return f"JointPrior({words})"

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names, in the order of the columns of theta."""
        return self._names

    def beyond(self, theta: Array) -> Array:
        """Where theta lies outside the range of the samples, both (…, parameter).

        Nothing lies outside when that range is not known.
        """
        theta, seen = self._with_parameters(theta), self.sample_range or {}
        low, high = np.array([seen.get(name, (-math.inf, math.inf)) for name in self._names]).T
        return (theta < low) | (theta > high)

    @property
    def has_density(self) -> bool:
        """Whether its density is known."""
        return self._log_prob is not None

    def sample(self, n_datasets: int, *, seed: int | np.random.Generator) -> Array:
        """Draw theta, shape (n_datasets, parameter).

        Raises:
            PriorError: when there is no function that samples.
            ValueError: when the function gives another shape, something not finite, or leaves the
                limits.
        """
        return self._drawn(n_datasets, stream_or(seed, Purpose.PRIOR_ALONE))

    def _drawn(self, n: int, rng: np.random.Generator) -> Array:
        if self._sample is None:
            raise PriorError(
                "Expected a prior that can be sampled; this one is known by samples alone. Pass"
                " prior= with a function that samples."
            )
        return self._checked(np.asarray(self._sample(n, rng), float), (n, len(self._names)))

    def _checked(self, theta: Array, shape: tuple[int, int]) -> Array:
        if theta.shape != shape:
            raise ValueError(
                f"Expected samples of shape {shape}, (dataset, parameter), from the prior's"
                f" function; got {theta.shape}."
            )
        wrong = ~np.isfinite(theta) | (theta <= self._low) | (theta >= self._high)
        # a sample on its limit is moved inside by a rounding error
        wrong &= ~((theta == self._low) | (theta == self._high))
        if wrong.any():
            row, place = np.argwhere(wrong)[0]
            raise ValueError(
                f"Expected samples of {self._names[place]} within [{self._low[place]:g},"
                f" {self._high[place]:g}]; got {theta[row, place]:g}. Give the limits of the"
                " support as low= and high=."
            )
        return np.clip(
            theta, np.nextafter(self._low, math.inf), np.nextafter(self._high, -math.inf)
        )

    def log_prob(self, theta: Array) -> Array:
        """Log density at theta (…, parameter), shape (…).

        Raises:
            PriorError: when the density is not known.
        """
        if self._log_prob is None:
            raise PriorError(
                "Expected a prior with a known density; got none. Pass log_prob= to JointPrior, or"
                " prior= to what needs it."
            )
        theta = self._with_parameters(theta)
        found = np.asarray(self._log_prob(theta), float)
        if found.shape != theta.shape[:-1]:
            raise ValueError(
                f"Expected log densities of shape {theta.shape[:-1]} from the prior's function; got"
                f" {found.shape}."
            )
        return np.where(((theta >= self._low) & (theta <= self._high)).all(axis=-1), found, -np.inf)

    def to_real(self, theta: Array) -> Array:
        """Z, same shape (…, parameter); infinite or NaN where theta lies outside the limits."""
        return (self._free(self._with_parameters(theta)) - self._location) / self._scale

    def from_real(self, z: Array) -> Array:
        """Theta, same shape (…, parameter)."""
        t = self._location + self._scale * self._with_parameters(z)
        theta = np.empty(t.shape)
        for i, (low, high) in enumerate(zip(self._low, self._high, strict=True)):
            theta[..., i] = _limited(t[..., i], low, high)
        return np.clip(
            theta, np.nextafter(self._low, math.inf), np.nextafter(self._high, -math.inf)
        )

    def log_prob_real(self, z: Array) -> Array:
        """Log density of z (…, parameter) under the prior, shape (…)."""
        theta = self.from_real(z)
        return self.log_prob(theta) - self.log_jacobian(theta, z)

    def log_jacobian(self, theta: Array, z: Array) -> Array:
        """``log |dz / dtheta|`` at theta (…, parameter), shape (…).

        Z is the place of theta on the real line.
        """
        theta = self._with_parameters(theta)
        total = np.full(theta.shape[:-1], -np.log(self._scale).sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            for i, (low, high) in enumerate(zip(self._low, self._high, strict=True)):
                total += _log_slope(theta[..., i], low, high)
        return total

    def limits(self, place: int) -> tuple[float, float]:
        """Smallest and largest value that the parameter at a place of `names` can have."""
        return float(self._low[place]), float(self._high[place])

    def share_outside(self, place: int, low: float, high: float) -> float:
        """How much of the parameter's prior lies outside [low, high], from 10,000 samples."""
        theta = self._drawn(N_DRAWS, unchanging())[:, place]
        return float(((theta < low) | (theta > high)).mean())

    def variances(self) -> Array:
        """Prior variance of each parameter, (parameter,), from 10,000 samples.

        It is NaN when the prior cannot be sampled.
        """
        if self._sample is None:
            return np.full(len(self._names), np.nan)
        return self._drawn(N_DRAWS, unchanging()).var(axis=0)

    def within(self, parameters: Sequence[Parameter]) -> JointPrior:
        """The same prior, after a look whether it fits a model's parameters.

        Raises:
            ValueError: when names differ from the model's, also in their order, or samples lie
                outside the model's domain.
        """
        wanted = tuple(parameter.name for parameter in parameters)
        if wanted != self._names:
            raise ValueError(
                f"Expected a prior for the parameters {list(wanted)}, in this order; got"
                f" {list(self._names)}."
            )
        if self._sample is not None:
            theta = self._drawn(N_DRAWS, unchanging())
            for i, parameter in enumerate(parameters):
                outside = float(
                    ((theta[:, i] < parameter.low) | (theta[:, i] > parameter.high)).mean()
                )
                if outside > 0:
                    raise ValueError(
                        f"Expected a prior for {parameter.name} within [{parameter.low:g},"
                        f" {parameter.high:g}] {parameter.unit}, where the model is defined;"
                        f" {outside:.1%} of its samples lie outside. Reject them in the function"
                        " that samples."
                    )
        return self

    def to_json(self) -> dict[str, Any]:
        """Plain values; functions are left out."""
        described: dict[str, Any] = {
            "names": list(self._names),
            "low": self._finite(self._low),
            "high": self._finite(self._high),
            "location": self._location.tolist(),
            "scale": self._scale.tolist(),
        }
        if self.sample_range is not None:
            pairs = self.sample_range.items()
            described[RANGE_IN_FILES] = {name: list(pair) for name, pair in pairs}
        return {"joint": described}

    def _finite(self, limits: Array) -> dict[str, float]:
        """The limits that there are, by parameter."""
        pairs = zip(self._names, limits, strict=True)
        return {name: float(limit) for name, limit in pairs if math.isfinite(limit)}

    def _free(self, theta: Array) -> Array:
        """T of theta (…, parameter)."""
        t = np.empty(theta.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            for i, (low, high) in enumerate(zip(self._low, self._high, strict=True)):
                t[..., i] = _free(theta[..., i], low, high)
        return t

    def _with_parameters(self, values: Array) -> Array:
        values = np.asarray(values, float)
        if values.shape[-1:] != (len(self._names),):
            raise ValueError(
                f"Expected the last axis to hold the {len(self._names)} parameters {self._names};"
                f" got shape {values.shape}."
            )
        return values


AnyPrior = Prior | JointPrior


def joint_prior_of(
    theta: Array,
    names: Sequence[str],
    *,
    low: Mapping[str, float] | None = None,
    high: Mapping[str, float] | None = None,
    sample_range: Mapping[str, tuple[float, float]] | None = None,
) -> JointPrior:
    """A prior of which only samples are known: theta (dataset, parameter).

    It can neither be sampled nor has it a density, but a network can be trained with it.
    """
    theta = np.asarray(theta, float)
    unit = JointPrior(
        names, low=low, high=high, location=np.zeros(len(names)), scale=np.ones(len(names))
    )
    t = unit.to_real(unit._checked(theta, (len(theta), len(names))))
    return JointPrior(
        names,
        low=low,
        high=high,
        location=t.mean(axis=0),
        scale=t.std(axis=0),
        sample_range=sample_range,
    )


def any_prior_from_json(spec: Mapping[str, Any]) -> AnyPrior:
    """The prior that ``to_json`` described; a joint prior comes back without its functions."""
    if set(spec) == {"joint"} and "names" in spec["joint"]:  # and not a parameter of that name
        joint = dict(spec["joint"])
        known = joint.pop(RANGE_IN_FILES, None)
        return JointPrior(**joint, sample_range=known)
    return prior_from_json(spec)


def _free(theta: Array, low: float, high: float) -> Array:
    if math.isfinite(low) and math.isfinite(high):
        return np.log(theta - low) - np.log(high - theta)
    if math.isfinite(low):
        return np.log(theta - low)
    return -np.log(high - theta) if math.isfinite(high) else theta


def _limited(t: Array, low: float, high: float) -> Array:
    """Undoes `_free`."""
    if math.isfinite(low) and math.isfinite(high):
        return low + (high - low) * special.expit(t)
    if math.isfinite(low):
        return low + np.exp(t)
    return high - np.exp(-t) if math.isfinite(high) else t


def _log_slope(theta: Array, low: float, high: float) -> Array | float:
    """``log dt / dtheta`` of `_free`."""
    if math.isfinite(low) and math.isfinite(high):
        return math.log(high - low) - np.log(theta - low) - np.log(high - theta)
    if math.isfinite(low):
        return -np.log(theta - low)
    return -np.log(high - theta) if math.isfinite(high) else 0.0


def _limits_of(side: str, limits: Mapping[str, float] | None) -> dict[str, float]:
    """Limits by parameter, in plain Python."""
    if limits is not None and not isinstance(limits, Mapping):
        raise ValueError(f"Expected {side} to map names of parameters to limits; got {limits!r}.")
    return {
        text_of(name): number(f"the limit of {name!r}", value)
        for name, value in (limits or {}).items()
    }


def _ranges_of(ranges: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Ranges by parameter, in plain Python."""
    return {text_of(name): (float(a), float(b)) for name, (a, b) in ranges.items()}

"""Covariates: how a design sets the values of a given column, and how files describe that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np

from incongruent.data.basics.plain import plain, text_of
from incongruent.data.columns import Category, Column, allowed
from incongruent.priors.distributions import (
    Truncated,
    accepted,
    distribution_from_json,
    distribution_to_json,
    words_for,
)

Array = np.ndarray

Covariate = Any
"""How a design sets a given column: a frozen distribution of scipy.stats, a number, for categories
a mapping of levels to probabilities, or a function ``(shape, rng) -> values``."""


class Resampled:
    """Draws the values of a column from those of stored simulations."""

    __name__ = "Resampled"
    """What files and designs call it."""

    def __init__(self, values: Array) -> None:
        self.values = np.array(values)

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Values of that shape, drawn with replacement."""
        return rng.choice(self.values, shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resampled) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]


class NotSaved:
    """Stands in for a function that set a given column and could not be saved."""

    def __init__(self, column: str, name: str) -> None:
        self.column, self.__name__ = column, name

    def __call__(self, *_: Any) -> Any:
        """Refuse: the function is not here."""
        raise ValueError(
            f"Expected the function {self.__name__!r} that gives {self.column!r} its values; files"
            " hold no functions. Make a Simulator with it again."
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NotSaved) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def is_distribution(how: Any) -> bool:
    """Whether it is a distribution of scipy.stats, old or new, or of the package."""
    return isinstance(how, Truncated) or hasattr(how, "rvs") or hasattr(how, "icdf")


def plain_covariate(name: str, how: Any) -> Covariate:
    """What sets a given column, with numbers of plain Python.

    Raises:
        ValueError: for something that gives no values.
    """
    if is_distribution(how):
        return accepted(name, how, discrete=True)
    if callable(how):
        return how
    value = plain(how)
    if isinstance(value, dict) and all(map(_is_finite, value.values())):
        return {text_of(level): float(share) for level, share in value.items()}
    if _is_finite(value):
        return float(value)
    raise ValueError(
        "Expected a distribution, a number, a function (shape, rng) -> values or, for a category,"
        f" a mapping of levels to probabilities for {name!r}; got {how!r}."
    )


def _is_finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def covariate_words(how: Covariate) -> str:
    """What sets a given column, as a user would write it."""
    if is_distribution(how):
        return words_for(how)
    return _function_name(how) if callable(how) else repr(how)


def _function_name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def comparable(how: Covariate) -> Any:
    """A form that is equal for two covariates when both set the same values."""
    return distribution_to_json(how) if is_distribution(how) else how


def covariate_to_json(how: Covariate) -> dict[str, Any]:
    """What sets a given column as plain values; of a function its name."""
    if is_distribution(how):
        return {"distribution": distribution_to_json(how)}
    if isinstance(how, Mapping):
        return {"probabilities": dict(how)}
    if callable(how):
        return {"function": _function_name(how)}
    return {"value": float(how)}


def covariate_from_json(name: str, spec: Mapping[str, Any]) -> Covariate:
    """What sets the column ``name``, from what `covariate_to_json` made of it."""
    if "distribution" in spec:
        return distribution_from_json(name, spec["distribution"], discrete=True)
    if "function" in spec:
        return NotSaved(name, spec["function"])
    return spec["probabilities"] if "probabilities" in spec else spec["value"]


def covariate_values(
    column: Column, how: Covariate, shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Values of a given column, of a shape that stretches to (dataset, trial).

    Raises:
        ValueError: for probabilities of other levels, or a function that gives another shape.
    """
    drawn = _drawn(column, how, shape, rng)
    if drawn.shape != shape:
        raise ValueError(
            f"Expected values of shape {shape} for {column.name!r}; the function gave"
            f" {drawn.shape}."
        )
    fine, wanted = allowed(column, drawn)
    if not fine.all():
        raise ValueError(
            f"Expected {wanted} for the given column {column.name!r}; {covariate_words(how)} gave"
            f" {drawn[~fine][0]}."
        )
    return drawn.astype(column.dtype)


def _drawn(
    column: Column, how: Covariate, shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Values as a covariate gives them, before they are checked."""
    if isinstance(how, Mapping):
        return _drawn_levels(column, how, shape, rng)
    if is_distribution(how):
        return how.rvs(size=shape, random_state=rng)
    return np.asarray(how(shape, rng)) if callable(how) else np.full(shape, how)


def _drawn_levels(
    column: Column, how: Mapping[str, float], shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """Levels of a category, drawn by their probabilities."""
    if not isinstance(column, Category):
        raise ValueError(
            f"Expected numbers for {column.name!r}, which has no levels; got the probabilities"
            f" {dict(how)}."
        )
    shares = np.array([how.get(level, 0.0) for level in column.levels], float)
    if set(how) - set(column.levels) or not _are_probabilities(shares):
        raise ValueError(
            f"Expected probabilities of {column.levels} that sum to 1 for {column.name!r}; got"
            f" {dict(how)}."
        )
    return rng.choice(len(shares), size=shape, p=shares)


def _are_probabilities(shares: Array) -> bool:
    """Whether shares sum to 1 and none is below 0."""
    return not (abs(shares.sum() - 1.0) > 1e-9 or (shares < 0).any())

"""Distributions of one number, and how files hold them.

They are frozen distributions of scipy.stats, also cut to an interval; the new distributions of
scipy.stats become frozen ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
from scipy import stats

from incongruent.data.basics.plain import number, plain


class Distribution(Protocol):
    """What a univariate prior has to have.

    Every frozen continuous distribution of scipy.stats has it.
    """

    def cdf(self, x: Any) -> Any: ...  # noqa: D102
    def sf(self, x: Any) -> Any: ...  # noqa: D102
    def ppf(self, q: Any) -> Any: ...  # noqa: D102
    def isf(self, q: Any) -> Any: ...  # noqa: D102
    def logpdf(self, x: Any) -> Any: ...  # noqa: D102
    def support(self) -> tuple[float, float]: ...  # noqa: D102


@dataclass(frozen=True)
class Truncated:
    """A distribution cut to an interval and scaled to one again; made by `truncated`."""

    base: Distribution
    low: float
    high: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Truncated) and distribution_to_json(self) == distribution_to_json(
            other
        )

    def __hash__(self) -> int:
        return hash((self.low, self.high))

    @cached_property
    def _below(self) -> float:
        return float(self.base.cdf(self.low))

    @cached_property
    def _above(self) -> float:
        return float(self.base.sf(self.high))

    @cached_property
    def mass(self) -> float:
        """The share of the uncut distribution that lies within."""
        return 1.0 - self._below - self._above

    def cdf(self, x: Any) -> Any:
        """P(X <= x)."""
        return np.clip((self.base.cdf(x) - self._below) / self.mass, 0.0, 1.0)

    def sf(self, x: Any) -> Any:
        """P(X > x)."""
        return np.clip((self.base.sf(x) - self._above) / self.mass, 0.0, 1.0)

    def ppf(self, q: Any) -> Any:
        """The value below which the share q lies."""
        return np.clip(self.base.ppf(self._below + np.asarray(q) * self.mass), self.low, self.high)

    def isf(self, q: Any) -> Any:
        """The value above which the share q lies."""
        return np.clip(self.base.isf(self._above + np.asarray(q) * self.mass), self.low, self.high)

    def logpdf(self, x: Any) -> Any:
        """Log density; -inf outside."""
        inside = (np.asarray(x) >= self.low) & (np.asarray(x) <= self.high)
        return np.where(inside, self.base.logpdf(x) - math.log(self.mass), -np.inf)

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draws, of shape ``size``."""
        return self.ppf(stats.uniform.rvs(size=size, random_state=random_state))

    def support(self) -> tuple[float, float]:
        """The interval."""
        low, high = self.base.support()
        return max(self.low, float(low)), min(self.high, float(high))


def truncated(
    distribution: Distribution, low: float = -math.inf, high: float = math.inf
) -> Truncated:
    """Cut a distribution to [low, high].

    Raises:
        TypeError: for something else than a continuous distribution.
        ValueError: when the interval is empty or holds less than a millionth of the distribution.

    Example:
        >>> truncated(stats.norm(20, 15), 0, 60).support()
        (0.0, 60.0)
    """
    low, high, base = (
        number("low", low),
        number("high", high),
        accepted("the distribution to cut", distribution),
    )
    if isinstance(base, Truncated):
        if not max(low, base.low) < min(high, base.high):
            raise ValueError(
                f"Expected a part of [{base.low}, {base.high}], to which it is cut already; got"
                f" [{low}, {high}]."
            )
        base, low, high = base.base, max(low, base.low), min(high, base.high)
    if not low < high:
        raise ValueError(f"Expected low < high; got low={low:g}, high={high:g}.")
    cut = Truncated(base, low, high)
    if not cut.mass > 1e-6:
        raise ValueError(
            f"Expected some of the distribution within [{low:g}, {high:g}]; got a share of"
            f" {cut.mass:.2g}."
        )
    return cut


COMPARED_AT = np.array([0.001, 0.2, 0.5, 0.8, 0.999])
"""Where the quantiles of two distributions are compared."""


def accepted(name: str, distribution: Any, *, discrete: bool = False) -> Any:
    """A distribution as the package keeps it, so that it comes back from a file.

    It is a frozen one of scipy.stats with plain numbers, or a `Truncated` one.

    Args:
        name: of what it is for, for the words of errors.
        distribution: frozen, truncated, or one of the new distributions of scipy.stats, which
            become frozen ones.
        discrete: whether whole numbers will do as well.

    Raises:
        TypeError: for something else.
        ValueError: for a distribution that a file cannot name, or whose parameters are not one
            finite number each.
    """
    if isinstance(distribution, Truncated):
        return distribution
    if hasattr(distribution, "icdf") and not hasattr(distribution, "dist"):
        return _older(name, distribution)
    kinds = (stats.rv_continuous, stats.rv_discrete) if discrete else (stats.rv_continuous,)
    if not isinstance(getattr(distribution, "dist", None), kinds):
        raise TypeError(
            f"Expected a frozen continuous distribution for {name!r}, such as stats.norm(0, 1) or "
            f"incongruent.truncated(stats.norm(0, 1), 0, 3); got {type(distribution).__name__}."
        )
    try:
        again = distribution_from_json(name, distribution_to_json(distribution), discrete=discrete)
        came = distribution.dist(*plain(distribution.args), **plain(distribution.kwds))
        same = _alike(again.ppf(COMPARED_AT), came.ppf(COMPARED_AT)) and _alike(
            again.support(), came.support()
        )
    except (TypeError, ValueError):
        again, same = None, False
    if not same:
        raise ValueError(
            f"Expected a distribution of scipy.stats for {name!r} that a file can name, with one"
            f" number for each of its parameters; got {type(distribution.dist).__name__}"
            f" {distribution.args} {distribution.kwds}. Give any other prior as functions,"
            " JointPrior(names, sample=…, log_prob=…)."
        )
    return again


def _alike(one: Any, other: Any) -> bool:
    return np.shape(one) == np.shape(other) and bool(
        np.allclose(one, other, rtol=1e-5, atol=0.0, equal_nan=True)
    )


def _older(name: str, new: Any) -> Any:
    """One of the new distributions of scipy.stats as a frozen one.

    There has to be one that gives the same quantiles.
    """
    found = None if np.shape(new.icdf(0.5)) else _counterpart(new)
    if found is None or not _alike(found.ppf(COMPARED_AT), new.icdf(COMPARED_AT)):
        raise ValueError(
            f"Expected a frozen continuous distribution for {name!r}, such as stats.norm(0, 1) or"
            f" stats.gamma(4, scale=5), which a file can name; got {new}, which has no counterpart"
            " among them. Cut ones are made by incongruent.truncated(stats.norm(0, 1), 0, 3)."
        )
    return found


def _counterpart(new: Any) -> Any:
    """The frozen distribution that ought to be the same; None when there is none.

    All its parameters are given by name.
    """
    base = getattr(new, "_dist", None)
    if base is not None:
        return _derived(new, _counterpart(base))
    if isinstance(new, getattr(stats, "Normal", ())) and hasattr(new, "mu"):
        return stats.norm(loc=float(new.mu), scale=float(new.sigma))
    if isinstance(new, getattr(stats, "Uniform", ())):
        return stats.uniform(loc=float(new.a), scale=float(new.b - new.a))
    members = map(partial(_member, new), vars(stats).values())
    return next((found for found in members if found is not None), None)


def _derived(new: Any, inner: Any) -> Any:
    """A new distribution that is a frozen one cut, shifted or scaled; None when it is neither."""
    if inner is None or isinstance(inner, Truncated):
        return None
    if hasattr(new, "lb") and hasattr(new, "ub"):
        return truncated(inner, float(new.lb), float(new.ub))
    loc, scale = getattr(new, "loc", None), getattr(new, "scale", None)
    if loc is None or scale is None or not scale > 0:
        return None
    moved = {
        "loc": float(loc + scale * inner.kwds["loc"]),
        "scale": float(scale * inner.kwds["scale"]),
    }
    return inner.dist(**{**inner.kwds, **moved})


def _member(new: Any, family: Any) -> Any:
    """The frozen member of a family that is a new distribution; None when there is none.

    It has the same parameters and the same quantiles.
    """
    shapes = (
        (family.shapes or "").replace(",", " ").split()
        if isinstance(family, stats.rv_continuous)
        else ["not a family"]
    )
    values = {shape: plain(getattr(new, shape, None)) for shape in shapes}
    if not all(isinstance(value, float) for value in values.values()):
        return None
    found = family(**values, loc=0.0, scale=1.0)
    return found if _alike(found.ppf(COMPARED_AT), new.icdf(COMPARED_AT)) else None


def words_for(distribution: Distribution) -> str:
    """A distribution in words, as a user would write it."""
    if isinstance(distribution, Truncated):
        return (
            f"{words_for(distribution.base)} on [{_digits(distribution.low)},"
            f" {_digits(distribution.high)}]"
        )
    frozen: Any = distribution
    arguments = ", ".join(
        [_digits(a) for a in frozen.args] + [f"{k}={_digits(v)}" for k, v in frozen.kwds.items()]
    )
    return f"{frozen.dist.name}({arguments})"


def _digits(value: Any) -> str:
    """A number with as many digits as it has, so that the very same can be read again."""
    return repr(float(value)).removesuffix(".0")


def _plain(value: Any) -> float | str:
    """A number that strict JSON can hold; "inf" and "-inf" are words there."""
    return (
        number("a parameter", value) if math.isfinite(value) else str(number("a parameter", value))
    )


def distribution_to_json(distribution: Distribution) -> dict[str, Any]:
    """A distribution as plain values."""
    if isinstance(distribution, Truncated):
        return distribution_to_json(distribution.base) | {
            "low": _plain(distribution.low),
            "high": _plain(distribution.high),
        }
    frozen: Any = distribution
    return {
        "name": frozen.dist.name,
        "args": [_plain(a) for a in frozen.args],
        "kwds": {k: _plain(v) for k, v in frozen.kwds.items()},
    }


def distribution_from_json(name: str, entry: Mapping[str, Any], *, discrete: bool = False) -> Any:
    """The distribution of what is called ``name``, from plain values.

    Raises:
        ValueError: when it is not one of scipy.stats, or discrete unless that is allowed.
    """
    family = getattr(stats, str(entry["name"]), None)
    if not isinstance(family, stats.rv_continuous) and not (
        discrete and isinstance(family, stats.rv_discrete)
    ):
        kind = "distribution" if discrete else "continuous distribution"
        raise ValueError(
            f"Expected the name of a {kind} of scipy.stats for {name!r}; got {entry['name']!r}."
        )
    frozen: Any = family(
        *map(float, entry["args"]), **{k: float(v) for k, v in entry["kwds"].items()}
    )
    return (
        truncated(frozen, float(entry["low"]), float(entry["high"])) if "low" in entry else frozen
    )

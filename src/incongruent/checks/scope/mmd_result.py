"""The result of an MMD test, and its p-values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class MmdTest:
    """The result of an MMD test.

    Attributes:
        statistic: MMD^2, unbiased; may be below 0. For one person 1 + mean k(y, y') - 2 mean k(x,
            y).
        p_value: (1 + number of null values as large) / (number of null values + 1).
        null: the statistic of studies from the model, (study,).
        alpha: the level.
        effect: 1 - 2 k_xy / (k_xx + k_yy), at least 0: 0 for equal distributions, 1 for ones that
            share nothing; it does not grow with the study. NaN for one person.
        location: squared distance of the study's mean from the reference's, on white components
            that hold 95 % of the reference's variance, less what the null has; at least 0.
        spread: half the squared distance of covariances, tr(C - I)^2 / 2, likewise; in the same
            units, those of twice the Kullback-Leibler divergence of normal distributions. NaN for
            fewer than four people.
        variance_ratio: total variance of the people over that of the null; below 1 they are more
            alike than the prior says. NaN for fewer than four.
        spread_p: two-sided p-value of the variance ratio.
        n_people: N.
        n_reference: M.
        seed: of everything random.
    """

    statistic: float
    p_value: float
    null: Float[Array, " study"]
    alpha: float
    effect: float
    location: float
    spread: float
    variance_ratio: float
    spread_p: float
    n_people: int
    n_reference: int
    seed: int

    @property
    def rejected(self) -> bool:
        """Whether the test rejects: p is at most alpha."""
        return self.p_value <= self.alpha

    @property
    def critical(self) -> float:
        """Values of the statistic above this one reject."""
        from_largest = np.sort(self.null)[::-1]
        return float(from_largest[self._n_rejecting - 1])

    @property
    def _n_rejecting(self) -> int:
        """How many of the largest values, the observed one among them, reject."""
        return int(np.floor(self.alpha * (len(self.null) + 1) + 1e-9))

    @property
    def location_share(self) -> float:
        """The share of location in location + spread; NaN when both are 0 or unknown."""
        total = self.location + self.spread
        return self.location / total if total > 0 else float("nan")

    @property
    def spread_share(self) -> float:
        """The share of spread in location + spread."""
        return 1.0 - self.location_share

    @property
    def direction(self) -> str:
        """Whether people are "narrower" or "wider" than the reference.

        "neither" where ``spread_p`` is above alpha; "unknown" for fewer than four people.
        """
        if np.isnan(self.spread_p):
            return "unknown"
        if self.spread_p > self.alpha:
            return "neither"
        return "narrower" if self.variance_ratio < 1.0 else "wider"

    def __str__(self) -> str:
        return (
            f"{self._people} {self._verb} {self.n_reference} data sets of the reference"
            f" ({self._numbers}).{self._words_of_shares}{self._words_of_direction}"
        )

    @property
    def _people(self) -> str:
        return "1 person" if self.n_people == 1 else f"{self.n_people} people"

    @property
    def _numbers(self) -> str:
        """The statistic and its p-value, and the effect if it is known."""
        effect = "" if self.n_people == 1 else f", effect {self.effect:.2f}"
        return f"MMD² {self.statistic:.3g}, p = {self.p_value:.3g}{effect}"

    @property
    def _verb(self) -> str:
        if not self.rejected:
            return "cannot be distinguished from"
        return "differs from" if self.n_people == 1 else "differ from"

    @property
    def _words_of_shares(self) -> str:
        if not self.rejected or np.isnan(self.location_share):
            return ""
        return (
            f" Of the difference {self.location_share:.0%} is location and"
            f" {self.spread_share:.0%} spread."
        )

    @property
    def _words_of_direction(self) -> str:
        if self.direction not in ("narrower", "wider"):
            return ""
        return (
            f" The people are {self.direction} than the reference: {self.variance_ratio:.2f} times"
            f" its variance (p = {self.spread_p:.3g})."
        )


def p_of(value: float, null: Float[Array, " study"]) -> float:
    """The p-value of a value: (1 + number of null values at least as large) / (number + 1).

    Ties up to rounding count as large.
    """
    as_large = null >= value - _rounding_of(value)
    return float((1 + as_large.sum()) / (len(null) + 1))


def _rounding_of(value: float) -> float:
    """A difference from a value that may come from rounding alone."""
    return 1e-12 * max(1.0, abs(float(value)))


def excess_over_null(values: Float[Array, " study"]) -> float:
    """How much the first value exceeds the mean of the others, at least 0; NaN stays NaN."""
    return float(np.maximum(0.0, values[0] - np.mean(values[1:])))


def two_sided(value: float, null: Float[Array, " study"]) -> float:
    """Twice the smaller one-sided p-value, at most 1."""
    return min(1.0, 2.0 * min(p_of(value, null), p_of(-value, -null)))


def enough_for(alpha: float, n_null: int) -> bool:
    """Whether a level is between 0 and 1 and so many studies of the null can reach it."""
    return 0.0 < alpha < 1.0 and alpha * (n_null + 1) >= 1.0 - 1e-9

r"""Are numbers between 0 and 1 uniform? Simultaneous bands of their distribution function.

At z the number of n values below z is Binomial(n, z). The band holds all z of a grid at once with a
given probability (Säilynoja, Bürkner & Vehtari 2022, Statistics and Computing 32, 32); the p-value
is the share of uniform samples, simulated, that leave the pointwise bands somewhere by as much as
these values do. It rests on the n values themselves, whatever the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from incongruent.data.basics.streams import Purpose, stream

Array = np.ndarray

GRID = np.arange(1, 100) / 100
N_NULL = 4000


@dataclass(frozen=True, eq=False)
class Band:
    """The band of the empirical distribution function of n uniform values, on ``GRID``.

    Attributes:
        low: (place,).
        high: (place,).
    """

    low: Float[Array, " place"]
    high: Float[Array, " place"]


def uniformity_p(values: Array) -> float:
    """p-value of the hypothesis that values (n,) are uniform on [0, 1]; NaN for none."""
    if len(values) == 0:
        return float("nan")
    observed = _extremity(np.asarray(values)[None])[0]
    return _share_as_extreme(_null(len(values)), observed)


def _share_as_extreme(null: Float[Array, " sample"], observed: float) -> float:
    """The share of samples, the observed one among them, that are as extreme."""
    as_extreme = null <= observed + 1e-12
    return float((1 + as_extreme.sum()) / (N_NULL + 1))


def simultaneous_band(n: int, level: float = 0.95) -> Band:
    """The band that n uniform values leave nowhere with probability ``level``."""
    tail = float(np.quantile(_null(n), 1.0 - level))
    return Band(_ppf(tail, n) / n, _ppf(1.0 - tail, n) / n)


def _ppf(probability: float, n: int) -> Float[Array, " place"]:
    return np.asarray(stats.binom.ppf(probability, n, GRID))


@lru_cache(maxsize=64)
def _null(n: int) -> Float[Array, " sample"]:
    """`_extremity` of N_NULL uniform samples of n values; always the same ones."""
    rng = stream(0, Purpose.UNIFORMITY, n)
    return np.concatenate([_extremity(rng.random((200, n))) for _ in range(N_NULL // 200)])


def _extremity(values: Float[Array, "sample n"]) -> Float[Array, " sample"]:
    """The smallest pointwise tail probability over the grid of each sample (sample, n)."""
    below = _counts_below(values)
    lower, upper = _tails(values.shape[1])
    places = np.arange(len(GRID))
    return np.minimum(lower[places, below], upper[places, below]).min(axis=1)


def _counts_below(values: Float[Array, "sample n"]) -> Int[Array, "sample place"]:
    """How many values of each sample (sample, n) are up to each place of the grid."""
    ordered = np.sort(values, axis=1)
    return np.stack([np.searchsorted(row, GRID, side="right") for row in ordered])


@lru_cache(maxsize=64)
def _tails(n: int) -> tuple[Float[Array, "place count"], Float[Array, "place count"]]:
    """P(X <= k) and P(X >= k) for X ~ Binomial(n, z), each (place, k)."""
    k = np.arange(n + 1)[None, :]
    z = GRID[:, None]
    return np.asarray(stats.binom.cdf(k, n, z)), np.asarray(stats.binom.sf(k - 1, n, z))

r"""Kernels for comparing samples: Gaussian mixture, in blocks; whitening.

    k(x, y) = mean_s exp(-|x - y|^2 / (s m)),     s in {1/4, 1/2, 1, 2, 4},  m = median |x - x'|^2

With the median heuristic for m (Gretton et al. 2012, JMLR 13, 723-773) and scales a factor of 2
apart, one exponential and squarings give all five. Matrices are never held in full: 10,000 × 10,000
pairs take some 100 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Array = np.ndarray

N_SCALES = 5
WIDEST = 4.0
"""The largest s; each next is half of it."""
PAIRS_AT_ONCE = 2_000_000
N_FOR_MEDIAN = 1000


@dataclass(frozen=True)
class GaussianMixture:
    """The kernel above.

    Attributes:
        median: m, in squared units of the points.
    """

    median: float

    def of_squared(self, squared: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """The kernel at squared distances, same shape."""
        value = np.exp(squared / -(WIDEST * self.median))
        total = value.copy()
        for _ in range(N_SCALES - 1):
            value *= value  # half the scale
            total += value
        total /= N_SCALES
        return total

    def __call__(self, x: Float[Array, "m dim"], y: Float[Array, "n dim"]) -> Float[Array, "m n"]:
        """The kernel k(x_i, y_j) for x (m, dim) and y (n, dim), (m, n)."""
        return self.of_squared(squared_distances(x, y))

    def row_means(self, x: Float[Array, "m dim"], y: Float[Array, "n dim"]) -> Float[Array, " m"]:
        """Mean over j of k(x_i, y_j), (m,), in blocks."""
        return np.concatenate([self(x[rows], y).mean(axis=1) for rows in blocks(len(x), len(y))])

    def mean_within(self, x: Float[Array, "m dim"]) -> float:
        """Mean of k over pairs i ≠ j of x (m, dim), in blocks; needs two points."""
        m = len(x)
        total = sum(self._sum(x[rows], x) for rows in blocks(m, m))
        return (total - m) / (m * (m - 1))

    def _sum(self, x: Float[Array, "m dim"], y: Float[Array, "n dim"]) -> float:
        """Sum over i and j of k(x_i, y_j)."""
        return float(self(x, y).sum())


def median_kernel(points: Float[Array, "n dim"]) -> GaussianMixture:
    """The kernel with the median heuristic, from points (n, dim).

    The median is that of squared distances among up to 1000 evenly chosen points.

    Raises:
        ValueError: for fewer than two points, or points that nearly all coincide.
    """
    few = _evenly_chosen(points, N_FOR_MEDIAN)
    if len(few) < 2:
        raise ValueError(
            f"Expected at least two points for a median distance; got {len(few)}. Simulate more."
        )
    median = float(np.median(squared_distances(few, few)[np.triu_indices(len(few), 1)]))
    if not median > 0:
        raise ValueError(
            "Expected points that differ; the median distance between them is 0. Leave out"
            " statistics that are constant."
        )
    return GaussianMixture(median)


def _evenly_chosen(points: Float[Array, "n dim"], most: int) -> Float[Array, "chosen dim"]:
    """At most so many of the points, evenly spaced in their order."""
    if not len(points):
        return points
    return points[np.linspace(0, len(points) - 1, min(len(points), most)).astype(int)]


def mmd_squared(
    x: Float[Array, "m dim"], y: Float[Array, "n dim"], kernel: GaussianMixture
) -> float:
    """Unbiased MMD^2 of x (m, dim) and y (n, dim): pairs i = j are left out; may be below 0.

    Raises:
        ValueError: for fewer than two points on either side.
    """
    if min(len(x), len(y)) < 2:
        raise ValueError(
            f"Expected at least two points on each side; got {len(x)} and {len(y)}. An unbiased"
            " estimate needs pairs."
        )
    return (
        kernel.mean_within(x) + kernel.mean_within(y) - 2.0 * float(kernel.row_means(x, y).mean())
    )


def squared_distances(
    x: Float[Array, "*batch m dim"], y: Float[Array, "*batch n dim"]
) -> Float[Array, "*batch m n"]:
    """|x_i - y_j|^2, (…, m, n) for x (…, m, dim) and y (…, n, dim)."""
    cross = x @ np.swapaxes(y, -1, -2)
    squared = _squared_lengths(x)[..., :, None] + _squared_lengths(y)[..., None, :] - 2.0 * cross
    return np.maximum(squared, 0.0, out=squared)


def _squared_lengths(x: Float[Array, "*batch dim"]) -> Float[Array, "*batch"]:
    """|x_i|^2, (…, m) for x (…, m, dim)."""
    return (x**2).sum(axis=-1)


@dataclass(frozen=True, eq=False)
class Whitening:
    """An affine map after which a sample has mean 0 and covariance I.

    Attributes:
        mean: (dim,).
        to_white: (dim, component).
    """

    mean: Float[Array, " dim"]
    to_white: Float[Array, "dim component"]

    def __call__(self, points: Float[Array, "*batch dim"]) -> Float[Array, "*batch component"]:
        """Points (…, dim) in white coordinates (…, component)."""
        return (points - self.mean) @ self.to_white


def whitening_of(points: Array, *, floor: float = 1e-6) -> Whitening:
    """The whitening of points (n, dim).

    Directions whose share of the standardised variance is below ``floor`` are left out.

    Raises:
        ValueError: when points are not finite, too few, or all the same.
    """
    points = _checked_points(points)
    scale = _inverse_or_zero(points.std(axis=0))
    values, vectors = _eigen(points * scale)
    keep = values > floor * values.sum()
    to_white = scale[:, None] * vectors[:, keep] / np.sqrt(values[keep])
    return Whitening(points.mean(axis=0), to_white)


def _checked_points(points: Array) -> Float[Array, "n dim"]:
    """Points (n, dim) as numbers; ValueError when they have no whitening."""
    points = np.asarray(points, float)
    if points.ndim != 2 or len(points) <= points.shape[1]:
        raise ValueError(
            f"Expected points (n, dim), more of them than dimensions; got shape {points.shape}."
            " Simulate more."
        )
    if not np.isfinite(points).all():
        raise ValueError(
            "Expected finite points; got NaN or infinity. Leave such data sets out, and say how"
            " many."
        )
    if not (points.std(axis=0) > 0).any():
        raise ValueError("Expected points that differ; all are the same. Is the network trained?")
    return points


def _inverse_or_zero(sd: Float[Array, " dim"]) -> Float[Array, " dim"]:
    """1 over each SD; 0 where it is 0."""
    return np.where(sd > 0, 1.0 / np.where(sd > 0, sd, 1.0), 0.0)


def leading_whitening(points: Array, *, share: float = 0.95) -> Whitening:
    """The whitening of the leading principal components of points (n, dim).

    They are those in the points' own units that hold a share of the variance.

    Raises:
        ValueError: when there are fewer than two points, or all are the same.
    """
    points = np.asarray(points, float)
    if len(points) < 2 or not (points != points[0]).any():
        raise ValueError(
            f"Expected at least two points that differ; got {len(points)}, all the same. Simulate"
            " more."
        )
    values, vectors = _eigen(points)
    values, vectors = values[::-1], vectors[:, ::-1]
    n = min(_n_leading(values, share), len(points) - 1, len(values))
    return Whitening(points.mean(axis=0), vectors[:, :n] / np.sqrt(values[:n]))


def _n_leading(values: Float[Array, " component"], share: float) -> int:
    """How many of the largest eigenvalues, which come first, hold a share of their sum."""
    return int(np.searchsorted(np.cumsum(values) / values.sum(), share - 1e-12)) + 1


def _eigen(points: Float[Array, "n dim"]) -> tuple[Float[Array, " dim"], Float[Array, "dim dim"]]:
    """Eigenvalues, rising, and eigenvectors of the covariance of points (n, dim)."""
    dim = points.shape[1]
    values, vectors = np.linalg.eigh(np.cov(points, rowvar=False).reshape(dim, dim))
    return values, vectors


def blocks(m: int, n: int) -> Iterator[slice]:
    """Rows of an (m, n) matrix, some at a time."""
    step = max(1, PAIRS_AT_ONCE // max(n, 1))
    return (slice(first, first + step) for first in range(0, m, step))

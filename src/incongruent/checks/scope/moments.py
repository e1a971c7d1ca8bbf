r"""Location and spread of studies against a reference, in white coordinates.

Both are unbiased estimates from few people in many dimensions.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from incongruent.checks.kernels import leading_whitening

Array = np.ndarray

MIN_FOR_SPREAD = 4
"""People that it takes to estimate their spread."""


def moments(
    x: Float[Array, "study person dim"],
) -> tuple[Float[Array, " study"], Float[Array, " study"]]:
    r"""Location and spread of studies x (study, person, dim), each (study,).

    They are those against mean 0 and covariance I. Location is the unbiased estimate of |mu|^2, the
    mean of x_i · x_j over i ≠ j; |x|^2 for one person. Spread is half the unbiased estimate of tr
    (C - I)^2; NaN for fewer than four people.
    """
    if x.shape[1] < MIN_FOR_SPREAD:
        return _location(x), np.full(len(x), np.nan)
    return _location(x), _spread(x)


def _location(x: Float[Array, "study person dim"]) -> Float[Array, " study"]:
    """The unbiased estimate of |mu|^2, (study,)."""
    n = x.shape[1]
    of_sums = _squared_length(x.sum(axis=1))
    if n == 1:
        return of_sums
    of_people = (x**2).sum(axis=(1, 2))
    return (of_sums - of_people) / (n * (n - 1))


def _squared_length(x: Float[Array, "*batch dim"]) -> Float[Array, "*batch"]:
    """|x|^2 along the last axis."""
    return (x**2).sum(axis=-1)


def _spread(x: Float[Array, "study person dim"]) -> Float[Array, " study"]:
    """Half the unbiased estimate of tr (C - I)^2, (study,)."""
    centred = x - x.mean(axis=1, keepdims=True)
    covariance = _covariance(centred)
    trace = np.trace(covariance, axis1=1, axis2=2)
    return 0.5 * (_trace_of_square(centred, covariance, trace) - 2.0 * trace + x.shape[2])


def _covariance(centred: Float[Array, "study person dim"]) -> Float[Array, "study dim dim"]:
    """The covariance of studies (study, person, dim) with mean 0, (study, dim, dim)."""
    return np.swapaxes(centred, 1, 2) @ centred / (centred.shape[1] - 1)


def _trace_of_square(centred: Array, covariance: Array, trace: Array) -> Array:
    """The unbiased estimate of tr C^2, (study,).

    It holds for any distribution (Himeno & Yamada 2014, Journal of Multivariate Analysis 130,
    27-44).
    """
    n = centred.shape[1]
    squared = (covariance**2).sum(axis=(1, 2))
    fourth = (_squared_length(centred) ** 2).sum(axis=1) / (n - 1)
    factor = (n - 1) / (n * (n - 2) * (n - 3))
    return factor * ((n - 1) * (n - 2) * squared + trace**2 - n * fourth)


def moments_against(x: Float[Array, "m dim"], y: Float[Array, "n dim"]) -> tuple[float, float]:
    """Location and spread of x (m, dim) on the white components of y (n, dim)."""
    location, spread = moments(leading_whitening(y)(x)[None])
    return float(location[0]), float(spread[0])

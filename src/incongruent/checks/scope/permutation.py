"""The MMD test between two samples: the null exchanges their members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from incongruent.checks.kernels import GaussianMixture, blocks, median_kernel
from incongruent.checks.scope.mmd_result import (
    MmdTest,
    enough_for,
    excess_over_null,
    p_of,
    two_sided,
)
from incongruent.checks.scope.moments import moments_against
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, stream

Array = np.ndarray


@checked_names
def mmd_permutation_test(
    first: Array, second: Array, *, n_null: int = 999, alpha: float = 0.05, seed: int
) -> MmdTest:
    """Test whether two samples come from one distribution, without a simulator.

    They are, for example, two tasks or two groups of people, by their summaries. The null exchanges
    members of both. Data sets of both should have like designs: learned
    summaries know the number of trials.

    Args:
        first: (person, dim); what is said of location, spread and direction is said of these.
        second: (other, dim), which are called the reference.
        n_null: permutations.
        alpha: level of the decision.
        seed: of the permutations.

    Raises:
        ValueError: when shapes do not fit, numbers are not finite, or a sample has fewer than two
            members.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> first, second = rng.normal(0.0, 1.0, (40, 2)), rng.normal(1.0, 1.0, (50, 2))
        >>> mmd_permutation_test(first, second, seed=1).rejected
        True
    """
    first, second = _checked(first, second)
    _require_enough_permutations(n_null, alpha)
    both = np.concatenate([first, second]) - second.mean(axis=0)
    orders = _orders(len(first), len(second), n_null, seed)
    kernel = _kernel_means(both, orders[:, : len(first)], median_kernel(both))
    statistic = kernel.statistic
    ratio, location, spread = _moments_of(both, orders, len(first))
    return MmdTest(
        statistic=float(statistic[0]),
        p_value=p_of(statistic[0], statistic[1:]),
        null=statistic[1:],
        alpha=alpha,
        effect=kernel.effect,
        location=excess_over_null(location),
        spread=excess_over_null(spread),
        variance_ratio=float(np.exp(ratio[0])),
        spread_p=two_sided(ratio[0], ratio[1:]),
        n_people=len(first),
        n_reference=len(second),
        seed=seed,
    )


def _require_enough_permutations(n_null: int, alpha: float) -> None:
    """Raise ValueError for a level that so many permutations cannot reach."""
    if not enough_for(alpha, n_null):
        raise ValueError(
            f"Expected 0 < alpha < 1 and at least 1 / alpha - 1 permutations; got alpha={alpha},"
            f" n_null={n_null}. Ask for more."
        )


def _checked(first: Array, second: Array) -> tuple[Array, Array]:
    """Both samples as numbers; ValueError unless they fit together."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    if not _fit_together(first, second) or min(len(first), len(second)) < 2:
        raise ValueError(
            "Expected two samples (member, dim) of at least two members and one dim; got shapes"
            f" {first.shape} and {second.shape}."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError(
            "Expected finite numbers; got NaN or infinity. Leave such data sets out, and say how"
            " many."
        )
    return first, second


def _fit_together(first: Array, second: Array) -> bool:
    """Whether both are matrices (member, dim) of the same dims."""
    return first.ndim == 2 and second.ndim == 2 and first.shape[1] == second.shape[1]


def _orders(m: int, n: int, n_null: int, seed: int) -> Int[Array, "study member"]:
    """Orders of all members, (1 + study, member): the observed one and permutations.

    The first m of an order are its first sample.
    """
    rng = stream(seed, Purpose.MMD_PERMUTATIONS)
    permuted = (rng.permutation(m + n) for _ in range(n_null))
    return np.stack([np.arange(m + n), *permuted])


@dataclass(frozen=True, eq=False)
class _KernelMeans:
    """Means of the kernel in the first sample, between both, and in the second, (study,)."""

    xx: Float[Array, " study"]
    xy: Float[Array, " study"]
    yy: Float[Array, " study"]

    @property
    def statistic(self) -> Float[Array, " study"]:
        """MMD^2 of each study, (study,)."""
        return self.xx + self.yy - 2.0 * self.xy

    @property
    def effect(self) -> float:
        """The effect size of the observed study, at least 0."""
        shared = 2.0 * self.xy[0] / (self.xx[0] + self.yy[0])
        return max(0.0, float(1.0 - shared))


def _kernel_means(both: Array, in_x: Array, kernel: GaussianMixture) -> _KernelMeans:
    """Means of the kernel for studies whose first samples have members (study, member) of both."""
    m, n = in_x.shape[1], len(both) - in_x.shape[1]
    is_x = _membership(in_x, len(both))
    to_x, total = _kernel_sums(both, is_x, kernel)
    n_xx, n_xy, n_yy = m * (m - 1), m * n, n * (n - 1)  # pairs of members
    xx = _sum_over(is_x, to_x) / n_xx
    xy = _sum_over(1.0 - is_x, to_x) / n_xy
    yy = (total - 2.0 * n_xy * xy - n_xx * xx) / n_yy
    return _KernelMeans(xx, xy, yy)


def _sum_over(members: Array, values: Array) -> Array:
    """The sum of values (study, member) over the members of each study, (study,)."""
    return (values * members).sum(axis=1)


def _membership(members: Int[Array, "study first"], n: int) -> Float[Array, "study member"]:
    """1 for members (study, member) of the first samples and 0 for the others of n, (study, n)."""
    is_member = np.zeros((len(members), n))
    np.put_along_axis(is_member, members, 1.0, axis=1)
    return is_member


def _kernel_sums(both: Array, is_x: Array, kernel: GaussianMixture) -> tuple[Array, float]:
    """Sums of the kernel of each member with the first samples (study, member), and with all.

    A member is not compared with itself. Rows of the kernel matrix are taken in blocks.
    """
    to_x, total = np.zeros_like(is_x), 0.0
    for rows in blocks(len(both), len(both)):
        part = _kernel_with_others(both, rows, kernel)
        to_x += is_x[:, rows] @ part
        total += part.sum()
    return to_x, total


def _kernel_with_others(both: Array, rows: slice, kernel: GaussianMixture) -> Array:
    """Rows of the kernel matrix, with 0 where a member is compared with itself."""
    part = kernel(both[rows], both)
    part[np.arange(len(part)), np.arange(len(both))[rows]] = 0.0
    return part


def _moments_of(both: Array, orders: Array, m: int) -> tuple[Array, Array, Array]:
    """Log variance ratio, location and spread of each study, (1 + study,)."""
    samples = [(both[order[:m]], both[order[m:]]) for order in orders]
    ratio = np.array([_log_variance_ratio(x, y) for x, y in samples])
    location, spread = _location_and_spread(samples)
    return ratio, location, spread


def _location_and_spread(samples: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Location and spread of the first of two samples against the second, each (study,)."""
    location, spread = np.transpose([moments_against(x, y) for x, y in samples])
    return location, spread


def _log_variance_ratio(x: Float[Array, "first dim"], y: Float[Array, "second dim"]) -> float:
    return np.log(_variance(x) / _variance(y))


def _variance(x: Float[Array, "member dim"]) -> float:
    """The total variance of a sample (member, dim)."""
    return x.var(axis=0, ddof=1).sum()

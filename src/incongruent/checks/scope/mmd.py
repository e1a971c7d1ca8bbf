r"""The MMD test: are the people of a study such as the simulator makes?

    MMD^2 = mean_{i ≠ j} k(x_i, x_j) + mean_{r ≠ s} k(y_r, y_s) - 2 mean_{i, r} k(x_i, y_r)

for people x_1 … x_N against reference simulations y_1 … y_M of their own designs. Were the model
true, each person's data set would be exchangeable with K fresh simulations of the same layout. So
the null picks, for each person anew, one of these K + 1; the test then has its level exactly, for
every N, M and K. Resampling the reference instead rejects a true model nearly always once N is not
small against M: the reference is nearer to its own data sets than fresh ones are. Summaries are
compared as the network gives them, with bandwidths from the reference. To scale them all alike
costs power, since some hold little about theta.

For a single person there are no pairs, k(x, x) = 1 stands for them, and the test is a conformal
one: p = (1 + #{fresh as far out}) / (K + 1).
Sources: Gretton et al. 2012, JMLR 13, 723-773; Schmitt, Bürkner, Köthe & Radev, arXiv 2112.08866.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from incongruent.checks.kernels import (
    GaussianMixture,
    leading_whitening,
    median_kernel,
    squared_distances,
)
from incongruent.checks.replicas import matched_summaries
from incongruent.checks.scope.design_groups import simulations_each
from incongruent.checks.scope.mmd_result import (
    MmdTest,
    enough_for,
    excess_over_null,
    p_of,
    two_sided,
)
from incongruent.checks.scope.moments import MIN_FOR_SPREAD, moments
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

NUMBERS_AT_ONCE = 2_000_000
"""Numbers of picked studies that are in memory together."""
FEWEST_FRESH_EACH = 20
"""Simulations for the null of each person, at least."""


@checked_names
def mmd_of_study(
    posterior: Posterior,
    study: Trials,
    *,
    prior: AnyPrior | None = None,
    n_reference: int = 1000,
    n_fresh: int = 4000,
    n_null: int = 999,
    alpha: float = 0.05,
    seed: int,
) -> MmdTest:
    """Test whether the people of a study are such as model and prior make them.

    The test compares them with simulations in the space of the posterior's summaries.

    Args:
        posterior: whose summaries and, unless ``prior`` is given, whose simulator.
        study: one data set a person.
        prior: to test instead of the one that the network was trained under.
        n_reference: reference simulations, at least; all people get as many.
        n_fresh: simulations for the null, at least; at least 20 for each person.
        n_null: studies of the null; for one person every fresh simulation is one.
        alpha: level of the decision.
        seed: of everything random.

    Raises:
        ScopeError: when nobody is within what the network was trained for.
        ValueError: for impossible numbers, or people without trials.

    Example:
        >>> import incongruent as inc
        >>> from incongruent.data.demo import demo_study
        >>> four = demo_study().select(range(4))
        >>> numbers = {"n_reference": 200, "n_fresh": 200, "n_null": 99}
        >>> test = mmd_of_study(inc.pretrained(), four, **numbers, seed=1)
        >>> test.n_people, test.n_reference
        (4, 200)
    """
    _require_simulations(n_reference, n_fresh)
    observed = posterior.summaries(study).astype(float)
    people = posterior.admit(study).trials
    n_each = simulations_each(n_reference, len(people))
    n_fresh_each = max(FEWEST_FRESH_EACH, simulations_each(n_fresh, len(people)))
    reference = matched_summaries(
        posterior, people, n_each, prior=prior, seed=child(seed, Purpose.MMD_REFERENCE)
    )
    fresh = matched_summaries(
        posterior, people, n_fresh_each, prior=prior, seed=child(seed, Purpose.MMD_FRESH)
    )
    return mmd_test(
        observed,
        reference.reshape(-1, observed.shape[1]),
        fresh,
        n_null=n_null,
        alpha=alpha,
        seed=seed,
    )


def _require_simulations(n_reference: int, n_fresh: int) -> None:
    """Raise ValueError for fewer simulations than a test can be made from."""
    if n_reference < 2 or n_fresh < 1:
        raise ValueError(
            f"Expected n_reference of at least 2 and n_fresh of at least 1; got {n_reference} and"
            f" {n_fresh}."
        )


@checked_names
def mmd_test(
    observed: Array,
    reference: Array,
    fresh: Array,
    *,
    n_null: int = 999,
    alpha: float = 0.05,
    seed: int,
) -> MmdTest:
    """Test points, whatever they are, against simulations.

    They may be learned summaries, statistics or parameters, in comparable units.

    Args:
        observed: (person, dim).
        reference: simulations, (reference, dim).
        fresh: other simulations, (repeat, person, dim): those in place i have the design of person
            i.
        n_null: studies of the null.
        alpha: level of the decision.
        seed: of the studies of the null.

    Raises:
        ValueError: when shapes do not fit, numbers are not finite, or n_null is too small for
            alpha.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> observed = rng.normal(1.0, 1.0, (20, 2))
        >>> reference, fresh = rng.normal(size=(500, 2)), rng.normal(size=(100, 20, 2))
        >>> str(mmd_test(observed, reference, fresh, seed=1))[:16]
        '20 people differ'
    """
    observed, reference, fresh = _checked(observed, reference, fresh)
    n_people, n_repeats = len(observed), len(fresh)
    n_studies = n_repeats if n_people == 1 else n_null
    _require_enough_studies(n_studies, alpha)
    centre = reference.mean(axis=0)
    pool = np.concatenate([observed[None], fresh]) - centre  # (1 + repeat, person, dim)
    picks = _picks(n_people, n_repeats, n_studies, seed)
    found = _kernel_values(pool, reference - centre, picks)
    location, spread = _location_and_spread(pool, picks, reference)
    return MmdTest(
        statistic=float(found.statistic[0]),
        p_value=p_of(found.statistic[0], found.null),
        null=found.null,
        alpha=alpha,
        effect=found.effect,
        location=excess_over_null(location),
        spread=excess_over_null(spread),
        variance_ratio=found.variance_ratio,
        spread_p=found.spread_p,
        n_people=n_people,
        n_reference=len(reference),
        seed=seed,
    )


def _require_enough_studies(n_studies: int, alpha: float) -> None:
    """Raise ValueError for a level that so many studies of the null cannot reach."""
    if not enough_for(alpha, n_studies):
        raise ValueError(
            "Expected 0 < alpha < 1 and at least 1 / alpha - 1 studies of the null; got"
            f" alpha={alpha}, {n_studies} studies. Simulate more."
        )


def _picks(n_people: int, n_repeats: int, n_studies: int, seed: int) -> Int[Array, "study person"]:
    """Which of the data sets of each person make a study, (1 + study, person).

    The first study is the observed one. For one person every simulation is a study.
    """
    if n_people == 1:
        return np.arange(n_repeats + 1)[:, None]
    drawn = stream(seed, Purpose.MMD_NULL).integers(n_repeats + 1, size=(n_studies, n_people))
    return np.concatenate([np.zeros((1, n_people), int), drawn])


@dataclass(frozen=True, eq=False)
class _KernelValues:
    """Means of the kernel within studies, within the reference, and between them.

    Attributes:
        within: (1 + study,) mean of the kernel between different people.
        reference: mean of the kernel between different simulations of the reference.
        between: (1 + study,) mean of the kernel between people and reference.
        variance: (1 + study,) total variance of the people.
        n_people: people of a study.
    """

    within: Float[Array, " study"]
    reference: float
    between: Float[Array, " study"]
    variance: Float[Array, " study"]
    n_people: int

    @property
    def statistic(self) -> Float[Array, " study"]:
        """MMD^2 of each study, (1 + study,)."""
        return self.within + self.reference - 2.0 * self.between

    @property
    def null(self) -> Float[Array, " null"]:
        """MMD^2 of the studies of the null, (study,)."""
        return self.statistic[1:]

    @property
    def effect(self) -> float:
        """The effect size of the observed study, at least 0; NaN for one person."""
        if self.n_people == 1:
            return float("nan")
        shared = 2.0 * self.between[0] / (self.within[0] + self.reference)
        return max(0.0, float(1.0 - shared))

    @property
    def variance_ratio(self) -> float:
        """The total variance of the observed people over that of the null; NaN for too few."""
        if self._too_few_for_spread:
            return float("nan")
        return float(self.variance[0] / float(self.variance[1:].mean()))

    @property
    def spread_p(self) -> float:
        """The two-sided p-value of the variance ratio; NaN for too few people."""
        if self._too_few_for_spread:
            return float("nan")
        return two_sided(self.variance[0], self.variance[1:])

    @property
    def _too_few_for_spread(self) -> bool:
        return self.n_people < MIN_FOR_SPREAD


def _kernel_values(pool: Array, reference: Array, picks: Array) -> _KernelValues:
    """Means of the kernel of studies picked (study, person) from pool (pick, person, dim)."""
    kernel = median_kernel(reference)
    within, variance = _within(pool, picks, kernel)
    between = _between(pool, picks, reference, kernel)
    n_people = pool.shape[1]
    return _KernelValues(within, kernel.mean_within(reference), between, variance, n_people)


def _between(pool: Array, picks: Array, reference: Array, kernel: GaussianMixture) -> Array:
    """For each study the mean kernel between its people and the reference, (study,)."""
    points = pool.reshape(-1, pool.shape[2])
    towards = kernel.row_means(points, reference).reshape(pool.shape[:2])  # (pick, person)
    return towards[picks, np.arange(pool.shape[1])].mean(axis=1)


def _within(pool: Array, picks: Array, kernel: GaussianMixture) -> tuple[Array, Array]:
    """For each study the mean kernel between different people, and their total variance, (study,).

    For one person they are 1 and 0.
    """
    if picks.shape[1] == 1:
        return np.ones(len(picks)), np.zeros(len(picks))

    def of(x: Array) -> tuple[Array, Array]:
        return _mean_of_pairs(x, kernel), _total_variance(x)

    return _in_groups(of, pool, picks)


def _mean_of_pairs(x: Array, kernel: GaussianMixture) -> Array:
    """The mean kernel between different people of studies (study, person, dim), (study,)."""
    n = x.shape[1]
    of_pairs = kernel.of_squared(squared_distances(x, x)).sum(axis=(1, 2)) - n
    return of_pairs / (n * (n - 1))


def _total_variance(x: Float[Array, "study person dim"]) -> Float[Array, " study"]:
    """The variances of people of studies (study, person, dim), summed over dims, (study,)."""
    return x.var(axis=1, ddof=1).sum(axis=1)


def _location_and_spread(pool: Array, picks: Array, reference: Array) -> tuple[Array, Array]:
    """Location and spread of each study on white components of the reference, (1 + study,).

    ``pool`` has the mean of the reference subtracted.
    """
    whiten, centre = leading_whitening(reference), reference.mean(axis=0)
    return _in_groups(lambda x: moments(whiten(x + centre)), pool, picks)


def _in_groups(
    function: Callable[[Array], tuple[Array, Array]],
    pool: Float[Array, "pick person dim"],
    picks: Int[Array, "study person"],
) -> tuple[Float[Array, " study"], Float[Array, " study"]]:
    """What a function gives for studies (study, person, dim), some studies at a time.

    They are picked (study, person) from pool (pick, person, dim).
    """
    at_once = _studies_at_once(n_people=picks.shape[1], dim=pool.shape[2])
    people = np.arange(picks.shape[1])
    firsts = range(0, len(picks), at_once)
    parts = [function(pool[picks[k : k + at_once], people]) for k in firsts]
    first, second = (np.concatenate(values) for values in zip(*parts, strict=True))
    return first, second


def _studies_at_once(n_people: int, dim: int) -> int:
    """How many studies have ``NUMBERS_AT_ONCE`` distances or coordinates together; at least 1."""
    return max(1, NUMBERS_AT_ONCE // (n_people * max(n_people, dim)))


def _checked(observed: Array, reference: Array, fresh: Array) -> tuple[Array, Array, Array]:
    """The points as numbers; ValueError unless they fit together."""
    observed, reference, fresh = (
        np.asarray(values, float) for values in (observed, reference, fresh)
    )
    if not _fit_together(observed, reference, fresh) or min(observed.size, len(fresh)) == 0:
        raise ValueError(
            "Expected observed (person, dim), reference (reference, dim) and fresh (repeat,"
            f" person, dim) with at least one person; got shapes {observed.shape},"
            f" {reference.shape} and {fresh.shape}. Simulate every person's design as often."
        )
    for name, values in (("observed", observed), ("reference", reference), ("fresh", fresh)):
        _require_finite(name, values)
    return observed, reference, fresh


def _fit_together(observed: Array, reference: Array, fresh: Array) -> bool:
    """Whether shapes are (person, dim), (reference, dim) and (repeat, person, dim)."""
    if (observed.ndim, reference.ndim, fresh.ndim) != (2, 2, 3):
        return False
    return fresh.shape[1:] == observed.shape and reference.shape[1:] == observed.shape[1:]


def _require_finite(name: str, values: Array) -> None:
    """Raise ValueError unless all values are finite."""
    if not np.isfinite(values).all():
        raise ValueError(
            f"Expected finite numbers; {name} has NaN or infinity. Leave such data sets out,"
            " and say how many."
        )

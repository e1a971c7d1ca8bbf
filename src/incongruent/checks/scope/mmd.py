r"""Are the people of a study such as the simulator makes? The MMD test, in the space of learned
summaries.

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

from incongruent.checks.kernels import (
    GaussianMixture,
    blocks,
    leading_whitening,
    median_kernel,
    squared_distances,
)
from incongruent.checks.replicas import matched_summaries
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

MIN_FOR_SPREAD = 4
"""People that it takes to speak of their spread."""
NUMBERS_AT_ONCE = 2_000_000


@dataclass(frozen=True, eq=False)
class MmdTest:
    """What an MMD test found.

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
    null: Array
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
        """The decision: whether p is at most alpha."""
        return self.p_value <= self.alpha

    @property
    def critical(self) -> float:
        """Values of the statistic above this one reject."""
        return float(
            np.sort(self.null)[::-1][int(np.floor(self.alpha * (len(self.null) + 1) + 1e-9)) - 1]
        )

    @property
    def location_share(self) -> float:
        """Share of location in location + spread; NaN when both are 0 or unknown."""
        whole = self.location + self.spread
        return self.location / whole if whole > 0 else float("nan")

    @property
    def spread_share(self) -> float:
        """The rest."""
        return 1.0 - self.location_share

    @property
    def direction(self) -> str:
        """ "narrower" or "wider" than the reference where ``spread_p`` is at most alpha, else
        "neither"; "unknown" for fewer than four people.
        """
        if np.isnan(self.spread_p):
            return "unknown"
        if self.spread_p > self.alpha:
            return "neither"
        return "narrower" if self.variance_ratio < 1.0 else "wider"

    def __str__(self) -> str:
        one = self.n_people == 1
        verb = (
            ("differs from" if one else "differ from") if self.rejected else "cannot be told from"
        )
        effect = "" if one else f", effect {self.effect:.2f}"
        text = (
            f"{'1 person' if one else f'{self.n_people} people'} {verb} {self.n_reference} data"
            " sets of the reference "
        )
        text += f"(MMD² {self.statistic:.3g}, p = {self.p_value:.3g}{effect})."
        if self.rejected and not np.isnan(self.location_share):
            text += (
                f" Of the difference {self.location_share:.0%} is location and"
                f" {self.spread_share:.0%} spread."
            )
        if self.direction in ("narrower", "wider"):
            text += (
                f" The people are {self.direction} than the reference: {self.variance_ratio:.2f}"
                f" times its variance (p = {self.spread_p:.3g})."
            )
        return text


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
    """Test whether the people of a study are such as model and prior make them, in the space of the
    posterior's summaries.

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
        >>> test = mmd_of_study(inc.pretrained(), inc.select(demo_study(), range(4)), n_reference=200, n_fresh=200, n_null=99, seed=1)
        >>> test.n_people, test.n_reference
        (4, 200)
    """
    if n_reference < 2 or n_fresh < 1:
        raise ValueError(
            f"Expected n_reference of at least 2 and n_fresh of at least 1; got {n_reference} and"
            f" {n_fresh}."
        )
    observed = posterior.summaries(study).astype(float)
    people = posterior.admit(study).trials
    each = (-(-max(n_reference, 2) // len(people)), max(20, -(-n_fresh // len(people))))
    seeds = child(seed, Purpose.MMD_REFERENCE), child(seed, Purpose.MMD_FRESH)
    reference, fresh = (
        matched_summaries(posterior, people, n, prior=prior, seed=own)
        for n, own in zip(each, seeds, strict=True)
    )
    return mmd_test(
        observed,
        reference.reshape(-1, observed.shape[1]),
        fresh,
        n_null=n_null,
        alpha=alpha,
        seed=seed,
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
    """The test on numbers, whatever they are: learned summaries, statistics, parameters, in
    comparable units.

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
        >>> str(mmd_test(rng.normal(1.0, 1.0, (20, 2)), rng.normal(size=(500, 2)), rng.normal(size=(100, 20, 2)), seed=1))[:16]
        '20 people differ'
    """
    observed, reference, fresh = _checked(observed, reference, fresh)
    n_people, n_repeats = len(observed), len(fresh)
    n_studies = n_repeats if n_people == 1 else n_null
    if not 0.0 < alpha < 1.0 or alpha * (n_studies + 1) < 1.0 - 1e-9:
        raise ValueError(
            "Expected 0 < alpha < 1 and at least 1 / alpha - 1 studies of the null; got"
            f" alpha={alpha}, {n_studies} studies. Simulate more."
        )
    whiten, centre = leading_whitening(reference), reference.mean(axis=0)
    reference, pool = (
        reference - centre,
        np.concatenate([observed[None], fresh]) - centre,
    )  # (1 + repeat, person, dim)
    kernel = median_kernel(reference)
    if n_people == 1:
        picks = np.arange(n_repeats + 1)[:, None]
    else:
        drawn = stream(seed, Purpose.MMD_NULL).integers(n_repeats + 1, size=(n_studies, n_people))
        picks = np.concatenate(
            [np.zeros((1, n_people), int), drawn]
        )  # (1 + study, person): the first is the observed one
    toward = kernel.row_means(pool.reshape(-1, pool.shape[2]), reference).reshape(pool.shape[:2])
    k_yy = kernel.mean_within(reference)
    within, variance = _within(pool, picks, kernel)
    location, spread = _in_groups(lambda x: _moments(whiten(x + centre)), pool, picks)
    k_xy = toward[picks, np.arange(n_people)].mean(axis=1)
    statistic = within + k_yy - 2.0 * k_xy  # (1 + study,)
    effect = (
        max(0.0, float(1.0 - 2.0 * k_xy[0] / (within[0] + k_yy))) if n_people > 1 else float("nan")
    )
    usual = float(variance[1:].mean())
    return MmdTest(
        float(statistic[0]),
        p_of(statistic[0], statistic[1:]),
        statistic[1:],
        alpha,
        effect,
        max(0.0, float(location[0] - location[1:].mean())),
        float(np.maximum(0.0, spread[0] - spread[1:].mean())),
        float(variance[0] / usual) if n_people >= MIN_FOR_SPREAD else float("nan"),
        _two_sided(variance[0], variance[1:]) if n_people >= MIN_FOR_SPREAD else float("nan"),
        n_people,
        len(reference),
        seed,
    )


@checked_names
def mmd_permutation_test(
    first: Array, second: Array, *, n_null: int = 999, alpha: float = 0.05, seed: int
) -> MmdTest:
    """Test whether two samples come from one distribution, without a simulator: those of two tasks,
    or groups of people, by their summaries.

    The null exchanges members of both. Data sets of both should have like designs: learned
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
        >>> mmd_permutation_test(rng.normal(0.0, 1.0, (40, 2)), rng.normal(1.0, 1.0, (50, 2)), seed=1).rejected
        True
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if (
        first.ndim != 2
        or second.ndim != 2
        or first.shape[1] != second.shape[1]
        or min(len(first), len(second)) < 2
    ):
        raise ValueError(
            "Expected two samples (member, dim) of at least two members and one dim; got shapes"
            f" {first.shape} and {second.shape}."
        )
    if not 0.0 < alpha < 1.0 or alpha * (n_null + 1) < 1.0 - 1e-9:
        raise ValueError(
            f"Expected 0 < alpha < 1 and at least 1 / alpha - 1 permutations; got alpha={alpha},"
            f" n_null={n_null}. Ask for more."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError(
            "Expected finite numbers; got NaN or infinity. Leave such data sets out, and say how"
            " many."
        )
    both = np.concatenate([first, second]) - second.mean(axis=0)
    kernel, m, n = median_kernel(both), len(first), len(second)
    rng = stream(seed, Purpose.MMD_PERMUTATIONS)
    orders = np.stack(
        [np.arange(m + n), *(rng.permutation(m + n) for _ in range(n_null))]
    )  # (1 + study, member)
    in_first = np.zeros((len(orders), m + n))
    np.put_along_axis(in_first, orders[:, :m], 1.0, axis=1)
    to_first, total = (
        np.zeros_like(in_first),
        0.0,
    )  # (1 + study, member): sums of the kernel with members of the first sample
    for rows in blocks(m + n, m + n):
        part = kernel(both[rows], both)
        part[np.arange(len(part)), np.arange(m + n)[rows]] = 0.0
        to_first += in_first[:, rows] @ part
        total += part.sum()
    k_xx = (to_first * in_first).sum(axis=1) / (m * (m - 1))
    k_xy = (to_first * (1.0 - in_first)).sum(axis=1) / (m * n)
    k_yy = (total - 2.0 * m * n * k_xy - m * (m - 1) * k_xx) / (n * (n - 1))
    statistic = k_xx + k_yy - 2.0 * k_xy
    ratio = np.array(
        [
            np.log(both[o[:m]].var(axis=0, ddof=1).sum() / both[o[m:]].var(axis=0, ddof=1).sum())
            for o in orders
        ]
    )
    location, spread = (
        values - np.mean(values[1:])
        for values in np.transpose([_against(both[o[:m]], both[o[m:]]) for o in orders])
    )
    return MmdTest(
        float(statistic[0]),
        p_of(statistic[0], statistic[1:]),
        statistic[1:],
        alpha,
        max(0.0, float(1.0 - 2.0 * k_xy[0] / (k_xx[0] + k_yy[0]))),
        float(np.maximum(0.0, location[0])),
        float(np.maximum(0.0, spread[0])),
        float(np.exp(ratio[0])),
        _two_sided(ratio[0], ratio[1:]),
        m,
        n,
        seed,
    )


def p_of(value: float, null: Array) -> float:
    """(1 + number of null values at least as large) / (number + 1); ties up to rounding count as
    large.
    """
    slack = 1e-12 * max(1.0, abs(float(value)))
    return float((1 + (null >= value - slack).sum()) / (len(null) + 1))


def _two_sided(value: float, null: Array) -> float:
    """Twice the smaller one-sided p-value, at most 1."""
    return min(1.0, 2.0 * min(p_of(value, null), p_of(-value, -null)))


def _in_groups(
    function: Callable[[Array], tuple[Array, Array]], pool: Array, picks: Array
) -> tuple[Array, Array]:
    """What a function gives for studies (study, person, dim), picked (study, person) from pool
    (pick, person, dim), some at a time.
    """
    step = max(1, NUMBERS_AT_ONCE // (picks.shape[1] * max(picks.shape[1], pool.shape[2])))
    people = np.arange(picks.shape[1])
    parts = [
        function(pool[picks[start : start + step], people]) for start in range(0, len(picks), step)
    ]
    first, second = (np.concatenate(values) for values in zip(*parts, strict=True))
    return first, second


def _within(pool: Array, picks: Array, kernel: GaussianMixture) -> tuple[Array, Array]:
    """For each study the mean kernel between different people, and their total variance, each
    (study,); for one person 1 and 0.
    """
    n = picks.shape[1]
    if n == 1:
        return np.ones(len(picks)), np.zeros(len(picks))

    def of(x: Array) -> tuple[Array, Array]:
        between = kernel.of_squared(squared_distances(x, x)).sum(axis=(1, 2)) - n
        return between / (n * (n - 1)), x.var(axis=1, ddof=1).sum(axis=1)

    return _in_groups(of, pool, picks)


def _moments(x: Array) -> tuple[Array, Array]:
    r"""Location and spread of studies x (study, person, dim) against mean 0 and covariance I, each
    (study,).

    Location is the unbiased estimate of |mu|^2, the mean of x_i · x_j over i ≠ j; |x|^2 for one
    person. Spread is half the unbiased estimate of tr (C - I)^2, where that of tr C^2 rests on no
    distribution (Himeno & Yamada 2014, Journal of Multivariate Analysis 130, 27-44).
    """
    n, dim = x.shape[1:]
    location = (
        (x.sum(axis=1) ** 2).sum(axis=1)
        if n == 1
        else ((x.sum(axis=1) ** 2).sum(axis=1) - (x**2).sum(axis=(1, 2))) / (n * (n - 1))
    )
    if n < MIN_FOR_SPREAD:
        return location, np.full(len(x), np.nan)
    centred = x - x.mean(axis=1, keepdims=True)
    covariance = np.swapaxes(centred, 1, 2) @ centred / (n - 1)  # (study, dim, dim)
    trace, squared = np.trace(covariance, axis1=1, axis2=2), (covariance**2).sum(axis=(1, 2))
    fourth = ((centred**2).sum(axis=2) ** 2).sum(axis=1) / (n - 1)
    of_c = (n - 1) / (n * (n - 2) * (n - 3)) * ((n - 1) * (n - 2) * squared + trace**2 - n * fourth)
    return location, 0.5 * (of_c - 2.0 * trace + dim)


def _against(x: Array, y: Array) -> tuple[float, float]:
    """Location and spread of x (m, dim) on the white components of y (n, dim)."""
    location, spread = _moments(leading_whitening(y)(x)[None])
    return float(location[0]), float(spread[0])


def _checked(observed: Array, reference: Array, fresh: Array) -> tuple[Array, Array, Array]:
    observed, reference, fresh = (
        np.asarray(values, float) for values in (observed, reference, fresh)
    )
    fits = (
        observed.ndim == 2
        and reference.ndim == 2
        and fresh.ndim == 3
        and fresh.shape[1:] == observed.shape
        and reference.shape[1:] == observed.shape[1:]
    )
    if not fits or min(observed.size, len(fresh)) == 0:
        raise ValueError(
            "Expected observed (person, dim), reference (reference, dim) and fresh (repeat,"
            f" person, dim) with at least one person; got shapes {observed.shape},"
            f" {reference.shape} and {fresh.shape}. Simulate every person's design as often."
        )
    for name, values in (("observed", observed), ("reference", reference), ("fresh", fresh)):
        if not np.isfinite(values).all():
            raise ValueError(
                f"Expected finite numbers; {name} has NaN or infinity. Leave such data sets out,"
                " and say how many."
            )
    return observed, reference, fresh

"""Adaptive importance sampling against densities whose moments and evidence are known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest
from scipy import special, stats

from incongruent.exact.adaptive import Adapted, Start, adapt
from incongruent.exact.effort import THOROUGH
from incongruent.exact.student_mixtures import StudentMixture, mixture_of
from incongruent.exact.target import Target
from incongruent.exact.tempering import tempered

Array = np.ndarray


@dataclass
class Known:
    """A target whose log density is known; its prior is standard normal, as on the real line."""

    log_p: Any
    calls: list[int] = field(default_factory=list)
    level: int = 0
    prior: Any = None

    def __post_init__(self) -> None:
        self.prior = self

    def log_prob_real(self, z: Array) -> Array:
        return -0.5 * (z**2).sum(axis=1) - 0.5 * z.shape[1] * math.log(2.0 * math.pi)

    def log_prior(self, z: Array) -> Array:
        return self.log_prob_real(z)

    def log_likelihood(self, z: Array) -> Array:
        self.calls.append(len(z))
        return self.log_p(z) - self.log_prob_real(z)

    def log_density(self, z: Array) -> Array:
        return self.log_likelihood(z) + self.log_prob_real(z)

    def accurate_near(self, z: Array) -> tuple[Any, bool]:
        return self, True


def sampled(known: Known, starts: list[Start], seed: int = 1, **options: Any) -> Adapted:
    found = adapt(cast(Target, known), starts, np.random.default_rng(seed), **options)
    assert found is not None
    return found


def moments(found: Adapted) -> tuple[Array, Array]:
    weights = np.exp(found.weights.log_weights[0])
    mean = weights @ found.z
    return mean, np.sqrt(weights @ (found.z - mean) ** 2)


def start_near(place: Array, sd: float, log_p: Any, n: int = 500, seed: int = 5) -> Start:
    """Draws of a normal distribution around a place, with their importance weights."""
    rng = np.random.default_rng(seed)
    z = place + sd * rng.standard_normal((n, len(place)))
    return Start(z, log_p(z) - stats.norm(place, sd).logpdf(z).sum(axis=1))


def curved(z: Array) -> Array:
    """A banana with evidence e^-7: z2 lies around z1 squared, the others far off and narrow."""
    first = stats.norm(1.5, 0.5).logpdf(z[:, 0])
    second = stats.norm(0.5 * z[:, 0] ** 2, 0.2).logpdf(z[:, 1])
    others = stats.norm(-1.5, 0.1).logpdf(z[:, 2:]).sum(axis=1)
    return first + second + others - 7.0


def two_modes(z: Array) -> Array:
    """Three quarters of the mass around -2, a quarter around 2, in all directions."""
    d = z.shape[1]
    each = [stats.norm(centre, 0.15).logpdf(z).sum(axis=1) for centre in (-2.0, 2.0)]
    assert d == 6
    return special.logsumexp(np.stack(each) + np.log([[0.75], [0.25]]), axis=0)


@pytest.mark.parametrize("from_prior", [False, True])
def test_a_curved_density_far_from_the_start_is_found(from_prior: bool) -> None:
    """Means and SDs over eight seeds; each has about 800 effective draws."""
    true_mean = np.array([1.5, 0.5 * (1.5**2 + 0.25), *[-1.5] * 4])
    true_sd = np.array([0.5, math.sqrt(0.04 + 0.25 * (4 * 2.25 * 0.25 + 2 * 0.0625)), *[0.1] * 4])
    errors, ratios = [], []
    for seed in range(8):
        known, rng = Known(curved), np.random.default_rng(seed)
        start = start_near(np.zeros(6), 0.5, curved)
        if from_prior:
            start = Start.at_the_prior(cast(Target, known), 6, rng)
        found = sampled(known, [start], seed)
        assert found.trusted
        assert found.n_likelihoods <= sum(known.calls) < 20_000
        assert found.weights.log_evidence[0] == pytest.approx(-7.0, abs=0.15)
        mean, sd = moments(found)
        errors.append((mean - true_mean) / true_sd)
        ratios.append(sd / true_sd)
    assert np.abs(errors).max() < 0.25
    assert np.mean(errors, axis=0) == pytest.approx(0.0, abs=0.07)
    assert np.mean(ratios, axis=0) == pytest.approx(1.0, abs=0.07)


def test_evidence_is_right_within_its_error() -> None:
    """Over seeds, the error of the log evidence is as large as is said, and has no direction."""
    z, n = [], 16
    for seed in range(n):
        known = Known(curved)
        start = Start.at_the_prior(cast(Target, known), 6, np.random.default_rng(seed))
        weights = sampled(known, [start], seed).weights
        z.append((weights.log_evidence[0] + 7.0) / weights.log_evidence_error[0])
    assert abs(np.mean(z)) < 3.5 / math.sqrt(n)
    assert 0.5 < np.std(z) < 1.7


def test_both_modes_are_found_from_the_prior() -> None:
    """With nearly every seed: a mode that few of the first draws come near may be lost."""
    shares = []
    for seed in range(12):
        known, rng = Known(two_modes), np.random.default_rng(seed)
        found = sampled(known, [Start.at_the_prior(cast(Target, known), 6, rng)], seed)
        assert found.trusted
        weights = np.exp(found.weights.log_weights[0])
        shares.append(weights[found.z[:, 0] > 0].sum())
        if 1e-3 < shares[-1] < 0.999:
            assert shares[-1] == pytest.approx(0.25, abs=0.06)
            assert found.weights.log_evidence[0] == pytest.approx(0.0, abs=0.12)
    assert sum(1e-3 < share < 0.999 for share in shares) >= 11


@pytest.mark.parametrize("seed", range(5))
def test_a_start_that_misses_a_mode_is_noticed_and_the_pool_has_both(seed: int) -> None:
    """One start knows of the lesser mode alone: its evidence is 1.4 nats too small."""
    known = Known(two_modes)
    astray = start_near(np.full(6, 2.0), 0.15, two_modes)
    alone = sampled(known, [astray], seed)
    assert alone.weights.log_evidence[0] == pytest.approx(math.log(0.25), abs=0.12)
    prior = Start.at_the_prior(cast(Target, known), 6, np.random.default_rng(seed))
    both = sampled(known, [astray, prior], seed)
    assert both.disagreement == pytest.approx(-math.log(0.25), abs=0.25)
    assert both.weights.log_evidence[0] == pytest.approx(0.0, abs=0.15)


def test_two_starts_at_one_mode_agree() -> None:
    known = Known(curved)
    prior = Start.at_the_prior(cast(Target, known), 6, np.random.default_rng(1))
    found = sampled(known, [start_near(np.zeros(6), 0.5, curved), prior])
    assert found.disagreement < 0.2
    assert math.isnan(sampled(known, [prior]).disagreement)


def test_nothing_is_found_where_nothing_is_possible_or_wanted() -> None:
    never = Known(lambda z: np.full(len(z), -np.inf))
    rng = np.random.default_rng(1)
    start = Start.at_the_prior(cast(Target, never), 3, rng)
    assert adapt(cast(Target, never), [start], rng) is None
    known = Known(curved)
    start = Start.at_the_prior(cast(Target, known), 6, rng)
    assert adapt(cast(Target, known), [start], rng, stopped=lambda: True) is None


def test_a_start_from_which_sampling_does_not_settle_says_nothing_of_other_modes() -> None:
    """All its usable draws lie at one place; the prior finds the posterior alone."""

    def narrow(z: Array) -> Array:
        return stats.norm(3.0, 0.05).logpdf(z).sum(axis=1)

    known, rng = Known(narrow), np.random.default_rng(1)
    prior = Start.at_the_prior(cast(Target, known), 6, rng)
    for z in (np.full((25, 6), 5.0), rng.standard_normal((500, 6))):
        log_weights = np.where(np.arange(len(z)) < 1, 0.0, np.nan)
        found = sampled(known, [Start.at_draws(z, log_weights), prior])
        assert math.isnan(found.disagreement)
        assert found.trusted
        assert found.weights.log_evidence[0] == pytest.approx(0.0, abs=0.12)


def test_proposals_that_reach_nothing_possible_end_the_search() -> None:
    def far_off(z: Array) -> Array:
        inside = np.abs(z - 4.0).max(axis=1) < 0.01
        return np.where(inside, 0.0, -np.inf)

    known, rng = Known(far_off), np.random.default_rng(1)
    start = Start(rng.standard_normal((500, 6)), np.zeros(500))
    assert adapt(cast(Target, known), [start], rng) is None
    assert len(known.calls) == 1


def test_sampling_can_be_stopped_while_the_last_draws_are_made() -> None:
    known = Known(curved)
    prior = Start.at_the_prior(cast(Target, known), 6, np.random.default_rng(1))
    sampled(known, [prior])
    n_rounds = len(known.calls)
    known.calls.clear()
    rng = np.random.default_rng(1)

    def stopped() -> bool:
        return len(known.calls) >= n_rounds - 1

    assert adapt(cast(Target, known), [prior], rng, stopped=stopped) is None


def test_draws_of_a_density_that_mixtures_cannot_follow_are_not_trusted() -> None:
    """The thin shell of a ball: no few t distributions lie near it."""

    def shell(z: Array) -> Array:
        return stats.norm(2.0, 0.003).logpdf(np.linalg.norm(z, axis=1))

    known, rng = Known(shell), np.random.default_rng(3)
    found = sampled(known, [Start.at_the_prior(cast(Target, known), 6, rng)])
    assert not found.trusted
    assert found.n_effective < 150


@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_a_mixture_finds_the_components_that_there_are(n_components: int) -> None:
    rng = np.random.default_rng(7)
    centres = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 8.0]])[:n_components]
    z = centres[rng.integers(n_components, size=3000)] + rng.standard_normal((3000, 2))
    weights = np.exp(-0.1 * z[:, 0])  # shifts each component by -0.1
    mixture = mixture_of(z, weights / weights.sum(), rng)
    assert len(mixture.shares) == n_components
    order = np.lexsort(mixture.means.round().T)
    wanted = centres[np.lexsort(centres.T)] - [0.1, 0.0]
    assert mixture.means[order] == pytest.approx(wanted, abs=0.15)


def test_a_mixture_of_places_that_coincide_is_one_narrow_component() -> None:
    rng = np.random.default_rng(2)
    mixture = mixture_of(np.full((300, 2), 5.0), np.full(300, 1.0 / 300), rng)
    assert mixture.means == pytest.approx(5.0)
    assert np.abs(mixture.sample(100, rng) - 5.0).max() < 0.05


def test_a_mixture_draws_from_the_density_it_states() -> None:
    rng = np.random.default_rng(2)
    factors = np.array([[[1.0, 0.0], [0.5, 0.7]], [[0.3, 0.0], [0.0, 2.0]]])
    mixture = StudentMixture(np.array([0.3, 0.7]), np.array([[0.0, 0.0], [4.0, 1.0]]), factors)
    z = mixture.sample(200_000, rng)
    steps = np.linspace(-60.0, 60.0, 1201)
    places = np.stack([axis.ravel() for axis in np.meshgrid(steps, steps)], axis=1)
    density = np.exp(mixture.log_density(places)) * 0.01
    assert density.sum() == pytest.approx(1.0, abs=2e-3)
    for direction in ([1.0, 0.0], [0.0, 1.0], [1.0, -1.0]):
        edges = np.quantile(z @ direction, [0.1, 0.4, 0.8]).round(1) + 0.05  # between places
        shares = [density[places @ direction < edge].sum() for edge in edges]
        assert shares == pytest.approx([(z @ direction < edge).mean() for edge in edges], abs=0.01)
    reference = stats.multivariate_t([0, 0], factors[0] @ factors[0].T, df=5)
    one = StudentMixture(np.ones(1), np.zeros((1, 2)), factors[:1])
    assert one.log_density(z[:50]) == pytest.approx(cast(Any, reference).logpdf(z[:50]))


@pytest.mark.parametrize("spread", [30.0, 1e3, 1e6])
def test_tempering_leaves_the_number_of_draws_that_is_asked_for(spread: float) -> None:
    log_weights = spread * np.random.default_rng(1).standard_normal(500)
    weights, gamma = tempered(log_weights, 60.0)
    assert 0.0 < gamma < 1.0
    assert 1.0 / (weights**2).sum() == pytest.approx(60.0, rel=0.01)
    assert tempered(0.1 * log_weights / spread, 60.0)[1] == 1.0
    some = np.where(np.arange(500) < 20, log_weights, -np.inf)
    weights, gamma = tempered(some, 60.0)  # only twenty are possible at all
    assert (weights[20:] == 0.0).all()
    assert weights[:20] == pytest.approx(0.05, rel=0.01)
    assert THOROUGH.fewest_to_fit(8) == 200.0


def test_a_start_without_any_weight_has_no_effective_draws() -> None:
    assert Start(np.zeros((5, 2)), np.full(5, -np.inf)).n_effective == 0.0
    assert Start(np.zeros((5, 2)), np.zeros(5)).n_effective == pytest.approx(5.0)

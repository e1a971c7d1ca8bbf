"""Model frequencies against closed forms, the exact posterior of two models, and simulated
populations.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

from incongruent.exact import model_frequencies as room
from incongruent.exact.model_frequencies import ModelFrequencies, model_frequencies


def decisive(counts: list[int]) -> np.ndarray:
    """Log evidence (person, model) of people who can come from one model alone."""
    which = np.repeat(np.arange(len(counts)), counts)
    return np.where(which[:, None] == np.arange(len(counts)), -200.0, -2000.0)


def weak(n_people: int, n_models: int, spread: float, seed: int) -> np.ndarray:
    return spread * np.random.default_rng(seed).standard_normal((n_people, n_models))


# --- closed forms ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_models", [2, 3, 6])
@pytest.mark.parametrize("n_people", [1, 5, 200])
def test_equal_evidence_tells_nothing(n_people, n_models):
    found = model_frequencies(np.full((n_people, n_models), -300.0))
    for each in (found.frequencies, found.exceedance, found.protected_exceedance):
        assert each == pytest.approx(1.0 / n_models, abs=1e-9)
    assert found.responsibilities == pytest.approx(1.0 / n_models, abs=1e-9)
    assert found.omnibus_risk >= 0.5  # it is 0.5, and the bound for "different" is a lower one
    assert found.log_evidence_equal == pytest.approx(-300.0 * n_people)


@pytest.mark.parametrize("counts", [[7, 3], [0, 12], [5, 5, 2], [1, 0, 0, 40]])
def test_decisive_evidence_is_counted(counts):
    found = model_frequencies(decisive(counts))
    alpha = 1.0 + np.array(counts)
    assert found.alpha == pytest.approx(alpha, rel=1e-9)
    n, k = sum(counts), len(counts)
    of_counts = special.gammaln(alpha).sum() + special.gammaln(k) - special.gammaln(n + k)
    assert found.log_evidence_different == pytest.approx(-200.0 * n + of_counts, rel=1e-9)
    assert found.log_evidence_equal == pytest.approx(-200.0 * n - n * np.log(k), rel=1e-9)
    risk = 1.0 / (1.0 + np.exp(of_counts + n * np.log(k)))
    assert found.omnibus_risk == pytest.approx(risk, rel=1e-6)
    assert found.protected_exceedance == pytest.approx(
        (1.0 - risk) * found.exceedance + risk / k, rel=1e-6
    )


@pytest.mark.parametrize("evidence", [decisive([7, 3]), weak(40, 2, 2.0, 1), weak(900, 2, 0.3, 2)])
def test_of_two_models_the_exceedance_is_a_tail_of_the_beta_distribution(evidence):
    found = model_frequencies(evidence)
    tail = stats.beta.sf(0.5, found.alpha[0], found.alpha[1])
    assert found.exceedance == pytest.approx([tail, 1.0 - tail], abs=1e-9)


@pytest.mark.parametrize("counts", [[5, 4, 2], [60, 50, 50, 3], [0, 0, 1], [400, 390, 380, 350, 2]])
def test_exceedance_is_how_often_a_frequency_is_the_largest(counts):
    found = model_frequencies(decisive(counts))
    assert found.exceedance.sum() == pytest.approx(1.0)
    n = 1_000_000
    drawn = np.random.default_rng(3).dirichlet(found.alpha, n).argmax(axis=1)
    share = np.bincount(drawn, minlength=len(counts)) / n
    allowed = 5.0 * np.sqrt(found.exceedance * (1.0 - found.exceedance) / n) + 1e-6
    assert (np.abs(share - found.exceedance) < allowed).all()


def test_a_model_that_cannot_be_is_never_responsible():
    evidence = np.array([[-200.0, -np.inf], [-210.0, -205.0], [-np.inf, -190.0]])
    found = model_frequencies(evidence)
    assert found.responsibilities[0].tolist() == [1.0, 0.0]
    assert found.responsibilities[2].tolist() == [0.0, 1.0]
    assert np.isfinite([found.log_evidence_different, found.log_evidence_equal]).all()


# --- laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_constant_for_each_person_changes_nothing(seed):
    evidence = weak(25, 3, 2.0, seed)
    shift = 1e4 * np.random.default_rng(9).standard_normal((25, 1))
    found, shifted = model_frequencies(evidence), model_frequencies(evidence + shift)
    assert shifted.alpha == pytest.approx(found.alpha, abs=1e-6)
    assert shifted.exceedance == pytest.approx(found.exceedance, abs=1e-6)
    assert shifted.responsibilities == pytest.approx(found.responsibilities, abs=1e-6)
    assert shifted.omnibus_risk == pytest.approx(found.omnibus_risk, abs=1e-6)
    assert shifted.log_evidence_equal == pytest.approx(found.log_evidence_equal + shift.sum())


def test_the_order_of_models_and_people_does_not_matter():
    evidence = weak(30, 4, 1.5, 5)
    models, people = np.array([2, 0, 3, 1]), np.random.default_rng(1).permutation(30)
    found, other = model_frequencies(evidence), model_frequencies(evidence[people][:, models])
    assert other.alpha == pytest.approx(found.alpha[models], abs=1e-7)
    assert other.responsibilities == pytest.approx(
        found.responsibilities[people][:, models], abs=1e-7
    )
    assert other.exceedance == pytest.approx(found.exceedance[models], abs=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_frequencies_are_the_mean_responsibilities_and_the_prior(seed):
    found = model_frequencies(weak(20, 3, 3.0, seed))
    assert found.responsibilities.sum(axis=1) == pytest.approx(1.0)
    assert found.alpha == pytest.approx(1.0 + found.responsibilities.sum(axis=0), abs=1e-8)
    assert found.frequencies.sum() == pytest.approx(1.0)


# --- the exact posterior of two models ------------------------------------------------------------


class Exact:
    """The posterior of the frequency of the first of two models, by integrals over it."""

    def __init__(self, evidence: np.ndarray) -> None:
        r = np.linspace(0.0, 1.0, 40_001)
        likelihood = np.logaddexp(
            np.log(np.clip(r, 1e-300, 1.0)) + evidence[:, [0]],
            np.log(np.clip(1.0 - r, 1e-300, 1.0)) + evidence[:, [1]],
        )
        total = likelihood.sum(axis=0)
        density = np.exp(total - total.max())
        mass = integrate.trapezoid(density, r)
        self.r, self.density = r, density / mass
        self.log_evidence = float(np.log(mass) + total.max())
        self.mean = self._expected(r)
        self.exceedance = self._expected(np.where(r > 0.5, 1.0, np.where(r == 0.5, 0.5, 0.0)))
        odds = evidence[:, [0]] - evidence[:, [1]] + special.logit(np.clip(r, 1e-15, 1 - 1e-15))
        self.responsibilities = self._expected(special.expit(odds))

    def _expected(self, value: np.ndarray):
        return integrate.trapezoid(self.density * value, self.r, axis=-1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [0.5, 2.0, 6.0])
@pytest.mark.parametrize("n_people", [4, 20, 100])
def test_the_approximation_is_as_near_to_the_exact_posterior_as_its_bound_says(
    n_people, spread, seed
):
    """The divergence of the approximation is what its bound of the log evidence lacks, and half of
    it bounds the square of every difference between probabilities (Pinsker's inequality).
    """
    evidence = weak(n_people, 2, spread, seed) + np.array([0.7, 0.0])
    found, exact = model_frequencies(evidence), Exact(evidence)
    lacking = exact.log_evidence - found.log_evidence_different
    assert lacking > -1e-6
    allowed = np.sqrt(0.5 * max(lacking, 0.0)) + 1e-4
    assert abs(found.frequencies[0] - exact.mean) <= allowed
    assert abs(found.exceedance[0] - exact.exceedance) <= allowed
    assert (np.abs(found.responsibilities[:, 0] - exact.responsibilities) <= allowed).all()
    assert lacking < 1.0


def test_where_evidence_is_decisive_the_approximation_is_exact():
    evidence = decisive([14, 6])
    found, exact = model_frequencies(evidence), Exact(evidence)
    assert found.log_evidence_different == pytest.approx(exact.log_evidence, abs=1e-6)
    assert found.frequencies[0] == pytest.approx(exact.mean, abs=1e-6)
    assert found.exceedance[0] == pytest.approx(exact.exceedance, abs=1e-4)


def test_what_the_bound_lacks_grows_with_the_weakness_of_the_evidence():
    lacking = [
        Exact(evidence).log_evidence - model_frequencies(evidence).log_evidence_different
        for spread in (0.5, 2.0, 8.0, 30.0)
        for evidence in [weak(30, 2, spread, 1)]
    ]
    assert all(more > less for more, less in pairwise(lacking))


# --- simulated populations ------------------------------------------------------------------------


def population(
    n_people: int, n_models: int, distance: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """True frequencies (model,) and log evidence (person, model).

    Each person has a place with a normal error, each model is right at one of the corners of a
    simplex, and all are so far from each other.
    """
    truth = rng.dirichlet(np.ones(n_models))
    which = rng.choice(n_models, n_people, p=truth)
    corners = distance / np.sqrt(2.0) * np.eye(n_models)
    place = corners[which] + rng.standard_normal((n_people, n_models))
    return truth, stats.norm.logpdf(place[:, None], corners).sum(axis=-1)


def shares_held(n_people: int, n_models: int, distance: float, n: int) -> float:
    """The share of 90 % intervals that hold the true frequency of the first model."""
    rng, held = np.random.default_rng(7), []
    for _ in range(n):
        truth, evidence = population(n_people, n_models, distance, rng)
        low, high = model_frequencies(evidence).intervals()[0]
        held.append(low <= truth[0] <= high)
    return float(np.mean(held))


@pytest.mark.parametrize("n_models", [2, 3])
@pytest.mark.parametrize("n_people", [10, 60])
def test_intervals_hold_true_frequencies_as_often_as_they_say(n_people, n_models):
    """Where the evidence of most people is clear."""
    n = 1000
    share = shares_held(n_people, n_models, 7.0, n)
    assert abs(share - 0.9) < 5.0 * np.sqrt(0.9 * 0.1 / n)


def test_intervals_are_too_narrow_where_evidence_is_weak():
    """As the module says; with a distance of 1.5 the log Bayes factors have a mean of 1.1."""
    assert 0.5 < shares_held(20, 2, 1.5, 400) < 0.88


def test_the_omnibus_risk_is_high_where_models_are_as_frequent_and_low_where_one_is_everywhere():
    rng = np.random.default_rng(2)
    corners = 5.0 / np.sqrt(2.0) * np.eye(2)

    def risk(share: float) -> float:
        which = (rng.random(40) > share).astype(int)
        place = corners[which] + rng.standard_normal((40, 2))
        return model_frequencies(
            stats.norm.logpdf(place[:, None], corners).sum(axis=-1)
        ).omnibus_risk

    assert np.mean([risk(0.5) for _ in range(200)]) > 0.7
    assert np.mean([risk(0.95) for _ in range(200)]) < 0.01


# --- what comes in and goes out -------------------------------------------------------------------


def test_it_is_told_in_sentences():
    found = model_frequencies(decisive([17, 3]), models=["DMC", "SSP"])
    low, high = found.intervals()[0]
    assert str(found) == (
        f"The most frequent model is DMC: frequency 0.82 (90 % interval {low:.2f} to {high:.2f}),"
        f" protected exceedance probability {found.protected_exceedance[0]:.2f}. That all models"
        f" are as frequent has the probability {found.omnibus_risk:.2f}."
    )
    assert isinstance(found, ModelFrequencies)
    assert model_frequencies(decisive([1, 2])).models == ("model 1", "model 2")


def test_intervals_hold_the_mass_that_is_asked_for():
    found = model_frequencies(decisive([17, 3, 5]))
    for mass in (0.5, 0.9, 0.99):
        ends = found.intervals(mass)
        marginal = stats.beta(found.alpha, found.alpha.sum() - found.alpha)
        assert marginal.cdf(ends[:, 1]) - marginal.cdf(ends[:, 0]) == pytest.approx(mass)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([np.nan, -200.0], r"got \[nan, -200.0\] in row 1, and 1 such rows of 3"),
        ([-np.inf, -np.inf], r"got \[-inf, -inf\] in row 1"),
        ([np.inf, -200.0], r"got \[inf, -200.0\] in row 1"),
    ],
)
def test_people_whose_evidence_is_missing_are_refused(row, words):
    with pytest.raises(ValueError, match=words) as caught:
        model_frequencies([[-200.0, -203.0], row, [-210.0, -207.0]])
    assert str(caught.value).startswith("Expected the log evidence of every model for each person")
    assert "Leave these people out" in str(caught.value)


@pytest.mark.parametrize("shape", [(3,), (0, 2), (4, 1), (2, 2, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"at least one person and two models, \(person, model\)"):
        model_frequencies(np.zeros(shape))


@pytest.mark.parametrize("models", [["a"], ["a", "a"], ["a", "b", "c"]])
def test_other_numbers_of_names_are_refused(models):
    with pytest.raises(ValueError, match="Expected 2 different names of models; got"):
        model_frequencies(np.zeros((3, 2)), models=models)


def test_an_approximation_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr(room, "MOST_TURNS", 2)
    with pytest.raises(ValueError, match="Expected frequencies that settle within 2 turns"):
        model_frequencies(weak(30, 2, 1.0, 1))

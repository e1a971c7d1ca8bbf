"""Laws of priors: whatever the family, the real line and back; what does not fit is refused."""

import itertools
import json
import math

import numpy as np
import pytest
from scipy import integrate, stats

from incongruent import models, priors
from incongruent.models import Parameter
from incongruent.priors.distributions import truncated
from incongruent.priors.independent import Prior, prior_from_json
from incongruent.priors.published import named_prior

FIVE_SIGMA = 5.7e-7
"""Two-sided probability beyond five standard errors."""
FAMILIES = {
    "norm": stats.norm(350.0, 80.0),
    "uniform": stats.uniform(20.0, 200.0),
    "beta": stats.beta(2.0, 5.0, loc=1.0, scale=3.0),
    "gamma": stats.gamma(4.0, scale=5.0),
    "lognorm": stats.lognorm(0.6, scale=80.0),
    "expon": stats.expon(scale=30.0),
    "halfnorm": stats.halfnorm(scale=0.2),
    "t": stats.t(5.0, 3.0, 2.0),
    "truncnorm": stats.truncnorm(-1.0, 4.0, 20.0, 15.0),
    "truncnorm, open": stats.truncnorm(-1.0, np.inf, 20.0, 15.0),
    "normal cut": truncated(stats.norm(20.0, 15.0), 0.0, 60.0),
    "normal cut below": truncated(stats.norm(20.0, 15.0), 0.0),
    "normal cut above": truncated(stats.norm(20.0, 15.0), high=25.0),
    "lognormal cut": truncated(stats.lognorm(0.6, scale=80.0), 10.0, 300.0),
    "uniform cut": truncated(stats.uniform(0.0, 10.0), 2.0, 20.0),
}
every_family = pytest.mark.parametrize("distribution", FAMILIES.values(), ids=FAMILIES)
DMC_PARAMETERS = models.dmc().parameters


def draws_of(distribution, n: int) -> np.ndarray:
    """Draws made by scipy, or by leaving out what lies outside: not by the code under test."""
    if not isinstance(distribution, priors.Truncated):
        return distribution.rvs(n, random_state=np.random.default_rng(1))
    drawn = distribution.base.rvs(4 * n, random_state=np.random.default_rng(1))
    return drawn[(drawn >= distribution.low) & (drawn <= distribution.high)][:n]


@every_family
@pytest.mark.parametrize(
    "z",
    [np.linspace(-6.0, 6.0, 121), np.array([-6.0, 6.0, 0.0, -0.0])],
    ids=["-6 to 6", "ends and middle"],
)
def test_the_real_line_and_back_is_where_one_was(distribution, z):
    prior = Prior(x=distribution)
    np.testing.assert_allclose(prior.to_real(prior.from_real(z[:, None]))[:, 0], z, atol=1e-5)


@every_family
def test_theta_and_back_is_where_one_was(distribution):
    theta = draws_of(distribution, 1000)[:, None]
    prior = Prior(x=distribution)
    np.testing.assert_allclose(prior.from_real(prior.to_real(theta)), theta, rtol=1e-9, atol=1e-9)


@every_family
def test_under_the_prior_z_is_standard_normal(distribution):
    z = Prior(x=distribution).to_real(draws_of(distribution, 5000)[:, None])[:, 0]
    assert len(z) == 5000
    assert stats.kstest(z, "norm").pvalue > FIVE_SIGMA


def test_the_gate_tells_another_prior_from_the_right_one():
    z = Prior(x=stats.norm(21.0, 15.0)).to_real(
        stats.norm(20.0, 17.0).rvs(5000, random_state=np.random.default_rng(1))[:, None]
    )[:, 0]
    assert stats.kstest(z, "norm").pvalue < FIVE_SIGMA


@every_family
def test_samples_follow_the_distribution(distribution):
    theta = Prior(x=distribution).sample(5000, seed=2)[:, 0]
    assert stats.kstest(theta, distribution.cdf).pvalue > FIVE_SIGMA
    low, high = distribution.support()
    assert low <= theta.min() <= theta.max() <= high


@every_family
def test_the_density_integrates_to_one(distribution):
    prior, (low, high) = Prior(x=distribution), distribution.support()
    cuts = [low, *distribution.ppf([1e-4, 0.1, 0.5, 0.9, 1 - 1e-4]), high]
    mass = sum(
        integrate.quad(lambda x: math.exp(prior.log_prob(np.array([x]))), a, b)[0]
        for a, b in itertools.pairwise(cuts)
    )
    assert mass == pytest.approx(1.0, abs=1e-6)


@every_family
def test_density_and_map_fit_each_other(distribution):
    """log p(theta) + log |dtheta / dz| = log phi(z)."""
    prior, z, h = Prior(x=distribution), np.linspace(-3.0, 3.0, 41)[:, None], 1e-4
    slope = (prior.from_real(z + h) - prior.from_real(z - h)) / (2 * h)
    np.testing.assert_allclose(
        prior.log_prob(prior.from_real(z)) + np.log(slope[:, 0]),
        stats.norm.logpdf(z[:, 0]),
        atol=1e-4,
    )


def test_the_joint_density_is_scipys_product():
    prior = Prior(
        **{
            f"p{i}": d
            for i, d in enumerate(FAMILIES.values())
            if not isinstance(d, priors.Truncated)
        }
    )
    theta = prior.sample(100, seed=3).reshape(4, 25, -1)
    expected = sum(prior[name].logpdf(theta[..., i]) for i, name in enumerate(prior.names))
    assert prior.log_prob(theta).shape == (4, 25)
    np.testing.assert_allclose(prior.log_prob(theta), expected)


def test_outside_the_support_there_is_no_density():
    prior = Prior(a=FAMILIES["normal cut"], b=FAMILIES["uniform"])
    theta = np.array([[-1.0, 100.0], [61.0, 100.0], [30.0, 221.0], [30.0, 100.0]])
    assert np.isneginf(prior.log_prob(theta)).tolist() == [True, True, True, False]
    assert np.isinf(prior.to_real(theta)).any(axis=1).tolist() == [True, True, True, False]


@every_family
def test_what_is_saved_comes_back(distribution):
    prior = Prior(first=stats.norm(0, 1), x=distribution)
    again = prior_from_json(json.loads(json.dumps(prior.to_json(), allow_nan=False)))
    assert again == prior
    assert repr(again) == repr(prior)
    assert np.array_equal(again.sample(20, seed=4), prior.sample(20, seed=4))
    assert Prior(first=stats.norm(0, 1.5), x=distribution) != prior


def test_a_prior_says_what_it_is():
    prior = Prior(
        A=stats.gamma(4, scale=5),
        tau=truncated(stats.norm(100, 20), 5, 300),
        b=truncated(stats.norm(60, 10), 20),
    )
    assert (
        repr(prior)
        == "Prior(A=gamma(4, scale=5), tau=norm(100, 20) on [5, 300], b=norm(60, 10) on [20, inf])"
    )


def test_a_saved_prior_of_an_unknown_family_is_refused():
    for name in ("poisson", "nonsense", "rv_continuous"):
        with pytest.raises(
            ValueError,
            match=(
                r"Expected the name of a continuous distribution of scipy.stats for 'x'; got"
                rf" '{name}'"
            ),
        ):
            prior_from_json({"x": {"name": name, "args": [1.0], "kwds": {}}})


@pytest.mark.parametrize("wrong", [stats.norm, stats.poisson(3), lambda x: x, 3.0, "norm", None])
def test_anything_but_a_frozen_continuous_distribution_is_refused(wrong):
    with pytest.raises(
        TypeError,
        match=r"Expected a frozen continuous distribution for 'A', such as stats.norm\(0, 1\)",
    ):
        Prior(A=wrong)


def test_distributions_that_are_none_are_refused():
    with pytest.raises(
        ValueError, match=r"Expected finite quantiles for 'A'.*Check its scale and shape"
    ):
        Prior(A=stats.norm(0, -1))
    with pytest.raises(ValueError, match="Expected at least one parameter"):
        Prior()
    with pytest.raises(ValueError, match="Expected low < high; got low=3, high=3"):
        truncated(stats.norm(0, 1), 3, 3)
    with pytest.raises(ValueError, match=r"Expected some of the distribution within \[8, 9\]"):
        truncated(stats.norm(0, 1), 8, 9)


def test_the_number_of_parameters_is_checked():
    prior = Prior(a=stats.norm(0, 1), b=stats.norm(0, 1))
    for method in (prior.to_real, prior.from_real, prior.log_prob):
        with pytest.raises(
            ValueError,
            match=(
                r"Expected the last axis to hold the 2 parameters \('a', 'b'\); got shape \(3, 1\)"
            ),
        ):
            method(np.zeros((3, 1)))


POSITIVE, SHARE = (
    Parameter("x", "", "ms", 0.0, math.inf, 1.0),
    Parameter("y", "", "", 0.0, 1.0, 0.5),
)


def test_a_little_outside_the_domain_is_cut():
    prior = Prior(y=stats.beta(2, 2), x=stats.norm(30, 10)).within([POSITIVE, SHARE])
    assert prior.names == ("x", "y")
    assert prior["x"].support() == (0.0, math.inf)
    assert prior["y"].support() == (0.0, 1.0)
    assert prior.within([POSITIVE, SHARE]).to_json() == prior.to_json()


def test_a_cut_prior_is_cut_further_and_not_twice():
    cut = Prior(x=truncated(stats.norm(30, 10), -5, 60)).within([POSITIVE])
    assert cut == Prior(x=truncated(stats.norm(30, 10), 0, 60))


def test_more_than_a_hundredth_outside_the_domain_is_refused():
    with pytest.raises(
        ValueError,
        match=(
            r"Expected a prior for x within \[0, inf\] ms, where the model is defined; 2.3% of it"
            r" lies outside"
        ),
    ) as caught:
        Prior(x=stats.norm(20, 10)).within([POSITIVE])
    assert "Use a distribution on that range, or incongruent.truncated(…, 0, inf)" in str(
        caught.value
    )


def test_names_must_be_the_models():
    with pytest.raises(
        ValueError,
        match=r"exactly the parameters \['x', 'y'\]; missing \['y'\], not in the model \['z'\]",
    ):
        Prior(x=stats.expon(), z=stats.expon()).within([POSITIVE, SHARE])


NAMED = {
    "schaefer2025": {
        "A": (20.5, 8.4),
        "tau": (118.4, 37.6),
        "mu_c": (0.57, 0.12),
        "b": (61.0, 13.2),
        "mu_R": (358, 24.3),
        "sd_R": (36.9, 8.6),
    },
    "schaefer2024_initial": {
        "A": (70.8, 19.4),
        "tau": (114.7, 40.1),
        "mu_c": (0.71, 0.14),
        "b": (98.4, 30.1),
        "mu_R": (332, 52),
        "sd_R": (43.4, 9.2),
    },
    "broad": {
        "A": (20, 15),
        "mu_c": (0.55, 0.2),
        "b": (62, 20),
        "mu_R": (350, 80),
        "sd_R": (38, 15),
    },
}
RANGES = {
    "A": (0, 60),
    "tau": (5, 300),
    "mu_c": (0.05, 1.2),
    "b": (20, 150),
    "mu_R": (150, 800),
    "sd_R": (2, 100),
}


@pytest.mark.parametrize("name", NAMED)
def test_named_priors_are_the_published_ones(name):
    prior, q = named_prior(name), np.linspace(0.0, 1.0, 21)
    for parameter, (mean, sd) in NAMED[name].items():
        low, high = (
            (0, 150) if (name, parameter) == ("schaefer2024_initial", "A") else RANGES[parameter]
        )
        expected = stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)
        np.testing.assert_allclose(prior[parameter].ppf(q), expected.ppf(q), rtol=1e-6, atol=1e-9)
    assert prior.names == tuple(RANGES)
    assert prior.within(DMC_PARAMETERS) == prior


def test_the_broad_time_scale_is_lognormal():
    tau = priors.broad()["tau"]
    assert tau.support() == (10.0, 300.0)
    z = (np.log(np.array([10.0, 80.0, 200.0, 300.0])) - np.log(80.0)) / 0.6
    np.testing.assert_allclose(
        tau.cdf([10.0, 80.0, 200.0, 300.0]),
        (stats.norm.cdf(z) - stats.norm.cdf(z[0])) / np.ptp(stats.norm.cdf(z[[0, -1]])),
    )


def test_an_unknown_named_prior_is_refused():
    with pytest.raises(
        ValueError,
        match=(
            r"Expected one of the priors \['broad', 'schaefer2024_initial', 'schaefer2025'\]; got"
            r" 'narrow'"
        ),
    ):
        named_prior("narrow")


def test_a_prior_is_extended_behind_its_own_parameters() -> None:
    whole = priors.schaefer2025().extended(lapse=priors.lapse_rate())
    assert whole.names == (*priors.schaefer2025().names, "lapse")
    assert np.array_equal(whole.sample(5, seed=1)[:, 6] <= 1.0, np.ones(5, bool))
    with pytest.raises(ValueError, match=r"got \['lapse'\] again"):
        whole.extended(lapse=stats.uniform())

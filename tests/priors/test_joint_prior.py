"""Laws of priors given by functions: the map to the real line is exact, limits hold, and what
nobody knows is refused.
"""

import json

import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.priors.joint import any_prior_from_json

LIMITS = {"low": {"share": 0.0, "positive": 0.0}, "high": {"share": 1.0, "negative": 0.0}}
NAMES = ["share", "positive", "negative", "free"]


def sample(n, rng):
    """A share that depends on a positive number, its negative, and one that is free."""
    positive = rng.gamma(3.0, 2.0, n)
    return np.stack(
        [
            rng.beta(1.0 + positive, 2.0),
            positive,
            -rng.gamma(2.0, 1.0, n),
            rng.normal(positive, 1.0),
        ],
        axis=1,
    )


def log_prob(theta):
    share, positive, negative, free = np.moveaxis(theta, -1, 0)
    parts = (
        stats.beta(1.0 + positive, 2.0).logpdf(share),
        stats.gamma(3, scale=2).logpdf(positive),
        stats.gamma(2).logpdf(-negative),
    )
    return sum(parts) + stats.norm(positive, 1.0).logpdf(free)


PRIOR = inc.JointPrior(NAMES, sample=sample, log_prob=log_prob, **LIMITS)


def test_the_map_to_the_real_line_goes_back_and_forth():
    theta = PRIOR.sample(1000, seed=1)
    np.testing.assert_allclose(PRIOR.from_real(PRIOR.to_real(theta)), theta, rtol=1e-9)


def test_z_has_mean_0_and_sd_1():
    z = PRIOR.to_real(PRIOR.sample(20_000, seed=2))
    assert z.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.06)
    assert z.std(axis=0) == pytest.approx(np.ones(4), abs=0.06)


def test_the_jacobian_is_that_of_the_map():
    theta, step = PRIOR.sample(50, seed=3), 1e-6
    slopes = [
        (PRIOR.to_real(theta + e) - PRIOR.to_real(theta - e))[:, i] / (2 * step)
        for i, e in enumerate(step * np.eye(4))
    ]
    np.testing.assert_allclose(
        PRIOR.log_jacobian(theta, PRIOR.to_real(theta)), np.log(slopes).sum(axis=0), rtol=1e-4
    )


def test_the_density_of_z_integrates_to_one():
    one = inc.JointPrior(
        ["x"],
        sample=lambda n, r: r.gamma(3.0, 1.0, (n, 1)),
        log_prob=lambda t: stats.gamma(3).logpdf(t[..., 0]),
        low={"x": 0.0},
    )
    z = np.linspace(-12, 12, 4001)[:, None]
    assert np.trapezoid(np.exp(one.log_prob_real(z)), z[:, 0]) == pytest.approx(1.0, abs=1e-5)


def test_draws_far_out_keep_to_the_limits():
    theta = PRIOR.from_real(np.array([[50.0, -900.0, 900.0, 3.0], [-50.0, 5.0, -5.0, 0.0]]))
    assert ((theta[:, 0] > 0) & (theta[:, 0] < 1) & (theta[:, 1] > 0) & (theta[:, 2] < 0)).all()


def test_outside_the_limits_there_is_no_density():
    theta = np.array([[0.5, 1.0, -1.0, 0.0], [0.5, -1.0, -1.0, 0.0]])
    with np.errstate(all="ignore"):
        assert np.isfinite(PRIOR.log_prob(theta)).tolist() == [True, False]


def test_samples_alone_give_the_map_but_no_density():
    known = inc.joint_prior_of(PRIOR.sample(10_000, seed=np.random.default_rng(0)), NAMES, **LIMITS)
    theta = PRIOR.sample(5, seed=4)
    np.testing.assert_allclose(known.to_real(theta), PRIOR.to_real(theta), rtol=1e-9)
    assert not known.has_density
    with pytest.raises(inc.PriorError, match="Expected a prior with a known density"):
        known.log_prob(theta)
    with pytest.raises(inc.PriorError, match="Expected a prior that can be sampled"):
        known.sample(1, seed=1)


def test_plain_values_bring_the_map_back():
    again = any_prior_from_json(json.loads(json.dumps(PRIOR.to_json(), allow_nan=False)))
    theta = PRIOR.sample(5, seed=5)
    assert np.array_equal(again.to_real(theta), PRIOR.to_real(theta))
    assert not again.has_density


def test_the_range_of_the_samples_is_kept_in_files_by_its_first_name():
    spread = {"free": (-1.0, 2.0)}
    known = inc.joint_prior_of(PRIOR.sample(100, seed=1), NAMES, **LIMITS, sample_range=spread)
    stored = json.loads(json.dumps(known.to_json(), allow_nan=False))
    assert stored["joint"]["recorded"] == {"free": [-1.0, 2.0]}
    assert any_prior_from_json(stored).sample_range == spread


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": ["a", "a"], "sample": sample}, "Expected different parameter names"),
        ({"names": NAMES, "sample": sample, "low": {"other": 0.0}}, "limits for \\['other'\\]"),
        (
            {"names": NAMES, "sample": sample, "low": {"free": 2.0}},
            "Expected samples of free within",
        ),
        ({"names": ["a"], "sample": sample}, "Expected samples of shape \\(10000, 1\\)"),
        ({"names": ["a"], "sample": lambda n, r: np.full((n, 1), np.nan)}, "got nan"),
        ({"names": ["a"], "sample": lambda n, r: np.ones((n, 1))}, "every parameter varies"),
        ({"names": ["a"]}, "Expected a function that samples"),
        (
            {"names": ["a"], "sample": sample, "low": {"a": 1.0}, "high": {"a": 0.0}},
            "Expected low < high",
        ),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        inc.JointPrior(options.pop("names"), **options)


def test_a_prior_beyond_the_model_is_refused():
    model = inc.Model(
        "m",
        [inc.Parameter("a", low=0.0)],
        [inc.Continuous("x")],
        vector=lambda theta, rng: rng.normal(theta),
    )
    with pytest.raises(
        ValueError, match=r"Expected a prior for a within \[0, inf\] .* of its samples lie outside"
    ):
        inc.Simulator(
            model, inc.JointPrior(["a"], sample=lambda n, r: r.normal(0, 1, (n, 1))), inc.Design(1)
        )
    with pytest.raises(ValueError, match="in this order"):
        inc.Simulator(
            model, inc.JointPrior(["b"], sample=lambda n, r: r.normal(9, 1, (n, 1))), inc.Design(1)
        )

"""Tasks whose posterior can be written down: a simulator, and draws from the exact posterior of
each data set that it makes.

What is known for each: p(theta | data) exactly, so that a trained network can be compared with it,
and its calibration with perfection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numba
import numpy as np
from scipy import optimize, stats

import incongruent as inc

Array = np.ndarray


@dataclass(frozen=True)
class Solved:
    """A simulator and its exact posterior.

    Attributes:
        simulator: model, prior and design.
        exact: ``exact(values, n_draws, rng) -> (draw, parameter)``, draws given one data set, whose
            columns ``values`` maps to arrays (trial,).
    """

    simulator: inc.Simulator
    exact: Callable[[Mapping[str, Array], int, np.random.Generator], Array]

    def draws(self, trials: inc.Trials, n_draws: int, *, seed: int) -> Array:
        """Draws from the exact posterior of every data set, (dataset, draw, parameter)."""
        rng = np.random.default_rng(seed)
        rows = [
            {name: values[i, here] for name, values in trials.values.items()}
            for i, here in enumerate(trials.present)
        ]
        return np.stack([self.exact(row, n_draws, rng) for row in rows])


# theta ~ N(0, I), x_i ~ N(theta, I), i = 1 … n: theta | x ~ N(n mean(x) / (n + 1), I / (n + 1))


def _normals(theta: Array, n_trials: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x, y = theta[:, None] + rng.standard_normal((2, n_trials))
    return x, y


def normal_mean_moments(values: Mapping[str, Array]) -> tuple[Array, float]:
    """Posterior mean (parameter,) and SD, of both means alike."""
    x = np.stack([values["x"], values["y"]])  # (parameter, trial)
    n = x.shape[1]
    return x.sum(axis=1) / (n + 1), (n + 1) ** -0.5


def _normal_mean(values: Mapping[str, Array], n_draws: int, rng: np.random.Generator) -> Array:
    mean, sd = normal_mean_moments(values)
    return rng.normal(mean, sd, (n_draws, 2))


NORMAL_MEAN = Solved(
    inc.Simulator(
        inc.Model(
            "normal mean",
            ["mean_x", "mean_y"],
            [inc.Continuous("x"), inc.Continuous("y")],
            dataset=_normals,
        ),
        inc.Prior(mean_x=stats.norm(0, 1), mean_y=stats.norm(0, 1)),
        inc.Design((1, 50)),
    ),
    _normal_mean,
)


# beta ~ Gamma(1, rate .5), rho ~ Beta(2, 2); rt_i ~ InvGamma(a_i, beta) with a_i known, choice_i ~
# Bernoulli(rho). Both priors are conjugate:
# beta | data ~ Gamma(1 + sum a_i, rate .5 + sum 1 / rt_i), rho | data ~ Beta(2 + k, 2 + n - k) with
# k choices of 1.


@numba.njit
def _rt_and_choice_trial(theta, a, rng):  # pragma: no cover - compiled
    rt = theta[0] / rng.gamma(a, 1.0)
    choice = 1 if rng.random() < theta[1] else 0
    return rt, choice


def rt_and_choice_posterior(
    values: Mapping[str, Array],
) -> tuple[stats.rv_continuous, stats.rv_continuous]:
    """The posteriors of beta and rho, which are independent."""
    n, k = len(values["rt"]), int(values["choice"].sum())
    rate = 0.5 + (1.0 / values["rt"].astype(float)).sum()
    return stats.gamma(1.0 + values["a"].astype(float).sum(), scale=1.0 / rate), stats.beta(
        2 + k, 2 + n - k
    )


def _rt_and_choice(values: Mapping[str, Array], n_draws: int, rng: np.random.Generator) -> Array:
    return np.stack(
        [posterior.rvs(n_draws, random_state=rng) for posterior in rt_and_choice_posterior(values)],
        axis=1,
    )


RT_AND_CHOICE = Solved(
    inc.Simulator(
        inc.Model(
            "RT and choice",
            [inc.Parameter("beta", unit="s", low=0.0), inc.Parameter("rho", low=0.0, high=1.0)],
            [
                inc.Continuous("a", given=True, positive=True),
                inc.Continuous("rt", unit="s", positive=True),
                inc.Category("choice", ("0", "1")),
            ],
            trial=_rt_and_choice_trial,
        ),
        inc.Prior(beta=stats.gamma(1.0, scale=2.0), rho=stats.beta(2, 2)),
        inc.Design((5, 50), given={"a": stats.uniform(1.0, 2.0)}),
    ),
    _rt_and_choice,
)


# theta ~ U(-1, 1)^2, x = B theta + SD N(0, I): the posterior is the normal distribution around B^-1
# x with covariance SD^2 (B' B)^-1, cut to the box.

B = np.array([[1.0, 0.5], [0.0, 1.0]])
NOISE = 0.5


def _linear(theta: Array, rng: np.random.Generator) -> Array:
    return theta @ B.T + NOISE * rng.standard_normal(theta.shape)


def box_log_density(theta: Array, x: Array) -> Array:
    """Unnormalised, at theta (…, parameter) within the box."""
    return -0.5 * ((x - theta @ B.T) ** 2).sum(axis=-1) / NOISE**2


def _box(values: Mapping[str, Array], n_draws: int, rng: np.random.Generator) -> Array:
    """By rejection from the prior; the highest density within the box is a bounded least-squares
    problem.
    """
    x = np.array([values["x"][0], values["y"][0]], float)
    peak = box_log_density(optimize.lsq_linear(B, x, (-1.0, 1.0), method="bvls").x, x)
    kept = np.empty((0, 2))
    while len(kept) < n_draws:
        theta = rng.uniform(-1.0, 1.0, (20 * n_draws, 2))
        accepted = np.log(rng.random(len(theta))) < box_log_density(theta, x) - peak
        kept = np.concatenate([kept, theta[accepted]])
    return kept[:n_draws]


BOX = Solved(
    inc.Simulator(
        inc.Model(
            "linear, box prior",
            ["left", "right"],
            [inc.Continuous("x"), inc.Continuous("y")],
            vector=_linear,
        ),
        inc.Prior(left=stats.uniform(-1, 2), right=stats.uniform(-1, 2)),
        inc.Design(1),
    ),
    _box,
)

SOLVED = {"normal mean": NORMAL_MEAN, "RT and choice": RT_AND_CHOICE, "box prior": BOX}

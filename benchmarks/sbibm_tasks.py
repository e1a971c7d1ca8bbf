"""Five tasks of "Benchmarking simulation-based inference" (Lueckmann et al. 2021, AISTATS 130),
with draws from their exact posteriors.

All five have likelihoods in closed form, and their posteriors can be drawn from without MCMC:
directly, or by rejection under a bound that is known. The observations and reference draws that the
benchmark compares with are files of its package, `sbibm`, which is never installed here.
"""

import bz2
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.data.long_format import from_long
from incongruent.data.trials import Column
from incongruent.simulation.simulator import Simulations

Array = np.ndarray
Generator = np.random.Generator

WHEEL = "sbibm==1.1.0"
CACHE = Path.home() / ".cache" / "incongruent"
N_OBSERVATIONS = 10


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: as the benchmark calls it; what stands behind a slash says how we lay out the data.
        simulator: model, prior and design.
        exact: ``exact(x, n_draws, rng) -> (draw, parameter)``, draws from the posterior of one
            observation x (value,).
        npe: the benchmark's C2ST of neural posterior estimation, by number of simulations.
    """

    name: str
    simulator: inc.Simulator
    exact: Callable[[Array, int, Generator], Array]
    npe: dict[int, float]

    def simulate(self, n: int, seed: int) -> Simulations:
        """Parameters from the prior and the data that they gave."""
        return self.simulator.simulate(n, seed=seed)

    def trials(self, x: Array) -> inc.Trials:
        """Observations x (observation, value) as our data sets."""
        columns = self.simulator.model.columns
        rows = np.asarray(x, float).reshape(-1, len(columns))  # (observation × trial, column)
        dataset = np.repeat(np.arange(len(x)), len(rows) // len(x))
        return from_long(
            columns, dataset, {column.name: rows[:, k] for k, column in enumerate(columns)}
        )


def flat(values: Mapping[str, Array], columns: Sequence[Column]) -> Array:
    """Observations (observation, value), trial by trial, from columns (observation, trial): what
    `Task.trials` undoes.
    """
    # (observation, trial, column)
    rows = np.stack([values[column.name] for column in columns], axis=-1)
    return rows.reshape(len(rows), -1).astype(float)


@dataclass(frozen=True)
class Reference:
    """What the benchmark keeps of one observation: data (value,), the theta (parameter,) that gave
    them, posterior draws (draw, parameter).
    """

    x: Array
    truth: Array
    draws: Array


def download(folder: Path = CACHE) -> Path:
    """The benchmark's package as a file, fetched with pip unless it is there already.

    Raises:
        FileNotFoundError: when pip cannot get it.
    """
    if not list(folder.glob("sbibm-*.whl")):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                WHEEL,
                "--no-deps",
                "--quiet",
                "--dest",
                str(folder),
            ],
            check=False,
        )
    found = sorted(folder.glob("sbibm-*.whl"))
    if not found:
        raise FileNotFoundError(
            f"Expected {WHEEL} in {folder}; pip could not fetch it. Fetch the wheel elsewhere and"
            " pass --wheel."
        )
    return found[-1]


def read_reference(wheel: Path, task: Task, observation: int) -> Reference:
    """The benchmark's files of one observation, 1 to 10."""
    folder = f"sbibm/tasks/{task.name.partition('/')[0]}/files/num_observation_{observation}"
    with zipfile.ZipFile(wheel) as package:
        x, truth = (
            _table(package.read(f"{folder}/{file}.csv"))[0]
            for file in ("observation", "true_parameters")
        )
        draws = _table(
            bz2.decompress(package.read(f"{folder}/reference_posterior_samples.csv.bz2"))
        )
    return Reference(x, truth, draws)


def _table(text: bytes) -> Array:
    return np.loadtxt(io.BytesIO(text), delimiter=",", skiprows=1, ndmin=2)


def accepted(propose: Callable[[int], Array], n_draws: int) -> Array:
    """As many draws as wanted from a function that makes n proposals and returns those that it
    accepts, (accepted, parameter).
    """
    n, kept = n_draws, propose(n_draws)
    while len(kept) < n_draws:
        n = min(2 * n, 200_000)
        kept = np.concatenate([kept, propose(n)])
    return kept[:n_draws]


def _within(theta: Array, bound: float) -> Array:
    return theta[(np.abs(theta) <= bound).all(axis=1)]


def _names(letter: str, n: int) -> list[str]:
    return [f"{letter}{i + 1}" for i in range(n)]


def _prior(n: int, distribution: object) -> inc.Prior:
    return inc.Prior(**dict.fromkeys(_names("theta", n), distribution))


def _of_vectors(
    name: str, vector: Callable[[Array, Generator], Array], prior: inc.Prior, n_values: int
) -> inc.Simulator:
    columns = [inc.Continuous(value) for value in _names("x", n_values)]
    return inc.Simulator(inc.Model(name, prior.names, columns, vector=vector), prior, inc.Design(1))


# Two moons: theta ~ U(-1, 1)^2. A point on a half circle of radius r ~ N(.1, .01), at the angle a ~
# U(-pi/2, pi/2) around (.25, 0), is moved by
# (-|theta1 + theta2|, theta2 - theta1) / sqrt(2). Two values of theta, mirrored, give the same
# data.


def _half_circle(n: int, rng: Generator) -> Array:
    angle, radius = rng.uniform(-np.pi / 2, np.pi / 2, n), rng.normal(0.1, 0.01, n)
    return np.stack([radius * np.cos(angle) + 0.25, radius * np.sin(angle)], axis=1)


def _two_moons(theta: Array, rng: Generator) -> Array:
    shift = np.stack(
        [-np.abs(theta[:, 0] + theta[:, 1]), theta[:, 1] - theta[:, 0]], axis=1
    ) / np.sqrt(2)
    return _half_circle(len(theta), rng) + shift


def _two_moons_exact(x: Array, n_draws: int, rng: Generator) -> Array:
    """The point on the circle is drawn and theta solved for: a rotation, under which a flat prior
    stays flat.
    """

    def propose(n: int) -> Array:
        point = _half_circle(n, rng)
        point = point[point[:, 0] >= x[0]]
        along, across = (
            (point[:, 0] - x[0]) * rng.choice([-1.0, 1.0], len(point)),
            x[1] - point[:, 1],
        )
        return _within(np.stack([along - across, along + across], axis=1) / np.sqrt(2), 1.0)

    return accepted(propose, n_draws)


# Gaussian linear: theta ~ N(0, .1 I), x ~ N(theta, .1 I), ten of each; uniform: the same with theta
# ~ U(-1, 1)^10.

VARIANCE = 0.1


def _gaussian_linear(theta: Array, rng: Generator) -> Array:
    return rng.normal(theta, VARIANCE**0.5)


def _gaussian_linear_exact(x: Array, n_draws: int, rng: Generator) -> Array:
    return rng.normal(x / 2, (VARIANCE / 2) ** 0.5, (n_draws, len(x)))


def _gaussian_linear_uniform_exact(x: Array, n_draws: int, rng: Generator) -> Array:
    sd = VARIANCE**0.5
    return stats.truncnorm.rvs(
        (-1 - x) / sd, (1 - x) / sd, x, sd, size=(n_draws, len(x)), random_state=rng
    )


# Gaussian mixture: theta ~ U(-10, 10)^2, x ~ .5 N(theta, I) + .5 N(theta, .01 I).


def _gaussian_mixture(theta: Array, rng: Generator) -> Array:
    return rng.normal(theta, rng.choice([1.0, 0.1], (len(theta), 1)))


def _gaussian_mixture_exact(x: Array, n_draws: int, rng: Generator) -> Array:
    """A normal distribution around theta is one around x, as far as the prior goes."""
    return accepted(lambda n: _within(_gaussian_mixture(np.tile(x, (n, 1)), rng), 10.0), n_draws)


# SLCP, "simple likelihood, complex posterior": theta ~ U(-3, 3)^5; four points from the bivariate
# normal distribution with mean (theta1, theta2),
# SD (theta3^2, theta4^2) and correlation tanh(theta5). The signs of theta3 and theta4 leave no
# trace.

N_POINTS = 4


def _points(theta: Array, n: int, rng: Generator) -> Array:
    """Of theta (…, 5), (…, n, 2)."""
    first, second, rho = (
        part[..., None] for part in (theta[..., 2] ** 2, theta[..., 3] ** 2, np.tanh(theta[..., 4]))
    )
    u, v = rng.standard_normal((2, *theta.shape[:-1], n))
    return np.stack(
        [
            theta[..., 0, None] + first * u,
            theta[..., 1, None] + second * (rho * u + np.sqrt(1 - rho**2) * v),
        ],
        axis=-1,
    )


def _slcp(theta: Array, rng: Generator) -> Array:
    return _points(theta, N_POINTS, rng).reshape(len(theta), -1)


def _slcp_trials(theta: Array, n_trials: int, rng: Generator) -> tuple[Array, Array]:
    x, y = _points(theta, n_trials, rng).T
    return x, y


def _slcp_exact(x: Array, n_draws: int, rng: Generator) -> Array:
    """By rejection: a covariance, then a mean, both within the prior.

    The likelihood of the scatter Q of the points is that of a Wishart distribution, |S|^-(n-1)/2
    exp(-tr(Q S^-1) / 2). A prior flat in theta3, theta4 and theta5 has the density (s1 s2)^-1/2 /
    (1 - rho^2) of the SDs and the correlation, and the inverse Wishart distribution with 2.5
    degrees of freedom and scale Q, for n = 4, is their product with it but for (1 - rho^2)^1/4,
    which is at most 1 and by which draws are accepted.
    """
    points = x.reshape(N_POINTS, 2)
    mean = points.mean(axis=0)
    root = np.linalg.cholesky((points - mean).T @ (points - mean))

    def propose(n: int) -> Array:
        s = _inverse_wishart(root, N_POINTS - 1.5, n, rng)  # (proposal, 2, 2)
        sds = np.sqrt(s[:, [0, 1], [0, 1]])
        rho = s[:, 0, 1] / sds.prod(axis=1)
        fine = (np.abs(rho) <= np.tanh(3.0)) & (rng.random(n) ** 4 < 1 - rho**2)
        spread = np.concatenate(
            [np.sqrt(sds) * rng.choice([-1.0, 1.0], sds.shape), np.arctanh(rho * fine)[:, None]],
            axis=1,
        )[fine]
        around = np.concatenate([np.zeros((len(spread), 2)), spread], axis=1)  # theta with mean 0
        around[:, :2] = mean + _points(around, 1, rng)[:, 0] / np.sqrt(N_POINTS)
        return _within(around, 3.0)

    return accepted(propose, n_draws)


def _inverse_wishart(root: Array, df: float, n: int, rng: Generator) -> Array:
    """Covariances (n, 2, 2) with the scale root @ root.T, by Bartlett's decomposition; scipy's are
    much slower.
    """
    a, c, b = (
        np.sqrt(rng.chisquare(df, n)),
        np.sqrt(rng.chisquare(df - 1, n)),
        rng.standard_normal(n),
    )
    # of [[a, 0], [b, c]].T
    inverse = np.stack(
        [np.stack([1 / a, -b / (a * c)], axis=-1), np.stack([np.zeros(n), 1 / c], axis=-1)], axis=-2
    )
    factor = root @ inverse
    return factor @ factor.swapaxes(-1, -2)


def _slcp_of_trials() -> inc.Simulator:
    prior = _prior(5, stats.uniform(-3, 6))
    model = inc.Model(
        "slcp of trials",
        prior.names,
        [inc.Continuous("x"), inc.Continuous("y")],
        dataset=_slcp_trials,
    )
    return inc.Simulator(model, prior, inc.Design(N_POINTS))


SLCP_NPE = {10_000: 0.901, 100_000: 0.831}
MANY = [
    Task(
        "two_moons",
        _of_vectors("two moons", _two_moons, _prior(2, stats.uniform(-1, 2)), 2),
        _two_moons_exact,
        {10_000: 0.606, 100_000: 0.542},
    ),
    Task(
        "gaussian_linear",
        _of_vectors(
            "gaussian linear", _gaussian_linear, _prior(10, stats.norm(0, VARIANCE**0.5)), 10
        ),
        _gaussian_linear_exact,
        {10_000: 0.552, 100_000: 0.506},
    ),
    Task(
        "gaussian_linear_uniform",
        _of_vectors(
            "gaussian linear uniform", _gaussian_linear, _prior(10, stats.uniform(-1, 2)), 10
        ),
        _gaussian_linear_uniform_exact,
        {10_000: 0.553, 100_000: 0.509},
    ),
    Task(
        "gaussian_mixture",
        _of_vectors("gaussian mixture", _gaussian_mixture, _prior(2, stats.uniform(-10, 20)), 2),
        _gaussian_mixture_exact,
        {10_000: 0.615, 100_000: 0.548},
    ),
    Task(
        "slcp",
        _of_vectors("slcp", _slcp, _prior(5, stats.uniform(-3, 6)), 2 * N_POINTS),
        _slcp_exact,
        SLCP_NPE,
    ),
    Task("slcp/trials", _slcp_of_trials(), _slcp_exact, SLCP_NPE),
]
TASKS = {task.name: task for task in MANY}

"""What drift variability costs in the exact likelihood, and how exact it is.

    python benchmarks/drift.py [--people 6] [--draws 32]

For people of 400 trials and draws from about their posterior: processor time against that of the
standard model in the same run, and the error of the log likelihood against the mean of the standard
model's densities over many drifts on the third level of accuracy.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.models import Kept, Model, dmc

DRIFT_SDS = (0.02, 0.1, 0.2, 0.25, 0.4, 0.6)
N_TRIALS, N_CLOUD = 400, 256
REFERENCE_LEVEL = 2
MU_C = 2


class Person:
    """Trials of one person, all of them answered."""

    def __init__(self, truth: np.ndarray, seed: int) -> None:
        condition = np.repeat([[0, 1]], N_TRIALS // 2, axis=1)
        present = np.ones((1, N_TRIALS), bool)
        rng = np.random.default_rng(seed)
        model = dmc(free=["drift_sd"])
        values, answered = model.simulate(truth[None], {"condition": condition}, present, rng)
        self.truth, self.rng = truth, rng
        self.values = {name: column[0, answered[0]] for name, column in values.items()}

    def log_likelihood(self, model: Model, theta: np.ndarray, level: int) -> np.ndarray:
        """Log likelihood (draw,) at theta (draw, parameter)."""
        answered = np.ones(len(self.values["rt"]), bool)
        return model.likelihood.at(theta, self.values, answered, Kept(), level)

    def draws(self, n: int) -> np.ndarray:
        """Draws (draw, parameter) from about the posterior at the true drift_sd.

        They come from a t distribution that is fitted to weighted draws of the one before it.
        """
        cloud = self.truth * np.exp(0.1 * self.rng.standard_normal((N_CLOUD, len(self.truth))))
        for power in (0.3, 0.6, 1.0, 1.0):
            cloud[:, -1] = self.truth[-1]
            cloud = np.maximum(cloud, 0.05 * self.truth)
            found = power * self.log_likelihood(dmc(free=["drift_sd"]), cloud, 0)
            weights = np.exp(found - found.max())
            mean = np.average(cloud, axis=0, weights=weights)
            spread = np.cov(cloud.T, aweights=weights) + np.diag(1e-8 * mean**2)
            near = stats.multivariate_t(mean, spread, df=8, allow_singular=True, seed=self.rng)
            cloud = near.rvs(N_CLOUD)
        cloud[:, -1] = self.truth[-1]
        return np.maximum(cloud, 0.05 * self.truth)[:n]

    def mean_over_drifts(self, theta: np.ndarray) -> np.ndarray:
        """Log likelihood (draw,) by the mean of the standard model's densities over many drifts."""
        deviates = np.linspace(-5.5, 5.5, int(61 * max(1.0, 4.0 * self.truth[-1])))
        weights = stats.norm.pdf(deviates) / stats.norm.pdf(deviates).sum()
        total = np.zeros((len(theta), len(self.values["rt"])))
        for deviate, weight in zip(deviates, weights, strict=True):
            shifted = theta[:, :-1].copy()
            shifted[:, MU_C] += deviate * theta[:, -1]
            each = dmc().likelihood.densities(shifted, self.values, Kept(), REFERENCE_LEVEL)
            total += weight * np.exp(each)
        return np.log(total).sum(axis=1)


def people(n: int, drift_sd: float) -> list[Person]:
    """People of the broad prior, but for those who hardly look at the targets."""
    theta = inc.priors.broad().sample(20 * n, seed=int(1000 * drift_sd))
    theta = theta[theta[:, MU_C] > 0.2][:n]
    return [Person(np.append(row, drift_sd), seed) for seed, row in enumerate(theta)]


def seconds(what: Callable[[], object], repeats: int = 5) -> float:
    """The least processor time of some calls."""
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        what()
        taken.append(time.process_time() - begun)
    return min(taken)


def times_the_standard(person: Person, level: int) -> float:
    """Processor time of the likelihood at many draws, divided by the standard model's."""
    theta = person.draws(N_CLOUD)
    slow = seconds(lambda: person.log_likelihood(dmc(free=["drift_sd"]), theta, level))
    return slow / seconds(lambda: person.log_likelihood(dmc(), theta[:, :-1], level))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--draws", type=int, default=32)
    options = parser.parse_args()
    print(
        "| drift_sd | level | times the standard model, median (largest) | SD over draws of the"
        " error, nats | largest mean error, nats | SD of the standard model's error |\n"
        "|---|---|---|---|---|---|"
    )
    for drift_sd in DRIFT_SDS:
        everybody = people(options.people, drift_sd)
        theta = [person.draws(options.draws) for person in everybody]
        exact = [p.mean_over_drifts(rows) for p, rows in zip(everybody, theta, strict=True)]
        for level in (0, 1):
            print_row(drift_sd, level, everybody, theta, exact)


def print_row(
    drift_sd: float,
    level: int,
    everybody: list[Person],
    theta: list[np.ndarray],
    exact: list[np.ndarray],
) -> None:
    """One line of the table."""
    cost, error, plain = [], [], []
    for person, rows, wanted in zip(everybody, theta, exact, strict=True):
        cost.append(times_the_standard(person, level))
        error.append(person.log_likelihood(dmc(free=["drift_sd"]), rows, level) - wanted)
        fine = person.log_likelihood(dmc(), rows[:, :-1], REFERENCE_LEVEL)
        plain.append(person.log_likelihood(dmc(), rows[:, :-1], level) - fine)
    spread, mean = np.std(error, axis=1), np.abs(np.mean(error, axis=1))
    print(
        f"| {drift_sd} | {level} | {np.median(cost):.1f} ({np.max(cost):.1f}) |"
        f" {np.median(spread):.4f} ({spread.max():.4f}) | {mean.max():.4f} |"
        f" {np.median(np.std(plain, axis=1)):.4f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

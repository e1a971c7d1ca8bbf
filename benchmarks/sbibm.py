"""Simulation-based inference on tasks whose posterior is known: how far are a network's draws from
reference draws?

    pip install -e ".[benchmark]"
    python benchmarks/sbibm.py [--tasks two_moons slcp …] [--budgets 10000 100000] [--observations 1
    2 …] [--seed 1] python benchmarks/sbibm.py --verify     our tasks against the benchmark's files
    python benchmarks/sbibm.py --exact      the same table with exact draws in place of a network's:
    the best that can be reached

C2ST is the accuracy of a classifier between 10,000 draws and the benchmark's 10,000 reference
draws, .5 for a perfect posterior, as a mean over observations with its standard error; NPE is the
figure that the benchmark's authors report (Lueckmann et al. 2021). Seconds are those of training,
compilation included.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sbibm_tasks import N_OBSERVATIONS, TASKS, Reference, Task, download, flat, read_reference

import incongruent as inc
from incongruent.checks.network.c2st import c2st
from incongruent.checks.network.uniformity import uniformity_p
from incongruent.simulation.simulator import Simulations

N_DRAWS = 10_000
BUDGETS = (10_000, 100_000)
N_STEPS = 20_000
"""Most steps of training; the weights that do best on simulations held out are the ones that draw.
"""
N_CALIBRATED, N_RANKED = 500, 99


Method = Callable[[Task, Simulations, int], Any]
"""``method(task, simulations, seed)`` gives something with
``sample(trials, n_draws, seed=…).theta`` of shape (observation, draw, parameter).
"""


def fit(task: Task, simulations: Simulations, seed: int) -> inc.Posterior:
    """The posterior that we train on these simulations alone."""
    return inc.train(simulations, steps=N_STEPS, seed=seed, progress=False)


class ExactDraws(NamedTuple):
    """Theta (observation, draw, parameter)."""

    theta: np.ndarray


class Exact(NamedTuple):
    """Stands in for a network: the exact posterior."""

    task: Task

    def sample(self, study: inc.Trials, n_draws: int, *, seed: int) -> ExactDraws:
        """As `Posterior.sample`."""
        rng = np.random.default_rng(seed)
        return ExactDraws(
            np.stack(
                [self.task.exact(row, n_draws, rng) for row in flat(study.values, study.columns)]
            )
        )


def exact(task: Task, simulations: Simulations, seed: int) -> Exact:
    """Nothing to train."""
    return Exact(task)


class Result(NamedTuple):
    """C2ST of each observation (observation,), and the seconds of training."""

    accuracy: np.ndarray
    seconds: float

    def __str__(self) -> str:
        error = (
            self.accuracy.std(ddof=1) / len(self.accuracy) ** 0.5
            if len(self.accuracy) > 1
            else np.nan
        )
        return f"{self.accuracy.mean():.3f} ± {error:.3f}"


def measure(
    task: Task, references: Sequence[Reference], budget: int, method: Method, seed: int
) -> Result:
    """Simulate, train, draw for every observation at once, compare with the references."""
    simulations = task.simulate(budget, seed)
    begun = time.perf_counter()
    posterior = method(task, simulations, seed)
    seconds = time.perf_counter() - begun
    draws = posterior.sample(
        task.trials(np.stack([reference.x for reference in references])), N_DRAWS, seed=seed + 1
    ).theta
    pairs = [(reference.draws, own) for reference, own in zip(references, draws, strict=True)]
    return Result(
        np.array(Parallel(n_jobs=-1)(delayed(c2st)(*pair, seed=1) for pair in pairs)), seconds
    )


class Verification(NamedTuple):
    """Do our simulator, our exact posterior and the benchmark's files belong together?

    Attributes:
        p: of uniform ranks of theta among exact draws, given our own simulations; the smallest over
            parameters times their number.
        mean: largest difference of a mean from the reference draws', in standard errors of the
            difference.
        square: the same of the mean squared distance from the reference draws' mean.
        accuracy: C2ST of exact against reference draws, (observation,).
    """

    p: float
    mean: float
    square: float
    accuracy: np.ndarray


def verify(task: Task, references: Sequence[Reference], seed: int) -> Verification:
    """Compare our task with the benchmark's."""
    rng = np.random.default_rng(seed)
    # (observation, draw, parameter)
    ours = np.stack([task.exact(reference.x, N_DRAWS, rng) for reference in references])
    theirs = np.stack([reference.draws for reference in references])
    center = theirs.mean(axis=1, keepdims=True)
    mean, square = (
        _largest_gap(ours, theirs),
        _largest_gap((ours - center) ** 2, (theirs - center) ** 2),
    )
    accuracy = np.array(
        [c2st(reference, own, seed=1) for reference, own in zip(theirs, ours, strict=True)]
    )
    return Verification(_calibration_p(task, seed), mean, square, accuracy)


def _largest_gap(a: np.ndarray, b: np.ndarray) -> float:
    """Between means over draws, a and b (observation, draw, parameter), in standard errors of the
    difference.
    """
    error = np.sqrt((a.var(axis=1) + b.var(axis=1)) / a.shape[1])
    return float((np.abs(a.mean(axis=1) - b.mean(axis=1)) / error).max())


def _calibration_p(task: Task, seed: int) -> float:
    """Of data in double precision: columns are kept in single precision, too coarse for the
    smallest spreads that occur.
    """
    model, rng = task.simulator.model, np.random.default_rng(seed)
    theta = task.simulator.prior.sample(N_CALIBRATED, seed=rng)
    values, _ = model.simulate(
        theta, {}, np.ones((N_CALIBRATED, task.simulator.design.largest), bool), rng
    )
    # (dataset, draw, parameter)
    draws = np.stack([task.exact(row, N_RANKED, rng) for row in flat(values, model.columns)])
    below = (draws < theta[:, None]).sum(axis=1)
    ranks = (below + rng.random(below.shape)) / (N_RANKED + 1)
    return min(1.0, min(uniformity_p(column) for column in ranks.T) * ranks.shape[1])


def show(rows: Sequence[object]) -> None:
    print(f"| {' | '.join(map(str, rows))} |", flush=True)


def show_header(*columns: str) -> None:
    show(columns)
    print("|" + "---|" * len(columns), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--tasks", nargs="+", choices=TASKS, default=[name for name in TASKS if "/" not in name]
    )
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    parser.add_argument(
        "--observations",
        type=int,
        nargs="+",
        choices=range(1, N_OBSERVATIONS + 1),
        default=range(1, N_OBSERVATIONS + 1),
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--wheel", type=Path, help="the benchmark's package; fetched with pip when left out"
    )
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--exact", action="store_true")
    options = parser.parse_args()
    wheel = options.wheel or download()
    tasks = [TASKS[name] for name in options.tasks]
    files = [[read_reference(wheel, task, i) for i in options.observations] for task in tasks]
    if options.verify:
        show_header(
            "task",
            "p of calibration",
            "largest gap of means, SE",
            "largest gap of squares, SE",
            "mean C2ST",
            "largest C2ST",
        )
        for task, references in zip(tasks, files, strict=True):
            found = verify(task, references, options.seed)
            show(
                [
                    task.name,
                    f"{found.p:.2f}",
                    f"{found.mean:.1f}",
                    f"{found.square:.1f}",
                    Result(found.accuracy, 0.0),
                    f"{found.accuracy.max():.3f}",
                ]
            )
        return
    show_header("task", "simulations", "C2ST", "NPE in the benchmark", "seconds of training")
    for task, references in zip(tasks, files, strict=True):
        for budget in options.budgets:
            found = measure(task, references, budget, exact if options.exact else fit, options.seed)
            show(
                [task.name, f"{budget:,}", found, task.npe.get(budget, "–"), f"{found.seconds:.0f}"]
            )


if __name__ == "__main__":
    main()

"""Simulator: speed and error, beside a compiled Euler scheme of 1 ms and a numpy noise matrix, in
one run on one core.

    python benchmarks/simulator.py [--trials 1000000] [--repeats 3]

All three have the same model and the same start distribution. The error is the largest deviation,
over the twelve cells of the exact table (forward equation), of the mean correct RT and of the share
of errors.
"""

import argparse
import math
import time

import numba
import numpy as np
from numpy.typing import NDArray

from incongruent import models
from incongruent.models.dmc import SIGMA, activation
from incongruent.models.first_passage import beta_start

# A, tau, mu_c, b: errors in % congruent, incongruent; mean correct first-passage time in ms
# congruent, incongruent
EXACT = {
    (20, 118.4, 0.57, 61): (1.818, 9.198, 78.01, 122.25),
    (20, 120, 0.57, 56): (2.211, 10.851, 69.78, 111.60),
    (20, 30, 0.5, 75): (2.049, 8.237, 127.56, 147.19),
    (40, 60, 0.4, 50): (2.852, 41.829, 48.61, 127.76),
    (10, 200, 0.8, 90): (0.523, 1.006, 102.61, 120.82),
    (0, 50, 0.3, 60): (13.975, 13.975, 149.26, 149.26),
}
Array = NDArray[np.float64]


def bridge(
    theta: tuple[float, ...], condition: int, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """The simulator of this package."""
    model = models.dmc(fixed={"mu_R": 0.0, "sd_R": 0.0})
    # one data set, as the other schemes have one drift
    given = {"condition": np.full((1, n), condition, np.int8)}
    values, answered = model.simulate(np.array([theta], float), given, np.ones((1, n), bool), rng)
    return values["rt"][answered].astype(float), values["response"][answered] == 0


@numba.njit(fastmath=True)
def _euler(rng, drift, b, sigma, start, n):
    rt, correct = np.zeros(n), np.zeros(n, np.bool_)
    last = len(start) - 1
    for i in range(n):
        place = rng.random() * last
        knot = int(place)
        x = b * (start[knot] + (place - knot) * (start[knot + 1] - start[knot]))
        for k in range(len(drift)):
            x += drift[k] + sigma * rng.standard_normal()
            if abs(x) >= b:
                rt[i], correct[i] = k + 1.0, x > 0
                break
    return rt, correct


def drift_of(theta: tuple[float, ...], condition: int, n_steps: int) -> Array:
    """Mean change within each millisecond."""
    A, tau, mu_c, _ = theta
    t = np.arange(n_steps + 1.0)
    return mu_c + (1 - 2 * condition) * np.diff(activation(t, A, tau, 2.0))


def euler(
    theta: tuple[float, ...], condition: int, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """A compiled Euler scheme of 1 ms with early exit."""
    rt, correct = _euler(
        rng, drift_of(theta, condition, 5000), float(theta[3]), SIGMA, beta_start(3.0), n
    )
    return rt[rt > 0], correct[rt > 0]


def noise_matrix(
    theta: tuple[float, ...], condition: int, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """numpy: a matrix of steps for a few thousand trials at a time, cumulated, first passage found
    by argmax.
    """
    drift, b, found = drift_of(theta, condition, 2000), theta[3], []
    for first in range(0, n, 2000):
        m = min(2000, n - first)
        start = b * (2.0 * rng.beta(3.0, 3.0, m) - 1.0)
        path = start[:, None] + np.cumsum(
            drift + SIGMA * rng.standard_normal((m, len(drift))), axis=1
        )
        crossed = np.abs(path) >= b
        hit = crossed.any(axis=1)
        step = crossed.argmax(axis=1)
        found.append((step[hit] + 1.0, path[np.arange(m), step][hit] > 0))
    return np.concatenate([rt for rt, _ in found]), np.concatenate(
        [correct for _, correct in found]
    )


def measure(simulate, n: int, repeats: int) -> dict[str, float]:
    """Microseconds a trial (median over repeats), and the largest errors over all cells."""
    cells = [(theta, condition) for theta in EXACT for condition in (0, 1)]
    simulate(cells[0][0], 0, 2000, np.random.default_rng(0))  # compile
    seconds, mean_error, share_error, noise = [], 0.0, 0.0, 0.0
    for repeat in range(repeats):
        spent = 0.0
        for i, (theta, condition) in enumerate(cells):
            begun = time.perf_counter()
            rt, correct = simulate(theta, condition, n, np.random.default_rng((1, repeat, i)))
            spent += time.perf_counter() - begun
            if repeat == 0:
                exact = EXACT[theta]
                mean_error = max(mean_error, abs(rt[correct].mean() - exact[2 + condition]))
                noise = max(noise, rt[correct].std() / math.sqrt(correct.sum()))
                share_error = max(
                    share_error, abs(100.0 * (1.0 - correct.mean()) - exact[condition])
                )
        seconds.append(spent)
    return {
        "us": 1e6 * float(np.median(seconds)) / (n * len(cells)),
        "mean": mean_error,
        "share": share_error,
        "noise": noise,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    schemes = {
        "incongruent (bridge)": (bridge, options.trials, options.repeats),
        "compiled Euler, 1 ms": (euler, options.trials, options.repeats),
        "numpy noise matrix, 1 ms": (noise_matrix, max(20_000, options.trials // 50), 1),
    }
    results = {name: measure(*arguments) for name, arguments in schemes.items()}
    ours = results["incongruent (bridge)"]["us"]
    print(
        "| scheme | µs a trial | times ours | error of mean correct RT, ms | of the share of"
        " errors, points | standard error of a mean, ms |"
    )
    print("|---|---|---|---|---|---|")
    for name, r in results.items():
        print(
            f"| {name} | {r['us']:.2f} | {r['us'] / ours:.1f} | {r['mean']:.2f} | {r['share']:.2f}"
            f" | {r['noise']:.2f} |"
        )


if __name__ == "__main__":
    main()

"""Training from scratch: quality against seconds, simulation and compilation included.

    python benchmarks/training.py [--seconds 30 60 120 300] [--seed 1]

Prior schaefer2025, trials 50 to 1000. Tested on 2000 fresh people of 500 trials (and of 100),
simulated with steps of at most 1 ms and a seed that training never sees.
"""

import argparse
import time

import numpy as np

import incongruent as inc
from incongruent.simulation.simulator import Simulations

SHARE = {"congruent": 0.5, "incongruent": 0.5}
TEST_SEED = 777


def people(n_trials: int) -> Simulations:
    """The test people."""
    exact = inc.Simulator(
        inc.models.dmc(dt=1.0), inc.priors.schaefer2025(), inc.Design(n_trials, SHARE)
    )
    return exact.simulate(2000, seed=TEST_SEED)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, nargs="+", default=[30, 60, 120, 300])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    simulator = inc.Simulator(
        inc.models.dmc(), inc.priors.schaefer2025(), inc.Design((50, 1000), SHARE)
    )
    tests = {n: people(n) for n in (500, 100)}
    columns = [
        "seconds",
        "nats, 500 trials",
        "nats, 100 trials",
        "largest NRMSE",
        "largest calibration error",
        "90 % coverage",
        "contraction",
    ]
    columns += ["steps", "simulated", "first step, s"]
    print(f"| {' | '.join(columns)} |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for seconds in options.seconds:
        begun = time.perf_counter()
        posterior = inc.train(simulator, minutes=seconds / 60.0, seed=options.seed, progress=False)
        took = time.perf_counter() - begun
        found = {n: inc.recover(posterior, test, seed=5) for n, test in tests.items()}
        table, history = found[500].table(), posterior.history
        assert history is not None
        assert history.first_step_seconds is not None
        error = np.std(found[500].gain) / np.sqrt(2000)
        last = history.evaluations[-1]
        cells = [
            f"{took:.0f}",
            f"{found[500].nats:.3f} ± {error:.3f}",
            f"{found[100].nats:.3f}",
            f"{table['nrmse'].max():.2f}",
            f"{table['calibration_error'].max():.3f}",
            f"{table['coverage_90'].mean():.3f}",
            f"{table['contraction'].mean():.2f}",
            f"{last.step}",
            f"{last.n_simulated}",
            f"{history.first_step_seconds:.1f}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

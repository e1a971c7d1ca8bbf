"""Level and power of the tests of misspecification, with the network that ships, on studies whose
truth is known.

python benchmarks/misspecification.py mmd [--references 20] [--studies 20]     level and power by
number of people python benchmarks/misspecification.py large [--studies 400]                    a
true model at M = N = 300, and two ways to make the null python benchmarks/misspecification.py
surprise [--references 20]               people outside, and too central

Every row of the first table rests on references × studies studies of N people with 60 to 200 trials
each, tested under `priors.schaefer2025`: so many studies against each of so many independent sets
of reference and fresh simulations.
"""

import argparse
import time

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.checks.kernels import median_kernel
from incongruent.checks.replicas import matched_summaries
from incongruent.checks.scope.surprise import excess

Array = np.ndarray

PEOPLE = (1, 5, 20, 60)
DIM = 6


def alternatives() -> dict[str, tuple[Array, float]]:
    """Mean and SD of the population, in SDs of the prior on the real line."""
    shifts = {
        f"{name} + 1 SD": (np.eye(DIM)[i], 1.0)
        for i, name in enumerate(inc.priors.schaefer2025().names)
    }
    return {"true": (np.zeros(DIM), 1.0), "SD × .4": (np.zeros(DIM), 0.4), **shifts}


def studies(
    posterior: inc.Posterior,
    simulator: inc.Simulator,
    layout: inc.Trials,
    n: int,
    mean: Array,
    sd: float,
    seed: int,
) -> Array:
    """Summaries (study, person, summary) of n studies of the layout; theta from a population."""
    rng = np.random.default_rng(seed)
    theta = simulator.prior.from_real(mean + sd * rng.standard_normal((n * len(layout), DIM)))
    own = inc.Simulator(simulator.model, simulator.prior, inc.design_of(layout))
    return (
        posterior.summaries(own.simulate_at(theta, seed=seed))
        .astype(float)
        .reshape(n, len(layout), -1)
    )


def mmd_table(
    posterior: inc.Posterior, simulator: inc.Simulator, n_references: int, n_studies: int
) -> None:
    print("| N | population | rejected | narrower | wider | location share |")
    print("|---|---|---|---|---|---|", flush=True)
    for n_people in PEOPLE:
        found: dict[str, list[inc.MmdTest]] = {name: [] for name in alternatives()}
        for k in range(n_references):
            layout = simulator.simulate(n_people, seed=9000 + k).trials
            reference = matched_summaries(
                posterior, layout, -(-1000 // n_people), prior=simulator.prior, seed=2 * k
            ).reshape(-1, 18)
            fresh = matched_summaries(
                posterior, layout, max(20, 2000 // n_people), prior=simulator.prior, seed=2 * k + 1
            )
            for name, (mean, sd) in alternatives().items():
                n = n_studies if name == "true" else max(n_studies // 5, 1)
                for i, observed in enumerate(
                    studies(posterior, simulator, layout, n, mean, sd, 500 + 31 * k)
                ):
                    found[name].append(
                        inc.mmd_test(observed, reference, fresh, n_null=199, seed=1000 * k + i)
                    )
        for name, tests in found.items():
            rate, p = np.mean([test.rejected for test in tests]), len(tests)
            narrower, wider = (
                np.mean([test.direction == word for test in tests])
                for word in ("narrower", "wider")
            )
            shares = [test.location_share for test in tests if test.rejected]
            share = float(np.nanmean(shares)) if np.isfinite(shares).any() else float("nan")
            print(
                f"| {n_people} | {name} ({p}) | {rate:.3f} ± {np.sqrt(rate * (1 - rate) / p):.3f} |"
                f" {narrower:.3f} | {wider:.3f} | {share:.2f} |",
                flush=True,
            )


def large_table(
    posterior: inc.Posterior, simulator: inc.Simulator, n_repeats: int, n: int = 300
) -> None:
    """Shares of true models that are rejected at M = N = 300: by resampling the reference, and by
    `mmd_test`.
    """
    layout = simulator.simulate(n, seed=1).trials
    naive, ours = [], []
    for k in range(n_repeats):
        reference, observed = (
            matched_summaries(posterior, layout, 1, prior=simulator.prior, seed=700 + 2 * k + j)[0]
            for j in (0, 1)
        )
        fresh = matched_summaries(posterior, layout, 5, prior=simulator.prior, seed=70_000 + k)
        kernel, rng = median_kernel(reference), np.random.default_rng(k)
        within = kernel(reference, reference)
        resampled = []
        for _ in range(99):
            rows = rng.integers(n, size=n)
            resampled.append(within[np.ix_(rows, rows)].mean() - 2.0 * within[rows].mean())
        value = kernel(observed, observed).mean() - 2.0 * kernel(observed, reference).mean()
        naive.append((1 + np.sum(np.array(resampled) >= value)) / 100 <= 0.05)
        ours.append(inc.mmd_test(observed, reference, fresh, n_null=99, seed=k).rejected)
        if (k + 1) % 50 == 0:
            print(
                f"{k + 1} studies: resampling the reference rejects {np.mean(naive):.3f}, mmd_test"
                f" {np.mean(ours):.3f} (level .05)",
                flush=True,
            )


def surprise_table(posterior: inc.Posterior, n_repeats: int) -> None:
    """400 people a repetition, as 20 studies of 20."""
    print(
        "| population | people with p ≤ .05 | studies with someone outside | too central | too"
        " extreme |"
    )
    print("|---|---|---|---|---|")
    for name, sd in (("true", 1.0), ("SD × .4", 0.4)):
        p, depth = [], []
        for k in range(n_repeats):
            simulator = inc.Simulator(
                inc.models.dmc(),
                inc.priors.schaefer2025(),
                inc.Design(120, {"congruent": 0.5, "incongruent": 0.5}),
            )
            theta = simulator.prior.from_real(
                sd * np.random.default_rng(k).standard_normal((400, DIM))
            )
            found = inc.surprise(
                posterior,
                simulator.simulate_at(theta, seed=k),
                prior=simulator.prior,
                n_simulated=8000,
                seed=k,
            )
            p.append(found.p_value.reshape(20, 20))
            depth.append(found.depth.reshape(20, 20))
        studies_p, studies_depth = np.concatenate(p), np.concatenate(depth)
        someone = np.mean([(stats.false_discovery_control(row) <= 0.05).any() for row in studies_p])
        central, extreme = (
            np.mean([excess(row, 0)[side] <= 0.05 for row in studies_depth]) for side in (0, 1)
        )
        print(
            f"| {name} ({len(studies_p)}) | {np.mean(studies_p <= 0.05):.3f} | {someone:.3f} |"
            f" {central:.3f} | {extreme:.3f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["mmd", "large", "surprise"])
    parser.add_argument("--references", type=int, default=20)
    parser.add_argument("--studies", type=int)
    options = parser.parse_args()
    begun, posterior = time.perf_counter(), inc.pretrained("dmc")
    simulator = inc.Simulator(
        inc.models.dmc(),
        inc.priors.schaefer2025(),
        inc.Design((60, 200), {"congruent": 0.5, "incongruent": 0.5}),
    )
    if options.what == "mmd":
        mmd_table(posterior, simulator, options.references, options.studies or 20)
    elif options.what == "large":
        large_table(posterior, simulator, options.studies or 400)
    else:
        surprise_table(posterior, options.references)
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()

"""Inference: 1000 people × 1000 draws with the network that ships, beside one person at a time.

python benchmarks/inference.py [--repeats 3]
"""

import argparse
import time

import numpy as np

import incongruent as inc


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    posterior = inc.pretrained("dmc")
    study = posterior.simulator.simulate(1000, seed=3).trials
    other = posterior.simulator.simulate(1000, seed=4).trials
    begun = time.perf_counter()
    posterior.sample(study, 1000, seed=1)
    first = time.perf_counter() - begun
    seconds = []
    for repeat in range(options.repeats):
        begun = time.perf_counter()
        posterior.sample(other, 1000, seed=repeat)
        seconds.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    for person in range(50):
        posterior.sample(other.select([person]), 1000, seed=1)
    alone = 20.0 * (time.perf_counter() - begun)
    together = float(np.median(seconds))
    print(f"trials a person: {study.n_trials.min()}–{study.n_trials.max()}")
    print("| 1000 people × 1000 draws | seconds | times ours |")
    print("|---|---|---|")
    print(f"| first call, compilation included | {first:.1f} | {first / together:.1f} |")
    print(
        f"| later calls, other people | {together:.2f} ({min(seconds):.2f}–{max(seconds):.2f})"
        " | 1 |"
    )
    print(f"| one person a call | {alone:.1f} | {alone / together:.1f} |")


if __name__ == "__main__":
    main()

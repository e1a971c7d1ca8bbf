"""Training from a bank: what it costs in quality against simulating while learning, and in memory
as the bank grows.

    python benchmarks/offline.py quality [--seconds 60] [--datasets 20000] [--seeds 1 2 3] [--folder
    FOLDER] python benchmarks/offline.py memory [--datasets 10000 100000 1000000] [--seconds 30]
    [--folder FOLDER]

Quality: prior schaefer2025, 50 to 1000 trials while simulating, 1000 trials in every data set of
the bank, of which training draws runs. Both have the same seconds of the clock, compilation
included and writing the bank not. Tested as `training.py` does. Memory: data sets of 20 to 40
trials; writing and training each run in a process of their own, whose peak of resident memory is
shown.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from training import SHARE, people

import incongruent as inc

SMALL_BUFFER = 20_000_000
"""Bytes for recent simulations, so that all but the smallest bank are read from the disk while the
network learns.
"""


def dmc(sizes: int | tuple[int, int]) -> inc.Simulator:
    return inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(sizes, SHARE))


def quality(options: argparse.Namespace, folder: Path) -> None:
    """A row for each seed and way."""
    tests = {n: people(n) for n in (500, 100)}
    begun = time.perf_counter()
    bank = inc.write_bank(folder / "bank", dmc((50, 1000)), options.datasets[0], seed=99)
    print(f"{len(bank)} data sets written in {time.perf_counter() - begun:.0f} s\n")
    print(
        "| seed | from | seconds | nats, 500 trials | nats, 100 trials | steps | data sets |"
        " stopped |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for seed in options.seeds:
        found = {}
        for name, source in (("simulator", dmc((50, 1000))), ("bank", bank)):
            begun = time.perf_counter()
            posterior = inc.train(source, minutes=options.seconds / 60.0, seed=seed, progress=False)
            seconds, history = time.perf_counter() - begun, posterior.history
            assert history is not None
            # (dataset,) nats
            found[name] = {
                n: inc.recover(posterior, test, seed=5).gain for n, test in tests.items()
            }
            nats = [f"{found[name][n].mean():.3f}" for n in tests]
            cells = [
                seed,
                name,
                f"{seconds:.0f}",
                *nats,
                history.evaluations[-1].step,
                history.n_stored or history.evaluations[-1].n_simulated,
            ]
            print(
                f"| {' | '.join(map(str, cells))} |"
                f" {history.stopped.value if history.stopped else ''} |",
                flush=True,
            )
        for n in tests:
            less = found["simulator"][n] - found["bank"][n]
            print(
                f"seed {seed}, {n} trials: the bank is {less.mean():.3f} ±"
                f" {less.std() / np.sqrt(len(less)):.3f} nats behind",
                flush=True,
            )


def memory(options: argparse.Namespace, folder: Path) -> None:
    """A row for each size."""
    print(
        "| data sets | written, s | peak of writing, MiB | trained, s | peak of training, MiB |"
        " steps | nats |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    for n in options.datasets:
        path = folder / f"bank{n}"
        written, trained = (_alone(task, path, n, options.seconds) for task in ("write", "train"))
        cells = [
            f"{n:,}",
            f"{written['seconds']:.0f}",
            written["peak"],
            f"{trained['seconds']:.0f}",
            trained["peak"],
            trained["steps"],
        ]
        print(f"| {' | '.join(map(str, cells))} | {trained['nats']:.3f} |", flush=True)


def _alone(task: str, path: Path, n: int, seconds: float) -> dict[str, float]:
    """What a process of its own reports."""
    command = [
        sys.executable,
        __file__,
        task,
        "--datasets",
        str(n),
        "--folder",
        str(path),
        "--seconds",
        str(seconds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def alone(options: argparse.Namespace) -> None:
    """Write a bank or train from it, and say how it went as JSON."""
    begun, found = time.perf_counter(), {}
    if options.task == "write":
        inc.write_bank(options.folder, dmc((20, 40)), options.datasets[0], seed=99)
    else:
        bank = inc.open_bank(options.folder)
        posterior = inc.train(
            bank,
            minutes=options.seconds / 60.0,
            seed=1,
            recipe=inc.Recipe(buffer_bytes=SMALL_BUFFER),
            progress=False,
        )
        assert posterior.history is not None
        found = {"steps": posterior.history.evaluations[-1].step, "nats": posterior.history.nats}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": time.perf_counter() - begun, "peak": peak, **found}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["quality", "memory", "write", "train"])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--datasets", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--folder", type=Path, help="where banks go; a temporary folder when left out"
    )
    options = parser.parse_args()
    if options.task in ("write", "train"):
        alone(options)
        return
    options.seconds = options.seconds or {"quality": 60.0, "memory": 30.0}[options.task]
    options.datasets = (
        options.datasets
        or {"quality": [20_000], "memory": [10_000, 100_000, 1_000_000]}[options.task]
    )
    with tempfile.TemporaryDirectory() as temporary:
        {"quality": quality, "memory": memory}[options.task](
            options, options.folder or Path(temporary)
        )


if __name__ == "__main__":
    main()

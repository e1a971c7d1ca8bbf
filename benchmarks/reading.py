"""How long a large file of trials takes to read, beside pandas.read_csv on the same file in the
same run.

Run: python benchmarks/reading.py [ROWS …]

Seconds of the clock and of the processor, the least of five runs; the ratio is that of processor
seconds, since on a machine that does other work the clock says little.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import incongruent as inc
from incongruent.data.files.tables import read_table

REPEATS = 5


def main(sizes: list[int]) -> None:
    print(
        "| rows | form | reader | clock, s | processor, s | times pandas.read_csv"
        " |\n|---|---|---|---|---|---|"
    )
    for rows in sizes:
        frame = study(rows)
        with tempfile.TemporaryDirectory() as folder:
            for form, write in FORMS.items():
                path = Path(folder) / "trials.csv"
                write(frame, path)
                separator = ";" if "semicolon" in form else ","
                readers: dict[str, Callable[[], object]] = {
                    "pandas.read_csv": lambda path=path, separator=separator: pd.read_csv(
                        path, sep=separator
                    ),
                    "read_table": lambda path=path: read_table(path),
                    "read_trials": lambda path=path: inc.read_trials(path),
                }
                found = dict(zip(readers, _timed(list(readers.values())), strict=True))
                for name, (clock, processor) in found.items():
                    times = processor / found["pandas.read_csv"][1]
                    print(
                        f"| {rows:,} | {form} | {name} | {clock:.2f} | {processor:.2f} |"
                        f" {times:.1f} |"
                    )


FORMS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "comma": lambda frame, path: frame.to_csv(path, index=False),
    "semicolon, all quoted": lambda frame, path: frame.to_csv(
        path, index=False, sep=";", quoting=1
    ),
}


def study(rows: int) -> pd.DataFrame:
    """Trials of a thousand each: person, condition, RT, accuracy and five further columns."""
    rng = np.random.default_rng(1)
    person, trial = np.divmod(np.arange(rows), 1000)
    condition = np.where(trial % 2 == 0, "congruent", "incongruent")
    return pd.DataFrame(
        {
            "subject": person + 1,
            "condition": condition,
            "rt": np.round(rng.gamma(20, 20, rows) + 150 + 40 * (trial % 2), 2),
            "accuracy": (rng.random(rows) > 0.1) + 0,
            "block": trial // 100,
            "trial": trial,
            "stimulus": rng.choice(["<<<<<", ">>>>>", "<<><<"], rows),
            "response": rng.choice(["left", "right"], rows),
            "age": rng.integers(18, 40, rows // 1000 + 1)[person],
        }
    )


def _timed(readers: list[Callable[[], object]]) -> list[tuple[float, float]]:
    """The least seconds of the clock and of the processor for each reader, which take turns."""
    took: list[list[tuple[float, float]]] = [[] for _ in readers]
    for _ in range(REPEATS):
        for read, mine in zip(readers, took, strict=True):
            clock, processor = time.perf_counter(), time.process_time()
            read()
            mine.append((time.perf_counter() - clock, time.process_time() - processor))
    return [(min(c for c, _ in mine), min(p for _, p in mine)) for mine in took]


if __name__ == "__main__":
    main([int(rows) for rows in sys.argv[1:]] or [400_000])

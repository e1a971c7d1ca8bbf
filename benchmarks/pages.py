"""How long a report takes and how large it is, and how long the explorer's curves take, beside the
obvious alternatives.

Run: python benchmarks/pages.py [PEOPLE …]

The report draws single people in the browser from numbers; the alternative is a matplotlib picture
of each person. The explorer's curves come from the exact likelihood; the alternative is to simulate
so many trials that a density is as smooth to the eye.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import incongruent as inc
from incongruent.models.implied import curves
from incongruent.plots import pairs_figure, predictive_figure, save_figure

DESIGN = inc.Design(200, {"congruent": 0.5, "incongruent": 0.5})
TYPICAL = np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0])
DRAWN = 5
"""People of whom pictures are drawn, to be scaled up."""


def main(people: list[int]) -> None:
    posterior = inc.pretrained("dmc")
    print(
        "| people | report, s | report, MB | pictures of everybody, s | pictures, MB"
        " |\n|---|---|---|---|---|"
    )
    for n in people:
        study = (
            inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), DESIGN)
            .simulate(n, seed=1)
            .trials
        )
        fit = inc.fit(posterior, study, adapt=False, seed=1)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.html"
            inc.write_report(path, posterior=posterior, fit=fit)  # fonts and templates are loaded
            seconds = _timed(
                lambda path=path, fit=fit: inc.write_report(path, posterior=posterior, fit=fit)
            )
            drawn = _timed(lambda folder=folder, fit=fit: _pictures(fit, Path(folder)))
            size = sum(file.stat().st_size for file in Path(folder).glob("*.svg"))
            page = path.stat().st_size
        scale = n / DRAWN
        print(
            f"| {n} | {seconds:.1f} | {page / 1e6:.1f} | {drawn * scale:.0f} |"
            f" {size * scale / 1e6:.1f} |"
        )
    model = inc.models.dmc()
    curves(model, TYPICAL)
    moves = [
        _timed(lambda mu_c=mu_c: curves(model, np.r_[TYPICAL[:2], mu_c, TYPICAL[3:]]))
        for mu_c in np.linspace(0.3, 0.9, 50)
    ]
    simulator = inc.Simulator(model, inc.priors.schaefer2025(), inc.Design(200_000, DESIGN.share))
    simulator.simulate_at(TYPICAL[None], seed=1)
    simulated = [
        _timed(lambda seed=seed: simulator.simulate_at(TYPICAL[None], seed=seed))
        for seed in range(5)
    ]
    exact, by_trials = (f"{1e3 * np.median(seconds):.0f} ms" for seconds in (moves, simulated))
    print(
        f"\nCurves of one parameter value: {exact} (median of 50); 200,000 simulated trials:"
        f" {by_trials}."
    )


def _pictures(fit: inc.Fit, folder: Path) -> None:
    for k in range(DRAWN):
        save_figure(predictive_figure(fit.prediction, k), folder / f"predictive_{k}.svg")
        save_figure(pairs_figure(fit.draws, k), folder / f"pairs_{k}.svg")


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [30, 150])

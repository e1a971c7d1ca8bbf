"""Simulators from the words of the command line, and what they write."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import typer

from incongruent.cli.parts import plain, prior_said, range_of, usable
from incongruent.cli.tables import write_csv
from incongruent.models import dmc
from incongruent.posterior.progress import counting_bar, screen
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulations, Simulator
from incongruent.storage.bank.bank import write_bank


def dmc_simulator(prior: str, design: Design) -> Simulator:
    """The Diffusion Model for Conflict tasks under a prior in words, which the model must allow."""
    model = dmc()
    return usable(lambda: Simulator(model, prior_said(prior, model.parameters), design))


def design_said(trials: str, congruent: str, deadline: float | None) -> Design:
    """The design in words: each a number or from-to.

    Args:
        trials: of a person.
        congruent: share of these.
        deadline: in ms.
    """
    low, high = range_of("--congruent", congruent, float, "0.4-0.6")
    if high > 1.0:
        raise typer.BadParameter(
            f"Expected --congruent within 0 and 1, such as 0.5 or 0.4-0.6; got {congruent!r}."
        )
    fewest, most = range_of("--trials", trials, int, "50-1000")
    share = {"congruent": (low, high), "incongruent": (1.0 - high, 1.0 - low)}
    return usable(lambda: Design((int(fewest), int(most)), share, deadline=deadline))


def study_design_said(trials: str, congruent: str, deadline: float | None) -> Design:
    """The design of one study: single numbers, and every reaction time is kept."""
    _check_is_one("--trials", trials)
    _check_is_one("--congruent", congruent)
    return replace(design_said(trials, congruent, deadline), window=None)


def with_window(design: Design, window: str) -> Design:
    """The design with the shortest and the longest reaction time that are kept, or "none"."""
    kept = None if window == "none" else range_of("--window", window, float, "150-2500")
    return usable(lambda: replace(design, window=kept))


def _check_is_one(option: str, text: str) -> None:
    """Refuse a range."""
    if re.search(r"\d\s*[-–]", text):
        raise typer.BadParameter(
            f"Expected one number for {option} with --out; got {text!r}. Ranges are for --bank."
        )


def simulate_bank(
    folder: Path, simulator: Simulator, n_datasets: int, *, seed: int, workers: int | None
) -> None:
    """Write a bank beside a bar, and say what it holds."""
    with counting_bar("chunks of 256 data sets") as progress:
        bank = write_bank(
            folder, simulator, n_datasets, seed=seed, workers=workers, progress=progress
        )
    screen.print(plain(str(bank)))


def write_study(simulations: Simulations, out: Path, truth: Path | None) -> None:
    """Write the trials of simulated people, and their parameters where a place is given."""
    frame = simulations.trials.to_frame()
    write_csv(_trials_table(frame), out)
    screen.print(f"{len(frame)} trials of {len(simulations)} people in {plain(str(out))}")
    if truth is not None:
        write_csv(_truth_table(simulations), truth)
        screen.print(f"their parameters in {plain(str(truth))}")


def _trials_table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per trial, with the accuracy as 1 or 0, and nothing where no answer came."""
    correct = pd.Series((frame["response"] == "correct").to_numpy(int), dtype="Int64")
    return pd.DataFrame(
        {
            "participant": frame["participant"],
            "condition": frame["condition"],
            "rt_ms": frame["rt"].round(2),
            "accuracy": correct.mask(frame["response"].isna()),
        }
    )


def _truth_table(simulations: Simulations) -> pd.DataFrame:
    """One row per person."""
    parameters = pd.DataFrame(simulations.theta, columns=list(simulations.parameter_names))
    parameters.insert(0, "participant", list(simulations.trials.names))
    return parameters

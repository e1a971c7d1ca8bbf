"""``incongruent simulate``: a study with known parameters, or a bank to train with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incongruent.cli.options import PRIOR_HELP, Deadline, Seed
from incongruent.cli.parts import file_for


def simulate(
    out: Annotated[
        Path | None,
        typer.Option(
            help="CSV for the trials of a study: participant, condition, rt_ms, accuracy."
        ),
    ] = None,
    bank: Annotated[
        Path | None,
        typer.Option(
            help="Folder for simulations to train with; goes on with what is there already."
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="CSV for the parameters of each participant; with --out.")
    ] = None,
    people: Annotated[
        int, typer.Option(min=1, help="How many people; with more than before a bank is extended.")
    ] = 30,
    trials: Annotated[
        str, typer.Option(help="Trials of each; with --bank also from-to, such as 50-1000.")
    ] = "200",
    congruent: Annotated[
        str, typer.Option(help="Share of congruent trials; with --bank also from-to.")
    ] = "0.5",
    prior: Annotated[
        str, typer.Option(help=f"Where people's parameters come from: {PRIOR_HELP}.")
    ] = "schaefer2025",
    deadline: Deadline = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; one for each core when left out.")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Simulate a study whose parameters are known, or a bank of simulations to train with."""
    from incongruent.cli import simulating as work

    _check_places(out, bank, truth)
    if bank is not None:
        design = work.design_said(trials, congruent, deadline)
        simulator = work.dmc_simulator(prior, design)
        work.simulate_bank(bank, simulator, people, seed=seed, workers=workers)
    elif out is not None:
        for path in (out, truth):
            if path is not None:
                file_for(path)
        simulator = work.dmc_simulator(prior, work.study_design_said(trials, congruent, deadline))
        work.write_study(simulator.simulate(people, seed=seed, workers=workers), out, truth)


def _check_places(out: Path | None, bank: Path | None, truth: Path | None) -> None:
    """Refuse options that say nothing, or two things, of where the simulations go."""
    if (out is None) == (bank is None):
        raise typer.BadParameter(
            "Expected --out for one study or --bank for a folder of simulations; got"
            f" {'neither' if out is None else 'both'}."
        )
    if bank is not None and truth is not None:
        raise typer.BadParameter("Expected --truth with --out; a bank holds the parameters itself.")

"""``incongruent train``: a network for a prior and a design, or for a bank."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from incongruent.cli.options import PRIOR_HELP, Deadline, Seed, Window
from incongruent.cli.parts import file_for


class Lapses(StrEnum):
    """What a network is to make of answers at random."""

    NONE = "none"
    MARGINAL = "marginal"
    ESTIMATED = "estimated"


def train(
    out: Annotated[Path, typer.Option(help="File for the network.")],
    prior: Annotated[
        str | None,
        typer.Option(
            help=f"Prior of the model's parameters: {PRIOR_HELP}; schaefer2025 when left out."
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Budget in minutes; 5 when neither minutes nor steps are given."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Budget in steps instead: same seed, same network.")
    ] = None,
    trials: Annotated[
        str | None, typer.Option(help="Numbers of trials a person, from-to; 50-1000 when left out.")
    ] = None,
    congruent: Annotated[
        str | None,
        typer.Option(help="Share of congruent trials, one number or from-to; 0.5 when left out."),
    ] = None,
    bank: Annotated[
        Path | None,
        typer.Option(
            help="Learn from a bank, whose prior and design count, instead of simulating."
        ),
    ] = None,
    deadline: Deadline = None,
    window: Window = None,
    lapses: Annotated[
        Lapses,
        typer.Option(
            help="Simulate answers at random too; their rate is integrated out, or a parameter."
        ),
    ] = Lapses.NONE,
    mmd: Annotated[
        float, typer.Option(min=0.0, help="Weight of the MMD term on the summaries.")
    ] = 0.0,
    seed: Seed = 1,
) -> None:
    """Train a network for a prior and a design.

    An interrupted run goes on when the same command is given again.
    """
    from incongruent.cli import training as work
    from incongruent.storage.bank.bank import open_bank

    said = (prior, trials, congruent, deadline, window)
    _check_options(bank, said, lapses, minutes=minutes, steps=steps)
    file_for(out)
    source = open_bank(bank) if bank else work.simulator_said(*said, lapses.value)
    posterior = work.train(source, out, minutes=minutes, steps=steps, mmd=mmd, seed=seed)
    work.measure(posterior, out, seed=seed)


def _check_options(
    bank: Path | None,
    said: tuple[object, ...],
    lapses: Lapses,
    *,
    minutes: float | None,
    steps: int | None,
) -> None:
    """Refuse options that exclude each other: a simulator beside a bank, and two budgets.

    Args:
        bank: the folder of one.
        said: of the simulator; None where nothing was said.
        lapses: of the simulator as well.
        minutes: budget.
        steps: budget.
    """
    has_simulator = lapses is not Lapses.NONE or any(value is not None for value in said)
    if bank is not None and has_simulator:
        raise typer.BadParameter(
            "Expected --bank or --prior, --trials, --congruent, --deadline, --window and --lapses;"
            " got both. A bank has its own model, prior and design."
        )
    if minutes is not None and steps is not None:
        raise typer.BadParameter("Expected --minutes or --steps; got both.")

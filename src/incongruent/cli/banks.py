"""``incongruent bank``: simulations in a folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from incongruent.cli.options import Seed
from incongruent.cli.parts import help_of, plain
from incongruent.posterior.progress import screen

if TYPE_CHECKING:
    from incongruent.simulation.simulator import Simulator

bank_app = typer.Typer(
    no_args_is_help=True, help="Folders of simulations, which `simulate --bank` writes."
)

Folder = Annotated[Path, typer.Argument(help="Folder of the bank.")]


def info(folder: Folder) -> None:
    """What a bank holds, and what made it."""
    from incongruent.storage.bank.bank import open_bank

    bank = open_bank(folder)
    screen.print(plain(str(bank)))
    _show_simulator(bank.simulator)
    for seed, n in Counter(origin.seed for origin in bank.origins or ()).items():
        screen.print(f"chunks  {n} of seed {seed}")


def _show_simulator(simulator: Simulator) -> None:
    model = simulator.model
    screen.print(f"model   {model.name}, {plain(str(dict(model.settings)))}")
    screen.print(f"prior   {plain(repr(simulator.prior))}")
    screen.print(f"design  {plain(str(simulator.design))}")


def verify(
    folder: Folder,
    resimulate: Annotated[
        int, typer.Option(min=0, help="Chunks to simulate again, chosen by chance.")
    ] = 1,
    seed: Seed = 1,
) -> None:
    """Read every chunk of a bank, compare its checksum, and simulate some again.

    Exit code 1 when one is damaged or comes out otherwise.
    """
    from incongruent.storage.atomic import FileError
    from incongruent.storage.bank.bank import open_bank
    from incongruent.storage.bank.upkeep import verify as verify_bank

    found = verify_bank(open_bank(folder), resimulate=resimulate, seed=seed)
    if not found.sound:
        raise FileError(str(found))
    screen.print(plain(str(found)))


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders of banks of the same simulator.")],
    out: Annotated[Path, typer.Option(help="Folder for the new bank; must not be there.")],
) -> None:
    """One bank of several: of one seed its chunks, of several seeds one after the other."""
    from incongruent.storage.bank.upkeep import merge_banks

    screen.print(plain(str(merge_banks(folders, out))))


for command in (info, verify, merge):
    bank_app.command(help=help_of(command))(command)

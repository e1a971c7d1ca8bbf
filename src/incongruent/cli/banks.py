"""The commands of the command line for banks: simulations in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incongruent.cli.parts import Seed, plain
from incongruent.posterior.progress import counting_bar, screen
from incongruent.simulation.simulator import Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.bank import open_bank, write_bank
from incongruent.storage.bank.upkeep import merge_banks
from incongruent.storage.bank.upkeep import verify as verify_bank

bank_app = typer.Typer(
    no_args_is_help=True, help="Folders of simulations, which `simulate --bank` writes."
)

Folder = Annotated[Path, typer.Argument(help="Folder of the bank.")]


def simulate_into(
    folder: Path, simulator: Simulator, n_datasets: int, *, seed: int, workers: int | None
) -> None:
    """Write a bank beside a bar, and say what it holds."""
    with counting_bar("chunks of 256 data sets") as progress:
        bank = write_bank(
            folder, simulator, n_datasets, seed=seed, workers=workers, progress=progress
        )
    screen.print(plain(str(bank)))


@bank_app.command()
def info(folder: Folder) -> None:
    """What a bank holds, and what made it."""
    bank = open_bank(folder)
    screen.print(plain(str(bank)))
    screen.print(
        f"model   {bank.simulator.model.name}, {plain(str(dict(bank.simulator.model.settings)))}"
    )
    screen.print(f"prior   {plain(repr(bank.simulator.prior))}")
    screen.print(f"design  {plain(str(bank.simulator.design))}")
    for seed in dict.fromkeys(origin.seed for origin in bank.origins or ()):
        n = sum(origin.seed == seed for origin in bank.origins or ())
        screen.print(f"chunks  {n} of seed {seed}")


@bank_app.command()
def verify(
    folder: Folder,
    resimulate: Annotated[
        int, typer.Option(min=0, help="Chunks to simulate again, chosen by chance.")
    ] = 1,
    seed: Seed = 1,
) -> None:
    """Read every chunk of a bank, compare its checksum, and simulate some again. Exit code 1 when
    one is damaged or comes out otherwise.
    """
    found = verify_bank(open_bank(folder), resimulate=resimulate, seed=seed)
    if not found.sound:
        raise FileError(str(found))
    screen.print(plain(str(found)))


@bank_app.command()
def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders of banks of the same simulator.")],
    out: Annotated[Path, typer.Option(help="Folder for the new bank; must not be there.")],
) -> None:
    """One bank of several: of one seed its chunks, of several seeds one after the other."""
    screen.print(plain(str(merge_banks(folders, out))))

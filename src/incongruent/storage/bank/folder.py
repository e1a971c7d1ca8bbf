"""The folder of a bank: how it is made, and how many data sets it is meant to hold."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from incongruent.simulation.simulator import Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.card import CARD, read_card, refuse_others, write_card
from incongruent.storage.bank.layout import MARKERS, create_arrays, layout_of

SIZES = "sizes"
"""The folder with one file for each size that the bank was ever meant to have; the largest counts,
so that a call for fewer data sets does not make it smaller.
"""


def size_of(folder: Path) -> int:
    """How many data sets a bank is meant to hold, as its folder says now."""
    names = os.listdir(folder / SIZES)
    return max((int(name) for name in names if name.isdecimal()), default=0)


def set_size(folder: Path, n_datasets: int) -> None:
    """Let a bank hold at least so many data sets."""
    (folder / SIZES / str(n_datasets)).touch()


def make_folder(folder: Path, simulator: Simulator, card: Mapping[str, Any], n_chunks: int) -> None:
    """Make the folder with its arrays, and its card last; a card that is there must be the same."""
    if (folder / CARD).exists():
        _refuse_other_bank(folder, card)
    elif folder.is_dir():
        _refuse_other_files(folder, simulator)
    (folder / SIZES).mkdir(parents=True, exist_ok=True)
    create_arrays(folder, simulator, n_chunks)
    if not (folder / CARD).exists():
        write_card(folder, card)
        refuse_others(read_card(folder), card, folder)


def _refuse_other_bank(folder: Path, card: Mapping[str, Any]) -> None:
    """Refuse a folder that holds a bank of several seeds, or of another simulator or seed."""
    stored = read_card(folder)
    if stored["origins"] is not None:
        raise FileError(
            f"Expected a bank of one seed; {folder} was merged from several. Extend the banks"
            " it was made of, and merge them again."
        )
    refuse_others(stored, card, folder)


def _refuse_other_files(folder: Path, simulator: Simulator) -> None:
    """Refuse a folder with files that no interrupted making of a bank leaves there."""
    known = {"zarr.json", MARKERS, SIZES, CARD, *layout_of(simulator)}
    names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    if any(name not in known for name in names):
        raise FileError(
            f"Expected a bank or an empty folder; {folder} holds something else. Choose another"
            " folder."
        )

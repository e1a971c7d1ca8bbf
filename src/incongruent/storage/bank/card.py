"""Cards of banks: the file that makes a folder a bank, and says what made its simulations."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from incongruent.data.basics.plain import json_text
from incongruent.simulation.simulator import Simulator
from incongruent.storage.atomic import FileError, write_atomically
from incongruent.storage.cards import differences, simulator_to_json
from incongruent.storage.weights import digest

KIND, VERSION = "incongruent bank", 1
CARD = "bank.json"


def simulator_card(simulator: Simulator) -> dict[str, Any]:
    """What a card says about a simulator, as it comes back from a file."""
    return json.loads(json_text(simulator_to_json(simulator)))


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write the file that makes a folder a bank."""
    text = json_text(card)
    stored = {"kind": KIND, "version": VERSION, "sha256": digest({}, text), "card": text}
    write_atomically(folder / CARD, json.dumps(stored, indent=1).encode())


def read_card(folder: Path) -> dict[str, Any]:
    """Read the card of a bank: simulator, seed and origins.

    Raises:
        FileError: when it is absent, foreign, damaged or of an unknown version.
    """
    stored = _stored(folder)
    if not isinstance(stored, dict) or stored.get("kind") != KIND:
        raise FileError(f"Expected the card of a bank in {folder / CARD}; got something else.")
    if stored.get("version") != VERSION:
        raise FileError(
            f"Expected banks of version {VERSION}; {folder} has version {stored.get('version')}."
            " Use the release that wrote it."
        )
    if digest({}, str(stored.get("card"))) != stored.get("sha256"):
        raise FileError(
            f"Expected the card {folder / CARD} as it was written; its checksum differs, so it is"
            " damaged. Copy or make it again."
        )
    return json.loads(stored["card"])


def _stored(folder: Path) -> Any:
    """What the file of the card holds."""
    if not folder.is_dir():
        raise FileError(
            f"Expected a bank at {folder}; there is {'a file' if folder.exists() else 'none'}."
        )
    try:
        return json.loads((folder / CARD).read_bytes())
    except FileNotFoundError as error:
        raise FileError(
            f"Expected a bank at {folder}; the folder has no {CARD}, so it is something else, or"
            " was never completed."
        ) from error
    except ValueError as error:
        raise FileError(
            f"Expected the card of a bank in {folder / CARD}; it is damaged ({error}). Copy or make"
            " it again."
        ) from error


def refuse_others(
    stored: Mapping[str, Any], card: Mapping[str, Any], path: str | os.PathLike[str]
) -> None:
    """Refuse a card that differs from the one stored in a bank.

    Raises:
        FileError: with the first differences.
    """
    found = differences(stored, card)
    if found:
        raise FileError(
            f"Expected the simulator and the seed of the bank {path}; got {'; '.join(found[:5])}."
            " Choose another folder for these."
        )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn errors of the operating system into one that says which folder cannot be written to."""
    try:
        yield
    except OSError as error:
        raise FileError(
            f"Expected a folder that can be written to at {folder}; got: {error}. Choose another,"
            " or make room in it."
        ) from error

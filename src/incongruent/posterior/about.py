"""What a saved network says of itself: for what it was trained, how, and how good it is.

This is read from the card of its file. The network itself is not built, so that jax is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from incongruent.posterior.history import History, stored_history
from incongruent.simulation.simulator import Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.cards import simulator_from_json
from incongruent.storage.weights import load_arrays

KIND = "saved posterior"
VERSION = 3
"""Of the files that are written now."""


@dataclass(frozen=True, eq=False)
class About:
    """What a saved network says of itself.

    Attributes:
        simulator: the model, prior and design that it was trained for.
        history: how training went; None when it was not stored.
        notes: what else is stored, such as versions, devices and the measured quality.
    """

    simulator: Simulator
    history: History | None
    notes: Mapping[str, Any]


def load_about(path: str | os.PathLike[str]) -> About:
    """What the network in a file says of itself.

    Raises:
        FileError: when the file is absent, damaged, foreign or of an unknown version.
    """
    _, card = load_arrays(path, kind=KIND, version=VERSION, older={2: _same})
    with complete(path):
        history = stored_history(card["history"])
        return About(simulator_from_json(card), history, card["notes"])


def _same(arrays: dict[str, Any], card: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is read here stands in files of version 2 as it does now."""
    return arrays, card


@contextmanager
def complete(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say in words that a card lacks something, or holds what this release does not know.

    Raises:
        FileError: when what is done within fails.
    """
    try:
        yield
    except FileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"Expected a complete card in {path}; got one that this release cannot read ({error})."
        ) from error

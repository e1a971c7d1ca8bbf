"""What the commands of the command line share: where they write, and how they read numbers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import pandas as pd
import typer
from rich.console import Console

from incongruent import priors
from incongruent.storage import write_whole

T = TypeVar("T")

screen, errors = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)

Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]


def prior_named(name: str) -> priors.Prior:
    """One of the priors that ship; any other name is bad usage."""
    return usable(lambda: priors.named_prior(name))


def usable(make: Callable[[], T]) -> T:
    """What ``make`` returns; a value that it refuses is bad usage."""
    try:
        return make()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def range_of(text: str, kind: Callable[[str], T]) -> tuple[T, T]:
    """(low, high) from "50-1000" or "50"."""
    try:
        numbers = [kind(part) for part in text.split("-")]
        return numbers[0], numbers[-1]
    except ValueError as error:
        raise typer.BadParameter(f"Expected a number or from-to, such as 50-1000; got {text!r}.") from error


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """A table as CSV, whole or absent."""
    write_whole(path, frame.to_csv(index=False).encode())


def called() -> str:
    """The command as it was given, so that it can be given again."""
    return shlex.join(["incongruent", *(argument for argument in sys.argv[1:] if argument != "--debug")])


def plain(text: str) -> str:
    """Text from outside, with nothing in it that the screen would take for markup."""
    return text.replace("[", "\\[")

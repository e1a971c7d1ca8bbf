"""What the commands of the command line share: where they write, and how they read numbers."""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import pandas as pd
import typer

from incongruent.data.basics.csvs import as_csv
from incongruent.models import Parameter
from incongruent.priors.independent import Prior
from incongruent.priors.published import NAMED
from incongruent.priors.text import prior_named_or_said
from incongruent.storage.atomic import ready_for_file, ready_for_files, write_atomically

T = TypeVar("T")

Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]


PRIOR_HELP = (
    f"{', '.join(NAMED)}, a file, or an expression such as 'A=gamma(4, scale=5), tau=uniform(20,"
    " 200), …' with distributions of scipy.stats"
)
"""What can be said to ``--prior``."""
Anyway = Annotated[
    bool,
    typer.Option(
        "--anyway", help="Go on although nobody is inside what the network was trained for."
    ),
]


def prior_said(text: str, parameters: Sequence[Parameter]) -> Prior:
    """The prior that a name, a file or an expression says, for a model's parameters; anything else
    is bad usage.
    """
    return usable(lambda: prior_named_or_said(text, parameters))


def folder_for(out: Path) -> Path:
    """A folder for results, which is made; one that cannot be written to is bad usage, and is known
    before any work.
    """
    return usable(lambda: ready_for_files(out))


def file_for(out: Path) -> Path:
    """A file for a result, whose folder is made; one that cannot be written is bad usage, and is
    known before any work.
    """
    return usable(lambda: ready_for_file(out))


def usable(make: Callable[[], T]) -> T:
    """What ``make`` returns; a value that it refuses is bad usage."""
    try:
        return make()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def range_of(
    option: str, text: str, kind: type[int] | type[float], example: str
) -> tuple[float, float]:
    """(low, high) from "50-1000" or "50".

    Args:
        option: what it is said to.
        text: what was said.
        kind: of number.
        example: of a range, for the message.
    """
    number = r"\d{1,9}" if kind is int else r"(?:\d+(?:\.\d*)?|\.\d+)"
    said = re.fullmatch(rf"\s*({number})(?:\s*[-–]\s*({number}))?\s*", text, re.ASCII)
    if said is None:
        what = "a whole number" if kind is int else "a number"
        raise typer.BadParameter(
            f"Expected {what} of at least 0 or from-to for {option}, such as {example}; got"
            f" {text!r}."
        )
    low, high = kind(said[1]), kind(said[2] or said[1])
    if low > high:
        raise typer.BadParameter(
            f"Expected from-to with the smaller number first for {option}, such as {example}; got"
            f" {text!r}."
        )
    return low, high


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """A table as CSV, whole or absent."""
    write_atomically(path, as_csv(frame).encode())


def called() -> str:
    """The command as it was given, so that it can be given again."""
    return shlex.join(
        ["incongruent", *(argument for argument in sys.argv[1:] if argument != "--debug")]
    )


def plain(text: str) -> str:
    """Text from outside, in which characters that a terminal would obey can be seen instead."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def print_anything() -> None:
    """Let characters that a terminal cannot show be written as escapes, instead of an error after
    the work is done.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

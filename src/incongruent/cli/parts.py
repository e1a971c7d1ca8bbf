"""What the commands share: places to write to, numbers and priors in words, text for a terminal."""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from incongruent.models import Parameter
    from incongruent.priors.independent import Prior

T = TypeVar("T")


def prior_said(text: str, parameters: Sequence[Parameter]) -> Prior:
    """The prior that a name, a file or an expression describes, for the parameters of a model.

    Anything else is bad usage.
    """
    from incongruent.priors.text import prior_named_or_said

    return usable(lambda: prior_named_or_said(text, parameters))


def folder_for(out: Path) -> Path:
    """A folder for results, which is made; one that cannot be written to is bad usage.

    This is known before any work.
    """
    from incongruent.storage.atomic import ready_for_files

    return usable(lambda: ready_for_files(out))


def file_for(out: Path) -> Path:
    """A file for a result, whose folder is made; one that cannot be written is bad usage.

    This is known before any work.
    """
    from incongruent.storage.atomic import ready_for_file

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
    """The numbers (low, high) in "50-1000" or "50".

    Args:
        option: whose value this is.
        text: the value.
        kind: of number.
        example: of a range, for the message.
    """
    number = r"\d{1,9}" if kind is int else r"(?:\d+(?:\.\d*)?|\.\d+)"
    found = re.fullmatch(rf"\s*({number})(?:\s*[-–]\s*({number}))?\s*", text, re.ASCII)
    if found is None:
        what = "a whole number" if kind is int else "a number"
        raise typer.BadParameter(
            f"Expected {what} of at least 0 or from-to for {option}, such as {example}; got"
            f" {text!r}."
        )
    low, high = kind(found[1]), kind(found[2] or found[1])
    if low > high:
        raise typer.BadParameter(
            f"Expected from-to with the smaller number first for {option}, such as {example}; got"
            f" {text!r}."
        )
    return low, high


def help_of(command: Callable[..., None]) -> str:
    """What the help says of a command: its docstring in one paragraph."""
    return " ".join((command.__doc__ or "").split())


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
    """Let characters that a terminal cannot show be written as escapes.

    Otherwise they would end a command in an error after its work is done.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

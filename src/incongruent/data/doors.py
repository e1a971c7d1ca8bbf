"""Doors: how messages name an option, in the words of the place where the user gives it.

The same option is ``Coding(condition="type")`` in Python, ``--coding "condition=type"`` on the
command line and a field of the app. Whoever writes a message calls `option` or `coding`; the
command line and the app say with `at_door` where the user stands.
"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

__all__ = ["APP", "COMMAND_LINE", "PYTHON", "Door", "at_door", "coding", "option", "with_deadline"]


class Door(Protocol):
    """A place where options are given."""

    def option(self, name: str, value: Any) -> str:
        """How an option of `read_trials` is given with that value; None stands for some value."""
        ...

    def coding(self, entries: Mapping[str, Any]) -> str:
        """How entries of a `Coding` are given; None stands for some value."""
        ...

    def with_deadline(self, ms: float) -> str:
        """How a network learns of a deadline."""
        ...


class Python:
    """Keyword arguments."""

    def option(self, name: str, value: Any) -> str:
        """Such as ``by=('group', 'subject')``."""
        return f"{name}={'...' if value is None else repr(value)}"

    def coding(self, entries: Mapping[str, Any]) -> str:
        """Such as ``Coding(rt='latency')``."""
        return f"Coding({', '.join(self.option(name, value) for name, value in entries.items())})"

    def with_deadline(self, ms: float) -> str:
        """In the design, and where the file is read."""
        return f"Design(..., deadline={ms:g}), and read_trials(..., deadline={ms:g})"


class CommandLine:
    """Options that begin with two dashes."""

    NAMES: Mapping[str, str] = {"names": "columns", "n_trials": "trials"}

    def option(self, name: str, value: Any) -> str:
        """Such as ``--by group,subject``."""
        if value is None:
            words = "..."
        elif isinstance(value, str | int | float):
            words = str(value)
        else:
            words = _in_one_line(list(value)) or "none"
        return f"--{self.NAMES.get(name, name)} {_quoted(words)}"

    def coding(self, entries: Mapping[str, Any]) -> str:
        """Such as ``--coding "condition=type,1=congruent"``."""
        pairs: list[str] = []
        for name, value in entries.items():
            if name in ("levels", "outcomes"):
                value = {"code": "meaning"} if value is None else value
                pairs += [f"{code}={meaning}" for code, meaning in value.items()]
            else:
                pairs.append(f"{name}={'...' if value is None else value}")
        return f"--coding {_quoted(_in_one_line(pairs))}"

    def with_deadline(self, ms: float) -> str:
        """Commands that read files take it from the network."""
        return f"incongruent train --deadline {ms:g}, and fit with that network"


class App:
    """Fields of the page."""

    FIELDS: Mapping[str, str] = {
        "by": "Person, one column or several",
        "unit": "Unit of reaction times",
        "where": "Rows to take",
        "names": "Names of the columns",
        "deadline": "Deadline of an answer",
        "subject": "Person, one column or several",
        "rt": "Reaction time",
        "accuracy": "Accuracy (1 = correct)",
        "error": "Error (1 = error)",
        "condition": "Condition",
        "levels": "What the labels of the condition mean",
        "outcomes": "What the labels of the accuracy mean",
    }

    def option(self, name: str, value: Any) -> str:
        """Such as ``the field “Unit of reaction times”: s``."""
        field = f"the field “{self.FIELDS.get(name, name)}”"
        if value is None:
            return field
        if isinstance(value, Mapping):
            return f"{field}: {', '.join(f'{code} = {meaning}' for code, meaning in value.items())}"
        return (
            f"{field}:"
            f" {', '.join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else value}"
        )

    def coding(self, entries: Mapping[str, Any]) -> str:
        """The fields of all entries."""
        return " and ".join(self.option(name, value) for name, value in entries.items())

    def with_deadline(self, ms: float) -> str:
        """The app takes the network that it is started with."""
        return f"made by incongruent train --deadline {ms:g}, and start the app with that network"


PYTHON, COMMAND_LINE, APP = Python(), CommandLine(), App()
_HERE: ContextVar[Door] = ContextVar("door", default=PYTHON)


@contextmanager
def at_door(door: Door) -> Iterator[None]:
    """Messages made inside the block name options as they are given at that door."""
    token = _HERE.set(door)
    try:
        yield
    finally:
        _HERE.reset(token)


def option(name: str, value: Any = None) -> str:
    """How an option of `read_trials` is given where the user stands.

    >>> option("by", ("group", "subject"))
    "by=('group', 'subject')"
    >>> with at_door(COMMAND_LINE):
    ...     option("by", ("group", "subject"))
    '--by group,subject'
    """
    return _HERE.get().option(name, value)


def coding(**entries: Any) -> str:
    """How entries of a `Coding` are given where the user stands; None stands for some value.

    >>> with at_door(COMMAND_LINE):
    ...     coding(accuracy="status", outcomes={"1": "correct", "2": "error"})
    '--coding accuracy=status,1=correct,2=error'
    """
    return _HERE.get().coding(entries)


def with_deadline(ms: float) -> str:
    """How a network learns of a deadline, where the user stands."""
    return _HERE.get().with_deadline(ms)


def _in_one_line(words: Sequence[object]) -> str:
    """Words with commas between them, quoted where they hold commas or quotes themselves."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


def _quoted(words: str) -> str:
    """One word for a shell, in double quotes where these do."""
    quoted = shlex.quote(words)
    return f'"{words}"' if quoted != words and not set(words) & set('"$`\\!') else quoted

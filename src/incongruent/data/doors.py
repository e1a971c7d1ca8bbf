"""Doors: how a message names an option for users of Python, of the command line and of the app.

These three ways into the package are called doors. The same option is ``Coding(condition="type")``
in Python, ``--coding "condition=type"`` on the command line, and a field of the app. The code that
writes a message calls `option` or `coding`; the command line and the app set their door with
`at_door`.
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
    """One way to use the package, with its own way to write options."""

    def option(self, name: str, value: Any) -> str:
        """An option of `read_trials` with its value, as a user writes it; None is any value."""
        ...

    def coding(self, entries: Mapping[str, Any]) -> str:
        """The entries of a `Coding`, as a user writes them; None is any value."""
        ...

    def with_deadline(self, ms: float) -> str:
        """How a user trains and applies a network for a deadline."""
        ...


class Python:
    """In Python, options are keyword arguments."""

    def option(self, name: str, value: Any) -> str:
        """A keyword argument, such as ``by=('group', 'subject')``."""
        return f"{name}={'...' if value is None else repr(value)}"

    def coding(self, entries: Mapping[str, Any]) -> str:
        """A record, such as ``Coding(rt='latency')``."""
        return f"Coding({', '.join(self.option(name, value) for name, value in entries.items())})"

    def with_deadline(self, ms: float) -> str:
        """The deadline is given in the design, and again when the file is read."""
        return f"Design(..., deadline={ms:g}), and read_trials(..., deadline={ms:g})"


class CommandLine:
    """On the command line, options begin with two dashes."""

    NAMES: Mapping[str, str] = {"names": "columns", "n_trials": "trials"}

    def option(self, name: str, value: Any) -> str:
        """An option with its value, such as ``--by group,subject``."""
        return f"--{self.NAMES.get(name, name)} {_quoted(self._value(value))}"

    @staticmethod
    def _value(value: Any) -> str:
        """A value as text; several values have commas between them."""
        if value is None:
            return "..."
        if isinstance(value, str | int | float):
            return str(value)
        return _in_one_line(list(value)) or "none"

    def coding(self, entries: Mapping[str, Any]) -> str:
        """One option for all entries, such as ``--coding "condition=type,1=congruent"``."""
        pairs = [pair for name, value in entries.items() for pair in self._pairs(name, value)]
        return f"--coding {_quoted(_in_one_line(pairs))}"

    @staticmethod
    def _pairs(name: str, value: Any) -> list[str]:
        """An entry of a coding as ``name=value``; the meanings of codes are one pair for each."""
        if name not in ("levels", "outcomes"):
            return [f"{name}={'...' if value is None else value}"]
        meanings = {"code": "meaning"} if value is None else value
        return [f"{code}={meaning}" for code, meaning in meanings.items()]

    def with_deadline(self, ms: float) -> str:
        """The deadline is given in training; commands that read files take it from the network."""
        return f"incongruent train --deadline {ms:g}, and fit with that network"


class App:
    """In the app, options are fields of the page."""

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
        """A field with its value, such as ``the field “Unit of reaction times”: s``."""
        field = f"the field “{self.FIELDS.get(name, name)}”"
        return field if value is None else f"{field}: {self._value(value)}"

    @staticmethod
    def _value(value: Any) -> str:
        """A value as text; several values have commas between them."""
        if isinstance(value, Mapping):
            return ", ".join(f"{code} = {meaning}" for code, meaning in value.items())
        if isinstance(value, Sequence) and not isinstance(value, str):
            return ", ".join(map(str, value))
        return str(value)

    def coding(self, entries: Mapping[str, Any]) -> str:
        """One field for each entry."""
        return " and ".join(self.option(name, value) for name, value in entries.items())

    def with_deadline(self, ms: float) -> str:
        """The app applies the network with which it is started."""
        return f"made by incongruent train --deadline {ms:g}, and start the app with that network"


PYTHON, COMMAND_LINE, APP = Python(), CommandLine(), App()
_CURRENT: ContextVar[Door] = ContextVar("door", default=PYTHON)


@contextmanager
def at_door(door: Door) -> Iterator[None]:
    """Inside the block, messages name options as users of that door write them."""
    token = _CURRENT.set(door)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def option(name: str, value: Any = None) -> str:
    """An option of `read_trials` with its value, as the user of the current door writes it.

    >>> option("by", ("group", "subject"))
    "by=('group', 'subject')"
    >>> with at_door(COMMAND_LINE):
    ...     option("by", ("group", "subject"))
    '--by group,subject'
    """
    return _CURRENT.get().option(name, value)


def coding(**entries: Any) -> str:
    """The entries of a `Coding`, as the user of the current door writes them; None is any value.

    >>> with at_door(COMMAND_LINE):
    ...     coding(accuracy="status", outcomes={"1": "correct", "2": "error"})
    '--coding accuracy=status,1=correct,2=error'
    """
    return _CURRENT.get().coding(entries)


def with_deadline(ms: float) -> str:
    """How a user of the current door trains and applies a network for a deadline."""
    return _CURRENT.get().with_deadline(ms)


def _in_one_line(words: Sequence[object]) -> str:
    """The words with commas between them; a word with commas or quotes in it is quoted."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


def _quoted(words: str) -> str:
    """The text as one word for a shell, in double quotes where these are enough."""
    quoted = shlex.quote(words)
    return f'"{words}"' if quoted != words and not set(words) & set('"$`\\!') else quoted

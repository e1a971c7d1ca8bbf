"""Options: what the user asks of `read_trials`, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from incongruent.data.codings import Coding
from incongruent.data.values import DataError


@dataclass(frozen=True)
class Options:
    """What the user asks of `read_trials`; the arguments are described there.

    Raises:
        DataError: when an argument has a value that is not possible.
        TypeError: when an argument is of the wrong type.
    """

    names: Sequence[str] | None
    by: str | Sequence[str] | None
    where: str | None
    unit: str | None
    window: tuple[float, float] | None
    deadline: float | None
    coding: Coding

    def __post_init__(self) -> None:
        _check_names(self.names)
        _check_where(self.where)
        _check_unit(self.unit)
        _check_coding(self.coding)
        _check_deadline(self.deadline)
        _check_window(self.window)

    @property
    def keeps_omissions(self) -> bool:
        """Whether trials without an answer are kept."""
        return self.deadline is not None


def _check_names(names: object) -> None:
    if names is None:
        return
    if isinstance(names, str) or not isinstance(names, Sequence) or not _all_text(names):
        raise TypeError(f"Expected `names` to be a sequence of the columns' names; got {names!r}.")


def _all_text(items: Sequence[object]) -> bool:
    return all(isinstance(item, str) for item in items)


def _check_where(where: object) -> None:
    if not isinstance(where, str | None):
        raise TypeError(
            f"Expected `where` to be text such as 'experiment == 0'; got {type(where).__name__}."
        )


def _check_unit(unit: object) -> None:
    if unit not in (None, "ms", "s"):
        raise DataError(
            f"Expected `unit` to be 'ms' or 's'; got {unit!r}. Leave it out to have it found from"
            " the median reaction time."
        )


def _check_coding(coding: object) -> None:
    if not isinstance(coding, Coding):
        raise TypeError(f"Expected `coding` to be a Coding; got {type(coding).__name__}.")


def _check_deadline(deadline: object) -> None:
    if deadline is None:
        return
    if not isinstance(deadline, Real):
        raise TypeError(f"Expected `deadline` to be a number of ms, or None; got {deadline!r}.")
    if not 0 < float(deadline) < np.inf:
        raise DataError(f"Expected `deadline` to be above 0 ms; got {deadline!r}.")


def _check_window(window: object) -> None:
    if window is None:
        return
    if not isinstance(window, Sequence) or len(window) != 2 or not _all_numbers(window):
        raise TypeError(f"Expected `window` to be two numbers, in ms, or None; got {window!r}.")
    if not 0 <= window[0] < window[1]:
        raise DataError(
            f"Expected `window` to run from a shorter to a longer time in ms; got {window!r}."
        )


def _all_numbers(items: Sequence[object]) -> bool:
    return all(isinstance(item, Real) for item in items)

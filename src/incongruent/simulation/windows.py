"""Windows: the response times that are kept, and the default where nobody chose a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from incongruent.data.trials import Column, Continuous

Range = tuple[float, float]


class DefaultWindow(tuple[float, float]):
    """A window that nobody chose: models without response times in ms go without it."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return DefaultWindow, (tuple(self),)


WINDOW = DefaultWindow((150.0, 2500.0))
"""Shortest and longest RT in ms that are kept where nobody chose a window."""


def window_for(
    window: Range | None,
    deadline: float | None,
    columns: Sequence[Column],
    is_recorded: bool = False,
) -> Range | None:
    """Adapt a window to the columns of a model: the default is left out where it has no meaning.

    Raises:
        ValueError: for a window, a deadline or a recording of a model without response times.
    """
    rt = _response_times(columns)
    if rt is None and is_recorded:
        raise ValueError(
            f"Expected a column 'rt' for a recording; the model has {names_of(columns)}."
        )
    if rt is None:
        _refuse_times(window, deadline, columns)
    if not isinstance(window, DefaultWindow):
        return window
    return (150.0, 2500.0) if rt is not None and rt.unit == "ms" else None


def _refuse_times(window: Range | None, deadline: float | None, columns: Sequence[Column]) -> None:
    """Refuse a window that somebody chose, and a deadline, for columns without response times."""
    if not (isinstance(window, DefaultWindow) or window is None):
        raise ValueError(
            f"Expected a column 'rt' for window={window}; the model has {names_of(columns)}."
        )
    if deadline is not None:
        raise ValueError(
            f"Expected a column 'rt' for deadline={deadline}; the model has {names_of(columns)}."
        )


def _response_times(columns: Iterable[Column]) -> Continuous | None:
    """The column of response times; None when there is none."""
    for column in columns:
        if column.name == "rt" and isinstance(column, Continuous):
            return column
    return None


def names_of(columns: Iterable[Column]) -> list[str]:
    """The names of columns, for messages."""
    return [column.name for column in columns]

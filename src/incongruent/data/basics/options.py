"""Checked options: wrong names and impossible values are refused when a record is made."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from incongruent.data.basics.plain import plain, whole_number

_T = TypeVar("_T", bound=Callable[..., Any])


def checked_names(what: _T) -> _T:
    """Make a function or class refuse unknown names of options, with a message that helps.

    The message names the nearest option that exists, and lists all of them.

    Raises:
        TypeError: from the function or class, when it is called with an unknown name.

    Example:
        >>> @checked_names
        ... def paint(*, colour="red", width=1): ...
        >>> paint(color="blue")
        Traceback (most recent call last):
        TypeError: paint has no option 'color'; did you mean 'colour'? It has colour, width.
    """
    if isinstance(what, type):  # ``self`` is no option
        what.__init__ = _guarded(what.__init__, what.__name__, skip=1)  # type: ignore[misc]
        return what  # type: ignore[return-value]
    return _guarded(what, what.__name__, skip=0)  # type: ignore[return-value]


def elsewhere(**where: str) -> Callable[[_T], _T]:
    """The same function, whose error for an option that it does not have says what to write.

    Args:
        **where: for the names of such options, what to write instead.

    Raises:
        TypeError: from the function, when called with one of these options.

    Example:
        >>> @elsewhere(colour="Write dip(colour, …) instead.")
        ... def paint(*, width=1): ...
        >>> paint(colour="red")
        Traceback (most recent call last):
        TypeError: paint has no option 'colour'. Write dip(colour, …) instead.
    """

    def decorated(function: _T) -> _T:
        @functools.wraps(function)
        def guarded(*arguments: Any, **options: Any) -> Any:
            for option in options:
                if option in where:
                    name = function.__name__
                    raise TypeError(f"{name} has no option {option!r}. {where[option]}")
            return function(*arguments, **options)

        return guarded  # type: ignore[return-value]

    return decorated


def _guarded(function: Callable[..., Any], name: str, *, skip: int) -> Callable[..., Any]:
    known = _option_names(function)[skip:]

    @functools.wraps(function)
    def guarded(*arguments: Any, **options: Any) -> Any:
        for option in options:
            if option not in known:
                raise TypeError(_unknown(name, option, known))
        return function(*arguments, **options)

    return guarded


def _option_names(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters that can be given by name."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def _unknown(name: str, option: str, known: list[str]) -> str:
    near = difflib.get_close_matches(option, known, 1)
    advice = f"; did you mean {near[0]!r}?" if near else "."
    return f"{name} has no option {option!r}{advice} It has {', '.join(known)}."


def check_counts(record: Any, least: Mapping[str, int]) -> None:
    """Check the options of a record that are whole numbers, and store them as ``int``.

    Args:
        record: the record that has these options.
        least: for each of them the smallest value.

    Raises:
        ValueError: when a value is no whole number, or too small; it names the option.
    """
    for name, smallest in least.items():
        object.__setattr__(record, name, whole_number(name, getattr(record, name), smallest))


def check_dropout(record: Any) -> None:
    """Check the ``dropout`` of a record, a share of units, and store it as ``float``.

    Raises:
        ValueError: when it is not within [0, 1).
    """
    dropout = plain(record.dropout)
    if not isinstance(dropout, int | float) or not 0.0 <= dropout < 1.0:
        raise ValueError(
            "Expected dropout of at least 0 and below 1, the share of units left out at a time;"
            f" got {record.dropout!r}."
        )
    object.__setattr__(record, "dropout", float(dropout))

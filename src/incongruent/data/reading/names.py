"""Names: what the name of a column says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from incongruent.data.values import DataError, listed
from incongruent.data.vocabulary import ERROR_NAMES, plain, tokens

SHOWN = 8
"""So many columns are named in a message."""
LONG_NAME = 4
"""Known names of so many letters are found at the beginning of longer names."""

_UNIT = re.compile(
    r"(.*?)(?:[\W_]+(s)|[\W_]*(secs?|seconds?|ms|msecs?|milliseconds?))\W*",
    re.IGNORECASE | re.DOTALL,
)
"""A name that ends in a unit of time; the letter s alone is one only behind a separator."""


def has_affix(column: str, known: Collection[str]) -> bool:
    """True when parts of the name are a known name, or a long known name begins it."""
    begins = any(plain(column).startswith(name) for name in known if len(name) >= LONG_NAME)
    return begins or not _joined_parts(column).isdisjoint(known)


def _joined_parts(column: str) -> set[str]:
    """The parts of a name, and every sequence of neighbouring parts as one word."""
    parts = tokens(column)
    ends = range(1, len(parts) + 1)
    return {"".join(parts[start:end]) for end in ends for start in range(end)}


def after_dot(column: str) -> str | None:
    """The plain name behind the last dot, as in "key_resp.rt"; None without a dot."""
    return plain(column.rpartition(".")[2]) if "." in column else None


def split_unit(name: str) -> tuple[str, str | None]:
    """The name without its unit, and the unit.

    >>> split_unit("rt_ms"), split_unit("Latency (sec)"), split_unit("RT")
    (('rt', 'ms'), ('Latency', 's'), ('RT', None))
    """
    found = _UNIT.fullmatch(name)
    if found is None:
        return name, None
    base, single, longer = found.groups()
    return base, "ms" if (single or longer).casefold().startswith("m") else "s"


def without_unit(name: str) -> str:
    """The name without the unit of time in which it ends, if any."""
    return split_unit(name)[0]


def one_is_correct(column: str) -> bool:
    """False for columns that count errors, by their names."""
    errors = {name for tier in ERROR_NAMES for name in tier}
    return errors.isdisjoint({plain(column), after_dot(column), *tokens(column)})


def named(column: object, columns: Sequence[str], option: str) -> str:
    """The column of that name; case does not matter when only one fits.

    Args:
        column: the name that the user gave.
        columns: the names that there are.
        option: with which the user gave it, for the message.

    Raises:
        DataError: when there is no such column, or several.
        TypeError: when it is no text.
    """
    if not isinstance(column, str):
        raise TypeError(
            f"Expected {option} to be a column's name; got {column!r} of type"
            f" {type(column).__name__}."
        )
    exact = [name for name in columns if name == column]
    fitting = exact or [name for name in columns if name.casefold() == column.casefold()]
    if len(fitting) != 1:
        near = difflib.get_close_matches(column, columns, 3, 0.5) or columns
        raise DataError(
            f"Expected {option} to name one of the columns, such as {listed(near, SHOWN)}; got"
            f" {column!r}."
        )
    return fitting[0]

"""Plain values: what people hand over, numbers of numpy, arrays, paths and members of enumerations,
as what Python and JSON know.

Records take what they are given through here, once, so that whoever saves, prints or pickles them
later meets nothing else.
"""

from __future__ import annotations

import enum
import json
import math
import numbers
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """The same in plain Python: numbers of whatever kind as ``bool``, ``int`` and ``float``, lists
    and arrays as tuples, mappings as dicts, paths and members of enumerations as what they stand
    for. Anything else is given back as it is.

    Example:
        >>> plain({"n": np.int64(3), "window": np.array([150.0, 2500.0])})
        {'n': 3, 'window': (150.0, 2500.0)}
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real | Decimal):
        return float(value)
    if isinstance(value, os.PathLike):
        return text_of(os.fspath(value))
    if isinstance(value, Mapping):
        return {plain(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "__array__") and hasattr(value, "shape"):
        array = np.asarray(value)
        return (
            plain(array[()]) if array.ndim == 0 and array.dtype != object else plain(array.tolist())
        )
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return tuple(plain(entry) for entry in value)
    return value


def text_of(value: Any) -> str:
    """A name as text that every file can hold: numbers without needless zeros, no zero byte, and
    none of the half characters that broken paths are full of.

    Example:
        >>> text_of(1234567.0), text_of(np.float32(0.1)), text_of(True), text_of("001")
        ('1234567', '0.1', 'True', '001')
    """
    if isinstance(value, enum.Enum):
        return text_of(value.value)
    if isinstance(value, str):
        return (
            str.__str__(value).encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
        )
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return (
            np.format_float_positional(value, trim="-")
            if 1e-4 <= abs(float(value)) < 1e16 or value == 0
            else f"{value}"
        )
    return text_of(str(value))


def as_json(value: Any, what: str) -> Any:
    """The same as JSON gives it back: lists for tuples, keys as text, and None for what is not
    finite.

    Args:
        value: numbers, text, None, and lists and mappings of these.
        what: it is, for the words of errors.

    Raises:
        TypeError: for anything else, saying where it stands.
    """
    value = plain(value)
    if isinstance(value, dict):
        return {text_of(key): as_json(entry, f"{what}[{key!r}]") for key, entry in value.items()}
    if isinstance(value, tuple):
        return [as_json(entry, f"{what}[{i}]") for i, entry in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"Expected numbers, text, or lists and mappings of these in {what}, which a file can hold;"
        f" got {type(value).__name__}. Write it as text."
    )


def json_text(card: Mapping[str, Any]) -> str:
    """A card as strict JSON, with numbers of numpy as numbers.

    Raises:
        ValueError: for not-a-number.
        TypeError: for what JSON cannot hold.
    """
    return json.dumps(plain(card), allow_nan=False)


def whole_number(name: str, value: Any, least: int) -> int:
    """An option that is a whole number, of whatever kind.

    Raises:
        ValueError: naming the option.
    """
    found = plain(value)
    if not isinstance(found, int) or isinstance(found, bool) or found < least:
        raise ValueError(f"Expected a whole number for {name}, at least {least}; got {value!r}.")
    return found


def number(name: str, value: Any) -> float:
    """An option that is a number, of whatever kind.

    Raises:
        ValueError: naming the option.
    """
    found = plain(value)
    if not isinstance(found, int | float) or isinstance(found, bool) or math.isnan(found):
        raise ValueError(f"Expected a number for {name}; got {value!r}.")
    return float(found)


def yes_or_no(name: str, value: Any) -> bool:
    """An option that is True or False.

    Raises:
        ValueError: naming the option.
    """
    found = plain(value)
    if not isinstance(found, bool):
        raise ValueError(f"Expected True or False for {name}; got {value!r}.")
    return found


def name_of(what: str, value: Any) -> str:
    """A name, which is text.

    Raises:
        TypeError: saying of what.
    """
    found = plain(value)
    if not isinstance(found, str):
        raise TypeError(f"Expected text for the name of {what}; got {value!r}.")
    return found


def words_of(what: str, values: Any) -> tuple[str, ...]:
    """Several names, of which each is text.

    Raises:
        TypeError: for a single text, whose letters nobody meant, or anything else.
    """
    if type(values) is tuple and all(type(value) is str and value.isascii() for value in values):
        return values
    found = plain(values)
    if not isinstance(found, tuple):
        raise TypeError(f"Expected a list of {what}; got {values!r}.")
    return tuple(text_of(value) for value in found)


def make_plain(record: Any) -> None:
    """Make the values of a frozen record plain, in its ``__post_init__``."""
    for entry in fields(record):
        object.__setattr__(record, entry.name, plain(getattr(record, entry.name)))

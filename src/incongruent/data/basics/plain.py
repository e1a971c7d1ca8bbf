"""Plain values: numbers of numpy, arrays, paths and members of enumerations as plain Python.

Records convert their values here once, when they are made. Whoever saves, prints or pickles a
record later meets only values that Python and JSON know.
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
    """The same value in plain Python.

    Numbers of any kind become ``bool``, ``int`` or ``float``; lists and arrays become tuples;
    mappings become dicts; paths become text; members of enumerations become their values. Anything
    else is returned unchanged.

    Example:
        >>> plain({"n": np.int64(3), "window": np.array([150.0, 2500.0])})
        {'n': 3, 'window': (150.0, 2500.0)}
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, str | os.PathLike):
        return text_of(os.fspath(value))
    if isinstance(value, np.bool_ | numbers.Real | Decimal):
        return _plain_number(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "__array__") and hasattr(value, "shape"):
        return _plain_array(np.asarray(value))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return tuple(plain(entry) for entry in value)
    return value


def _plain_number(value: Any) -> bool | int | float:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _plain_array(array: np.ndarray) -> Any:
    """The array as tuples within tuples, or its only value when it has no axes."""
    if array.ndim == 0 and array.dtype != object:
        return plain(array[()])
    return plain(array.tolist())


def text_of(value: Any) -> str:
    """A name as text that every file can hold.

    Numbers have no needless zeros. Zero bytes, and the half characters that broken paths contain,
    are written as escapes.

    Example:
        >>> text_of(1234567.0), text_of(np.float32(0.1)), text_of(True), text_of("001")
        ('1234567', '0.1', 'True', '001')
    """
    if isinstance(value, enum.Enum):
        return text_of(value.value)
    if isinstance(value, str):
        return _encodable(str.__str__(value))
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _text_of_float(value)
    return text_of(str(value))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _text_of_float(value: float | np.floating) -> str:
    if value == 0 or 1e-4 <= abs(float(value)) < 1e16:
        return np.format_float_positional(value, trim="-")
    return f"{value}"


def as_json(value: Any, what: str) -> Any:
    """The value in the types of JSON: lists for tuples, text for keys, None for NaN and infinity.

    Args:
        value: numbers, text, None, and lists and mappings of these.
        what: a name for the value in messages of errors.

    Raises:
        TypeError: for any other value; it says where the value is.
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
    """A card as strict JSON; numbers of numpy are written as numbers.

    Raises:
        ValueError: for NaN and infinity, which JSON does not have.
        TypeError: for a value that JSON cannot hold.
    """
    return json.dumps(plain(card), allow_nan=False)


def whole_number(name: str, value: Any, least: int) -> int:
    """The value of an option that is a whole number, as ``int``.

    Raises:
        ValueError: when it is no whole number or below ``least``; it names the option.
    """
    found = plain(value)
    if not isinstance(found, int) or isinstance(found, bool) or found < least:
        raise ValueError(f"Expected a whole number for {name}, at least {least}; got {value!r}.")
    return found


def number(name: str, value: Any) -> float:
    """The value of an option that is a number, as ``float``.

    Raises:
        ValueError: when it is no number; it names the option.
    """
    found = plain(value)
    if not isinstance(found, int | float) or isinstance(found, bool) or math.isnan(found):
        raise ValueError(f"Expected a number for {name}; got {value!r}.")
    return float(found)


def yes_or_no(name: str, value: Any) -> bool:
    """The value of an option that is True or False, as ``bool``.

    Raises:
        ValueError: when it is neither; it names the option.
    """
    found = plain(value)
    if not isinstance(found, bool):
        raise ValueError(f"Expected True or False for {name}; got {value!r}.")
    return found


def name_of(what: str, value: Any) -> str:
    """A single name as plain text.

    Raises:
        TypeError: when it is no text; it says what the name is of.
    """
    found = plain(value)
    if not isinstance(found, str):
        raise TypeError(f"Expected text for the name of {what}; got {value!r}.")
    return found


def words_of(what: str, values: Any) -> tuple[str, ...]:
    """Several names as a tuple of plain text.

    Raises:
        TypeError: for a single text, since its letters are not meant, and for anything else.
    """
    if _are_plain_words(values):
        return values
    found = plain(values)
    if not isinstance(found, tuple):
        raise TypeError(f"Expected a list of {what}; got {values!r}.")
    return tuple(text_of(value) for value in found)


def _are_plain_words(values: Any) -> bool:
    return type(values) is tuple and all(type(one) is str and one.isascii() for one in values)


def make_plain(record: Any) -> None:
    """Make all values of a frozen record plain; for use in its ``__post_init__``."""
    for entry in fields(record):
        object.__setattr__(record, entry.name, plain(getattr(record, entry.name)))

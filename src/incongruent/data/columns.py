"""Columns: what is measured or set on each trial, of which kind, and which values are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from incongruent.data.basics.plain import as_json, make_plain, name_of, words_of, yes_or_no

Array = np.ndarray

Per = Literal["trial", "dataset", "batch"]
"""How often the value of a given column changes: with every trial, with every data set, or with
every batch of data sets that are simulated together.
"""


@dataclass(frozen=True)
class Continuous:
    """A column of real numbers.

    Attributes:
        name: of the column.
        unit: of the numbers; "" for none.
        given: True when the design sets the value, so that it is known even where no answer came.
        positive: True when only numbers above 0 are possible; networks then read their logarithms.
        per: how often a given value changes: "trial", "dataset" or "batch".
    """

    name: str
    unit: str = ""
    given: bool = False
    positive: bool = False
    per: Per = "trial"

    def __post_init__(self) -> None:
        _check(self)

    @property
    def dtype(self) -> type[np.generic]:
        """The type of its values: float32."""
        return np.float32


@dataclass(frozen=True)
class Integer:
    """A column of whole numbers, counts for example.

    Attributes:
        name: of the column.
        unit: what is counted; "" for none.
        given: as in `Continuous`.
        per: as in `Continuous`.
    """

    name: str
    unit: str = ""
    given: bool = False
    per: Per = "trial"

    def __post_init__(self) -> None:
        _check(self)

    @property
    def dtype(self) -> type[np.generic]:
        """The type of its values: int32."""
        return np.int32


@dataclass(frozen=True)
class Category:
    """A column with one of a few levels; its values are stored as positions in ``levels``.

    Attributes:
        name: of the column.
        levels: at most 127 different ones.
        given: as in `Continuous`.
        per: as in `Continuous`.
    """

    name: str
    levels: tuple[str, ...]
    given: bool = False
    per: Per = "trial"

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", words_of(f"levels of column {self.name!r}", self.levels))
        if len(set(self.levels)) != len(self.levels) or not 1 <= len(self.levels) <= 127:
            raise ValueError(
                f"Expected 1 to 127 different levels for column {self.name!r}; got {self.levels}."
                " Give each level once."
            )
        _check(self)

    @property
    def dtype(self) -> type[np.generic]:
        """The type of its values, positions in ``levels``: int8."""
        return np.int8


def _check(column: Column) -> None:
    """Make the values of a column plain, and refuse impossible ones."""
    make_plain(column)
    name_of("a column", column.name)
    yes_or_no(f"given of column {column.name!r}", column.given)
    if not isinstance(column, Category):
        name_of(f"the unit of column {column.name!r}", column.unit)
    if isinstance(column, Continuous):
        yes_or_no(f"positive of column {column.name!r}", column.positive)
    if column.per not in get_args(Per):
        raise ValueError(
            f"Expected per to be one of {get_args(Per)} for column {column.name!r}; got"
            f" {column.per!r}."
        )
    if column.per != "trial" and not column.given:
        raise ValueError(
            f"Expected per='trial' for the outcome {column.name!r}, which every trial has; got"
            f" {column.per!r}. Is it given?"
        )


Column = Continuous | Integer | Category


def column_to_json(column: Column) -> dict[str, Any]:
    """The column as values that JSON can hold."""
    kind = type(column).__name__.lower()
    return {"kind": kind, **as_json(vars(column), f"column {column.name!r}")}


def column_from_json(spec: Mapping[str, Any]) -> Column:
    """The column that `column_to_json` described.

    Raises:
        ValueError: for a kind of column that this release does not know.
    """
    kinds = {"continuous": Continuous, "integer": Integer, "category": Category}
    kind = spec.get("kind")
    if kind not in kinds:
        raise ValueError(f"Expected a column of one of the kinds {sorted(kinds)}; got {kind!r}.")
    return kinds[kind](**{key: value for key, value in spec.items() if key != "kind"})


CONDITION = Category("condition", ("congruent", "incongruent", "neutral"), given=True)
RESPONSE = Category("response", ("correct", "error"))
RT = Continuous("rt", unit="ms")
CONFLICT_TASK = (CONDITION, RESPONSE, RT)
"""The columns of a conflict task.

`read_trials` gives trials with these columns, and the models of the conflict family simulate them.
"""
WHOLE = np.iinfo(np.int32)
REAL = np.finfo(np.float32)


def allowed(column: Column, values: Array) -> tuple[Array, str]:
    """Which values a column allows, same shape, and what it allows in words.

    A value that the column's type cannot hold is not allowed.
    """
    if isinstance(column, Category):
        fine = _within(values, 0, len(column.levels) - 1) & _whole(values)
        return fine, f"the position of a level of {column.levels}"
    if isinstance(column, Integer):
        fine = _within(values, WHOLE.min, WHOLE.max) & _whole(values)
        return fine, f"a whole number within ±{WHOLE.max}"
    if column.positive:
        return _within(values, REAL.tiny, REAL.max), "a finite number above 0"
    return _within(values, REAL.min, REAL.max), "a finite number"


def _within(values: Array, least: Any, most: Any) -> Array:
    return (values >= least) & (values <= most)


def _whole(values: Array) -> Array:
    return values == np.floor(values)

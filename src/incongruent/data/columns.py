"""Columns: what is recorded on a trial, of which kind, and which values are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from incongruent.data.basics.plain import as_json, make_plain, name_of, words_of, yes_or_no

Array = np.ndarray

Per = Literal["trial", "dataset", "batch"]
"""How often a given column takes another value: with every trial, once for each data set, or once
for a batch of data sets simulated together.
"""


@dataclass(frozen=True)
class Continuous:
    """A column of real numbers.

    Attributes:
        name: of the column.
        unit: in which the numbers are kept; "" for none.
        given: True when the design sets the value, so that it is known even where no answer came.
        positive: True when only numbers above 0 can occur; networks then read their logarithms.
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
        """Of its values."""
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
        """Of its values."""
        return np.int32


@dataclass(frozen=True)
class Category:
    """A column with one of a few levels; its values are kept as positions in ``levels``.

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
        """Of its values."""
        return np.int8


def _check(column: Column) -> None:
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
    """The column as plain values."""
    return {
        "kind": type(column).__name__.lower(),
        **as_json(vars(column), f"column {column.name!r}"),
    }


def column_from_json(spec: Mapping[str, Any]) -> Column:
    """The column that `column_to_json` described.

    Raises:
        ValueError: for a kind of column that this release does not know.
    """
    kinds = {"continuous": Continuous, "integer": Integer, "category": Category}
    if spec.get("kind") not in kinds:
        raise ValueError(
            f"Expected a column of one of the kinds {sorted(kinds)}; got {spec.get('kind')!r}."
        )
    return kinds[spec["kind"]](**{k: v for k, v in spec.items() if k != "kind"})


CONDITION = Category("condition", ("congruent", "incongruent", "neutral"), given=True)
RESPONSE = Category("response", ("correct", "error"))
RT = Continuous("rt", unit="ms")
CONFLICT_TASK = (CONDITION, RESPONSE, RT)
"""The columns of a conflict task, as `read_trials` gives them and the models of the conflict family
make them.
"""
WHOLE = np.iinfo(np.int32)
REAL = np.finfo(np.float32)


def allowed(column: Column, values: Array) -> tuple[Array, str]:
    """Which values a column allows, same shape, and what it allows in words. What its type cannot
    hold is not allowed.
    """
    if isinstance(column, Category):
        return (values >= 0) & (values < len(column.levels)) & (
            values == np.floor(values)
        ), f"the position of a level of {column.levels}"
    if isinstance(column, Integer):
        return (values >= WHOLE.min) & (values <= WHOLE.max) & (
            values == np.floor(values)
        ), f"a whole number within ±{WHOLE.max}"
    if column.positive:
        return (values >= REAL.tiny) & (values <= REAL.max), "a finite number above 0"
    return (values >= REAL.min) & (values <= REAL.max), "a finite number"

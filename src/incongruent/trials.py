"""Trials: the one data type, simulated or observed.

A `Trials` holds many data sets at once (one a person, usually), each with its own number of trials. Every column is one array of shape
(dataset, trial). Absence is a mask: ``present`` says which places hold a trial at all, ``answered`` in which of these an answer came. What
stands in a masked place is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

Array = np.ndarray


Per = Literal["trial", "dataset", "batch"]
"""How often a given column takes another value: with every trial, once for each data set, or once for a batch of data sets simulated together."""


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
        _check_per(self)

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
        _check_per(self)

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
        object.__setattr__(self, "levels", tuple(self.levels))
        if len(set(self.levels)) != len(self.levels) or not 1 <= len(self.levels) <= 127:
            raise ValueError(f"Expected 1 to 127 different levels for column {self.name!r}; got {self.levels}. Give each level once.")
        _check_per(self)

    @property
    def dtype(self) -> type[np.generic]:
        """Of its values."""
        return np.int8


def _check_per(column: Column) -> None:
    if column.per not in get_args(Per):
        raise ValueError(f"Expected per to be one of {get_args(Per)} for column {column.name!r}; got {column.per!r}.")
    if column.per != "trial" and not column.given:
        raise ValueError(f"Expected per='trial' for the outcome {column.name!r}, which every trial has; got {column.per!r}. Is it given?")


Column = Continuous | Integer | Category


def column_to_json(column: Column) -> dict[str, Any]:
    """The column as plain values."""
    return {"kind": type(column).__name__.lower(), **{k: list(v) if isinstance(v, tuple) else v for k, v in vars(column).items()}}


def column_from_json(spec: Mapping[str, Any]) -> Column:
    """The column that `column_to_json` described.

    Raises:
        ValueError: for a kind of column that this release does not know.
    """
    kinds = {"continuous": Continuous, "integer": Integer, "category": Category}
    if spec.get("kind") not in kinds:
        raise ValueError(f"Expected a column of one of the kinds {sorted(kinds)}; got {spec.get('kind')!r}.")
    return kinds[spec["kind"]](**{k: v for k, v in spec.items() if k != "kind"})


CONDITION = Category("condition", ("congruent", "incongruent", "neutral"), given=True)
RESPONSE = Category("response", ("correct", "error"))
RT = Continuous("rt", unit="ms")
CONFLICT_TASK = (CONDITION, RESPONSE, RT)
"""The columns of a conflict task, as `read_trials` gives them and the models of the conflict family make them."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Data sets of exchangeable trials.

    Args:
        columns: what was recorded on a trial.
        values: for each column an array of shape (dataset, trial); float32 for `Continuous`, int32 for `Integer`, int8 positions for `Category`.
        present: (dataset, trial) True where a trial is.
        answered: (dataset, trial) True where that trial has an answer; columns that are not ``given`` are looked at only there.
        names: what each data set is called; "1", "2", … when left out.
        excluded: for each reason, how many trials of each data set were left out before they came here, shape (dataset,).
        notes: sentences about how the data were understood, for the user to read.

    Raises:
        ValueError: when shapes, names or values do not fit each other.
    """

    columns: tuple[Column, ...]
    values: Mapping[str, Array]
    present: Array
    answered: Array
    names: tuple[str, ...] = ()
    excluded: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = np.shape(self.present)
        if len(shape) != 2:
            raise ValueError(f"Expected `present` of shape (dataset, trial); got shape {shape}.")
        wanted = [column.name for column in self.columns]
        if sorted(wanted) != sorted(self.values):
            raise ValueError(f"Expected values for the columns {wanted}; got {sorted(self.values)}.")
        for name, array in {**self.values, "answered": self.answered}.items():
            if np.shape(array) != shape:
                raise ValueError(f"Expected {name!r} of shape {shape}, like `present`; got {np.shape(array)}.")
        if not self.names:
            object.__setattr__(self, "names", tuple(str(i + 1) for i in range(shape[0])))
        if len(self.names) != shape[0]:
            raise ValueError(f"Expected {shape[0]} names, one for each data set; got {len(self.names)}.")

    def __len__(self) -> int:
        return self.present.shape[0]

    def __repr__(self) -> str:
        n = self.n_trials
        size = f"{n.min()}–{n.max()}" if len(self) else "no"
        return f"Trials({len(self)} data sets, {size} trials each, columns {', '.join(c.name for c in self.columns)})"

    @property
    def n_trials(self) -> Array:
        """How many trials each data set has, shape (dataset,)."""
        return self.present.sum(axis=1)

    @property
    def n_excluded(self) -> Array:
        """How many trials of each data set were left out, for whatever reason, shape (dataset,)."""
        return sum(self.excluded.values(), start=np.zeros(len(self), int))

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: when there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"Expected one of the columns {[c.name for c in self.columns]}; got {name!r}.")

    def where(self, name: str, level: str) -> Array:
        """(dataset, trial) True where the category ``name`` is at ``level``; outcomes count only where there was an answer."""
        column = self.column(name)
        if not isinstance(column, Category) or level not in column.levels:
            raise KeyError(f"Expected a category column with the level {level!r}; got {column}.")
        known = self.present if column.given else self.answered
        return known & (self.values[name] == column.levels.index(level))


def checked(trials: Trials) -> Trials:
    """The same trials, after looking at every value: finite where answered, categories within their levels, positive ones above 0, and what is given
    once for a data set the same in all its trials.

    Raises:
        ValueError: naming the column, the data set and the value.
    """
    if (trials.answered & ~trials.present).any():
        raise ValueError("Expected answers only where a trial is present; got an answered trial that is absent.")
    for column in trials.columns:
        known = trials.present if column.given else trials.answered
        values = np.asarray(trials.values[column.name])
        fine, wanted = allowed(column, values)
        if (known & ~fine).any():
            person, trial = np.argwhere(known & ~fine)[0]
            raise ValueError(
                f"Expected {wanted} in column {column.name!r}; got {values[person, trial]} in data set {trials.names[person]!r}, "
                f"trial {trial}. Mark trials without an answer in `answered` instead of writing a number."
            )
        if column.per != "trial":
            once = per_dataset(trials, column.name)
            differs = trials.present & (values != once[:, None])
            if differs.any():
                person = int(np.argmax(differs.any(axis=1)))
                raise ValueError(
                    f"Expected one value of {column.name!r} in all trials of a data set; got {np.unique(values[person][trials.present[person]])[:3]} "
                    f"in data set {trials.names[person]!r}. Declare the column with per='trial', or make it constant."
                )
    return trials


def allowed(column: Column, values: Array) -> tuple[Array, str]:
    """Which values a column allows, same shape, and what it allows in words."""
    if isinstance(column, Category):
        return (values >= 0) & (values < len(column.levels)) & (values == np.floor(values)), f"the position of a level of {column.levels}"
    if isinstance(column, Integer):
        return np.isfinite(values) & (values == np.floor(values)), "a whole number"
    if column.positive:
        return np.isfinite(values) & (values > 0), "a finite number above 0"
    return np.isfinite(values), "a finite number"


def per_dataset(trials: Trials, name: str) -> Array:
    """The value of a column in the first trial of each data set, (dataset,); what stands there for data sets without trials is never looked at."""
    first = trials.present.argmax(axis=1) if trials.present.shape[1] else np.zeros(len(trials), int)
    return trials.values[name][np.arange(len(trials)), first] if trials.present.shape[1] else np.zeros(len(trials), trials.column(name).dtype)


def select(trials: Trials, datasets: Sequence[int] | Array | slice) -> Trials:
    """Some of the data sets, in the order asked for."""
    index = np.arange(len(trials))[datasets]
    return replace(
        trials,
        values={name: array[index] for name, array in trials.values.items()},
        present=trials.present[index],
        answered=trials.answered[index],
        names=tuple(trials.names[i] for i in index),
        excluded={reason: counts[index] for reason, counts in trials.excluded.items()},
    )


def pad(trials: Trials, n_trials: int) -> Trials:
    """The same data sets with room for ``n_trials`` trials each; the new places are absent.

    Raises:
        ValueError: when there are more trials than that already.
    """
    extra = n_trials - trials.present.shape[1]
    if extra < 0:
        raise ValueError(f"Expected room for at least {trials.present.shape[1]} trials; got n_trials={n_trials}.")

    def widen(array: Array) -> Array:
        return np.pad(array, ((0, 0), (0, extra)))

    values = {name: widen(array) for name, array in trials.values.items()}
    return replace(trials, values=values, present=widen(trials.present), answered=widen(trials.answered))


def concatenate(parts: Sequence[Trials]) -> Trials:
    """All data sets of several `Trials` with the same columns, one after the other.

    Raises:
        ValueError: when there are no parts, or their columns differ.
    """
    if not parts:
        raise ValueError("Expected at least one Trials to concatenate; got none.")
    for part in parts:
        if part.columns != parts[0].columns:
            raise ValueError(f"Expected the columns {parts[0].columns} in every part; got {part.columns}.")
    width = max(part.present.shape[1] for part in parts)
    parts = [pad(part, width) for part in parts]
    reasons = dict.fromkeys(reason for part in parts for reason in part.excluded)
    return Trials(
        columns=parts[0].columns,
        values={name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
        present=np.concatenate([part.present for part in parts]),
        answered=np.concatenate([part.answered for part in parts]),
        names=tuple(name for part in parts for name in part.names),
        excluded={r: np.concatenate([part.excluded.get(r, np.zeros(len(part), int)) for part in parts]) for r in reasons},
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def from_long(
    columns: Sequence[Column],
    dataset: Array,
    values: Mapping[str, Array],
    *,
    answered: Array | None = None,
    names: Sequence[str] = (),
) -> Trials:
    """Trials from one row per trial.

    Args:
        columns: what the values are.
        dataset: (row,) the position of the data set to which each row belongs, 0, 1, …
        values: for each column its values, (row,); categories as positions in their levels.
        answered: (row,) False where no answer came; everywhere True when left out.
        names: what the data sets are called; also fixes how many there are.

    Returns:
        `Trials` in which the rows of each data set keep their order.
    """
    dataset = np.asarray(dataset, int)
    n_datasets = len(names) or int(dataset.max(initial=-1)) + 1
    counts = np.bincount(dataset, minlength=n_datasets)
    order = np.argsort(dataset, kind="stable")
    place = np.empty(len(dataset), int)
    place[order] = np.arange(len(dataset)) - np.repeat(np.cumsum(counts) - counts, counts)  # position within its data set
    shape = (n_datasets, int(counts.max(initial=0)))

    def spread(array: Array, dtype: type[np.generic]) -> Array:
        out = np.zeros(shape, dtype)
        out[dataset, place] = array
        return out

    everywhere = np.ones(len(dataset), bool)
    return Trials(
        columns=tuple(columns),
        values={column.name: spread(np.asarray(values[column.name]), column.dtype) for column in columns},
        present=spread(everywhere, np.bool_),
        answered=spread(everywhere if answered is None else answered, np.bool_),
        names=tuple(names),
    )


def to_frame(trials: Trials) -> pd.DataFrame:
    """One row per trial: the data set's name under ``subject``, then the columns, categories by their level; no answer is a missing value."""
    person, trial = np.nonzero(trials.present)
    answered = trials.answered[person, trial]
    frame = pd.DataFrame({"subject": np.asarray(trials.names, object)[person]})
    for column in trials.columns:
        values = trials.values[column.name][person, trial]
        known = np.ones(len(values), bool) if column.given else answered
        if isinstance(column, Category):
            frame[column.name] = pd.Categorical.from_codes(np.where(known, values, -1), categories=list(column.levels))
        else:
            frame[column.name] = np.where(known, values, np.nan)
    return frame

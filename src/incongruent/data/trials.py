"""Trials: the one data type, simulated or observed.

A `Trials` holds many data sets at once (usually one per person), each with its own number of
trials. Every column is one array of shape (dataset, trial). Absence is a mask: ``present`` says
which places hold a trial at all, ``answered`` says for which of these trials there is an answer.
The values in masked places have no meaning and are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from incongruent.data.basics.notebook import html
from incongruent.data.basics.plain import text_of, words_of
from incongruent.data.columns import (
    CONDITION,
    CONFLICT_TASK,
    RESPONSE,
    RT,
    Category,
    Column,
    Continuous,
    Integer,
    Per,
    allowed,
    column_from_json,
    column_to_json,
)
from incongruent.data.positions import positions_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONDITION",
    "CONFLICT_TASK",
    "RESPONSE",
    "RT",
    "Category",
    "Column",
    "Continuous",
    "Integer",
    "Per",
    "Trials",
    "allowed",
    "checked",
    "column_from_json",
    "column_to_json",
    "concatenate",
    "first_of",
    "pad",
    "per_dataset",
    "renumbered",
    "shuffled",
]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Trials:
    """Data sets of exchangeable trials.

    Args:
        columns: what was measured or set on each trial.
        values: for each column an array of shape (dataset, trial); float32 for `Continuous`, int32
            for `Integer`, int8 positions for `Category`.
        present: (dataset, trial) True where a trial is.
        answered: (dataset, trial) True where that trial has an answer; columns that are not
            ``given`` have a value only there.
        names: what each data set is called; "1", "2", … when left out.
        excluded: for each reason, how many trials of each data set were left out beforehand, shape
            (dataset,).
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
        self._make_plain()
        shape = np.shape(self.present)
        if len(shape) != 2:
            raise ValueError(f"Expected `present` of shape (dataset, trial); got shape {shape}.")
        self._check_values(shape)
        if not self.names:
            object.__setattr__(self, "names", tuple(str(i + 1) for i in range(shape[0])))
        self._check_lengths(shape[0])

    def _check_values(self, shape: tuple[int, ...]) -> None:
        """Refuse values for other columns, and arrays of another shape."""
        wanted = [column.name for column in self.columns]
        if sorted(wanted) != sorted(self.values):
            raise ValueError(
                f"Expected values for the columns {wanted}; got {sorted(self.values)}."
            )
        for name, array in {**self.values, "answered": self.answered}.items():
            if np.shape(array) != shape:
                raise ValueError(
                    f"Expected {name!r} of shape {shape}, like `present`; got {np.shape(array)}."
                )

    def _check_lengths(self, n_datasets: int) -> None:
        """Refuse names or counts for another number of data sets."""
        if len(self.names) != n_datasets:
            raise ValueError(
                f"Expected {n_datasets} names, one for each data set; got {len(self.names)}."
            )
        for reason, counts in self.excluded.items():
            if counts.shape != (n_datasets,):
                raise ValueError(
                    f"Expected a count for each of {n_datasets} data sets of what is {reason!r};"
                    f" got shape {counts.shape}."
                )

    def _make_plain(self) -> None:
        """Store arrays as numpy's, masks as True and False, all names as plain text in tuples."""
        notes = [self.notes] if isinstance(self.notes, str) else self.notes
        plainly: dict[str, Any] = {
            "columns": tuple(self.columns),
            "values": _arrays_by_name(self.values),
            "present": _mask("present", self.present),
            "answered": _mask("answered", self.answered),
            "names": words_of("names of data sets", self.names),
            "excluded": _arrays_by_name(self.excluded),
            "notes": words_of("notes", notes),
        }
        for name, value in plainly.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return self.present.shape[0]

    def __repr__(self) -> str:
        n = self.n_trials
        size = f"{n.min()}–{n.max()}" if len(self) else "no"
        columns = ", ".join(column.name for column in self.columns)
        return f"Trials({len(self)} data sets, {size} trials each, columns {columns})"

    def _repr_html_(self) -> str:
        import pandas as pd

        table = pd.DataFrame({"data set": self.names, "trials": self.n_trials})
        for reason, counts in self.excluded.items():
            table[f"left out: {reason}"] = counts
        return html(repr(self), self.notes, table)

    @property
    def n_trials(self) -> Array:
        """How many trials each data set has, shape (dataset,)."""
        return self.present.sum(axis=1)

    @property
    def n_excluded(self) -> Array:
        """How many trials of each data set were left out for any reason, shape (dataset,)."""
        return sum(self.excluded.values(), start=np.zeros(len(self), int))

    def column(self, name: str) -> Column:
        """The column with this name.

        Raises:
            KeyError: when there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(
            f"Expected one of the columns {[c.name for c in self.columns]}; got {name!r}."
        )

    def where(self, name: str, level: str) -> Array:
        """(dataset, trial) True where the category ``name`` is at ``level``.

        An outcome is at a level only where there is an answer.
        """
        column = self.column(name)
        if not isinstance(column, Category) or level not in column.levels:
            raise KeyError(f"Expected a category column with the level {level!r}; got {column}.")
        return _known(self, column) & (self.values[name] == column.levels.index(level))

    def select(self, datasets: Sequence[int] | Sequence[str] | Array | slice | int | str) -> Trials:
        """Some of the data sets, in the order in which they are named.

        Args:
            datasets: positions (from 0), names, a slice, or for each data set True or False.

        Raises:
            KeyError: for a name that no data set has.
            IndexError: for a position that does not exist, or True and False for another number of
                data sets.
        """
        index = positions_of(self.names, datasets)
        return replace(
            self,
            values={name: array[index] for name, array in self.values.items()},
            present=self.present[index],
            answered=self.answered[index],
            names=tuple(self.names[i] for i in index),
            excluded={reason: counts[index] for reason, counts in self.excluded.items()},
        )

    def to_frame(self) -> pd.DataFrame:
        """A data frame with one row per trial, and the data sets' names in the column
        ``participant``.

        Categories are given by their level; a trial without an answer has a missing value. Where a
        column is called ``participant`` itself, the names stand under ``dataset``, ``dataset_2``, …
        """
        from incongruent.data.as_frame import as_frame

        return as_frame(self.columns, self.values, self.present, self.answered, self.names)


def _mask(name: str, values: Any) -> Array:
    """A mask given as True and False, or as 0 and 1, as an array of True and False."""
    array = np.asarray(values)
    if array.dtype.kind != "b" and not np.isin(array, (0, 1)).all():
        raise ValueError(f"Expected True or False in `{name}`; got {array.dtype}.")
    return array.astype(bool, copy=False)


def _arrays_by_name(arrays: Mapping[str, Any]) -> dict[str, Array]:
    return {text_of(name): np.asarray(array) for name, array in arrays.items()}


def _known(trials: Trials, column: Column) -> Array:
    """(dataset, trial) True where the column has a value; outcomes have none without an answer."""
    return trials.present if column.given else trials.answered


def checked(trials: Trials) -> Trials:
    """The same trials, after a check of every value.

    Values must be finite where there is an answer, categories within their levels and positive
    columns above 0. What is given once per data set must be the same in all trials of the data set.

    Raises:
        ValueError: for the first wrong value; it names the column, the data set and the value.
    """
    if (trials.answered & ~trials.present).any():
        raise ValueError(
            "Expected answers only where a trial is present; got an answered trial that is absent."
        )
    for column in trials.columns:
        _check_allowed(trials, column)
        if column.per != "trial":
            _check_constant(trials, column)
    return trials


def _check_allowed(trials: Trials, column: Column) -> None:
    """Refuse values that the column does not allow."""
    values = np.asarray(trials.values[column.name])
    fine, wanted = allowed(column, values)
    wrong = _known(trials, column) & ~fine
    if wrong.any():
        person, trial = np.argwhere(wrong)[0]
        raise ValueError(
            f"Expected {wanted} in column {column.name!r}; got {values[person, trial]} in data"
            f" set {trials.names[person]!r}, trial {trial}. Mark trials without an answer in"
            " `answered` instead of writing a number."
        )


def _check_constant(trials: Trials, column: Column) -> None:
    """Refuse a column that should have one value per data set but has several."""
    values = np.asarray(trials.values[column.name])
    differs = trials.present & (values != per_dataset(trials, column.name)[:, None])
    if differs.any():
        person = int(np.argmax(differs.any(axis=1)))
        raise ValueError(
            f"Expected one value of {column.name!r} in all trials of a data set; got"
            f" {np.unique(values[person][trials.present[person]])[:3]} in data set"
            f" {trials.names[person]!r}. Declare the column with per='trial', or make it constant."
        )


def per_dataset(trials: Trials, name: str) -> Array:
    """The value of a column in the first trial of each data set, shape (dataset,).

    The values for data sets without trials have no meaning.
    """
    if not trials.present.shape[1]:
        return np.zeros(len(trials), trials.column(name).dtype)
    first = trials.present.argmax(axis=1)
    return trials.values[name][np.arange(len(trials)), first]


def shuffled(trials: Trials, rng: np.random.Generator) -> Trials:
    """The trials of every data set in random order, without gaps between them."""
    keys = rng.random(trials.present.shape) + ~trials.present  # absent places come last
    order = np.argsort(keys, axis=1)
    return _each_array(trials, lambda array: np.take_along_axis(array, order, axis=1))


def _each_array(trials: Trials, change: Callable[[Array], Array]) -> Trials:
    """The trials after one change to every array of shape (dataset, trial)."""
    return replace(
        trials,
        values={name: change(array) for name, array in trials.values.items()},
        present=change(trials.present),
        answered=change(trials.answered),
    )


def first_of(trials: Trials, sizes: Array) -> Trials:
    """The first trials of every data set: as many as ``sizes`` (dataset,) says, or all."""
    keep = trials.present & (np.cumsum(trials.present, axis=1) <= np.asarray(sizes)[:, None])
    return replace(trials, present=keep, answered=trials.answered & keep)


def pad(trials: Trials, n_trials: int) -> Trials:
    """The same data sets, padded to ``n_trials`` places each; the new places hold no trial.

    Raises:
        ValueError: when there are more places already.
    """
    extra = n_trials - trials.present.shape[1]
    if extra < 0:
        raise ValueError(
            f"Expected room for at least {trials.present.shape[1]} trials; got n_trials={n_trials}."
        )
    return _each_array(trials, lambda array: np.pad(array, ((0, 0), (0, extra))))


def concatenate(parts: Sequence[Trials]) -> Trials:
    """All data sets of several `Trials` with the same columns, one after the other.

    Raises:
        ValueError: when there are no parts, or their columns differ.
    """
    if not parts:
        raise ValueError("Expected at least one Trials to concatenate; got none.")
    for part in parts:
        if part.columns != parts[0].columns:
            raise ValueError(
                f"Expected the columns {parts[0].columns} in every part; got {part.columns}."
            )
    width = max(part.present.shape[1] for part in parts)
    return _concatenated([pad(part, width) for part in parts])


def _concatenated(parts: Sequence[Trials]) -> Trials:
    """The data sets of parts with the same columns and the same number of places."""
    names = parts[0].values
    return Trials(
        columns=parts[0].columns,
        values={name: np.concatenate([part.values[name] for part in parts]) for name in names},
        present=np.concatenate([part.present for part in parts]),
        answered=np.concatenate([part.answered for part in parts]),
        names=tuple(name for part in parts for name in part.names),
        excluded=_all_excluded(parts),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _all_excluded(parts: Sequence[Trials]) -> dict[str, Array]:
    """For each reason the counts of all parts, 0 where a part does not have the reason."""
    reasons = dict.fromkeys(reason for part in parts for reason in part.excluded)

    def counts(part: Trials, reason: str) -> Array:
        return part.excluded.get(reason, np.zeros(len(part), int))

    return {reason: np.concatenate([counts(part, reason) for part in parts]) for reason in reasons}


def renumbered(trials: Trials) -> Trials:
    """The same data sets with the names "1", "2", …."""
    return Trials(
        trials.columns, trials.values, trials.present, trials.answered, excluded=trials.excluded
    )

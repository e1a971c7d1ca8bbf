"""Trials: the one data type, simulated or observed.

A `Trials` holds many data sets at once (one a person, usually), each with its own number of trials.
Every column is one array of shape (dataset, trial). Absence is a mask: ``present`` says which
places hold a trial at all, ``answered`` in which of these an answer came. What stands in a masked
place is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data.basics.plain import plain, text_of, words_of
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
    "from_long",
    "pad",
    "per_dataset",
    "positions_of",
    "renumbered",
    "select",
    "shuffled",
    "to_frame",
]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Trials:
    """Data sets of exchangeable trials.

    Args:
        columns: what was recorded on a trial.
        values: for each column an array of shape (dataset, trial); float32 for `Continuous`, int32
            for `Integer`, int8 positions for `Category`.
        present: (dataset, trial) True where a trial is.
        answered: (dataset, trial) True where that trial has an answer; columns that are not
            ``given`` are looked at only there.
        names: what each data set is called; "1", "2", … when left out.
        excluded: for each reason, how many trials of each data set were left out before they came
            here, shape (dataset,).
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
        self._take_over()
        shape = np.shape(self.present)
        if len(shape) != 2:
            raise ValueError(f"Expected `present` of shape (dataset, trial); got shape {shape}.")
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
        if not self.names:
            object.__setattr__(self, "names", tuple(str(i + 1) for i in range(shape[0])))
        if len(self.names) != shape[0]:
            raise ValueError(
                f"Expected {shape[0]} names, one for each data set; got {len(self.names)}."
            )
        for reason, counts in self.excluded.items():
            if counts.shape != (shape[0],):
                raise ValueError(
                    f"Expected a count for each of {shape[0]} data sets of what is {reason!r}; got"
                    f" shape {counts.shape}."
                )

    def _take_over(self) -> None:
        """Arrays as numpy's, masks as True and False, everything else as plain text in tuples."""
        plainly: dict[str, Any] = {
            "columns": tuple(self.columns),
            "values": {text_of(name): np.asarray(array) for name, array in self.values.items()},
            "present": _mask("present", self.present),
            "answered": _mask("answered", self.answered),
            "names": words_of("names of data sets", self.names),
            "excluded": {
                text_of(reason): np.asarray(counts) for reason, counts in self.excluded.items()
            },
            "notes": words_of("notes", [self.notes] if isinstance(self.notes, str) else self.notes),
        }
        for name, value in plainly.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return self.present.shape[0]

    def __repr__(self) -> str:
        n = self.n_trials
        size = f"{n.min()}–{n.max()}" if len(self) else "no"
        return (
            f"Trials({len(self)} data sets, {size} trials each, columns"
            f" {', '.join(c.name for c in self.columns)})"
        )

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
        raise KeyError(
            f"Expected one of the columns {[c.name for c in self.columns]}; got {name!r}."
        )

    def where(self, name: str, level: str) -> Array:
        """(dataset, trial) True where the category ``name`` is at ``level``; outcomes count only
        where there was an answer.
        """
        column = self.column(name)
        if not isinstance(column, Category) or level not in column.levels:
            raise KeyError(f"Expected a category column with the level {level!r}; got {column}.")
        known = self.present if column.given else self.answered
        return known & (self.values[name] == column.levels.index(level))


def checked(trials: Trials) -> Trials:
    """The same trials, after looking at every value: finite where answered, categories within their
    levels, positive ones above 0, and what is given once for a data set the same in all its trials.

    Raises:
        ValueError: naming the column, the data set and the value.
    """
    if (trials.answered & ~trials.present).any():
        raise ValueError(
            "Expected answers only where a trial is present; got an answered trial that is absent."
        )
    for column in trials.columns:
        known = trials.present if column.given else trials.answered
        values = np.asarray(trials.values[column.name])
        fine, wanted = allowed(column, values)
        if (known & ~fine).any():
            person, trial = np.argwhere(known & ~fine)[0]
            raise ValueError(
                f"Expected {wanted} in column {column.name!r}; got {values[person, trial]} in data"
                f" set {trials.names[person]!r}, trial {trial}. Mark trials without an answer in"
                " `answered` instead of writing a number."
            )
        if column.per != "trial":
            once = per_dataset(trials, column.name)
            differs = trials.present & (values != once[:, None])
            if differs.any():
                person = int(np.argmax(differs.any(axis=1)))
                raise ValueError(
                    f"Expected one value of {column.name!r} in all trials of a data set; got"
                    f" {np.unique(values[person][trials.present[person]])[:3]} in data set"
                    f" {trials.names[person]!r}. Declare the column with per='trial', or make it"
                    " constant."
                )
    return trials


def per_dataset(trials: Trials, name: str) -> Array:
    """The value of a column in the first trial of each data set, (dataset,); what stands there for
    data sets without trials is never looked at.
    """
    first = trials.present.argmax(axis=1) if trials.present.shape[1] else np.zeros(len(trials), int)
    return (
        trials.values[name][np.arange(len(trials)), first]
        if trials.present.shape[1]
        else np.zeros(len(trials), trials.column(name).dtype)
    )


def positions_of(names: Sequence[str], wanted: Any) -> Array:
    """The positions of some data sets, (chosen,).

    Args:
        names: of all of them.
        wanted: positions (from 0; -1 is the last), names, a slice, or for each data set whether it
            is wanted; a single position or name will do. A name that several data sets have stands
            for all of them.

    Raises:
        KeyError: for a name that no data set has.
        IndexError: for a position that there is not, or True and False for another number of data
            sets.
        TypeError: for anything else.
    """
    if isinstance(wanted, slice):
        return np.arange(len(names))[wanted]
    if isinstance(wanted, str) or np.ndim(wanted) == 0:
        wanted = [wanted]
    chosen = list(plain(np.asarray(wanted) if isinstance(wanted, range) else wanted))
    if chosen and all(isinstance(one, bool) for one in chosen):
        if len(chosen) != len(names):
            raise IndexError(
                f"Expected True or False for each of {len(names)} data sets; got {len(chosen)} of"
                " them."
            )
        return np.flatnonzero(chosen)
    if all(isinstance(one, str) for one in chosen):
        return _positions_of_names(names, chosen)
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in chosen):
        raise TypeError(
            "Expected positions of data sets, names, a slice, or True and False for each; got"
            f" {wanted!r}."
        )
    outside = [one for one in chosen if not -len(names) <= one < len(names)]
    if outside:
        raise IndexError(
            f"Expected positions from 0 to {len(names) - 1}, for {len(names)} data sets; got"
            f" {outside[0]}."
        )
    return np.arange(len(names))[np.array(chosen, int)]


def _positions_of_names(names: Sequence[str], wanted: Sequence[str]) -> Array:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    unknown = [name for name in wanted if name not in places]
    if unknown:
        raise KeyError(
            f"Expected names of data sets, such as {', '.join(names[:5])}; got {unknown[0]!r}."
        )
    return np.array([place for name in wanted for place in places[name]], int)


def select(
    trials: Trials, datasets: Sequence[int] | Sequence[str] | Array | slice | int | str
) -> Trials:
    """Some of the data sets, in the order asked for.

    Args:
        trials: of all of them.
        datasets: positions (from 0), names, a slice, or for each data set True or False.

    Raises:
        KeyError: for a name that no data set has.
        IndexError: for a position that there is not, or True and False for another number of data
            sets.
    """
    index = positions_of(trials.names, datasets)
    return replace(
        trials,
        values={name: array[index] for name, array in trials.values.items()},
        present=trials.present[index],
        answered=trials.answered[index],
        names=tuple(trials.names[i] for i in index),
        excluded={reason: counts[index] for reason, counts in trials.excluded.items()},
    )


def shuffled(trials: Trials, rng: np.random.Generator) -> Trials:
    """The same trials of every data set in random order, without gaps between them."""
    order = np.argsort(
        rng.random(trials.present.shape) + ~trials.present, axis=1
    )  # absent ones come last
    values = {
        name: np.take_along_axis(array, order, axis=1) for name, array in trials.values.items()
    }
    present, answered = (
        np.take_along_axis(array, order, axis=1) for array in (trials.present, trials.answered)
    )
    return replace(trials, values=values, present=present, answered=answered)


def first_of(trials: Trials, sizes: Array) -> Trials:
    """The first trials of every data set, so many as ``sizes`` (dataset,) says or there are."""
    keep = trials.present & (np.cumsum(trials.present, axis=1) <= np.asarray(sizes)[:, None])
    return replace(trials, present=keep, answered=trials.answered & keep)


def pad(trials: Trials, n_trials: int) -> Trials:
    """The same data sets with room for ``n_trials`` trials each; the new places are absent.

    Raises:
        ValueError: when there are more trials than that already.
    """
    extra = n_trials - trials.present.shape[1]
    if extra < 0:
        raise ValueError(
            f"Expected room for at least {trials.present.shape[1]} trials; got n_trials={n_trials}."
        )

    def widen(array: Array) -> Array:
        return np.pad(array, ((0, 0), (0, extra)))

    values = {name: widen(array) for name, array in trials.values.items()}
    return replace(
        trials, values=values, present=widen(trials.present), answered=widen(trials.answered)
    )


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
    parts = [pad(part, width) for part in parts]
    reasons = dict.fromkeys(reason for part in parts for reason in part.excluded)
    return Trials(
        columns=parts[0].columns,
        values={
            name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values
        },
        present=np.concatenate([part.present for part in parts]),
        answered=np.concatenate([part.answered for part in parts]),
        names=tuple(name for part in parts for name in part.names),
        excluded={
            r: np.concatenate([part.excluded.get(r, np.zeros(len(part), int)) for part in parts])
            for r in reasons
        },
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def renumbered(trials: Trials) -> Trials:
    """The same data sets, called "1", "2", … again."""
    return Trials(
        trials.columns, trials.values, trials.present, trials.answered, excluded=trials.excluded
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
    order = np.argsort(dataset, kind="stable") if (np.diff(dataset) < 0).any() else slice(None)
    present = np.arange(counts.max(initial=0)) < counts[:, None]

    def spread(array: Array, dtype: type[np.generic]) -> Array:
        out = np.zeros(present.shape, dtype)
        out[present] = array[order]
        return out

    return Trials(
        columns=tuple(columns),
        values={
            column.name: spread(np.asarray(values[column.name]), column.dtype) for column in columns
        },
        present=present,
        answered=present.copy() if answered is None else spread(np.asarray(answered), np.bool_),
        names=tuple(names),
    )


def to_frame(trials: Trials) -> pd.DataFrame:
    """One row per trial: the data set's name under ``subject``, then the columns, categories by
    their level; no answer is a missing value.

    Where a column is called ``subject`` itself, the names stand under ``dataset``, ``dataset_2``, …
    """
    person, trial = np.nonzero(trials.present)
    answered = trials.answered[person, trial]
    frame = pd.DataFrame({_free_name(trials.columns): np.asarray(trials.names, object)[person]})
    for column in trials.columns:
        values = trials.values[column.name][person, trial]
        known = np.ones(len(values), bool) if column.given else answered
        if isinstance(column, Category):
            frame[column.name] = pd.Categorical.from_codes(
                np.where(known, values, -1), categories=list(column.levels)
            )
        else:
            frame[column.name] = np.where(known, values, np.nan)
    return frame


def _free_name(columns: Sequence[Column]) -> str:
    """What the names of the data sets are called among these columns."""
    taken = {column.name for column in columns}
    return next(
        name
        for name in ("subject", "dataset", *(f"dataset_{i + 2}" for i in range(len(taken))))
        if name not in taken
    )


def _mask(name: str, values: Any) -> Array:
    """True and False of any kind, also as 0 and 1."""
    array = np.asarray(values)
    if array.dtype.kind != "b" and not np.isin(array, (0, 1)).all():
        raise ValueError(f"Expected True or False in `{name}`; got {array.dtype}.")
    return array.astype(bool, copy=False)

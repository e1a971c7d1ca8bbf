"""Data of any kind, arrays, data frames and files, as `Trials`.

A scalar, or one value for each data set, is repeated for all trials. Values that all data sets
share are repeated for all data sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from incongruent.data.array_shapes import Shape, Spread, separated, shape_of, spread
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.plain import text_of, words_of
from incongruent.data.column_values import Declared, coded, column_for, missing
from incongruent.data.columns import Column, Continuous
from incongruent.data.data_frames import from_frame
from incongruent.data.files.tables import read_table
from incongruent.data.trials import Trials, checked

Array = np.ndarray


@checked_names
def trials_from(
    data: Any,
    columns: Sequence[Column] | None = None,
    *,
    given: Sequence[str] = (),
    n_trials: int | Array | None = None,
    answered: Array | str | None = None,
    dataset: str = "dataset",
) -> Trials:
    """Trials from arrays, a data frame or a file.

    Args:
        data: one of

            * a mapping of column names to arrays: (dataset, trial); (trial,) for what all data sets
              share; (dataset,) or (dataset, 1) for what is given once a data set; a scalar for what
              never changes; (dataset, trial, k) for k columns. Without any (dataset, trial) array
              every data set is a vector, and (dataset,) arrays are its elements;
            * an array (dataset, column) of vectors or (dataset, trial, column);
            * a data frame, or a file of one (CSV, TSV, Parquet), with one row a trial and a column
              that says to which data set a row belongs.

        columns: what the columns are; when left out they are found from names, shapes and values,
            and ``notes`` says what was found.
        given: names of (dataset, trial) columns that the design set, when ``columns`` are left out.
        n_trials: how many trials each data set has, one number or (dataset,); later places are
            empty. When left out all places hold trials.
        answered: (dataset, trial), or the name of a column of a data frame: False where no answer
            came; everywhere True when left out.
        dataset: the column of a data frame that says to which data set a row belongs.

    Raises:
        ValueError: when shapes do not fit, or a value is not what its column allows.

    Example:
        >>> import numpy as np
        >>> age = np.array([20.5, 30, 41])
        >>> trials_from({"rt": np.ones((3, 10)), "load": np.arange(10) % 2, "age": age})
        Trials(3 data sets, 10–10 trials each, columns rt, load, age)
    """
    trials, _ = trials_and_failures(
        data, columns, given, n_trials, answered, dataset, failed_too=False
    )
    return trials


def trials_and_failures(
    data: Any,
    columns: Sequence[Column] | None,
    given: Sequence[str],
    n_trials: Any,
    answered: Any,
    dataset: str,
    *,
    failed_too: bool,
) -> tuple[Trials, Array]:
    """The trials that `trials_from` gives, and which data sets failed, (dataset,).

    A data set fails when one of its numbers is not finite. With ``failed_too`` such data sets are
    left empty; without it they are refused.
    """
    given = words_of("columns in `given`", given)
    if columns is not None and len(given):
        raise ValueError(
            "Expected either columns, which say themselves whether they are given, or"
            f" given={list(given)}; got both."
        )
    if isinstance(data, Trials):
        has_options = len(given) > 0 or n_trials is not None or answered is not None
        return _unchanged(data, columns, has_options), np.zeros(len(data), bool)
    declared = Declared(columns, frozenset(given))
    if isinstance(data, Mapping):
        arrays = {text_of(name): np.asarray(array) for name, array in data.items()}
        return _from_arrays(arrays, declared, n_trials, answered, failed_too)
    if isinstance(data, np.ndarray):
        return _from_one_array(data, declared, n_trials, answered, failed_too)
    if n_trials is not None:
        raise ValueError(
            "Expected a data frame with one row a trial, which tells their numbers; got"
            f" n_trials={n_trials} beside. Leave it out."
        )
    return from_frame(read_table(data)[0], declared, answered, dataset, failed_too=failed_too)


def _unchanged(trials: Trials, columns: Sequence[Column] | None, has_options: bool) -> Trials:
    if has_options or columns not in (None, trials.columns):
        raise ValueError(
            "Expected Trials as they are, which know their columns, numbers and answers; got"
            " options beside. Leave those out."
        )
    return trials


def _from_one_array(
    array: Array, declared: Declared, n_trials: Any, answered: Any, failed_too: bool
) -> tuple[Trials, Array]:
    """Trials from vectors (dataset, column), or from (dataset, trial, column)."""
    if array.ndim not in (2, 3):
        raise ValueError(
            "Expected an array (dataset, column) of vectors or (dataset, trial, column); got shape"
            f" {array.shape}."
        )
    columns = _columns_of_axis(array, declared)
    with_trials = array[:, None, :] if array.ndim == 2 else array
    arrays = {column.name: with_trials[..., k] for k, column in enumerate(columns)}
    named = Declared(columns, declared.given)
    return _from_arrays(arrays, named, n_trials, answered, failed_too)


def _columns_of_axis(array: Array, declared: Declared) -> Sequence[Column]:
    """A column for each place along the last axis: the declared ones, or x1, x2, …"""
    if declared.columns is None:
        names = [f"x{k + 1}" for k in range(array.shape[-1])]
        return [Continuous(name, given=name in declared.given) for name in names]
    names = [column.name for column in declared.columns]
    if len(names) != array.shape[-1]:
        raise ValueError(
            f"Expected {len(names)} columns, {names}, along the last axis; got shape {array.shape}."
        )
    return declared.columns


class _Places(NamedTuple):
    """Which places (dataset, trial) hold a trial, and which of these an answer."""

    present: Array
    came: Array

    def known(self, given: bool) -> Array:
        """Where a column has a value."""
        return self.present if given else self.came

    def without(self, failed: Array) -> _Places:
        """The places with none for the data sets (dataset,) that failed."""
        return _Places(self.present & ~failed[:, None], self.came & ~failed[:, None])


def _from_arrays(
    arrays: Mapping[str, Array],
    declared: Declared,
    n_trials: Any,
    answered: Any,
    failed_too: bool,
) -> tuple[Trials, Array]:
    arrays = separated(arrays)
    _check_names(arrays, declared)
    by_name = declared.by_name
    shape = shape_of(arrays, n_trials)
    places = _places(shape, n_trials, answered)
    data = {
        name: spread(name, array, shape, by_name.get(name), name in declared.given)
        for name, array in arrays.items()
    }
    failed = _failed(data, by_name, places) if failed_too else np.zeros(shape[0], bool)
    return _trials(data, declared, places.without(failed)), failed


def _trials(data: Mapping[str, Spread], declared: Declared, places: _Places) -> Trials:
    """The trials of columns at their full shape."""
    by_name = declared.by_name
    columns = {name: by_name.get(name) or _found(name, one, places) for name, one in data.items()}
    values = {
        name: coded(column, data[name].values, places.known(column.given))
        for name, column in columns.items()
    }
    made = tuple(declared.columns or columns.values())
    notes = declared.notes(columns.values())
    return checked(Trials(made, values, places.present, places.came, notes=notes))


def _check_names(arrays: Mapping[str, Array], declared: Declared) -> None:
    if declared.columns and set(declared.by_name) != set(arrays):
        raise ValueError(
            f"Expected arrays for the columns {sorted(declared.by_name)}; got {sorted(arrays)}."
        )
    if declared.given - set(arrays):
        raise ValueError(
            f"Expected `given` to name some of {sorted(arrays)}; got {sorted(declared.given)}."
        )


def _places(shape: Shape, n_trials: Any, answered: Any) -> _Places:
    n_datasets, width = shape
    n = np.broadcast_to(np.asarray(width if n_trials is None else n_trials), (n_datasets,))
    if (n < 0).any() or (n > width).any():
        raise ValueError(
            f"Expected n_trials of 0 to {width}, the places there are; got {n.min()} to {n.max()}."
        )
    present = np.arange(width) < n[:, None]
    came = present if answered is None else present & _answers(answered, shape)
    return _Places(present, came)


def _answers(answered: Any, shape: Shape) -> Array:
    """(dataset, trial) True where an answer came, if a trial is there."""
    answered = np.asarray(answered)
    if answered.shape != shape or answered.dtype.kind != "b":
        raise ValueError(
            f"Expected answered of shape {shape}, (dataset, trial), True or False; got"
            f" {answered.dtype} {answered.shape}."
        )
    return answered


def _failed(data: Mapping[str, Spread], declared: Mapping[str, Column], places: _Places) -> Array:
    """(dataset,) True where a value that should be known is not finite."""

    def incomplete(name: str, one: Spread) -> Array:
        given = one.given or (name in declared and declared[name].given)
        return np.logical_or.reduce(missing(one.values) & places.known(given), axis=1)

    return np.logical_or.reduce([incomplete(name, one) for name, one in data.items()])


def _found(name: str, data: Spread, places: _Places) -> Column:
    """The column that fits the values of an undeclared array."""
    return column_for(name, data.values[places.known(data.given)], data.per, data.given)

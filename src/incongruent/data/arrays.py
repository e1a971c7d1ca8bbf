"""Data of any kind, arrays, data frames and files, as `Trials`.

What is said once, a scalar or one value for each data set, is spread over the trials; what is said
once for a trial of all data sets is spread over the data sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data.basics.options import checked_names
from incongruent.data.basics.plain import text_of, words_of
from incongruent.data.files.tables import read_table
from incongruent.data.long_format import from_long
from incongruent.data.trials import (
    Category,
    Column,
    Continuous,
    Integer,
    Per,
    Trials,
    allowed,
    checked,
)

Array = np.ndarray

MOST_LEVELS = 12
"""Whole numbers with at most so many different values are read as categories when nobody says
otherwise.
"""


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
              that tells the data sets apart.

        columns: what the columns are; found from names, shapes and values when left out, and told
            in ``notes``.
        given: names of (dataset, trial) columns that the design set, when ``columns`` are left out.
        n_trials: how many trials each data set has, one number or (dataset,); later places are
            empty. All are used when left out.
        answered: (dataset, trial), or the name of a column of a data frame: False where no answer
            came; everywhere True when left out.
        dataset: the column of a data frame that tells the data sets apart.

    Raises:
        ValueError: when shapes do not fit, or a value is not what its column allows.

    Example:
        >>> import numpy as np
        >>> trials_from({"rt": np.ones((3, 10)), "load": np.arange(10) % 2, "age": np.array([20.5, 30, 41])})
        Trials(3 data sets, 10–10 trials each, columns rt, load, age)
    """
    return trials_and_failures(data, columns, given, n_trials, answered, dataset, failed_too=False)[
        0
    ]


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
    """What `trials_from` gives, and which data sets failed, (dataset,): those with a number that is
    not finite.

    With ``failed_too`` these are left empty; without it they are refused.
    """
    given = words_of("columns in `given`", given)
    if columns is not None and len(given):
        raise ValueError(
            "Expected either columns, which say themselves whether they are given, or"
            f" given={list(given)}; got both."
        )
    if isinstance(data, Trials):
        if (
            len(given)
            or n_trials is not None
            or answered is not None
            or columns not in (None, data.columns)
        ):
            raise ValueError(
                "Expected Trials as they are, which know their columns, numbers and answers; got"
                " options beside. Leave those out."
            )
        return data, np.zeros(len(data), bool)
    if isinstance(data, Mapping):
        return _from_arrays(
            {text_of(k): np.asarray(v) for k, v in data.items()},
            columns,
            set(given),
            n_trials,
            answered,
            failed_too,
        )
    if isinstance(data, np.ndarray):
        return _from_one_array(data, columns, set(given), n_trials, answered, failed_too)
    if n_trials is not None:
        raise ValueError(
            "Expected a data frame with one row a trial, which tells their numbers; got"
            f" n_trials={n_trials} beside. Leave it out."
        )
    return _from_frame(read_table(data)[0], columns, set(given), answered, dataset, failed_too)


def _from_one_array(
    array: Array,
    columns: Sequence[Column] | None,
    given: set[str],
    n_trials: Any,
    answered: Any,
    failed_too: bool,
) -> tuple[Trials, Array]:
    if array.ndim not in (2, 3):
        raise ValueError(
            "Expected an array (dataset, column) of vectors or (dataset, trial, column); got shape"
            f" {array.shape}."
        )
    names = (
        [f"x{k + 1}" for k in range(array.shape[-1])]
        if columns is None
        else [column.name for column in columns]
    )
    if len(names) != array.shape[-1]:
        raise ValueError(
            f"Expected {len(names)} columns, {names}, along the last axis; got shape {array.shape}."
        )
    whole = array[:, None, :] if array.ndim == 2 else array
    columns = columns or [Continuous(name, given=name in given) for name in names]
    return _from_arrays(
        {name: whole[..., k] for k, name in enumerate(names)},
        columns,
        given,
        n_trials,
        answered,
        failed_too,
    )


def _from_arrays(
    arrays: Mapping[str, Array],
    columns: Sequence[Column] | None,
    given: set[str],
    n_trials: Any,
    answered: Any,
    failed_too: bool,
) -> tuple[Trials, Array]:
    arrays = _split(arrays)
    declared = {column.name: column for column in columns or ()}
    if declared and set(declared) != set(arrays):
        raise ValueError(
            f"Expected arrays for the columns {sorted(declared)}; got {sorted(arrays)}."
        )
    if given - set(arrays):
        raise ValueError(f"Expected `given` to name some of {sorted(arrays)}; got {sorted(given)}.")
    shape = _shape_of(arrays, n_trials)
    n = np.broadcast_to(np.asarray(shape[1] if n_trials is None else n_trials), (shape[0],))
    if (n < 0).any() or (n > shape[1]).any():
        raise ValueError(
            f"Expected n_trials of 0 to {shape[1]}, the places there are; got {n.min()} to"
            f" {n.max()}."
        )
    present = np.arange(shape[1]) < n[:, None]
    came = present if answered is None else present & _as_answered(answered, shape)
    failed = np.zeros(shape[0], bool)
    placed = {
        name: _spread(name, array, shape, declared.get(name), name in given)
        for name, array in arrays.items()
    }
    if failed_too:
        for name, (spread, _, is_given) in placed.items():
            failed |= (
                _missing(spread)
                & (present if is_given or getattr(declared.get(name), "given", False) else came)
            ).any(axis=1)
        present, came = present & ~failed[:, None], came & ~failed[:, None]
    made, values, notes = [], {}, []
    for name, (spread, per, is_given) in placed.items():
        known = present if is_given else came
        column = declared.get(name) or _column_for(name, spread[known], per, is_given)
        if name not in declared:
            notes.append(f"{name} was read as {column}.")
        made.append(column)
        values[name] = _coded(column, spread, present if column.given else came)
    return (
        checked(Trials(tuple(columns or made), values, present, came, notes=tuple(notes))),
        failed,
    )


def _missing(values: Array) -> Array:
    """Where a number is not finite, same shape."""
    return ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)


def _as_answered(answered: Any, shape: tuple[int, int]) -> Array:
    answered = np.asarray(answered)
    if answered.shape != shape or answered.dtype.kind != "b":
        raise ValueError(
            f"Expected answered of shape {shape}, (dataset, trial), True or False; got"
            f" {answered.dtype} {answered.shape}."
        )
    return answered


def _split(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays with at most two axes: (dataset, trial, k) becomes k columns."""
    out: dict[str, Array] = {}
    for name, array in arrays.items():
        if array.ndim > 3 or array.dtype.kind == "c":
            raise ValueError(
                "Expected at most three axes (dataset, trial, column) of real numbers for"
                f" {name!r}; got {array.dtype} {array.shape}."
            )
        if array.ndim < 3:
            out[name] = array
        elif array.shape[2] == 1:
            out[name] = array[..., 0]
        else:
            out |= {f"{name}_{k + 1}": array[..., k] for k in range(array.shape[2])}
    n_arrays = sum(array.shape[2] if array.ndim == 3 else 1 for array in arrays.values())
    if len(out) != n_arrays:
        raise ValueError(
            f"Expected a name of its own for every column; the parts of {sorted(arrays)} are called"
            " alike. Rename one."
        )
    return out


def _shape_of(arrays: Mapping[str, Array], n_trials: Any) -> tuple[int, int]:
    """(dataset, trial) of the arrays that have both axes; vectors have one trial."""
    shapes = {array.shape for array in arrays.values() if array.ndim == 2}
    wide = {shape for shape in shapes if shape[1] != 1} or shapes
    if len(wide) > 1:
        found = {name: array.shape for name, array in arrays.items() if array.ndim == 2}
        raise ValueError(f"Expected the same shape (dataset, trial) for all columns; got {found}.")
    if wide:
        return next(iter(wide))
    lengths = {array.shape[0] for array in arrays.values() if array.ndim == 1}
    if len(lengths) != 1 or (n_trials is not None and np.max(n_trials) != 1):
        found = {name: array.shape for name, array in arrays.items()}
        raise ValueError(
            "Expected at least one array of shape (dataset, trial), or vectors of (dataset,)"
            f" arrays of one length; got {found}."
        )
    return lengths.pop(), 1


def _spread(
    name: str, array: Array, shape: tuple[int, int], column: Column | None, given: bool
) -> tuple[Array, Per, bool]:
    """The array as (dataset, trial); how often it changes; whether the design must have set it."""
    if array.shape == shape:
        return array, "trial", given
    if array.ndim == 0:
        return np.broadcast_to(array, shape), "batch", True
    if array.ndim == 1 and shape[1] == 1 and array.shape[0] == shape[0]:
        return array[:, None], "trial", given
    per_set, per_trial = (
        array.shape in ((shape[0],), (shape[0], 1)),
        array.shape in ((shape[1],), (1, shape[1])),
    )
    if per_set and per_trial and column is not None:
        per_set, per_trial = column.per != "trial", column.per == "trial"
    if per_set and per_trial:
        raise ValueError(
            f"Expected {name!r} to be told apart as one value a data set or one a trial; there are"
            f" {shape[0]} of each. Say which with columns=, per=."
        )
    if per_set:
        return np.broadcast_to(array.reshape(-1, 1), shape), "dataset", True
    if per_trial:
        return np.broadcast_to(array.reshape(1, -1), shape), "trial", True
    raise ValueError(
        f"Expected {name!r} of shape {shape} (dataset, trial), ({shape[1]},) for all data sets,"
        f" ({shape[0]},) for one value a data set, or a scalar; got {array.shape}."
    )


def _column_for(name: str, known: Array, per: Per, given: bool) -> Column:
    """What a column seems to be, by its known values."""
    if known.dtype.kind in "bOUS":
        return Category(name, tuple(sorted(set(_texts(known.reshape(-1))[0]))), given, per)
    if not np.isfinite(known).all() or not (known == np.floor(known)).all():
        return Continuous(name, given=given, positive=bool((known > 0).all()), per=per)
    different = np.unique(known)
    if len(different) <= MOST_LEVELS:
        return Category(name, tuple(text_of(v) for v in different), given, per)
    return Integer(name, given=given, per=per)


def _coded(column: Column, values: Array, known: Array) -> Array:
    """The values in the column's type; text and numbers of categories become the position of their
    level. What is not known is 0.
    """
    values = np.where(
        known,
        np.asarray(values),
        np.asarray(values).flat[int(np.argmax(known))] if known.any() else 0,
    )
    if not isinstance(column, Category):
        try:
            numbers = values.astype(float)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Expected numbers in column {column.name!r}; got {values.dtype} ({error})."
            ) from error
        fine, wanted = allowed(column, numbers)
        if not fine.all():
            place = tuple(int(i) + 1 for i in np.argwhere(~fine)[0])
            raise ValueError(
                f"Expected {wanted} in column {column.name!r}; got {numbers[~fine][0]} at place"
                f" {place}. Say with answered= which trials have no answer, or with columns= what"
                " the column is."
            )
        return np.where(known, numbers, 0).astype(column.dtype)
    texts, where = _texts(values.reshape(-1))
    different = np.array(
        [text if text in column.levels else _short(text) for text in texts], object
    )
    unknown = sorted(map(str, set(different) - set(column.levels)))
    if unknown:
        raise ValueError(
            f"Expected levels {column.levels} in column {column.name!r}; got {unknown[:5]}."
        )
    positions = np.array([column.levels.index(text) for text in different], np.int8)
    return positions[where].reshape(values.shape)


def _texts(values: Array) -> tuple[list[str], Array]:
    """The text of each different value, and for each of the values (value,) which one it is."""
    if values.dtype == object:  # where 1 and True are equal, and two texts
        values = np.array([text_of(value) for value in values], object)
    where, different = pd.factorize(values, use_na_sentinel=False)
    return [text_of(value) for value in different], where


def _short(text: str) -> str:
    """A number with six digits, for levels that were declared so."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def _from_frame(
    frame: pd.DataFrame,
    columns: Sequence[Column] | None,
    given: set[str],
    answered: Array | str | None,
    dataset: str,
    failed_too: bool,
) -> tuple[Trials, Array]:
    if dataset not in frame.columns:
        raise ValueError(
            f"Expected a column {dataset!r} that tells the data sets apart; the columns are"
            f" {list(frame.columns)}. Name it with dataset=."
        )
    codes, names = pd.factorize(frame[dataset])
    if (codes < 0).any():
        raise ValueError(
            f"Expected a data set for every row; {int((codes < 0).sum())} rows have none in"
            f" {dataset!r}."
        )
    came = (
        np.ones(len(frame), bool)
        if answered is None
        else np.asarray(frame[answered] if isinstance(answered, str) else answered, bool)
    )
    if came.shape != (len(frame),):
        raise ValueError(
            f"Expected answered of shape ({len(frame)},), one for each row; got {came.shape}."
        )
    left: Any = frame.rename(columns=text_of).drop(
        columns=[dataset, *([answered] if isinstance(answered, str) else [])]
    )
    failed = np.zeros(len(names), bool)
    if failed_too:
        known = [came | (name in given) for name in left.columns]
        rows = np.any(
            [
                _missing(left[name].to_numpy()) & where
                for name, where in zip(left.columns, known, strict=True)
            ],
            axis=0,
        )
        failed[codes[rows]] = True
        left, came, codes = left[~failed[codes]], came[~failed[codes]], codes[~failed[codes]]
    declared = {column.name: column for column in columns or ()}
    if declared and set(declared) != set(left.columns):
        raise ValueError(
            f"Expected the columns {sorted(declared)}; got {sorted(left.columns)}. Leave the others"
            " out of the data frame."
        )
    made, values, notes = [], {}, []
    for name in declared or map(str, left.columns):
        array, is_given = left[name].to_numpy(), name in given
        column = declared.get(name) or _column_for(
            name, array[came | is_given], _per_of(array, codes, is_given), is_given
        )
        if name not in declared:
            notes.append(f"{name} was read as {column}.")
        made.append(column)
        values[name] = _coded(column, array, np.ones(len(array), bool) if column.given else came)
    trials = from_long(made, codes, values, answered=came, names=[text_of(name) for name in names])
    return (
        checked(
            Trials(
                trials.columns,
                trials.values,
                trials.present,
                trials.answered,
                trials.names,
                notes=tuple(notes),
            )
        ),
        failed,
    )


def _per_of(array: Array, codes: Array, given: bool) -> Per:
    """Whether a given column changes with the trials, or only from data set to data set."""
    if not given:
        return "trial"
    n_different = len(pd.unique(array))
    pairs = len(pd.DataFrame({"dataset": codes, "value": array}).drop_duplicates())
    return "dataset" if n_different > 1 and pairs == len(np.unique(codes)) else "trial"

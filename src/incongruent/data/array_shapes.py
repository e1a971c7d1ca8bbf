"""Arrays of several shapes, brought to the shape (dataset, trial) of all columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from incongruent.data.columns import Column, Per

Array = np.ndarray
Shape = tuple[int, int]
"""How many data sets, and how many places for trials each of them has."""


class Spread(NamedTuple):
    """One column at its full shape (dataset, trial).

    Args:
        values: the values, (dataset, trial).
        per: how often they change.
        given: True when the design must have set them.
    """

    values: Array
    per: Per
    given: bool


def separated(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays with at most two axes; an array (dataset, trial, k) becomes k arrays.

    Raises:
        ValueError: for more axes, complex numbers, and names that come twice.
    """
    out: dict[str, Array] = {}
    for name, array in arrays.items():
        out |= _columns_of(name, array)
    if len(out) != sum(_n_columns(array) for array in arrays.values()):
        raise ValueError(
            f"Expected a name of its own for every column; the parts of {sorted(arrays)} are called"
            " alike. Rename one."
        )
    return out


def _n_columns(array: Array) -> int:
    return array.shape[2] if array.ndim == 3 else 1


def _columns_of(name: str, array: Array) -> dict[str, Array]:
    if array.ndim > 3 or array.dtype.kind == "c":
        raise ValueError(
            "Expected at most three axes (dataset, trial, column) of real numbers for"
            f" {name!r}; got {array.dtype} {array.shape}."
        )
    if array.ndim < 3:
        return {name: array}
    if array.shape[2] == 1:
        return {name: array[..., 0]}
    return {f"{name}_{k + 1}": array[..., k] for k in range(array.shape[2])}


def shape_of(arrays: Mapping[str, Array], n_trials: Any) -> Shape:
    """The shape (dataset, trial) of the arrays that have both axes; vectors have one trial.

    Raises:
        ValueError: when the arrays disagree.
    """
    shapes = {array.shape for array in arrays.values() if array.ndim == 2}
    wide = {shape for shape in shapes if shape[1] != 1} or shapes
    if len(wide) > 1:
        found = {name: array.shape for name, array in arrays.items() if array.ndim == 2}
        raise ValueError(f"Expected the same shape (dataset, trial) for all columns; got {found}.")
    return next(iter(wide)) if wide else (_common_length(arrays, n_trials), 1)


def _common_length(vectors: Mapping[str, Array], n_trials: Any) -> int:
    """How many data sets there are when every data set is a vector."""
    lengths = {array.shape[0] for array in vectors.values() if array.ndim == 1}
    if len(lengths) != 1 or (n_trials is not None and np.max(n_trials) != 1):
        found = {name: array.shape for name, array in vectors.items()}
        raise ValueError(
            "Expected at least one array of shape (dataset, trial), or vectors of (dataset,)"
            f" arrays of one length; got {found}."
        )
    return lengths.pop()


def spread(name: str, array: Array, shape: Shape, column: Column | None, given: bool) -> Spread:
    """One array at the full shape (dataset, trial).

    Args:
        name: of the column.
        array: its values.
        shape: the full shape.
        column: the column when it is declared.
        given: True when the caller says that the design set the values.

    Raises:
        ValueError: when the array does not fit the shape, or fits it in two ways.
    """
    if array.shape == shape:
        return Spread(array, "trial", given)
    if array.ndim == 0:
        return Spread(np.broadcast_to(array, shape), "batch", True)
    if shape[1] == 1 and array.shape == shape[:1]:
        return Spread(array[:, None], "trial", given)
    if _changes_per_dataset(name, array, shape, column):
        return Spread(np.broadcast_to(array.reshape(-1, 1), shape), "dataset", True)
    return Spread(np.broadcast_to(array.reshape(1, -1), shape), "trial", True)


def _changes_per_dataset(name: str, array: Array, shape: Shape, column: Column | None) -> bool:
    """Whether an array holds one value per data set, rather than one per trial."""
    n_datasets, n_trials = shape
    per_dataset = array.shape in ((n_datasets,), (n_datasets, 1))
    per_trial = array.shape in ((n_trials,), (1, n_trials))
    if per_dataset and per_trial:
        if column is not None:
            return column.per != "trial"
        raise ValueError(
            f"Expected {name!r} to be told apart as one value a data set or one a trial; there are"
            f" {n_datasets} of each. Say which with columns=, per=."
        )
    if not per_dataset and not per_trial:
        raise ValueError(
            f"Expected {name!r} of shape {shape} (dataset, trial), ({n_trials},) for all data sets,"
            f" ({n_datasets},) for one value a data set, or a scalar; got {array.shape}."
        )
    return per_dataset

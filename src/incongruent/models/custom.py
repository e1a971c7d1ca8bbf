"""Simulators from a user's own functions of one trial, of one data set or of vectors.

Functions compiled with numba are looped over without the interpreter; plain Python is called trial
by trial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numba.core.dispatcher import Dispatcher

from incongruent.data.trials import Column
from incongruent.models.compiled import Compiled, SimulationError, wrong_outcome

Array = np.ndarray
Simulate = Callable[
    [Array, Mapping[str, Array], Array, np.random.Generator], tuple[dict[str, Array], Array]
]


def from_trial(function: Callable[..., Any], columns: Sequence[Column]) -> Simulate:
    """A simulator from ``function(theta, *given, rng)``, which makes one trial.

    It is given theta (parameter,), the value of each given column in their order (categories as the
    position of their level) and a numpy Generator. It returns the outcomes in the order of their
    columns; a tuple when there are several. A trial without an answer returns None, or has a last
    element more, which is False.
    """
    given, outcomes = _split(columns)
    if isinstance(function, Dispatcher):
        return Compiled(function, given, outcomes)
    return _trial_by_trial(function, given, outcomes)


def _trial_by_trial(
    function: Callable[..., Any], given: Sequence[Column], outcomes: Sequence[Column]
) -> Simulate:
    """A simulator that calls a function of one trial for each trial that is present."""

    def simulate(
        theta: Array, values: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        made, answered = _empty(outcomes, present.shape)
        layout = [values[column.name] for column in given]
        for i, j in np.argwhere(present):
            outcome = function(theta[i], *(array[i, j].item() for array in layout), rng)
            answer = _answer(outcome, outcomes)
            if answer is not None:
                answered[i, j] = True
                _store(answer, outcomes, made, (i, j))
        return {**values, **made}, answered

    return simulate


def _store(
    answer: Sequence[Any],
    outcomes: Sequence[Column],
    made: Mapping[str, Array],
    at: tuple[Any, Any],
) -> None:
    """Put the outcomes of a trial into their arrays (dataset, trial)."""
    for column, part in zip(outcomes, answer, strict=True):
        made[column.name][at] = part


def from_dataset(function: Callable[..., Any], columns: Sequence[Column]) -> Simulate:
    """A simulator from ``function(theta, *given, n_trials, rng)``, which makes one data set.

    It is given theta (parameter,), for each given column an array (trial,) or, where its value is
    given once for a data set, that value, the number of trials and a numpy Generator. It returns
    for each outcome an array (trial,), as a tuple in the order of their columns or by name.
    """
    given, outcomes = _split(columns)

    def simulate(
        theta: Array, values: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        made, answered = _empty(outcomes, present.shape)
        for i in np.flatnonzero(present.any(axis=1)):
            here = present[i]
            n = int(here.sum())
            layout = [_of_dataset(column, values[column.name][i][here]) for column in given]
            outcome = function(theta[i], *layout, n, rng)
            for name, part in _by_name(outcome, outcomes).items():
                made[name][i, here] = _one_a_trial(name, part, n)
            answered[i, here] = True
        return {**values, **made}, answered

    return simulate


def from_vector(function: Callable[..., Any], columns: Sequence[Column]) -> Simulate:
    """A simulator from ``function(theta, rng)``, which makes one vector for each row of theta.

    Theta is (dataset, parameter), and the vectors are (dataset, column).
    """
    given, outcomes = _split(columns)
    if given:
        raise ValueError(
            "Expected only outcomes in a model of vectors; got the given columns"
            f" {[c.name for c in given]}. Use dataset= instead."
        )

    def simulate(
        theta: Array, values: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        if present.shape[1] != 1:
            raise SimulationError(
                f"Expected a design of one trial for a model of vectors; got {present.shape[1]}."
                " Use Design(1)."
            )
        made = np.asarray(function(theta, rng))
        if made.shape != (len(theta), len(outcomes)):
            raise SimulationError(
                f"Expected shape {(len(theta), len(outcomes))}, (dataset, column), from the"
                f" simulator; got {made.shape}."
            )
        return {column.name: made[:, [k]] for k, column in enumerate(outcomes)}, present.copy()

    return simulate


def unavailable(name: str) -> Simulate:
    """Stands in for a simulator that is not at hand."""

    def simulate(*_: Any) -> NoReturn:
        raise SimulationError(
            f"Expected a model that can simulate; {name!r} is known by simulations made elsewhere"
            " alone. Pass model= with a simulator of your own."
        )

    return simulate


def _answer(outcome: Any, outcomes: Sequence[Column]) -> Sequence[Any] | None:
    """What a function of one trial gave, in the order of the outcomes; None without an answer."""
    if outcome is None:
        return None
    parts = outcome if _is_row(outcome) else (outcome,)
    if len(parts) not in (len(outcomes), len(outcomes) + 1):
        wrong_outcome(outcomes, outcome)
    if len(parts) > len(outcomes) and not parts[-1]:
        return None
    return list(parts)[: len(outcomes)]


def _is_row(outcome: Any) -> bool:
    """Whether an outcome of a trial is a row of several values."""
    return isinstance(outcome, tuple | list | np.ndarray) and np.ndim(outcome) == 1


def _of_dataset(column: Column, trials: Array) -> Any:
    """The given values of a data set's trials, or the single one where it is given once."""
    return trials if column.per == "trial" else trials[0].item()


def _one_a_trial(name: str, values: Any, n: int) -> Any:
    """Values of an outcome, after a check that there is one for each of n trials."""
    if np.shape(values) != (n,):
        raise SimulationError(
            f"Expected {name!r} of shape ({n},), one value a trial, from the simulator;"
            f" got shape {np.shape(values)}."
        )
    return values


def _split(columns: Sequence[Column]) -> tuple[list[Column], list[Column]]:
    return [c for c in columns if c.given], [c for c in columns if not c.given]


def _empty(outcomes: Sequence[Column], shape: tuple[int, ...]) -> tuple[dict[str, Array], Array]:
    """Places for the outcomes: floats, so that a value that a column does not allow can be seen."""
    return {column.name: np.zeros(shape) for column in outcomes}, np.zeros(shape, bool)


def _by_name(outcome: Any, outcomes: Sequence[Column]) -> dict[str, Any]:
    """The arrays of a data set by the names of their columns, from a mapping or in their order."""
    names = [column.name for column in outcomes]
    if isinstance(outcome, Mapping):
        return _with_names(names, outcome)
    parts = (outcome,) if len(names) == 1 and not isinstance(outcome, tuple) else tuple(outcome)
    if len(parts) != len(names):
        raise SimulationError(
            f"Expected {len(names)} arrays, {names}, from the simulator; got {len(parts)}."
        )
    return dict(zip(names, parts, strict=True))


def _with_names(names: list[str], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a data set, after a check of their names."""
    if sorted(outcome) != sorted(names):
        raise SimulationError(
            f"Expected the outcomes {names} from the simulator; got {sorted(outcome)}."
        )
    return dict(outcome)

"""What a model is: parameters with units and domains, columns, and one function that simulates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incongruent.data.basics.options import checked_names
from incongruent.data.basics.packing import Portable
from incongruent.data.basics.plain import as_json, name_of, number
from incongruent.data.trials import Category, Column, Continuous, Integer
from incongruent.models import custom
from incongruent.models.custom import Simulate

Array = np.ndarray


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as in the literature.
        meaning: in a few words.
        unit: "" for none.
        low: smallest value for which the model is defined.
        high: largest value for which the model is defined.
        typical: a value people have; None when it is not known.
    """

    name: str
    meaning: str = ""
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    typical: float | None = None

    def __post_init__(self) -> None:
        for name, what in (
            ("name", "a parameter"),
            ("meaning", f"the meaning of {self.name!r}"),
            ("unit", f"the unit of {self.name!r}"),
        ):
            object.__setattr__(self, name, name_of(what, getattr(self, name)))
        for name in ("low", "high", *(["typical"] if self.typical is not None else [])):
            object.__setattr__(
                self, name, number(f"{name} of the parameter {self.name!r}", getattr(self, name))
            )
        if not self.low < self.high:
            raise ValueError(
                f"Expected low < high for the parameter {self.name!r}; got low={self.low},"
                f" high={self.high}."
            )


@dataclass(frozen=True)
class Kept:
    """Which trials exist at all, so that densities can be scaled to them.

    Attributes:
        window: shortest and longest RT, in the column's unit; answered trials outside are left out
            of simulated and observed data alike.
        deadline: a later RT counts as no answer.
        step: width of the interval around an RT in which it was before it was recorded. The
            likelihood of a trial is the mass of this interval divided by its width; 0 for the
            density at the RT itself.
    """

    window: tuple[float, float] | None = None
    deadline: float | None = None
    step: float = 0.0


OnGrid = Callable[[Array, Array, Mapping[str, Array], Array, Kept, int], Array]
"""A log likelihood for several values of one parameter."""


@dataclass(frozen=True)
class Likelihood:
    """The log likelihood of one data set at many parameter values.

    Attributes:
        at: ``at(theta, values, answered, kept, level) -> (theta,)`` with theta (theta, parameter),
            ``values`` mapping column names to arrays (trial,), ``answered`` (trial,) bool. It holds
            no interpreter lock for long.
        n_levels: how many levels of accuracy there are, 0 the fastest; 1 for a likelihood in closed
            form.
        densities: ``densities(theta, values, kept, level) -> (theta, trial)``, the log density of
            each of several answered trials; None when there is only the sum.
        on_grid: by parameter,
            ``on_grid[name](theta, grid, values, answered, kept, level) -> (theta, grid)``, ``at``
            for several values (grid,) of that parameter in place of its own; for parameters of
            which many values cost hardly more than one.
    """

    at: Callable[[Array, Mapping[str, Array], Array, Kept, int], Array]
    n_levels: int = 1
    densities: Callable[[Array, Mapping[str, Array], Kept, int], Array] | None = None
    on_grid: Mapping[str, OnGrid] = field(default_factory=dict)


@checked_names
@dataclass(frozen=True, init=False)
class Model(Portable):
    """A simulator of data sets of exchangeable trials, or of vectors.

    A vector is a data set of one trial.

    One of ``trial``, ``dataset``, ``vector`` and ``simulate`` says how; with none of them the model
    is known by simulations made elsewhere.

    Args:
        name: under which saved posteriors know it; `incongruent.models.build` makes those that
            ship.
        parameters: in the order of the columns of theta; a bare name stands for a parameter without
            limits.
        columns: what a trial records; ``given`` columns come from the design.
        trial: ``trial(theta, *given, rng)`` makes one trial, in plain Python or numba; see
            `incongruent.models.custom.from_trial`.
        dataset: ``dataset(theta, *given, n_trials, rng)`` makes all trials of a data set; see
            `incongruent.models.custom.from_dataset`.
        vector: ``vector(theta, rng) -> (dataset, column)`` makes a vector for each row of theta
            (dataset, parameter).
        simulate: ``simulate(theta, given, present, rng) -> (values, answered)`` makes many data
            sets, with theta (dataset, parameter), every other array (dataset, trial); ``given`` and
            ``values`` map column names to arrays.
        settings: the options that make this model from its name; JSON-able.
        reference: where it was published.
        likelihood: the exact likelihood of what is simulated; None when it is not known.

    Raises:
        ValueError: for names that come twice, no outcome, or more than one way to simulate.

    Example:
        >>> import numpy as np
        >>> from incongruent import Continuous
        >>> def normal_trials(theta, n_trials, rng):
        ...     return rng.normal(theta[0], 1.0, n_trials)
        >>> normal = Model("normal", ["mean"], [Continuous("x")], dataset=normal_trials)
        >>> normal.parameter_names
        ('mean',)
    """

    FUNCTIONS = ("simulate", "likelihood")

    name: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    simulate: Simulate = field(repr=False)
    settings: Mapping[str, object]
    reference: str
    likelihood: Likelihood | None = field(repr=False)

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter | str],
        columns: Sequence[Column],
        simulate: Simulate | None = None,
        settings: Mapping[str, object] | None = None,
        reference: str = "",
        likelihood: Likelihood | None = None,
        *,
        trial: Callable[..., Any] | None = None,
        dataset: Callable[..., Any] | None = None,
        vector: Callable[..., Any] | None = None,
    ) -> None:
        name, reference = name_of("a model", name), name_of("the reference of a model", reference)
        simulated = {"trial": trial, "dataset": dataset, "vector": vector, "simulate": simulate}
        estimated, measured = _parameters_of(name, parameters), _columns_of(name, columns)
        values = {
            "name": name,
            "parameters": estimated,
            "columns": measured,
            "simulate": _one_way(name, measured, **simulated),
            "settings": as_json(dict(settings or {}), f"settings of {name!r}"),
            "reference": reference,
            "likelihood": likelihood,
        }
        for entry, value in values.items():
            object.__setattr__(self, entry, value)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, in the order of the columns of theta."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def given(self) -> tuple[Column, ...]:
        """The columns that the design sets."""
        return tuple(column for column in self.columns if column.given)


def _parameters_of(model: str, parameters: Any) -> tuple[Parameter, ...]:
    """The parameters of a model, of which a bare name has no limits."""
    what = f"parameters of {model!r}"
    found = tuple(Parameter(p) if isinstance(p, str) else p for p in _several(parameters, what))
    _only(found, (Parameter,), what, "a name or Parameter(…)")
    _check_names(model, "parameter", [p.name for p in found])
    return found


def _columns_of(model: str, columns: Any) -> tuple[Column, ...]:
    """The columns of a model, among them an outcome."""
    what = f"columns of {model!r}"
    found = tuple(_several(columns, what))
    kinds = "Continuous(…), Integer(…) or Category(…)"
    _only(found, (Continuous, Integer, Category), what, kinds)
    _check_names(model, "column", [c.name for c in found])
    if all(column.given for column in found):
        raise ValueError(
            f"Expected an outcome among the columns of {model!r}, one with given=False; got only"
            " given ones."
        )
    return found


def _check_names(model: str, what: str, names: list[str]) -> None:
    if not names or len(set(names)) != len(names):
        raise ValueError(
            f"Expected at least one {what} of {model!r}, each with a name of its own; got {names}."
        )


def _several(values: Any, what: str) -> Sequence[Any]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"Expected a list of {what}; got {values!r}.")
    return list(values)


def _only(values: tuple[object, ...], kinds: tuple[type, ...], what: str, wanted: str) -> None:
    for value in values:
        if not isinstance(value, kinds):
            raise TypeError(f"Expected {what}, each {wanted}; got {value!r}.")


def _one_way(name: str, columns: tuple[Column, ...], **ways: Callable[..., Any] | None) -> Simulate:
    """The simulator of many data sets that the one function given stands for."""
    given = {way: function for way, function in ways.items() if function is not None}
    if len(given) > 1:
        raise ValueError(
            f"Expected one of trial, dataset, vector and simulate for {name!r}; got"
            f" {sorted(given)}."
        )
    make = {
        "trial": custom.from_trial,
        "dataset": custom.from_dataset,
        "vector": custom.from_vector,
    }
    for way, function in given.items():
        if not callable(function):
            raise TypeError(f"Expected a function for {way}; got {type(function).__name__}.")
        return make[way](function, columns) if way in make else function
    return custom.unavailable(name)

"""What a model is: parameters with units and domains, columns, and one function that simulates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from incongruent.trials import Column

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
        typical: a value people have.
    """

    name: str
    meaning: str
    unit: str
    low: float
    high: float
    typical: float


@dataclass(frozen=True)
class Kept:
    """Which trials exist at all, so that densities can be scaled to them.

    Attributes:
        window: shortest and longest RT, in the column's unit; answered trials outside are left out of simulated and observed data alike.
        deadline: a later RT counts as no answer.
    """

    window: tuple[float, float] | None = None
    deadline: float | None = None


@dataclass(frozen=True)
class Likelihood:
    """The log likelihood of one data set at many parameter values.

    Attributes:
        at: ``at(theta, values, answered, kept, level) -> (theta,)`` with theta (theta, parameter), ``values`` mapping column names to arrays
            (trial,), ``answered`` (trial,) bool. It holds no interpreter lock for long.
        n_levels: how many levels of accuracy there are, 0 the fastest; 1 for a likelihood in closed form.
        densities: ``densities(theta, values, kept, level) -> (theta, trial)``, the log density of each of several answered trials; None when
            there is only the sum.
    """

    at: Callable[[Array, Mapping[str, Array], Array, Kept, int], Array]
    n_levels: int = 1
    densities: Callable[[Array, Mapping[str, Array], Kept, int], Array] | None = None


@dataclass(frozen=True)
class Model:
    """A simulator of data sets of exchangeable trials.

    Attributes:
        name: under which `incongruent.models.build` makes it again.
        parameters: in the order of the columns of theta.
        columns: what a trial records; ``given`` columns come from the design.
        simulate: ``simulate(theta, given, present, rng) -> (values, answered)`` with theta (dataset, parameter), every other array (dataset, trial);
            ``given`` and ``values`` map column names to arrays.
        settings: the options that make this model from its name; JSON-able.
        reference: where it was published.
        likelihood: the exact likelihood of what ``simulate`` simulates; None when nobody knows it.
    """

    name: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    simulate: Callable[[Array, Mapping[str, Array], Array, np.random.Generator], tuple[dict[str, Array], Array]] = field(repr=False)
    settings: Mapping[str, object] = field(default_factory=dict)
    reference: str = ""
    likelihood: Likelihood | None = field(default=None, repr=False)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, in the order of the columns of theta."""
        return tuple(parameter.name for parameter in self.parameters)

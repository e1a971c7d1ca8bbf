"""What a model does at given parameter values, as curves.

These are the mean activation up to the bounds, and the densities of RTs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from incongruent.data.basics.options import checked_names
from incongruent.data.trials import CONDITION, RESPONSE
from incongruent.models.diffusion import PassageModel
from incongruent.models.model import Kept, Model

Array = np.ndarray

LONGEST_RT = 4000.0
"""Up to where densities are worked out, in ms."""
ACCURACY = 1
"""Level of the likelihood; densities are good to about a thousandth of their height."""
SHOWN = 0.995
"""Share of the answered trials, of every condition, that the curves of densities hold."""


@dataclass(frozen=True, eq=False)
class Activation:
    """What the decision process does on average, without its noise.

    Attributes:
        times: (time,) since the stimulus, in ms.
        path: (level, time) mean path; what is controlled alone is the path of "neutral", and what
            is automatic the difference from it.
        bound: (time,) distance of either bound from 0; the upper one is the correct response.
        levels: the conditions, "neutral" among them.
    """

    times: Array
    path: Array
    bound: Array
    levels: tuple[str, ...]

    def of(self, level: str) -> Array:
        """The mean path of a condition, (time,)."""
        return self.path[self.levels.index(level)]

    @property
    def controlled(self) -> Array:
        """The mean path without anything automatic, (time,)."""
        return self.of("neutral")

    def automatic(self, level: str) -> Array:
        """What a condition adds to the controlled path, (time,)."""
        return self.of(level) - self.controlled


@dataclass(frozen=True, eq=False)
class Densities:
    """Defective densities of RTs.

    Correct responses and errors of a condition integrate to one together, but for trials without an
    answer.

    Attributes:
        rt: (time,) in ms.
        density: (level, response, time) in 1/ms; correct responses first, then errors.
        levels: the conditions.
    """

    rt: Array
    density: Array
    levels: tuple[str, ...]

    def share(self, response: str) -> Array:
        """Share of the trials of each condition with a response, "correct" or "error", (level,).

        It is the share as far as the curves reach.
        """
        return np.trapezoid(self.density[:, RESPONSE.levels.index(response)], self.rt, axis=-1)


@checked_names
def mean_activation(
    model: Model, theta: Sequence[float] | Array, *, until: float = 600.0
) -> Activation:
    """Mean paths in every condition and the bounds, from the equations of the simulator.

    Args:
        model: a diffusion between two bounds: DMC, RDMC or SSP.
        theta: (parameter,), in the order of the model's parameters.
        until: last time, in ms.

    Raises:
        ValueError: for a model without mean paths, or other parameters.

    Example:
        >>> from incongruent.models import dmc
        >>> activation = mean_activation(dmc(), [20, 120, 0.55, 60, 340, 35])
        >>> automatic = activation.automatic("congruent")
        >>> float(automatic.max().round(3)), int(activation.times[automatic.argmax()])
        (20.0, 120)
    """
    if not isinstance(model.simulate, PassageModel):
        raise ValueError(
            "Expected a model with mean paths between two bounds, like DMC, RDMC or SSP; got"
            f" {model.name!r}. Draw its simulated trials instead."
        )
    times = np.linspace(0.0, until, 601)
    paths = model.simulate.paths(_one(model, theta), times[None], slice(None))
    path = _summed_from_zero(paths.increment[0])
    return Activation(times, path, paths.bound[0], tuple(CONDITION.levels))


def _summed_from_zero(increment: Array) -> Array:
    """A path (condition, time + 1) that begins at 0, from its changes (condition, time)."""
    beginning = np.zeros((len(CONDITION.levels), 1))
    return np.concatenate([beginning, np.cumsum(increment, axis=-1)], axis=-1)


@checked_names
def rt_densities(
    model: Model,
    theta: Sequence[float] | Array,
    *,
    levels: Sequence[str] = ("congruent", "incongruent"),
    kept: Kept | None = None,
) -> Densities:
    """Densities of correct responses and errors by the exact likelihood.

    Args:
        model: one with an exact likelihood that knows the densities of single trials.
        theta: (parameter,), in the order of the model's parameters.
        levels: the conditions.
        kept: which trials exist; all of them when left out. There are no curves where there are no
            trials.

    Raises:
        ValueError: for a model without such densities, or other parameters.

    Example:
        >>> from incongruent.models import dmc
        >>> densities = rt_densities(dmc(), [20, 120, 0.55, 60, 340, 35])
        >>> [round(float(share), 2) for share in densities.share("error")]
        [0.02, 0.1]
    """
    if model.likelihood is None or model.likelihood.densities is None:
        raise ValueError(
            f"Expected a model whose densities are known; {model.name!r} has none. Draw its"
            " simulated trials instead."
        )
    kept = kept or Kept()
    rt = _times_kept(kept)
    codes = [CONDITION.levels.index(level) for level in levels]
    density = densities_at(model.likelihood.densities, _one(model, theta), codes, rt, kept)
    last = _n_shown(density)
    return Densities(rt[:last], density[..., :last], tuple(levels))


def _times_kept(kept: Kept) -> Array:
    """The times of the curves in ms, (time,): those at which there are trials."""
    rt = np.arange(2.0, LONGEST_RT, 4.0)
    low, high = kept.window or (0.0, LONGEST_RT)
    return rt[(rt >= low) & (rt <= min(high, kept.deadline or LONGEST_RT))]


def _n_shown(density: Array) -> int:
    """At how many times (level, response, time) hardly any mass lies beyond the last."""
    mass = np.cumsum(density.sum(axis=1), axis=-1)  # (level, time)
    return int((mass < SHOWN * mass[:, -1:]).sum(axis=-1).max()) + 1


def densities_at(
    densities: Callable[..., Array], theta: Array, codes: Sequence[int], rt: Array, kept: Kept
) -> Array:
    """Densities in some conditions at some times, (level, response, time) in 1/ms.

    Responses are correct ones and errors; theta is that of one data set, (1, parameter).
    """
    # each (level, response, time)
    grid = np.meshgrid(codes, np.arange(len(RESPONSE.levels)), rt, indexing="ij")
    values = {
        name: part.ravel() for name, part in zip(("condition", "response", "rt"), grid, strict=True)
    }
    return np.exp(densities(theta, values, kept, ACCURACY)).reshape(grid[0].shape)


def _one(model: Model, theta: Sequence[float] | Array) -> Array:
    """The values of one data set, (1, parameter)."""
    values = np.asarray(theta, float)
    if values.shape != (len(model.parameters),):
        raise ValueError(
            f"Expected a value for each of {model.parameter_names}; got theta of shape"
            f" {values.shape}."
        )
    return values[None]

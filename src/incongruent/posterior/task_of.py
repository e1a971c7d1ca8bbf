"""What a network needs to know of a simulator: the levels that occur, the axis of a histogram."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from incongruent.data.basics.streams import Purpose, child
from incongruent.data.trials import Category, Column, Continuous, Trials
from incongruent.networks.histogram import is_positive
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulator

N_FOR_AXIS = 512
"""Data sets that are simulated to find the axis."""
TAIL = 0.001
"""Share of their values beyond either end of the axis; they count at its ends."""
MARGIN = 0.1
"""By this share of the range the axis is wider."""


def levels_of(design: Design, columns: Sequence[Column]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """For each given category its name and the levels that the design can give it."""
    return tuple(
        (column.name, _levels(design, column))
        for column in columns
        if isinstance(column, Category) and column.given
    )


def _levels(design: Design, column: Category) -> tuple[str, ...]:
    """The levels that a design can give a category."""
    if design.share and column == design.condition:
        return design.levels
    how = design.given.get(column.name)
    if not isinstance(how, Mapping):
        return column.levels
    return tuple(level for level in column.levels if how.get(level, 0.0) > 0.0)


def axis_of(
    simulator: Simulator, simulated: Callable[[], Trials] | None = None
) -> tuple[float, float] | None:
    """The range of the only continuous outcome.

    It is the window of response times, or else the range of some data sets, a tenth wider.

    Args:
        simulator: model, prior and design.
        simulated: gives these data sets; 512 are simulated when left out.

    Returns:
        Lowest and highest knot; None when there is no single continuous outcome.

    Raises:
        ValueError: when the data sets have no answer at all.
    """
    outcome = _only_outcome(simulator.model.columns)
    if outcome is None:
        return None
    if outcome.name == "rt" and simulator.design.window is not None:
        return simulator.design.window
    trials = simulated() if simulated is not None else _simulated_for_axis(simulator)
    values = trials.values[outcome.name][trials.answered].astype(float)
    if not len(values):
        raise ValueError(
            f"Expected answers in {len(trials)} data sets; got none, so that the range of"
            f" {outcome.name!r} is unknown."
        )
    return _widened(*np.quantile(values, [TAIL, 1.0 - TAIL]), log=is_positive(outcome))


def _simulated_for_axis(simulator: Simulator) -> Trials:
    """Data sets to find the range of an outcome, always the same ones."""
    return simulator.simulate(N_FOR_AXIS, seed=child(0, Purpose.PILOT)).trials


def _only_outcome(columns: Sequence[Column]) -> Continuous | None:
    """The only continuous outcome; None when there is none, or several."""
    outcomes = [c for c in columns if isinstance(c, Continuous) and not c.given]
    return outcomes[0] if len(outcomes) == 1 else None


def _widened(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """The range, a tenth wider; on the logarithm for positive columns, which stay positive."""
    if not (log and low > 0.0):
        return _with_margin(low, high)
    below, above = _with_margin(np.log(low), np.log(high))
    return float(np.exp(below)), float(np.exp(above))


def _with_margin(low: float, high: float) -> tuple[float, float]:
    """The range, a tenth wider; one of no width gets a width of 1."""
    margin = 0.5 * MARGIN * (high - low) if high > low else 0.5
    return float(low - margin), float(high + margin)

"""What has to be known of a simulator before a network can be built: which levels occur, and where
the histogram's knots should lie.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from incongruent.data.basics.streams import Purpose, child
from incongruent.data.trials import Category, Column, Continuous, Trials
from incongruent.networks.histogram import is_positive
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulator

N_PILOT = 512
TAIL = 0.001
"""Share of the pilot's values beyond either end of the axis; they count at its ends."""
MARGIN = 0.1


def levels_of(design: Design, columns: Sequence[Column]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """For each given category its name and the levels that the design can give it."""
    return tuple(
        (column.name, _levels(design, column))
        for column in columns
        if isinstance(column, Category) and column.given
    )


def _levels(design: Design, column: Category) -> tuple[str, ...]:
    if design.share and column == design.condition:
        return design.levels
    how = design.given.get(column.name)
    return (
        tuple(level for level in column.levels if how.get(level, 0.0) > 0.0)
        if isinstance(how, Mapping)
        else column.levels
    )


def axis_of(
    simulator: Simulator, pilot: Callable[[], Trials] | None = None
) -> tuple[float, float] | None:
    """The range of the only continuous outcome: the window of response times, or else the range of
    some data sets, a tenth wider.

    Args:
        simulator: model, prior and design.
        pilot: gives these data sets; 512 are simulated when left out.

    Returns:
        Lowest and highest knot; None when there is no single continuous outcome.

    Raises:
        ValueError: when the pilot has no answer at all.
    """
    outcomes = [
        column
        for column in simulator.model.columns
        if isinstance(column, Continuous) and not column.given
    ]
    if len(outcomes) != 1:
        return None
    if outcomes[0].name == "rt" and simulator.design.window is not None:
        return simulator.design.window
    trials = (
        simulator.simulate(N_PILOT, seed=child(0, Purpose.PILOT)).trials
        if pilot is None
        else pilot()
    )
    values = trials.values[outcomes[0].name][trials.answered].astype(float)
    if not len(values):
        raise ValueError(
            f"Expected answers in {len(trials)} data sets; got none, so that the range of"
            f" {outcomes[0].name!r} is unknown."
        )
    return _widened(*np.quantile(values, [TAIL, 1.0 - TAIL]), log=is_positive(outcomes[0]))


def _widened(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """The range with a tenth of it more at both ends together, on the logarithm for positive
    columns, which stay positive.
    """
    if log and low > 0.0:
        below, above = _widened(np.log(low), np.log(high), log=False)
        return float(np.exp(below)), float(np.exp(above))
    margin = 0.5 * MARGIN * (high - low) if high > low else 0.5
    return float(low - margin), float(high + margin)

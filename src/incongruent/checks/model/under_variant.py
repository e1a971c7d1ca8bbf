"""The people of a study under one variant of the model: a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from incongruent.checks.model.moves import Move, New
from incongruent.checks.statistics import nan_mean

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class UnderVariant:
    """The people of a study under one variant.

    Attributes:
        name: of the variant; "as fitted" for the network's own model.
        words: what it changes.
        log_evidence: sum over people, less that of the model as fitted, in nats.
        share_better: of people whose evidence is larger than under the model as fitted.
        frequency: expected share of people whose trials come from it, among all that were asked.
        exceedance: protected probability that it is the most frequent one.
        observed: (person, statistic), in the order of the panel's statistics.
        predicted: (person, statistic), mean over data sets simulated from its exact posterior; NaN
            for people whose trials it cannot give.
        z: (statistic,) of the group, in the units of the panel's replicates.
        failing: names of statistics that fail by the panel's test, the worst first.
        repaired: those that fail as fitted and not here.
        remaining: those that fail here, also those that did not fail as fitted.
        moves: of the parameters that it shares with the model as fitted.
        new: parameters that the model as fitted has not.
    """

    name: str
    words: str
    log_evidence: float
    share_better: float
    frequency: float
    exceedance: float
    observed: Array = field(repr=False)
    predicted: Array = field(repr=False)
    z: Array = field(repr=False)
    failing: tuple[str, ...]
    repaired: tuple[str, ...]
    remaining: tuple[str, ...]
    moves: tuple[Move, ...]
    new: tuple[New, ...] = ()

    def means(self) -> tuple[Array, Array]:
        """Observed and predicted values, (statistic,), over people who have both."""
        missing = np.isnan(self.observed) | np.isnan(self.predicted)
        observed, predicted = (
            nan_mean(np.where(missing, np.nan, values), 0)
            for values in (self.observed, self.predicted)
        )
        return observed, predicted

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "variant": self.name,
            "log_evidence": self.log_evidence,
            "share_better": self.share_better,
            "frequency": self.frequency,
            "exceedance": self.exceedance,
            "repaired": list(self.repaired),
            "remaining": list(self.remaining),
            "moves": [dict(vars(move)) for move in self.moves],
            "new": [dict(vars(new)) for new in self.new],
        }

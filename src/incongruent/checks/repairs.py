"""What each variant of the model would repair, weighed by what matters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from incongruent.checks.model.panel import Panel
from incongruent.checks.model.relevance import Margins, Misfit, relevant_among, sizes_of
from incongruent.checks.model.under_variant import UnderVariant
from incongruent.checks.model.which_variant import WhichVariant
from incongruent.exact.variant_results import BASE, DECISIVE

MOST_AGAINST = 1.0
"""Nats a person. A new parameter that people hardly need costs evidence, since its prior expects
more of it: about 2.5 nats for a person of 300 trials, none of them a lapse.
"""


@dataclass(frozen=True)
class Repair:
    """What a variant of the model would change.

    Attributes:
        name: of the variant.
        log_evidence: sum over people, less that of the model as fitted, in nats.
        left: what fails under it, with sizes.
        moved: by how many posterior SDs of a person the parameter that moves most does.
        n_people: whose evidence it is.
    """

    name: str
    log_evidence: float
    left: tuple[Misfit, ...]
    moved: float
    n_people: int

    @property
    def suffices(self) -> bool:
        """Whether nothing relevant fails under it, and the evidence does not speak against it."""
        return not relevant_among(self.left) and self.log_evidence > self._least_evidence

    @property
    def _least_evidence(self) -> float:
        """The log evidence from which on it speaks against the variant."""
        return -max(DECISIVE, MOST_AGAINST * self.n_people)


def repairs_of(
    which: WhichVariant | None, panel: Panel, margins: Margins, explained: Collection[str]
) -> tuple[Repair, ...]:
    """What each variant would change; nothing where none was asked about.

    Args:
        which: the variants, under the prior in use.
        panel: under the same prior.
        margins: how large a difference has to be before it matters.
        explained: names of statistics that fail under the prior in use alone, and so are not held
            against a variant either.
    """
    if which is None:
        return ()
    return tuple(_repair(row, panel, margins, explained) for row in which.rows if row.name != BASE)


def _repair(
    row: UnderVariant, panel: Panel, margins: Margins, explained: Collection[str]
) -> Repair:
    sizes = sizes_of(panel.statistics, row.observed, row.predicted, panel.usual, margins)
    sized = {misfit.name: misfit for misfit in sizes}
    left = tuple(sized[name] for name in row.failing if name not in explained)
    moved = max((abs(move.in_posterior_sds) for move in row.moves), default=0.0)
    return Repair(row.name, row.log_evidence, left, moved, len(row.observed))


def best_repair(repairs: Sequence[Repair]) -> Repair | None:
    """Of the variants that suffice, the one with the most evidence; None where none does."""
    sufficient = [repair for repair in repairs if repair.suffices]
    return max(sufficient, key=lambda repair: repair.log_evidence, default=None)


def closest_repair(repairs: Sequence[Repair]) -> Repair | None:
    """The variant that leaves the fewest relevant failures, and then has the most evidence."""

    def distance(repair: Repair) -> tuple[int, float]:
        return len(relevant_among(repair.left)), -repair.log_evidence

    return min(repairs, key=distance, default=None)

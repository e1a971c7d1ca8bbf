"""Selection: which rows become trials, and why the others are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from incongruent.data.long_format import from_long
from incongruent.data.reading.options import Options
from incongruent.data.reading.people import People
from incongruent.data.reading.rows import Rows, within
from incongruent.data.trials import CONFLICT_TASK, Array, Trials

REASONS = ("timeout", "missing", "out of window", "unknown condition", "unknown accuracy code")
"""Why a trial is left out; one to which several apply counts under the first."""


@dataclass(frozen=True)
class Selection:
    """Why each row is left out.

    Attributes:
        reason: (row,) the position of the first of `REASONS` that applies; their number where none
            does.
    """

    reason: Array

    @property
    def kept(self) -> Array:
        """(row,) True where a row becomes a trial."""
        return self.reason == len(REASONS)


def selected(rows: Rows, options: Options) -> Selection:
    """Which rows become trials."""
    rt, omitted = rows.answers.rt, rows.answers.omitted
    condition, accuracy = rows.condition, rows.accuracy
    incomplete = np.isnan(rt) | accuracy.missing
    applies = {
        "timeout": omitted & (not options.keeps_omissions),
        "missing": condition.missing | (~omitted & incomplete),
        "out of window": ~omitted & ~within(rt, options.window),
        "unknown condition": ~condition.known,
        "unknown accuracy code": ~omitted & ~accuracy.known,
    }
    in_order = [applies[reason] for reason in REASONS]
    return Selection(np.select(in_order, range(len(REASONS)), default=len(REASONS)))


def trials_of(rows: Rows, people: People, selection: Selection) -> Trials:
    """The trials of each data set; those without an answer have the values 0."""
    kept = selection.kept
    omitted = rows.answers.omitted[kept]
    values = {
        "condition": rows.condition.codes[kept],
        "response": np.where(omitted, 0, rows.accuracy.codes[kept]),
        "rt": np.where(omitted, 0.0, rows.answers.rt[kept]),
    }
    dataset = people.dataset[kept]
    return from_long(CONFLICT_TASK, dataset, values, answered=~omitted, names=people.names)


def excluded(people: People, selection: Selection) -> Mapping[str, Array]:
    """How many rows of each data set are left out under each of `REASONS`, each (dataset,)."""
    return {
        name: np.bincount(people.dataset[selection.reason == i], minlength=len(people.names))
        for i, name in enumerate(REASONS)
    }

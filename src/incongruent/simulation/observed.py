"""Designs of observed data: the same conditions, or the very same places, as the trials of a study.

`ObservedDesign` repeats how many trials of each condition every person had, in a new random order.
`ObservedLayout` repeats each trial where it was, with everything that was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from incongruent.data.trials import CONDITION, Category, Column, Trials
from incongruent.simulation.conditions import shuffled
from incongruent.simulation.designs import Design, plain_range
from incongruent.simulation.recording import Recording
from incongruent.simulation.windows import WINDOW, DefaultWindow, Range, window_for

if TYPE_CHECKING:
    from jaxtyping import Bool, Int, Shaped

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class ObservedDesign:
    """The design of observed data: data set i has exactly the trials per condition of person i.

    It is made by `design_of`.

    Attributes:
        counts: (person, level) trials; (person, 1) without conditions.
        window: as in `Design`.
        deadline: as in `Design`.
        condition: the column that ``counts`` speaks of; None when there is none.
        given: values of all given columns as they were, (person, trial), when there are others than
            the condition.
        present: (person, trial) where these values are.
        recording: as in `Design`.
        phases: (person,) where the lattice points of each person's RTs lie, in ms; None to draw
            them.
    """

    counts: Array
    window: Range | None = WINDOW
    deadline: float | None = None
    condition: Category | None = CONDITION
    given: Mapping[str, Array] = field(default_factory=dict)
    present: Array | None = None
    recording: Recording | None = None
    phases: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "deadline", plain_range(self.deadline))
        if not isinstance(self.window, DefaultWindow):
            object.__setattr__(self, "window", plain_range(self.window))

    @property
    def largest(self) -> int:
        """The largest number of trials of a data set."""
        return int(self.counts.sum(axis=1).max(initial=0))

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the condition that occur, in their own order."""
        if self.condition is None:
            return ()
        totals = zip(self.condition.levels, self.counts.sum(axis=0), strict=True)
        return tuple(level for level, n in totals if n)

    def bound_to(self, columns: Sequence[Column]) -> ObservedDesign:
        """The same design for the columns of a model.

        Raises:
            ValueError: when a given column of the model was not in the study.
        """
        condition = {self.condition.name} if self.condition is not None else set()
        _check_given(set(self.given) | condition, columns)
        window = window_for(self.window, self.deadline, columns, self.recording is not None)
        return replace(self, window=window)

    def lay_out(
        self, n_datasets: int, rng: np.random.Generator
    ) -> tuple[Shaped[Array, "dataset trial"], Bool[Array, "dataset trial"]]:
        """As `Design.lay_out`; with more data sets than people they begin again with the first."""
        return shuffled(self.counts[self._rows(n_datasets)], rng)

    def lay_out_given(
        self,
        n_datasets: int,
        columns: Sequence[Column],
        rng: np.random.Generator,
        *,
        full: bool = False,
    ) -> tuple[dict[str, Array], Array]:
        """As `Design.lay_out_given`; data sets always have their own size."""
        if self.present is not None:
            return _at(self.given, self.present, self._rows(n_datasets))
        condition, present = self.lay_out(n_datasets, rng)
        return {self.condition.name: condition} if self.condition is not None else {}, present

    def layout_of_simulated(self, trials: Trials) -> ObservedLayout:
        """The layout that data sets simulated from this design had before trials were left out."""
        rows = self._rows(len(trials))
        n = self.counts[rows].sum(axis=1, keepdims=True)
        present = np.arange(trials.present.shape[1]) < n
        if self.present is not None:
            present = self.present[rows]
        phases = None if self.phases is None else self.phases[rows]
        given = _given_of(trials)
        return ObservedLayout(given, present, self.window, self.deadline, self.recording, phases)

    def phases_for(self, n_datasets: int, rng: np.random.Generator) -> Array | None:
        """As `Design.phases_for`: those of the people, where they are known."""
        return _phases_of(self, self._rows(n_datasets), rng)

    def _rows(self, n_datasets: int) -> Int[Array, " dataset"]:
        """The person whose design each data set has."""
        return np.arange(n_datasets) % len(self.counts)


@dataclass(frozen=True, eq=False)
class ObservedLayout:
    """The layout of observed data: data set i has the very trials of person i, in their places.

    It is made by `layout_of`.

    Attributes:
        given: values of all given columns, (person, trial).
        present: (person, trial) where these values are.
        window: as in `Design`.
        deadline: as in `Design`.
        recording: as in `Design`.
        phases: as in `ObservedDesign`.
    """

    given: Mapping[str, Array]
    present: Bool[Array, "person trial"]
    window: Range | None = None
    deadline: float | None = None
    recording: Recording | None = None
    phases: Array | None = None

    def bound_to(self, columns: Sequence[Column]) -> ObservedLayout:
        """The same layout for the columns of a model.

        Raises:
            ValueError: when a given column of the model was not in the study.
        """
        _check_given(set(self.given), columns)
        window = window_for(self.window, self.deadline, columns, self.recording is not None)
        return replace(self, window=window)

    def lay_out_given(
        self,
        n_datasets: int,
        columns: Sequence[Column],
        rng: np.random.Generator,
        *,
        full: bool = False,
    ) -> tuple[dict[str, Array], Array]:
        """As `Design.lay_out_given`, but always the observed trials; then again from the first."""
        return _at(self.given, self.present, np.arange(n_datasets) % len(self.present))

    def select(self, people: Array) -> ObservedLayout:
        """The layouts of some of the people, by position, in this order."""
        given, present = _at(self.given, self.present, people)
        phases = None if self.phases is None else self.phases[people]
        return replace(self, given=given, present=present, phases=phases)

    def phases_for(self, n_datasets: int, rng: np.random.Generator) -> Array | None:
        """As `ObservedDesign.phases_for`."""
        return _phases_of(self, np.arange(n_datasets) % len(self.present), rng)


def design_of(
    study: Trials,
    *,
    window: Range | None = WINDOW,
    deadline: float | None = None,
    condition: Category | None = None,
    recording: Recording | None = None,
) -> ObservedDesign:
    """The design that a study had, person by person.

    Args:
        study: the observed trials.
        window: as in `Design`.
        deadline: as in `Design`.
        condition: the column whose levels are counted; the only category given by trial when left
            out.
        recording: as in `Design`; phases that it leaves open are those of the people's RTs.
    """
    given = [column for column in study.columns if column.given]
    condition = condition or _only_category(given)
    found = ObservedDesign(_counts_of(study, condition), window, deadline, condition)
    found = replace(found, recording=recording, phases=_phases_in(study, recording))
    if _nothing_else(given, condition):
        return found
    return replace(found, given=_given_of(study), present=study.present)


def design_like(design: Design, study: Trials) -> ObservedDesign:
    """The design that a study had, with window, deadline, condition and recording of another."""
    return design_of(
        study,
        window=design.window,
        deadline=design.deadline,
        condition=design.condition,
        recording=design.recording,
    )


def layout_of(
    study: Trials,
    *,
    window: Range | None,
    deadline: float | None,
    recording: Recording | None = None,
) -> ObservedLayout:
    """The layout that a study had, trial by trial; options as in `design_of`."""
    phases = _phases_in(study, recording)
    return ObservedLayout(_given_of(study), study.present, window, deadline, recording, phases)


def _phases_in(study: Trials, recording: Recording | None) -> Array | None:
    """The phases of people's RTs (person,); None without a recording."""
    if recording is None:
        return None
    return recording.phases_in(study.values["rt"], study.answered)


def _phases_of(
    design: ObservedDesign | ObservedLayout, rows: Array, rng: np.random.Generator
) -> Array | None:
    """The phases of data sets with the designs of people at some positions, (dataset,)."""
    if design.recording is None:
        return None
    if design.phases is None:
        return design.recording.drawn_phases(len(rows), rng)
    return design.phases[rows]


def _given_of(study: Trials) -> dict[str, Array]:
    """The values of all given columns, (person, trial)."""
    return {column.name: study.values[column.name] for column in study.columns if column.given}


def _nothing_else(given: Sequence[Column], condition: Category | None) -> bool:
    """Whether nothing is given but the condition, if there is one."""
    return [column.name for column in given] == ([condition.name] if condition is not None else [])


def _only_category(given: Sequence[Column]) -> Category | None:
    """The only category among given columns that changes by trial; None unless there is one."""
    found = [c for c in given if isinstance(c, Category) and c.per == "trial"]
    return found[0] if len(found) == 1 else None


def _counts_of(study: Trials, condition: Category | None) -> Array:
    """Trials of each level, (person, level); of all, (person, 1), without a condition."""
    if condition is None:
        return study.n_trials[:, None]
    by_level = [study.where(condition.name, level).sum(axis=1) for level in condition.levels]
    return np.stack(by_level, axis=1)


def _check_given(known: set[str], columns: Sequence[Column]) -> None:
    """Check that these are the given columns of a model.

    Raises:
        ValueError: when they are not.
    """
    wanted = {column.name for column in columns if column.given}
    if wanted != known:
        raise ValueError(
            f"Expected a study with the given columns {sorted(wanted)} of the model; got"
            f" {sorted(known)}."
        )


def _at(given: Mapping[str, Array], present: Array, rows: Array) -> tuple[dict[str, Array], Array]:
    """Given values and which trials exist, of these rows."""
    return {name: values[rows] for name, values in given.items()}, present[rows]

"""Designs: how many trials a data set has, of which conditions, and which trials are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeGuard

import numpy as np

from incongruent.data.basics.options import checked_names
from incongruent.data.basics.packing import Portable
from incongruent.data.basics.plain import plain, text_of
from incongruent.data.trials import CONDITION, Category, Column
from incongruent.simulation.conditions import drawn_shares, shuffled, trial_counts
from incongruent.simulation.covariates import (
    Covariate,
    comparable,
    covariate_values,
    covariate_words,
    plain_covariate,
)
from incongruent.simulation.recording import Recording
from incongruent.simulation.windows import WINDOW, DefaultWindow, Range, names_of, window_for

Array = np.ndarray


def _as_range(value: float | Range) -> Range:
    return value if isinstance(value, tuple) else (value, value)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_pair(value: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(of, value))


def _is_number_or_range(value: Any) -> bool:
    return _is_number(value) or _is_pair(value, _is_number)


def plain_range(value: Any) -> Any:
    """A number or a range in plain Python; anything else as it is."""
    value = plain(value)
    if _is_number(value):
        return float(value)
    return (float(value[0]), float(value[1])) if _is_pair(value, _is_number) else value


@checked_names
@dataclass(frozen=True)
class Design(Portable):
    """A family of designs, from which each simulated data set gets one.

    Args:
        n_trials: trials of a data set; a pair is a range from which the number is drawn so that
            each doubling is as likely as the next.
        share: for each level of the condition the share of its trials; a pair is a range from which
            it is drawn. A level left out has no trials. Empty for a model without conditions.
        window: shortest and longest RT kept, in ms; trials outside are left out of simulated and
            observed data alike. None keeps all. The default is 150 to 2500 ms, or None for models
            without a column ``rt`` in ms.
        deadline: RT in ms after which a trial counts as one without an answer; None for no
            deadline. `read_trials` leaves timeouts out, so a network for files that it reads should
            have none.
        condition: the column that the shares speak of; the model's column with these levels when
            left out.
        given: for each other given column how its values come about: a frozen distribution of
            scipy.stats, a number, for categories a mapping of levels to probabilities, or a
            function ``(shape, rng) -> values``. They change as often as the column says: with every
            trial, data set, or batch.
        recording: the lattice on which RTs are recorded; None for times as they are.

    Raises:
        ValueError: when a number is out of range, a level unknown, or the shares cannot sum to 1.

    Example:
        >>> Design(n_trials=(50, 1000), share={"congruent": 0.5, "incongruent": 0.5}).largest
        1000
    """

    FUNCTIONS = ("given",)

    n_trials: int | tuple[int, int]
    share: Mapping[str, float | Range] = field(default_factory=dict)
    window: Range | None = WINDOW
    deadline: float | None = None
    condition: Category = CONDITION
    given: Mapping[str, Covariate] = field(default_factory=dict)
    recording: Recording | None = None

    def __post_init__(self) -> None:
        self._make_plain()
        self._check_types()
        if not 1 <= self.smallest <= self.largest:
            raise ValueError(
                "Expected n_trials of at least 1, or a range (smallest, largest); got"
                f" {self.n_trials}."
            )
        self._name_condition()
        self._check_shares()
        self._check_times()

    def _make_plain(self) -> None:
        """Turn all numbers and texts into those of plain Python, whatever they came as."""
        self._set("n_trials", plain(self.n_trials))
        self._set("deadline", plain_range(self.deadline))
        if not isinstance(self.window, DefaultWindow):
            self._set("window", plain_range(self.window))
        if hasattr(self.share, "items"):
            self._set("share", _plain_shares(self.share))
        if hasattr(self.given, "items"):
            self._set("given", _plain_covariates(self.given))

    def _set(self, name: str, value: Any) -> None:
        """Set an attribute while the design is made; later on it is frozen."""
        object.__setattr__(self, name, value)

    def _check_types(self) -> None:
        """Refuse what is not a number, a range or a mapping where one is expected."""
        if not _is_size(self.n_trials) and not _is_pair(self.n_trials, _is_size):
            raise ValueError(
                "Expected n_trials of at least 1, or a range (smallest, largest); got"
                f" {self.n_trials!r}."
            )
        if not isinstance(self.share, Mapping) or not all(
            map(_is_number_or_range, self.share.values())
        ):
            raise ValueError(
                "Expected a share, a number or a range, for each level of the condition; got"
                f" {self.share!r}."
            )
        if not isinstance(self.given, Mapping):
            raise ValueError(
                f"Expected a mapping of given columns to distributions; got {self.given!r}."
            )
        if not isinstance(self.condition, Category):
            raise ValueError(f"Expected the condition to be a Category; got {self.condition!r}.")
        self._check_types_of_times()
        if not isinstance(self.recording, Recording | None):
            raise ValueError(f"Expected a Recording(step), or None; got {self.recording!r}.")

    def _check_types_of_times(self) -> None:
        """Refuse a window that is no pair of numbers, and a deadline that is no number."""
        if self.window is not None and not _is_pair(self.window, _is_number):
            raise ValueError(
                f"Expected a window (shortest, longest) in ms, or None; got {self.window!r}."
            )
        if self.deadline is not None and not _is_number(self.deadline):
            raise ValueError(f"Expected a deadline above 0 ms, or None; got {self.deadline!r}.")

    def _name_condition(self) -> None:
        """Make a condition of the levels of shares for other levels than those of the default.

        It stands until `bound_to` finds the column of the model.
        """
        known = any(level in CONDITION.levels for level in self.share)
        if self.share and self.condition == CONDITION and not known:
            self._set("condition", Category("condition", tuple(self.share), given=True))

    def _check_shares(self) -> None:
        """Refuse unknown levels, shares outside [0, 1] and shares that cannot sum to 1."""
        for level, value in self.share.items():
            if level not in self.condition.levels:
                raise ValueError(
                    f"Expected shares for levels of {self.condition.levels}; got {level!r}."
                )
            if not 0.0 <= _as_range(value)[0] <= _as_range(value)[1] <= 1.0:
                raise ValueError(f"Expected the share of {level!r} within [0, 1]; got {value}.")
        if self.share and not self._shares_can_sum_to_one():
            raise ValueError(f"Expected shares that sum to 1; got {dict(self.share)}.")

    def _shares_can_sum_to_one(self) -> bool:
        ranges = [_as_range(value) for value in self.share.values()]
        lowest, highest = (sum(ends) for ends in zip(*ranges, strict=True))
        return lowest - 1e-9 <= 1.0 <= highest + 1e-9

    def _check_times(self) -> None:
        """Refuse a window without width or before 0, and a deadline of 0 or earlier."""
        if self.window is not None and not 0.0 <= self.window[0] < self.window[1]:
            raise ValueError(f"Expected a window (shortest, longest) in ms; got {self.window}.")
        if self.deadline is not None and self.deadline <= 0:
            raise ValueError(f"Expected a deadline above 0 ms; got {self.deadline}.")

    def __repr__(self) -> str:
        entries = {entry.name: repr(getattr(self, entry.name)) for entry in fields(self)}
        entries["given"] = self._given_words()
        return f"Design({', '.join(f'{name}={words}' for name, words in entries.items())})"

    def _given_words(self) -> str:
        """What sets the given columns, as a user would write it."""
        given = ", ".join(f"{name!r}: {covariate_words(how)}" for name, how in self.given.items())
        return f"{{{given}}}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Design):
            return NotImplemented
        return self._comparable() == other._comparable()

    def _comparable(self) -> dict[str, Any]:
        """All entries, with what sets the given columns in a form that can be compared."""
        entries = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return entries | {"given": {name: comparable(how) for name, how in self.given.items()}}

    __hash__ = None  # type: ignore[assignment]

    def bound_to(self, columns: Sequence[Column]) -> Design:
        """The same design for the columns of a model.

        Raises:
            ValueError: when a given column has no values, or the design speaks of something that
                the model does not have.
        """
        given = {column.name: column for column in columns if column.given}
        window = window_for(self.window, self.deadline, columns, self.recording is not None)
        condition = self._condition_among(columns, given.values()) if self.share else CONDITION
        with_shares = {condition.name} if self.share else set()
        self._check_given(set(given) - with_shares)
        return replace(self, window=window, condition=condition)

    def _condition_among(self, columns: Sequence[Column], given: Iterable[Column]) -> Category:
        """The column that the shares speak of: the one named, or the only one with these levels."""
        if self.condition in columns:
            return self.condition
        fits = [column for column in given if self._fits(column)]
        if len(fits) != 1:
            raise ValueError(
                "Expected shares for the levels of one of the given columns"
                f" {names_of(given)}; got {dict(self.share)} for"
                f" {self.condition.name!r}. Name the column with Design(condition=…)."
            )
        return fits[0]

    def _fits(self, column: Column) -> TypeGuard[Category]:
        """Whether the shares may speak of a column: a category by trial that has their levels."""
        return (
            isinstance(column, Category)
            and column.per == "trial"
            and set(self.share) <= set(column.levels)
        )

    def _check_given(self, wanted: set[str]) -> None:
        """Refuse values for columns that the model does not give, and columns without values."""
        if wanted != set(self.given):
            missing, extra = sorted(wanted - set(self.given)), sorted(set(self.given) - wanted)
            raise ValueError(
                f"Expected values for exactly the given columns of the model; missing {missing},"
                f" not in the model {extra}. Set categories by trial with Design(share={{level:"
                " share}), everything else with Design(given={name: distribution})."
            )

    def lay_out_given(
        self,
        n_datasets: int,
        columns: Sequence[Column],
        rng: np.random.Generator,
        *,
        full: bool = False,
    ) -> tuple[dict[str, Array], Array]:
        """The values of all given columns, each (dataset, trial), and present (dataset, trial).

        Options as in `lay_out`.
        """
        condition, present = self.lay_out(n_datasets, rng, full=full)
        values: dict[str, Array] = {}
        for column in columns:
            if self._is_condition(column):
                values[column.name] = condition
            elif column.given:
                values[column.name] = self._drawn(column, present.shape, rng)
        return values, present

    def phases_for(self, n_datasets: int, rng: np.random.Generator) -> Array | None:
        """The phases (dataset,) of the lattices of RTs; None where there are none."""
        return None if self.recording is None else self.recording.drawn_phases(n_datasets, rng)

    def _is_condition(self, column: Column) -> bool:
        """Whether the shares speak of this given column."""
        return column.given and bool(self.share) and column.name == self.condition.name

    def _drawn(self, column: Column, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Values of a given column, (dataset, trial), as often new as the column says."""
        once = {"trial": shape, "dataset": (shape[0], 1), "batch": (1, 1)}[column.per]
        drawn = covariate_values(column, self.given[column.name], once, rng)
        return np.ascontiguousarray(np.broadcast_to(drawn, shape))

    @property
    def smallest(self) -> int:
        """The smallest number of trials of a data set."""
        return int(_as_range(self.n_trials)[0])

    @property
    def largest(self) -> int:
        """The largest number of trials of a data set."""
        return int(_as_range(self.n_trials)[1])

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the condition that occur, in their own order."""
        return tuple(level for level in self.condition.levels if self.share_of(level)[1] > 0.0)

    def share_of(self, level: str) -> Range:
        """The range of the share of a level of the condition."""
        return _as_range(self.share.get(level, 0.0))

    def sizes(self, n_datasets: int, rng: np.random.Generator) -> Array:
        """Numbers of trials (n_datasets,): exp(U(log smallest, log(largest + 1))), rounded down."""
        drawn = np.exp(rng.uniform(np.log(self.smallest), np.log(self.largest + 1), n_datasets))
        return np.clip(drawn.astype(int), self.smallest, self.largest)

    def shares(self, n_datasets: int, rng: np.random.Generator) -> Array:
        """Shares of all levels of the condition, shape (n_datasets, level); rows sum to 1."""
        ranges = np.array([self.share_of(level) for level in self.condition.levels])
        return drawn_shares(ranges, n_datasets, rng)

    def lay_out(
        self, n_datasets: int, rng: np.random.Generator, *, full: bool = False
    ) -> tuple[Array, Array]:
        """Conditions in random order.

        Args:
            n_datasets: how many data sets.
            rng: the source of randomness.
            full: give every data set the largest number of trials.

        Returns:
            condition (dataset, trial) int8 and present (dataset, trial) bool.
        """
        n = np.full(n_datasets, self.largest) if full else self.sizes(n_datasets, rng)
        if self.share:
            return shuffled(trial_counts(self.shares(n_datasets, rng), n), rng)
        return _without_conditions(n)


def _without_conditions(n_trials: Array) -> tuple[Array, Array]:
    """Zeros in place of conditions, and which trials exist, each (dataset, trial)."""
    width = int(n_trials.max(initial=0))
    return np.zeros((len(n_trials), width), np.int8), np.arange(width) < n_trials[:, None]


def _plain_shares(share: Mapping[Any, Any]) -> dict[str, Any]:
    return {text_of(level): plain_range(value) for level, value in share.items()}


def _plain_covariates(given: Mapping[Any, Any]) -> dict[str, Covariate]:
    return {text_of(name): plain_covariate(text_of(name), how) for name, how in given.items()}

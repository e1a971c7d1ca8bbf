"""Designs: how many trials a data set has, of which conditions, and which trials are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numba
import numpy as np

from incongruent.data.basics.options import checked_names
from incongruent.data.basics.packing import Portable
from incongruent.data.basics.plain import plain, text_of
from incongruent.data.trials import CONDITION, Category, Column, Continuous, Trials
from incongruent.simulation.covariates import (
    Covariate,
    comparable,
    covariate_values,
    covariate_words,
    plain_covariate,
)

Array = np.ndarray

Range = tuple[float, float]


class Usual(tuple[float, float]):
    """A range that nobody has asked for: the same as any other, but left out where it has no
    meaning.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return Usual, (tuple(self),)


def _as_range(value: float | Range) -> Range:
    return value if isinstance(value, tuple) else (value, value)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_pair(value: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(of, value))


def _floats(value: Any) -> Any:
    """A number or a range in plain Python; anything else as it is."""
    value = plain(value)
    if _is_number(value):
        return float(value)
    return (float(value[0]), float(value[1])) if _is_pair(value, _is_number) else value


WINDOW = Usual((150.0, 2500.0))
"""Shortest and longest RT in ms that are kept when nobody says otherwise."""


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
            observed data alike. None keeps all. When nobody says, 150 to 2500 ms, or nothing for
            models without a column ``rt`` in ms.
        deadline: RT in ms after which a trial counts as one without an answer; None for no
            deadline. `read_trials` leaves timeouts out, so a network for files that it reads should
            have none.
        condition: the column that the shares speak of; the model's column with these levels when
            left out.
        given: for each other given column how its values come about: a frozen distribution of
            scipy.stats, a number, for categories a mapping of levels to probabilities, or a
            function ``(shape, rng) -> values``. They change as often as the column says: with every
            trial, data set, or batch.

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

    def __post_init__(self) -> None:
        self._take_over()
        if not _is_size(self.n_trials) and not _is_pair(self.n_trials, _is_size):
            raise ValueError(
                "Expected n_trials of at least 1, or a range (smallest, largest); got"
                f" {self.n_trials!r}."
            )
        if not isinstance(self.share, Mapping) or not all(
            _is_number(v) or _is_pair(v, _is_number) for v in self.share.values()
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
        if self.window is not None and not _is_pair(self.window, _is_number):
            raise ValueError(
                f"Expected a window (shortest, longest) in ms, or None; got {self.window!r}."
            )
        if self.deadline is not None and not _is_number(self.deadline):
            raise ValueError(f"Expected a deadline above 0 ms, or None; got {self.deadline!r}.")
        if not 1 <= self.smallest <= self.largest:
            raise ValueError(
                "Expected n_trials of at least 1, or a range (smallest, largest); got"
                f" {self.n_trials}."
            )
        if (
            self.share
            and self.condition == CONDITION
            and not any(level in CONDITION.levels for level in self.share)
        ):
            object.__setattr__(
                self, "condition", Category("condition", tuple(self.share), given=True)
            )  # until `bound_to` finds the model's
        for level, value in self.share.items():
            if level not in self.condition.levels:
                raise ValueError(
                    f"Expected shares for levels of {self.condition.levels}; got {level!r}."
                )
            if not 0.0 <= _as_range(value)[0] <= _as_range(value)[1] <= 1.0:
                raise ValueError(f"Expected the share of {level!r} within [0, 1]; got {value}.")
        ranges = [_as_range(value) for value in self.share.values()]
        if (
            ranges
            and not sum(r[0] for r in ranges) - 1e-9 <= 1.0 <= sum(r[1] for r in ranges) + 1e-9
        ):
            raise ValueError(f"Expected shares that sum to 1; got {dict(self.share)}.")
        if self.window is not None and not 0.0 <= self.window[0] < self.window[1]:
            raise ValueError(f"Expected a window (shortest, longest) in ms; got {self.window}.")
        if self.deadline is not None and self.deadline <= 0:
            raise ValueError(f"Expected a deadline above 0 ms; got {self.deadline}.")

    def _take_over(self) -> None:
        """Numbers in plain Python, whatever they came as."""
        plainly: dict[str, Any] = {
            "n_trials": plain(self.n_trials),
            "deadline": _floats(self.deadline),
        }
        if not isinstance(self.window, Usual):
            plainly["window"] = _floats(self.window)
        if hasattr(self.share, "items"):
            plainly["share"] = {
                text_of(level): _floats(value) for level, value in self.share.items()
            }
        if hasattr(self.given, "items"):
            plainly["given"] = {
                text_of(name): plain_covariate(text_of(name), how)
                for name, how in self.given.items()
            }
        for name, value in plainly.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        given = ", ".join(f"{name!r}: {covariate_words(how)}" for name, how in self.given.items())
        entries = {entry.name: repr(getattr(self, entry.name)) for entry in fields(self)} | {
            "given": f"{{{given}}}"
        }
        return f"Design({', '.join(f'{name}={words}' for name, words in entries.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Design):
            return NotImplemented
        return all(
            getattr(self, e.name) == getattr(other, e.name)
            for e in fields(self)
            if e.name != "given"
        ) and (
            {name: comparable(how) for name, how in self.given.items()}
            == {name: comparable(how) for name, how in other.given.items()}
        )

    __hash__ = None  # type: ignore[assignment]

    def bound_to(self, columns: Sequence[Column]) -> Design:
        """The same design, speaking of these columns of a model.

        Raises:
            ValueError: when a given column has no values, or the design speaks of something that
                the model does not have.
        """
        condition = (
            self.condition if self.share else CONDITION
        )  # without shares nobody speaks of it
        design = replace(
            self, window=_window_for(self.window, self.deadline, columns), condition=condition
        )
        given = {column.name: column for column in columns if column.given}
        if self.share and self.condition not in columns:
            fits = [
                c
                for c in given.values()
                if isinstance(c, Category) and c.per == "trial" and set(self.share) <= set(c.levels)
            ]
            if len(fits) != 1:
                raise ValueError(
                    "Expected shares for the levels of one of the given columns"
                    f" {_listed(given.values())}; got {dict(self.share)} for"
                    f" {self.condition.name!r}. Name the column with Design(condition=…)."
                )
            design = replace(design, condition=fits[0])
        wanted = set(given) - ({design.condition.name} if self.share else set())
        if wanted != set(self.given):
            missing, extra = sorted(wanted - set(self.given)), sorted(set(self.given) - wanted)
            raise ValueError(
                f"Expected values for exactly the given columns of the model; missing {missing},"
                f" not in the model {extra}. Set categories by trial with Design(share={{level:"
                " share}), everything else with Design(given={name: distribution})."
            )
        return design

    def lay_out_given(
        self,
        n_datasets: int,
        columns: Sequence[Column],
        rng: np.random.Generator,
        *,
        full: bool = False,
    ) -> tuple[dict[str, Array], Array]:
        """The values of all given columns, each (dataset, trial), and present (dataset, trial);
        options as in `lay_out`.
        """
        condition, present = self.lay_out(n_datasets, rng, full=full)
        values: dict[str, Array] = {}
        for column in columns:
            if not column.given:
                continue
            if self.share and column.name == self.condition.name:
                values[column.name] = condition
            else:
                shape = {"trial": present.shape, "dataset": (n_datasets, 1), "batch": (1, 1)}[
                    column.per
                ]
                drawn = covariate_values(column, self.given[column.name], shape, rng)
                values[column.name] = np.ascontiguousarray(np.broadcast_to(drawn, present.shape))
        return values, present

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
        return tuple(
            level
            for level in self.condition.levels
            if _as_range(self.share.get(level, 0.0))[1] > 0.0
        )

    def sizes(self, n_datasets: int, rng: np.random.Generator) -> Array:
        """Numbers of trials, shape (n_datasets,): exp(U(log smallest, log(largest + 1))), rounded
        down.
        """
        drawn = np.exp(rng.uniform(np.log(self.smallest), np.log(self.largest + 1), n_datasets))
        return np.clip(drawn.astype(int), self.smallest, self.largest)

    def shares(self, n_datasets: int, rng: np.random.Generator) -> Array:
        """Shares of all levels of the condition, shape (n_datasets, level); rows sum to 1."""
        ranges = np.array(
            [_as_range(self.share.get(level, 0.0)) for level in self.condition.levels]
        )
        rest = (
            1.0 - (ranges.sum(axis=0) - ranges)[:, ::-1]
        )  # what the other levels leave: at least, at most
        low = np.clip(rest[:, 0], ranges[:, 0], ranges[:, 1])
        ranges = np.stack([low, np.clip(rest[:, 1], low, ranges[:, 1])], axis=1)
        drawn = np.empty((0, len(ranges)))
        while len(drawn) < n_datasets:
            tried = rng.uniform(ranges[:, 0], ranges[:, 1], (2 * n_datasets, len(ranges)))
            free = int(
                np.argmax(np.diff(ranges, axis=1))
            )  # the level with the widest range takes what the others leave
            tried[:, free] += 1.0 - tried.sum(axis=1)
            fits = (tried[:, free] >= ranges[free, 0] - 1e-9) & (
                tried[:, free] <= ranges[free, 1] + 1e-9
            )
            drawn = np.concatenate([drawn, np.clip(tried[fits], 0.0, 1.0)])
        return drawn[:n_datasets]

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
        if not self.share:
            return (
                np.zeros((n_datasets, int(n.max(initial=0))), np.int8),
                np.arange(int(n.max(initial=0))) < n[:, None],
            )
        return _shuffled(_counts(self.shares(n_datasets, rng), n), rng)


@dataclass(frozen=True, eq=False)
class ObservedDesign:
    """The design of observed data: data set i has exactly the trials per condition of person i;
    made by `design_of`.

    Attributes:
        counts: (person, level) trials; (person, 1) without conditions.
        window: as in `Design`.
        deadline: as in `Design`.
        condition: the column that ``counts`` speaks of; None when there is none.
        given: values of all given columns as they were, (person, trial), when there are others than
            the condition.
        present: (person, trial) where these values are.
    """

    counts: Array
    window: Range | None = WINDOW
    deadline: float | None = None
    condition: Category | None = CONDITION
    given: Mapping[str, Array] = field(default_factory=dict)
    present: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "deadline", _floats(self.deadline))
        if not isinstance(self.window, Usual):
            object.__setattr__(self, "window", _floats(self.window))

    @property
    def largest(self) -> int:
        """The largest number of trials of a data set."""
        return int(self.counts.sum(axis=1).max(initial=0))

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the condition that occur, in their own order."""
        if self.condition is None:
            return ()
        return tuple(
            level
            for level, n in zip(self.condition.levels, self.counts.sum(axis=0), strict=True)
            if n
        )

    def bound_to(self, columns: Sequence[Column]) -> ObservedDesign:
        """The same design, speaking of these columns of a model.

        Raises:
            ValueError: when a given column of the model was not in the study.
        """
        known = set(self.given) | ({self.condition.name} if self.condition is not None else set())
        wanted = {column.name for column in columns if column.given}
        if wanted != known:
            raise ValueError(
                f"Expected a study with the given columns {sorted(wanted)} of the model; got"
                f" {sorted(known)}."
            )
        return replace(self, window=_window_for(self.window, self.deadline, columns))

    def lay_out(self, n_datasets: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """As `Design.lay_out`; with more data sets than people they begin again with the first."""
        return _shuffled(self.counts[np.arange(n_datasets) % len(self.counts)], rng)

    def lay_out_given(
        self,
        n_datasets: int,
        columns: Sequence[Column],
        rng: np.random.Generator,
        *,
        full: bool = False,
    ) -> tuple[dict[str, Array], Array]:
        """As `Design.lay_out_given`; data sets always have their own size."""
        rows = np.arange(n_datasets) % len(self.counts)
        if self.present is not None:
            return {name: values[rows] for name, values in self.given.items()}, self.present[rows]
        condition, present = self.lay_out(n_datasets, rng)
        return {self.condition.name: condition} if self.condition is not None else {}, present


def design_of(
    study: Trials,
    *,
    window: Range | None = WINDOW,
    deadline: float | None = None,
    condition: Category | None = None,
) -> ObservedDesign:
    """The design that a study had, person by person.

    Args:
        study: the observed trials.
        window: as in `Design`.
        deadline: as in `Design`.
        condition: the column whose levels are counted; the only category given by trial when left
            out.
    """
    given = [column for column in study.columns if column.given]
    if condition is None:
        found = [
            column for column in given if isinstance(column, Category) and column.per == "trial"
        ]
        condition = found[0] if len(found) == 1 else None
    if condition is None:
        counts = study.n_trials[:, None]
    else:
        counts = np.stack(
            [study.where(condition.name, level).sum(axis=1) for level in condition.levels], axis=1
        )
    if [column.name for column in given] == ([condition.name] if condition is not None else []):
        return ObservedDesign(counts, window, deadline, condition)
    values = {column.name: study.values[column.name] for column in given}
    return ObservedDesign(counts, window, deadline, condition, values, study.present)


def _window_for(
    window: Range | None, deadline: float | None, columns: Sequence[Column]
) -> Range | None:
    """The window, without the default where it has no meaning."""
    rt = next(
        (column for column in columns if column.name == "rt" and isinstance(column, Continuous)),
        None,
    )
    usual = isinstance(window, Usual)
    if rt is None and not (usual or window is None):
        raise ValueError(
            f"Expected a column 'rt' for window={window}; the model has {_listed(columns)}."
        )
    if rt is None and deadline is not None:
        raise ValueError(
            f"Expected a column 'rt' for deadline={deadline}; the model has {_listed(columns)}."
        )
    if not usual:
        return window
    return (150.0, 2500.0) if rt is not None and rt.unit == "ms" else None


def _listed(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def _counts(shares: Array, n: Array) -> Array:
    """Whole numbers of trials (dataset, level) with these shares and sums n; the largest remainders
    are rounded up.
    """
    exact = shares * n[:, None]
    counts = np.floor(exact + 1e-9).astype(int)
    rank = np.argsort(np.argsort(counts - exact, axis=1), axis=1)
    return counts + (rank < (n - counts.sum(axis=1))[:, None])


def _shuffled(counts: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    n = counts.sum(axis=1)
    condition = np.zeros((len(counts), int(n.max(initial=0))), np.int8)
    _fill_shuffled(rng, np.ascontiguousarray(counts), condition)
    return condition, np.arange(condition.shape[1]) < n[:, None]


@numba.njit(nogil=True, cache=True)
def _fill_shuffled(rng, counts, condition):  # pragma: no cover - compiled
    for i in range(counts.shape[0]):
        n = 0
        for level in range(counts.shape[1]):
            condition[i, n : n + counts[i, level]] = level
            n += counts[i, level]
        for j in range(n - 1, 0, -1):  # Fisher & Yates
            k = int(rng.random() * (j + 1))
            condition[i, j], condition[i, k] = condition[i, k], condition[i, j]

"""Support: which condition each of two or three codes means, by reaction times and errors.

Congruent trials are faster and more accurate than neutral ones, and these than incongruent ones.
Numbers are taken for conditions only when reaction times and errors both rise in one order, each
step by more than three standard errors; else they are refused with a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from incongruent.data import doors
from incongruent.data.codings import CONGRUENT, INCONGRUENT, NEUTRAL, RARE
from incongruent.data.trials import CONDITION, Array
from incongruent.data.values import DataError, Labels, is_number_or_truth, listed, shares

Z = 3.0
"""A difference counts when it is larger than so many standard errors."""
PEOPLE = 5
"""With fewer people the standard error comes from trials."""


@dataclass(frozen=True)
class Evidence:
    """The trials by which codes are told apart, one row each.

    Attributes:
        dataset: (row,) whose trial it is.
        rt: (row,) reaction time in ms.
        error: (row,) 1 for an error, 0 for a correct answer.
        usable: (row,) True where all of these are known.
    """

    dataset: Array
    rt: Array
    error: Array
    usable: Array

    @property
    def correct(self) -> Array:
        """(row,) True for usable trials with a correct answer."""
        return self.usable & (self.error == 0)

    def slower(self, one: Array, other: Array) -> Contrast:
        """By how many ms correct answers of one kind are slower than those of another."""
        return contrast(self.dataset, self.rt, self.correct & one, self.correct & other)

    def more_errors(self, one: Array, other: Array) -> Contrast:
        """By how much the share of errors of one kind is larger than that of another."""
        return contrast(self.dataset, self.error, self.usable & one, self.usable & other)


@dataclass(frozen=True)
class Contrast:
    """A difference between two kinds of trials, as the mean over people.

    Attributes:
        difference: 0 where there is nothing to compare.
        standard_error: infinite where there is nothing to compare.
    """

    difference: float
    standard_error: float

    def is_above(self, standard_errors: float) -> bool:
        """True when the difference is larger than so many standard errors."""
        return self.difference > standard_errors * self.standard_error


def contrast(dataset: Array, values: Array, one: Array, other: Array) -> Contrast:
    """Mean over people of the difference between their means in ``one`` and in ``other``.

    The standard error is that over people, or comes from their trials when people are few.

    Args:
        dataset: (row,) whose trial it is.
        values: (row,) numbers.
        one: (row,) True for the trials of the first kind.
        other: (row,) True for those of the second.
    """
    n_datasets = int(dataset.max(initial=-1)) + 1
    kinds = [_Moments.of(dataset[rows], values[rows], n_datasets) for rows in (one, other)]
    both = (kinds[0].n > 1) & (kinds[1].n > 1)
    if not both.any():
        return Contrast(0.0, np.inf)
    differences = (kinds[0].mean - kinds[1].mean)[both]
    standard_error = (
        _error_over_people(differences) if both.sum() >= PEOPLE else _error_over_trials(kinds, both)
    )
    return Contrast(float(differences.mean()), standard_error)


@dataclass(frozen=True)
class _Moments:
    """How many trials of one kind each data set has, their means, and their squared deviations.

    Attributes:
        n: (dataset,) the number of trials.
        mean: (dataset,) their mean, 0 where there are none.
        squares: (dataset,) the sum of their squared deviations from it.
    """

    n: Array
    mean: Array
    squares: Array

    @staticmethod
    def of(dataset: Array, values: Array, n_datasets: int) -> _Moments:
        """The moments of values, (row,), by data set."""
        numbers = np.asarray(values, float)
        n = np.bincount(dataset, minlength=n_datasets)
        mean = np.bincount(dataset, numbers, n_datasets) / np.maximum(n, 1)
        squares = np.bincount(dataset, (numbers - mean[dataset]) ** 2, n_datasets)
        return _Moments(n, mean, squares)


def _error_over_people(differences: Array) -> float:
    """The standard error of the mean of the people's differences."""
    return float(differences.std(ddof=1) / np.sqrt(len(differences)))


def _error_over_trials(kinds: Sequence[_Moments], both: Array) -> float:
    """The standard error of the mean difference, for the people that there are.

    Args:
        kinds: the moments of both kinds of trials.
        both: (dataset,) True for people who have enough trials of both.
    """
    squared = sum(kind.squares[both] / (kind.n[both] - 1) / kind.n[both] for kind in kinds)
    return float(np.sqrt(np.sum(squared)) / both.sum())


# --- which condition a code is --------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """The usable trials of one code.

    Attributes:
        code: the label.
        n: how many trials.
        mean_rt: the mean reaction time of correct answers in ms, NaN without any.
        error_share: the share of errors, NaN without any trial.
    """

    code: str
    n: int
    mean_rt: float
    error_share: float

    def __str__(self) -> str:
        return (
            f"{self.code!r}: {self.n} trials, {self.mean_rt:.0f} ms, {self.error_share:.1%} errors"
        )


def levels_by_data(column: str, words: Labels, evidence: Evidence) -> Mapping[str, str]:
    """The condition of each code, by its reaction times and errors.

    Args:
        column: of the codes.
        words: (row,) the codes.
        evidence: reaction times and errors.

    Raises:
        DataError: when these do not differ enough, or the codes are not two or three numbers or
            truth values; the message shows the codes and the likely options.
    """
    labels = shares(words)
    common = [label for label, share in labels.items() if share >= RARE]
    if not 2 <= len(common) <= 3:
        raise _nothing_known(column, list(labels))
    by_length = sorted(common, key=lambda label: (len(label), label))
    rows = [_row(label, words, evidence) for label in by_length]
    table = sorted(rows, key=lambda row: (row.mean_rt, row.code))
    numeric = all(map(is_number_or_truth, common))
    if numeric and _in_order([row.code for row in table], words, evidence):
        return _named([row.code for row in table])
    raise _unsupported(column, table, numeric)


def _named(ordered: Sequence[str]) -> dict[str, str]:
    """Conditions for codes from fast to slow."""
    levels = (CONGRUENT, INCONGRUENT) if len(ordered) == 2 else (CONGRUENT, NEUTRAL, INCONGRUENT)
    return dict(zip(ordered, levels, strict=True))


def _row(code: str, words: Labels, evidence: Evidence) -> Row:
    here = np.asarray(words == code)
    used, correct = evidence.usable & here, evidence.correct & here
    mean_rt, errors = _mean(evidence.rt[correct]), _mean(evidence.error[used])
    return Row(code, int(used.sum()), mean_rt, errors)


def _mean(values: Array) -> float:
    """The mean, NaN where there are no values."""
    return float(values.mean()) if len(values) else np.nan


def _in_order(ordered: Sequence[str], words: Labels, evidence: Evidence) -> bool:
    """True when each code is clearly slower than the one before, and clearly has more errors."""
    kinds = [np.asarray(words == code) for code in ordered]
    return all(
        evidence.slower(slow, fast).is_above(Z) and evidence.more_errors(slow, fast).is_above(Z)
        for fast, slow in pairwise(kinds)
    )


def _nothing_known(column: str, labels: Sequence[str]) -> DataError:
    example = {"a label": CONGRUENT, "another label": INCONGRUENT}
    return DataError(
        f"Expected column {column!r} to say which trials are congruent and incongruent; got the"
        f" labels {listed(labels) or None}. Say what they mean with {doors.coding(levels=example)},"
        f" or name another column with {doors.coding(condition=None)}."
    )


def _unsupported(column: str, table: Sequence[Row], numeric: bool) -> DataError:
    """The refusal of codes that reaction times and errors do not tell apart.

    Args:
        column: of the codes.
        table: one row for each code, from fast to slow.
        numeric: whether the codes are numbers or truth values.
    """
    ordered = [row.code for row in table]
    first, second = _named(ordered), _second_guess(ordered)
    why = (
        "reaction times and errors do not both tell them apart beyond three standard errors"
        if numeric
        else "these are no words that are known"
    )
    rows = "; ".join(map(str, table))
    return DataError(
        f"Expected column {column!r} to say which trials are congruent and incongruent; got the"
        f" labels {listed(sorted(ordered))}, and {why}. Means over correct answers: {rows}."
        " Congruent trials are faster and more accurate as a rule: give"
        f" {doors.coding(levels=first)}, or {doors.coding(levels=second)} if it is that; or name"
        f" another column with {doors.coding(condition=None)}."
    )


def _second_guess(ordered: Sequence[str]) -> dict[str, str]:
    """The second most likely conditions for codes from fast to slow.

    Of three codes, it is least sure which of the two fast ones is neutral. Two codes may be the
    other way round.
    """
    if len(ordered) == 3:
        return _named([ordered[1], ordered[0], ordered[2]])
    return dict(zip(ordered, (INCONGRUENT, CONGRUENT), strict=True))


# --- the other way round --------------------------------------------------------------------------


def doubt_of(column: str, codes: Array, evidence: Evidence) -> list[str]:
    """A sentence when congruent trials are clearly slower, and not clearly more accurate.

    Args:
        column: of the condition.
        codes: (row,) positions in the levels of `CONDITION`.
        evidence: reaction times and errors.
    """
    congruent, incongruent = (
        codes == CONDITION.levels.index(level) for level in (CONGRUENT, INCONGRUENT)
    )
    slower = evidence.slower(congruent, incongruent)
    if not slower.is_above(Z):
        return []
    accurate = evidence.more_errors(incongruent, congruent)
    if accurate.is_above(2.0):
        return []
    return [
        f"Caution: congruent trials are {slower.difference:.0f} ms slower than incongruent ones"
        f" (standard error {slower.standard_error:.1f} ms) and {accurate.difference:+.1%} more"
        f" accurate (standard error {accurate.standard_error:.1%}). Is column {column!r} coded the"
        " other way round?"
    ]

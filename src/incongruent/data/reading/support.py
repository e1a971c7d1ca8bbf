"""Support: which condition a code of two or three stands for, told by the data.

Congruent trials are faster and more accurate than neutral ones, and these than incongruent ones.
Numbers are taken for conditions only when reaction times and errors are both in one such order,
each step beyond three standard errors; else they are refused with a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from incongruent.data import doors
from incongruent.data.codings import CONGRUENT, INCONGRUENT, NEUTRAL, RARE
from incongruent.data.trials import Array
from incongruent.data.values import DataError, Labels, is_number, listed, shares

Z = 3.0
"""So many standard errors make a difference."""
PEOPLE = 5
"""With fewer people the standard error comes from trials."""


@dataclass(frozen=True)
class Evidence:
    """What tells codes apart: usable trials, one row each.

    Attributes:
        dataset: whose trial it is.
        rt: reaction time in ms.
        error: 1 for an error, 0 for a correct answer.
        usable: where all of these are known.
    """

    dataset: Array
    rt: Array
    error: Array
    usable: Array


@dataclass(frozen=True)
class Row:
    """The trials of one code."""

    code: str
    n: int
    mean_rt: float
    error_share: float

    def __str__(self) -> str:
        return (
            f"{self.code!r}: {self.n} trials, {self.mean_rt:.0f} ms, {self.error_share:.1%} errors"
        )


def levels_by_data(column: str, words: Labels, evidence: Evidence) -> Mapping[str, str]:
    """The condition of each code, (row,) words, where reaction times and errors tell.

    Raises:
        DataError: when they do not, or the codes are not two or three numbers or truth values; the
            message shows the codes and the likely options.
    """
    labels = shares(words)
    common = sorted(
        (label for label, share in labels.items() if share >= RARE),
        key=lambda label: (len(label), label),
    )
    numeric = all(is_number(label) or label.casefold() in ("true", "false") for label in common)
    if not 2 <= len(common) <= 3:
        raise _nothing_known(column, list(labels))
    table = sorted(
        (_row(label, words, evidence) for label in common), key=lambda row: (row.mean_rt, row.code)
    )
    ordered = [row.code for row in table]
    if numeric and _in_order(ordered, words, evidence):
        return _named(ordered)
    raise _unsupported(column, table, ordered, numeric)


def _named(ordered: Sequence[str]) -> dict[str, str]:
    """Conditions for codes from fast to slow."""
    levels = (CONGRUENT, INCONGRUENT) if len(ordered) == 2 else (CONGRUENT, NEUTRAL, INCONGRUENT)
    return dict(zip(ordered, levels, strict=True))


def _row(code: str, words: Labels, evidence: Evidence) -> Row:
    here = evidence.usable & (words == code)
    correct = here & (evidence.error == 0)
    mean_rt = float(evidence.rt[correct].mean()) if correct.any() else np.nan
    return Row(
        code, int(here.sum()), mean_rt, float(evidence.error[here].mean()) if here.any() else np.nan
    )


def _in_order(ordered: Sequence[str], words: Labels, evidence: Evidence) -> bool:
    """True when each code is slower than the one before and has more errors, both surely."""
    right = evidence.usable & (evidence.error == 0)
    for fast, slow in pairwise(ordered):
        for values, counted in ((evidence.rt, right), (evidence.error, evidence.usable)):
            difference, error = contrast(
                evidence.dataset, values, counted & (words == slow), counted & (words == fast)
            )
            if not difference > Z * error:
                return False
    return True


def contrast(dataset: Array, values: Array, one: Array, other: Array) -> tuple[float, float]:
    """Mean over people of the difference between their means in ``one`` and in ``other``, and its
    standard error.

    Args:
        dataset: (row,) whose trial it is.
        values: (row,) numbers.
        one: (row,) True for the trials of the first kind.
        other: (row,) True for those of the second.

    Returns:
        The difference and its standard error: over people, or from their trials when people are
        few; (0, inf) where there is nothing to compare.
    """
    size = int(dataset.max(initial=-1)) + 1
    whose = [dataset[rows] for rows in (one, other)]
    numbers = [np.asarray(values[rows], float) for rows in (one, other)]
    n = np.array([np.bincount(w, minlength=size) for w in whose])
    both = (n > 1).all(axis=0)
    if not both.any():
        return 0.0, np.inf
    mean = np.array(
        [np.bincount(w, x, size) for w, x in zip(whose, numbers, strict=True)]
    ) / np.maximum(n, 1)
    differences = (mean[0] - mean[1])[both]
    if both.sum() >= PEOPLE:
        return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(both.sum()))
    squares = np.array(
        [
            np.bincount(w, (x - m[w]) ** 2, size)
            for w, x, m in zip(whose, numbers, mean, strict=True)
        ]
    )
    squared_errors = (squares[:, both] / (n[:, both] - 1) / n[:, both]).sum(axis=0)
    return float(differences.mean()), float(np.sqrt(squared_errors.sum()) / both.sum())


def _nothing_known(column: str, labels: Sequence[str]) -> DataError:
    example = {"a label": CONGRUENT, "another label": INCONGRUENT}
    return DataError(
        f"Expected column {column!r} to say which trials are congruent and incongruent; got the"
        f" labels {listed(labels) or None}. Say what they mean with {doors.coding(levels=example)},"
        f" or name another column with {doors.coding(condition=None)}."
    )


def _unsupported(
    column: str, table: Sequence[Row], ordered: Sequence[str], numeric: bool
) -> DataError:
    first = _named(ordered)
    turned = {CONGRUENT: INCONGRUENT, INCONGRUENT: CONGRUENT}
    second = {code: turned.get(level, level) for code, level in first.items()}
    if len(ordered) == 3:  # which of the two fast ones is neutral is what is least sure
        second = _named([ordered[1], ordered[0], ordered[2]])
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


def doubt_of(column: str, codes: Array, known: Array, evidence: Evidence) -> list[str]:
    """A sentence when congruent trials are slower than incongruent ones, surely, and not clearly
    more accurate.

    Args:
        column: of the condition.
        codes: (row,) positions in congruent, incongruent, neutral.
        known: (row,) where these count.
        evidence: reaction times and errors.
    """
    right = evidence.usable & known & (evidence.error == 0)
    slower, error = contrast(
        evidence.dataset, evidence.rt, right & (codes == 0), right & (codes == 1)
    )
    if not slower > Z * error:
        return []
    answered = evidence.usable & known
    more_errors, of_errors = contrast(
        evidence.dataset, evidence.error, answered & (codes == 1), answered & (codes == 0)
    )
    if more_errors > 2 * of_errors:
        return []
    return [
        f"Caution: congruent trials are {slower:.0f} ms slower than incongruent ones (standard"
        f" error {error:.1f} ms) and {more_errors:+.1%} more accurate (standard error"
        f" {of_errors:.1%}). Is column {column!r} coded the other way round?"
    ]

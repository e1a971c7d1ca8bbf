"""Omissions: trials without an answer in time, and the codes with which programs write them.

A reaction time of 0 or below it is a code. So is a number made of nines, and the longest reaction
time, where it stands again and again with hardly anything near it and without correct answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from incongruent.data import doors
from incongruent.data.codings import OUTCOMES, Decoded
from incongruent.data.trials import Array
from incongruent.data.values import DataError

NINES = (99.0, 999.0, 9999.0, 99999.0, 999999.0)
MANY = 0.05
"""From this share of trials on, omissions cannot be left out without harm."""
BLANK = 0.4
"""When more of the trials than this are blank, they are hardly omissions."""


@dataclass(frozen=True)
class Answers:
    """Which trials were answered.

    Attributes:
        rt: (row,) reaction times in ms, NaN where there is none.
        omitted: (row,) True where a trial had no answer in time.
        notes: sentences about the codes.
    """

    rt: Array
    omitted: Array
    notes: tuple[str, ...]


def codes_of(rt: Array, not_correct: Array) -> list[float]:
    """The reaction times that are codes for "no answer": 0 and negative ones, and what is written
    in place of a time.

    Args:
        rt: (row,) as the file has them, NaN where there is none.
        not_correct: (row,) True where the answer was not correct, or there was none.
    """
    known = rt[np.isfinite(rt)]
    codes = sorted({float(value) for value in np.unique(known[known <= 0.0])})
    times = known[known > 0.0]
    if not len(times):
        return codes
    values, counts = np.unique(times, return_counts=True)
    for value, count in zip(values, counts, strict=True):
        if (value in NINES or value == values[-1]) and _stands_out(value, count, values, counts):
            with_it = rt == value
            if not_correct[with_it].mean() >= 0.9:
                codes.append(float(value))
    return codes


def _stands_out(value: float, count: int, values: Array, counts: Array) -> bool:
    """True when a value comes again and again, and more often than all others near it together."""
    near = (values >= 0.9 * value) & (values <= 1.1 * value) & (values != value)
    return bool(count >= max(3, 0.002 * counts.sum()) and count > counts[near].sum())


def answers(
    rt: Array,
    codes: Sequence[float],
    ms: float,
    accuracy: Decoded,
    deadline: float | None,
    countable: Array,
) -> Answers:
    """Which trials were answered, which were not, and what is no trial.

    Args:
        rt: (row,) as the file has them, NaN where there is none.
        codes: of "no answer" among them.
        ms: how many ms the file's unit has.
        accuracy: decoded; may say "omission".
        deadline: in ms, after which an answer counts as none; None when omissions are left out.
        countable: (row,) True where a trial has a condition.

    Raises:
        DataError: when there is a deadline and so many rows are blank that they cannot all be
            omissions.
    """
    coded = np.isin(rt, codes)
    times = np.round(np.where(np.isfinite(rt) & ~coded, rt, np.nan) * ms, 6)
    said = accuracy.known & (accuracy.codes == OUTCOMES.index("omission"))
    without = np.isnan(times)
    # No time beside an error is an omission; no time beside a correct answer is a gap in the data.
    omitted = (
        coded | said | (np.isnan(rt) & accuracy.known & (accuracy.codes == OUTCOMES.index("error")))
    )
    blank = without & ~omitted & accuracy.missing & countable
    notes: list[str] = []
    if deadline is not None:
        if countable.any() and blank.sum() > BLANK * countable.sum():
            raise DataError(
                f"Expected trials without an answer to be a minority; {blank.sum()} of"
                f" {countable.sum()} rows with a condition have neither reaction time nor accuracy,"
                " and are hardly all trials. Leave out rows that are no trials with"
                f" {doors.option('where')}."
            )
        omitted = omitted | blank | (times > deadline)
    if positive := [code for code in codes if code > 0]:
        words = " and ".join(f"{code:g}" for code in positive)
        notes.append(
            f"Reaction times of {words} stand for trials without an answer"
            f" ({int(np.isin(rt, positive).sum())} trials)."
        )
    return Answers(times, omitted, tuple(notes))


def told(n_omitted: int, n_answered: int, longest: float, deadline: float | None) -> list[str]:
    """What becomes of omissions, with a caution when they are too many to be left out.

    Args:
        n_omitted: trials without an answer.
        n_answered: trials with one.
        longest: the longest reaction time of an answer, in ms.
        deadline: in ms, when omissions are kept.
    """
    if not n_omitted:
        return []
    share = n_omitted / (n_omitted + n_answered)
    if deadline is not None:
        return [
            f"{n_omitted} trials ({share:.1%}) have no answer within {deadline:g} ms; they are kept"
            " as trials without an answer."
        ]
    sentence = f"{n_omitted} trials ({share:.1%}) have no answer and are left out."
    if share < MANY:
        return [sentence]
    return [
        f"Caution: {sentence} The longest reaction time is {longest:.0f} ms. If answers were cut"
        " off by a deadline, people look faster and less cautious than they are without these"
        " trials: use a network that knows the deadline,"
        f" {doors.with_deadline(float(np.ceil(longest)))}."
    ]

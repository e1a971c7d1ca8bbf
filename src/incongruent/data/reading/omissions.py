"""Omissions: trials without an answer in time, and the codes with which programs write them.

A reaction time of 0 or below it is a code. So is a number made of nines, and the longest reaction
time, where it is frequent, has hardly any neighbours and comes without correct answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incongruent.data import doors
from incongruent.data.reading.decoding import Decoded, answered_wrongly, not_answered
from incongruent.data.trials import Array
from incongruent.data.values import DataError

NINES = (99.0, 999.0, 9999.0, 99999.0, 999999.0)
MANY = 0.05
"""From this share of trials on, omissions cannot be left out without harm."""
BLANK = 0.4
"""When a larger share of the trials is blank, these are hardly all omissions."""
FEWEST = 3
"""A code for "no answer" is written in at least so many rows."""
FEWEST_SHARE = 0.002
"""A code for "no answer" is written in at least this share of the rows."""


@dataclass(frozen=True)
class Times:
    """The reaction times of a file.

    Attributes:
        written: (row,) as the file has them, NaN where there is none.
        codes: those of them that are no times but codes for "no answer".
        ms_per_unit: how many ms the file's unit has.
    """

    written: Array
    codes: tuple[float, ...]
    ms_per_unit: float

    @property
    def coded(self) -> Array:
        """(row,) True where the file has a code instead of a time."""
        return np.isin(self.written, self.codes)

    @property
    def ms(self) -> Array:
        """(row,) Times and codes in ms, NaN where there is none."""
        return self.written * self.ms_per_unit

    @property
    def answers(self) -> Array:
        """(row,) The reaction time of each answer in ms, NaN where there is none."""
        valid = np.isfinite(self.written) & ~self.coded
        return np.round(np.where(valid, self.written, np.nan) * self.ms_per_unit, 6)


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


# --- codes for "no answer" ------------------------------------------------------------------------


def codes_of(rt: Array, not_correct: Array) -> tuple[float, ...]:
    """The reaction times that are codes for "no answer".

    Args:
        rt: (row,) as the file has them, NaN where there is none.
        not_correct: (row,) True where the answer was not correct, or there was none.
    """
    known = rt[np.isfinite(rt)]
    not_positive = np.unique(known[known <= 0.0]).tolist()
    candidates = _frequent_codes(known[known > 0.0])
    return (*not_positive, *(code for code in candidates if not_correct[rt == code].mean() >= 0.9))


def _frequent_codes(times: Array) -> list[float]:
    """Numbers of nines, and the longest time, where they are frequent and without neighbours."""
    if not len(times):
        return []
    values, counts = np.unique(times, return_counts=True)
    return [
        float(value)
        for value, count in zip(values, counts, strict=True)
        if (value in NINES or value == values[-1]) and _stands_out(value, count, values, counts)
    ]


def _stands_out(value: float, count: int, values: Array, counts: Array) -> bool:
    """True when a value is frequent, and more so than all others within 10 % of it together."""
    frequent = count >= max(FEWEST, FEWEST_SHARE * counts.sum())
    near = (values >= 0.9 * value) & (values <= 1.1 * value) & (values != value)
    return bool(frequent and count > counts[near].sum())


# --- which trials were answered -------------------------------------------------------------------


def answers(
    times: Times, accuracy: Decoded, has_condition: Array, deadline: float | None
) -> Answers:
    """Which trials were answered, and which were not.

    Args:
        times: the reaction times of the file.
        accuracy: what the accuracy column says; it may say "omission".
        has_condition: (row,) True where a trial has a condition.
        deadline: in ms, after which an answer counts as none; None when omissions are left out.

    Raises:
        DataError: when there is a deadline and so many rows are blank that they cannot all be
            omissions.
    """
    rt = times.answers
    omitted = _marked_omissions(times, accuracy)
    if deadline is not None:
        blank = np.isnan(rt) & ~omitted & accuracy.missing & has_condition
        _check_blank(blank, has_condition)
        omitted = omitted | blank | (rt > deadline)
    return Answers(rt, omitted, _notes_on_codes(times))


def _marked_omissions(times: Times, accuracy: Decoded) -> Array:
    """(row,) True where the file says that no answer came in time.

    No time beside an error is an omission; no time beside a correct answer is a gap in the data.
    """
    error_without_time = np.isnan(times.written) & answered_wrongly(accuracy)
    return times.coded | not_answered(accuracy) | error_without_time


def _check_blank(blank: Array, has_condition: Array) -> None:
    """Refuse a file in which too many rows have neither a reaction time nor an accuracy."""
    n_blank, n_rows = blank.sum(), has_condition.sum()
    if n_rows and n_blank > BLANK * n_rows:
        raise DataError(
            f"Expected trials without an answer to be a minority; {n_blank} of"
            f" {n_rows} rows with a condition have neither reaction time nor accuracy,"
            " and are hardly all trials. Leave out rows that are no trials with"
            f" {doors.option('where')}."
        )


def _notes_on_codes(times: Times) -> tuple[str, ...]:
    """A sentence about the positive numbers that are codes, if there are any."""
    positive = [code for code in times.codes if code > 0]
    if not positive:
        return ()
    words = " and ".join(f"{code:g}" for code in positive)
    n_trials = int(np.isin(times.written, positive).sum())
    return (f"Reaction times of {words} stand for trials without an answer ({n_trials} trials).",)


# --- what becomes of them -------------------------------------------------------------------------


def notes_on_omissions(
    n_omitted: int, n_answered: int, longest: float, deadline: float | None
) -> list[str]:
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
    left_out = f"{n_omitted} trials ({share:.1%}) have no answer and are left out."
    return [left_out if share < MANY else _caution_about_deadline(left_out, longest)]


def _caution_about_deadline(left_out: str, longest: float) -> str:
    return (
        f"Caution: {left_out} The longest reaction time is {longest:.0f} ms. If answers were cut"
        " off by a deadline, people look faster and less cautious than they are without these"
        " trials: use a network that knows the deadline,"
        f" {doors.with_deadline(float(np.ceil(longest)))}."
    )

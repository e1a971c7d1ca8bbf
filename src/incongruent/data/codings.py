"""Codings: what the codes of a column mean, by the user's coding, by known words and by its name.

What is known in advance is in `vocabulary`; a `Coding` takes precedence over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from incongruent.data.trials import CONDITION, RESPONSE, Array
from incongruent.data.values import DataError, Labels, as_text, listed, shares
from incongruent.data.vocabulary import (
    CONDITION_MEANING,
    CONGRUENT_NAMES,
    EITHER_ERROR_OR_OMISSION,
    NO,
    OUTCOME_MEANING,
    REVERSED_NAMES,
    YES,
    plain,
    word_meaning,
)

CONGRUENT, INCONGRUENT, NEUTRAL = CONDITION.levels
CORRECT, ERROR = RESPONSE.levels
OMISSION = "omission"
OUTCOMES = (CORRECT, ERROR, OMISSION)
"""What an accuracy column can say: correct, error, or that no answer came in time."""
FILE_COLUMN = "from_file"
"""The column that says from which of several files a row is.

Each file is one person when no other column says whose trials the rows are.
"""
RARE = 0.02
"""A label without a meaning counts as unknown when its share in the column is below this.

More frequent ones are refused.
"""


@dataclass(frozen=True)
class Coding:
    """Which columns and codes of a file mean what; the reader finds out by itself what is None.

    A role is played by a column, or is computed from columns by an expression as in ``where``, such
    as ``rt="t_response - t_onset"`` or ``accuracy="response == ink"``.

    Args:
        subject: the column that says whose trial a row is; used when ``by`` is not given.
        rt: the reaction time; a negative one means that no answer came in time.
        accuracy: the accuracy, 1 = correct and 0 = error; an expression that is true for correct
            answers.
        error: the errors, 1 = error and 0 = correct; an expression that is true for errors.
        condition: the congruency; an expression that is true for congruent trials.
        levels: the file's code → "congruent", "incongruent" or "neutral"; codes left out count as
            unknown.
        outcomes: the code of the accuracy → "correct", "error" or "omission"; codes left out count
            as unknown.

    Raises:
        DataError: when accuracy and error are both given, or a code means something that does not
            exist.
        TypeError: when an entry is of the wrong type.

    >>> Coding(rt="latency", levels={1: "congruent", 2: "incongruent"}).levels
    {'1': 'congruent', '2': 'incongruent'}
    """

    subject: str | None = None
    rt: str | None = None
    accuracy: str | None = None
    error: str | None = None
    condition: str | None = None
    levels: Mapping[str, str] | None = None
    outcomes: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if self.accuracy is not None and self.error is not None:
            raise DataError(
                f"Expected one of `accuracy` and `error`; got {self.accuracy!r} and {self.error!r}."
                " Leave one of them out."
            )
        object.__setattr__(self, "levels", _checked_codes("levels", self.levels, CONDITION.levels))
        object.__setattr__(self, "outcomes", _checked_codes("outcomes", self.outcomes, OUTCOMES))


def _checked_codes(name: str, codes: Any, meanings: Sequence[str]) -> dict[str, str] | None:
    """The meaning of each code, with the codes as text; None when there are none."""
    if codes is None:
        return None
    if not isinstance(codes, Mapping):
        raise TypeError(
            f"Expected `{name}` to be a mapping from codes to {listed(meanings)}; got"
            f" {type(codes).__name__}."
        )
    for meaning in codes.values():
        if meaning not in meanings:
            raise DataError(
                f"Expected {name} among {listed(meanings)}; got {meaning!r}. Give for each code one"
                " of these."
            )
    checked = {as_text(code) or str(code).strip(): str(meaning) for code, meaning in codes.items()}
    return checked or None


How = Literal["given", "words", "name", "codes", "data"]
"""How a meaning was found.

"given" by the user, by the labels as "words", by the "name" of the column, by "codes" such as 1 and
0 or yes and no, or by "data", that is by reaction times and errors.
"""


@dataclass(frozen=True)
class Meaning:
    """What the labels of a column mean.

    Attributes:
        levels: the meaning of each label that has one.
        how: how it was found.
        shares: the share of each label among the values of the column.
    """

    levels: Mapping[str, str]
    how: How
    shares: Mapping[str, float]

    @property
    def unknown(self) -> dict[str, float]:
        """The labels without a meaning, and their shares."""
        return {label: share for label, share in self.shares.items() if label not in self.levels}

    def half_understood(self, needed: Sequence[str]) -> bool:
        """True when unknown labels are not rare, or may mean a needed level that is absent."""
        unknown = self.unknown
        if self.how == "given" or not unknown:
            return False
        absent = set(needed) - set(self.levels.values())
        return bool(absent) or max(unknown.values()) >= RARE

    def in_words(self) -> str:
        """A part of a sentence that says what each label means."""
        present = [pair for pair in sorted(self.levels.items()) if pair[0] in self.shares]
        known = ", ".join(f"{label} = {level}" for label, level in present)
        unknown = self.unknown
        if not unknown:
            return known
        share = sum(unknown.values())
        return f"{known}; {listed(sorted(unknown))} not known ({share:.1%} of the values)"


def condition_meaning(column: str, words: Labels, coding: Coding) -> Meaning | None:
    """What the labels of a condition column mean; None when only reaction times may show it.

    The coding is used first, then known words, then the column's name.
    """
    labels = shares(words)
    if coding.levels is not None:
        return Meaning(coding.levels, "given", labels) if set(coding.levels) & set(labels) else None
    if by_words := _conditions_in_words(labels):
        return Meaning(by_words, "words", labels)
    if by_name := _conditions_by_name(column, labels):
        return Meaning(by_name, "name", labels)
    return None


def _conditions_in_words(labels: Iterable[str]) -> dict[str, str]:
    """The condition of each label that is a known word for one."""
    known = ((label, word_meaning(label, CONDITION_MEANING)) for label in labels)
    return {label: level for label, level in known if level is not None}


def _conditions_by_name(column: str, labels: Mapping[str, float]) -> dict[str, str]:
    """The condition of yes and no, as in a column "congruent"; empty when the name says nothing."""
    levels = _levels_of_name(column)
    truth = _truth_values(labels)
    common = {label for label, share in labels.items() if share >= RARE}
    if levels is None or not common <= set(truth):
        return {}
    return {label: levels[0] if yes else levels[1] for label, yes in truth.items()}


def _levels_of_name(column: str) -> tuple[str, str] | None:
    """The conditions that yes and no mean in a column of that name."""
    if plain(column) in CONGRUENT_NAMES:
        return CONGRUENT, INCONGRUENT
    if plain(column) in REVERSED_NAMES:
        return INCONGRUENT, CONGRUENT
    return None


def _truth_values(labels: Iterable[str]) -> dict[str, bool]:
    """True for each label that says yes, False for each that says no; the others are left out."""
    known = (label for label in labels if label.casefold() in (*YES, *NO))
    return {label: label.casefold() in YES for label in known}


class AccuracyColumn(NamedTuple):
    """A column of accuracies or of errors.

    Attributes:
        name: of the column.
        one_is_correct: whether 1 or yes means correct in it, or an error.
    """

    name: str
    one_is_correct: bool

    @property
    def role(self) -> str:
        """The entry of a `Coding` that names such a column."""
        return "accuracy" if self.one_is_correct else "error"


def outcome_meaning(words: Labels, one_is_correct: bool, coding: Coding, has_rt: Array) -> Meaning:
    """What the labels of an accuracy column mean: correct, error or omission.

    Args:
        words: (row,) the labels.
        one_is_correct: whether 1 or yes means correct, or an error.
        coding: what the user says.
        has_rt: (row,) True where the row has a reaction time; a "miss" with one is an error.
    """
    labels = shares(words)
    if coding.outcomes is not None:
        return Meaning(coding.outcomes, "given", labels)
    by_words = _outcomes_in_words(words, labels, has_rt)
    by_codes = _outcomes_of_codes(
        [label for label in labels if label not in by_words], one_is_correct
    )
    if set(labels) == {"-1", "1"}:
        by_codes["-1"] = ERROR if one_is_correct else CORRECT
    return Meaning(by_codes | by_words, "words" if by_words else "codes", labels)


def _outcomes_in_words(words: Labels, labels: Iterable[str], has_rt: Array) -> dict[str, str]:
    """The outcome of each label that is a known word for one."""
    known = {label: word_meaning(label, OUTCOME_MEANING) for label in labels}
    for label in labels:
        if plain(label) in EITHER_ERROR_OR_OMISSION:
            mostly_timed = has_rt[np.asarray(words == label)].mean() > 0.5
            known[label] = ERROR if mostly_timed else OMISSION
    return {label: outcome for label, outcome in known.items() if outcome is not None}


def _outcomes_of_codes(labels: Iterable[str], one_is_correct: bool) -> dict[str, str]:
    """The outcome of each label that is 1 or 0, or yes or no in some language."""
    truth = _truth_values(labels)
    return {label: CORRECT if yes == one_is_correct else ERROR for label, yes in truth.items()}

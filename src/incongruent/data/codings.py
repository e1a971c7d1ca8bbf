"""Codings: what the codes of a column mean.

Everything here looks at values and either tells what they mean, with a sentence for the user, or
refuses with a `DataError`. What is known beforehand stands in `vocabulary`; a `Coding` overrides
it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.trials import CONDITION, RESPONSE, Array
from incongruent.data.values import DataError, Labels, as_text, labels_of, listed, shares
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


@dataclass(frozen=True)
class Coding:
    """How a file's columns and codes are to be understood; what is None is found out from names and
    values.

    A role is played by a column, or computed from columns by an expression as in ``where``, such as
    ``rt="t_response - t_onset"`` or ``accuracy="response == ink"``.

    Args:
        subject: the column that tells people apart; used when ``by`` is not given.
        rt: the reaction time; negative = no answer in time.
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
    """The mapping with each code as text."""
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
    return {
        as_text(code) or str(code).strip(): str(meaning) for code, meaning in codes.items()
    } or None


CONGRUENT, INCONGRUENT, NEUTRAL = CONDITION.levels
OUTCOMES = (*RESPONSE.levels, "omission")
"""What an accuracy column can say: correct, error, or that no answer came in time."""
FILE_COLUMN = "from_file"
"""The column that says which of several files a row is from; it tells people apart where no other
column does.
"""
RARE = 0.02
"""A label without a meaning that makes a smaller part of a column than this is counted as unknown;
others are refused.
"""


# --- what the codes mean --------------------------------------------------------------------------


@dataclass(frozen=True)
class Meaning:
    """What the labels of a column mean.

    Attributes:
        levels: the meaning of each label that has one.
        how: "given", "words", "name" (told by the column's name), "codes" (yes and no, 1 and 0) or
            "data" (told by reaction times and errors).
        shares: how large a part of the values each label makes.
    """

    levels: Mapping[str, str]
    how: str
    shares: Mapping[str, float]

    @property
    def unknown(self) -> dict[str, float]:
        """The labels without a meaning, and their shares."""
        return {label: share for label, share in self.shares.items() if label not in self.levels}

    def half_understood(self, needed: Sequence[str]) -> bool:
        """True when an unknown label is not rare, or stands where a label of a needed level would."""
        unknown = self.unknown
        lacking = set(needed) - set(self.levels.values())
        return (
            self.how != "given"
            and bool(unknown)
            and (max(unknown.values()) >= RARE or bool(lacking))
        )

    def told(self) -> str:
        """What each label was taken for, in words."""
        known = ", ".join(
            f"{label} = {level}"
            for label, level in sorted(self.levels.items())
            if label in self.shares
        )
        unknown = self.unknown
        return known + (
            f"; {listed(sorted(unknown))} not known ({sum(unknown.values()):.1%} of the values)"
            if unknown
            else ""
        )


@dataclass(frozen=True)
class Decoded:
    """A column of codes, understood.

    Attributes:
        codes: (row,) positions in the levels; they count only where ``known``.
        known: (row,) True where the code was understood.
        missing: (row,) True where the file has nothing.
        note: how the codes were understood, for the user to read.
        meaning: of the labels.
    """

    codes: Array
    known: Array
    missing: Array
    note: str
    meaning: Meaning


def _decoded(words: Labels, meaning: Meaning, levels: Sequence[str], note: str) -> Decoded:
    position = {word: levels.index(level) for word, level in meaning.levels.items()}
    where, values = pd.factorize(words)
    codes = np.array([*(position.get(word, -1) for word in values), -1], int)[
        where
    ]  # -1, which is missing, finds the -1 at the end
    return Decoded(np.maximum(codes, 0), codes >= 0, where < 0, note, meaning)


def condition_meaning(column: str, words: Labels, coding: Coding) -> Meaning | None:
    """What each label of a condition column means by the coding, by words or by the column's name;
    None when that does not tell.
    """
    labels = shares(words)
    if coding.levels is not None:
        return Meaning(coding.levels, "given", labels) if set(coding.levels) & set(labels) else None
    by_words = {
        label: level
        for label in labels
        if (level := word_meaning(label, CONDITION_MEANING)) is not None
    }
    if by_words:
        return Meaning(by_words, "words", labels)
    named_for = (
        CONGRUENT
        if plain(column) in CONGRUENT_NAMES
        else INCONGRUENT
        if plain(column) in REVERSED_NAMES
        else None
    )
    codes = {label: True for label in labels if label.casefold() in YES} | {
        label: False for label in labels if label.casefold() in NO
    }
    common = {label for label, share in labels.items() if share >= RARE}
    if named_for is None or not codes or not common <= set(codes):
        return None
    other = INCONGRUENT if named_for == CONGRUENT else CONGRUENT
    return Meaning(
        {label: named_for if yes else other for label, yes in codes.items()}, "name", labels
    )


def decode_condition(
    column: str, series: pd.Series, coding: Coding, by_data: Callable[[Labels], Mapping[str, str]]
) -> Decoded:
    """The congruency of each row, positions in the levels of `CONDITION`.

    Args:
        column: its name.
        series: its values.
        coding: what the user says.
        by_data: tells what labels without a meaning are from reaction times and errors, or refuses
            with a `DataError`.

    Raises:
        DataError: when no coding can be told, or only a part of the labels is understood.
    """
    words = labels_of(series, coding.levels)
    meaning = condition_meaning(column, words, coding)
    if meaning is None:
        if coding.levels is not None:
            raise DataError(
                f"Expected the labels of the coding, {listed(coding.levels)}, in column {column!r};"
                f" got the labels {listed(shares(words)) or None}. Say what the file's labels mean"
                f" with {doors.coding(levels=_example(words))}."
            )
        meaning = Meaning(by_data(words), "data", shares(words))
    if meaning.half_understood((CONGRUENT, INCONGRUENT)):
        raise _half_understood(
            "condition",
            column,
            meaning,
            {"levels": {label: meaning.levels.get(label, "?") for label in meaning.shares}},
        )
    told = {
        "given": "as given",
        "words": "told by the labels",
        "name": "told by the column's name",
        "data": (
            "told by reaction times and errors, which both rise in this order;"
            f" {doors.coding(levels=None)} overrides it"
        ),
    }[meaning.how]
    return _decoded(
        words,
        meaning,
        CONDITION.levels,
        f"The condition was taken from column {column!r}: {meaning.told()} ({told}).",
    )


def _example(words: Labels) -> dict[str, str]:
    return dict(zip([*shares(words)][:3], CONDITION.levels, strict=False)) or {
        "a label": CONGRUENT,
        "another label": INCONGRUENT,
    }


def _half_understood(
    role: str, column: str, meaning: Meaning, entries: Mapping[str, Mapping[str, str]]
) -> DataError:
    """The refusal of a column of which only a part is known, with the option that settles it."""
    by_share = sorted(meaning.shares.items(), key=lambda pair: -pair[1])
    labels = ", ".join(
        f"{label!r} ({share:.1%}, {meaning.levels.get(label, 'not known')})" if i < 12 else "…"
        for i, (label, share) in enumerate(by_share[:13])
    )
    levels = OUTCOMES if role == "accuracy" else CONDITION.levels
    return DataError(
        f"Expected to know every label of column {column!r}, the {role}; got {labels}. Put"
        f" {listed(levels)} for each ? in {doors.coding(**{role: column}, **entries)}; labels that"
        " are left out there are left out of the data and counted."
    )


def outcome_meaning(words: Labels, one_is_correct: bool, coding: Coding, has_rt: Array) -> Meaning:
    """What each label of an accuracy column means: correct, error or omission.

    Args:
        words: (row,) the labels.
        one_is_correct: whether 1 or yes means correct, or an error.
        coding: what the user says.
        has_rt: (row,) True where the row has a reaction time; a "miss" with one is an error.
    """
    labels = shares(words)
    if coding.outcomes is not None:
        return Meaning(coding.outcomes, "given", labels)
    yes, no = ("correct", "error") if one_is_correct else ("error", "correct")
    by_words, by_codes = {}, {}
    for label in labels:
        if plain(label) in EITHER_ERROR_OR_OMISSION:
            by_words[label] = (
                "error" if has_rt[np.asarray(words == label)].mean() > 0.5 else "omission"
            )
        elif (level := word_meaning(label, OUTCOME_MEANING)) is not None:
            by_words[label] = level
        elif label.casefold() in YES:
            by_codes[label] = yes
        elif label.casefold() in NO:
            by_codes[label] = no
    if not by_words and set(labels) == {"-1", "1"}:
        by_codes["-1"] = no
    return Meaning(by_codes | by_words, "words" if by_words else "codes", labels)


def decode_accuracy(
    column: str, series: pd.Series, one_is_correct: bool, coding: Coding, has_rt: Array
) -> Decoded:
    """Whether each row was answered correctly, positions in `OUTCOMES`; arguments as in
    `outcome_meaning`.

    Raises:
        DataError: when the codes cannot be understood, or only a part of them.
    """
    words = labels_of(series, coding.outcomes)
    meaning = outcome_meaning(words, one_is_correct, coding, has_rt)
    role = "accuracy" if one_is_correct else "error"
    if not set(meaning.levels) & set(meaning.shares):
        raise DataError(
            "Expected 1 and 0, True and False, yes and no, or correct and error in column"
            f" {column!r}, the {role}; got {listed(sorted(meaning.shares)) or 'no value at all'}."
            " Say what the labels mean with"
            f" {doors.coding(accuracy=column, outcomes=_outcomes_for(meaning))}, or name another"
            f" column with {doors.coding(accuracy=None)}."
        )
    if meaning.half_understood(("correct", "error")):
        raise _half_understood("accuracy", column, meaning, {"outcomes": _outcomes_for(meaning)})
    told = {
        "given": "as given",
        "words": "told by the labels",
        "codes": f"1 or yes = {'correct' if one_is_correct else 'error'}",
    }[meaning.how]
    return _decoded(
        words,
        meaning,
        OUTCOMES,
        f"The accuracy was taken from column {column!r}: {meaning.told()} ({told}).",
    )


def _outcomes_for(meaning: Meaning) -> dict[str, str]:
    """What codes most likely mean: as known, and 1, 2, 3 = correct, error, omission; a question
    mark where nothing is likely.
    """
    usual = {"1": "correct", "2": "error", "3": "omission"} if "0" not in meaning.shares else {}
    return {
        label: meaning.levels.get(label, usual.get(label, "?"))
        for label in sorted(meaning.shares)[:12]
    } or {"1": "correct", "0": "error"}

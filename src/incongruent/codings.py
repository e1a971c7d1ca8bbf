"""Codings: which column plays which role, and what its codes mean.

Everything here looks at names and values and either tells what they mean, with a sentence for the user, or refuses with a `DataError`. The tables
at the top are all there is to guess from; a `Coding` overrides each of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from incongruent.trials import CONDITION, RESPONSE, Array


class DataError(ValueError):
    """The data cannot be understood; the message says what was expected, what came and what to do."""


@dataclass(frozen=True)
class Coding:
    """How a file's columns and codes are to be understood; what is None is found out from names and values.

    Args:
        subject: the column that tells people apart; used when ``by`` is not given.
        rt: the column with the reaction time; negative = no answer in time.
        accuracy: the column with 1 = correct, 0 = error.
        error: the column with 1 = error, 0 = correct.
        condition: the column with the congruency.
        levels: the file's code (as text) → "congruent", "incongruent" or "neutral"; codes left out count as unknown.

    Raises:
        DataError: when accuracy and error are both given, or a level is not a condition.

    >>> Coding(rt="latency", levels={"1": "congruent", "2": "incongruent"}).rt
    'latency'
    """

    subject: str | None = None
    rt: str | None = None
    accuracy: str | None = None
    error: str | None = None
    condition: str | None = None
    levels: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if self.accuracy is not None and self.error is not None:
            raise DataError(f"Expected one of `accuracy` and `error`; got {self.accuracy!r} and {self.error!r}. Leave one of them out.")
        if not isinstance(self.levels, Mapping | None):
            raise TypeError(f"Expected `levels` to be a mapping from codes to conditions; got {type(self.levels).__name__}.")
        for level in (self.levels or {}).values():
            if level not in CONDITION.levels:
                raise DataError(f"Expected levels among {listed(CONDITION.levels)}; got {level!r}. Give for each code one of these.")


# Names, without case, spaces and punctuation. A name in an earlier tuple wins over those in later ones.
SUBJECT_NAMES = (
    ("subject",),
    (
        *("participant", "person", "sub", "subj", "subid", "subjid", "subno", "subnr", "subnum", "subnumber", "id", "uid", "userid", "workerid"),
        *("subjectid", "subjectno", "subjectnr", "subjectnum", "subjectnumber", "participantid", "participantno", "participantnr"),
        *("participantnum", "participantnumber", "participantprivateid", "participantpublicid", "personid", "pid", "pp", "ppid", "ppn", "ppnr"),
        *("ppt", "pptid", "prolificid", "vp", "vpid", "vpn", "vpnr", "vpnummer", "proband", "probandid", "versuchsperson"),
    ),
)
RT_NAMES = (
    ("rt",),
    (
        *("rts", "rtime", "reactiontime", "reactiontimes", "responsetime", "responsetimes", "resptime", "latency", "responselatency", "resprt"),
        "reaktionszeit",
    ),
)
ACCURACY_NAMES = (("accuracy", "acc"), ("correct", "corr", "iscorrect", "correctness", "responsecorrect", "responseaccuracy", "respcorr"))
ERROR_NAMES = (("error", "err"), ("errors", "iserror", "incorrect", "mistake", "wrong", "fehler"))
OUTCOME_NAMES = ("response", "outcome", "result")
"""Taken for the accuracy only when the values say so in words, such as correct / error."""
REVERSED_NAMES = ("incongruent", "incongruency", "incong", "incompatible", "incomp", "conflict")
"""Columns in which 1 or True can only mean incongruent."""
CONDITION_NAMES = (
    *("condition", "conditions", "cond", "congruency", "congruence", "congruent", "congr", "cong", "compatibility", "compatible", "compat", "comp"),
    *("correspondence", "trialtype", "trialcondition", "type", "stimtype", "stimulustype", "stimcond", "stimuluscondition"),
    *("flanker", "flankers", "flankertype", "flankercondition", "kongruenz", "kompatibilität", "bedingung"),
    *REVERSED_NAMES,
)

CONDITION_WORDS = {
    "congruent": (
        *("congruent", "congr", "cong", "con", "c", "compatible", "compat", "comp", "com", "same", "match", "matching", "corresponding"),
        *("kongruent", "kompatibel"),
    ),
    "incongruent": (
        *("incongruent", "incongr", "incong", "incon", "inc", "i", "ic", "incompatible", "incompat", "incomp", "different", "diff", "mismatch"),
        *("mismatching", "noncorresponding", "noncongruent", "noncompatible", "inkongruent", "inkompatibel"),
    ),
    "neutral": ("neutral", "neut", "neu", "n"),
}
ACCURACY_WORDS = {"correct": ("correct", "hit", "richtig"), "error": ("error", "incorrect", "wrong", "mistake", "falsch")}
YES = ("1", "true", "yes", "y", "t")
NO = ("0", "false", "no", "n", "f")

CONGRUENT, INCONGRUENT, NEUTRAL = CONDITION.levels
GUESSES: tuple[Mapping[str, str], ...] = (
    {"1": CONGRUENT},
    {"true": CONGRUENT},
    {"0": INCONGRUENT, "1": CONGRUENT},
    {"false": INCONGRUENT, "true": CONGRUENT},
    {"0": INCONGRUENT, "1": CONGRUENT, "2": NEUTRAL},
    {"1": CONGRUENT, "2": INCONGRUENT},
    {"1": CONGRUENT, "2": INCONGRUENT, "3": NEUTRAL},
    {"-1": INCONGRUENT, "1": CONGRUENT},
    {"-1": INCONGRUENT, "0": NEUTRAL, "1": CONGRUENT},
)
RARE = 0.05  # a numeric code rarer than this does not hinder the guess of the others; it is counted as unknown

NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
MISSING = ("", "na", "n/a", "nan", "<na>", "none", "null", "nat", ".")


# --- values as text and as numbers -----------------------------------------------------------------------------------------------------------


def listed(items: Iterable[object], most: int = 12) -> str:
    """The items, quoted where they are text, for use in a sentence; long lists are cut."""
    texts = [repr(str(item))[:60] for item in items]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def as_text(value: object) -> str | None:
    """A value as the user would write it: whole numbers without ".0", text without spaces around it, None when missing."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    text = str(value).strip()
    return None if text.casefold() in MISSING else text


def texts(series: pd.Series) -> Array:
    """Each value as `as_text` writes it, (row,) objects."""
    try:
        codes, values = pd.factorize(series)
    except TypeError:  # lists and the like cannot be told apart by hash
        codes, values = pd.factorize(np.array([str(value) for value in series], object))
    labels = np.empty(len(values) + 1, object)
    labels[:-1] = [as_text(value) for value in values]
    return labels[codes]  # -1, which is missing, finds the None at the end


def is_number(word: str) -> bool:
    """True for a finite number as text, with a decimal point or a decimal comma."""
    return NUMBER.fullmatch(word) is not None


def text_numbers(words: Array) -> Array:
    """Numbers written as text, with decimal points or decimal commas; (row,) floats, NaN where there is no number.

    Raises:
        DataError: when commas may stand for thousands as well.
    """
    values = np.array([float(word.replace(",", ".")) if word is not None and is_number(word) else np.nan for word in words], float)
    with_comma = [word for word in words if word is not None and "," in word and is_number(word)]
    without = [word for word, value in zip(words, values, strict=True) if abs(value) >= 100 and "," not in word]
    if with_comma and without and all(THOUSANDS.fullmatch(word) for word in with_comma):
        raise DataError(
            f"Expected commas to mark decimals; got {listed(with_comma[:2])} beside {listed(without[:2])}, where they may mark thousands. "
            "Write the numbers without marks for thousands."
        )
    return values


def numbers(series: pd.Series) -> Array:
    """A column as float numbers, (row,), NaN where there is none.

    Raises:
        DataError: when it holds dates, durations or complex numbers.
    """
    if getattr(series.dtype, "kind", "O") in "mMc":
        raise DataError(f"Expected numbers in column {series.name!r}; got {series.dtype}. Write reaction times as a number of ms or s.")
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(float, na_value=np.nan)
    return text_numbers(texts(series))


def column_of(table: pd.DataFrame, column: str) -> pd.Series:
    """One column; names are known to be different."""
    return cast(pd.Series, table[column])


# --- which column plays which role -----------------------------------------------------------------------------------------------------------


def plain(name: str) -> str:
    """The name without case, spaces and punctuation."""
    return re.sub(r"[\W_]", "", name.casefold())


def split_unit(name: str) -> tuple[str, str | None]:
    """The name without its unit, and the unit: "rt_ms" → ("rt", "ms"), "Latency (sec)" → ("Latency", "s"), "RT" → ("RT", None)."""
    found = re.fullmatch(r"(.*?)(?:[\W_]+(s)|[\W_]*(secs?|seconds?|ms|msecs?|milliseconds?))\W*", name, re.IGNORECASE | re.DOTALL)
    if found is None:
        return name, None
    base, *unit = found.groups()
    return base, "ms" if (unit[0] or unit[1]).casefold().startswith("m") else "s"


def candidates(columns: Sequence[str], tiers: Sequence[Sequence[str]]) -> list[str]:
    """The columns of the best tier that has any; names such as "key_resp.rt" count by their last part, after all others."""
    for tier in tiers:
        if found := [column for column in columns if plain(column) in tier]:
            return found
    known = [name for tier in tiers for name in tier]
    return [column for column in columns if "." in column and plain(column.rpartition(".")[2]) in known]


def one_of(found: Sequence[str], columns: Sequence[str], role: str, option: str) -> str:
    """The only candidate.

    Raises:
        DataError: when there is none or more than one.
    """
    if len(found) == 1:
        return found[0]
    came = f"more than one: {listed(found)}" if found else f"the columns {listed(columns, 40)}"
    raise DataError(f"Expected one column that holds the {role}; got {came}. Name the right one with {option}.")


def named(column: object, columns: Sequence[str], option: str) -> str:
    """The column of that name; case does not matter when only one fits.

    Raises:
        DataError: when there is none.
    """
    if not isinstance(column, str):
        raise TypeError(f"Expected {option} to be a column's name; got {column!r} of type {type(column).__name__}.")
    fitting = [name for name in columns if name == column] or [name for name in columns if name.casefold() == column.casefold()]
    if len(fitting) != 1:
        raise DataError(f"Expected {option} to name one of the columns {listed(columns, 40)}; got {column!r}.")
    return fitting[0]


def find_subject(frame: pd.DataFrame, coding: Coding) -> str:
    """The column that tells people apart."""
    columns = list(frame.columns)
    if coding.subject is not None:
        return named(coding.subject, columns, "Coding(subject=...)")
    return one_of(candidates(columns, SUBJECT_NAMES), columns, "person", "Coding(subject=...) or `by`, or give by=() when all rows are one person's")


def find_rt(frame: pd.DataFrame, coding: Coding) -> tuple[str, str | None]:
    """The column with the reaction time, and the unit its name ends in."""
    columns = list(frame.columns)
    if coding.rt is not None:
        column = named(coding.rt, columns, "Coding(rt=...)")
        return column, split_unit(column)[1]
    bare = {column: split_unit(column)[0] for column in columns}
    best = candidates(list(bare.values()), RT_NAMES)
    column = one_of([column for column in columns if bare[column] in best], columns, "reaction time", "Coding(rt=...)")
    return column, split_unit(column)[1]


def find_accuracy(frame: pd.DataFrame, coding: Coding) -> tuple[str, bool]:
    """The column with the accuracy, and whether 1 means correct there."""
    columns = list(frame.columns)
    if coding.accuracy is not None:
        return named(coding.accuracy, columns, "Coding(accuracy=...)"), True
    if coding.error is not None:
        return named(coding.error, columns, "Coding(error=...)"), False
    tiers = [(*right, *wrong) for right, wrong in zip(ACCURACY_NAMES, ERROR_NAMES, strict=True)]
    words = [word for group in ACCURACY_WORDS.values() for word in group]
    found = candidates(columns, tiers) or [
        column for column in columns if plain(column) in OUTCOME_NAMES and _share_known(texts(column_of(frame, column)), words) > 0.5
    ]
    column = one_of(found, columns, "accuracy", "Coding(accuracy=...) when 1 = correct, or Coding(error=...) when 1 = error")
    wrong_names = [name for tier in ERROR_NAMES for name in tier]
    return column, plain(column) not in wrong_names and plain(column.rpartition(".")[2]) not in wrong_names


def find_condition(frame: pd.DataFrame, coding: Coding) -> str:
    """The column with the congruency: of those with a fitting name, the one whose values can be understood."""
    columns = list(frame.columns)
    if coding.condition is not None:
        return named(coding.condition, columns, "Coding(condition=...)")
    fitting = candidates(columns, [CONDITION_NAMES])
    if len(fitting) == 1:
        return fitting[0]
    understood = [column for column in fitting if condition_levels(column, texts(column_of(frame, column)), coding)[0]]
    return one_of(understood or fitting, columns, "condition", "Coding(condition=...)")


# --- what the codes mean ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decoded:
    """A column of codes, understood.

    Args:
        codes: (row,) positions in the levels; to be looked at only where ``known``.
        known: (row,) True where the code was understood.
        missing: (row,) True where the file has nothing.
        note: how the codes were understood, for the user to read.
        guess: the meaning of each code, when it was guessed.
    """

    codes: Array
    known: Array
    missing: Array
    note: str
    guess: Mapping[str, str] | None = None


def shares(words: Array) -> dict[str, float]:
    """How large a part of the values that are there each one makes."""
    counts = Counter(word for word in words if word is not None)
    return {word: count / counts.total() for word, count in counts.items()}


def _share_known(words: Array, known: Iterable[str]) -> float:
    known = set(known)
    return sum(share for word, share in shares(words).items() if word.casefold() in known)


def _decoded(words: Array, meaning: Mapping[str, str], levels: Sequence[str], note: str, guess: Mapping[str, str] | None = None) -> Decoded:
    position = {word: levels.index(level) for word, level in meaning.items()}
    codes = np.array([position.get(word, -1) for word in words], int)
    return Decoded(np.maximum(codes, 0), codes >= 0, np.array([word is None for word in words], bool), note, guess)


def _guess(column: str, labels: Mapping[str, float]) -> Mapping[str, str] | None:
    """What numbers or truth values may mean, from the share of each label; None when nobody could say."""
    common = {label for label, share in labels.items() if share >= RARE}
    tables = [table for table in GUESSES if set(table) == set(labels)]
    tables += [table for table in GUESSES if set(table) == common and len(common) > 1]
    if not tables or plain(column) not in REVERSED_NAMES:
        return tables[0] if tables else None
    swap = {CONGRUENT: INCONGRUENT, INCONGRUENT: CONGRUENT}
    return {code: swap[level] for code, level in tables[0].items()} if set(tables[0]) <= {*YES, *NO} else None


def condition_levels(column: str, words: Array, coding: Coding) -> tuple[Mapping[str, str] | None, str]:
    """What each label of a condition column means, and how that was told: "given", "words", "guess"; None when it cannot be told."""
    labels = shares(words)
    if coding.levels is not None:
        given = {as_text(code) or "": level for code, level in coding.levels.items()}
        return (given if set(given) & set(labels) else None), "given"
    level_of = {word: level for level, group in CONDITION_WORDS.items() for word in group}
    meaning = {label: level_of[plain(label)] for label in labels if plain(label) in level_of}
    if sum(labels[label] for label in meaning) > 0.5:
        return meaning, "words"
    guess = _guess(column, shares(np.array([word and word.casefold() for word in words], object)))
    return guess and {label: guess[label.casefold()] for label in labels if label.casefold() in guess}, "guess"


def decode_condition(column: str, series: pd.Series, coding: Coding) -> Decoded:
    """The congruency of each row.

    Raises:
        DataError: when no coding can be told, or most labels cannot be understood.
    """
    words = texts(series)
    meaning, how = condition_levels(column, words, coding)
    if not meaning:
        raise DataError(
            f"Expected column {column!r} to say which trials are congruent and incongruent; got the labels {listed(shares(words)) or None}. "
            "Say what they mean with Coding(levels={'a label': 'congruent', 'another label': 'incongruent'}), "
            "or name another column with Coding(condition=...)."
        )
    means = ", ".join(f"{code} = {level}" for code, level in sorted(meaning.items()))
    told = {"given": "as given", "words": "told by the labels", "guess": "a guess; override it with Coding(levels=...)"}[how]
    note = f"The condition was taken from column {column!r}: {means} ({told})."
    return _decoded(words, meaning, CONDITION.levels, note, meaning if how == "guess" else None)


def decode_accuracy(column: str, series: pd.Series, one_is_correct: bool) -> Decoded:
    """Whether each row was answered correctly, positions in the levels of `RESPONSE`.

    Raises:
        DataError: when the codes cannot be understood.
    """
    words = np.array([word and word.casefold() for word in texts(series)], object)
    in_words = {word: level for level, group in ACCURACY_WORDS.items() for word in group}
    correct, error = RESPONSE.levels if one_is_correct else RESPONSE.levels[::-1]
    in_codes = {**dict.fromkeys(YES, correct), **dict.fromkeys(NO, error)}
    labels = sorted(shares(words))
    by_words = any(label in in_words for label in labels)
    meaning = in_words if by_words else in_codes
    unknown = set(labels) - set(meaning)
    told_apart = len({meaning.get(label) for label in labels} - {None}) == 2
    # 1 beside 2 and no 0 is more likely correct beside error than a person without errors: to count the 2 as unknown would lose all errors.
    if not labels or (unknown and (_share_known(words, meaning) <= 0.5 or not (by_words or told_apart))):
        raise DataError(
            f"Expected 0 and 1, True and False, or correct and error in column {column!r}; got {listed(labels) or None}. "
            "Recode the column, leave rows out with `where`, or name another column with Coding(accuracy=...) or Coding(error=...)."
        )
    told = "told by the labels" if by_words else "1 = correct" if one_is_correct else "1 = error"
    return _decoded(words, meaning, RESPONSE.levels, f"The accuracy was taken from column {column!r} ({told}).", None if by_words else in_codes)

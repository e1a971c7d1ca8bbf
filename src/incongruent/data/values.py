"""Values: as text and as numbers, whatever a file or a frame has in their place."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd

from incongruent.data.trials import Array


class DataError(ValueError):
    """The data cannot be understood; the message says what was expected, what came and what to do."""


NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
MISSING = ("", "na", "n/a", "nan", "<na>", "none", "null", "nat", ".")
Labels = pd.Categorical | Array
"""The text of each row, (row,): categories, or objects; missing where there is none."""


def listed(items: Iterable[object], most: int = 12) -> str:
    """The items, quoted where they are text, for use in a sentence; long lists are cut."""
    texts = [repr(str(item))[:60] for item in items]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def written(column: str) -> str:
    """A column's name as it stands in an expression."""
    return column if column.isidentifier() and not keyword.iskeyword(column) else f"`{column}`"


def column_of(table: pd.DataFrame, column: str) -> pd.Series:
    """One column; names are known to be different."""
    return cast(pd.Series, table[column])


def as_text(value: object) -> str | None:
    """A value as the user would write it: whole numbers without ".0", text without spaces around
    it, None when missing.
    """
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    text = str(value).strip()
    return None if text.casefold() in MISSING else text


def texts(series: pd.Series) -> Array:
    """Each value as `as_text` writes it, (row,) objects."""
    codes, labels = _texts(series)
    return np.array([*labels, None], object)[
        codes
    ]  # -1, which is missing, finds the None at the end


def absent(series: pd.Series) -> Array:
    """(row,) True where there is no value, as `as_text` tells it."""
    codes, labels = _texts(series)
    return np.array([*(label is None for label in labels), True])[codes]


def _texts(series: pd.Series) -> tuple[Array, list[str | None]]:
    """The position of each row's value among the different ones, (row,), -1 where it is missing,
    and these as `as_text` writes them.
    """
    codes, values = _factorized(series)
    return codes, [as_text(value) for value in values]


def _factorized(series: pd.Series) -> tuple[Array, Array]:
    """The position of each row's value among the different ones, (row,), -1 where it is missing,
    and these.
    """
    try:
        codes, values = pd.factorize(series)
    except TypeError:  # lists and the like cannot be told apart by hash
        codes, values = pd.factorize(np.array([str(value) for value in series], object))
    return codes, np.asarray(values, object)


def encoded(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its text as categories, whose different values are looked at once instead of
    row by row.
    """
    columns = {}
    for name, column in table.items():
        try:
            columns[name] = column.astype("category") if column.dtype == object else column
        except TypeError:  # lists and the like cannot be told apart by hash
            columns[name] = column
    return pd.DataFrame(columns)


def is_number(word: str) -> bool:
    """True for a finite number as text, with a decimal point or a decimal comma."""
    return NUMBER.fullmatch(word) is not None


def text_numbers(words: Array) -> Array:
    """Numbers written as text, with decimal points or decimal commas; (row,) floats, NaN where
    there is no number.

    Raises:
        DataError: when commas may stand for thousands as well.
    """
    where, different = pd.factorize(
        np.asarray(words, object)
    )  # -1, which is missing, finds the NaN at the end
    values = np.array(
        [float(word.replace(",", ".")) if is_number(word) else np.nan for word in different], float
    )
    with_comma = [word for word in different if "," in word and is_number(word)]
    without = [
        word
        for word, value in zip(different, values, strict=True)
        if abs(value) >= 100 and "," not in word
    ]
    if with_comma and without and all(THOUSANDS.fullmatch(word) for word in with_comma):
        raise DataError(
            f"Expected commas to mark decimals; got {listed(with_comma[:2])} beside"
            f" {listed(without[:2])}, where they may mark thousands. Write the numbers without"
            " marks for thousands."
        )
    return np.append(values, np.nan)[where]


def numbers(series: pd.Series) -> Array:
    """A column as float numbers, (row,), NaN where there is none.

    Raises:
        DataError: when it holds dates, durations or complex numbers.
    """
    if getattr(series.dtype, "kind", "O") in "mMc":
        raise DataError(
            f"Expected numbers in column {series.name!r}; got {series.dtype}. Write reaction times"
            " as a number of ms or s."
        )
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(float, na_value=np.nan)
    return text_numbers(texts(series))


def shares(words: Labels) -> dict[str, float]:
    """How large a part of the values that are there each one makes."""
    where, values = pd.factorize(words)
    counts = np.bincount(where[where >= 0], minlength=len(values))
    return {word: count / counts.sum() for word, count in zip(values, counts.tolist(), strict=True)}


def label_shares(series: pd.Series) -> dict[str, float]:
    """How large a part of a column's values, those that are there, each label makes."""
    return shares(labels_of(series, None))


def labels_of(series: pd.Series, given: Mapping[str, str] | None) -> pd.Categorical:
    """Each value as `as_text` writes it, (row,) categories; words that stand for a missing value
    count where a coding names them.
    """
    spoken = {code.casefold(): code for code in given or {} if code.casefold() in MISSING}
    if spoken:
        raw = series.astype(object).map(lambda value: spoken.get(str(value).strip().casefold()))
        return pd.Categorical(np.where(raw.notna(), raw, texts(series)))
    return categories(*_texts(series))


def categories(codes: Array, labels: Sequence[str | None]) -> pd.Categorical:
    """The label at each place (row,), where None and -1 are missing; labels may be the same."""
    place = {
        label: i
        for i, label in enumerate(dict.fromkeys(label for label in labels if label is not None))
    }
    different = np.array([*(-1 if label is None else place[label] for label in labels), -1])
    return pd.Categorical.from_codes(
        different[codes], categories=pd.Index(list(place), dtype=object)
    )

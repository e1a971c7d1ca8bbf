"""Values: the cells of a table as text and as numbers.

Files and frames write the same value in different ways, such as 1, 1.0 and "1 "; here it has one
text.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd

from incongruent.data.trials import Array


class DataError(ValueError):
    """The data cannot be understood; the message says what was expected, what came, what to do."""


NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
MISSING = ("", "na", "n/a", "nan", "<na>", "none", "null", "nat", ".")
Labels = pd.Categorical | Array
"""(row,) The text of each row, as categories or as objects; missing where there is none."""


def listed(items: Iterable[object], most: int = 12) -> str:
    """The items, quoted where they are text, for use in a sentence; long lists are cut."""
    texts = [repr(str(item))[:60] for item in items]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def written(column: str) -> str:
    """A column's name as it is written in an expression."""
    return column if column.isidentifier() and not keyword.iskeyword(column) else f"`{column}`"


def column_of(table: pd.DataFrame, column: str) -> pd.Series:
    """One column of a table in which no two columns have the same name."""
    return cast(pd.Series, table[column])


def as_text(value: object) -> str | None:
    """A value as the user would write it, or None when it is missing.

    Whole numbers are written without ".0", text without the spaces around it.
    """
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    text = str(value).strip()
    return None if text.casefold() in MISSING else text


def texts(series: pd.Series) -> Array:
    """(row,) Each value as `as_text` writes it, as objects."""
    codes, labels = _texts(series)
    return np.array([*labels, None], object)[codes]  # the code -1, missing, takes the last: None


def absent(series: pd.Series) -> Array:
    """(row,) True where there is no value, or a word that marks a missing one."""
    codes, labels = _texts(series)
    return np.array([*(label is None for label in labels), True])[codes]


def _texts(series: pd.Series) -> tuple[Array, list[str | None]]:
    """The code of each row, (row,), and the texts of the codes; -1 where a value is missing."""
    codes, values = _factorized(series)
    return codes, [as_text(value) for value in values]


def _factorized(series: pd.Series) -> tuple[Array, Array]:
    """The code of each row, (row,), and the values of the codes; -1 where a value is missing."""
    try:
        codes, values = pd.factorize(series)
    except TypeError:  # lists and the like have no hash, so their text is compared
        codes, values = pd.factorize(np.array([str(value) for value in series], object))
    return codes, np.asarray(values, object)


def encoded(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its text as categories, so that each different text is read only once."""
    return pd.DataFrame({name: _as_categories(column) for name, column in table.items()})


def _as_categories(column: pd.Series) -> pd.Series:
    """A column of text as categories; any other column as it is."""
    if column.dtype != object:
        return column
    try:
        return column.astype("category")
    except TypeError:  # lists and the like have no hash, so they cannot be categories
        return column


def is_number(word: str) -> bool:
    """True for a finite number as text, with a decimal point or a decimal comma."""
    return NUMBER.fullmatch(word) is not None


def is_number_or_truth(word: str) -> bool:
    """True for a number, and for "true" and "false"."""
    return is_number(word) or word.casefold() in ("true", "false")


def text_numbers(words: Array) -> Array:
    """Numbers that are written as text, with decimal points or decimal commas.

    Returns:
        (row,) floats, NaN where there is no number.

    Raises:
        DataError: when commas may also be marks for thousands.
    """
    codes, different = pd.factorize(np.asarray(words, object))
    values = np.array([_number(word) for word in different], float)
    _check_commas(list(different), values)
    return np.append(values, np.nan)[codes]  # the code -1, missing, takes the last: NaN


def _number(word: str) -> float:
    """The number that a word writes, NaN when it is none."""
    return float(word.replace(",", ".")) if is_number(word) else np.nan


def _check_commas(words: Sequence[str], values: Array) -> None:
    """Refuse words whose commas may be marks for thousands.

    That is so when every comma has three digits behind it, and there are numbers of 100 and more
    without a comma.
    """
    with_comma = [word for word in words if "," in word and is_number(word)]
    large = [
        word
        for word, value in zip(words, values, strict=True)
        if abs(value) >= 100 and "," not in word
    ]
    if with_comma and large and all(THOUSANDS.fullmatch(word) for word in with_comma):
        raise DataError(
            f"Expected commas to mark decimals; got {listed(with_comma[:2])} beside"
            f" {listed(large[:2])}, where they may mark thousands. Write the numbers without"
            " marks for thousands."
        )


def numbers(series: pd.Series) -> Array:
    """(row,) A column as floats, NaN where there is no number.

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
    """The share of each different word among the words that are not missing."""
    codes, values = pd.factorize(words)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    return {word: count / counts.sum() for word, count in zip(values, counts.tolist(), strict=True)}


def label_shares(series: pd.Series) -> dict[str, float]:
    """The share of each label among the values of a column that are not missing."""
    return shares(labels_of(series, None))


def labels_of(series: pd.Series, given: Mapping[str, str] | None) -> pd.Categorical:
    """(row,) Each value as `as_text` writes it, as categories.

    Args:
        series: the values.
        given: a coding; a word such as "none", which usually marks a missing value, is a label when
            the coding names it.
    """
    named = {code.casefold(): code for code in given or {} if code.casefold() in MISSING}
    if not named:
        return categories(*_texts(series))
    labels = series.astype(object).map(lambda value: named.get(str(value).strip().casefold()))
    return pd.Categorical(np.where(labels.notna(), labels, texts(series)))


def categories(codes: Array, labels: Sequence[str | None]) -> pd.Categorical:
    """The label of each code, (row,), as categories.

    Args:
        codes: (row,) positions in the labels, -1 where a value is missing.
        labels: the label of each code, None when it is missing; two codes may have the same one.
    """
    different = list(dict.fromkeys(label for label in labels if label is not None))
    place = {label: i for i, label in enumerate(different)}
    places = np.array([*(-1 if label is None else place[label] for label in labels), -1])
    return pd.Categorical.from_codes(places[codes], categories=pd.Index(different, dtype=object))

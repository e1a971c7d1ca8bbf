"""Tables in JSON: records, lines of records, arrays of columns, and objects that hold a table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from incongruent.data.files.cells import LARGEST_EXACT, NotATable
from incongruent.data.values import DataError, listed

JSON_BEGINS = re.compile(r'\s*(\[\s*[\[{]|\{\s*"|\[\s*\]\s*$|\{\s*\}\s*$)')
LARGEST_PERSON = 20
"""The object that holds one person's trials has at most so many entries."""
Record = dict[str, Any]


def looks_like_json(text: str) -> bool:
    """True for text that begins like JSON and unlike any other table.

    It begins like an object, or like an array of arrays or objects.
    """
    return JSON_BEGINS.match(text) is not None


def read_json(name: str, text: str) -> pd.DataFrame:
    """The table in a JSON text.

    Raises:
        NotATable: when it holds no table.
        DataError: when it is no valid JSON.
    """
    records = _records(_parsed(name, text))
    if not records:
        raise NotATable(
            f"Expected JSON with one object for each trial, or an array for each column; {name}"
            " holds something else."
        )
    names = list(dict.fromkeys(key for record in records for key in record))
    return pd.DataFrame({key: _column([record.get(key) for record in records]) for key in names})


# --- parsing --------------------------------------------------------------------------------------


def _parsed(name: str, text: str) -> Any:
    """The value of a JSON text, or the list of values when each line is one."""
    try:
        return _value_of(text)
    except json.JSONDecodeError as error:
        in_whole = error
    except RecursionError as error:
        raise DataError(
            f"Expected JSON with a table in {name}; it is nested too deeply."
        ) from error
    try:
        return _values_of_lines(text)
    except (json.JSONDecodeError, RecursionError):
        raise DataError(
            f"Expected valid JSON in {name}; got an error in line {in_whole.lineno}, character"
            f" {in_whole.colno}: {in_whole.msg}."
        ) from in_whole


def _values_of_lines(text: str) -> list[Any]:
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    return [part for line in lines for part in _as_list(_value_of(line))]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _value_of(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> Record:
    """The object of these pairs, whose names must be different."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise DataError(
            "Expected different names within each object of a JSON file; got"
            f" {listed(k for k in made if keys.count(k) > 1)} twice."
        )
    return made


# --- records --------------------------------------------------------------------------------------


def _records(value: Any) -> list[Record]:
    """One record for each row; none when there is no table."""
    if isinstance(value, list):
        return _records_of_list(value)
    return _records_of_object(value) if isinstance(value, dict) else []


def _records_of_list(values: list[Any]) -> list[Record]:
    """The records of a list, whose parts may be tables themselves."""
    if values and all(isinstance(row, list) for row in values):
        return _records_of_rows(values)
    parts = [_records(part) if _holds_table(part) else [part] for part in values]
    records = [record for part in parts for record in part]
    return records if all(isinstance(record, dict) for record in records) else []


def _holds_table(value: Any) -> bool:
    """True for an array of records, and for a person's object that holds one.

    A trial may hold lists too, but no lists of objects.
    """
    if isinstance(value, list):
        return True
    return isinstance(value, dict) and _is_person(value)


def _is_person(value: Record) -> bool:
    n_tables = sum(_is_table(part) and isinstance(part[0], dict) for part in value.values())
    return n_tables == 1 and len(value) <= LARGEST_PERSON


def _is_table(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(part, dict | list) for part in value)


def _records_of_rows(rows: Sequence[Any]) -> list[Record]:
    """The records of arrays of cells below an array of names, or of arrays of records."""
    if all(_is_list_of_objects(row) for row in rows):
        return [record for row in rows for record in row]
    names, *body = rows
    if not _are_names(names) or not all(_has_length(row, len(names)) for row in body):
        return []
    return [dict(zip(names, row, strict=True)) for row in body]


def _is_list_of_objects(row: Any) -> bool:
    return isinstance(row, list) and all(isinstance(cell, dict) for cell in row)


def _are_names(names: Any) -> bool:
    """True for a list of different names."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return False
    return len(set(names)) == len(names)


def _has_length(row: Any, n_cells: int) -> bool:
    return isinstance(row, list) and len(row) == n_cells


def _records_of_object(value: Record) -> list[Record]:
    if {"columns", "data"} <= set(value) and isinstance(value["columns"], list):
        rows = value["data"]
        return _records_of_rows([value["columns"], *rows]) if isinstance(rows, list) else []
    return _records_of_columns(value) or _records_of_only_table(value)


def _records_of_only_table(value: Record) -> list[Record]:
    """The records of the only table in an object.

    What stands beside the table, such as the person's name, belongs to all of its rows.
    """
    tables = {key: part for key, part in value.items() if _is_table(part)}
    if len(tables) != 1:
        return []
    key, table = tables.popitem()
    beside = {k: part for k, part in value.items() if k != key and not _is_nested(part)}
    return [{**beside, **record} for record in _records(table)]


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


# --- columns --------------------------------------------------------------------------------------


def _records_of_columns(value: Mapping[str, Any]) -> list[Record]:
    """The records of an object of equally long arrays, or of objects with the same keys.

    pandas writes frames as objects of objects.
    """
    columns = list(value.values())
    if _are_keyed_columns(columns):
        return [{name: part[key] for name, part in value.items()} for key in columns[0]]
    if _are_listed_columns(columns):
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return []


def _are_keyed_columns(columns: list[Any]) -> bool:
    """True for objects of plain values with the same keys in the same order."""
    if not columns or not all(isinstance(column, dict) for column in columns):
        return False
    if any(_is_nested(cell) for column in columns for cell in column.values()):
        return False
    return all(list(column) == list(columns[0]) for column in columns)


def _are_listed_columns(columns: list[Any]) -> bool:
    """True for arrays of the same length that hold no objects."""
    if not columns or not all(_is_list_without_objects(column) for column in columns):
        return False
    return len(set(map(len, columns))) == 1 and len(columns[0]) > 0


def _is_list_without_objects(column: Any) -> bool:
    return isinstance(column, list) and not any(isinstance(cell, dict) for cell in column)


def _column(values: list[Any]) -> pd.Series:
    """Numbers where all values are numbers or null; elsewhere nested values as JSON."""
    if all(_is_number_or_null(value) for value in values):
        return pd.Series(values, dtype=_number_type(values))
    return pd.Series([_cell(value) for value in values], dtype=object)


def _is_number_or_null(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _number_type(values: list[Any]) -> Any:
    """The type of a column that holds these numbers without changing any."""
    if any(isinstance(value, int) and abs(value) >= LARGEST_EXACT for value in values):
        return object
    return "int64" if all(isinstance(value, int) for value in values) else "float64"


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if _is_nested(value) else value

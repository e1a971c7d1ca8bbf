"""Tables that are not written line by line: JSON of several shapes, and the log that E-Prime writes
while it runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from incongruent.data.files.cells import NotATable, as_written
from incongruent.data.values import DataError, listed

LOG_BEGINS = "*** Header Start ***"
LARGEST = 2**53
"""Integers above it change when they become floats."""


# --- JSON -----------------------------------------------------------------------------------------


def looks_like_json(text: str) -> bool:
    """True for text that begins as an array of arrays or objects or as an object does, and as no
    other table would.
    """
    return re.match(r'\s*(\[\s*[\[{]|\{\s*"|\[\s*\]\s*$|\{\s*\}\s*$)', text) is not None


def read_json(name: str, text: str) -> pd.DataFrame:
    """The table in a JSON text: records, lines of records, an object of columns, or an object that
    holds one of these.

    Raises:
        NotATable: when it holds no table.
        DataError: when it is no valid JSON.
    """
    found = _table_in(_parsed(name, text))
    if not found:
        raise NotATable(
            f"Expected JSON with one object for each trial, or an array for each column; {name}"
            " holds something else."
        )
    names = list(dict.fromkeys(key for record in found for key in record))
    return pd.DataFrame({key: _column([record.get(key) for record in found]) for key in names})


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        whole = error
    except RecursionError as error:
        raise DataError(
            f"Expected JSON with a table in {name}; it is nested too deeply."
        ) from error
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    try:
        return [
            part for line in lines for part in _as_list(json.loads(line, object_pairs_hook=_object))
        ]
    except (json.JSONDecodeError, RecursionError):
        raise DataError(
            f"Expected valid JSON in {name}; got an error in line {whole.lineno}, character"
            f" {whole.colno}: {whole.msg}."
        ) from whole


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise DataError(
            "Expected different names within each object of a JSON file; got"
            f" {listed(k for k in made if keys.count(k) > 1)} twice."
        )
    return made


def _table_in(value: Any) -> list[dict[str, Any]]:
    """One record for each row; none when there is no table."""
    if isinstance(value, list):
        if value and all(isinstance(row, list) for row in value):
            return _rows(value)
        parts = [_table_in(part) if _holds_table(part) else [part] for part in value]
        records = [record for part in parts for record in part]
        return records if all(isinstance(record, dict) for record in records) else []
    if not isinstance(value, dict):
        return []
    if {"columns", "data"} <= set(value) and isinstance(value["columns"], list):
        return _rows([value["columns"], *value["data"]]) if isinstance(value["data"], list) else []
    if columns := _columns(value):
        return columns
    held = {key: part for key, part in value.items() if _is_table(part)}
    if len(held) != 1:
        return []
    # What stands beside the only table, such as the person's name, belongs to all of its rows.
    key, table = held.popitem()
    beside = {
        k: part for k, part in value.items() if k != key and not isinstance(part, dict | list)
    }
    return [{**beside, **record} for record in _table_in(table)]


def _is_table(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(part, dict | list) for part in value)
    )


def _holds_table(value: Any) -> bool:
    """True for an array of records, and for a person's object with one; a trial may hold lists, but
    none of objects.
    """
    if isinstance(value, list):
        return True
    return (
        isinstance(value, dict)
        and sum(_is_table(part) and isinstance(part[0], dict) for part in value.values()) == 1
        and len(value) <= 20
    )


def _rows(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Records from arrays of cells below an array of names, or from arrays of records."""
    if all(isinstance(row, list) and all(isinstance(cell, dict) for cell in row) for row in rows):
        return [record for row in rows for record in row]
    names, *body = rows
    fits = (
        isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and len(set(names)) == len(names)
    )
    if not fits or not all(isinstance(row, list) and len(row) == len(names) for row in body):
        return []
    return [dict(zip(names, row, strict=True)) for row in body]


def _columns(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Records from an object of equally long arrays, or of objects with the same keys, as pandas
    writes frames.
    """
    parts = list(value.values())
    if (
        parts
        and all(isinstance(part, dict) for part in parts)
        and not any(isinstance(v, dict | list) for part in parts for v in part.values())
    ):
        keys = list(dict.fromkeys(key for part in parts for key in part))
        if all(list(part) == keys for part in parts):
            return [{name: part[key] for name, part in value.items()} for key in keys]
    if not parts or not all(
        isinstance(part, list) and not any(isinstance(v, dict) for v in part) for part in parts
    ):
        return []
    if len({len(part) for part in parts}) != 1 or not parts[0]:
        return []
    return [dict(zip(value, row, strict=True)) for row in zip(*parts, strict=True)]


def _column(values: list[Any]) -> pd.Series:
    """Numbers where all values are numbers or null; nested values as JSON."""
    if all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    ):
        exact = all(
            value is None or abs(value) < LARGEST or isinstance(value, float) for value in values
        )
        return pd.Series(
            values,
            dtype="float64" if exact and not _whole(values) else "int64" if exact else object,
        )
    return pd.Series(
        [json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v for v in values],
        dtype=object,
    )


def _whole(values: list[Any]) -> bool:
    return all(isinstance(value, int) for value in values)


# --- E-Prime --------------------------------------------------------------------------------------


def is_eprime_log(text: str) -> bool:
    """True for the text file that E-Prime writes beside each .edat."""
    return text[:200].lstrip().startswith(LOG_BEGINS)


def read_eprime_log(name: str, text: str) -> tuple[pd.DataFrame, list[str]]:
    """One row for each frame of the log that has no frames below it, with the values of the frames
    that it belongs to.

    E-Prime writes a block's frame after those of its trials, and the session's last; names that
    stand in several levels carry the level's name, as in ``Procedure[Block]``.

    Raises:
        NotATable: when no trial was logged.
    """
    levels, header, frames, broken = _frames(text)
    rows: list[dict[str, str]] = []
    waiting: list[
        tuple[int, list[int]]
    ] = []  # frames that no frame of a higher level has taken up yet, and the rows below them
    for level, values in frames:
        below = [i for depth, held in waiting if depth > level for i in held]
        waiting = [(depth, held) for depth, held in waiting if depth <= level]
        if not below:
            rows.append(dict(values))
            below = [len(rows) - 1]
        else:
            for i in below:
                rows[i] |= {
                    key if key not in rows[i] else f"{key}[{levels.get(level, level)}]": value
                    for key, value in values.items()
                }
        waiting.append((level, below))
    rows = [
        {**{key: value for key, value in header.items() if key not in row}, **row} for row in rows
    ]
    if not rows or all(level == 1 for level, _ in frames):
        raise NotATable(
            f"Expected trials in {name}, which is a log of E-Prime; got none. Export the data with"
            " E-DataAid as text."
        )
    names = list(dict.fromkeys(key for row in rows for key in row))
    notes = [
        f"{name} is a log of E-Prime; each of its {len(rows)} frames without frames below it is a"
        " row."
    ]
    if broken:
        notes.append(
            f"{name} ends within a frame, which was left out; the experiment was broken off."
        )
    return as_written({key: [row.get(key, "") for row in rows] for key in names}), notes


def _frames(
    text: str,
) -> tuple[dict[int, str], dict[str, str], list[tuple[int, dict[str, str]]], bool]:
    """Names of levels, values of the header, level and values of each frame, and whether the last
    frame is not whole.
    """
    levels: dict[int, str] = {}
    header: dict[str, str] = {}
    frames: list[tuple[int, dict[str, str]]] = []
    level, values, last = 1, None, None
    for line in re.split(r"\r\n|\r|\n", text):
        bare = line.strip()
        if bare in (LOG_BEGINS, "*** LogFrame Start ***"):
            values, last = {}, None
        elif bare == "*** Header End ***" and values is not None:
            header, values = values, None
        elif bare == "*** LogFrame End ***" and values is not None:
            frames.append((level, values))
            values = None
        elif values is None:
            level = int(bare[6:]) if re.fullmatch(r"Level: [0-9]{1,3}", bare) else level
        elif ":" in bare:
            last, _, value = bare.partition(":")
            if last == "LevelName":
                levels[len(levels) + 1] = value.strip()
            else:
                values[last] = value.strip()
        elif bare and last in values:
            values[last] += f"\n{bare}"
    return levels, header, frames, values is not None

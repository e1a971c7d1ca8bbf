"""Excel: the first sheet that is not empty, read as text is, with titles above its table."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Sequence
from typing import Any

import pandas as pd

from incongruent.data.files.cells import LARGEST_EXACT, NotATable
from incongruent.data.files.failures import broken, package
from incongruent.data.files.headers import headed, header_of, skipped, without_data
from incongruent.data.files.layout import layout_of_rows
from incongruent.data.files.splitting import columns_of
from incongruent.data.values import DataError, listed

Sheets = dict[str, list[list[str]]]
"""The cells of each sheet as text, row by row."""


def read_workbook(
    name: str, content: bytes, names: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """The table in the first sheet that is not empty, and sentences.

    Raises:
        NotATable: when all sheets are empty.
        DataError: when the workbook is damaged, or its formulas have no results.
    """
    openpyxl = package("openpyxl", f"Excel files such as {name}")
    try:
        sheets = _sheets(openpyxl, content, data_only=True)
        formulas = _sheets(openpyxl, content, data_only=False) if _has_formulas(content) else {}
    except Exception as error:  # whatever a damaged workbook leads to
        raise broken(name, "Excel", error) from error
    if not sheets:
        raise NotATable(f"Expected a table in {name}; all of its sheets are empty.")
    sheet, rows = next(iter(sheets.items()))
    if not _computed(rows, formulas.get(sheet, [])):
        raise DataError(
            f"Expected the results of the formulas in sheet {sheet!r} of {name}; there are none."
            " Open it in Excel and save it again."
        )
    frame, notes = _table(f"{name}, sheet {sheet!r}", rows, names)
    return frame, notes + _about_others(name, list(sheets))


def _about_others(name: str, sheets: list[str]) -> list[str]:
    first, *others = sheets
    if not others:
        return []
    return [f"{name} was read from its first sheet, {first!r}; not used: {listed(others)}."]


def _has_formulas(content: bytes) -> bool:
    archive = zipfile.ZipFile(io.BytesIO(content))
    sheets = [
        part
        for part in archive.namelist()
        if part.startswith("xl/worksheets/") and part.endswith(".xml")
    ]
    return any(b"<f" in archive.read(sheet) for sheet in sheets)


def _computed(rows: Sequence[Sequence[str]], formulas: Sequence[Sequence[str]]) -> bool:
    """False when there are formulas and none has a result.

    This is so in a workbook that no program for sheets has saved yet.
    """
    has_result = [
        i < len(rows) and j < len(rows[i]) and bool(rows[i][j])
        for i, row in enumerate(formulas)
        for j, cell in enumerate(row)
        if cell.startswith("=")
    ]
    return not has_result or any(has_result)


def _sheets(openpyxl: Any, content: bytes, *, data_only: bool) -> Sheets:
    """The sheets that are not empty, with the results of formulas or with the formulas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that do not matter here
        workbook = openpyxl.load_workbook(io.BytesIO(content), data_only=data_only)
        cells = {sheet.title: _cells(sheet) for sheet in workbook.worksheets}
    return {title: rows for title, rows in cells.items() if rows}


def _cells(sheet: Any) -> list[list[str]]:
    """The cells of a sheet as text, without empty columns at the right; none if all are empty."""
    rows = [[_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    width = max((i + 1 for row in rows for i, cell in enumerate(row) if cell), default=0)
    return [row[:width] for row in rows] if width else []


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return str(int(value))
    return str(value).strip()


def _table(
    name: str, rows: Sequence[list[str]], names: Sequence[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """The table in rows of cells, all as long as the longest."""
    filled = [row for row in rows if any(row)]
    found = layout_of_rows(filled)
    header = header_of(name, filled[found.start :], names)
    body = filled[found.start + (header is not None) :]
    if not body:
        raise without_data(name, header)
    frame, notes = headed(name, columns_of(body, found.width), header)
    above = [" ".join(filter(None, row)) for row in filled[: found.start]]
    return frame, skipped(name, above) + notes

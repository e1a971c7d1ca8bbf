"""Files of any format that trials come in, known by their content rather than their name, as
frames.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute, feather, parquet

from incongruent.data.files.cells import NotATable
from incongruent.data.files.delimited import read_text
from incongruent.data.files.headers import headed, header_of, skipped, without_data
from incongruent.data.files.layout import layout_of_rows
from incongruent.data.files.splitting import text_table
from incongruent.data.files.structured import (
    is_eprime_log,
    looks_like_json,
    read_eprime_log,
    read_json,
)
from incongruent.data.values import DataError, as_text, column_of, listed

pc: Any = compute  # whose functions are made when it is imported
Read = tuple[pd.DataFrame, list[str]]
"""A frame, whose columns are numbered when it has no header, and sentences about how it was read.
"""

PACKED: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\0": lzma.decompress,
}
R_BEGINS = (b"X\n", b"A\n", b"B\n", b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
SPSS_BEGINS = (b"$FL2", b"$FL3")
STATA_BEGINS = (b"<stata_dta>",)
LARGEST = 2**53
"""Integers above it change when they become floats."""


def read_content(name: str, content: bytes, names: Sequence[str] | None) -> Read:
    """The table in a file's content; cells of text formats stay as written.

    Raises:
        NotATable: when it holds no table of trials.
        DataError: when it is damaged, or a package that reads it is not installed.
    """
    if not content[:4096].strip() and not content.strip():
        raise NotATable(f"Expected a table in {name}; the file is empty.")
    if content.startswith(R_BEGINS):
        return _r(name, content)
    for begins, unpack in PACKED.items():
        if content.startswith(begins):
            return read_content(name, _unpacked(name, content, unpack), names)
    if content.startswith(b"PK\x03\x04"):
        return _zip(name, content, names)
    if content.startswith(b"PAR1"):
        return _arrow(name, "Parquet", lambda: parquet.read_table(io.BytesIO(content)))
    if content.startswith((b"ARROW1", b"FEA1")):
        return _arrow(name, "Feather", lambda: feather.read_table(io.BytesIO(content)))
    if content.startswith(SPSS_BEGINS):
        return _labelled(name, "SPSS", ".sav", "read_sav", content)
    if content.startswith(STATA_BEGINS):
        return _labelled(name, "Stata", ".dta", "read_dta", content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotATable(
            f"Expected a table in {name}; got a file of an old Office program. Save it as .xlsx or"
            " CSV."
        )
    text, notes = decode(name, content)
    frame, more = _text(name, text, names)
    return frame, notes + more


def _text(name: str, text: str, names: Sequence[str] | None) -> Read:
    if is_eprime_log(text):
        return read_eprime_log(name, text)
    if looks_like_json(text):
        return read_json(name, text), []
    return read_text(name, text, names)


def _broken(name: str, what: str, error: Exception) -> DataError:
    return DataError(
        f"Expected a whole {what} file; {name} starts like one but cannot be read: {error}"
    )


def _unpacked(name: str, content: bytes, unpack: Callable[[bytes], bytes]) -> bytes:
    try:
        return unpack(content)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise _broken(name, "compressed", error) from error


def _package(name: str, package: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise DataError(
            f"Expected the package {package}, which reads {what} files such as {name}; it is not"
            ' installed. Install it with pip install "incongruent[formats]".'
        ) from error


# --- text -----------------------------------------------------------------------------------------


def decode(name: str, content: bytes) -> tuple[str, list[str]]:
    """Text as UTF-8, UTF-16 or Windows-1252, and a sentence when it was not UTF-8 or UTF-16.

    Raises:
        NotATable: when it is no text.
    """
    for encoding in (_unicode(content), "cp1252"):
        try:
            text = content.decode(encoding).removeprefix("\ufeff").rstrip("\x1a")
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, (
            [f"{name} is not UTF-8; it was read as Windows-1252."] if encoding == "cp1252" else []
        )
    raise NotATable(
        "Expected a text file (CSV, TSV, ';' or whitespace between columns), JSON, Parquet,"
        f" Feather, Excel, SPSS, Stata or R; {name} is neither. Save it as CSV with UTF-8 text."
    )


def _unicode(content: bytes) -> str:
    """Which Unicode encoding it is: by its byte-order mark, or by where its zero bytes stand."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    start = content[:1000]
    if len(start) >= 4 and len(content) % 2 == 0:
        low, high = start[1::2].count(0), start[::2].count(0)
        if min(low, high) == 0 and max(low, high) > len(start) / 4:
            return "utf-16-le" if low else "utf-16-be"
    return "utf-8-sig"


# --- columns with types ---------------------------------------------------------------------------


def _arrow(name: str, what: str, read: Callable[[], pa.Table]) -> Read:
    try:
        table = read()
        table.validate(full=True)  # a damaged file may point outside of its memory
        return frame_of_arrow(table), []
    except (
        Exception
    ) as error:  # what pyarrow raises for a damaged file depends on where the damage is
        raise _broken(name, what, error) from error


def frame_of_arrow(table: pa.Table) -> pd.DataFrame:
    """An arrow table as a frame in which large integers beside missing ones do not become floats,
    and bytes of text are text.
    """
    frame = table.to_pandas()
    for field in table.schema:
        if field.name not in frame.columns or table.column_names.count(field.name) > 1:
            continue
        column = table[field.name]
        if pa.types.is_integer(field.type) and column.null_count and _is_large(column):
            frame[field.name] = pd.Series(
                column.to_pylist(),
                dtype="UInt64" if pa.types.is_unsigned_integer(field.type) else "Int64",
            ).to_numpy(object)
        elif pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            frame[field.name] = _texts_of_bytes(column)
    return frame


def _is_large(column: pa.ChunkedArray) -> bool:
    ends = pc.min_max(column).as_py()
    return ends["max"] is not None and (ends["max"] >= LARGEST or ends["min"] <= -LARGEST)


def _texts_of_bytes(column: pa.ChunkedArray) -> Any:
    return pd.Series(
        [
            value if value is None else value.decode("utf-8", "replace")
            for value in column.to_pylist()
        ],
        dtype=object,
    ).to_numpy()


def _labelled(name: str, what: str, suffix: str, reader: str, content: bytes) -> Read:
    """SPSS or Stata: the labels of a column's values where all of its values have one, the values
    elsewhere.
    """
    pyreadstat = _package(name, "pyreadstat", what)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"  # pyreadstat reads paths only
        path.write_bytes(content)
        try:
            frame, about = getattr(pyreadstat, reader)(str(path))
        except Exception as error:  # pyreadstat raises errors of its own and of pandas
            raise _broken(name, what, error) from error
    notes = []
    for column, labels in about.variable_value_labels.items():
        values = frame[column].dropna()
        if len(values) and values.isin(list(labels)).all():
            meant = ", ".join(
                f"{as_text(value)} = {label}" for value, label in list(labels.items())[:6]
            )
            frame[column] = frame[column].map(labels).astype(object)
            notes.append(f"The value labels of column {column!r} in {name} were used: {meant}.")
        elif values.isin(list(labels)).any():
            notes.append(
                f"The value labels of column {column!r} in {name} were not used, since some of its"
                " values have none."
            )
    return frame, notes


def _r(name: str, content: bytes) -> Read:
    """R: the data frame of an .rds, or the only one of an .rda; factors as their labels."""
    rdata = _package(name, "rdata", "R")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of classes that rdata does not know, such as tibbles, which are data frames all the same
            found = rdata.conversion.convert(rdata.parser.parse_data(content))
    except Exception as error:  # whatever a damaged file leads to within rdata
        raise _broken(name, "R", error) from error
    objects = (
        {"": found} if isinstance(found, pd.DataFrame) else found if isinstance(found, dict) else {}
    )
    frames = {key: value for key, value in objects.items() if isinstance(value, pd.DataFrame)}
    if not frames:
        raise NotATable(
            f"Expected a data frame of R in {name}; got none. Save the data frame with saveRDS."
        )
    if len(frames) > 1:
        raise DataError(
            f"Expected one data frame of R in {name}; got {listed(frames)}. Save one of them with"
            " saveRDS."
        )
    frame = next(iter(frames.values()))
    others = [key for key in objects if key not in frames]
    if not pd.api.types.is_integer_dtype(frame.index) and "row_name" not in frame:
        frame = frame.rename_axis("row_name").reset_index()
    plain = pd.DataFrame({column: _plain(column_of(frame, column)) for column in frame.columns})
    return plain, (
        [f"{name} holds besides the data frame: {listed(others)}; not used."] if others else []
    )


def _plain(column: pd.Series) -> pd.Series:
    """The column without pandas' types for missing values, where numpy's hold the same."""
    if pd.api.types.is_integer_dtype(column) and column.isna().any():
        return pd.Series(column.to_numpy(float, na_value=np.nan))
    if pd.api.types.is_extension_array_dtype(column) and not isinstance(
        column.dtype, pd.CategoricalDtype
    ):
        return pd.Series(
            column.to_numpy(object if column.isna().any() or column.dtype == "string" else None)
        )
    return column.reset_index(drop=True)


# --- archives and workbooks -----------------------------------------------------------------------


def _zip(name: str, content: bytes, names: Sequence[str] | None) -> Read:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = [
            info.filename
            for info in archive.infolist()
            if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        if "xl/workbook.xml" in members:
            return _workbook(name, content, names)
        if "mimetype" in members or "[Content_Types].xml" in members:
            raise NotATable(
                f"Expected a table in {name}; got a document of an Office program. Save the table"
                " as .xlsx or CSV."
            )
        if len(members) != 1:
            raise DataError(
                f"Expected one file in the archive {name}; got {listed(members) or 'none'}. Unpack"
                " it into a folder, and give the folder."
            )
        inner = archive.read(members[0])
    except DataError:
        raise
    except Exception as error:  # whatever a damaged archive leads to
        raise _broken(name, "zip", error) from error
    return read_content(f"{name} ({members[0]})", inner, names)


def _workbook(name: str, content: bytes, names: Sequence[str] | None) -> Read:
    """Excel: the first sheet that is not empty, read as text is, with titles above its table."""
    openpyxl = _package(name, "openpyxl", "Excel")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that do not matter here
            sheets = _sheets(openpyxl.load_workbook(io.BytesIO(content), data_only=True))
            formulas = (
                _sheets(openpyxl.load_workbook(io.BytesIO(content)))
                if _has_formulas(content)
                else {}
            )
    except Exception as error:  # whatever a damaged workbook leads to
        raise _broken(name, "Excel", error) from error
    if not sheets:
        raise NotATable(f"Expected a table in {name}; all of its sheets are empty.")
    sheet, rows = next(iter(sheets.items()))
    if not _computed(rows, formulas.get(sheet, [])):
        raise DataError(
            f"Expected the results of the formulas in sheet {sheet!r} of {name}; there are none."
            " Open it in Excel and save it again."
        )
    frame, notes = _of_rows(f"{name}, sheet {sheet!r}", rows, names)
    others = [other for other in sheets if other != sheet]
    return frame, notes + (
        [f"{name} was read from its first sheet, {sheet!r}; not used: {listed(others)}."]
        if others
        else []
    )


def _has_formulas(content: bytes) -> bool:
    archive = zipfile.ZipFile(io.BytesIO(content))
    return any(
        b"<f" in archive.read(part)
        for part in archive.namelist()
        if part.startswith("xl/worksheets/") and part.endswith(".xml")
    )


def _computed(rows: Sequence[Sequence[str]], formulas: Sequence[Sequence[str]]) -> bool:
    """False when there are formulas and none has a result, as in a workbook that no program for
    sheets has saved yet.
    """
    of_formulas = [
        i < len(rows) and j < len(rows[i]) and bool(rows[i][j])
        for i, row in enumerate(formulas)
        for j, cell in enumerate(row)
        if cell.startswith("=")
    ]
    return not of_formulas or any(of_formulas)


def _sheets(workbook: Any) -> dict[str, list[list[str]]]:
    """The cells of each sheet that has any, as text, without empty rows below and empty columns at
    the right.
    """
    found = {}
    for sheet in workbook.worksheets:
        rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        width = max((i + 1 for row in rows for i, cell in enumerate(row) if cell), default=0)
        if width:
            found[sheet.title] = [row[:width] for row in rows]
    return found


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST:
        return str(int(value))
    return str(value).strip()


def _of_rows(name: str, rows: Sequence[list[str]], names: Sequence[str] | None) -> Read:
    """A table of rows of cells, all as long as the longest, as `read_text` reads lines."""
    filled = [row for row in rows if any(row)]
    found = layout_of_rows(filled)
    header = header_of(name, filled[found.start :], names)
    body = filled[found.start + (header is not None) :]
    if not body:
        raise without_data(name, header)
    frame, more = headed(name, text_table(body, found.width), header)
    above = [" ".join(filter(None, row)) for row in filled[: found.start]]
    return frame, skipped(name, above) + more

"""Files whose columns have types: Parquet, Feather, SPSS, Stata and R."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from incongruent.data.files.cells import LARGEST_EXACT, NotATable
from incongruent.data.files.failures import broken, package
from incongruent.data.values import DataError, as_text, column_of, listed

if TYPE_CHECKING:
    import pyarrow as pa

Read = tuple[pd.DataFrame, list[str]]
"""A frame, and sentences about how it was read."""


# --- Arrow ----------------------------------------------------------------------------------------


def read_parquet(name: str, content: bytes) -> Read:
    """The table of a Parquet file.

    Raises:
        DataError: when the file is damaged, or pyarrow is not installed.
    """
    parquet = package("pyarrow.parquet", f"Parquet files such as {name}")
    return _arrow(name, "Parquet", lambda: parquet.read_table(io.BytesIO(content)))


def read_feather(name: str, content: bytes) -> Read:
    """The table of a Feather file; errors as in `read_parquet`."""
    feather = package("pyarrow.feather", f"Feather files such as {name}")
    return _arrow(name, "Feather", lambda: feather.read_table(io.BytesIO(content)))


def _arrow(name: str, what: str, read: Callable[[], pa.Table]) -> Read:
    try:
        table = read()
        table.validate(full=True)  # a damaged file may point outside of its memory
        return frame_of_arrow(table), []
    except Exception as error:  # which one pyarrow raises depends on where the damage is
        raise broken(name, what, error) from error


def frame_of_arrow(table: pa.Table) -> pd.DataFrame:
    """An arrow table as a frame, with the same numbers and with text for bytes.

    Large integers beside missing ones would otherwise become floats, and change.
    """
    frame = table.to_pandas()
    for field in table.schema:
        if field.name in frame.columns and table.column_names.count(field.name) == 1:
            values = _unchanged_values(table[field.name])
            if values is not None:
                frame[field.name] = values
    return frame


def _unchanged_values(column: pa.ChunkedArray) -> np.ndarray | None:
    """The values of a column that pandas would change, (row,) objects; None for other columns."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) and column.null_count and _is_large(column):
        dtype = "UInt64" if pa.types.is_unsigned_integer(kind) else "Int64"
        return pd.Series(column.to_pylist(), dtype=dtype).to_numpy(object)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _texts_of_bytes(column)
    return None


def _is_large(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()  # type: ignore[attr-defined]  # made while it is imported
    if ends["max"] is None:
        return False
    return ends["max"] >= LARGEST_EXACT or ends["min"] <= -LARGEST_EXACT


def _texts_of_bytes(column: pa.ChunkedArray) -> np.ndarray:
    texts = [
        None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()
    ]
    return pd.Series(texts, dtype=object).to_numpy()


# --- SPSS and Stata -------------------------------------------------------------------------------


def read_spss(name: str, content: bytes) -> Read:
    """The table of an SPSS file; errors as in `read_stata`."""
    pyreadstat = package("pyreadstat", f"SPSS files such as {name}")
    return _labelled(name, "SPSS", ".sav", pyreadstat.read_sav, content)


def read_stata(name: str, content: bytes) -> Read:
    """The table of a Stata file.

    Raises:
        DataError: when the file is damaged, or pyreadstat is not installed.
    """
    pyreadstat = package("pyreadstat", f"Stata files such as {name}")
    return _labelled(name, "Stata", ".dta", pyreadstat.read_dta, content)


def _labelled(
    name: str, what: str, suffix: str, read: Callable[[str], tuple[Any, Any]], content: bytes
) -> Read:
    """A table in which values have their labels, in columns where all values have one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"  # pyreadstat reads paths only
        path.write_bytes(content)
        try:
            frame, about = read(str(path))
        except Exception as error:  # pyreadstat raises errors of its own and of pandas
            raise broken(name, what, error) from error
    notes = []
    for column, labels in about.variable_value_labels.items():
        values = frame[column].dropna()
        has_label = values.isin(list(labels))
        if len(values) and has_label.all():
            frame[column] = frame[column].map(labels).astype(object)
            notes.append(_about_labels(name, column, labels))
        elif has_label.any():
            notes.append(
                f"The value labels of column {column!r} in {name} were not used, since some of its"
                " values have none."
            )
    return frame, notes


def _about_labels(name: str, column: str, labels: Mapping[Any, str]) -> str:
    shown = list(labels.items())[:6]
    meant = ", ".join(f"{as_text(value)} = {label}" for value, label in shown)
    return f"The value labels of column {column!r} in {name} were used: {meant}."


# --- R --------------------------------------------------------------------------------------------


def read_r(name: str, content: bytes) -> Read:
    """The data frame of an .rds, or the only one of an .rda; factors as their labels.

    Raises:
        NotATable: when there is no data frame.
        DataError: when there are several, the file is damaged, or rdata is not installed.
    """
    objects = _r_objects(name, content)
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
    frame = _with_row_names(next(iter(frames.values())))
    plain = pd.DataFrame({column: _plain(column_of(frame, column)) for column in frame.columns})
    others = [key for key in objects if key not in frames]
    if not others:
        return plain, []
    return plain, [f"{name} holds besides the data frame: {listed(others)}; not used."]


def _r_objects(name: str, content: bytes) -> dict[Any, Any]:
    """The objects of a file of R by their names; the only one of an .rds has no name."""
    rdata = package("rdata", f"R files such as {name}")
    try:
        with warnings.catch_warnings():
            # rdata warns of classes that it does not know; those of tibbles, for example, do not
            # matter here, since tibbles are data frames.
            warnings.simplefilter("ignore")
            found = rdata.conversion.convert(rdata.parser.parse_data(content))
    except Exception as error:  # whatever a damaged file leads to within rdata
        raise broken(name, "R", error) from error
    if isinstance(found, pd.DataFrame):
        return {"": found}
    return found if isinstance(found, dict) else {}


def _with_row_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its row names as a column, when they are more than numbers."""
    if pd.api.types.is_integer_dtype(frame.index) or "row_name" in frame:
        return frame
    return frame.rename_axis("row_name").reset_index()


def _plain(column: pd.Series) -> pd.Series:
    """The column without pandas' types for missing values, where numpy's hold the same values."""
    if pd.api.types.is_integer_dtype(column) and column.isna().any():
        return pd.Series(column.to_numpy(float, na_value=np.nan))
    is_category = isinstance(column.dtype, pd.CategoricalDtype)
    if pd.api.types.is_extension_array_dtype(column) and not is_category:
        as_objects = column.isna().any() or column.dtype == "string"
        return pd.Series(column.to_numpy(object if as_objects else None))
    return column.reset_index(drop=True)

"""Files of any format that holds trials, as frames; the format is known from the content alone."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Sequence

import pandas as pd

from incongruent.data.files.cells import NotATable
from incongruent.data.files.delimited import read_text
from incongruent.data.files.eprime import is_eprime_log, read_eprime_log
from incongruent.data.files.failures import broken
from incongruent.data.files.json_tables import looks_like_json, read_json
from incongruent.data.files.typed import (
    read_feather,
    read_parquet,
    read_r,
    read_spss,
    read_stata,
)
from incongruent.data.files.workbooks import read_workbook
from incongruent.data.values import DataError, listed

Read = tuple[pd.DataFrame, list[str]]
"""A frame, whose columns are numbered if it has no header, and sentences about how it was read."""

PACKED: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ\0": lzma.decompress,
}
TYPED: dict[tuple[bytes, ...], Callable[[str, bytes], Read]] = {
    (b"X\n", b"A\n", b"B\n", b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n"): read_r,
    (b"PAR1",): read_parquet,
    (b"ARROW1", b"FEA1"): read_feather,
    (b"$FL2", b"$FL3"): read_spss,
    (b"<stata_dta>",): read_stata,
}
"""The first bytes of files whose columns have types, and the functions that read them."""
ZIP_BEGINS = b"PK\x03\x04"
OLD_OFFICE_BEGINS = b"\xd0\xcf\x11\xe0"


def read_content(name: str, content: bytes, names: Sequence[str] | None) -> Read:
    """The table in a file's content; cells of text formats stay as written.

    Raises:
        NotATable: when it holds no table of trials.
        DataError: when it is damaged, or a package that reads it is not installed.
    """
    if not content[:4096].strip() and not content.strip():
        raise NotATable(f"Expected a table in {name}; the file is empty.")
    for begins, read in TYPED.items():
        if content.startswith(begins):
            return read(name, content)
    for begin, unpack in PACKED.items():
        if content.startswith(begin):
            return read_content(name, _unpacked(name, content, unpack), names)
    if content.startswith(ZIP_BEGINS):
        return _read_zip(name, content, names)
    if content.startswith(OLD_OFFICE_BEGINS):
        raise NotATable(
            f"Expected a table in {name}; got a file of an old Office program. Save it as .xlsx or"
            " CSV."
        )
    text, notes = decode(name, content)
    frame, more = _read_text(name, text, names)
    return frame, notes + more


def _read_text(name: str, text: str, names: Sequence[str] | None) -> Read:
    if is_eprime_log(text):
        return read_eprime_log(name, text)
    if looks_like_json(text):
        return read_json(name, text), []
    return read_text(name, text, names)


# --- packed files ---------------------------------------------------------------------------------


def _unpacked(name: str, content: bytes, unpack: Callable[[bytes], bytes]) -> bytes:
    try:
        return unpack(content)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise broken(name, "compressed", error) from error


def _read_zip(name: str, content: bytes, names: Sequence[str] | None) -> Read:
    """The table of a workbook, or of the only file in an archive."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = _members(archive)
        if "xl/workbook.xml" in members:
            return read_workbook(name, content, names)
        member = _only_member(name, members)
        inner = archive.read(member)
    except DataError:
        raise
    except Exception as error:  # whatever a damaged archive leads to
        raise broken(name, "zip", error) from error
    return read_content(f"{name} ({member})", inner, names)


def _members(archive: zipfile.ZipFile) -> list[str]:
    """The names of the files in an archive, without those that macOS adds."""
    return [
        info.filename
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith("__MACOSX/")
    ]


def _only_member(name: str, members: Sequence[str]) -> str:
    if "mimetype" in members or "[Content_Types].xml" in members:
        raise NotATable(
            f"Expected a table in {name}; got a document of an Office program. Save the table as"
            " .xlsx or CSV."
        )
    if len(members) != 1:
        raise DataError(
            f"Expected one file in the archive {name}; got {listed(members) or 'none'}. Unpack it"
            " into a folder, and give the folder."
        )
    return members[0]


# --- text -----------------------------------------------------------------------------------------


def decode(name: str, content: bytes) -> tuple[str, list[str]]:
    """The text of a file, and a sentence when it was neither UTF-8 nor UTF-16.

    Text that is neither is read as Windows-1252.

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
        return text, _about_encoding(name, encoding)
    raise NotATable(
        "Expected a text file (CSV, TSV, ';' or whitespace between columns), JSON, Parquet,"
        f" Feather, Excel, SPSS, Stata or R; {name} is neither. Save it as CSV with UTF-8 text."
    )


def _about_encoding(name: str, encoding: str) -> list[str]:
    if encoding != "cp1252":
        return []
    return [f"{name} is not UTF-8; it was read as Windows-1252."]


def _unicode(content: bytes) -> str:
    """The Unicode encoding, from the byte-order mark, or from the places of zero bytes."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    start = content[:1000]
    if len(start) >= 4 and len(content) % 2 == 0:
        low, high = start[1::2].count(0), start[::2].count(0)
        if min(low, high) == 0 and max(low, high) > len(start) / 4:
            return "utf-16-le" if low else "utf-16-be"
    return "utf-8-sig"

"""Which files a folder, a pattern or a list names, and what their names say."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from incongruent.data.values import DataError

SUFFIXES = (
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".dat",
    ".json",
    ".jsonl",
    ".ndjson",
    ".parquet",
    ".feather",
    ".arrow",
    ".xlsx",
    ".xlsm",
    ".sav",
    ".zsav",
    ".dta",
    ".rds",
    ".rda",
    ".rdata",
)
"""The endings of files of trials; where a folder holds the same table in two formats, the one whose
ending comes first is taken.
"""
PACKED = (".gz", ".bz2", ".xz", ".zip")
MOST_FILES = 10_000
HIDDEN = (".", "~$", "__MACOSX")
Source = str | os.PathLike[str]


@dataclass(frozen=True)
class Files:
    """Files to be read as one table.

    Args:
        paths: in natural order.
        root: the folder that all of them lie in.
        chosen: True when the user named each of them; then none may be left out.
        left_out: files of the folder that are not read, and why.
    """

    paths: tuple[Path, ...]
    root: Path
    chosen: bool
    left_out: tuple[tuple[Path, str], ...] = ()

    def name(self, path: Path) -> str:
        """The name of a file within the root, with forward slashes."""
        inner = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        return inner.as_posix()


# --- which files ----------------------------------------------------------------------------------


def files_of(source: Source | Iterable[Source]) -> Path | Files:
    """The single file that a path names, or the files of a folder, a pattern or a list.

    Args:
        source: a path, a pattern such as ``data/*.csv``, or several of these.

    Raises:
        DataError: when there is no such file.
    """
    if isinstance(source, str | os.PathLike):
        return _of_path(Path(source))
    parts = [_of_path(Path(one)) for one in source]
    if not parts:
        raise DataError("Expected at least one file; got an empty list of files.")
    return parts[0] if len(parts) == 1 else _together(parts)


def _together(parts: Sequence[Path | Files]) -> Files:
    paths = [path for part in parts for path in ([part] if isinstance(part, Path) else part.paths)]
    left_out = [one for part in parts if isinstance(part, Files) for one in part.left_out]
    chosen = all(isinstance(part, Path) for part in parts)
    return Files(tuple(paths), _root(paths), chosen, tuple(left_out))


def _of_path(path: Path) -> Path | Files:
    try:
        if path.is_dir():
            return _of_folder(path)
        if path.exists() or not glob.has_magic(str(path)):
            return path
        matching = [Path(found) for found in glob.glob(str(path), recursive=True)]
    except (OSError, ValueError) as error:
        raise DataError(f"Expected a file that can be read; got {str(path)!r}: {error}.") from error
    return _of_pattern(path, matching)


def _of_pattern(pattern: Path, matching: Sequence[Path]) -> Files:
    """The files that fit a pattern, and those in folders that fit it."""
    files = [inner for found in matching for inner in (_walk(found) if found.is_dir() else [found])]
    if not files:
        raise DataError(
            f"Expected files whose names fit {str(pattern)!r}; there are none. Check the path and"
            " the pattern."
        )
    paths = tuple(sorted(dict.fromkeys(files), key=_natural))
    return Files(paths, _root(paths), chosen=False)


def _of_folder(folder: Path) -> Files:
    """The files of a folder and its folders that have the ending of a table.

    When none has such an ending, all files are taken.
    """
    paths = sorted(_walk(folder), key=_natural)
    seen = [path for path in paths if not _is_hidden(path.relative_to(folder))]
    tables = [path for path in seen if table_suffix(path)] or seen
    if not tables:
        raise DataError(
            f"Expected files of trials in the folder {str(folder)!r}; there are none in it."
        )
    hidden, others = _not_in(paths, seen), _not_in(seen, tables)
    left_out = [
        *((path, "hidden") for path in hidden),
        *((path, "not called as a table is") for path in others),
    ]
    return Files(tuple(tables), folder, False, tuple(left_out))


def _is_hidden(inner: PurePath) -> bool:
    return any(part.startswith(HIDDEN) for part in inner.parts)


def _not_in(paths: Sequence[Path], chosen: Sequence[Path]) -> list[Path]:
    excluded = set(chosen)
    return [path for path in paths if path not in excluded]


def _walk(folder: Path) -> list[Path]:
    """All files of a folder and its folders."""
    found: list[Path] = []
    for where, _, names in os.walk(folder):
        found += [Path(where) / name for name in names]
        if len(found) > MOST_FILES:
            raise DataError(
                f"Expected at most {MOST_FILES} files in the folder {str(folder)!r}; there are"
                " more. Give a folder that holds trials only."
            )
    return found


def _root(paths: Sequence[Path]) -> Path:
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:  # on two drives, or absolute and relative
        return Path()


def _natural(path: PurePath) -> list[tuple[int, int, str]]:
    """A key that sorts digits within names as numbers: s2 before s10."""
    parts = re.split(r"([0-9]{1,18})", path.as_posix())
    return [(0, int(part), part) if i % 2 else (1, 0, part) for i, part in enumerate(parts)]


# --- their names ----------------------------------------------------------------------------------


def table_suffix(path: PurePath) -> str:
    """The ending that says which kind of table a file is, or "" when it says none.

    The ending of file.csv.gz is that of file.csv.
    """
    suffix = _unpacked(path).suffix.casefold()
    if suffix in SUFFIXES:
        return suffix
    return ".zip" if _is_packed(path) and not suffix else ""


def stem_of(path: PurePath) -> PurePath:
    """The path without the endings that say which kind of table it is."""
    inner = _unpacked(path)
    return inner.with_suffix("") if inner.suffix.casefold() in SUFFIXES else inner


def _is_packed(path: PurePath) -> bool:
    return path.suffix.casefold() in PACKED


def _unpacked(path: PurePath) -> PurePath:
    return path.with_suffix("") if _is_packed(path) else path

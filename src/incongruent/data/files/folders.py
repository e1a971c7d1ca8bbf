"""Several files as one table: which files a folder, a pattern or a list names, which of them hold
trials, and whose each is.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from incongruent.data.codings import FILE_COLUMN
from incongruent.data.files.cells import AS_WRITTEN, as_written, understood
from incongruent.data.values import DataError, column_of, listed

SUFFIXES = (
    *(
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
    ),
    *(".sav", ".zsav", ".dta", ".rds", ".rda", ".rdata"),
)
"""What files of trials are called; earlier ones are taken where a folder holds the same table
twice, in two formats.
"""
PACKED = (".gz", ".bz2", ".xz", ".zip")
MOST_FILES = 10_000
ENTITIES = {"ses": "session", "task": "task", "acq": "acquisition", "run": "run"}
"""Parts of file names in the Brain Imaging Data Structure, sub-01_ses-2_task-flanker_events.tsv,
and what their columns are called here.
"""
SHOWN = 8


@dataclass(frozen=True)
class Files:
    """Files to be read as one table.

    Args:
        paths: in natural order.
        root: the folder that all of them lie in.
        chosen: True when the user named each of them; then none may be left out.
        left_out: files of the folder that are not looked at, and why.
    """

    paths: tuple[Path, ...]
    root: Path
    chosen: bool
    left_out: tuple[tuple[Path, str], ...] = ()

    def name(self, path: Path) -> str:
        """What a file is called within the root, with forward slashes."""
        return (
            path.relative_to(self.root).as_posix()
            if path.is_relative_to(self.root)
            else path.as_posix()
        )


# --- which files ----------------------------------------------------------------------------------


def files_of(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Path | Files:
    """The only file that a path names, or the files of a folder, of a pattern such as
    ``data/*.csv`` or of a list.

    Raises:
        DataError: when there is no such file.
    """
    if isinstance(source, str | os.PathLike):
        return _of_path(Path(source))
    parts = [_of_path(Path(one)) for one in source]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        raise DataError("Expected at least one file; got an empty list of files.")
    paths = [path for part in parts for path in ([part] if isinstance(part, Path) else part.paths)]
    left_out = [one for part in parts if isinstance(part, Files) for one in part.left_out]
    return Files(
        tuple(paths), _root(paths), all(isinstance(part, Path) for part in parts), tuple(left_out)
    )


def _of_path(path: Path) -> Path | Files:
    try:
        if path.is_dir():
            return _of_folder(path)
        if path.exists() or not glob.has_magic(str(path)):
            return path
        matching = [Path(found) for found in glob.glob(str(path), recursive=True)]
    except (OSError, ValueError) as error:
        raise DataError(f"Expected a file that can be read; got {str(path)!r}: {error}.") from error
    files = [inner for found in matching for inner in (_walk(found) if found.is_dir() else [found])]
    if not files:
        raise DataError(
            f"Expected files whose names fit {str(path)!r}; there are none. Check the path and the"
            " pattern."
        )
    paths = tuple(sorted(dict.fromkeys(files), key=_natural))
    return Files(paths, _root(paths), chosen=False)


def _of_folder(folder: Path) -> Files:
    """The files of a folder and those within it that are called as tables are; all of them when
    none is called so.
    """
    paths = sorted(_walk(folder), key=_natural)
    hidden = [
        path
        for path in paths
        if any(part.startswith((".", "~$", "__MACOSX")) for part in path.relative_to(folder).parts)
    ]
    seen = [path for path in paths if path not in set(hidden)]
    likely = [path for path in seen if _suffix(path)] or seen
    others = [path for path in seen if path not in set(likely)]
    if not likely:
        raise DataError(
            f"Expected files of trials in the folder {str(folder)!r}; there are none in it."
        )
    left_out = [
        *((path, "hidden") for path in hidden),
        *((path, "not called as a table is") for path in others),
    ]
    return Files(tuple(likely), folder, False, tuple(left_out))


def _walk(folder: Path) -> list[Path]:
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


def _suffix(path: PurePath) -> str:
    """The ending of a name that says which kind of table it is, "" when it says none; file.csv.gz
    is as file.csv.
    """
    inner = path.with_suffix("") if path.suffix.casefold() in PACKED else path
    suffix = inner.suffix.casefold()
    return (
        suffix
        if suffix in SUFFIXES
        else ".zip"
        if path.suffix.casefold() in PACKED and not suffix
        else ""
    )


def _stem(path: PurePath) -> PurePath:
    """The path without the endings that say which kind of table it is."""
    inner = path.with_suffix("") if path.suffix.casefold() in PACKED else path
    return inner.with_suffix("") if inner.suffix.casefold() in SUFFIXES else inner


def _natural(path: PurePath) -> list[tuple[int, int, str]]:
    """A key that sorts digits within names as numbers: s2 before s10."""
    parts = re.split(r"([0-9]{1,18})", path.as_posix())
    return [(0, int(part), part) if i % 2 else (1, 0, part) for i, part in enumerate(parts)]


# --- which of them hold trials --------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """The table of one file, before its cells are understood."""

    path: Path
    content: bytes
    frame: pd.DataFrame


def alike(files: Files, parts: Sequence[Part]) -> tuple[list[Part], list[tuple[Path, str]]]:
    """The tables that belong together, and the others with the reason.

    Raises:
        DataError: when files that were named one by one do not belong together, or two files hold
            the same.
    """
    kept, left_out = (list(parts), []) if files.chosen else _once_each(files, parts)
    counts = Counter(column for part in kept for column in part.frame.columns)
    core = {column for column, n in counts.items() if 2 * n >= len(kept)}
    other = [part for part in kept if 2 * len(core & set(part.frame.columns)) <= len(core)]
    if other and (files.chosen or len(other) == len(kept)):
        one = next(part for part in kept if part is not other[0])
        raise DataError(
            f"Expected files with the same columns; {files.name(other[0].path)} has"
            f" {listed(other[0].frame.columns)} and {files.name(one.path)} has"
            f" {listed(one.frame.columns)}. Give files of one kind."
        )
    left_out += [(part.path, f"other columns: {listed(part.frame.columns, 5)}") for part in other]
    kept = [part for part in kept if part not in other]
    _no_copies(files, kept)
    return kept, left_out


def _once_each(files: Files, parts: Sequence[Part]) -> tuple[list[Part], list[tuple[Path, str]]]:
    """One table for each name: a program may write the same trials as CSV and as Excel."""
    best: dict[PurePath, Part] = {}
    left_out = []
    for part in sorted(
        parts,
        key=lambda part: (
            SUFFIXES.index(_suffix(part.path)) if _suffix(part.path) in SUFFIXES else len(SUFFIXES)
        ),
    ):
        first = best.setdefault(_stem(part.path), part)
        if first is not part:
            left_out.append((part.path, f"the same name as {files.name(first.path)}"))
    chosen = set(map(id, best.values()))
    return [part for part in parts if id(part) in chosen], left_out


def _no_copies(files: Files, parts: Sequence[Part]) -> None:
    """Refuse two files with the same content: one person's trials would count twice, or make two
    people of one.
    """
    seen: dict[bytes, Path] = {}
    for part in parts:
        twin = seen.setdefault(hashlib.sha256(part.content).digest(), part.path)
        if twin is not part.path:
            raise DataError(
                f"Expected different trials in every file; {files.name(twin)} and"
                f" {files.name(part.path)} hold the same. Remove one of them, or give it the"
                " person's own data."
            )


# --- one table ------------------------------------------------------------------------------------


def joined(files: Files, parts: Sequence[Part]) -> tuple[pd.DataFrame, list[str]]:
    """One table of all, columns matched by name; each row's file in the column `FILE_COLUMN`; and
    sentences.

    Raises:
        DataError: when there is a column of that name already.
    """
    frames, notes = _same_spelling([part.frame for part in parts])
    names = list(dict.fromkeys(column for frame in frames for column in frame.columns))
    if FILE_COLUMN in names:
        raise DataError(
            f"Expected no column called {FILE_COLUMN!r}, which is kept for the files' names."
            " Rename it."
        )
    for name in names:
        lacking = [
            files.name(part.path)
            for part, frame in zip(parts, frames, strict=True)
            if name not in frame.columns
        ]
        if lacking:
            notes.append(
                f"Column {name!r} is empty where {len(lacking)} of {len(parts)} files lack it:"
                f" {listed(lacking, SHOWN)}."
            )
    if not all((frame.dtypes == AS_WRITTEN).all() for frame in frames):
        frames = [understood(frame)[0] for frame in frames]
    whole = pd.DataFrame(
        {
            name: _stacked([frame.get(name) for frame in frames], list(map(len, frames)))
            for name in names
        }
    )
    sizes = np.array(list(map(len, frames)))
    for name, values in _about([PurePath(files.name(part.path)) for part in parts]).items():
        if name not in names:
            whole[name] = pd.Series(np.repeat(np.array(values, object), sizes), dtype=object)
    return whole, notes


def _same_spelling(frames: Sequence[pd.DataFrame]) -> tuple[list[pd.DataFrame], list[str]]:
    """The frames with the same spelling for columns whose names differ in case only from file to
    file.
    """
    spelling: dict[str, str] = {}
    changed: dict[str, str] = {}
    out = []
    for frame in frames:
        folded = Counter(str(column).casefold() for column in frame.columns)
        new = {
            c: spelling.setdefault(str(c).casefold(), c) if folded[str(c).casefold()] == 1 else c
            for c in frame.columns
        }
        changed |= {old: name for old, name in new.items() if old != name}
        out.append(frame.rename(columns=new))
    return out, (
        [
            "Columns whose names differ in case only were taken as one:"
            f" {', '.join(f'{o} = {n}' for o, n in changed.items())}."
        ]
        if changed
        else []
    )


def _stacked(columns: Sequence[pd.Series | None], sizes: Sequence[int]) -> pd.Series:
    """One column below the other; where a file has none, nothing."""
    there = [column for column in columns if column is not None]
    same = len({str(column.dtype) for column in there}) == 1
    if same and there[0].dtype == AS_WRITTEN:
        empty = {
            n: column_of(as_written({"x": [None] * n}), "x")
            for n, column in zip(sizes, columns, strict=True)
            if column is None
        }
        return pd.concat(
            [
                empty[n] if column is None else column
                for n, column in zip(sizes, columns, strict=True)
            ],
            ignore_index=True,
        )
    if same and len(there) == len(columns):
        return pd.concat(there, ignore_index=True)
    values = [
        [None] * n if column is None else column.astype(object).to_list()
        for n, column in zip(sizes, columns, strict=True)
    ]
    return pd.Series([value for part in values for value in part], dtype=object).infer_objects()


def _about(paths: Sequence[PurePath]) -> dict[str, list[str]]:
    """What the files' names say, one value for each file: whose it is, and what else distinguishes
    files in BIDS names.
    """
    subjects = [_entity(path, "sub") for path in paths]
    if None in subjects or len({*subjects}) == 1:
        return {FILE_COLUMN: _labels(paths)}
    told = {FILE_COLUMN: [f"sub-{subject}" for subject in subjects]}
    for entity, name in ENTITIES.items():
        values = [_entity(path, entity) or "" for path in paths]
        if len(set(values)) > 1:
            told[name] = values
    return told


def _entity(path: PurePath, key: str) -> str | None:
    found = re.search(rf"(?:^|[/_]){key}-([0-9A-Za-z]+)", path.as_posix())
    return found[1] if found else None


def _labels(paths: Sequence[PurePath]) -> list[str]:
    """A different label for each file: its name without the ending, with the folders that tell it
    apart where names are the same.
    """
    stems = [_stem(path) for path in paths]
    names = [stem.name for stem in stems]
    if len(set(names)) == len(names):
        return names
    if len(set(stems)) < len(stems):
        return [path.as_posix() for path in paths]
    if len({len(stem.parts) for stem in stems}) == 1:
        telling = [
            i for i in range(len(stems[0].parts)) if len({stem.parts[i] for stem in stems}) > 1
        ]
        return ["/".join(stem.parts[i] for i in telling) for stem in stems]
    return [stem.as_posix() for stem in stems]


def told(
    files: Files,
    parts: Sequence[Part],
    left_out: Sequence[tuple[Path, str]],
    notes: Mapping[Path, Sequence[str]],
) -> list[str]:
    """Sentences: how many files were read, which were not and why, and how each was read; what is
    the same in many is said once.
    """
    said = [
        f"{len(parts)} {'file was' if len(parts) == 1 else 'files were'} read as one table; column"
        f" {FILE_COLUMN!r} says which a row is from."
    ]
    reasons: dict[str, list[str]] = {}
    for path, reason in [*files.left_out, *left_out]:
        reasons.setdefault(reason, []).append(files.name(path))
    said += [f"Left out, {reason}: {listed(names, SHOWN)}." for reason, names in reasons.items()]
    alike: dict[str, list[str]] = {}
    for path, sentences in notes.items():
        for sentence in sentences:
            alike.setdefault(sentence.replace(path.name, "…"), []).append(sentence)
    return said + [
        one[0] if len(one) == 1 else f"{one[0]} The same in {len(one) - 1} other files."
        for one in alike.values()
    ]

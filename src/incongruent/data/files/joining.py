"""Several tables as one, whose rows say which file they are from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from incongruent.data.codings import FILE_COLUMN
from incongruent.data.files.belonging import LeftOut, Part
from incongruent.data.files.cells import AS_WRITTEN, as_written, understood
from incongruent.data.files.folders import Files, stem_of
from incongruent.data.values import DataError, column_of, listed

ENTITIES = {"ses": "session", "task": "task", "acq": "acquisition", "run": "run"}
"""Parts of file names in the Brain Imaging Data Structure, as in
sub-01_ses-2_task-flanker_events.tsv, and the names of columns for them.
"""
SHOWN = 8
"""At most so many names of files are listed in a sentence."""


def joined(files: Files, parts: Sequence[Part]) -> tuple[pd.DataFrame, list[str]]:
    """One table of all parts, and sentences.

    Columns are matched by name; each row's file stands in the column `FILE_COLUMN`.

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
    paths = [files.name(part.path) for part in parts]
    notes += _about_lacking(paths, frames, names)
    if not all((frame.dtypes == AS_WRITTEN).all() for frame in frames):
        frames = [understood(frame)[0] for frame in frames]
    return _with_file_columns(_stacked(frames, names), paths, list(map(len, frames))), notes


def _about_lacking(
    paths: Sequence[str], frames: Sequence[pd.DataFrame], names: Iterable[Hashable]
) -> list[str]:
    """A sentence about each column that some files lack."""
    notes = []
    for name in names:
        lacking = [p for p, frame in zip(paths, frames, strict=True) if name not in frame.columns]
        if lacking:
            notes.append(
                f"Column {name!r} is empty where {len(lacking)} of {len(paths)} files lack it:"
                f" {listed(lacking, SHOWN)}."
            )
    return notes


def _with_file_columns(
    table: pd.DataFrame, paths: Sequence[str], sizes: Sequence[int]
) -> pd.DataFrame:
    """The table with columns for what the files' names say, where it has none of these names."""
    for name, values in _about(list(map(PurePath, paths))).items():
        if name not in table.columns:
            table[name] = pd.Series(np.repeat(np.array(values, object), sizes), dtype=object)
    return table


def _same_spelling(frames: Sequence[pd.DataFrame]) -> tuple[list[pd.DataFrame], list[str]]:
    """The frames with one spelling for columns whose names differ only in case between files."""
    spelling: dict[str, str] = {}
    changed: dict[str, str] = {}
    out = []
    for frame in frames:
        new = _respelled(frame, spelling)
        changed |= {old: name for old, name in new.items() if old != name}
        out.append(frame.rename(columns=new))
    if not changed:
        return out, []
    pairs = ", ".join(f"{old} = {name}" for old, name in changed.items())
    return out, [f"Columns whose names differ in case only were taken as one: {pairs}."]


def _respelled(frame: pd.DataFrame, spelling: dict[str, str]) -> dict[str, str]:
    """The spelling that each column of a frame gets; new names are added to the known spelling."""
    folded = Counter(str(column).casefold() for column in frame.columns)

    def spelled(column: str) -> str:
        key = str(column).casefold()
        return spelling.setdefault(key, column) if folded[key] == 1 else column

    return {column: spelled(column) for column in frame.columns}


# --- one below the other --------------------------------------------------------------------------


def _stacked(frames: Sequence[pd.DataFrame], names: Sequence[Hashable]) -> pd.DataFrame:
    sizes = list(map(len, frames))
    return pd.DataFrame(
        {name: _stacked_column([frame.get(name) for frame in frames], sizes) for name in names}
    )


def _stacked_column(columns: Sequence[pd.Series | None], sizes: Sequence[int]) -> pd.Series:
    """One column below the other; the rows of files without it are empty."""
    there = [column for column in columns if column is not None]
    same_type = len({str(column.dtype) for column in there}) == 1
    if same_type and there[0].dtype == AS_WRITTEN:
        there = [
            _empty(n) if column is None else column
            for n, column in zip(sizes, columns, strict=True)
        ]
    if same_type and len(there) == len(columns):
        return pd.concat(there, ignore_index=True)
    return _stacked_values(columns, sizes)


def _empty(n_rows: int) -> pd.Series:
    """A column as written without any cell."""
    return column_of(as_written({"x": [None] * n_rows}), "x")


def _stacked_values(columns: Sequence[pd.Series | None], sizes: Sequence[int]) -> pd.Series:
    """Columns of several types below each other, in a type that holds all their values."""
    values = [
        [None] * n if column is None else column.astype(object).to_list()
        for n, column in zip(sizes, columns, strict=True)
    ]
    return pd.Series([value for part in values for value in part], dtype=object).infer_objects()


# --- what the files' names say --------------------------------------------------------------------


def _about(paths: Sequence[PurePath]) -> dict[str, list[str]]:
    """What the files' names say, one value for each file.

    They say whose the file is, and what else distinguishes files in BIDS names.
    """
    subjects = [_entity(path, "sub") for path in paths]
    if None in subjects or len({*subjects}) == 1:
        return {FILE_COLUMN: _labels(paths)}
    said = {FILE_COLUMN: [f"sub-{subject}" for subject in subjects]}
    for entity, name in ENTITIES.items():
        values = [_entity(path, entity) or "" for path in paths]
        if len(set(values)) > 1:
            said[name] = values
    return said


def _entity(path: PurePath, key: str) -> str | None:
    found = re.search(rf"(?:^|[/_]){key}-([0-9A-Za-z]+)", path.as_posix())
    return found[1] if found else None


def _labels(paths: Sequence[PurePath]) -> list[str]:
    """A different label for each file.

    It is the name without the ending; where names are the same, it has the folders that differ.
    """
    stems = [stem_of(path) for path in paths]
    names = [stem.name for stem in stems]
    if len(set(names)) == len(names):
        return names
    if len(set(stems)) < len(stems):
        return [path.as_posix() for path in paths]
    if len({len(stem.parts) for stem in stems}) == 1:
        return _differing_parts(stems)
    return [stem.as_posix() for stem in stems]


def _differing_parts(stems: Sequence[PurePath]) -> list[str]:
    """The parts of paths of the same depth, without those that all of them share."""
    by_depth = zip(*(stem.parts for stem in stems), strict=True)
    differs = [len(set(parts)) > 1 for parts in by_depth]
    return [
        "/".join(part for part, keep in zip(stem.parts, differs, strict=True) if keep)
        for stem in stems
    ]


# --- sentences ------------------------------------------------------------------------------------


def how_read(
    files: Files,
    parts: Sequence[Part],
    left_out: LeftOut,
    notes: Mapping[Path, Sequence[str]],
) -> list[str]:
    """Sentences that say how many files were read, which were not and why, and how each was read.

    A sentence that is the same for many files comes once.
    """
    n_files = f"{len(parts)} {'file was' if len(parts) == 1 else 'files were'}"
    return [
        f"{n_files} read as one table; column {FILE_COLUMN!r} says which a row is from.",
        *_about_left_out(files, left_out),
        *_each_once(notes),
    ]


def _about_left_out(files: Files, left_out: LeftOut) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for path, reason in [*files.left_out, *left_out]:
        reasons.setdefault(reason, []).append(files.name(path))
    return [f"Left out, {reason}: {listed(names, SHOWN)}." for reason, names in reasons.items()]


def _each_once(notes: Mapping[Path, Sequence[str]]) -> list[str]:
    """The sentences about all files; those that differ only in the file's name come once."""
    alike: dict[str, list[str]] = {}
    for path, sentences in notes.items():
        for sentence in sentences:
            alike.setdefault(sentence.replace(path.name, "…"), []).append(sentence)
    return [
        one[0] if len(one) == 1 else f"{one[0]} The same in {len(one) - 1} other files."
        for one in alike.values()
    ]

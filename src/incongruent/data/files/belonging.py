"""Which files of a folder hold the trials of one study."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import pandas as pd

from incongruent.data.files.folders import SUFFIXES, Files, stem_of, table_suffix
from incongruent.data.values import DataError, listed

LeftOut = list[tuple[Path, str]]
"""Files that are not read, and why."""


@dataclass(frozen=True)
class Part:
    """The table of one file, before its cells are understood."""

    path: Path
    content: bytes
    frame: pd.DataFrame


def alike(files: Files, parts: Sequence[Part]) -> tuple[list[Part], LeftOut]:
    """The tables that belong together, and the other files with the reason.

    Raises:
        DataError: when files that were named one by one do not belong together, or two files have
            the same content.
    """
    once, left_out = (list(parts), []) if files.chosen else _once_each(files, parts)
    kept, others = _with_common_columns(once)
    if others and (files.chosen or not kept):
        raise _unlike(files, others[0], next(part for part in once if part is not others[0]))
    left_out += [(part.path, f"other columns: {listed(part.frame.columns, 5)}") for part in others]
    _refuse_copies(files, kept)
    return kept, left_out


def _with_common_columns(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """The tables that have most of the columns that at least half of them have, and the others."""
    counts = Counter(column for part in parts for column in part.frame.columns)
    common = {column for column, n in counts.items() if 2 * n >= len(parts)}

    def fits(part: Part) -> bool:
        return 2 * len(common & set(part.frame.columns)) > len(common)

    return [part for part in parts if fits(part)], [part for part in parts if not fits(part)]


def _unlike(files: Files, one: Part, other: Part) -> DataError:
    return DataError(
        f"Expected files with the same columns; {files.name(one.path)} has"
        f" {listed(one.frame.columns)} and {files.name(other.path)} has"
        f" {listed(other.frame.columns)}. Give files of one kind."
    )


def _once_each(files: Files, parts: Sequence[Part]) -> tuple[list[Part], LeftOut]:
    """One table for each name: a program may write the same trials as CSV and as Excel."""
    best: dict[PurePath, Part] = {}
    left_out = []
    for part in sorted(parts, key=_rank_of_format):
        first = best.setdefault(stem_of(part.path), part)
        if first is not part:
            left_out.append((part.path, f"the same name as {files.name(first.path)}"))
    chosen = set(map(id, best.values()))
    return [part for part in parts if id(part) in chosen], left_out


def _rank_of_format(part: Part) -> int:
    suffix = table_suffix(part.path)
    return SUFFIXES.index(suffix) if suffix in SUFFIXES else len(SUFFIXES)


def _refuse_copies(files: Files, parts: Sequence[Part]) -> None:
    """Refuse two files with the same content.

    One person's trials would count twice, or one person would become two.
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

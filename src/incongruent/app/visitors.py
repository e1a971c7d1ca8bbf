"""Visitors: every browser has a folder, a file, a job and results, which no other can reach."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from incongruent.app.choices import Choices, Reading
from incongruent.app.work import ARCHIVE, REPORT, Outcome
from incongruent.app.worker import Job
from incongruent.data.trials import Trials

SERVED = (REPORT, ARCHIVE)
"""The only files of a result that are given out."""
STORED_AS = "your file"
"""What an uploaded file is called on the disk, whatever its name was; the reader's sentences speak
of it so.
"""
STORED_TOGETHER = "your files"
"""What the folder of several is called; in it they keep their names, which may say whose they are.
"""
LONGEST_NAME, LONGEST_STEM = 200, 50
"""Characters of a name on the page, and of each part of one on the disk, where a character may take
four bytes.
"""


@dataclass
class Visitor:
    """One browser's things.

    Attributes:
        parent: below which its folder is.
        file_name: what the uploaded file was called, for eyes only; "" without one.
        path: where it is.
        is_demo: whether it is the study that ships with the package.
        reading: what it was understood as, the latest that has ended.
        asked: how it is to be read according to what was said last; None when that contradicts
            itself.
        is_reading: whether what was asked for has not ended yet.
        job: the latest.
        outcome: of the latest job that was done.
        fitted: the trials that it is of.
        token: that opens its files.
        network: the one chosen; "" for the first.
    """

    parent: Path
    file_name: str = ""
    path: Path | None = None
    is_demo: bool = False
    reading: Reading | None = None
    asked: Choices | None = None
    is_reading: bool = False
    job: Job | None = None
    outcome: Outcome | None = None
    fitted: Trials | None = None
    token: str = ""
    network: str = ""
    _ticket: int = 0

    @cached_property
    def folder(self) -> Path:
        """The visitor's own folder, made when it is first needed.

        Somebody who only looks leaves no folder behind.
        """
        return _new_folder(self.parent, "visitor-")

    def place_for_upload(self) -> Path:
        """Where another file may be written to."""
        return _new_folder(self.folder, "upload-") / STORED_AS

    def places_for_uploads(self, names: Sequence[str]) -> tuple[Path, list[Path]]:
        """Where files of these names may be written to.

        Returns:
            The file or the folder to be read, and the place of each file.
        """
        alone = self.place_for_upload()
        if len(names) == 1:
            return alone, [alone]
        folder = alone.with_name(STORED_TOGETHER)
        folder.mkdir()
        return folder, [folder / name for name in _told_apart([_safe(name) for name in names])]

    def take(self, path: Path, name: str, *, is_demo: bool = False) -> None:
        """Have another file, which was written to its place, instead of the one before."""
        before, self.path, self.reading, self.is_demo = self.path, path, None, is_demo
        self._ticket += 1  # whoever still reads the file before comes too late
        self.file_name = _shown(name)
        if before is not None:
            shutil.rmtree(before.parent, ignore_errors=True)

    def ask(self, choices: Choices) -> int:
        """A ticket for reading the file with other choices, which makes earlier tickets void."""
        self.asked, self.is_reading, self._ticket = choices, True, self._ticket + 1
        return self._ticket

    def keep(self, reading: Reading | None, ticket: int | None = None) -> bool:
        """Have a reading that has ended, unless its ticket is void.

        Args:
            reading: what came of it.
            ticket: that was given for it; None for a reading that says why nothing can be read.

        Returns:
            Whether it is kept: of two readings the one that was asked for last counts, whichever
            ends last.
        """
        if ticket is None:
            self.asked, self._ticket = None, self._ticket + 1
        elif ticket != self._ticket:
            return False
        self.reading, self.is_reading = reading, False
        return True

    def new_results(self) -> Path:
        """An empty folder for results.

        Folders of jobs that were cancelled or failed are removed, and the latest outcome stays.
        """
        for old in self.folder.glob("results-*"):
            if self.outcome is None or old != self.outcome.folder:
                shutil.rmtree(old, ignore_errors=True)
        return _new_folder(self.folder, "results-")


@dataclass
class Visitors:
    """Everybody, by the secret identity of the browser's session.

    Attributes:
        folder: below which everybody's folder is.
    """

    folder: Path
    _by_session: dict[str, Visitor] = field(default_factory=dict)
    _by_token: dict[str, Path] = field(default_factory=dict)

    def of(self, session: str) -> Visitor:
        """The visitor of a session, a new one at first."""
        if session not in self._by_session:
            self._by_session[session] = Visitor(self.folder)
        return self._by_session[session]

    def publish(self, visitor: Visitor, outcome: Outcome, study: Trials) -> None:
        """Give a visitor the outcome of a study, in place of the one before.

        Its files are reached with a token that cannot be guessed.
        """
        before = self._by_token.pop(visitor.token, None)
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)
        visitor.outcome, visitor.fitted, visitor.token = outcome, study, secrets.token_urlsafe(32)
        self._by_token[visitor.token] = outcome.folder

    def file(self, token: str, name: str) -> Path | None:
        """The file of a result; None unless the token is right and the file is one of `SERVED`."""
        folder = self._by_token.get(token)
        if folder is None or name not in SERVED:
            return None
        return folder / name if (folder / name).is_file() else None


def _shown(name: str) -> str:
    """A file name as the page shows it."""
    return "".join(c if c.isprintable() else "·" for c in name)[:LONGEST_NAME] or "unnamed"


def _safe(name: str) -> str:
    """A file name that every disk can keep, and that names nothing outside its folder."""
    kept = "".join(c if _is_safe(c) else "_" for c in name).strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    return f"{stem[:LONGEST_STEM]}{dot}{suffix[:LONGEST_STEM]}" or "unnamed"


def _is_safe(character: str) -> bool:
    """Whether every disk can keep a character in the name of a file."""
    return character.isprintable() and character not in '/\\:*?"<>|'


def _told_apart(names: Sequence[str]) -> list[str]:
    """File names with numbers where two differ in nothing that every disk can keep."""
    found: dict[str, str] = {}
    for name in names:
        place = Path(name)
        while place.name.casefold() in found:
            place = place.with_name(f"{place.stem}_{len(found) + 1}{place.suffix}")
        found[place.name.casefold()] = place.name
    return list(found.values())


def _new_folder(parent: Path, prefix: str) -> Path:
    """Readable by nobody else on the machine."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))

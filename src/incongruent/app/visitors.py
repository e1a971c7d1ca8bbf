"""Who is here: every browser has a folder, a file, a job and results of its own, which nobody else can reach."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from incongruent.app.choices import Choices, Reading
from incongruent.app.work import ARCHIVE, REPORT, Outcome
from incongruent.app.worker import Job
from incongruent.trials import Trials

SERVED = (REPORT, ARCHIVE)
"""The only files of a result that are given out."""
STORED_AS = "your file"
"""What an uploaded file is called on the disk, whatever its name was; the reader's sentences speak of it so."""
LONGEST_NAME = 200


@dataclass
class Visitor:
    """One browser's things.

    Attributes:
        folder: of its own, empty at first.
        file_name: what the uploaded file was called, for eyes only; "" without one.
        path: where it is.
        reading: what it was understood as.
        job: the latest.
        outcome: of the latest job that was done.
        fitted: the trials that it is of.
        token: that opens its files.
        network: the one chosen; "" for the first.
    """

    folder: Path
    file_name: str = ""
    path: Path | None = None
    reading: Reading | None = None
    job: Job | None = None
    outcome: Outcome | None = None
    fitted: Trials | None = None
    token: str = ""
    network: str = ""

    @property
    def choices(self) -> Choices:
        """How its file is read at present."""
        return self.reading.choices if self.reading is not None else Choices()

    def place_for_upload(self) -> Path:
        """Where another file may be written to."""
        return _new_folder(self.folder, "upload-") / STORED_AS

    def take(self, path: Path, name: str) -> None:
        """Have another file, which was written to its place, instead of the one before."""
        before, self.path, self.reading = self.path, path, None
        self.file_name = "".join(c if c.isprintable() else "·" for c in name)[:LONGEST_NAME] or "unnamed"
        if before is not None:
            shutil.rmtree(before.parent, ignore_errors=True)

    def new_results(self) -> Path:
        """An empty folder for results."""
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
            self._by_session[session] = Visitor(_new_folder(self.folder, "visitor-"))
        return self._by_session[session]

    def publish(self, visitor: Visitor, outcome: Outcome, study: Trials) -> None:
        """Give a visitor the outcome of a study, with a token that cannot be guessed."""
        visitor.outcome, visitor.fitted, visitor.token = outcome, study, secrets.token_urlsafe(32)
        self._by_token[visitor.token] = outcome.folder

    def file(self, token: str, name: str) -> Path | None:
        """The file of a result; None unless the token is right and the file is one of `SERVED`."""
        folder = self._by_token.get(token)
        return folder / name if folder is not None and name in SERVED and (folder / name).is_file() else None


def _new_folder(parent: Path, prefix: str) -> Path:
    """Readable by nobody else on the machine."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))

"""What somebody says about a file, and how the file is understood then."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from incongruent.data.codings import Coding, condition_meaning, outcome_meaning
from incongruent.data.doors import APP, at_door
from incongruent.data.files.tables import read_table
from incongruent.data.reading.read_trials import read_trials
from incongruent.data.reading.roles import Unsettled, find_accuracy, find_condition
from incongruent.data.trials import Trials
from incongruent.data.values import DataError, column_of, labels_of, shares, texts

T = TypeVar("T")

MOST_LABELS = 12
"""Labels of a column of codes that are shown; a column with more is hardly one."""
Labels = Mapping[str, tuple[float, str | None]]
"""Share and meaning of each label of a column, the most frequent first."""
DEMO = "study.csv"
"""What the study that ships is called in `incongruent.data.demo`."""
LINES, WIDTH = 6, 160
"""Of a file shown as it is."""


@dataclass(frozen=True)
class Choices:
    """How a file is to be read; what is None is found out by the reader.

    Attributes:
        names: of the columns of a file without a header.
        by: columns whose combinations make the data sets; () when all rows are one person's.
        where: which rows to take.
        unit: "ms" or "s".
        coding: roles and codes of columns.
    """

    names: tuple[str, ...] | None = None
    by: tuple[str, ...] | None = None
    where: str | None = None
    unit: str | None = None
    coding: Coding = Coding()

    def with_coding(self, **changes: object) -> Choices:
        """The same with some entries of the coding changed."""
        return replace(self, coding=replace(self.coding, **changes))

    def code(
        self, file: str, window: tuple[float, float] | None, deadline: float | None = None
    ) -> str:
        """The Python expression that reads the file in the same way.

        >>> Choices(unit="s").code("a.csv", (150.0, 2500.0))
        "inc.read_trials('a.csv', unit='s')"
        """
        return f"inc.read_trials({', '.join([repr(file), *self._options(window, deadline)])})"

    def demo_code(self, window: tuple[float, float] | None, deadline: float | None = None) -> str:
        """The Python program that reads the study that ships in the same way; it sets ``study``."""
        options = self._options(window, deadline)
        if not options:
            return "from incongruent.data.demo import demo_study\nstudy = demo_study()"
        file = f"files('incongruent.data.demo') / '{DEMO}'"
        return (
            "from importlib.resources import files\nstudy ="
            f" inc.read_trials({', '.join([file, *options])})"
        )

    def _options(self, window: tuple[float, float] | None, deadline: float | None) -> list[str]:
        """What differs from the reader's defaults, as it is written in a call."""
        said = {"names": self.names, "by": self.by, "where": self.where, "unit": self.unit}
        roles = _arguments(vars(self.coding))
        return [
            *_arguments(said),
            *([f"window={window!r}"] if window != (150.0, 2500.0) else []),
            *_arguments({"deadline": deadline}),
            *([f"coding=inc.Coding({', '.join(roles)})"] if roles else []),
        ]


def _arguments(values: Mapping[str, object]) -> list[str]:
    """Values as arguments of a call, without those that are None."""
    return [f"{name}={value!r}" for name, value in values.items() if value is not None]


@dataclass(frozen=True, eq=False)
class Reading:
    """A file as it was understood, or why it was not.

    Attributes:
        choices: with which it was read.
        table: its rows; None when there is no table in it.
        table_notes: how the table was read.
        study: its trials; None when they cannot be understood.
        refusal: the reader's sentence in that case.
        labels: of the condition column; none when no column is known to be that.
        outcomes: of the accuracy column, likewise.
    """

    choices: Choices
    table: pd.DataFrame | None
    table_notes: tuple[str, ...]
    study: Trials | None
    refusal: str | None
    labels: Labels = field(default_factory=dict)
    outcomes: Labels = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """How the file was understood, for the user to read."""
        return (*self.table_notes, *(self.study.notes if self.study is not None else ()))

    @property
    def columns(self) -> list[str]:
        """Names of the table's columns."""
        return [] if self.table is None else list(self.table.columns)


def read(
    path: Path,
    choices: Choices,
    window: tuple[float, float] | None,
    before: Reading | None = None,
    *,
    deadline: float | None = None,
) -> Reading:
    """Read a file; a refusal is part of what is returned, in the app's words.

    Args:
        path: of the file.
        choices: how it is to be read.
        window: the shortest and the longest reaction time to keep, in ms.
        before: an earlier reading of the same file, whose table is used again when it fits.
        deadline: of an answer, in ms.
    """
    table, notes, labels, outcomes = None, (), {}, {}
    with at_door(APP):
        try:
            table, notes = _table(path, choices, before)
            labels = _condition_labels(table, choices.coding)
            outcomes = _outcome_labels(table, choices.coding)
            study = read_trials(
                table,
                by=choices.by,
                where=choices.where,
                unit=choices.unit,
                window=window,
                deadline=deadline,
                coding=choices.coding,
            )
        except DataError as error:
            return Reading(choices, table, notes, None, str(error), labels, outcomes)
    return Reading(choices, table, notes, study, None, labels, outcomes)


def _table(
    path: Path, choices: Choices, before: Reading | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows of a file and how they were read, from an earlier reading where that fits."""
    if before is not None and before.table is not None and before.choices.names == choices.names:
        return before.table, before.table_notes
    table, notes = read_table(path, choices.names)
    return table, tuple(notes)


def _condition_labels(table: pd.DataFrame, coding: Coding) -> Labels:
    column = _found(lambda: find_condition(table, coding))
    if column is None:
        return {}
    words = labels_of(column_of(table, column), coding.levels)
    meaning = condition_meaning(column, words, coding)
    return _common(words, meaning.levels if meaning is not None else {})


def _outcome_labels(table: pd.DataFrame, coding: Coding) -> Labels:
    found = _found(lambda: find_accuracy(table, coding))
    if found is None:
        return {}
    column, one_is_correct = found
    words = labels_of(column_of(table, column), coding.outcomes)
    everywhere = np.ones(len(words), bool)
    return _common(words, outcome_meaning(words, one_is_correct, coding, everywhere).levels)


def _found(find: Callable[[], T | Unsettled]) -> T | None:
    """What was found; None where nothing was.

    Nothing is found either where the coding names what is not there, such as a computed column.
    """
    try:
        found = find()
    except DataError:
        return None
    return None if isinstance(found, Unsettled) else found


def _common(words: pd.Categorical, meaning: Mapping[str, str]) -> Labels:
    common = sorted(shares(words).items(), key=lambda pair: -pair[1])[:MOST_LABELS]
    return {label: (share, meaning.get(label)) for label, share in common}


def first_lines(path: str | os.PathLike[str]) -> list[str]:
    """The first lines of a file, or of the first file of a folder, as text that is shown.

    Long lines are cut.
    """
    if os.path.isdir(path):
        path = min(Path(path).iterdir())
    with open(path, "rb") as file:
        text = _decoded(file.read(LINES * 4096))
    return [_cut(_printable(line)) for line in text.splitlines()[:LINES]]


def _decoded(content: bytes) -> str:
    """The beginning of a file as text, with signs for what cannot be read."""
    is_utf_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16" if is_utf_16 else "utf-8-sig", errors="replace")


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "·" for c in line)


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[:WIDTH]}…"


def first_rows(table: pd.DataFrame) -> list[list[str]]:
    """The first rows of a table as text, "" where a value is missing."""
    head = table.head(LINES).astype(object)
    words = [_words(column_of(head, column)) for column in head.columns]
    return [list(row) for row in zip(*words, strict=True)]


def _words(column: pd.Series) -> list[str]:
    """The values of a column as text, "" where one is missing."""
    return [word if word is not None else "" for word in texts(column)]


def kept(study: Trials) -> int:
    """How many people have any trial."""
    return int(np.count_nonzero(study.n_trials))

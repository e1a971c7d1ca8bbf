"""The log that E-Prime writes as text while it runs, beside each .edat file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from incongruent.data.files.cells import NotATable, as_written

LOG_BEGINS = "*** Header Start ***"
FRAME_BEGINS = "*** LogFrame Start ***"
HEADER_ENDS = "*** Header End ***"
FRAME_ENDS = "*** LogFrame End ***"
LEVEL = re.compile(r"Level: ([0-9]{1,3})")
Values = dict[str, str]


def is_eprime_log(text: str) -> bool:
    """True for the text of such a log."""
    return text[:200].lstrip().startswith(LOG_BEGINS)


@dataclass
class _Log:
    """What is known of a log after its first lines.

    Args:
        levels: the names of the levels, 1, 2, …
        header: the values in the header.
        frames: the level and the values of each frame.
        level: of the next frame.
        values: of the header or the frame that has begun; None between them.
        last: the name of the value that a further line continues.
    """

    levels: dict[int, str] = field(default_factory=dict)
    header: Values = field(default_factory=dict)
    frames: list[tuple[int, Values]] = field(default_factory=list)
    level: int = 1
    values: Values | None = None
    last: str = ""

    def read(self, line: str) -> None:
        """Take in the next line, which has no spaces around it."""
        if line in (LOG_BEGINS, FRAME_BEGINS):
            self.values, self.last = {}, ""
        elif self.values is None:
            found = LEVEL.fullmatch(line)
            self.level = int(found[1]) if found else self.level
        elif line == HEADER_ENDS:
            self.header, self.values = self.values, None
        elif line == FRAME_ENDS:
            self.frames.append((self.level, self.values))
            self.values = None
        else:
            self._read_value(self.values, line)

    def _read_value(self, values: Values, line: str) -> None:
        """Take in a line with a name and a value, or one that continues the value before it."""
        if ":" not in line:
            if line and self.last in values:
                values[self.last] += f"\n{line}"
            return
        self.last, _, value = line.partition(":")
        if self.last == "LevelName":
            self.levels[len(self.levels) + 1] = value.strip()
        else:
            values[self.last] = value.strip()

    @property
    def is_broken_off(self) -> bool:
        """True when a frame has begun but not ended."""
        return self.values is not None


def read_eprime_log(name: str, text: str) -> tuple[pd.DataFrame, list[str]]:
    """One row for each trial of a log, with the values of the frames that it belongs to.

    A trial is a frame that has no frames below it. E-Prime writes a block's frame after those of
    its trials, and the session's last. Names that stand in several levels carry the level's name,
    as in ``Procedure[Block]``.

    Raises:
        NotATable: when no trial was logged.
    """
    log = _Log()
    for line in re.split(r"\r\n|\r|\n", text):
        log.read(line.strip())
    rows = [_below_header(log.header, row) for row in _rows_of(log.frames, log.levels)]
    if not rows or all(level == 1 for level, _ in log.frames):
        raise NotATable(
            f"Expected trials in {name}, which is a log of E-Prime; got none. Export the data with"
            " E-DataAid as text."
        )
    names = list(dict.fromkeys(key for row in rows for key in row))
    table = as_written({key: [row.get(key, "") for row in rows] for key in names})
    return table, _notes(name, len(rows), log)


def _notes(name: str, n_rows: int, log: _Log) -> list[str]:
    notes = [
        f"{name} is a log of E-Prime; each of its {n_rows} frames without frames below it is a row."
    ]
    if log.is_broken_off:
        notes.append(
            f"{name} ends within a frame, which was left out; the experiment was broken off."
        )
    return notes


def _rows_of(frames: Sequence[tuple[int, Values]], levels: Mapping[int, str]) -> list[Values]:
    """The values of each frame that has no frames below it, and of the frames above it."""
    rows: list[Values] = []
    waiting: list[tuple[int, list[Values]]] = []  # levels, and rows that no higher frame has taken
    for level, values in frames:
        below = [row for depth, held in waiting if depth > level for row in held]
        waiting = [(depth, held) for depth, held in waiting if depth <= level]
        if below:
            for row in below:
                row.update(_with_level(values, row, str(levels.get(level, level))))
        else:
            below = [dict(values)]
            rows += below
        waiting.append((level, below))
    return rows


def _with_level(values: Values, row: Values, level: str) -> Values:
    """The values of a higher frame, under names that the row does not have yet."""
    return {key if key not in row else f"{key}[{level}]": value for key, value in values.items()}


def _below_header(header: Values, row: Values) -> Values:
    """A row with the values of the header before its own, except those that it has itself."""
    return {**{key: value for key, value in header.items() if key not in row}, **row}

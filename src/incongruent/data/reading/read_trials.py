"""Reading: from what users have, a file or a frame, to `Trials`.

Each step has a module: a table with names (`tables`), the rows that are wanted and the columns that
are computed (`wanted`), the columns that play the roles (`roles`), whose trials the rows are
(`people`) and whether that is plausible (`identity`), what each row says (`rows`), which rows
become trials (`selection`), and what the user should look at (`cautions`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from incongruent.data.codings import Coding
from incongruent.data.files.tables import read_table
from incongruent.data.reading.cautions import cautions
from incongruent.data.reading.identity import check_identity
from incongruent.data.reading.options import Options
from incongruent.data.reading.people import People, columns_of, tell_apart, without_empty_rows
from incongruent.data.reading.roles import Roles, find_roles
from incongruent.data.reading.rows import understood
from incongruent.data.reading.selection import REASONS, excluded, selected, trials_of
from incongruent.data.reading.wanted import choose, with_computed
from incongruent.data.trials import Trials
from incongruent.data.values import DataError, encoded

__all__ = ["REASONS", "Coding", "DataError", "exclusions", "read_trials"]


def read_trials(
    source: str | os.PathLike[str] | Any,
    *,
    names: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    unit: str | None = None,
    window: tuple[float, float] | None = (150.0, 2500.0),
    deadline: float | None = None,
    coding: Coding = Coding(),
) -> Trials:
    """Trials of a conflict task, from files or a frame with one row per trial.

    Columns are found by their usual names in any case and several languages (a column called ``rt``
    is preferred to ``latency`` and the like), if their values are possible. What is ambiguous is
    refused. Codes in words (congruent / comp / con / c …, correct / hit / ja …) are understood as
    such; a label that is neither known nor rare is refused. Two or three numbers as codes of the
    condition are taken for congruent, (neutral,) incongruent in the order of their reaction times
    and errors, when both rise in this order by more than three standard errors from one to the
    next; else they are refused with a table.

    Args:
        source: a file, a folder, a pattern such as ``"data/*.csv"``, several of these in a list, or
            a frame of pandas, polars or another library that narwhals knows. Files are CSV, TSV,
            ``;``, ``|`` or whitespace between columns, JSON, E-Prime's log, or
            with ``pip install "incongruent[formats]"`` Parquet, Feather, Excel, SPSS, Stata and R;
            gz, bz2, xz and zip around them. Frames of polars need that too. In several files
            columns are matched by name, and the file's name is the person where no column is.
        names: the columns' names, for files without a header; surplus columns at the end are
            allowed when they hold one value throughout.
        by: the column or columns whose combinations make the data sets; left out, the person's.
            ``()`` when all rows are one person's.
        where: which rows to take, such as ``"experiment == 0 and block > 1"`` or
            ``"response is not missing"``; a name with spaces is written in backticks.
        unit: "ms" or "s"; left out, it follows from the column's name and the median reaction time
            (0.1–10 is s, 100–10,000 is ms).
        window: the shortest and longest reaction time to keep, in ms, both included; None keeps
            all.
        deadline: reaction time in ms after which an answer counts as none, as in `Design`; trials
            without an answer are then kept as such. None leaves them out.
        coding: which columns and codes to use where names and values are not enough.

    Returns:
        `Trials` with the columns `CONFLICT_TASK`, reaction times in ms, one data set for each
        person in natural order, even when no trial is left. ``excluded`` counts the trials left out
        of each data set, shape (dataset,), under each of `REASONS`; ``notes`` say how the data were
        understood, and begin with "Caution:" where something may be wrong.

    Raises:
        DataError: when the data cannot be understood; the message says what to do.
        TypeError: when an argument is of the wrong type.

    >>> import pandas as pd
    >>> condition = ["comp", "incomp", "comp"]
    >>> frame = pd.DataFrame({"ID": [7, 7, 8], "Comp": condition, "RT": [402.0, 435.0, -1.0]})
    >>> trials = read_trials(frame.assign(Error=[0, 1, 0]))
    >>> trials.names, trials.n_trials.tolist(), trials.excluded["timeout"].tolist()
    (('7', '8'), [2, 0], [0, 1])
    """
    options = Options(names, by, where, unit, window, deadline, coding)
    wanted = _wanted_rows(source, options)
    found = _columns_found(wanted, options)
    identity = check_identity(found.table, found.people, found.roles, asked=by is not None)
    rows = understood(found.table, found.roles, found.people.dataset, options)
    selection = selected(rows, options)
    trials = trials_of(rows, found.people, selection)
    checks = cautions(rows, trials, found.roles, options)
    notes = (*found.notes, *rows.notes, *identity, *checks)
    return replace(trials, excluded=excluded(found.people, selection), notes=notes)


def exclusions(trials: Trials) -> pd.DataFrame:
    """How many trials of each data set were kept and left out.

    Returns:
        One row for each data set: participant, n_trials (kept), n_excluded, and how many were left
        out for each reason.
    """
    counts = {
        "participant": list(trials.names),
        "n_trials": trials.n_trials,
        "n_excluded": trials.n_excluded,
    }
    return pd.DataFrame({**counts, **trials.excluded})


@dataclass(frozen=True)
class _Wanted:
    """The rows that the user wants, with the columns that are computed.

    Attributes:
        table: the rows.
        notes: how they were read, chosen and computed.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """The rows that may be trials, with the columns that were found.

    Attributes:
        table: the rows.
        roles: the columns that hold reaction time, accuracy and condition.
        people: whose trials the rows are.
        notes: sentences about all this.
    """

    table: pd.DataFrame
    roles: Roles
    people: People
    notes: tuple[str, ...]


def _wanted_rows(source: Any, options: Options) -> _Wanted:
    table, read = read_table(source, options.names)
    table, chosen = choose(encoded(table), options.where)
    table, computed = with_computed(table, options.coding)
    return _Wanted(table, (*read, *chosen, *computed))


def _columns_found(wanted: _Wanted, options: Options) -> _Found:
    roles = find_roles(wanted.table, options.coding)
    columns = columns_of(wanted.table, options.by, options.coding)
    table, left_out = without_empty_rows(wanted.table, columns, roles)
    people = tell_apart(table, columns)
    return _Found(table, roles, people, (*wanted.notes, *left_out, people.note))

"""What commands that read a file of trials share: its options, and the network that it is for."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from incongruent.cli.parts import plain, usable
from incongruent.data.codings import OUTCOMES
from incongruent.data.reading.read_trials import Coding, read_trials
from incongruent.data.trials import CONDITION, Trials
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import screen

File = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help=(
            "Trials, one row each: a file (CSV, TSV, JSON, Parquet, Excel, SPSS, R …), several, a"
            " folder, or a pattern such as 'data/*.csv'. Of several files each is one person's,"
            " unless a column tells people apart."
        ),
    ),
]
Out = Annotated[Path, typer.Option(help="Folder for the results; made when it is not there.")]
By = Annotated[
    str | None,
    typer.Option(
        help=(
            "Columns whose combinations make the data sets, for example subject,session; none when"
            " all rows are one person's."
        )
    ),
]
Unit = Annotated[
    str | None, typer.Option(help="Unit of the RTs, ms or s; told by the values when left out.")
]
Columns = Annotated[
    str | None, typer.Option(help="Column names of a file without a header, with commas between.")
]
Where = Annotated[
    str | None,
    typer.Option(help='Rows to use, for example "experiment == 0" or "response is not missing".'),
]
CodingWords = Annotated[
    str | None,
    typer.Option(
        help=(
            'Roles and codes, for example "condition=type,1=congruent,2=incongruent" or'
            ' "accuracy=status,1=correct,2=error,3=omission".'
        )
    ),
]
AccuracyColumn = Annotated[
    str | None,
    typer.Option(
        "--accuracy",
        help='Column with 1 = correct, or how to compute it, for example "response == ink".',
    ),
]
ConditionColumn = Annotated[
    str | None,
    typer.Option(
        "--condition",
        help='Column with the condition, or what makes a trial congruent: "word == ink".',
    ),
]
RtColumn = Annotated[
    str | None,
    typer.Option(
        "--rt", help='Column with the reaction time, or how to compute it: "t_response - t_onset".'
    ),
]
Network = Annotated[
    str,
    typer.Option(
        help="A network that ships with the package (dmc), or the file of one of your own."
    ),
]

ROLES = ("subject", "rt", "accuracy", "error", "condition")


def read_study(
    files: Sequence[str],
    posterior: Posterior,
    *,
    by: str | None,
    unit: str | None,
    columns: str | None,
    where: str | None,
    coding: Coding,
) -> Trials:
    """The trials in these files within the network's window and deadline; notes of the reader go to
    the screen.

    Raises:
        DataError: when they cannot be read as trials.
    """
    if unit not in (None, "ms", "s"):
        raise typer.BadParameter(f"Expected --unit ms or s; got {unit!r}.")
    design = posterior.simulator.design
    study = read_trials(
        list(files),
        names=words(columns),
        by=data_sets(by),
        where=where,
        unit=unit,
        window=design.window,
        deadline=design.deadline,
        coding=coding,
    )
    for note in study.notes:
        screen.print(f"  {plain(note)}", style="yellow" if note.startswith("Caution:") else "dim")
    return study


def words(text: str | None) -> list[str] | None:
    """The words of an option with commas between them; one in double quotes may hold commas itself."""
    if text is None:
        return None
    try:
        return [word.strip() for word in next(csv.reader([text], skipinitialspace=True), [])]
    except csv.Error as error:
        raise typer.BadParameter(
            "Expected words with commas between them, in double quotes where they hold line"
            f" breaks; got {text!r}."
        ) from error


def data_sets(by: str | None) -> list[str] | None:
    """The columns of --by; "none" is no column, so that all rows are one data set."""
    return [] if by is not None and by.strip().casefold() == "none" else words(by)


def coding_of(
    text: str | None,
    *,
    accuracy: str | None = None,
    condition: str | None = None,
    rt: str | None = None,
) -> Coding:
    """A `Coding` from "condition=type,1=congruent,2=incongruent" and the columns, or expressions,
    of single roles.
    """
    coding = usable(lambda: _coding(text))
    for role, column in {"accuracy": accuracy, "condition": condition, "rt": rt}.items():
        if column is not None and getattr(coding, role) is not None:
            raise typer.BadParameter(f"Expected {role} in --coding or in --{role}; got both.")
    given = {
        role: column
        for role, column in {"accuracy": accuracy, "condition": condition, "rt": rt}.items()
        if column is not None
    }
    return usable(lambda: replace(coding, **given))


def _coding(text: str | None) -> Coding:
    pairs = words(text) or []
    roles: dict[str, str] = {}
    meanings: dict[str, dict[str, str]] = {"levels": {}, "outcomes": {}}
    for pair in pairs:
        role, sign, column = (part.strip() for part in pair.partition("="))
        code, _, meaning = (part.strip() for part in pair.rpartition("="))
        if not sign or not column:
            raise typer.BadParameter(
                f"Expected role=column or code=meaning with commas between; got {pair!r} in"
                f" {text!r}."
            )
        # "error=error" is a code where another column has the accuracy.
        if role in ROLES and not (
            role == "error"
            and meaning in OUTCOMES
            and any(other.startswith("accuracy=") for other in pairs)
        ):
            roles[role] = column
        elif meaning in CONDITION.levels:
            meanings["levels"][code] = meaning
        elif meaning in OUTCOMES:
            meanings["outcomes"][code] = meaning
        else:
            raise typer.BadParameter(
                f"Expected one of the roles {', '.join(ROLES)} before the sign =, or one of"
                f" {', '.join((*CONDITION.levels, *OUTCOMES))} behind it; got {pair!r}."
            )
    return Coding(**roles, levels=meanings["levels"] or None, outcomes=meanings["outcomes"] or None)

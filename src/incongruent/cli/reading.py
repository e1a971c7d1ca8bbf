"""Trials from the files and the words of the command line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace

import typer

from incongruent.cli.parts import plain, usable
from incongruent.data.codings import OUTCOMES
from incongruent.data.reading.read_trials import Coding, read_trials
from incongruent.data.trials import CONDITION, Trials
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import screen

ROLES = ("subject", "rt", "accuracy", "error", "condition")
"""What a column can be."""


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
    """The trials in these files within the network's window and deadline.

    Notes of the reader go to the screen.

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
    """The words of an option with commas between them; double quotes protect commas in a word."""
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
    """The columns of --by; "none" means no column, so that all rows are one data set."""
    return [] if by is not None and by.strip().casefold() == "none" else words(by)


def coding_of(
    text: str | None,
    *,
    accuracy: str | None = None,
    condition: str | None = None,
    rt: str | None = None,
) -> Coding:
    """A `Coding` from "condition=type,1=congruent,2=incongruent" and the options of single roles.

    Args:
        text: of ``--coding``.
        accuracy: a column, or an expression.
        condition: the same.
        rt: the same.
    """
    coding = usable(lambda: _coding(text))
    options = {"accuracy": accuracy, "condition": condition, "rt": rt}
    given = {role: column for role, column in options.items() if column is not None}
    for role in given:
        if getattr(coding, role) is not None:
            raise typer.BadParameter(f"Expected {role} in --coding or in --{role}; got both.")
    return usable(lambda: replace(coding, **given))


def _coding(text: str | None) -> Coding:
    """The roles, and the codes of conditions and outcomes, in a text."""
    pairs = words(text) or []
    has_accuracy = any(pair.startswith("accuracy=") for pair in pairs)
    roles: dict[str, str] = {}
    levels: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    for pair in pairs:
        _check_has_both_sides(pair, text)
        role, column = _stripped(pair.partition("="))
        code, meaning = _stripped(pair.rpartition("="))
        # "error=error" is a code where another column has the accuracy.
        if role in ROLES and not (role == "error" and meaning in OUTCOMES and has_accuracy):
            roles[role] = column
        elif meaning in CONDITION.levels:
            levels[code] = meaning
        elif meaning in OUTCOMES:
            outcomes[code] = meaning
        else:
            raise typer.BadParameter(
                f"Expected one of the roles {', '.join(ROLES)} before the sign =, or one of"
                f" {', '.join((*CONDITION.levels, *OUTCOMES))} behind it; got {pair!r}."
            )
    return Coding(**roles, levels=levels or None, outcomes=outcomes or None)


def _check_has_both_sides(pair: str, text: str | None) -> None:
    """Refuse what has no sign =, or nothing behind the first one."""
    _, column = _stripped(pair.partition("="))
    if not column:
        raise typer.BadParameter(
            f"Expected role=column or code=meaning with commas between; got {pair!r} in {text!r}."
        )


def _stripped(parts: tuple[str, str, str]) -> tuple[str, str]:
    """What stands before and behind a sign, without spaces around."""
    return parts[0].strip(), parts[2].strip()

"""What commands that read a file of trials share: its options, and the network that it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incongruent.cli_parts import plain, screen
from incongruent.posterior import Posterior, load_posterior
from incongruent.pretrained import names as shipped
from incongruent.pretrained import pretrained
from incongruent.reading import Coding, read_trials
from incongruent.trials import Trials

File = Annotated[Path, typer.Argument(help="Trials: CSV, TSV, semicolons, spaces or Parquet; one row a trial.")]
Out = Annotated[Path, typer.Option(help="Folder for the results; made when it is not there.")]
By = Annotated[str | None, typer.Option(help="Columns whose combinations make the data sets, for example subject,session.")]
Unit = Annotated[str | None, typer.Option(help="Unit of the RTs, ms or s; told by the values when left out.")]
Columns = Annotated[str | None, typer.Option(help="Column names of a file without a header, with commas between.")]
Where = Annotated[str | None, typer.Option(help='Rows to use, for example "experiment == 0".')]
CodingWords = Annotated[str | None, typer.Option(help='Roles and codes, for example "condition=type,1=congruent,2=incongruent,accuracy=hit".')]
Network = Annotated[str, typer.Option(help="A network that ships with the package (dmc), or the file of one of your own.")]

ROLES = ("subject", "rt", "accuracy", "error", "condition")


def network_named(name: str) -> Posterior:
    """A network that ships, or that of a file.

    Raises:
        FileError: when there is no such network.
    """
    return pretrained(name) if name in shipped() else load_posterior(name)


def read_study(
    file: Path, posterior: Posterior, *, by: str | None, unit: str | None, columns: str | None, where: str | None, coding: str | None
) -> Trials:
    """The file's trials within the network's window; notes of the reader go to the screen.

    Raises:
        DataError: when the file cannot be read as trials.
    """
    if unit not in (None, "ms", "s"):
        raise typer.BadParameter(f"Expected --unit ms or s; got {unit!r}.")
    window, roles = posterior.simulator.design.window, _coding(coding)
    study = read_trials(file, names=_words(columns), by=_words(by), where=where, unit=unit, window=window, coding=roles)
    for note in study.notes:
        screen.print(f"  {plain(note)}", style="dim")
    return study


def _words(text: str | None) -> list[str] | None:
    return [word.strip() for word in text.split(",")] if text is not None else None


def _coding(text: str | None) -> Coding:
    """A `Coding` from "condition=type,1=congruent,2=incongruent"."""
    pairs = [part.partition("=") for part in text.split(",")] if text else []
    if any(not sign or not value for _, sign, value in pairs):
        raise typer.BadParameter(f"Expected role=column or code=condition with commas between; got {text!r}.")
    known = {key.strip(): value.strip() for key, _, value in pairs}
    roles = {key: value for key, value in known.items() if key in ROLES}
    levels = {key: value for key, value in known.items() if key not in ROLES}
    return Coding(**roles, levels=levels or None)

"""``incongruent check``: is the model right for these people, and if not, what should change?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from incongruent.checking import write_check
from incongruent.checks.verdict import Check
from incongruent.checks.verdict import check as check_study
from incongruent.cli_parts import Seed, called, plain, screen
from incongruent.cli_reading import By, CodingWords, Columns, File, Network, Out, Unit, Where, network_named, read_study
from incongruent.fitting import Fit
from incongruent.posterior import Posterior
from incongruent.report import Origin, write_report
from incongruent.trials import Trials, select


def check(
    file: File,
    out: Out,
    by: By = None,
    unit: Unit = None,
    columns: Columns = None,
    where: Where = None,
    coding: CodingWords = None,
    network: Network = "dmc",
    seed: Seed = 1,
) -> None:
    """Is the model right for these people, and if not, what should change? A verdict, with its numbers, figures and advice."""
    posterior = network_named(network)
    study = read_study(file, posterior, by=by, unit=unit, columns=columns, where=where, coding=coding)
    result, left_out = show_check(study, posterior, out, seed)
    show_report(out, posterior, None, result, Origin(file.name, called(), seed, left_out))


def show_report(out: Path, posterior: Posterior, fit: Fit | None, result: Check | None, origin: Origin) -> None:
    """Write the page with everything that was found, and say where it is."""
    path = write_report(out / "report.html", posterior=posterior, fit=fit, check=result, origin=origin)
    screen.print(f"[bold]Everything on one page: {plain(str(path))}[/]")


def show_check(study: Trials, posterior: Posterior, out: Path, seed: int) -> tuple[Check, tuple[str, ...]]:
    """Check those people of a study who have usable trials, write what is found into a folder, and show it in brief.

    Returns:
        What was found, and the people who were left out.
    """
    usable = posterior.admit(study).trials.n_trials > 0
    without = tuple(name for name, some in zip(study.names, usable, strict=True) if not some)
    if without:
        screen.print(f"[yellow]Left out of the check, without usable trials: {plain(', '.join(without[:10]))}[/]")
    result = check_study(posterior, select(study, np.flatnonzero(usable)), seed=seed)
    write_check(result, out)
    screen.print(f"[bold]{plain(result.brief())}[/]")
    for sentence in result.advice:
        screen.print(f"* {plain(sentence)}")
    screen.print(f"Results in {out}: verdict.md, verdict.json, people.csv and figures; {result.seconds:.0f} s.")
    return result, without

"""``incongruent check``: is the model right for these people, and if not, what should change?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.verdict import Check
from incongruent.checks.verdict import check as check_study
from incongruent.cli.parts import Anyway, Seed, called, folder_for, plain
from incongruent.cli.reading import (
    AccuracyColumn,
    By,
    CodingWords,
    Columns,
    ConditionColumn,
    File,
    Network,
    Out,
    RtColumn,
    Unit,
    Where,
    coding_of,
    read_study,
)
from incongruent.data.files.tables import source_name
from incongruent.data.trials import Trials, select
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.pretrained import network_named
from incongruent.posterior.progress import announce, errors, screen, shown_stages
from incongruent.report import Origin, write_report
from incongruent.report.files import write_check


def check(
    files: File,
    out: Out,
    by: By = None,
    unit: Unit = None,
    columns: Columns = None,
    where: Where = None,
    coding: CodingWords = None,
    accuracy: AccuracyColumn = None,
    condition: ConditionColumn = None,
    rt: RtColumn = None,
    network: Network = "dmc",
    anyway: Anyway = False,
    seed: Seed = 1,
) -> None:
    """Is the model right for these people, and if not, what should change? A verdict, with its
    numbers, figures and advice.
    """
    folder_for(out)
    posterior = network_named(network)
    roles = coding_of(coding, accuracy=accuracy, condition=condition, rt=rt)
    study = read_study(
        files, posterior, by=by, unit=unit, columns=columns, where=where, coding=roles
    )
    result, left_out = show_check(study, posterior, out, seed, anyway=anyway)
    show_report(out, posterior, None, result, Origin(source_name(files), called(), seed, left_out))


def show_report(
    out: Path, posterior: Posterior, fit: Fit | None, result: Check | None, origin: Origin
) -> None:
    """Write the page with everything that was found, and say where it is."""
    path = write_report(
        out / "report.html", posterior=posterior, fit=fit, check=result, origin=origin
    )
    screen.print(f"Everything on one page: {plain(str(path))}", style="bold")


def show_check(
    study: Trials, posterior: Posterior, out: Path, seed: int, *, anyway: bool
) -> tuple[Check, tuple[str, ...]]:
    """Check those people of a study who have usable trials, write what is found into a folder, and
    show it in brief.

    Returns:
        What was found, and the people who were left out.
    """
    usable = posterior.admit(study, anyway=anyway).trials.n_trials > 0
    without = tuple(name for name, some in zip(study.names, usable, strict=True) if not some)
    if without:
        screen.print(
            f"Left out of the check, without usable trials: {plain(', '.join(without[:10]))}",
            style="yellow",
        )
    with shown_stages(errors):
        result = check_study(
            posterior, select(study, np.flatnonzero(usable)), anyway=anyway, seed=seed
        )
        announce("writing the verdict")
        write_check(result, out)
    screen.print(plain(result.brief()), style="bold")
    for sentence in result.advice:
        screen.print(f"* {plain(sentence)}")
    screen.print(
        f"Results in {plain(str(out))}: verdict.md, verdict.json, people.csv and figures;"
        f" {result.seconds:.0f} s."
    )
    return result, without

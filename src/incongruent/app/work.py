"""The main job, as the page asks for it: fit, check, report, and everything in one archive."""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from incongruent.analysis import Fit, fit
from incongruent.checks.verdict import Check, check
from incongruent.data.trials import Trials, select
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.pretrained import network_named
from incongruent.posterior.progress import announce
from incongruent.report import Origin, write_report
from incongruent.report.files import write_check, write_fit, write_uncorrected
from incongruent.storage.atomic import atomic_path

Array = np.ndarray

REPORT, ARCHIVE, TABLES = "report.html", "results.zip", "results"


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be done.

    Attributes:
        study: the trials.
        network: the name of one that ships, or a file.
        n_draws: for each person.
        seed: of everything.
        with_check: whether to ask also if the model is right.
        folder: where results go; it exists.
        origin: for the report.
        anyway: whether to go on when nobody is inside what the network was trained for.
    """

    study: Trials
    network: str
    n_draws: int
    seed: int
    with_check: bool
    folder: Path
    origin: Origin
    anyway: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of it, beside the files.

    Attributes:
        folder: where they are: `REPORT`, `ARCHIVE` and the folder `TABLES`.
        names: of the people who were fitted.
        parameter_names: of the columns of means.
        means: (person, parameter) of the posteriors.
        sentences: what the user should know, first the verdict.
    """

    folder: Path
    names: tuple[str, ...]
    parameter_names: tuple[str, ...]
    means: Array
    sentences: tuple[str, ...]


def program(
    reading: str, network: str, *, n_draws: int, seed: int, with_check: bool, anyway: bool = False
) -> str:
    """The Python program that gives the same numbers as a task.

    Args:
        reading: lines that set ``study``.
        network: the expression that loads it.
        n_draws, seed, with_check, anyway: as in `Task`.
    """
    go_on = ", anyway=True" if anyway else ""
    lines = [
        f"posterior = {network}",
        f"fit = inc.fit(study, posterior, n_draws={n_draws}{go_on}, seed={seed})",
    ]
    check_too = [
        "usable = [i for i, n in enumerate(fit.study.n_trials) if n > 0]",
        f"check = inc.check(posterior, inc.select(study, usable){go_on}, seed={seed})",
    ]
    return "\n".join(
        ["import incongruent as inc", reading, *lines, *(check_too if with_check else [])]
    )


def carry_out(task: Task) -> Outcome:
    """Do it; stages are announced.

    Raises:
        ScopeError: when nobody is inside what the network was trained for.
        FileError: when there is no such network.
        ValueError: when the trials do not suit the model.
    """
    posterior = network_named(task.network)
    tables = task.folder / TABLES
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        found = fit(
            task.study,
            posterior,
            n_draws=task.n_draws,
            anyway=task.anyway,
            first=lambda draws, admission: write_uncorrected(draws, admission, tables),
            seed=task.seed,
        )
        announce("writing tables and figures")
        write_fit(found, tables)
        verdict = _check(task, posterior, found, tables / "check") if task.with_check else None
        announce("writing the report")
        write_report(
            task.folder / REPORT, posterior=posterior, fit=found, check=verdict, origin=task.origin
        )
        announce("packing the results")
        pack(task.folder)
    words = [
        *_words(found, verdict),
        *dict.fromkeys(
            str(warning.message)
            for warning in caught
            if issubclass(warning.category, RuntimeWarning)
        ),
    ]
    return Outcome(
        task.folder, found.draws.names, found.draws.parameter_names, found.draws.means, tuple(words)
    )


def _check(task: Task, posterior: Posterior, found: Fit, folder: Path) -> Check:
    """Of those who have usable trials."""
    verdict = check(
        posterior,
        select(task.study, np.flatnonzero(found.study.n_trials > 0)),
        anyway=True,
        seed=task.seed,
    )
    announce("writing the verdict")
    write_check(verdict, folder)
    return verdict


def _words(found: Fit, verdict: Check | None) -> list[str]:
    words = list(found.alarms)
    if verdict is not None:
        brief = verdict.brief()
        words += [f"{brief[0].upper()}{brief[1:]}.", *verdict.advice]
    if found.not_fitted:
        words.append(
            "Left out, without usable trials:"
            f" {', '.join(found.not_fitted[:10])}{' …' if len(found.not_fitted) > 10 else ''}."
        )
    flagged = sum(bool(flags) for flags in found.flags)
    if flagged:
        words.append(
            f"{flagged} of {len(found.study)} people lie outside what the network was trained for;"
            " see flags in people.csv."
        )
    return words


def pack(folder: Path) -> Path:
    """Write everything in a folder, except earlier archives, into `ARCHIVE` there; whole or absent."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ARCHIVE]
    with (
        atomic_path(folder / ARCHIVE) as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in files:
            archive.write(
                path,
                Path(TABLES)
                / path.relative_to(
                    folder / TABLES if path.is_relative_to(folder / TABLES) else folder
                ),
            )
    return folder / ARCHIVE

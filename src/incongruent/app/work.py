"""The main job, as the page asks for it: fit, check, report, and everything in one archive."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.record import Check
from incongruent.data.trials import Trials
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.pretrained import network_named
from incongruent.posterior.progress import announce
from incongruent.report import Origin, write_report
from incongruent.report.study import check_into, fit_into
from incongruent.storage.atomic import atomic_path

Array = np.ndarray

REPORT, ARCHIVE, TABLES = "report.html", "results.zip", "results"
SHOWN = 10
"""So many names are shown of people who are left out."""


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
    options = f"{', anyway=True' if anyway else ''}, seed={seed}"
    lines = [
        "import incongruent as inc",
        reading,
        f"posterior = {network}",
        f"fit = inc.fit(posterior, study, n_draws={n_draws}{options})",
        *(_check_lines(options) if with_check else []),
    ]
    return "\n".join(lines)


def _check_lines(options: str) -> list[str]:
    """The lines of a program that check those who were fitted."""
    return [
        "usable = [i for i, n in enumerate(fit.study.n_trials) if n > 0]",
        f"check = inc.check(posterior, study.select(usable){options})",
    ]


def carry_out(task: Task) -> Outcome:
    """Do it; stages are announced.

    Raises:
        ScopeError: when nobody is inside what the network was trained for.
        FileError: when there is no such network.
        ValueError: when the trials do not suit the model.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        found, verdict = _fit_and_check(task)
        announce("packing the results")
        pack(task.folder)
    return Outcome(
        task.folder,
        found.draws.names,
        found.draws.parameter_names,
        found.draws.means,
        (*_words(found, verdict), *_warned(caught)),
    )


def _fit_and_check(task: Task) -> tuple[Fit, Check | None]:
    """Fit, check where that is wanted, and write the report."""
    posterior, tables = network_named(task.network), task.folder / TABLES
    found = fit_into(
        tables, posterior, task.study, n_draws=task.n_draws, anyway=task.anyway, seed=task.seed
    )
    verdict = _checked(task, posterior) if task.with_check else None
    announce("writing the report")
    write_report(
        task.folder / REPORT, posterior=posterior, fit=found, check=verdict, origin=task.origin
    )
    return found, verdict


def _checked(task: Task, posterior: Posterior | Ensemble) -> Check:
    """What the check says of the study, also where nobody fits the network."""
    folder = task.folder / TABLES / "check"
    verdict, _ = check_into(folder, posterior, task.study, anyway=True, seed=task.seed)
    return verdict


def _warned(caught: Iterable[warnings.WarningMessage]) -> list[str]:
    """What was said in warnings about numbers, each once."""
    about_numbers = (each for each in caught if issubclass(each.category, RuntimeWarning))
    return list(dict.fromkeys(str(each.message) for each in about_numbers))


def _words(found: Fit, verdict: Check | None) -> list[str]:
    """What the user should know: alarms, the verdict, and who was left out or flagged."""
    return [
        *found.alarms,
        *found.recorded_as,
        *(_verdict(verdict) if verdict is not None else ()),
        *_not_fitted(found),
        *_flagged(found),
    ]


def _verdict(verdict: Check) -> list[str]:
    brief = verdict.brief()
    return [f"{brief[0].upper()}{brief[1:]}.", *verdict.advice]


def _not_fitted(found: Fit) -> list[str]:
    """Who was left out; nothing where everybody was fitted."""
    if not found.not_fitted:
        return []
    return [f"Left out, without usable trials: {_some(found.not_fitted)}."]


def _flagged(found: Fit) -> list[str]:
    """How many people the network was not trained for; nothing where it was for all."""
    n = sum(bool(flags) for flags in found.flags)
    if not n:
        return []
    return [
        f"{n} of {len(found.study)} people lie outside what the network was trained for; see flags"
        " in people.csv."
    ]


def _some(names: Sequence[str]) -> str:
    """The first of these names, with a sign that there are more."""
    return f"{', '.join(names[:SHOWN])}{' …' if len(names) > SHOWN else ''}"


def pack(folder: Path) -> Path:
    """Write everything in a folder, except earlier archives, into `ARCHIVE` there.

    The archive is complete or absent.
    """
    files = _to_pack(folder)
    with (
        atomic_path(folder / ARCHIVE) as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in files:
            archive.write(path, _place(path, folder))
    return folder / ARCHIVE


def _to_pack(folder: Path) -> list[Path]:
    """All files of a folder, in order, except archives."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ARCHIVE]


def _place(path: Path, folder: Path) -> Path:
    """Where a file stands in the archive: all in one folder, the report beside the tables."""
    tables = folder / TABLES
    return Path(TABLES) / path.relative_to(tables if path.is_relative_to(tables) else folder)

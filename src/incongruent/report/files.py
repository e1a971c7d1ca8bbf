"""What was found as files: tables, draws and figures of a fit, and a verdict as a page of sentences
with its tables and figures.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from incongruent.analysis import Fit, people_table
from incongruent.checks.verdict import Check
from incongruent.data.basics.csvs import as_csv
from incongruent.plots import (
    misspecification_figure,
    panel_figure,
    people_figures,
    predictive_figure,
    save_png,
)
from incongruent.posterior.draws import Draws
from incongruent.posterior.scope import Admission
from incongruent.storage.atomic import write_atomically

UNCORRECTED = ("posterior_uncorrected.csv", "people_uncorrected.csv", "draws_uncorrected.nc")
"""What is there while the correction goes on, and stays when it does not end."""


def write_fit(result: Fit, folder: str | os.PathLike[str]) -> list[Path]:
    """Write posterior.csv, people.csv, draws.nc and the predictive figures into a folder; every
    file is whole or absent. What `write_uncorrected` wrote there is removed.

    Returns:
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = [
        _write(
            folder / "posterior.csv",
            lambda path: write_atomically(path, as_csv(result.draws.summary()).encode()),
        ),
        _write(
            folder / "people.csv",
            lambda path: write_atomically(path, as_csv(result.people()).encode()),
        ),
        _write(folder / "draws.nc", lambda path: write_netcdf(result.draws, path)),
        _write(
            folder / "predictive_group.png",
            lambda path: save_png(predictive_figure(result.prediction), path),
        ),
    ]
    for stale in folder.glob("predictive_people_*.png"):  # pages of an earlier, larger study
        stale.unlink()
    for page, figure in enumerate(people_figures(result.prediction), 1):
        written.append(
            _write(
                folder / f"predictive_people_{page}.png",
                lambda path, figure=figure: save_png(figure, path),
            )
        )
    for name in UNCORRECTED:
        (folder / name).unlink(missing_ok=True)
    return written


def write_uncorrected(
    draws: Draws, admission: Admission, folder: str | os.PathLike[str]
) -> list[Path]:
    """Write the network's own draws as they are before the correction: posterior_uncorrected.csv,
    people_uncorrected.csv and draws_uncorrected.nc.

    Args:
        draws: of everybody who has trials.
        admission: of the study.
        folder: is made when it is not there.

    Returns:
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    posterior, people, whole_draws = (folder / name for name in UNCORRECTED)
    write_atomically(posterior, as_csv(draws.summary()).encode())
    write_atomically(
        people, as_csv(people_table(draws, admission.trials, admission.flags)).encode()
    )
    write_netcdf(draws, whole_draws)
    return [posterior, people, whole_draws]


def _write(path: Path, write: Callable[[Path], None]) -> Path:
    write(path)
    return path


def write_netcdf(draws: Draws, path: Path) -> None:
    """Write draws as `Draws.to_arviz` has them; the file is whole or absent."""
    with tempfile.TemporaryDirectory() as beside:
        file = Path(beside) / "draws.nc"
        draws.to_arviz().to_netcdf(file, engine="h5netcdf")
        write_atomically(path, file.read_bytes())


def write_check(result: Check, folder: str | os.PathLike[str]) -> list[Path]:
    """Write verdict.md, verdict.json, people.csv, scope.png (MMD test and surprise) and panel.png;
    every file is whole or absent.

    Returns:
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    words = json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    texts = {
        "verdict.md": result.to_markdown(),
        "verdict.json": words,
        "people.csv": as_csv(result.people()),
    }
    written = []
    for name, text in texts.items():
        write_atomically(folder / name, text.encode())
        written.append(folder / name)
    drawn = {
        "scope.png": misspecification_figure(result.mmd, result.scope),
        "panel.png": panel_figure(result.panel),
    }
    for name, figure in drawn.items():
        save_png(figure, folder / name)
        written.append(folder / name)
    return written

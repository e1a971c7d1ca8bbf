"""What was found, as files: tables, draws and figures of a fit, and a verdict in sentences."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from incongruent.analysis import Fit, people_table
from incongruent.checks.model.predictive import Prediction
from incongruent.checks.record import Check
from incongruent.data.basics.csvs import as_csv
from incongruent.exact.variant_results import Variants
from incongruent.plots import (
    misspecification_figure,
    panel_figure,
    people_figures,
    predictive_figure,
    save_png,
    variants_figure,
)
from incongruent.posterior.draws import Draws
from incongruent.posterior.scope import Admission
from incongruent.storage.atomic import write_atomically

UNCORRECTED = ("posterior_uncorrected.csv", "people_uncorrected.csv", "draws_uncorrected.nc")
"""What is there while the correction goes on, and stays when it does not end."""


def write_fit(result: Fit, folder: str | os.PathLike[str]) -> list[Path]:
    """Write posterior.csv, people.csv, draws.nc and the predictive figures into a folder.

    Every file is complete or absent. What `write_uncorrected` wrote there is removed.

    Returns:
        The files written.
    """
    folder = _made(folder)
    written = [
        _write_table(result.draws.summary(), folder / "posterior.csv"),
        _write_table(result.people(), folder / "people.csv"),
        write_netcdf(result.draws, folder / "draws.nc"),
        *_write_predictions(result.prediction, folder),
    ]
    _remove_uncorrected(folder)
    return written


def _made(folder: str | os.PathLike[str]) -> Path:
    """A folder that is there now."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _remove_uncorrected(folder: Path) -> None:
    for name in UNCORRECTED:
        (folder / name).unlink(missing_ok=True)


def _write_predictions(prediction: Prediction, folder: Path) -> list[Path]:
    """Figures of the group, and of everybody on some pages."""
    group = _write_figure(predictive_figure(prediction), folder / "predictive_group.png")
    _remove_pages(folder)
    pages = enumerate(people_figures(prediction), 1)
    return [
        group,
        *(_write_figure(figure, folder / f"predictive_people_{k}.png") for k, figure in pages),
    ]


def _remove_pages(folder: Path) -> None:
    """Remove the pages of an earlier fit, which may have been of more people."""
    for stale in folder.glob("predictive_people_*.png"):
        stale.unlink()


def write_uncorrected(
    draws: Draws, admission: Admission, folder: str | os.PathLike[str]
) -> list[Path]:
    """Write the network's own draws as they are before the correction.

    The files are posterior_uncorrected.csv, people_uncorrected.csv and draws_uncorrected.nc.

    Args:
        draws: of everybody who has trials.
        admission: of the study.
        folder: is made when it is not there.

    Returns:
        The files written.
    """
    posterior, people, all_draws = (_made(folder) / name for name in UNCORRECTED)
    table = people_table(draws, admission.trials, admission.flags)
    return [
        _write_table(draws.summary(), posterior),
        _write_table(table, people),
        write_netcdf(draws, all_draws),
    ]


def _write_table(frame: pd.DataFrame, path: Path) -> Path:
    return _write_text(as_csv(frame), path)


def _write_text(text: str, path: Path) -> Path:
    write_atomically(path, text.encode())
    return path


def _write_figure(figure: Figure, path: Path) -> Path:
    save_png(figure, path)
    return path


def write_netcdf(draws: Draws, path: Path) -> Path:
    """Write draws as `Draws.to_arviz` has them; the file is complete or absent."""
    with tempfile.TemporaryDirectory() as beside:
        file = Path(beside) / "draws.nc"
        draws.to_arviz().to_netcdf(file, engine="h5netcdf")
        write_atomically(path, file.read_bytes())
    return path


def write_check(result: Check, folder: str | os.PathLike[str]) -> list[Path]:
    """Write a verdict: verdict.md, verdict.json, people.csv, scope.png and panel.png.

    The figures are those of the MMD test with the surprise of people, and of the panel of
    statistics. Every file is complete or absent.

    Returns:
        The files written.
    """
    folder = _made(folder)
    return [
        _write_text(result.to_markdown(), folder / "verdict.md"),
        _write_text(_as_json(result), folder / "verdict.json"),
        _write_table(result.people(), folder / "people.csv"),
        *_write_check_figures(result, folder),
    ]


def write_variants(found: Variants, folder: str | os.PathLike[str]) -> list[Path]:
    """Write variants of the model: variants.csv, variants_summary.csv and variants.png.

    The first has a row for each person and variant, the second one for each variant. Every file is
    complete or absent.

    Returns:
        The files written.
    """
    folder = _made(folder)
    return [
        _write_table(found.table(), folder / "variants.csv"),
        _write_table(found.summary(), folder / "variants_summary.csv"),
        _write_figure(variants_figure(found), folder / "variants.png"),
    ]


def _as_json(result: Check) -> str:
    return json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False)


def _write_check_figures(result: Check, folder: Path) -> list[Path]:
    scope = misspecification_figure(result.mmd, result.scope)
    return [
        _write_figure(scope, folder / "scope.png"),
        _write_figure(panel_figure(result.panel), folder / "panel.png"),
    ]

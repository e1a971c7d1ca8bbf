"""A verdict as files: a page of sentences, the same for machines, a table of people, figures."""

from __future__ import annotations

import json
import os
from pathlib import Path

from incongruent.checks.verdict import Check
from incongruent.csvs import as_csv
from incongruent.plots import misspecification_figure, panel_figure, save_png
from incongruent.storage import write_whole


def write_check(result: Check, folder: str | os.PathLike[str]) -> list[Path]:
    """Write verdict.md, verdict.json, people.csv, scope.png (MMD test and surprise) and panel.png; every file is whole or absent.

    Returns:
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    words = json.dumps(result.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    texts = {"verdict.md": result.to_markdown(), "verdict.json": words, "people.csv": as_csv(result.people())}
    written = []
    for name, text in texts.items():
        write_whole(folder / name, text.encode())
        written.append(folder / name)
    drawn = {"scope.png": misspecification_figure(result.mmd, result.scope), "panel.png": panel_figure(result.panel)}
    for name, figure in drawn.items():
        save_png(figure, folder / name)
        written.append(folder / name)
    return written

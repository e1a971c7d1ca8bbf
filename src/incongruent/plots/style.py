"""One look for all figures: colours that the colour-blind can tell, thin frames, units on every axis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from os import PathLike
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.storage import write_whole

CONDITION_COLOUR = {"congruent": "#0072B2", "incongruent": "#D55E00", "neutral": "#6B6B6B"}
CONDITION_MARKER = {"congruent": "o", "incongruent": "s", "neutral": "^"}
INK = "#222222"
ACCENT = "#0072B2"
SECOND = "#D55E00"

RC: Any = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.edgecolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
}


def drawable(name: str, most: int = 24) -> str:
    """A name from outside as the figure's font can draw it: shortened, and with □ for characters that the font lacks. Draw it with
    ``parse_math=False``.
    """
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    short = name if len(name) <= most else f"{name[: most - 1]}…"
    return "".join(c if c.isprintable() and font.get_char_index(ord(c)) else "□" for c in short)


@contextmanager
def styled() -> Iterator[None]:
    """Everything drawn within has the package's look."""
    with mpl.rc_context(RC):
        yield


def new_figure(n_rows: int, n_columns: int, *, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of a given size in inches, without a window, and its axes row by row. Call within `styled`."""
    figure = Figure(figsize=(width, height))
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    return figure, list(axes.ravel())


def save_png(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a PNG that is whole or absent."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())

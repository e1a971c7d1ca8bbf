"""One look for all figures: style sheet, sizes of journals' columns, colours, markers and lines.

The style sheet is `incongruent.mplstyle`. Units are on every axis. What is told apart by colour is
told apart by a marker or a line as well, for print in grey.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

STYLE_FILE = Path(__file__).with_name("incongruent.mplstyle")

MM = 1.0 / 25.4
ONE_COLUMN = 84 * MM
"""Width of one column of a journal, in inches: 84 mm, which Springer's artwork guidelines ask for
(say, for Behavior Research Methods). Columns of PNAS (87 mm), Nature (89 mm) and Elsevier (90 mm)
are wider, so that a figure fits into them as it is.
"""
TWO_COLUMNS = 174 * MM
"""Both columns: 174 mm at Springer; 178 mm at PNAS, 183 mm at Nature, 190 mm at Elsevier."""
PAGE_HEIGHT = 234 * MM
"""The highest figure that Springer prints."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#222222", "#8C6BB1")
"""Those of the style sheet's cycle."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
CONDITION_COLOUR = {"congruent": "#0072B2", "incongruent": "#D55E00", "neutral": "#6B6B6B"}
CONDITION_MARKER = {"congruent": "o", "incongruent": "s", "neutral": "^"}
CONDITION_LINE: dict[str, Any] = {
    "congruent": "-",
    "incongruent": (0, (4, 1.5)),
    "neutral": (0, (1, 1)),
}
BESIDE = {
    "left": ((-6, 0), "right", "center"),
    "right": ((6, 0), "left", "center"),
    "above": ((0, 5), "left", "bottom"),
    "below": ((0, -5), "left", "top"),
}
"""How a label stands on each side of a place: points away from it, and its alignment."""
INK = "#222222"
FAINT = "#C8C8C8"
BAND = "#DADADA"
ACCENT = "#0072B2"
SECOND = "#D55E00"
SMALL = 7.0
"""Points; the smallest text but for the names of many people."""
SMALLEST = 6.0
"""Points; below this nobody prints text."""


def drawable(name: str, most: int = 24) -> str:
    """A name from outside as the figure's font can draw it.

    It is shortened, and has □ for characters that the font lacks. Draw it with
    ``parse_math=False``.
    """
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    return "".join(c if _has(font, c) else "□" for c in _shortened(name, most))


def _has(font: Any, character: str) -> bool:
    """Whether a font can draw a character."""
    return character.isprintable() and bool(font.get_char_index(ord(character)))


def _shortened(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def plain(texts: Sequence[Text]) -> None:
    """Draw texts as they are, dollar signs too."""
    for text in texts:
        text.set_parse_math(False)


@contextmanager
def styled() -> Iterator[None]:
    """Everything drawn within has the package's look, whatever the user's own settings are."""
    with mpl.rc_context():
        matplotlib.style.use(["default", STYLE_FILE])
        yield


def new_figure(
    n_rows: int, n_columns: int, *, width: float, height: float, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of a given size in inches, without a window, and its axes row by row.

    Call it within `styled`.
    """
    figure = Figure(figsize=(width, height))
    axes = figure.subplots(n_rows, n_columns, squeeze=False, **options)
    return figure, list(axes.ravel())


def readable(colour: str) -> str:
    """The colour for text that belongs to a mark of this colour.

    Orange is too light for small letters (contrast 3.9 on white), and is darkened.
    """
    return "#B34700" if colour == CONDITION_COLOUR["incongruent"] else colour


def beside(ax: Axes, text: str, at: tuple[float, float], *, colour: str, side: str) -> Text:
    """Write a label beside a place of the data.

    Args:
        ax: where to.
        text: the label.
        at: the place.
        colour: of the mark that the label belongs to.
        side: "left" or "right" of the place, or "above" or "below" it and to the right. The layout
            leaves no room for it.
    """
    offset, across, along = BESIDE[side]
    label = ax.annotate(text, at, offset, textcoords="offset points", parse_math=False)
    label.set(ha=across, va=along, color=readable(colour), fontsize=SMALL)
    label.set_in_layout(False)
    return label


def in_legend(name: str) -> str:
    """A name from outside for a legend, whose texts have to be drawn by `plain`.

    A legend would leave out names that begin with an underscore.
    """
    return f"\u200a{drawable(name)}" if name.startswith("_") else drawable(name)


def with_unit(name: str, unit: str) -> str:
    """A label of an axis."""
    return f"{name} ({unit})" if unit else name

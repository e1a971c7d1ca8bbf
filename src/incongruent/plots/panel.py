"""The predictive panel: how far every statistic lies from what the fitted model predicts.

The distance is signed, in standard deviations of what the model predicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from incongruent.checks.model.panel import LEVEL, Panel
from incongruent.checks.panel_statistics import Statistic
from incongruent.plots.style import (
    CONDITION_COLOUR,
    INK,
    SMALL,
    TWO_COLUMNS,
    drawable,
    new_figure,
    readable,
    styled,
)

FAR = 8.0
"""Distances beyond this are drawn at the edge, with their number."""
GAP = 1.2
"""Rows between groups."""
HEAD = 0.95
"""So many rows above its first statistic stands the name of a group."""
MARK: dict[str, Any] = {"s": 24, "linewidths": 1.0, "zorder": 3, "clip_on": False}
"""How the mark of every statistic looks."""
DISTANCE: dict[str, Any] = {
    "textcoords": "offset points",
    "va": "center",
    "fontsize": 6.5,
    "bbox": {"fc": "white", "ec": "none", "pad": 0.5},
}
"""How the number beside an arrow looks."""
NUMBERS_AT = 1.03
"""Where the observed and the predicted values stand, as a share of the width."""


class Row(NamedTuple):
    """A statistic as it is drawn.

    Attributes:
        y: where, from the top.
        name: without that of its group.
        z: signed distance.
        numbers: the observed and the predicted value.
        is_failing: whether the model fails to predict it.
    """

    y: float
    name: str
    z: float
    numbers: str
    is_failing: bool


class Block(NamedTuple):
    """The statistics of one group, below its name."""

    group: str
    rows: list[Row]

    @property
    def colour(self) -> str:
        """That of a condition, where the group is one."""
        return CONDITION_COLOUR.get(self.group, INK)


def plot_panel(panel: Panel, ax: Axes, person: int | None = None) -> Axes:
    """Signed z of every statistic, grouped, over their simultaneous band.

    All of them stay within the band in 95 % of studies when the model is right. A mark is filled
    where its statistic fails after adjustment; the observed and the predicted value stand beside.
    """
    tests, blocks = panel.result(person)[2], _blocks(panel, person)
    edge = _edge(tests.z, float(tests.band))
    _draw_band(float(tests.band), ax)
    for block in blocks:
        _draw_block(ax, block, edge)
    _in_row(ax, "observed  |  predicted", NUMBERS_AT, -HEAD, fontsize=SMALL, color=INK)
    _name_rows(ax, [row for block in blocks for row in block.rows])
    ax.set(xlim=(-edge, edge), ylim=(_bottom(blocks), -1.7), xlabel="observed − predicted (z)")
    return ax


def _name_rows(ax: Axes, rows: list[Row]) -> None:
    """Names of statistics on the left, far enough for the arrows at the edge."""
    ax.set_yticks([row.y for row in rows], [row.name for row in rows], fontsize=SMALL)
    ax.tick_params(axis="y", length=0.0, pad=6.0)


def _bottom(blocks: list[Block]) -> float:
    """Where the axis ends, below the last row."""
    n_rows = sum(len(block.rows) for block in blocks)
    return n_rows + GAP * len(blocks) - 0.7


def _blocks(panel: Panel, person: int | None) -> list[Block]:
    """Groups in their order, from the top to the bottom."""
    rows, blocks, top = _rows(panel, person), [], 0.0
    for group, places in _groups(panel.statistics):
        moved = [rows[i]._replace(y=top + k) for k, i in enumerate(places)]
        blocks.append(Block(group, moved))
        top += len(moved) + GAP
    return blocks


def _rows(panel: Panel, person: int | None) -> list[Row]:
    """Every statistic as it is drawn, all of them at the top."""
    observed, predicted, tests = panel.result(person)
    failing = np.nan_to_num(tests.adjusted, nan=1.0) <= LEVEL
    return [
        Row(0.0, statistic.label, float(z), _numbers(statistic, float(o), float(p)), bool(fails))
        for statistic, z, o, p, fails in zip(
            panel.statistics, tests.z, observed, predicted, failing, strict=True
        )
    ]


def _draw_block(ax: Axes, block: Block, edge: float) -> None:
    colour = readable(block.colour)
    for row in block.rows:
        _draw(ax, row, edge, block.colour)
        _write_numbers(ax, row, colour)
    head = block.rows[0].y - HEAD
    _in_row(ax, block.group, 0.015, head, fontsize=8, color=colour).set_fontweight("bold")


def _write_numbers(ax: Axes, row: Row, colour: str) -> None:
    """The observed and the predicted value beside a statistic, bold where it fails."""
    label = _in_row(ax, row.numbers, NUMBERS_AT, row.y, fontsize=SMALL, color=colour)
    label.set_fontweight("bold" if row.is_failing else "normal")


def _edge(z: np.ndarray, band: float) -> float:
    """The largest distance on the axis: that of the farthest statistic, but no more than `FAR`."""
    farthest = float(np.nanmax(np.abs(z), initial=0.0))
    return max(1.25 * band, min(FAR, 1.15 * farthest))


def _groups(statistics: tuple[Statistic, ...]) -> Iterator[tuple[str, list[int]]]:
    """Groups in their order, each with the positions of its statistics."""
    for group, members in groupby(range(len(statistics)), key=lambda i: statistics[i].group):
        yield group, list(members)


def _draw_band(band: float, ax: Axes) -> None:
    ax.axvspan(-band, band, color=INK, alpha=0.1, lw=0)
    ax.axvline(0.0, color=INK, lw=0.6)


def _in_row(ax: Axes, text: str, x: float, y: float, *, fontsize: float, color: str) -> Text:
    """A text in the row y, which begins at the share x of the width."""
    return ax.annotate(
        text,
        (x, y),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=fontsize,
        color=color,
    )


def _draw(ax: Axes, row: Row, edge: float, colour: str) -> None:
    """One statistic: a point, or an arrow at the edge with its number.

    Nothing is drawn where it is not defined.
    """
    if np.isnan(row.z):
        return
    at, is_far = float(np.clip(row.z, -edge, edge)), abs(row.z) > edge
    ax.hlines(row.y, 0.0, at, color=colour, lw=0.7, alpha=0.6)
    filling = colour if row.is_failing else "white"
    look = {"marker": _marker(row.z, is_far), "c": [filling], "edgecolors": colour}
    ax.scatter([at], [row.y], **MARK, **look)
    if is_far:
        _write_distance(ax, row.z, (at, row.y), colour)


def _marker(z: float, is_far: bool) -> str:
    if not is_far:
        return "o"
    return ">" if z > 0 else "<"


def _write_distance(ax: Axes, z: float, at: tuple[float, float], colour: str) -> None:
    """The number of a statistic that lies beyond the edge, beside its arrow."""
    place, side = (-7, "right") if z > 0 else (7, "left")
    words = f"{z:+.0f}".replace("-", "−")
    ax.annotate(words, at, (place, 0), ha=side, color=colour, **DISTANCE)


def _numbers(statistic: Statistic, observed: float, predicted: float) -> str:
    """Both values, and their unit once."""
    numbers = f"{statistic.number(observed)}  |  {statistic.number(predicted)}"
    return f"{numbers} {statistic.unit}".rstrip()


def panel_figure(panel: Panel, person: int | None = None) -> Figure:
    """The panel of the group, or of one person."""
    with styled():
        figure, axes = new_figure(1, 1, width=TWO_COLUMNS, height=_height(panel))
        plot_panel(panel, axes[0], person)
        figure.suptitle(_title(panel, person), fontsize=8, x=0.01, ha="left", parse_math=False)
    return figure


def _height(panel: Panel) -> float:
    """Inches that statistics and the gaps between their groups need."""
    n_groups = len({statistic.group for statistic in panel.statistics})
    return 1.2 + 0.165 * (len(panel.statistics) + GAP * n_groups)


def _title(panel: Panel, person: int | None) -> str:
    who = f"mean of {len(panel)} people"
    if person is not None:
        who = f"person {drawable(panel.names[person])}"
    return (
        f"Data against the fitted model, {who}. Grey: all points of 95 % of studies; filled: fails"
    )

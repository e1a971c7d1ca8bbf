"""The predictive panel: how far every statistic lies from what the fitted model predicts.

The distance is signed, in standard deviations of what the model predicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

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
NUMBERS_AT = 1.03
"""Where the observed and the predicted values stand, as a share of the width."""


def plot_panel(panel: Panel, ax: Axes, person: int | None = None) -> Axes:
    """Signed z of every statistic, grouped, over their simultaneous band.

    All of them stay within the band in 95 % of studies when the model is right. A mark is filled
    where its statistic fails after adjustment; the observed and the predicted value stand beside.
    """
    observed, predicted, tests = panel.result(person)
    failing = np.nan_to_num(tests.adjusted, nan=1.0) <= LEVEL
    edge = _edge(tests.z, float(tests.band))
    _draw_band(float(tests.band), ax)
    row, ticks, labels = 0.0, [], []
    for group, places in _groups(panel.statistics):
        rows, colour = row + np.arange(len(places)), CONDITION_COLOUR.get(group, INK)
        for i, y in zip(places, rows, strict=True):
            numbers = _numbers(panel.statistics[i], float(observed[i]), float(predicted[i]))
            _draw(ax, float(tests.z[i]), y, edge, colour, bool(failing[i]))
            _write_numbers(ax, numbers, y, colour, bool(failing[i]))
        ticks += [*rows]
        labels += [panel.statistics[i].name.removesuffix(f", {group}") for i in places]
        _write_group(ax, group, row - HEAD, colour)
        row += len(places) + GAP
    _in_row(ax, "observed  |  predicted", NUMBERS_AT, -HEAD, fontsize=SMALL, color=INK)
    ax.set_yticks(ticks, labels, fontsize=SMALL)
    ax.tick_params(axis="y", length=0.0, pad=6.0)  # arrows at the edge are in front of them
    ax.set(xlim=(-edge, edge), ylim=(row - 0.7, -1.7), xlabel="observed − predicted (z)")
    return ax


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


def _write_numbers(ax: Axes, numbers: str, y: float, colour: str, failing: bool) -> None:
    """The observed and the predicted value, in bold where the statistic fails."""
    label = _in_row(ax, numbers, NUMBERS_AT, y, fontsize=SMALL, color=readable(colour))
    label.set_fontweight("bold" if failing else "normal")


def _write_group(ax: Axes, group: str, y: float, colour: str) -> None:
    _in_row(ax, group, 0.015, y, fontsize=8, color=readable(colour)).set_fontweight("bold")


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


def _draw(ax: Axes, z: float, y: float, edge: float, colour: str, failing: bool) -> None:
    """One statistic: a point, or an arrow at the edge with its number.

    Nothing is drawn where it is not defined.
    """
    if np.isnan(z):
        return
    at, is_far = float(np.clip(z, -edge, edge)), abs(z) > edge
    ax.hlines(y, 0.0, at, color=colour, lw=0.7, alpha=0.6)
    ax.scatter(
        [at],
        [y],
        s=24,
        marker=_marker(z, is_far),
        c=[colour if failing else "white"],
        edgecolors=colour,
        linewidths=1.0,
        zorder=3,
        clip_on=False,
    )
    if is_far:
        _write_distance(ax, z, (at, y), colour)


def _marker(z: float, is_far: bool) -> str:
    if not is_far:
        return "o"
    return ">" if z > 0 else "<"


def _write_distance(ax: Axes, z: float, at: tuple[float, float], colour: str) -> None:
    """The number of a statistic that lies beyond the edge, beside its arrow."""
    place, side = (-7, "right") if z > 0 else (7, "left")
    ax.annotate(
        f"{z:+.0f}".replace("-", "−"),
        at,
        (place, 0),
        textcoords="offset points",
        ha=side,
        va="center",
        fontsize=6.5,
        color=colour,
        bbox={"fc": "white", "ec": "none", "pad": 0.5},
    )


def _numbers(statistic: Statistic, observed: float, predicted: float) -> str:
    """Both values, and their unit once."""
    both = [
        statistic.shown(value).removesuffix(statistic.unit).strip()
        for value in (observed, predicted)
    ]
    return f"{both[0]}  |  {both[1]} {statistic.unit}".rstrip()


def panel_figure(panel: Panel, person: int | None = None) -> Figure:
    """The panel of the group, or of one person."""
    n_rows = len(panel.statistics) + GAP * len({s.group for s in panel.statistics})
    with styled():
        figure, axes = new_figure(1, 1, width=TWO_COLUMNS, height=1.2 + 0.165 * n_rows)
        plot_panel(panel, axes[0], person)
        figure.suptitle(_title(panel, person), fontsize=8, x=0.01, ha="left", parse_math=False)
    return figure


def _title(panel: Panel, person: int | None) -> str:
    who = f"mean of {len(panel)} people"
    if person is not None:
        who = f"person {drawable(panel.names[person])}"
    return (
        f"Data against the fitted model, {who}. Grey: all points of 95 % of studies; filled: fails"
    )

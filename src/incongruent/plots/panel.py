"""The predictive panel as a picture: signed distance of every statistic from what the fitted model
predicts.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def plot_panel(panel: Panel, ax: Axes, person: int | None = None) -> Axes:
    """Signed z of every statistic, grouped, over the band that all of them stay within in 95 % of
    studies when the model is right; filled where it fails after adjustment, with observed and
    predicted value beside it.
    """
    observed, predicted, tests = panel.result(person)
    band, failing = float(tests.band), np.nan_to_num(tests.adjusted, nan=1.0) <= LEVEL
    edge = max(1.25 * band, min(FAR, 1.15 * float(np.nanmax(np.abs(tests.z), initial=0.0))))
    ax.axvspan(-band, band, color=INK, alpha=0.1, lw=0)
    ax.axvline(0.0, color=INK, lw=0.6)
    row, ticks, labels = 0.0, [], []
    for group, members in groupby(
        range(len(panel.statistics)), key=lambda i: panel.statistics[i].group
    ):
        places = list(members)
        rows, colour = row + np.arange(len(places)), CONDITION_COLOUR.get(group, INK)
        for i, y in zip(places, rows, strict=True):
            _draw(ax, float(tests.z[i]), y, edge, colour, bool(failing[i]))
            weight, numbers = (
                ("bold" if failing[i] else "normal"),
                _numbers(panel.statistics[i], float(observed[i]), float(predicted[i])),
            )
            ax.annotate(
                numbers,
                (1.03, y),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=SMALL,
                color=readable(colour),
                fontweight=weight,
            )
        ticks += [*rows]
        labels += [panel.statistics[i].label for i in places]
        ax.annotate(
            group,
            (0.015, row - 0.95),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=readable(colour),
            fontweight="bold",
        )
        row += len(places) + 1.2
    ax.annotate(
        "observed  |  predicted",
        (1.03, -0.95),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=SMALL,
        color=INK,
    )
    ax.set_yticks(ticks, labels, fontsize=SMALL)
    ax.tick_params(axis="y", length=0.0, pad=6.0)  # arrows at the edge are in front of them
    ax.set(xlim=(-edge, edge), ylim=(row - 0.7, -1.7), xlabel="observed − predicted (z)")
    return ax


def _draw(ax: Axes, z: float, y: float, edge: float, colour: str, failing: bool) -> None:
    """One statistic: a point, or an arrow at the edge with its number; nothing where it is not
    defined.
    """
    if np.isnan(z):
        return
    at, far = float(np.clip(z, -edge, edge)), abs(z) > edge
    ax.hlines(y, 0.0, at, color=colour, lw=0.7, alpha=0.6)
    marker = ">" if far and z > 0 else "<" if far else "o"
    ax.scatter(
        [at],
        [y],
        s=24,
        marker=marker,
        c=[colour if failing else "white"],
        edgecolors=colour,
        linewidths=1.0,
        zorder=3,
        clip_on=False,
    )
    if far:
        place, side = (-7, "right") if z > 0 else (7, "left")
        number, box = f"{z:+.0f}".replace("-", "−"), {"fc": "white", "ec": "none", "pad": 0.5}
        ax.annotate(
            number,
            (at, y),
            (place, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=6.5,
            color=colour,
            bbox=box,
        )


def _numbers(statistic: Statistic, observed: float, predicted: float) -> str:
    """Both values, and their unit once."""
    numbers = f"{statistic.number(observed)}  |  {statistic.number(predicted)}"
    return f"{numbers} {statistic.unit}".rstrip()


def panel_figure(panel: Panel, person: int | None = None) -> Figure:
    """The panel of the group, or of one person."""
    n_groups = len({s.group for s in panel.statistics})
    with styled():
        figure, axes = new_figure(
            1, 1, width=TWO_COLUMNS, height=1.2 + 0.165 * (len(panel.statistics) + 1.2 * n_groups)
        )
        plot_panel(panel, axes[0], person)
        who = (
            f"mean of {len(panel)} people"
            if person is None
            else f"person {drawable(panel.names[person])}"
        )
        title = (
            f"Data against the fitted model, {who}. Grey: all points of 95 % of studies; filled:"
            " fails"
        )
        figure.suptitle(title, fontsize=8, x=0.01, ha="left", parse_math=False)
    return figure

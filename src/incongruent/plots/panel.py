"""The predictive panel as a picture: signed distance of every statistic from what the fitted model predicts."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.checks.panel import LEVEL, Panel
from incongruent.plots.style import CONDITION_COLOUR, INK, SECOND, drawable, new_figure, styled

FAR = 8.0
"""Distances beyond this are drawn at the edge, with their number."""


def plot_panel(panel: Panel, ax: Axes, person: int | None = None) -> Axes:
    """Signed z of every statistic, grouped, over the band that all of them stay within in 95 % of studies when the model is right; filled where it
    fails after adjustment, with observed and predicted value beside it.
    """
    observed, predicted, tests = panel.result(person)
    band, failing = float(tests.band), np.nan_to_num(tests.adjusted, nan=1.0) <= LEVEL
    edge = max(1.25 * band, min(FAR, 1.15 * float(np.nanmax(np.abs(tests.z), initial=0.0))))
    ax.axvspan(-band, band, color=INK, alpha=0.1, lw=0)
    ax.axvline(0.0, color=INK, lw=0.6)
    row, ticks, labels = 0.0, [], []
    for group, members in groupby(range(len(panel.statistics)), key=lambda i: panel.statistics[i].group):
        places = [i for i in members]
        rows = row + np.arange(len(places))
        colour = CONDITION_COLOUR.get(group, INK)
        known = ~np.isnan(tests.z[places])
        at = np.clip(tests.z[places], -edge, edge)
        face = np.where(failing[places], colour, "white")
        ax.scatter(
            np.where(known, tests.z[places], np.nan)[known], rows[known], s=22, c=list(face[known]), edgecolors=colour, linewidths=1.0, zorder=3
        )
        ax.hlines(rows[known], 0.0, at[known], color=colour, lw=0.7, alpha=0.6)
        for i, y in zip(places, rows, strict=True):
            numbers = f"{panel.statistics[i].shown(float(observed[i]))}  |  {panel.statistics[i].shown(float(predicted[i]))}"
            weight = "bold" if failing[i] else "normal"
            ax.annotate(numbers, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=colour, fontweight=weight)
        ticks += [*rows]
        labels += [panel.statistics[i].name.removesuffix(f", {group}") for i in places]
        ax.annotate(group, (-edge, row - 0.9), va="center", fontsize=8, color=colour, fontweight="bold")
        row += len(places) + 1.2
    ax.annotate("observed  |  predicted", (1.02, -0.9), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=SECOND)
    ax.set_yticks(ticks, labels, fontsize=7)
    ax.set(xlim=(-edge, edge), ylim=(row - 0.7, -1.7), xlabel="observed − predicted (z)")
    return ax


def panel_figure(panel: Panel, person: int | None = None) -> Figure:
    """The panel of the group, or of one person."""
    n_groups = len({s.group for s in panel.statistics})
    with styled():
        figure, axes = new_figure(1, 1, width=6.4, height=1.2 + 0.165 * (len(panel.statistics) + 1.2 * n_groups))
        plot_panel(panel, axes[0], person)
        who = f"mean of {len(panel)} people" if person is None else f"person {drawable(panel.names[person])}"
        title = f"Data against the fitted model, {who}. Grey: 95 % of studies stay within; filled: outside"
        figure.suptitle(title, fontsize=8.5, x=0.01, ha="left", parse_math=False)
    return figure

"""Calibration plots: ranks against their simultaneous band, coverage, z-score against contraction."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.checks.network.calibration import LEVEL, Calibration
from incongruent.checks.network.recovery import LEVELS
from incongruent.checks.network.uniformity import GRID, simultaneous_band
from incongruent.plots.style import (
    ACCENT,
    BAND,
    COLOURS,
    INK,
    MARKERS,
    SECOND,
    SMALL,
    TWO_COLUMNS,
    plain,
    styled,
)

A_ROW = 5


def plot_ranks(calibration: Calibration, quantity: str, ax: Axes) -> Axes:
    """Empirical distribution of one quantity's ranks minus the uniform one, in its simultaneous
    band; outside it is orange and dashed.
    """
    ranks = calibration.ranks[quantity]
    band = simultaneous_band(len(ranks), LEVEL)
    share = (ranks[:, None] <= GRID).mean(axis=0)
    outside = bool(((share < band.low) | (share > band.high)).any())
    colour, line = (SECOND, (0, (4, 1))) if outside else (ACCENT, "-")
    ax.fill_between(GRID, band.low - GRID, band.high - GRID, color=BAND, lw=0, step="mid")
    ax.plot(GRID, share - GRID, color=colour, lw=1.2, ls=line)
    ax.axhline(0.0, color=INK, lw=0.5)
    reach = max(
        0.06, 1.15 * float(np.abs(np.r_[share - GRID, band.high - GRID, band.low - GRID]).max())
    )
    ax.set(
        xlim=(0, 1), ylim=(-reach, reach), xlabel="rank (share)", ylabel="ECDF − uniform (share)"
    )
    ax.set_title(quantity, color=SECOND if outside else INK)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    return ax


def plot_coverage(calibration: Calibration, ax: Axes) -> Axes:
    """Share of central intervals that hold the truth, minus what they claim, one line a parameter,
    coloured as in `plot_z_scores`.
    """
    for i, name in enumerate(calibration.parameter_names):
        central = np.abs(2.0 * calibration.ranks[name] - 1.0)
        share = (central[:, None] <= LEVELS).mean(axis=0)
        ax.plot(
            100 * LEVELS,
            100 * (share - LEVELS),
            lw=1.0,
            label=name,
            **_look(i, every=(5 + 3 * i, 24)),
        )
    ax.axhline(0.0, color=INK, lw=0.5)
    reach = max(5.0, 1.1 * float(np.abs(ax.get_ylim()).max()))
    ax.set(
        xlim=(0, 100),
        ylim=(-reach, reach),
        xlabel="central interval (%)",
        ylabel="truth within, too many (%)",
        title="Coverage",
    )
    return ax


def plot_z_scores(calibration: Calibration, ax: Axes) -> Axes:
    """Z-score against contraction, each parameter's mean and SD over data sets: sharp and right is
    on the right, at 0 ± 1.
    """
    ax.axhspan(-1.0, 1.0, color=BAND, lw=0)
    ax.axhline(0.0, color=INK, lw=0.5)
    furthest = 1.5
    for i, name in enumerate(calibration.parameter_names):
        z, contraction = calibration.z_score[:, i], calibration.contraction[:, i]
        look: dict[str, Any] = _look(i) | {"ls": "none"}
        ax.errorbar(
            contraction.mean(),
            z.mean(),
            yerr=z.std(),
            elinewidth=0.9,
            capsize=1.5,
            label=name,
            **look,
        )
        furthest = max(furthest, 1.1 * (abs(z.mean()) + z.std()))
    left = min(0.0, 1.1 * float(calibration.contraction.mean(axis=0).min()))
    ax.set(
        xlim=(left, 1.04),
        ylim=(-furthest, furthest),
        xlabel="contraction (share of variance)",
        ylabel="z-score, mean ± SD",
    )
    ax.set_title("Sharp and right?")
    return ax


def calibration_figure(calibration: Calibration) -> Figure:
    """Ranks of every quantity, then coverage and z-scores."""
    quantities = list(calibration.ranks)
    n_rows = -(-len(quantities) // A_ROW)
    how = (
        "corrected by the exact likelihood"
        if calibration.corrected
        else "as the network gives them"
    )
    with styled():
        figure = Figure(figsize=(TWO_COLUMNS, 1.45 * n_rows + 2.5))
        grid = figure.add_gridspec(n_rows + 1, A_ROW, height_ratios=[1.0] * n_rows + [1.35])
        for k, quantity in enumerate(quantities):
            ax = plot_ranks(calibration, quantity, figure.add_subplot(grid[k // A_ROW, k % A_ROW]))
            if k % A_ROW:
                ax.set_ylabel("")
            if k + A_ROW < len(quantities):
                ax.set_xlabel("")
        plot_coverage(calibration, figure.add_subplot(grid[n_rows, :2]))
        ax = plot_z_scores(calibration, figure.add_subplot(grid[n_rows, 2:4]))
        beside = figure.add_subplot(grid[n_rows, 4])
        beside.set_axis_off()
        handles, names = ax.get_legend_handles_labels()
        plain(beside.legend(handles, names, loc="center left", labelspacing=0.7).get_texts())
        figure.supxlabel(
            f"Ranks of the truth among posterior draws, {how}; {len(calibration)} simulated data"
            f" sets.\nGrey: simultaneous {LEVEL:.0%} band of calibrated ranks (one in twenty leaves"
            " it: orange, dashed), or z-scores of 0 ± 1.",
            fontsize=SMALL,
        )
    return figure


def _look(i: int, every: Any = None) -> dict[str, Any]:
    """Colour and marker of the parameter at a position; markers at some of a line's points."""
    return {"color": COLOURS[i % 8], "marker": MARKERS[i % 8], "ms": 3.5} | (
        {"markevery": every} if every is not None else {}
    )

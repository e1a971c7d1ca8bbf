"""Calibration plots: ranks with their simultaneous band, coverage, z-scores and contraction."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

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
    """Empirical distribution of one quantity's ranks minus the uniform one, in its band.

    The band is simultaneous; ranks that leave it are orange and dashed.
    """
    ranks = calibration.ranks[quantity]
    band = simultaneous_band(len(ranks), LEVEL)
    low, high = band.low - GRID, band.high - GRID
    share = (ranks[:, None] <= GRID).mean(axis=0)
    is_outside = bool(((share < band.low) | (share > band.high)).any())
    ax.fill_between(GRID, low, high, color=BAND, lw=0, step="mid")
    _draw_difference(share - GRID, is_outside, ax)
    reach = max(0.06, 1.15 * float(np.abs(np.r_[share - GRID, high, low]).max()))
    ax.set(
        xlim=(0, 1), ylim=(-reach, reach), xlabel="rank (share)", ylabel="ECDF − uniform (share)"
    )
    ax.set_title(quantity, color=SECOND if is_outside else INK)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    return ax


def _draw_difference(difference: np.ndarray, outside: bool, ax: Axes) -> None:
    colour, line = (SECOND, (0, (4, 1))) if outside else (ACCENT, "-")
    ax.plot(GRID, difference, color=colour, lw=1.2, ls=line)
    ax.axhline(0.0, color=INK, lw=0.5)


def plot_coverage(calibration: Calibration, ax: Axes) -> Axes:
    """Share of central intervals that hold the truth, minus what they claim.

    There is one line for each parameter, coloured as in `plot_z_scores`.
    """
    for i, name in enumerate(calibration.parameter_names):
        too_many, look = _too_many(calibration.ranks[name]), _look(i, every=(5 + 3 * i, 24))
        ax.plot(100 * LEVELS, too_many, lw=1.0, label=name, **look)
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


def _too_many(ranks: np.ndarray) -> np.ndarray:
    """By how many percent central intervals of each level hold the truth too often."""
    central = np.abs(2.0 * ranks - 1.0)
    share = (central[:, None] <= LEVELS).mean(axis=0)
    return 100 * (share - LEVELS)


def plot_z_scores(calibration: Calibration, ax: Axes) -> Axes:
    """Z-score against contraction, each parameter's mean and SD over data sets.

    A posterior that is sharp and right is on the right, at 0 ± 1.
    """
    ax.axhspan(-1.0, 1.0, color=BAND, lw=0)
    ax.axhline(0.0, color=INK, lw=0.5)
    for i, name in enumerate(calibration.parameter_names):
        _draw_z_score(calibration.z_score[:, i], calibration.contraction[:, i], i, name, ax)
    left = min(0.0, 1.1 * float(calibration.contraction.mean(axis=0).min()))
    furthest = _furthest(calibration.z_score)
    ax.set(
        xlim=(left, 1.04),
        ylim=(-furthest, furthest),
        xlabel="contraction (share of variance)",
        ylabel="z-score, mean ± SD",
    )
    ax.set_title("Sharp and right?")
    return ax


def _draw_z_score(z: np.ndarray, contraction: np.ndarray, place: int, name: str, ax: Axes) -> None:
    look: dict[str, Any] = _look(place) | {"ls": "none", "elinewidth": 0.9, "capsize": 1.5}
    ax.errorbar(contraction.mean(), z.mean(), yerr=z.std(), label=name, **look)


def _furthest(z_score: np.ndarray) -> float:
    """The largest z-score on the axis, with room around every mean ± SD."""
    return max([1.5, *(1.1 * (abs(z.mean()) + z.std()) for z in z_score.T)])


def calibration_figure(calibration: Calibration) -> Figure:
    """Ranks of every quantity, then coverage and z-scores."""
    n_rows = -(-len(calibration.ranks) // A_ROW)
    with styled():
        figure = Figure(figsize=(TWO_COLUMNS, 1.45 * n_rows + 2.5))
        grid = figure.add_gridspec(n_rows + 1, A_ROW, height_ratios=[1.0] * n_rows + [1.35])
        _draw_all_ranks(calibration, grid, figure)
        plot_coverage(calibration, figure.add_subplot(grid[n_rows, :2]))
        ax = plot_z_scores(calibration, figure.add_subplot(grid[n_rows, 2:4]))
        _draw_legend(ax, figure.add_subplot(grid[n_rows, 4]))
        figure.supxlabel(_caption(calibration), fontsize=SMALL)
    return figure


def _draw_all_ranks(calibration: Calibration, grid: GridSpec, figure: Figure) -> None:
    """Ranks of every quantity, with labels only at the rim."""
    for k, quantity in enumerate(calibration.ranks):
        ax = plot_ranks(calibration, quantity, figure.add_subplot(grid[k // A_ROW, k % A_ROW]))
        if k % A_ROW:
            ax.set_ylabel("")
        if k + A_ROW < len(calibration.ranks):
            ax.set_xlabel("")


def _draw_legend(ax: Axes, beside: Axes) -> None:
    """The legend of one plot, in the place of another."""
    beside.set_axis_off()
    handles, names = ax.get_legend_handles_labels()
    plain(beside.legend(handles, names, loc="center left", labelspacing=0.7).get_texts())


def _caption(calibration: Calibration) -> str:
    how = "as the network gives them"
    if calibration.corrected:
        how = "corrected by the exact likelihood"
    return (
        f"Ranks of the truth among posterior draws, {how}; {len(calibration)} simulated data"
        f" sets.\nGrey: simultaneous {LEVEL:.0%} band of calibrated ranks (one in twenty leaves"
        " it: orange, dashed), or z-scores of 0 ± 1."
    )


def _look(i: int, every: Any = None) -> dict[str, Any]:
    """Colour and marker of the parameter at a position; markers at some of a line's points."""
    return {"color": COLOURS[i % 8], "marker": MARKERS[i % 8], "ms": 3.5} | (
        {"markevery": every} if every is not None else {}
    )

"""Calibration plots: ranks with their simultaneous band, coverage, z-scores and contraction."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from incongruent.checks.network.calibration import LEVEL, Calibration
from incongruent.checks.network.recovery import LEVELS
from incongruent.checks.network.uniformity import GRID, Band, simultaneous_band
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
INSIDE: dict[str, Any] = {"color": ACCENT, "ls": "-"}
OUTSIDE: dict[str, Any] = {"color": SECOND, "ls": (0, (4, 1))}
"""How ranks look that stay in their band, and such that leave it."""
BARS: dict[str, Any] = {"ls": "none", "elinewidth": 0.9, "capsize": 1.5}
"""How mean ± SD look."""


def plot_ranks(calibration: Calibration, quantity: str, ax: Axes) -> Axes:
    """Empirical distribution of one quantity's ranks minus the uniform one, in its band.

    The band is simultaneous; ranks that leave it are orange and dashed.
    """
    ranks = calibration.ranks[quantity]
    share, band = _share_up_to_grid(ranks), simultaneous_band(len(ranks), LEVEL)
    is_outside = _leaves(share, band)
    low, high = band.low - GRID, band.high - GRID
    ax.fill_between(GRID, low, high, color=BAND, lw=0, step="mid")
    _draw_difference(share - GRID, is_outside, ax)
    _set_axes(_reach(share - GRID, low, high), ax)
    ax.set_title(quantity, color=SECOND if is_outside else INK)
    return ax


def _share_up_to_grid(ranks: np.ndarray) -> np.ndarray:
    """The empirical distribution of ranks (dataset,) at every point of `GRID`."""
    return (ranks[:, None] <= GRID).mean(axis=0)


def _leaves(share: np.ndarray, band: Band) -> bool:
    """Whether a distribution leaves its band anywhere."""
    return bool(((share < band.low) | (share > band.high)).any())


def _reach(*curves: np.ndarray) -> float:
    """How far the vertical axis goes to either side of 0, so that all curves are on it."""
    return max(0.06, 1.15 * float(np.abs(np.r_[curves]).max()))


def _set_axes(reach: float, ax: Axes) -> None:
    ax.set(xlim=(0, 1), ylim=(-reach, reach))
    ax.set(xlabel="rank (share)", ylabel="ECDF − uniform (share)")
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])


def _draw_difference(difference: np.ndarray, outside: bool, ax: Axes) -> None:
    ax.plot(GRID, difference, lw=1.2, **(OUTSIDE if outside else INSIDE))
    _draw_zero(ax)


def _draw_zero(ax: Axes) -> None:
    """A thin line where nothing differs from what it should be."""
    ax.axhline(0.0, color=INK, lw=0.5)


def plot_coverage(calibration: Calibration, ax: Axes) -> Axes:
    """Share of central intervals that contain the true value, minus what they claim.

    There is one line for each parameter, coloured as in `plot_z_scores`.
    """
    for i, name in enumerate(calibration.parameter_names):
        _draw_coverage(calibration.ranks[name], i, name, ax)
    _draw_zero(ax)
    ax.set(xlim=(0, 100), ylim=_around_zero(ax.get_ylim()))
    ax.set(xlabel="central interval (%)", ylabel="truth within, too many (%)", title="Coverage")
    return ax


def _draw_coverage(ranks: np.ndarray, place: int, name: str, ax: Axes) -> None:
    """The line of one parameter, whose markers do not cover those of the others."""
    look = _look(place, every=(5 + 3 * place, 24))
    ax.plot(100 * LEVELS, _too_many(ranks), lw=1.0, label=name, **look)


def _around_zero(limits: tuple[float, float]) -> tuple[float, float]:
    """Limits with 0 in the middle, a little further away than these."""
    reach = max(5.0, 1.1 * float(np.abs(limits).max()))
    return -reach, reach


def _too_many(ranks: np.ndarray) -> np.ndarray:
    """By how many percent central intervals of each level contain the true value too often."""
    return 100 * (_share_within(ranks) - LEVELS)


def _share_within(ranks: np.ndarray) -> np.ndarray:
    """How often central intervals of each level contain the true value, from its ranks"
    " (dataset,).
    """
    central = np.abs(2.0 * ranks - 1.0)
    return (central[:, None] <= LEVELS).mean(axis=0)


def plot_z_scores(calibration: Calibration, ax: Axes) -> Axes:
    """Z-score against contraction, each parameter's mean and SD over data sets.

    A posterior that is sharp and right is on the right, at 0 ± 1.
    """
    ax.axhspan(-1.0, 1.0, color=BAND, lw=0)
    _draw_zero(ax)
    for i, name in enumerate(calibration.parameter_names):
        _draw_z_score(calibration.z_score[:, i], calibration.contraction[:, i], i, name, ax)
    furthest = _furthest(calibration.z_score)
    ax.set(xlim=(_leftmost(calibration.contraction), 1.04), ylim=(-furthest, furthest))
    ax.set(xlabel="contraction (share of variance)", ylabel="z-score, mean ± SD")
    ax.set_title("Sharp and right?")
    return ax


def _draw_z_score(z: np.ndarray, contraction: np.ndarray, place: int, name: str, ax: Axes) -> None:
    look = _look(place) | BARS
    ax.errorbar(contraction.mean(), z.mean(), yerr=z.std(), label=name, **look)


def _leftmost(contraction: np.ndarray) -> float:
    """Where the axis of contraction begins: at 0, or at the lowest mean below it."""
    return min(0.0, 1.1 * float(contraction.mean(axis=0).min()))


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
        _draw_last_row(calibration, grid, n_rows, figure)
        figure.supxlabel(_caption(calibration), fontsize=SMALL)
    return figure


def _draw_last_row(calibration: Calibration, grid: GridSpec, row: int, figure: Figure) -> None:
    """Coverage, z-scores, and the legend of both."""
    plot_coverage(calibration, figure.add_subplot(grid[row, :2]))
    ax = plot_z_scores(calibration, figure.add_subplot(grid[row, 2:4]))
    _draw_legend(ax, figure.add_subplot(grid[row, 4]))


def _draw_all_ranks(calibration: Calibration, grid: GridSpec, figure: Figure) -> None:
    """Ranks of every quantity, with labels only at the rim."""
    for k, quantity in enumerate(calibration.ranks):
        row, column = divmod(k, A_ROW)
        ax = plot_ranks(calibration, quantity, figure.add_subplot(grid[row, column]))
        _clear_inside(k, len(calibration.ranks), ax)


def _clear_inside(place: int, n: int, ax: Axes) -> None:
    """Take away the labels that another plot has on its left, or below."""
    if place % A_ROW:
        ax.set_ylabel("")
    if place + A_ROW < n:
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

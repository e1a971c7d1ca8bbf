"""Calibration plots: ranks against their simultaneous band, coverage, z-score against contraction."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.checks.calibration import LEVEL, Calibration
from incongruent.checks.recovery import LEVELS
from incongruent.checks.uniformity import GRID, simultaneous_band
from incongruent.plots.style import ACCENT, INK, SECOND, new_figure, styled

BAND = "#D0D0D0"


def plot_ranks(calibration: Calibration, quantity: str, ax: Axes) -> Axes:
    """Empirical distribution of one quantity's ranks minus the uniform one, in its simultaneous band; outside it is red."""
    ranks = calibration.ranks[quantity]
    band = simultaneous_band(len(ranks), LEVEL)
    share = (ranks[:, None] <= GRID).mean(axis=0)
    outside = bool(((share < band.low) | (share > band.high)).any())
    ax.fill_between(GRID, band.low - GRID, band.high - GRID, color=BAND, lw=0, step="mid")
    ax.plot(GRID, share - GRID, color=SECOND if outside else ACCENT, lw=1.2)
    ax.axhline(0.0, color=INK, lw=0.5)
    reach = max(0.06, 1.15 * float(np.abs(np.r_[share - GRID, band.high - GRID, band.low - GRID]).max()))
    ax.set(xlim=(0, 1), ylim=(-reach, reach), title=quantity)
    ax.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    return ax


def plot_coverage(calibration: Calibration, ax: Axes) -> Axes:
    """Share of central intervals that hold the truth, minus what they claim, one line a parameter, coloured as in `plot_z_scores`."""
    for i, name in enumerate(calibration.parameter_names):
        central = np.abs(2.0 * calibration.ranks[name] - 1.0)
        share = (central[:, None] <= LEVELS).mean(axis=0)
        ax.plot(100 * LEVELS, 100 * (share - LEVELS), lw=1.0, color=f"C{i}", label=name)
    ax.axhline(0.0, color=INK, lw=0.5)
    reach = max(5.0, 1.1 * float(np.abs(ax.get_ylim()).max()))
    ax.set(xlim=(0, 100), ylim=(-reach, reach), xlabel="central interval (%)", ylabel="truth within, too many (%)", title="Coverage")
    return ax


def plot_z_scores(calibration: Calibration, ax: Axes) -> Axes:
    """Z-score against contraction, each parameter's mean and SD over data sets: sharp and right is on the right, at 0 ± 1."""
    ax.axhspan(-1.0, 1.0, color=BAND, lw=0)
    ax.axhline(0.0, color=INK, lw=0.5)
    for i, name in enumerate(calibration.parameter_names):
        z, contraction = calibration.z_score[:, i], calibration.contraction[:, i]
        ax.errorbar(contraction.mean(), z.mean(), yerr=z.std(), fmt="o", ms=4, lw=1.0, capsize=2, color=f"C{i}", label=name)
    ax.set(xlim=(0, 1.05), ylim=(-3.2, 1.6), xlabel="contraction", ylabel="z-score, mean ± SD", title="Sharp and right?")
    ax.legend(ncols=3, fontsize=7, loc="lower center", handlelength=1.0, columnspacing=0.8)
    return ax


def calibration_figure(calibration: Calibration) -> Figure:
    """Ranks of every quantity, then coverage and z-scores."""
    quantities = list(calibration.ranks)
    n_rows = -(-(len(quantities) + 2) // 4)
    how = "corrected by the exact likelihood" if calibration.corrected else "as the network gives them"
    with styled():
        figure, axes = new_figure(n_rows, 4, width=9.2, height=2.1 * n_rows)
        for quantity, ax in zip(quantities, axes, strict=False):
            plot_ranks(calibration, quantity, ax)
        for ax in axes[0 : len(quantities) : 4]:
            ax.set_ylabel("ECDF − uniform")
        plot_coverage(calibration, axes[len(quantities)])
        plot_z_scores(calibration, axes[len(quantities) + 1])
        for ax in axes[len(quantities) + 2 :]:
            ax.set_axis_off()
        figure.supxlabel(
            f"Ranks of the truth among posterior draws, {how}; {len(calibration)} simulated data sets.\n"
            f"Grey: simultaneous {LEVEL:.0%} band of calibrated ranks (orange leaves it, as one in twenty calibrated ones does), "
            f"or z-scores of 0 ± 1.",
            fontsize=8,
        )
    return figure

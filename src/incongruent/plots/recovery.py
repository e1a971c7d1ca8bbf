"""Recovery scatter plots."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from incongruent.checks.network.recovery import Recovery
from incongruent.models.model import Parameter
from incongruent.plots.style import INK, SMALL, TWO_COLUMNS, new_figure, styled, with_unit

Array = np.ndarray


def plot_recovery(recovery: Recovery, parameter: Parameter, ax: Axes) -> Axes:
    """Posterior mean against truth for one parameter, with the line of equality.

    Darker points have more trials.
    """
    i = recovery.parameter_names.index(parameter.name)
    truth, mean = recovery.truth[:, i], recovery.mean[:, i]
    _draw_points(truth, mean, np.log(recovery.n_trials), ax)
    low, high = min(truth.min(), mean.min()), max(truth.max(), mean.max())
    ax.plot([low, high], [low, high], color=INK, lw=0.7, ls="-")
    room = 0.04 * (high - low) + 1e-12
    limits = (low - room, high + room)
    ax.set(
        xlabel=with_unit(f"true {parameter.name}", parameter.unit),
        ylabel=with_unit("posterior mean", parameter.unit),
        xlim=limits,
        ylim=limits,
    )
    ax.set_title(f"{parameter.name}   r = {recovery.table()['r'][i]:.2f}")
    ax.set_box_aspect(1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    return ax


def _draw_points(x: Array, y: Array, shade: Array, ax: Axes) -> None:
    """Points of different shades, none of them nearly white."""
    ax.scatter(
        x,
        y,
        c=shade,
        cmap="viridis_r",
        s=6,
        alpha=0.6,
        lw=0,
        vmin=shade.min() - 0.3 * np.ptp(shade),
        vmax=shade.max() + 1e-6,
        rasterized=True,
    )


def recovery_figure(recovery: Recovery, parameters: tuple[Parameter, ...]) -> Figure:
    """One scatter plot for each parameter, three a row."""
    n_rows = -(-len(parameters) // 3)
    with styled():
        figure, axes = new_figure(n_rows, 3, width=TWO_COLUMNS, height=2.3 * n_rows + 0.25)
        for parameter, ax in zip(parameters, axes, strict=False):
            plot_recovery(recovery, parameter, ax)
        for ax in axes[len(parameters) :]:
            ax.set_axis_off()
        figure.supxlabel(_caption(recovery), fontsize=SMALL)
    return figure


def _caption(recovery: Recovery) -> str:
    """How many data sets there are, and what the shades mean where there are several."""
    few, many = recovery.n_trials.min(), recovery.n_trials.max()
    words = f"{len(recovery.truth)} simulated data sets"
    if few < many:
        words += f"; light points have few trials (from {few}), dark ones many (to {many})"
    return words

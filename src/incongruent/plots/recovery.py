"""Recovery scatter plots."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from incongruent.checks.network.recovery import Recovery
from incongruent.models.model import Parameter
from incongruent.plots.style import INK, SMALL, TWO_COLUMNS, new_figure, styled, with_unit

Array = np.ndarray

POINTS: dict[str, Any] = {"cmap": "viridis_r", "s": 6, "alpha": 0.6, "lw": 0, "rasterized": True}
"""How data sets look."""


def plot_recovery(recovery: Recovery, parameter: Parameter, ax: Axes) -> Axes:
    """Posterior mean against truth for one parameter, with the line of equality.

    Darker points have more trials.
    """
    i = recovery.parameter_names.index(parameter.name)
    truth, mean = recovery.truth[:, i], recovery.mean[:, i]
    _draw_points(truth, mean, np.log(recovery.n_trials), ax)
    _draw_equality(*_range(truth, mean), ax)
    ax.set_xlabel(with_unit(f"true {parameter.name}", parameter.unit))
    ax.set_ylabel(with_unit("posterior mean", parameter.unit))
    ax.set_title(f"{parameter.name}   r = {recovery.table()['r'][i]:.2f}")
    _make_square(ax)
    return ax


def _range(truth: Array, mean: Array) -> tuple[float, float]:
    """The lowest and the highest value on both axes."""
    return min(truth.min(), mean.min()), max(truth.max(), mean.max())


def _make_square(ax: Axes) -> None:
    """The same length and about the same ticks along both axes."""
    ax.set_box_aspect(1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4))


def _draw_equality(low: float, high: float, ax: Axes) -> None:
    """The line of equality between two values, on axes that reach a little further."""
    ax.plot([low, high], [low, high], color=INK, lw=0.7, ls="-")
    room = 0.04 * (high - low) + 1e-12
    reach = (low - room, high + room)
    ax.set(xlim=reach, ylim=reach)


def _draw_points(x: Array, y: Array, shade: Array, ax: Axes) -> None:
    """Points of different shades, none of them nearly white."""
    lightest, darkest = shade.min() - 0.3 * np.ptp(shade), shade.max() + 1e-6
    ax.scatter(x, y, c=shade, vmin=lightest, vmax=darkest, **POINTS)


def recovery_figure(recovery: Recovery, parameters: tuple[Parameter, ...]) -> Figure:
    """One scatter plot for each parameter, three a row."""
    n_rows = -(-len(parameters) // 3)
    with styled():
        figure, axes = new_figure(n_rows, 3, width=TWO_COLUMNS, height=2.3 * n_rows + 0.25)
        _draw_all(recovery, parameters, axes)
        figure.supxlabel(_caption(recovery), fontsize=SMALL)
    return figure


def _draw_all(recovery: Recovery, parameters: tuple[Parameter, ...], axes: list[Axes]) -> None:
    """Every parameter in its place; the rest is empty."""
    for parameter, ax in zip(parameters, axes, strict=False):
        plot_recovery(recovery, parameter, ax)
    for ax in axes[len(parameters) :]:
        ax.set_axis_off()


def _caption(recovery: Recovery) -> str:
    """How many data sets there are, and what their shades mean."""
    return f"{len(recovery.truth)} simulated data sets{_about_shades(recovery.n_trials)}"


def _about_shades(n_trials: Array) -> str:
    """What the shades mean; nothing where all data sets have as many trials."""
    few, many = n_trials.min(), n_trials.max()
    if few == many:
        return ""
    return f"; light points have few trials (from {few}), dark ones many (to {many})"

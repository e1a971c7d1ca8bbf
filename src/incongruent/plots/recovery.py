"""Recovery scatter plots."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.checks.recovery import Recovery
from incongruent.models.model import Parameter
from incongruent.plots.style import INK, new_figure, styled


def plot_recovery(recovery: Recovery, parameter: Parameter, ax: Axes) -> Axes:
    """Posterior mean against truth for one parameter; darker points have more trials."""
    i = recovery.parameter_names.index(parameter.name)
    truth, mean = recovery.truth[:, i], recovery.mean[:, i]
    shade = np.log(recovery.n_trials)
    low, high = min(truth.min(), mean.min()), max(truth.max(), mean.max())
    ax.scatter(truth, mean, c=shade, cmap="viridis_r", s=7, alpha=0.6, lw=0, vmin=shade.min() - 0.3 * np.ptp(shade), vmax=shade.max() + 1e-6)
    ax.plot([low, high], [low, high], color=INK, lw=0.8)
    unit = f" ({parameter.unit})" if parameter.unit else ""
    ax.set(xlabel=f"true {parameter.name}{unit}", ylabel=f"posterior mean{unit}")
    ax.set_title(f"{parameter.name}   r = {recovery.table()['r'][i]:.2f}")
    return ax


def recovery_figure(recovery: Recovery, parameters: tuple[Parameter, ...]) -> Figure:
    """One scatter plot for each parameter, three a row."""
    n_rows = -(-len(parameters) // 3)
    with styled():
        figure, axes = new_figure(n_rows, 3, width=7.2, height=2.5 * n_rows)
        for parameter, ax in zip(parameters, axes, strict=False):
            plot_recovery(recovery, parameter, ax)
        for ax in axes[len(parameters) :]:
            ax.set_axis_off()
        few, many = recovery.n_trials.min(), recovery.n_trials.max()
        if few < many:
            figure.supxlabel(
                f"{len(recovery.truth)} simulated data sets; light points have few trials (from {few}), dark ones many (to {many})", fontsize=8
            )
    return figure

"""Plots: each takes a record and an ax, computes nothing, and returns the ax."""

from incongruent.plots.predictive import people_figures, plot_accuracy, plot_delta, plot_distribution, plot_errors, predictive_figure
from incongruent.plots.recovery import plot_recovery, recovery_figure
from incongruent.plots.style import save_png, styled
from incongruent.plots.training import plot_history

__all__ = [
    "people_figures",
    "plot_accuracy",
    "plot_delta",
    "plot_distribution",
    "plot_errors",
    "plot_history",
    "plot_recovery",
    "predictive_figure",
    "recovery_figure",
    "save_png",
    "styled",
]

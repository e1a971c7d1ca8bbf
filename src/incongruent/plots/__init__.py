"""Plots: each takes a record and an ax, computes nothing, and returns the ax.

Others use what is named here, and `style`.
"""

from incongruent.plots.calibration import (
    calibration_figure,
    plot_coverage,
    plot_ranks,
    plot_z_scores,
)
from incongruent.plots.forest import forest_figure, plot_forest
from incongruent.plots.mechanism import mechanism_figure, plot_activation, plot_density
from incongruent.plots.misspecification import (
    misspecification_figure,
    plot_components,
    plot_marginal,
    plot_null,
    plot_surprise,
    space_figure,
)
from incongruent.plots.pairs import pairs_figure, plot_pairs
from incongruent.plots.panel import panel_figure, plot_panel
from incongruent.plots.predictive import (
    people_figures,
    plot_accuracy,
    plot_delta,
    plot_distribution,
    plot_errors,
    predictive_figure,
)
from incongruent.plots.recovery import plot_recovery, recovery_figure
from incongruent.plots.saving import figure_svg, save_figure, save_png
from incongruent.plots.style import ONE_COLUMN, PAGE_HEIGHT, TWO_COLUMNS, styled
from incongruent.plots.training import history_figure, plot_history
from incongruent.plots.variants import (
    plot_variant_frequencies,
    plot_variant_sums,
    plot_variants,
    variants_figure,
)
from incongruent.plots.which_variant import plot_before_after, which_variant_figure

__all__ = [
    "ONE_COLUMN",
    "PAGE_HEIGHT",
    "TWO_COLUMNS",
    "calibration_figure",
    "figure_svg",
    "forest_figure",
    "history_figure",
    "mechanism_figure",
    "misspecification_figure",
    "pairs_figure",
    "panel_figure",
    "people_figures",
    "plot_accuracy",
    "plot_activation",
    "plot_before_after",
    "plot_components",
    "plot_coverage",
    "plot_delta",
    "plot_density",
    "plot_distribution",
    "plot_errors",
    "plot_forest",
    "plot_history",
    "plot_marginal",
    "plot_null",
    "plot_pairs",
    "plot_panel",
    "plot_ranks",
    "plot_recovery",
    "plot_surprise",
    "plot_variant_frequencies",
    "plot_variant_sums",
    "plot_variants",
    "plot_z_scores",
    "predictive_figure",
    "recovery_figure",
    "save_figure",
    "save_png",
    "space_figure",
    "styled",
    "variants_figure",
    "which_variant_figure",
]

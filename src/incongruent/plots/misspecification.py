"""Misspecification plots: the null of an MMD test, the summary space, the surprise of people."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from incongruent.checks.scope.mmd import MmdTest
from incongruent.checks.scope.summary_space import OWN_PRIOR, SummarySpace
from incongruent.checks.scope.surprise import Surprise
from incongruent.plots.style import (
    ACCENT,
    COLOURS,
    INK,
    MARKERS,
    SECOND,
    TWO_COLUMNS,
    beside,
    drawable,
    in_legend,
    new_figure,
    plain,
    styled,
)

NULL = "#C8C8C8"
CRITICAL = "#E8A87C"
LINES = ("-", "--", "-.", ":")
N_DRAWN = 1000
"""Simulated data sets that are drawn, so that files stay small."""
N_LABELLED = 5
BELOW_LEGEND = 0.7


def plot_null(test: MmdTest, ax: Axes) -> Axes:
    """Distribution of the statistic under the model, and the observed value as a line.

    The critical region is orange.
    """
    edges = _edges(test)
    counts, _ = np.histogram(test.null, edges)
    density = counts / (len(test.null) * np.diff(edges))
    ax.stairs(density, edges, fill=True, color=NULL, lw=0, label="model")
    _draw_test(test, float(edges[-1]), ax)
    ax.set(
        xlim=(edges[0], edges[-1]),
        ylim=(0, 1.05 * density.max() / BELOW_LEGEND),
        xlabel="MMD²",
        ylabel="density",
    )
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.legend(loc="upper right", borderaxespad=0.0)
    return ax


def _edges(test: MmdTest) -> np.ndarray:
    """Edges of the bins: nearly all of the null, and the observed value."""
    low = min(test.null.min(), test.statistic)
    high = max(np.quantile(test.null, 0.995), test.statistic)
    room = 0.05 * max(high - low, 1e-12)
    return np.linspace(low - room, high + room, 50)


def _draw_test(test: MmdTest, end: float, ax: Axes) -> None:
    """The critical region up to the end of the axis, and the observed value."""
    ax.axvspan(
        test.critical,
        end,
        ymax=BELOW_LEGEND,
        color=CRITICAL,
        alpha=0.35,
        lw=0,
        label=f"critical region ({test.alpha:.0%})",
    )
    ax.axvline(
        test.statistic,
        ymax=BELOW_LEGEND,
        color=INK,
        lw=1.4,
        label=f"observed, p = {test.p_value:.3g}",
    )


def plot_components(space: SummarySpace, first: int, second: int, ax: Axes) -> Axes:
    """Data sets on two components (from 0).

    Simulations are a grey cloud, other priors crosses, and people markers.
    """
    for k, (name, points) in enumerate(space.points.items()):
        x, y = points[:N_DRAWN, first], points[:N_DRAWN, second]
        ax.scatter(x, y, label=in_legend(name), **_look(space, name, k))
    for name, k, axis in (("x", first, ax.xaxis), ("y", second, ax.yaxis)):
        ax.set(**{f"{name}label": f"component {k + 1} ({space.explained[k]:.0%})"})
        axis.set_major_locator(MaxNLocator(5))
    return ax


def _look(space: SummarySpace, name: str, place: int) -> dict[str, Any]:
    """How the points of a set look, by what it is and its place among the sets."""
    if name == OWN_PRIOR:
        return {"s": 5, "color": NULL, "lw": 0, "rasterized": True}
    colour, marker = COLOURS[place % 8], MARKERS[place % 8]
    if name in space.studies:
        return {
            "s": 14,
            "color": colour,
            "marker": marker,
            "lw": 0.3,
            "edgecolor": "white",
            "zorder": 3,
        }
    return {
        "s": 7,
        "color": colour,
        "marker": "x",
        "lw": 0.5,
        "alpha": 0.5,
        "rasterized": True,
        "zorder": 2,
    }


def plot_marginal(space: SummarySpace, component: int, ax: Axes) -> Axes:
    """Distribution of each set on one component, and the parameter that correlates most with it."""
    everything = np.concatenate([points[:, component] for points in space.points.values()])
    edges = np.linspace(everything.min(), everything.max() + 1e-12, 36)
    for k, (name, points) in enumerate(space.points.items()):
        if name == OWN_PRIOR:
            ax.hist(points[:, component], edges, density=True, color=NULL, lw=0)
        else:
            _draw_outline(points[:, component], edges[::2], k, ax)
    parameter, r = space.most_like(component)
    ax.set(xlabel=f"component {component + 1} ({space.explained[component]:.0%})", ylabel="density")
    ax.set_title(f"{parameter}, r = {r:+.2f}".replace("-", "−"))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    return ax


def _draw_outline(values: np.ndarray, edges: Any, place: int, ax: Axes) -> None:
    """The outline of a histogram, in the colour and line of a place among the sets."""
    colour, line = COLOURS[place % 8], LINES[place % 4]
    ax.hist(values, edges, density=True, histtype="step", color=colour, lw=1.1, ls=line)


def plot_surprise(surprise: Surprise, ax: Axes) -> Axes:
    """Depth of each person against their p-value, the most surprising on top.

    People outside are orange, and the farthest of them have names.
    """
    smallest = 1.0 / (surprise.n_simulated + 1)
    _draw_people(surprise, ax)
    ax.axhline(smallest, color=INK, lw=0.5, ls=":")
    ax.set_yscale("log")
    top = smallest * 10 ** (0.3 * np.log10(smallest))  # the rarest, and room for the legend
    ax.set(xlim=(-0.03, 1.03), ylim=(1.5, top))
    ax.set(xlabel="depth (0 rim, 1 centre of the simulations)", ylabel="conformal p")
    _name_farthest(surprise, smallest, ax)
    ax.legend(loc="upper right", ncols=2, borderaxespad=0.0)
    return ax


def _draw_people(surprise: Surprise, ax: Axes) -> None:
    p, depth, outside = surprise.p_value, surprise.depth, surprise.outside
    words = f"inside ({len(surprise) - surprise.n_outside})"
    ax.scatter(depth[~outside], p[~outside], s=14, color=ACCENT, lw=0, alpha=0.8, label=words)
    words = f"outside ({surprise.n_outside})"
    ax.scatter(depth[outside], p[outside], s=24, color=SECOND, marker="D", lw=0, label=words)


def _name_farthest(surprise: Surprise, smallest: float, ax: Axes) -> None:
    """Name the most surprising people, each above the one before."""
    p, depth, last = surprise.p_value, surprise.depth, -np.inf
    farthest = np.argsort(p, kind="stable")[: min(N_LABELLED, surprise.n_outside)]
    for i in sorted(farthest, key=lambda i: -p[i]):
        last = max(-np.log10(p[i]), last - 0.07 * np.log10(smallest))
        place, side = (float(depth[i]), float(10.0**-last)), "right" if depth[i] < 0.5 else "left"
        beside(ax, drawable(surprise.names[i]), place, colour=INK, side=side)


def space_figure(space: SummarySpace, n_components: int = 3) -> Figure:
    """Leading components against each other, with the distribution of each on the diagonal."""
    n = max(1, min(n_components, len(space.explained)))
    with styled():
        figure, axes = new_figure(
            n, n, width=TWO_COLUMNS, height=TWO_COLUMNS * 0.9 if n > 1 else 3.0
        )
        for row in range(n):
            for column in range(n):
                ax = axes[row * n + column]
                if column > row:
                    ax.set_axis_off()
                elif column == row:
                    plot_marginal(space, row, ax)
                else:
                    plot_components(space, column, row, ax)
        if n > 1:
            _draw_legend(axes[n], figure)
    return figure


def _draw_legend(ax: Axes, figure: Figure) -> None:
    """The legend of one plot, in the corner of its figure."""
    handles, labels = ax.get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="upper right", bbox_to_anchor=(0.99, 0.97))
    plain(legend.get_texts())


def misspecification_figure(test: MmdTest, surprise: Surprise) -> Figure:
    """The null of the MMD test beside the surprise of each person."""
    with styled():
        figure, axes = new_figure(1, 2, width=TWO_COLUMNS, height=2.6)
        plot_null(test, axes[0]).set_title("The study")
        plot_surprise(surprise, axes[1]).set_title("Its people")
    return figure

"""Misspecification plots: the null of an MMD test, the summary space, the surprise of people."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from incongruent.checks.scope.mmd_result import MmdTest
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
CLOUD: dict[str, Any] = {"s": 5, "color": NULL, "lw": 0, "rasterized": True}
PEOPLE: dict[str, Any] = {"s": 14, "lw": 0.3, "edgecolor": "white", "zorder": 3}
CROSSES: dict[str, Any] = {
    "s": 7,
    "marker": "x",
    "lw": 0.5,
    "alpha": 0.5,
    "rasterized": True,
    "zorder": 2,
}
"""How simulations, people of a study, and simulations from another prior look."""
INSIDE: dict[str, Any] = {"s": 14, "color": ACCENT, "lw": 0, "alpha": 0.8}
OUTSIDE: dict[str, Any] = {"s": 24, "color": SECOND, "marker": "D", "lw": 0}
"""How people inside and outside of what the model simulates look."""


def plot_null(test: MmdTest, ax: Axes) -> Axes:
    """Distribution of the statistic under the model, and the observed value as a line.

    The critical region is orange.
    """
    edges = _edges(test)
    density = _density(test.null, edges)
    ax.stairs(density, edges, fill=True, color=NULL, lw=0, label="model")
    _draw_critical_region(test, float(edges[-1]), ax)
    _draw_observed(test, ax)
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.05 * density.max() / BELOW_LEGEND))
    ax.set(xlabel="MMD²", ylabel="density")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.legend(loc="upper right", borderaxespad=0.0)
    return ax


def _density(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The density of values in bins, also of those that lie in none."""
    counts, _ = np.histogram(values, edges)
    return counts / (len(values) * np.diff(edges))


def _edges(test: MmdTest) -> np.ndarray:
    """Edges of the bins: nearly all of the null and the observed value, with room beside them."""
    low, high = _range(test)
    room = 0.05 * max(high - low, 1e-12)
    return np.linspace(low - room, high + room, 50)


def _range(test: MmdTest) -> tuple[float, float]:
    """Between which values nearly all of the null and the observed value lie."""
    low = min(test.null.min(), test.statistic)
    return low, max(np.quantile(test.null, 0.995), test.statistic)


def _draw_critical_region(test: MmdTest, end: float, ax: Axes) -> None:
    """The critical region, up to the end of the axis."""
    words = f"critical region ({test.alpha:.0%})"
    look = {"color": CRITICAL, "alpha": 0.35, "lw": 0}
    ax.axvspan(test.critical, end, ymax=BELOW_LEGEND, label=words, **look)


def _draw_observed(test: MmdTest, ax: Axes) -> None:
    words = f"observed, p = {test.p_value:.3g}"
    ax.axvline(test.statistic, ymax=BELOW_LEGEND, color=INK, lw=1.4, label=words)


def plot_components(space: SummarySpace, first: int, second: int, ax: Axes) -> Axes:
    """Data sets on two components (from 0).

    Simulations are a grey cloud, other priors crosses, and people markers.
    """
    for k, (name, points) in enumerate(space.points.items()):
        pairs = points[:N_DRAWN, [first, second]]
        ax.scatter(*pairs.T, label=in_legend(name), **_look(space, name, k))
    ax.set(xlabel=_axis_label(space, first), ylabel=_axis_label(space, second))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    return ax


def _axis_label(space: SummarySpace, component: int) -> str:
    """A component with its share of the variance."""
    return f"component {component + 1} ({space.explained[component]:.0%})"


def _look(space: SummarySpace, name: str, place: int) -> dict[str, Any]:
    """How the points of a set look, by what it is and its place among the sets."""
    if name == OWN_PRIOR:
        return CLOUD
    colour = {"color": COLOURS[place % 8]}
    if name in space.studies:
        return colour | PEOPLE | {"marker": MARKERS[place % 8]}
    return colour | CROSSES


def plot_marginal(space: SummarySpace, component: int, ax: Axes) -> Axes:
    """Distribution of each set on one component, and the parameter that correlates most with it."""
    values = {name: points[:, component] for name, points in space.points.items()}
    edges = _edges_over(np.concatenate(list(values.values())))
    for k, name in enumerate(values):
        if name == OWN_PRIOR:
            ax.hist(values[name], edges, density=True, color=NULL, lw=0)
        else:
            _draw_outline(values[name], edges[::2], k, ax)
    ax.set(xlabel=_axis_label(space, component), ylabel="density")
    ax.set_title(_most_like(space, component))
    ax.xaxis.set_major_locator(MaxNLocator(5))
    return ax


def _edges_over(values: np.ndarray) -> Any:
    """Edges of bins, in which all values lie."""
    return np.linspace(values.min(), values.max() + 1e-12, 36)


def _most_like(space: SummarySpace, component: int) -> str:
    """The parameter that correlates most with a component, in words."""
    parameter, r = space.most_like(component)
    return f"{parameter}, r = {r:+.2f}".replace("-", "−")


def _draw_outline(values: np.ndarray, edges: Any, place: int, ax: Axes) -> None:
    """The outline of a histogram, in the colour and line of a place among the sets."""
    look: dict[str, Any] = {"color": COLOURS[place % 8], "ls": LINES[place % 4]}
    ax.hist(values, edges, density=True, histtype="step", lw=1.1, **look)


def plot_surprise(surprise: Surprise, ax: Axes) -> Axes:
    """Depth of each person against their p-value, the most surprising on top.

    People outside are orange, and the farthest of them have names.
    """
    smallest = 1.0 / (surprise.n_simulated + 1)
    _draw_people(surprise, ax)
    ax.axhline(smallest, color=INK, lw=0.5, ls=":")
    ax.set_yscale("log")
    ax.set(xlim=(-0.03, 1.03), ylim=(1.5, _above(smallest)))
    ax.set(xlabel="depth (0 rim, 1 centre of the simulations)", ylabel="conformal p")
    _name_farthest(surprise, smallest, ax)
    ax.legend(loc="upper right", ncols=2, borderaxespad=0.0)
    return ax


def _above(smallest: float) -> float:
    """Where the axis ends: above the smallest p-value, with room for the legend."""
    return smallest * 10 ** (0.3 * np.log10(smallest))


def _draw_people(surprise: Surprise, ax: Axes) -> None:
    n_outside = surprise.n_outside
    words = f"inside ({len(surprise) - n_outside})"
    _draw_some(surprise, ~surprise.outside, INSIDE | {"label": words}, ax)
    words = f"outside ({n_outside})"
    _draw_some(surprise, surprise.outside, OUTSIDE | {"label": words}, ax)


def _draw_some(surprise: Surprise, chosen: np.ndarray, look: dict[str, Any], ax: Axes) -> None:
    """The people who are chosen by a mask (person,)."""
    ax.scatter(surprise.depth[chosen], surprise.p_value[chosen], **look)


def _name_farthest(surprise: Surprise, smallest: float, ax: Axes) -> None:
    """Name the most surprising people, each above the one before."""
    last = -np.inf
    for i in _farthest(surprise):
        last = max(-np.log10(surprise.p_value[i]), last - 0.07 * np.log10(smallest))
        _name_person(surprise, i, float(10.0**-last), ax)


def _farthest(surprise: Surprise) -> list[int]:
    """Positions of the most surprising people outside, the least surprising of them first."""
    p = surprise.p_value
    farthest = np.argsort(p, kind="stable")[: min(N_LABELLED, surprise.n_outside)]
    return sorted(farthest, key=lambda i: -p[i])


def _name_person(surprise: Surprise, person: int, height: float, ax: Axes) -> None:
    """A name on the side of the person on which there is more room."""
    depth = float(surprise.depth[person])
    side = "right" if depth < 0.5 else "left"
    beside(ax, drawable(surprise.names[person]), (depth, height), colour=INK, side=side)


def space_figure(space: SummarySpace, n_components: int = 3) -> Figure:
    """Leading components against each other, with the distribution of each on the diagonal."""
    n = max(1, min(n_components, len(space.explained)))
    height = TWO_COLUMNS * 0.9 if n > 1 else 3.0
    with styled():
        figure, axes = new_figure(n, n, width=TWO_COLUMNS, height=height)
        for k, ax in enumerate(axes):
            _draw_place(space, *divmod(k, n), ax)
        if n > 1:
            _draw_legend(axes[n], figure)
    return figure


def _draw_place(space: SummarySpace, row: int, column: int, ax: Axes) -> None:
    """What belongs into a row and a column: nothing above the diagonal, one component on it."""
    if column > row:
        ax.set_axis_off()
    elif column == row:
        plot_marginal(space, row, ax)
    else:
        plot_components(space, column, row, ax)


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

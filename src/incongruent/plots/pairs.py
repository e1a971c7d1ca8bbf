"""Corner plot: the joint posterior of one person, parameter by parameter and pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from incongruent.data.basics.streams import Purpose, child
from incongruent.plots.forest import parameter_place, unit_of
from incongruent.plots.style import (
    ACCENT,
    FAINT,
    INK,
    SECOND,
    TWO_COLUMNS,
    drawable,
    new_figure,
    styled,
    with_unit,
)
from incongruent.posterior.draws import Draws
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior, PriorError

Array = np.ndarray

N_BINS = 30
BEHIND: dict[str, Any] = {"color": FAINT, "alpha": 0.7, "lw": 0, "zorder": 0.5}
"""How the prior looks, behind the draws."""
N_PRIOR = 4000
"""Draws of a prior whose marginal densities are not known."""


def plot_pairs(
    draws: Draws,
    first: str,
    second: str,
    ax: Axes,
    *,
    person: int = 0,
    truth: Sequence[float] | Array | None = None,
) -> Axes:
    """Draws of one person: two parameters against each other, or the marginal of one.

    The marginal is drawn over its prior in grey, when both parameters are the same.

    Args:
        draws: of one person or more.
        first: parameter along the horizontal axis.
        second: parameter along the vertical axis.
        ax: where to.
        person: position in the draws.
        truth: (parameter,), drawn as lines.

    Raises:
        ValueError: for a name that is not one of the parameters.
    """
    places = [parameter_place(draws, name) for name in (first, second)]
    theta = draws.theta[person][:, places]  # (draw, 2)
    known = _values_at(places, truth)
    across, up = (_limits(column, value) for column, value in zip(theta.T, known, strict=True))
    ax.set(xlim=across, xlabel=_label(draws, first))
    ax.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
    if first == second:
        _draw_marginal(draws.simulator.prior, first, theta[:, 0], across, ax)
    else:
        _draw_cloud(theta, ax)
        ax.set(ylim=up, ylabel=_label(draws, second))
    if truth is not None:
        _draw_truth(known, first != second, ax)
    return ax


def _values_at(places: list[int], truth: Sequence[float] | Array | None) -> Array:
    """The true values of two parameters; NaN where they are not known."""
    return np.full(2, np.nan) if truth is None else np.asarray(truth, float)[places]


def _label(draws: Draws, parameter: str) -> str:
    """A parameter with its unit."""
    return with_unit(parameter, unit_of(draws, parameter))


def _draw_cloud(theta: Array, ax: Axes) -> None:
    """Draws of two parameters (draw, 2)."""
    ax.scatter(*theta.T, s=2.5, color=ACCENT, alpha=0.35, lw=0, rasterized=True)
    ax.yaxis.set_major_locator(MaxNLocator(3, prune="both"))


def _draw_truth(known: Array, both: bool, ax: Axes) -> None:
    ax.axvline(known[0], color=SECOND, lw=0.9, ls="--")
    if both:
        ax.axhline(known[1], color=SECOND, lw=0.9, ls="--")


def pairs_figure(
    draws: Draws, person: int = 0, *, truth: Sequence[float] | Array | None = None
) -> Figure:
    """All pairs of parameters of one person, two columns wide; marginals on the diagonal."""
    names = draws.parameter_names
    with styled():
        figure, axes = _corner(len(names))
        for (row, column), ax in axes.items():
            plot_pairs(draws, names[column], names[row], ax, person=person, truth=truth)
            _clear_inside(row, column, len(names), ax)
        figure.align_ylabels(figure.axes)
        _write_in_corner(_words(draws, person, has_truth=truth is not None), figure)
    return figure


def _corner(n: int) -> tuple[Figure, dict[tuple[int, int], Axes]]:
    """A figure with n × n places, and its axes by row and column, none above the diagonal."""
    height = max(0.95 * TWO_COLUMNS * min(1.0, n / 4), 2.0)
    figure, axes = new_figure(n, n, width=TWO_COLUMNS, height=height)
    places = {divmod(k, n): ax for k, ax in enumerate(axes)}
    for (row, column), ax in places.items():
        if column > row:
            ax.set_axis_off()
    return figure, {place: ax for place, ax in places.items() if place[1] <= place[0]}


def _write_in_corner(words: str, figure: Figure) -> None:
    """Words where there are no plots, so that the layout needs no room for them."""
    label = figure.text(0.99, 0.99, words, ha="right", va="top", parse_math=False)
    label.set_in_layout(False)


def _clear_inside(row: int, column: int, n: int, ax: Axes) -> None:
    """Take away the labels that the plots at the rim have already."""
    if row < n - 1:
        ax.set(xlabel="", xticklabels=[])
    if 0 < column < row:
        ax.set(ylabel="", yticklabels=[])


def _words(draws: Draws, person: int, *, has_truth: bool) -> str:
    lines = [
        f"Posterior of person {drawable(draws.names[person])},",
        f"{draws.theta.shape[1]} draws; grey: the prior",
    ]
    return "\n".join([*lines, "dashed: the truth"] if has_truth else lines)


def _draw_marginal(
    prior: AnyPrior, name: str, values: Array, limits: tuple[float, float], ax: Axes
) -> None:
    """Histogram of draws (draw,) over the prior's density."""
    heights, edges = np.histogram(values, N_BINS, limits, density=True)
    ax.stairs(heights, edges, fill=True, color=ACCENT, alpha=0.35, lw=0)
    ax.stairs(heights, edges, color=ACCENT, lw=0.9, ls="-")
    _draw_prior(prior, name, limits, ax)
    _set_marginal_axes(ax)


def _set_marginal_axes(ax: Axes) -> None:
    """No scale of densities, and a line below them."""
    ax.set(yticks=[], ylim=(0, None))
    ax.spines["left"].set_visible(False)
    ax.spines["bottom"].set_color(INK)


def _draw_prior(prior: AnyPrior, name: str, limits: tuple[float, float], ax: Axes) -> None:
    """The prior of one parameter; nothing where it cannot be drawn.

    It cannot where it is the prior of a saved network whose functions are gone.
    """
    if isinstance(prior, Prior):
        _draw_density(prior, name, limits, ax)
    else:
        with suppress(PriorError):
            _draw_sampled(prior, name, ax)


def _draw_density(prior: Prior, name: str, limits: tuple[float, float], ax: Axes) -> None:
    x = np.linspace(*limits, 200)
    ax.fill_between(x, np.exp(prior[name].logpdf(x)), **BEHIND)


def _draw_sampled(prior: AnyPrior, name: str, ax: Axes) -> None:
    """A prior whose marginal densities are not known, by a histogram of its draws."""
    heights, edges = np.histogram(_prior_draws(prior, name), N_BINS, density=True)
    ax.stairs(heights, edges, fill=True, **BEHIND)


def _prior_draws(prior: AnyPrior, name: str) -> Array:
    """Draws of one parameter from its prior, the same ones each time."""
    drawn = prior.sample(N_PRIOR, seed=child(1, Purpose.SHOWN_PRIOR))
    return drawn[:, prior.names.index(name)]


def _limits(values: Array, truth: float) -> tuple[float, float]:
    """From the lowest to the highest draw (draw,) and the truth, with a margin."""
    low, high = np.fmin(values.min(), truth), np.fmax(values.max(), truth)
    return _with_margin(float(low), float(high))


def _with_margin(low: float, high: float) -> tuple[float, float]:
    room = 0.05 * (high - low) + 1e-9
    return low - room, high + room

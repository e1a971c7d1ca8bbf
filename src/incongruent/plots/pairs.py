"""Corner plot: the joint posterior of one person, parameter by parameter and pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

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
    known = np.full(2, np.nan) if truth is None else np.asarray(truth, float)[places]
    limits = [_limits(column, value) for column, value in zip(theta.T, known, strict=True)]
    ax.set(xlim=limits[0], xlabel=with_unit(first, unit_of(draws, first)))
    ax.xaxis.set_major_locator(MaxNLocator(3, prune="both"))
    if first == second:
        _draw_marginal(draws.simulator.prior, first, theta[:, 0], limits[0], ax)
    else:
        ax.scatter(*theta.T, s=2.5, color=ACCENT, alpha=0.35, lw=0, rasterized=True)
        ax.set(ylim=limits[1], ylabel=with_unit(second, unit_of(draws, second)))
        ax.yaxis.set_major_locator(MaxNLocator(3, prune="both"))
    if truth is not None:
        _draw_truth(known, first != second, ax)
    return ax


def _draw_truth(known: Array, both: bool, ax: Axes) -> None:
    ax.axvline(known[0], color=SECOND, lw=0.9, ls="--")
    if both:
        ax.axhline(known[1], color=SECOND, lw=0.9, ls="--")


def pairs_figure(
    draws: Draws, person: int = 0, *, truth: Sequence[float] | Array | None = None
) -> Figure:
    """All pairs of parameters of one person, two columns wide; marginals on the diagonal."""
    names = draws.parameter_names
    n = len(names)
    height = max(0.95 * TWO_COLUMNS * min(1.0, n / 4), 2.0)
    with styled():
        figure, axes = new_figure(n, n, width=TWO_COLUMNS, height=height)
        for k, ax in enumerate(axes):
            row, column = divmod(k, n)
            if column > row:
                ax.set_axis_off()
            else:
                plot_pairs(draws, names[column], names[row], ax, person=person, truth=truth)
                _clear_inside(row, column, n, ax)
        figure.align_ylabels(axes)
        words = _words(draws, person, has_truth=truth is not None)
        label = figure.text(0.99, 0.99, words, ha="right", va="top", parse_math=False)
        label.set_in_layout(False)
    return figure


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
    if isinstance(prior, Prior):
        _draw_density(prior, name, limits, ax)
    else:
        # The prior of a saved network whose functions are gone cannot be drawn.
        with suppress(PriorError):
            _draw_sampled(prior, name, ax)
    ax.set(yticks=[], ylim=(0, None))
    ax.spines["left"].set_visible(False)
    ax.spines["bottom"].set_color(INK)


def _draw_density(prior: Prior, name: str, limits: tuple[float, float], ax: Axes) -> None:
    x = np.linspace(*limits, 200)
    ax.fill_between(x, np.exp(prior[name].logpdf(x)), color=FAINT, alpha=0.7, lw=0, zorder=0.5)


def _draw_sampled(prior: AnyPrior, name: str, ax: Axes) -> None:
    """A prior whose marginal densities are not known, by a histogram of its draws."""
    drawn = prior.sample(N_PRIOR, seed=child(1, Purpose.SHOWN_PRIOR))
    values = drawn[:, prior.names.index(name)]
    heights, edges = np.histogram(values, N_BINS, density=True)
    ax.stairs(heights, edges, fill=True, color=FAINT, alpha=0.7, lw=0, zorder=0.5)


def _limits(values: Array, truth: float) -> tuple[float, float]:
    """From the lowest to the highest draw (draw,) and the truth, with a margin."""
    low, high = np.fmin(values.min(), truth), np.fmax(values.max(), truth)
    room = 0.05 * (high - low) + 1e-9
    return float(low - room), float(high + room)

"""The model at work: mean activation up to the bounds, and the densities of RTs that come of it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from incongruent.models.curves import Activation, Densities
from incongruent.plots.style import (
    CONDITION_COLOUR,
    CONDITION_LINE,
    INK,
    SMALL,
    TWO_COLUMNS,
    beside,
    new_figure,
    styled,
)

Array = np.ndarray

PAIR = ("congruent", "incongruent")
FLANK = 0.6
"""At this share of its peak a density gets its name."""
NAME = 0.27
"""Share of an axis, one column wide, that the name of a condition takes."""


def plot_activation(activation: Activation, ax: Axes) -> Axes:
    """Mean path of congruent and incongruent trials to the bound that it meets first, and its
    parts: controlled, and automatic for or against it.
    """
    times, bound = activation.times, activation.bound
    met = [_first(np.abs(activation.of(level)) > bound) for level in PAIR]
    end = float(min(times[-1], 2.5 * times[max(met)]))
    for side, word in ((1.0, "correct"), (-1.0, "error")):
        ax.plot(times, side * bound, color=INK, lw=1.2, ls="-")
        at = side * float(np.interp(end, times, bound))
        ax.annotate(
            word,
            (end, at),
            (0, side * 2),
            textcoords="offset points",
            ha="right",
            va="bottom" if side > 0 else "top",
            fontsize=SMALL,
        )
    ax.axhline(0.0, color=INK, lw=0.4)
    ax.plot(
        times,
        _until_met(activation.controlled, bound),
        color=INK,
        lw=0.8,
        ls=(0, (1, 1)),
        label="controlled alone",
    )
    for level in PAIR:
        colour, line = CONDITION_COLOUR[level], CONDITION_LINE[level]
        automatic = activation.automatic(level)
        ax.plot(
            times,
            automatic,
            color=colour,
            lw=0.7,
            ls=(0, (4, 1, 1, 1)),
            label="automatic alone" if level == PAIR[0] else None,
        )
        ax.plot(times, _until_met(activation.of(level), bound), color=colour, lw=1.4, ls=line)
    reach = 1.2 * float(bound.max())
    start = -0.3 * end  # rest before the stimulus, and room for a name
    ax.set(
        xlim=(start, end),
        ylim=(-reach, reach),
        xlabel="time since the stimulus (ms)",
        ylabel="mean activation (σ = 4/√ms)",
    )
    _name_paths(activation, end, ax)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    for handle in ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.12)).get_lines():
        handle.set_color(INK)
    return ax


def plot_density(densities: Densities, ax: Axes) -> Axes:
    """Defective densities of RTs by condition: correct responses above the line, errors below it,
    on the same scale.
    """
    rt, density = densities.rt, 1000.0 * densities.density  # 1/s
    for k, level in enumerate(densities.levels):
        colour, line = CONDITION_COLOUR[level], CONDITION_LINE[level]
        for j, side in ((0, 1.0), (1, -1.0)):
            ax.fill_between(rt, side * density[k, j], color=colour, alpha=0.18, lw=0)
            ax.plot(rt, side * density[k, j], color=colour, lw=1.2, ls=line)
    ax.axhline(0.0, color=INK, lw=0.6)
    seen = np.flatnonzero(density.sum(axis=(0, 1)) > 0.002 * density.max())
    flank = float(
        rt[_first((density[:, 0] > FLANK * density[:, 0].max(axis=1, keepdims=True)).any(axis=0))]
    )
    start = min(float(rt[seen[0]]), (flank - NAME * float(rt[-1])) / (1.0 - NAME))
    top, bottom = float(density[:, 0].max()), float(density[:, 1].max())
    ax.set(
        xlim=(start, rt[-1]),
        ylim=(-max(1.15 * bottom, 0.18 * top), 1.1 * top),
        xlabel="RT (ms)",
        ylabel="density (1/s)",
    )
    for word, y, va in (("correct", 0.98, "top"), ("errors", 0.02, "bottom")):
        ax.text(0.99, y, word, transform=ax.transAxes, ha="right", va=va, fontsize=SMALL)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    _name_flanks(densities, density[:, 0], ax)
    return ax


def mechanism_figure(activation: Activation, densities: Densities) -> Figure:
    """Mean activation beside the densities of RTs."""
    with styled():
        figure, axes = new_figure(1, 2, width=TWO_COLUMNS, height=2.6)
        plot_activation(activation, axes[0]).set_title("Mean activation")
        plot_density(densities, axes[1]).set_title("Response times")
    return figure


def _until_met(path: Array, bound: Array) -> Array:
    """A path (time,) up to where it meets a bound."""
    met = np.abs(path) > bound
    return np.where(np.cumsum(met) > 1, np.nan, path)


def _first(where: Array) -> int:
    """The first position where something holds; the last position when it never does."""
    return int(np.argmax(where)) if where.any() else len(where) - 1


def _name_paths(activation: Activation, end: float, ax: Axes) -> None:
    """Half way to the bound, the earlier path on its left and the later on its right; above and
    below where they differ most when none is earlier.
    """
    congruent, incongruent = (activation.of(level) for level in PAIR)
    half = 0.5 * activation.bound
    places = [
        len(path) - 1 - _first((path < half)[::-1]) for path in (congruent, incongruent)
    ]  # below it for the last time
    if abs(activation.times[places[1]] - activation.times[places[0]]) > 0.04 * end:
        sides = ("left", "right") if places[0] < places[1] else ("right", "left")
    else:
        inside = np.where(
            np.maximum(np.abs(congruent), np.abs(incongruent)) < 2.0 * half,
            np.abs(congruent - incongruent),
            0.0,
        )
        places = [int(inside.argmax())] * 2
        sides = (
            ("above", "below")
            if congruent[places[0]] >= incongruent[places[0]]
            else ("below", "above")
        )
    for level, path, at, side in zip(PAIR, (congruent, incongruent), places, sides, strict=True):
        beside(
            ax,
            level,
            (float(activation.times[at]), float(path[at])),
            colour=CONDITION_COLOUR[level],
            side=side,
        )


def _name_flanks(densities: Densities, density: Array, ax: Axes) -> None:
    """Name the faster of two conditions on the left flank of its density, the slower on the right;
    density (level, time).
    """
    if len(densities.levels) != 2:
        for level in densities.levels:
            ax.plot([], [], color=CONDITION_COLOUR[level], ls=CONDITION_LINE[level], label=level)
        ax.legend(loc="center right")
        return
    medians = [densities.rt[np.searchsorted(np.cumsum(row), 0.5 * row.sum())] for row in density]
    for k, side in ((int(np.argmin(medians)), "left"), (1 - int(np.argmin(medians)), "right")):
        high = np.flatnonzero(density[k] > FLANK * density[k].max())
        at = high[0] if side == "left" else high[-1]
        height = float(density[:, at].max()) if side == "right" else float(density[k, at])
        beside(
            ax,
            densities.levels[k],
            (float(densities.rt[at]), height),
            colour=CONDITION_COLOUR[densities.levels[k]],
            side=side,
        )

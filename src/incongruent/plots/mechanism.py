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
    """Mean path of congruent and incongruent trials to the bound that it meets first.

    Its parts are there too: controlled, and automatic for or against it.
    """
    end = _last_time(activation)
    _draw_bounds(activation, end, ax)
    _draw_controlled(activation, ax)
    for level in PAIR:
        _draw_condition(activation, level, ax)
    reach = 1.2 * float(activation.bound.max())
    ax.set(
        xlim=(-0.3 * end, end),  # rest before the stimulus, and room for a name
        ylim=(-reach, reach),
        xlabel="time since the stimulus (ms)",
        ylabel="mean activation (σ = 4/√ms)",
    )
    _name_paths(activation, end, ax)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    for handle in ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.12)).get_lines():
        handle.set_color(INK)
    return ax


def _last_time(activation: Activation) -> float:
    """The last time that is drawn: well after both paths have met a bound."""
    met = [_first(np.abs(activation.of(level)) > activation.bound) for level in PAIR]
    return float(min(activation.times[-1], 2.5 * activation.times[max(met)]))


def _draw_bounds(activation: Activation, end: float, ax: Axes) -> None:
    times, bound = activation.times, activation.bound
    for side, word in ((1.0, "correct"), (-1.0, "error")):
        ax.plot(times, side * bound, color=INK, lw=1.2, ls="-")
        ax.annotate(
            word,
            (end, side * float(np.interp(end, times, bound))),
            (0, side * 2),
            textcoords="offset points",
            ha="right",
            va="bottom" if side > 0 else "top",
            fontsize=SMALL,
        )


def _draw_controlled(activation: Activation, ax: Axes) -> None:
    ax.axhline(0.0, color=INK, lw=0.4)
    path = _until_met(activation.controlled, activation.bound)
    ax.plot(activation.times, path, color=INK, lw=0.8, ls=(0, (1, 1)), label="controlled alone")


def _draw_condition(activation: Activation, level: str, ax: Axes) -> None:
    """The automatic part of a condition, and its path."""
    colour, path = CONDITION_COLOUR[level], _until_met(activation.of(level), activation.bound)
    ax.plot(
        activation.times,
        activation.automatic(level),
        color=colour,
        lw=0.7,
        ls=(0, (4, 1, 1, 1)),
        label="automatic alone" if level == PAIR[0] else None,
    )
    ax.plot(activation.times, path, color=colour, lw=1.4, ls=CONDITION_LINE[level])


def plot_density(densities: Densities, ax: Axes) -> Axes:
    """Defective densities of RTs by condition: correct above the line, errors below it.

    Both are on the same scale.
    """
    density = 1000.0 * densities.density  # (level, correct or error, time), 1/s
    for level, both in zip(densities.levels, density, strict=True):
        _draw_density(densities.rt, both, level, ax)
    ax.axhline(0.0, color=INK, lw=0.6)
    ax.set(
        xlim=(_earliest(densities.rt, density), densities.rt[-1]),
        ylim=_heights(density),
        xlabel="RT (ms)",
        ylabel="density (1/s)",
    )
    for word, y, va in (("correct", 0.98, "top"), ("errors", 0.02, "bottom")):
        ax.text(0.99, y, word, transform=ax.transAxes, ha="right", va=va, fontsize=SMALL)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    _name_flanks(densities, density[:, 0], ax)
    return ax


def _draw_density(rt: Array, both: Array, level: str, ax: Axes) -> None:
    """The densities of one condition (correct or error, time)."""
    colour, line = CONDITION_COLOUR[level], CONDITION_LINE[level]
    for density, side in zip(both, (1.0, -1.0), strict=True):
        ax.fill_between(rt, side * density, color=colour, alpha=0.18, lw=0)
        ax.plot(rt, side * density, color=colour, lw=1.2, ls=line)


def _earliest(rt: Array, density: Array) -> float:
    """Where the axis begins: at the first answers, with room for a name beside the first flank."""
    seen = np.flatnonzero(density.sum(axis=(0, 1)) > 0.002 * density.max())
    correct = density[:, 0]
    is_high = (correct > FLANK * correct.max(axis=1, keepdims=True)).any(axis=0)
    flank = float(rt[_first(is_high)])
    return min(float(rt[seen[0]]), (flank - NAME * float(rt[-1])) / (1.0 - NAME))


def _heights(density: Array) -> tuple[float, float]:
    """The limits of the vertical axis, with room for words below also where errors are rare."""
    top, bottom = float(density[:, 0].max()), float(density[:, 1].max())
    return -max(1.15 * bottom, 0.18 * top), 1.1 * top


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
    """Half way to the bound, the earlier path on its left and the later on its right.

    Above and below where they differ most when none is earlier.
    """
    paths = [activation.of(level) for level in PAIR]
    places = [_last_below(path, 0.5 * activation.bound) for path in paths]
    times = activation.times
    if abs(times[places[1]] - times[places[0]]) > 0.04 * end:
        sides = ("left", "right") if places[0] < places[1] else ("right", "left")
    else:
        at = _farthest_apart(paths, activation.bound)
        places = [at, at]
        sides = ("above", "below") if paths[0][at] >= paths[1][at] else ("below", "above")
    for level, path, at, side in zip(PAIR, paths, places, sides, strict=True):
        place = (float(times[at]), float(path[at]))
        beside(ax, level, place, colour=CONDITION_COLOUR[level], side=side)


def _last_below(path: Array, height: Array) -> int:
    """The last position at which a path is below a height."""
    return len(path) - 1 - _first((path < height)[::-1])


def _farthest_apart(paths: list[Array], bound: Array) -> int:
    """Where both paths differ most before one of them meets the bound."""
    inside = np.maximum(np.abs(paths[0]), np.abs(paths[1])) < bound
    return int(np.where(inside, np.abs(paths[0] - paths[1]), 0.0).argmax())


def _name_flanks(densities: Densities, density: Array, ax: Axes) -> None:
    """Name the faster of two conditions on the left flank of its density, the slower on the right.

    Args:
        densities: for their times and levels.
        density: of correct answers (level, time).
        ax: where to.
    """
    if len(densities.levels) != 2:
        _draw_legend(densities.levels, ax)
        return
    faster = int(np.argmin([_median(densities.rt, row) for row in density]))
    for k, side in ((faster, "left"), (1 - faster, "right")):
        high = np.flatnonzero(density[k] > FLANK * density[k].max())
        at = high[0] if side == "left" else high[-1]
        height = float(density[:, at].max()) if side == "right" else float(density[k, at])
        level, place = densities.levels[k], (float(densities.rt[at]), height)
        beside(ax, level, place, colour=CONDITION_COLOUR[level], side=side)


def _draw_legend(levels: tuple[str, ...], ax: Axes) -> None:
    for level in levels:
        ax.plot([], [], color=CONDITION_COLOUR[level], ls=CONDITION_LINE[level], label=level)
    ax.legend(loc="center right")


def _median(rt: Array, density: Array) -> float:
    """The median of the reaction times that have a density (time,)."""
    return float(rt[int(np.searchsorted(np.cumsum(density), 0.5 * density.sum()))])

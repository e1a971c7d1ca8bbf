"""The model at work: mean activation up to the bounds, and the densities of RTs that come of it."""

from __future__ import annotations

from typing import Any

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
    _set_activation_axes(end, 1.2 * float(activation.bound.max()), ax)
    _name_paths(activation, end, ax)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    _draw_legend_of_parts(ax)
    return ax


def _last_time(activation: Activation) -> float:
    """The last time that is drawn: well after both paths have met a bound."""
    latest = max(_when_met(activation, level) for level in PAIR)
    return float(min(activation.times[-1], 2.5 * activation.times[latest]))


def _when_met(activation: Activation, level: str) -> int:
    """The position in time at which the path of a condition meets a bound."""
    return _first(np.abs(activation.of(level)) > activation.bound)


def _set_activation_axes(end: float, reach: float, ax: Axes) -> None:
    """Time with rest before the stimulus and room for a name, and as much above 0 as below."""
    ax.set(xlim=(-0.3 * end, end), ylim=(-reach, reach))
    ax.set(xlabel="time since the stimulus (ms)", ylabel="mean activation (σ = 4/√ms)")


def _draw_legend_of_parts(ax: Axes) -> None:
    """A legend of lines in ink, since each stands for those of both conditions."""
    for handle in ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.12)).get_lines():
        handle.set_color(INK)


def _draw_bounds(activation: Activation, end: float, ax: Axes) -> None:
    height = float(np.interp(end, activation.times, activation.bound))
    for side, word in ((1.0, "correct"), (-1.0, "error")):
        ax.plot(activation.times, side * activation.bound, color=INK, lw=1.2, ls="-")
        _name_bound(word, (end, side * height), side, ax)


def _name_bound(word: str, at: tuple[float, float], side: float, ax: Axes) -> None:
    """The answer that a bound stands for, above the upper one or below the lower one."""
    label = ax.annotate(word, at, (0, side * 2), textcoords="offset points", fontsize=SMALL)
    label.set(ha="right", va="bottom" if side > 0 else "top")


def _draw_controlled(activation: Activation, ax: Axes) -> None:
    ax.axhline(0.0, color=INK, lw=0.4)
    path = _until_met(activation.controlled, activation.bound)
    ax.plot(activation.times, path, color=INK, lw=0.8, ls=(0, (1, 1)), label="controlled alone")


def _draw_condition(activation: Activation, level: str, ax: Axes) -> None:
    """The automatic part of a condition, and its path."""
    _draw_automatic(activation, level, ax)
    path = _until_met(activation.of(level), activation.bound)
    look = {"color": CONDITION_COLOUR[level], "ls": CONDITION_LINE[level]}
    ax.plot(activation.times, path, lw=1.4, **look)


def _draw_automatic(activation: Activation, level: str, ax: Axes) -> None:
    """The automatic part of a condition; one of both stands in the legend."""
    label = "automatic alone" if level == PAIR[0] else None
    look: dict[str, Any] = {"color": CONDITION_COLOUR[level], "ls": (0, (4, 1, 1, 1))}
    ax.plot(activation.times, activation.automatic(level), lw=0.7, label=label, **look)


def plot_density(densities: Densities, ax: Axes) -> Axes:
    """Defective densities of RTs by condition: correct above the line, errors below it.

    Both are on the same scale.
    """
    density = 1000.0 * densities.density  # (level, correct or error, time), 1/s
    for level, both in zip(densities.levels, density, strict=True):
        _draw_density(densities.rt, both, level, ax)
    ax.axhline(0.0, color=INK, lw=0.6)
    ax.set(xlim=(_earliest(densities.rt, density), densities.rt[-1]), ylim=_heights(density))
    ax.set(xlabel="RT (ms)", ylabel="density (1/s)")
    _name_sides(ax)
    _count_both_ways(ax)
    _name_flanks(densities, density[:, 0], ax)
    return ax


def _draw_density(rt: Array, both: Array, level: str, ax: Axes) -> None:
    """The densities of one condition (correct or error, time)."""
    correct, error = both
    _draw_area(rt, correct, level, ax)
    _draw_area(rt, -error, level, ax)


def _draw_area(rt: Array, height: Array, level: str, ax: Axes) -> None:
    """A curve (time,) in the look of a condition, filled down to 0."""
    colour = CONDITION_COLOUR[level]
    ax.fill_between(rt, height, color=colour, alpha=0.18, lw=0)
    ax.plot(rt, height, color=colour, lw=1.2, ls=CONDITION_LINE[level])


def _name_sides(ax: Axes) -> None:
    """Say which answers lie above the line and which below it."""
    for word, y, va in (("correct", 0.98, "top"), ("errors", 0.02, "bottom")):
        ax.text(0.99, y, word, transform=ax.transAxes, ha="right", va=va, fontsize=SMALL)


def _count_both_ways(ax: Axes) -> None:
    """Numbers on the vertical axis without a sign, growing up and down."""
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))


def _earliest(rt: Array, density: Array) -> float:
    """Where the axis begins: at the first answers, with room for a name beside the first flank."""
    flank, last = _first_flank(rt, density[:, 0]), float(rt[-1])
    return min(_first_answers(rt, density), (flank - NAME * last) / (1.0 - NAME))


def _first_answers(rt: Array, density: Array) -> float:
    """The time from which densities (level, correct or error, time) can be seen."""
    seen = np.flatnonzero(density.sum(axis=(0, 1)) > 0.002 * density.max())
    return float(rt[seen[0]])


def _first_flank(rt: Array, correct: Array) -> float:
    """The time at which the first of some densities (level, time) is high."""
    is_high = (correct > FLANK * correct.max(axis=1, keepdims=True)).any(axis=0)
    return float(rt[_first(is_high)])


def _heights(density: Array) -> tuple[float, float]:
    """The limits of the vertical axis, with room for words below also where errors are rare."""
    top, bottom = (float(density[:, side].max()) for side in (0, 1))
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
    paths, times = [activation.of(level) for level in PAIR], activation.times
    places = [_last_below(path, 0.5 * activation.bound) for path in paths]
    sides = _beside_each_other(places)
    if abs(times[places[1]] - times[places[0]]) <= 0.04 * end:
        at = _farthest_apart(paths, activation.bound)
        places, sides = [at, at], _above_each_other(paths, at)
    for level, path, at, side in zip(PAIR, paths, places, sides, strict=True):
        _name_condition(level, (float(times[at]), float(path[at])), side, ax)


def _beside_each_other(places: list[int]) -> tuple[str, str]:
    """On which side of two paths their names stand, when one is earlier."""
    return ("left", "right") if places[0] < places[1] else ("right", "left")


def _above_each_other(paths: list[Array], at: int) -> tuple[str, str]:
    """On which side of two paths their names stand, when one is higher at a position."""
    return ("above", "below") if paths[0][at] >= paths[1][at] else ("below", "above")


def _name_condition(level: str, at: tuple[float, float], side: str, ax: Axes) -> None:
    beside(ax, level, at, colour=CONDITION_COLOUR[level], side=side)


def _last_below(path: Array, height: Array) -> int:
    """The last position at which a path is below a height."""
    return len(path) - 1 - _first((path < height)[::-1])


def _farthest_apart(paths: list[Array], bound: Array) -> int:
    """Where both paths differ most before one of them meets the bound."""
    one, other = paths
    is_inside = np.maximum(np.abs(one), np.abs(other)) < bound
    return int(np.where(is_inside, np.abs(one - other), 0.0).argmax())


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
    rt, faster = densities.rt, _faster(densities.rt, density)
    start = _start(rt, density[faster])
    _name_condition(densities.levels[faster], start, "left", ax)
    end = _end(rt, density[1 - faster], density.max(axis=0))
    _name_condition(densities.levels[1 - faster], end, "right", ax)


def _start(rt: Array, density: Array) -> tuple[float, float]:
    """The left flank of a density (time,)."""
    left = _flanks(density)[0]
    return float(rt[left]), float(density[left])


def _end(rt: Array, density: Array, highest: Array) -> tuple[float, float]:
    """The right flank of a density (time,), as high as the highest density is there."""
    right = _flanks(density)[1]
    return float(rt[right]), float(highest[right])


def _faster(rt: Array, density: Array) -> int:
    """Which of some conditions has the lowest median, from their densities (level, time)."""
    return int(np.argmin([_median(rt, row) for row in density]))


def _flanks(density: Array) -> tuple[int, int]:
    """The first and the last time at which a density (time,) is high."""
    high = np.flatnonzero(density > FLANK * density.max())
    return int(high[0]), int(high[-1])


def _draw_legend(levels: tuple[str, ...], ax: Axes) -> None:
    for level in levels:
        ax.plot([], [], color=CONDITION_COLOUR[level], ls=CONDITION_LINE[level], label=level)
    ax.legend(loc="center right")


def _median(rt: Array, density: Array) -> float:
    """The median of the reaction times that have a density (time,)."""
    return float(rt[int(np.searchsorted(np.cumsum(density), 0.5 * density.sum()))])

"""Which variant: the evidence of each, and the panel before and after the best one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from incongruent.checks.model.under_variant import UnderVariant
from incongruent.checks.model.which_variant import WhichVariant
from incongruent.checks.panel_statistics import Statistic
from incongruent.exact.variant_results import BASE, DECISIVE
from incongruent.plots.style import (
    BAND,
    CONDITION_COLOUR,
    INK,
    SMALL,
    TWO_COLUMNS,
    drawable,
    new_figure,
    readable,
    styled,
)
from incongruent.plots.variants import plot_variants

Array = np.ndarray

Group = tuple[str, list[int], list[float]]
"""A group of statistics: its name, their positions, and the rows where they stand."""
MOST = 10
"""So many variants have a row, those with the largest evidence."""
FAR = 8.0
"""z beyond this are drawn at the edge, as arrows."""
GAP, HEAD = 1.2, 0.95
"""Rows between groups, and rows above its first statistic at which the name of a group stands."""
ROW, STATISTIC, MARGIN = 0.19, 0.165, 0.95
"""Inches: of a variant, of a statistic, and of title and axis of either part."""
CAPTION_LINE, LINE = 0.14, 118
"""Inches of a line of the caption, and characters in it."""
ROOM = 1.06
"""The axis is so many times as long as the largest z on it, for whole markers."""
STRIP = 0.035
"""Share of the width that is left free on the right."""
COLUMNS = (1.06, 1.18, 1.29)
"""Where observed and predicted values end, as shares of the width."""
SHORT = {"ms per 100 ms": "%"}
"""Units that are too long to stand beside a value, and the same in short."""


def plot_before_after(found: WhichVariant, ax: Axes, *, variant: str | None = None) -> Axes:
    """Signed z of every statistic as fitted (hollow) and under a variant (filled).

    Grey: the largest absolute z of the panel's statistics lies within it in 95 % of its replicates.

    Args:
        found: by `which_variant`.
        ax: where to.
        variant: its name; the one that the evidence names when left out.
    """
    before, after = found[BASE], found[variant or found.best]
    edge = _edge(np.concatenate([before.z, after.z]), found.band)
    ax.axvspan(-found.band, found.band, color=BAND, lw=0, zorder=0)
    ax.axvline(0.0, color=INK, lw=0.6, zorder=0.5)
    everything = list(_groups(found.statistics))
    for group, rows, y in everything:
        colour = CONDITION_COLOUR.get(group, INK)
        for i, at in zip(rows, y, strict=True):
            _draw(ax, before.z[i], after.z[i], at, edge, colour)
        _write(ax, group, 0.015, y[0] - HEAD, readable(colour), "left").set_fontweight("bold")
        _write_values(ax, found.statistics, rows, y, (before, after), readable(colour))
    _write_heads(ax)
    _name_rows(ax, found.statistics, everything)
    ax.set(xlim=(-ROOM * edge, ROOM * edge), xlabel="observed − predicted (z)")
    return ax


def _name_rows(ax: Axes, statistics: tuple[Statistic, ...], groups: list[Group]) -> None:
    """Names of statistics on the left, from top to bottom."""
    y = [at for _, _, places in groups for at in places]
    ax.set_yticks(y, [statistic.label for statistic in statistics], fontsize=SMALL)
    ax.tick_params(axis="y", length=0.0, pad=6.0)
    ax.set_ylim(y[-1] + 0.8, -1.9)


def which_variant_figure(found: WhichVariant, *, variant: str | None = None) -> Figure:
    """Evidence of every variant, person by person and summed, and the panel with one of them.

    Args:
        found: by `which_variant`.
        variant: whose panel is shown. When left out it is the one that the evidence names; where
            that is none, the one with the largest evidence.
    """
    name = variant or (found.best if found.best != BASE else _first_other(found))
    n_rows = min(len(found.rows), MOST)
    n_statistics = len(found.statistics) + GAP * len({s.group for s in found.statistics})
    caption = textwrap.fill(_caption(found, name), LINE)
    heights = [MARGIN + ROW * n_rows, MARGIN + STATISTIC * n_statistics]
    height = sum(heights) + CAPTION_LINE * (caption.count("\n") + 1)
    with styled():
        options = {"height_ratios": heights}
        figure, (top, below) = new_figure(
            2, 1, width=TWO_COLUMNS, height=height, gridspec_kw=options
        )
        _leave_room_for_units(figure)
        plot_variants(found.variants, top, most=MOST, with_sums=True)
        top.set_title("Evidence: each person, and the sum over people")
        plot_before_after(found, below, variant=name)
        words = f"Statistics: as fitted (hollow) and with {drawable(name, 60)} (filled)"
        below.set_title(words, parse_math=False)
        figure.supxlabel(caption, fontsize=SMALL, x=0.01, ha="left")
    return figure


def _leave_room_for_units(figure: Figure) -> None:
    """Keep a strip on the right, since the layout gives texts beside an axis too little."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0.0, 0.0, 1.0 - STRIP, 1.0))


def _first_other(found: WhichVariant) -> str:
    """The variant with the largest evidence."""
    return max(found.rows[1:], key=lambda row: row.log_evidence).name


def _groups(statistics: tuple[Statistic, ...]) -> Iterator[Group]:
    """Groups in their order, with positions of their statistics and the rows where they stand."""
    top = 0.0
    for group, members in groupby(range(len(statistics)), key=lambda i: statistics[i].group):
        rows = list(members)
        yield group, rows, [top + k for k in range(len(rows))]
        top += len(rows) + GAP


def _edge(z: Array, band: float) -> float:
    """The largest z on the axis, but no more than `FAR`."""
    farthest = float(np.nanmax(np.abs(z), initial=0.0))
    return max(1.25 * band, min(FAR, 1.15 * farthest))


def _draw(ax: Axes, before: float, after: float, y: float, edge: float, colour: str) -> None:
    """One statistic before and after, with a line between; nothing where it is not defined."""
    ends = [float(np.clip(z, -edge, edge)) for z in (before, after) if not np.isnan(z)]
    if len(ends) == 2:
        ax.hlines(y, ends[0], ends[1], color=colour, lw=0.8, alpha=0.55, zorder=2)
    for z, filling, size in ((before, "white", 20.0), (after, colour, 17.0)):
        if np.isnan(z):
            continue
        marker = "o" if abs(z) <= edge else (">" if z > 0 else "<")
        at = float(np.clip(z, -edge, edge))
        look: dict[str, Any] = {
            "c": [filling],
            "edgecolors": colour,
            "linewidths": 0.9,
            "clip_on": False,
        }
        ax.scatter([at], [y], marker=marker, s=size, zorder=3, **look)


def _write(ax: Axes, text: str, x: float, y: float, colour: str, side: str) -> Text:
    """A text in a row, at a share of the width."""
    look: dict[str, Any] = {"va": "center", "fontsize": SMALL, "parse_math": False}
    where = ("axes fraction", "data")
    return ax.annotate(text, (x, y), xycoords=where, ha=side, color=colour, **look)


def _write_values(
    ax: Axes,
    statistics: tuple[Statistic, ...],
    rows: list[int],
    y: list[float],
    both: tuple[UnderVariant, UnderVariant],
    colour: str,
) -> None:
    """Observed values, and predicted ones before and after; bold where a statistic fails."""
    (observed, first), (_, second) = (one.means() for one in both)
    for i, at in zip(rows, y, strict=True):
        statistic = statistics[i]
        values = (observed[i], first[i], second[i])
        fails = (False, *(statistic.name in one.failing for one in both))
        for x, value, is_bold in zip(COLUMNS, values, fails, strict=True):
            label = _write(ax, statistic.number(float(value)), x, at, colour, "right")
            label.set_fontweight("bold" if is_bold else "normal")
        unit = SHORT.get(statistic.unit, statistic.unit)
        _write(ax, unit, COLUMNS[-1] + 0.01, at, colour, "left")


def _write_heads(ax: Axes) -> None:
    """Heads of the three columns of values."""
    for x, head in zip(COLUMNS, ("observed", "as fitted", "variant"), strict=True):
        _write(ax, head, x, -HEAD, INK, "right")


def _caption(found: WhichVariant, name: str) -> str:
    """What is drawn."""
    n_left = len(found.rows) - MOST
    sentences = [
        f"Above: dots are people; grey, less than {DECISIVE:.0f} nats, not decided; numbers, sums.",
        "Below: grey, all statistics of 95 % of studies lie within it when the model is right;"
        " values are means over people, those of statistics that fail are bold.",
        f"{n_left} variants with less evidence are not shown." if n_left > 0 else "",
        f"None is better than the model as fitted; {name} comes next."
        if found.best == BASE
        else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)

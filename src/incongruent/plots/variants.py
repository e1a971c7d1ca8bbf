"""Variants of the model: evidence person by person, over all people, and how frequent each is."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from incongruent.exact.variant_results import BASE, DECISIVE, Variants, gain
from incongruent.plots.style import (
    ACCENT,
    BAND,
    FAINT,
    INK,
    ONE_COLUMN,
    SECOND,
    SMALL,
    TWO_COLUMNS,
    drawable,
    new_figure,
    plain,
    styled,
)

Array = np.ndarray

MOST, MOST_IN_ONE_COLUMN = 38, 12
"""So many variants have a row, those with the largest evidence; they fill a page."""
LONGEST_NAME = 36
EDGES = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
"""Nats at which an axis may end; what lies beyond is an arrow at the rim."""
FARTHEST_PERSON, FARTHEST_SUM = 300.0, 3000.0
ROW, NARROW_ROW = 0.19, 0.17
PANEL, CAPTION_LINE = 0.78, 0.13
"""Inches: of a row, of a panel's title and axis, and of a line of the caption."""
SPREAD = 0.27
"""People stand up to so many rows above and below the middle of a row, everybody in one place."""
TICKS = {
    30.0: (3.0, 10.0, 30.0),
    100.0: (3.0, 10.0, 100.0),
    300.0: (3.0, 30.0, 300.0),
    np.inf: (3.0, 30.0, 1000.0),
}
"""Nats with a tick, on axes that do not end beyond the number before them."""
RIM = 1.1
"""Arrows stand at so many times the end of an axis."""
NUMBER_AT = 1.04
"""Where the sums stand as numbers, as a share of the width."""
INTERVAL = 0.9
"""Probability that a frequency lies within the line."""
LINE = 62
"""Characters of a caption that go into one column."""
BOUNDS_OF_ERROR = 2.0
"""Standard errors to either side of a sum."""


def plot_variants(found: Variants, ax: Axes, *, most: int = MOST, with_sums: bool = False) -> Axes:
    """Log evidence of each person, less that under the model as fitted; one row a variant.

    Within the grey band, 3 nats to either side, a person's trials do not decide. Evidence that
    cannot be trusted is orange and hollow. Arrows at the rim lie beyond it.

    Args:
        found: by `variants`.
        ax: where to.
        most: so many rows at most, those with the largest sum of log evidences.
        with_sums: write the sum over people beside each row.
    """
    names = _rows(found, most)
    differences = found.differences[:, [found.names.index(name) for name in names]]
    edge = _edge(differences, FARTHEST_PERSON)
    trusted = _trusted(found, names)
    for row, name in enumerate(names):
        if name != BASE:
            _draw_people(differences[:, row], trusted[:, row], row, edge, ax)
        if with_sums:
            _write_number(gain(found[name], found.base), row, ax, is_best=name == found.best)
    _set_axes(found, names, ax)
    _set_nats(edge, ax)
    ax.set_xlabel("log evidence − as fitted (nats)")
    return ax


def plot_variant_sums(found: Variants, ax: Axes, *, most: int = MOST) -> Axes:
    """The same summed over people, with two standard errors; the numbers stand beside.

    Small ticks are the sums if the priors of new parameters were half (upwards) or twice as wide
    (downwards).

    Args:
        found: by `variants`.
        ax: where to.
        most: so many rows at most, those with the largest sum.
    """
    names = _rows(found, most)
    table = found.summary().set_index("variant").loc[names]
    sums = table[["gain", "gain_at_half_width", "gain_at_twice_width"]].to_numpy()
    edge = _edge(sums, FARTHEST_SUM)
    for row, name in enumerate(names):
        if name != BASE:
            _draw_sum(sums[row], float(table.loc[name, "gain_error"]), row, edge, ax)
        _write_number(float(sums[row, 0]), row, ax, is_best=name == found.best)
    _set_axes(found, names, ax)
    _set_nats(edge, ax)
    ax.set_xlabel("sum over people (nats)")
    return ax


def plot_variant_frequencies(found: Variants, ax: Axes, *, most: int = MOST) -> Axes:
    """How frequent each variant is among people, with 90 % intervals.

    Hollow squares are the shares of people for whom it has the largest evidence.

    Args:
        found: by `variants`.
        ax: where to.
        most: so many rows at most, those with the largest sum of log evidences.
    """
    names = _rows(found, most)
    places = [found.names.index(name) for name in names]
    rows = np.arange(len(names))
    intervals = 100.0 * found.frequencies.intervals(INTERVAL)[places]
    ax.hlines(rows, *intervals.T, color=ACCENT, lw=1.2)
    ax.plot(100.0 * found.frequencies.frequencies[places], rows, "o", color=ACCENT, ms=3.8)
    squares: dict[str, Any] = {"mfc": "none", "mec": INK, "mew": 0.7, "ms": 5.2, "clip_on": False}
    ax.plot(100.0 * found.share_best[places], rows, "s", ls="none", **squares)
    _set_axes(found, names, ax)
    ax.set(xlim=(-5.0, 105.0), xticks=[0, 50, 100], xlabel="people (%)")
    return ax


def variants_figure(found: Variants, *, columns: int = 2) -> Figure:
    """Evidence person by person, its sum, and frequencies of variants.

    Args:
        found: by `variants`.
        columns: of the journal, 2 with the three side by side, or 1 with one below the other.

    Raises:
        ValueError: for another number of columns.
    """
    if columns not in (1, 2):
        raise ValueError(f"Expected one column or two of a journal; got {columns!r}. Write 1 or 2.")
    most = MOST if columns == 2 else MOST_IN_ONE_COLUMN
    caption = textwrap.fill(_caption(found, most), LINE * columns)
    height = CAPTION_LINE * (caption.count("\n") + 1)
    with styled():
        make = _side_by_side if columns == 2 else _one_below_the_other
        figure = make(found, height)
        figure.supxlabel(caption, fontsize=SMALL, x=0.01, ha="left")
    return figure


PANELS: tuple[tuple[Callable[..., Axes], str], ...] = (
    (plot_variants, "Each person"),
    (plot_variant_sums, "All people together"),
    (plot_variant_frequencies, "How frequent"),
)
"""The parts of the figure and their titles."""


def _side_by_side(found: Variants, height_of_caption: float) -> Figure:
    """Two columns wide; names of variants stand on the left only."""
    height = height_of_caption + PANEL + ROW * len(_rows(found, MOST))
    options = {"width_ratios": [2.3, 2.0, 1.0]}
    figure, axes = new_figure(1, 3, width=TWO_COLUMNS, height=height, gridspec_kw=options)
    for (plot, title), ax in zip(PANELS, axes, strict=True):
        plot(found, ax).set_title(title)
    for ax in axes[1:]:
        ax.tick_params(labelleft=False)
    return figure


def _one_below_the_other(found: Variants, height_of_caption: float) -> Figure:
    """One column wide."""
    n_rows = len(_rows(found, MOST_IN_ONE_COLUMN))
    height = height_of_caption + 3 * (PANEL + NARROW_ROW * n_rows)
    figure, axes = new_figure(3, 1, width=ONE_COLUMN, height=height)
    for (plot, title), ax in zip(PANELS, axes, strict=True):
        plot(found, ax, most=MOST_IN_ONE_COLUMN).set_title(title)
    return figure


def _rows(found: Variants, most: int) -> list[str]:
    """Names of variants from top to bottom, and always that of the model as fitted."""
    names = found.summary()["variant"].tolist()
    others = [name for name in names if name != BASE][: most - 1]
    return [name for name in names if name == BASE or name in others]


def _edge(nats: Array, farthest: float) -> float:
    """Where an axis ends: beyond all numbers that are not too far."""
    largest = float(np.abs(nats[np.isfinite(nats)]).max(initial=0.0))
    return next((edge for edge in EDGES if largest <= edge), farthest) if largest else EDGES[0]


def _trusted(found: Variants, names: list[str]) -> Array:
    """Whose difference can be trusted, bool (person, variant)."""
    each = [found[name].correction.trusted for name in names]
    return np.stack(each, axis=1) & found.base.correction.trusted[:, None]


def _draw_people(nats: Array, trusted: Array, row: int, edge: float, ax: Axes) -> None:
    """Everybody under one variant, (person,); nobody without evidence of either."""
    y = row + np.linspace(-SPREAD, SPREAD, len(nats)) * (len(nats) > 1)
    for some, colour, filling in ((trusted, ACCENT, ACCENT), (~trusted, SECOND, "white")):
        look: dict[str, Any] = {"color": colour, "mfc": filling, "mew": 0.6, "ls": "none"}
        for chosen, marker, size in _by_place(nats, edge):
            shown = some & chosen
            if shown.any():
                at = _clipped(nats[shown], edge)
                ax.plot(at, y[shown], marker, ms=size, clip_on=False, alpha=0.85, **look)


def _by_place(nats: Array, edge: float) -> tuple[tuple[Array, str, float], ...]:
    """Numbers on the axis and beyond either end, with the marks that they have."""
    return (np.abs(nats) <= edge, "o", 2.6), (nats > edge, ">", 3.6), (nats < -edge, "<", 3.6)


def _clipped(nats: Array, edge: float) -> Array:
    """Places on the axis; at the rim for what lies beyond."""
    return np.where(np.abs(nats) <= edge, nats, np.sign(nats) * RIM * edge)


def _draw_sum(sums: Array, error: float, row: int, edge: float, ax: Axes) -> None:
    """The sum at the usual, half and twice the width of the priors of new parameters, (3,)."""
    ((marker, size),) = [
        (marker, size) for chosen, marker, size in _by_place(sums[:1], edge) if chosen.any()
    ] or [("o", 2.6)]
    at = _clipped(sums, edge)
    if marker == "o" and np.isfinite(error):
        ends = _clipped(sums[0] + np.array([-1.0, 1.0]) * BOUNDS_OF_ERROR * error, edge)
        ax.plot(ends, [row, row], color=INK, lw=1.2, ls="-")
        marker, size = "D", 3.6
    ax.plot(at[0], row, marker, color=INK, ms=size, ls="none", clip_on=False)
    for place, side in ((at[1], -0.42), (at[2], 0.42)):
        ax.plot([place, place], [row, row + side], color=SECOND, lw=1.1, ls="-")


def _write_number(gain: float, row: int, ax: Axes, *, is_best: bool) -> None:
    """A sum as a number, right of its row."""
    words = f"{gain:+.1f}" if gain else "0"
    words = words.replace("-", "−").replace("inf", "∞")
    at = (NUMBER_AT, row)
    label = ax.annotate(words, at, xycoords=("axes fraction", "data"))
    label.set(va="center_baseline", fontsize=SMALL, fontweight="bold" if is_best else "normal")


def _set_axes(found: Variants, names: list[str], ax: Axes) -> None:
    """Rows with their names, the one that the evidence names in bold."""
    ax.set_yticks(range(len(names)), [drawable(name, LONGEST_NAME) for name in names])
    ax.tick_params(axis="y", length=0.0, pad=5.0)
    plain(ax.get_yticklabels())
    for name, label in zip(names, ax.get_yticklabels(), strict=True):
        label.set(fontsize=SMALL, fontweight="bold" if name == found.best else "normal")
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    between, across = np.arange(1, len(names)) - 0.5, ax.get_yaxis_transform()
    ax.hlines(between, 0.0, 1.0, transform=across, color=FAINT, lw=0.4)


def _set_nats(edge: float, ax: Axes) -> None:
    """An axis of nats, linear where evidence does not decide and logarithmic beyond."""
    ax.axvspan(-DECISIVE, DECISIVE, color=BAND, lw=0, zorder=0)
    ax.axvline(0.0, color=INK, lw=0.6, zorder=0.5)
    ax.set_xscale("symlog", linthresh=DECISIVE, linscale=0.7)
    ax.set_xlim(-RIM * edge, RIM * edge)
    ticks = next(ticks for largest, ticks in TICKS.items() if edge <= largest)
    right = np.array([tick for tick in ticks if tick <= edge])
    at = np.r_[-right[::-1], 0.0, right]
    ax.xaxis.set_major_locator(FixedLocator(at.tolist()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(at, [f"{tick:.0f}".replace("-", "−") for tick in at])


def _caption(found: Variants, most: int) -> str:
    """What is drawn, and how many variants are not."""
    beyond = np.abs(np.nan_to_num(found.differences)).max() > FARTHEST_PERSON
    untrusted = not all(one.correction.trusted.all() for one in found.all)
    n_left = len(found.all) - len(_rows(found, most))
    sentences = [
        f"Grey: less than {DECISIVE:.0f} nats, not decided.",
        "Arrows: beyond the axis." if beyond else "",
        "Hollow circles: not to be trusted." if untrusted else "",
        "Diamonds: sums, on lines of two Monte Carlo standard errors each way.",
        "Orange ticks: with priors of new parameters half (up) and twice as wide (down).",
        f"Dots on lines: expected frequency with its {INTERVAL:.0%} interval.".replace("%", " %"),
        "Squares: people for whom it has the largest evidence.",
        f"{n_left} variants with less evidence are not shown." if n_left else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)

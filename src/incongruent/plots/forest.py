"""Forest: one parameter of every person, side by side, and their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from incongruent.plots.style import (
    ACCENT,
    BAND,
    FAINT,
    INK,
    SECOND,
    SMALL,
    SMALLEST,
    TWO_COLUMNS,
    drawable,
    new_figure,
    styled,
    with_unit,
)
from incongruent.posterior.draws import Draws

Array = np.ndarray

WIDE, NARROW = (0.25, 0.75), (0.05, 0.95)
"""Probabilities that the thick and the thin intervals lie between."""
MANY = 40
"""With more people rows are as narrow as print allows, and the scale stands on top as well."""
EVERY = 5
"""A thin line guides the eye at every fifth person."""
ROW, NARROW_ROW = 0.15, 0.106
"""Inches."""
PANELS_A_ROW = 7
LONGEST_NAME = 18
GROUP_GAP = 1.4
"""Rows between the last person and the mean of all."""


def plot_forest(
    draws: Draws,
    parameter: str,
    ax: Axes,
    *,
    order: Sequence[int] | None = None,
    labels: bool = True,
) -> Axes:
    """Posterior mean of every person with central intervals, and the mean of all people.

    Thick are 50 % intervals, thin are 90 % intervals, also that of the mean.

    Args:
        draws: of one person or more. Who lies outside what the network was trained for is orange
            and hollow.
        parameter: its name.
        ax: where to.
        order: positions of the people, from top to bottom; as in the draws when left out.
        labels: whether the names stand beside the rows. In SVG the name of the person at position i
            links to ``#person-i``.

    Raises:
        ValueError: for a name that is not one of the parameters.
    """
    people = np.arange(len(draws)) if order is None else np.asarray(order, int)
    values = draws.theta[people, :, parameter_place(draws, parameter)]  # (person, draw)
    is_small = len(people) > MANY
    _draw_guides(len(people), ax)
    if len(people) > 1:
        _draw_mean(values.mean(axis=0), _last_row(len(people)), ax)
    _draw_people(values, _flagged(draws, people), ax, is_small)
    if labels:
        _write_labels(draws, people, ax, SMALLEST if is_small else SMALL)
    ax.set_ylim(_last_row(len(people)) + 0.8, -0.8)
    ax.set_xlabel(with_unit(parameter, unit_of(draws, parameter)))
    _set_axes(ax, on_top=is_small)
    return ax


def _last_row(n_people: int) -> float:
    """Where the mean of all stands, or the one person."""
    return float(n_people - 1) + (GROUP_GAP if n_people > 1 else 0.0)


def _flagged(draws: Draws, people: Array) -> Array:
    """Who of some people lies outside what the network was trained for."""
    return np.array([bool(draws.flags[i]) for i in people])


def _set_axes(ax: Axes, *, on_top: bool) -> None:
    """No axis beside the rows; the scale below them, and on top as well where there are many."""
    ax.set(yticks=[])
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(3))
    if on_top:
        _repeat_scale_on_top(ax)


def _repeat_scale_on_top(ax: Axes) -> None:
    ax.tick_params(top=True, labeltop=True)
    ax.spines["top"].set_visible(True)


def _draw_guides(n_people: int, ax: Axes) -> None:
    """Thin lines that guide the eye along some of the rows."""
    across = ax.get_yaxis_transform()
    rows = _rows(n_people)[EVERY - 1 :: EVERY]
    ax.hlines(rows, 0.0, 1.0, transform=across, color=FAINT, lw=0.4, zorder=0)


def _rows(n_people: int) -> Array:
    """Heights of the rows of people."""
    return np.arange(n_people, dtype=float)


def _draw_people(values: Array, flagged: Array, ax: Axes, small: bool) -> None:
    """All rows (person, draw); those of flagged people look otherwise."""
    rows = _rows(len(values))
    for chosen, colour, filling in ((~flagged, ACCENT, ACCENT), (flagged, SECOND, "white")):
        _draw_rows(values[chosen], rows[chosen], ax, colour, filling, small)


def forest_figure(draws: Draws, *, sort_by: str | None = None) -> Figure:
    """Every parameter of every person, one panel a parameter, two columns wide.

    It is as high as people need: 80 of them fill a page.

    Args:
        draws: of one person or more; take some of many people by `Draws.select`.
        sort_by: the parameter by whose posterior mean people are sorted; as in the draws when left
            out.
    """
    n_columns = min(len(draws.parameter_names), PANELS_A_ROW)
    n_rows = -(-len(draws.parameter_names) // n_columns)
    height = _height(len(draws)) * n_rows + 0.3
    with styled():
        figure, axes = new_figure(n_rows, n_columns, width=TWO_COLUMNS, height=height)
        _draw_panels(draws, _order(draws, sort_by), axes, n_columns)
        figure.supxlabel(_caption(draws), fontsize=SMALL, x=0.01, ha="left")
    return figure


def _draw_panels(draws: Draws, order: list[int], axes: list[Axes], n_columns: int) -> None:
    """One panel for each parameter, with names beside the first of a row; the rest is empty."""
    names = draws.parameter_names
    for k, (name, ax) in enumerate(zip(names, axes, strict=False)):
        plot_forest(draws, name, ax, order=order, labels=k % n_columns == 0)
    for ax in axes[len(names) :]:
        ax.set_axis_off()


def _order(draws: Draws, sort_by: str | None) -> list[int]:
    """Positions of the people from top to bottom."""
    if sort_by is None:
        return list(range(len(draws)))
    return np.argsort(draws.means[:, parameter_place(draws, sort_by)], kind="stable").tolist()


def _height(n_people: int) -> float:
    """Inches of one panel."""
    is_small = n_people > MANY
    return 0.4 + 0.3 * is_small + (n_people + 3) * (NARROW_ROW if is_small else ROW)


def _draw_rows(
    values: Array, rows: Array, ax: Axes, colour: str, filling: str, small: bool
) -> None:
    """Intervals as one line with gaps, so that files stay small; values (person, draw)."""
    if len(values) == 0:
        return
    for (low, high), width in ((NARROW, 0.7), (WIDE, 1.6 if small else 2.2)):
        ends = np.quantile(values, [low, high], axis=1)
        _draw_intervals(ends, rows, ax, colour, width)
    look = {"color": colour, "mfc": filling, "mew": 0.7, "ls": "none"}
    ax.plot(values.mean(axis=1), rows, "o", ms=2.4 if small else 3.4, **look)


def _draw_intervals(ends: Array, rows: Array, ax: Axes, colour: str, width: float) -> None:
    x, y = _with_gaps(*ends), np.repeat(rows, 3)
    ax.plot(x, y, color=colour, lw=width, ls="-", solid_capstyle="butt")


def _with_gaps(low: Array, high: Array) -> Array:
    """Both ends of each interval and a NaN after them, where the line is interrupted."""
    return np.stack([low, high, np.full(len(low), np.nan)], axis=1).ravel()


def _draw_mean(mean: Array, row: float, ax: Axes) -> None:
    """The mean of people, at every draw (draw,), as a band behind them and a diamond below."""
    low, high = np.quantile(mean, NARROW)
    ax.axvspan(low, high, color=BAND, lw=0, zorder=0)
    _draw_intervals(np.array([[low], [high]]), np.array([row]), ax, INK, 1.2)
    ax.plot(mean.mean(), row, "D", color=INK, ms=4.0, ls="none")


def _write_labels(draws: Draws, people: Array, ax: Axes, size: float) -> None:
    """Names of people beside their rows, and what stands below them."""
    for row, i in enumerate(people):
        _write_name(draws, i, row, ax, size)
    if len(people) > 1:
        _write_beside(f"mean of {len(people)}", _last_row(len(people)), ax, SMALL)


def _write_name(draws: Draws, person: int, row: int, ax: Axes, size: float) -> None:
    """The name of one person, with a link."""
    label = _write_beside(drawable(draws.names[person], LONGEST_NAME), row, ax, size)
    label.set_color(SECOND if draws.flags[person] else INK)
    label.set_url(f"#person-{person}")
    label.set_gid(f"name-{person}")


def _write_beside(text: str, row: float, ax: Axes, size: float) -> Text:
    """A text on the left of a row."""
    label = ax.text(-0.04, row, text, transform=ax.get_yaxis_transform(), parse_math=False)
    label.set(ha="right", va="center", fontsize=size)
    return label


def _caption(draws: Draws) -> str:
    text = "Posterior means with central 50 % (thick) and 90 % intervals (thin)"
    if len(draws) > 1:
        text += "; diamond, grey: mean of these people, 90 % interval"
    return f"{text}.{_caption_of_flagged(draws)}"


def _caption_of_flagged(draws: Draws) -> str:
    """How many people are flagged, on a line of its own; nothing where nobody is."""
    n_flagged = sum(bool(flags) for flags in draws.flags)
    if not n_flagged:
        return ""
    return (
        f"\nOrange, hollow: outside what the network was trained for ({n_flagged} of {len(draws)})."
    )


def parameter_place(draws: Draws, parameter: str) -> int:
    """The column of a parameter; a ValueError names the columns that there are."""
    if parameter not in draws.parameter_names:
        raise ValueError(
            f"Expected the name of a parameter, one of {draws.parameter_names}; got {parameter!r}."
        )
    return draws.parameter_names.index(parameter)


def unit_of(draws: Draws, parameter: str) -> str:
    """The unit of a parameter."""
    return next((p.unit for p in draws.simulator.model.parameters if p.name == parameter), "")

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
    is_small, last = len(people) > MANY, float(len(people) - 1)
    end = last + (GROUP_GAP if len(people) > 1 else 0.0)
    _draw_guides(len(people), ax)
    if len(people) > 1:
        _draw_mean(values.mean(axis=0), end, ax)
    _draw_people(values, np.array([bool(draws.flags[i]) for i in people]), ax, is_small)
    if labels:
        _write_names(draws, people, ax, SMALLEST if is_small else SMALL)
        if len(people) > 1:
            _write_mean(len(people), end, ax)
    ax.set(
        ylim=(end + 0.8, -0.8), yticks=[], xlabel=with_unit(parameter, unit_of(draws, parameter))
    )
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(3))
    if is_small:
        ax.tick_params(top=True, labeltop=True)
        ax.spines["top"].set_visible(True)
    return ax


def _draw_guides(n_people: int, ax: Axes) -> None:
    """Thin lines that guide the eye along some of the rows."""
    rows = np.arange(n_people, dtype=float)[EVERY - 1 :: EVERY]
    across = ax.get_yaxis_transform()
    ax.hlines(rows, 0.0, 1.0, transform=across, color=FAINT, lw=0.4, zorder=0)


def _draw_people(values: Array, flagged: Array, ax: Axes, small: bool) -> None:
    """All rows (person, draw); those of flagged people look otherwise."""
    rows = np.arange(len(values), dtype=float)
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
    names = draws.parameter_names
    order = _order(draws, sort_by)
    n_columns = min(len(names), PANELS_A_ROW)
    n_rows = -(-len(names) // n_columns)
    with styled():
        figure, axes = new_figure(
            n_rows, n_columns, width=TWO_COLUMNS, height=_height(len(draws)) * n_rows + 0.3
        )
        for k, (name, ax) in enumerate(zip(names, axes, strict=False)):
            plot_forest(draws, name, ax, order=order, labels=k % n_columns == 0)
        for ax in axes[len(names) :]:
            ax.set_axis_off()
        figure.supxlabel(_caption(draws), fontsize=SMALL, x=0.01, ha="left")
    return figure


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
    ax.plot(
        values.mean(axis=1),
        rows,
        "o",
        color=colour,
        mfc=filling,
        ms=2.4 if small else 3.4,
        mew=0.7,
        ls="none",
    )


def _draw_intervals(ends: Array, rows: Array, ax: Axes, colour: str, width: float) -> None:
    x = np.stack([*ends, np.full(len(rows), np.nan)], axis=1).ravel()
    ax.plot(x, np.repeat(rows, 3), color=colour, lw=width, ls="-", solid_capstyle="butt")


def _draw_mean(mean: Array, row: float, ax: Axes) -> None:
    """The mean of people, at every draw (draw,), as a band behind them and a diamond below."""
    low, high = np.quantile(mean, NARROW)
    ax.axvspan(low, high, color=BAND, lw=0, zorder=0)
    _draw_intervals(np.array([[low], [high]]), np.array([row]), ax, INK, 1.2)
    ax.plot(mean.mean(), row, "D", color=INK, ms=4.0, ls="none")


def _write_names(draws: Draws, people: Array, ax: Axes, size: float) -> None:
    """Names of people beside their rows, with links."""
    for row, i in enumerate(people):
        label = _write_beside(drawable(draws.names[i], LONGEST_NAME), row, ax, size)
        label.set_color(SECOND if draws.flags[i] else INK)
        label.set_url(f"#person-{i}")
        label.set_gid(f"name-{i}")


def _write_mean(n_people: int, row: float, ax: Axes) -> None:
    _write_beside(f"mean of {n_people}", row, ax, SMALL)


def _write_beside(text: str, row: float, ax: Axes, size: float) -> Text:
    """A text on the left of a row."""
    label = ax.text(-0.04, row, text, transform=ax.get_yaxis_transform(), parse_math=False)
    label.set(ha="right", va="center", fontsize=size)
    return label


def _caption(draws: Draws) -> str:
    text = "Posterior means with central 50 % (thick) and 90 % intervals (thin)"
    if len(draws) > 1:
        text += "; diamond, grey: mean of these people, 90 % interval"
    flagged = sum(bool(flags) for flags in draws.flags)
    return (
        f"{text}.\nOrange, hollow: outside what the network was trained for ({flagged} of"
        f" {len(draws)})."
        if flagged
        else f"{text}."
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

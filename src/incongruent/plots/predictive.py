"""Observed data as points over bands of what the posterior predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.checks.model.predictive import Band, Prediction
from incongruent.checks.statistics import N_BINS, PROBABILITIES
from incongruent.plots.style import (
    CONDITION_COLOUR,
    CONDITION_MARKER,
    INK,
    TWO_COLUMNS,
    beside,
    drawable,
    new_figure,
    styled,
)

PEOPLE_A_PAGE = 20
SHARE = 100 * np.asarray(PROBABILITIES)
"""Percent of the correct answers below each quantile."""


def plot_distribution(
    prediction: Prediction, ax: Axes, person: int | None = None, *, labels: bool = True
) -> Axes:
    """Defective distribution of correct answers.

    It is the share of all trials answered correctly within a time, at the five RT quantiles.

    With ``labels`` conditions are named at the data, on either side of them where there are two;
    else the axes have handles for a legend.
    """
    left, right = {}, {}
    for level in prediction.levels:
        quantiles = prediction.band(f"quantiles {level}", person)
        errors = prediction.band(f"errors {level}", person)
        y = SHARE * (1.0 - errors.observed)
        _draw_quantiles(quantiles, SHARE * (1.0 - errors.middle), y, level, ax)
        left[level], right[level] = _left_of(quantiles, y), _right_of(quantiles, y)
    ax.set(xlabel="RT of correct answers (ms)", ylabel="trials (%)", ylim=(0, 100))
    if labels:
        _name_sides(left, right, ax)
    return ax


def _left_of(quantiles: Band, y: np.ndarray) -> tuple[float, float]:
    """Where the left edge of points and band is, high up."""
    return float(np.fmin(quantiles.observed, quantiles.low)[3]), float(y[3])


def _right_of(quantiles: Band, y: np.ndarray) -> tuple[float, float]:
    """Where the right edge of points and band is, low down."""
    return float(np.fmax(quantiles.observed, quantiles.high)[1]), float(y[1])


def _draw_quantiles(
    quantiles: Band, predicted: np.ndarray, observed: np.ndarray, level: str, ax: Axes
) -> None:
    """The quantiles of a condition at their shares of trials: a band, and points."""
    ax.fill_betweenx(predicted, quantiles.low, quantiles.high, **_band_look(level))
    _draw_observed(quantiles.observed, observed, level, ax)


def _band_look(level: str) -> dict[str, Any]:
    """How the band of a condition looks."""
    return {"color": CONDITION_COLOUR[level], "alpha": 0.25, "lw": 0}


def _draw_observed(x: np.ndarray, y: np.ndarray, level: str, ax: Axes) -> None:
    colour, marker = CONDITION_COLOUR[level], CONDITION_MARKER[level]
    ax.plot(x, y, marker, color=colour, ms=4, ls="none", label=level)


def _name_sides(
    left: Mapping[str, tuple[float, float]], right: Mapping[str, tuple[float, float]], ax: Axes
) -> None:
    """Name the faster of two conditions on its left and the slower on its right.

    The left name is high up and the right one low down, where nothing else is drawn.
    """
    known = [level for level in left if np.isfinite([*left[level], *right[level]]).all()]
    if len(known) != 2:
        ax.legend(loc="lower right")
        return
    fast, slow = sorted(known, key=lambda level: left[level][0])
    _name_condition(fast, left[fast], "left", ax)
    _name_condition(slow, right[slow], "right", ax)


def _name_condition(level: str, at: tuple[float, float], side: str, ax: Axes) -> None:
    beside(ax, level, at, colour=CONDITION_COLOUR[level], side=side)


def plot_accuracy(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Conditional accuracy function: share correct by speed.

    There are five bins, from the fastest to the slowest fifth of the answers.
    """
    bins = np.arange(1, N_BINS + 1)
    over, under = {}, {}
    for level in prediction.levels:
        band = prediction.band(f"accuracy {level}", person)
        ax.fill_between(bins, 100 * band.low, 100 * band.high, **_band_look(level))
        _draw_observed(bins, 100 * band.observed, level, ax)
        over[level], under[level] = _highest(band), _lowest(band)
    ax.set(xlabel="RT bin, from fast to slow", ylabel="correct (%)", xticks=bins)
    _name_heights(over, under, ax)
    return ax


def _highest(accuracy: Band) -> float:
    """The upper edge of points and band among the faster answers, in percent."""
    return float(np.fmax(100 * accuracy.high, 100 * accuracy.observed)[:3].max())


def _lowest(accuracy: Band) -> float:
    """The lower edge of points and band among the fastest answers, in percent."""
    return float(np.fmin(100 * accuracy.low, 100 * accuracy.observed)[:2].min())


def _name_heights(over: Mapping[str, float], under: Mapping[str, float], ax: Axes) -> None:
    """Name the more accurate of two conditions above its points and the other below.

    Room is made for both names.
    """
    known = [level for level in over if np.isfinite([over[level], under[level]]).all()]
    if len(known) != 2:
        ax.legend(loc="lower right")
        return
    _make_room(ax)
    worse, better = sorted(known, key=lambda level: under[level])
    _name_condition(better, (1, over[better]), "above", ax)
    _name_condition(worse, (1, under[worse]), "below", ax)


def _make_room(ax: Axes) -> None:
    """Let the vertical axis reach further on both sides, by about the height of a name."""
    low, high = ax.get_ylim()
    room = 0.12 * (high - low)
    ax.set_ylim(low - room, high + room)


def plot_delta(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Delta function: the congruency effect at each RT quantile."""
    at, delta = prediction.band("delta at", person), prediction.band("delta", person)
    ax.axhline(0.0, color=INK, lw=0.6)
    ax.fill_between(at.middle, delta.low, delta.high, color=INK, alpha=0.2, lw=0)
    ax.plot(at.observed, delta.observed, "D", color=INK, ms=4, ls="none")
    ax.set(xlabel="mean RT of the quantile (ms)", ylabel="incongruent − congruent (ms)")
    return ax


def plot_errors(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Share of errors by condition."""
    for i, level in enumerate(prediction.levels):
        _draw_errors(prediction.band(f"errors {level}", person), i, level, ax)
    _set_places(prediction.levels, ax)
    ax.set_ylabel("errors (%)")
    ax.set_ylim(bottom=0)
    return ax


def _set_places(levels: Sequence[str], ax: Axes) -> None:
    """One place for each condition along the horizontal axis."""
    n = len(levels)
    ax.set(xticks=range(n), xlim=(-0.6, n - 0.4))
    ax.set_xticklabels(levels)


def _draw_errors(errors: Band, place: int, level: str, ax: Axes) -> None:
    """The share of errors of one condition, as a point over a bar."""
    low, high = 100 * errors.low, 100 * errors.high
    ax.bar(place, high - low, bottom=low, width=0.5, **_band_look(level))
    look: dict[str, Any] = {"marker": CONDITION_MARKER[level], "color": CONDITION_COLOUR[level]}
    ax.plot(place, 100 * errors.observed, ms=5, ls="none", **look)


def predictive_figure(prediction: Prediction, person: int | None = None) -> Figure:
    """Four panels for the group, or for one person."""
    with styled():
        figure, axes = new_figure(2, 2, width=TWO_COLUMNS, height=4.8)
        _draw_all_four(prediction, axes, person)
        figure.suptitle(_title(prediction, person), x=0.01, ha="left", parse_math=False)
    return figure


def _draw_all_four(prediction: Prediction, axes: list[Axes], person: int | None) -> None:
    distribution, accuracy, delta, errors = axes
    plot_distribution(prediction, distribution, person).set_title("RT distribution")
    plot_accuracy(prediction, accuracy, person).set_title("Conditional accuracy")
    if "delta" in prediction.observed:
        plot_delta(prediction, delta, person).set_title("Delta function")
    else:
        delta.set_axis_off()
    plot_errors(prediction, errors, person).set_title("Errors")


def _title(prediction: Prediction, person: int | None) -> str:
    who = f"mean of {len(prediction.names)} people"
    if person is not None:
        who = f"person {drawable(prediction.names[person])}"
    return f"Data (points) over what the fitted model predicts (5–95 % bands), {who}"


def people_figures(prediction: Prediction) -> list[Figure]:
    """Pages with the RT distribution of every person."""
    n = len(prediction.names)
    return [
        _page(prediction, range(first, min(first + PEOPLE_A_PAGE, n)))
        for first in range(0, n, PEOPLE_A_PAGE)
    ]


def _page(prediction: Prediction, people: range) -> Figure:
    """A page with the RT distribution of some people, four a row."""
    n_rows = -(-len(people) // 4)
    with styled():
        figure, axes = new_figure(n_rows, 4, width=TWO_COLUMNS, height=0.6 + 1.7 * n_rows)
        for person, ax in zip(people, axes, strict=False):
            _draw_person(prediction, person, ax)
        for ax in axes[len(people) :]:
            ax.set_axis_off()
        _draw_legend(axes[0], figure)
        figure.supxlabel("RT of correct answers (ms)")
        figure.supylabel("trials (%)")
    return figure


def _draw_person(prediction: Prediction, person: int, ax: Axes) -> None:
    """The RT distribution of one person, below their name and without labels of axes."""
    plot_distribution(prediction, ax, person, labels=False)
    ax.set_title(drawable(prediction.names[person]), parse_math=False)
    ax.set(xlabel="", ylabel="")


def _draw_legend(ax: Axes, figure: Figure) -> None:
    """The legend of one plot, above all of them."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))

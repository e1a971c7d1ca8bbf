"""Observed data as points over bands of what the posterior predicts."""

from __future__ import annotations

from collections.abc import Mapping

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
        left[level] = (float(np.fmin(quantiles.observed, quantiles.low)[3]), float(y[3]))
        right[level] = (float(np.fmax(quantiles.observed, quantiles.high)[1]), float(y[1]))
    ax.set(xlabel="RT of correct answers (ms)", ylabel="trials (%)", ylim=(0, 100))
    if labels:
        _name_sides(left, right, ax)
    return ax


def _draw_quantiles(
    quantiles: Band, predicted: np.ndarray, observed: np.ndarray, level: str, ax: Axes
) -> None:
    """The quantiles of a condition at their shares of trials: a band, and points."""
    colour = CONDITION_COLOUR[level]
    ax.fill_betweenx(predicted, quantiles.low, quantiles.high, color=colour, alpha=0.25, lw=0)
    _draw_observed(quantiles.observed, observed, level, ax)


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
    beside(ax, fast, left[fast], colour=CONDITION_COLOUR[fast], side="left")
    beside(ax, slow, right[slow], colour=CONDITION_COLOUR[slow], side="right")


def plot_accuracy(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Conditional accuracy function: share correct by speed.

    There are five bins, from the fastest to the slowest fifth of the answers.
    """
    bins = np.arange(1, N_BINS + 1)
    over, under = {}, {}
    for level in prediction.levels:
        band = prediction.band(f"accuracy {level}", person)
        observed, low, high = 100 * band.observed, 100 * band.low, 100 * band.high
        over[level] = float(np.fmax(high, observed)[:3].max())
        under[level] = float(np.fmin(low, observed)[:2].min())
        ax.fill_between(bins, low, high, color=CONDITION_COLOUR[level], alpha=0.25, lw=0)
        _draw_observed(bins, observed, level, ax)
    ax.set(xlabel="RT bin, from fast to slow", ylabel="correct (%)", xticks=bins)
    _name_heights(over, under, ax)
    return ax


def _name_heights(over: Mapping[str, float], under: Mapping[str, float], ax: Axes) -> None:
    """Name the more accurate of two conditions above its points and the other below.

    Room is made for both names.
    """
    known = [level for level in over if np.isfinite([over[level], under[level]]).all()]
    if len(known) != 2:
        ax.legend(loc="lower right")
        return
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.12 * (high - low), high + 0.12 * (high - low))
    worse, better = sorted(known, key=lambda level: under[level])
    beside(ax, better, (1, over[better]), colour=CONDITION_COLOUR[better], side="above")
    beside(ax, worse, (1, under[worse]), colour=CONDITION_COLOUR[worse], side="below")


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
    ax.set(
        ylabel="errors (%)",
        xticks=range(len(prediction.levels)),
        xlim=(-0.6, len(prediction.levels) - 0.4),
    )
    ax.set_xticklabels(prediction.levels)
    ax.set_ylim(bottom=0)
    return ax


def _draw_errors(errors: Band, place: int, level: str, ax: Axes) -> None:
    """The share of errors of one condition, as a point over a bar."""
    low, high = 100 * errors.low, 100 * errors.high
    colour = CONDITION_COLOUR[level]
    ax.bar(place, high - low, bottom=low, width=0.5, color=colour, alpha=0.25, lw=0)
    ax.plot(place, 100 * errors.observed, CONDITION_MARKER[level], color=colour, ms=5, ls="none")


def predictive_figure(prediction: Prediction, person: int | None = None) -> Figure:
    """Four panels for the group, or for one person."""
    with styled():
        figure, axes = new_figure(2, 2, width=TWO_COLUMNS, height=4.8)
        plot_distribution(prediction, axes[0], person).set_title("RT distribution")
        plot_accuracy(prediction, axes[1], person).set_title("Conditional accuracy")
        if "delta" in prediction.observed:
            plot_delta(prediction, axes[2], person).set_title("Delta function")
        else:
            axes[2].set_axis_off()
        plot_errors(prediction, axes[3], person).set_title("Errors")
        figure.suptitle(_title(prediction, person), x=0.01, ha="left", parse_math=False)
    return figure


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
            plot_distribution(prediction, ax, person, labels=False)
            ax.set_title(drawable(prediction.names[person]), parse_math=False)
            ax.set(xlabel="", ylabel="")
        for ax in axes[len(people) :]:
            ax.set_axis_off()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
        figure.supxlabel("RT of correct answers (ms)")
        figure.supylabel("trials (%)")
    return figure

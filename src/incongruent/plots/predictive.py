"""Observed data as points over bands of what the posterior predicts."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.checks.predictive import Prediction
from incongruent.checks.statistics import N_BINS, PROBABILITIES
from incongruent.plots.style import CONDITION_COLOUR, CONDITION_MARKER, INK, drawable, new_figure, styled

Array = np.ndarray

BAND = (0.05, 0.95)
PEOPLE_A_PAGE = 20


def _band(replicated: Array) -> tuple[Array, Array]:
    """5 % and 95 % points over replicates; NaN where no replicate has a value."""
    known = np.asarray(np.isfinite(replicated).any(axis=0))
    filled = np.where(known[None], replicated, 0.0)
    low, high = (np.nanquantile(filled, probability, axis=0) for probability in BAND)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def _of(prediction: Prediction, name: str, person: int | None) -> tuple[Array, Array]:
    return prediction.of_group(name) if person is None else prediction.of_person(name, person)


def plot_distribution(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Defective distribution of correct answers: the share of all trials answered correctly within a time, at the five RT quantiles."""
    for level in prediction.levels:
        quantiles, replicated = _of(prediction, f"quantiles {level}", person)
        errors, replicated_errors = _of(prediction, f"errors {level}", person)
        colour, share = CONDITION_COLOUR[level], np.asarray(PROBABILITIES)
        low, high = _band(replicated)
        middle = share * (1.0 - np.nanmean(replicated_errors))
        ax.fill_betweenx(middle, low, high, color=colour, alpha=0.25, lw=0)
        ax.plot(quantiles, share * (1.0 - errors), CONDITION_MARKER[level], color=colour, ms=4, label=level)
    ax.set(xlabel="RT of correct answers (ms)", ylabel="share of trials", ylim=(0, 1))
    return ax


def plot_accuracy(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Conditional accuracy function: share correct from the fastest to the slowest fifth of the answers."""
    bins = np.arange(1, N_BINS + 1)
    for level in prediction.levels:
        observed, replicated = _of(prediction, f"accuracy {level}", person)
        low, high = _band(replicated)
        ax.fill_between(bins, low, high, color=CONDITION_COLOUR[level], alpha=0.25, lw=0)
        ax.plot(bins, observed, CONDITION_MARKER[level], color=CONDITION_COLOUR[level], ms=4, label=level)
    ax.set(xlabel="RT bin, from fast to slow", ylabel="share correct", xticks=bins)
    return ax


def plot_delta(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Delta function: the congruency effect at each RT quantile."""
    at, replicated_at = _of(prediction, "delta at", person)
    delta, replicated = _of(prediction, "delta", person)
    low, high = _band(replicated)
    ax.axhline(0.0, color=INK, lw=0.6)
    ax.fill_between(np.nanmean(replicated_at, axis=0), low, high, color=INK, alpha=0.2, lw=0)
    ax.plot(at, delta, "D", color=INK, ms=4)
    ax.set(xlabel="mean RT of the quantile (ms)", ylabel="incongruent − congruent (ms)")
    return ax


def plot_errors(prediction: Prediction, ax: Axes, person: int | None = None) -> Axes:
    """Share of errors by condition."""
    for i, level in enumerate(prediction.levels):
        observed, replicated = _of(prediction, f"errors {level}", person)
        low, high = _band(replicated)
        ax.bar(i, 100 * (high - low), bottom=100 * low, width=0.5, color=CONDITION_COLOUR[level], alpha=0.25, lw=0)
        ax.plot(i, 100 * observed, CONDITION_MARKER[level], color=CONDITION_COLOUR[level], ms=5)
    ax.set(ylabel="errors (%)", xticks=range(len(prediction.levels)), xlim=(-0.6, len(prediction.levels) - 0.4))
    ax.set_xticklabels(prediction.levels)
    ax.set_ylim(bottom=0)
    return ax


def predictive_figure(prediction: Prediction, person: int | None = None) -> Figure:
    """Four panels for the group, or for one person."""
    with styled():
        figure, axes = new_figure(2, 2, width=7.2, height=5.4)
        plot_distribution(prediction, axes[0], person).set_title("RT distribution")
        plot_accuracy(prediction, axes[1], person).set_title("Conditional accuracy")
        if "delta" in prediction.observed:
            plot_delta(prediction, axes[2], person).set_title("Delta function")
        else:
            axes[2].set_axis_off()
        plot_errors(prediction, axes[3], person).set_title("Errors")
        axes[0].legend(loc="lower right")
        who = f"mean of {len(prediction.names)} people" if person is None else f"person {drawable(prediction.names[person])}"
        figure.suptitle(f"Data (points) over what the fitted model predicts (5–95 % bands), {who}", fontsize=9.5, x=0.01, ha="left", parse_math=False)
    return figure


def people_figures(prediction: Prediction) -> list[Figure]:
    """Pages with the RT distribution of every person."""
    pages = []
    for first in range(0, len(prediction.names), PEOPLE_A_PAGE):
        people = range(first, min(first + PEOPLE_A_PAGE, len(prediction.names)))
        n_rows = -(-len(people) // 4)
        with styled():
            figure, axes = new_figure(n_rows, 4, width=7.2, height=0.5 + 1.7 * n_rows)
            for person, ax in zip(people, axes, strict=False):
                plot_distribution(prediction, ax, person).set_title(drawable(prediction.names[person]), parse_math=False)
                ax.set(xlabel="", ylabel="")
            for ax in axes[len(people) :]:
                ax.set_axis_off()
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
            figure.supxlabel("RT of correct answers (ms)", fontsize=9)
            figure.supylabel("share of trials", fontsize=9)
        pages.append(figure)
    return pages

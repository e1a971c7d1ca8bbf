"""Loss history: is it still falling, has it turned, and why did training end?"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.history import History, Stopped
from incongruent.plots.style import ACCENT, BAND, INK, ONE_COLUMN, SECOND, SMALL, beside, new_figure, styled


WHY = {
    Stopped.BUDGET: "Ended: the budget was used up",
    Stopped.NO_BETTER: "Ended: validation no longer improved",
    None: "Still running",
}


def plot_history(history: History, ax: Axes) -> Axes:
    """Training and validation loss against seconds, the best point marked, the prior's loss above them, and why training ended.

    The time after the best point is grey where the validation loss rose again while the training loss fell: the network learned its simulations
    by heart.
    """
    frame, best = history.to_frame(), history.best
    seconds, training = frame["seconds"].to_numpy(), frame["training"].to_numpy()
    validation = frame[["validation", "averaged"]].min(axis=1).to_numpy()
    ax.plot(seconds, training, color=SECOND, lw=0.9, ls=(0, (4, 1.5)), label="training")
    ax.plot(seconds, validation, color=ACCENT, lw=1.4, ls="-", label="validation")
    ax.plot(best.seconds, best.best, "o", color=ACCENT, ms=4.5)
    if history.overfitting:
        ax.axvspan(best.seconds, seconds[-1], color=BAND, lw=0, zorder=0)
    ax.set(xlabel="time since start (s)", ylabel="mean −log q (nats)", ylim=_limits(history, training, validation))
    _label(history, seconds, training, validation, ax)
    ax.set_title(WHY[history.stopped])
    return ax


def history_figure(history: History) -> Figure:
    """The loss history, one column wide."""
    with styled():
        figure, axes = new_figure(1, 1, width=ONE_COLUMN, height=2.3)
        plot_history(history, axes[0])
    return figure


def _limits(history: History, training: np.ndarray, validation: np.ndarray) -> tuple[float, float]:
    """From the best loss, with room for its label, to the worst or to that of the prior."""
    low = min(training.min(), validation.min())
    high = max(min(max(training.max(), validation.max()), history.prior_loss), low + 1e-3)
    return low - 0.2 * (high - low), high + 0.12 * (high - low)


def _label(history: History, seconds: np.ndarray, training: np.ndarray, validation: np.ndarray, ax: Axes) -> None:
    """Each line where it is flat and its label is not in the way of that of the best point."""
    best, start, end = history.best, seconds[0], seconds[-1]
    late = best.seconds > 0.5 * (start + end)
    at = int(np.argmin(np.abs(seconds - (start + (0.3 if late else 0.7) * (end - start)))))
    upper, lower = ("training", "validation") if training[at] >= validation[at] else ("validation", "training")
    values, colours = {"training": training[at], "validation": validation[at]}, {"training": SECOND, "validation": ACCENT}
    beside(ax, upper, (seconds[at], values[upper]), colour=colours[upper], side="above")
    beside(ax, lower, (seconds[at], values[lower]), colour=colours[lower], side="below")
    words = f"best {best.best:.2f}" + (f", then +{history.overfitting:.2f}" if history.overfitting else "")
    label = beside(ax, words, (best.seconds, best.best), colour=ACCENT, side="below")
    label.set_horizontalalignment("right" if late else "left")
    if history.prior_loss <= ax.get_ylim()[1]:
        ax.axhline(history.prior_loss, color=INK, lw=0.6, ls=":")
    above = "" if history.prior_loss <= ax.get_ylim()[1] else " ↑"
    ax.text(0.99, 0.98, f"nothing learned (the prior): {history.prior_loss:.2f}{above}", transform=ax.transAxes, ha="right", va="top", fontsize=SMALL)

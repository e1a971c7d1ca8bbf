"""Loss history: is it still falling, has it turned, and why did training end?"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from incongruent.plots.style import (
    ACCENT,
    BAND,
    INK,
    ONE_COLUMN,
    SECOND,
    SMALL,
    beside,
    new_figure,
    styled,
)
from incongruent.posterior.history import History, Stopped

WHY = {
    Stopped.BUDGET: "Ended: the budget was used up",
    Stopped.NO_BETTER: "Ended: validation no longer improved",
    None: "Still running",
}


def plot_history(history: History, ax: Axes) -> Axes:
    """Training and validation loss against seconds, the best point marked, the prior's loss above
    them, and why training ended.

    The time after the best point is grey where the validation loss rose again while the training
    loss fell: the network learned its simulations by heart.
    """
    frame, best = history.to_frame(), history.best
    seconds, training = frame["seconds"].to_numpy(), frame["training"].to_numpy()
    validation = frame[["validation", "averaged"]].min(axis=1).to_numpy()
    ax.plot(seconds, training, color=SECOND, lw=0.9, ls=(0, (4, 1.5)), label="training")
    ax.plot(seconds, validation, color=ACCENT, lw=1.4, ls="-", label="validation")
    ax.plot(best.seconds, best.best, "o", color=ACCENT, ms=4.5)
    if history.overfitting:
        ax.axvspan(best.seconds, seconds[-1], color=BAND, lw=0, zorder=0)
    ax.set(
        xlabel="time since start (s)",
        ylabel="mean −log q (nats)",
        ylim=_limits(history, training, validation),
    )
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
    return low - 0.34 * (high - low), high + 0.12 * (high - low)


def _label(
    history: History, seconds: np.ndarray, training: np.ndarray, validation: np.ndarray, ax: Axes
) -> None:
    """Each line is named where it is flat, on the side of it that it leaves; the best point below
    everything, the prior at the top.
    """
    best, start, end = history.best, seconds[0], seconds[-1]
    bottom, top = ax.get_ylim()
    at = int(
        np.argmin(np.abs(seconds - (start + (0.8 if history.overfitting else 0.4) * (end - start))))
    )
    ahead = min(at + max(len(seconds) // 10, 1), len(seconds) - 1)
    lines = {"training": (training, SECOND), "validation": (validation, ACCENT)}
    for name, side in zip(
        sorted(lines, key=lambda name: lines[name][0][at]), ("below", "above"), strict=True
    ):
        values, colour = lines[name]
        label = beside(ax, name, (float(seconds[at]), float(values[at])), colour=colour, side=side)
        falls = values[ahead] < values[at]
        label.set_horizontalalignment("left" if falls == (side == "above") else "right")
    ax.vlines(best.seconds, bottom, best.best, color=ACCENT, lw=0.6, ls=":")
    words = f"best {best.best:.2f}" + (
        f", then +{history.overfitting:.2f}" if history.overfitting else ""
    )
    beside(
        ax,
        words,
        (best.seconds, bottom + 0.05 * (top - bottom)),
        colour=ACCENT,
        side="left" if best.seconds > 0.5 * (start + end) else "right",
    )
    inside = history.prior_loss <= top
    if inside:
        ax.axhline(history.prior_loss, color=INK, lw=0.6, ls=":")
    place, words = (
        min(history.prior_loss, top),
        f"nothing learned (the prior): {history.prior_loss:.2f}",
    )
    label = ax.annotate(
        words if inside else f"{words} ↑",
        (1.0, place),
        (-2, -2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
    )
    label.set(ha="right", va="top", fontsize=SMALL)

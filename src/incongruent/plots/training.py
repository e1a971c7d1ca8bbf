"""Loss history: is it still falling, has it turned, and why did training end?"""

from __future__ import annotations

from typing import NamedTuple

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

Array = np.ndarray

WHY = {
    Stopped.BUDGET: "Ended: the budget was used up",
    Stopped.NO_BETTER: "Ended: validation no longer improved",
    None: "Still running",
}


class Losses(NamedTuple):
    """Both losses at every evaluation."""

    seconds: Array
    training: Array
    validation: Array


def plot_history(history: History, ax: Axes) -> Axes:
    """Training and validation loss against seconds, with the best point and why training ended.

    The prior's loss is above them. The time after the best point is grey where the validation loss
    rose again while the training loss fell: the network learned its simulations by heart.
    """
    losses, best = _losses(history), history.best
    ax.plot(
        losses.seconds, losses.training, color=SECOND, lw=0.9, ls=(0, (4, 1.5)), label="training"
    )
    ax.plot(losses.seconds, losses.validation, color=ACCENT, lw=1.4, ls="-", label="validation")
    ax.plot(best.seconds, best.best, "o", color=ACCENT, ms=4.5)
    if history.overfitting:
        ax.axvspan(best.seconds, losses.seconds[-1], color=BAND, lw=0, zorder=0)
    ax.set(
        xlabel="time since start (s)",
        ylabel="mean −log q (nats)",
        ylim=_limits(losses, history.prior_loss),
    )
    _name_lines(history, losses, ax)
    _name_best(history, losses, ax)
    _name_prior(history, ax)
    ax.set_title(WHY[history.stopped])
    return ax


def history_figure(history: History) -> Figure:
    """The loss history, one column wide."""
    with styled():
        figure, axes = new_figure(1, 1, width=ONE_COLUMN, height=2.3)
        plot_history(history, axes[0])
    return figure


def _losses(history: History) -> Losses:
    frame = history.to_frame()
    validation = frame[["validation", "averaged"]].min(axis=1)
    return Losses(frame["seconds"].to_numpy(), frame["training"].to_numpy(), validation.to_numpy())


def _limits(losses: Losses, prior_loss: float) -> tuple[float, float]:
    """From the best loss, with room for its label, to the worst or to that of the prior."""
    low = min(losses.training.min(), losses.validation.min())
    worst = max(losses.training.max(), losses.validation.max())
    high = max(min(worst, prior_loss), low + 1e-3)
    return low - 0.34 * (high - low), high + 0.12 * (high - low)


def _name_lines(history: History, losses: Losses, ax: Axes) -> None:
    """Each line is named where it is flat, on the side of it that it leaves."""
    at = _flat(history, losses.seconds)
    ahead = min(at + max(len(losses.seconds) // 10, 1), len(losses.seconds) - 1)
    lines = {"training": (losses.training, SECOND), "validation": (losses.validation, ACCENT)}
    lower_first = sorted(lines, key=lambda name: lines[name][0][at])
    for name, side in zip(lower_first, ("below", "above"), strict=True):
        values, colour = lines[name]
        place = (float(losses.seconds[at]), float(values[at]))
        label = beside(ax, name, place, colour=colour, side=side)
        falls = values[ahead] < values[at]
        label.set_horizontalalignment("left" if falls == (side == "above") else "right")


def _flat(history: History, seconds: Array) -> int:
    """The evaluation at which lines are flat; later where the network learned by heart."""
    share = 0.8 if history.overfitting else 0.4
    wanted = seconds[0] + share * (seconds[-1] - seconds[0])
    return int(np.argmin(np.abs(seconds - wanted)))


def _name_best(history: History, losses: Losses, ax: Axes) -> None:
    """The best loss, in words below everything."""
    best, (bottom, top) = history.best, ax.get_ylim()
    ax.vlines(best.seconds, bottom, best.best, color=ACCENT, lw=0.6, ls=":")
    words = f"best {best.best:.2f}"
    if history.overfitting:
        words += f", then +{history.overfitting:.2f}"
    is_late = best.seconds > 0.5 * (losses.seconds[0] + losses.seconds[-1])
    place = (best.seconds, bottom + 0.05 * (top - bottom))
    beside(ax, words, place, colour=ACCENT, side="left" if is_late else "right")


def _name_prior(history: History, ax: Axes) -> None:
    """The loss of the prior at the top, with an arrow where it lies above the axes."""
    top = ax.get_ylim()[1]
    is_inside = history.prior_loss <= top
    if is_inside:
        ax.axhline(history.prior_loss, color=INK, lw=0.6, ls=":")
    words = f"nothing learned (the prior): {history.prior_loss:.2f}"
    label = ax.annotate(
        words if is_inside else f"{words} ↑",
        (1.0, min(history.prior_loss, top)),
        (-2, -2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
    )
    label.set(ha="right", va="top", fontsize=SMALL)

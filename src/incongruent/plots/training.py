"""Loss history: is it still falling, has it turned, and why did training end?"""

from __future__ import annotations

from typing import Literal, NamedTuple

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
    _draw_lines(losses, ax)
    ax.plot(best.seconds, best.best, "o", color=ACCENT, ms=4.5)
    if history.overfitting:
        ax.axvspan(best.seconds, losses.seconds[-1], color=BAND, lw=0, zorder=0)
    ax.set(xlabel="time since start (s)", ylabel="mean −log q (nats)")
    ax.set_ylim(_limits(losses, history.prior_loss))
    _name_lines(history, losses, ax)
    _name_best(history, losses, ax)
    _name_prior(history, ax)
    ax.set_title(WHY[history.stopped])
    return ax


def _draw_lines(losses: Losses, ax: Axes) -> None:
    seconds, training, validation = losses
    ax.plot(seconds, training, color=SECOND, lw=0.9, ls=(0, (4, 1.5)), label="training")
    ax.plot(seconds, validation, color=ACCENT, lw=1.4, ls="-", label="validation")


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
    best, worst = _best_and_worst(losses)
    high = max(min(worst, prior_loss), best + 1e-3)
    return best - 0.34 * (high - best), high + 0.12 * (high - best)


def _best_and_worst(losses: Losses) -> tuple[float, float]:
    """The lowest and the highest of all losses."""
    _, training, validation = losses
    return min(training.min(), validation.min()), max(training.max(), validation.max())


def _name_lines(history: History, losses: Losses, ax: Axes) -> None:
    """Each line is named where it is flat, on the side of it that it leaves."""
    at = _flat(history, losses.seconds)
    lines = {"training": (losses.training, SECOND), "validation": (losses.validation, ACCENT)}
    lower_first = sorted(lines, key=lambda name: lines[name][0][at])
    for name, side in zip(lower_first, ("below", "above"), strict=True):
        values, colour = lines[name]
        place = (float(losses.seconds[at]), float(values[at]))
        label = beside(ax, name, place, colour=colour, side=side)
        label.set_horizontalalignment(_away_from(values, at, side))


def _away_from(values: Array, at: int, side: str) -> Literal["left", "right"]:
    """The alignment with which a label above or below a line does not run into it."""
    is_above = side == "above"
    return "left" if _falls(values, at) == is_above else "right"


def _falls(values: Array, at: int) -> bool:
    """Whether a line is lower a tenth of its length after a position."""
    ahead = min(at + max(len(values) // 10, 1), len(values) - 1)
    return bool(values[ahead] < values[at])


def _flat(history: History, seconds: Array) -> int:
    """The evaluation at which lines are flat; later where the network learned by heart."""
    share = 0.8 if history.overfitting else 0.4
    wanted = seconds[0] + share * (seconds[-1] - seconds[0])
    return int(np.argmin(np.abs(seconds - wanted)))


def _name_best(history: History, losses: Losses, ax: Axes) -> None:
    """The best loss, in words below everything."""
    best, (bottom, top) = history.best, ax.get_ylim()
    ax.vlines(best.seconds, bottom, best.best, color=ACCENT, lw=0.6, ls=":")
    is_late = best.seconds > 0.5 * (losses.seconds[0] + losses.seconds[-1])
    place = (best.seconds, bottom + 0.05 * (top - bottom))
    beside(ax, _best_in_words(history), place, colour=ACCENT, side="left" if is_late else "right")


def _best_in_words(history: History) -> str:
    """The best loss, and by how much it rose afterwards."""
    words = f"best {history.best.best:.2f}"
    return f"{words}, then +{history.overfitting:.2f}" if history.overfitting else words


def _name_prior(history: History, ax: Axes) -> None:
    """The loss of the prior at the top, with an arrow where it lies above the axes."""
    loss, top = history.prior_loss, ax.get_ylim()[1]
    words = f"nothing learned (the prior): {loss:.2f}"
    if loss <= top:
        ax.axhline(loss, color=INK, lw=0.6, ls=":")
        _write_at_right(words, loss, ax)
    else:
        _write_at_right(f"{words} ↑", top, ax)


def _write_at_right(words: str, height: float, ax: Axes) -> None:
    """Words that end at the right edge, just below a height."""
    label = ax.annotate(
        words,
        (1.0, height),
        (-2, -2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
    )
    label.set(ha="right", va="top", fontsize=SMALL)

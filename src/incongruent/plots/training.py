"""Loss history."""

from __future__ import annotations

from matplotlib.axes import Axes

from incongruent.history import History
from incongruent.plots.style import ACCENT, INK, SECOND


def plot_history(history: History, ax: Axes) -> Axes:
    """Training and validation loss against seconds, the prior's loss above them, the best point marked."""
    frame = history.to_frame()
    best = history.best
    ax.plot(frame["seconds"], frame["training"], color=SECOND, lw=1.0, label="training batches")
    ax.plot(frame["seconds"], frame[["validation", "averaged"]].min(axis=1), color=ACCENT, lw=1.4, label="validation")
    ax.plot(best.seconds, best.best, "o", color=ACCENT, ms=4.5)
    ax.annotate(f"best {best.best:.2f}", (best.seconds, best.best), xytext=(0, 8), textcoords="offset points", ha="right", color=ACCENT)
    ax.axhline(history.prior_loss, color=INK, lw=0.8, ls=":", label="nothing learned (the prior)")
    ax.set(xlabel="time since start (s)", ylabel="mean −log q (nats)")
    ax.legend(loc="upper right", bbox_to_anchor=(1.0, 0.93))
    return ax

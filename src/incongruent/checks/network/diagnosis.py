"""What held a training run up, and what to change: simulator, network, batch size or encoder."""

from __future__ import annotations

from dataclasses import dataclass

from incongruent.networks import encoders
from incongruent.networks.architecture import Architecture
from incongruent.posterior.history import History
from incongruent.posterior.posterior import Posterior

WAITING = 0.1
"""Share of the time that may be spent waiting for simulations."""
COMPILING = 0.25
"""Share of the time that may pass before the first step is done."""


@dataclass(frozen=True)
class Diagnosis:
    """What held a training run up.

    Attributes:
        bottleneck: "simulation", "learning" or "compilation".
        waiting: share of the time spent waiting for simulations.
        compiling: share of the time until the first step was done.
        milliseconds: a step took on average.
        advice: what to change, in sentences; none when nothing stands out.
    """

    bottleneck: str
    waiting: float
    compiling: float
    milliseconds: float
    advice: tuple[str, ...]

    def __str__(self) -> str:
        found = (
            f"The bottleneck was {self.bottleneck}: a step took {self.milliseconds:.0f} ms,"
            f" {self.waiting:.0%} of the time went into waiting for simulations,"
            f" {self.compiling:.0%} into what comes before the first step."
        )
        return " ".join((found, *(self.advice or ("Nothing to change stands out.",))))


def diagnose_training(posterior: Posterior) -> Diagnosis:
    """Look at how a posterior was trained.

    Args:
        posterior: from `train`, or loaded.

    Raises:
        ValueError: when it has no history on record.
    """
    history = posterior.history
    if history is None:
        raise ValueError(
            "Expected a posterior with the history of its training; it has none on record."
        )
    seconds = max(history.evaluations[-1].seconds, 1e-9)
    waiting, first = history.waiting_seconds / seconds, history.first_step_seconds or 0.0
    compiling = min(first / seconds, 1.0)
    bottleneck = history.bottleneck if compiling < max(COMPILING, waiting) else "compilation"
    steps = max(history.evaluations[-1].step - 1, 1)
    milliseconds = 1000.0 * max(history.learning_seconds - first, 0.0) / steps
    return Diagnosis(
        bottleneck,
        waiting,
        compiling,
        milliseconds,
        (*_advice(posterior, history, bottleneck), *history.warnings),
    )


def _advice(posterior: Posterior, history: History, bottleneck: str) -> list[str]:
    if bottleneck == "compilation":
        return [
            "Most of the time was spent compiling, which does not grow with the budget: train"
            " longer."
        ]
    if bottleneck == "simulation":
        return _faster_simulation(history)
    return _faster_learning(posterior, history)


def _faster_simulation(history: History) -> list[str]:
    out = [
        "Write the simulator in numba, or simulate once into a bank with all cores (write_bank) and"
        " train offline from it."
    ]
    if history.paced:
        out.append(
            "A budget in steps waits for simulations that a budget in minutes would do without."
        )
    return out


def _faster_learning(posterior: Posterior, history: History) -> list[str]:
    """Cheaper encoders and batches, where there are any."""
    design, columns = posterior.simulator.design, posterior.simulator.model.columns
    encoder, out = posterior.architecture.encoder, []
    cheapest = Architecture().chosen_for(columns, design.largest).encoder
    if isinstance(encoder, encoders.DeepSet | encoders.SetTransformer) and isinstance(
        cheapest, encoders.Histogram
    ):
        out.append(
            "These columns can be read by the histogram encoder, which costs the same for any"
            " number of trials: leave out encoder=."
        )
    elif isinstance(encoder, encoders.SetTransformer):
        out.append(
            "A deep set costs a fraction of a set transformer and often learns as much:"
            " encoder=encoders.DeepSet()."
        )
    if isinstance(encoder, encoders.DeepSet | encoders.SetTransformer) and history.batch_size > 64:
        out.append(
            f"Batches of 64 instead of {history.batch_size} give more steps in the same time."
        )
    if history.overfitting and history.n_stored is not None:
        out.append(
            "Simulating while learning (train with the simulator itself) never runs out of data."
        )
    return out

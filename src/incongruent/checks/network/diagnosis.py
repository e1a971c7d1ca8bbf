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
        return " ".join((self._finding, *(self.advice or ("Nothing to change stands out.",))))

    @property
    def _finding(self) -> str:
        """Where the time went, in a sentence."""
        return (
            f"The bottleneck was {self.bottleneck}: a step took {self.milliseconds:.0f} ms,"
            f" {self.waiting:.0%} of the time went into waiting for simulations,"
            f" {self.compiling:.0%} into what comes before the first step."
        )


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
    waiting, compiling = _share_waiting(history), _share_compiling(history)
    bottleneck = history.bottleneck if compiling < max(COMPILING, waiting) else "compilation"
    return Diagnosis(
        bottleneck,
        waiting,
        compiling,
        _milliseconds_a_step(history),
        (*_advice(posterior, history, bottleneck), *history.warnings),
    )


def _seconds(history: History) -> float:
    """How long training took."""
    return max(history.evaluations[-1].seconds, 1e-9)


def _share_waiting(history: History) -> float:
    """The share of the time spent waiting for simulations."""
    return history.waiting_seconds / _seconds(history)


def _share_compiling(history: History) -> float:
    """The share of the time until the first step was done."""
    return min((history.first_step_seconds or 0.0) / _seconds(history), 1.0)


def _milliseconds_a_step(history: History) -> float:
    """How long a step after the first took on average."""
    steps = max(history.evaluations[-1].step - 1, 1)
    after_first = history.learning_seconds - (history.first_step_seconds or 0.0)
    return 1000.0 * max(after_first, 0.0) / steps


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
    """A cheaper encoder, smaller batches or more simulations, where they make learning faster."""
    return [
        *_cheaper_encoder(posterior),
        *_smaller_batches(posterior, history),
        *_more_simulations(history),
    ]


def _reads_trials_one_by_one(encoder: object) -> bool:
    """Whether the cost of an encoder grows with the number of trials."""
    return isinstance(encoder, encoders.DeepSet | encoders.SetTransformer)


def _can_read_histograms(posterior: Posterior) -> bool:
    """Whether the histogram encoder is the usual choice for these columns."""
    design, columns = posterior.simulator.design, posterior.simulator.model.columns
    usual = Architecture().chosen_for(columns, design.largest).encoder
    return isinstance(usual, encoders.Histogram)


def _cheaper_encoder(posterior: Posterior) -> list[str]:
    """Which encoder learns as much at lower cost, if there is one."""
    encoder = posterior.architecture.encoder
    if _reads_trials_one_by_one(encoder) and _can_read_histograms(posterior):
        return [
            "These columns can be read by the histogram encoder, which costs the same for any"
            " number of trials: leave out encoder=."
        ]
    if isinstance(encoder, encoders.SetTransformer):
        return [
            "A deep set costs a fraction of a set transformer and often learns as much:"
            " encoder=encoders.DeepSet()."
        ]
    return []


def _smaller_batches(posterior: Posterior, history: History) -> list[str]:
    """Whether smaller batches give more steps."""
    if not _reads_trials_one_by_one(posterior.architecture.encoder) or history.batch_size <= 64:
        return []
    return [f"Batches of 64 instead of {history.batch_size} give more steps in the same time."]


def _more_simulations(history: History) -> list[str]:
    """Whether stored simulations are too few."""
    if not history.overfitting or history.n_stored is None:
        return []
    return ["Simulating while learning (train with the simulator itself) never runs out of data."]

"""Histories of training runs: losses by step, why training ended, and what to do about it."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from incongruent.data.basics.plain import as_json

if TYPE_CHECKING:
    import pandas as pd

NOTABLE = 0.02
"""Nats by which a validation loss has to rise before it is called overfitting."""
PERSISTENT = 3
"""… and at so many evaluations in a row."""
FALLING = 0.05
"""Nats by which it has to fall in the last fifth before a longer budget is advised."""


class Stopped(enum.Enum):
    """Why training ended."""

    BUDGET = "the budget was used up"
    NO_BETTER = "validation had not improved for the length of the patience"


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of the network; losses are mean -log q, in nats, lower is better.

    Attributes:
        step: steps done.
        seconds: since the call of `train`.
        training: loss of the batches since the evaluation before.
        validation: loss on the validation simulations.
        averaged: the same with averaged weights.
        rate: learning rate.
        n_simulated: data sets simulated so far.
    """

    step: int
    seconds: float
    training: float
    validation: float
    averaged: float
    rate: float
    n_simulated: int

    @property
    def best(self) -> float:
        """The better of the two validation losses."""
        return min(self.validation, self.averaged)


@dataclass(frozen=True)
class History:
    """How a training run went.

    Attributes:
        evaluations: in order.
        stopped: why it ended; None while it runs.
        prior_loss: the validation loss of a network that has learned nothing, mean -log p(z).
        batch_size: data sets a step.
        learning_seconds: time spent in training steps.
        waiting_seconds: time in which the network waited for simulations.
        paced: whether simulations entered at a fixed pace, with a budget in steps.
        first_step_seconds: from the call of `train` to the end of the first step; None when it
            is not known.
        n_stored: how many data sets there were to train on; None when they were simulated
            meanwhile.
    """

    evaluations: tuple[Evaluation, ...]
    stopped: Stopped | None
    prior_loss: float
    batch_size: int
    learning_seconds: float
    waiting_seconds: float
    first_step_seconds: float | None = None
    paced: bool = False
    n_stored: int | None = None

    @property
    def best(self) -> Evaluation:
        """The evaluation with the lowest validation loss."""
        return min(self.evaluations, key=lambda e: e.best)

    @property
    def nats(self) -> float:
        """What the data tell about theta, in nats, at the best evaluation.

        It is the mean of log q - log prior on the validation simulations.
        """
        return self.prior_loss - self.best.best

    @property
    def reuse(self) -> float:
        """How many times each simulated data set was drawn, on average."""
        last = self.evaluations[-1]
        return last.step * self.batch_size / max(last.n_simulated, 1)

    def epoch(self, look: Evaluation) -> float:
        """How many times each stored data set had been drawn on average, at an evaluation.

        Raises:
            ValueError: when data sets were simulated while learning.
        """
        if self.n_stored is None:
            raise ValueError(
                "Expected a history of training on stored simulations; there are no epochs while"
                " data sets are simulated."
            )
        return look.step * self.batch_size / self.n_stored

    @property
    def overfitting(self) -> float:
        """By how many nats the validation loss rose after its best, while the training loss fell.

        It is 0 when it did not.
        """
        after = self._after_best()
        if len(after) < PERSISTENT or after[-1].training >= self.best.training:
            return 0.0
        rise = _lowest_loss(after[-PERSISTENT:]) - self.best.best
        return rise if rise > NOTABLE else 0.0

    def _after_best(self) -> list[Evaluation]:
        """The evaluations that came after the best one."""
        best = self.best
        return [e for e in self.evaluations if e.step > best.step]

    @property
    def still_falling(self) -> float:
        """By how many nats the best validation loss fell over the last fifth of the steps.

        It is 0 where that is little: the learning rate falls to 0 at the end of a budget, so that
        every good run has a long tail.
        """
        early = self._before_last_fifth()
        if self.stopped is not Stopped.BUDGET or not early:
            return 0.0
        fall = _lowest_loss(early) - self.best.best
        return fall if fall > FALLING else 0.0

    def _before_last_fifth(self) -> list[Evaluation]:
        """The evaluations before the last fifth of the steps."""
        last = self.evaluations[-1]
        return [e for e in self.evaluations if e.step <= 0.8 * last.step]

    @property
    def bottleneck(self) -> str:
        """What held training up: "simulation" or "learning".

        It was simulation when data sets had to be used more than twice, or waited for.
        """
        reused = self.reuse > 2.0 and not self.paced and self.n_stored is None
        return "simulation" if self._waited() or reused else "learning"

    def _waited(self) -> bool:
        """Whether the network waited for simulations for more than a tenth of the time."""
        return self.waiting_seconds > 0.1 * (self.learning_seconds + self.waiting_seconds)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to do about how training went, in sentences; none when nothing stands out."""
        out = []
        if self.overfitting:
            out.append(self._overfitting_words())
        if self.still_falling:
            out.append(
                f"The validation loss fell by {self.still_falling:.2f} nats in the last fifth of"
                " training: a longer budget would go on improving the network."
            )
        return tuple(out)

    def _overfitting_words(self) -> str:
        """Since when, and by how much, the network overfits."""
        stored = self.n_stored is not None
        when = f"epoch {self.epoch(self.best):.1f}" if stored else f"step {self.best.step}"
        return (
            f"After {when} the validation loss rose by {self.overfitting:.2f} nats while the"
            " training loss went on falling: the network over-fits its simulations. The"
            f" weights of {when} were kept. More simulations help most; then dropout or a"
            " smaller network."
        )

    def __str__(self) -> str:
        last = self.evaluations[-1]
        return " ".join(
            [self._end_words(last), self._loss_words(), self._data_words(last), *self.warnings]
        )

    def _end_words(self, last: Evaluation) -> str:
        """How long training took, and why it ended."""
        why = self.stopped.value if self.stopped else "still running"
        return f"{last.step} steps in {last.seconds:.0f} s: {why}."

    def _loss_words(self) -> str:
        """The best validation loss, and when it was reached."""
        return (
            f"Best validation loss {self.best.best:.3f} at step {self.best.step}"
            f" ({self.nats:.2f} nats over the prior)."
        )

    def _data_words(self, last: Evaluation) -> str:
        """How many data sets the network learned from, and how often each was used."""
        if self.n_stored is not None:
            return f"{self.n_stored} stored data sets, {self.epoch(last):.1f} epochs."
        return (
            f"{last.n_simulated} data sets simulated, each used {self.reuse:.1f} times with"
            f" fresh trials; the bottleneck was {self.bottleneck}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per evaluation."""
        import pandas as pd

        return pd.DataFrame([vars(e) for e in self.evaluations])

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = {k: v for k, v in vars(self).items() if k not in ("evaluations", "stopped")}
        evaluations = [vars(e) for e in self.evaluations]
        stopped = self.stopped.name if self.stopped else None
        return as_json(plain | {"evaluations": evaluations, "stopped": stopped}, "history")


def history_from_json(spec: Mapping[str, Any]) -> History:
    """The history that `History.to_json` described, in which None stands for what is not finite."""
    known: dict[str, Any] = {
        "evaluations": tuple(map(_evaluation_from_json, spec["evaluations"])),
        "stopped": Stopped[spec["stopped"]] if spec["stopped"] else None,
        "prior_loss": _number(spec["prior_loss"]),
    }
    return History(**{**spec, **known})


def stored_history(spec: Mapping[str, Any] | None) -> History | None:
    """The history in the card of a file; None where none was stored."""
    return history_from_json(spec) if spec else None


def _evaluation_from_json(entry: Mapping[str, Any]) -> Evaluation:
    values: dict[str, Any] = {name: _number(value) for name, value in entry.items()}
    return Evaluation(**values)


def _lowest_loss(evaluations: Sequence[Evaluation]) -> float:
    """The lowest validation loss of several evaluations."""
    return min(evaluation.best for evaluation in evaluations)


def _number(value: float | None) -> float:
    """A number from JSON, which has none that are not finite."""
    return math.nan if value is None else value

"""The learner: step after step until the budget is used up or nothing improves.

The rate rises linearly for a while and then falls with half a cosine to the end of the budget
(Loshchilov & Hutter 2017). The weights that did best on data sets that are never trained on are
kept.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, PRNGKeyArray

from incongruent.data.basics.streams import Purpose, jax_key, stream
from incongruent.posterior.history import Evaluation, History, Stopped
from incongruent.posterior.progress import Reporter
from incongruent.training.batches import Batches
from incongruent.training.checkpoint import save_checkpoint
from incongruent.training.devices import spread
from incongruent.training.job import Job, Run
from incongruent.training.step import Pace, State, learn
from incongruent.training.validation import Validation, training_work

N_EVALUATIONS = 50
"""At most; there are fewer where they would take more than a tenth of the work."""
PATIENCE = 0.4
"""Learning stops when the best validation loss is older than this share of the budget, …"""
FEW_TIMES = 3
"""… but not before stored data sets have been drawn so often on average."""
CHECKPOINT_SECONDS = 45.0


class TrainingError(RuntimeError):
    """Training cannot go on; says at which step and what to try."""


class Step(NamedTuple):
    """A step that was made: its number, its learning rate, and what was to be learned in it."""

    number: int
    rate: float
    z: np.ndarray


NO_STEP = Step(0, 0.0, np.zeros(1))


@dataclass(eq=False)
class Learner:
    """Makes the steps of a run.

    Attributes:
        job: what is to be learned, and how.
        run: what has been reached.
        batches: to learn from.
        validation: data sets that are never trained on.
        begun: when the run would have begun without interruptions, as `time.perf_counter` says.
        report: is told how far the run is.
        pending: losses of the steps since the last evaluation.
        last: the last step.
        last_saved: when the last checkpoint was written.
        next_look: the share of the budget at which an evaluation may be due.
        key: of dropout.
    """

    job: Job
    run: Run
    batches: Batches
    validation: Validation
    begun: float
    report: Reporter
    pending: list[Array] = field(default_factory=list)
    last: Step = NO_STEP
    last_saved: float = field(default_factory=time.perf_counter)
    next_look: float = field(init=False)
    key: PRNGKeyArray = field(init=False)

    def __post_init__(self) -> None:
        self.key = jax_key(self.job.seed, Purpose.DROPOUT)
        self.next_look = self.share() + 1.0 / N_EVALUATIONS

    def learn(self) -> Stopped:
        """Make steps until the budget is used up or nothing improves.

        Raises:
            TrainingError: when a loss is not finite.
        """
        while (share := self.share()) < 1.0:
            self._take_in()
            loss = self._step(share)
            if self.share() >= min(self.next_look, 1.0):
                if self._look(share) and self._no_better(share):
                    return Stopped.NO_BETTER
                self._tell(share)
            self._save_now_and_then(loss)
        if self.pending:
            self._evaluate(1.0)
        return Stopped.BUDGET

    def share(self) -> float:
        """How much of the budget is used up, 0 to 1."""
        return self.job.budget.share(self.run.step, time.perf_counter() - self.begun)

    def _take_in(self) -> None:
        """Let new simulations enter, and count the seconds that this takes."""
        before = time.perf_counter()
        due = self.job.budget.chunks(self.run.step, self.job.recipe.n_batch)
        if due is None:
            self.batches.take_ready(self.job.recipe.chunks_for(self.run.step))
        else:
            self.batches.wait_for(due)
        self.run.waiting_seconds += time.perf_counter() - before

    def _step(self, share: float) -> Array:
        """Make one step; its loss, which may still be on its way."""
        run, job = self.run, self.job
        z, features = self.batches.draw(
            job.recipe.n_batch, stream(job.seed, Purpose.BATCHES, run.step)
        )
        z_here, features_here = spread(z, features)
        step = Step(run.step, job.rate(run.step, share, self._first_share(share)), z)
        pace = Pace(np.float32(step.rate), np.float32(job.keep(step.number)), np.int32(step.number))
        run.state, loss = learn(run.state, z_here, features_here, pace, self.key, job.recipe)
        self._time_first(loss)
        self._check_last()
        self.pending.append(loss)
        self.last = step
        self._count(features)
        return loss

    def _first_share(self, share: float) -> float:
        """The share of the budget that was used up by the first step."""
        first = self.run.first_step_seconds
        return share if first is None else self.job.budget.share(0, first)

    def _time_first(self, loss: Array) -> None:
        """Note when the first step was done."""
        if self.run.first_step_seconds is None:
            loss.block_until_ready()
            self.run.first_step_seconds = time.perf_counter() - self.begun

    def _check_last(self) -> None:
        """Look at the loss of the step before; the next one is already on its way."""
        if self.pending and not math.isfinite(float(self.pending[-1])):
            raise TrainingError(_not_finite(self.last))

    def _count(self, features: np.ndarray) -> None:
        """Count a step on these features, and what has arrived until now."""
        self.run.work += training_work(features)
        self.run.step += 1
        self.run.arrived = self.batches.arrived
        self.run.seconds = time.perf_counter() - self.begun

    def _look(self, share: float) -> bool:
        """Evaluate the network if that is due; whether it was."""
        self.next_look = share + 1.0 / N_EVALUATIONS
        due = self.validation.is_due(self.run.work)
        if due:
            self._evaluate(share)
            self.pending = []
        return due

    def _evaluate(self, share: float) -> None:
        """Look at both sets of weights, and keep the better one if it is the best so far.

        Raises:
            TrainingError: when a loss is not finite.
        """
        run, networks = self.run, _candidates(self.run.state)
        losses = {name: self.validation.loss(network) for name, network in networks.items()}
        which = min(losses, key=lambda name: losses[name])
        if losses[which] < run.best_loss:
            run.best, run.best_loss, run.best_share = networks[which], losses[which], share
        evaluation = Evaluation(
            run.step,
            run.seconds,
            float(np.mean(self.pending)),
            losses["weights"],
            losses["averaged"],
            self.last.rate,
            run.arrived.n_simulated,
        )
        run.evaluations, run.work = (*run.evaluations, evaluation), 0
        if not math.isfinite(evaluation.training + evaluation.validation):
            raise TrainingError(_not_finite(self.last))

    def _no_better(self, share: float) -> bool:
        """Whether the best is long ago, and stored data sets have been seen a few times."""
        n_stored = self.job.data.source.n_stored or 0
        seen = self.run.step * self.job.recipe.n_batch >= FEW_TIMES * n_stored
        return seen and share - self.run.best_share > PATIENCE

    def _tell(self, share: float) -> None:
        """Report how far the run is, and the last evaluation."""
        seconds = self.run.seconds
        last = self.run.evaluations[-1] if self.run.evaluations else None
        held_up_by = self.history(None).bottleneck if last else ""
        self.report(share, seconds / max(share, 1e-6) - seconds, last, held_up_by)

    def _save_now_and_then(self, loss: Array) -> None:
        """Write a checkpoint when the last one is old, unless the network is spoilt."""
        path, age = self.job.checkpoint, time.perf_counter() - self.last_saved
        if path is not None and age > CHECKPOINT_SECONDS and math.isfinite(float(loss)):
            save_checkpoint(path, self.job, self.run)
            self.last_saved = time.perf_counter()

    def history(self, stopped: Stopped | None) -> History:
        """How the run went; ``stopped`` is None while it goes on."""
        run, job = self.run, self.job
        return History(
            run.evaluations,
            stopped,
            self.validation.baseline,
            job.recipe.n_batch,
            learning_seconds=run.seconds - run.waiting_seconds,
            waiting_seconds=run.waiting_seconds,
            first_step_seconds=run.first_step_seconds,
            paced=job.budget.steps is not None,
            n_stored=job.data.source.n_stored,
        )


def _candidates(state: State) -> dict[str, Any]:
    """Both sets of weights, either of which may be the best."""
    return {"weights": state.network, "averaged": state.averaged}


def _not_finite(step: Step) -> str:
    return (
        f"Expected a finite loss; got none at step {step.number} (learning rate {step.rate:.2g},"
        f" batch with z between {step.z.min():.1f} and {step.z.max():.1f}). Try"
        " Recipe(peak_rate=…) a third of what it was, with a new checkpoint, or look for"
        " parameters at which the simulator fails."
    )

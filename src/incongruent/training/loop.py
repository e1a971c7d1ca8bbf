"""Learning: one way for every network, with simulation beside it or from stored simulations.

Before the first step, the first simulations are made while the step is compiled. Batches are spread
over all devices that JAX sees.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np

from incongruent.data.basics.streams import Purpose, jax_key, stream
from incongruent.networks.encoder import Encoder
from incongruent.posterior.compiling import keep_compiled
from incongruent.posterior.history import Stopped
from incongruent.posterior.progress import progress_bar, silent
from incongruent.training.batches import Batches
from incongruent.training.checkpoint import load_checkpoint
from incongruent.training.devices import on_all_devices, spread
from incongruent.training.job import Job, Learned, Run
from incongruent.training.learner import Learner, TrainingError
from incongruent.training.recipe import FIRST_CHUNKS
from incongruent.training.sources import Stored
from incongruent.training.step import Pace, learn, standardised, state_of
from incongruent.training.validation import Validation, n_looked_at, validation_of

N_FIRST = 2048
"""Data sets by which features are standardised."""


def learn_all(job: Job, begun: float, *, progress: bool) -> Learned:
    """Learn until the budget is used up or nothing improves.

    Args:
        job: what and how.
        begun: `time.perf_counter` at the call of the user; a budget in minutes counts from there.
        progress: show a bar.

    Raises:
        TrainingError: when the loss is not finite, or the budget ends before the first step.
        FileError: when the checkpoint is damaged or belongs to another run.
    """
    keep_compiled()
    network = job.first_network()
    run = _begun(job, network)
    with (
        job.batches(network.encoder, run.arrived) as batches,
        progress_bar() if progress else nullcontext(silent) as report,
    ):
        validation = _prepared(job, network, batches)
        if run.step == 0 and job.start is None:
            run.state = standardised(network, _first_features(job, batches), job.recipe)
        run.state = on_all_devices(run.state)
        learner = Learner(job, run, batches, validation, begun - run.seconds, report)
        stopped = learner.learn()
    _refuse_no_step(run, begun)
    if job.checkpoint is not None:
        job.checkpoint.unlink(missing_ok=True)
    return _learned(learner, stopped)


def _begun(job: Job, network: Any) -> Run:
    """A run before its first step, or what it had reached when it was interrupted."""
    fresh = Run(state_of(network, job.recipe), network)
    if job.checkpoint is None or not job.checkpoint.exists():
        return fresh
    return load_checkpoint(job.checkpoint, job, fresh)


def _prepared(job: Job, network: Any, batches: Batches) -> Validation:
    """Compile what has to be compiled, while the first simulations are made.

    Returns:
        The data sets that are never trained on.
    """
    with ThreadPoolExecutor(1) as beside:
        compiled = beside.submit(_compile, job, network)
        batches.wait_for(batches.arrived.n_chunks + FIRST_CHUNKS)
        validation = validation_for(job, network.encoder, job.data.held_out())
        validation.loss(network)  # compiles, beside the step
        compiled.result()
    return validation


def _compile(job: Job, network: Any) -> None:
    """Run the compiled functions once on zeros, so that the first step need not wait for them."""
    z, features = spread(*_zeros(job, network.encoder))
    state = on_all_devices(state_of(network, job.recipe))
    pace = Pace(np.float32(0), np.float32(0), np.int32(0))
    learn(state, z, features, pace, jax_key(job.seed, Purpose.DROPOUT), job.recipe)


def _zeros(job: Job, encoder: Encoder) -> tuple[np.ndarray, np.ndarray]:
    """Z and features of a batch of the largest data sets, all 0."""
    n, shape = job.recipe.n_batch, encoder.shape(job.design.largest)
    z = np.zeros((n, job.data.source.target_dim), np.float32)
    return z, np.zeros((n, *shape), np.float32)


def _first_features(job: Job, batches: Batches) -> np.ndarray:
    """Features by which the encoder standardises."""
    return batches.draw(N_FIRST, stream(job.seed, Purpose.SCALES))[1]


def validation_for(job: Job, encoder: Encoder, stored: Stored) -> Validation:
    """As many of the data sets that are held out as the budget allows to look at.

    Args:
        job: whose budget counts.
        encoder: of the network.
        stored: all data sets that are held out.
    """
    n = n_looked_at(job.budget, job.recipe.n_batch, encoder, len(stored.trials))
    return validation_of(stored, encoder, n, job.plan.baseline)


def _refuse_no_step(run: Run, begun: float) -> None:
    if run.step == 0:
        seconds = time.perf_counter() - begun
        raise TrainingError(
            f"Expected time for at least one step; {seconds:.0f} s were over before the first: give"
            " a larger budget."
        )


def _learned(learner: Learner, stopped: Stopped) -> Learned:
    """The best network on one device, and how it was found."""
    network = jax.device_put(learner.run.best, jax.devices()[0])
    return Learned(network, learner.history(stopped), learner.validation, learner.job.notes())

"""Training: a simulator, simulations or a bank in, an amortized posterior out."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import numpy as np

from incongruent.data.basics.options import helpful
from incongruent.data.basics.streams import Purpose, as_seed, child
from incongruent.data.trials import Trials, checked, select
from incongruent.networks.architecture import Architecture, architecture_to_json
from incongruent.networks.estimator import Estimator, build_estimator, loss
from incongruent.networks.layers import Weights
from incongruent.networks.task import Task
from incongruent.posterior.posterior import Posterior, axis_in, task_of
from incongruent.posterior.statistics import ranges_of
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import CHUNK, Simulations, Simulator
from incongruent.storage.atomic import ready_for_file
from incongruent.storage.bank.bank import Bank
from incongruent.storage.cards import check_card
from incongruent.training.loop import Job, TrainingError, learn_all
from incongruent.training.recipe import FIRST_CHUNKS, Budget, Recipe, budget_for
from incongruent.training.sources import data_for

__all__ = ["TrainingError", "train"]

N_BEFORE_FIRST_STEP = CHUNK * FIRST_CHUNKS
"""Data sets that have to be there before the first step."""


@dataclass(frozen=True)
class PosteriorPlan:
    """Learn q(theta | trials).

    Attributes:
        task: what is read and estimated.
        architecture: of the network.
        prior: of theta.
    """

    task: Task
    architecture: Architecture
    prior: AnyPrior

    def __hash__(self) -> int:
        return hash((self.task, self.architecture))

    def build(self, weights: Weights) -> Estimator:
        """An untrained estimator."""
        return build_estimator(weights, self.task, self.architecture)

    def baseline(self, z: np.ndarray) -> float:
        """Mean -log p(z) under the prior; under a normal distribution of the same mean and SD when
        nobody knows the prior's density.
        """
        if self.prior.has_density:
            return float(-np.mean(self.prior.log_prob_real(z)))
        return float(
            np.mean(0.5 * np.sum(z**2, axis=1)) + 0.5 * z.shape[1] * math.log(2.0 * math.pi)
        )

    def describe(self) -> dict[str, Any]:
        """The architecture."""
        return {"architecture": architecture_to_json(self.architecture)}


@helpful
def train(
    source: Simulator | Simulations | Bank,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    validation: Simulations | Bank | None = None,
    start: Posterior | None = None,
    seed: int,
    architecture: Architecture | None = None,
    recipe: Recipe = Recipe(),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Posterior:
    """Train an amortized posterior: online, from a simulator that simulates while the network
    learns, or offline, from stored simulations.

    From stored simulations each batch takes random ones, and of each a random part of its trials,
    as many as the design draws; so one bank of large data sets trains all smaller numbers of
    trials.

    Args:
        source: model, prior and design; the design is a `Design`, with a range of numbers of trials
            as a rule. Or simulations made by a simulator or elsewhere (`simulations_from`), or a
            bank on disk.
        minutes: budget of the clock, compilation included. What is reached depends on the machine.
        steps: budget in steps. Simulations then enter at a fixed pace, and the same seed gives the
            same network on the same machine.
        epochs: budget in passes over stored simulations. With stored simulations and no budget, 100
            epochs, within 3000 to 60,000 steps; training stops before when nothing improves.
        validation: data sets that are never trained on; a tenth of stored simulations, or fresh
            ones, when left out.
        start: a posterior for the same columns and parameters, whose weights training goes on from,
            with more simulations for example; the architecture is its own.
        seed: of simulations, initial weights, the split and batches.
        architecture: of the network; ``Architecture()``, or that of ``start``, when left out.
        recipe: how it learns.
        checkpoint: a file in which the state is kept from time to time; its folder is made when it
            is not there. If the file is there already, training goes on from it, with a new window
            of simulations; it is removed at the end.
        progress: show a bar.

    Returns:
        The `Posterior` with the weights that did best on validation data; its ``history`` says how
        training went and why it stopped.

    Raises:
        TypeError: for an unknown option, or a design from which no sizes can be drawn.
        ValueError: for an impossible budget, data that do not fit each other, or an architecture
            that is not that of ``start``.
        SimulationError: when the simulator gives what its columns do not allow.
        TrainingError: when the loss is not finite, or simulation takes longer than the budget.
        FileError: when the checkpoint is damaged, belongs to another run, or cannot be written
            where it is to be; or, before training begins, when no file could hold what comes out.
    """
    begun, seed = time.perf_counter(), as_seed(seed)
    kept_in = ready_for_file(checkpoint) if checkpoint is not None else None
    if start is not None:
        source = _as_before(start, source)
    data = data_for(source, validation, seed, recipe.window_bytes)
    simulator = data.source.simulator
    if start is not None:
        _refuse_strangers(start, simulator)
    architecture = _architecture_of(architecture, start, simulator)
    recipe = recipe.sized_for(architecture.encoder)
    budget = budget_for(minutes, steps, epochs, data.source.n_stored, recipe.n_batch)
    few = (
        _try_out(source, budget)
        if isinstance(source, Simulator)
        else select(data.source.chunk(0)[1], slice(2))
    )
    axis = axis_in(start.estimator.encoder) if start is not None else None
    task = task_of(simulator, architecture, axis=axis, simulated=lambda: data.source.chunk(0)[1])
    plan = PosteriorPlan(task, architecture, simulator.prior)
    _dry_run(plan, few)
    job = Job(data, plan, budget, seed, recipe, kept_in, None if start is None else start.estimator)
    check_card(simulator, job=job.fingerprint())
    learned = learn_all(job, begun, progress=progress)
    design = simulator.design
    ranges = ranges_of(learned.validation.stored.trials, design.levels)
    said = (
        {"simulations": list(source.trials.notes)}
        if isinstance(source, Simulations) and source.trials.notes
        else {}
    )
    return Posterior(
        simulator, learned.network, architecture, ranges, learned.history, {**learned.notes, **said}
    )


def _architecture_of(
    asked: Architecture | None, start: Posterior | None, simulator: Simulator
) -> Architecture:
    """The architecture that was asked for, with an encoder; that of the posterior to start from,
    which no other may contradict.
    """
    columns, largest = simulator.model.columns, simulator.design.largest
    if start is None:
        return (asked or Architecture()).chosen_for(columns, largest)
    if asked is not None and start.architecture not in (asked, asked.chosen_for(columns, largest)):
        raise ValueError(
            f"Expected no architecture beside start, or the same, {start.architecture}; got"
            f" {asked}. Weights fit into their own architecture alone: leave out one of the two."
        )
    return start.architecture


def _as_before(
    start: Posterior, source: Simulator | Simulations | Bank
) -> Simulator | Simulations | Bank:
    """Stored simulations with the design of the posterior that training starts from, whose weights
    go with its numbers of trials; and with its prior, where their own is known by samples alone.
    """
    if not isinstance(source, Simulations) or source.simulator is None:
        return source
    own, before = source.simulator, start.simulator
    unknown = (
        not own.prior.has_density
        and not before.prior.has_density
        and own.prior.names == before.prior.names
    )
    if own.model.columns != before.model.columns:
        return source
    return replace(
        source,
        simulator=Simulator(own.model, before.prior if unknown else own.prior, before.design),
    )


def _refuse_strangers(start: Posterior, simulator: Simulator) -> None:
    """Weights of one posterior serve another of the same columns, levels, largest number of trials,
    parameters and prior map.
    """
    one, other = start.simulator, simulator
    for what, mine, yours in (
        ("columns", one.model.columns, other.model.columns),
        ("levels", one.design.levels, other.design.levels),
        ("largest number of trials", one.design.largest, other.design.largest),
        ("prior", one.prior.to_json(), other.prior.to_json()),
    ):
        if mine != yours:
            raise ValueError(
                f"Expected a posterior to start from with the same {what}; it has {mine}, what is"
                f" to be learned from {yours}."
            )


def _try_out(simulator: Simulator, budget: Budget) -> Trials:
    """Simulate two data sets, look at every value, and at how long it takes."""
    simulator.simulate(1, seed=child(0, Purpose.TRY_OUT))  # compiles what is compiled
    begun = time.perf_counter()
    trials = checked(simulator.simulate(2, seed=child(1, Purpose.TRY_OUT)).trials)
    each = (time.perf_counter() - begun) / 2.0
    if budget.minutes is not None and each * N_BEFORE_FIRST_STEP > 60.0 * budget.minutes:
        raise TrainingError(
            f"Expected a simulator fast enough for {budget.minutes:g} minutes;"
            f" {N_BEFORE_FIRST_STEP} data sets are needed before the first step, and one takes"
            f" {each:.2g} s. Compile it with numba, give a larger budget, or simulate into a bank"
            " and train from that."
        )
    return trials


def _dry_run(plan: PosteriorPlan, few: Trials) -> None:
    """Trials -> encoder -> flow -> loss on a few data sets, in shapes alone, so that what does not
    fit is told before anything is compiled.
    """
    network = plan.build(None)
    features = network.encoder.features(few)
    if not np.isfinite(features).all():
        raise ValueError(
            "Expected finite features of every data set; got some that are not. Look at the columns"
            " with incongruent.to_frame."
        )
    z = np.zeros((len(few), plan.task.n_parameters), np.float32)
    eqx.filter_eval_shape(loss, network, z, features, 0.0, jax.random.key(0))

"""Training: a simulator, simulations or a bank in, an amortized posterior out."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from incongruent.data.basics.options import checked_names, elsewhere
from incongruent.data.basics.streams import Purpose, as_seed, child
from incongruent.data.trials import Trials, checked
from incongruent.networks.architecture import Architecture
from incongruent.posterior.posterior import Posterior, axis_in, task_of
from incongruent.posterior.statistics import ranges_of
from incongruent.simulation.simulator import CHUNK, Simulations, Simulator
from incongruent.storage.atomic import ready_for_file
from incongruent.storage.bank.bank import Bank
from incongruent.storage.cards import check_card
from incongruent.training.job import Job, Learned
from incongruent.training.loop import TrainingError, learn_all
from incongruent.training.plan import PosteriorPlan
from incongruent.training.recipe import FIRST_CHUNKS, Budget, Recipe, budget_for
from incongruent.training.split import Data, data_for

__all__ = ["TrainingError", "refine", "train"]

N_BEFORE_FIRST_STEP = CHUNK * FIRST_CHUNKS
"""Data sets that have to be there before the first step."""
N_TIMED = 3
"""So often two data sets are simulated before a simulator is called too slow."""

Given = Simulator | Simulations | Bank
"""What is learned from."""


@elsewhere(
    start="To go on from the weights of a posterior, write inc.refine(posterior, source, …)."
)
@checked_names
def train(
    source: Given,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    validation: Simulations | Bank | None = None,
    seed: int,
    architecture: Architecture | None = None,
    recipe: Recipe = Recipe(),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Posterior:
    """Train an amortized posterior, online or offline.

    Online, a simulator simulates while the network learns; offline, the network learns from stored
    simulations. From those each batch takes random ones, and of each a random part of its trials,
    as many as the design draws; so one bank of large data sets trains all smaller numbers of
    trials. To train a finished network further, see `refine`.

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
        seed: of simulations, initial weights, the split and batches.
        architecture: of the network; ``Architecture()`` when left out.
        recipe: how it learns.
        checkpoint: a file in which the state is kept from time to time; its folder is made when it
            is not there. If the file is there already, training goes on from it, with a new buffer
            of simulations; it is removed at the end.
        progress: show a bar.

    Returns:
        The `Posterior` with the weights that did best on validation data; its ``history`` says how
        training went and why it stopped.

    Raises:
        TypeError: for an unknown option, or a design from which no sizes can be drawn.
        ValueError: for an impossible budget, or data that do not fit each other.
        SimulationError: when the simulator gives what its columns do not allow.
        TrainingError: when the loss is not finite, or simulation takes longer than the budget.
        FileError: when the checkpoint is damaged, belongs to another run, or cannot be written
            where it is to be; or, before training begins, when no file could hold what comes out.
    """
    call = _called(minutes, steps, epochs, seed, recipe, checkpoint, progress)
    data = data_for(source, validation, call.seed, recipe.buffer_bytes)
    simulator = data.source.simulator
    architecture = (architecture or Architecture()).chosen_for(
        simulator.model.columns, simulator.design.largest
    )
    return _trained(source, data, architecture, call)


@elsewhere(
    architecture="Weights fit into their own architecture alone, which is the posterior's. Leave it"
    " out, or write inc.train(source, architecture=…) to begin anew."
)
@checked_names
def refine(
    posterior: Posterior,
    source: Given,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    validation: Simulations | Bank | None = None,
    seed: int,
    recipe: Recipe = Recipe(),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Posterior:
    """Train a finished posterior further, with more simulations for example.

    Training goes on from the posterior's weights, and its architecture stays. Stored simulations
    take the posterior's design, and its prior where their own is known by samples alone.

    Args:
        posterior: whose weights training goes on from; it is not changed.
        source: what to learn from, as in `train`; with the same columns, levels, largest number of
            trials and prior.
        minutes: budget of the clock, as in `train`.
        steps: budget in steps, as in `train`.
        epochs: budget in passes over stored simulations, as in `train`.
        validation: data sets that are never trained on, as in `train`.
        seed: of simulations, the split and batches; another one than that of the posterior, whose
            simulations would come again otherwise.
        recipe: how the network learns.
        checkpoint: a file in which the state is kept from time to time, as in `train`.
        progress: show a bar.

    Returns:
        A new `Posterior` with the weights that did best on validation data.

    Raises:
        TypeError: for an unknown option, or something else than a posterior.
        ValueError: for an impossible budget, or a source that does not fit the posterior.
        SimulationError: when the simulator gives what its columns do not allow.
        TrainingError: when the loss is not finite, or simulation takes longer than the budget.
        FileError: as in `train`.
    """
    if not isinstance(posterior, Posterior):
        raise TypeError(f"Expected a Posterior to refine; got {type(posterior).__name__}.")
    call = _called(minutes, steps, epochs, seed, recipe, checkpoint, progress)
    source = _as_before(posterior, source)
    data = data_for(source, validation, call.seed, recipe.buffer_bytes)
    _refuse_strangers(posterior, data.source.simulator)
    return _trained(source, data, posterior.architecture, call, start=posterior)


@dataclass(frozen=True)
class _Call:
    """How a training was asked for, beside its data and its network.

    Attributes:
        begun: when, as `time.perf_counter` says.
        budget: in minutes, steps or epochs.
        seed: a plain whole number.
        recipe: how the network learns.
        checkpoint: a file that can be written.
        progress: show a bar.
    """

    begun: float
    budget: tuple[float | None, int | None, float | None]
    seed: int
    recipe: Recipe
    checkpoint: Path | None
    progress: bool


def _called(
    minutes: float | None,
    steps: int | None,
    epochs: float | None,
    seed: int,
    recipe: Recipe,
    checkpoint: str | os.PathLike[str] | None,
    progress: bool,
) -> _Call:
    """Look at the seed, and make the checkpoint's folder before anything is simulated."""
    begun, seed = time.perf_counter(), as_seed(seed)
    kept_in = ready_for_file(checkpoint) if checkpoint is not None else None
    return _Call(begun, (minutes, steps, epochs), seed, recipe, kept_in, progress)


def _trained(
    source: Given,
    data: Data,
    architecture: Architecture,
    call: _Call,
    start: Posterior | None = None,
) -> Posterior:
    """Look whether everything fits, learn, and put the posterior together."""
    recipe = call.recipe.sized_for(architecture.encoder)
    budget = budget_for(*call.budget, data.source.n_stored, recipe.n_batch)
    few = _few_data_sets(source, data, budget)
    plan = _plan(data, architecture, start)
    plan.dry_run(few)
    network = None if start is None else start.estimator
    job = Job(data, plan, budget, call.seed, recipe, call.checkpoint, network)
    check_card(data.source.simulator, job=job.fingerprint())
    learned = learn_all(job, call.begun, progress=call.progress)
    return _posterior(source, job, architecture, learned)


def _plan(data: Data, architecture: Architecture, start: Posterior | None) -> PosteriorPlan:
    """What is to be learned; the axis of knots is that of the posterior to go on from, if any."""
    simulator = data.source.simulator
    axis = None if start is None else axis_in(start.estimator.encoder)
    task = task_of(simulator, architecture, axis=axis, simulated=data.source.some_trials)
    return PosteriorPlan(task, architecture, simulator.prior)


def _posterior(source: Given, job: Job, architecture: Architecture, learned: Learned) -> Posterior:
    """The posterior with what was learned, and the notes of the simulations if they have any."""
    ranges = ranges_of(learned.validation.stored.trials, job.design.levels)
    notes = dict(learned.notes)
    if isinstance(source, Simulations) and source.trials.notes:
        notes["simulations"] = list(source.trials.notes)
    simulator = job.data.source.simulator
    return Posterior(simulator, learned.network, architecture, ranges, learned.history, notes)


def _as_before(posterior: Posterior, source: Given) -> Given:
    """Stored simulations with the design and, where needed, the prior of the posterior.

    Weights go with the design's numbers of trials. The prior of samples alone differs from set to
    set, and weights go with the one they were trained with.
    """
    if not isinstance(source, Simulations) or source.simulator is None:
        return source
    own, before = source.simulator, posterior.simulator
    if own.model.columns != before.model.columns:
        return source
    prior = before.prior if _both_from_samples(own, before) else own.prior
    return replace(source, simulator=Simulator(own.model, prior, before.design))


def _both_from_samples(one: Simulator, other: Simulator) -> bool:
    """Whether both priors are known by samples alone, of the same parameters."""
    unknown = not one.prior.has_density and not other.prior.has_density
    return unknown and one.prior.names == other.prior.names


def _refuse_strangers(posterior: Posterior, simulator: Simulator) -> None:
    """Refuse a source for which the posterior's weights do not serve.

    Columns, levels, largest number of trials, parameters and prior map have to be the same.
    """
    one, other = posterior.simulator, simulator
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


def _few_data_sets(source: Given, data: Data, budget: Budget) -> Trials:
    """Two data sets, fresh or stored, for the dry run."""
    if isinstance(source, Simulator):
        return _try_out(source, budget)
    return data.source.some_trials().select(slice(2))


def _try_out(simulator: Simulator, budget: Budget) -> Trials:
    """Simulate two data sets, look at every value, and at how long it takes."""
    simulator.simulate(1, seed=child(0, Purpose.TRY_OUT))  # compiles what is compiled
    if budget.minutes is None:
        return _timed(simulator)[0]
    each = math.inf
    for _ in range(N_TIMED):  # one time may be long because something else ran
        trials, seconds = _timed(simulator)
        each = min(each, seconds)
        if each * N_BEFORE_FIRST_STEP <= 60.0 * budget.minutes:
            return trials
    raise TrainingError(
        f"Expected a simulator fast enough for {budget.minutes:g} minutes;"
        f" {N_BEFORE_FIRST_STEP} data sets are needed before the first step, and one takes"
        f" {each:.2g} s. Compile it with numba, give a larger budget, or simulate into a bank"
        " and train from that."
    )


def _timed(simulator: Simulator) -> tuple[Trials, float]:
    """Two data sets, and how many seconds one of them took."""
    begun = time.perf_counter()
    trials = checked(simulator.simulate(2, seed=child(1, Purpose.TRY_OUT)).trials)
    return trials, (time.perf_counter() - begun) / 2.0

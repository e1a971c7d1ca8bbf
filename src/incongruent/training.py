r"""Training: one loop, in which simulation runs beside learning.

The rate rises linearly for a while and then falls with half a cosine to the end of the budget (Loshchilov & Hutter 2017). Gradients are clipped by
their norm, the optimiser is Adam (Kingma & Ba 2015), and an exponential average of the weights is kept beside them. The weights that did best on
validation simulations, which are never trained on, are the ones returned.
"""

from __future__ import annotations

import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.designs import Design
from incongruent.history import Evaluation, History, Stopped
from incongruent.networks.architecture import Architecture, architecture_to_json
from incongruent.networks.encoders import Encoder
from incongruent.networks.estimator import Estimator, build_estimator, loss
from incongruent.networks.task import Task
from incongruent.options import helpful
from incongruent.posterior import Posterior, task_of
from incongruent.priors import prior_to_json
from incongruent.progress import Reporter, progress_bar, silent
from incongruent.recipe import FIRST_CHUNKS, Budget, Recipe
from incongruent.scope import ranges_of
from incongruent.simulation import CHUNK, Simulations, Simulator, generator
from incongruent.storage import FileError, load_arrays, named_leaves, save_arrays, with_leaves
from incongruent.trials import CONFLICT_TASK, select
from incongruent.window import Window, stream

N_VALIDATION = 2048
N_PADDED_VALIDATION = 512
N_PARTS = 4
"""Encoders that look at every trial are slower by orders of magnitude; they get fewer validation simulations, in parts of about the same length."""
N_EVALUATIONS = 50
PATIENCE = 0.4
"""Training stops when the best validation loss is older than this share of the budget."""
CHECKPOINT_SECONDS = 45.0
CHECKPOINT = "training checkpoint"
CHECKPOINT_VERSION = 3


class TrainingError(RuntimeError):
    """Training cannot go on; says at which step and what to try."""


class State(NamedTuple):
    """Everything that a step changes."""

    estimator: Estimator
    moments: optax.OptState
    average: Estimator


@dataclass
class _Run:
    """What a run has reached; what a checkpoint holds."""

    state: State
    best: Estimator
    best_loss: float = math.inf
    best_share: float = 0.0
    step: int = 0
    seconds: float = 0.0
    n_chunks: int = 0
    next_chunk: int = 0
    waiting_seconds: float = 0.0
    first_step_seconds: float | None = None
    evaluations: tuple[Evaluation, ...] = ()


def _optimiser(recipe: Recipe) -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(recipe.clip), optax.scale_by_adam())


class Pace(NamedTuple):
    """How far a step goes: the learning rate, the decay of the averaged weights, and the step's number, which makes its random numbers."""

    rate: np.float32
    keep: np.float32
    step: np.int32


def learn(
    state: State, z: Float[Array, "batch parameter"], features: Float[Array, "batch ..."], pace: Pace, key: PRNGKeyArray, recipe: Recipe
) -> tuple[State, Array]:
    """One step: gradient of the loss, Adam, average."""
    value, gradient = eqx.filter_value_and_grad(loss)(state.estimator, z, features, recipe.mmd_weight, jax.random.fold_in(key, pace.step))
    weights = eqx.filter(state.estimator, eqx.is_inexact_array)
    updates, moments = _optimiser(recipe).update(gradient, state.moments, weights)
    estimator = eqx.apply_updates(state.estimator, jax.tree.map(lambda u: -pace.rate * u, updates))
    average = jax.tree.map(lambda old, new: pace.keep * old + (1.0 - pace.keep) * new if eqx.is_inexact_array(old) else old, state.average, estimator)
    return State(estimator, moments, average), value


_learn = eqx.filter_jit(learn)


@eqx.filter_jit
def _validation_loss(estimator: Estimator, z: Any, features: Any) -> Array:
    return -jnp.mean(estimator.log_prob(z, features))


@eqx.filter_jit
def _fresh_state(key: PRNGKeyArray, task: Task, architecture: Architecture, recipe: Recipe) -> State:
    estimator = build_estimator(key, task, architecture)
    return State(estimator, _optimiser(recipe).init(eqx.filter(estimator, eqx.is_inexact_array)), estimator)


@dataclass(frozen=True, eq=False)
class _Validation:
    """Simulations that are never trained on, as the network sees them.

    Attributes:
        z: (dataset, parameter).
        parts: z and features of as many data sets each; one part where features are not padded.
        simulations: in the order in which they were made.
    """

    z: np.ndarray
    parts: tuple[tuple[np.ndarray, np.ndarray], ...]
    simulations: Simulations

    def loss(self, estimator: Estimator) -> float:
        """Mean -log q."""
        return float(np.mean([float(_validation_loss(estimator, z, features)) for z, features in self.parts]))

    @property
    def prior_loss(self) -> float:
        """Mean -log of the standard normal density, which is the prior of z."""
        return float(np.mean(0.5 * np.sum(self.z**2, axis=1)) + 0.5 * self.z.shape[1] * math.log(2.0 * math.pi))


@dataclass(frozen=True)
class _Job:
    """What is to be trained, and how."""

    simulator: Simulator
    budget: Budget
    seed: int
    architecture: Architecture
    recipe: Recipe
    checkpoint: Path | None

    def fingerprint(self) -> dict[str, Any]:
        """Tells one job from another; goes into checkpoints and cards."""
        return {
            "model": [self.simulator.model.name, json.dumps(dict(self.simulator.model.settings))],
            "prior": prior_to_json(self.simulator.prior),
            "design": repr(self.simulator.design),
            "version": metadata.version("incongruent"),
            "budget": asdict(self.budget),
            "seed": self.seed,
            "architecture": architecture_to_json(self.architecture),
            "recipe": asdict(self.recipe),
        }

    def rate(self, step: int, share: float) -> float:
        """Learning rate: a linear rise over the warm-up, then half a cosine to the end of the budget."""
        return self.recipe.peak_rate * min(1.0, (step + 1) / self.recipe.warmup) * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))

    def keep(self, step: int) -> float:
        """Decay of the averaged weights; shorter at first, when the weights still run."""
        return min(self.recipe.average, (1.0 + step) / (10.0 + step))


@helpful
def train(
    simulator: Simulator,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    seed: int,
    architecture: Architecture = Architecture(),
    recipe: Recipe = Recipe(),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Posterior:
    """Train an amortized posterior, simulating while it learns.

    Args:
        simulator: model, prior and design; the design is a `Design`, with a range of numbers of trials as a rule.
        minutes: budget of the clock, compilation included. What is reached depends on the machine.
        steps: budget in steps. Simulations then enter at a fixed pace, and the same seed gives the same network on the same machine.
        seed: of simulations, initial weights and batches.
        architecture: which encoder and which flow, and their sizes.
        recipe: how it learns.
        checkpoint: a file in which the state is kept from time to time. If it is there already, training goes on from it, with a new
            window of simulations; it is removed at the end.
        progress: show a bar.

    Returns:
        The `Posterior` with the weights that did best on validation simulations; its ``history`` says how training went and why it stopped.

    Raises:
        ValueError: for an impossible budget.
        TrainingError: when the loss is not finite.
        FileError: when the checkpoint is damaged or belongs to another run.
    """
    begun = time.perf_counter()
    task = task_of(simulator, architecture)
    architecture = architecture.chosen_for(task.columns, task.largest)
    job = _Job(simulator, Budget(minutes, steps), seed, architecture, recipe, Path(checkpoint) if checkpoint is not None else None)
    state = _fresh_state(jax.random.key(seed), task, architecture, recipe)
    run = _Run(state, state.estimator)
    resumed = job.checkpoint is not None and job.checkpoint.exists()
    if resumed:
        run = _load(job, run)
    workers = max(1, (os.cpu_count() or 2) // 2)
    window = Window(simulator, state.estimator.encoder, seed=seed, n_bytes=recipe.window_bytes, workers=workers, first_chunk=run.next_chunk)
    with window, progress_bar() if progress else nullcontext(silent) as report, ThreadPoolExecutor(1) as beside:
        compiled = beside.submit(_compile, job, state)  # while the first simulations are made
        window.refresh(FIRST_CHUNKS)
        validation = _validation(job, state.estimator.encoder)
        compiled.result()
        if not resumed:
            run.state = _standardised(state, window.draw(len(validation.z), stream(seed, 2**31))[1])
        stopped = _loop(job, run, window, validation, begun - run.seconds, report)
    if run.step == 0:
        raise TrainingError(f"Expected time for at least one step; {run.seconds:.0f} s were over before the first. Give a larger budget.")
    posterior = _finished(job, run, validation, stopped)
    if job.checkpoint is not None:
        job.checkpoint.unlink(missing_ok=True)
    return posterior


def _compile(job: _Job, state: State) -> None:
    """Run the compiled functions once on nothing, so that the first step does not wait for the compiler."""
    dim, encoder = len(job.simulator.prior.names), state.estimator.encoder
    shape = encoder.shape(job.simulator.design.largest)
    nothing = (jnp.zeros((job.recipe.batch_size, dim)), jnp.zeros((job.recipe.batch_size, *shape)))
    _learn(state, *nothing, Pace(np.float32(0), np.float32(0), np.int32(0)), jax.random.key(job.seed), job.recipe)
    if encoder.ragged:
        _validation_loss(state.estimator, np.zeros((N_VALIDATION, dim), np.float32), np.zeros((N_VALIDATION, *shape), np.float32))


def _loop(job: _Job, run: _Run, window: Window, validation: _Validation, begun: float, report: Reporter) -> Stopped:
    """Steps until the budget is used up or nothing improves; ``begun`` is when the run would have begun without interruption."""
    pending: list[Array] = []
    before: tuple[int, float, np.ndarray] = (0, 0.0, np.zeros(1))  # the step before: its number, rate and z
    key = jax.random.key(job.seed)
    chunks_before, next_look, last_saved = run.n_chunks, _share(job, run, begun) + 1.0 / N_EVALUATIONS, time.perf_counter()
    while (share := _share(job, run, begun)) < 1.0:
        run.waiting_seconds += _take_in(job, run, window, chunks_before)
        z, features = window.draw(job.recipe.batch_size, stream(job.seed, run.step))
        rate = job.rate(run.step, share)
        pace = Pace(np.float32(rate), np.float32(job.keep(run.step)), np.int32(run.step))
        run.state, value = _learn(run.state, jnp.asarray(z), jnp.asarray(features), pace, key, job.recipe)
        if run.first_step_seconds is None:
            value.block_until_ready()
            run.first_step_seconds = time.perf_counter() - begun
        if pending and not math.isfinite(float(pending[-1])):  # the step before, so that the next one is already on its way
            raise TrainingError(_not_finite(before))
        pending.append(value)
        before = (run.step, rate, z)
        run.step, run.n_chunks, run.next_chunk = run.step + 1, chunks_before + window.n_chunks, window.next_chunk
        run.seconds = time.perf_counter() - begun
        if _share(job, run, begun) >= min(next_look, 1.0):
            _evaluate(run, validation, float(np.mean(pending)), rate, share)
            if not math.isfinite(run.evaluations[-1].training + run.evaluations[-1].validation):
                raise TrainingError(_not_finite(before))
            pending, next_look = [], share + 1.0 / N_EVALUATIONS
            report(share, run.seconds / max(share, 1e-6) - run.seconds, run.evaluations[-1], _history(job, run, validation, None).bottleneck)
            if share - run.best_share > PATIENCE:
                return Stopped.NO_BETTER
        if job.checkpoint is not None and time.perf_counter() - last_saved > CHECKPOINT_SECONDS and math.isfinite(float(value)):
            _save(job, run)
            last_saved = time.perf_counter()
    if pending:
        _evaluate(run, validation, float(np.mean(pending)), job.rate(run.step, 1.0), 1.0)
    return Stopped.BUDGET


def _share(job: _Job, run: _Run, begun: float) -> float:
    return job.budget.share(run.step, time.perf_counter() - begun)


def _take_in(job: _Job, run: _Run, window: Window, chunks_before: int) -> float:
    """Let new simulations enter; the seconds that this took."""
    before = time.perf_counter()
    until = job.budget.chunks(run.step, job.recipe.batch_size)
    if until is None:
        window.refresh(most=job.recipe.chunks_for(run.step))
    else:
        window.refresh(max(FIRST_CHUNKS, until - chunks_before))
    return time.perf_counter() - before


def _not_finite(before: tuple[int, float, np.ndarray]) -> str:
    step, rate, z = before
    return (
        f"Expected a finite loss; got none at step {step} (learning rate {rate:.2g}, batch with z between {z.min():.1f} and {z.max():.1f}). "
        f"Try Recipe(peak_rate=…) a third of what it was, with a new checkpoint, or look for parameters at which the simulator fails."
    )


def _evaluate(run: _Run, validation: _Validation, training: float, rate: float, share: float) -> None:
    """Look at both sets of weights, and keep the better one if it is the best so far."""
    losses = {name: validation.loss(estimator) for name, estimator in _candidates(run.state).items()}
    which = min(losses, key=lambda name: losses[name])
    if losses[which] < run.best_loss:
        run.best, run.best_loss, run.best_share = _candidates(run.state)[which], losses[which], share
    look = Evaluation(run.step, run.seconds, training, losses["weights"], losses["averaged"], rate, run.n_chunks * CHUNK)
    run.evaluations = (*run.evaluations, look)


def _candidates(state: State) -> dict[str, Estimator]:
    return {"weights": state.estimator, "averaged": state.average}


def _validation(job: _Job, encoder: Encoder) -> _Validation:
    n = N_VALIDATION if encoder.ragged else N_PADDED_VALIDATION
    simulations = job.simulator.simulate(n, seed=int(generator(job.seed, 6).integers(2**63)))
    z = job.simulator.prior.to_real(simulations.theta).astype(np.float32)
    parts = [np.arange(n)] if encoder.ragged else np.split(np.argsort(simulations.trials.n_trials, kind="stable"), N_PARTS)  # alike in length
    return _Validation(z, tuple((z[rows], encoder.features(select(simulations.trials, rows))) for rows in parts), simulations)


def _standardised(state: State, features: np.ndarray) -> State:
    encoder = state.estimator.encoder.fitted(features)
    estimator, average = (eqx.tree_at(lambda e: e.encoder, whole, encoder) for whole in (state.estimator, state.average))
    return State(estimator, state.moments, average)


def _history(job: _Job, run: _Run, validation: _Validation, stopped: Stopped | None) -> History:
    times = (run.seconds - run.waiting_seconds, run.waiting_seconds, run.first_step_seconds)
    return History(run.evaluations, stopped, validation.prior_loss, job.recipe.batch_size, *times, paced=job.budget.steps is not None)


def _finished(job: _Job, run: _Run, validation: _Validation, stopped: Stopped) -> Posterior:
    design = job.simulator.design
    assert isinstance(design, Design)  # `task_of` has refused anything else
    versions = {name: metadata.version(name) for name in ("incongruent", "jax", "equinox", "optax", "numba", "numpy", "scipy")}
    notes = {"made_by": job.fingerprint(), "versions": versions, "devices": [str(device) for device in jax.devices()], "cores": os.cpu_count()}
    known = set(job.simulator.model.columns) == set(CONFLICT_TASK)
    ranges = ranges_of(validation.simulations.trials, design.levels) if known else None
    return Posterior(job.simulator, run.best, job.architecture, ranges, _history(job, run, validation, stopped), notes)


def _save(job: _Job, run: _Run) -> None:
    assert job.checkpoint is not None
    card: dict[str, Any] = {name: value for name, value in vars(run).items() if isinstance(value, int | float)}
    card["best_loss"] = run.best_loss if math.isfinite(run.best_loss) else None
    card |= {"evaluations": [vars(e) for e in run.evaluations], "fingerprint": job.fingerprint()}
    save_arrays(job.checkpoint, named_leaves(run.state, "state") | named_leaves(run.best, "best"), card, kind=CHECKPOINT, version=CHECKPOINT_VERSION)


def _load(job: _Job, fresh: _Run) -> _Run:
    assert job.checkpoint is not None
    arrays, card = load_arrays(job.checkpoint, kind=CHECKPOINT, version=CHECKPOINT_VERSION)
    made_by, wanted = card.pop("fingerprint"), json.loads(json.dumps(job.fingerprint()))
    if made_by != wanted:
        differs = [key for key in wanted if made_by.get(key) != wanted[key]]
        raise FileError(
            f"Expected a checkpoint of this very run in {job.checkpoint}; it differs in {', '.join(differs)}. Remove it or name another file."
        )
    card["best_loss"] = math.inf if card["best_loss"] is None else card["best_loss"]
    card["evaluations"] = tuple(Evaluation(**e) for e in card["evaluations"])
    return _Run(state=with_leaves(fresh.state, arrays, "state"), best=with_leaves(fresh.best, arrays, "best"), **card)

r"""Learning: one loop for every network, in which simulation runs beside it or stored simulations
are read.

The rate rises linearly for a while and then falls with half a cosine to the end of the budget
(Loshchilov & Hutter 2017). The weights that did best on data sets that are never trained on are the
ones returned. Batches are spread over all devices that JAX sees.
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
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from incongruent.data.basics.streams import Purpose, jax_key, stream
from incongruent.networks.encoder import Encoder
from incongruent.posterior.compiling import keep_compiled
from incongruent.posterior.history import Evaluation, History, Stopped
from incongruent.posterior.progress import Reporter, progress_bar, silent
from incongruent.storage.atomic import FileError
from incongruent.storage.weights import digest, load_arrays, named_leaves, save_arrays, with_leaves
from incongruent.training.devices import on_all_devices, spread
from incongruent.training.fresh import Window
from incongruent.training.recipe import FIRST_CHUNKS, WARMUP_SHARE, Budget, Recipe
from incongruent.training.sources import Data, Stored
from incongruent.training.step import Pace, Plan, State, learn, standardised, state_of
from incongruent.training.stored import Library
from incongruent.training.validation import Validation, n_looked_at, training_work, validation_of

N_FIRST = 2048
"""Data sets by which features are standardised."""
N_EVALUATIONS = 50
"""At most; there are fewer where they would take more than a tenth of the work."""
PATIENCE = 0.4
"""Learning stops when the best validation loss is older than this share of the budget, …"""
FEW_TIMES = 3
"""… but not before stored data sets have been drawn so often on average."""
CHECKPOINT_SECONDS = 45.0
CHECKPOINT = "training checkpoint"
CHECKPOINT_VERSION = 5


class TrainingError(RuntimeError):
    """Training cannot go on; says at which step and what to try."""


@dataclass
class Run:
    """What a run has reached; what a checkpoint holds."""

    state: State
    best: Any
    best_loss: float = math.inf
    best_share: float = 0.0
    step: int = 0
    seconds: float = 0.0
    n_simulated: int = 0
    n_chunks: int = 0
    next_chunk: int = 0
    work: int = 0
    """Of training since the last evaluation; see `validation`."""
    waiting_seconds: float = 0.0
    first_step_seconds: float | None = None
    evaluations: tuple[Evaluation, ...] = ()


@dataclass(frozen=True)
class Job:
    """What is to be learned from what, and how.

    Attributes:
        data: to learn from.
        plan: what is learned.
        budget: how long.
        seed: of initial weights, batches and dropout.
        recipe: how.
        checkpoint: where the state is kept.
        start: a network to go on from; untrained when None.
    """

    data: Data
    plan: Plan
    budget: Budget
    seed: int
    recipe: Recipe
    checkpoint: Path | None
    start: Any = None

    def fingerprint(self) -> dict[str, Any]:
        """Tells one job from another; goes into checkpoints and cards."""
        simulator = self.data.source.simulator
        return {
            "model": [simulator.model.name, json.dumps(dict(simulator.model.settings))],
            "prior": simulator.prior.to_json(),
            "design": repr(simulator.design),
            "data": self.data.fingerprint(),
            "version": metadata.version("incongruent"),
            "budget": asdict(self.budget),
            "seed": self.seed,
            "recipe": asdict(self.recipe),
            **self.plan.describe(),
            **(
                {}
                if self.start is None
                else {"start": digest(named_leaves(self.start, "start"), "")}
            ),
        }

    def rate(self, step: int, share: float, first: float) -> float:
        """Learning rate: a linear rise over the warm-up, then half a cosine to the end of the
        budget.

        Args:
            step: from 0.
            share: of the budget that is used up.
            first: the share that was used up by the first step, compilation included.
        """
        rise = max((step + 1) / self.recipe.warmup, (share - first) / WARMUP_SHARE)
        return (
            self.recipe.peak_rate
            * min(1.0, rise)
            * 0.5
            * (1.0 + math.cos(math.pi * min(share, 1.0)))
        )

    def keep(self, step: int) -> float:
        """Decay of the averaged weights; shorter at first, when the weights still run."""
        return min(self.recipe.average, (1.0 + step) / (10.0 + step))


@dataclass(frozen=True, eq=False)
class Learned:
    """What came out.

    Attributes:
        network: with the weights that did best on validation data.
        history: how it went.
        validation: the data sets that were never trained on.
        notes: budget, seed, versions and devices; JSON-able.
    """

    network: Any
    history: History
    validation: Validation
    notes: dict[str, Any]


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
    network = (
        job.start if job.start is not None else job.plan.build(stream(job.seed, Purpose.WEIGHTS))
    )
    run = Run(state_of(network, job.recipe), network)
    resumed = job.checkpoint is not None and job.checkpoint.exists()
    if resumed:
        run = _load(job, run)
    with (
        _shelf_for(job, network.encoder, run) as window,
        progress_bar() if progress else nullcontext(silent) as report,
    ):
        with ThreadPoolExecutor(1) as beside:
            compiled = beside.submit(_compile, job, network)  # while the first simulations are made
            window.refresh(FIRST_CHUNKS)
            stored = job.data.held_out()
            validation = _validation(job, network.encoder, stored)
            validation.loss(network)  # compiles, beside the step
            compiled.result()
        if not resumed and job.start is None:
            run.state = standardised(
                network, window.draw(N_FIRST, stream(job.seed, Purpose.SCALES))[1], job.recipe
            )
        run.state = on_all_devices(run.state)
        stopped = _loop(job, run, window, validation, begun - run.seconds, report)
    if run.step == 0:
        seconds = time.perf_counter() - begun
        raise TrainingError(
            f"Expected time for at least one step; {seconds:.0f} s were over before the first: give"
            " a larger budget."
        )
    if job.checkpoint is not None:
        job.checkpoint.unlink(missing_ok=True)
    versions = {
        name: metadata.version(name)
        for name in ("incongruent", "jax", "equinox", "optax", "numba", "numpy", "scipy")
    }
    notes = {
        "made_by": job.fingerprint(),
        "versions": versions,
        "devices": [str(device) for device in jax.devices()],
        "cores": os.cpu_count(),
    }
    return Learned(
        jax.device_put(run.best, jax.devices()[0]),
        _history(job, run, validation, stopped),
        validation,
        notes,
    )


def _shelf_for(job: Job, encoder: Encoder, run: Run) -> Window | Library:
    """Where batches come from."""
    if isinstance(job.data.source, Stored):
        return Library(job.data.source, encoder, n_lengths=job.budget.n_lengths)
    workers = max(1, (os.cpu_count() or 2) // 2)
    sizes = {"n_bytes": job.recipe.window_bytes, "n_lengths": job.budget.n_lengths}
    return Window(job.data.source, encoder, **sizes, workers=workers, first_chunk=run.next_chunk)


def _compile(job: Job, network: Any) -> None:
    """Run the compiled functions once on nothing, so that the first step does not wait for the
    compiler.
    """
    encoder, dim = network.encoder, job.data.source.target_dim
    shape = encoder.shape(job.data.source.simulator.design.largest)
    nothing = [
        np.zeros((job.recipe.n_batch, dim), np.float32),
        np.zeros((job.recipe.n_batch, *shape), np.float32),
    ]
    z, features = spread(*nothing)
    state = on_all_devices(state_of(network, job.recipe))
    learn(
        state,
        z,
        features,
        Pace(np.float32(0), np.float32(0), np.int32(0)),
        jax_key(job.seed, Purpose.DROPOUT),
        job.recipe,
    )


def _loop(
    job: Job,
    run: Run,
    window: Window | Library,
    validation: Validation,
    begun: float,
    report: Reporter,
) -> Stopped:
    """Steps until the budget is used up or nothing improves; ``begun`` is when the run would have
    begun without interruption.
    """
    pending: list[Array] = []
    before: tuple[int, float, np.ndarray] = (
        0,
        0.0,
        np.zeros(1),
    )  # the step before: its number, rate and z
    key = jax_key(job.seed, Purpose.DROPOUT)
    simulated_before, chunks_before = run.n_simulated, run.n_chunks
    next_look, last_saved = _share(job, run, begun) + 1.0 / N_EVALUATIONS, time.perf_counter()
    while (share := _share(job, run, begun)) < 1.0:
        run.waiting_seconds += _take_in(job, run, window, chunks_before)
        z, features = window.draw(job.recipe.n_batch, stream(job.seed, Purpose.BATCHES, run.step))
        z_here, features_here = spread(z, features)
        rate = job.rate(run.step, share, _first_share(job, run, share))
        pace = Pace(np.float32(rate), np.float32(job.keep(run.step)), np.int32(run.step))
        run.state, value = learn(run.state, z_here, features_here, pace, key, job.recipe)
        if run.first_step_seconds is None:
            value.block_until_ready()
            run.first_step_seconds = time.perf_counter() - begun
        if pending and not math.isfinite(
            float(pending[-1])
        ):  # the step before, so that the next one is already on its way
            raise TrainingError(_not_finite(before))
        pending.append(value)
        before = (run.step, rate, z)
        run.work += training_work(features)
        run.step, run.next_chunk = run.step + 1, window.next_chunk
        run.n_simulated, run.n_chunks = (
            simulated_before + window.n_simulated,
            chunks_before + window.n_chunks,
        )
        run.seconds = time.perf_counter() - begun
        if _share(job, run, begun) >= min(next_look, 1.0):
            next_look = share + 1.0 / N_EVALUATIONS
            if validation.is_due(run.work):
                _evaluate(run, validation, float(np.mean(pending)), before, share)
                pending = []
                if _no_better(job, run, share):
                    return Stopped.NO_BETTER
            _tell(job, run, validation, share, report)
        if (
            job.checkpoint is not None
            and time.perf_counter() - last_saved > CHECKPOINT_SECONDS
            and math.isfinite(float(value))
        ):
            _save(job, run)
            last_saved = time.perf_counter()
    if pending:
        _evaluate(run, validation, float(np.mean(pending)), before, 1.0)
    return Stopped.BUDGET


def _no_better(job: Job, run: Run, share: float) -> bool:
    """Whether the best is long ago, and stored data sets have been seen often enough to say so."""
    seen = run.step * job.recipe.n_batch >= FEW_TIMES * (job.data.source.n_stored or 0)
    return seen and share - run.best_share > PATIENCE


def _tell(job: Job, run: Run, validation: Validation, share: float, report: Reporter) -> None:
    look = run.evaluations[-1] if run.evaluations else None
    report(
        share,
        run.seconds / max(share, 1e-6) - run.seconds,
        look,
        _history(job, run, validation, None).bottleneck if look else "",
    )


def _share(job: Job, run: Run, begun: float) -> float:
    return job.budget.share(run.step, time.perf_counter() - begun)


def _first_share(job: Job, run: Run, share: float) -> float:
    return share if run.first_step_seconds is None else job.budget.share(0, run.first_step_seconds)


def _take_in(job: Job, run: Run, window: Window | Library, chunks_before: int) -> float:
    """Let new simulations enter; the seconds that this took."""
    before = time.perf_counter()
    until = job.budget.chunks(run.step, job.recipe.n_batch)
    if until is None:
        window.refresh(most=job.recipe.chunks_for(run.step))
    else:
        window.refresh(max(FIRST_CHUNKS, until - chunks_before))
    return time.perf_counter() - before


def _not_finite(before: tuple[int, float, np.ndarray]) -> str:
    step, rate, z = before
    return (
        f"Expected a finite loss; got none at step {step} (learning rate {rate:.2g}, batch with z"
        f" between {z.min():.1f} and {z.max():.1f}). Try Recipe(peak_rate=…) a third of what it"
        " was, with a new checkpoint, or look for parameters at which the simulator fails."
    )


def _evaluate(
    run: Run,
    validation: Validation,
    training: float,
    before: tuple[int, float, np.ndarray],
    share: float,
) -> None:
    """Look at both sets of weights, and keep the better one if it is the best so far.

    Raises:
        TrainingError: when a loss is not finite.
    """
    losses = {name: validation.loss(network) for name, network in _candidates(run.state).items()}
    which = min(losses, key=lambda name: losses[name])
    if losses[which] < run.best_loss:
        run.best, run.best_loss, run.best_share = (
            _candidates(run.state)[which],
            losses[which],
            share,
        )
    look = Evaluation(
        run.step,
        run.seconds,
        training,
        losses["weights"],
        losses["averaged"],
        before[1],
        run.n_simulated,
    )
    run.evaluations, run.work = (*run.evaluations, look), 0
    if not math.isfinite(look.training + look.validation):
        raise TrainingError(_not_finite(before))


def _candidates(state: State) -> dict[str, Any]:
    return {"weights": state.network, "averaged": state.averaged}


def _validation(job: Job, encoder: Encoder, stored: Stored) -> Validation:
    n = n_looked_at(job.budget, job.recipe.n_batch, encoder, len(stored.trials))
    return validation_of(stored, encoder, n, job.plan.baseline)


def _history(job: Job, run: Run, validation: Validation, stopped: Stopped | None) -> History:
    times = (run.seconds - run.waiting_seconds, run.waiting_seconds, run.first_step_seconds)
    paced, n_stored = job.budget.steps is not None, job.data.source.n_stored
    return History(
        run.evaluations,
        stopped,
        validation.baseline,
        job.recipe.n_batch,
        *times,
        paced=paced,
        n_stored=n_stored,
    )


def _save(job: Job, run: Run) -> None:
    assert job.checkpoint is not None
    card: dict[str, Any] = {
        name: value for name, value in vars(run).items() if isinstance(value, int | float)
    }
    card["best_loss"] = run.best_loss if math.isfinite(run.best_loss) else None
    card |= {"evaluations": [vars(e) for e in run.evaluations], "fingerprint": job.fingerprint()}
    save_arrays(
        job.checkpoint,
        named_leaves(run.state, "state") | named_leaves(run.best, "best"),
        card,
        kind=CHECKPOINT,
        version=CHECKPOINT_VERSION,
    )


def _load(job: Job, fresh: Run) -> Run:
    assert job.checkpoint is not None
    arrays, card = load_arrays(job.checkpoint, kind=CHECKPOINT, version=CHECKPOINT_VERSION)
    made_by, wanted = card.pop("fingerprint"), json.loads(json.dumps(job.fingerprint()))
    if made_by != wanted:
        differs = [key for key in {**wanted, **made_by} if made_by.get(key) != wanted.get(key)]
        raise FileError(
            f"Expected a checkpoint of this very run in {job.checkpoint}; it differs in"
            f" {', '.join(differs)}. Remove it or name another file."
        )
    card["best_loss"] = math.inf if card["best_loss"] is None else card["best_loss"]
    card["evaluations"] = tuple(Evaluation(**e) for e in card["evaluations"])
    return Run(
        state=with_leaves(fresh.state, arrays, "state"),
        best=with_leaves(fresh.best, arrays, "best"),
        **card,
    )

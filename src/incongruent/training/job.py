"""What is to be learned from what, and how; what a run has reached; and what came out."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import jax

from incongruent.data.basics.streams import Purpose, stream
from incongruent.networks.encoder import Encoder
from incongruent.posterior.history import Evaluation, History
from incongruent.simulation.designs import Design
from incongruent.storage.weights import digest, named_leaves
from incongruent.training.batches import NOTHING, Arrived, Batches, RandomRuns
from incongruent.training.recipe import WARMUP_SHARE, Budget, Recipe
from incongruent.training.split import Data
from incongruent.training.step import Plan, State
from incongruent.training.validation import Validation

PACKAGES = ("incongruent", "jax", "equinox", "optax", "numba", "numpy", "scipy")
"""Whose versions are noted."""


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

    @property
    def design(self) -> Design:
        """From which numbers of trials are drawn."""
        design = self.data.source.simulator.design
        assert isinstance(design, Design)  # `data_for` has refused anything else
        return design

    def first_network(self) -> Any:
        """The network before the first step."""
        if self.start is not None:
            return self.start
        return self.plan.build(stream(self.seed, Purpose.WEIGHTS))

    def batches(self, encoder: Encoder, after: Arrived) -> Batches:
        """Begin to provide batches for a network with this encoder."""
        runs = RandomRuns(self.design, encoder, self.budget.n_lengths)
        return self.data.source.batches(runs, self.recipe.buffer_bytes, after)

    def fingerprint(self) -> dict[str, Any]:
        """Tells one job from another; goes into checkpoints and cards."""
        simulator = self.data.source.simulator
        return {
            "model": [simulator.model.name, json.dumps(dict(simulator.model.settings))],
            "prior": simulator.prior.to_json(),
            "design": repr(simulator.design),
            "data": self.data.source.fingerprint(),
            "version": metadata.version("incongruent"),
            "budget": asdict(self.budget),
            "seed": self.seed,
            "recipe": asdict(self.recipe),
            **self.plan.describe(),
            **self._start_fingerprint(),
        }

    def _start_fingerprint(self) -> dict[str, str]:
        """A digest of the network to go on from, if there is one."""
        if self.start is None:
            return {}
        return {"start": digest(named_leaves(self.start, "start"), "")}

    def rate(self, step: int, share: float, first: float) -> float:
        """Learning rate: a linear rise over the warm-up, then half a cosine.

        Args:
            step: from 0.
            share: of the budget that is used up.
            first: the share that was used up by the first step, compilation included.
        """
        rise = max((step + 1) / self.recipe.warmup, (share - first) / WARMUP_SHARE)
        fall = 1.0 + math.cos(math.pi * min(share, 1.0))
        return self.recipe.peak_rate * min(1.0, rise) * 0.5 * fall

    def keep(self, step: int) -> float:
        """Decay of the averaged weights; shorter at first, when the weights still run."""
        return min(self.recipe.average, (1.0 + step) / (10.0 + step))

    def notes(self) -> dict[str, Any]:
        """What a network was made by, and where; JSON-able."""
        return {
            "made_by": self.fingerprint(),
            "versions": {name: metadata.version(name) for name in PACKAGES},
            "devices": [str(device) for device in jax.devices()],
            "cores": os.cpu_count(),
        }


@dataclass
class Run:
    """What a run has reached; what a checkpoint holds.

    Attributes:
        state: of the network and the optimiser.
        best: the network that did best on validation data.
        best_loss: its validation loss.
        best_share: how much of the budget was used up when it was found.
        step: steps done.
        seconds: since the call of the user, interruptions left out.
        arrived: how much there has been to learn from.
        work: of training since the last evaluation; see `validation`.
        waiting_seconds: time spent waiting for simulations.
        first_step_seconds: until the end of the first step.
        evaluations: in order.
    """

    state: State
    best: Any
    best_loss: float = math.inf
    best_share: float = 0.0
    step: int = 0
    seconds: float = 0.0
    arrived: Arrived = NOTHING
    work: int = 0
    waiting_seconds: float = 0.0
    first_step_seconds: float | None = None
    evaluations: tuple[Evaluation, ...] = ()


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

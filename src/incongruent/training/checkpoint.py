"""Checkpoints: the state of a run in one file, from which an interrupted run goes on."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from incongruent.posterior.history import Evaluation
from incongruent.storage.atomic import FileError
from incongruent.storage.weights import load_arrays, named_leaves, save_arrays, with_leaves
from incongruent.training.batches import NOTHING, Arrived
from incongruent.training.job import Job, Run

KIND = "training checkpoint"
VERSION = 6


def save_checkpoint(path: Path, job: Job, run: Run) -> None:
    """Save what a run has reached to one file; it is written atomically."""
    arrays = named_leaves(run.state, "state") | named_leaves(run.best, "best")
    save_arrays(path, arrays, _card(job, run), kind=KIND, version=VERSION)


def _card(job: Job, run: Run) -> dict[str, Any]:
    """Everything but the arrays; JSON-able."""
    numbers = {name: value for name, value in vars(run).items() if isinstance(value, int | float)}
    return {
        **numbers,
        **asdict(run.arrived),
        "best_loss": run.best_loss if math.isfinite(run.best_loss) else None,
        "evaluations": [vars(evaluation) for evaluation in run.evaluations],
        "fingerprint": job.fingerprint(),
    }


def load_checkpoint(path: Path, job: Job, fresh: Run) -> Run:
    """What a run had reached when it was interrupted.

    Args:
        path: the file.
        job: that the run was doing.
        fresh: a run that has not begun, into whose form the arrays go.

    Raises:
        FileError: when the file is damaged or belongs to another run.
    """
    arrays, card = load_arrays(path, kind=KIND, version=VERSION)
    _refuse_others(path, card.pop("fingerprint"), job)
    best_loss = card.pop("best_loss")
    evaluations = tuple(Evaluation(**evaluation) for evaluation in card.pop("evaluations"))
    arrived = Arrived(**{name: card.pop(name) for name in asdict(NOTHING)})
    return Run(
        state=with_leaves(fresh.state, arrays, "state"),
        best=with_leaves(fresh.best, arrays, "best"),
        best_loss=math.inf if best_loss is None else best_loss,
        evaluations=evaluations,
        arrived=arrived,
        **card,
    )


def _refuse_others(path: Path, made_by: dict[str, Any], job: Job) -> None:
    """Refuse the checkpoint of another run, and say in what it differs."""
    wanted = json.loads(json.dumps(job.fingerprint()))
    differs = [key for key in {**wanted, **made_by} if made_by.get(key) != wanted.get(key)]
    if differs:
        raise FileError(
            f"Expected a checkpoint of this very run in {path}; it differs in"
            f" {', '.join(differs)}. Remove it or name another file."
        )

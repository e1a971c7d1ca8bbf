"""What stands on the page about a study as a whole, as plain values.

A template shows these values and a script draws them; neither computes anything.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

from incongruent.analysis import Fit
from incongruent.checks.record import Check
from incongruent.data.trials import Trials
from incongruent.report.values import error_columns, percent

VERSIONS = ("incongruent", "numpy", "scipy", "numba", "jax", "equinox", "emcee", "arviz-stats")
"""Packages whose versions a result rests on."""


@dataclass(frozen=True)
class Origin:
    """Where a result comes from.

    Attributes:
        source: the file or data set, as the user calls it.
        command: what was called, so that anyone can do so again.
        seed: of everything random; None when it is not known.
        left_out: people who were not looked at, for want of usable trials.
    """

    source: str = ""
    command: str = ""
    seed: int | None = None
    left_out: tuple[str, ...] = ()


def glance(fit: Fit | None, check: Check | None, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """The study in numbers: people, trials, what was left out and why, errors by condition, notes.

    Args:
        fit: of the study; without it only people are counted.
        check: of the study.
        left_out: people who were not checked, for want of usable trials.
    """
    if fit is None:
        n_people = len(check.scope) if check is not None else 0
        return {"n_people": n_people + len(left_out), "not_fitted": list(left_out), "alarms": []}
    return {
        "n_people": len(fit.study),
        "alarms": list(fit.alarms),
        "not_fitted": list(fit.not_fitted),
        **_trials(fit.study),
        "errors": _errors(fit),
        "flagged": _flagged(fit),
        "notes": list(fit.study.notes),
    }


def _flagged(fit: Fit) -> list[tuple[str, list[str]]]:
    """Who has trials that lie outside what the network was trained for, and in what."""
    everybody = zip(fit.study.names, fit.flags, fit.study.n_trials, strict=True)
    return [(name, list(flags)) for name, flags, n in everybody if flags and n > 0]


def _trials(study: Trials) -> dict[str, Any]:
    """How many trials were used, of each person and in all, and how many were left out and why."""
    n_used, n_excluded = int(study.n_trials.sum()), int(study.n_excluded.sum())
    return {
        "n_trials": n_used,
        "trials_each": _trials_each(study),
        "excluded": _excluded(study),
        "n_excluded": n_excluded,
        "share_excluded": n_excluded / max(n_used + n_excluded, 1),
    }


def _trials_each(study: Trials) -> tuple[int, int, int]:
    """The fewest, the median and the most trials of those who have any."""
    n = study.n_trials[study.n_trials > 0]
    return (int(n.min()), int(np.median(n)), int(n.max())) if len(n) else (0, 0, 0)


def _excluded(study: Trials) -> dict[str, int]:
    """How many trials were left out for each reason that there was."""
    counts = {reason: int(each.sum()) for reason, each in study.excluded.items()}
    return {reason: count for reason, count in counts.items() if count}


def _errors(fit: Fit) -> dict[str, str]:
    """The mean share of errors of each condition in which there are answers."""
    means = _mean_errors(fit.people())
    return {level: percent(mean) for level, mean in means.items() if np.isfinite(mean)}


def _mean_errors(people: pd.DataFrame) -> dict[str, float]:
    """The mean share of errors of each condition; NaN where there is no answer."""
    return {
        level: float(np.mean(people[name].dropna()))
        for name, level in error_columns(people).items()
    }


def versions() -> list[tuple[str, str]]:
    """Python, the machine and the packages on which a result rests."""
    system = f"{platform.system()} {platform.machine()}"
    packages = [(name, metadata.version(name)) for name in VERSIONS]
    return [("Python", platform.python_version()), ("system", system), *packages]

"""Warnings about people whose posterior could not be corrected as it should be."""

from __future__ import annotations

import warnings

import numpy as np

from incongruent.data.trials import Trials
from incongruent.exact.likelihood import impossible_trials
from incongruent.exact.mcmc import MOST_STEPS, STEPS_PER_TIME
from incongruent.simulation.simulator import Simulator

Array = np.ndarray


def of_impossible_trials(simulator: Simulator, theta: Array, study: Trials, people: Array) -> None:
    """Warn of people with trials that the model cannot give.

    They keep the network's draws, with a k-hat of infinity.
    """
    if not len(people):
        return
    words = ", ".join(_impossible_words(simulator, theta[i], study, int(i)) for i in people[:10])
    warnings.warn(
        f"Expected trials that the model can give; {len(people)} of {len(study)} people have some"
        " whose probability is 0 at every draw:"
        f" {words}{', …' if len(people) > 10 else ''}. Their draws are the network's,"
        " uncorrected (k_hat is infinite). Exclude such trials, by a window for example, and fit"
        " again.",
        RuntimeWarning,
        stacklevel=4,
    )


def _impossible_words(simulator: Simulator, theta: Array, study: Trials, person: int) -> str:
    """How many impossible trials a person has, and how long the longest response time is."""
    wrong = impossible_trials(simulator, theta, study, person)
    longest = _words_of_longest(study, person, wrong)
    return f"{study.names[person]} ({int(wrong.sum()) or 'some'} trials{longest})"


def _words_of_longest(study: Trials, person: int, wrong: Array) -> str:
    """The longest response time of impossible trials; empty where it is not known."""
    if not wrong.any() or "rt" not in study.values:
        return ""
    return f", up to {float(np.max(study.values['rt'][person][wrong])):,.0f} ms"


def of_stuck_chains(names: list[str]) -> None:
    """Warn of people for whom MCMC did not move, if there are any."""
    if names:
        warnings.warn(
            f"Expected MCMC to move; it did not for {_participants(names)}. They keep draws with"
            " weights that cannot be trusted (k_hat).",
            RuntimeWarning,
            stacklevel=4,
        )


def of_short_chains(names: list[str]) -> None:
    """Warn of people for whom MCMC did not run long enough, if there are any."""
    if names:
        warnings.warn(
            f"Expected MCMC to reach {STEPS_PER_TIME} autocorrelation times within {MOST_STEPS}"
            f" steps; it did not for {_participants(names)}. Their draws depend on each other; see"
            " mcmc_steps and autocorrelation_time.",
            RuntimeWarning,
            stacklevel=4,
        )


def of_different_modes(names: list[str]) -> None:
    """Warn of people whose posterior has several modes, if there are any."""
    if names:
        warnings.warn(
            "Expected sampling from the network's draws and from the prior to find the same"
            f" posterior; they found different ones for {_participants(names)}. Both are in the"
            " draws. Look at their distributions; exact=True samples by MCMC to compare.",
            RuntimeWarning,
            stacklevel=4,
        )


def _participants(names: list[str]) -> str:
    """At most ten people by name, in words that cannot be taken for a number of people."""
    word = "participant" if len(names) == 1 else "participants"
    return f"{word} {', '.join(names[:10])}{', …' if len(names) > 10 else ''}"

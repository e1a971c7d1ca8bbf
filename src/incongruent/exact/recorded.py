"""Trials that are cut off at an end of which a network knows nothing.

Its posterior is that of trials without this end. The ratio of the two likelihoods makes the right
one of it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from incongruent.data.trials import Trials
from incongruent.exact.likelihood import in_blocks, likelihood_of, people_of
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.simulation.simulator import Simulator

Array = np.ndarray


def learned_with_another_end(posterior: Posterior | Ensemble) -> Simulator | None:
    """What a network has learned from, where answers ended elsewhere than in its simulator now.

    None where they end at the same time, and where the model has no exact likelihood to put that
    right.
    """
    learned, now = posterior.learned, posterior.simulator
    if learned is None or now.model.likelihood is None:
        return None
    before, after = learned.design, now.design
    same = (before.window, before.deadline) == (after.window, after.deadline)
    return None if same else learned


def ratio_of_recordings(
    before: Simulator, after: Simulator, theta: Array, study: Trials, *, workers: int | None = None
) -> Float[Array, "person draw"]:
    """Log likelihood under one simulator's design less that under another's, (person, draw).

    The two differ in how trials are recorded: window, deadline, or lattice. Both are computed at
    the fastest level of accuracy, whose error is the same for both. 0 for draws at which neither is
    possible.

    Args:
        before: model, and the design that is divided by.
        after: the same model, and the other design.
        theta: (person, draw, parameter).
        study: one data set a person.
        workers: threads; one for each core when left out.
    """
    likelihood, fastest = likelihood_of(after), [0] * len(study)
    old, new = (
        in_blocks(likelihood, people_of(simulator, study), theta, fastest, workers)
        for simulator in (before, after)
    )
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(old) | np.isfinite(new), new - old, 0.0)

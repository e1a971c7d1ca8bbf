"""Draws of one person that were sampled anew, by whichever way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Sampled:
    """Draws from the exact posterior of one person.

    Attributes:
        theta: (draw, parameter).
        log_likelihood: (draw,) exact.
        log_joint: (draw,) log prior density and log likelihood together.
        log_evidence: log p(trials), in nats.
        log_evidence_error: its Monte Carlo standard error; inf when it cannot be trusted.
        by: how they were sampled, one of `incongruent.posterior.draws.WAYS`.
        trusted: whether the draws can be used.
        accurate: whether a finer level of accuracy of the likelihood would change nothing.
        n_effective: their effective number before they were chosen; independent draws that would
            say as much.
        k_hat: shape of the largest importance weights; NaN without weights.
        efficiency: effective share of the draws before they were chosen; NaN without weights.
        disagreement: nats between the evidences of two starts; NaN where there are not two that
            settled.
        n_steps: steps of MCMC after burn-in; 0 without it.
        time: the longest autocorrelation time of the parameters, in steps; NaN without MCMC.
    """

    theta: Float[Array, "draw parameter"]
    log_likelihood: Float[Array, " draw"]
    log_joint: Float[Array, " draw"]
    log_evidence: float
    log_evidence_error: float
    by: str
    trusted: bool
    accurate: bool
    n_effective: float
    k_hat: float = float("nan")
    efficiency: float = float("nan")
    disagreement: float = float("nan")
    n_steps: int = 0
    time: float = float("nan")

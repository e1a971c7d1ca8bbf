"""Importance weights that are tempered until enough of the draws count."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import optimize, special

Array = np.ndarray

LOWEST_GAMMA = 1e-9
"""Weights are tempered so far at most."""


def tempered(
    log_weights: Float[Array, " draw"], fewest: float
) -> tuple[Float[Array, " draw"], float]:
    """Weights (draw,) with sum 1, tempered as far as an effective number asks for; and gamma."""
    if n_effective(log_weights) >= fewest:
        return special.softmax(log_weights), 1.0

    def excess(gamma: float) -> float:
        return n_effective(gamma * log_weights) - fewest

    if excess(LOWEST_GAMMA) <= 0.0:  # fewer draws than that are possible at all
        return special.softmax(LOWEST_GAMMA * log_weights), LOWEST_GAMMA
    found: Any = optimize.brentq(excess, 1e-6, 1.0, xtol=1e-4) if excess(1e-6) > 0.0 else 0.0
    if found < 1e-2:  # too small to be found so coarsely
        found = math.exp(_log_root(excess))
    gamma = min(float(found), 1.0 - 1e-9)
    return special.softmax(gamma * log_weights), gamma


def _log_root(excess: Callable[[float], float]) -> float:
    """The log of the gamma at which an excess is 0, between the lowest gamma and 1."""

    def at_log(log_gamma: float) -> float:
        return excess(math.exp(log_gamma))

    found: Any = optimize.brentq(at_log, math.log(LOWEST_GAMMA), 0.0, xtol=1e-4)
    return float(found)


def n_effective(log_weights: Array) -> float:
    """The effective number of draws with these weights (draw,); 0 where all of them are 0."""
    if not np.isfinite(log_weights).any():
        return 0.0
    return float(1.0 / (special.softmax(log_weights) ** 2).sum())

r"""Importance weights, Pareto-smoothed, and whether they can be trusted.

The largest weights are smoothed by a generalised Pareto distribution (Vehtari, Simpson, Gelman, Yao
& Gabry 2024, JMLR 25(72)); its shape k-hat says whether they can be trusted: up to min(1 - 1 /
log10 S, 0.7) for S draws they can.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from arviz_stats.base.array import array_stats
from jaxtyping import Float, Int

Array = np.ndarray

FEWEST_DRAWS = 25
"""With fewer the tail of the weights, and k-hat, cannot be estimated."""
SMALLEST_LOG_RATIO = -700.0
"""Weights smaller than exp of this, relative to the largest, count as 0."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Importance weights of the draws of many people.

    Attributes:
        log_weights: (person, draw), Pareto-smoothed, with sum 1 for each person.
        k_hat: (person,).
        ess: (person,), effective share of the draws, from 0 to 1.
        log_evidence: (person,).
        log_evidence_error: (person,), its Monte Carlo standard error.
    """

    log_weights: Float[Array, "person draw"]
    k_hat: Float[Array, " person"]
    ess: Float[Array, " person"]
    log_evidence: Float[Array, " person"]
    log_evidence_error: Float[Array, " person"]


def largest_k_hat(n_draws: int) -> float:
    """Largest k-hat at which the weights of so many draws can be trusted."""
    return min(1.0 - 1.0 / math.log10(max(n_draws, 11)), 0.7)


def weigh(log_joint: Float[Array, "person draw"], log_q: Float[Array, "person draw"]) -> Weights:
    """Importance weights from log p(theta) p(x | theta) and log q(theta | x), each (person, draw).

    People whose draws all have weight 0 get equal weights, an effective share of 0 and a k-hat of
    infinity.
    """
    ratios = _log_ratios(log_joint, log_q)
    largest = ratios.max(axis=1, initial=-np.inf)
    possible = np.isfinite(largest)
    relative = _relative(ratios, largest)
    ess = _effective_share(np.exp(relative))
    smoothed, k_hat = _smoothed_rows(relative)
    return Weights(
        log_weights=smoothed,
        k_hat=np.where(possible, k_hat, np.inf),
        ess=np.where(possible, ess, 0.0),
        log_evidence=_log_mean(relative) + np.where(possible, largest, -np.inf),
        log_evidence_error=np.where(possible, _error_of_mean(ess, log_q.shape[1]), np.inf),
    )


def _log_ratios(log_joint: Array, log_q: Array) -> Array:
    """Log of joint density over q, (person, draw); -inf where both are 0."""
    with np.errstate(invalid="ignore"):
        ratios = log_joint - log_q
    return np.where(np.isnan(ratios), -np.inf, ratios)


def _relative(log_ratios: Array, largest: Array) -> Array:
    """Log ratios (person, draw) less the largest (person,); 0 for people without a finite one."""
    possible = np.isfinite(largest)
    shifted = log_ratios - np.where(possible, largest, 0.0)[:, None]
    return np.where(possible[:, None], shifted, 0.0)


def _log_mean(log_ratios: Float[Array, "person draw"]) -> Float[Array, " person"]:
    """The log of the mean ratio of each person, (person,)."""
    return np.log(np.exp(log_ratios).mean(axis=1))


def _error_of_mean(ess: Float[Array, " person"], n_draws: int) -> Float[Array, " person"]:
    """Relative standard error of the mean of weights with this effective share, (person,)."""
    return np.sqrt(np.maximum(1.0 / ess - 1.0, 0.0) / n_draws)


def _effective_share(weights: Float[Array, "person draw"]) -> Float[Array, " person"]:
    """Effective share of the draws (person,) for weights (person, draw): (sum w)² / (S sum w²)."""
    return weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1) / weights.shape[1]


def _smoothed_rows(log_ratios: Array) -> tuple[Array, Array]:
    """Pareto-smoothed log weights (person, draw), and k-hat (person,)."""
    smoothed, k_hat = np.empty_like(log_ratios), np.empty(len(log_ratios))
    for i, row in enumerate(log_ratios):
        smoothed[i], k_hat[i] = _smoothed(row)
    return smoothed, k_hat


def _smoothed(log_ratios: Float[Array, " draw"]) -> tuple[Float[Array, " draw"], float]:
    """Pareto-smoothed log weights with sum 1, and k-hat.

    Where no tail can be fitted the weights are not smoothed, and k-hat is -inf when the largest
    weights are equal and inf when too few draws have any.
    """
    finite = np.maximum(log_ratios, SMALLEST_LOG_RATIO)
    k_hat = _k_hat_without_a_tail(finite, n_usable=_n_usable(log_ratios))
    if k_hat is not None:
        return _normalised(finite), k_hat
    smoothed, k_hat = _pareto_smoothed(finite)
    if not _may_be_used(smoothed, k_hat):
        return _normalised(finite), math.inf
    return smoothed, k_hat


def _n_usable(log_ratios: Float[Array, " draw"]) -> int:
    """How many draws have a weight above 0."""
    return int((log_ratios > SMALLEST_LOG_RATIO).sum())


def _may_be_used(smoothed: Float[Array, " draw"], k_hat: float) -> bool:
    """Whether smoothing gave numbers."""
    return bool(np.isfinite(smoothed).all() and np.isfinite(k_hat))


def _k_hat_without_a_tail(log_ratios: Float[Array, " draw"], n_usable: int) -> float | None:
    """K-hat of weights whose tail cannot be fitted; None when it can be.

    Args:
        log_ratios: (draw,), finite.
        n_usable: how many draws have a weight above 0.
    """
    n = len(log_ratios)
    if n_usable == n and _all_equal(log_ratios):
        return -math.inf
    if n_usable < _fewest_usable(n):
        return math.inf
    if _all_equal(np.sort(log_ratios)[-_tail_length(n) :]):  # so that nothing larger is to come
        return -math.inf
    return None


def _fewest_usable(n_draws: int) -> float:
    """Draws with a weight above 0 that are needed, so that there are more than the tail."""
    return max(FEWEST_DRAWS, 3.0 * math.sqrt(n_draws))


def _tail_length(n_draws: int) -> int:
    """How many of the largest weights are the tail."""
    return math.ceil(min(0.2 * n_draws, 3.0 * math.sqrt(n_draws)))


def _all_equal(log_ratios: Float[Array, " draw"]) -> bool:
    return bool(np.ptp(log_ratios) < 1e-9)


def _pareto_smoothed(log_ratios: Float[Array, " draw"]) -> tuple[Float[Array, " draw"], float]:
    """Log weights with sum 1 whose tail is a generalised Pareto distribution, and its shape k-hat.

    ArviZ takes log likelihoods, as leave-one-out cross-validation has them, and turns their sign.
    Its warning about a large k-hat is left out, since k-hat is reported.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        smoothed, k_hat = array_stats.psislw(-log_ratios)
    return _normalised(np.asarray(smoothed)), float(k_hat)


def _normalised(log_weights: Float[Array, " draw"]) -> Float[Array, " draw"]:
    """Log weights whose weights sum to 1."""
    return log_weights - np.log(np.exp(log_weights).sum())


def resample(weights: Weights, rngs: Sequence[np.random.Generator]) -> Int[Array, "person draw"]:
    """Positions of draws by weight, (person, draw), with one generator for each person.

    Resampling is systematic (Kitagawa 1996), and the order random.
    """
    rows = np.empty(weights.log_weights.shape, int)
    for i, rng in enumerate(rngs):
        log_weights = weights.log_weights[i]
        rows[i] = rng.permutation(systematic(log_weights, len(log_weights), rng.random()))
    return rows


def systematic(
    log_weights: Float[Array, " draw"], n_chosen: int, offset: float
) -> Int[Array, " chosen"]:
    """Positions of so many draws in rising order, each as often as its weight says, (chosen,).

    ``log_weights`` is (draw,), and ``offset`` a random number from 0 to 1.
    """
    ends = np.cumsum(np.exp(log_weights))
    places = (np.arange(n_chosen) + offset) / n_chosen
    found = np.searchsorted(ends / ends[-1], places, side="right")
    return np.minimum(found, len(log_weights) - 1)

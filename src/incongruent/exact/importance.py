r"""Importance weights, Pareto-smoothed, and what they say about themselves.

The largest weights are smoothed by a generalised Pareto distribution (Vehtari, Simpson, Gelman, Yao
& Gabry 2024, JMLR 25(72)); its shape k-hat says whether they can be trusted: up to min(1 - 1 /
log10 S, .7) for S draws they can.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from arviz_stats.base.array import array_stats

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

    log_weights: Array
    k_hat: Array
    ess: Array
    log_evidence: Array
    log_evidence_error: Array


def largest_k_hat(n_draws: int) -> float:
    """Largest k-hat at which the weights of so many draws can be trusted."""
    return min(1.0 - 1.0 / math.log10(max(n_draws, 11)), 0.7)


def weigh(log_joint: Array, log_q: Array) -> Weights:
    """Importance weights from log p(theta) p(x | theta) and log q(theta | x), each (person, draw)."""
    n_draws = log_q.shape[1]
    with np.errstate(invalid="ignore"):
        ratios = log_joint - log_q
    ratios = np.where(np.isnan(ratios), -np.inf, ratios)  # where both densities are 0
    top = ratios.max(axis=1, keepdims=True, initial=-np.inf)
    possible = np.isfinite(top[:, 0])
    shifted = np.where(possible[:, None], ratios - np.where(possible[:, None], top, 0.0), 0.0)
    plain = np.exp(shifted)
    ess = plain.sum(axis=1) ** 2 / (plain**2).sum(axis=1) / n_draws
    evidence = np.log(plain.mean(axis=1)) + np.where(possible, top[:, 0], -np.inf)
    error = np.sqrt(np.maximum(1.0 / ess - 1.0, 0.0) / n_draws)
    smoothed, k_hat = np.empty_like(shifted), np.empty(len(shifted))
    for i, row in enumerate(shifted):
        smoothed[i], k_hat[i] = _smoothed(row)
    k_hat, ess = np.where(possible, k_hat, np.inf), np.where(possible, ess, 0.0)
    return Weights(smoothed, k_hat, ess, evidence, np.where(possible, error, np.inf))


def _smoothed(log_ratios: Array) -> tuple[Array, float]:
    """Pareto-smoothed log weights with sum 1, and k-hat: -inf when all weights are equal, inf when
    too few draws have any.
    """
    usable = log_ratios > SMALLEST_LOG_RATIO
    finite = np.maximum(log_ratios, SMALLEST_LOG_RATIO)
    plain = finite - np.log(np.exp(finite).sum())
    if usable.all() and np.ptp(finite) < 1e-9:
        return plain, -math.inf
    if usable.sum() < max(FEWEST_DRAWS, 3.0 * math.sqrt(len(finite))):  # no more than the tail
        return plain, math.inf
    n_tail = math.ceil(min(0.2 * len(finite), 3.0 * math.sqrt(len(finite))))
    if (
        np.ptp(np.sort(finite)[-n_tail:]) < 1e-9
    ):  # the largest weights are equal, so nothing larger is to come
        return plain, -math.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about large k-hat, which is reported
        smoothed, k_hat = array_stats.psislw(
            -finite
        )  # it takes log likelihoods, as leave-one-out has them, and turns their sign
    smoothed = np.asarray(smoothed) - np.log(np.exp(smoothed).sum())
    if not (np.isfinite(smoothed).all() and np.isfinite(k_hat)):
        return plain, math.inf
    return smoothed, float(k_hat)


def resample(weights: Weights, rngs: Sequence[np.random.Generator]) -> Array:
    """Positions of draws by weight, (person, draw): systematically (Kitagawa 1996), in random
    order, with one generator for each person.
    """
    people, n = weights.log_weights.shape
    rows = np.empty((people, n), int)
    for i, rng in enumerate(rngs):
        ends = np.cumsum(np.exp(weights.log_weights[i]))
        found = np.searchsorted(ends / ends[-1], (np.arange(n) + rng.random()) / n, side="right")
        rows[i] = rng.permutation(np.minimum(found, n - 1))
    return rows

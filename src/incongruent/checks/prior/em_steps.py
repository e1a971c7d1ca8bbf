"""The steps of EM, compiled: moments of people's draws, weighted by population over prior."""

from __future__ import annotations

import numba
import numpy as np

N_STEPS = 200
TOLERANCE = 1e-3
SMALLEST_SD = 0.05
"""Of the prior's own; people never agree that well."""


@numba.njit(nogil=True, cache=True)
def climb_compiled(z, share, start):  # pragma: no cover - compiled
    """EM steps until they are small, for people with shares of the weight."""
    mean, log_sd = start[0].copy(), start[1].copy()
    log_ratio = np.empty(z.shape[1])
    for _ in range(N_STEPS):
        first, second = _weighted_moments(z, share, mean, np.exp(-2.0 * log_sd), log_ratio)
        new_log_sd = _log_sd_from(first, second)
        moved = max(np.abs(first - mean).max(), np.abs(new_log_sd - log_sd).max())
        mean, log_sd = first, new_log_sd
        if moved < TOLERANCE:
            break
    return np.stack((mean, log_sd))


@numba.njit(nogil=True, cache=True)
def _log_sd_from(first, second):  # pragma: no cover - compiled
    """The log SD with first and second moments, neither below a smallest one; (parameter,)."""
    return 0.5 * np.log(np.maximum(second - first**2, SMALLEST_SD**2))


@numba.njit(nogil=True, cache=True)
def _weighted_moments(z, share, mean, precision, log_ratio):  # pragma: no cover - compiled
    """First and second moments of draws weighted by population over prior, (parameter,)."""
    n_people, n_draws, n_parameters = z.shape
    first, second = np.zeros(n_parameters), np.zeros(n_parameters)
    for i in range(n_people):
        for s in range(n_draws):
            log_ratio[s] = _log_ratio_at(z[i, s], mean, precision)
        ratio = np.exp(log_ratio - log_ratio.max())
        ratio *= share[i] / ratio.sum()
        for s in range(n_draws):
            for k in range(n_parameters):
                first[k] += ratio[s] * z[i, s, k]
                second[k] += ratio[s] * z[i, s, k] ** 2
    return first, second


@numba.njit(nogil=True, cache=True)
def _log_ratio_at(z, mean, precision):  # pragma: no cover - compiled
    """The log of population over prior density at z (parameter,), up to a constant."""
    total = 0.0
    for k in range(len(z)):
        total += z[k] ** 2 - (z[k] - mean[k]) ** 2 * precision[k]
    return 0.5 * total

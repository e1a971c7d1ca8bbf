"""Times between which the forward equation has as much to do everywhere.

Each data set has the same number of steps, shared between the decay of the mass, the bending of the
mean path and the first moments after the start. Each of the three is a measure of time, and the
steps divide the weighted sum of the three measures into equal parts.
"""

from __future__ import annotations

import math

import numpy as np

from incongruent.models.compiling import kernel, step
from incongruent.models.first_passage import Paths
from incongruent.models.varying_drift import growth_of_spread

Array = np.ndarray

SURVIVAL_NATS = 21.0
"""The equation is solved until so much of the mass has decayed, e^-21 = 8e-10."""
SHARE_OF_DECAY, SHARE_OF_BENDING = 0.65, 0.25
"""How the time steps are shared out; the rest falls to the beginning."""


def equally_busy_times(probe: Paths, drift_sd: Array, n_steps: int) -> Array:
    """Times (dataset, n_steps + 1) between which as much happens, until almost nothing is left.

    The drift varies over trials with standard deviation drift_sd (dataset,), 1 / ms.
    """
    dt = np.maximum(np.diff(probe.times), 1e-300)
    bending = np.sqrt(8.0 * np.abs(probe.bow).max(axis=1))
    sharp = 0.01 * (probe.bound[:, 0] / probe.sigma) ** 2  # ms; how long the start stays sharp
    decay = _decay_rate(probe, drift_sd, dt) * dt
    return _equidistributed(probe.times, decay, bending, sharp, n_steps)


def _decay_rate(probe: Paths, drift_sd: Array, dt: Array) -> Array:
    """The rate at which the mass decays in each step of the slowest condition, (dataset, step).

    A brief push is over before it absorbs much. So a speed counts no further than the mean speed of
    the whole path. The slower of drifts that vary are the ones that are left: of speed v there are
    exp(-v^2 t / (2 sigma^2 c)) / sqrt(c) left at time t, c = 1 + drift_sd^2 t / sigma^2.
    """
    middle = 0.5 * (probe.bound[:, 1:] + probe.bound[:, :-1])
    by_drift = (_lasting_speed(probe, dt) ** 2 / (2.0 * probe.sigma**2)).min(axis=1)
    c = growth_of_spread(probe.times, drift_sd, probe.sigma)
    by_variation = 0.5 * np.diff(np.log(c)) / dt
    by_noise = (math.pi * probe.sigma / middle) ** 2 / 8.0
    return by_drift / (c[:, 1:] * c[:, :-1]) + by_variation + by_noise


def _lasting_speed(probe: Paths, dt: Array) -> Array:
    """Speed of the mean path in each step, at most that of the whole path.

    It is (dataset, condition, step).
    """
    lasting = np.abs(probe.increment.sum(axis=-1)) / probe.times[:, -1:]  # (dataset, condition)
    return np.minimum(np.abs(probe.increment) / dt[:, None], lasting[..., None])


@kernel
def _equidistributed(times, decay, bending, first, n_steps):  # pragma: no cover - compiled
    """Times (dataset, n_steps + 1) that divide the measure of each data set into equal parts.

    ``times`` (dataset, probe + 1) are the ends of the steps in which ``decay`` and ``bending``
    (dataset, probe) happen; ``first`` (dataset,) is how long the start stays sharp.
    """
    n_datasets, n_probe = decay.shape
    found = np.zeros((n_datasets, n_steps + 1))
    ends, measure = np.zeros(n_probe + 1), np.zeros(n_probe + 1)
    for i in range(n_datasets):
        ends[:] = times[i]
        last = _cut_where_little_is_left(ends, decay[i])
        _fill_measure(measure, ends[: last + 1], times[i], decay[i], bending[i], first[i])
        _divide(found[i], ends, measure, last)
    return found


@step
def _cut_where_little_is_left(ends, decay):  # pragma: no cover - compiled
    """Move the end of a step to where almost nothing is left; the number of steps until there."""
    n_steps, left = len(decay), SURVIVAL_NATS
    last = n_steps
    for k in range(n_steps):
        if decay[k] >= left:
            ends[k + 1] = ends[k] + (ends[k + 1] - ends[k]) * left / decay[k]
            last = k + 1
            break
        left -= decay[k]
    return last


@step
def _fill_measure(measure, ends, times, decay, bending, first):  # pragma: no cover - compiled
    """Fill in how much of the work is done at the end of each step, from 0 to 1."""
    n_steps = len(ends) - 1
    total_decay, total_bending = 0.0, 0.0
    for k in range(n_steps):
        part = _share_of_step(ends, times, k)
        total_decay += decay[k] * part
        total_bending += bending[k] * part
    total_start = math.log1p(ends[n_steps] / first)
    of_bending = SHARE_OF_BENDING if total_bending > 1e-9 else 0.0
    of_start = 1.0 - SHARE_OF_DECAY - SHARE_OF_BENDING
    of_decay = 1.0 - of_start - of_bending
    for k in range(n_steps):
        part = _share_of_step(ends, times, k)
        since_start = math.log1p(ends[k + 1] / first) - math.log1p(ends[k] / first)
        done = of_decay * decay[k] * part / total_decay
        done += of_start * since_start / total_start
        if of_bending > 0.0:
            done += of_bending * bending[k] * part / total_bending
        measure[k + 1] = measure[k] + done


@step
def _share_of_step(ends, times, k):  # pragma: no cover - compiled
    """How much of step k lies before its end was moved."""
    return (ends[k + 1] - ends[k]) / max(times[k + 1] - times[k], 1e-300)


@step
def _divide(found, ends, measure, last):  # pragma: no cover - compiled
    """Fill ``found`` with times between which the measure grows by equal parts."""
    n_steps, k = len(found) - 1, 0
    for j in range(1, n_steps):
        wanted = j * measure[last] / n_steps
        while measure[k + 1] < wanted:
            k += 1
        found[j] = ends[k] + (ends[k + 1] - ends[k]) * (wanted - measure[k]) / (
            measure[k + 1] - measure[k]
        )
    found[n_steps] = ends[last]

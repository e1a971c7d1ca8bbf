r"""First passages of a diffusion through two bounds, simulated without discretisation bias.

    dX = m'(t) dt + sigma dW,    X(0) = b(0) (2 Beta(alpha, alpha) - 1)
    stop at X = b(t) (upper) or X = -b(t) (lower)

Within a step from (t0, x0) to (t1, x1) the path is a Brownian bridge around the chord plus a known
bow m(t) - chord(t). For a bridge and a bound that is straight within the step, with distances a0
and a1 of the two ends from it, the chance of a crossing is exp(-2 a0 a1 / (sigma^2 dt)), and the
time of the first crossing is dt X / (1 + X) with X ~ InverseGaussian(mean a0 / a1, shape a0^2 /
(sigma^2 dt)). A bow of height g in the middle changes the exponent, to first order, by the factor
1 - 4 g / (a0 + a1): the most likely crossing bridge touches the bound at the share a0 / (a0 + a1)
of the step, where a parabolic bow has moved it by 4 g a0 a1 / (a0 + a1)^2. With this term a step
may be as long as the drift stays parabolic, not constant.

``scheme="euler"`` looks at the path only at the ends of the steps, as published software does; its
bounds act as if they stood 0.58 sigma sqrt(dt) further out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from incongruent.models.compiling import fast_kernel, step

Array = np.ndarray

NEGLIGIBLE_EXPONENT = 16.0
"""Crossings less likely than exp(-16), one in nine million, are not looked for."""


@dataclass(frozen=True, eq=False)
class Paths:
    """What a diffusion does on average, for many data sets.

    Each data set has its own grid of time steps.

    Attributes:
        times: (dataset, step + 1) ends of the steps in ms, from 0.
        increment: (dataset, condition, step) mean change of the process within each step.
        bow: (dataset, condition, step) by how much the mean path stands above its chord in the
            middle of the step.
        bound: (dataset, step + 1) distance of either bound from zero at the ends of the steps.
        sigma: diffusion constant, 1 / sqrt(ms).
    """

    times: Array
    increment: Array
    bow: Array
    bound: Array
    sigma: float


@dataclass(frozen=True, eq=False)
class TrialEffects:
    """What varies from trial to trial besides the noise of the path; every array is (dataset,).

    Attributes:
        start: (knot,) start points as shares of the bound at equally spaced probabilities; a single
            0 is a point start.
        mu_R: mean of the non-decision time in ms.
        sd_R: its standard deviation in ms; negative non-decision times are drawn again.
        drift_sd: standard deviation of the constant part of the drift, 1 / ms.
        lapse: probability that a trial has nothing to do with the diffusion: response at random, RT
            uniform in ``lapse_range``.
        lapse_range: shortest and longest RT of a lapse in ms.
    """

    start: Array
    mu_R: Array
    sd_R: Array
    drift_sd: Array
    lapse: Array
    lapse_range: tuple[float, float]


class Outcomes(NamedTuple):
    """What comes of simulated trials; every array is (dataset, trial).

    Attributes:
        rt: in ms (float32).
        response: 0 upper bound, 1 lower bound (int8).
        answered: whether there was an answer.
    """

    rt: Array
    response: Array
    answered: Array


def no_outcomes(shape: tuple[int, ...]) -> Outcomes:
    """Outcomes to be filled in; no trial is answered yet."""
    return Outcomes(
        np.zeros(shape, np.float32), np.zeros(shape, np.int8), np.zeros(shape, np.bool_)
    )


class _Moving(NamedTuple):
    """The fields of `Paths` for compiled functions, with the SD of the noise of each step."""

    times: Array
    increment: Array
    bow: Array
    bound: Array
    noise: Array
    bridge: bool


class _Varying(NamedTuple):
    """The fields of `TrialEffects` for compiled functions."""

    start: Array
    mu_R: Array
    sd_R: Array
    drift_sd: Array
    lapse: Array
    lapse_low: float
    lapse_high: float


@lru_cache(maxsize=16)
def beta_start(alpha: float, n_knots: int = 8193) -> Array:
    """Inverse distribution function of 2 Beta(alpha, alpha) - 1, (knot,).

    It is given at equally spaced probabilities.

    It is steep at its ends, where a straight line between knots brings starts too close to the
    bound; with 1025 knots that alone made a hundredth of the errors where errors are rare.
    """
    return 2.0 * stats.beta(alpha, alpha).ppf(np.linspace(0.0, 1.0, n_knots)) - 1.0


@fast_kernel
def crosses(rng, a0, a1, variance, bow):  # pragma: no cover - compiled
    """Whether a bridge between two places at distances a0, a1 > 0 inside of a bound crosses it."""
    exponent = 2.0 * a0 * a1 / variance
    if exponent >= NEGLIGIBLE_EXPONENT:
        return False
    exponent *= max(0.0, 1.0 - 4.0 * bow / (a0 + a1))
    return rng.random() < math.exp(-exponent)


@fast_kernel
def crossing_share(rng, a0, a1, variance):  # pragma: no cover - compiled
    """The share of the step that is over when the bridge first touches the bound.

    X is drawn by the method of Michael, Schucany & Haas (1976).
    """
    mean = a0 / max(a1, 1e-12)
    shape = a0 * a0 / variance
    w = mean * rng.standard_normal() ** 2 / shape
    x = mean * (1.0 + 0.5 * w - 0.5 * math.sqrt(w * (4.0 + w)))
    if rng.random() * (mean + x) > mean:
        x = mean * mean / max(x, 1e-300)
    return x / (1.0 + x)


@fast_kernel
def _passage(
    rng, x, extra_drift, i, c, times, increment, bow, bound, noise, bridge
):  # pragma: no cover - compiled
    """Time and side (1 upper, 0 lower, -1 none) of the first passage of a path that starts at x.

    The path is of data set i in condition c. Whole arrays and two positions come in, since slices
    would cost a third of the time; a function for what happens in a step would cost a fifth.
    """
    for k in range(increment.shape[2]):
        if noise[i, k] <= 0.0:  # the grid of this data set has ended
            break
        end = x + increment[i, c, k] + noise[i, k] * rng.standard_normal()
        if extra_drift != 0.0:
            end += extra_drift * (times[i, k + 1] - times[i, k])
        up0, up1 = bound[i, k] - x, bound[i, k + 1] - end
        low0, low1 = bound[i, k] + x, bound[i, k + 1] + end
        variance = noise[i, k] * noise[i, k]
        side = -1
        if up1 <= 0.0:
            side = 1
        elif low1 <= 0.0:
            side = 0
        elif bridge:
            if crosses(rng, up0, up1, variance, bow[i, c, k]):
                side = 1
            elif crosses(rng, low0, low1, variance, -bow[i, c, k]):
                side = 0
        if side >= 0:
            if not bridge:
                return times[i, k + 1], side
            a0, a1 = (up0, up1) if side == 1 else (low0, low1)
            share = crossing_share(rng, a0, abs(a1), variance)
            return times[i, k] + (times[i, k + 1] - times[i, k]) * share, side
        x = end
    return 0.0, -1


@fast_kernel
def start_share(rng, start):  # pragma: no cover - compiled
    """A start point as a share of the bound, read off the table ``start`` (knot,)."""
    if len(start) == 1:
        return start[0]
    place = rng.random() * (len(start) - 1)
    knot = int(place)
    return start[knot] + (place - knot) * (start[knot + 1] - start[knot])


@fast_kernel
def non_decision(rng, mean, sd):  # pragma: no cover - compiled
    """One Normal(mean, sd) cut at zero."""
    value = mean + sd * rng.standard_normal()
    while value < 0.0:
        value = mean + sd * rng.standard_normal()
    return value


@step
def answer_at_random(rng, shortest, longest):  # pragma: no cover - compiled
    """RT and response of a lapse."""
    rt = shortest + (longest - shortest) * rng.random()
    return rt, 1 if rng.random() < 0.5 else 0


@fast_kernel
def _fill(rng, moving, varying, condition, present, outcomes):  # pragma: no cover - compiled
    """Fill in the outcomes of every trial that is present."""
    times, increment, bow, bound, noise, bridge = moving
    start, mu_R, sd_R, drift_sd, lapse, lapse_low, lapse_high = varying
    rt, response, answered = outcomes
    for i in range(condition.shape[0]):
        for j in range(condition.shape[1]):
            if not present[i, j]:
                continue
            if lapse[i] > 0.0 and rng.random() < lapse[i]:
                rt[i, j], response[i, j] = answer_at_random(rng, lapse_low, lapse_high)
                answered[i, j] = True
                continue
            place = start_share(rng, start) * bound[i, 0]
            extra = drift_sd[i] * rng.standard_normal() if drift_sd[i] > 0.0 else 0.0
            c = condition[i, j]
            time, side = _passage(
                rng, place, extra, i, c, times, increment, bow, bound, noise, bridge
            )
            if side >= 0:
                rt[i, j] = time + non_decision(rng, mu_R[i], sd_R[i])
                response[i, j] = 1 - side  # "correct" comes first, and is the upper bound
                answered[i, j] = True


def simulate_passages(
    paths: Paths,
    effects: TrialEffects,
    condition: Array,
    present: Array,
    rng: np.random.Generator,
    *,
    scheme: str = "bridge",
) -> Outcomes:
    """Simulate every trial of every data set.

    The compiled loop holds no interpreter lock, so threads run it side by side.

    Args:
        paths: mean paths and bounds; ``condition`` points into their condition axis.
        effects: start point, non-decision time, drift variability, lapses.
        condition: (dataset, trial) int8.
        present: (dataset, trial) bool; nothing is simulated where it is False.
        rng: the source of randomness.
        scheme: "bridge" or "euler".

    Returns:
        What came of the trials. A path that has met no bound at the end of the grid has no answer.
    """
    moving, varying = _moving(paths, bridge=scheme == "bridge"), _varying(effects)
    outcomes = no_outcomes(condition.shape)
    _fill(rng, moving, varying, condition, present, outcomes)
    return outcomes


def _moving(paths: Paths, *, bridge: bool) -> _Moving:
    """The paths for compiled functions, with the SD of the noise in each step."""
    noise = paths.sigma * np.sqrt(np.diff(paths.times))  # (dataset, step)
    return _Moving(paths.times, paths.increment, paths.bow, paths.bound, noise, bridge)


def _varying(effects: TrialEffects) -> _Varying:
    """What varies over trials, for compiled functions."""
    return _Varying(
        effects.start,
        effects.mu_R,
        effects.sd_R,
        effects.drift_sd,
        effects.lapse,
        *map(float, effects.lapse_range),
    )

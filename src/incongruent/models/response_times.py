r"""Response-time densities and likelihoods of first-passage models, from absorbed masses.

RT = first passage + R with R ~ Normal(mu_R, sd_R) cut at 0. Decision times are gathered into short
bins, shorter at each level of accuracy and where the cut lies in the midst of R; the density of the
RT is the sum over bins of mass times the density of R, and a trial's log density is read off a
polynomial through its logarithms at equally spaced times. Trials that a design does not keep do not
exist: densities are scaled to those it keeps. Lapses are mixed in; several shares of them cost
hardly more than one. Where RTs are recorded in steps, the density is averaged over the step around
each of them, by Gauss and Legendre.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from incongruent.models.bin_layout import Span, layout_of
from incongruent.models.compiling import kernel, step
from incongruent.models.decision_bins import Solved, middles_of
from incongruent.models.density_grid import (
    fill_log_densities,
    logarithm,
    read_off,
    summed_density,
)
from incongruent.models.drift_mixture import Drifts, drifts_of
from incongruent.models.first_passage import Paths, TrialEffects
from incongruent.models.forward_equation import PathsOn, Resolution, first_passages
from incongruent.models.intervals import POINTS, n_points_for, take_means
from incongruent.models.kept_shares import (
    NO_EDGE,
    Rules,
    Shares,
    add_shares,
    log_share_kept,
    mixed,
    shares_of_lapses,
)
from incongruent.models.model import Kept
from incongruent.models.non_decision import residual_of

Array = np.ndarray

PathsOf = Callable[[Array, Array | None], Paths]
"""Mean paths of the parameter values at some positions, on given times or the simulator's own.

The second argument is None for the simulator's own times."""

SMALLEST_SD = 1.0
"""A non-decision time that varies by less than this, in ms, counts as varying by this."""


@dataclass(frozen=True, eq=False)
class Observed:
    """The trials of one data set, as the likelihood reads them.

    Attributes:
        condition: (trial,) position on the condition axis of the paths; answered trials only.
        side: (trial,) 0 for the upper bound, 1 for the lower.
        rt: (trial,) in ms.
        unanswered: (condition,) trials without an answer.
    """

    condition: Array
    side: Array
    rt: Array
    unanswered: Array


class _Effects(NamedTuple):
    """What varies over trials besides the path, for compiled functions.

    Attributes:
        mu_R: (theta,) in ms.
        sd_R: (theta,) in ms.
        lapse: (theta, rate) shares of lapses.
        lapse_low: shortest RT of a lapse in ms.
        lapse_high: longest RT of a lapse in ms.
    """

    mu_R: Array
    sd_R: Array
    lapse: Array
    lapse_low: float
    lapse_high: float


class _Trials(NamedTuple):
    """The fields of `Observed`, for compiled functions.

    Attributes:
        step: width of the interval around each RT over which the density is averaged; 0 for none.
    """

    condition: Array
    side: Array
    rt: Array
    unanswered: Array
    step: float


def log_likelihood(
    paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution
) -> Array:
    """Log likelihood of one data set at many parameter values.

    Args:
        paths_of: mean paths of some of the parameter values on given times.
        effects: of every parameter value, (theta,).
        observed: the trials.
        kept: which trials exist.
        resolution: how finely the forward equation is solved.

    Returns:
        (theta,), in nats; (theta, rate) when ``effects.lapse`` is (theta, rate), at hardly more
        cost.
    """
    no_trials = np.empty((0, len(observed.rt)))
    total = _evaluated(paths_of, effects, observed, kept, resolution, no_trials)
    return total.reshape(effects.lapse.shape)


def log_densities(
    paths_of: PathsOf, effects: TrialEffects, observed: Observed, kept: Kept, resolution: Resolution
) -> Array:
    """Log density of every answered trial at many parameter values, (theta, trial).

    Arguments are those of `log_likelihood`; densities are in 1 / ms.
    """
    answered = replace(observed, unanswered=np.zeros_like(observed.unanswered))
    each = np.empty((len(effects.mu_R), len(observed.rt)))
    _evaluated(paths_of, effects, answered, kept, resolution, each)
    return each


def _evaluated(
    paths_of: PathsOf,
    effects: TrialEffects,
    observed: Observed,
    kept: Kept,
    resolution: Resolution,
    each: Array,
) -> Array:
    """Log likelihoods (theta, rate); log densities are put into ``each`` (theta, trial) or none."""
    solved = _solved(paths_of, effects, resolution)
    varying = _effects(effects)
    total = np.empty(varying.lapse.shape)
    trials = _trials(observed, kept.step)
    _log_likelihood(solved, varying, _rules(kept), trials, resolution.bins, total, each)
    return total


def _solved(paths_of: PathsOf, effects: TrialEffects, resolution: Resolution) -> Solved:
    """First passages of every parameter value, in one row or, where its drift varies much, more."""
    drifts = _drifts(paths_of, effects, resolution)
    paths_on = _with_drifts(paths_of, drifts)
    found = first_passages(paths_on, effects.start, drifts.sd, resolution)
    rows = (drifts.first, drifts.weight)
    return Solved(found.times, found.later, found.decay, found.never, found.horizon, *rows)


def _drifts(paths_of: PathsOf, effects: TrialEffects, resolution: Resolution) -> Drifts:
    """The drifts of every parameter value, around that of the mean path."""
    at_start = paths_of(np.arange(len(effects.drift_sd)), np.zeros((len(effects.drift_sd), 1)))
    return drifts_of(effects.drift_sd, at_start.bound[:, 0], at_start.sigma, resolution.level)


def _with_drifts(paths_of: PathsOf, drifts: Drifts) -> PathsOn:
    """Mean paths in rows, each with its own extra drift."""

    def paths_on(times: Array | None) -> Paths:
        paths = paths_of(drifts.theta, times)
        return _drifted(paths, drifts.extra) if drifts.extra.any() else paths

    return paths_on


def _drifted(paths: Paths, extra: Array) -> Paths:
    """The same paths with an extra drift in each row, (dataset,) in 1 / ms."""
    change = (extra[:, None] * np.diff(paths.times))[:, None, :]
    return replace(paths, increment=paths.increment + change)


def _effects(effects: TrialEffects) -> _Effects:
    shortest, longest = map(float, effects.lapse_range)
    lapse = np.ascontiguousarray(effects.lapse.reshape(len(effects.mu_R), -1))
    return _Effects(effects.mu_R, np.maximum(effects.sd_R, SMALLEST_SD), lapse, shortest, longest)


def _rules(kept: Kept) -> Rules:
    low, high = kept.window if kept.window is not None else (0.0, NO_EDGE)
    deadline = kept.deadline if kept.deadline is not None else NO_EDGE
    return Rules(float(low), float(min(high, NO_EDGE)), float(min(deadline, NO_EDGE)))


def _trials(observed: Observed, step: float) -> _Trials:
    return _Trials(
        observed.condition.astype(np.int64),
        observed.side.astype(np.int64),
        observed.rt.astype(float),
        observed.unanswered.astype(float),
        float(step),
    )


@kernel
def _log_likelihood(
    solved, effects, rules, trials, fineness, total, each
):  # pragma: no cover - compiled
    """Fill ``total`` (theta, rate) with log likelihoods, and ``each`` with log densities.

    ``each`` is (theta, trial), or (0, trial) when they are not needed.
    """
    n_conditions, n_rates = solved.later.shape[1], effects.lapse.shape[1]
    span, n_answered = _span(trials, rules), _counts(trials.condition, n_conditions)
    lapses = shares_of_lapses(effects.lapse_low, effects.lapse_high, rules)
    log_kept = np.empty((n_conditions, n_rates))
    rates, unanswered = effects.lapse, trials.unanswered
    for i in range(len(total)):
        residual = residual_of(effects.mu_R[i], effects.sd_R[i])
        layout = layout_of(solved, i, residual, span, fineness)
        logs = np.empty((n_conditions, 2, layout.n_places))
        total[i] = 0.0
        for c in range(n_conditions):
            shares = _fill_condition(solved, i, c, layout, residual, rules, logs[c])
            for e in range(n_rates):
                with_lapses = mixed(shares, lapses, rates[i, e])
                log_kept[c, e] = log_share_kept(with_lapses)
                if unanswered[c] > 0.0:
                    silent = logarithm(with_lapses.silent) - log_kept[c, e]
                    total[i, e] += unanswered[c] * silent
                if n_answered[c] > 0.0:
                    total[i, e] -= n_answered[c] * log_kept[c, e]
        _add_answered(solved, i, layout, residual, effects, trials, logs, log_kept, total, each)


@step
def _span(trials, rules):  # pragma: no cover - compiled
    """The times between which densities and probabilities are asked for."""
    rt, shortest, longest = trials.rt, NO_EDGE, 0.0
    for j in range(len(rt)):
        shortest, longest = min(shortest, rt[j]), max(longest, rt[j])
    if len(rt) == 0:
        shortest, longest = 100.0, 101.0
    shortest, longest = max(shortest - 0.5 * trials.step, 0.0), longest + 0.5 * trials.step
    furthest = longest
    for edge in (rules.high, rules.deadline):
        if edge < NO_EDGE:
            furthest = max(furthest, edge)
    return Span(shortest, longest, furthest)


@step
def _counts(condition, n_conditions):  # pragma: no cover - compiled
    """How many answered trials there are in each condition."""
    counts = np.zeros(n_conditions)
    for j in range(len(condition)):
        counts[condition[j]] += 1.0
    return counts


@step
def _fill_condition(solved, i, c, layout, residual, rules, logs):  # pragma: no cover - compiled
    """Fill ``logs`` (side, place) with log densities of a condition; its shares without lapses."""
    shares = Shares(0.0, 0.0, 0.0)
    for s in range(2):
        early = middles_of(solved, i, c, s, layout.early)
        later = middles_of(solved, i, c, s, layout.later)
        fill_log_densities(logs[s], layout, early, later, residual)
        shares = add_shares(shares, early, later, residual, rules)
    silent = shares.silent
    for row in range(solved.first[i], solved.first[i + 1]):
        silent += solved.weight[row] * solved.never[row, c]
    return Shares(shares.below, shares.above, silent)


@step
def _add_answered(
    solved, i, layout, residual, effects, trials, logs, log_kept, total, each
):  # pragma: no cover - compiled
    """Add the log densities of the answered trials to row i of ``total``.

    Row i of ``each`` is filled with them, where it has such a row.
    """
    rt, condition, rates, step = trials.rt, trials.condition, effects.lapse, trials.step
    shortest, longest = effects.lapse_low, effects.lapse_high
    logs_at = np.empty((n_points_for(step, residual.sd), len(rt)))
    _fill_logs_at(solved, i, layout, residual, trials, logs, logs_at)
    take_means(logs_at)
    for j in range(len(rt)):
        value = logs_at[0, j]
        likely = math.exp(value)
        of_lapse = _density_of_lapse(rt[j], step, shortest, longest)
        for e in range(rates.shape[1]):
            log_mixture = _mixed_log(value, likely, of_lapse, rates[i, e])
            total[i, e] += log_mixture
            if e == 0 and len(each):
                each[i, j] = log_mixture - log_kept[condition[j], 0]


@step
def _fill_logs_at(
    solved, i, layout, residual, trials, logs, logs_at
):  # pragma: no cover - compiled
    """Fill ``logs_at`` (point, trial) with log densities at the points of each trial's interval.

    They are without lapses; a single point is the RT itself.
    """
    n_points = len(logs_at)
    for k in range(n_points):
        offset = POINTS[n_points, k] * trials.step
        for j in range(len(trials.rt)):
            t, c, s = trials.rt[j] + offset, trials.condition[j], trials.side[j]
            if t > layout.latest or t < 0.0:
                logs_at[k, j] = -math.inf
            elif t < layout.summed_until:
                logs_at[k, j] = logarithm(summed_density(t, solved, i, c, s, residual))
            else:
                place = t / layout.width - layout.first_place
                logs_at[k, j] = read_off(logs[c, s], int(place), place - int(place))


@step
def _density_of_lapse(rt, width, shortest, longest):  # pragma: no cover - compiled
    """The density of an answer at random, uniform in time, in 1 / ms.

    It is the mean over an interval around the RT, or that at the RT for a width of 0.
    """
    density = 0.5 / (longest - shortest)
    if width == 0.0:
        return density if shortest <= rt <= longest else 0.0
    inside = min(rt + 0.5 * width, longest) - max(rt - 0.5 * width, shortest)
    return density * max(inside, 0.0) / width


@step
def _mixed_log(value, likely, of_lapse, rate):  # pragma: no cover - compiled
    """The log density with a share of lapses, from the log density and the density without."""
    if rate > 0.0:
        return logarithm((1.0 - rate) * likely + rate * of_lapse)
    return value

"""The signed statistics of the predictive panel: names, units, words, and one compiled pass over
all data sets.

They are those of `checks.statistics` and a few more, computed together because the panel needs them
for hundreds of thousands of simulated data sets; a test holds the two against each other.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from incongruent.checks.statistics import N_BINS, PROBABILITIES
from incongruent.data.trials import CONDITION, CONFLICT_TASK, RESPONSE, Trials

Array = np.ndarray

FAST = 250.0
"""Answers before this RT, in ms, are fast ones."""
BIN_WORDS = ("fastest", "second fastest", "middle", "second slowest", "slowest")
AT_ONCE = 256
"""Data sets in the hands of one thread."""
PER_LEVEL = len(PROBABILITIES) + 5 + N_BINS


@dataclass(frozen=True)
class Statistic:
    """One statistic of a data set.

    Attributes:
        name: short, with the condition.
        unit: "ms", "%", "ms per 100 ms", or "" for a pure number.
        words: what it is, as the subject of a sentence.
        group: under which heading it stands: a condition, "delta function" or "all trials".
    """

    name: str
    unit: str
    words: str
    group: str

    def shown(self, value: float) -> str:
        """A value with its unit."""
        if np.isnan(value):
            return "none"
        digits = {"ms": 0, "%": 1, "ms per 100 ms": 1}.get(self.unit, 2)
        number = f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")  # + 0.0 lest it be −0
        return f"{number} {self.unit}".rstrip()


def _of_level(level: str) -> list[Statistic]:
    def one(name: str, unit: str, words: str) -> Statistic:
        return Statistic(f"{name}, {level}", unit, f"{words} in {level} trials", level)

    quantiles = [
        one(f"RT quantile .{10 * p:.0f}", "ms", f"the {100 * p:.0f} % quantile of correct RTs")
        for p in PROBABILITIES
    ]
    moments = [
        one("mean RT", "ms", "the mean correct RT"),
        one("SD of RT", "ms", "the standard deviation of correct RTs"),
        one("skewness of RT", "", "the skewness of correct RTs"),
        one("errors", "%", "the share of errors"),
        one("error − correct RT", "ms", "the mean RT of errors minus that of correct answers"),
    ]
    bins = [
        one(
            f"accuracy, RT bin {k + 1}", "%", f"the accuracy of the {BIN_WORDS[k]} fifth of answers"
        )
        for k in range(N_BINS)
    ]
    return quantiles + moments + bins


def statistics_for(study: Trials) -> tuple[Statistic, ...]:
    """The statistics that a study of a conflict task has: fifteen for each condition, six of the
    delta function where there are congruent and incongruent trials, the share of fast answers, and
    omissions where some trial has no answer.

    Raises:
        ValueError: when the trials are not those of a conflict task.
    """
    if set(study.columns) != set(CONFLICT_TASK):
        raise ValueError(
            "Expected trials of a conflict task, with condition, response and rt; got"
            f" {[c.name for c in study.columns]}."
        )
    levels = levels_in(study)
    out = [statistic for level in levels for statistic in _of_level(level)]
    if {"congruent", "incongruent"} <= set(levels):
        words = "the congruency effect (incongruent − congruent RT) at the"
        out += [
            Statistic(
                f"delta at .{10 * p:.0f}",
                "ms",
                f"{words} {100 * p:.0f} % quantile",
                "delta function",
            )
            for p in PROBABILITIES
        ]
        out.append(
            Statistic(
                "delta, last slope",
                "ms per 100 ms",
                "the slope of the delta function at slow responses",
                "delta function",
            )
        )
    out.append(
        Statistic(
            f"RT < {FAST:.0f} ms",
            "%",
            f"the share of answers faster than {FAST:.0f} ms",
            "all trials",
        )
    )
    if (study.present & ~study.answered).any():
        out.append(
            Statistic("omissions", "%", "the share of trials without an answer", "all trials")
        )
    return tuple(out)


def levels_in(study: Trials) -> tuple[str, ...]:
    """The conditions that occur, in their own order."""
    return tuple(level for level in CONDITION.levels if study.where(CONDITION.name, level).any())


def panel_values(trials: Trials, statistics: tuple[Statistic, ...]) -> Array:
    """The values of the statistics of `statistics_for`, (dataset, statistic), in their units; NaN
    where there is nothing to compute them from.

    A standard deviation needs two correct answers, a skewness three; times and shares need one.
    """
    levels = [level for level in CONDITION.levels if any(s.group == level for s in statistics)]
    codes = np.array([CONDITION.levels.index(level) for level in levels], np.int8)
    pair = (
        [levels.index(level) for level in ("congruent", "incongruent")]
        if {"congruent", "incongruent"} <= set(levels)
        else [-1, -1]
    )
    out = np.full(
        (len(trials), len(codes) * PER_LEVEL + (len(PROBABILITIES) + 1) * (pair[0] >= 0) + 2),
        np.nan,
    )
    correct = RESPONSE.levels.index("correct")
    right = trials.values[RESPONSE.name] == correct

    def one(start: int) -> None:
        rows = slice(start, start + AT_ONCE)
        rt, condition = (
            np.ascontiguousarray(trials.values[name][rows]) for name in ("rt", CONDITION.name)
        )
        here = [
            np.ascontiguousarray(mask[rows]) for mask in (right, trials.answered, trials.present)
        ]
        _fill(
            rt,
            condition,
            here[0],
            here[1],
            here[2],
            codes,
            pair[0],
            pair[1],
            np.asarray(PROBABILITIES),
            FAST,
            out[rows],
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, range(0, len(trials), AT_ONCE)))
    return out[:, : len(statistics)]


def noise_of(observed: Array, predicted: Array, statistics: tuple[Statistic, ...]) -> Array:
    """By what the sampling noise of each statistic grows from data set to data set, up to a
    constant, (…, statistic): quantiles vary with the gap between the predicted quantiles beside
    them, means with the predicted SD, those of errors also with the number of errors, shares as
    binomial ones.
    """
    place = {s.name: i for i, s in enumerate(statistics)}
    last, tags = len(PROBABILITIES) - 1, [f".{10 * p:.0f}" for p in PROBABILITIES]

    def spacing(k: int, level: str) -> Array:
        above, below = (
            predicted[..., place[f"RT quantile {tags[j]}, {level}"]]
            for j in (min(k + 1, last), max(k - 1, 0))
        )
        return np.maximum(above - below, 1.0)  # not below 1 ms

    noise = np.ones_like(predicted)
    for i, s in enumerate(statistics):
        if s.unit == "%":
            noise[..., i] = np.sqrt((predicted[..., i] + 1.0) * (101.0 - predicted[..., i]))
        elif s.name.startswith("delta at"):
            k = tags.index(s.name.removeprefix("delta at "))
            noise[..., i] = np.hypot(spacing(k, "congruent"), spacing(k, "incongruent"))
        elif s.name.startswith("skewness"):
            noise[..., i] = 0.5 + np.abs(predicted[..., i])
        elif s.name.startswith("RT quantile"):
            noise[..., i] = spacing(tags.index(s.name.split()[2].rstrip(",")), s.group)
        elif s.unit == "ms":
            spread = np.maximum(predicted[..., place[f"SD of RT, {s.group}"]], 1.0)
            few = (
                np.sqrt(np.maximum(observed[..., place[f"errors, {s.group}"]], 1e-3))
                if s.name.startswith("error −")
                else 1.0
            )
            noise[..., i] = spread / few
    return noise


@numba.njit(nogil=True, cache=True)
def _quantile(ordered, probability):  # pragma: no cover - compiled
    """Linear between order statistics."""
    place = (len(ordered) - 1) * probability
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@numba.njit(nogil=True, cache=True)
def _of_correct(rt, out):  # pragma: no cover - compiled
    """Mean, SD and skewness; returns the mean."""
    n = len(rt)
    mean = 0.0
    for value in rt:
        mean += value
    mean /= n
    second, third = 0.0, 0.0
    for value in rt:
        second += (value - mean) ** 2
        third += (value - mean) ** 3
    out[0] = mean
    if n > 1:
        out[1] = np.sqrt(second / (n - 1))
    if n > 2 and second > 0.0:
        out[2] = third / n / (second / n) ** 1.5
    return mean


@numba.njit(nogil=True, cache=True)
def _of_condition(rt, correct, probabilities, n_bins, out):  # pragma: no cover - compiled
    """The fifteen statistics of the answers of one condition, in the order of `_of_level`."""
    n, n_quantiles = len(rt), len(probabilities)
    order = np.argsort(rt, kind="mergesort")
    n_correct, error_sum, k = 0, 0.0, 0
    right = np.empty(n, np.float64)
    bins = np.zeros((n_bins, 2))
    for rank in range(n):
        i = order[rank]
        bins[rank * n_bins // n, 0] += 1.0
        if correct[i]:
            right[k] = rt[i]
            bins[rank * n_bins // n, 1] += 1.0
            k += 1
        else:
            error_sum += rt[i]
    n_correct = k
    if n_correct > 0:
        for q in range(n_quantiles):
            out[q] = _quantile(right[:n_correct], probabilities[q])
        mean = _of_correct(right[:n_correct], out[n_quantiles : n_quantiles + 3])
        if n_correct < n:
            out[n_quantiles + 4] = error_sum / (n - n_correct) - mean
    out[n_quantiles + 3] = 100.0 * (n - n_correct) / n
    for b in range(n_bins):
        if bins[b, 0] > 0.0:
            out[n_quantiles + 5 + b] = 100.0 * bins[b, 1] / bins[b, 0]


@numba.njit(nogil=True, cache=True)
def _fill(
    rt, condition, correct, answered, present, codes, first, second, probabilities, fast, out
):  # pragma: no cover - compiled
    n_quantiles, width = len(probabilities), len(probabilities) * 2 + 5
    for d in range(rt.shape[0]):
        n_present, n_answered, n_fast = 0, 0, 0
        for t in range(rt.shape[1]):
            n_present += present[d, t]
            n_answered += answered[d, t]
            n_fast += answered[d, t] and rt[d, t] < fast
        for c in range(len(codes)):
            times, right = np.empty(n_answered), np.empty(n_answered, np.bool_)
            n = 0
            for t in range(rt.shape[1]):
                if answered[d, t] and condition[d, t] == codes[c]:
                    times[n], right[n] = rt[d, t], correct[d, t]
                    n += 1
            if n > 0:
                _of_condition(
                    times[:n],
                    right[:n],
                    probabilities,
                    width - n_quantiles - 5,
                    out[d, c * width : (c + 1) * width],
                )
        last = len(codes) * width
        if first >= 0:
            for q in range(n_quantiles):
                out[d, last + q] = out[d, second * width + q] - out[d, first * width + q]
            step = 0.0
            for c in (first, second):
                step += 0.5 * (
                    out[d, c * width + n_quantiles - 1] - out[d, c * width + n_quantiles - 2]
                )
            if step > 0.0:
                out[d, last + n_quantiles] = (
                    100.0 * (out[d, last + n_quantiles - 1] - out[d, last + n_quantiles - 2]) / step
                )
            last += n_quantiles + 1
        if n_answered > 0:
            out[d, last] = 100.0 * n_fast / n_answered
        if n_present > 0:
            out[d, last + 1] = 100.0 * (n_present - n_answered) / n_present

"""The compiled pass of `panel_values` over the trials of some data sets."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from incongruent.checks.statistics import N_BINS, PROBABILITIES

Array = np.ndarray

N_QUANTILES = len(PROBABILITIES)
PER_LEVEL = N_QUANTILES + 5 + N_BINS
"""Statistics of one condition: quantiles, five of moments and errors, accuracies."""


class Columns(NamedTuple):
    """The trials of some data sets; every array is (dataset, trial)."""

    rt: Array
    condition: Array
    correct: Array
    answered: Array
    present: Array


class Layout(NamedTuple):
    """Which statistics stand where in a row of values.

    Attributes:
        codes: (condition,) codes of the conditions that have statistics of their own.
        congruent: place of the congruent condition among them; −1 without a delta function.
        incongruent: place of the incongruent condition; −1 without a delta function.
        probabilities: (quantile,) of the RT quantiles.
        fast: below this RT, in ms, an answer is fast.
    """

    codes: Array
    congruent: int
    incongruent: int
    probabilities: Array
    fast: float


@numba.njit(nogil=True, cache=True)
def fill(columns, layout, out):  # pragma: no cover - compiled
    """The statistics of each data set, in the order of `statistics_for`, into out."""
    codes, congruent, incongruent, probabilities, fast = layout
    n_times = columns.rt.shape[1]
    times, right = np.empty(n_times), np.empty(n_times, np.bool_)
    last = len(codes) * PER_LEVEL
    for d in range(len(columns.rt)):
        for c in range(len(codes)):
            n = _gather(columns, d, codes[c], times, right)
            if n > 0:
                part = out[d, c * PER_LEVEL : (c + 1) * PER_LEVEL]
                _of_condition(times[:n], right[:n], probabilities, part)
        if congruent >= 0:
            _of_delta(out[d], congruent * PER_LEVEL, incongruent * PER_LEVEL, last)
        _of_all_trials(columns, d, fast, out[d, -2:])


@numba.njit(nogil=True, cache=True)
def _gather(columns, d, code, times, right):  # pragma: no cover - compiled
    """The answers of data set d in one condition, to the front of the buffers; their number."""
    rt, condition, correct, answered, _ = columns
    n = 0
    for t in range(rt.shape[1]):
        if answered[d, t] and condition[d, t] == code:
            times[n], right[n] = rt[d, t], correct[d, t]
            n += 1
    return n


@numba.njit(nogil=True, cache=True)
def _of_all_trials(columns, d, fast, out):  # pragma: no cover - compiled
    """The shares of fast answers and of omissions of data set d."""
    rt, _, _, answered, present = columns
    n_present, n_answered, n_fast = 0, 0, 0
    for t in range(rt.shape[1]):
        n_present += present[d, t]
        n_answered += answered[d, t]
        n_fast += answered[d, t] and rt[d, t] < fast
    out[0] = _percent(n_fast, n_answered)
    out[1] = _percent(n_present - n_answered, n_present)


@numba.njit(nogil=True, cache=True)
def _percent(part, of):  # pragma: no cover - compiled
    """The share of a part in percent; NaN of nothing."""
    return 100.0 * part / of if of > 0 else np.nan


@numba.njit(nogil=True, cache=True)
def _of_condition(rt, correct, probabilities, out):  # pragma: no cover - compiled
    """The fifteen statistics of the answers of one condition."""
    n = len(rt)
    right, bins = np.empty(n, np.float64), np.zeros((N_BINS, 2))
    n_correct, error_sum = _from_fast_to_slow(rt, correct, right, bins)
    if n_correct > 0:
        _of_correct(right[:n_correct], probabilities, out)
        if n_correct < n:
            out[N_QUANTILES + 4] = error_sum / (n - n_correct) - out[N_QUANTILES]
    out[N_QUANTILES + 3] = _percent(n - n_correct, n)
    for b in range(N_BINS):
        out[N_QUANTILES + 5 + b] = _percent(bins[b, 1], bins[b, 0])


@numba.njit(nogil=True, cache=True)
def _from_fast_to_slow(rt, correct, right, bins):  # pragma: no cover - compiled
    """Correct RTs in order into right, and answers and correct ones of each RT bin into bins.

    Returns the number of correct answers and the sum of the RTs of errors.
    """
    n, n_bins = len(rt), len(bins)
    order = np.argsort(rt, kind="mergesort")
    n_correct, error_sum = 0, 0.0
    for rank in range(n):
        i = order[rank]
        b = rank * n_bins // n
        bins[b, 0] += 1.0
        if correct[i]:
            right[n_correct] = rt[i]
            bins[b, 1] += 1.0
            n_correct += 1
        else:
            error_sum += rt[i]
    return n_correct, error_sum


@numba.njit(nogil=True, cache=True)
def _of_correct(rt, probabilities, out):  # pragma: no cover - compiled
    """Quantiles, mean, SD and skewness of ordered correct RTs."""
    for q in range(len(probabilities)):
        out[q] = _quantile(rt, probabilities[q])
    n = len(rt)
    mean, second, third = _moments(rt)
    out[N_QUANTILES] = mean
    if n > 1:
        out[N_QUANTILES + 1] = np.sqrt(second / (n - 1))
    if n > 2 and second > 0.0:
        out[N_QUANTILES + 2] = third / n / (second / n) ** 1.5


@numba.njit(nogil=True, cache=True)
def _moments(values):  # pragma: no cover - compiled
    """The mean, and the sums of squared and of cubed distances from it."""
    mean = 0.0
    for value in values:
        mean += value
    mean /= len(values)
    second, third = 0.0, 0.0
    for value in values:
        second += (value - mean) ** 2
        third += (value - mean) ** 3
    return mean, second, third


@numba.njit(nogil=True, cache=True)
def _quantile(ordered, probability):  # pragma: no cover - compiled
    """A quantile, linear between order statistics."""
    place = (len(ordered) - 1) * probability
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@numba.njit(nogil=True, cache=True)
def _of_delta(out, congruent, incongruent, first):  # pragma: no cover - compiled
    """The delta function and its last slope, from the quantiles of two conditions.

    The three numbers are places in out: where the quantiles of the conditions begin, and where the
    delta function does.
    """
    for q in range(N_QUANTILES):
        out[first + q] = out[incongruent + q] - out[congruent + q]
    last = N_QUANTILES - 1
    step = 0.5 * _step_to(out, congruent + last) + 0.5 * _step_to(out, incongruent + last)
    if step > 0.0:
        out[first + N_QUANTILES] = 100.0 * _step_to(out, first + last) / step


@numba.njit(nogil=True, cache=True)
def _step_to(values, place):  # pragma: no cover - compiled
    """How much larger a value is than the one before it."""
    return values[place] - values[place - 1]

"""Signs of how reaction times were recorded: steps in which they come, a wall at which they end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from incongruent.data.trials import Trials

Array = np.ndarray

BIN = 0.25
"""Width in ms of the bins whose Fourier transform is taken."""
SHORTEST, LONGEST, SMOOTH = 3.0, 250.0, 25.0
"""Steps that are looked for, in ms; above 25 ms even smooth distributions have some power, and a
step must show its overtones below.
"""
LATEST = 30_000.0
"""RTs beyond this, in ms, are left out of the Fourier transform, which would have to reach as far
as they do.
"""
CLEAR = 0.25
"""Power, from 0 to 1, from which on steps are worth a word: that of a 10-ms step blurred by normal
noise of 1.9 ms.
"""


@dataclass(frozen=True)
class Steps:
    """Steps in which RTs come.

    Attributes:
        size: in ms.
        power: 1 for RTs on an exact grid, 0 for none.
        p: p-value over all sizes looked for.
    """

    size: float
    power: float
    p: float


def steps_in(study: Trials) -> Steps:
    r"""Find the largest step on whose grid RTs lie, each person having an offset of their own.

    The power at frequency f is |sum exp(2 pi i f rt)|^2, its expectation under smoothness taken
    off, averaged over people; RTs on a grid of step h have power 1 at f = 1/h, 2/h, …, smooth ones
    hardly any above a few tens of Hz.
    """
    spectrum = _spectrum(study)
    searched = _searched(spectrum.frequency)
    best = float(spectrum.power[searched].max())
    at = _first_peak(spectrum, best) if best > 0 else int(np.flatnonzero(searched)[0])
    size = float(1.0 / spectrum.frequency[_climbed(spectrum.power, at)])
    return Steps(size, max(best, 0.0), _p_of_largest(spectrum, searched))


def _searched(frequency: Array) -> Array:
    """Which frequencies are those of steps that are looked for, bool (frequency,)."""
    return (frequency >= 1.0 / SMOOTH) & (frequency <= 1.0 / SHORTEST)


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """The power spectrum of RTs, averaged over people.

    Attributes:
        frequency: (frequency,) in 1/ms.
        power: (frequency,) as in `steps_in`.
        total: (frequency,) sum over people of |S|^2 / n.
        n_people: with at least two answers.
    """

    frequency: Array
    power: Array
    total: Array
    n_people: int


def _p_of_largest(spectrum: _Spectrum, searched: Array) -> float:
    """The probability of the largest total or more by chance, at any frequency searched."""
    largest = float(spectrum.total[searched].max())
    log_p = stats.gamma.logsf(largest, spectrum.n_people) + np.log(searched.sum())
    return float(np.exp(min(log_p, 0.0)))


def _first_peak(spectrum: _Spectrum, best: float) -> int:
    """The first frequency with nearly the best power."""
    near = (spectrum.power >= 0.8 * best) & (spectrum.frequency >= 1.0 / LONGEST)
    return int(np.flatnonzero(near)[0])


def _climbed(power: Array, at: int) -> int:
    """The top of the peak on whose rising side a position is."""
    while at + 1 < len(power) and power[at + 1] > power[at]:
        at += 1
    return at


def _spectrum(study: Trials) -> _Spectrum:
    """The power spectrum of the RTs of everybody who has at least two of them."""
    people = _times_of_people(study)
    n_bins = _n_bins_for(max((rt.max(initial=1.0) for rt in people), default=1.0))
    frequency = np.fft.rfftfreq(n_bins, BIN)
    power, total, n_pairs = np.zeros(len(frequency)), np.zeros(len(frequency)), 0.0
    people = [rt for rt in people if len(rt) > 1]
    for rt in people:
        n, square = len(rt), _squared_transform(rt, n_bins)
        power, total = power + square - n, total + square / n
        n_pairs += n * (n - 1.0)
    return _Spectrum(frequency, power / max(n_pairs, 1.0), total, len(people))


def _times_of_people(study: Trials) -> list[Array]:
    """The RTs of each person's answers that are not very late, (answer,)."""
    rt = study.values["rt"]
    used = study.answered & (rt <= LATEST)
    return [rt[person][used[person]].astype(float) for person in range(len(study))]


def _n_bins_for(longest: float) -> int:
    """The number of bins, a power of two, that reach four times as far as the longest RT."""
    return 1 << int(np.ceil(np.log2(4.0 * longest / BIN + 2)))


def _squared_transform(rt: Array, n_bins: int) -> Array:
    """The squared modulus of the Fourier transform of the histogram of RTs, (frequency,)."""
    counts = np.bincount(np.round(rt / BIN).astype(int), minlength=n_bins)
    return np.abs(np.fft.rfft(counts)) ** 2


@dataclass(frozen=True)
class Wall:
    """Where RTs end.

    Attributes:
        at: the longest RT in ms.
        n_near: answers in the stretch before it.
        width: of that stretch, in ms.
        missing: the share of all answers that probably would have come later.
        p: p-value of a tail that thins out by itself.
    """

    at: float
    n_near: int
    width: float
    missing: float
    p: float


def wall_in(study: Trials, *, step: float = 0.0) -> Wall:
    r"""Ask whether the slow tail is cut off.

    In a tail that falls exponentially with scale s, the number of further values within w of the
    largest is geometric, P(at least k) = (1 - exp(-w / s))^k, whatever the number of values. RT
    tails fall exponentially or more slowly, for which the p-value is too large, not too small. The
    scale is that between the 80 % and the 95 % quantile, and w = s / 4, or the ``step`` in which
    RTs come; k values there, out of n, are k s / w beyond the wall.
    """
    rt = study.values["rt"][study.answered].astype(float)
    scale = _scale_of_tail(rt)
    if scale <= 0:
        return Wall(float(rt.max(initial=0.0)), 0, 0.0, 0.0, 1.0)
    width = max(0.25 * scale, step)
    n_further = _n_within(rt, width) - 1
    n_beyond = n_further * scale / width
    return Wall(
        at=float(rt.max()),
        n_near=n_further + 1,
        width=float(width),
        missing=float(n_beyond / (len(rt) + n_beyond)),
        p=float((1.0 - np.exp(-width / scale)) ** n_further),
    )


def _n_within(rt: Array, width: float) -> int:
    """How many RTs lie within so many ms of the longest, which is one of them."""
    return int((rt > rt.max() - width + 1e-6 * width).sum())


def _scale_of_tail(rt: Array) -> float:
    """The scale of an exponential tail through the 80 % and 95 % quantiles of RTs; 0 for none."""
    low, high = np.quantile(rt, [0.8, 0.95]) if len(rt) else (0.0, 0.0)
    return (high - low) / np.log(4.0)

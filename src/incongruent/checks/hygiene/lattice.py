"""Marks of how reaction times were recorded: steps in which they come, and a wall at which they
end.
"""

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
    """Steps in which RTs come: their size in ms, power (1 for RTs on an exact grid, 0 for none),
    and p-value over all sizes looked for.
    """

    size: float
    power: float
    p: float


def steps_in(study: Trials) -> Steps:
    r"""The largest step on whose grid RTs lie, each person having an offset of their own.

    The power at frequency f is |sum exp(2 pi i f rt)|^2, its expectation under smoothness taken
    off, averaged over people; RTs on a grid of step h have power 1 at f = 1/h, 2/h, …, smooth ones
    hardly any above a few tens of Hz.
    """
    frequency, power, total, n_people = _spectrum(study)
    looked_at = (frequency >= 1.0 / SMOOTH) & (frequency <= 1.0 / SHORTEST)
    best = float(power[looked_at].max())
    log_p = stats.gamma.logsf(float(total[looked_at].max()), n_people) + np.log(looked_at.sum())
    near = np.flatnonzero((power >= 0.8 * best) & (frequency >= 1.0 / LONGEST))
    at = int(near[0]) if best > 0 else int(np.flatnonzero(looked_at)[0])
    while at + 1 < len(power) and power[at + 1] > power[at]:  # up to the top of the first peak
        at += 1
    return Steps(float(1.0 / frequency[at]), max(best, 0.0), float(np.exp(min(log_p, 0.0))))


def _spectrum(study: Trials) -> tuple[Array, Array, Array, int]:
    """Frequencies (1/ms), power, sum over people of |S|^2 / n, and the number of people."""
    used = study.answered & (study.values["rt"] <= LATEST)
    longest = float(study.values["rt"][used].max(initial=1.0))
    n_bins = 1 << int(np.ceil(np.log2(4.0 * longest / BIN + 2)))
    frequency = np.fft.rfftfreq(n_bins, BIN)
    power, total, pairs, n_people = np.zeros(len(frequency)), np.zeros(len(frequency)), 0.0, 0
    for person in range(len(study)):
        rt = study.values["rt"][person][used[person]].astype(float)
        n = len(rt)
        if n < 2:
            continue
        square = (
            np.abs(np.fft.rfft(np.bincount(np.round(rt / BIN).astype(int), minlength=n_bins))) ** 2
        )
        power, total, pairs, n_people = (
            power + square - n,
            total + square / n,
            pairs + n * (n - 1.0),
            n_people + 1,
        )
    return frequency, power / max(pairs, 1.0), total, n_people


@dataclass(frozen=True)
class Wall:
    """Where RTs end: the longest in ms, how many lie in the stretch before it and how wide that is,
    the share of answers beyond it that is probably missing, and the p-value of a tail that thins
    out by itself.
    """

    at: float
    n_near: int
    width: float
    missing: float
    p: float


def wall_in(study: Trials, *, step: float = 0.0) -> Wall:
    r"""Is the slow tail cut off?

    In a tail that falls exponentially with scale s, the number of further values within w of the
    largest is geometric, P(at least k) = (1 - exp(-w / s))^k, whatever the number of values. RT
    tails fall exponentially or more slowly, for which the p-value is too large, not too small. The
    scale is that between the 80 % and the 95 % quantile, and w = s / 4, or the ``step`` in which
    RTs come; k values there, out of n, are k s / w beyond the wall.
    """
    rt = study.values["rt"][study.answered].astype(float)
    low, high = np.quantile(rt, [0.8, 0.95]) if len(rt) else (0.0, 0.0)
    scale = (high - low) / np.log(4.0)
    if scale <= 0:
        return Wall(float(rt.max(initial=0.0)), 0, 0.0, 0.0, 1.0)
    width = max(0.25 * scale, step)
    further = int((rt > rt.max() - width + 1e-6 * width).sum()) - 1
    beyond = further * scale / width
    return Wall(
        float(rt.max()),
        further + 1,
        float(width),
        float(beyond / (len(rt) + beyond)),
        float((1.0 - np.exp(-width / scale)) ** further),
    )

"""Findings about effects of the order of trials."""

from __future__ import annotations

import numpy as np
from scipy import stats

from incongruent.checks.hygiene.findings import Finding, Severity
from incongruent.checks.hygiene.order import Rows, first_ranks, lag_one, sequence_effect
from incongruent.checks.hygiene.pooling import FEWEST_UNITS

Array = np.ndarray

CLEARLY_CORRELATED = 0.1
"""Correlation of successive RTs from which on it is more than a note."""


def first_trial(rows: list[Rows], level: float) -> Finding:
    """Are first trials slower than others?"""
    rank, excess = first_ranks(rows)
    n = len(rank)
    if n < FEWEST_UNITS:
        sentence = (
            f"Whether first trials are slow cannot be determined from {n} people with an answered"
            " first trial and 20 others."
        )
        return Finding("first trial", Severity.UNKNOWN, sentence, {"people": float(n)})
    p = _p_of_high_ranks(rank)
    numbers = {
        "people": float(n),
        "excess over the own median (ms)": float(np.median(excess)),
        "mean rank (0–1)": float(rank.mean()),
    }
    if p >= level:
        sentence = "First trials are no slower than others."
        return Finding("first trial", Severity.FINE, sentence, numbers, p)
    sentence = _slow_start(float(np.median(excess)))
    return Finding("first trial", Severity.NOTE, sentence, numbers, p)


def _p_of_high_ranks(rank: Array) -> float:
    """One-sided p-value of ranks (person,) from 0 to 1, which are uniform by chance."""
    return float(stats.norm.sf((rank.mean() - 0.5) * np.sqrt(12.0 * len(rank))))


def _slow_start(excess: float) -> str:
    """What slow first trials mean, and what to do about them."""
    return (
        f"The first trial is slower than a person's others (by {excess:.0f} ms in the"
        " median). It belongs to another process, getting started, and its slow answers pass for"
        " slow decisions. Leave out the first trial or two of each person, and of each block."
    )


def autocorrelation(rows: list[Rows], level: float) -> Finding:
    """Are successive RTs correlated?"""
    r, n_pairs = lag_one(rows)
    if not len(r):
        sentence = (
            "Nobody has 20 pairs of successive answers; their correlation cannot be determined."
        )
        return Finding("autocorrelation", Severity.UNKNOWN, sentence)
    p, mean = _p_of_correlations(r, n_pairs), float(r.mean())
    numbers = {"people": float(len(r)), "lag-1 correlation": mean}
    if p >= level:
        sentence = f"Successive RTs are not correlated (r = {mean:.2f})."
        return Finding("autocorrelation", Severity.FINE, sentence, numbers, p)
    severity = Severity.WARNING if abs(mean) >= CLEARLY_CORRELATED else Severity.NOTE
    return Finding("autocorrelation", severity, _correlated(mean), numbers, p)


def _p_of_correlations(r: Array, n_pairs: Array) -> float:
    """Two-sided p-value of correlations (person,); 1 / n is the variance of each by chance."""
    z = float((r * n_pairs).sum() / np.sqrt(n_pairs.sum()))
    return float(2.0 * stats.norm.sf(abs(z)))


def _correlated(mean: float) -> str:
    """What a correlation of successive RTs means, and what to do about it."""
    why = (
        "speed drifts, through practice, fatigue or attention"
        if mean > 0
        else "slow answers follow fast ones"
    )
    return (
        f"Successive RTs are correlated (r = {mean:+.2f}): {why}. The model takes all trials for"
        " repetitions of one and the same process and cannot see this; RT distributions are those"
        " of several states together, and posteriors are narrower than they should be. Look at"
        " blocks apart (read_trials(…, by=…))."
    )


def congruency_sequence(rows: list[Rows], level: float) -> Finding:
    """Does the congruency effect depend on the condition of the trial before?"""
    after_congruent, after_incongruent, scores = sequence_effect(rows)
    n = len(scores)
    if n < FEWEST_UNITS:
        return _sequence_unknown(n)
    p = _p_of_mean(scores)
    one, two = float(after_congruent.mean()), float(after_incongruent.mean())
    numbers = {
        "people": float(n),
        "effect after congruent (ms)": one,
        "effect after incongruent (ms)": two,
    }
    if p >= level:
        return Finding("congruency sequence", Severity.FINE, _not_sequential(one, two), numbers, p)
    sentence = _sequential(one, two, gratton=bool(scores.mean() > 0))
    return Finding("congruency sequence", Severity.WARNING, sentence, numbers, p)


def _sequence_unknown(n: int) -> Finding:
    """The finding that too few people have enough answers."""
    sentence = (
        f"A congruency-sequence effect cannot be determined: {n} people have three or more correct"
        " answers in each of the four sequences of conditions."
    )
    return Finding("congruency sequence", Severity.UNKNOWN, sentence, {"people": float(n)})


def _p_of_mean(scores: Array) -> float:
    """Two-sided p-value of a t-test of the mean of scores (person,) against 0."""
    n = len(scores)
    t = scores.mean() / max(scores.std(ddof=1) / np.sqrt(n), 1e-12)
    return float(2.0 * stats.t.sf(abs(t), n - 1))


def _not_sequential(after_congruent: float, after_incongruent: float) -> str:
    return (
        f"The congruency effect is the same after congruent ({after_congruent:.0f} ms) and"
        f" incongruent trials ({after_incongruent:.0f} ms)."
    )


def _sequential(after_congruent: float, after_incongruent: float, *, gratton: bool) -> str:
    """What a congruency-sequence effect (in ms) means, and what to do about it."""
    known = (
        "Gratton effect"
        if gratton
        else "the reverse of the Gratton effect; look at how sequences were made"
    )
    return (
        f"The congruency effect is {after_congruent:.0f} ms after congruent and"
        f" {after_incongruent:.0f} ms after incongruent trials ({known}). A model of exchangeable"
        " trials averages over two states of control, and its A and tau are those of neither. Fit"
        " trials after congruent and after incongruent ones apart, or say that the parameters are"
        " averages."
    )

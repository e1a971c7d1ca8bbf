"""Hygiene: what in a study misleads every model of people's trials, looked for before any model is
fitted.

Each finding rests on the data alone, with a p-value where there is one; its words are for those who
ran the experiment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pandas as pd
from scipy import stats

from incongruent.checks import statistics
from incongruent.checks.hygiene.lattice import CLEAR, Steps, steps_in, wall_in
from incongruent.checks.hygiene.order import (
    Rows,
    disorder,
    first_ranks,
    lag_one,
    rows_of,
    sequence_effect,
)
from incongruent.checks.hygiene.pooling import FEWEST_UNITS, pooling_of
from incongruent.data.trials import CONFLICT_TASK, Trials

Array = np.ndarray

LEVEL = 0.01
COARSE = 20.0
"""Steps of RT, in ms, from which on they are more than a note: about half of the standard deviation
of non-decision times.
"""
NO_CONFLICT_MS, NO_CONFLICT_ERRORS = 10.0, 0.05
"""A congruency effect that is surely smaller than both of these, in RT and in errors, is next to
none.
"""
NOTICED = 0.002
"""Share of answers missing beyond a wall from which on it is more than a note."""


class Severity(Enum):
    """How much a finding matters."""

    FINE = "fine"
    UNKNOWN = "cannot be told"
    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: "units", "congruency effect", "deadline", "rounding", "order", "first trial",
            "autocorrelation" or "congruency sequence".
        severity: how much it matters.
        sentence: what was found, why it misleads, what to do.
        numbers: on which that rests, by name with unit.
        p: of as much or more by chance; None where there is no test.
    """

    name: str
    severity: Severity
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    p: float | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.severity.value}. {self.sentence}"


@dataclass(frozen=True)
class Hygiene:
    """What was looked for in a study, and what was found."""

    findings: tuple[Finding, ...]

    def __getitem__(self, name: str) -> Finding:
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(
            f"Expected one of {[finding.name for finding in self.findings]}; got {name!r}."
        )

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What should be dealt with before anything is fitted."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)

    def table(self) -> pd.DataFrame:
        """One row per finding and number: finding, severity, p, number, value."""
        rows = []
        for finding in self.findings:
            p = np.nan if finding.p is None else finding.p
            rows += [
                (finding.name, finding.severity.value, p, name, value)
                for name, value in (finding.numbers or {"": np.nan}).items()
            ]
        return pd.DataFrame(rows, columns=["finding", "severity", "p", "number", "value"])

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


def hygiene(study: Trials, *, level: float = LEVEL, seed: int = 1) -> Hygiene:
    """Look for pooled batches, a missing congruency effect, a deadline, rounded RTs, a slow first
    trial, and effects of the order of trials.

    Args:
        study: one data set a person, trials in the order in which they were run.
        level: of each test.
        seed: of a bootstrap that gives numbers but decides nothing.

    Raises:
        ValueError: when the trials are not those of a conflict task, or there is no answer among
            them.

    Example:
        >>> from incongruent.data.demo import demo_study
        >>> hygiene(demo_study())["units"].severity
        <Severity.FINE: 'fine'>
    """
    if set(study.columns) != set(CONFLICT_TASK):
        raise ValueError(
            "Expected trials of a conflict task, with condition, response and rt; got"
            f" {[c.name for c in study.columns]}."
        )
    if not study.answered.any():
        raise ValueError("Expected at least one trial with an answer; got none.")
    steps, rows = steps_in(study), rows_of(study)
    clear = steps.power >= CLEAR and steps.p < level
    found = [
        _units(study, seed),
        _effect(study),
        _deadline(study, steps.size if clear else 0.0, level),
        _rounding(steps, clear),
    ]
    reason = disorder(rows)
    if reason:
        told = (
            f"Trials stand {reason}, so their order is not that of the experiment; effects of order"
            " were not looked for. Keep the order in the file."
        )
        return Hygiene((*found, Finding("order", Severity.UNKNOWN, told)))
    return Hygiene(
        (*found, _first(rows, level), _autocorrelation(rows, level), _sequence(rows, level))
    )


def _units(study: Trials, seed: int) -> Finding:
    found = pooling_of(study, seed=seed)
    ratios = {
        f"variance ratio, {name}": float(value)
        for name, value in zip(found.ratios["statistic"], found.ratios["ratio"], strict=True)
    }
    numbers = {
        "units": float(found.n_units),
        "share of the variance of log RT between units": found.between,
        **ratios,
    }
    if not found.told and not (found.n_units >= FEWEST_UNITS and found.p_batches < LEVEL):
        told = (
            f"Whether these {found.n_units} data sets are people or random batches of pooled trials"
            f" cannot be told: it takes {FEWEST_UNITS} or more with enough trials each. Make sure"
            " that a data set is one person (in one session)."
        )
        return Finding("units", Severity.UNKNOWN, told, numbers, found.p_batches)
    if found.batches:
        told = (
            f"The {found.n_units} data sets differ from each other no more than random samples of"
            f" one heap of trials do ({max(found.between, 0.0):.1%} of the variance of log RT lies"
            " between them; between people it is 5 to 50 %). If trials of several people were"
            " pooled and cut into batches, each batch is a mixture that no parameters of one"
            " person produce, and every check will call the model too extreme for the data. Make"
            " every data set one person (in one session): read_trials(…, by=…)."
        )
        return Finding("units", Severity.WARNING, told, numbers, found.p_batches)
    told = (
        f"The {found.n_units} data sets differ as people do: {found.between:.0%} of the variance of"
        " log RT lies between them."
    )
    return Finding("units", Severity.FINE, told, numbers, found.p_batches)


def _effect(study: Trials) -> Finding:
    """Is there a conflict at all? Means over people of the effects in RT and errors, with 95 %
    intervals.
    """
    rt, errors = (
        of(study, "incongruent") - of(study, "congruent")
        for of in (statistics.mean_rt, statistics.error_share)
    )
    both = np.isfinite(rt) & np.isfinite(errors)
    n = int(both.sum())
    if n < FEWEST_UNITS:
        told = (
            f"Whether there is a congruency effect cannot be told: {n} people have correct answers"
            " in both conditions."
        )
        return Finding("congruency effect", Severity.UNKNOWN, told, {"people": float(n)})
    half = stats.t(n - 1).ppf(0.975) / np.sqrt(n)
    (ms, ms_half), (share, share_half) = (
        (float(values[both].mean()), float(half * values[both].std(ddof=1)))
        for values in (rt, errors)
    )
    numbers = {
        "people": float(n),
        "effect (ms)": ms,
        "± (ms)": ms_half,
        "effect (errors, %)": 100 * share,
        "± (errors, %)": 100 * share_half,
    }
    size = f"{ms:+.0f} ± {ms_half:.0f} ms, {100 * share:+.1f} ± {100 * share_half:.1f} % of errors"
    if ms + ms_half < 0 and share <= 0:
        told = (
            f"Congruent trials are slower than incongruent ones ({size}), and not more accurate."
            " Are the codes of the condition the right way round? See read_trials(…, coding=…)."
        )
        return Finding("congruency effect", Severity.WARNING, told, numbers)
    if ms + ms_half < NO_CONFLICT_MS and share + share_half < NO_CONFLICT_ERRORS:
        told = (
            f"There is hardly a congruency effect in RT ({size}). Without a conflict the automatic"
            " activation A is near 0 and its time scale tau cannot be told; do not interpret them,"
            " nor differences of them. Is the condition coded rightly, and does the task have a"
            " conflict?"
        )
        return Finding("congruency effect", Severity.WARNING, told, numbers)
    return Finding("congruency effect", Severity.FINE, f"The congruency effect is {size}.", numbers)


def _deadline(study: Trials, step: float, level: float) -> Finding:
    wall = wall_in(study, step=step)
    timeouts = float(
        study.excluded.get("timeout", np.zeros(1)).sum() + (study.present & ~study.answered).sum()
    )
    numbers = {
        "longest RT (ms)": wall.at,
        "answers near it": float(wall.n_near),
        "share missing beyond": wall.missing,
        "timeouts": timeouts,
    }
    late = f" {timeouts:.0f} trials have no answer in time." if timeouts else ""
    if wall.p >= level:
        return Finding(
            "deadline", Severity.FINE, f"The slow tail thins out by itself.{late}", numbers, wall.p
        )
    told = (
        f"RTs end at a wall of {wall.at:.0f} ms: {wall.n_near} answers lie in the last"
        f" {wall.width:.0f} ms before it, so that about {wall.missing:.1%} of all would have come"
        f" later.{late} A model without this deadline takes the missing slow answers for fast"
        " processing. "
    )
    if study.excluded.get("out of window", np.zeros(1)).any():
        told += (
            "RTs outside a window were left out on reading; if the wall is its end, a network with"
            " the same window knows of it. If not, fit "
        )
        severity = Severity.NOTE
    else:
        told += "Fit "
        severity = Severity.WARNING if wall.missing >= NOTICED else Severity.NOTE
    return Finding(
        "deadline",
        severity,
        f"{told}with a network whose design ends there: Design(…, window=(…, {wall.at:.0f})).",
        numbers,
        wall.p,
    )


def _rounding(steps: Steps, clear: bool) -> Finding:
    numbers = {"step (ms)": steps.size if clear else np.nan, "power": steps.power}
    if not clear:
        return Finding(
            "rounding", Severity.FINE, "RTs come in no steps larger than 3 ms.", numbers, steps.p
        )
    hertz = 1000.0 / steps.size
    like = (
        f", the frames of a display of {hertz:.0f} Hz"
        if abs(hertz - round(hertz / 5) * 5) < 0.02 * hertz and 45 <= hertz <= 250
        else ""
    )
    like = ", hundredths of a second" if abs(steps.size - 10) < 0.05 else like
    coarse = steps.size > COARSE
    do = (
        "Do not interpret sd_R, and get the unrounded times if they exist."
        if coarse
        else "Below 20 ms this changes posteriors little."
    )
    told = (
        f"RTs come in steps of {steps.size:.1f} ms{like}. It adds a spread of"
        f" {steps.size / np.sqrt(12):.1f} ms to non-decision times (sd_R). {do}"
    )
    return Finding(
        "rounding", Severity.WARNING if coarse else Severity.NOTE, told, numbers, steps.p
    )


def _first(rows: list[Rows], level: float) -> Finding:
    share, excess = first_ranks(rows)
    n = len(share)
    if n < FEWEST_UNITS:
        told = (
            f"Whether first trials are slow cannot be told from {n} people with an answered first"
            " trial and 20 others."
        )
        return Finding("first trial", Severity.UNKNOWN, told, {"people": float(n)})
    p = float(stats.norm.sf((share.mean() - 0.5) * np.sqrt(12.0 * n)))
    numbers = {
        "people": float(n),
        "excess over the own median (ms)": float(np.median(excess)),
        "mean rank (0–1)": float(share.mean()),
    }
    if p >= level:
        return Finding(
            "first trial", Severity.FINE, "First trials are no slower than others.", numbers, p
        )
    told = (
        f"The first trial is slower than a person's others (by {np.median(excess):.0f} ms in the"
        " median). It belongs to another process, getting started, and its slow answers pass for"
        " slow decisions. Leave out the first trial or two of each person, and of each block."
    )
    return Finding("first trial", Severity.NOTE, told, numbers, p)


def _autocorrelation(rows: list[Rows], level: float) -> Finding:
    r, n_pairs = lag_one(rows)
    if not len(r):
        return Finding(
            "autocorrelation",
            Severity.UNKNOWN,
            "Nobody has 20 pairs of successive answers; their correlation cannot be told.",
        )
    z = float(
        (r * n_pairs).sum() / np.sqrt(n_pairs.sum())
    )  # each r has a variance of 1 / n when trials are exchangeable
    p, mean = float(2.0 * stats.norm.sf(abs(z))), float(r.mean())
    numbers = {"people": float(len(r)), "lag-1 correlation": mean}
    if p >= level:
        return Finding(
            "autocorrelation",
            Severity.FINE,
            f"Successive RTs are not correlated (r = {mean:.2f}).",
            numbers,
            p,
        )
    why = (
        "speed drifts, through practice, fatigue or attention"
        if mean > 0
        else "slow answers follow fast ones"
    )
    told = (
        f"Successive RTs are correlated (r = {mean:+.2f}): {why}. The model takes all trials for"
        " repetitions of one and the same process and cannot see this; RT distributions are those"
        " of several states together, and posteriors are surer than they should be. Look at blocks"
        " apart (read_trials(…, by=…))."
    )
    return Finding(
        "autocorrelation", Severity.WARNING if abs(mean) >= 0.1 else Severity.NOTE, told, numbers, p
    )


def _sequence(rows: list[Rows], level: float) -> Finding:
    after_congruent, after_incongruent, scores = sequence_effect(rows)
    n = len(scores)
    if n < FEWEST_UNITS:
        told = (
            f"A congruency-sequence effect cannot be told: {n} people have three or more correct"
            " answers in each of the four sequences of conditions."
        )
        return Finding("congruency sequence", Severity.UNKNOWN, told, {"people": float(n)})
    t = scores.mean() / max(scores.std(ddof=1) / np.sqrt(n), 1e-12)
    p = float(2.0 * stats.t.sf(abs(t), n - 1))
    one, two = float(after_congruent.mean()), float(after_incongruent.mean())
    numbers = {
        "people": float(n),
        "effect after congruent (ms)": one,
        "effect after incongruent (ms)": two,
    }
    if p >= level:
        told = (
            f"The congruency effect is the same after congruent ({one:.0f} ms) and incongruent"
            f" trials ({two:.0f} ms)."
        )
        return Finding("congruency sequence", Severity.FINE, told, numbers, p)
    known = (
        "Gratton effect"
        if scores.mean() > 0
        else "the reverse of the Gratton effect; look at how sequences were made"
    )
    told = (
        f"The congruency effect is {one:.0f} ms after congruent and {two:.0f} ms after incongruent"
        f" trials ({known}). A model of exchangeable trials averages over two states of control,"
        " and its A and tau are those of neither. Fit trials after congruent and after incongruent"
        " ones apart, or say that the parameters are averages."
    )
    return Finding("congruency sequence", Severity.WARNING, told, numbers, p)

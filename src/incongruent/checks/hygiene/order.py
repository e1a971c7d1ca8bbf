"""Effects of the order of trials, which models of exchangeable trials and networks that read sets
cannot see.

Everything rests on trials standing in the order in which they were run, with those left out taken
out; whether they do is looked at first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from incongruent.data.trials import CONDITION, RESPONSE, Trials

Array = np.ndarray

SORTED = 0.9
"""Rank correlation of RT and place above which trials are taken to be sorted by RT."""
FEWEST_TRIALS = 20
FEWEST_IN_CELL = 3


@dataclass(frozen=True, eq=False)
class Rows:
    """One person's answers in order; every array is (trial,).

    Attributes:
        rt: in ms.
        score: normal scores of the ranks of RT within condition, so that neither condition nor a
            few slow answers make a correlation.
        condition: position of the level.
        correct: whether the answer was.
        next: whether the answer before stands right before it, with no unanswered trial between.
        first: whether it is the person's very first trial.
    """

    rt: Array
    score: Array
    condition: Array
    correct: Array
    next: Array
    first: bool


def rows_of(study: Trials) -> list[Rows]:
    """The answers of everybody, in order."""
    out = []
    for person in range(len(study)):
        at = np.flatnonzero(study.present[person])
        answered = study.answered[person, at]
        here = at[answered]
        rt, condition = (
            study.values["rt"][person, here].astype(float),
            study.values[CONDITION.name][person, here],
        )
        place = np.flatnonzero(answered)
        score = np.zeros(len(rt))
        for level in np.unique(condition):
            mine = condition == level
            score[mine] = stats.norm.ppf((stats.rankdata(rt[mine]) - 0.5) / mine.sum())
        correct = study.values[RESPONSE.name][person, here] == RESPONSE.levels.index("correct")
        out.append(
            Rows(
                rt,
                score,
                condition,
                correct,
                np.diff(place, prepend=-2) == 1,
                bool(len(answered) and answered[0]),
            )
        )
    return out


def disorder(rows: list[Rows]) -> str:
    """Why the order of trials cannot be that of the experiment: sorted by condition, by accuracy or
    by RT; "" when nothing speaks against it.
    """
    long = [row for row in rows if len(row.rt) >= FEWEST_TRIALS]
    if not long:
        return ""
    for name, values in (
        ("condition", [row.condition for row in long]),
        ("accuracy", [row.correct for row in long]),
    ):
        switches = np.array([(v[1:] != v[:-1]).sum() for v in values])
        expected = np.array(
            [
                len(v)
                - np.unique(v, return_counts=True)[1] @ np.unique(v, return_counts=True)[1] / len(v)
                for v in values
            ]
        )
        if expected.sum() > 20 and switches.sum() < 0.25 * expected.sum():
            return f"sorted by {name}"
    alike = [
        abs(np.corrcoef(stats.rankdata(row.rt), np.arange(len(row.rt)))[0, 1])
        for row in long
        if np.ptp(row.rt) > 0
    ]
    return "sorted by RT" if alike and np.median(alike) > SORTED else ""


def first_ranks(rows: list[Rows]) -> tuple[Array, Array]:
    """Where the first trial stands among a person's RTs, from 0 to 1 (ties in the middle), and by
    how many ms it exceeds their median; (person,).
    """
    usable = [row for row in rows if row.first and len(row.rt) >= FEWEST_TRIALS]
    share = [
        ((row.rt < row.rt[0]).sum() + 0.5 * (row.rt == row.rt[0]).sum()) / len(row.rt)
        for row in usable
    ]
    return np.array(share), np.array([row.rt[0] - np.median(row.rt) for row in usable])


def lag_one(rows: list[Rows]) -> tuple[Array, Array]:
    """Correlation of successive scores, its expectation under exchangeability taken off, and the
    number of pairs; (person,).
    """
    r, n_pairs = [], []
    for row in rows:
        pair = row.next[1:]
        if pair.sum() < FEWEST_TRIALS or np.ptp(row.score) == 0:
            continue
        s = row.score - row.score.mean()
        r.append((s[1:] * s[:-1])[pair].mean() / (s**2).mean() + 1.0 / (len(s) - 1))
        n_pairs.append(int(pair.sum()))
    return np.array(r), np.array(n_pairs)


def sequence_effect(rows: list[Rows]) -> tuple[Array, Array, Array]:
    """The congruency effect after congruent and after incongruent trials, in ms, of correct answers
    after correct ones, and the same difference of differences in normal scores, (person,); without
    people who have fewer than three answers in one of the four cells.
    """
    codes = [CONDITION.levels.index(level) for level in ("congruent", "incongruent")]
    effects = []
    for row in rows:
        usable = np.r_[False, row.next[1:] & row.correct[1:] & row.correct[:-1]]
        before = np.r_[-1, row.condition[:-1]]
        cells = [
            [usable & (before == previous) & (row.condition == now) for now in codes]
            for previous in codes
        ]
        if min(cell.sum() for pair in cells for cell in pair) < FEWEST_IN_CELL:
            continue
        ms = [row.rt[pair[1]].mean() - row.rt[pair[0]].mean() for pair in cells]
        scores = [row.score[pair[1]].mean() - row.score[pair[0]].mean() for pair in cells]
        effects.append((*ms, scores[0] - scores[1]))
    table = np.array(effects).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]

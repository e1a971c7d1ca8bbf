"""Effects of the order of trials, to which models of exchangeable trials are blind.

Networks that read sets are blind to them too. Everything rests on trials standing in the order in
which they were run, without those left out; whether they do is checked first.
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
    return [_rows_of_person(study, person) for person in range(len(study))]


def _rows_of_person(study: Trials, person: int) -> Rows:
    run = np.flatnonzero(study.present[person])
    answered = study.answered[person, run]
    here = run[answered]
    rt = study.values["rt"][person, here].astype(float)
    condition = study.values[CONDITION.name][person, here]
    return Rows(
        rt=rt,
        score=_normal_scores(rt, condition),
        condition=condition,
        correct=study.values[RESPONSE.name][person, here] == RESPONSE.levels.index("correct"),
        next=np.diff(np.flatnonzero(answered), prepend=-2) == 1,
        first=bool(len(answered) and answered[0]),
    )


def _normal_scores(rt: Array, condition: Array) -> Array:
    """Normal scores of the ranks of RT within condition, (trial,)."""
    score = np.zeros(len(rt))
    for level in np.unique(condition):
        mine = condition == level
        score[mine] = stats.norm.ppf((stats.rankdata(rt[mine]) - 0.5) / mine.sum())
    return score


def disorder(rows: list[Rows]) -> str:
    """Why the order of trials cannot be that of the experiment.

    "sorted by condition", "sorted by accuracy" or "sorted by RT"; empty when nothing speaks against
    the order.
    """
    long = [row for row in rows if len(row.rt) >= FEWEST_TRIALS]
    if not long:
        return ""
    if _sorted_by([row.condition for row in long]):
        return "sorted by condition"
    if _sorted_by([row.correct for row in long]):
        return "sorted by accuracy"
    return "sorted by RT" if _sorted_by_rt(long) else ""


def _sorted_by(people: list[Array]) -> bool:
    """Whether values of trials (trial,) of each person change far less often than by chance."""
    n_changes = sum(int((values[1:] != values[:-1]).sum()) for values in people)
    expected = np.array([_expected_changes(values) for values in people]).sum()
    return bool(expected > 20 and n_changes < 0.25 * expected)


def _expected_changes(values: Array) -> float:
    """How often values change from trial to trial when they are in random order."""
    counts = np.unique(values, return_counts=True)[1]
    return float(len(values) - counts @ counts / len(values))


def _sorted_by_rt(rows: list[Rows]) -> bool:
    """Whether most people's RTs rise or fall from the first trial to the last."""
    alike = [
        abs(np.corrcoef(stats.rankdata(row.rt), np.arange(len(row.rt)))[0, 1])
        for row in rows
        if np.ptp(row.rt) > 0
    ]
    return bool(alike and np.median(alike) > SORTED)


def first_ranks(rows: list[Rows]) -> tuple[Array, Array]:
    """The rank of the first trial among a person's RTs, and its excess over their median.

    Both are (person,). Ranks are from 0 to 1, ties in the middle; the excess is in ms.
    """
    usable = [row for row in rows if row.first and len(row.rt) >= FEWEST_TRIALS]
    rank = np.array([_rank_of_first(row.rt) for row in usable])
    return rank, np.array([row.rt[0] - np.median(row.rt) for row in usable])


def _rank_of_first(rt: Array) -> float:
    return ((rt < rt[0]).sum() + 0.5 * (rt == rt[0]).sum()) / len(rt)


def lag_one(rows: list[Rows]) -> tuple[Array, Array]:
    """The correlation of successive scores, and the number of pairs; (person,).

    Its expectation under exchangeability is taken off.
    """
    usable = [row for row in rows if row.next[1:].sum() >= FEWEST_TRIALS and np.ptp(row.score) > 0]
    r = np.array([_lag_one_of(row) for row in usable])
    return r, np.array([int(row.next[1:].sum()) for row in usable])


def _lag_one_of(row: Rows) -> float:
    s = row.score - row.score.mean()
    successive = (s[1:] * s[:-1])[row.next[1:]]
    return successive.mean() / (s**2).mean() + 1.0 / (len(s) - 1)


def sequence_effect(rows: list[Rows]) -> tuple[Array, Array, Array]:
    """The congruency effect after congruent and after incongruent trials, and their difference.

    The effects are in ms, of correct answers after correct ones; the difference is in normal
    scores; all (person,). People who have fewer than three answers in one of the four cells are
    left out.
    """
    effects = [_sequence_effect_of(row, cells) for row in rows if (cells := _cells_of(row))]
    table = np.array(effects).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _cells_of(row: Rows) -> list[list[Array]]:
    """Which answers (trial,) are in each cell, by condition of the trial before and of the trial.

    Empty when a cell has too few.
    """
    codes = [CONDITION.levels.index(level) for level in ("congruent", "incongruent")]
    usable = np.r_[False, row.next[1:] & row.correct[1:] & row.correct[:-1]]
    before = np.r_[-1, row.condition[:-1]]
    cells = [
        [usable & (before == previous) & (row.condition == now) for now in codes]
        for previous in codes
    ]
    fewest = min(cell.sum() for pair in cells for cell in pair)
    return cells if fewest >= FEWEST_IN_CELL else []


def _sequence_effect_of(row: Rows, cells: list[list[Array]]) -> tuple[float, float, float]:
    after_congruent, after_incongruent = (_difference(row.rt, *pair) for pair in cells)
    in_scores = [_difference(row.score, *pair) for pair in cells]
    return after_congruent, after_incongruent, in_scores[0] - in_scores[1]


def _difference(values: Array, congruent: Array, incongruent: Array) -> float:
    """The mean of values in incongruent trials minus that in congruent ones."""
    return values[incongruent].mean() - values[congruent].mean()

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

    @property
    def n_pairs(self) -> int:
        """How many answers stand right after another one."""
        return int(self.next[1:].sum())


def rows_of(study: Trials) -> list[Rows]:
    """The answers of everybody, in order."""
    return [_rows_of_person(study, person) for person in range(len(study))]


def _rows_of_person(study: Trials, person: int) -> Rows:
    """One person's answers in order."""
    run = np.flatnonzero(study.present[person])
    answered = study.answered[person, run]
    here = run[answered]
    rt = study.values["rt"][person, here].astype(float)
    condition = study.values[CONDITION.name][person, here]
    return Rows(
        rt=rt,
        score=_normal_scores(rt, condition),
        condition=condition,
        correct=_correct_at(study, person, here),
        next=_follows_an_answer(answered),
        first=bool(len(answered) and answered[0]),
    )


def _correct_at(study: Trials, person: int, places: Array) -> Array:
    """Which of some trials of a person have a correct answer, bool (trial,)."""
    return study.values[RESPONSE.name][person, places] == RESPONSE.levels.index("correct")


def _follows_an_answer(answered: Array) -> Array:
    """Which answers stand right after another one, bool (answer,), from bool (trial,)."""
    return np.diff(np.flatnonzero(answered), prepend=-2) == 1


def _normal_scores(rt: Array, condition: Array) -> Array:
    """Normal scores of the ranks of RT within condition, (trial,)."""
    score = np.zeros(len(rt))
    for level in np.unique(condition):
        mine = condition == level
        score[mine] = _scores_of_ranks(rt[mine])
    return score


def _scores_of_ranks(values: Array) -> Array:
    """The normal scores of the ranks of values."""
    return stats.norm.ppf((stats.rankdata(values) - 0.5) / len(values))


def disorder(rows: list[Rows]) -> str:
    """Why the order of trials cannot be that of the experiment.

    "sorted by condition", "sorted by accuracy" or "sorted by RT"; empty when nothing speaks against
    the order.
    """
    long = [row for row in rows if len(row.rt) >= FEWEST_TRIALS]
    return _sorted_in_what_way(long) if long else ""


def _sorted_in_what_way(rows: list[Rows]) -> str:
    """By what the trials of people are sorted; empty when they do not seem to be."""
    if _sorted_by([row.condition for row in rows]):
        return "sorted by condition"
    if _sorted_by([row.correct for row in rows]):
        return "sorted by accuracy"
    return "sorted by RT" if _sorted_by_rt(rows) else ""


def _sorted_by(people: list[Array]) -> bool:
    """Whether values of trials (trial,) of each person change far less often than by chance."""
    n_changes = sum(_n_changes(values) for values in people)
    expected = np.array([_expected_changes(values) for values in people]).sum()
    return bool(expected > 20 and n_changes < 0.25 * expected)


def _n_changes(values: Array) -> int:
    """How often values change from trial to trial."""
    return int((values[1:] != values[:-1]).sum())


def _expected_changes(values: Array) -> float:
    """How often values change from trial to trial when they are in random order."""
    counts = np.unique(values, return_counts=True)[1]
    return float(len(values) - counts @ counts / len(values))


def _sorted_by_rt(rows: list[Rows]) -> bool:
    """Whether most people's RTs rise or fall from the first trial to the last."""
    alike = [abs(_correlation_with_place(row.rt)) for row in rows if np.ptp(row.rt) > 0]
    return bool(alike and np.median(alike) > SORTED)


def _correlation_with_place(rt: Array) -> float:
    """The rank correlation of RTs with their places in order."""
    return np.corrcoef(stats.rankdata(rt), np.arange(len(rt)))[0, 1]


def first_ranks(rows: list[Rows]) -> tuple[Array, Array]:
    """The rank of the first trial among a person's RTs, and its excess over their median.

    Both are (person,). Ranks are from 0 to 1, ties in the middle; the excess is in ms.
    """
    people = [row.rt for row in rows if row.first and len(row.rt) >= FEWEST_TRIALS]
    rank = np.array([_rank_of_first(rt) for rt in people])
    return rank, np.array([_excess_of_first(rt) for rt in people])


def _excess_of_first(rt: Array) -> float:
    """How much longer the first RT is than the median."""
    return rt[0] - np.median(rt)


def _rank_of_first(rt: Array) -> float:
    return ((rt < rt[0]).sum() + 0.5 * (rt == rt[0]).sum()) / len(rt)


def lag_one(rows: list[Rows]) -> tuple[Array, Array]:
    """The correlation of successive scores, and the number of pairs; (person,).

    Its expectation under exchangeability is taken off.
    """
    usable = [row for row in rows if row.n_pairs >= FEWEST_TRIALS and np.ptp(row.score) > 0]
    r = np.array([_lag_one_of(row) for row in usable])
    return r, np.array([row.n_pairs for row in usable])


def _lag_one_of(row: Rows) -> float:
    score = row.score - row.score.mean()
    successive = (score[1:] * score[:-1])[row.next[1:]]
    return successive.mean() / (score**2).mean() + 1.0 / (len(score) - 1)


def sequence_effect(rows: list[Rows]) -> tuple[Array, Array, Array]:
    """The congruency effect after congruent and after incongruent trials, and their difference.

    The effects are in ms, of correct answers after correct ones; the difference is in normal
    scores; all (person,). People who have fewer than three answers in one of the four cells are
    left out.
    """
    effects = [_sequence_effect_of(row, cells) for row in rows if (cells := _cells_of(row))]
    after_congruent, after_incongruent, difference = np.array(effects).reshape(-1, 3).T
    return after_congruent, after_incongruent, difference


def _cells_of(row: Rows) -> list[list[Array]]:
    """Which answers (trial,) are in each cell, by condition of the trial before and of the trial.

    Empty when a cell has too few.
    """
    codes = [CONDITION.levels.index(level) for level in ("congruent", "incongruent")]
    usable = _correct_after_correct(row)
    before = np.r_[-1, row.condition[:-1]]
    cells = [
        [usable & (before == previous) & (row.condition == now) for now in codes]
        for previous in codes
    ]
    return cells if _smallest_of(cells) >= FEWEST_IN_CELL else []


def _correct_after_correct(row: Rows) -> Array:
    """Which correct answers stand right after another correct one, bool (trial,)."""
    return np.r_[False, row.next[1:] & row.correct[1:] & row.correct[:-1]]


def _smallest_of(cells: list[list[Array]]) -> int:
    """How many answers the cell with the fewest has."""
    return min(cell.sum() for pair in cells for cell in pair)


def _sequence_effect_of(row: Rows, cells: list[list[Array]]) -> tuple[float, float, float]:
    after_congruent, after_incongruent = (_difference(row.rt, *pair) for pair in cells)
    in_scores = [_difference(row.score, *pair) for pair in cells]
    return after_congruent, after_incongruent, in_scores[0] - in_scores[1]


def _difference(values: Array, congruent: Array, incongruent: Array) -> float:
    """The mean of values in incongruent trials minus that in congruent ones."""
    return values[incongruent].mean() - values[congruent].mean()

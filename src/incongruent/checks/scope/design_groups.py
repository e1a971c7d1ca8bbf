"""Groups of people whose designs agree, so that they can share simulations."""

from __future__ import annotations

import numpy as np

from incongruent.data.trials import Category, Column, Trials

Array = np.ndarray

WIDTH = 0.05
"""People whose numbers of trials in every condition agree within 5 % are compared with the same
simulations.
"""


def groups_of(people: Trials, width: float = WIDTH) -> list[Array]:
    """Positions of people whose designs agree.

    The numbers of trials in each condition agree within a share, and any other given column
    exactly.
    """
    counted, others = _given_columns(people)
    members: dict[object, list[int]] = {}
    for person in range(len(people)):
        here = people.present[person]
        sizes = tuple(_size_class(n, width) for n in _numbers_of(people, person, counted))
        rest = tuple(people.values[column.name][person][here].tobytes() for column in others)
        members.setdefault((sizes, rest), []).append(person)
    return [np.array(positions) for positions in members.values()]


def _given_columns(people: Trials) -> tuple[Category | None, list[Column]]:
    """The column whose levels are counted, if there is exactly one, and the other given columns."""
    given = [column for column in people.columns if column.given]
    by_trial = [
        column for column in given if isinstance(column, Category) and column.per == "trial"
    ]
    if len(by_trial) != 1:
        return None, given
    return by_trial[0], [column for column in given if column is not by_trial[0]]


def _numbers_of(people: Trials, person: int, counted: Category | None) -> list[int]:
    """The person's numbers of trials at each level of a column; of all trials without one."""
    here = people.present[person]
    if counted is None:
        return [int(here.sum())]
    codes = people.values[counted.name][person][here]
    return [int((codes == k).sum()) for k in range(len(counted.levels))]


def _size_class(n: int, width: float) -> int:
    """The class of numbers that agree with n within a share."""
    return int(np.log(max(n, 0.5)) // width)

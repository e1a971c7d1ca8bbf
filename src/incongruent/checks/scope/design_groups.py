"""Groups of people whose designs agree, so that they can share simulations."""

from __future__ import annotations

import numpy as np

from incongruent.data.trials import Category, Column, Trials

Array = np.ndarray

WIDTH = 0.05
"""People whose numbers of trials in every condition agree within 5 % are compared with the same
simulations.
"""


def simulations_each(n: int, n_people: int) -> int:
    """How many simulations each person needs so that together there are at least n."""
    return -(-n // n_people)


def groups_of(people: Trials, width: float = WIDTH) -> list[Array]:
    """Positions of people whose designs agree.

    The numbers of trials in each condition agree within a share, and any other given column
    exactly.
    """
    counted, others = _given_columns(people)
    members: dict[object, list[int]] = {}
    for person in range(len(people)):
        design = (_size_classes(people, person, counted, width), _exact(people, person, others))
        members.setdefault(design, []).append(person)
    return [np.array(positions) for positions in members.values()]


def _size_classes(
    people: Trials, person: int, counted: Category | None, width: float
) -> tuple[int, ...]:
    """The classes of the person's numbers of trials."""
    return tuple(_size_class(n, width) for n in _numbers_of(people, person, counted))


def _exact(people: Trials, person: int, columns: list[Column]) -> tuple[bytes, ...]:
    """The person's values of columns, which are equal only where all trials agree."""
    return tuple(_values_of(people, person, column).tobytes() for column in columns)


def _values_of(people: Trials, person: int, column: Column) -> Array:
    """A column's values in the person's trials, without padding."""
    return people.values[column.name][person][people.present[person]]


def _given_columns(people: Trials) -> tuple[Category | None, list[Column]]:
    """The column whose levels are counted, if there is exactly one, and the other given columns."""
    given = [column for column in people.columns if column.given]
    by_trial = _categories_by_trial(given)
    if len(by_trial) != 1:
        return None, given
    return by_trial[0], [column for column in given if column is not by_trial[0]]


def _categories_by_trial(columns: list[Column]) -> list[Category]:
    """The columns that hold a category of each trial."""
    return [column for column in columns if isinstance(column, Category) and column.per == "trial"]


def _numbers_of(people: Trials, person: int, counted: Category | None) -> list[int]:
    """The person's numbers of trials at each level of a column; of all trials without one."""
    if counted is None:
        return [int(people.present[person].sum())]
    codes = _values_of(people, person, counted)
    return [int((codes == k).sum()) for k in range(len(counted.levels))]


def _size_class(n: int, width: float) -> int:
    """The class of numbers that agree with n within a share."""
    return int(np.log(max(n, 0.5)) // width)

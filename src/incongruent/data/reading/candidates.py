"""Candidates: the columns that may play a role, by their names and values.

Candidates come in tiers: usual names, the best first, then names behind a dot ("key_resp.rt"), then
names with something before or behind them ("congruency_num").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from incongruent.data.reading.names import after_dot, has_affix, without_unit
from incongruent.data.reading.plausible import (
    LooksRight,
    WhyNot,
    looks_like_accuracy,
    looks_like_condition,
    looks_like_rt,
    looks_like_subject,
    why_not_accuracy,
    why_not_condition,
    why_not_rt,
    why_not_subject,
)
from incongruent.data.values import column_of
from incongruent.data.vocabulary import (
    ACCURACY_NAMES,
    AGGREGATE_TOKENS,
    CONDITION_NAMES,
    ERROR_NAMES,
    RT_NAMES,
    SUBJECT_NAMES,
    plain,
    tokens,
)


@dataclass(frozen=True)
class Role:
    """What names and values the column has that plays a role.

    Attributes:
        name: the entry of `Coding`.
        what: the role in words.
        tiers: the usual names, the best first.
        why_not: why the values of a column cannot play the role.
        looks_right: whether they look as if they do; needed where the name has affixes.
        bare: the part of a column's name that counts.
        may_count: whether a name with a part such as "number" or "last" may play it.
    """

    name: str
    what: str
    tiers: Sequence[Sequence[str]]
    why_not: WhyNot
    looks_right: LooksRight
    bare: Callable[[str], str] = str
    may_count: bool = False

    @cached_property
    def names(self) -> frozenset[str]:
        """All usual names."""
        return frozenset(name for tier in self.tiers for name in tier)


SUBJECT = Role(
    "subject", "person", SUBJECT_NAMES, why_not_subject, looks_like_subject, may_count=True
)
RT = Role("rt", "reaction time", RT_NAMES, why_not_rt, looks_like_rt, bare=without_unit)
ACCURACY = Role(
    "accuracy",
    "accuracy",
    [(*right, *wrong) for right, wrong in zip(ACCURACY_NAMES, ERROR_NAMES, strict=True)],
    why_not_accuracy,
    looks_like_accuracy,
)
CONDITION = Role(
    "condition", "condition", [CONDITION_NAMES], why_not_condition, looks_like_condition
)
ROLES = (SUBJECT, RT, ACCURACY, CONDITION)


def candidates(table: pd.DataFrame, role: Role) -> list[str]:
    """The columns of the best tier that has any whose values may play the role.

    Where there is none with a usual name, columns whose names have affixes come first.
    """
    by_name = [found for found in _tiers(table, role) if found]
    for found in by_name:
        fitting = [column for column in found if role.why_not(column_of(table, column)) is None]
        if fitting:
            return fitting
    return _with_affixes(table, role) or next(iter(by_name), [])


def has_name_of_another(column: str, role: Role) -> bool:
    """True for a column that has a usual name of another role."""
    return any(plain(column) in other.names for other in ROLES if other is not role)


def _tiers(table: pd.DataFrame, role: Role) -> Iterator[list[str]]:
    """The columns of each tier of usual names, then those with a usual name behind a dot."""
    columns = list(table.columns)
    for tier in role.tiers:
        yield [column for column in columns if plain(role.bare(column)) in tier]
    yield [column for column in columns if after_dot(role.bare(column)) in role.names]


def _with_affixes(table: pd.DataFrame, role: Role) -> list[str]:
    """The columns with a usual name within their names, whose values look like the role's."""
    return [
        column
        for column in table.columns
        if (role.may_count or AGGREGATE_TOKENS.isdisjoint(tokens(column)))
        and has_affix(role.bare(column), role.names)
        and role.looks_right(column_of(table, column))
    ]

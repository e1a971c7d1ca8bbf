"""What an estimator is built for."""

from __future__ import annotations

from dataclasses import dataclass

from incongruent.data.trials import Category, Column


@dataclass(frozen=True)
class Task:
    """What is read and what is estimated.

    Attributes:
        columns: of the trials.
        levels: for each given category its name and the levels that occur; the others are refused.
        axis: range of the continuous column, for the histogram's knots; None when no histogram is
            made.
        n_parameters: dimension of theta.
        smallest: number of trials of a data set.
        largest: number of trials of a data set.
    """

    columns: tuple[Column, ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]
    axis: tuple[float, float] | None
    n_parameters: int
    smallest: int = 1
    largest: int = 1000

    def levels_of(self, column: Category) -> tuple[str, ...]:
        """The levels of a category that are read: those that occur; of an outcome all."""
        return dict(self.levels).get(column.name, column.levels)

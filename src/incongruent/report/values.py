"""Values as the page shows them: numbers, shares, and the cells and columns of tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from incongruent.models import Parameter
from incongruent.posterior.draws import Draws


@dataclass(frozen=True)
class Column:
    """A column of a table: what it is called, what it means, and whether it holds numbers."""

    name: str
    meaning: str = ""
    number: bool = True


@dataclass(frozen=True)
class Cell:
    """One cell: what is shown, what it is sorted by, and a second line in small letters."""

    text: str
    value: float | str | None = None
    below: str = ""

    @property
    def key(self) -> str:
        """What the page's script sorts by."""
        if self.value is None:
            return self.text
        key = str(self.value)
        return key.replace("inf", "Infinity") if isinstance(self.value, float) else key


@dataclass(frozen=True)
class Table:
    """A table on the page.

    Attributes:
        columns: heads.
        rows: cells, as many as columns.
        people: the position of each row's person in the draws; None for a row that cannot be looked
            at.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    people: tuple[int | None, ...] = ()


def shown(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, as people read it; a dash when it is not known."""
    if not np.isfinite(value):
        return _not_finite(value)
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e6:
        text = f"{value:.0f}"
    return text.replace("-", "−") if "e" not in text else text


def _not_finite(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "∞" if value > 0 else "−∞"


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage."""
    return "–" if not np.isfinite(share) else f"{100 * share:.{digits}f} %"


def interval(low: float, high: float) -> str:
    """Two numbers with a word between them."""
    return f"{shown(low)} to {shown(high)}"


def number_cell(value: float, digits: int = 3) -> Cell:
    """A cell with a number, sorted by it."""
    return Cell(shown(value, digits), float(value))


def error_columns(people: Iterable[object]) -> dict[str, str]:
    """The columns of `Fit.people` that hold shares of errors, and the condition of each."""
    return {
        str(name): str(name).removeprefix("error_")
        for name in people
        if str(name).startswith("error_")
    }


def parameters_of(draws: Draws) -> Sequence[Parameter]:
    """Names, units and meanings of parameters, in the order of theta's columns."""
    known = {p.name: p for p in draws.simulator.model.parameters}
    return [known[name] for name in draws.parameter_names]

"""Which data sets are meant: positions, names, a slice, or True and False for each data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from incongruent.data.basics.plain import plain

Array = np.ndarray


def positions_of(names: Sequence[str], wanted: Any) -> Array:
    """The positions of the data sets that are wanted, shape (chosen,).

    Args:
        names: the names of all data sets.
        wanted: positions (from 0; -1 is the last), names, a slice, or for each data set whether it
            is wanted; a single position or name is allowed. A name that several data sets have
            stands for all of them.

    Raises:
        KeyError: for a name that no data set has.
        IndexError: for a position that does not exist, or True and False for another number of data
            sets.
        TypeError: for anything else.
    """
    if isinstance(wanted, slice):
        return np.arange(len(names))[wanted]
    if isinstance(wanted, str) or np.ndim(wanted) == 0:
        wanted = [wanted]
    chosen = list(plain(np.asarray(wanted) if isinstance(wanted, range) else wanted))
    if chosen and all(isinstance(one, bool) for one in chosen):
        return _positions_of_mask(names, chosen)
    if all(isinstance(one, str) for one in chosen):
        return _positions_of_names(names, chosen)
    if all(isinstance(one, int) and not isinstance(one, bool) for one in chosen):
        return _checked_positions(names, chosen)
    raise TypeError(
        "Expected positions of data sets, names, a slice, or True and False for each; got"
        f" {wanted!r}."
    )


def _positions_of_mask(names: Sequence[str], mask: Sequence[bool]) -> Array:
    if len(mask) != len(names):
        raise IndexError(
            f"Expected True or False for each of {len(names)} data sets; got {len(mask)} of them."
        )
    return np.flatnonzero(mask)


def _positions_of_names(names: Sequence[str], wanted: Sequence[str]) -> Array:
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    unknown = [name for name in wanted if name not in places]
    if unknown:
        raise KeyError(
            f"Expected names of data sets, such as {', '.join(names[:5])}; got {unknown[0]!r}."
        )
    return np.array([place for name in wanted for place in places[name]], int)


def _checked_positions(names: Sequence[str], wanted: Sequence[int]) -> Array:
    outside = [one for one in wanted if not -len(names) <= one < len(names)]
    if outside:
        raise IndexError(
            f"Expected positions from 0 to {len(names) - 1}, for {len(names)} data sets; got"
            f" {outside[0]}."
        )
    return np.arange(len(names))[np.array(wanted, int)]

"""Which changes of a model go together: the best first, others as long as they help."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from incongruent.exact.change import (
    JOINED,
    OF_EVERY_MECHANISM,
    Change,
    changed_twice,
    combined,
    in_order,
)
from incongruent.exact.variant_results import VariantFit, gain

SMALLEST_GAIN = 3.0
"""Nats, over all people, that a further change has to bring: odds of 20 to 1."""


def select_forward(
    fit: Callable[[Sequence[Change]], VariantFit],
    base: VariantFit,
    found: dict[str, VariantFit],
    changes: Sequence[Change],
    most: int,
) -> None:
    """Combine changes, the best first, as long as the evidence over all people grows.

    Args:
        fit: samples everybody under some changes made together.
        base: the model as fitted.
        found: variants by name; those that are fitted here are put into it.
        changes: that may be combined.
        most: so many of them at most.
    """
    best: tuple[Change, ...] = ()
    best_gain = 0.0
    for _ in range(most):
        tried = [
            (*best, change)
            for change in changes
            if change not in best and may_be_combined((*best, change))
        ]
        gains = [gain(_found_or_fitted(fit, found, one), base) for one in tried]
        if not gains or max(gains) < best_gain + SMALLEST_GAIN:
            return
        best, best_gain = tried[int(np.argmax(gains))], max(gains)


def may_be_combined(changes: Sequence[Change]) -> bool:
    """Whether changes can be made together.

    Only one can put another mechanism in the model's place, with which only further parameters go
    that every mechanism has. No two change the same option or parameter.
    """
    others = [one for one in changes if one.mechanism is None]
    if len(others) < len(changes) and not all(map(_is_for_every_mechanism, others)):
        return False
    return not changed_twice(changes)


def _is_for_every_mechanism(change: Change) -> bool:
    """Whether a change only adds parameters that every mechanism may have."""
    only_adds = not (change.settings or change.fixed or change.equal)
    return only_adds and set(change.free) <= set(OF_EVERY_MECHANISM)


def _found_or_fitted(
    fit: Callable[[Sequence[Change]], VariantFit],
    found: dict[str, VariantFit],
    changes: Sequence[Change],
) -> VariantFit:
    """A variant, sampled only if it has not been."""
    ordered = in_order(changes)
    name = combined(ordered)
    same = next((one for one in found if set(_parts(one)) == set(_parts(name))), None)
    if same is not None:
        return found[same]
    found[name] = fit(ordered)
    return found[name]


def _parts(name: str) -> list[str]:
    return name.split(JOINED)

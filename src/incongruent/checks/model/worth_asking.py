"""Which variants of a model are asked about when people are checked.

What explains most of what people do beyond the model in published studies comes first: lapses, a
drift that varies, and both. They are asked of everybody. Another start, with and without lapses,
other shapes of the activation, collapsing bounds and other mechanisms are asked of some, and of
everybody where they are better. A network that estimates lapses or a varying drift is asked as well
whether it needs them.
"""

from __future__ import annotations

from collections.abc import Sequence

from incongruent.exact.change import Change, combined
from incongruent.exact.changes import usual_changes
from incongruent.models.model import Model

FIRST = ("lapses", "drift variability")
"""Changes that everybody is asked about."""
TOGETHER = (("lapses", "drift variability"),)
TOGETHER_OF_SOME = (("lapses", "narrow start"), ("drift variability", "narrow start"))
"""Changes that are made together."""
WITHOUT = {
    "lapse": Change("no lapses", "no lapses", fixed={"lapse": 0.0}),
    "drift_sd": Change(
        "no drift variability", "a drift that does not vary", fixed={"drift_sd": 0.0}
    ),
}
"""What a model may be asked to do without, by the parameter that it estimates."""

Variant = tuple[Change, ...]


def worth_asking(model: Model) -> tuple[tuple[Variant, ...], tuple[Variant, ...]]:
    """Variants that everybody is asked about, and others; empty for a model without usual ones."""
    try:
        usual = {change.name: change for change in usual_changes(model)}
    except ValueError:
        usual = {}
    without = [(WITHOUT[name],) for name in model.parameter_names if name in WITHOUT]
    first = [(usual[name],) for name in FIRST if name in usual]
    others = [(change,) for name, change in usual.items() if name not in FIRST]
    return (
        (*first, *_together(usual, TOGETHER), *without),
        (*others, *_together(usual, TOGETHER_OF_SOME)),
    )


def _together(usual: dict[str, Change], pairs: Sequence[Sequence[str]]) -> list[Variant]:
    """Changes that are made together, where the model can make all of them."""
    return [tuple(usual[name] for name in pair) for pair in pairs if set(pair) <= set(usual)]


def name_of(variant: Sequence[Change]) -> str:
    """The name of a variant."""
    return combined(variant)

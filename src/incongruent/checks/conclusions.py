"""The seven conclusions to which a check can come, and what each means."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """What a check comes to: the first thing that is wrong, if anything."""

    WELL_SPECIFIED = "well specified"
    WASTEFUL = "safe but wasteful"
    MOVE_PRIOR = "move the prior"
    ADEQUATE = "adequate"
    ADEQUATE_WITH = "adequate with a variant"
    DEFICIENT = "model deficient"
    OUTSIDE = "outside the simulator's scope"

    @property
    def meaning(self) -> str:
        """What the verdict means, in a clause."""
        return MEANINGS[self]


MEANINGS = {
    Verdict.WELL_SPECIFIED: "nothing speaks against model and prior",
    Verdict.WASTEFUL: (
        "the model can give these data and the prior holds everybody, but it is wider than people"
        " differ"
    ),
    Verdict.MOVE_PRIOR: (
        "the model can give these data, but people lie elsewhere than the prior says"
    ),
    Verdict.ADEQUATE: (
        "the fitted model differs from these data by more than chance, but nowhere by enough to"
        " matter"
    ),
    Verdict.ADEQUATE_WITH: "the model as fitted is not adequate, a variant of it is",
    Verdict.DEFICIENT: (
        "the fitted model does not predict these data, by enough to matter, whatever the prior"
    ),
    Verdict.OUTSIDE: (
        "the data sets are not people, or many of them are unlike anything that the simulator makes"
        " and no reason was found"
    ),
}

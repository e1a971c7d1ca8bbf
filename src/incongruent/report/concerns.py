"""Why to be careful with a person's posterior."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.model.relevance import Misfit, relevant_among
from incongruent.checks.record import Check
from incongruent.posterior.draws import Draws


class Concern(NamedTuple):
    """A reason to be careful: in a word, and in a sentence."""

    short: str
    sentence: str


NO_TRIALS = Concern("no trials", "Not a single usable trial: nothing was fitted.")
WEIGHTS = Concern(
    "weights",
    "The importance weights cannot be trusted (k-hat), and the person was not sampled anew.",
)
LIKELIHOOD = Concern(
    "likelihood",
    "The likelihood could not be computed to 0.05 nats: some answers are far too fast for the"
    " model.",
)


def concerns_of(fit: Fit, check: Check | None) -> list[list[Concern]]:
    """For each person of the study, why to be careful."""
    found = _about_trials(fit)
    fitted = np.flatnonzero(fit.study.n_trials > 0)
    for i, concerns in zip(fitted, _about_correction(fit.draws), strict=True):
        found[i] += concerns
    if check is not None:  # of those who were fitted, in their order
        for i, concerns in zip(fitted, _about_model(check), strict=True):
            found[i] += concerns
    return found


def _about_trials(fit: Fit) -> list[list[Concern]]:
    """For everybody, whether there are trials, and such as the network was trained for."""
    return [
        [Concern("outside training", flag) for flag in flags] if n > 0 else [NO_TRIALS]
        for n, flags in zip(fit.study.n_trials, fit.flags, strict=True)
    ]


def _about_correction(draws: Draws) -> Iterator[list[Concern]]:
    """For everybody who was fitted, what speaks against their weights and their likelihood."""
    correction = draws.correction
    if correction is None:
        yield from ([] for _ in draws.names)
        return
    for is_trusted, is_accurate in zip(correction.trusted, correction.accurate, strict=True):
        yield [*([] if is_trusted else [WEIGHTS]), *([] if is_accurate else [LIKELIHOOD])]


def _about_model(check: Check) -> Iterator[list[Concern]]:
    """For everybody who was checked, what the model does not make or predict."""
    rows = check.people().to_dict("records")
    for row, misfits in zip(rows, check.misfits_of_people(), strict=True):
        yield [
            *([_outside_the_model(row["stands_out"])] if row["outside"] else []),
            *([_not_predicted(misfits)] if misfits else []),
        ]


def _outside_the_model(stands_out: str) -> Concern:
    words = f"Unlike anything that the simulator makes: {stands_out or 'all in all'}."
    return Concern("outside the model", words)


def _not_predicted(misfits: Sequence[Misfit]) -> Concern:
    sized = "; ".join(f"{misfit.name} ({misfit.words})" for misfit in misfits)
    short = "not predicted" if relevant_among(misfits) else "not quite predicted"
    return Concern(short, f"The fitted model does not predict: {sized}.")

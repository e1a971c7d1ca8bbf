"""Cautions: what a user should know or check about the trials before anything is fitted."""

from __future__ import annotations

import numpy as np

from incongruent.data.codings import ERROR, NEUTRAL
from incongruent.data.reading.omissions import notes_on_omissions
from incongruent.data.reading.options import Options
from incongruent.data.reading.roles import Roles
from incongruent.data.reading.rows import Rows
from incongruent.data.reading.support import Evidence, doubt_of
from incongruent.data.trials import Trials


def cautions(rows: Rows, trials: Trials, roles: Roles, options: Options) -> list[str]:
    """Sentences about omissions, neutral trials, the coding of errors and that of the condition."""
    return [
        *_on_omissions(rows, trials, options),
        *_on_neutral(trials),
        *_on_errors(rows, trials, roles),
        *_on_condition(trials, roles),
    ]


def _on_omissions(rows: Rows, trials: Trials, options: Options) -> list[str]:
    kept = trials.present & ~trials.answered
    left_out = rows.answers.omitted & rows.condition.known
    n_omitted = int((kept if options.keeps_omissions else left_out).sum())
    longest = float(trials.values["rt"][trials.answered].max(initial=0.0))
    return notes_on_omissions(n_omitted, int(trials.answered.sum()), longest, options.deadline)


def _on_neutral(trials: Trials) -> list[str]:
    n_neutral = int(trials.where("condition", NEUTRAL).sum())
    if not n_neutral:
        return []
    return [f"Neutral trials are present: {n_neutral} of {trials.n_trials.sum()}."]


def _on_errors(rows: Rows, trials: Trials, roles: Roles) -> list[str]:
    """A caution when nobody made an error, but some codes of the accuracy are unknown."""
    unknown = ~rows.accuracy.known & ~rows.accuracy.missing & ~rows.answers.omitted
    n_unknown = int(unknown.sum())
    if not n_unknown or not trials.answered.any() or trials.where("response", ERROR).any():
        return []
    return [
        f"Caution: nobody made an error, while {n_unknown} trials were left out for their code"
        f" in column {roles.accuracy.name!r}. Were these errors?"
    ]


def _on_condition(trials: Trials, roles: Roles) -> list[str]:
    """A caution when the condition may be coded the other way round."""
    codes = np.asarray(trials.values["condition"][trials.answered])
    return doubt_of(roles.condition, codes, _evidence(trials))


def _evidence(trials: Trials) -> Evidence:
    """The answered trials, one row each."""
    answered = trials.answered
    dataset = np.broadcast_to(np.arange(len(trials))[:, None], answered.shape)[answered]
    error = trials.where("response", ERROR)[answered].astype(float)
    return Evidence(dataset, trials.values["rt"][answered], error, np.ones(len(dataset), bool))

"""Hygiene: what in a study misleads every model of people's trials, before any model is fitted.

Each finding rests on the data alone, with a p-value where there is one; its words are for those who
ran the experiment.
"""

from __future__ import annotations

from incongruent.checks.hygiene.design import congruency_effect, units
from incongruent.checks.hygiene.findings import Finding, Hygiene, Severity
from incongruent.checks.hygiene.observed import is_clear, recording_of
from incongruent.checks.hygiene.order import Rows, disorder, rows_of
from incongruent.checks.hygiene.recording import deadline, rounding
from incongruent.checks.hygiene.sequence import autocorrelation, congruency_sequence, first_trial
from incongruent.data.trials import CONFLICT_TASK, Trials

LEVEL = 0.01


def hygiene(study: Trials, *, level: float = LEVEL, as_recorded: bool = True, seed: int) -> Hygiene:
    """Look for what misleads every model of people's trials.

    That is pooled batches, a missing congruency effect, a deadline, rounded RTs, a slow first
    trial, and effects of the order of trials.

    Args:
        study: one data set a person, trials in the order in which they were run.
        level: of each test.
        as_recorded: whether models are fitted and predicted as the study was recorded, as `fit` and
            `check` do unless told otherwise; the sentences say what has been done, or what to do.
        seed: of a bootstrap that gives numbers but decides nothing.

    Raises:
        ValueError: when the trials are not those of a conflict task, or there is no answer among
            them.

    Example:
        >>> from incongruent.data.demo import demo_study
        >>> hygiene(demo_study(), seed=1)["units"].severity
        <Severity.FINE: 'fine'>
    """
    _check_columns(study)
    recorded, rows = recording_of(study, level=level), rows_of(study)
    clear = is_clear(recorded.steps, level)
    return Hygiene(
        (
            units(study, LEVEL, seed),
            congruency_effect(study),
            deadline(study, recorded.wall, level, as_recorded),
            rounding(recorded.steps, clear, as_recorded),
            *_effects_of_order(rows, level),
        )
    )


def _check_columns(study: Trials) -> None:
    """Refuse trials that are not those of a conflict task, or hold no answer."""
    if set(study.columns) != set(CONFLICT_TASK):
        raise ValueError(
            "Expected trials of a conflict task, with condition, response and rt; got"
            f" {[c.name for c in study.columns]}."
        )
    if not study.answered.any():
        raise ValueError("Expected at least one trial with an answer; got none.")


def _effects_of_order(rows: list[Rows], level: float) -> tuple[Finding, ...]:
    """What the order of trials shows; only that it is not the experiment's where it is not."""
    reason = disorder(rows)
    if reason:
        return (_order_unknown(reason),)
    return (
        first_trial(rows, level),
        autocorrelation(rows, level),
        congruency_sequence(rows, level),
    )


def _order_unknown(reason: str) -> Finding:
    """The finding that trials are not in the order of the experiment."""
    sentence = (
        f"Trials stand {reason}, so their order is not that of the experiment; effects of order"
        " were not looked for. Keep the order in the file."
    )
    return Finding("order", Severity.UNKNOWN, sentence)

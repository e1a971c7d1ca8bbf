"""Scope: is a study what the network was trained for? It is checked before anything is sampled.

Each person is judged alone; the study is refused when nobody in it fits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from incongruent.data.trials import Trials
from incongruent.posterior.flags import Flag, flags_of
from incongruent.posterior.statistics import Ranges, Statistic
from incongruent.simulation.designs import Design

Array = np.ndarray

FEWEST_PEOPLE = 5
"""A study of so many people is refused when all have flags, also slight ones, which chance does not
give to everybody.
"""
MOST_REASONS = 3
"""So many reasons a refusal names."""

IN_PYTHON = {
    "design": "train a network for this design: Design(n_trials=…, share=…)",
    "prior": (
        "look at units and window of the data, then train a network under a prior that reaches"
        " them: Simulator(model, prior, design)"
    ),
    "reading": "look at how the trials were read: unit of the RTs, window, codes",
    "anyway": (
        "to continue nevertheless, give anyway=True, or take posterior.unguarded(); posteriors are"
        " then extrapolations"
    ),
}
"""What can be done about a study with nobody inside, for those who write Python."""
IN_SHELL = {
    "design": "train a network for this design: incongruent train --trials … --congruent …",
    "prior": (
        "look at the unit of the data (--unit), then train a network under a prior that reaches"
        " them: incongruent train --prior …"
    ),
    "reading": "look at how the file was read: --unit, --coding, --where",
    "anyway": "to continue nevertheless, add --anyway; posteriors are then extrapolations",
}
"""The same on the command line."""
IN_APP = {
    "design": "take a network for this design",
    "prior": "look at the unit of the RTs, then take a network whose prior reaches these data",
    "reading": "look at how the file was read, and correct it under Corrections",
    "anyway": (
        "to continue nevertheless, tick Fit even if nobody is in range; posteriors are then"
        " extrapolations"
    ),
}
"""The same in the app."""


class ScopeError(ValueError):
    """Nobody in the study is what the network was trained for.

    Args:
        finding: what was expected and what came.
        advice: what can be done, by the keys of ``IN_PYTHON``, the best first.
    """

    def __init__(self, finding: str, advice: tuple[str, ...] = ()) -> None:
        super().__init__(finding, advice)
        self.finding, self.advice = finding, advice

    def __str__(self) -> str:
        return self.said(IN_PYTHON)

    def said(self, words: Mapping[str, str]) -> str:
        """The message with the advice of ``IN_PYTHON``, ``IN_SHELL`` or ``IN_APP``."""
        todo = "; or ".join(words[key] for key in self.advice)
        return f"{self.finding} {todo[:1].upper()}{todo[1:]}." if todo else self.finding


@dataclass(frozen=True, eq=False)
class Admission:
    """A study as the network may read it.

    Attributes:
        trials: without trials of conditions or RTs that the network does not know; they are counted
            in ``excluded``.
        flags: for each person, in what respect they lie outside what the network was trained for;
            empty for most.
        outside: (person,) True for people whose flags are so grave that the network says nothing
            about them: another design, a statistic far from all simulations, no trials.
    """

    trials: Trials
    flags: tuple[tuple[str, ...], ...]
    outside: Array

    @property
    def n_flagged(self) -> int:
        """How many people have a flag."""
        return sum(bool(flags) for flags in self.flags)


def admit(
    study: Trials, design: Design, ranges: Ranges | None, *, anyway: bool = False
) -> Admission:
    """Leave out trials that the network cannot read, and flag people unlike its simulations.

    Args:
        study: one data set a person.
        design: that the network was trained for.
        ranges: of statistics of the simulations; None to ignore them.
        anyway: admit a study although nobody is inside.

    Raises:
        ScopeError: when nobody is inside: everybody's design is another one, or some statistic of
            theirs is far from all simulations, or all of five people or more have flags.
    """
    trials = readable(study, design)
    flags = flags_of(trials, design, ranges)
    words = _words_by_person(flags, len(trials))
    outside = _with_grave_flags(flags, len(trials))
    reliable = ranges is None or ranges.enough
    all_flagged = reliable and len(trials) >= FEWEST_PEOPLE and all(words)
    if len(trials) and (outside.all() or all_flagged) and not anyway:
        raise _refusal(trials, design, flags)
    return Admission(trials, words, outside)


def _with_grave_flags(flags: list[Flag], n_people: int) -> Array:
    """Which people have a grave flag, bool (person,)."""
    grave = np.zeros(n_people, bool)
    grave[[flag.person for flag in flags if flag.grave]] = True
    return grave


def _words_by_person(flags: list[Flag], n_people: int) -> tuple[tuple[str, ...], ...]:
    """The sentences of each person's flags."""
    words: list[list[str]] = [[] for _ in range(n_people)]
    for flag in flags:
        words[flag.person].append(flag.words)
    return tuple(map(tuple, words))


def _refusal(trials: Trials, design: Design, flags: list[Flag]) -> ScopeError:
    """What is wrong with most people, with numbers, and what can be done."""
    usable = bool(trials.n_trials.any())
    reasons = _reasons(flags, len(trials)) if usable else f"no usable trials{_left_out(trials)}"
    return ScopeError(
        "Expected somebody within what the network was trained for,"
        f" {design.smallest}–{design.largest} trials{_share_words(design)}; got nobody:"
        f" {_everybody_lies(trials)} outside: {reasons}.",
        _advice(flags) if usable else ("reading",),
    )


def _everybody_lies(trials: Trials) -> str:
    """The beginning of a sentence about everybody: their number, or a single person's name."""
    return f"all {len(trials)} people lie" if len(trials) > 1 else f"{trials.names[0]} lies"


def _advice(flags: list[Flag]) -> tuple[str, ...]:
    """What can be done, by the keys of ``IN_PYTHON``: another design or prior, or to go on."""
    outside = [flag.statistic for flag in flags if flag.statistic is not None]
    design = ["design"] if any(statistic.of_design for statistic in outside) else []
    prior = [] if all(statistic.of_design for statistic in outside) else ["prior"]
    return (*design, *prior, "anyway")


def _left_out(trials: Trials) -> str:
    """How many trials were left out for which reason, in brackets; nothing when none were."""
    counts = {reason: int(by_person.sum()) for reason, by_person in trials.excluded.items()}
    lost = [f"{count} {reason}" for reason, count in counts.items() if count]
    return f" (left out: {', '.join(lost)})" if lost else ""


def _reasons(flags: list[Flag], n_people: int) -> str:
    """The commonest reasons, with the values of those people and how many they are."""
    return "; ".join(
        _reason([flag for flag in flags if flag.name == name], n_people)
        for name in _commonest(flags)
    )


def _commonest(flags: list[Flag]) -> list[str]:
    """What lies outside for most people, grave flags first."""
    count = Counter(flag.name for flag in flags)
    grave = {flag.name for flag in flags if flag.grave}
    return sorted(count, key=lambda name: (name not in grave, -count[name]))[:MOST_REASONS]


def _reason(flags: list[Flag], n_people: int) -> str:
    """One of the reasons: the values of those people, what is known, how many they are."""
    few = "" if n_people == 1 else f" ({len(flags)} of {n_people})"
    return f"{_value_words(flags)}{few}"


def _value_words(flags: list[Flag]) -> str:
    """The values of people with the same reason, and what the network was trained for."""
    statistic, known = flags[0].statistic, flags[0].known
    if statistic is None or known is None:
        return flags[0].name
    values = _range_words(statistic, [flag.value for flag in flags])
    low, high = statistic.shown(known.low), statistic.shown(known.high)
    return f"{statistic.name} {values}, trained for {low} to {high}"


def _range_words(statistic: Statistic, values: list[float]) -> str:
    """The lowest and the highest value of a statistic; only one when they look the same."""
    lowest, highest = statistic.shown(min(values)), statistic.shown(max(values))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def _share_words(design: Design) -> str:
    """The shares of a design, for a message; nothing without conditions."""
    shares = ", ".join(f"{level} {value}" for level, value in design.share.items())
    return f" and shares {shares}" if shares else ""


def readable(study: Trials, design: Design) -> Trials:
    """The study without the trials that a network for this design cannot read, which are counted.

    They are those of conditions that the design lacks and RTs outside its window; answers after its
    deadline are none.
    """
    known = study.present & _known_condition(study, design)
    outside = known & _out_of_window(study, design)
    keep = known & ~outside
    lost = {
        f"{_unknown_levels(design)} trials, which the network does not know": study.present
        & ~known,
        "out of window": outside,
    }
    answered = _answered_in_time(study, design) & keep
    return replace(study, present=keep, answered=answered, excluded=_counted(study, lost))


def _answered_in_time(study: Trials, design: Design) -> Array:
    """Which places (person, trial) have an answer before the deadline."""
    if design.deadline is None:
        return study.answered
    return study.answered & (study.values["rt"] <= design.deadline)


def _counted(study: Trials, lost: Mapping[str, Array]) -> dict[str, Array]:
    """By reason how many trials of each person are left out: those before, and those now."""
    excluded = dict(study.excluded)
    for reason, mask in lost.items():
        if mask.any():
            excluded[reason] = excluded.get(reason, np.zeros(len(study), int)) + mask.sum(axis=1)
    return excluded


def _known_condition(study: Trials, design: Design) -> Array:
    """Which places (person, trial) have a condition that the design has; all without conditions."""
    if not design.levels:
        return study.present
    known = [design.condition.levels.index(level) for level in design.levels]
    return np.isin(study.values[design.condition.name], known)


def _unknown_levels(design: Design) -> str:
    """The conditions that the design lacks, for a message; nothing for one without conditions."""
    if not design.levels:
        return ""
    return " or ".join(level for level in design.condition.levels if level not in design.levels)


def _out_of_window(study: Trials, design: Design) -> Array:
    """Which answers (person, trial) are faster or slower than the window allows."""
    if design.window is None:
        return np.zeros_like(study.present)
    rt = study.values["rt"]
    return study.answered & ((rt < design.window[0]) | (rt > design.window[1]))

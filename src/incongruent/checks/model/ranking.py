"""Records of how candidates explain what a model fails in, which print as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray

NOTHING_TO_EXPLAIN = (
    "The fitted model fails in no statistic of the group, so there is nothing to explain."
)
LOOK_AT_WHAT_FAILS = (
    "None of the usual extensions explains what fails; look at the failing statistics, and at the"
    " people in whom they fail most."
)
TIE = 3.0
"""Log-odds that do not distinguish two candidates."""
COLUMNS = (
    "extension",
    "amount",
    "log_odds",
    "p",
    "repaired",
    "remaining",
    "spoiled",
    "accepted",
)
"""Columns of the table of candidates."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, eq=False)
class Candidate:
    """How one extension does.

    Attributes:
        name: of the extension.
        subject: what it is, with the strength that suits the data best, as a sentence's subject.
        advice: what to train instead.
        amount: that strength.
        score: log-odds against the base model at that strength.
        p: of the score, over all candidates.
        predicted: (statistic,) the group's z under it.
        left: (statistic,) z - predicted, in units of the candidate's own spread where that is
            larger.
        repaired: names of the failing statistics that it explains.
        remaining: names of those that it does not.
        spoiled: names of statistics that did not fail, but would.
        accepted: p is small, and most is repaired.
        plural: whether the subject takes a verb in the plural.
    """

    name: str
    subject: str
    advice: str
    amount: float
    score: float
    p: float
    predicted: Array = field(repr=False)
    left: Array = field(repr=False)
    repaired: tuple[str, ...]
    remaining: tuple[str, ...]
    spoiled: tuple[str, ...]
    accepted: bool
    plural: bool = False

    @property
    def share(self) -> float:
        """The share of the failing statistics that it repairs."""
        return len(self.repaired) / max(len(self.repaired) + len(self.remaining), 1)


@dataclass(frozen=True, eq=False)
class ExtensionRanking:
    """Candidates in order, accepted ones first, then by score.

    Attributes:
        candidates: empty when the base model fails in nothing.
        failing: names of the statistics in which the base model fails, the worst first.
        n_replicates: studies of the base model that p-values come from.
    """

    candidates: tuple[Candidate, ...]
    failing: tuple[str, ...]
    n_replicates: int

    @property
    def best(self) -> str | None:
        """Name of the first accepted candidate.

        None when none of them explains what fails, or nothing fails.
        """
        return self.candidates[0].name if self.candidates and self.candidates[0].accepted else None

    @property
    def ties(self) -> tuple[str, ...]:
        """Other accepted candidates that these data do not distinguish from the best."""
        if self.best is None:
            return ()
        first, *others = (c for c in self.candidates if c.accepted)
        return tuple(c.name for c in others if first.score - c.score < TIE)

    def table(self) -> pd.DataFrame:
        """One row per candidate.

        Columns: extension, amount, log_odds, p, repaired (share of the failing), remaining, spoiled
        (numbers), accepted.
        """
        return pd.DataFrame([_row_of(c) for c in self.candidates], columns=list(COLUMNS))

    def sentences(self) -> tuple[str, ...]:
        """What was found, one sentence each."""
        if not self.failing:
            return (NOTHING_TO_EXPLAIN,)
        if not self.candidates:
            return ("No extension was asked about.",)
        if self.best is None:
            return self._sentences_of_none()
        return self._sentences_of_best()

    def _sentences_of_none(self) -> tuple[str, ...]:
        closest, n = max(self.candidates, key=_closeness), len(self.candidates)
        how = f"it {self._how_close(closest)}; p = {_p(closest.p)}."
        if n == 1:
            return (f"{closest.name} does not explain what the model fails in: {how}",)
        return (
            f"None of {_number(n)} candidates explains what the model fails in.",
            f"The closest is {closest.name}: {how}",
        )

    def _how_close(self, candidate: Candidate) -> str:
        """How many statistics a candidate repairs, and how many it makes fail."""
        return (
            f"repairs {len(candidate.repaired)} of {len(self.failing)} failing statistics and makes"
            f" {len(candidate.spoiled)} others fail"
        )

    def _sentences_of_best(self) -> tuple[str, ...]:
        best = self.candidates[0]
        return (self._sentence_of(best), *_sentences_of_limits(best), *self._sentences_of_ties())

    def _sentences_of_ties(self) -> tuple[str, ...]:
        """That the data do not distinguish the best from others, if they do not."""
        if not self.ties:
            return ()
        return (
            f"These data do not distinguish it from {_list(self.ties)}, which would explain it"
            " about as well.",
        )

    def _sentence_of(self, candidate: Candidate) -> str:
        """What an accepted candidate explains."""
        verb = "explain" if candidate.plural else "explains"
        n = _number(len(self.candidates))
        return (
            f"{candidate.subject} {verb} it: {self._repaired_in_words(candidate)};"
            f" p = {_p(candidate.p)} over all {n} candidates."
        )

    def _repaired_in_words(self, candidate: Candidate) -> str:
        """Which of the failing statistics a candidate repairs, and how many."""
        repaired = candidate.repaired
        return (
            f"{_list(repaired)} {_are(repaired)} repaired"
            f" ({len(repaired)} of {len(self.failing)} failing statistics)"
        )

    @property
    def advice(self) -> str:
        """What to do."""
        if self.best is None:
            return LOOK_AT_WHAT_FAILS
        best = self.candidates[0]
        model = best.advice or best.name
        return f"Train for the model with {model}{self._others_to_compare}, and ask again."

    @property
    def _others_to_compare(self) -> str:
        return f", and compare it with {_list(self.ties)}" if self.ties else ""

    def to_json(self) -> dict[str, Any]:
        """Plain values: best, ties, and a row for each candidate.

        Rows are those of `table`, with the names of statistics instead of their numbers.
        """
        rows = self.table().to_dict("records")
        for row, candidate in zip(rows, self.candidates, strict=True):
            row |= _details_of(candidate)
        return {
            "best": self.best,
            "ties": list(self.ties),
            "failing": list(self.failing),
            "candidates": rows,
            "sentences": list(self.sentences()),
        }

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def _row_of(candidate: Candidate) -> dict[str, Any]:
    """A row of the table of candidates, with ``COLUMNS``."""
    return {
        "extension": candidate.name,
        "amount": candidate.amount,
        "log_odds": candidate.score,
        "p": candidate.p,
        "repaired": candidate.share,
        "remaining": len(candidate.remaining),
        "spoiled": len(candidate.spoiled),
        "accepted": candidate.accepted,
    }


def _details_of(candidate: Candidate) -> dict[str, Any]:
    """The subject, and names of statistics where the table has their numbers."""
    return {
        "subject": candidate.subject,
        "repaired": list(candidate.repaired),
        "remaining": list(candidate.remaining),
        "spoiled": list(candidate.spoiled),
        "share": candidate.share,
    }


def _closeness(candidate: Candidate) -> tuple[int, float]:
    """By how much more statistics are repaired than spoiled, and then the score."""
    return len(candidate.repaired) - len(candidate.spoiled), candidate.score


def _sentences_of_limits(candidate: Candidate) -> list[str]:
    """What an accepted candidate does not explain, and what it would spoil."""
    found = []
    if candidate.remaining:
        found.append(f"Not explained: {_list(candidate.remaining)}.")
    if candidate.spoiled:
        found.append(f"It would spoil {_list(candidate.spoiled)}.")
    return found


def _number(n: int) -> str:
    """A number in words, up to ten."""
    return NUMBERS[n] if n < len(NUMBERS) else str(n)


def _p(p: float) -> str:
    return f"{p:.2f}" if p >= 0.01 else f"{p:.3f}"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _list(names: Sequence[str], most: int = 4) -> str:
    """The first names, and how many more there are."""
    shown = "; ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown

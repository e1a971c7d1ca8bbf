r"""Which extension explains the statistics in which a fitted model fails?

The panel's group z says by how much, and in which direction, people differ from what the fitted
base model predicts. Every candidate has a
signature: mean and covariance of the same z in studies simulated from it, at each strength on a
grid, with parameters at which quantiles and errors are those of these people (`checks.imitation`),
fitted and judged by the base model like the people. The score is the log-odds of candidate and
base,

    S = max over strengths of   log N(z; mu_strength, C_strength) - log N(z; 0, C_base),

covariances shrunk towards their diagonal. The p-value is the share of studies, observed and the
panel's replicates of the base together, whose largest score over all candidates is at least S; so
it is corrected for the number of candidates and strengths, whatever the shape of the distributions.
A candidate is accepted when p is small and the failing statistics are repaired: at its best
strength z - mu lies within the panel's simultaneous band for most of them, statistics that it makes
fail counted against it. So "none of these" is an answer.

Limits. All people are given one strength. No candidate is fitted by its likelihood, and the order
among several that repair the same statistics is that of log-odds which rest on normal
distributions; differences of less than 3 are called ties. Strengths are rough, since signatures
between those simulated are interpolated. What is not among the candidates, or needs two of them at
once, is not found. In small studies, or where other values of the base model's parameters can take
the place of an extension, nothing fails and nothing is asked. To estimate the parameters of what is
accepted, train for that model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from incongruent.checks.model.candidates import Extension, default_extensions
from incongruent.checks.model.imitation import imitator
from incongruent.checks.model.panel import Panel, predictive_panel
from incongruent.checks.simultaneous import standardised
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import counting

Array = np.ndarray

LEVEL = 0.05
N_PREDICTIONS = 5
"""Data sets simulated from each fit to predict the statistics of a candidate's data."""
PANEL_PREDICTIONS = 10
"""The same in the panel, whose default it is."""
SHRINKAGE = 0.1
"""Of covariances towards their diagonal."""
BETWEEN = 4
"""Strengths looked at between one on the grid and the next."""
FURTHEST_Z = 10.0
"""z of one person are cut at ± this, lest a person whom the base network cannot read decides for
all.
"""
TIE = 3.0
"""Log-odds that do not tell two candidates apart."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """How one extension does.

    Attributes:
        name: of the extension.
        subject: what it is and how much of it, the subject of a sentence.
        advice: what to train for, if it is right.
        amount: its best strength.
        score: log-odds against the base model.
        p: of that score, corrected for all candidates and strengths.
        predicted: (statistic,) the group's z under it.
        left: (statistic,) z - predicted, in units of the candidate's own spread where that is
            larger.
        repaired: names of the failing statistics that it explains.
        remaining: names of those that it does not.
        spoiled: names of statistics that did not fail, but would.
        accepted: p is small, and most is repaired.
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

    @property
    def share(self) -> float:
        """Of the failing statistics, which it repairs."""
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
        """Name of the first accepted candidate; None when none of them explains what fails, or
        nothing fails.
        """
        return self.candidates[0].name if self.candidates and self.candidates[0].accepted else None

    @property
    def ties(self) -> tuple[str, ...]:
        """Other accepted candidates that these data do not tell from the best."""
        if self.best is None:
            return ()
        return tuple(
            c.name
            for c in self.candidates[1:]
            if c.accepted and self.candidates[0].score - c.score < TIE
        )

    def table(self) -> pd.DataFrame:
        """One row per candidate: extension, amount, log_odds, p, repaired (share of the failing),
        remaining, spoiled (numbers), accepted.
        """
        columns = (
            "extension",
            "amount",
            "log_odds",
            "p",
            "repaired",
            "remaining",
            "spoiled",
            "accepted",
        )
        rows = [
            (c.name, c.amount, c.score, c.p, c.share, len(c.remaining), len(c.spoiled), c.accepted)
            for c in self.candidates
        ]
        return pd.DataFrame(rows, columns=list(columns))

    def sentences(self) -> tuple[str, ...]:
        """What was found, one sentence each."""
        if not self.failing:
            return (
                (
                    "The fitted model fails in no statistic of the group, so there is nothing to"
                    " explain."
                ),
            )
        if not self.candidates:
            return ("No extension was asked about.",)
        first, n, over = (
            self.candidates[0],
            len(self.failing),
            f"all {_number(len(self.candidates))} candidates",
        )
        counted = f"{len(first.repaired)} of {n} failing statistics"
        if self.best is None:
            said = [f"None of {over.removeprefix('all ')} explains what the model fails in."]
            closest = max(
                self.candidates, key=lambda c: (len(c.repaired) - len(c.spoiled), c.score)
            )
            at = (
                f"{len(closest.repaired)} of {n} failing statistics repaired,"
                f" {len(closest.spoiled)} not failing before spoiled"
            )
            return (*said, f"Closest comes {closest.name}: {at}, p = {_p(closest.p)}.")
        verb = "explain" if first.subject.startswith(("Lapses", "Bounds")) else "explains"
        said = [
            f"{first.subject} {verb} it: {_list(first.repaired)} {_are(first.repaired)} repaired"
            f" ({counted}); p = {_p(first.p)} over {over}."
        ]
        if first.remaining:
            said.append(f"Not explained: {_list(first.remaining)}.")
        if first.spoiled:
            said.append(f"It would spoil {_list(first.spoiled)}.")
        if self.ties:
            said.append(
                f"These data do not tell it from {_list(self.ties)}, which would explain it about"
                " as well."
            )
        return tuple(said)

    @property
    def advice(self) -> str:
        """What to do."""
        if self.best is None:
            return (
                "None of the usual extensions explains what fails; look at the failing statistics,"
                " and at the people in whom they fail most."
            )
        first = self.candidates[0]
        also = f", and compare it with {_list(self.ties)}" if self.ties else ""
        return f"Train for the model with {first.advice or first.name}{also}, and ask again."

    def to_json(self) -> dict[str, Any]:
        """Plain values: best, ties, and a row for each candidate as in `table`, with the names of
        statistics.
        """
        rows = self.table().to_dict("records")
        for row, c in zip(rows, self.candidates, strict=True):
            row |= {
                "subject": c.subject,
                "repaired": list(c.repaired),
                "remaining": list(c.remaining),
                "spoiled": list(c.spoiled),
                "share": c.share,
            }
        return {
            "best": self.best,
            "ties": list(self.ties),
            "failing": list(self.failing),
            "candidates": rows,
            "sentences": list(self.sentences()),
        }

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def rank_extensions(
    posterior: Posterior,
    study: Trials,
    panel: Panel | None = None,
    *,
    extensions: Sequence[Extension] | None = None,
    seed: int,
) -> ExtensionRanking:
    """Ask which extension of the model, or which other mechanism, explains the statistics of the
    group in which the model fails.

    Args:
        posterior: a trained one, of the base model.
        study: one data set a person.
        panel: of this posterior and study; made when left out.
        extensions: the candidates; `default_extensions` of the base model when left out.
        seed: of everything.

    Raises:
        ScopeError: when nobody is what the network was trained for.
        ValueError: when the trials are not those of a conflict task, the panel is of other people,
            or the base model has no usual candidates.
    """
    panel = panel or predictive_panel(posterior, study, seed=seed)
    if panel.names != study.names:
        raise ValueError(
            f"Expected a panel of the people of the study, {study.names[:5]} …; got one of"
            f" {panel.names[:5]} …."
        )
    failing = panel.failing(level=LEVEL)
    if not failing:
        return ExtensionRanking((), (), panel.n_replicates)
    scale = _Scale(panel)
    mimic = imitator(posterior, study, seed=seed)
    found: list[tuple[Extension, _Fitted]] = []
    asked = tuple(
        default_extensions(posterior.simulator.model) if extensions is None else extensions
    )
    done = counting(len(asked), "candidates")
    for n, extension in enumerate(asked, 1):
        signatures = [scale.signature(d) for d in mimic.signatures(extension, N_PREDICTIONS)]
        found.append((extension, _fitted(scale, extension, signatures)))
        done(n)
    if not found:
        return ExtensionRanking((), failing, panel.n_replicates)
    largest = np.max([fitted.scores for _, fitted in found], axis=0)  # (1 + replicate,)
    candidates = [
        _candidate(panel, scale, extension, fitted, largest) for extension, fitted in found
    ]
    return ExtensionRanking(
        tuple(sorted(candidates, key=lambda c: (not c.accepted, -c.score))),
        failing,
        panel.n_replicates,
    )


@dataclass(frozen=True, eq=False)
class _Signature:
    """Mean (statistic,) and covariance (statistic, statistic) of the group's z."""

    mean: Array
    covariance: Array

    def towards(self, other: _Signature, share: float) -> _Signature:
        return _Signature(
            self.mean + share * (other.mean - self.mean),
            self.covariance + share * (other.covariance - self.covariance),
        )

    def log_density(self, z: Array) -> Array:
        """Up to a constant, of z (study, statistic)."""
        diagonal = np.diag(np.diag(self.covariance))
        root = np.linalg.cholesky(
            (1.0 - SHRINKAGE) * self.covariance
            + SHRINKAGE * diagonal
            + 1e-3 * np.eye(len(self.mean))
        )
        white = np.linalg.solve(root, (z - self.mean).T)
        return -0.5 * (white**2).sum(axis=0) - np.log(np.diag(root)).sum()


class _Scale:
    """What turns discrepancies of people into the group's z, as in the panel.

    Attributes:
        used: places of the statistics that are defined.
        z: (1 + replicate, used statistic), the observed group first.
        base: signature of the base model.
    """

    def __init__(self, panel: Panel) -> None:
        self._by = panel.discrepancies
        of_people = self._of_people(self._by)
        self._group = _mean_of(of_people, ~np.isnan(of_people), axis=1)
        every = standardised(self._group, self._group[1:])
        self.used = np.flatnonzero(~np.isnan(every).any(axis=0))
        self.z = every[:, self.used]
        one, none = (
            standardised(np.full_like(self._group[:1], value), self._group[1:])[0]
            for value in (1.0, 0.0)
        )
        size = 1.0 / (one - none)  # `standardised` divides by it
        self._standard = -none * size, size
        self.base = self._signature(of_people[1:], 0.0)

    def _of_people(self, discrepancies: Array) -> Array:
        return np.clip(standardised(discrepancies, self._by), -FURTHEST_Z, FURTHEST_Z)

    def signature(self, discrepancies: Array) -> _Signature:
        """Of simulated people (replicate, person, statistic)."""
        noise_of_predictions = (1.0 + 1.0 / PANEL_PREDICTIONS) / (1.0 + 1.0 / N_PREDICTIONS)
        found = self._signature(self._of_people(discrepancies), 1.0 / len(discrepancies))
        return _Signature(found.mean, noise_of_predictions * found.covariance)

    def _signature(self, of_people: Array, uncertain: float) -> _Signature:
        """Of z of people (replicate, person, statistic), where defined; people differ in their
        means and do not depend on each other.
        """
        known = ~np.isnan(of_people)
        n = known.sum(axis=0)  # (person, statistic)
        mean = np.where(known, of_people, 0.0).sum(axis=0) / np.maximum(n, 1)
        away = np.where(known, of_people - mean, 0.0)
        per_person = (
            np.einsum("rij,rik->ijk", away, away) / np.maximum(n.max(axis=1) - 1, 1)[:, None, None]
        )
        center, size = self._standard
        group = (_mean_of(mean, n > 0) - center) / size
        covariance = per_person.mean(axis=0) / len(n) / np.outer(size, size)
        used = self.used
        return _Signature(
            np.nan_to_num(group[used]), (1.0 + uncertain) * covariance[np.ix_(used, used)]
        )


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Scores (1 + replicate,) at the best strength of each, and strength and signature at the best
    of the observed.
    """

    scores: Array
    amount: float
    signature: _Signature


def _fitted(scale: _Scale, extension: Extension, signatures: list[_Signature]) -> _Fitted:
    grid = _grid(extension, signatures, scale.base)
    base = scale.base.log_density(scale.z)
    scores = np.stack(
        [signature.log_density(scale.z) - base for _, signature in grid]
    )  # (strength, 1 + replicate)
    best = int(np.argmax(scores[:, 0]))
    return _Fitted(scores.max(axis=0), *grid[best])


def _grid(
    extension: Extension, signatures: list[_Signature], base: _Signature
) -> list[tuple[float, _Signature]]:
    """Strengths with signatures, those between two simulated ones interpolated; without the base
    itself.
    """
    known = [
        (variant.amount, signature)
        for variant, signature in zip(extension.variants, signatures, strict=True)
    ]
    if extension.base is None:
        return known
    known = sorted([*known, (extension.base, base)], key=lambda pair: pair[0])
    out = [known[0]]
    for (low, below), (high, above) in pairwise(known):
        shares = np.arange(1, BETWEEN + 1) / BETWEEN
        out += [(low + share * (high - low), below.towards(above, share)) for share in shares]
    return [pair for pair in out if abs(pair[0] - extension.base) > 1e-9]


def _candidate(
    panel: Panel, scale: _Scale, extension: Extension, fitted: _Fitted, largest: Array
) -> Candidate:
    predicted, spread = np.zeros(len(panel.statistics)), np.ones(len(panel.statistics))
    predicted[scale.used] = fitted.signature.mean
    spread[scale.used] = np.sqrt(np.maximum(np.diag(fitted.signature.covariance), 1.0))
    z = panel.group.z.copy()
    z[scale.used] = scale.z[0]
    left = (z - predicted) / spread
    names, failing = [s.name for s in panel.statistics], panel.failing(level=LEVEL)
    outside = {
        name
        for name, value in zip(names, left, strict=True)
        if abs(value) > float(panel.group.band)
    }
    repaired, remaining = (
        tuple(name for name in failing if (name in outside) == out) for out in (False, True)
    )
    spoiled = tuple(name for name in names if name in outside and name not in failing)
    p = float((1 + (largest[1:] >= fitted.scores[0]).sum()) / len(largest))
    accepted = p <= LEVEL and len(remaining) + len(spoiled) < 0.5 * len(failing)
    words = (extension.name, extension.sentence(fitted.amount), extension.advice)
    return Candidate(
        *words,
        fitted.amount,
        float(fitted.scores[0]),
        p,
        predicted,
        left,
        repaired,
        remaining,
        spoiled,
        accepted,
    )


def _mean_of(values: Array, known: Array, axis: int = 0) -> Array:
    """Mean over an axis of what is known; NaN where nothing is."""
    n = known.sum(axis=axis)
    return np.where(n > 0, np.where(known, values, 0.0).sum(axis=axis) / np.maximum(n, 1), np.nan)


def _number(n: int) -> str:
    return (
        ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")[n]
        if n <= 10
        else str(n)
    )


def _p(p: float) -> str:
    return f"{p:.2f}".removeprefix("0") if p >= 0.01 else f"{p:.3f}".removeprefix("0")


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _list(names: Sequence[str], most: int = 4) -> str:
    shown = [name for name in names[:most]]
    if len(names) > most:
        return "; ".join(shown) + f" and {len(names) - most} more"
    return "; ".join(shown)

"""What was found about variants of a model: a record that prints as sentences, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data.basics.notebook import html
from incongruent.data.basics.numerals import percent, signed
from incongruent.exact.change import Change
from incongruent.exact.model_frequencies import ModelFrequencies, model_frequencies
from incongruent.posterior.draws import Correction, Draws

Array = np.ndarray

BASE = "as fitted"
"""Name of the model whose variants are asked about."""
DECISIVE = 3.0
"""Nats, over all people, from which a variant counts as better: odds of 20 to 1."""
CLEAR = 0.9
"""Protected exceedance probability from which a variant is called the most frequent."""
SHOWN = 6
"""So many variants that are not better are named in a sentence."""


@dataclass(frozen=True, eq=False)
class VariantFit:
    """Everybody under one variant.

    Attributes:
        name: short.
        words: what it changes.
        draws: of everybody's posterior, with log evidence, k-hat and effective draws in
            ``correction``.
        at_widths: (width, person) log evidences when the priors of new parameters have half and
            twice their width; NaN without new parameters.
        changes: that it makes, with values for parameters that are the same for everybody.
    """

    name: str
    words: str
    draws: Draws = field(repr=False)
    at_widths: Array = field(repr=False)
    changes: tuple[Change, ...] = ()

    @property
    def correction(self) -> Correction:
        """How good the draws are."""
        assert self.draws.correction is not None
        return self.draws.correction

    @property
    def log_evidence(self) -> Array:
        """Log p(trials) of each person, (person,)."""
        return self.correction.log_evidence

    def table(self) -> pd.DataFrame:
        """One row per person, with the columns of `Variants.table`."""
        correction, means, sds = self.correction, self.draws.means, self.draws.theta.std(axis=1)
        frame = {
            "participant": list(self.draws.names),
            "variant": self.name,
            "log_evidence": correction.log_evidence,
            "log_evidence_error": correction.log_evidence_error,
            "at_half_width": self.at_widths[0],
            "at_twice_width": self.at_widths[1],
            "k_hat": correction.k_hat,
            "ess": correction.effective_draws,
            "trusted": correction.trusted,
        }
        for i, name in enumerate(self.draws.parameter_names):
            frame |= {f"mean_{name}": means[:, i], f"sd_{name}": sds[:, i]}
        return pd.DataFrame(frame)


@dataclass(frozen=True, eq=False)
class Variants:
    """Variants of a model, with everybody's posterior and evidence under each.

    Attributes:
        base: the model as fitted.
        fits: the variants, in the order in which they were asked for.
    """

    base: VariantFit
    fits: tuple[VariantFit, ...]

    def __getitem__(self, name: str) -> VariantFit:
        """The variant of that name."""
        for one in self.all:
            if one.name == name:
                return one
        names = ", ".join(repr(one.name) for one in self.all)
        raise KeyError(f"Expected one of the variants {names}; got {name!r}.")

    @property
    def all(self) -> tuple[VariantFit, ...]:
        """The model as fitted, and its variants."""
        return (self.base, *self.fits)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the model as fitted and its variants."""
        return tuple(one.name for one in self.all)

    @property
    def people(self) -> tuple[str, ...]:
        """What the people are called."""
        return self.base.draws.names

    @property
    def log_evidence(self) -> Array:
        """Log p(trials) of everybody under each, (person, variant), in the order of ``names``."""
        return np.stack([one.log_evidence for one in self.all], axis=1)

    @property
    def differences(self) -> Array:
        """Log evidence of everybody, less that under the model as fitted, (person, variant).

        It is infinite where only one of them can give a person's trials, NaN where neither can.
        """
        with np.errstate(invalid="ignore"):
            return self.log_evidence - self.base.log_evidence[:, None]

    @property
    def share_best(self) -> Array:
        """The share of people for whom each has the largest evidence of all, (variant,)."""
        first = self.log_evidence[self._usable].argmax(axis=1)
        return np.bincount(first, minlength=len(self.all)) / max(len(first), 1)

    @cached_property
    def frequencies(self) -> ModelFrequencies:
        """How frequent each is among people (Stephan et al. 2009; Rigoux et al. 2014)."""
        return model_frequencies(self.log_evidence[self._usable], models=self.names)

    @property
    def _usable(self) -> Array:
        """Who has evidence for some of them at least, bool (person,)."""
        return np.asarray(np.isfinite(self.log_evidence).any(axis=1))

    def table(self) -> pd.DataFrame:
        """One row per person and variant, person by person.

        Columns: participant, variant, log_evidence and its error, the same at half and twice the
        width of the priors of new parameters, k_hat, ess (effective draws), trusted, and ``mean_``
        and ``sd_`` of every parameter, empty where a variant lacks it.
        """
        together = pd.concat([one.table() for one in self.all], ignore_index=True)
        person_by_person = np.arange(len(together)).reshape(len(self.all), -1).T.ravel()
        return together.take(person_by_person).reset_index(drop=True)

    def summary(self) -> pd.DataFrame:
        """One row per variant, the one with the largest sum of log evidences first.

        Columns: variant, gain (sum over people of the log evidence, less that of the model as
        fitted), its error, gain at half and twice the width of the priors of new parameters,
        share_better (of people), frequency, exceedance, protected_exceedance, untrusted (people).
        """
        found = self.frequencies
        rows = [self._row(i, one, found) for i, one in enumerate(self.all)]
        return pd.DataFrame(rows).sort_values("gain", ascending=False, ignore_index=True)

    def _row(self, i: int, one: VariantFit, found: ModelFrequencies) -> dict[str, Any]:
        half, twice = (self._gain_of(evidence) for evidence in one.at_widths)
        return {
            "variant": one.name,
            "gain": gain(one, self.base),
            "gain_error": _error_of(one, self.base),
            "gain_at_half_width": half,
            "gain_at_twice_width": twice,
            "share_better": self._share_better(one),
            "frequency": float(found.frequencies[i]),
            "exceedance": float(found.exceedance[i]),
            "protected_exceedance": float(found.protected_exceedance[i]),
            "untrusted": int((~one.correction.trusted).sum()),
        }

    def _gain_of(self, log_evidence: Array) -> float:
        return _sum_of_differences(log_evidence, self.base.log_evidence)

    def _share_better(self, one: VariantFit) -> float:
        """The share of people whose evidence is larger than under the model as fitted."""
        return float((one.log_evidence > self.base.log_evidence).mean())

    @property
    def best(self) -> str:
        """The variant that the evidence names; the model as fitted where none is better.

        A variant is better when its sum of log evidences over people is larger by 3 nats.
        """
        gains = [gain(one, self.base) for one in self.fits]
        if not gains or max(gains) < DECISIVE:
            return BASE
        return self.fits[int(np.argmax(gains))].name

    @property
    def rivals(self) -> tuple[str, ...]:
        """Variants whose sum of log evidences is within 3 nats of the best one's, the best first.

        They cannot be told from it. Empty where no variant is better than the model as fitted.
        """
        if self.best == BASE:
            return ()
        top = gain(self[self.best], self.base)
        gains = {one.name: gain(one, self.base) for one in self.fits if one.name != self.best}
        near = [name for name, value in gains.items() if value > top - DECISIVE]
        return tuple(sorted(near, key=lambda name: -gains[name]))

    def sentences(self) -> tuple[str, ...]:
        """What was found, one sentence each."""
        table = self.summary().set_index("variant")
        others = [name for name in table.index if name not in (self.best, BASE)]
        return (
            self._first_sentence(table),
            *self._sentence_of_widths(table),
            self._sentence_of_frequency(table),
            *_sentence_of_others(table, others),
            *self._sentence_of_untrusted(),
        )

    def _first_sentence(self, table: pd.DataFrame) -> str:
        n, name = len(self.people), self.best
        if name == BASE:
            return f"None of {len(self.fits)} variants is better than the model as fitted."
        row = table.loc[name]
        return (
            f"The model with {self[name].words} is better: {signed(row['gain'])} nats over {n}"
            f" people against the model as fitted, and larger evidence for"
            f" {percent(row['share_better'])} of them.{self._words_of_rivals()}"
        )

    def _words_of_rivals(self) -> str:
        """Which variants cannot be told from the best one; empty where there are none."""
        names = self.rivals
        if not names:
            return ""
        return (
            f" {_listed(names)} cannot be told from it: the difference is less than"
            f" {DECISIVE:.0f} nats."
        )

    def _sentence_of_widths(self, table: pd.DataFrame) -> tuple[str, ...]:
        row = table.loc[self.best]
        if self.best == BASE or not np.isfinite(row["gain_at_half_width"]):
            return ()
        half, twice = row["gain_at_half_width"], row["gain_at_twice_width"]
        return (
            f"With priors of its new parameters half as wide it is {signed(half)}, twice as wide"
            f" {signed(twice)}.",
        )

    def _sentence_of_frequency(self, table: pd.DataFrame) -> str:
        first = table["frequency"].idxmax()
        row = table.loc[first]
        share, protected = f"{percent(row['frequency'])} of people", row["protected_exceedance"]
        numbers = f"protected exceedance probability {protected:.2f}"
        if protected < CLEAR:
            return (
                f"Person by person, none is clearly the most frequent; {first} comes first with"
                f" {share} ({numbers})."
            )
        return f"Person by person, {first} is the most frequent: {share} ({numbers})."

    def _sentence_of_untrusted(self) -> tuple[str, ...]:
        n = sum(int((~one.correction.trusted).sum()) for one in self.all)
        if not n:
            return ()
        return (
            f"{n} of {len(self.people) * len(self.all)} evidences cannot be trusted; see trusted"
            " in the table.",
        )

    def __str__(self) -> str:
        return "\n".join(self.sentences())

    def _repr_html_(self) -> str:
        return html("Variants of the model", self.sentences(), self.summary().round(2))


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence, with a capital in front."""
    *first, last = names
    words = f"{', '.join(first)} and {last}" if first else last
    return f"{words[0].upper()}{words[1:]}"


def gain(one: VariantFit, base: VariantFit) -> float:
    """The sum over people of the log evidence, less that of the model as fitted, in nats."""
    return _sum_of_differences(one.log_evidence, base.log_evidence)


def _sum_of_differences(log_evidence: Array, base: Array) -> float:
    """The sum of differences over people who can be had under the base model."""
    with np.errstate(invalid="ignore"):
        return float((log_evidence - base)[np.isfinite(base)].sum())


def _error_of(one: VariantFit, base: VariantFit) -> float:
    """The Monte Carlo standard error of a gain."""
    if one is base:
        return 0.0
    errors = np.stack([one.correction.log_evidence_error, base.correction.log_evidence_error])
    return float(np.sqrt((errors**2).sum()))


def _sentence_of_others(table: pd.DataFrame, names: Sequence[str]) -> tuple[str, ...]:
    """The gains of the other variants."""
    if not names:
        return ()
    shown = ", ".join(f"{name} {signed(table.loc[name, 'gain'])}" for name in names[:SHOWN])
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (f"Others: {shown}{rest}.",)

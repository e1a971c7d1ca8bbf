"""The predictive panel: in which statistics does the fitted model not predict the data?

A discrepancy is a statistic of the data minus its mean over data sets simulated from the posterior.
Posterior predictive p-values of it pile up at 0.5, since the same data are fitted and judged. So
the whole procedure, fit → predict → compare, is repeated on replicates of the study, simulated from
the posterior of these people and fitted anew by the amortized network; the p-value is the rank of
the observed discrepancy among those of the replicates, in units of the noise that each fit predicts
(`noise_of`), so that replicates of more variable people do not make the test conservative. It is
uniform when the model is right and people have many trials; with few it is somewhat too large,
since replicates follow the posterior that the data have drawn towards themselves. Errors of the
network do not matter, since replicates have the same ones. The family-wise error is controlled as
Westfall and Young do (`checks.simultaneous`).

After Hjort, Dahl & Steinbakk (2006, Journal of the American Statistical Association 101,
1157-1174).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy import stats

from incongruent.checks.model.refits import Refits
from incongruent.checks.panel_noise import noise_of
from incongruent.checks.panel_statistics import Kind, Statistic, statistics_for
from incongruent.checks.replicas import simulator_with
from incongruent.checks.simultaneous import Simultaneous, max_t, standardised
from incongruent.checks.statistics import nan_mean
from incongruent.data.basics.numerals import signed
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import counting
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.nuisance import integrated_out

Array = np.ndarray

LEVEL = 0.05
FEWEST_REPLICATES = 39
"""With fewer no adjusted p-value could be clearly below 0.05."""
DATASETS_AT_ONCE = 12_000
"""Data sets that are simulated and fitted together; more would only need more memory."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Statistics of people, what the fitted model predicts, and tests of the difference.

    Attributes:
        statistics: what was compared.
        names: the people.
        observed: (person, statistic).
        predicted: (person, statistic), mean over data sets simulated from each person's posterior.
        group: z, p, adjusted p of all people together, each (statistic,): of the mean over people
            of their own z, in which the slow and variable, whose statistics are noisy, count no
            more than others.
        people: the same for each person alone, (person, statistic).
        n_replicates: studies that were simulated, fitted and judged like the observed one.
        usual: (person, statistic), mean over replicates of statistics minus predictions: what
            fitting and judging the same data gives when the model is right.
        discrepancies: (1 + replicate, person, statistic) statistics minus predictions in units of
            ``noise_of``, the observed ones first.
        integrated_out: parameters that `marginalised` has integrated out of the model. Predictions
            draw them from their distribution, so that the panel judges that distribution too.
    """

    statistics: tuple[Statistic, ...]
    names: tuple[str, ...]
    observed: Float[Array, "person statistic"]
    predicted: Float[Array, "person statistic"]
    group: Simultaneous
    people: Simultaneous
    n_replicates: int
    usual: Float[Array, "person statistic"] = field(repr=False)
    discrepancies: Float[Array, "study person statistic"] = field(repr=False)
    integrated_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def result(
        self, person: int | None = None
    ) -> tuple[Float[Array, " statistic"], Float[Array, " statistic"], Simultaneous]:
        """Observed and predicted values (statistic,), and the tests.

        They are those of all people, with values averaged over them, or of one person.
        """
        if person is None:
            return self._mean(self.observed), self._mean(self.predicted), self.group
        return self.observed[person], self.predicted[person], self._tests_of(person)

    def _mean(self, values: Float[Array, "person statistic"]) -> Float[Array, " statistic"]:
        """The mean over people who have a statistic and its prediction, (statistic,)."""
        missing = np.isnan(self.observed) | np.isnan(self.predicted)
        return nan_mean(np.where(missing, np.nan, values), 0)

    def _tests_of(self, person: int) -> Simultaneous:
        tests = self.people
        return Simultaneous(
            tests.z[person], tests.p[person], tests.adjusted[person], tests.band[person]
        )

    def table(self, person: int | None = None) -> pd.DataFrame:
        """One row per statistic.

        Columns: statistic, group, observed, predicted, z (signed), p (calibrated), p_adjusted,
        unit.
        """
        observed, predicted, tests = self.result(person)
        columns = {
            "statistic": [s.name for s in self.statistics],
            "group": [s.group for s in self.statistics],
            "observed": observed,
            "predicted": predicted,
            "z": tests.z,
            "p": tests.p,
            "p_adjusted": tests.adjusted,
            "unit": [s.unit for s in self.statistics],
        }
        return pd.DataFrame(columns)

    def failing(self, person: int | None = None, *, level: float = LEVEL) -> tuple[str, ...]:
        """Names of the statistics whose adjusted p is at most the level, the worst first."""
        return tuple(self.statistics[i].name for i in self._failing(person, level))

    def _failing(self, person: int | None, level: float) -> Int[Array, " failing"]:
        tests = self.result(person)[2]
        worst = _worst_first(tests)
        return worst[_defined_p(tests)[worst] <= level]

    def failing_people(self, *, level: float = LEVEL) -> tuple[str, ...]:
        """People with at least one failing statistic.

        When the model is right, their share of all people is about the level.
        """
        fails = _defined_p(self.people).min(axis=1) <= level
        return tuple(name for name, failing in zip(self.names, fails, strict=True) if failing)

    def people_p(self, *, level: float = LEVEL) -> float:
        """The probability that chance alone lets so many people fail, or more."""
        return float(stats.binom.sf(len(self.failing_people(level=level)) - 1, len(self), level))

    def sentences(self, person: int | None = None, *, level: float = LEVEL) -> tuple[str, ...]:
        """What fails, in words, the worst first."""
        observed, predicted, tests = self.result(person)
        values = np.stack([observed, predicted, tests.z, tests.adjusted], axis=1)
        failing = self._failing(person, level)
        return tuple(_sentence(self.statistics[i], *map(float, values[i])) for i in failing)

    @property
    def caution(self) -> str:
        """What to think of failures where parameters are integrated out; else empty."""
        if not self.integrated_out:
            return ""
        names = ", ".join(self.integrated_out)
        return (
            f"Predictions draw {names} from the assumed distribution, which may be what fails:"
            f" estimate {names}, and ask again."
        )

    def __str__(self) -> str:
        words = self._words_of_group()
        return words if len(self) == 1 else f"{words}\n{self._words_of_people()}"

    def _words_of_people(self) -> str:
        """How many people fail, and how many are expected to."""
        return (
            f"Taken alone, {len(self.failing_people())} of {len(self)} people fail in some"
            f" statistic; {LEVEL * len(self):.1f} are expected by chance, p ="
            f" {self.people_p():.2g}."
        )

    def _words_of_group(self) -> str:
        sentences, judged = self.sentences(), self._what_was_judged()
        if not sentences:
            return f"{judged}: the group fails in none of them."
        lines = [f"{judged}: the fitted model fails in {len(sentences)}."]
        lines += [f"* {sentence}" for sentence in sentences]
        lines += [self.caution] if self.integrated_out else []
        return "\n".join(lines)

    def _what_was_judged(self) -> str:
        people = f"{len(self)} people" if len(self) > 1 else "one person"
        return (
            f"{len(self.statistics)} statistics of {people}, judged by {self.n_replicates}"
            " replicates of the whole study"
        )


def predictive_panel(
    posterior: Posterior,
    study: Trials,
    *,
    prior: AnyPrior | None = None,
    n_replicates: int = 200,
    n_predictions: int = 10,
    seed: int,
) -> Panel:
    """Judge about forty signed statistics of every person and of the group by the fitted model.

    Args:
        posterior: a trained one, for a conflict task.
        study: one data set a person.
        prior: to fit under instead of the one that the network was trained under, by importance
            weights of its draws: what the panel would be with a network trained for that prior, as
            far as this one's draws reach.
        n_replicates: studies to simulate, fit and judge in the same way; p-values are multiples of
            1 / (n_replicates + 1).
        n_predictions: data sets simulated from each posterior to predict the statistics; they cost
            as much as the replicates do together.
        seed: of everything.

    Raises:
        ScopeError: when nobody is what the network was trained for.
        ValueError: when the trials are not those of a conflict task, someone has none, there are
            too few replicates, or the prior is one of other parameters.

    Example:
        >>> from incongruent import pretrained
        >>> from incongruent.data.demo import demo_study
        >>> two = demo_study().select([0, 1])
        >>> panel = predictive_panel(pretrained(), two, n_replicates=39, n_predictions=2, seed=1)
        >>> panel.table().columns.tolist()
        ['statistic', 'group', 'observed', 'predicted', 'z', 'p', 'p_adjusted', 'unit']
    """
    _require_enough(n_replicates, n_predictions)
    known = statistics_for(posterior.admit(study).trials)
    asked = _Asked(posterior, prior, known, n_replicates, n_predictions, seed)
    observed, predicted = asked.observed_and_predicted(study)
    # (1 + replicate, person, statistic)
    discrepancy = (observed - predicted) / noise_of(observed, predicted, known)
    return Panel(
        statistics=known,
        names=study.names,
        observed=observed[0],
        predicted=predicted[0],
        group=_tests_of_group(discrepancy),
        people=max_t(discrepancy),
        n_replicates=n_replicates,
        usual=nan_mean(observed[1:] - predicted[1:], 0),
        discrepancies=discrepancy,
        integrated_out=tuple(integrated_out(posterior.simulator.model)),
    )


def _tests_of_group(discrepancy: Float[Array, "study person statistic"]) -> Simultaneous:
    """Tests of the mean over people of their own z, all statistics together."""
    z = standardised(discrepancy, discrepancy)
    return max_t(nan_mean(z, axis=1))


def _require_enough(n_replicates: int, n_predictions: int) -> None:
    """Raise ValueError for numbers with which the panel could find nothing."""
    if n_replicates < FEWEST_REPLICATES:
        raise ValueError(
            f"Expected at least {FEWEST_REPLICATES} replicates, so that an adjusted p can be below"
            f" 0.05; got {n_replicates}."
        )
    if n_predictions < 1:
        raise ValueError(f"Expected n_predictions of at least 1; got {n_predictions}.")


@dataclass(frozen=True, eq=False)
class _Asked:
    """What `predictive_panel` is asked to simulate and to compare; see there."""

    posterior: Posterior
    prior: AnyPrior | None
    statistics: tuple[Statistic, ...]
    n_replicates: int
    n_predictions: int
    seed: int

    def observed_and_predicted(
        self, study: Trials
    ) -> tuple[Float[Array, "study person statistic"], Float[Array, "study person statistic"]]:
        """Statistics and their predictions, each (1 + replicate, person, statistic).

        The study itself comes first. Some people at a time, so that memory does not grow with the
        study.
        """
        observed, predicted = self._empty(len(study)), self._empty(len(study))
        parts = self._some_at_a_time(len(study))
        done = counting(len(parts) * self.n_predictions, "rounds of simulations")
        for k, people in enumerate(parts):
            observed[:, people], predicted[:, people] = self._refits_of(study, people).judged(
                self.n_replicates,
                self.n_predictions,
                lambda n, k=k: done(k * self.n_predictions + n),
            )
        return observed, predicted

    def _empty(self, n_people: int) -> Float[Array, "study person statistic"]:
        return np.empty((self.n_replicates + 1, n_people, len(self.statistics)))

    def _some_at_a_time(self, n_people: int) -> list[Int[Array, " person"]]:
        """Positions of people whose replicates are simulated together."""
        at_once = max(1, DATASETS_AT_ONCE // (self.n_replicates + 1))
        firsts = range(0, n_people, at_once)
        return [np.arange(first, min(first + at_once, n_people)) for first in firsts]

    def _refits_of(self, study: Trials, people: Int[Array, " person"]) -> Refits:
        """The refits of people at some positions, with random numbers of their own."""
        return Refits(
            self.posterior.unguarded(),
            simulator_with(self.posterior, self.prior).prior,
            study.select(people),
            self.statistics,
            stream(self.seed, Purpose.PANEL, int(people[0])),
        )


def _defined_p(tests: Simultaneous) -> Float[Array, "*of statistic"]:
    """Adjusted p-values, with 1 for statistics that are not defined."""
    return np.nan_to_num(tests.adjusted, nan=1.0)


def _worst_first(tests: Simultaneous) -> Int[Array, " statistic"]:
    """Positions of statistics, the largest z in size first."""
    return np.argsort(-np.abs(np.nan_to_num(tests.z)))


def _sentence(
    statistic: Statistic, observed: float, predicted: float, z: float, adjusted: float
) -> str:
    """One failing statistic against its prediction, with its test."""
    numbers = f"{statistic.shown(observed)} observed, {statistic.shown(predicted)} predicted"
    return (
        f"{_comparison(statistic, observed, predicted)}: {numbers}"
        f"{_words_of_bias(observed, predicted, z)} (z = {signed(z)}, adjusted p = {adjusted:.3f})."
    )


def _words_of_bias(observed: float, predicted: float, z: float) -> str:
    """That predictions are biased, and more so in replicates, where z has the other sign."""
    has_other_sign = (observed - predicted) * z < 0
    if not has_other_sign:
        return ""
    return (
        ", although replicates of the fitted model deviate even more from their predictions in that"
        " direction"
    )


def _comparison(statistic: Statistic, observed: float, predicted: float) -> str:
    """How a statistic differs from its prediction, as a clause."""
    if statistic.kind is Kind.DELTA_SLOPE:
        return _comparison_of_slopes(observed, predicted)
    higher = "larger" if observed > predicted else "smaller"
    return f"{_capitalised(statistic.words)} is {higher} than predicted"


def _capitalised(words: str) -> str:
    """The words with a capital in front, and the others unchanged."""
    return f"{words[0].upper()}{words[1:]}"


def _comparison_of_slopes(observed: float, predicted: float) -> str:
    falls = "falls" if observed < 0 else "rises"
    return f"The delta function {falls} at slow responses{_how_steeply(observed, predicted)}"


def _how_steeply(observed: float, predicted: float) -> str:
    """How steep a slope is against a predicted one of the same sign; empty for another sign."""
    if (observed < 0) != (predicted < 0):
        return ""
    steeper = abs(observed) > abs(predicted)
    return " more steeply than predicted" if steeper else " less than predicted"

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
from scipy import stats

from incongruent.checks.model.refits import Refits
from incongruent.checks.panel_noise import noise_of
from incongruent.checks.panel_statistics import Kind, Statistic, statistics_for
from incongruent.checks.replicas import simulator_with
from incongruent.checks.simultaneous import Simultaneous, max_t, standardised
from incongruent.checks.statistics import nan_mean
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
        discrepancies: (1 + replicate, person, statistic) statistics minus predictions in units of
            ``noise_of``, the observed ones first.
        integrated_out: parameters that `marginalised` has integrated out of the model. Predictions
            draw them from their distribution, so that the panel judges that distribution too.
    """

    statistics: tuple[Statistic, ...]
    names: tuple[str, ...]
    observed: Array
    predicted: Array
    group: Simultaneous
    people: Simultaneous
    n_replicates: int
    discrepancies: Array = field(repr=False)
    integrated_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def result(self, person: int | None = None) -> tuple[Array, Array, Simultaneous]:
        """Observed and predicted values (statistic,), and the tests.

        They are those of all people, with values averaged over them, or of one person.
        """
        if person is None:
            missing = np.isnan(self.observed) | np.isnan(self.predicted)
            observed, predicted = (
                nan_mean(np.where(missing, np.nan, values), 0)
                for values in (self.observed, self.predicted)
            )
            return observed, predicted, self.group
        tests = self.people
        alone = Simultaneous(
            tests.z[person], tests.p[person], tests.adjusted[person], tests.band[person]
        )
        return self.observed[person], self.predicted[person], alone

    def table(self, person: int | None = None) -> pd.DataFrame:
        """One row per statistic.

        Columns: statistic, group, observed, predicted, z (signed), p (calibrated), p_adjusted,
        unit.
        """
        observed, predicted, tests = self.result(person)
        return pd.DataFrame(
            {
                "statistic": [s.name for s in self.statistics],
                "group": [s.group for s in self.statistics],
                "observed": observed,
                "predicted": predicted,
                "z": tests.z,
                "p": tests.p,
                "p_adjusted": tests.adjusted,
                "unit": [s.unit for s in self.statistics],
            }
        )

    def failing(self, person: int | None = None, *, level: float = LEVEL) -> tuple[str, ...]:
        """Names of the statistics whose adjusted p is at most the level, the worst first."""
        return tuple(self.statistics[i].name for i in self._failing(person, level))

    def _failing(self, person: int | None, level: float) -> Array:
        tests = self.result(person)[2]
        worst = np.argsort(-np.abs(np.nan_to_num(tests.z)))
        return worst[_defined_p(tests)[worst] <= level]

    def failing_people(self, *, level: float = LEVEL) -> tuple[str, ...]:
        """People with at least one failing statistic.

        When the model is right, their share of all people is about the level.
        """
        smallest = _defined_p(self.people).min(axis=1)
        return tuple(name for name, p in zip(self.names, smallest, strict=True) if p <= level)

    def people_p(self, *, level: float = LEVEL) -> float:
        """The probability that chance alone lets so many people fail, or more."""
        return float(stats.binom.sf(len(self.failing_people(level=level)) - 1, len(self), level))

    def sentences(self, person: int | None = None, *, level: float = LEVEL) -> tuple[str, ...]:
        """What fails, in words, the worst first."""
        observed, predicted, tests = self.result(person)
        return tuple(
            _sentence(
                self.statistics[i],
                float(observed[i]),
                float(predicted[i]),
                float(tests.z[i]),
                float(tests.adjusted[i]),
            )
            for i in self._failing(person, level)
        )

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
        if len(self) == 1:
            return words
        n = len(self.failing_people())
        expected = f"{LEVEL * len(self):.1f} are expected by chance, p = {self.people_p():.2g}"
        return (
            f"{words}\nTaken alone, {n} of {len(self)} people fail in some statistic; {expected}."
        )

    def _words_of_group(self) -> str:
        people = f"{len(self)} people" if len(self) > 1 else "one person"
        judged = (
            f"{len(self.statistics)} statistics of {people}, judged by {self.n_replicates}"
            " replicates of the whole study"
        )
        sentences = self.sentences()
        if not sentences:
            return f"{judged}: the group fails in none of them."
        lines = [f"{judged}: the fitted model fails in {len(sentences)}."]
        lines += [f"* {sentence}" for sentence in sentences]
        lines += [self.caution] if self.integrated_out else []
        return "\n".join(lines)


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
    observed, predicted = _observed_and_predicted(
        posterior, study, known, prior, n_replicates, n_predictions, seed
    )
    discrepancy = (observed - predicted) / noise_of(observed, predicted, known)
    z = standardised(discrepancy, discrepancy)  # (1 + replicate, person, statistic)
    return Panel(
        statistics=known,
        names=study.names,
        observed=observed[0],
        predicted=predicted[0],
        group=max_t(nan_mean(z, axis=1)),
        people=max_t(discrepancy),
        n_replicates=n_replicates,
        discrepancies=discrepancy,
        integrated_out=tuple(integrated_out(posterior.simulator.model)),
    )


def _require_enough(n_replicates: int, n_predictions: int) -> None:
    """Raise ValueError for numbers with which the panel could find nothing."""
    if n_replicates < FEWEST_REPLICATES:
        raise ValueError(
            f"Expected at least {FEWEST_REPLICATES} replicates, so that an adjusted p can be below"
            f" 0.05; got {n_replicates}."
        )
    if n_predictions < 1:
        raise ValueError(f"Expected n_predictions of at least 1; got {n_predictions}.")


def _observed_and_predicted(
    posterior: Posterior,
    study: Trials,
    statistics: tuple[Statistic, ...],
    prior: AnyPrior | None,
    n_replicates: int,
    n_predictions: int,
    seed: int,
) -> tuple[Array, Array]:
    """Statistics and their predictions, each (1 + replicate, person, statistic), the study first.

    Some people at a time, so that memory does not grow with the study.
    """
    shape = (n_replicates + 1, len(study), len(statistics))
    observed, predicted = np.empty(shape), np.empty(shape)
    at_once = max(1, DATASETS_AT_ONCE // (n_replicates + 1))
    firsts = range(0, len(study), at_once)
    done = counting(len(firsts) * n_predictions, "rounds of simulations")
    for k, first in enumerate(firsts):
        people = np.arange(first, min(first + at_once, len(study)))
        refits = Refits(
            posterior.unguarded(),
            simulator_with(posterior, prior).prior,
            study.select(people),
            statistics,
            stream(seed, Purpose.PANEL, first),
        )
        observed[:, people], predicted[:, people] = refits.judged(
            n_replicates, n_predictions, lambda n, k=k: done(k * n_predictions + n)
        )
    return observed, predicted


def _defined_p(tests: Simultaneous) -> Array:
    """Adjusted p-values, with 1 for statistics that are not defined."""
    return np.nan_to_num(tests.adjusted, nan=1.0)


def _sentence(
    statistic: Statistic, observed: float, predicted: float, z: float, adjusted: float
) -> str:
    """One failing statistic against its prediction, with its test."""
    opposite = (observed - predicted) * z < 0  # the prediction is biased, more so in replicates
    beside = (
        ", though replicates of the fitted model part from their predictions by more in that"
        " direction"
        if opposite
        else ""
    )
    numbers = f"{statistic.shown(observed)} observed, {statistic.shown(predicted)} predicted"
    signed_z = f"{z:+.1f}".replace("-", "−")
    return (
        f"{_comparison(statistic, observed, predicted)}: {numbers}{beside} (z = {signed_z},"
        f" adjusted p = {adjusted:.3f})."
    )


def _comparison(statistic: Statistic, observed: float, predicted: float) -> str:
    """How a statistic differs from its prediction, as a clause."""
    if statistic.kind is Kind.DELTA_SLOPE:
        return _comparison_of_slopes(observed, predicted)
    higher = "larger" if observed > predicted else "smaller"
    return f"{statistic.words[0].upper()}{statistic.words[1:]} is {higher} than predicted"


def _comparison_of_slopes(observed: float, predicted: float) -> str:
    falls = "falls" if observed < 0 else "rises"
    clause = f"The delta function {falls} at slow responses"
    if (observed < 0) != (predicted < 0):
        return clause
    steeper = abs(observed) > abs(predicted)
    return f"{clause}{' more steeply than predicted' if steeper else ' less than predicted'}"

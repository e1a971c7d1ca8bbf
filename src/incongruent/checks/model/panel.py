"""The predictive panel: in which respects do the data differ from what the fitted model predicts,
and by more than chance?

A discrepancy is a statistic of the data minus its mean over data sets simulated from the posterior.
Raw posterior predictive p-values of it pile up at .5, since the same data are fitted and judged. So
the whole procedure, fit → predict → compare, is repeated on replicates of the study, simulated from
the posterior of these people and fitted anew by the amortized network; the p-value is the rank of
the observed discrepancy among those of the replicates, in units of the noise that each fit predicts
(`noise_of`), lest replicates of more variable people make the test conservative. It is uniform when
the model is right and people have many trials; with few it is somewhat too large, since replicates
follow the posterior that the data have drawn towards themselves. Errors of the network do not
matter, which replicates suffer alike. Family-wise control is Westfall and Young's
(`checks.simultaneous`).

After Hjort, Dahl & Steinbakk (2006, Journal of the American Statistical Association 101,
1157-1174).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import stats

from incongruent.checks.model.predictive import simulator_again
from incongruent.checks.panel_statistics import Statistic, noise_of, panel_values, statistics_for
from incongruent.checks.replicas import simulator_with
from incongruent.checks.simultaneous import Simultaneous, max_t, standardised
from incongruent.data.basics.streams import Purpose, seed_from, stream
from incongruent.data.trials import Trials, concatenate, select
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import counting
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.nuisance import integrated_out

Array = np.ndarray

LEVEL = 0.05
FEWEST_REPLICATES = 39
"""With fewer no adjusted p-value could be clearly below .05."""
N_WEIGHED = 200
"""Draws that are weighted for another prior."""
DATASETS_AT_ONCE = 12_000
"""Data sets that are simulated and fitted together; more would only need more memory."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Statistics of observed people, what the fitted model predicts, and whether chance explains
    the difference.

    Attributes:
        statistics: what was looked at.
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
        """Observed and predicted values (statistic,), and the tests, of all people (values averaged
        over them) or of one person.
        """
        if person is None:
            both = ~np.isnan(self.observed) & ~np.isnan(self.predicted)
            return _mean(self.observed, both), _mean(self.predicted, both), self.group
        mine = Simultaneous(
            *(getattr(self.people, name)[person] for name in ("z", "p", "adjusted", "band"))
        )
        return self.observed[person], self.predicted[person], mine

    def table(self, person: int | None = None) -> pd.DataFrame:
        """One row per statistic: statistic, group, observed, predicted, z (signed), p (calibrated),
        p_adjusted, unit.
        """
        observed, predicted, tests = self.result(person)
        names = {
            "statistic": [s.name for s in self.statistics],
            "group": [s.group for s in self.statistics],
            "observed": observed,
        }
        numbers = {"predicted": predicted, "z": tests.z, "p": tests.p, "p_adjusted": tests.adjusted}
        return pd.DataFrame({**names, **numbers, "unit": [s.unit for s in self.statistics]})

    def failing(self, person: int | None = None, *, level: float = LEVEL) -> tuple[str, ...]:
        """Names of the statistics whose adjusted p is at most the level, the worst first."""
        return tuple(self.statistics[i].name for i in self._failing(person, level))

    def _failing(self, person: int | None, level: float) -> Array:
        tests = self.result(person)[2]
        worst = np.argsort(-np.abs(np.nan_to_num(tests.z)))
        return worst[np.nan_to_num(tests.adjusted, nan=1.0)[worst] <= level]

    def failing_people(self, *, level: float = LEVEL) -> tuple[str, ...]:
        """People with at least one failing statistic; of all people about the level's share when
        the model is right.
        """
        smallest = np.nan_to_num(self.people.adjusted, nan=1.0).min(axis=1)
        return tuple(name for name, p in zip(self.names, smallest, strict=True) if p <= level)

    def people_p(self, *, level: float = LEVEL) -> float:
        """Probability that chance alone lets so many people fail, or more."""
        return float(stats.binom.sf(len(self.failing_people(level=level)) - 1, len(self), level))

    def sentences(self, person: int | None = None, *, level: float = LEVEL) -> tuple[str, ...]:
        """What fails, in words, the worst first."""
        observed, predicted, tests = self.result(person)
        found = []
        for i in self._failing(person, level):
            told, z = (
                _told(self.statistics[i], float(observed[i]), float(predicted[i])),
                f"{tests.z[i]:+.1f}".replace("-", "−"),
            )
            against = (observed[i] - predicted[i]) * tests.z[
                i
            ] < 0  # the prediction is biased, and more so in replicates
            beside = (
                ", though replicates of the fitted model part from their predictions by more in"
                " that direction"
                if against
                else ""
            )
            found.append(f"{told}{beside} (z = {z}, adjusted p = {tests.adjusted[i]:.3f}).")
        return tuple(found)

    @property
    def caution(self) -> str:
        """What to think of failures where parameters are integrated out; empty where there are
        none.
        """
        names = ", ".join(self.integrated_out)
        return (
            f"Predictions draw {names} from the assumed distribution, which may be what fails:"
            f" estimate {names}, and ask again."
            if names
            else ""
        )

    def __str__(self) -> str:
        of = f"{len(self)} people" if len(self) > 1 else "one person"
        judged = (
            f"{len(self.statistics)} statistics of {of}, judged by {self.n_replicates} replicates"
            " of the whole study"
        )
        group = self.sentences()
        if not group:
            words = f"{judged}: the group fails in none of them."
        else:
            words = f"{judged}: the fitted model fails in {len(group)}.\n" + "\n".join(
                f"* {sentence}" for sentence in group
            )
        if group and self.integrated_out:
            words += "\n" + self.caution
        if len(self) == 1:
            return words
        n = len(self.failing_people())
        expected = f"{LEVEL * len(self):.1f} are expected by chance, p = {self.people_p():.2g}"
        return (
            f"{words}\nTaken alone, {n} of {len(self)} people fail in some statistic; {expected}."
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
    """Judge about forty signed statistics of every person and of the group against the fitted
    model, with calibrated p-values.

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
        >>> from incongruent import pretrained, select
        >>> from incongruent.data.demo import demo_study
        >>> panel = predictive_panel(pretrained(), select(demo_study(), [0, 1]), n_replicates=39, n_predictions=2, seed=1)
        >>> panel.table().columns.tolist()
        ['statistic', 'group', 'observed', 'predicted', 'z', 'p', 'p_adjusted', 'unit']
    """
    if n_replicates < FEWEST_REPLICATES:
        raise ValueError(
            f"Expected at least {FEWEST_REPLICATES} replicates, so that an adjusted p can be below"
            f" .05; got {n_replicates}."
        )
    if n_predictions < 1:
        raise ValueError(f"Expected n_predictions of at least 1; got {n_predictions}.")
    known = statistics_for(posterior.admit(study).trials)
    observed, predicted = (np.empty((n_replicates + 1, len(study), len(known))) for _ in range(2))
    at_once = max(1, DATASETS_AT_ONCE // (n_replicates + 1))
    firsts = range(0, len(study), at_once)
    done = counting(len(firsts) * n_predictions, "rounds of simulations")
    for k, first in enumerate(firsts):
        people = np.arange(first, min(first + at_once, len(study)))
        part = _Part(
            posterior.unguarded(),
            simulator_with(posterior, prior).prior,
            select(study, people),
            known,
            stream(seed, Purpose.PANEL, first),
        )
        observed[:, people], predicted[:, people] = part.judged(
            n_replicates, n_predictions, lambda n, k=k: done(k * n_predictions + n)
        )
    discrepancy = (observed - predicted) / noise_of(observed, predicted, known)
    z = standardised(discrepancy, discrepancy)  # (1 + replicate, person, statistic)
    group = max_t(_mean(z, ~np.isnan(z), axis=1))
    drawn = tuple(integrated_out(posterior.simulator.model))
    return Panel(
        known,
        study.names,
        observed[0],
        predicted[0],
        group,
        max_t(discrepancy),
        n_replicates,
        discrepancy,
        drawn,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """Some of the people, and what is done with them."""

    posterior: Posterior
    prior: AnyPrior
    study: Trials
    statistics: tuple[Statistic, ...]
    rng: np.random.Generator

    def judged(
        self, n_replicates: int, n_predictions: int, done: Callable[[int], None]
    ) -> tuple[Array, Array]:
        """Statistics and their predictions, both (1 + replicate, person, statistic), the study
        itself first.
        """
        trials = self.posterior.admit(self.study).trials
        again = simulator_again(self.posterior.simulator, trials)
        theta = self._draws(self.posterior, trials, n_replicates)  # (person, replicate, parameter)
        replicates = again.simulate_at(
            np.swapaxes(theta, 0, 1).reshape(-1, theta.shape[-1]), seed=seed_from(self.rng)
        )
        everything = concatenate(
            [replace(trials, excluded={}, notes=()), replicates]
        )  # ((1 + replicate) person, trial)
        observed = panel_values(everything, self.statistics)
        fitted = self._draws(self.posterior, everything, n_predictions)
        total, n = np.zeros_like(observed), np.zeros_like(observed)
        for draw in range(n_predictions):
            values = panel_values(
                again.simulate_at(fitted[:, draw], seed=seed_from(self.rng)), self.statistics
            )
            total, n = total + np.nan_to_num(values), n + ~np.isnan(values)
            done(draw + 1)
        predicted = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        shape = (n_replicates + 1, len(trials), len(self.statistics))
        return observed.reshape(shape), predicted.reshape(shape)

    def _draws(self, posterior: Posterior, trials: Trials, n: int) -> Array:
        """Of the posterior under the prior, (person, n, parameter); by plain weights, since Pareto
        smoothing takes as long as all the rest.
        """
        own = posterior.simulator.prior
        if self.prior is own:
            return posterior.sample(trials, n, seed=seed_from(self.rng)).theta
        theta = posterior.sample(trials, max(n, N_WEIGHED), seed=seed_from(self.rng)).theta
        with np.errstate(divide="ignore"):
            log_weight = self.prior.log_prob(theta) - own.log_prob(theta)  # (person, draw)
        log_weight = np.where(np.isfinite(log_weight).any(axis=1, keepdims=True), log_weight, 0.0)
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        cumulated = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
        rows = np.stack([np.searchsorted(row, self.rng.random(n) * row[-1]) for row in cumulated])
        return np.take_along_axis(theta, np.minimum(rows, theta.shape[1] - 1)[..., None], axis=1)


def _mean(values: Array, known: Array, axis: int = 0) -> Array:
    n = known.sum(axis=axis)
    return np.where(n > 0, np.where(known, values, 0.0).sum(axis=axis) / np.maximum(n, 1), np.nan)


def _told(statistic: Statistic, observed: float, predicted: float) -> str:
    """One statistic against its prediction."""
    numbers = f"{statistic.shown(observed)} observed, {statistic.shown(predicted)} predicted"
    if statistic.name == "delta, last slope":
        falls = "The delta function falls" if observed < 0 else "The delta function rises"
        how = (
            ""
            if (observed < 0) != (predicted < 0)
            else (
                " more steeply than predicted"
                if abs(observed) > abs(predicted)
                else " less than predicted"
            )
        )
        return f"{falls} at slow responses{how}: {numbers}"
    higher = "larger" if observed > predicted else "smaller"
    return (
        f"{statistic.words[0].upper()}{statistic.words[1:]} is {higher} than predicted: {numbers}"
    )

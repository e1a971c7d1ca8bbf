"""Replicates of a study that are simulated from the posterior, fitted again, and predicted.

The statistics of a panel are computed for the study and its replicates alike, with their
predictions: means over data sets simulated from the posterior of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from incongruent.checks.model.predictive import simulator_again
from incongruent.checks.panel_statistics import Statistic
from incongruent.checks.panel_values import panel_values
from incongruent.checks.replicas import refilled
from incongruent.data.basics.streams import seed_from
from incongruent.data.trials import Trials, concatenate
from incongruent.exact.recorded import learned_with_another_end, ratio_of_recordings
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.observed import ObservedDesign
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

N_WEIGHTED = 200
"""Draws that are weighted for another prior."""
N_RECORDED = 40
"""Draws that are weighted for trials recorded otherwise than those that the network knows."""


@dataclass(frozen=True, eq=False)
class Refits:
    """Some of the people of a study, and what their replicates are made with.

    Attributes:
        posterior: the fitted model.
        prior: to fit under; the posterior's own, or another one.
        study: the people's trials.
        statistics: of the panel.
        rng: of draws and simulations.
    """

    posterior: Posterior
    prior: AnyPrior
    study: Trials
    statistics: tuple[Statistic, ...]
    rng: np.random.Generator

    def judged(
        self, n_replicates: int, n_predictions: int, done: Callable[[int], None]
    ) -> tuple[Float[Array, "sample person statistic"], Float[Array, "sample person statistic"]]:
        """Statistics and their predictions, both (1 + replicate, person, statistic).

        The study itself comes first. ``done`` is called with the number of finished predictions.
        """
        trials = self.posterior.admit(self.study).trials
        again = simulator_again(self.posterior.simulator, trials)
        everything = self._with_replicates(trials, again, n_replicates)
        observed = panel_values(everything, self.statistics)
        fitted = self._draws(everything, n_predictions)

        def simulate(draw: int) -> Trials:
            return refilled(again, fitted[:, draw], seed=seed_from(self.rng))

        predicted = mean_statistics(simulate, n_predictions, self.statistics, done)
        shape = (n_replicates + 1, len(trials), len(self.statistics))
        return observed.reshape(shape), predicted.reshape(shape)

    def _with_replicates(
        self, trials: Trials, again: Simulator[ObservedDesign], n_replicates: int
    ) -> Trials:
        """The people's trials and then those of replicates, ((1 + replicate) person, trial)."""
        theta = np.swapaxes(self._draws(trials, n_replicates), 0, 1)
        # (replicate, person, parameter) → (replicate person, parameter)
        theta = theta.reshape(-1, theta.shape[-1])
        replicates = refilled(again, theta, seed=seed_from(self.rng))
        return concatenate([replace(trials, excluded={}, notes=()), replicates])

    def _draws(self, trials: Trials, n: int) -> Float[Array, "person draw parameter"]:
        """Draws of the posterior under the prior, (person, n, parameter).

        They are weighted for the end at which trials are cut off, where the network knows of none.
        """
        end = learned_with_another_end(self.posterior)
        if end is None:
            return self._under_the_prior(trials, n)
        theta = self._under_the_prior(trials, max(n, N_RECORDED))
        ratio = ratio_of_recordings(end, self.posterior.simulator, theta, trials)
        return self._resampled(theta, ratio, n)

    def _under_the_prior(self, trials: Trials, n: int) -> Float[Array, "person draw parameter"]:
        """Draws of the posterior as the network knows it, under the prior."""
        if self.prior is self.posterior.simulator.prior:
            return self._own_draws(trials, n)
        theta = self._own_draws(trials, max(n, N_WEIGHTED))
        return self._resampled(theta, self._log_ratio_of_priors(theta), n)

    def _resampled(
        self, theta: Float[Array, "person draw parameter"], log_weight: Array, n: int
    ) -> Float[Array, "person n parameter"]:
        """As many of the draws, with log weights (person, draw)."""
        rows = _resampled(_weights(log_weight), n, self.rng)
        return np.take_along_axis(theta, rows[..., None], axis=1)

    def _log_ratio_of_priors(self, theta: Array) -> Array:
        """The log density under the prior less that under the posterior's own."""
        with np.errstate(divide="ignore"):
            return self.prior.log_prob(theta) - self.posterior.simulator.prior.log_prob(theta)

    def _own_draws(self, trials: Trials, n: int) -> Float[Array, "person draw parameter"]:
        """Draws of the posterior as the network gives it, (person, n, parameter)."""
        return self.posterior.sample(trials, n, seed=seed_from(self.rng)).theta


def _weights(log_weight: Float[Array, "person draw"]) -> Float[Array, "person draw"]:
    """Importance weights from their logs; the same for people all of whose draws are impossible.

    They are not smoothed, since Pareto smoothing takes as long as all the rest.
    """
    usable = np.isfinite(log_weight).any(axis=1, keepdims=True)
    log_weight = np.where(usable, log_weight, 0.0)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


def _resampled(weight: Array, n: int, rng: np.random.Generator) -> Array:
    """Positions of n draws of each person, drawn with their weights (person, draw)."""
    cumulated = np.cumsum(weight, axis=1)
    rows = np.stack([_positions_drawn(row, n, rng) for row in cumulated])
    return np.minimum(rows, weight.shape[1] - 1)


def _positions_drawn(cumulated: Array, n: int, rng: np.random.Generator) -> Array:
    """Positions of n draws of one person, by cumulated weights (draw,)."""
    return np.searchsorted(cumulated, rng.random(n) * cumulated[-1])


def mean_statistics(
    simulate: Callable[[int], Trials],
    n: int,
    statistics: tuple[Statistic, ...],
    done: Callable[[int], None] | None = None,
) -> Float[Array, "dataset statistic"]:
    """The mean of statistics over n simulations of the same data sets, (dataset, statistic).

    Each is taken over the simulations in which it is defined; NaN where it never is.

    Args:
        simulate: gives simulation k of the data sets.
        n: number of simulations.
        statistics: what to compute.
        done: is called with the number of finished simulations after each.
    """
    total, defined = np.zeros(()), np.zeros((), int)
    for k in range(n):
        values = panel_values(simulate(k), statistics)
        total, defined = total + np.nan_to_num(values), defined + ~np.isnan(values)
        if done is not None:
            done(k + 1)
    return _mean_of_defined(total, defined)


def _mean_of_defined(total: Array, n: Array) -> Array:
    """The mean of n defined values from their sum; NaN where there is none."""
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)

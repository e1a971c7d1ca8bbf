r"""What the people of a study would do under a variant of the model, and where they do otherwise.

**Predictions** are means over data sets simulated from everybody's exact posterior, trial by trial
like the people's own. The priors of a variant's new parameters are made as wide as suits these
people before (`at_population_width`): people with two hundred trials and a prior that expects
lapses in 4 % of them have more lapses in every posterior than in their trials, and the means of
many people would show it.

**Tests.** The panel has replicates that were simulated from the model as fitted, fitted again and
judged. For a variant there is no network that could fit replicates. Their discrepancies are taken
from the model as fitted and scaled, statistic by statistic and person by person, by how much more,
or less, the statistic varies between data sets under the variant:

    z_ij = ((t_ij - mean_ij) / (noise_ij k_ij) - centre_ij) / spread_ij,   k_ij = sd'_ij / sd_ij

Centre and spread of the discrepancies in units of their noise are those of the panel; sd and sd'
are the standard deviations over data sets of the posterior predictive distribution under the model
as fitted and under the variant. That is exact if a fit takes the same share out of the variation of
a statistic under both. Where a statistic varies less than half as much under the model as fitted
the sum over people is judged by its own standard deviation, without replicates. In studies that
were simulated from a variant with lapses the level is 0.15 instead of 0.05
(`benchmarks/RESULTS.md`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special

from incongruent.checks.model.panel import Panel
from incongruent.checks.model.predictive import simulator_again
from incongruent.checks.panel_noise import noise_of
from incongruent.checks.panel_statistics import Statistic
from incongruent.checks.panel_values import panel_values
from incongruent.checks.replicas import refilled
from incongruent.checks.simultaneous import standardised
from incongruent.checks.statistics import nan_mean
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.exact.change import Change
from incongruent.exact.importance import systematic
from incongruent.exact.variant_results import VariantFit
from incongruent.exact.widths import log_ratios_at

Array = np.ndarray

N_PREDICTIONS = 50
"""Data sets simulated from each posterior to predict the statistics."""
WIDTHS = tuple(np.geomspace(0.05, 2.0, 16).tolist())
"""Widths of the priors of new parameters among which that of the population is sought."""
LEAST_VARIATION = 0.5
"""A statistic that varies less, relative to its variation under the variant, hardly varies."""
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Predicted:
    """Statistics of data sets simulated for every person under one model.

    Attributes:
        mean: (person, statistic); NaN where it is never defined, and for people whom the model
            cannot give.
        sd: (person, statistic) over data sets.
    """

    mean: Float[Array, "person statistic"]
    sd: Float[Array, "person statistic"]


def at_population_width(fit: VariantFit) -> Float[Array, "person draw parameter"]:
    """Draws of everybody when the priors of new parameters are as wide as suits the people.

    For each change the width has the largest evidence over all people, which is a mean over
    posterior draws of the ratio of two densities.
    """
    theta = fit.draws.theta
    possible = np.flatnonzero(np.isfinite(theta).all(axis=(1, 2)))
    log_weights = np.zeros((len(possible), theta.shape[1]))
    for change in fit.changes:
        if change.free and change.mechanism is None and len(possible):
            log_weights += _log_weights_at_best_width(theta[possible], fit, change)
    out = theta.copy()
    for person, row in zip(possible, special.log_softmax(log_weights, axis=1), strict=True):
        out[person] = theta[person, systematic(row, theta.shape[1], 0.5)]
    return out


def _log_weights_at_best_width(theta: Array, fit: VariantFit, change: Change) -> Array:
    """Log weights of draws (person, draw) at the width with the largest evidence."""
    each = [log_ratios_at(width, theta, fit.draws.simulator, change) for width in WIDTHS]
    evidence = [np.asarray(special.logsumexp(one, axis=1)).sum() for one in each]
    return each[int(np.argmax(evidence))]


def predicted_by(
    fit: VariantFit, trials: Trials, statistics: tuple[Statistic, ...], seed: int
) -> Predicted:
    """Statistics of data sets simulated under a variant.

    Args:
        fit: everybody under the variant.
        trials: of the people.
        statistics: of the panel.
        seed: of the simulations.
    """
    theta = at_population_width(fit)
    mean = np.full((len(trials), len(statistics)), np.nan)
    sd = mean.copy()
    possible = np.flatnonzero(np.isfinite(theta).all(axis=(1, 2)))
    if not len(possible):
        return Predicted(mean, sd)
    again = simulator_again(fit.draws.simulator, trials.select(possible))
    order = stream(seed, Purpose.WHICH_VARIANT_PREDICTIONS).permutation(theta.shape[1])
    values = np.stack(
        [
            panel_values(
                refilled(
                    again,
                    theta[possible, draw],
                    seed=child(seed, Purpose.WHICH_VARIANT_PREDICTIONS, k),
                ),
                statistics,
            )
            for k, draw in enumerate(order[:N_PREDICTIONS])
        ]
    )
    mean[possible] = nan_mean(values, 0)
    sd[possible] = np.sqrt(nan_mean((values - mean[possible]) ** 2, 0))
    return Predicted(mean, sd)


def group_z(panel: Panel, variant: Predicted, as_fitted: Predicted) -> Float[Array, " statistic"]:
    """How far the group is from what a variant predicts, in units of the panel's replicates.

    Args:
        panel: of the model as fitted.
        variant: what the variant predicts.
        as_fitted: what the model as fitted predicts, by its exact posterior.
    """
    of_variant, of_fitted = _Scaled.of(panel, variant), _Scaled.of(panel, as_fitted)
    varies = (of_variant.sd > 0.0) & (of_fitted.sd > LEAST_VARIATION * of_variant.sd)
    ratio = np.where(varies, of_variant.sd / np.where(varies, of_fitted.sd, 1.0), 1.0)
    own = standardised((of_variant.discrepancy / ratio)[None], panel.discrepancies)[0]
    by_replicates = nan_mean(np.where(varies, own, np.nan), 0)
    of_group = standardised(by_replicates[None], _of_group(panel)[1:])[0]
    hardly_varies = varies.mean(axis=0) < 0.5
    return np.where(hardly_varies, of_variant.alone(), of_group)


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Discrepancies and standard deviations over data sets, in units of the noise predicted."""

    discrepancy: Array
    sd: Array

    @classmethod
    def of(cls, panel: Panel, predicted: Predicted) -> _Scaled:
        noise = noise_of(panel.observed, predicted.mean, panel.statistics)
        return cls((panel.observed - predicted.mean) / noise, predicted.sd / noise)

    def alone(self) -> Array:
        """Z of the group (statistic,), where there are no replicates to compare with."""
        usable = np.isfinite(self.sd) & np.isfinite(self.discrepancy)
        of_sum = np.sqrt((np.where(usable, self.sd, 0.0) ** 2).sum(axis=0))
        total = np.where(usable, self.discrepancy, 0.0).sum(axis=0)
        return np.where(of_sum > 0.0, total / np.where(of_sum > 0.0, of_sum, 1.0), np.nan)


def _of_group(panel: Panel) -> Array:
    """Means over people of their z, (1 + replicate, statistic), the study first."""
    return nan_mean(standardised(panel.discrepancies, panel.discrepancies), axis=1)


def failing_by_panel(panel: Panel, z: Float[Array, " statistic"]) -> tuple[str, ...]:
    """Names of statistics whose |z| the panel's replicates hardly reach, the worst first.

    Stepping down: the largest |z| of each replicate is taken over the statistics that have not
    failed before.
    """
    replicates = _of_group(panel)[1:]
    replicates = np.nan_to_num(np.abs(standardised(replicates, replicates)))
    size = np.nan_to_num(np.abs(z))
    fails = np.zeros(len(z), bool)
    while not fails.all():
        band = np.quantile(replicates[:, ~fails].max(axis=1), 1.0 - LEVEL)
        new = ~fails & (size > band)
        if not new.any():
            break
        fails |= new
    worst = np.argsort(-size)
    return tuple(panel.statistics[i].name for i in worst if fails[i])

r"""Recovery: does the network find parameters that are known?

For simulated data sets: the correlation r of posterior mean and truth; NRMSE, the root mean squared
error of the posterior mean over the SD of the truth; bias, the mean of (posterior mean - truth) /
SD of the truth; contraction, 1 - posterior variance / prior variance; the share of central 50 % and
90 % intervals that contain the true value; and the expected calibration error, the mean over
alpha = 0.01, …, 0.99 of |share of central alpha intervals that contain the true value - alpha|.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from incongruent.data.basics.streams import Purpose, child
from incongruent.posterior.posterior import Posterior
from incongruent.simulation.simulator import Simulations

Array = np.ndarray

BIN_EDGES = (20, 50, 100, 200, 500, 1000, 2000)
LEVELS = np.arange(0.01, 1.0, 0.01)
FEWEST_IN_BIN = 20
"""Data sets that a bin needs to be judged."""


def covered_share(
    probability: Float[Array, "dataset quantity"],
) -> tuple[Float[Array, "dataset quantity"], Float[Array, "level quantity"]]:
    """The smallest central interval with the truth, and the coverage of central intervals.

    From shares of draws below the truth (dataset, quantity): the first is (dataset, quantity), the
    second, the share of data sets whose intervals contain the true value at ``LEVELS``, (level,
    quantity).
    """
    central = np.abs(2.0 * probability - 1.0)
    return central, (central[None] <= LEVELS[:, None, None]).mean(axis=1)


def coverage_columns(
    probability: Float[Array, "dataset quantity"],
) -> dict[str, Float[Array, " quantity"]]:
    """Coverage of the central 50 % and 90 % intervals, and calibration error, each (quantity,).

    From shares of draws below the truth (dataset, quantity).
    """
    central, covered = covered_share(probability)
    return {
        "coverage_50": (central <= 0.5).mean(axis=0),
        "coverage_90": (central <= 0.9).mean(axis=0),
        "calibration_error": np.abs(covered - LEVELS[:, None]).mean(axis=0),
    }


def by_bins(
    table_of: Callable[[Array], pd.DataFrame],
    n_trials: Int[Array, " dataset"],
    edges: Sequence[int],
) -> pd.DataFrame:
    """A table for each bin of the number of trials, one below the other.

    Bins with fewer than 20 data sets, too few to judge, are left out.
    """
    bins = ((bounds, _in_bin(n_trials, *bounds, edges)) for bounds in pairwise(edges))
    tables = [
        _labelled(table_of(rows), *bounds, edges, n_datasets=int(rows.sum()))
        for bounds, rows in bins
        if rows.sum() >= FEWEST_IN_BIN
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _in_bin(n_trials: Array, low: int, high: int, edges: Sequence[int]) -> Array:
    """Which data sets are in a bin of the number of trials; the outer bins are open."""
    above = (n_trials >= low) | (low == edges[0])
    below = (n_trials < high) | (high == edges[-1])
    return above & below


def _labelled(
    table: pd.DataFrame, low: int, high: int, edges: Sequence[int], *, n_datasets: int
) -> pd.DataFrame:
    """The table of a bin, with its numbers of trials and of data sets in front."""
    table.insert(0, "n_datasets", n_datasets)
    table.insert(0, "trials", f"{low}–{high if high == edges[-1] else high - 1}")
    return table


@dataclass(frozen=True, eq=False)
class Recovery:
    """The result of `recover`.

    Attributes:
        truth: (dataset, parameter).
        mean: posterior means, (dataset, parameter).
        probability: share of draws below the truth, (dataset, parameter); uniform when the
            posterior is calibrated.
        contraction: (dataset, parameter).
        gain: log q(truth) - log prior(truth), (dataset,), in nats.
        n_trials: (dataset,).
        parameter_names: the parameters.
    """

    truth: Float[Array, "dataset parameter"]
    mean: Float[Array, "dataset parameter"]
    probability: Float[Array, "dataset parameter"]
    contraction: Float[Array, "dataset parameter"]
    gain: Float[Array, " dataset"]
    n_trials: Int[Array, " dataset"]
    parameter_names: tuple[str, ...]

    @property
    def nats(self) -> float:
        """The mean of log q - log prior at the truth: how much the network learns from the data."""
        return float(self.gain.mean())

    def table(self, rows: Array | slice = slice(None)) -> pd.DataFrame:
        """One row per parameter, over all data sets or some.

        Columns: r, nrmse, bias, contraction, coverage_50, coverage_90, calibration_error.
        """
        columns = {
            **_error_columns(self.truth[rows], self.mean[rows]),
            "contraction": self.contraction[rows].mean(axis=0),
            **coverage_columns(self.probability[rows]),
        }
        return pd.DataFrame({"parameter": self.parameter_names, **columns})

    def by_trials(self, edges: Sequence[int] = BIN_EDGES) -> pd.DataFrame:
        """The same table for bins of the number of trials.

        Bins with fewer than 20 data sets, too few to judge, are left out.
        """
        return by_bins(self.table, self.n_trials, edges)

    def __str__(self) -> str:
        table = self.table()
        return (
            f"{len(self.truth)} simulated data sets: {self.nats:.2f} nats over the prior; "
            f"90 % intervals contain the true value in {table['coverage_90'].mean():.1%}; "
            f"largest calibration error {table['calibration_error'].max():.3f}; "
            f"{_words_of_correlations(table)}."
        )


def _words_of_correlations(table: pd.DataFrame) -> str:
    """The smallest and the largest correlation with the truth."""
    worst = table.loc[table["r"].idxmin()]
    return f"r from {worst['r']:.2f} ({worst['parameter']}) to {table['r'].max():.2f}"


def _error_columns(truth: Array, mean: Array) -> dict[str, Any]:
    """Correlation, NRMSE and bias of posterior means (dataset, parameter), each (parameter,)."""
    error, spread = mean - truth, truth.std(axis=0)
    return {
        "r": [_correlation(*pair) for pair in zip(truth.T, mean.T, strict=True)],
        "nrmse": np.sqrt((error**2).mean(axis=0)) / spread,
        "bias": error.mean(axis=0) / spread,
    }


def _correlation(a: Float[Array, " dataset"], b: Float[Array, " dataset"]) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def recover(
    posterior: Posterior,
    simulations: Simulations | None = None,
    *,
    n_datasets: int = 1000,
    n_draws: int = 500,
    seed: int,
) -> Recovery:
    """Fit data sets with known parameters.

    Args:
        posterior: what to check.
        simulations: what to fit; fresh ones from the posterior's own simulator when left out.
        n_datasets: how many fresh ones.
        n_draws: draws a data set.
        seed: of simulations and draws.
    """
    simulations = simulations_for(
        posterior, simulations, n_datasets, seed=child(seed, Purpose.RECOVERY_DATA)
    )
    draws = posterior.unguarded().sample(
        simulations.trials, n_draws, seed=child(seed, Purpose.RECOVERY_DRAWS)
    )
    return Recovery(
        simulations.theta,
        draws.means,
        _share_below(draws.theta, simulations.theta),
        draws.contraction,
        _gain_over_prior(posterior, simulations),
        simulations.trials.n_trials,
        simulations.parameter_names,
    )


def simulations_for(
    posterior: Posterior, simulations: Simulations | None, n_datasets: int, *, seed: int
) -> Simulations:
    """Given simulations, or fresh ones from the posterior's own simulator when there are none.

    Raises:
        ValueError: when their parameters are not those of the posterior.
    """
    if simulations is None:
        return posterior.simulator.simulate(n_datasets, seed=seed)
    if simulations.parameter_names != posterior.simulator.prior.names:
        raise ValueError(
            f"Expected simulations with the parameters {posterior.simulator.prior.names}; got"
            f" {simulations.parameter_names}."
        )
    return simulations


def _share_below(theta: Array, truth: Array) -> Array:
    """The share of draws (dataset, draw, parameter) below the truth; neither 0 nor 1."""
    below = (theta < truth[:, None, :]).sum(axis=1)
    return (below + 0.5) / (theta.shape[1] + 1.0)


def _gain_over_prior(posterior: Posterior, simulations: Simulations) -> Float[Array, " dataset"]:
    """Log q minus log prior at the truth, (dataset,)."""
    log_q = posterior.log_prob(simulations.theta, simulations.trials)
    return log_q - posterior.simulator.prior.log_prob(simulations.theta)


def bins_of(posterior: Posterior) -> list[int]:
    """Edges of bins of trial numbers for the design that a posterior was trained for."""
    design = posterior.simulator.design
    return [
        design.smallest,
        *_edges_between(design.smallest, design.largest),
        max(design.largest, design.smallest + 1),
    ]


def _edges_between(low: int, high: int) -> list[int]:
    """The usual edges of bins that lie between two numbers of trials."""
    return [edge for edge in BIN_EDGES if low < edge < high]

r"""Calibration: do posterior probabilities mean what they say?

Simulation-based calibration (Talts et al. 2018; Modrák et al. 2023): theta* from the prior, trials
from theta*, draws from the posterior of these trials; then the rank of f(theta*) among f(draws) is
uniform for every function f, also for those that look at the trials. Here f is every parameter, log
q(theta | trials), the exact log likelihood, and the distance from a reference point (TARP: Lemos,
Coogan, Hezaveh & Perreault- Levasseur 2023), which is a point from the prior, or another draw from
the posterior. Uniformity is tested by simultaneous bands on the data sets' own values, ranks being
made continuous with uniform noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from incongruent.checks.network.recovery import (
    BIN_EDGES,
    by_bins,
    coverage_columns,
    simulations_for,
)
from incongruent.checks.network.uniformity import uniformity_p
from incongruent.checks.simultaneous import holm
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.exact.importance import Weights, largest_k_hat, resample, weigh
from incongruent.exact.likelihood import evaluate
from incongruent.posterior.draws import Draws
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import Simulations

Array = np.ndarray

LOG_Q, LOG_LIKELIHOOD, TARP_PRIOR, TARP_NEAR = (
    "log q",
    "log likelihood",
    "TARP, prior",
    "TARP, near",
)
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ranks of what is true among posterior draws.

    Attributes:
        ranks: by quantity, (dataset,): share of draws below the truth, made continuous; uniform
            when the posterior is calibrated.
        z_score: (dataset, parameter), (posterior mean - truth) / posterior SD.
        contraction: (dataset, parameter).
        n_trials: (dataset,).
        parameter_names: the parameters.
        corrected: whether the draws were corrected by the exact likelihood.
        k_hat: (dataset,) of the importance weights; NaN for a model without an exact likelihood.
        ess: (dataset,) effective share of the network's draws; NaN likewise.
        n_draws: posterior draws a data set, on which it depends what a good k-hat is.
    """

    ranks: Mapping[str, Float[Array, " dataset"]]
    z_score: Float[Array, "dataset parameter"]
    contraction: Float[Array, "dataset parameter"]
    n_trials: Int[Array, " dataset"]
    parameter_names: tuple[str, ...]
    corrected: bool
    k_hat: Float[Array, " dataset"]
    ess: Float[Array, " dataset"]
    n_draws: int

    def __len__(self) -> int:
        return len(self.n_trials)

    def table(self, rows: Array | slice = slice(None)) -> pd.DataFrame:
        """One row per quantity.

        Columns: p of uniform ranks, coverage_50, coverage_90, calibration_error, and, for
        parameters, contraction, z_mean, z_sd.
        """
        names = list(self.ranks)
        ranks = np.stack([self.ranks[name][rows] for name in names], axis=1)  # (dataset, quantity)
        columns = {
            "quantity": names,
            "p": [uniformity_p(column) for column in ranks.T],
            **coverage_columns(ranks),
        }
        return pd.DataFrame(columns).join(self._of_parameters(rows), on="quantity")

    def _of_parameters(self, rows: Array | slice) -> pd.DataFrame:
        """One row per parameter, with the columns that only parameters have."""
        contraction, z = self.contraction[rows], self.z_score[rows]
        columns = {
            "contraction": np.mean(contraction, axis=0),
            "z_mean": np.mean(z, axis=0),
            "z_sd": np.std(z, axis=0),
        }
        return pd.DataFrame(columns, index=list(self.parameter_names))

    def by_trials(self, edges: Sequence[int] = BIN_EDGES) -> pd.DataFrame:
        """The same table for bins of the number of trials.

        Bins with fewer than 20 data sets, too few to judge, are left out.
        """
        return by_bins(self.table, self.n_trials, edges)

    def failures(self, edges: Sequence[int] | None = None) -> pd.DataFrame:
        """Rows of `table` (or of `by_trials`) whose ranks leave their band.

        All bands together hold with 95 % probability (Holm 1979).
        """
        table = self.table() if edges is None else self.by_trials(edges)
        return table.iloc[_places_of_small(table["p"].to_numpy())] if len(table) else table

    def __str__(self) -> str:
        how = "corrected by the exact likelihood" if self.corrected else "as the network gives them"
        return (
            f"{len(self)} simulated data sets, draws {how}{self._words_of_weights}: ranks"
            f" {self._words_of_ranks} ({LEVEL:.0%} level, adjusted for {len(self.ranks)}"
            " quantities)."
        )

    @property
    def _words_of_ranks(self) -> str:
        """Whether ranks are uniform, and of which quantities they are not."""
        failed = list(self.failures()["quantity"])
        return f"not uniform for {', '.join(failed)}" if failed else "uniform"

    @property
    def _words_of_weights(self) -> str:
        """How good the importance weights are; empty for a model without an exact likelihood."""
        if not np.isfinite(self.ess).any():
            return ""
        return (
            f" ({self._share_of_bad_weights:.1%} with bad weights; median effective share of the"
            f" network's draws {np.median(self.ess):.0%})"
        )

    @property
    def _share_of_bad_weights(self) -> float:
        """The share of data sets whose weights cannot be trusted."""
        return float((~(self.k_hat <= largest_k_hat(self.n_draws))).mean())


def _places_of_small(p: Float[Array, " test"]) -> Int[Array, " small"]:
    """Positions of p-values that are small after Holm's correction for their number."""
    return np.flatnonzero(holm(p) <= 1.0 - LEVEL)


def calibrate(
    posterior: Posterior,
    simulations: Simulations | None = None,
    *,
    n_datasets: int = 1000,
    n_draws: int = 500,
    corrected: bool = False,
    seed: int,
    workers: int | None = None,
) -> Calibration:
    """Simulation-based calibration.

    Args:
        posterior: what to check.
        simulations: data sets with known parameters; fresh ones from the posterior's own simulator
            when left out.
        n_datasets: how many fresh ones.
        n_draws: draws a data set.
        corrected: check the draws as `reweight` resamples them, without its MCMC: data sets with a
            bad k-hat count as they are.
        seed: of simulations, draws and reference points.
        workers: threads; one for each core when left out.

    Returns:
        A `Calibration`; without an exact likelihood it lacks the quantity log likelihood.

    Raises:
        LikelihoodError: for ``corrected`` without an exact likelihood.
    """
    simulations = simulations_for(
        posterior, simulations, n_datasets, seed=child(seed, Purpose.CALIBRATION_DATA)
    )
    draws = posterior.unguarded().sample(
        simulations.trials, n_draws + 1, seed=child(seed, Purpose.CALIBRATION_DRAWS)
    )
    references = _references(posterior.simulator.prior, draws, seed)
    draws = _without_the_last(draws)
    weighted = _weighted(posterior, draws, simulations, corrected, seed, workers)
    quantities = {
        **_quantities(posterior, weighted, simulations),
        **_distances(posterior.simulator.prior, weighted.theta, simulations.theta, references),
    }
    rng = stream(seed, Purpose.CALIBRATION_TIES)
    return Calibration(
        ranks={name: quantity.rank(rng) for name, quantity in quantities.items()},
        z_score=_z_score(weighted.theta, simulations.theta),
        contraction=replace(draws, theta=weighted.theta).contraction,
        n_trials=simulations.trials.n_trials,
        parameter_names=simulations.parameter_names,
        corrected=corrected,
        k_hat=weighted.k_hat,
        ess=weighted.ess,
        n_draws=n_draws,
    )


def _references(prior: AnyPrior, draws: Draws, seed: int) -> dict[str, Array]:
    """Reference points of TARP, (dataset, parameter): from the prior, and the last draws."""
    rng = stream(seed, Purpose.CALIBRATION_REFERENCE)
    return {TARP_PRIOR: prior.sample(len(draws), seed=rng), TARP_NEAR: draws.theta[:, -1]}


def _without_the_last(draws: Draws) -> Draws:
    """All draws of each data set but the last, which is a reference point."""
    return replace(draws, theta=draws.theta[:, :-1], log_q=draws.log_q[:, :-1])


def _z_score(theta: Array, truth: Array) -> Array:
    """The distance of posterior means from the truth in posterior SDs, (dataset, parameter)."""
    mean, sd = theta.mean(axis=1), theta.std(axis=1, ddof=1)
    return (mean - truth) / np.maximum(sd, 1e-300)


@dataclass(frozen=True, eq=False)
class _Quantity:
    """The values of a quantity at the draws (dataset, draw) and at the truth (dataset,)."""

    at_draws: Float[Array, "dataset draw"]
    at_truth: Float[Array, " dataset"]

    @classmethod
    def with_truth_last(cls, values: Float[Array, "dataset values"]) -> _Quantity:
        """From values (dataset, draw + 1), of which the last is that at the truth."""
        return cls(values[:, :-1], values[:, -1])

    @property
    def n_below(self) -> Int[Array, " dataset"]:
        """How many draws have a value below that at the truth, (dataset,)."""
        return (self.at_draws < self.at_truth[:, None]).sum(axis=1)

    def rank(self, rng: np.random.Generator) -> Float[Array, " dataset"]:
        """The rank of the truth among the draws from 0 to 1, made continuous by noise."""
        n_datasets, n_draws = self.at_draws.shape
        return (self.n_below + rng.random(n_datasets)) / (n_draws + 1.0)

    def at_rows(self, rows: Int[Array, "dataset draw"]) -> _Quantity:
        """The values at some of the draws, at positions (dataset, draw)."""
        return replace(self, at_draws=np.take_along_axis(self.at_draws, rows, axis=1))


@dataclass(frozen=True, eq=False)
class _Weighted:
    """Draws, as they are or resampled, with their importance weights' diagnostics.

    Attributes:
        theta: (dataset, draw, parameter).
        log_density: log q, or the log joint density of resampled draws, as a quantity.
        log_likelihood: as a quantity; None without an exact likelihood.
        k_hat: (dataset,) NaN without an exact likelihood.
        ess: (dataset,) likewise.
    """

    theta: Float[Array, "dataset draw parameter"]
    log_density: _Quantity
    log_likelihood: _Quantity | None
    k_hat: Float[Array, " dataset"]
    ess: Float[Array, " dataset"]


def _weighted(
    posterior: Posterior,
    draws: Draws,
    simulations: Simulations,
    corrected: bool,
    seed: int,
    workers: int | None,
) -> _Weighted:
    """Weigh draws by the exact likelihood, if there is one, and resample them if asked to."""
    log_q_true = posterior.log_prob(simulations.theta, simulations.trials)
    log_q = _Quantity(draws.log_q, log_q_true)
    if not corrected and posterior.simulator.model.likelihood is None:
        return _unweighted(draws.theta, log_q)
    both = np.concatenate([draws.theta, simulations.theta[:, None]], axis=1)
    log_lik, _ = evaluate(posterior.simulator, both, simulations.trials, workers=workers)
    likelihood = _Quantity.with_truth_last(log_lik)
    joint = _Quantity.with_truth_last(log_lik + posterior.simulator.prior.log_prob(both))
    weights = weigh(joint.at_draws, draws.log_q)
    weighted = _Weighted(draws.theta, log_q, likelihood, weights.k_hat, weights.ess)
    if not corrected:
        return weighted
    return _resampled(weighted, joint, likelihood, _rows_by_weight(weights, seed))


def _unweighted(theta: Float[Array, "dataset draw parameter"], log_q: _Quantity) -> _Weighted:
    """Draws of a model without an exact likelihood, whose weights are not known."""
    unknown = np.full(len(theta), np.nan)
    return _Weighted(theta, log_q, None, unknown, unknown)


def _rows_by_weight(weights: Weights, seed: int) -> Int[Array, "dataset draw"]:
    """Positions of draws by weight, (dataset, draw)."""
    n_datasets = len(weights.k_hat)
    return resample(
        weights, [stream(seed, Purpose.CALIBRATION_RESAMPLING, i) for i in range(n_datasets)]
    )


def _resampled(
    weighted: _Weighted,
    log_joint: _Quantity,
    log_likelihood: _Quantity,
    rows: Int[Array, "dataset draw"],
) -> _Weighted:
    """The draws at resampled positions (dataset, draw); the joint density takes the place of q."""
    return replace(
        weighted,
        theta=np.take_along_axis(weighted.theta, rows[..., None], axis=1),
        log_density=log_joint.at_rows(rows),
        log_likelihood=log_likelihood.at_rows(rows),
    )


def _quantities(
    posterior: Posterior, weighted: _Weighted, simulations: Simulations
) -> dict[str, _Quantity]:
    """Every parameter, the log density, and the log likelihood where there is one, by name."""
    found = _parameters(posterior.simulator.prior.names, weighted.theta, simulations.theta)
    found[LOG_Q] = weighted.log_density
    if weighted.log_likelihood is not None:
        found[LOG_LIKELIHOOD] = weighted.log_likelihood
    return found


def _parameters(names: tuple[str, ...], theta: Array, truth: Array) -> dict[str, _Quantity]:
    """Every parameter as a quantity, by name."""
    return {name: _Quantity(theta[..., i], truth[:, i]) for i, name in enumerate(names)}


def _distances(
    prior: AnyPrior,
    theta: Float[Array, "dataset draw parameter"],
    truth: Float[Array, "dataset parameter"],
    references: Mapping[str, Float[Array, "dataset parameter"]],
) -> dict[str, _Quantity]:
    """The distance from reference points (dataset, parameter) on the prior's real line, by name."""
    z, z_true = prior.to_real(theta), prior.to_real(truth)
    return {
        name: _distance_from(prior.to_real(point), z, z_true) for name, point in references.items()
    }


def _distance_from(point: Array, z: Array, z_true: Array) -> _Quantity:
    """The distance of draws and of the truth from a point (dataset, parameter) of each data set."""
    return _Quantity(_distance(z, point[:, None]), _distance(z_true, point))


def _distance(a: Array, b: Array) -> Array:
    return np.sqrt(((a - b) ** 2).sum(axis=-1))

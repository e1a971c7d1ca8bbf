r"""Calibration: do posterior probabilities mean what they say?

Simulation-based calibration (Talts et al. 2018; Modrák et al. 2023): theta* from the prior, trials
from theta*, draws from the posterior of these trials; then the rank of f(theta*) among f(draws) is
uniform for every function f, also for those that look at the trials. Here f is every parameter, log
q(theta | trials), the exact log likelihood, and the distance from a reference point (TARP: Lemos,
Coogan, Hezaveh & Perreault- Levasseur 2023), which is a point from the prior, or another draw from
the posterior. Uniformity is tested by simultaneous bands on the data sets' own values, ranks being
made continuous with uniform noise.

`posterior_sbc` asks the same in the neighbourhood of one person's data y (Säilynoja, Schmitt,
Bürkner & Vehtari 2025, arXiv 2502.03279): theta' from the posterior of y, new trials y' from
theta', and the rank of theta' in the posterior of y and y' together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from incongruent.checks.network.recovery import BIN_EDGES, LEVELS, by_bins, covered_share
from incongruent.checks.network.uniformity import uniformity_p
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials, select
from incongruent.exact.importance import largest_k_hat, resample, weigh
from incongruent.exact.likelihood import evaluate
from incongruent.exact.reweight import reweight
from incongruent.posterior.draws import Draws
from incongruent.posterior.posterior import Posterior
from incongruent.simulation.observed import design_of
from incongruent.simulation.simulator import Simulations, Simulator

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

    ranks: Mapping[str, Array]
    z_score: Array
    contraction: Array
    n_trials: Array
    parameter_names: tuple[str, ...]
    corrected: bool
    k_hat: Array
    ess: Array
    n_draws: int

    def __len__(self) -> int:
        return len(self.n_trials)

    def table(self, rows: Array | slice = slice(None)) -> pd.DataFrame:
        """One row per quantity: p of uniform ranks, coverage_50, coverage_90, calibration_error,
        and, for parameters, contraction, z_mean, z_sd.
        """
        names = list(self.ranks)
        ranks = np.stack([self.ranks[name][rows] for name in names], axis=1)  # (dataset, quantity)
        central, covered = covered_share(ranks)
        frame = pd.DataFrame(
            {
                "quantity": names,
                "p": [uniformity_p(column) for column in ranks.T],
                "coverage_50": (central <= 0.5).mean(axis=0),
                "coverage_90": (central <= 0.9).mean(axis=0),
                "calibration_error": np.abs(covered - LEVELS[:, None]).mean(axis=0),
            }
        )
        of_parameters = {
            "contraction": self.contraction,
            "z_mean": self.z_score,
            "z_sd": self.z_score,
        }
        for (column, values), reduce in zip(
            of_parameters.items(), (np.mean, np.mean, np.std), strict=True
        ):
            found = dict(zip(self.parameter_names, reduce(values[rows], axis=0), strict=True))
            frame[column] = [found.get(name, np.nan) for name in names]
        return frame

    def by_trials(self, edges: Sequence[int] = BIN_EDGES) -> pd.DataFrame:
        """The same table for bins of the number of trials; bins with fewer than 20 data sets, too
        few to judge, are left out.
        """
        return by_bins(self.table, self.n_trials, edges)

    def failures(self, edges: Sequence[int] | None = None) -> pd.DataFrame:
        """Rows of `table` (or of `by_trials`) whose ranks leave their band; all bands together hold
        with 95 % probability (Holm 1979).
        """
        table = self.table() if edges is None else self.by_trials(edges)
        if len(table) == 0:
            return table
        order = np.argsort(table["p"].to_numpy())
        adjusted = np.maximum.accumulate(
            table["p"].to_numpy()[order] * np.arange(len(order), 0, -1)
        )
        return table.iloc[np.sort(order[adjusted <= 1.0 - LEVEL])]

    def __str__(self) -> str:
        failed, n = list(self.failures()["quantity"]), len(self.ranks)
        how = "corrected by the exact likelihood" if self.corrected else "as the network gives them"
        what = f"not uniform for {', '.join(failed)}" if failed else "uniform"
        known = np.isfinite(self.ess).any()
        bad = (
            f"{(~(self.k_hat <= largest_k_hat(self.n_draws))).mean():.1%} with bad weights; "
            if known
            else ""
        )
        ess = (
            f" ({bad}median effective share of the network's draws {np.median(self.ess):.0%})"
            if known
            else ""
        )
        return (
            f"{len(self)} simulated data sets, draws {how}{ess}: ranks {what} ({LEVEL:.0%} level,"
            f" adjusted for {n} quantities)."
        )


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
    if simulations is None:
        simulations = posterior.simulator.simulate(
            n_datasets, seed=child(seed, Purpose.CALIBRATION_DATA)
        )
    if simulations.parameter_names != posterior.simulator.prior.names:
        raise ValueError(
            f"Expected simulations with the parameters {posterior.simulator.prior.names}; got"
            f" {simulations.parameter_names}."
        )
    draws = posterior.unguarded().sample(
        simulations.trials, n_draws + 1, seed=child(seed, Purpose.CALIBRATION_DRAWS)
    )
    reference, near = (
        posterior.simulator.prior.sample(
            len(draws), seed=stream(seed, Purpose.CALIBRATION_REFERENCE)
        ),
        draws.theta[:, -1],
    )
    draws = replace(draws, theta=draws.theta[:, :-1], log_q=draws.log_q[:, :-1])
    judged = _judge(posterior, draws, simulations, corrected, seed, workers)
    z, z_true = (
        posterior.simulator.prior.to_real(theta) for theta in (judged.theta, simulations.theta)
    )
    for name, place in ((TARP_PRIOR, reference), (TARP_NEAR, near)):
        at = posterior.simulator.prior.to_real(place)
        judged.at_draws[name], judged.at_truth[name] = (
            _distance(z, at[:, None]),
            _distance(z_true, at),
        )
    rng = stream(seed, Purpose.CALIBRATION_TIES)
    below = {
        name: (values < judged.at_truth[name][:, None]).sum(axis=1)
        for name, values in judged.at_draws.items()
    }
    ranks = {
        name: (count + rng.random(len(count))) / (n_draws + 1.0) for name, count in below.items()
    }
    mean, sd = judged.theta.mean(axis=1), judged.theta.std(axis=1, ddof=1)
    after = replace(draws, theta=judged.theta)
    z_score = (mean - simulations.theta) / np.maximum(sd, 1e-300)
    n_trials, names = simulations.trials.n_trials, simulations.parameter_names
    return Calibration(
        ranks,
        z_score,
        after.contraction,
        n_trials,
        names,
        corrected,
        judged.k_hat,
        judged.ess,
        n_draws,
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    """Draws and, by quantity, its values at the draws (dataset, draw) and at the truth (dataset,)."""

    theta: Array
    at_draws: dict[str, Array]
    at_truth: dict[str, Array]
    k_hat: Array
    ess: Array


def _judge(
    posterior: Posterior,
    draws: Draws,
    simulations: Simulations,
    corrected: bool,
    seed: int,
    workers: int | None,
) -> _Judged:
    truth, prior = simulations.theta, posterior.simulator.prior
    theta, log_q, log_q_true = (
        draws.theta,
        draws.log_q,
        posterior.log_prob(truth, simulations.trials),
    )
    k_hat = ess = np.full(len(draws), np.nan)
    of_likelihood: tuple[Array, Array] | None = None
    if corrected or posterior.simulator.model.likelihood is not None:
        both = np.concatenate([theta, truth[:, None]], axis=1)
        log_lik, _ = evaluate(posterior.simulator, both, simulations.trials, workers=workers)
        log_joint = log_lik + prior.log_prob(both)
        weights = weigh(log_joint[:, :-1], log_q)
        k_hat, ess = weights.k_hat, weights.ess
        of_likelihood = log_lik[:, :-1], log_lik[:, -1]
        if corrected:
            rows = resample(
                weights,
                [stream(seed, Purpose.CALIBRATION_RESAMPLING, i) for i in range(len(theta))],
            )
            theta = np.take_along_axis(theta, rows[..., None], axis=1)
            log_q, log_q_true = np.take_along_axis(log_joint[:, :-1], rows, 1), log_joint[:, -1]
            of_likelihood = np.take_along_axis(log_lik[:, :-1], rows, 1), log_lik[:, -1]
    at_draws = {name: theta[..., i] for i, name in enumerate(prior.names)} | {LOG_Q: log_q}
    at_truth = {name: truth[:, i] for i, name in enumerate(prior.names)} | {LOG_Q: log_q_true}
    if of_likelihood is not None:
        at_draws[LOG_LIKELIHOOD], at_truth[LOG_LIKELIHOOD] = of_likelihood
    return _Judged(theta, at_draws, at_truth, k_hat, ess)


def _distance(a: Array, b: Array) -> Array:
    return np.sqrt(((a - b) ** 2).sum(axis=-1))


def posterior_sbc(
    posterior: Posterior,
    study: Trials,
    person: int,
    *,
    n_datasets: int = 300,
    n_draws: int = 500,
    corrected: bool = False,
    seed: int,
    workers: int | None = None,
) -> Calibration:
    """Calibration where it counts for one person: around their own data.

    Theta' is drawn from the posterior of the person's trials (corrected by the exact likelihood if
    there is one), new trials are simulated from it with the person's design, or with as many trials
    as fit into the network's, and the posterior of old and new trials together is ranked.

    Args:
        posterior: what to check.
        study: the person's trials, among others'.
        person: position in the study.
        n_datasets: how many theta'.
        n_draws: draws for each.
        corrected: check the draws as `reweight` resamples them, without its MCMC: data sets with a
            bad k-hat count as they are.
        seed: of everything random.
        workers: threads; one for each core when left out.

    Raises:
        ValueError: when the network knows too few trials for old and new ones together.
    """
    one = posterior.admit(select(study, [person])).trials
    design = posterior.simulator.design
    n = int(one.n_trials[0])
    n_new = min(n, design.largest - n)
    if n_new < design.smallest:
        raise ValueError(
            f"Expected room for at least {design.smallest} new trials beside {one.names[0]}'s {n};"
            f" the network knows up to {design.largest}. Use a network for more trials, or fewer of"
            " the person's."
        )
    own_seed, many = (
        child(seed, Purpose.SBC_DRAWS),
        max(20 * n_datasets, 1000),
    )  # many more than are needed: corrected ones hold repeats
    draws = posterior.unguarded().sample(one, many, seed=own_seed)
    if posterior.simulator.model.likelihood is not None:
        draws = reweight(draws, one, seed=own_seed, workers=workers)
    theta = draws.theta[
        0, stream(seed, Purpose.SBC_CHOICE).choice(draws.theta.shape[1], n_datasets, replace=False)
    ]
    own = design_of(one, window=design.window, deadline=design.deadline, condition=design.condition)
    counts = np.round(own.counts * n_new / n).astype(int)
    again = Simulator(
        posterior.simulator.model, posterior.simulator.prior, replace(own, counts=counts)
    )
    new = again.simulate_at(theta, seed=child(seed, Purpose.SBC_DATA))
    both = _side_by_side(select(one, np.zeros(n_datasets, int)), new)
    simulations = Simulations(theta, both, posterior.simulator.prior.names)
    return calibrate(
        posterior,
        simulations,
        n_draws=n_draws,
        corrected=corrected,
        seed=child(seed, Purpose.SBC_RANKS),
        workers=workers,
    )


def _side_by_side(first: Trials, second: Trials) -> Trials:
    """Data set by data set, the trials of both."""
    values = {
        name: np.concatenate([first.values[name], second.values[name]], axis=1)
        for name in first.values
    }
    present, answered = (
        np.concatenate([getattr(first, of), getattr(second, of)], axis=1)
        for of in ("present", "answered")
    )
    return Trials(first.columns, values, present, answered)

"""What a card says about a network's quality, measured once on fresh simulations after training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from incongruent.checks.network.calibration import Calibration, calibrate
from incongruent.checks.network.recovery import Recovery, bins_of, recover
from incongruent.data.basics.streams import Purpose, child
from incongruent.exact.importance import largest_k_hat
from incongruent.exact.reweight import reweight
from incongruent.posterior.draws import Correction
from incongruent.posterior.posterior import Posterior
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulator

EFFICIENCY_AT = (100, 500)
"""Numbers of trials at which the effective share of the draws is measured."""


def with_quality(
    posterior: Posterior,
    *,
    n_datasets: int,
    seed: int,
    n_calibrated: int = 1000,
    n_efficiency: int = 200,
) -> Posterior:
    """The same posterior with its recovery, calibration and efficiency, by number of trials, on its
    card.

    Args:
        posterior: what to measure.
        n_datasets: simulated data sets for recovery.
        seed: of all simulations and draws.
        n_calibrated: how many for the calibration of corrected draws; left out for a model without
            an exact likelihood.
        n_efficiency: how many for the effective share of the draws at each number of trials; left
            out likewise.
    """
    recovery = recover(posterior, n_datasets=n_datasets, seed=seed)
    quality = {
        "n_datasets": n_datasets,
        "seed": seed,
        **_recovery_record(recovery, bins_of(posterior)),
    }
    if posterior.simulator.model.likelihood is not None:
        calibration = calibrate(
            posterior,
            n_datasets=n_calibrated,
            corrected=True,
            seed=child(seed, Purpose.CALIBRATION),
        )
        quality["calibration"] = calibration_record(calibration, bins_of(posterior))
        quality["efficiency"] = efficiency(
            posterior, n_datasets=n_efficiency, seed=child(seed, Purpose.EFFICIENCY)
        )
    return posterior.with_notes(quality=quality)


def _recovery_record(recovery: Recovery, edges: list[int]) -> dict[str, Any]:
    """A recovery as plain values: nats, and the table overall and by number of trials."""
    return {
        "nats": recovery.nats,
        "overall": recovery.table().to_dict("records"),
        "by_trials": recovery.by_trials(edges).to_dict("records"),
    }


def calibration_record(calibration: Calibration, edges: list[int]) -> dict[str, Any]:
    """A calibration as plain values: p of uniform ranks and calibration error, overall and by
    number of trials.
    """
    columns = ["quantity", "p", "calibration_error"]
    by_trials = calibration.by_trials(edges)
    return {
        "n_datasets": len(calibration),
        "overall": calibration.table().filter(columns).to_dict("records"),
        "by_trials": by_trials.filter(["trials", "n_datasets", *columns]).to_dict("records"),
    }


def efficiency(
    posterior: Posterior, *, n_datasets: int, n_draws: int = 1000, seed: int
) -> list[dict[str, float]]:
    """The effective share of the network's draws on simulated data sets of 100 and of 500 trials,
    as far as its design has them.

    Returns:
        For each number of trials: ``trials``, ``median``, ``q10``, ``lowest``, and ``k_hat_good``,
        the share of data sets with a good k-hat.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
    """
    design = posterior.simulator.design
    found = []
    for n in EFFICIENCY_AT:
        if design.smallest <= n <= design.largest:
            correction = _correction_at(posterior, n, n_datasets, n_draws, seed)
            found.append({"trials": n, **_summary_of(correction, n_draws)})
    return found


def _simulator_of(posterior: Posterior, n_trials: int) -> Simulator[Design]:
    """The posterior's simulator, with a fixed number of trials."""
    own = posterior.simulator
    design = own.design
    fixed = replace(design, n_trials=n_trials)
    return Simulator(own.model, own.prior, fixed)


def _correction_at(
    posterior: Posterior, n_trials: int, n_datasets: int, n_draws: int, seed: int
) -> Correction:
    """How the draws of simulated data sets of so many trials are corrected, without MCMC."""
    data_seed = child(seed, Purpose.EFFICIENCY_DATA, n_trials)
    trials = _simulator_of(posterior, n_trials).simulate(n_datasets, seed=data_seed).trials
    own = child(seed, Purpose.EFFICIENCY_DRAWS, n_trials)
    draws = posterior.unguarded().sample(trials, n_draws, seed=own)
    correction = reweight(draws, trials, adapt=False, seed=own).correction
    assert correction is not None
    return correction


def _summary_of(correction: Correction, n_draws: int) -> dict[str, float]:
    """The effective share of the draws, and the share of data sets with a good k-hat."""
    median, q10, lowest = (float(np.quantile(correction.ess, q)) for q in (0.5, 0.1, 0.0))
    good = float((correction.k_hat <= largest_k_hat(n_draws)).mean())
    return {"median": median, "q10": q10, "lowest": lowest, "k_hat_good": good}

"""Posterior SBC: calibration in the neighbourhood of one person's data.

The question of `calibrate`, asked around data y (Säilynoja, Schmitt, Bürkner & Vehtari 2025, arXiv
2502.03279): theta' from the posterior of y, new trials y' from theta', and the rank of theta' in
the posterior of y and y' together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from incongruent.checks.network.calibration import Calibration, calibrate
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.exact.reweight import reweight
from incongruent.posterior.posterior import Posterior
from incongruent.simulation.observed import ObservedDesign, design_of
from incongruent.simulation.simulator import Simulations, Simulator

Array = np.ndarray


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
    """Check calibration around the data of one person.

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
    one = posterior.admit(study.select([person])).trials
    again = _continued(posterior, one)
    theta = _neighbourhood(posterior, one, n_datasets, seed, workers)
    new = again.simulate_at(theta, seed=child(seed, Purpose.SBC_DATA))
    both = _side_by_side(one.select(np.zeros(n_datasets, int)), new)
    return calibrate(
        posterior,
        Simulations(theta, both, posterior.simulator.prior.names),
        n_draws=n_draws,
        corrected=corrected,
        seed=child(seed, Purpose.SBC_RANKS),
        workers=workers,
    )


def _neighbourhood(
    posterior: Posterior, one: Trials, n: int, seed: int, workers: int | None
) -> Array:
    """Draws from the posterior of one person, corrected where possible, (n, parameter)."""
    own_seed = child(seed, Purpose.SBC_DRAWS)
    many = max(20 * n, 1000)  # many more than are needed: corrected ones hold repeats
    draws = posterior.unguarded().sample(one, many, seed=own_seed)
    if posterior.simulator.model.likelihood is not None:
        draws = reweight(draws, one, seed=own_seed, workers=workers)
    rng = stream(seed, Purpose.SBC_CHOICE)
    return draws.theta[0, rng.choice(draws.theta.shape[1], n, replace=False)]


def _continued(posterior: Posterior, one: Trials) -> Simulator[ObservedDesign]:
    """A simulator of the person's design, with as many trials as fit into the network's design."""
    design = posterior.simulator.design
    n = int(one.n_trials[0])
    n_new = min(n, design.largest - n)
    if n_new < design.smallest:
        raise ValueError(
            f"Expected room for at least {design.smallest} new trials beside {one.names[0]}'s {n};"
            f" the network knows up to {design.largest}. Use a network for more trials, or fewer of"
            " the person's."
        )
    own = design_of(one, window=design.window, deadline=design.deadline, condition=design.condition)
    counts = np.round(own.counts * n_new / n).astype(int)
    layout = replace(own, counts=counts)
    return Simulator(posterior.simulator.model, posterior.simulator.prior, layout)


def _side_by_side(first: Trials, second: Trials) -> Trials:
    """The trials of both, data set by data set."""
    values = {
        name: np.concatenate([first.values[name], second.values[name]], axis=1)
        for name in first.values
    }
    present = np.concatenate([first.present, second.present], axis=1)
    answered = np.concatenate([first.answered, second.answered], axis=1)
    return Trials(first.columns, values, present, answered)

"""Posterior SBC: calibration in the neighbourhood of one person's data.

The question of `calibrate`, asked around data y (Säilynoja, Schmitt, Bürkner & Vehtari 2025, arXiv
2502.03279): theta' from the posterior of y, new trials y' from theta', and the rank of theta' in
the posterior of y and y' together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from incongruent.checks.network.calibration import Calibration, calibrate
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.exact.reweight import reweight
from incongruent.posterior.draws import Draws
from incongruent.posterior.posterior import Posterior
from incongruent.simulation.designs import Design
from incongruent.simulation.observed import ObservedDesign, design_like
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
) -> Float[Array, "theta parameter"]:
    """Draws from the posterior of one person, corrected where possible, (n, parameter)."""
    draws = _corrected_draws(posterior, one, _n_to_choose_from(n), seed, workers)
    rng = stream(seed, Purpose.SBC_CHOICE)
    return draws.theta[0, rng.choice(draws.theta.shape[1], n, replace=False)]


def _n_to_choose_from(n: int) -> int:
    """Many more draws than the n that are needed, since corrected ones hold repeats."""
    return max(20 * n, 1000)


def _corrected_draws(
    posterior: Posterior, one: Trials, n: int, seed: int, workers: int | None
) -> Draws:
    """Draws from the posterior of one person, corrected by the exact likelihood if there is one."""
    own_seed = child(seed, Purpose.SBC_DRAWS)
    draws = posterior.unguarded().sample(one, n, seed=own_seed)
    if posterior.simulator.model.likelihood is None:
        return draws
    return reweight(draws, one, seed=own_seed, workers=workers)


def _continued(posterior: Posterior, one: Trials) -> Simulator[ObservedDesign]:
    """A simulator of the person's design, with as many trials as fit into the network's design."""
    design = posterior.simulator.design
    own = design_like(design, one)
    layout = replace(own, counts=_counts_of_new_trials(own.counts, one, design))
    return Simulator(posterior.simulator.model, posterior.simulator.prior, layout)


def _counts_of_new_trials(counts: Array, one: Trials, design: Design) -> Array:
    """Counts like the person's own, of as many trials as fit into the network's design."""
    n = int(one.n_trials[0])
    n_new = min(n, design.largest - n)
    if n_new < design.smallest:
        raise ValueError(
            f"Expected room for at least {design.smallest} new trials beside {one.names[0]}'s {n};"
            f" the network knows up to {design.largest}. Use a network for more trials, or fewer of"
            " the person's."
        )
    return np.round(counts * n_new / n).astype(int)


def _side_by_side(first: Trials, second: Trials) -> Trials:
    """The trials of both, data set by data set."""
    values = {name: _joined(first.values[name], second.values[name]) for name in first.values}
    present = _joined(first.present, second.present)
    return Trials(first.columns, values, present, _joined(first.answered, second.answered))


def _joined(first: Array, second: Array) -> Array:
    """The trials (dataset, trial) of the first, then those of the second."""
    return np.concatenate([first, second], axis=1)

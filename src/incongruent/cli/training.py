"""What ``incongruent train`` does: it trains a network and measures how good that is."""

from __future__ import annotations

from pathlib import Path

from incongruent.checks.network.quality import with_quality
from incongruent.cli.parts import plain, prior_said, usable
from incongruent.cli.simulating import design_said, with_window
from incongruent.cli.tables import show_quality
from incongruent.data.basics.streams import Purpose, child
from incongruent.models import Model, dmc
from incongruent.networks.architecture import Architecture
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce, errors, screen, shown_stages
from incongruent.priors.independent import Prior
from incongruent.priors.published import lapse_rate
from incongruent.simulation.nuisance import marginalised
from incongruent.simulation.simulator import Simulator
from incongruent.storage.bank.bank import Bank
from incongruent.training.recipe import Recipe
from incongruent.training.train import train as train_posterior

MINUTES = 5.0
"""Budget when none is given."""


def simulator_said(
    prior: str | None,
    trials: str | None,
    congruent: str | None,
    deadline: float | None,
    window: str | None,
    lapses: str,
) -> Simulator:
    """The simulator that the options describe; arguments as on the command line."""
    said = prior_said(prior or "schaefer2025", dmc().parameters)
    model, in_use = _with_lapses(said, lapses)
    design = design_said(trials or "50-1000", congruent or "0.5", deadline)
    design = design if window is None else with_window(design, window)
    return usable(lambda: Simulator(model, in_use, design))


def _with_lapses(prior: Prior, lapses: str) -> tuple[Model, Prior]:
    """The model and its prior, where answers at random are integrated out or a parameter."""
    if lapses == "none":
        return dmc(), prior
    free = dmc(free=["lapse"])
    if lapses == "marginal":
        return marginalised(free, lapse=lapse_rate()), prior
    return free, prior.extended(lapse=lapse_rate())


def train(
    source: Simulator | Bank,
    out: Path,
    *,
    minutes: float | None,
    steps: int | None,
    mmd: float,
    seed: int,
) -> Posterior:
    """Train a network and save it; beside it a checkpoint is kept until then."""
    posterior = train_posterior(
        source,
        minutes=MINUTES if minutes is None and steps is None else minutes,
        steps=steps,
        seed=seed,
        architecture=Architecture(),
        recipe=Recipe(mmd_weight=mmd),
        checkpoint=out.with_name(f"{out.name}.checkpoint"),
    )
    posterior.save(out)
    return posterior


def measure(posterior: Posterior, out: Path, *, seed: int) -> None:
    """Measure on simulations how good a network is, save it with what was found, and show that."""
    with shown_stages(errors):
        announce("measuring on simulations how good the network is")
        posterior = with_quality(
            posterior,
            n_datasets=1000,
            seed=child(seed, Purpose.QUALITY),
            n_calibrated=300,
            n_efficiency=100,
        )
    posterior.save(out)
    screen.print(plain(str(posterior.history)))
    show_quality(posterior.notes)
    screen.print(f"Network in {plain(str(out))}")

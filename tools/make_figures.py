"""Draws the figures of the README and the docs. Run: python tools/make_figures.py"""

from pathlib import Path

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.plots import (
    calibration_figure,
    history_figure,
    misspecification_figure,
    panel_figure,
    predictive_figure,
    recovery_figure,
    save_figure,
    space_figure,
    variants_figure,
)

FOLDER = Path(__file__).parents[1] / "docs" / "figures"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    posterior = inc.pretrained("dmc")
    result = inc.fit(posterior, inc.demo_study(), seed=1)
    save_figure(predictive_figure(result.prediction), FOLDER / "predictive_group.png")
    recovery = inc.recover(posterior, n_datasets=1000, seed=11)
    save_figure(
        recovery_figure(recovery, posterior.simulator.model.parameters), FOLDER / "recovery.png"
    )
    save_figure(
        calibration_figure(inc.calibrate(posterior, n_datasets=1000, corrected=True, seed=2037)),
        FOLDER / "calibration.png",
    )
    panel = inc.predictive_panel(posterior, _people_with_lapses(), n_replicates=200, seed=1)
    save_figure(panel_figure(panel), FOLDER / "panel.png")
    check = inc.check(posterior, inc.demo_study(), seed=1)
    save_figure(misspecification_figure(check.mmd, check.scope), FOLDER / "scope.png")
    save_figure(space_figure(_far_more_extreme()), FOLDER / "space.png")
    save_figure(variants_figure(_variants(posterior)), FOLDER / "variants.png")
    assert posterior.history is not None
    save_figure(history_figure(posterior.history), FOLDER / "history.png")


def _variants(posterior: inc.Posterior) -> inc.Variants:
    """All usual variants of DMC for twelve people of a published flanker task."""
    study = inc.datasets.load("ulrich2015_flanker").select(range(12))
    fitted = inc.fit(posterior, study, seed=1)
    return inc.variants(fitted.draws, fitted.study, seed=1)


def _people_with_lapses() -> inc.Trials:
    """Twenty people of a published prior, who answer at random times in one of twenty trials."""
    prior = inc.priors.schaefer2025()
    model = inc.models.dmc(free=("lapse",))
    return (
        inc.Simulator(
            model,
            prior.extended(lapse=stats.beta(50, 950)),
            inc.Design(300, {"congruent": 0.5, "incongruent": 0.5}),
        )
        .simulate(20, seed=1)
        .trials
    )


def _far_more_extreme() -> inc.SummarySpace:
    """Sixteen people of a published prior, and their trials in random batches, seen by a network
    that was trained for other people.
    """
    design = inc.Design((100, 500), {"congruent": 0.5, "incongruent": 0.5})
    network = inc.train(
        inc.Simulator(inc.models.dmc(), inc.priors.schaefer2024_initial(), design),
        steps=4000,
        seed=1,
    )
    simulator = inc.Simulator(
        inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(336, design.share)
    )
    people = simulator.simulate(16, seed=7).trials
    pooled = people.to_frame().sample(frac=1.0, random_state=1)
    pooled["participant"] = np.arange(len(pooled)) // 200
    batches = inc.read_trials(pooled, unit="ms")
    return inc.summary_space(network, {"pooled batches": batches, "people": people}, seed=1)


if __name__ == "__main__":
    main()

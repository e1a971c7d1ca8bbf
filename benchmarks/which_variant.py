"""Which variant people of published studies speak for, what it repairs, and what moves.

Prints a row for each study and variant. With ``--null`` it asks instead how often something fails
under a variant from which the data were simulated, and how far the row of the model as fitted lies
from the panel when it is computed from the exact posterior.

    python benchmarks/which_variant.py --people 16
    python benchmarks/which_variant.py --null 40 --out null.jsonl
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.checks.model.variant_predictions import failing_by_panel, group_z, predicted_by
from incongruent.checks.model.which_variant import which_variant

STUDIES = (
    "ulrich2015_flanker",
    "ulrich2015_simon",
    "pratte2010_simon1",
    "vonbastian2016_simon",
    "vonbastian2016_flanker",
    "vonbastian2016_stroop",
)
ASKED = (
    "lapses",
    "drift variability",
    "lapses + drift variability",
    "narrow start",
    "lapses + narrow start",
)
HALF = {"congruent": 0.5, "incongruent": 0.5}


def of_study(name: str, n_people: int) -> list[dict[str, object]]:
    """Rows of one study."""
    study = inc.datasets.load(name)
    study = study.select(np.arange(min(n_people, len(study))))
    posterior = inc.pretrained("dmc")
    panel = inc.predictive_panel(posterior, study, n_replicates=100, seed=1)
    begun = time.process_time()
    found = which_variant(posterior, study, panel, asked=ASKED, seed=1)
    seconds = time.process_time() - begun
    assert found is not None
    named = {"study": name, "people": len(study), "seconds": seconds, "best": found.best}
    return [{**named, **row} for row in found.to_json()["rows"]]


def of_null(seed: int, n_people: int, n_trials: int) -> dict[str, object]:
    """What fails in one study simulated with lapses, under the variant with lapses."""
    prior = inc.priors.schaefer2025().extended(lapse=stats.beta(1, 80))
    design = inc.Design(n_trials, HALF)
    simulator = inc.Simulator(inc.models.dmc(free=["lapse"]), prior, design)
    study = simulator.simulate(n_people, seed=1000 + seed).trials
    posterior = inc.pretrained("dmc")
    panel = inc.predictive_panel(posterior, study, n_replicates=100, seed=seed)
    found = which_variant(posterior, study, panel, asked=["lapses"], seed=seed)
    assert found is not None
    row = found["lapses"]
    return {
        "seed": seed,
        "failing": list(panel.failing()),
        "remaining": list(row.remaining),
        "z": row.z.tolist(),
    }


def of_right_model(seed: int, n_people: int, n_trials: int) -> dict[str, object]:
    """The panel's z and that of the exact posterior, where the model as fitted is right."""
    design = inc.Design(n_trials, HALF)
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design)
    study = simulator.simulate(n_people, seed=1000 + seed).trials
    posterior = inc.pretrained("dmc")
    panel = inc.predictive_panel(posterior, study, n_replicates=100, seed=seed)
    trials = posterior.admit(study).trials
    draws = inc.reweight(posterior.sample(trials, 300, seed=seed), trials, seed=seed)
    found = inc.variants(draws, trials, ["lapses"], quick=True, seed=seed)
    exact = predicted_by(found.base, trials, panel.statistics, seed)
    z = group_z(panel, exact, exact)
    return {
        "seed": seed,
        "failing": list(panel.failing()),
        "exact": list(failing_by_panel(panel, z)),
        "z": panel.group.z.tolist(),
        "z_exact": z.tolist(),
    }


def main() -> None:
    """Write rows as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--studies", nargs="*", default=list(STUDIES))
    parser.add_argument("--null", type=int, default=0)
    parser.add_argument("--right", type=int, default=0)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("which_variant.jsonl"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.null or options.right:
        of = of_null if options.null else of_right_model
        parts = (
            [of(seed, options.people, options.trials)]
            for seed in range(options.null or options.right)
        )
    else:
        parts = (of_study(name, options.people) for name in options.studies)
    with options.out.open("a") as file:
        for rows in parts:
            for row in rows:
                print(json.dumps(row, allow_nan=False), file=file, flush=True)


if __name__ == "__main__":
    main()

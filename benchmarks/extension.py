"""Which extension is named when one is planted: truth × chosen.

python benchmarks/extension.py [--studies 3] [--people 20] [--trials 300] [--replicates 99] [--seed
100] [--truths SSP …]
"""

import argparse
import time
from collections import Counter

from scipy import stats

import incongruent as inc

HALF = {"congruent": 0.5, "incongruent": 0.5}


def more(**amounts: float) -> tuple[inc.Model, inc.Prior]:
    """DMC with further parameters of one value, under a published prior of the others."""
    prior = inc.priors.schaefer2025()
    extra = {name: stats.uniform(amount - 1e-4, 2e-4) for name, amount in amounts.items()}
    return inc.models.dmc(free=list(extra)), prior.extended(**extra)


def ssp() -> tuple[inc.Model, inc.Prior]:
    means = {"p": (0.56, 0.07), "t_int": (46, 6), "b": (58, 6), "mu_R": (302, 21), "sd_R": (28, 4)}
    return inc.models.ssp(), inc.Prior(
        **{name: stats.norm(*moments) for name, moments in means.items()}
    )


TRUTHS = {
    "nothing": more(),
    "5 % lapses": more(lapse=0.05),
    "10 % lapses": more(lapse=0.1),
    "drift_sd .25": more(drift_sd=0.25),
    "start shape 1": (inc.models.dmc(alpha=1.0), inc.priors.schaefer2025()),
    "SSP": ssp(),
}


def main(options: argparse.Namespace) -> None:
    posterior = inc.pretrained("dmc")
    print(
        "| planted | studies | panel fails | chosen | seconds a study, without the panel"
        " |\n|---|---|---|---|---|"
    )
    for name in options.truths:
        (model, prior), chosen, fails, seconds = TRUTHS[name], Counter(), 0, 0.0
        for i in range(options.studies):
            study = (
                inc.Simulator(model, prior, inc.Design(options.trials, HALF))
                .simulate(options.people, seed=options.seed + i)
                .trials
            )
            panel = inc.predictive_panel(
                posterior, study, n_replicates=options.replicates, seed=i + 1
            )
            began = time.perf_counter()
            found = inc.rank_extensions(posterior, study, panel, seed=i + 1)
            seconds += time.perf_counter() - began
            fails += bool(found.failing)
            chosen[found.best or "none"] += 1
        words = "; ".join(f"{what} {n}" for what, n in chosen.most_common())
        print(
            f"| {name} | {options.studies} | {fails} | {words} | {seconds / options.studies:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=3)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--replicates", type=int, default=99)
    parser.add_argument(
        "--seed", type=int, default=100, help="of the first study; the method was developed on 100"
    )
    parser.add_argument("--truths", nargs="+", choices=TRUTHS, default=list(TRUTHS))
    main(parser.parse_args())

"""Networks that know of lapses: what that buys where people lapse, and what it costs where they do
not.

python benchmarks/robust.py [--steps 8000] [--people 400] [--trials 300]

Three networks learn for equally many steps under `priors.schaefer2025`: one that has never seen a
lapse, one whose simulated people lapse at rates that are integrated out, and one that estimates the
rate as a parameter. All read the same people, who lapse in 0, 2, 5 or 10 % of their trials.
"""

import argparse

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.priors.published import lapse_rate

Array = np.ndarray

HALF = {"congruent": 0.5, "incongruent": 0.5}
RATES = (0.0, 0.02, 0.05, 0.10)


def networks() -> dict[str, tuple[inc.Model, inc.Prior]]:
    prior, free = inc.priors.schaefer2025(), inc.models.dmc(free=["lapse"])
    estimated = prior.extended(lapse=lapse_rate())
    return {
        "without": (inc.models.dmc(), prior),
        "marginal": (inc.marginalised(free, lapse=lapse_rate()), prior),
        "estimated": (free, estimated),
    }


def people(rate: float, options: argparse.Namespace) -> inc.Simulations:
    """The same theta at every rate."""
    prior, design = inc.priors.schaefer2025(), inc.Design(options.trials, HALF)
    theta = prior.sample(options.people, seed=1)
    whole = prior.extended(lapse=stats.uniform(0.0, 1.0))
    simulator = inc.Simulator(inc.models.dmc(free=["lapse"]), whole, design)
    trials = simulator.simulate_at(np.column_stack([theta, np.full(len(theta), rate)]), seed=2)
    return inc.Simulations(theta, trials, prior.names, simulator)


def main(options: argparse.Namespace) -> None:
    plain: Array | None = None
    heads = (
        "lapses in simulations",
        "people's lapses",
        "posterior SD, of that without",
        "90 % intervals hold",
        "of the worst parameter",
    )
    print("| " + " | ".join((*heads, "RMSE, of prior SDs")) + " |\n|---|---|---|---|---|---|")
    spread = np.sqrt(inc.priors.schaefer2025().variances())
    for name, (model, prior) in networks().items():
        posterior = inc.train(
            inc.Simulator(model, prior, inc.Design((50, 1000), HALF)),
            steps=options.steps,
            seed=3,
            progress=False,
        )
        for rate in RATES:
            asked = people(rate, options)
            theta = posterior.sample(asked.trials, 1000, seed=4).theta[..., : asked.theta.shape[1]]
            low, high = np.quantile(theta, [0.05, 0.95], axis=1)
            held = ((low <= asked.theta) & (asked.theta <= high)).mean(axis=0)
            sd = theta.std(axis=1).mean(axis=0)
            plain = sd if plain is None else plain
            wider = np.exp(np.log(sd / plain).mean()) if rate == 0.0 else float("nan")
            rmse = np.sqrt(((theta.mean(axis=1) - asked.theta) ** 2).mean(axis=0)) / spread
            worst = int(np.argmin(held))
            words = (
                f"{held.mean():.3f} | {held[worst]:.3f} ({asked.parameter_names[worst]}) |"
                f" {rmse.mean():.3f}"
            )
            print(f"| {name} | {rate:.0%} | {wider:.3f} | {words} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--trials", type=int, default=300)
    main(parser.parse_args())

"""What a recording in steps, and an end at which slow answers are cut off, do to posteriors.

python benchmarks/recording.py cost                           milliseconds a likelihood, by step
python benchmarks/recording.py bias [--people 60]             posterior means, by step
python benchmarks/recording.py coverage [--people 120]        behind an end at the 85 % quantile
python benchmarks/recording.py panel [--people 16] [--studies 40]
                                                              level, people on the same lattice
python benchmarks/recording.py found [--studies 1000]         what is found where nothing is
"""

import argparse
import time

import numpy as np

import incongruent as inc
from incongruent.models.model import Kept

HALF = {"congruent": 0.5, "incongruent": 0.5}
PRIOR = inc.priors.schaefer2025()


def people(n_people: int, n_trials: int, seed: int, **design) -> inc.Simulations:
    simulator = inc.Simulator(inc.models.dmc(), PRIOR, inc.Design(n_trials, HALF, **design))
    return simulator.simulate(n_people, seed=seed)


def cost(options: argparse.Namespace) -> None:
    """Processor time of one likelihood; the least of five blocks."""
    heads = ("trials", "level", "density", "3 ms", "10 ms", "16.7 ms", "50 ms")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    model, theta = inc.models.dmc(free=["lapse"]), PRIOR.extended(lapse=inc.priors.lapse_rate())
    theta = theta.sample(256, seed=1)
    for n in (100, 300, 1000):
        trials = people(1, n, seed=2).trials
        values = {name: column[0] for name, column in trials.values.items()}
        for level in (0, 1):
            row = []
            for step in (0.0, 3.0, 10.0, 1000 / 60, 50.0):
                took = []
                for _ in range(6):
                    began = time.process_time()
                    kept = Kept((150.0, 2500.0), None, step)
                    model.likelihood.at(theta, values, trials.answered[0], kept, level)
                    took.append(time.process_time() - began)
                row.append(f"{min(took) / len(theta) * 1000:.3f}")
            print(f"| {n} | {level} | {' | '.join(row)} |", flush=True)


def bias(options: argparse.Namespace) -> None:
    """The same trials, exact and in steps; mean differences of posterior means, with errors."""
    posterior = inc.pretrained("dmc")
    print("| step | fitted | mu_R | sd_R | b |\n|---|---|---|---|---|")
    fitted = {"n_draws": 500, "prior": PRIOR, "seed": 3}
    exact = inc.fit(posterior, people(options.people, 300, 5).trials, **fitted).draws.means
    for step in (10.0, 1000 / 60, 50.0):
        study = people(options.people, 300, 5, recording=inc.Recording(step, jitter=0.3)).trials
        for told in (True, False):
            means = inc.fit(posterior, study, as_recorded=told, **fitted).draws.means
            difference, error = (means - exact).mean(axis=0), (means - exact).std(axis=0, ddof=1)
            error /= np.sqrt(len(means))
            cells = [f"{difference[i]:+.2f} ± {error[i]:.2f}" for i in (4, 5, 3)]
            words = "as recorded" if told else "as if exact"
            print(f"| {step:.1f} ms | {words} | {' | '.join(cells)} |", flush=True)


def coverage(options: argparse.Namespace) -> None:
    posterior = inc.pretrained("dmc")
    whole = people(options.people, 300, 7)
    end = float(np.quantile(whole.trials.values["rt"][whole.trials.answered], 0.85))
    cut = people(options.people, 300, 7, window=(150.0, end))
    missing = cut.trials.n_excluded.sum() / (300 * options.people)
    print(f"end at {end:.0f} ms, {missing:.1%} of the answers missing")
    print("| study | within 50 % intervals | within 90 % intervals |\n|---|---|---|")
    for name, study, told in (
        ("without an end", whole, True),
        ("with an end, as recorded", cut, True),
        ("with an end, declined", cut, False),
    ):
        options_of_fit = {"n_draws": 500, "prior": PRIOR, "as_recorded": told, "seed": 3}
        theta = inc.fit(posterior, study.trials, **options_of_fit).draws.theta
        inside = []
        for share in (0.5, 0.9):
            low, high = np.quantile(theta, [0.5 - share / 2, 0.5 + share / 2], axis=1)
            inside.append(f"{((whole.theta >= low) & (whole.theta <= high)).mean():.3f}")
        print(f"| {name} | {' | '.join(inside)} |", flush=True)


def panel(options: argparse.Namespace) -> None:
    """How often the panel speaks though model and prior are right; people share a lattice."""
    posterior, fails, single = inc.pretrained("dmc"), np.zeros(2, int), [[], []]
    recording = inc.Recording(1000 / 60, phase=1.0, jitter=0.1)
    for seed in range(options.studies):
        study = people(options.people, 300, 3000 + seed, recording=recording).trials
        told = inc.recording_of(study).applied_to(posterior)
        for k, fitted in enumerate((told, posterior)):
            judged = inc.predictive_panel(
                fitted, study, n_replicates=59, n_predictions=5, seed=seed + 1
            )
            fails[k] += bool(judged.failing())
            single[k].append(judged.group.p <= 0.05)
        worst = [np.mean(each, axis=0).max() for each in single]
        print(
            f"{seed + 1} studies of {options.people} people: any statistic of the group fails in"
            f" {fails[0]} as recorded, in {fails[1]} as if exact; the worst statistic below 0.05 in"
            f" {worst[0]:.2f} and {worst[1]:.2f}",
            flush=True,
        )


def found(options: argparse.Namespace) -> None:
    steps = ends = 0
    for seed in range(options.studies):
        recorded = inc.recording_of(people(12, 80, 9000 + seed).trials)
        steps, ends = steps + (recorded.recording is not None), ends + (recorded.latest is not None)
    print(f"of {options.studies} studies, 12 × 80 exact trials: steps {steps}, an end {ends}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked = {"cost": cost, "bias": bias, "coverage": coverage, "panel": panel, "found": found}
    parser.add_argument("what", choices=sorted(asked))
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--studies", type=int, default=1000)
    options = parser.parse_args()
    asked[options.what](options)

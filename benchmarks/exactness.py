"""How far networks are from the exact posterior, and what the correction costs.

    python benchmarks/exactness.py simulated [--network dmc | --minutes 5]    effective share of the
    draws, 200 simulated people a number of trials python benchmarks/exactness.py people --data
    FOLDER [--network dmc]       … on public data sets python benchmarks/exactness.py mcmc [--data
    FOLDER] [--network dmc]       corrected draws against MCMC: 20 simulated people, 16 real ones
    python benchmarks/exactness.py speed [--network dmc]                      72 people × 1000 draws
    × 350 trials

FOLDER holds the public data sets, in the folders ulrich2015, pratte2010 and vonbastian2016.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import incongruent as inc
from incongruent.checks.network.quality import EFFICIENCY_AT
from incongruent.exact.importance import Weights, largest_k_hat, weigh
from incongruent.exact.likelihood import log_likelihood

SHARE = {"congruent": 0.5, "incongruent": 0.5}
STUDIES: dict[str, tuple[str, dict]] = {
    d.title: (d.file, dict(d.options)) for d in inc.datasets.DATASETS.values()
}
N_DRAWS = 1000


def network(options: argparse.Namespace) -> inc.Posterior:
    """The one that is asked for: a file, one that ships, or one trained now."""
    if options.minutes is not None:
        simulator = inc.Simulator(
            inc.models.dmc(), inc.priors.schaefer2025(), inc.Design((50, 1000), SHARE)
        )
        return inc.train(simulator, minutes=options.minutes, seed=1, progress=False)
    return (
        inc.load_posterior(options.network)
        if Path(options.network).is_file()
        else inc.pretrained(options.network)
    )


def weights_of(posterior: inc.Posterior, trials: inc.Trials, draws: inc.Draws) -> Weights:
    return weigh(
        log_likelihood(posterior.simulator, draws.theta, trials)
        + posterior.simulator.prior.log_prob(draws.theta),
        draws.log_q,
    )


def shown(weights: Weights) -> str:
    ess, good = weights.ess, (weights.k_hat <= largest_k_hat(N_DRAWS)).mean()
    return f"{np.median(ess):.3f} | {np.quantile(ess, 0.1):.3f} | {ess.min():.3f} | {good:.1%}"


def simulated(options: argparse.Namespace) -> None:
    posterior = network(options)
    prior = posterior.simulator.prior
    print(
        "| trials | ESS median | q10 | lowest | k-hat good | nats short of exact | nats of exact"
        " over prior |\n|---|---|---|---|---|---|---|"
    )
    for n in EFFICIENCY_AT:
        people = inc.Simulator(posterior.simulator.model, prior, inc.Design(n, SHARE)).simulate(
            200, seed=100 + n
        )
        draws = posterior.sample(people.trials, N_DRAWS, seed=5)
        weights = weights_of(posterior, people.trials, draws)
        truth = log_likelihood(posterior.simulator, people.theta[:, None], people.trials)[
            :, 0
        ] + prior.log_prob(people.theta)
        exact = truth - weights.log_evidence
        short = exact - posterior.log_prob(people.theta, people.trials)
        error = short.std() / np.sqrt(len(short))
        print(
            f"| {n} | {shown(weights)} | {short.mean():.3f} ± {error:.3f} |"
            f" {(exact - prior.log_prob(people.theta)).mean():.2f} |",
            flush=True,
        )
        print_where(people, weights, prior.names)


def print_where(people: inc.Simulations, weights: Weights, names: tuple[str, ...]) -> None:
    """Median ESS in the four quarters of each parameter and of the number of errors."""
    errors = (people.trials.where("response", "error") & people.trials.answered).sum(axis=1)
    for name, values in (*zip(names, people.theta.T, strict=True), ("errors", errors)):
        quarters = np.array_split(np.argsort(values), 4)
        cells = ", ".join(f"{np.median(weights.ess[rows]):.2f}" for rows in quarters)
        print(
            f"  <!-- by quarters of {name} (medians"
            f" {', '.join(f'{np.median(values[rows]):.3g}' for rows in quarters)}): {cells} -->",
            flush=True,
        )


def study(folder: Path, name: str, posterior: inc.Posterior) -> inc.Trials:
    file, arguments = STUDIES[name]
    trials = posterior.admit(inc.read_trials(folder / file, **arguments)).trials
    return trials.select(np.flatnonzero(trials.n_trials > 0))


def people(options: argparse.Namespace) -> None:
    posterior = network(options)
    print(
        "| study | people | trials, median | ESS median | q10 | lowest | k-hat good"
        " |\n|---|---|---|---|---|---|---|"
    )
    for name in STUDIES:
        trials = study(options.data, name, posterior)
        weights = weights_of(posterior, trials, posterior.sample(trials, N_DRAWS, seed=5))
        print(
            f"| {name} | {len(trials)} | {np.median(trials.n_trials):.0f} | {shown(weights)} |",
            flush=True,
        )


def mcmc(options: argparse.Namespace) -> None:
    posterior = network(options)
    sizes = inc.Design((50, 500), SHARE)
    sets = {
        "simulated": (
            inc.Simulator(posterior.simulator.model, posterior.simulator.prior, sizes)
            .simulate(20, seed=9)
            .trials
        )
    }
    if options.data is not None:
        sets["Ulrich et al. 2015 flanker"] = study(
            options.data, "Ulrich et al. 2015 flanker", posterior
        )
    for name, trials in sets.items():
        raw = posterior.sample(trials, 4000, seed=5)
        fast = inc.reweight(raw, trials, adapt=False, seed=1)
        begun = time.perf_counter()
        slow = inc.reweight(raw, trials, exact=True, seed=2)
        took = (time.perf_counter() - begun) / len(trials)
        assert fast.correction is not None
        assert slow.correction is not None
        sd = slow.theta.std(axis=1)
        good = fast.correction.k_hat <= largest_k_hat(4000)
        for what, draws in (("as the network gives them", raw), ("corrected", fast)):
            shift, ratio = np.abs(draws.means - slow.means) / sd, draws.theta.std(axis=1) / sd
            print(
                f"{name}, {len(trials)} people, 4000 draws {what}: |difference of means| / SD"
                f" median {np.median(shift):.3f}, largest with good k-hat {shift[good].max():.3f},"
                f" largest {shift.max():.3f}; ratio of SDs median {np.median(ratio):.3f}, from"
                f" {ratio[good].min():.3f} to {ratio[good].max():.3f}",
                flush=True,
            )
        evidence = np.abs(fast.correction.log_evidence - slow.correction.log_evidence)[good]
        time_of = slow.correction.autocorrelation_time
        print(
            f"  k-hat good for {good.sum()}; log evidence differs by at most {evidence.max():.3f};"
            f" MCMC {took:.1f} s a person, autocorrelation time {np.median(time_of):.0f} steps",
            flush=True,
        )


def speed(options: argparse.Namespace) -> None:
    posterior = network(options)
    trials = (
        inc.Simulator(posterior.simulator.model, inc.priors.schaefer2025(), inc.Design(350, SHARE))
        .simulate(72, seed=3)
        .trials
    )
    for call in ("first call", "second call"):
        begun = time.perf_counter()
        draws = posterior.sample(trials, N_DRAWS, seed=1)
        sampled = time.perf_counter()
        corrected = inc.reweight(draws, trials, seed=1)
        assert corrected.correction is not None
        n = int(corrected.correction.mcmc.sum())
        print(
            f"{call}: draws {sampled - begun:.1f} s, correction {time.perf_counter() - sampled:.1f}"
            f" s ({n} by MCMC)",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("simulated", "people", "mcmc", "speed"))
    parser.add_argument("--network", default="dmc")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    if options.what == "people" and options.data is None:
        parser.error("people needs --data")
    {"simulated": simulated, "people": people, "mcmc": mcmc, "speed": speed}[options.what](options)


if __name__ == "__main__":
    main()

"""Adaptive importance sampling against MCMC on the exact likelihood, person by person.

    python benchmarks/adaptive.py simulated --keep FOLDER [--people 40]
    python benchmarks/adaptive.py real --data FOLDER --keep FOLDER [--people 40]

Simulated people come from the prior of the network that ships, with 20 to 1000 trials; in every
other one 1 % of the trials are lapses from 150 ms on, which the model does not know. Real people
are those for whom the network's draws are worst, by their effective share, in seven public data
sets. Everybody is sampled by adaptation, however good the network's draws are, and by MCMC. MCMC is
kept in a folder and not run again, and so is who the real people are; every eighth person has it
twice, with two seeds, so that its own error is measured too. With ``--others`` it is other people,
on whom settings may be tuned.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.data.basics.streams import Purpose, places_of, stream
from incongruent.exact.anew import from_two_starts
from incongruent.exact.importance import weigh
from incongruent.exact.likelihood import Person, evaluate, people_of
from incongruent.exact.mcmc import sample_exactly
from incongruent.exact.reweight import LARGEST_DISAGREEMENT
from incongruent.exact.sampled import Sampled
from incongruent.exact.target import Target

Array = np.ndarray

REAL = (
    *(f"pratte2010_{task}" for task in ("stroop1", "stroop2", "simon1", "simon2")),
    *(f"vonbastian2016_{task}" for task in ("simon", "stroop", "flanker")),
)
HALF = {"congruent": 0.5, "incongruent": 0.5}
LAPSES = 0.01
N_DRAWS, N_OF_MCMC = 1000, 8000
SEED, SEED_OF_PEOPLE, SEED_OF_OTHERS, SEEDS_OF_MCMC = 1, 11, 12, (21, 22)
FIELDS = ("theta", "log_evidence", "log_evidence_error", "n_effective", "trusted")


@dataclass(frozen=True, eq=False)
class Case:
    """One person: a place for files, trials, and the network's draws with their weights."""

    name: str
    simulator: inc.Simulator
    person: Person
    place: tuple[int, ...]
    theta: Array
    log_weights: Array
    ess: float


@dataclass(frozen=True)
class Compared:
    """Adaptive sampling of one person beside MCMC."""

    name: str
    ess: float
    seconds: float
    seconds_of_mcmc: float
    n_likelihoods: int
    n_effective: float
    k_hat: float
    trusted: bool
    disagreement: float
    shift: Array
    ratio: Array
    ratio_in_errors: Array
    evidence: float
    evidence_error: float
    evidence_error_of_mcmc: float


def simulated(posterior: inc.Posterior, options: argparse.Namespace) -> list[Case]:
    """People from the network's prior, every other one with lapses."""
    others = (SEED_OF_OTHERS, "others")
    seed, study = others if options.others else (SEED_OF_PEOPLE, "simulated")
    old = posterior.simulator
    people = inc.Simulator(old.model, old.prior, inc.Design((20, 1000), HALF, window=(150, 2500)))
    trials = people.simulate(options.people, seed=seed).trials
    return list(cases(posterior, study, with_lapses(trials)))


def with_lapses(trials: inc.Trials) -> inc.Trials:
    """The same trials with lapses in every other data set."""
    rt, response = trials.values["rt"].copy(), trials.values["response"].copy()
    answered = trials.answered.copy()
    for i in range(1, len(trials), 2):
        rng = np.random.default_rng([SEED_OF_PEOPLE, i])
        places = np.flatnonzero(trials.present[i])
        lapses = places[rng.random(len(places)) < LAPSES]
        rt[i, lapses] = rng.uniform(150.0, 2000.0, len(lapses))
        response[i, lapses] = rng.integers(2, size=len(lapses))
        answered[i, lapses] = True
    values = {**trials.values, "rt": rt, "response": response}
    return replace(trials, values=values, answered=answered)


def real(posterior: inc.Posterior, options: argparse.Namespace) -> list[Case]:
    """The people of public data sets for whom the network's draws are worst, or the next ones."""
    posterior = posterior.unguarded()
    studies = {name: read(posterior, name) for name in REAL}
    path = options.keep / ("real_others.json" if options.others else "real.json")
    chosen = json.loads(path.read_text()) if path.is_file() else []
    if len(chosen) < options.people:
        first = options.people if options.others else 0
        chosen = by_share(posterior, studies)[first : first + options.people]
        path.write_text(json.dumps(chosen))
    chosen = chosen[: options.people]
    return [one for name, i in chosen for one in cases(posterior, name, studies[name].select([i]))]


def read(posterior: inc.Posterior, name: str) -> inc.Trials:
    """The people of a public data set who have trials enough."""
    trials = posterior.admit(inc.datasets.load(name)).trials
    return trials.select(np.flatnonzero(trials.n_trials >= 20))


def by_share(posterior: inc.Posterior, studies: dict[str, inc.Trials]) -> list[tuple[str, int]]:
    """Study and position of everybody, the smallest effective share of the draws first."""
    shares = [
        (one.ess, name, i)
        for name, trials in studies.items()
        for i, one in enumerate(cases(posterior, name, trials))
    ]
    return [(name, i) for _, name, i in sorted(shares)]


def cases(posterior: inc.Posterior, study: str, trials: inc.Trials) -> Iterator[Case]:
    """The people of a study."""
    simulator = posterior.simulator
    draws = posterior.sample(trials, N_DRAWS, seed=SEED)
    log_likelihood, _ = evaluate(simulator, draws.theta, trials)
    log_weights = log_likelihood + simulator.prior.log_prob(draws.theta) - draws.log_q
    ess = weigh(log_weights, np.zeros_like(log_weights)).ess
    people, places = people_of(simulator, trials), places_of(trials.names)
    for i, name in enumerate(trials.names):
        yield Case(
            f"{study}_{name}",
            simulator,
            people[i],
            places[i],
            draws.theta[i],
            np.nan_to_num(log_weights[i], nan=-np.inf, neginf=-np.inf),
            float(ess[i]),
        )


def by_mcmc(case: Case, seed: int, folder: Path) -> tuple[dict[str, Array], float]:
    """Draws by MCMC and the seconds of a processor that they took, from a file if there is one."""
    path = folder / f"{case.name}_{seed}.npz"
    if not path.is_file():
        begun = time.process_time()
        found = _chain(case, stream(seed, Purpose.MCMC, *case.place))
        seconds = time.process_time() - begun
        np.savez(path, seconds=seconds, **{name: getattr(found, name) for name in FIELDS})
    with np.load(path) as kept:
        return {name: kept[name] for name in FIELDS}, float(kept["seconds"])


def _chain(case: Case, rng: np.random.Generator) -> Sampled:
    """MCMC from the network's draws, resampled by their weights."""
    weights = np.exp(case.log_weights - case.log_weights.max())
    rows = rng.choice(len(weights), N_OF_MCMC, p=weights / weights.sum())
    found = sample_exactly(case.simulator, case.person, case.theta[rows], rng)
    assert found is not None
    return found


def compared(case: Case, folder: Path) -> Compared:
    """Adaptive sampling of one person, beside MCMC."""
    rng, target = (
        stream(SEED, Purpose.ADAPTING, *case.place),
        Target.of(case.simulator, case.person),
    )
    begun = time.process_time()
    adapted = from_two_starts(target, case.theta, case.log_weights, rng)
    assert adapted is not None
    drawn = adapted.drawn(target, N_OF_MCMC, rng)
    seconds = time.process_time() - begun
    chain, seconds_of_mcmc = by_mcmc(case, SEEDS_OF_MCMC[0], folder)
    shift, ratio = differences(drawn.theta, chain["theta"])
    return Compared(
        name=case.name,
        ess=case.ess,
        seconds=seconds,
        seconds_of_mcmc=seconds_of_mcmc,
        n_likelihoods=adapted.n_likelihoods,
        n_effective=adapted.n_effective,
        k_hat=float(adapted.weights.k_hat[0]),
        trusted=adapted.trusted,
        disagreement=adapted.disagreement,
        shift=shift,
        ratio=ratio,
        ratio_in_errors=np.abs(ratio - 1.0)
        / np.hypot(
            error_of_sd(chain["theta"], adapted.n_effective),
            error_of_sd(chain["theta"], float(chain["n_effective"])),
        ),
        evidence=drawn.log_evidence - float(chain["log_evidence"]),
        evidence_error=drawn.log_evidence_error,
        evidence_error_of_mcmc=float(chain["log_evidence_error"]),
    )


def differences(theta: Array, reference: Array) -> tuple[Array, Array]:
    """Distances of means in SDs, and ratios of SDs, of draws (draw, parameter); (parameter,)."""
    sd = reference.std(axis=0)
    return np.abs(theta.mean(axis=0) - reference.mean(axis=0)) / sd, theta.std(axis=0) / sd


def error_of_sd(theta: Array, n_effective: float) -> Array:
    """Relative standard error of the SD of so many draws, (parameter,); large for heavy tails."""
    return np.sqrt((stats.kurtosis(theta, axis=0) + 2.0) / (4.0 * n_effective))


def one_line(one: Compared) -> str:
    return (
        f"<!-- {one.name}: share {one.ess:.3f}; {one.seconds:.1f} s, MCMC {one.seconds_of_mcmc:.1f}"
        f" s; {one.n_likelihoods} likelihoods, {one.n_effective:.0f} effective, k-hat"
        f" {one.k_hat:.2f}, trusted {one.trusted}, starts differ by {one.disagreement:.3f}; means"
        f" {one.shift.max():.3f}, SDs {one.ratio.min():.3f}–{one.ratio.max():.3f}, evidence"
        f" {one.evidence:+.3f} (errors {one.evidence_error:.3f}, {one.evidence_error_of_mcmc:.3f})"
        " -->"
    )


def print_table(found: list[Compared]) -> None:
    """Figures over all people and parameters."""
    shift, ratio = (np.concatenate([getattr(one, w) for one in found]) for w in ("shift", "ratio"))
    in_sds = np.concatenate([one.ratio_in_errors for one in found])
    evidence = np.array([one.evidence for one in found])
    errors = np.array([(one.evidence_error, one.evidence_error_of_mcmc) for one in found])
    in_errors = np.abs(evidence) / np.hypot(*errors.T)
    disagreeing = sum(one.disagreement > LARGEST_DISAGREEMENT for one in found)

    def over(name: str, form: str = ".0f") -> str:
        values = np.array([getattr(one, name) for one in found])
        return f"{np.median(values):{form}} ({values.min():{form}}–{values.max():{form}})"

    rows = {
        "people; trusted": f"{len(found)}; {sum(one.trusted for one in found)}",
        "seconds of a processor, a person": over("seconds", ".1f"),
        "… MCMC": over("seconds_of_mcmc", ".1f"),
        "likelihoods": over("n_likelihoods"),
        "effective draws": over("n_effective"),
        "k-hat": over("k_hat", ".2f"),
        "difference of means / SD": f"{np.median(shift):.3f} (largest {shift.max():.3f})",
        "ratio of SDs": f"{np.median(ratio):.3f} ({ratio.min():.3f}–{ratio.max():.3f}), outside"
        f" 0.9–1.1 {((ratio < 0.9) | (ratio > 1.1)).sum()} of {len(ratio)}",
        "… less 1 in standard errors": f"{np.median(in_sds):.2f} (largest {in_sds.max():.2f})",
        "difference of log evidence": f"{np.median(np.abs(evidence)):.3f} (largest"
        f" {np.abs(evidence).max():.3f}), mean {evidence.mean():+.4f}",
        "… its standard error; MCMC's": f"{np.median(errors[:, 0]):.3f} (largest"
        f" {errors[:, 0].max():.3f}); {np.median(errors[:, 1]):.3f} (largest"
        f" {errors[:, 1].max():.3f})",
        "… in standard errors": f"{np.median(in_errors):.2f} (largest {in_errors.max():.2f})",
        "starts that disagree": str(disagreeing),
    }
    print("| what | median (range) |\n|---|---|")
    for what, value in rows.items():
        print(f"| {what} | {value} |")


def print_error_of_mcmc(some: list[Case], folder: Path) -> None:
    """Two chains with different seeds, for some people."""
    pairs = [[by_mcmc(case, seed, folder)[0] for seed in SEEDS_OF_MCMC] for case in some]
    found = [differences(a["theta"], b["theta"]) for a, b in pairs]
    shift, ratio = (np.concatenate(each) for each in zip(*found, strict=True))
    evidence = np.array([float(a["log_evidence"] - b["log_evidence"]) for a, b in pairs])
    print(
        f"MCMC against MCMC, {len(some)} people: difference of means / SD {np.median(shift):.3f}"
        f" (largest {shift.max():.3f}), ratio of SDs {ratio.min():.3f}–{ratio.max():.3f}, log"
        f" evidence {np.median(np.abs(evidence)):.3f} (largest {np.abs(evidence).max():.3f});"
        f" effective draws {np.median([float(a['n_effective']) for a, _ in pairs]):.0f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("simulated", "real"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--first", type=int, help="so many of the people only")
    parser.add_argument("--others", action="store_true")
    options = parser.parse_args()
    if options.data is not None:
        os.environ["INCONGRUENT_DATA"] = str(options.data)
    options.keep.mkdir(parents=True, exist_ok=True)
    make = {"simulated": simulated, "real": real}[options.what]
    chosen = make(inc.pretrained("dmc"), options)[: options.first]
    found: list[Compared] = []
    for case in chosen:
        found.append(compared(case, options.keep))
        print(one_line(found[-1]), flush=True)
    print_table(found)
    print_error_of_mcmc(chosen[::8], options.keep)


if __name__ == "__main__":
    main()

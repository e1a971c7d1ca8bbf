"""Which variants of a model `incongruent.variants` names, where one is planted and where none is.

    python benchmarks/variants.py [--out variants.jsonl] [--rounds 40] [--planted KIND ...]
        [--until HH:MM] [--joint]
    python benchmarks/variants.py --report variants.jsonl

A round is one study of each planted kind: standard DMC, DMC with lapses, with a drift that varies,
with a narrow start, and SSP; people are drawn around the means of the people of Ulrich et al.
(2015), of the flanker task in even rounds and of the Simon task in odd ones. Each study is fitted
by the network that ships, corrected, and asked about variants. One line of the file is one study;
studies that are in it already are not repeated, so that a run may be stopped and taken up again.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.exact.variant_results import BASE, DECISIVE
from incongruent.models import Model, dmc, ssp

HALF = {"congruent": 0.5, "incongruent": 0.5}
ASKED = ("lapses", "drift variability", "narrow start", "SSP")
JOINT = "lapses + drift variability"
OF_DMC = {
    "flanker": {
        "A": (16.0, 5.0),
        "tau": (108.0, 40.0),
        "mu_c": (0.58, 0.12),
        "b": (60.0, 8.0),
        "mu_R": (323.0, 30.0),
        "sd_R": (28.0, 8.0),
    },
    "Simon": {
        "A": (13.0, 5.0),
        "tau": (59.0, 25.0),
        "mu_c": (0.57, 0.12),
        "b": (58.0, 8.0),
        "mu_R": (314.0, 30.0),
        "sd_R": (30.0, 8.0),
    },
}
OF_SSP = {
    "p": (0.56, 0.10),
    "t_int": (46.0, 12.0),
    "b": (58.0, 8.0),
    "mu_R": (302.0, 21.0),
    "sd_R": (28.0, 8.0),
}
"""Means and SDs over people; about those of fits to Ulrich et al. (2015)."""
SMALLER, N_GROUPS = (1, 2, 5, 10), 4000
"""Numbers of people of smaller studies, and how many of these are drawn."""
NONE = "none"
PLANTED = (NONE, *ASKED)

Record = dict[str, Any]


def population(moments: dict[str, tuple[float, float]], broad: inc.Prior) -> inc.Prior:
    """Normal over people, cut to the range of the broad prior."""
    limits = dict(zip(broad.names, map(broad.limits, range(len(broad.names))), strict=True))
    return inc.Prior(
        **{
            name: inc.truncated(stats.norm(mean, sd), *limits[name])
            for name, (mean, sd) in moments.items()
        }
    )


def planted_model(kind: str, task: str) -> tuple[Model, inc.Prior]:
    """The model with a variant planted, and the people."""
    if kind == "SSP":
        return ssp(), population(OF_SSP, inc.priors.broad_ssp())
    people = population(OF_DMC[task], inc.priors.broad())
    if kind == "lapses":
        return dmc(free=["lapse"]), people.extended(lapse=stats.uniform(0.02, 0.02))
    if kind == "drift variability":
        return dmc(free=["drift_sd"]), people.extended(drift_sd=stats.uniform(0.2, 0.1))
    return dmc(alpha=12.0) if kind == "narrow start" else dmc(), people


def one_study(kind: str, round_: int, options: argparse.Namespace) -> Record:
    """What is found in one study."""
    posterior = inc.pretrained("dmc")
    task = "flanker" if kind == "SSP" or round_ % 2 == 0 else "Simon"
    seed = options.seed + 100 * round_ + PLANTED.index(kind)
    model, people = planted_model(kind, task)
    design = inc.Design(options.trials, HALF, window=posterior.simulator.design.window)
    study = inc.Simulator(model, people, design).simulate(options.people, seed=seed).trials
    begun = time.process_time()
    draws = inc.reweight(
        posterior.sample(study, options.draws, seed=seed), study, seed=seed, workers=1
    )
    seconds = {BASE: time.process_time() - begun}
    fits = []
    for name in (*ASKED, JOINT) if options.joint else ASKED:
        begun = time.process_time()
        fits += inc.variants(draws, study, [name], seed=seed, workers=1).fits
        seconds[name] = time.process_time() - begun
    found = inc.Variants(inc.variants(draws, study, [], seed=seed).base, tuple(fits))
    return {
        "planted": kind,
        "round": round_,
        "task": task,
        "seed": seed,
        "people": options.people,
        "trials": options.trials,
        "draws": options.draws,
        "best": found.best,
        "seconds": seconds,
        "log_evidence": {one.name: one.log_evidence.tolist() for one in found.all},
        "untrusted": {one.name: int((~one.correction.trusted).sum()) for one in found.all},
        "summary": found.summary().set_index("variant").to_dict("index"),
        "new_means": new_means(found),
    }


def new_means(found: inc.Variants) -> dict[str, dict[str, float]]:
    """Means over people of the posterior means of new parameters, by variant."""
    old = found.base.draws.parameter_names
    return {
        one.name: {
            name: float(one.draws.means[:, i].mean())
            for i, name in enumerate(one.draws.parameter_names)
            if name not in old
        }
        for one in found.fits
    }


def records(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def missing(done: Sequence[Record], rounds: int, kinds: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The studies of some kinds that are still to be made, round by round."""
    there = {(record["round"], record["planted"]) for record in done}
    for round_ in range(rounds):
        yield from ((round_, kind) for kind in kinds if (round_, kind) not in there)


def run(options: argparse.Namespace) -> None:
    for round_, kind in missing(records(options.out), options.rounds, options.planted):
        if options.until and datetime.now(UTC).strftime("%H:%M") >= options.until:
            return
        record = one_study(kind, round_, options)
        with options.out.open("a") as file:
            file.write(json.dumps(record) + "\n")
        taken = sum(record["seconds"].values())
        print(f"round {round_}, planted {kind}: {record['best']}, {taken:.0f} s", flush=True)


def gains(record: Record) -> dict[str, float]:
    """Gains of the variants, nats over all people."""
    return {name: row["gain"] for name, row in record["summary"].items() if name != BASE}


def per_person(record: Record, name: str) -> np.ndarray:
    """Gains of one variant, nats, (person,)."""
    evidence = record["log_evidence"]
    return np.subtract(evidence[name], evidence[BASE])


def interval(k: int, n: int) -> str:
    """A share with its exact 95 % interval."""
    found = stats.binomtest(k, n).proportion_ci()
    return f"{k} of {n} (95 % interval {found.low:.0%} to {found.high:.0%})"


def report(done: list[Record]) -> None:
    """All tables."""
    names = [name for name in done[0]["summary"] if name != BASE]
    asked = [name for name in (*ASKED, JOINT) if name in names]
    studies = {kind: [one for one in done if one["planted"] == kind] for kind in PLANTED}
    print_named(studies, asked)
    print_gains(studies, asked)
    print_people(studies, asked)
    print_smaller(studies, asked)
    print_costs(done, asked)


def print_row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |")


def print_heads(*heads: str) -> None:
    print()
    print_row(*heads)
    print("|" + "---|" * len(heads))


def print_named(studies: dict[str, list[Record]], asked: Sequence[str]) -> None:
    """Planted against named, and how often something is named in null studies."""
    print_heads("planted", "studies", *(f"named {name}" for name in (BASE, *asked)))
    for kind, those in studies.items():
        best = [one["best"] for one in those]
        print_row(kind, len(those), *(best.count(name) for name in (BASE, *asked)))
    null = studies[NONE]
    if null:
        named = sum(one["best"] != BASE for one in null)
        print(f"\nA variant is named in {interval(named, len(null))} null studies.")


def print_gains(studies: dict[str, list[Record]], asked: Sequence[str]) -> None:
    """Gains over all people of a study: mean, and the smallest and largest."""
    print_heads("planted", *(f"gain of {name}" for name in asked))
    for kind, those in studies.items():
        cells = []
        for name in asked:
            found = [gains(one)[name] for one in those if name in gains(one)]
            cells.append(
                f"{np.mean(found):+.1f} ({min(found):+.1f} to {max(found):+.1f})" if found else ""
            )
        print_row(kind, *cells)


def print_people(studies: dict[str, list[Record]], asked: Sequence[str]) -> None:
    """Gains of single people, frequencies and protected exceedance of what was planted."""
    print_heads(
        "planted",
        "variant",
        "gain a person, mean (SE)",
        "share of people with larger evidence",
        "frequency",
        "protected exceedance",
        f"studies with a gain of {DECISIVE:g} nats",
        "of half as wide a prior",
        "of one twice as wide",
    )
    for kind, those in studies.items():
        for name in asked if kind == NONE else [kind]:
            with_it = [one for one in those if name in one["summary"]]
            if with_it:
                print_row(kind, name, *people_cells(with_it, name))


def people_cells(those: Sequence[Record], name: str) -> list[str]:
    gain = np.concatenate([per_person(one, name) for one in those])
    rows = [one["summary"][name] for one in those]

    def mean(column: str) -> float:
        return float(np.mean([row[column] for row in rows]))

    def decisive(column: str) -> str:
        values = np.array([row[column] for row in rows])
        return str(int((values >= DECISIVE).sum())) if np.isfinite(values).all() else ""

    return [
        f"{gain.mean():+.2f} ({gain.std(ddof=1) / np.sqrt(len(gain)):.2f})",
        f"{(gain > 0.0).mean():.2f}",
        f"{mean('frequency'):.2f}",
        f"{mean('protected_exceedance'):.2f}",
        decisive("gain"),
        decisive("gain_at_half_width"),
        decisive("gain_at_twice_width"),
    ]


def print_smaller(studies: dict[str, list[Record]], asked: Sequence[str]) -> None:
    """What would be named in studies of fewer people, drawn from all people of a kind."""
    print_heads("planted", *(f"named right, n = {n} (wrong)" for n in SMALLER))
    rng = np.random.default_rng(1)
    for kind, those in studies.items():
        names = [name for name in asked if all(name in one["log_evidence"] for one in those)]
        if not those:
            continue
        each = np.stack(
            [np.concatenate([per_person(one, name) for one in those]) for name in names], axis=1
        )
        cells = []
        for n in SMALLER:
            groups = rng.permuted(np.tile(np.arange(len(each)), (N_GROUPS, 1)), axis=1)[:, :n]
            gain = each[groups].sum(axis=1)
            is_named = gain.max(axis=1) >= DECISIVE
            best = np.where(is_named, gain.argmax(axis=1), -1)
            wanted = names.index(kind) if kind in names else -1
            wrong = is_named & (best != wanted)
            cells.append(f"{(best == wanted).mean():.0%} ({wrong.mean():.0%})")
        print_row(kind, *cells)


def print_costs(done: list[Record], asked: Sequence[str]) -> None:
    """Processor seconds and evidences that cannot be trusted."""
    print_heads("variant", "processor seconds a person", "evidences not trusted", "largest error")
    for name in (BASE, *asked):
        those = [one for one in done if name in one["seconds"]]
        people = sum(one["people"] for one in those)
        seconds = sum(one["seconds"][name] for one in those) / people
        untrusted = sum(one["untrusted"][name] for one in those)
        errors = max(one["summary"][name]["gain_error"] for one in those)
        print_row(name, f"{seconds:.2f}", f"{untrusted} of {people}", f"{errors:.2f} nats a study")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("variants.jsonl"))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--planted", nargs="+", choices=PLANTED, default=PLANTED)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20_261_130)
    parser.add_argument("--until", help="begin no study from this time on, HH:MM UTC")
    parser.add_argument("--joint", action="store_true", help=f"ask about {JOINT} as well")
    parser.add_argument("--report", type=Path, help="print the tables of a file, and run nothing")
    options = parser.parse_args()
    if options.report:
        report(records(options.report))
    else:
        run(options)


if __name__ == "__main__":
    main()

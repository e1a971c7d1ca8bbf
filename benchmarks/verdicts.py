"""How often each question of `incongruent.check`, and the verdict as a whole, says no: when nothing
is wrong, and when something is.

python benchmarks/verdicts.py run --people 20 [--studies 400] [--layouts 20] [--populations true …]
[--prior-only] [--alike] [--out verdicts.jsonl] python benchmarks/verdicts.py tables verdicts.jsonl
python benchmarks/verdicts.py people --data FOLDER [--out FOLDER]     what `check` says of public
data sets

Studies are made by the model itself, of people with 100 to 500 trials, whose theta come from a
population on the real line of the network's prior: the prior itself (true), narrower, moved by one
SD in one parameter, with lapses, or in random batches of pooled trials. Every question is asked
with the package's own functions, in the order of `check`. So that hundreds of studies can be asked
about, those of one layout (numbers of trials of its people) share the simulations that they are
compared with; layouts do not. One line of the file is one study.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from exactness import STUDIES
from scipy import stats

import incongruent as inc
from incongruent.checks.prior.population import PriorReplicas, prior_replicas, prior_scores
from incongruent.checks.replicas import matched, matched_summaries
from incongruent.checks.scope.surprise import N_SIMULATED, excess
from incongruent.checks.verdict import decide, many_outside
from incongruent.data.long_format import from_long

Array = np.ndarray

HALF = {"congruent": 0.5, "incongruent": 0.5}
N_REPLICATES = 59
N_PREDICTIONS = 5
QUESTIONS = (
    "MMD",
    "someone outside",
    "persons p ≤ .05",
    "too central",
    "panel, group",
    "panel, persons",
    "prior",
)


class Population(inc.Prior):
    """A prior whose people are elsewhere, or differ more or less: normal with another mean and SD
    on its real line.
    """

    def __init__(self, prior: inc.Prior, mean: Array, sd: float) -> None:
        super().__init__(**{name: prior[name] for name in prior.names})
        self.mean, self.sd = mean, sd

    def sample(self, n_datasets: int, *, seed: int | np.random.Generator) -> Array:
        """Theta of people, (n_datasets, parameter)."""
        z = np.random.default_rng(seed).standard_normal((n_datasets, len(self.names)))
        return self.from_real(self.mean + self.sd * z)

    def within(self, parameters: Any) -> "Population":
        """The same, cut to the domains of a model's parameters."""
        return Population(super().within(parameters), self.mean, self.sd)


@dataclass(frozen=True)
class Layout:
    """The numbers of trials of some people, and what their studies are compared with."""

    posterior: inc.Posterior
    people: inc.Trials
    reference: Array
    fresh: Array
    replicas: PriorReplicas
    seed: int


def layout_of(posterior: inc.Posterior, n_people: int, seed: int, alike: bool) -> Layout:
    own = posterior.simulator
    n = int(np.exp(np.random.default_rng(seed).uniform(np.log(100), np.log(500))))
    design = inc.Design(n if alike else (100, 500), HALF, window=own.design.window)
    people = inc.Simulator(own.model, own.prior, design).simulate(n_people, seed=seed).trials
    each = (-(-1000 // n_people), max(20, -(-4000 // n_people)))
    reference, fresh = (
        matched_summaries(posterior, people, n, seed=2 * seed + k) for k, n in enumerate(each)
    )
    return Layout(
        posterior,
        people,
        reference.reshape(-1, reference.shape[2]),
        fresh,
        prior_replicas(posterior, people, seed=seed),
        seed,
    )


def populations(prior: inc.Prior) -> dict[str, tuple[inc.Model, inc.Prior]]:
    dim, model = len(prior.names), inc.models.dmc()
    found: dict[str, tuple[inc.Model, inc.Prior]] = {
        "true": (model, prior),
        "SD × .4": (model, Population(prior, np.zeros(dim), 0.4)),
    }
    for share in (0.05, 0.10):
        with_lapses = prior.extended(lapse=stats.uniform(share - 1e-4, 2e-4))
        found[f"{share:.0%} lapses"] = (inc.models.dmc(free=["lapse"]), with_lapses)
    for i, name in enumerate(prior.names):
        for sign in (1.0, -1.0):
            found[f"{name} {'+' if sign > 0 else '−'} 1 SD"] = (
                model,
                Population(prior, sign * np.eye(dim)[i], 1.0),
            )
    return found | {"pooled batches": (model, prior)}


def pooled(study: inc.Trials, rng: np.random.Generator) -> inc.Trials:
    """The same trials in random batches, as many as there were people."""
    person, trial = np.nonzero(study.present)
    order = rng.permutation(len(person))
    values = {name: array[person, trial][order] for name, array in study.values.items()}
    return from_long(study.columns, np.arange(len(order)) * len(study) // len(order), values)


def judged(
    layout: Layout, name: str, n_studies: int, extensions: bool, prior_only: bool
) -> Iterator[dict[str, Any]]:
    posterior, n, seed = layout.posterior, len(layout.people), layout.seed
    model, population = populations(posterior.simulator.prior)[name]
    simulator = inc.Simulator(model, population, posterior.simulator.design)
    everybody = matched(
        simulator, layout.people, n_studies, seed=7_000_000 + seed
    ).trials  # one study after the other
    m = max(N_SIMULATED, 2 * (int(np.ceil(n / 0.05)) - 1))  # as for one study
    if name == "pooled batches":
        for i in range(n_studies):
            clean = inc.hygiene(
                pooled(
                    everybody.select(range(i * n, (i + 1) * n)),
                    np.random.default_rng(seed + i),
                ),
                seed=seed,
            )
            yield {"units": clean["units"].severity.value}
        return
    if prior_only:
        for i in range(n_studies):
            study = everybody.select(range(i * n, (i + 1) * n))
            prior = prior_scores(posterior, study, layout.replicas, seed=seed + i)
            yield {
                "prior": prior.p_value,
                "moves": [list(move) for move in prior.moves()],
            } | covered(posterior, study, name, seed + i)
        return
    at_once = max(100 // n, 4)  # studies; m is hardly more than for one
    for i in range(n_studies):
        if i % at_once == 0:
            some = everybody.select(range(i * n, min(i + at_once, n_studies) * n))
            scopes, first = (
                inc.surprise(posterior, some, n_simulated=max(m, 20 * len(some)), seed=seed + i),
                i,
            )
        rows = np.arange((i - first) * n, (i - first + 1) * n)
        study, p, depth = some.select(rows), scopes.p_value[rows], scopes.depth[rows]
        central, extreme = excess(depth, seed + i)
        part = {
            "names": study.names,
            "p_value": p,
            "adjusted": stats.false_discovery_control(p),
            "score": scopes.score[rows],
            "depth": depth,
        }
        scope = replace(scopes, **part, z=scopes.z[rows], central_p=central, extreme_p=extreme)
        asked = np.arange(n) if many_outside(scope) else np.flatnonzero(~scope.outside)
        study, clean = study.select(asked), inc.hygiene(study, seed=seed + i)
        mmd = inc.mmd_test(
            posterior.summaries(study).astype(float),
            layout.reference,
            layout.fresh[:, asked],
            n_null=399,
            seed=seed + i,
        )
        panel = inc.predictive_panel(
            posterior, study, n_replicates=N_REPLICATES, n_predictions=N_PREDICTIONS, seed=seed + i
        )
        replicas = replace(layout.replicas, slopes=layout.replicas.slopes[:, asked])
        prior = prior_scores(posterior, study, replicas, seed=seed + i)
        row: dict[str, Any] = {
            "verdict": decide(clean, scope, panel, prior).value,
            "outside": scope.n_outside,
            "p_people": p.tolist(),
        }
        row |= {
            "mmd": mmd.p_value,
            "central": central,
            "extreme": extreme,
            "panel": float(np.nanmin(panel.group.adjusted)),
            "prior": prior.p_value,
        }
        row |= {
            "failing": list(panel.failing()),
            "people_failing": len(panel.failing_people()),
            "moves": [list(move) for move in prior.moves()],
        }
        row |= {
            "direction": mmd.direction,
            "hygiene": [f.name for f in clean.warnings],
            "panel_people": n - scope.n_outside if len(asked) < n else n,
        }
        if panel.failing() and extensions:
            row["extension"] = inc.rank_extensions(posterior, study, panel, seed=seed + i).best
        if " SD" in name and n >= 5:
            row |= covered(posterior, study, name, seed + i)
        yield row


def covered(posterior: inc.Posterior, study: inc.Trials, name: str, seed: int) -> dict[str, Any]:
    """Whether 95 % intervals of the suggested population hold the true one, by parameter."""
    found, own = inc.suggest_prior(posterior, study, seed=seed), posterior.simulator.prior
    population = populations(own)[name][1]
    mean, sd = population.mean, population.sd
    inside = [
        (ends[:, 0] <= truth) & (truth <= ends[:, 1])
        for ends, truth in ((found.location_interval, mean), (found.spread_interval, sd))
    ]
    out: dict[str, Any] = {
        "location": found.location.tolist(),
        "kept": list(found.kept),
        "trusted": found.trusted,
    }
    return out | {"location_covered": inside[0].tolist(), "spread_covered": inside[1].tolist()}


def run(options: argparse.Namespace) -> None:
    posterior, begun = inc.pretrained("dmc"), time.perf_counter()
    each = -(-options.studies // options.layouts)
    with options.out.open("a") as file:
        for k in range(options.layouts):
            layout = layout_of(posterior, options.people, options.seed + 1000 * k, options.alike)
            for name in options.populations:
                for i, row in enumerate(
                    judged(layout, name, each, options.extensions, options.prior_only)
                ):
                    file.write(
                        json.dumps(
                            {"people": options.people, "population": name, "layout": k, "study": i}
                            | row
                        )
                        + "\n"
                    )
                    file.flush()
            print(
                f"{options.people} people, layout {k + 1} of {options.layouts},"
                f" {time.perf_counter() - begun:.0f} s",
                flush=True,
            )


def people(options: argparse.Namespace) -> None:
    posterior = inc.pretrained("dmc")
    head(
        "study",
        "people",
        "verdict",
        "outside",
        "fails most in",
        "explained by",
        "prior",
        "MMD p, now and then",
        "s",
    )
    for name, (path, how) in STUDIES.items():
        study = inc.read_trials(options.data / path, **how)
        study = study.select(np.flatnonzero(study.n_trials > 0))
        found = inc.check(posterior, study, seed=1)
        failing = "; ".join(found.panel.failing()[:3]) + (
            f" and {len(found.panel.failing()) - 3} more" if len(found.panel.failing()) > 3 else ""
        )
        moves = (
            ", ".join(f"{parameter} {word}" for parameter, word in found.prior.moves())
            if found.prior is not None
            else ""
        )
        mmd = f"{found.mmd.p_value:.2g}, " + (
            f"{found.mmd_after.p_value:.2g}" if found.mmd_after is not None else "–"
        )
        best = found.extension.best or "none" if found.extension is not None else "–"
        words = (
            f"{found.verdict.value} | {len(found.outside)} | {failing or '–'} | {best} |"
            f" {moves or '–'} | {mmd} | {found.seconds:.0f}"
        )
        print(f"| {name} | {len(study)} | {words} |", flush=True)
        if options.out:
            inc.write_check(found, options.out / name)


def band(n: int, p: float = 0.05) -> str:
    """Where the share of a binomial variable lies in 99 % of cases."""
    low, high = stats.binom.interval(0.99, n, p)
    return f"{low / n:.3f}–{high / n:.3f}"


def tables(options: argparse.Namespace) -> None:
    rows = pd.concat(
        [
            pd.DataFrame({"verdict": []}),
            *(pd.read_json(path, lines=True) for path in options.files),
        ],
        ignore_index=True,
    )
    names = list(dict.fromkeys(rows["population"]))
    for name in [
        name
        for name in names
        if name != "pooled batches"
        and rows.loc[rows["population"] == name, "verdict"].notna().any()
    ]:
        print(f"\n**{name}**: share of studies in which a question says no at .05\n")
        head("people", "studies", *QUESTIONS, "99 % band of .05")
        for n, part in rows[rows["population"] == name].groupby(rows["people"].astype(int)):
            persons = np.concatenate([np.asarray(p, float) for p in part["p_people"]])
            shares = [
                (part["mmd"] <= 0.05).mean(),
                (part["outside"] > 0).mean(),
                (persons <= 0.05).mean(),
                (part["central"] <= 0.05).mean(),
            ]
            shares += [
                (part["panel"] <= 0.05).mean(),
                part["people_failing"].sum() / part["panel_people"].sum(),
                (part["prior"] <= 0.05).mean(),
            ]
            print(
                f"| {n} | {len(part)} | "
                + " | ".join(f"{share:.3f}" for share in shares)
                + f" | {band(len(part))} |"
            )
        print()
        head("people", *(verdict.value for verdict in inc.Verdict), "an extension is named")
        for n, part in rows[rows["population"] == name].groupby(rows["people"].astype(int)):
            shares = [(part["verdict"] == verdict.value).mean() for verdict in inc.Verdict]
            named = part["extension"].notna().mean() if "extension" in part else float("nan")
            print(
                f"| {n} | " + " | ".join(f"{share:.3f}" for share in shares) + f" | {named:.3f} |"
            )
    if rows["population"].str.contains("1 SD").any():
        moved(rows)
    for name in [name for name in names if "lapses" in name]:
        part = rows[(rows["population"] == name)]
        print(
            f"\n{name}: extension named {part['extension'].fillna('none').value_counts().to_dict()}"
        )
    if "pooled batches" in names:
        for n, part in rows[rows["population"] == "pooled batches"].groupby(
            rows["people"].astype(int)
        ):
            print(
                f"\nPooled batches, as many as {n} people: {part['units'].value_counts().to_dict()}"
            )


def head(*names: str) -> None:
    print("| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|")


def moved(rows: pd.DataFrame) -> None:
    """Of priors that are one SD off: is the right parameter named first, with the right sign, and
    do the intervals contain the true value?
    """
    print()
    shown = (
        "rejected",
        "moved first",
        "of the moved, first",
        "right sign",
        "all locations in their 95 % intervals",
        "its own",
        "all spreads",
    )
    head("moved", "people", "studies", *shown)
    for (name, n), part in rows[rows["population"].str.contains("1 SD")].groupby(
        ["population", rows["people"].astype(int)], sort=False
    ):
        parameter, sign = name.split()[0], "up" if "+" in name else "down"
        place = list(inc.priors.broad().names).index(parameter)
        moves = [
            [tuple(move) for move in found if move[1] in ("up", "down")] for found in part["moves"]
        ]
        first = [found[0][0] == parameter for found in moves if found]
        right = [dict(found)[parameter] == sign for found in moves if parameter in dict(found)]
        inside, spreads = (
            np.array(part[f"{what}_covered"].tolist()) for what in ("location", "spread")
        )
        shares = [
            (part["prior"] <= 0.05).mean(),
            sum(first) / len(part),
            _mean(first),
            _mean(right),
        ]
        shares += [inside.mean(), inside[:, place].mean(), spreads.mean()]
        print(
            f"| {name} | {n} | {len(part)} | "
            + " | ".join(f"{share:.2f}" for share in shares)
            + " |"
        )


def _mean(values: list[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("run")
    asked.add_argument("--people", type=int, required=True)
    asked.add_argument("--studies", type=int, default=400)
    asked.add_argument("--layouts", type=int, default=20)
    asked.add_argument(
        "--populations", nargs="+", default=["true"], choices=list(populations(inc.priors.broad()))
    )
    asked.add_argument(
        "--extensions", action="store_true", help="ask which extension explains what fails"
    )
    asked.add_argument(
        "--prior-only",
        action="store_true",
        help="ask about the prior alone, of populations that are moved",
    )
    asked.add_argument(
        "--alike",
        action="store_true",
        help="one number of trials for all people of a layout, instead of one for each",
    )
    asked.add_argument("--seed", type=int, default=300_000)
    asked.add_argument("--out", type=Path, default=Path("verdicts.jsonl"))
    printed = commands.add_parser("tables")
    printed.add_argument("files", nargs="+", type=Path)
    real = commands.add_parser("people")
    real.add_argument("--data", type=Path, required=True)
    real.add_argument("--out", type=Path)
    options = parser.parse_args()
    {"run": run, "tables": tables, "people": people}[options.command](options)

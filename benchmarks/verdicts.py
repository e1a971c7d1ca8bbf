"""How often each question of `incongruent.check`, and the verdict as a whole, says no: when nothing
is wrong, and when something is.

python benchmarks/verdicts.py run --people 20 [--studies 400] [--layouts 20] [--populations true …]
[--prior-only | --model-only] [--variants] [--alike] [--out verdicts.jsonl]
python benchmarks/verdicts.py tables verdicts.jsonl
python benchmarks/verdicts.py people --data FOLDER [--out FOLDER]     what `check` says of public
data sets

Studies are made by the model itself, of people with 100 to 500 trials, whose theta come from a
population on the real line of the network's prior: the prior itself (true), narrower, moved by one
SD in one parameter, with lapses, or in random batches; or something is planted in their trials:
fast guesses, a delta function that falls at slow responses, times that are a little late. Every
question is asked with the package's own functions, in the order of `check`. So that hundreds of
studies can be asked about, those of one layout (numbers of trials of its people) share the
simulations that they are compared with; layouts do not. One line of the file is one study; studies
that the file has are not asked about again.

--model-only asks the panel alone, then a suggested prior and the panel under it where that fails,
and comes to a verdict on the model; --variants fits the variants of the model too where something
stands against it, which takes seconds a person and variant.
"""

import argparse
import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from exactness import STUDIES
from scipy import stats

import incongruent as inc
from incongruent.checks.better_prior import better_prior
from incongruent.checks.decision import Answers, decide
from incongruent.checks.model.panel import Panel
from incongruent.checks.model.relevance import Margins, Misfit, misfits_of, still_failing
from incongruent.checks.prior.population import PriorReplicas, prior_replicas, prior_scores
from incongruent.checks.record import answers_of, many_outside
from incongruent.checks.repairs import repairs_of
from incongruent.checks.replicas import matched, matched_summaries
from incongruent.checks.scope.surprise import N_SIMULATED, excess
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
    seed: int

    def _summaries(self, n_each: int, k: int) -> Array:
        return matched_summaries(self.posterior, self.people, n_each, seed=2 * self.seed + k)

    @cached_property
    def reference(self) -> Array:
        """Summaries of simulated people, (data set, summary)."""
        found = self._summaries(-(-1000 // len(self.people)), 0)
        return found.reshape(-1, found.shape[2])

    @cached_property
    def fresh(self) -> Array:
        """Summaries of simulated studies of the layout, (study, person, summary)."""
        return self._summaries(max(20, -(-4000 // len(self.people))), 1)

    @cached_property
    def replicas(self) -> PriorReplicas:
        """What scores of the prior are compared with."""
        return prior_replicas(self.posterior, self.people, seed=self.seed)


def layout_of(posterior: inc.Posterior, n_people: int, seed: int, alike: bool) -> Layout:
    own = posterior.simulator
    n = int(np.exp(np.random.default_rng(seed).uniform(np.log(100), np.log(500))))
    design = inc.Design(n if alike else (100, 500), HALF, window=own.design.window)
    people = inc.Simulator(own.model, own.prior, design).simulate(n_people, seed=seed).trials
    return Layout(posterior, people, seed)


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
    narrow = Population(prior, np.zeros(dim), 0.4)
    found |= {name: (model, narrow) for name in PLANTED}
    early = -1.2 * np.eye(dim)[prior.names.index("tau")]
    found |= {name: (model, Population(prior, early, 0.4)) for name in PLANTED if "Simon" in name}
    return found | {"pooled batches": (model, prior)}


def fast_guesses(study: inc.Trials, share: float, rng: np.random.Generator) -> inc.Trials:
    """A share of the trials is answered at random after 150 to 250 ms."""
    guessed = study.present & study.answered & (rng.random(study.present.shape) < share)
    coin = rng.integers(0, 2, guessed.shape)
    times = rng.uniform(150.0, 250.0, guessed.shape)
    new = {"rt": times, "response": coin}
    values = {
        n: np.where(guessed, new.get(n, v), v).astype(v.dtype) for n, v in study.values.items()
    }
    return replace(study, values=values)


def falling_delta(study: inc.Trials, ms: float, rng: np.random.Generator) -> inc.Trials:
    """Correct incongruent answers slower than the median are faster, by so many ms at the 0.9
    quantile, and in between in proportion to their rank.
    """
    del rng
    rt = study.values["rt"].copy()
    slow = study.where("condition", "incongruent") & study.where("response", "correct")
    for person in range(len(study)):
        here = np.flatnonzero(slow[person])
        rank = (stats.rankdata(rt[person, here]) - 0.5) / len(here)
        shift = ms * np.clip((rank - 0.5) / 0.4, 0.0, 1.0)
        rt[person, here] = rt[person, here] - shift.astype(rt.dtype)
    return replace(study, values={**study.values, "rt": rt})


def late_slow_answers(study: inc.Trials, ms: float, rng: np.random.Generator) -> inc.Trials:
    """The same by being slower, in both conditions: too little for anybody to care."""
    del rng
    rt = study.values["rt"].copy()
    for person in range(len(study)):
        here = np.flatnonzero(study.present[person] & study.answered[person])
        rank = (stats.rankdata(rt[person, here]) - 0.5) / len(here)
        shift = ms * np.sin(np.pi * rank) ** 2
        rt[person, here] = rt[person, here] + shift.astype(rt.dtype)
    return replace(study, values={**study.values, "rt": rt})


PLANTED: dict[str, Callable[[inc.Trials, np.random.Generator], inc.Trials]] = {
    "5% fast guesses": lambda study, rng: fast_guesses(study, 0.05, rng),
    "delta falls by 20 ms": lambda study, rng: falling_delta(study, 20.0, rng),
    "Simon, delta falls by 20 ms": lambda study, rng: falling_delta(study, 20.0, rng),
    "Simon, delta falls by 40 ms": lambda study, rng: falling_delta(study, 40.0, rng),
    "Simon": lambda study, rng: study,
    "delta falls by 5 ms": lambda study, rng: falling_delta(study, 5.0, rng),
    "middle late by 5 ms": lambda study, rng: late_slow_answers(study, 5.0, rng),
}
"""What is planted in the trials of a population 0.4 times as wide as the prior; that of a Simon
task has a tau of about 40 ms, so that its delta function ends near 0.
"""


def pooled(study: inc.Trials, rng: np.random.Generator) -> inc.Trials:
    """The same trials in random batches, as many as there were people."""
    person, trial = np.nonzero(study.present)
    order = rng.permutation(len(person))
    values = {name: array[person, trial][order] for name, array in study.values.items()}
    return from_long(study.columns, np.arange(len(order)) * len(study) // len(order), values)


@dataclass(frozen=True)
class Asked:
    """What is asked of every study, and which are known already."""

    extensions: bool = False
    prior_only: bool = False
    model_only: bool = False
    variants: bool = False
    always_after: bool = False
    known: Collection[int] = field(default=(), repr=False)


def misfits_written(misfits: tuple[Misfit, ...] | None) -> list[dict[str, Any]] | None:
    return None if misfits is None else [misfit.to_json() for misfit in misfits]


def about_model(
    layout: Layout, study: inc.Trials, panel: Panel, answers: Answers, variants: bool, seed: int
) -> dict[str, Any]:
    """The verdict, with what stands against the model, and its variants if they are asked for."""
    margins, which = Margins(), None
    if answers.standing and variants:
        which = inc.which_variant(layout.posterior, study, panel, seed=seed)
    explained = {misfit.name for misfit in answers.explained_by_prior}
    repairs = repairs_of(which, panel, margins, explained)
    row: dict[str, Any] = {
        "verdict": decide(replace(answers, repairs=repairs)).verdict.value,
        "without_variants": decide(answers).verdict.value,
        "misfits": misfits_written(answers.failing),
        "misfits_after": misfits_written(answers.failing_after),
        "panel": float(np.nanmin(panel.group.adjusted)),
        "failing": list(panel.failing()),
        "people_failing": len(panel.failing_people()),
        "panel_people": len(panel),
    }
    if which is not None:
        row["variant"] = decide(replace(answers, repairs=repairs)).variant
        row["repairs"] = [
            {
                "name": repair.name,
                "log_evidence": repair.log_evidence,
                "moved": repair.moved,
                "left": misfits_written(repair.left),
            }
            for repair in repairs
        ]
    return row


def model_judged(layout: Layout, study: inc.Trials, asked: Asked, seed: int) -> dict[str, Any]:
    """The panel alone, and under a suggested prior where it fails or that is wanted always."""
    panel = panel_of(layout, study, None, seed)
    failing, after = misfits_of(panel, Margins()), None
    row: dict[str, Any] = {}
    if len(study) >= 5 and (failing or asked.always_after):
        prior = inc.suggest_prior(layout.posterior, study, seed=seed).prior
        under = panel_of(layout, study, prior, seed + 1)
        after = still_failing(failing, under, Margins())
        row["panel_after"] = float(np.nanmin(under.group.adjusted))
    answers = Answers(False, False, (), failing, after)
    return row | about_model(layout, study, panel, answers, asked.variants, seed)


def panel_of(layout: Layout, study: inc.Trials, prior: inc.Prior | None, seed: int) -> Panel:
    return inc.predictive_panel(
        layout.posterior,
        study,
        prior=prior,
        n_replicates=N_REPLICATES,
        n_predictions=N_PREDICTIONS,
        seed=seed,
    )


def judged(
    layout: Layout, name: str, n_studies: int, asked: Asked
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Studies of a population by their number, without those that are known."""
    posterior, seed, known = layout.posterior, layout.seed, asked.known
    if not set(range(n_studies)) - set(known):
        return
    model, population = populations(posterior.simulator.prior)[name]
    simulator = inc.Simulator(model, population, posterior.simulator.design)
    everybody = matched(
        simulator, layout.people, n_studies, seed=7_000_000 + seed
    ).trials  # one study after the other
    if name in PLANTED:
        everybody = PLANTED[name](everybody, np.random.default_rng(seed))
    if name != "pooled batches" and not (asked.prior_only or asked.model_only):
        yield from fully_judged(layout, name, everybody, n_studies, asked)
        return
    n = len(layout.people)
    for i in sorted(set(range(n_studies)) - set(known)):
        study = everybody.select(range(i * n, (i + 1) * n))
        if name == "pooled batches":
            study = pooled(study, np.random.default_rng(seed + i))
            yield i, {"units": inc.hygiene(study, seed=seed)["units"].severity.value}
        elif asked.prior_only:
            prior = prior_scores(posterior, study, layout.replicas, seed=seed + i)
            row = {"prior": prior.p_value, "moves": [list(move) for move in prior.moves()]}
            yield i, row | covered(posterior, study, name, seed + i)
        else:
            yield i, model_judged(layout, study, asked, seed + i)


def fully_judged(
    layout: Layout, name: str, everybody: inc.Trials, n_studies: int, asked: Asked
) -> Iterator[tuple[int, dict[str, Any]]]:
    posterior, n, seed = layout.posterior, len(layout.people), layout.seed
    m = max(N_SIMULATED, 2 * (int(np.ceil(n / 0.05)) - 1))  # as for one study
    at_once = max(100 // n, 4)  # studies; m is hardly more than for one
    for first in range(0, n_studies, at_once):
        those = range(first, min(first + at_once, n_studies))
        if not set(those) - set(asked.known):
            continue
        some = everybody.select(range(first * n, (those[-1] + 1) * n))
        n_simulated = max(m, 20 * len(some))
        scopes = inc.surprise(posterior, some, n_simulated=n_simulated, seed=seed + first)
        for i in sorted(set(those) - set(asked.known)):
            rows = np.arange((i - first) * n, (i - first + 1) * n)
            scope = scope_of(scopes, some.names, rows, seed + i)
            yield i, study_judged(layout, name, some.select(rows), scope, asked, seed + i)


def scope_of(scopes: inc.Surprise, names: tuple[str, ...], rows: Array, seed: int) -> inc.Surprise:
    """The surprise of the people of one study, from that of several."""
    p, depth = scopes.p_value[rows], scopes.depth[rows]
    central, extreme = excess(depth, seed)
    return replace(
        scopes,
        names=tuple(names[row] for row in rows),
        p_value=p,
        adjusted=stats.false_discovery_control(p),
        score=scopes.score[rows],
        depth=depth,
        z=scopes.z[rows],
        central_p=central,
        extreme_p=extreme,
    )


def study_judged(
    layout: Layout, name: str, study: inc.Trials, scope: inc.Surprise, asked: Asked, seed: int
) -> dict[str, Any]:
    posterior, n = layout.posterior, len(study)
    kept = np.arange(n) if many_outside(scope) else np.flatnonzero(~scope.outside)
    study = study.select(kept)
    clean = inc.hygiene(study, seed=seed)
    summaries = posterior.summaries(study).astype(float)
    fresh = layout.fresh[:, kept]
    mmd = inc.mmd_test(summaries, layout.reference, fresh, n_null=399, seed=seed)
    panel = panel_of(layout, study, None, seed)
    replicas = replace(layout.replicas, slopes=layout.replicas.slopes[:, kept])
    prior = prior_scores(posterior, study, replicas, seed=seed)
    better = better_prior(posterior, study, panel, prior, N_REPLICATES, seed)
    answers = answers_of(clean, scope, panel, prior, better.panel, None, Margins())
    row: dict[str, Any] = {
        "outside": scope.n_outside,
        "p_people": scope.p_value.tolist(),
        "mmd": mmd.p_value,
        "central": scope.central_p,
        "extreme": scope.extreme_p,
        "prior": prior.p_value,
        "moves": [list(move) for move in prior.moves()],
        "direction": mmd.direction,
        "hygiene": [f.name for f in clean.warnings],
    }
    row |= about_model(layout, study, panel, answers, asked.variants, seed)
    if panel.failing() and asked.extensions:
        row["extension"] = inc.rank_extensions(posterior, study, panel, seed=seed).best
    if " SD" in name and n >= 5:
        row |= covered(posterior, study, name, seed)
    return row


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


def known_rows(path: Path) -> dict[tuple[Any, ...], set[int]]:
    """The studies that a file has, by people, population, layout and seed."""
    found: dict[tuple[Any, ...], set[int]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        place = (row["people"], row["population"], row["layout"], row["seed"])
        found.setdefault(place, set()).add(row["study"])
    return found


def run(options: argparse.Namespace) -> None:
    posterior, begun = inc.pretrained(options.network), time.perf_counter()
    each, known = -(-options.studies // options.layouts), known_rows(options.out)
    with options.out.open("a") as file:
        for k in range(options.layouts):
            layout = layout_of(posterior, options.people, options.seed + 1000 * k, options.alike)
            for name in options.populations:
                asked = Asked(
                    options.extensions,
                    options.prior_only,
                    options.model_only,
                    options.variants,
                    options.always_after,
                    known.get((options.people, name, k, layout.seed), set()),
                )
                place = {
                    "people": options.people,
                    "population": name,
                    "layout": k,
                    "seed": layout.seed,
                }
                for i, row in judged(layout, name, each, asked):
                    file.write(json.dumps(place | {"study": i} | row) + "\n")
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
    parts = [pd.read_json(path, lines=True) for path in options.files]
    rows = pd.concat([pd.DataFrame({"verdict": []}), *parts], ignore_index=True)
    names = [name for name in dict.fromkeys(rows["population"]) if name != "pooled batches"]
    if "p_people" in rows:
        questions(rows[rows["p_people"].notna()])
    of_model = rows[rows["verdict"].notna()]
    if len(of_model):
        about_models(of_model)
        verdicts(of_model)
    if rows["population"].str.contains("1 SD").any():
        moved(rows)
    for name in [name for name in names if "lapses" in name and "extension" in rows]:
        part = rows[(rows["population"] == name)]
        print(
            f"\n{name}: extension named {part['extension'].fillna('none').value_counts().to_dict()}"
        )
    for n, part in by_people(rows[rows["population"] == "pooled batches"]):
        print(f"\nPooled batches, as many as {n} people: {part['units'].value_counts().to_dict()}")


def by_people(rows: pd.DataFrame) -> Any:
    return rows.groupby(rows["people"].astype(int))


def questions(rows: pd.DataFrame) -> None:
    """How often each question says no, in studies that were asked all of them."""
    for name, of_name in rows.groupby("population", sort=False):
        print(f"\n**{name}**: share of studies in which a question says no at .05\n")
        head("people", "studies", *QUESTIONS, "99 % band of .05")
        for n, part in by_people(of_name):
            persons = np.concatenate([np.asarray(p, float) for p in part["p_people"]])
            shares = [
                (part["mmd"] <= 0.05).mean(),
                (part["outside"] > 0).mean(),
                (persons <= 0.05).mean(),
                (part["central"] <= 0.05).mean(),
                (part["panel"] <= 0.05).mean(),
                part["people_failing"].sum() / part["panel_people"].sum(),
                (part["prior"] <= 0.05).mean(),
            ]
            shown = " | ".join(f"{share:.3f}" for share in shares)
            print(f"| {n} | {len(part)} | {shown} | {band(len(part))} |")


def about_models(rows: pd.DataFrame) -> None:
    """How many studies fail in something, relevantly, and still so under the suggested prior."""
    shown = ("the panel fails", "relevantly", "under the suggested prior too", "relevantly")
    print("\nNumbers of studies in which the panel finds something\n")
    head("population", "people", "studies", *shown, "p ≤ .05 there")
    for (name, n), part in rows.groupby(["population", rows["people"].astype(int)], sort=False):
        failing = part["misfits"].map(bool)
        after = failing & part["misfits_after"].map(has_some)
        counts = [
            failing.sum(),
            part["misfits"].map(has_relevant).sum(),
            after.sum(),
            (failing & part["misfits_after"].map(has_relevant)).sum(),
        ]
        asked = part["panel_after"].dropna() if "panel_after" in part else pd.Series(dtype=float)
        level = f"{(asked <= 0.05).sum()} of {len(asked)}"
        print(f"| {name} | {n} | {len(part)} | {' | '.join(map(str, counts))} | {level} |")


def has_some(misfits: Any) -> bool:
    return isinstance(misfits, list) and bool(misfits)


def has_relevant(misfits: Any) -> bool:
    return has_some(misfits) and any(misfit["relevant"] for misfit in misfits)


def verdicts(rows: pd.DataFrame) -> None:
    """How many studies get each verdict; without variants where they were not asked for."""
    print("\nNumbers of studies by verdict\n")
    names = [verdict.value for verdict in inc.Verdict]
    head("population", "people", "studies", *names, "variants named")
    for (name, n), part in rows.groupby(["population", rows["people"].astype(int)], sort=False):
        counts = [(part["verdict"] == verdict).sum() for verdict in names]
        named = part["variant"].dropna().value_counts().to_dict() if "variant" in part else {}
        shown = " | ".join(map(str, counts))
        print(f"| {name} | {n} | {len(part)} | {shown} | {named or '–'} |")


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
        "--model-only",
        action="store_true",
        help="ask about the model alone",
    )
    asked.add_argument(
        "--variants", action="store_true", help="fit variants where something stands against it"
    )
    asked.add_argument(
        "--always-after",
        action="store_true",
        help="with --model-only: ask the panel under the suggested prior also where nothing fails",
    )
    asked.add_argument("--network", default="dmc")
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

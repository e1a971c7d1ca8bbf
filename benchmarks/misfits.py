"""Causes of a misfit of DMC that are planted: what the panel shows, which variant has the evidence,
and how far the parameters are off.

    python benchmarks/misfits.py --out misfits.jsonl [--people 30] [--only CAUSE ...]
    python benchmarks/misfits.py --report misfits.jsonl
    python benchmarks/misfits.py --public 8 --out public.jsonl
    python benchmarks/misfits.py --report-public public.jsonl

One study a cause: people around the means of Ulrich et al. (2015), 300 trials each. Steps of a
display, a loss of slow answers and lapses are put into the trials of the study without a cause, so
that these four have the same people and nearly the same trials. Each study is fitted by a network
of the standard model, corrected, and asked for variants and the predictive panel. The right model
is fitted as well; where the trials have lost something, it is the fit of the trials before.
One line of the file is one cause; causes that are in it already are not repeated.

`--public` asks the first people of each public study for variants, and how far the parameters move.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from variants import HALF, OF_DMC, OF_SSP, population, print_heads, print_row

import incongruent as inc
from incongruent.models import Model, dmc, ssp
from incongruent.posterior.draws import Draws

STANDARD = ("A", "tau", "mu_c", "b", "mu_R", "sd_R")
ASKED = ("lapses", "drift variability", "narrow start", "undershoot", "SSP")
OF_PUBLIC = (
    "lapses",
    "drift variability",
    "lapses + drift variability",
    "narrow start",
    "undershoot",
)
STEP, LOST, LAPSES, FEW_TRIALS = 16.68, 0.03, 0.02, 100
"""Steps in ms; shares of the slowest answers and of lapses; trials a person where the prior pulls.
"""
SHOWN = (
    "skewness of RT, congruent",
    "skewness of RT, incongruent",
    "SD of RT, congruent",
    "SD of RT, incongruent",
    "RT quantile 0.1, congruent",
    "RT quantile 0.3, congruent",
    "RT quantile 0.9, incongruent",
    "delta at 0.1",
    "delta at 0.5",
    "delta at 0.9",
    "errors, congruent",
    "errors, incongruent",
    "error − correct RT, incongruent",
)
"""Statistics of the panel that the report shows."""

PUBLIC = (
    "ulrich2015_flanker",
    "ulrich2015_simon",
    "pratte2010_simon1",
    "pratte2010_stroop1",
    "pratte2010_simon2",
    "pratte2010_stroop2",
    "vonbastian2016_simon",
    "vonbastian2016_stroop",
    "vonbastian2016_flanker",
)

Record = dict[str, Any]
Spoil = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def in_steps(trials: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """RTs as by a program that looks at the keys once a refresh."""
    return trials.assign(rt=np.ceil(trials["rt"] / STEP) * STEP)


def without_the_slowest(trials: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Trials without the answers that came after a deadline."""
    return trials[trials["rt"] <= trials["rt"].quantile(1.0 - LOST)]


def with_lapses(trials: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Some answers are guesses, uniform between 150 and 2500 ms."""
    lapse = rng.random(len(trials)) < LAPSES
    rt = np.where(lapse, rng.uniform(150.0, 2500.0, len(trials)), trials["rt"])
    guess = np.where(rng.random(len(trials)) < 0.5, "correct", "error")
    return trials.assign(rt=rt, response=np.where(lapse, guess, trials["response"]))


@dataclass(frozen=True)
class Cause:
    """What is wrong with the standard model for a study.

    Attributes:
        task: whose people.
        model: of the simulation.
        further: priors of its further parameters.
        spoil: what is done to the trials afterwards.
        right: the variant that is the right model; None where the trials were spoilt.
        trials: of a person.
    """

    task: str = "flanker"
    model: Model | None = None
    further: dict[str, Any] | None = None
    spoil: Spoil | None = None
    right: str | None = None
    trials: int = 300


CAUSES = {
    "none": Cause(),
    "steps": Cause(spoil=in_steps),
    "deadline": Cause(spoil=without_the_slowest),
    "lapses": Cause(spoil=with_lapses, right="lapses"),
    "drift variability": Cause(
        model=dmc(free=["drift_sd"]),
        further={"drift_sd": stats.uniform(0.2, 0.1)},
        right="drift variability",
    ),
    "narrow start": Cause(model=dmc(alpha=12.0), right="narrow start"),
    "prior": Cause(trials=FEW_TRIALS),
    "undershoot": Cause(
        task="Simon",
        model=dmc(free=["undershoot"]),
        further={"undershoot": stats.uniform(0.35, 0.1)},
        right="undershoot",
    ),
    "SSP": Cause(model=ssp(), right="SSP"),
}


def simulated(cause: Cause, options: argparse.Namespace) -> inc.Simulations:
    """The people of a cause, before their trials are spoilt."""
    model = cause.model or dmc()
    moments, broad = (
        (OF_SSP, inc.priors.broad_ssp())
        if model.name == "ssp"
        else (OF_DMC[cause.task], inc.priors.broad())
    )
    people = population(moments, broad).extended(**(cause.further or {}))
    design = inc.Design(cause.trials, HALF, window=(150.0, 2500.0))
    return inc.Simulator(model, people, design).simulate(options.people, seed=options.seed)


def spoilt(study: inc.Trials, cause: Cause, seed: int) -> inc.Trials:
    """The trials as they were recorded."""
    if cause.spoil is None:
        return study
    trials = cause.spoil(study.to_frame(), np.random.default_rng(seed))
    return inc.read_trials(trials, unit="ms")


def fitted(
    posterior: inc.Posterior,
    study: inc.Trials,
    options: argparse.Namespace,
    prior: inc.Prior | None = None,
) -> Draws:
    """Everybody's posterior under the standard model, corrected by the exact likelihood."""
    draws = posterior.sample(study, options.draws, seed=options.seed)
    return inc.reweight(draws, study, prior=prior, seed=options.seed, workers=options.workers)


def one_cause(name: str, options: argparse.Namespace) -> Record:
    """What is found where one cause was planted."""
    cause, posterior = CAUSES[name], inc.pretrained(options.network)
    if posterior.simulator.model.parameter_names != STANDARD:
        raise SystemExit(f"Expected a network of {STANDARD}; got {options.network!r}.")
    people = simulated(cause, options)
    study = spoilt(people.trials, cause, options.seed)
    draws = fitted(posterior, study, options)
    asked = list(dict.fromkeys((*ASKED, *filter(None, [cause.right]))))
    found = inc.variants(draws, study, asked, seed=options.seed, workers=options.workers)
    right = found[cause.right].draws if cause.right else None
    panels = {"as fitted": panel_of(posterior, study, options)}
    if name == "prior":
        own = inc.suggest_prior(posterior, study, draws=draws, seed=options.seed).prior
        right = fitted(posterior, study, options, own)
        panels["under the people's own prior"] = panel_of(posterior, study, options, own)
    elif cause.spoil is not None and right is None:
        right = fitted(posterior, people.trials, options)
    return {
        "cause": name,
        "truth": of_shared(people.theta, people.parameter_names),
        "as fitted": of_draws(draws),
        "right": of_draws(right) if right is not None else None,
        "summary": found.summary().set_index("variant").to_dict("index"),
        "panels": panels,
        "hygiene": {
            key: str(inc.hygiene(study, seed=options.seed)[key]) for key in ("rounding", "deadline")
        },
    }


def panel_of(
    posterior: inc.Posterior,
    study: inc.Trials,
    options: argparse.Namespace,
    prior: inc.Prior | None = None,
) -> list[dict[str, Any]]:
    """The rows of the panel."""
    panel = inc.predictive_panel(
        posterior, study, prior=prior, n_replicates=options.replicates, seed=options.seed
    )
    return panel.table().to_dict("records")


def of_shared(values: np.ndarray, names: Sequence[str]) -> dict[str, list[float]]:
    """The columns of the parameters that the standard model has too."""
    return {name: values[:, names.index(name)].tolist() for name in STANDARD if name in names}


def of_draws(draws: Draws) -> dict[str, dict[str, list[float]]]:
    """Means, SDs and 90 % intervals of everybody, by parameter."""
    names, theta = draws.parameter_names, draws.theta
    low, high = np.quantile(theta, [0.05, 0.95], axis=1)
    values = {"mean": theta.mean(axis=1), "sd": theta.std(axis=1), "low": low, "high": high}
    return {key: of_shared(value, names) for key, value in values.items()}


def report(done: list[Record]) -> None:
    """All tables."""
    print_panels(done)
    print_evidence(done)
    print_moves(done)
    for one in done:
        print(f"\n{one['cause']}: {' '.join(one['hygiene'].values())}")


def print_panels(done: list[Record]) -> None:
    """Group z of statistics, in bold where it fails, with observed and predicted values."""
    columns = [(one["cause"], name, rows) for one in done for name, rows in one["panels"].items()]
    print_heads("statistic", *(f"{cause} ({name})" for cause, name, _ in columns))
    for statistic in SHOWN:
        print_row(statistic, *(panel_cell(rows, statistic) for _, _, rows in columns))
    print_row("failing", *(sum(row["p_adjusted"] <= 0.05 for row in rows) for *_, rows in columns))
    for cause, name, rows in columns:
        failing = sorted((r for r in rows if r["p_adjusted"] <= 0.05), key=lambda r: -abs(r["z"]))
        print(f"\n{cause} ({name}): {', '.join(r['statistic'] for r in failing) or 'none'}")


def panel_cell(rows: list[dict[str, Any]], statistic: str) -> str:
    """One statistic: z, and observed against predicted."""
    row = next(row for row in rows if row["statistic"] == statistic)
    digits = 0 if row["unit"] == "ms" else 1 if row["unit"] == "%" else 2
    z = f"**{row['z']:+.1f}**" if row["p_adjusted"] <= 0.05 else f"{row['z']:+.1f}"
    return f"{z} ({row['observed']:.{digits}f} / {row['predicted']:.{digits}f})"


def print_evidence(done: list[Record]) -> None:
    """Gains of the variants in evidence over all people."""
    print_heads("planted", *(f"gain of {name}" for name in ASKED))
    for one in done:
        print_row(one["cause"], *(f"{one['summary'][name]['gain']:+.1f}" for name in ASKED))


def print_moves(done: list[Record]) -> None:
    """How far parameters are off: as fitted less right, and both less the truth."""
    print_heads(
        "cause",
        "parameter",
        "as fitted − right, own unit (SE)",
        "in posterior SDs",
        "as fitted − truth, own unit (SE)",
        "in posterior SDs",
        "right − truth (SE)",
        "90 % intervals hold the truth: as fitted, right",
        "correlation with the truth over people: as fitted, right",
    )
    for one in done:
        for name in STANDARD:
            if name in one["truth"]:
                print_row(one["cause"], name, *move_cells(one, name))


def move_cells(one: Record, name: str) -> list[str]:
    """The cells of one parameter."""
    truth = np.array(one["truth"][name])
    fit = {key: np.array(value[name]) for key, value in one["as fitted"].items()}
    if one["right"] is None:
        alone = [f"{held(fit, truth):.2f}", f"{correlation(fit, truth):.2f}"]
        return ["", "", *off(fit["mean"] - truth, fit["sd"]), "", *alone]
    right = {key: np.array(value[name]) for key, value in one["right"].items()}
    return [
        *off(fit["mean"] - right["mean"], right["sd"]),
        *off(fit["mean"] - truth, fit["sd"]),
        off(right["mean"] - truth, right["sd"])[0],
        f"{held(fit, truth):.2f}, {held(right, truth):.2f}",
        f"{correlation(fit, truth):.2f}, {correlation(right, truth):.2f}",
    ]


def off(difference: np.ndarray, sd: np.ndarray) -> tuple[str, str]:
    """A mean difference with its standard error, and in posterior SDs of the people."""
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return f"{difference.mean():+.3g} ({error:.2g})", f"{(difference / sd).mean():+.2f}"


def held(fit: dict[str, np.ndarray], truth: np.ndarray) -> float:
    """The share of 90 % intervals with the truth in them."""
    return float(((fit["low"] <= truth) & (truth <= fit["high"])).mean())


def one_public(name: str, options: argparse.Namespace) -> Record:
    """What the first people of a public study speak for, and how far their parameters move."""
    study = inc.datasets.load(name)
    study = study.select(range(min(options.public, len(study.names))))
    posterior = inc.pretrained(options.network)
    draws = inc.fit(posterior, study, n_draws=options.draws, anyway=True, seed=options.seed).draws
    found = inc.variants(
        draws, study.select(draws.names), OF_PUBLIC, seed=options.seed, workers=options.workers
    )
    return {
        "cause": name,
        "people": len(draws),
        "summary": found.summary().set_index("variant").to_dict("index"),
        "fits": {one.name: of_draws(one.draws) for one in found.all},
        "new": {
            one.name: {
                n: one.draws.means[:, i].tolist()
                for i, n in enumerate(one.draws.parameter_names)
                if n not in STANDARD
            }
            for one in found.fits
        },
    }


def report_public(done: list[Record]) -> None:
    """Gains of the variants, the share of people who go along, and moves under the best one."""
    print_heads("study", "people", *(f"gain of {name} (share of people)" for name in OF_PUBLIC))
    for one in done:
        rows = [one["summary"][name] for name in OF_PUBLIC]
        cells = [f"{row['gain']:+.0f} ({row['share_better']:.0%})" for row in rows]
        print_row(one["cause"], one["people"], *cells)
    for chosen in ("lapses", "drift variability", "lapses + drift variability"):
        print_heads(f"study, {chosen}", *STANDARD, "new parameters, mean")
        for one in done:
            new = ", ".join(f"{k} {np.mean(v):.3g}" for k, v in one["new"][chosen].items())
            print_row(one["cause"], *(moved(one, chosen, name) for name in STANDARD), new)


def moved(one: Record, chosen: str, name: str) -> str:
    """Means before and after, and the mean move in posterior SDs as fitted."""
    before, after = (one["fits"][key] for key in ("as fitted", chosen))
    first, second = np.array(before["mean"][name]), np.array(after["mean"][name])
    in_sds = (second - first) / np.array(before["sd"][name])
    return f"{first.mean():.3g} → {second.mean():.3g} ({np.nanmean(in_sds):+.2f})"


def correlation(fit: dict[str, np.ndarray], truth: np.ndarray) -> float:
    """Of posterior means with true values, over people."""
    return float(np.corrcoef(fit["mean"], truth)[0, 1])


def records(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("misfits.jsonl"))
    parser.add_argument("--report", type=Path)
    parser.add_argument("--public", type=int, help="so many people of each public study")
    parser.add_argument("--report-public", type=Path)
    parser.add_argument("--only", nargs="+", choices=CAUSES, default=list(CAUSES))
    parser.add_argument("--network", default="dmc", help="one of the standard model")
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=20261130)
    options = parser.parse_args()
    if options.report:
        order = list(CAUSES)
        report(sorted(records(options.report), key=lambda one: order.index(one["cause"])))
        return
    if options.report_public:
        report_public(records(options.report_public))
        return
    one, names = (one_public, PUBLIC) if options.public else (one_cause, options.only)
    for name in names:
        if name not in [record["cause"] for record in records(options.out)]:
            record = one(name, options)
            with options.out.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(name, flush=True)


if __name__ == "__main__":
    main()

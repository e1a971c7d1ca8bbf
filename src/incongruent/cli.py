"""The command line: parse, call one function, show what it returns."""

from __future__ import annotations

import sys
import traceback
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import pandas as pd
import typer
from rich import box
from rich.table import Table

from incongruent import priors
from incongruent.bank import open_bank
from incongruent.checks.calibration import calibrate
from incongruent.checks.quality import with_quality
from incongruent.checks.recovery import bins_of
from incongruent.checks.recovery import recover as recover_parameters
from incongruent.cli_app import open_app
from incongruent.cli_bank import bank_app, simulate_into
from incongruent.cli_check import check, show_check, show_report
from incongruent.cli_parts import Seed, called, errors, plain, prior_named, range_of, screen, usable, write_csv
from incongruent.cli_reading import By, CodingWords, Columns, File, Network, Out, Unit, Where, network_named, read_study
from incongruent.demo import demo_study, demo_truth
from incongruent.designs import Design
from incongruent.exact import with_prior
from incongruent.fitting import Fit, write_fit
from incongruent.fitting import fit as fit_study
from incongruent.importance import largest_k_hat
from incongruent.joint_prior import PriorError
from incongruent.likelihood import LikelihoodError
from incongruent.models import Model, dmc
from incongruent.networks.architecture import Architecture
from incongruent.nuisance import marginalised
from incongruent.plots import calibration_figure, history_figure, recovery_figure, save_figure, save_png
from incongruent.posterior import Posterior
from incongruent.reading import DataError
from incongruent.recipe import Recipe
from incongruent.report import Origin
from incongruent.scope import ScopeError
from incongruent.simulation import Simulations, Simulator
from incongruent.storage import FileError
from incongruent.training import TrainingError
from incongruent.training import train as train_posterior
from incongruent.trials import Trials, to_frame

SHORT = {"contraction": "contr.", "coverage_50": "in 50 %", "coverage_90": "in 90 %", "calibration_error": "ECE"}
"""Column heads that fit a narrow screen."""
RANKS_LEGEND = (
    "p: of uniform ranks, from simultaneous bands; with so many tests some lie below .05. TARP: distance from a reference point, drawn from the "
    "prior or near, from the posterior. z: (posterior mean - truth) / posterior SD, 0 ± 1 when calibrated"
)
LEGEND = "contr.: contraction; in 50 %, in 90 %: share of intervals that hold the truth; ECE: expected calibration error"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Amortized Bayesian inference for reaction-time models of conflict tasks. "
    "Exit codes: 0 good, 1 bad data or network, 2 bad usage. --debug shows tracebacks.",
)
app.add_typer(bank_app, name="bank")
app.command()(check)
app.command(name="app")(open_app)

BAD_DATA = (DataError, FileError, LikelihoodError, PriorError, ScopeError, TrainingError, OSError)

AnyPrior = Annotated[
    str | None,
    typer.Option("--prior", help=f"Posterior under another prior than the network's: {', '.join(priors.NAMED)}; exact as far as k_hat allows."),
]
Exact = Annotated[bool, typer.Option("--exact", help="Sample everybody by MCMC on the exact likelihood: the reference, about 10 s a person.")]
Mcmc = Annotated[bool, typer.Option("--mcmc/--no-mcmc", help="Sample by MCMC the people whose importance weights cannot be trusted (k_hat).")]
WithCheck = Annotated[bool, typer.Option("--check/--no-check", help="Ask also whether the model is right for these people; half a minute.")]
NDraws = Annotated[int, typer.Option("--draws", min=25, help="Draws from each person's posterior.")]


def main() -> NoReturn:
    """Run the command line; errors become one sentence, unless --debug is given."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(arguments, prog_name="incongruent")
    except BAD_DATA as error:
        if debug:
            traceback.print_exc()
        errors.print(f"[bold red]error:[/] {plain(str(error))}")
        sys.exit(1)
    sys.exit(0)


@app.command()
def fit(
    file: File,
    out: Out,
    by: By = None,
    unit: Unit = None,
    columns: Columns = None,
    where: Where = None,
    coding: CodingWords = None,
    network: Network = "dmc",
    prior: AnyPrior = None,
    exact: Exact = False,
    mcmc: Mcmc = True,
    draws: NDraws = 1000,
    check: WithCheck = True,
    seed: Seed = 1,
) -> None:
    """Posteriors, corrected by the exact likelihood, and predictions for everybody in a file of trials."""
    posterior = network_named(network)
    study = read_study(file, posterior, by=by, unit=unit, columns=columns, where=where, coding=coding)
    other = _other_prior(prior, posterior)
    result = _fit_and_write(study, posterior, out, n_draws=draws, prior=other, exact=exact, mcmc=mcmc, seed=seed)
    _show_fit(result, out)
    found = show_check(study, posterior, out / "check", seed)[0] if check else None
    show_report(out, posterior, result, found, Origin(file.name, called(), seed))


@app.command()
def demo(
    out: Out = Path("incongruent-demo"),
    network: Network = "dmc",
    prior: AnyPrior = None,
    exact: Exact = False,
    draws: NDraws = 1000,
    check: WithCheck = True,
    seed: Seed = 1,
) -> None:
    """The same on a simulated study that ships with the package, beside the known truth."""
    screen.print("A simulated flanker study: 30 people, 240 trials each, true parameters known.")
    posterior = network_named(network)
    result = _fit_and_write(demo_study(), posterior, out, n_draws=draws, prior=_other_prior(prior, posterior), exact=exact, seed=seed)
    _show_fit(result, out)
    truth = demo_truth().set_index("subject").loc[list(result.draws.names), list(result.draws.parameter_names)].to_numpy()
    low, high = np.quantile(result.draws.theta, [0.05, 0.95], axis=1)
    table = pd.DataFrame(
        {
            "parameter": result.draws.parameter_names,
            "r of posterior mean and truth": [f"{np.corrcoef(truth[:, i], result.draws.means[:, i])[0, 1]:.2f}" for i in range(truth.shape[1])],
            "90 % intervals with the truth": [f"{n} of {len(truth)}" for n in ((truth >= low) & (truth <= high)).sum(axis=0)],
        }
    )
    _show_table(table, "Against the truth")
    found = show_check(demo_study(), posterior, out / "check", seed)[0] if check else None
    show_report(out, posterior, result, found, Origin("demo study", called(), seed))


@app.command()
def simulate(
    out: Annotated[Path | None, typer.Option(help="CSV for the trials of a study: subject, condition, rt_ms, accuracy.")] = None,
    bank: Annotated[Path | None, typer.Option(help="Folder for simulations to train with; goes on with what is there already.")] = None,
    truth: Annotated[Path | None, typer.Option(help="CSV for the parameters of each subject; with --out.")] = None,
    people: Annotated[int, typer.Option(min=1, help="How many people; with more than before a bank is extended.")] = 30,
    trials: Annotated[str, typer.Option(help="Trials of each; with --bank also from-to, such as 50-1000.")] = "200",
    congruent: Annotated[str, typer.Option(help="Share of congruent trials; with --bank also from-to.")] = "0.5",
    prior: Annotated[str, typer.Option(help=f"Where people's parameters come from: {', '.join(priors.NAMED)}.")] = "schaefer2025",
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; one for each core when left out.")] = None,
    seed: Seed = 1,
) -> None:
    """Simulate a study whose parameters are known, or a bank of simulations to train with."""
    if (out is None) == (bank is None):
        raise typer.BadParameter(f"Expected --out for one study or --bank for a folder of simulations; got {'neither' if out is None else 'both'}.")
    if bank is not None:
        if truth is not None:
            raise typer.BadParameter("Expected --truth with --out; a bank holds the parameters itself.")
        simulate_into(bank, Simulator(dmc(), prior_named(prior), _design(trials, congruent)), people, seed=seed, workers=workers)
    elif out is not None:
        design = usable(lambda: replace(_design(_one("--trials", trials), _one("--congruent", congruent)), window=None))
        _write_study(Simulator(dmc(), prior_named(prior), design).simulate(people, seed=seed, workers=workers), out, truth)


def _one(option: str, text: str) -> str:
    if "-" in text:
        raise typer.BadParameter(f"Expected one number for {option} with --out; got {text!r}. Ranges are for --bank.")
    return text


def _design(trials: str, congruent: str) -> Design:
    """Trials a person and share of congruent trials, each one number or from-to."""
    low, high = range_of(congruent, float)
    if not 0.0 <= low <= high <= 1.0:
        raise typer.BadParameter(f"Expected --congruent within 0 and 1, from-to; got {congruent!r}.")
    return usable(lambda: Design(range_of(trials, int), {"congruent": (low, high), "incongruent": (1.0 - high, 1.0 - low)}))


def _write_study(simulations: Simulations, out: Path, truth: Path | None) -> None:
    frame = to_frame(simulations.trials)
    correct = pd.Series((frame["response"] == "correct").to_numpy(int), dtype="Int64").mask(frame["response"].isna())
    table = pd.DataFrame({"subject": frame["subject"], "condition": frame["condition"], "rt_ms": frame["rt"].round(2), "accuracy": correct})
    write_csv(table, out)
    screen.print(f"{len(frame)} trials of {len(simulations)} people in {out}")
    if truth is not None:
        parameters = pd.DataFrame(simulations.theta, columns=list(simulations.parameter_names))
        parameters.insert(0, "subject", list(simulations.trials.names))
        write_csv(parameters, truth)
        screen.print(f"their parameters in {truth}")


class Lapses(StrEnum):
    """What a network is to make of answers at random."""

    NONE = "none"
    MARGINAL = "marginal"
    ESTIMATED = "estimated"


def _with_lapses(prior: priors.Prior, lapses: Lapses) -> tuple[Model, priors.Prior]:
    if lapses is Lapses.NONE:
        return dmc(), prior
    free = dmc(free=["lapse"])
    if lapses is Lapses.MARGINAL:
        return marginalised(free, lapse=priors.lapse_rate()), prior
    return free, prior.extended(lapse=priors.lapse_rate())


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="File for the network.")],
    prior: Annotated[str | None, typer.Option(help=f"One of {', '.join(priors.NAMED)}; schaefer2025 when left out.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Budget in minutes; 5 when neither minutes nor steps are given.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Budget in steps instead: same seed, same network.")] = None,
    trials: Annotated[str | None, typer.Option(help="Numbers of trials a person, from-to; 50-1000 when left out.")] = None,
    congruent: Annotated[str | None, typer.Option(help="Share of congruent trials, one number or from-to; .5 when left out.")] = None,
    bank: Annotated[Path | None, typer.Option(help="Learn from a bank, whose prior and design count, instead of simulating.")] = None,
    lapses: Annotated[Lapses, typer.Option(help="Simulate answers at random too; their rate is integrated out, or a parameter.")] = Lapses.NONE,
    mmd: Annotated[float, typer.Option(min=0.0, help="Weight of the MMD term on the summaries.")] = 0.0,
    seed: Seed = 1,
) -> None:
    """Train a network for a prior and a design. An interrupted run goes on when the same command is given again."""
    if bank is not None and (prior, trials, congruent, lapses) != (None, None, None, Lapses.NONE):
        raise typer.BadParameter(
            "Expected --bank or --prior, --trials, --congruent and --lapses; got both. A bank has its own model, prior and design."
        )
    model, prior_in_use = _with_lapses(prior_named(prior or "schaefer2025"), lapses)
    source = open_bank(bank) if bank else Simulator(model, prior_in_use, _design(trials or "50-1000", congruent or "0.5"))
    if out.is_dir():
        raise typer.BadParameter(f"Expected a file for --out; {out} is a folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    budget = 5.0 if minutes is None and steps is None else minutes
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    if minutes is not None and steps is not None:
        raise typer.BadParameter("Expected --minutes or --steps; got both.")
    posterior = train_posterior(
        source, minutes=budget, steps=steps, seed=seed, architecture=Architecture(), recipe=Recipe(mmd_weight=mmd), checkpoint=checkpoint
    )
    posterior.save(out)
    posterior = with_quality(posterior, n_datasets=1000, seed=seed + 1, n_calibrated=300, n_efficiency=100)
    posterior.save(out)
    screen.print(str(posterior.history))
    _show_quality(posterior)
    screen.print(f"Network in {out}")


@app.command()
def recover(
    network: Annotated[str, typer.Argument(help="A network that ships with the package, or a file.")] = "dmc",
    datasets: Annotated[int, typer.Option(min=20, help="Simulated data sets.")] = 1000,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables and the figures.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Calibrate the network's own draws, not those corrected by the exact likelihood.")] = False,
    seed: Seed = 1,
) -> None:
    """Fit fresh simulations with known parameters: recovery, bias, coverage, calibration, by number of trials."""
    posterior = network_named(network)
    simulations = posterior.simulator.simulate(datasets, seed=seed)
    recovery = recover_parameters(posterior, simulations, seed=seed)
    screen.print(str(recovery))
    _show_table(recovery.table().round(3), "All data sets")
    shown = ["trials", "parameter", "r", "nrmse", "contraction", "coverage_90", "calibration_error"]
    by_trials = recovery.by_trials(bins_of(posterior))
    if len(by_trials):
        _show_table(by_trials.loc[:, shown].round(3), "By number of trials (bins of 20 data sets or more)")
    screen.print(LEGEND, style="dim")
    corrected = not raw and posterior.simulator.model.likelihood is not None
    calibration = calibrate(posterior, simulations, corrected=corrected, seed=seed + 1)
    ranks_by_trials = calibration.by_trials(bins_of(posterior))
    screen.print(str(calibration))
    _show_table(_worst_bin(calibration.table(), ranks_by_trials), "Ranks of the truth among the draws")
    screen.print(RANKS_LEGEND, style="dim")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_csv(recovery.table(), out / "recovery.csv")
        write_csv(by_trials, out / "recovery_by_trials.csv")
        save_png(recovery_figure(recovery, posterior.simulator.model.parameters), out / "recovery.png")
        write_csv(calibration.table(), out / "calibration.csv")
        write_csv(ranks_by_trials, out / "calibration_by_trials.csv")
        save_png(calibration_figure(calibration), out / "calibration.png")
        screen.print(f"Tables and figures in {out}")


def _worst_bin(table: pd.DataFrame, by_trials: pd.DataFrame) -> pd.DataFrame:
    """The calibration table as the screen shows it, with the smallest p over bins of trial number."""
    shown = table[["quantity", "p", "coverage_50", "coverage_90", "calibration_error", "z_mean", "z_sd"]].round(3)
    if len(by_trials):
        lowest = by_trials.loc[by_trials.groupby("quantity", sort=False)["p"].idxmin()].set_index("quantity")
        shown.insert(2, "lowest p of a bin", [f"{lowest['p'][name]:.3f} ({lowest['trials'][name]})" for name in shown["quantity"]])
    return pd.DataFrame(shown.astype(object).where(shown.notna(), ""))


@app.command()
def info(
    network: Annotated[str, typer.Argument(help="A network that ships with the package, or a file.")] = "dmc",
    figure: Annotated[Path | None, typer.Option(help="PNG, PDF or SVG for the loss history.")] = None,
) -> None:
    """What a network was trained for, how, and how good it is."""
    posterior = network_named(network)
    model, design = posterior.simulator.model, posterior.simulator.design
    screen.print(f"model   {model.name} ({model.reference}), {plain(str(dict(model.settings)))}")
    screen.print(f"prior   {plain(repr(posterior.simulator.prior))}")
    screen.print(f"design  {plain(str(design))}")
    if posterior.history is not None:
        screen.print(f"history {posterior.history}")
    for name in ("versions", "devices", "cores"):
        screen.print(f"{name}  {plain(str(posterior.notes.get(name)))}")
    _show_quality(posterior)
    if figure is not None and posterior.history is not None:
        drawing = history_figure(posterior.history)
        usable(lambda: save_figure(drawing, figure))


def _other_prior(name: str | None, posterior: Posterior) -> priors.Prior | None:
    if name is None:
        return None
    prior = prior_named(name)
    usable(lambda: with_prior(posterior.simulator, prior))
    return prior


def _fit_and_write(study: Trials, posterior: Posterior, out: Path, **options: Any) -> Fit:
    result = fit_study(study, posterior, **options)
    write_fit(result, out)
    return result


def _show_fit(result: Fit, out: Path) -> None:
    n = result.study.n_trials
    left_out = {reason: int(counts.sum()) for reason, counts in result.study.excluded.items() if counts.sum()}
    words = ", ".join(f"{count} {reason}" for reason, count in left_out.items()) or "nothing"
    screen.print(f"{len(result.draws)} people, {n.min()}–{n.max()} trials each; left out: {plain(words)}.")
    table = result.group()
    table[["mean", "sd over people", "contraction"]] = table[["mean", "sd over people", "contraction"]].map(lambda value: f"{value:.3g}")
    _show_table(table, "Posterior means over people")
    if result.draws.correction is not None:
        _show_correction(result)
    flagged = [(name, flags) for name, flags in zip(result.study.names, result.flags, strict=True) if flags]
    if flagged:
        screen.print(
            f"[yellow]{len(flagged)} of {len(result.study)} people lie outside what the network was trained for; see flags in people.csv:[/]"
        )
        for name, flags in flagged[:10]:
            screen.print(f"  {plain(name)}: {plain('; '.join(flags))}")
    screen.print(f"Results in {out}: posterior.csv, people.csv, draws.nc, predictive figures.")


def _show_correction(result: Fit) -> None:
    correction = result.draws.correction
    assert correction is not None
    n, n_mcmc = len(result.draws), int(correction.mcmc.sum())
    good = int((correction.k_hat <= largest_k_hat(result.draws.theta.shape[1])).sum())
    screen.print(
        f"Corrected by the exact likelihood: {np.median(correction.ess):.0%} of the network's draws effective (median; lowest "
        f"{correction.ess.min():.0%}); weights good (k_hat) for {good} of {n}" + (f"; {n_mcmc} sampled by MCMC instead." if n_mcmc else ".")
    )
    if not correction.accurate.all():
        names = [name for name, fine in zip(result.draws.names, correction.accurate, strict=True) if not fine]
        screen.print(f"[yellow]Likelihood less exact, mostly for answers far too fast for the model: {plain(', '.join(names[:10]))}[/]")


def _show_quality(posterior: Posterior) -> None:
    quality = posterior.notes.get("quality")
    if quality:
        _show_table(
            pd.DataFrame(quality["overall"]).round(3),
            f"Recovery on {quality['n_datasets']} fresh data sets, {quality['nats']:.2f} nats over the prior",
        )
        screen.print(LEGEND, style="dim")
        for at in quality.get("efficiency", []):
            screen.print(
                f"Against the exact posterior at {at['trials']} trials: {at['median']:.0%} of the draws effective (median; one in ten below "
                f"{at['q10']:.0%}), weights good for {at['k_hat_good']:.1%}."
            )


def _show_table(frame: pd.DataFrame, title: str) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for column in frame.columns:
        table.add_column(SHORT.get(column, str(column)), justify="left" if frame[column].dtype == object or column == "parameter" else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*(plain(str(value)) for value in row))
    screen.print(table)

"""The command line: parse, call one function, show what it returns."""

from __future__ import annotations

import re
import sys
import traceback
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import pandas as pd
import typer
from rich.text import Text

from incongruent.analysis import Fit
from incongruent.analysis import fit as fit_study
from incongruent.checks.network.quality import with_quality
from incongruent.cli.banks import bank_app, simulate_into
from incongruent.cli.check import check, show_check, show_report
from incongruent.cli.network import info, recover, show_quality, show_table
from incongruent.cli.page import open_app
from incongruent.cli.parts import (
    PRIOR_HELP,
    Anyway,
    Seed,
    called,
    file_for,
    folder_for,
    plain,
    print_anything,
    prior_said,
    range_of,
    usable,
    write_csv,
)
from incongruent.cli.reading import (
    AccuracyColumn,
    By,
    CodingWords,
    Columns,
    ConditionColumn,
    File,
    Network,
    Out,
    RtColumn,
    Unit,
    Where,
    coding_of,
    read_study,
)
from incongruent.data.basics.streams import Purpose, child
from incongruent.data.demo import demo_study, demo_truth
from incongruent.data.doors import COMMAND_LINE, at_door
from incongruent.data.files.tables import source_name
from incongruent.data.long_format import to_frame
from incongruent.data.reading.read_trials import DataError
from incongruent.data.trials import Trials
from incongruent.exact.importance import largest_k_hat
from incongruent.exact.likelihood import LikelihoodError
from incongruent.exact.reweight import with_prior
from incongruent.models import Model, dmc
from incongruent.networks.architecture import Architecture
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.pretrained import network_named
from incongruent.posterior.progress import announce, errors, screen, shown_stages
from incongruent.posterior.scope import IN_SHELL, ScopeError
from incongruent.priors.independent import Prior
from incongruent.priors.joint import PriorError
from incongruent.priors.published import lapse_rate
from incongruent.report import Origin
from incongruent.report.files import write_fit, write_uncorrected
from incongruent.simulation.designs import Design
from incongruent.simulation.nuisance import marginalised
from incongruent.simulation.simulator import Simulations, Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.bank import open_bank
from incongruent.training.recipe import Recipe
from incongruent.training.train import TrainingError
from incongruent.training.train import train as train_posterior

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=(
        "Amortized Bayesian inference for reaction-time models of conflict tasks. "
        "Exit codes: 0 good, 1 bad data or network, 2 bad usage. --debug shows tracebacks."
    ),
)
app.add_typer(bank_app, name="bank")
app.command()(check)
app.command(name="app")(open_app)

BAD_DATA = (DataError, FileError, LikelihoodError, PriorError, ScopeError, TrainingError, OSError)

AnyPrior = Annotated[
    str | None,
    typer.Option(
        "--prior",
        help=(
            "Posterior under another prior than the network's, exact as far as k_hat allows:"
            f" {PRIOR_HELP}."
        ),
    ),
]
Exact = Annotated[
    bool,
    typer.Option(
        "--exact",
        help=(
            "Sample everybody by MCMC on the exact likelihood: the reference, about 10 s a person."
        ),
    ),
]
Mcmc = Annotated[
    bool,
    typer.Option(
        "--mcmc/--no-mcmc",
        help="Sample by MCMC the people whose importance weights cannot be trusted (k_hat).",
    ),
]
WithCheck = Annotated[
    bool,
    typer.Option(
        "--check/--no-check",
        help="Ask also whether the model is right for these people; half a minute.",
    ),
]
Deadline = Annotated[
    float | None,
    typer.Option(
        min=1.0, help="RT in ms after which an answer counts as none; no deadline when left out."
    ),
]
Window = Annotated[
    str | None,
    typer.Option(help="Shortest and longest RT in ms to keep, or none; 150-2500 when left out."),
]
NDraws = Annotated[int, typer.Option("--draws", min=25, help="Draws from each person's posterior.")]


def main() -> NoReturn:
    """Run the command line; errors become one sentence, unless --debug is given."""
    print_anything()
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        with at_door(COMMAND_LINE):
            app(arguments, prog_name="incongruent")
    except BAD_DATA as error:
        if debug:
            traceback.print_exc()
        words = error.said(IN_SHELL) if isinstance(error, ScopeError) else str(error)
        errors.print(Text.assemble(("error:", "bold red"), f" {plain(words)}"))
        sys.exit(1)
    sys.exit(0)


@app.command()
def fit(
    files: File,
    out: Out,
    by: By = None,
    unit: Unit = None,
    columns: Columns = None,
    where: Where = None,
    coding: CodingWords = None,
    accuracy: AccuracyColumn = None,
    condition: ConditionColumn = None,
    rt: RtColumn = None,
    network: Network = "dmc",
    prior: AnyPrior = None,
    exact: Exact = False,
    mcmc: Mcmc = True,
    draws: NDraws = 1000,
    check: WithCheck = True,
    anyway: Anyway = False,
    seed: Seed = 1,
) -> None:
    """Posteriors, corrected by the exact likelihood, and predictions for everybody in one or more
    files of trials.
    """
    folder_for(out)
    posterior = network_named(network)
    roles = coding_of(coding, accuracy=accuracy, condition=condition, rt=rt)
    study = read_study(
        files, posterior, by=by, unit=unit, columns=columns, where=where, coding=roles
    )
    other = _other_prior(prior, posterior)
    result = _fit_and_write(
        study,
        posterior,
        out,
        n_draws=draws,
        prior=other,
        exact=exact,
        mcmc=mcmc,
        anyway=anyway,
        seed=seed,
    )
    _show_fit(result, out)
    found = show_check(study, posterior, out / "check", seed, anyway=True)[0] if check else None
    show_report(out, posterior, result, found, Origin(source_name(files), called(), seed))


@app.command()
def demo(
    out: Out = Path("incongruent-demo"),
    network: Network = "dmc",
    prior: AnyPrior = None,
    exact: Exact = False,
    draws: NDraws = 1000,
    check: WithCheck = True,
    anyway: Anyway = False,
    seed: Seed = 1,
) -> None:
    """The same on a simulated study that ships with the package, beside the known truth."""
    folder_for(out)
    screen.print("A simulated flanker study: 30 people, 240 trials each, true parameters known.")
    posterior = network_named(network)
    other = _other_prior(prior, posterior)
    result = _fit_and_write(
        demo_study(),
        posterior,
        out,
        n_draws=draws,
        prior=other,
        exact=exact,
        anyway=anyway,
        seed=seed,
    )
    _show_fit(result, out)
    truth = (
        demo_truth()
        .set_index("subject")
        .loc[list(result.draws.names), list(result.draws.parameter_names)]
        .to_numpy()
    )
    low, high = np.quantile(result.draws.theta, [0.05, 0.95], axis=1)
    table = pd.DataFrame(
        {
            "parameter": result.draws.parameter_names,
            "r of posterior mean and truth": [
                f"{np.corrcoef(truth[:, i], result.draws.means[:, i])[0, 1]:.2f}"
                for i in range(truth.shape[1])
            ],
            "90 % intervals with the truth": [
                f"{n} of {len(truth)}" for n in ((truth >= low) & (truth <= high)).sum(axis=0)
            ],
        }
    )
    show_table(table, "Against the truth")
    found = (
        show_check(demo_study(), posterior, out / "check", seed, anyway=True)[0] if check else None
    )
    show_report(out, posterior, result, found, Origin("demo study", called(), seed))


@app.command()
def simulate(
    out: Annotated[
        Path | None,
        typer.Option(help="CSV for the trials of a study: subject, condition, rt_ms, accuracy."),
    ] = None,
    bank: Annotated[
        Path | None,
        typer.Option(
            help="Folder for simulations to train with; goes on with what is there already."
        ),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="CSV for the parameters of each subject; with --out.")
    ] = None,
    people: Annotated[
        int, typer.Option(min=1, help="How many people; with more than before a bank is extended.")
    ] = 30,
    trials: Annotated[
        str, typer.Option(help="Trials of each; with --bank also from-to, such as 50-1000.")
    ] = "200",
    congruent: Annotated[
        str, typer.Option(help="Share of congruent trials; with --bank also from-to.")
    ] = "0.5",
    prior: Annotated[
        str, typer.Option(help=f"Where people's parameters come from: {PRIOR_HELP}.")
    ] = "schaefer2025",
    deadline: Deadline = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; one for each core when left out.")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Simulate a study whose parameters are known, or a bank of simulations to train with."""
    if (out is None) == (bank is None):
        raise typer.BadParameter(
            "Expected --out for one study or --bank for a folder of simulations; got"
            f" {'neither' if out is None else 'both'}."
        )
    if bank is not None:
        if truth is not None:
            raise typer.BadParameter(
                "Expected --truth with --out; a bank holds the parameters itself."
            )
        simulate_into(
            bank,
            _simulator(dmc(), prior, _design(trials, congruent, deadline)),
            people,
            seed=seed,
            workers=workers,
        )
    elif out is not None:
        for path in (out, truth):
            if path is not None:
                file_for(path)
        design = usable(
            lambda: _design(
                _one("--trials", trials), _one("--congruent", congruent), deadline, "none"
            )
        )
        _write_study(
            _simulator(dmc(), prior, design).simulate(people, seed=seed, workers=workers),
            out,
            truth,
        )


def _simulator(model: Model, prior: str, design: Design) -> Simulator:
    """Of a model under a prior in words, which also has to be one that the model allows."""
    return usable(lambda: Simulator(model, prior_said(prior, model.parameters), design))


def _one(option: str, text: str) -> str:
    if re.search(r"\d\s*[-–]", text):
        raise typer.BadParameter(
            f"Expected one number for {option} with --out; got {text!r}. Ranges are for --bank."
        )
    return text


def _design(
    trials: str, congruent: str, deadline: float | None = None, window: str | None = None
) -> Design:
    """Trials a person and share of congruent trials, each one number or from-to; a deadline and the
    RTs that are kept, in ms.
    """
    low, high = range_of("--congruent", congruent, float, "0.4-0.6")
    if high > 1.0:
        raise typer.BadParameter(
            f"Expected --congruent within 0 and 1, such as 0.5 or 0.4-0.6; got {congruent!r}."
        )
    fewest, most = range_of("--trials", trials, int, "50-1000")
    share = {"congruent": (low, high), "incongruent": (1.0 - high, 1.0 - low)}
    design = usable(lambda: Design((int(fewest), int(most)), share, deadline=deadline))
    if window is None:
        return design
    kept = None if window == "none" else range_of("--window", window, float, "150-2500")
    return usable(lambda: replace(design, window=kept))


def _write_study(simulations: Simulations, out: Path, truth: Path | None) -> None:
    frame = to_frame(simulations.trials)
    correct = pd.Series((frame["response"] == "correct").to_numpy(int), dtype="Int64").mask(
        frame["response"].isna()
    )
    table = pd.DataFrame(
        {
            "subject": frame["subject"],
            "condition": frame["condition"],
            "rt_ms": frame["rt"].round(2),
            "accuracy": correct,
        }
    )
    write_csv(table, out)
    screen.print(f"{len(frame)} trials of {len(simulations)} people in {plain(str(out))}")
    if truth is not None:
        parameters = pd.DataFrame(simulations.theta, columns=list(simulations.parameter_names))
        parameters.insert(0, "subject", list(simulations.trials.names))
        write_csv(parameters, truth)
        screen.print(f"their parameters in {plain(str(truth))}")


class Lapses(StrEnum):
    """What a network is to make of answers at random."""

    NONE = "none"
    MARGINAL = "marginal"
    ESTIMATED = "estimated"


def _with_lapses(prior: Prior, lapses: Lapses) -> tuple[Model, Prior]:
    if lapses is Lapses.NONE:
        return dmc(), prior
    free = dmc(free=["lapse"])
    if lapses is Lapses.MARGINAL:
        return marginalised(free, lapse=lapse_rate()), prior
    return free, prior.extended(lapse=lapse_rate())


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="File for the network.")],
    prior: Annotated[
        str | None,
        typer.Option(
            help=f"Prior of the model's parameters: {PRIOR_HELP}; schaefer2025 when left out."
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Budget in minutes; 5 when neither minutes nor steps are given."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Budget in steps instead: same seed, same network.")
    ] = None,
    trials: Annotated[
        str | None, typer.Option(help="Numbers of trials a person, from-to; 50-1000 when left out.")
    ] = None,
    congruent: Annotated[
        str | None,
        typer.Option(help="Share of congruent trials, one number or from-to; 0.5 when left out."),
    ] = None,
    bank: Annotated[
        Path | None,
        typer.Option(
            help="Learn from a bank, whose prior and design count, instead of simulating."
        ),
    ] = None,
    deadline: Deadline = None,
    window: Window = None,
    lapses: Annotated[
        Lapses,
        typer.Option(
            help="Simulate answers at random too; their rate is integrated out, or a parameter."
        ),
    ] = Lapses.NONE,
    mmd: Annotated[
        float, typer.Option(min=0.0, help="Weight of the MMD term on the summaries.")
    ] = 0.0,
    seed: Seed = 1,
) -> None:
    """Train a network for a prior and a design. An interrupted run goes on when the same command is
    given again.
    """
    if bank is not None and (prior, trials, congruent, deadline, window, lapses) != (
        None,
        None,
        None,
        None,
        None,
        Lapses.NONE,
    ):
        raise typer.BadParameter(
            "Expected --bank or --prior, --trials, --congruent, --deadline, --window and --lapses;"
            " got both. A bank has its own model, prior and design."
        )
    if minutes is not None and steps is not None:
        raise typer.BadParameter("Expected --minutes or --steps; got both.")
    file_for(out)
    model, prior_in_use = _with_lapses(
        prior_said(prior or "schaefer2025", dmc().parameters), lapses
    )
    design = _design(trials or "50-1000", congruent or "0.5", deadline, window)
    source = open_bank(bank) if bank else usable(lambda: Simulator(model, prior_in_use, design))
    budget = 5.0 if minutes is None and steps is None else minutes
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    posterior = train_posterior(
        source,
        minutes=budget,
        steps=steps,
        seed=seed,
        architecture=Architecture(),
        recipe=Recipe(mmd_weight=mmd),
        checkpoint=checkpoint,
    )
    posterior.save(out)
    with shown_stages(errors):
        announce("measuring on simulations how good the network is")
        posterior = with_quality(
            posterior,
            n_datasets=1000,
            seed=child(seed, Purpose.QUALITY),
            n_calibrated=300,
            n_efficiency=100,
        )
    posterior.save(out)
    screen.print(plain(str(posterior.history)))
    show_quality(posterior)
    screen.print(f"Network in {plain(str(out))}")


def _other_prior(name: str | None, posterior: Posterior) -> Prior | None:
    if name is None:
        return None
    prior = prior_said(name, posterior.simulator.model.parameters)
    usable(lambda: with_prior(posterior.simulator, prior))
    return prior


def _fit_and_write(study: Trials, posterior: Posterior, out: Path, **options: Any) -> Fit:
    """Fit beside a bar; the network's own draws are written before the correction, which may take
    minutes.
    """
    written: list[Path] = []
    try:
        with shown_stages(errors):
            result = fit_study(
                study,
                posterior,
                first=lambda draws, admission: written.extend(
                    write_uncorrected(draws, admission, out)
                ),
                **options,
            )
            announce("writing tables and figures")
            write_fit(result, out)
    except BaseException:
        if written:
            words = plain(", ".join(map(str, written)))
            errors.print(
                f"The fit did not end. What the network says, without correction, is in {words}.",
                style="yellow",
            )
        raise
    return result


def _show_fit(result: Fit, out: Path) -> None:
    n = result.study.n_trials
    left_out = {
        reason: int(counts.sum())
        for reason, counts in result.study.excluded.items()
        if counts.sum()
    }
    words = ", ".join(f"{count} {reason}" for reason, count in left_out.items()) or "nothing"
    screen.print(
        f"{len(result.draws)} people, {n.min()}–{n.max()} trials each; left out: {plain(words)}."
    )
    for sentence in result.alarms:
        screen.print(plain(sentence), style="bold red")
    table = result.group()
    table[["mean", "sd over people", "contraction"]] = table[
        ["mean", "sd over people", "contraction"]
    ].map(lambda value: f"{value:.3g}")
    show_table(table, "Posterior means over people")
    if result.draws.correction is not None:
        _show_correction(result)
    flagged = [
        (name, flags) for name, flags in zip(result.study.names, result.flags, strict=True) if flags
    ]
    if flagged:
        screen.print(
            f"{len(flagged)} of {len(result.study)} people lie outside what the network was trained"
            " for; see flags in people.csv:",
            style="yellow",
        )
        for name, flags in flagged[:10]:
            screen.print(f"  {plain(name)}: {plain('; '.join(flags))}")
    screen.print(
        f"Results in {plain(str(out))}: posterior.csv, people.csv, draws.nc, predictive figures."
    )


def _show_correction(result: Fit) -> None:
    correction = result.draws.correction
    assert correction is not None
    n, n_mcmc = len(result.draws), int(correction.mcmc.sum())
    good = int((correction.k_hat <= largest_k_hat(result.draws.theta.shape[1])).sum())
    screen.print(
        f"Corrected by the exact likelihood: {np.median(correction.ess):.0%} of the network's draws"
        f" effective (median; lowest {correction.ess.min():.0%}); weights good (k_hat) for {good}"
        f" of {n}" + (f"; {n_mcmc} sampled by MCMC instead." if n_mcmc else ".")
    )
    if not correction.accurate.all():
        names = [
            name
            for name, fine in zip(result.draws.names, correction.accurate, strict=True)
            if not fine
        ]
        words = (
            "Likelihood less exact, mostly for answers far too fast for the model:"
            f" {plain(', '.join(names[:10]))}"
        )
        screen.print(words, style="yellow")


app.command()(recover)
app.command()(info)

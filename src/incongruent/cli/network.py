"""The commands of the command line about a network: how good it is, and what it was trained for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich import box
from rich.table import Table

from incongruent.checks.network.calibration import calibrate
from incongruent.checks.network.recovery import bins_of
from incongruent.checks.network.recovery import recover as recover_parameters
from incongruent.cli.parts import Seed, file_for, folder_for, plain, usable, write_csv
from incongruent.data.basics.streams import Purpose, child
from incongruent.plots import (
    calibration_figure,
    history_figure,
    recovery_figure,
    save_figure,
    save_png,
)
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.pretrained import network_named
from incongruent.posterior.progress import announce, errors, screen, shown_stages

SHORT = {
    "contraction": "contr.",
    "coverage_50": "in 50 %",
    "coverage_90": "in 90 %",
    "calibration_error": "ECE",
}
"""Column heads that fit a narrow screen."""
RANKS_LEGEND = (
    "p: of uniform ranks, from simultaneous bands; with so many tests some lie below 0.05. TARP:"
    " distance from a reference point, drawn from the prior or near, from the posterior. z:"
    " (posterior mean - truth) / posterior SD, 0 ± 1 when calibrated"
)
LEGEND = (
    "contr.: contraction; in 50 %, in 90 %: share of intervals that hold the truth; ECE: expected"
    " calibration error"
)


def recover(
    network: Annotated[
        str, typer.Argument(help="A network that ships with the package, or a file.")
    ] = "dmc",
    datasets: Annotated[int, typer.Option(min=20, help="Simulated data sets.")] = 1000,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables and the figures.")] = None,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help="Calibrate the network's own draws, not those corrected by the exact likelihood.",
        ),
    ] = False,
    seed: Seed = 1,
) -> None:
    """Fit fresh simulations with known parameters: recovery, bias, coverage, calibration, by number
    of trials.
    """
    if out is not None:
        folder_for(out)
    posterior = network_named(network)
    with shown_stages(errors):
        announce("simulating data sets")
        simulations = posterior.simulator.simulate(
            datasets, seed=child(seed, Purpose.RECOVERY_DATA)
        )
        announce("fitting them")
        recovery = recover_parameters(posterior, simulations, seed=seed)
    screen.print(plain(str(recovery)))
    show_table(recovery.table().round(3), "All data sets")
    shown = ["trials", "parameter", "r", "nrmse", "contraction", "coverage_90", "calibration_error"]
    by_trials = recovery.by_trials(bins_of(posterior))
    if len(by_trials):
        show_table(
            by_trials.loc[:, shown].round(3), "By number of trials (bins of 20 data sets or more)"
        )
    screen.print(LEGEND, style="dim")
    corrected = not raw and posterior.simulator.model.likelihood is not None
    with shown_stages(errors):
        announce("asking whether posteriors mean what they say")
        calibration = calibrate(posterior, simulations, corrected=corrected, seed=seed)
    ranks_by_trials = calibration.by_trials(bins_of(posterior))
    screen.print(plain(str(calibration)))
    show_table(
        _worst_bin(calibration.table(), ranks_by_trials), "Ranks of the truth among the draws"
    )
    screen.print(RANKS_LEGEND, style="dim")
    if out is not None:
        write_csv(recovery.table(), out / "recovery.csv")
        write_csv(by_trials, out / "recovery_by_trials.csv")
        save_png(
            recovery_figure(recovery, posterior.simulator.model.parameters), out / "recovery.png"
        )
        write_csv(calibration.table(), out / "calibration.csv")
        write_csv(ranks_by_trials, out / "calibration_by_trials.csv")
        save_png(calibration_figure(calibration), out / "calibration.png")
        screen.print(f"Tables and figures in {plain(str(out))}")


def _worst_bin(table: pd.DataFrame, by_trials: pd.DataFrame) -> pd.DataFrame:
    """The calibration table as the screen shows it, with the smallest p over bins of trial number."""
    shown = table[
        ["quantity", "p", "coverage_50", "coverage_90", "calibration_error", "z_mean", "z_sd"]
    ].round(3)
    if len(by_trials):
        lowest = by_trials.loc[by_trials.groupby("quantity", sort=False)["p"].idxmin()].set_index(
            "quantity"
        )
        shown.insert(
            2,
            "lowest p of a bin",
            [f"{lowest['p'][name]:.3f} ({lowest['trials'][name]})" for name in shown["quantity"]],
        )
    return pd.DataFrame(shown.astype(object).where(shown.notna(), ""))


def info(
    network: Annotated[
        str, typer.Argument(help="A network that ships with the package, or a file.")
    ] = "dmc",
    figure: Annotated[
        Path | None, typer.Option(help="PNG, PDF or SVG for the loss history.")
    ] = None,
) -> None:
    """What a network was trained for, how, and how good it is."""
    if figure is not None:
        file_for(figure)
    posterior = network_named(network)
    model, design = posterior.simulator.model, posterior.simulator.design
    screen.print(f"model   {model.name} ({model.reference}), {plain(str(dict(model.settings)))}")
    screen.print(f"prior   {plain(repr(posterior.simulator.prior))}")
    screen.print(f"design  {plain(str(design))}")
    if posterior.history is not None:
        screen.print(f"history {plain(str(posterior.history))}")
    for name in ("versions", "devices", "cores"):
        screen.print(f"{name}  {plain(str(posterior.notes.get(name)))}")
    show_quality(posterior)
    if figure is not None and posterior.history is not None:
        drawing = history_figure(posterior.history)
        usable(lambda: save_figure(drawing, figure))


def show_quality(posterior: Posterior) -> None:
    """Print what is on record of a network's recovery."""
    quality = posterior.notes.get("quality")
    if quality:
        show_table(
            pd.DataFrame(quality["overall"]).round(3),
            f"Recovery on {quality['n_datasets']} fresh data sets, {quality['nats']:.2f} nats over"
            " the prior",
        )
        screen.print(LEGEND, style="dim")
        for at in quality.get("efficiency", []):
            screen.print(
                f"Against the exact posterior at {at['trials']} trials: {at['median']:.0%} of the"
                f" draws effective (median; one in ten below {at['q10']:.0%}), weights good for"
                f" {at['k_hat_good']:.1%}."
            )


def show_table(frame: pd.DataFrame, title: str) -> None:
    """Print a table."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    for column in frame.columns:
        table.add_column(
            SHORT.get(column, str(column)),
            justify="left" if frame[column].dtype == object or column == "parameter" else "right",
        )
    for row in frame.itertuples(index=False):
        table.add_row(*(plain(str(value)) for value in row))
    screen.print(table)

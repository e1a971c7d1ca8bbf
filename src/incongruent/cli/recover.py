"""``incongruent recover``: fresh simulations with known parameters are fitted again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from incongruent.cli.options import Seed
from incongruent.cli.parts import folder_for, plain


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
    """Fit fresh simulations with known parameters: recovery, bias, coverage, calibration.

    These are shown for all data sets and by number of trials.
    """
    from incongruent.checks.network.recovery import bins_of
    from incongruent.cli import recovery as work
    from incongruent.posterior.pretrained import network_named
    from incongruent.posterior.progress import screen

    if out is not None:
        folder_for(out)
    posterior = network_named(network)
    bins, parameters = bins_of(posterior), posterior.simulator.model.parameters
    simulations, recovery = work.recovered(posterior, datasets, seed)
    recovery_by_trials = recovery.by_trials(bins)
    work.show_recovery(recovery, recovery_by_trials)
    calibration = work.calibrated(posterior, simulations, raw=raw, seed=seed)
    ranks_by_trials = calibration.by_trials(bins)
    work.show_calibration(calibration, ranks_by_trials)
    if out is not None:
        work.write_recovery(recovery, recovery_by_trials, parameters, out)
        work.write_calibration(calibration, ranks_by_trials, out)
        screen.print(f"Tables and figures in {plain(str(out))}")

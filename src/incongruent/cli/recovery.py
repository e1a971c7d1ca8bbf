"""What ``incongruent recover`` measures, shows and writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from incongruent.checks.network.calibration import Calibration, calibrate
from incongruent.checks.network.recovery import Recovery
from incongruent.checks.network.recovery import recover as recover_parameters
from incongruent.cli.parts import plain
from incongruent.cli.tables import LEGEND, show_table, write_csv
from incongruent.data.basics.streams import Purpose, child
from incongruent.models import Parameter
from incongruent.plots import calibration_figure, recovery_figure, save_png
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce, errors, screen, shown_stages
from incongruent.simulation.simulator import Simulations

RANKS_LEGEND = (
    "p: of uniform ranks, from simultaneous bands; with so many tests some lie below 0.05. TARP:"
    " distance from a reference point, drawn from the prior or near, from the posterior. z:"
    " (posterior mean - truth) / posterior SD, 0 ± 1 when calibrated"
)
RECOVERED = ["trials", "parameter", "r", "nrmse", "contraction", "coverage_90", "calibration_error"]
"""Columns of the table by number of trials that fit the screen."""
CALIBRATED = ["quantity", "p", "coverage_50", "coverage_90", "calibration_error", "z_mean", "z_sd"]
"""Columns of the table of ranks that fit the screen."""


def recovered(posterior: Posterior, datasets: int, seed: int) -> tuple[Simulations, Recovery]:
    """Fresh simulations, and what their fits say of the network."""
    with shown_stages(errors):
        announce("simulating data sets")
        simulations = posterior.simulator.simulate(
            datasets, seed=child(seed, Purpose.RECOVERY_DATA)
        )
        announce("fitting them")
        return simulations, recover_parameters(posterior, simulations, seed=seed)


def calibrated(
    posterior: Posterior, simulations: Simulations, *, raw: bool, seed: int
) -> Calibration:
    """Whether posteriors of the simulations mean what they say; ``raw`` asks the network's own."""
    corrected = not raw and posterior.simulator.model.likelihood is not None
    with shown_stages(errors):
        announce("testing calibration")
        return calibrate(posterior, simulations, corrected=corrected, seed=seed)


def show_recovery(recovery: Recovery, by_trials: pd.DataFrame) -> None:
    """Print how well parameters are recovered, over all data sets and by number of trials."""
    screen.print(plain(str(recovery)))
    show_table(recovery.table().round(3), "All data sets")
    if len(by_trials):
        show_table(
            by_trials.loc[:, RECOVERED].round(3),
            "By number of trials (bins of 20 data sets or more)",
        )
    screen.print(LEGEND, style="dim")


def show_calibration(calibration: Calibration, by_trials: pd.DataFrame) -> None:
    """Print how the truth ranks among the draws."""
    screen.print(plain(str(calibration)))
    show_table(
        _with_worst_bin(calibration.table(), by_trials),
        "Ranks of the truth among the draws",
    )
    screen.print(RANKS_LEGEND, style="dim")


def _with_worst_bin(table: pd.DataFrame, by_trials: pd.DataFrame) -> pd.DataFrame:
    """The table of ranks for the screen, with the smallest p over bins of trial number."""
    shown = table[CALIBRATED].round(3)
    if len(by_trials):
        worst = by_trials.loc[by_trials.groupby("quantity", sort=False)["p"].idxmin()]
        worst = worst.set_index("quantity")
        p, trials = worst["p"], worst["trials"]
        shown.insert(
            2,
            "lowest p of a bin",
            [f"{p[name]:.3f} ({trials[name]})" for name in shown["quantity"]],
        )
    return pd.DataFrame(shown.astype(object).where(shown.notna(), ""))


def write_recovery(
    recovery: Recovery, by_trials: pd.DataFrame, parameters: tuple[Parameter, ...], out: Path
) -> None:
    """Write the tables and the figure of a recovery into a folder."""
    write_csv(recovery.table(), out / "recovery.csv")
    write_csv(by_trials, out / "recovery_by_trials.csv")
    save_png(recovery_figure(recovery, parameters), out / "recovery.png")


def write_calibration(calibration: Calibration, by_trials: pd.DataFrame, out: Path) -> None:
    """Write the tables and the figure of a calibration into a folder."""
    write_csv(calibration.table(), out / "calibration.csv")
    write_csv(by_trials, out / "calibration_by_trials.csv")
    save_png(calibration_figure(calibration), out / "calibration.png")

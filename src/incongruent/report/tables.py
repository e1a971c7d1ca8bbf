"""The tables of the page: parameters over people, and people one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.record import Check
from incongruent.exact.importance import largest_k_hat
from incongruent.models import Parameter
from incongruent.posterior.draws import BY_ADAPTIVE, BY_MCMC, Draws
from incongruent.report.concerns import Concern
from incongruent.report.values import (
    Cell,
    Column,
    Table,
    error_columns,
    interval,
    number_cell,
    parameters_of,
    percent,
    shown,
)

Array = np.ndarray

ANEW = {BY_ADAPTIVE: "adapted", BY_MCMC: "MCMC"}
"""Short words beside the k-hat of people who were sampled anew."""
GROUP_COLUMNS = (
    Column("parameter", number=False),
    Column("mean of these people", "posterior mean and 90 % interval of the average over people"),
    Column("SD over people", "of the posterior means; people themselves differ somewhat more"),
    Column(
        "contraction",
        "1 − posterior variance / prior variance, mean over people: 0 nothing learned, 1 settled",
    ),
)
CHECK_COLUMNS = (
    Column("person", number=False),
    Column("surprise p", "how often the model makes data sets so far from the others"),
    Column("depth", "0 at the rim of the simulations, 1 in their centre"),
    Column("outside", number=False),
    Column("stands out", number=False),
    Column("not predicted", "statistics that the fitted model does not predict", number=False),
)


def group_table(draws: Draws) -> Table:
    """One row per parameter: the mean of these people, how much they differ, what data taught."""
    columns = zip(
        parameters_of(draws),
        draws.theta.mean(axis=0).T,  # (parameter, draw)
        _sd_over_people(draws.means),
        draws.contraction.mean(axis=0),
        strict=True,
    )
    return Table(GROUP_COLUMNS, tuple(_group_row(*of_parameter) for of_parameter in columns))


def _group_row(
    parameter: Parameter, means: Array, sd: float, contraction: float
) -> tuple[Cell, ...]:
    """One parameter, with the average over people at every draw (draw,)."""
    return (
        Cell(parameter.name, below=parameter.meaning),
        _average(means, parameter.unit),
        number_cell(sd),
        number_cell(contraction, 2),
    )


def _sd_over_people(means: Array) -> Array:
    """Standard deviation of posterior means (person, parameter); NaN for a single person."""
    return means.std(axis=0, ddof=1) if len(means) > 1 else np.full(means.shape[1], np.nan)


def _average(means: Array, unit: str) -> Cell:
    """The average over people of one parameter, from its value at every draw (draw,)."""
    mean = float(means.mean())
    words = f"{shown(mean)} {unit}" if unit else shown(mean)
    return Cell(words, mean, interval(*np.quantile(means, [0.05, 0.95])))


def people_table(
    fit: Fit | None, check: Check | None, concerns: Sequence[Sequence[Concern]] = ()
) -> Table:
    """One row per person: trials, errors, how the posterior was reached, concerns, parameters.

    Args:
        fit: of the study; without it the table shows what the check says of everybody.
        check: of the same people.
        concerns: of everybody in the study, see `concerns_of`.
    """
    if fit is None:
        assert check is not None
        return _checked_people(check)
    people, positions, estimates = fit.people(), _positions(fit), _estimates(fit.draws)
    everybody = zip(fit.study.names, people.to_dict("records"), positions, concerns, strict=True)
    rows = [
        (
            Cell(name),
            *_data_cells(row),
            *_weight_cells(fit.draws, k),
            Cell("; ".join(concern.short for concern in found)),
            *(estimates[k] if k is not None else [Cell("")] * len(estimates[0])),
        )
        for name, row, k, found in everybody
    ]
    return Table(_people_columns(fit.draws, error_columns(people)), tuple(rows), positions)


def _positions(fit: Fit) -> tuple[int | None, ...]:
    """The position in the draws of everybody in the study; None for who was not fitted."""
    fitted = fit.study.n_trials > 0
    places = np.cumsum(fitted) - 1
    return tuple(int(k) if some else None for k, some in zip(places, fitted, strict=True))


def _people_columns(draws: Draws, errors: Mapping[str, str]) -> tuple[Column, ...]:
    return (
        Column("person", number=False),
        *_data_columns(errors.values()),
        *_weight_columns(draws),
        Column("look at", "why to be careful with this person", number=False),
        *(Column(p.name, _meaning(p)) for p in parameters_of(draws)),
    )


def _data_columns(levels: Iterable[str]) -> list[Column]:
    """Trials, and errors of each condition."""
    trials = Column("trials", "used, with those left out below")
    return [trials, *(Column(f"errors {level}", "share of these trials") for level in levels)]


def _weight_columns(draws: Draws) -> list[Column]:
    """k-hat and effective share; none where draws were not corrected."""
    if draws.correction is None:
        return []
    largest = largest_k_hat(draws.theta.shape[1])
    return [
        Column("k-hat", f"of the importance weights; up to {largest:.2f} they can be trusted"),
        Column("ESS", "effective share of the network's draws"),
    ]


def _meaning(parameter: Parameter) -> str:
    unit = f", {parameter.unit}" if parameter.unit else ""
    return f"{parameter.meaning}{unit}: posterior mean, 90 % interval below"


def _data_cells(row: Mapping[str, Any]) -> list[Cell]:
    """Trials and errors of one person, from a row of `Fit.people`."""
    errors = (Cell(percent(row[name]), float(row[name])) for name in error_columns(row))
    return [_trials_cell(int(row["n_trials"]), int(row["n_excluded"])), *errors]


def _trials_cell(used: int, left_out: int) -> Cell:
    return Cell(str(used), used, f"−{left_out}" if left_out else "")


def _weight_cells(draws: Draws, person: int | None) -> list[Cell]:
    """k-hat and effective share; none where draws were not corrected."""
    correction = draws.correction
    if correction is None:
        return []
    if person is None:
        return [Cell(""), Cell("")]
    instead = ANEW.get(correction.sampled_by[person], "")
    k_hat, ess = float(correction.k_hat[person]), float(correction.ess[person])
    return [Cell(_two_digits(k_hat), k_hat, instead), Cell(percent(ess, 0), ess)]


def _two_digits(value: float) -> str:
    """A number with two digits after the point."""
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else shown(value)


def _estimates(draws: Draws) -> list[list[Cell]]:
    """Posterior mean and 90 % interval of every parameter, person by person."""
    low, high = np.quantile(draws.theta, [0.05, 0.95], axis=1)  # (person, parameter) each
    return [_estimate_cells(*values) for values in zip(draws.means, low, high, strict=True)]


def _estimate_cells(means: Array, lows: Array, highs: Array) -> list[Cell]:
    """The parameters of one person (parameter,)."""
    return [
        Cell(shown(mean), float(mean), interval(*ends))
        for mean, *ends in zip(means, lows, highs, strict=True)
    ]


def _checked_people(check: Check) -> Table:
    """What the check says of everybody."""
    rows = check.people().to_dict("records")
    return Table(CHECK_COLUMNS, tuple(_check_cells(row) for row in rows))


def _check_cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    """One person, from a row of `Check.people`."""
    return (
        Cell(str(row["participant"])),
        number_cell(row["p"]),
        number_cell(row["depth"]),
        Cell("outside" if row["outside"] else ""),
        Cell(str(row["stands_out"])),
        Cell(str(row["failing"])),
    )

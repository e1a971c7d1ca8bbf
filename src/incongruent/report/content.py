"""What stands on the page, as plain values: a template shows them, a script draws them, and neither
computes anything.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.verdict import Check
from incongruent.exact.importance import largest_k_hat
from incongruent.posterior.draws import Draws
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior

Array = np.ndarray

VERSIONS = ("incongruent", "numpy", "scipy", "numba", "jax", "equinox", "emcee", "arviz-stats")
"""Packages whose versions a result rests on."""


@dataclass(frozen=True)
class Origin:
    """Where a result comes from.

    Attributes:
        source: the file or data set, as the user calls it.
        command: what was called, so that anyone can do so again.
        seed: of everything random; None when it is not known.
        left_out: people who were not looked at, for want of usable trials.
    """

    source: str = ""
    command: str = ""
    seed: int | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of a table on the page: what it is called, what it means, and whether it holds
    numbers.
    """

    name: str
    meaning: str = ""
    number: bool = True


@dataclass(frozen=True)
class Cell:
    """One cell: what is shown, what it is sorted by, and a second line in small letters."""

    text: str
    value: float | str | None = None
    below: str = ""

    @property
    def key(self) -> str:
        """What the page's script sorts by."""
        if self.value is None:
            return self.text
        return (
            str(self.value).replace("inf", "Infinity")
            if isinstance(self.value, float)
            else str(self.value)
        )


@dataclass(frozen=True)
class Table:
    """A table on the page.

    Attributes:
        columns: heads.
        rows: cells, as many as columns.
        people: the position of each row's person in the draws; None for a row that cannot be looked
            at.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    people: tuple[int | None, ...] = ()


def shown(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, in a form that people read; nothing for one that is
    not known.
    """
    if not np.isfinite(value):
        return "–" if np.isnan(value) else "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e6:
        text = f"{value:.0f}"
    return text.replace("-", "−") if "e" not in text else text


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage."""
    return "–" if not np.isfinite(share) else f"{100 * share:.{digits}f} %"


def glance(fit: Fit | None, check: Check | None, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """The study in numbers: people, trials, what was left out and why, errors by condition, what
    the reader understood.
    """
    if fit is None:
        n_people = len(check.scope) if check is not None else 0
        return {"n_people": n_people + len(left_out), "not_fitted": list(left_out), "alarms": []}
    people, study = fit.people(), fit.study
    n = study.n_trials[study.n_trials > 0]
    excluded = {
        reason: int(counts.sum()) for reason, counts in study.excluded.items() if counts.sum()
    }
    total = int(study.n_trials.sum() + study.n_excluded.sum())
    errors = {
        level: float(np.mean(people[name].dropna()))
        for name, level in error_columns(people).items()
    }
    return {
        "n_people": len(study),
        "alarms": list(fit.alarms),
        "not_fitted": list(fit.not_fitted),
        "n_trials": int(study.n_trials.sum()),
        "trials_each": (int(n.min()), int(np.median(n)), int(n.max())) if len(n) else (0, 0, 0),
        "excluded": excluded,
        "n_excluded": int(study.n_excluded.sum()),
        "share_excluded": study.n_excluded.sum() / max(total, 1),
        "errors": {level: percent(share) for level, share in errors.items() if np.isfinite(share)},
        "flagged": [
            (study.names[i], list(fit.flags[i]))
            for i in np.flatnonzero(study.n_trials > 0)
            if fit.flags[i]
        ],
        "notes": list(study.notes),
    }


def error_columns(people: Iterable[Any]) -> dict[str, str]:
    """The columns of `Fit.people` that hold shares of errors, and the condition of each."""
    return {
        str(name): str(name).removeprefix("error_")
        for name in people
        if str(name).startswith("error_")
    }


def group_table(draws: Draws) -> Table:
    """One row per parameter: the mean of these people with its 90 % interval, how much they differ,
    what the data taught.
    """
    columns = (
        Column("parameter", number=False),
        Column(
            "mean of these people", "posterior mean and 90 % interval of the average over people"
        ),
        Column("SD over people", "of the posterior means; people themselves differ somewhat more"),
        Column(
            "contraction",
            "1 − posterior variance / prior variance, mean over people: 0 nothing learned, 1"
            " settled",
        ),
    )
    means = draws.theta.mean(axis=0)  # (draw, parameter)
    low, high = np.quantile(means, [0.05, 0.95], axis=0)
    sd = draws.means.std(axis=0, ddof=1) if len(draws) > 1 else np.full(means.shape[1], np.nan)
    contraction = draws.contraction.mean(axis=0)
    rows = []
    for i, parameter in enumerate(parameters_of(draws)):
        unit = f" {parameter.unit}" if parameter.unit else ""
        average = Cell(
            f"{shown(means[:, i].mean())}{unit}",
            float(means[:, i].mean()),
            f"{shown(low[i])} to {shown(high[i])}",
        )
        cells = (
            Cell(parameter.name, below=parameter.meaning),
            average,
            Cell(shown(sd[i]), float(sd[i])),
        )
        rows.append((*cells, Cell(shown(contraction[i], 2), float(contraction[i]))))
    return Table(columns, tuple(rows))


def people_table(
    fit: Fit | None, check: Check | None, concerns: Sequence[Sequence[tuple[str, str]]] = ()
) -> Table:
    """One row per person: trials, errors, how the posterior was reached, whether to worry
    (`concerns_of`), every parameter.
    """
    if fit is None:
        assert check is not None
        return _checked_people(check)
    people, draws = fit.people(), fit.draws
    fitted = np.flatnonzero(fit.study.n_trials > 0)
    positions: list[int | None] = [None] * len(people)
    for k, i in enumerate(fitted):
        positions[i] = k
    errors = error_columns(people)
    columns = [Column("person", number=False), Column("trials", "used, with those left out below")]
    columns += [Column(f"errors {level}", "share of these trials") for level in errors.values()]
    if draws.correction is not None:
        columns += [
            Column(
                "k-hat",
                f"of the importance weights; up to {largest_k_hat(draws.theta.shape[1]):.2f} they"
                " can be trusted",
            )
        ]
        columns += [Column("ESS", "effective share of the network's draws")]
    columns += [Column("look at", "why to be careful with this person", number=False)]
    columns += [
        Column(
            p.name,
            f"{p.meaning}{', ' + p.unit if p.unit else ''}: posterior mean, 90 % interval below",
        )
        for p in parameters_of(draws)
    ]
    rows = []
    means, interval = (
        draws.means,
        np.quantile(draws.theta, [0.05, 0.95], axis=1),
    )  # (person, parameter), (2, person, parameter)
    for i, (k, row) in enumerate(zip(positions, people.to_dict("records"), strict=True)):
        used, left_out = int(row["n_trials"]), int(row["n_excluded"])
        cells = [
            Cell(fit.study.names[i]),
            Cell(str(used), used, f"−{left_out}" if left_out else ""),
        ]
        cells += [Cell(percent(row[name]), float(row[name])) for name in errors]
        if draws.correction is not None:
            cells += _weights(draws, k)
        cells.append(Cell("; ".join(short for short, _ in concerns[i])))
        cells += [
            _estimate(means[k, j], interval[:, k, j]) if k is not None else Cell("")
            for j in range(len(draws.parameter_names))
        ]
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows), tuple(positions))


def _weights(draws: Draws, person: int | None) -> list[Cell]:
    """k-hat and effective share."""
    correction = draws.correction
    if correction is None or person is None:
        return [Cell(""), Cell("")]
    k_hat, ess = float(correction.k_hat[person]), float(correction.ess[person])
    known = f"{k_hat:.2f}".replace("-", "−") if np.isfinite(k_hat) else shown(k_hat)
    return [
        Cell(known, k_hat, "MCMC" if correction.mcmc[person] else ""),
        Cell(percent(ess, 0), ess),
    ]


def _estimate(mean: float, interval: Array) -> Cell:
    return Cell(shown(mean), float(mean), f"{shown(interval[0])} to {shown(interval[1])}")


def _checked_people(check: Check) -> Table:
    people = check.people()
    columns = (
        Column("person", number=False),
        Column("surprise p", "how often the model makes data sets so far from the others"),
        Column("depth", "0 at the rim of the simulations, 1 in their centre"),
        Column("outside", number=False),
        Column("stands out", number=False),
        Column("not predicted", "statistics that the fitted model does not predict", number=False),
    )
    rows = []
    for row in people.to_dict("records"):
        cells = (
            Cell(str(row["person"])),
            Cell(shown(row["p"]), float(row["p"])),
            Cell(shown(row["depth"]), float(row["depth"])),
        )
        rows.append(
            (
                *cells,
                Cell("outside" if row["outside"] else ""),
                Cell(str(row["stands_out"])),
                Cell(str(row["failing"])),
            )
        )
    return Table(columns, tuple(rows))


def parameters_of(draws: Draws) -> Sequence[Any]:
    """Names, units and meanings, in the order of theta's columns."""
    known = {p.name: p for p in draws.simulator.model.parameters}
    return [known[name] for name in draws.parameter_names]


def concerns_of(fit: Fit, check: Check | None) -> list[list[tuple[str, str]]]:
    """For each person of the study, why to be careful: in a word, and in a sentence."""
    found: list[list[tuple[str, str]]] = [[] for _ in fit.study.names]
    fitted = np.flatnonzero(fit.study.n_trials > 0)
    for i, flags in enumerate(fit.flags):
        if fit.study.n_trials[i] == 0:
            found[i].append(("no trials", "Not a single usable trial: nothing was fitted."))
        else:
            found[i] += [("outside training", flag) for flag in flags]
    correction = fit.draws.correction
    if correction is not None:
        trusted = correction.k_hat <= largest_k_hat(fit.draws.theta.shape[1])
        for k, i in enumerate(fitted):
            if not trusted[k] and not correction.mcmc[k]:
                found[i].append(
                    (
                        "weights",
                        (
                            "The importance weights cannot be trusted (k-hat), and no MCMC stands"
                            " in for them."
                        ),
                    )
                )
            if not correction.accurate[k]:
                found[i].append(
                    (
                        "likelihood",
                        (
                            "The likelihood could not be computed to 0.05 nats: some answers are far"
                            " too fast for the model."
                        ),
                    )
                )
    if check is not None:  # of those who were fitted, in their order
        for i, row in zip(fitted, check.people().to_dict("records"), strict=True):
            if row["outside"]:
                found[i].append(
                    (
                        "outside the model",
                        (
                            "Unlike anything that the simulator makes:"
                            f" {row['stands_out'] or 'all in all'}."
                        ),
                    )
                )
            if row["failing"]:
                found[i].append(
                    ("not predicted", f"The fitted model does not predict: {row['failing']}.")
                )
    return found


def quality(posterior: Posterior | Ensemble, study_trials: Array | None) -> dict[str, Any] | None:
    """What the network's card says of its recovery and calibration, overall and at this study's
    numbers of trials; None when nothing was measured.
    """
    card = posterior.notes.get("quality")
    if not card:
        return None
    calibration = card.get("calibration", {})
    p_values = {row["quantity"]: row["p"] for row in calibration.get("overall", [])}
    columns = (
        Column("parameter", number=False),
        Column("r", "true values against posterior means"),
        Column("contraction"),
        Column("50 % intervals hold", "of true values"),
        Column("90 % intervals hold", "of true values"),
        Column(
            "p of uniform ranks",
            "simulation-based calibration of corrected draws; of many such tests one in twenty lies"
            " below 0.05",
        ),
    )
    rows = tuple(_quality_row(row, p_values.get(row["parameter"])) for row in card["overall"])
    at = _bins(card.get("by_trials", []), study_trials)
    return {
        "n_datasets": card["n_datasets"],
        "n_calibrated": calibration.get("n_datasets"),
        "nats": shown(card["nats"]),
        "overall": Table(columns, rows),
        "at": [
            (trials, Table(columns[:5], tuple(_quality_row(row, None)[:5] for row in rows_of)))
            for trials, rows_of in at
        ],
        "efficiency": card.get("efficiency", []),
    }


def _quality_row(row: Mapping[str, Any], p: float | None) -> tuple[Cell, ...]:
    cells = [
        Cell(row["parameter"]),
        Cell(f"{row['r']:.2f}", row["r"]),
        Cell(f"{row['contraction']:.2f}", row["contraction"]),
    ]
    cells += [Cell(percent(row[name]), row[name]) for name in ("coverage_50", "coverage_90")]
    return (*cells, Cell(f"{p:.2f}" if p is not None else "–", p))


def _bins(
    by_trials: Sequence[Mapping[str, Any]], study_trials: Array | None
) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The bins of trial number in which people of the study lie."""
    names = dict.fromkeys(row["trials"] for row in by_trials)
    if study_trials is None:
        return []
    kept = []
    for name in names:
        low, _, high = str(name).partition("–")
        if ((study_trials >= int(low)) & (study_trials <= int(high or low))).any():
            kept.append((str(name), [row for row in by_trials if row["trials"] == name]))
    return kept


def versions() -> list[tuple[str, str]]:
    """Python, the machine and the packages on which a result rests."""
    known = [
        ("Python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}"),
    ]
    return known + [(name, metadata.version(name)) for name in VERSIONS]

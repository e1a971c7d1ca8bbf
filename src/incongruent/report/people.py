"""What the page's script draws, for everybody together and for each person.

These are the data, what the fitted model predicts, and the posterior.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.model.predictive import Band, Prediction
from incongruent.checks.record import Check
from incongruent.checks.statistics import PROBABILITIES
from incongruent.data.basics.streams import Purpose, child
from incongruent.posterior.draws import BY_ADAPTIVE, BY_MCMC, Correction, Draws
from incongruent.priors.joint import PriorError
from incongruent.report.concerns import Concern
from incongruent.report.values import error_columns, parameters_of, percent, shown

Array = np.ndarray

MOST_POINTS = 200
"""Draws of one person that are drawn against each other."""
ALL_POINTS = 40_000
"""Draws of all people together; a study of hundreds of people gets fewer each, so that the page can
still be mailed.
"""
FEWEST_POINTS = 50
INTERVALS = (0.05, 0.25, 0.75, 0.95)


def drawn(fit: Fit, check: Check | None, concerns: Sequence[Sequence[Concern]]) -> dict[str, Any]:
    """Numbers for the script: parameters, the group, and people in the order of the draws.

    Args:
        fit: of the study.
        check: of the people of the draws, in their order.
        concerns: of everybody in the study, see `concerns_of`.
    """
    return {
        "parameters": [
            {"name": p.name, "unit": p.unit, "meaning": p.meaning} for p in parameters_of(fit.draws)
        ],
        "prior": _shorts(_prior_edges(fit.draws).T),
        "group": _group(fit),
        "people": _people(fit, check, concerns),
    }


def _group(fit: Fit) -> dict[str, Any]:
    """The mean of all people: curves, and parameters with their intervals."""
    group = fit.draws.theta.mean(axis=0)  # (draw, parameter)
    return {
        "curves": curves(fit.prediction, None),
        "mean": _shorts(group.mean(axis=0)),
        "interval": _shorts(np.quantile(group, [0.05, 0.95], axis=0)),
    }


def _people(
    fit: Fit, check: Check | None, concerns: Sequence[Sequence[Concern]]
) -> list[dict[str, Any]]:
    """Numbers and words about everybody who was fitted."""
    rows, checked = fit.people().to_dict("records"), _checked(check, len(fit.draws))
    fitted = np.flatnonzero(fit.study.n_trials > 0).tolist()
    return [
        {
            **_numbers(fit, k),
            "facts": facts(fit.draws, k, rows[i], checked[k]),
            "concerns": [concern.sentence for concern in concerns[i]],
        }
        for k, i in enumerate(fitted)
    ]


def _checked(check: Check | None, n_people: int) -> list[Any]:
    """The row of `Check.people` of everybody who was fitted; None where it was not asked."""
    return check.people().to_dict("records") if check is not None else [None] * n_people


def _numbers(fit: Fit, person: int) -> dict[str, Any]:
    """Name, curves, and parameters of one person, by position in the draws."""
    draws = fit.draws
    quantiles = np.quantile(draws.theta[person], INTERVALS, axis=0)  # (interval, parameter)
    return {
        "name": draws.names[person],
        "curves": curves(fit.prediction, person),
        "mean": _shorts(draws.means[person]),
        "intervals": _shorts(quantiles),
        "points": _shorts(points(draws, person)),
    }


def _prior_edges(draws: Draws) -> Array:
    """5 % and 95 % points of the prior, (2, parameter).

    NaN for a prior that cannot be sampled, as that of a saved network whose functions are gone.
    """
    try:
        drawn = draws.simulator.prior.sample(2000, seed=child(0, Purpose.SHOWN_PRIOR))
    except PriorError:
        return np.full((2, len(draws.parameter_names)), np.nan)
    return np.quantile(drawn, [0.05, 0.95], axis=0)


def points(draws: Draws, person: int) -> Array:
    """Some of one person's draws, (point, parameter), evenly spread."""
    n_draws = draws.theta.shape[1]
    n = min(_points_each(len(draws)), n_draws)
    return draws.theta[person, np.linspace(0, n_draws - 1, n).astype(int)]


def _points_each(n_people: int) -> int:
    """How many draws of each person the page can hold."""
    return max(FEWEST_POINTS, min(MOST_POINTS, ALL_POINTS // n_people))


def facts(
    draws: Draws, person: int, row: Mapping[str, Any], checked: Mapping[str, Any] | None
) -> list[tuple[str, str]]:
    """What is known of one person, in words.

    Args:
        draws: of everybody who was fitted.
        person: by position in the draws.
        row: of `Fit.people`.
        checked: the row of `Check.people`; None when it was not asked.
    """
    return [
        ("trials", _trials(row)),
        ("errors", _errors(row)),
        *(_about_correction(draws.correction, person) if draws.correction is not None else ()),
        *([("surprise", _surprise(checked))] if checked is not None else ()),
    ]


def _about_correction(correction: Correction, person: int) -> list[tuple[str, str]]:
    return [
        ("posterior", _posterior(correction, person)),
        ("log evidence", f"{shown(correction.log_evidence[person], 6)} nats"),
    ]


def _surprise(checked: Mapping[str, Any]) -> str:
    return f"p = {shown(checked['p'])} among simulated data sets of the same design"


def _trials(row: Mapping[str, Any]) -> str:
    """How many trials were used, and how many were left out and why."""
    return f"{row['n_trials']} used; left out: {', '.join(_reasons(row)) or 'none'}"


def _reasons(row: Mapping[str, Any]) -> list[str]:
    """How many trials were left out for each reason that there was."""
    columns = [name for name in row if name.startswith("excluded: ") and row[name]]
    return [f"{row[name]} {name.removeprefix('excluded: ')}" for name in columns]


def _errors(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{percent(row[name])} {level}" for name, level in error_columns(row).items())


def _posterior(correction: Correction, person: int) -> str:
    """Where a person's draws come from, and what speaks for them."""
    if correction.sampled_by[person] == BY_MCMC:
        return _sampled(correction, person)
    if correction.sampled_by[person] == BY_ADAPTIVE:
        return _adapted(correction, person)
    return _weighted(correction, person)


def _weighted(correction: Correction, person: int) -> str:
    k_hat, share = correction.k_hat[person], float(correction.ess[person])
    return (
        f"the network's draws, weighted by the exact likelihood; k-hat {shown(k_hat, 2)},"
        f" {percent(share, 0)} of the draws effective"
    )


def _adapted(correction: Correction, person: int) -> str:
    n_effective = correction.effective_draws[person]
    return (
        f"adaptive importance sampling on the exact likelihood, {n_effective:.0f} effective draws;"
        " too few of the network's draws were effective"
        f" ({percent(float(correction.ess[person]), 1)})"
    )


def _sampled(correction: Correction, person: int) -> str:
    steps = int(correction.mcmc_steps[person])
    time = shown(correction.autocorrelation_time[person], 2)
    return (
        f"MCMC on the exact likelihood, {steps} steps, autocorrelation time {time}; importance"
        f" weights were given up, or not wanted (k-hat {shown(correction.k_hat[person], 2)})"
    )


def curves(prediction: Prediction, person: int | None) -> dict[str, Any]:
    """RT quantiles and accuracy by condition, and the delta function, each with its band."""
    levels = {level: _level_curves(prediction, person, level) for level in prediction.levels}
    if "delta" not in prediction.observed:
        return {"levels": levels}
    return {"levels": levels, "delta": _delta(prediction, person)}


def _level_curves(prediction: Prediction, person: int | None, level: str) -> dict[str, Any]:
    """RT quantiles at the shares of trials below them, and accuracy, of one condition."""
    quantiles = _band(prediction.band(f"quantiles {level}", person))
    shares = _shares(prediction.band(f"errors {level}", person))
    accuracy = _band(prediction.band(f"accuracy {level}", person))
    return {"quantiles": quantiles | shares, "accuracy": accuracy}


def _shares(errors: Band) -> dict[str, Any]:
    """The shares of all trials that were answered correctly below each quantile."""
    shares = np.asarray(PROBABILITIES)
    return {
        "share": _shorts(shares * (1 - errors.observed)),
        "predicted": _shorts(shares * (1 - errors.middle)),
    }


def _delta(prediction: Prediction, person: int | None) -> dict[str, Any]:
    at = prediction.band("delta at", person)
    return {
        **_band(prediction.band("delta", person)),
        "at": _shorts(at.observed),
        "predicted": _shorts(at.middle),
    }


def _band(band: Band) -> dict[str, Any]:
    return {
        "observed": _shorts(band.observed),
        "low": _shorts(band.low),
        "high": _shorts(band.high),
    }


def _short(value: float) -> float | None:
    """Four significant digits, so that the page stays small; None for what is not known."""
    return float(f"{value:.4g}") if np.isfinite(value) else None


def _shorts(values: Array | float) -> Any:
    array = np.asarray(values, float)
    return _short(float(array)) if array.ndim == 0 else [_shorts(row) for row in array]

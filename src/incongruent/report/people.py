"""What the page's script draws: for everybody together and for each person the data, what the
fitted model predicts, and the posterior.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from incongruent.analysis import Fit
from incongruent.checks.model.predictive import Band, Prediction
from incongruent.checks.statistics import PROBABILITIES
from incongruent.checks.verdict import Check
from incongruent.data.basics.streams import Purpose, child
from incongruent.posterior.draws import Correction, Draws
from incongruent.priors.joint import PriorError
from incongruent.report.content import error_columns, parameters_of, percent, shown

Array = np.ndarray

MOST_POINTS = 200
"""Draws of one person that are drawn against each other."""
ALL_POINTS = 40_000
"""Draws of all people together; a study of hundreds of people gets fewer each, so that the page can
still be mailed.
"""
FEWEST_POINTS = 50
INTERVALS = (0.05, 0.25, 0.75, 0.95)


def drawn(
    fit: Fit, check: Check | None, concerns: Sequence[Sequence[tuple[str, str]]]
) -> dict[str, Any]:
    """Numbers for the script: parameters, the group, and people in the order of the draws.

    Args:
        fit: of the study.
        check: of the people of the draws, in their order.
        concerns: of everybody in the study, see `concerns_of`.
    """
    draws, prediction = fit.draws, fit.prediction
    means, quantiles = (
        draws.means,
        np.quantile(draws.theta, INTERVALS, axis=1),
    )  # (person, parameter), (interval, person, parameter)
    group = draws.theta.mean(axis=0)  # (draw, parameter)
    edges = np.quantile(group, [0.05, 0.95], axis=0)
    low, high = _prior_edges(draws)
    fitted = np.flatnonzero(fit.study.n_trials > 0)
    rows = fit.people().to_dict("records")
    checked = check.people().to_dict("records") if check is not None else [None] * len(draws)
    return {
        "parameters": [
            {"name": p.name, "unit": p.unit, "meaning": p.meaning} for p in parameters_of(draws)
        ],
        "prior": [[_short(low[j]), _short(high[j])] for j in range(len(low))],
        "group": {
            "curves": curves(prediction, None),
            "mean": _shorts(group.mean(axis=0)),
            "interval": _shorts(edges),
        },
        "people": [
            {
                "name": name,
                "curves": curves(prediction, k),
                "mean": _shorts(means[k]),
                "intervals": _shorts(quantiles[:, k]),
                "points": _shorts(points(draws, k)),
                "facts": facts(fit.draws, k, rows[fitted[k]], checked[k]),
                "concerns": [sentence for _, sentence in concerns[fitted[k]]],
            }
            for k, name in enumerate(draws.names)
        ],
    }


def _prior_edges(draws: Draws) -> Array:
    """5 % and 95 % points of the prior, (2, parameter); NaN for one that cannot be sampled, as that
    of a saved network whose functions are gone.
    """
    try:
        return np.quantile(
            draws.simulator.prior.sample(2000, seed=child(0, Purpose.SHOWN_PRIOR)),
            [0.05, 0.95],
            axis=0,
        )
    except PriorError:
        return np.full((2, len(draws.parameter_names)), np.nan)


def points(draws: Draws, person: int) -> Array:
    """Some of one person's draws, (point, parameter), evenly spread."""
    n = min(max(FEWEST_POINTS, min(MOST_POINTS, ALL_POINTS // len(draws))), draws.theta.shape[1])
    return draws.theta[person, np.linspace(0, draws.theta.shape[1] - 1, n).astype(int)]


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
    reasons = [
        f"{row[name]} {name.removeprefix('excluded: ')}"
        for name in row
        if name.startswith("excluded: ") and row[name]
    ]
    errors = [f"{percent(row[name])} {level}" for name, level in error_columns(row).items()]
    known = [
        ("trials", f"{row['n_trials']} used; left out: {', '.join(reasons) or 'none'}"),
        ("errors", ", ".join(errors)),
    ]
    correction = draws.correction
    if correction is not None:
        known.append(("posterior", _posterior(correction, person)))
        known.append(("log evidence", f"{shown(correction.log_evidence[person], 6)} nats"))
    if checked is not None:
        known.append(
            ("surprise", f"p = {shown(checked['p'])} among simulated data sets of the same design")
        )
    return known


def _posterior(correction: Correction, person: int) -> str:
    """Where a person's draws come from, and what speaks for them."""
    k_hat = shown(correction.k_hat[person], 2)
    if correction.mcmc[person]:
        steps, time = (
            int(correction.mcmc_steps[person]),
            shown(correction.autocorrelation_time[person], 2),
        )
        given_up = f"importance weights were given up, or not wanted (k-hat {k_hat})"
        return (
            f"MCMC on the exact likelihood, {steps} steps, autocorrelation time {time}; {given_up}"
        )
    share = percent(float(correction.ess[person]), 0)
    return (
        f"the network's draws, weighted by the exact likelihood; k-hat {k_hat}, {share} of the"
        " draws effective"
    )


def curves(prediction: Prediction, person: int | None) -> dict[str, Any]:
    """RT quantiles and accuracy by condition, and the delta function, each with its band."""
    found: dict[str, Any] = {"levels": {}}
    for level in prediction.levels:
        quantiles, errors = (
            prediction.band(f"quantiles {level}", person),
            prediction.band(f"errors {level}", person),
        )
        accuracy, shares = prediction.band(f"accuracy {level}", person), np.asarray(PROBABILITIES)
        found["levels"][level] = {
            "quantiles": (
                _band(quantiles)
                | {
                    "share": _shorts(shares * (1 - errors.observed)),
                    "predicted": _shorts(shares * (1 - errors.middle)),
                }
            ),
            "accuracy": _band(accuracy),
        }
    if "delta" in prediction.observed:
        at = prediction.band("delta at", person)
        found["delta"] = _band(prediction.band("delta", person)) | {
            "at": _shorts(at.observed),
            "predicted": _shorts(at.middle),
        }
    return found


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

"""The answers of a check as plain values for JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from incongruent.checks.hygiene.findings import Hygiene
from incongruent.checks.model.panel import Panel
from incongruent.checks.model.relevance import Margins, misfits_of, table_of
from incongruent.checks.prior.population import PriorCheck
from incongruent.checks.prior.suggestion import Suggestion
from incongruent.checks.scope.mmd_result import MmdTest
from incongruent.checks.scope.surprise import Surprise

T = TypeVar("T")


def json_of_hygiene(clean: Hygiene) -> dict[str, Any]:
    """The findings about the trials."""
    return {
        f.name: {"severity": f.severity.value, "p": f.p, "numbers": dict(f.numbers)}
        for f in clean.findings
    }


def json_of_scope(scope: Surprise) -> dict[str, Any]:
    """Who is outside the simulator's scope, and the tests of everybody."""
    return {
        "people": len(scope),
        "outside": list(names_outside(scope)),
        "p_too_central": scope.central_p,
        "p_extreme": scope.extreme_p,
    }


def names_outside(scope: Surprise) -> tuple[str, ...]:
    """People outside the simulator's scope."""
    return tuple(name for name, out in zip(scope.names, scope.outside, strict=True) if out)


def json_of_mmd(test: MmdTest) -> dict[str, Any]:
    """An MMD test, without its null."""
    return {
        "p": test.p_value,
        "statistic": test.statistic,
        "effect": test.effect,
        "location_share": test.location_share,
        "spread_share": test.spread_share,
        "variance_ratio": test.variance_ratio,
        "people": test.n_people,
    }


def json_of_panel(panel: Panel, margins: Margins) -> dict[str, Any]:
    """What fails in the panel, with its size, and the table of all statistics."""
    return {
        "failing": list(panel.failing()),
        "misfits": [misfit.to_json() for misfit in misfits_of(panel, margins)],
        "statistics": table_of(panel, margins).to_dict("records"),
    }


def json_of_prior(prior: PriorCheck) -> dict[str, Any]:
    """The scores of a prior."""
    return {
        "p": prior.p_value,
        "moves": [list(move) for move in prior.moves()],
        "parameters": prior.table().to_dict("records"),
    }


def json_of_suggestion(suggestion: Suggestion) -> dict[str, Any]:
    """A suggested prior."""
    return {
        "prior": suggestion.prior.to_json(),
        "share": suggestion.share,
        "trusted": suggestion.trusted,
        "parameters": suggestion.table().to_dict("records"),
    }


def json_if_asked(
    json_of: Callable[[T], dict[str, Any]], answer: T | None
) -> dict[str, Any] | None:
    """An answer as plain values; None where the question was not asked."""
    return None if answer is None else json_of(answer)

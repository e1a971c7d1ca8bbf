"""One HTML file: a template with its style and its script inside, and nothing to fetch.

Every text from outside is escaped. A content security policy names the hash of the script, so that
a browser runs that script and no other, whatever names people bring.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from incongruent.analysis import Fit
from incongruent.checks.conclusions import Verdict
from incongruent.checks.record import Check
from incongruent.data.basics.csvs import as_csv
from incongruent.data.values import listed
from incongruent.exact.variant_results import Variants
from incongruent.models import Model
from incongruent.plots import figure_svg, misspecification_figure, panel_figure, predictive_figure
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.report.concerns import Concern, concerns_of
from incongruent.report.content import Origin, glance, versions
from incongruent.report.methods import methods
from incongruent.report.misfits import misfits_table
from incongruent.report.people import drawn
from incongruent.report.quality import quality
from incongruent.report.tables import group_table, people_table
from incongruent.report.variants import check_same_people, section, which_section
from incongruent.storage.atomic import strict_json, write_atomically

MARKS = {
    Verdict.WELL_SPECIFIED: ("good", "✓"),
    Verdict.WASTEFUL: ("good", "✓"),
    Verdict.MOVE_PRIOR: ("warn", "!"),
    Verdict.ADEQUATE: ("good", "✓"),
    Verdict.ADEQUATE_WITH: ("warn", "!"),
    Verdict.DEFICIENT: ("bad", "✗"),
    Verdict.OUTSIDE: ("bad", "✗"),
}
"""How a verdict looks: its colour, and a sign for those who do not see it."""
NOWHERE = Origin()


def write_report(
    path: str | os.PathLike[str],
    *,
    posterior: Posterior | Ensemble,
    fit: Fit | None = None,
    check: Check | None = None,
    variants: Variants | None = None,
    origin: Origin = NOWHERE,
) -> Path:
    """Write a report as one HTML file that opens from disk and needs nothing else.

    The file is complete or absent.

    Args:
        path: of the file; its folder is made when it is not there.
        posterior: what was asked for posteriors.
        fit: of the study, by `fit`.
        check: of the same study, by `check`.
        variants: of the model, of the people who were fitted, by `variants`.
        origin: where the data come from and what was called.

    Returns:
        The path.

    Raises:
        ValueError: when neither fit nor check is given, or variants without a fit, or they are of
            different people.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = report_html(posterior=posterior, fit=fit, check=check, variants=variants, origin=origin)
    write_atomically(path, text.encode("utf-8", "replace"))
    return path


def report_html(
    *,
    posterior: Posterior | Ensemble,
    fit: Fit | None = None,
    check: Check | None = None,
    variants: Variants | None = None,
    origin: Origin = NOWHERE,
) -> str:
    """The same as text.

    Raises:
        ValueError: when neither fit nor check is given, or variants without a fit, or they are of
            different people.
    """
    _check_people(fit, check)
    _check_variants(fit, variants)
    paragraphs, references = methods(posterior, fit, check, variants)
    return (
        _environment()
        .get_template("page.html")
        .render(
            **_frame(),
            **_about_network(posterior, fit),
            **_about_group(fit),
            **_about_people(fit, check, variants),
            variants=section(variants) if variants is not None else None,
            origin=origin,
            seed=_seed(origin, check),
            glance=glance(fit, check, origin.left_out),
            verdict=_verdict(check) if check is not None else None,
            paragraphs=paragraphs,
            references=references,
            versions=versions(),
        )
    )


def _seed(origin: Origin, check: Check | None) -> int | None:
    """The seed that the user gave, or else that of the check."""
    return origin.seed if origin.seed is not None or check is None else check.seed


def _about_group(fit: Fit | None) -> dict[str, Any]:
    """What is known of all people together."""
    if fit is None:
        return {"group": None, "overview": None}
    return {"group": group_table(fit.draws), "overview": _overview(fit)}


def _about_people(
    fit: Fit | None, check: Check | None, variants: Variants | None
) -> dict[str, Any]:
    """A table of people, and what the script shows of each."""
    concerns = concerns_of(fit, check) if fit is not None else []
    return {
        "people": people_table(fit, check, concerns),
        "data": strict_json(_data(fit, check, variants, concerns)),
    }


def _frame() -> dict[str, Any]:
    """The style and the script of the page, and the policy that lets this script run alone.

    They are files of this package, not text from outside.
    """
    style, script = _part("page.css"), _part("page.js")
    return {"style": Markup(style), "script": Markup(script), "policy": _policy(script)}


def _policy(script: str) -> str:
    """A content security policy that lets one script run, by its hash."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src"
        f" 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _about_network(posterior: Posterior | Ensemble, fit: Fit | None) -> dict[str, Any]:
    """What made the posteriors: model, prior, design, training, and how good that is."""
    return {
        "network": posterior.simulator,
        "settings": _settings(posterior.simulator.model),
        "history": str(posterior.history) if posterior.history is not None else None,
        "quality": quality(posterior, _numbers_of_trials(fit)),
        "made_by": _made_by(posterior),
    }


def _settings(model: Model) -> str:
    return ", ".join(f"{name} = {value}" for name, value in model.settings.items())


def _numbers_of_trials(fit: Fit | None) -> np.ndarray | None:
    """How many trials people have who were fitted (person,); None without a fit."""
    return fit.study.n_trials[fit.study.n_trials > 0] if fit is not None else None


def _overview(fit: Fit) -> Markup:
    return _inline(predictive_figure(fit.prediction), "predictive")


def _check_people(fit: Fit | None, check: Check | None) -> None:
    """Refuse to report nothing, or a fit and a check of different people."""
    if fit is None and check is None:
        raise ValueError(
            "Expected a fit, a check or both to report; got neither. See incongruent.fit and"
            " incongruent.check."
        )
    if fit is not None and check is not None and check.scope.names != fit.draws.names:
        raise ValueError(
            f"Expected a check of the people who were fitted, {listed(fit.draws.names, 5)}; got one"
            f" of {listed(check.scope.names, 5)}. Check the same study, without those who have no"
            " usable trials: incongruent.select(study, …)."
        )


def _check_variants(fit: Fit | None, variants: Variants | None) -> None:
    """Refuse variants without a fit, or of other people."""
    if variants is None:
        return
    if fit is None:
        raise ValueError(
            "Expected a fit with the variants of its model; got variants alone. Pass fit= as well."
        )
    check_same_people(variants, fit.draws.names)


def _data(
    fit: Fit | None,
    check: Check | None,
    variants: Variants | None,
    concerns: Sequence[Sequence[Concern]],
) -> dict[str, Any]:
    """What the script draws, and the tables to download."""
    return {
        "drawn": drawn(fit, check, concerns) if fit is not None else None,
        "files": {**_fit_files(fit), **_check_files(check), **_variants_files(variants)},
    }


def _fit_files(fit: Fit | None) -> dict[str, str]:
    if fit is None:
        return {}
    return {"posterior.csv": as_csv(fit.draws.summary()), "people.csv": as_csv(fit.people())}


def _check_files(check: Check | None) -> dict[str, str]:
    if check is None:
        return {}
    return {"check.csv": as_csv(check.people()), "statistics.csv": as_csv(check.statistics())}


def _variants_files(variants: Variants | None) -> dict[str, str]:
    if variants is None:
        return {}
    return {
        "variants.csv": as_csv(variants.table()),
        "variants_summary.csv": as_csv(variants.summary()),
    }


def _verdict(check: Check) -> Mapping[str, Any]:
    """The verdict with its look, its sections and its figures."""
    colour, sign = MARKS[check.verdict]
    return {
        "colour": colour,
        "sign": sign,
        "name": check.decision.name,
        "reason": check.reason,
        "advice": check.advice,
        "misfits": misfits_table(check),
        "sections": check.sections()[:-1],
        **_verdict_figures(check),
        "which": _which(check),
    }


def _which(check: Check) -> Mapping[str, Any] | None:
    """The part about variants; None where they were not asked about."""
    found = check.which_variant
    return which_section(found, check.decision.variant) if found is not None else None


def _verdict_figures(check: Check) -> dict[str, Markup]:
    scope = misspecification_figure(check.mmd, check.scope)
    return {
        "panel": _inline(panel_figure(check.panel), "panel"),
        "scope": _inline(scope, "scope"),
    }


def _made_by(posterior: Posterior | Ensemble) -> str | None:
    """Model, prior, design, budget, seed and versions of the training, from the network's notes."""
    card = posterior.notes.get("made_by")
    if not card:
        return None
    return json.dumps({**card, "versions": posterior.notes.get("versions")}, ensure_ascii=False)


def _inline(figure: Any, prefix: str) -> Markup:
    """A figure as SVG within the page; matplotlib escapes what is written in it."""
    return Markup(figure_svg(figure, prefix=prefix))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("incongruent.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _part(name: str) -> str:
    return (
        resources.files("incongruent.report")
        .joinpath("templates", name)
        .read_text(encoding="utf-8")
    )

"""What ``fit``, ``demo`` and ``check`` do with a study, and what they show of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer

from incongruent.analysis import Fit
from incongruent.checks.model.relevance import Margins
from incongruent.checks.record import Check
from incongruent.cli.parts import plain, prior_said, usable
from incongruent.cli.tables import show_table
from incongruent.data.trials import Trials
from incongruent.exact.importance import largest_k_hat
from incongruent.exact.reweight import with_prior
from incongruent.exact.variant_results import BASE, Variants
from incongruent.posterior.draws import BY_ADAPTIVE, BY_MCMC, Correction, Draws
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import errors, screen, shown_stages
from incongruent.priors.independent import Prior
from incongruent.report import Origin, write_report
from incongruent.report.study import (
    check_into,
    fit_into,
    refuse_without_variants,
    variants_into,
)

SHOWN = 10
"""So many names are shown of people who are left out or stand out."""
SHORT_HEADS = {
    "variant": "variant",
    "gain": "gain",
    "gain_at_half_width": "half",
    "gain_at_twice_width": "twice",
    "share_better": "better",
    "frequency": "freq.",
    "protected_exceedance": "most freq.",
    "untrusted": "not trusted",
}
"""Heads of the table of variants on a screen."""


def other_prior(text: str | None, posterior: Posterior) -> Prior | None:
    """The prior in words under which posteriors are wanted; None for that of the network."""
    if text is None:
        return None
    prior = prior_said(text, posterior.simulator.model.parameters)
    usable(lambda: with_prior(posterior.simulator, prior))
    return prior


def fit_and_write(posterior: Posterior, study: Trials, out: Path, **options: Any) -> Fit:
    """Fit beside a bar and write everything into a folder.

    The network's own draws are written before the correction, which may take minutes.

    Args:
        posterior: a trained one.
        study: one data set a person.
        out: the folder.
        options: of `incongruent.analysis.fit`.
    """
    written: list[Path] = []
    try:
        with shown_stages(errors):
            return fit_into(out, posterior, study, uncorrected=written.extend, **options)
    except BaseException:
        if written:
            words = plain(", ".join(map(str, written)))
            errors.print(
                f"The fit did not end. The network's draws, without correction, are in {words}.",
                style="yellow",
            )
        raise


def margins_said(ms: float, errors: float, sd: float) -> Margins:
    """How large a difference between data and model has to be before it matters."""
    return usable(lambda: Margins(ms=ms, errors=errors, sd=sd))


def check_too(posterior: Posterior, study: Trials, out: Path, **options: Any) -> Check:
    """Check a study that was fitted, in a folder of its own beside the results.

    Options are those of `check_and_show`, without ``anyway``.
    """
    return check_and_show(posterior, study, out / "check", anyway=True, **options)[0]


def check_and_show(
    posterior: Posterior, study: Trials, out: Path, **options: Any
) -> tuple[Check, tuple[str, ...]]:
    """Check the people who have usable trials, write what is found, and show it in brief.

    Args:
        posterior: a trained one.
        study: one data set a person.
        out: the folder.
        options: of `incongruent.report.study.check_into`.

    Returns:
        What was found, and the people who were left out.
    """
    with shown_stages(errors):
        result, left_out = check_into(out, posterior, study, **options)
    if left_out:
        screen.print(
            f"Left out of the check, without usable trials: {plain(', '.join(left_out[:SHOWN]))}",
            style="yellow",
        )
    screen.print(plain(result.brief()), style="bold")
    for sentence in result.advice:
        screen.print(f"* {plain(sentence)}")
    screen.print(
        f"Results in {plain(str(out))}: verdict.md, verdict.json, people.csv and figures;"
        f" {result.seconds:.0f} s."
    )
    return result, left_out


def refuse_variants(posterior: Posterior, asked: bool, combine: int) -> None:
    """Refuse, before any work, to combine variants that are not asked for or cannot be had."""
    if combine > 1 and not asked:
        raise typer.BadParameter(
            f"Expected --variants with --combine; got --combine {combine} alone."
        )
    if asked:
        usable(lambda: refuse_without_variants(posterior))


def variants_too(result: Fit, out: Path, combine: int, seed: int) -> Variants:
    """Ask which variant of the model suits people who were fitted, write it, and show it."""
    with shown_stages(errors):
        found = variants_into(out, result, combine=combine, seed=seed)
    for sentence in found.sentences():
        screen.print(plain(sentence))
    show_table(_on_screen(found.summary()), "Variants of the model")
    screen.print(
        f"Variants in {plain(str(out))}: variants.csv, variants_summary.csv and variants.png."
    )
    return found


def _on_screen(summary: pd.DataFrame) -> pd.DataFrame:
    """The columns of a summary that a screen has room for, with short heads.

    How many people cannot be trusted is shown only where there are any.
    """
    rows = summary.to_dict("records")
    heads = {name: head for name, head in SHORT_HEADS.items() if _has_room(name, rows)}
    return pd.DataFrame([{head: _word(row, name) for name, head in heads.items()} for row in rows])


def _has_room(name: str, rows: list[dict[Any, Any]]) -> bool:
    return name != "untrusted" or any(row[name] for row in rows)


def _word(row: dict[Any, Any], name: str) -> str:
    """A value of a variant as the screen shows it."""
    value = row[name]
    if name in ("variant", "untrusted"):
        return str(value)
    if row["variant"] == BASE and name in ("gain", "share_better"):
        return "0" if name == "gain" else "–"
    if name == "protected_exceedance":
        return f"{value:.2f}"
    if name in ("share_better", "frequency"):
        return f"{value:.0%}"
    return "–" if np.isnan(value) else f"{value:+.1f}"


def write_page(
    out: Path,
    posterior: Posterior,
    fit: Fit | None,
    result: Check | None,
    origin: Origin,
    variants: Variants | None = None,
) -> None:
    """Write the page with everything that was found, and say where it is."""
    found: dict[str, Any] = {"fit": fit, "check": result, "variants": variants}
    path = write_report(out / "report.html", posterior=posterior, origin=origin, **found)
    screen.print(f"Everything on one page: {plain(str(path))}", style="bold")


def show_fit(result: Fit, out: Path) -> None:
    """Print who was fitted and how far that can be trusted."""
    _show_size(result)
    for sentence in result.alarms:
        screen.print(plain(sentence), style="bold red")
    for sentence in result.recorded_as:
        screen.print(plain(sentence))
    _show_group(result)
    if result.draws.correction is not None:
        _show_correction(result.draws, result.draws.correction)
    _show_flagged(result)
    screen.print(
        f"Results in {plain(str(out))}: posterior.csv, people.csv, draws.nc, predictive figures."
    )


def _show_size(result: Fit) -> None:
    """Print how many people and trials there are, and how many trials were left out and why."""
    n = result.study.n_trials
    counts = {reason: int(each.sum()) for reason, each in result.study.excluded.items()}
    words = ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)
    screen.print(
        f"{len(result.draws)} people, {n.min()}–{n.max()} trials each; left out:"
        f" {plain(words or 'nothing')}."
    )


def _show_group(result: Fit) -> None:
    table, numbers = result.group(), ["mean", "sd over people", "contraction"]
    table[numbers] = table[numbers].map(lambda value: f"{value:.3g}")
    show_table(table, "Posterior means over people")


def _show_flagged(result: Fit) -> None:
    """Print who lies outside what the network was trained for, and why."""
    flagged = [
        (name, flags) for name, flags in zip(result.study.names, result.flags, strict=True) if flags
    ]
    if flagged:
        screen.print(
            f"{len(flagged)} of {len(result.study)} people lie outside what the network was trained"
            " for; see flags in people.csv:",
            style="yellow",
        )
    for name, flags in flagged[:SHOWN]:
        screen.print(f"  {plain(name)}: {plain('; '.join(flags))}")


def _show_correction(draws: Draws, correction: Correction) -> None:
    """Print how far the exact likelihood agrees with the network."""
    n_adapted = int(correction.is_by(BY_ADAPTIVE).sum())
    n_mcmc = int(correction.is_by(BY_MCMC).sum())
    good = int((correction.k_hat <= largest_k_hat(draws.theta.shape[1])).sum())
    screen.print(
        f"Corrected by the exact likelihood: {np.median(correction.ess):.0%} of the network's draws"
        f" effective (median; lowest {correction.ess.min():.0%}); weights good (k_hat) for {good}"
        f" of {len(draws)}."
    )
    if n_adapted or n_mcmc:
        screen.print(_anew_in_words(n_adapted, n_mcmc))
    _show_untrusted(draws, correction)
    inexact = _names_where(draws, ~correction.accurate)
    if inexact:
        screen.print(
            "Likelihood less exact, mostly for answers far too fast for the model:"
            f" {plain(', '.join(inexact[:SHOWN]))}",
            style="yellow",
        )


def _anew_in_words(n_adapted: int, n_mcmc: int) -> str:
    """How many people were sampled anew, and how."""
    ways = [(n_adapted, "by adaptive importance sampling"), (n_mcmc, "by MCMC")]
    words = " and ".join(f"{n} {way}" for n, way in ways if n)
    return f"Sampled anew on the exact likelihood: {words}."


def _show_untrusted(draws: Draws, correction: Correction) -> None:
    """Print whose draws cannot be trusted, if there are any."""
    names = _names_where(draws, ~correction.trusted)
    if names:
        screen.print(
            f"Not to be trusted: {plain(', '.join(names[:SHOWN]))}; see k_hat and trusted in"
            " people.csv.",
            style="yellow",
        )


def _names_where(draws: Draws, true: np.ndarray) -> list[str]:
    """The people for whom something is true, by name."""
    return [name for name, is_so in zip(draws.names, true, strict=True) if is_so]


def show_truth(draws: Draws, truth: pd.DataFrame) -> None:
    """Print how posteriors agree with the known parameters of simulated people."""
    known = truth.set_index("participant").loc[list(draws.names), list(draws.parameter_names)]
    true, means = known.to_numpy(), draws.means  # (person, parameter) both
    low, high = np.quantile(draws.theta, [0.05, 0.95], axis=1)
    inside = ((true >= low) & (true <= high)).sum(axis=0)
    correlations = [np.corrcoef(true[:, i], means[:, i])[0, 1] for i in range(true.shape[1])]
    table = pd.DataFrame(
        {
            "parameter": draws.parameter_names,
            "r of posterior mean and truth": [f"{r:.2f}" for r in correlations],
            "90 % intervals with the truth": [f"{n} of {len(true)}" for n in inside],
        }
    )
    show_table(table, "Against the truth")

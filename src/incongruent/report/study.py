"""The main job with its files: a study is fitted and checked, and what is found is written.

`incongruent.analysis` and the checks compute and write nothing. The command line and the page both
come through here, so that both leave the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from incongruent.analysis import Fit, fit
from incongruent.checks.model.relevance import Margins
from incongruent.checks.record import Check
from incongruent.checks.verdict import USUAL_MARGINS, check
from incongruent.data.trials import Trials
from incongruent.exact.changes import OF_OTHERS
from incongruent.exact.likelihood import likelihood_of
from incongruent.exact.variant_results import Variants
from incongruent.exact.variants import variants
from incongruent.posterior.draws import Draws
from incongruent.posterior.ensemble import Ensemble
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.progress import announce
from incongruent.posterior.scope import Admission
from incongruent.priors.independent import Prior
from incongruent.report.files import write_check, write_fit, write_uncorrected, write_variants


def fit_into(
    folder: Path,
    posterior: Posterior | Ensemble,
    study: Trials,
    *,
    uncorrected: Callable[[list[Path]], object] | None = None,
    **options: Any,
) -> Fit:
    """Fit a study and write its tables, draws and figures into a folder; stages are announced.

    The network's own draws are written before the correction, which may take minutes, and are
    removed when it has ended.

    Args:
        folder: is made when it is not there.
        posterior: a trained one, or an ensemble of several.
        study: one data set a person.
        uncorrected: is given the files with the network's own draws when they are written.
        options: of `incongruent.analysis.fit`, which refuses what it does not know.
    """

    def write_first(draws: Draws, admission: Admission) -> None:
        written = write_uncorrected(draws, admission, folder)
        if uncorrected is not None:
            uncorrected(written)

    result = fit(posterior, study, first=write_first, **options)
    announce("writing tables and figures")
    write_fit(result, folder)
    return result


def check_into(
    folder: Path,
    posterior: Posterior | Ensemble,
    study: Trials,
    *,
    margins: Margins = USUAL_MARGINS,
    as_recorded: bool = True,
    anyway: bool,
    seed: int,
) -> tuple[Check, tuple[str, ...]]:
    """Check the people of a study who have usable trials, and write what is found into a folder.

    Args:
        folder: is made when it is not there.
        posterior: a trained one, or an ensemble of several.
        study: one data set a person.
        margins: how large a difference between data and model has to be before it matters.
        as_recorded: simulate data recorded like the study; see `incongruent.checks.verdict.check`.
        anyway: go on also when nobody is inside what the network was trained for.
        seed: of everything random.

    Returns:
        What was found, and the people who were left out.
    """
    usable = posterior.admit(study, anyway=anyway).trials.n_trials > 0
    checked = study.select(np.flatnonzero(usable))
    options = {"margins": margins, "as_recorded": as_recorded, "anyway": anyway, "seed": seed}
    result = check(posterior, checked, **options)
    announce("writing the verdict")
    write_check(result, folder)
    return result, _without(study.names, usable)


def refuse_without_variants(posterior: Posterior | Ensemble) -> None:
    """Refuse a network whose model has no variants that could be asked for, before any work.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
        ValueError: when it has no usual variants, or its prior is not one of independent
            parameters.
    """
    simulator = posterior.simulator
    likelihood_of(simulator)
    if simulator.model.name not in OF_OTHERS:
        raise ValueError(
            f"Expected a network of a model with usual variants, {', '.join(OF_OTHERS)}; got one of"
            f" {simulator.model.name!r}. In Python, incongruent.variants takes changes of your own."
        )
    if not isinstance(simulator.prior, Prior):
        raise ValueError(
            "Expected a network with a prior of independent parameters, which variants extend; got"
            f" {simulator.prior!r}."
        )


def variants_into(folder: Path, result: Fit, *, combine: int, seed: int) -> Variants:
    """Ask for the usual variants of a model that was fitted, and write them into a folder.

    Stages are announced. People without usable trials are left out.

    Args:
        folder: is made when it is not there.
        result: the fit.
        combine: how many changes forward selection may combine; 1 for none.
        seed: of everything random.
    """
    fitted = result.study.select(np.flatnonzero(result.study.n_trials > 0))
    found = variants(result.draws, fitted, combine=combine, seed=seed)
    announce("writing variants")
    write_variants(found, folder)
    return found


def _without(names: Sequence[str], usable: np.ndarray) -> tuple[str, ...]:
    """The names of those who have no usable trials, by a mask of those who have (person,)."""
    return tuple(name for name, some in zip(names, usable, strict=True) if not some)

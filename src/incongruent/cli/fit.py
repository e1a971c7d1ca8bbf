"""``incongruent fit`` and ``incongruent demo``: the main job, on a study and on a simulated one."""

from __future__ import annotations

from pathlib import Path

from incongruent.cli.options import (
    AccuracyColumn,
    Adapt,
    AnyPrior,
    Anyway,
    AsRecorded,
    By,
    CodingWords,
    Columns,
    Combine,
    ConditionColumn,
    Exact,
    File,
    MarginErrors,
    MarginMs,
    MarginSd,
    NDraws,
    Network,
    Out,
    RtColumn,
    Seed,
    Unit,
    Where,
    WithCheck,
    WithVariants,
)
from incongruent.cli.parts import called, folder_for


def fit(
    files: File,
    out: Out,
    by: By = None,
    unit: Unit = None,
    columns: Columns = None,
    where: Where = None,
    coding: CodingWords = None,
    accuracy: AccuracyColumn = None,
    condition: ConditionColumn = None,
    rt: RtColumn = None,
    network: Network = "dmc",
    prior: AnyPrior = None,
    exact: Exact = False,
    adapt: Adapt = True,
    as_recorded: AsRecorded = True,
    draws: NDraws = 1000,
    check: WithCheck = True,
    margin_ms: MarginMs = 10.0,
    margin_errors: MarginErrors = 2.0,
    margin_sd: MarginSd = 0.1,
    variants: WithVariants = False,
    combine: Combine = 1,
    anyway: Anyway = False,
    seed: Seed = 1,
) -> None:
    """Posteriors and predictions for everybody in one or more files of trials.

    Posteriors are corrected by the exact likelihood.
    """
    from incongruent.cli import studies as work
    from incongruent.cli.reading import coding_of, read_study
    from incongruent.data.files.tables import source_name
    from incongruent.posterior.pretrained import network_named
    from incongruent.report import Origin

    margins = work.margins_said(margin_ms, margin_errors, margin_sd)
    folder_for(out)
    posterior = network_named(network)
    work.refuse_variants(posterior, variants, combine)
    roles = coding_of(coding, accuracy=accuracy, condition=condition, rt=rt)
    study = read_study(
        files, posterior, by=by, unit=unit, columns=columns, where=where, coding=roles
    )
    other = work.other_prior(prior, posterior)
    options = {"n_draws": draws, "exact": exact, "adapt": adapt, "anyway": anyway, "seed": seed}
    options["as_recorded"] = as_recorded
    result = work.fit_and_write(posterior, study, out, prior=other, **options)
    work.show_fit(result, out)
    asked = {"margins": margins, "as_recorded": as_recorded, "seed": seed}
    found = work.check_too(posterior, study, out, **asked) if check else None
    others = work.variants_too(result, out, combine, seed) if variants else None
    origin = Origin(source_name(files), called(), seed)
    work.write_page(out, posterior, result, found, origin, others)


def demo(
    out: Out = Path("incongruent-demo"),
    network: Network = "dmc",
    prior: AnyPrior = None,
    exact: Exact = False,
    draws: NDraws = 1000,
    check: WithCheck = True,
    variants: WithVariants = False,
    combine: Combine = 1,
    anyway: Anyway = False,
    seed: Seed = 1,
) -> None:
    """The same on a simulated study that ships with the package, beside the known truth."""
    from incongruent.cli import studies as work
    from incongruent.data.demo import demo_study, demo_truth
    from incongruent.posterior.pretrained import network_named
    from incongruent.posterior.progress import screen
    from incongruent.report import Origin

    folder_for(out)
    screen.print("A simulated flanker study: 30 people, 240 trials each, true parameters known.")
    posterior = network_named(network)
    work.refuse_variants(posterior, variants, combine)
    other = work.other_prior(prior, posterior)
    options = {"n_draws": draws, "exact": exact, "anyway": anyway, "seed": seed}
    result = work.fit_and_write(posterior, demo_study(), out, prior=other, **options)
    work.show_fit(result, out)
    work.show_truth(result.draws, demo_truth())
    found = work.check_too(posterior, demo_study(), out, seed=seed) if check else None
    others = work.variants_too(result, out, combine, seed) if variants else None
    origin = Origin("demo study", called(), seed)
    work.write_page(out, posterior, result, found, origin, others)

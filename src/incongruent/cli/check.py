"""``incongruent check``: is the model right for these people, and if not, what should change?"""

from __future__ import annotations

from incongruent.cli.options import (
    AccuracyColumn,
    Anyway,
    AsRecorded,
    By,
    CodingWords,
    Columns,
    ConditionColumn,
    File,
    MarginErrors,
    MarginMs,
    MarginSd,
    Network,
    Out,
    RtColumn,
    Seed,
    Unit,
    Where,
)
from incongruent.cli.parts import called, folder_for


def check(
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
    as_recorded: AsRecorded = True,
    margin_ms: MarginMs = 10.0,
    margin_errors: MarginErrors = 2.0,
    margin_sd: MarginSd = 0.1,
    anyway: Anyway = False,
    seed: Seed = 1,
) -> None:
    """Is the model right for these people, and if not, what should change?

    A verdict, with its numbers, figures and advice.
    """
    from incongruent.cli import studies as work
    from incongruent.cli.reading import coding_of, read_study
    from incongruent.data.files.tables import source_name
    from incongruent.posterior.pretrained import network_named
    from incongruent.report import Origin

    margins = work.margins_said(margin_ms, margin_errors, margin_sd)
    folder_for(out)
    posterior = network_named(network)
    roles = coding_of(coding, accuracy=accuracy, condition=condition, rt=rt)
    study = read_study(
        files, posterior, by=by, unit=unit, columns=columns, where=where, coding=roles
    )
    options = {"margins": margins, "as_recorded": as_recorded, "anyway": anyway, "seed": seed}
    result, left_out = work.check_and_show(posterior, study, out, **options)
    origin = Origin(source_name(files), called(), seed, left_out)
    work.write_page(out, posterior, None, result, origin)

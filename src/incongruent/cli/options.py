"""Options of the commands: how they are called, and what their help says.

Nothing heavy is imported here; a test compares the names of priors with those that ship.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PRIORS = ("schaefer2025", "schaefer2024_initial", "broad")
"""Names of the priors that ship."""
PRIOR_HELP = (
    f"{', '.join(PRIORS)}, a file, or an expression such as 'A=gamma(4, scale=5), tau=uniform(20,"
    " 200), …' with distributions of scipy.stats"
)
"""What ``--prior`` accepts."""

Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]
Anyway = Annotated[
    bool,
    typer.Option(
        "--anyway", help="Go on although nobody is inside what the network was trained for."
    ),
]
File = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help=(
            "Trials, one row each: a file (CSV, TSV, JSON, Parquet, Excel, SPSS, R …), several, a"
            " folder, or a pattern such as 'data/*.csv'. Of several files each is one person's,"
            " unless a column tells people apart."
        ),
    ),
]
Out = Annotated[Path, typer.Option(help="Folder for the results; made when it is not there.")]
By = Annotated[
    str | None,
    typer.Option(
        help=(
            "Columns whose combinations make the data sets, for example subject,session; none when"
            " all rows are one person's."
        )
    ),
]
Unit = Annotated[
    str | None, typer.Option(help="Unit of the RTs, ms or s; found from the values when left out.")
]
Columns = Annotated[
    str | None, typer.Option(help="Column names of a file without a header, with commas between.")
]
Where = Annotated[
    str | None,
    typer.Option(help='Rows to use, for example "experiment == 0" or "response is not missing".'),
]
CodingWords = Annotated[
    str | None,
    typer.Option(
        help=(
            'Roles and codes, for example "condition=type,1=congruent,2=incongruent" or'
            ' "accuracy=status,1=correct,2=error,3=omission".'
        )
    ),
]
AccuracyColumn = Annotated[
    str | None,
    typer.Option(
        "--accuracy",
        help='Column with 1 = correct, or how to compute it, for example "response == ink".',
    ),
]
ConditionColumn = Annotated[
    str | None,
    typer.Option(
        "--condition",
        help='Column with the condition, or what makes a trial congruent: "word == ink".',
    ),
]
RtColumn = Annotated[
    str | None,
    typer.Option(
        "--rt", help='Column with the reaction time, or how to compute it: "t_response - t_onset".'
    ),
]
Network = Annotated[
    str,
    typer.Option(
        help="A network that ships with the package (dmc), or the file of one of your own."
    ),
]
NDraws = Annotated[int, typer.Option("--draws", min=25, help="Draws from each person's posterior.")]
AnyPrior = Annotated[
    str | None,
    typer.Option(
        "--prior",
        help=(
            "Posterior under another prior than the network's, exact as far as k_hat allows:"
            f" {PRIOR_HELP}."
        ),
    ),
]
AsRecorded = Annotated[
    bool,
    typer.Option(
        "--as-recorded/--no-as-recorded",
        help=(
            "Take into account the steps in which RTs come, and an end at which they are cut off,"
            " where the trials show them clearly."
        ),
    ),
]
Exact = Annotated[
    bool,
    typer.Option(
        "--exact",
        help=(
            "Sample everybody by MCMC on the exact likelihood: the reference, about 15 s a person."
        ),
    ),
]
Adapt = Annotated[
    bool,
    typer.Option(
        "--adapt/--no-adapt",
        help=(
            "Sample anew, on the exact likelihood, the people for whom the network's draws do not"
            " serve (k_hat, ess); about a second a person."
        ),
    ),
]
WithCheck = Annotated[
    bool,
    typer.Option(
        "--check/--no-check",
        help="Ask also whether the model is right for these people; half a minute.",
    ),
]
MarginMs = Annotated[
    float,
    typer.Option(
        help=(
            "How many ms RTs and the congruency effect may differ from what the model predicts"
            " before it matters."
        )
    ),
]
MarginErrors = Annotated[
    float, typer.Option(help="The same for shares of errors, in percentage points.")
]
MarginSd = Annotated[
    float,
    typer.Option(help="The same for the SD of RT, as a share of it, also for quantiles of RT."),
]
WithVariants = Annotated[
    bool,
    typer.Option(
        "--variants",
        help=(
            "Ask also which variant of the model suits these people (lapses, drift variability,"
            " another mechanism …), without training; some seconds a person."
        ),
    ),
]
Combine = Annotated[
    int,
    typer.Option(
        min=1,
        help="With --variants: combine up to so many changes, the best first, while they help.",
    ),
]
Deadline = Annotated[
    float | None,
    typer.Option(
        min=1.0, help="RT in ms after which an answer counts as none; no deadline when left out."
    ),
]
Window = Annotated[
    str | None,
    typer.Option(help="Shortest and longest RT in ms to keep, or none; 150-2500 when left out."),
]

"""What the page says of variants of the model: sentences, a table, a figure, and the methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from incongruent.checks.model.under_variant import UnderVariant
from incongruent.checks.model.which_variant import WhichVariant
from incongruent.data.basics.numerals import signed
from incongruent.data.values import listed
from incongruent.exact.variant_results import BASE, Variants
from incongruent.plots import figure_svg, variants_figure, which_variant_figure
from incongruent.report.values import Cell, Column, Table, percent, shown

COLUMNS = (
    Column("variant", number=False),
    Column("gain, nats", "sum over people of the log evidence, less that of the model as fitted"),
    Column("prior half as wide", "the gain if the priors of new parameters were half as wide"),
    Column("twice as wide", "the gain if the priors of new parameters were twice as wide"),
    Column("better for", "share of people with larger evidence than under the model as fitted"),
    Column("frequency", "expected share of people whose trials come from it"),
    Column("most frequent", "protected exceedance probability: that it is the most frequent one"),
)
WHICH_COLUMNS = (
    Column("variant", number=False),
    Column("gain, nats", "sum over people of the log evidence, less that of the model as fitted"),
    Column("better for", "share of people with larger evidence than under the model as fitted"),
    Column("repaired", "statistics that fail as fitted, and not under the variant"),
    Column("failing", "statistics that fail under the variant"),
    Column("moves farthest", "parameter whose mean over people moves farthest, in posterior SDs"),
)
MOST = 8
"""So many of these variants have a row, those with the largest evidence."""
UNTRUSTED = Column("not trusted", "people whose evidence cannot be trusted")


def section(found: Variants) -> dict[str, Any]:
    """What the section of the page shows."""
    figure = figure_svg(variants_figure(found), prefix="variants-")
    return {
        "sentences": found.sentences(),
        "table": variants_table(found),
        "figure": Markup(figure),  # matplotlib escapes what is written in it
    }


def variants_table(found: Variants) -> Table:
    """One row a variant, the one with the largest sum of log evidences first.

    How many people cannot be trusted is shown only where there are any.
    """
    summary = found.summary()
    rows = [_row(row, found) for row in summary.to_dict("records")]
    untrusted = summary["untrusted"].tolist()
    if not any(untrusted):
        return Table(COLUMNS, tuple(rows))
    counts = [(Cell(str(n), n),) for n in untrusted]
    wider = (row + count for row, count in zip(rows, counts, strict=True))
    return Table((*COLUMNS, UNTRUSTED), tuple(wider))


def _row(row: dict[Any, Any], found: Variants) -> tuple[Cell, ...]:
    name, gain = row["variant"], float(row["gain"])
    is_base = name == BASE
    return (
        Cell(name, below="" if is_base else found[name].words),
        Cell("0", gain) if is_base else Cell(_gain(gain), gain, _error(row["gain_error"])),
        *(Cell(_gain(row[f"gain_at_{width}_width"])) for width in ("half", "twice")),
        Cell("–" if is_base else percent(row["share_better"], 0), float(row["share_better"])),
        Cell(percent(row["frequency"], 0), float(row["frequency"])),
        Cell(f"{row['protected_exceedance']:.2f}", float(row["protected_exceedance"])),
    )


def _error(nats: float) -> str:
    """A Monte Carlo error; nothing where somebody's evidence could not be had."""
    return f"± {nats:.1f}" if np.isfinite(nats) else ""


def _gain(nats: float) -> str:
    """Nats with a sign and one digit after the point, a dash where they are not known."""
    return signed(nats) if np.isfinite(nats) else shown(nats)


def check_same_people(found: Variants, fitted: tuple[str, ...]) -> None:
    """Refuse variants of other people than those who were fitted.

    Raises:
        ValueError: when names or their order differ.
    """
    if found.people != fitted:
        raise ValueError(
            f"Expected variants of the people who were fitted, {listed(fitted, 5)}; got those of"
            f" {listed(found.people, 5)}. Ask for them with the draws of this fit:"
            " incongruent.variants(fit.draws, …)."
        )


def compared(found: Variants) -> str:
    """How variants were compared and what came of it, for the methods section."""
    names = ", ".join(one.name for one in found.fits)
    return (
        f"Variants of the model ({names}) were sampled for every person by adaptive importance"
        " sampling on their exact likelihoods (Cornuet et al., 2012) and compared by their log"
        " evidence, summed over people, and by their frequencies among people (Stephan et al.,"
        f" 2009; Rigoux et al., 2014). {' '.join(found.sentences())}"
    )


def which_section(found: WhichVariant, variant: str | None) -> dict[str, Any]:
    """What the page shows of the variants that a check asks about, of one in detail.

    That is the one of the verdict, if there is one; else the one that the evidence names.
    """
    drawn = which_variant_figure(found, variant=variant)
    figure = figure_svg(drawn, prefix="which-variant-")
    ordered = sorted(found.rows, key=lambda row: -row.log_evidence)[:MOST]
    return {
        "sentences": found.sentences(),
        "table": Table(WHICH_COLUMNS, tuple(map(_which_row, ordered))),
        "figure": Markup(figure),  # matplotlib escapes what is written in it
    }


def _which_row(row: UnderVariant) -> tuple[Cell, ...]:
    is_base = row.name == BASE
    nats, n_repaired, n_remaining = row.log_evidence, len(row.repaired), len(row.remaining)
    return (
        Cell(row.name, below="" if is_base else row.words),
        Cell("0", 0.0) if is_base else Cell(_gain(nats), nats),
        Cell("–") if is_base else Cell(percent(row.share_better, 0), row.share_better),
        Cell("–") if is_base else Cell(str(n_repaired), float(n_repaired)),
        Cell(str(n_remaining), float(n_remaining)),
        _farthest(row),
    )


def _farthest(row: UnderVariant) -> Cell:
    """The parameter whose mean over people moves farthest."""
    moves = sorted(row.moves, key=lambda move: -abs(move.in_posterior_sds))
    if row.name == BASE or not moves:
        return Cell("–")
    first = moves[0]
    unit = f" {first.unit}" if first.unit else ""
    values = f"{shown(first.before)} → {shown(first.after)}{unit}"
    sds = f"{first.parameter} {signed(first.in_posterior_sds)}"
    return Cell(sds, abs(first.in_posterior_sds), values)

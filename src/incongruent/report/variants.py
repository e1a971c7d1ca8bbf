"""What the page says of variants of the model: sentences, a table, a figure, and the methods."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from incongruent.data.values import listed
from incongruent.exact.variant_results import BASE, Variants
from incongruent.plots import figure_svg, variants_figure
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
    return f"{nats:+.1f}".replace("-", "−") if np.isfinite(nats) else shown(nats)


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

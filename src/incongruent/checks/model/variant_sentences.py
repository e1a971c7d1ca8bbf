"""What was found about variants of a model, in words."""

from __future__ import annotations

from collections.abc import Sequence

from incongruent.checks.model.moves import Move, New
from incongruent.checks.model.under_variant import UnderVariant
from incongruent.data.basics.numerals import counted, fails, percent, signed

NAMED = 4
"""So many statistics are named; the others are counted."""
FAR = 0.3
"""Parameters whose group mean moves by so many posterior SDs are named."""


def sentences_of(best: UnderVariant, n_failing: int, said: Sequence[str]) -> tuple[str, ...]:
    """What the evidence names, what it repairs, what moves, and what else was found.

    Args:
        best: the variant that the evidence names.
        n_failing: statistics that fail as fitted.
        said: sentences about the evidence, the one about the best variant first.
    """
    first = f"{_capitalised(subject(best))}. {said[0]}"
    return (first, words_of_repair(best, n_failing), words_of_moves(best.moves), *said[1:])


def subject(one: UnderVariant) -> str:
    """A variant with how much of it there is, such as "lapses (in 1.2 % of trials)"."""
    amounts = [_amount(new) for new in one.new]
    return f"{one.name} ({', '.join(amounts)})" if amounts else one.name


def _amount(new: New) -> str:
    """How much there is of a new parameter, averaged over people."""
    if new.parameter == "lapse":
        return f"in {percent(new.mean, 1)} of trials"
    unit = f" {new.unit}" if new.unit else ""
    return f"{new.parameter} {number(new.mean)}{unit} on average"


def words_of_repair(one: UnderVariant, n_before: int) -> str:
    """How many of the statistics that failed a variant predicts, and which fail under it."""
    if not n_before and not one.remaining:
        return "No statistic fails as fitted, and none under it."
    failing = f"{counted(n_before, 'statistic')} that {fails(n_before)}"
    repaired = f"Of {failing}, it predicts {len(one.repaired)}"
    repaired += _in_brackets(one.repaired)
    if not one.remaining:
        return f"{repaired}, and none fails under it."
    n = len(one.remaining)
    return f"{repaired}; under it {n} {fails(n)}{_in_brackets(one.remaining)}."


def _in_brackets(names: Sequence[str]) -> str:
    """At most a few of the names."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f" ({'; '.join(names[:NAMED])}{more})" if names else ""


def words_of_moves(moves: Sequence[Move]) -> str:
    """Which parameters move, the farthest first."""
    far = [move for move in moves if abs(move.in_posterior_sds) >= FAR]
    if not far:
        return f"No parameter's mean over people moves by more than {FAR} posterior SDs."
    ordered = sorted(far, key=lambda move: -abs(move.in_posterior_sds))
    return f"Means over people move: {', '.join(map(words_of_move, ordered))}."


def words_of_move(move: Move) -> str:
    """One parameter before and after."""
    unit = f" {move.unit}" if move.unit else ""
    sds = f"{signed(move.in_posterior_sds)} posterior SDs"
    return f"{move.parameter} from {number(move.before)} to {number(move.after)}{unit} ({sds})"


def number(value: float) -> str:
    """A value of a parameter with three significant digits."""
    text = f"{value:.3g}" if abs(value) < 1000.0 else f"{value:.0f}"
    return text.replace("-", "−")


def _capitalised(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"

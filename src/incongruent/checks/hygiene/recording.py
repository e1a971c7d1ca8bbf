"""Findings about how reaction times were recorded: a deadline, and rounding."""

from __future__ import annotations

import numpy as np

from incongruent.checks.hygiene.findings import Finding, Severity
from incongruent.checks.hygiene.lattice import Steps, Wall
from incongruent.checks.hygiene.observed import NOTICED
from incongruent.data.trials import Trials

COARSE = 20.0
"""Steps of RT, in ms, from which on they are more than a note: about half of the standard deviation
of non-decision times.
"""


def deadline(study: Trials, wall: Wall, level: float, as_recorded: bool) -> Finding:
    """Is the slow tail of RTs cut off?"""
    timeouts = _timeouts(study)
    numbers = _numbers_of_deadline(wall, timeouts)
    late = f" {timeouts:.0f} trials have no answer in time." if timeouts else ""
    if wall.p >= level:
        sentence = f"The slow tail thins out by itself.{late}"
        return Finding("deadline", Severity.FINE, sentence, numbers, wall.p)
    windowed = _is_windowed(study)
    noticed = wall.missing >= NOTICED
    severity = Severity.WARNING if noticed and not windowed else Severity.NOTE
    sentence = f"{_cut_off(wall, late)} {_handled(wall, windowed, as_recorded and noticed)}"
    return Finding("deadline", severity, sentence, numbers, wall.p)


def _numbers_of_deadline(wall: Wall, timeouts: float) -> dict[str, float]:
    return {
        "longest RT (ms)": wall.at,
        "answers near it": float(wall.n_near),
        "share missing beyond": wall.missing,
        "timeouts": timeouts,
    }


def _is_windowed(study: Trials) -> bool:
    """Whether RTs outside a window were left out on reading."""
    return bool(study.excluded.get("out of window", np.zeros(1)).any())


def _timeouts(study: Trials) -> float:
    """The number of trials without an answer in time."""
    left_out = study.excluded.get("timeout", np.zeros(1)).sum()
    return float(left_out + (study.present & ~study.answered).sum())


def _cut_off(wall: Wall, late: str) -> str:
    """Where RTs end, and what that means."""
    return (
        f"RTs are cut off at {wall.at:.0f} ms: {wall.n_near} answers lie in the last"
        f" {wall.width:.0f} ms before it, so that about {wall.missing:.1%} of all would have come"
        f" later.{late} A model without this deadline takes the missing slow answers for fast"
        " processing."
    )


def _handled(wall: Wall, windowed: bool, as_recorded: bool) -> str:
    """What has been done about a wall, or what to do."""
    if as_recorded:
        why = (
            "RTs outside a window were left out on reading, which may be why; as from a network"
            " with the same window, predicted RTs"
            if windowed
            else "So predicted RTs"
        )
        return (
            f"{why} are cut off there as well, and the exact likelihood is that of trials with such"
            " an end. Posteriors that are not corrected by it know nothing of the end."
        )
    do = (
        "RTs outside a window were left out on reading; if RTs end there for that reason, take a"
        " network with the same window. If not, fit"
        if windowed
        else "Fit"
    )
    return (
        f"{do} as recorded (as_recorded=True), or with a network whose design ends there:"
        f" Design(…, window=(…, {wall.at:.0f}))."
    )


def rounding(steps: Steps, clear: bool, as_recorded: bool) -> Finding:
    """Do RTs come in steps?"""
    numbers = {"step (ms)": steps.size if clear else np.nan, "power": steps.power}
    if not clear:
        sentence = "RTs come in no steps larger than 3 ms."
        return Finding("rounding", Severity.FINE, sentence, numbers, steps.p)
    severity = Severity.WARNING if steps.size > COARSE else Severity.NOTE
    return Finding("rounding", severity, _rounded(steps.size, as_recorded), numbers, steps.p)


def _rounded(size: float, as_recorded: bool) -> str:
    """What steps of a size in ms mean, and what has been done about them, or what to do."""
    come = f"RTs come in steps of {size:.1f} ms{_likely_source(size)}."
    if as_recorded:
        better = " Get the unrounded times if they exist." if size > COARSE else ""
        return (
            f"{come} So predicted RTs come in these steps as well, and the exact likelihood of a"
            f" trial is that of its step.{better}"
        )
    do = (
        "Do not interpret sd_R, and get the unrounded times if they exist."
        if size > COARSE
        else "Below 20 ms this changes posteriors little."
    )
    return (
        f"{come} It adds a spread of {size / np.sqrt(12):.1f} ms to non-decision times (sd_R). {do}"
    )


def _likely_source(size: float) -> str:
    """What steps of a size in ms probably come from; empty where nothing is known."""
    if abs(size - 10) < 0.05:
        return ", hundredths of a second"
    hertz = 1000.0 / size
    return f", the frames of a display of {hertz:.0f} Hz" if _is_display_rate(hertz) else ""


def _is_display_rate(hertz: float) -> bool:
    """Whether displays are refreshed at such a rate: near a multiple of 5 Hz."""
    near_five = abs(hertz - round(hertz / 5) * 5) < 0.02 * hertz
    return near_five and 45 <= hertz <= 250

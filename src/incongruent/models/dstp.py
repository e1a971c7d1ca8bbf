r"""Dual-stage two-phase model.

Hübner, Steinhauser & Lehle (2010), Psychological Review 117, 759-784.

    response:   dX = v(t) dt + sigma dW between -b and b,   X(0) = 0
    selection:  dY = mu_ss dt + sigma dW' between -c and c,   Y(0) = 0
                c = target selected, -c = flanker selected
    drift:      v = mu_t + s mu_fl until the selection is over
                then v = mu_rs2 (target selected) or s mu_rs2 (flanker selected)
                s = +1 congruent, -1 incongruent, 0 neutral
    RT = first passage of X + R,   R ~ Normal(mu_R, sd_R) cut at 0

Both begin together and are independent of each other. A response that comes before the selection is
over is made in the first phase, with target and flankers at once; the second phase knows only what
was selected. The upper bound of the response is the correct one. In the neutral condition, which
the paper has not, flankers speak for neither response, also when selected.

Units are those of DMC, ms and sigma = 4 per sqrt(ms). Values published with sigma = 0.1 per sqrt(s)
become 1264.9 times as large for bounds (A is ``b``, C is ``c``), and 1.2649 times for drifts:

    A = 0.07, C = 0.086, mu_t = 0.045, mu_fl = 0.065, mu_ss = 0.368, mu_rs2 = 1.575, ter = 0.225 s
    are b = 88.5, c = 108.8, mu_t = 0.057, mu_fl = 0.082, mu_ss = 0.465, mu_rs2 = 1.99, mu_R = 225
    ms.

Drifts are constant within a phase, for which steps as Brownian bridges are exact; a step ends when
the selection does. The density would need that of two processes at once; there is no likelihood
here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from incongruent.data.trials import CONFLICT_TASK
from incongruent.models.compiling import fast_kernel
from incongruent.models.diffusion import (
    HORIZON,
    LAPSE,
    LAPSE_RANGE,
    RESIDUAL,
    SIGMA,
    SIGN,
    by_name,
    chosen,
    one_of,
    options_of,
    start_table,
)
from incongruent.models.first_passage import (
    answer_at_random,
    crosses,
    crossing_share,
    no_outcomes,
    non_decision,
    start_share,
)
from incongruent.models.model import Model, Parameter

Array = np.ndarray

START_SHAPE = 3.0
"""Shape of the start's beta distribution where it varies, as in DMC."""
LONGEST_STEP = 40.0
"""In ms; shorter where both bounds could be met in one."""

STANDARD = (
    Parameter("mu_t", "drift of the target in the first phase", "1/ms", -2.0, 5.0, 0.13),
    Parameter("mu_fl", "drift of the flankers in the first phase", "1/ms", -2.0, 5.0, 0.15),
    Parameter("mu_ss", "drift of the selection, towards the target", "1/ms", -2.0, 5.0, 0.55),
    Parameter(
        "mu_rs2",
        "drift of the response in the second phase, towards what was selected",
        "1/ms",
        -2.0,
        10.0,
        1.6,
    ),
    Parameter("b", "half the distance between the bounds of the response", "", 5.0, math.inf, 85.0),
    Parameter(
        "c", "half the distance between the bounds of the selection", "", 0.1, math.inf, 100.0
    ),
    *RESIDUAL,
)


@dataclass(frozen=True)
class _Dstp:
    """The options of one variant; `simulate` is the model's function."""

    free: tuple[str, ...]
    fixed: Mapping[str, float]
    start: str

    def simulate(
        self, theta: Array, given: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        condition = np.ascontiguousarray(given["condition"])
        outcomes = no_outcomes(condition.shape)
        _fill(rng, self._process(theta), condition, present, outcomes)
        values = {"condition": condition, "response": outcomes.response, "rt": outcomes.rt}
        return values, outcomes.answered

    def _process(self, theta: Array) -> _Process:
        """Drifts, bounds and what varies over trials, for theta (dataset, parameter)."""
        p = by_name(theta, self.free, self.fixed)
        return _Process(
            p["mu_t"][:, None] + SIGN * p["mu_fl"][:, None],
            _second_phase(p["mu_rs2"]),
            p["mu_ss"],
            p["b"],
            p["c"],
            p["mu_R"],
            p["sd_R"],
            p["lapse"],
            start_table(self.start, START_SHAPE),
        )


def _second_phase(drift: Array) -> Array:
    """Drifts (dataset, condition, selected) after the flanker or the target was selected."""
    flanker = SIGN * drift[:, None]
    return np.stack([flanker, np.broadcast_to(drift[:, None], flanker.shape)], axis=-1)


class _Process(NamedTuple):
    """Drifts, bounds and what varies over trials, for compiled functions.

    Arrays are (dataset,) unless another shape is given.

    Attributes:
        first_phase: (dataset, condition) drift of the response in the first phase.
        second_phase: (dataset, condition, selected) in the second one, flanker or target selected.
        mu_ss: drift of the selection.
        b: bound of the response.
        c: bound of the selection.
        mu_R: mean of the non-decision time in ms.
        sd_R: its standard deviation in ms.
        lapse: share of trials answered at random.
        start: (knot,) as in `TrialEffects`.
    """

    first_phase: Array
    second_phase: Array
    mu_ss: Array
    b: Array
    c: Array
    mu_R: Array
    sd_R: Array
    lapse: Array
    start: Array


@fast_kernel
def _passage(rng, x, drift, bound, begin, until):  # pragma: no cover - compiled
    """Time, side and place of a path with constant drift that stands at x at time ``begin``.

    The side is 1 for the upper bound, 0 for the lower, and -1 for none until ``until``. A step ends
    beyond a bound, or the path has crossed one within it as a Brownian bridge, or neither. Steps
    are so short that no path sees both.
    """
    longest = min(LONGEST_STEP, (bound / (2.0 * SIGMA)) ** 2, bound / (2.0 * abs(drift) + 1e-9))
    t = begin
    while t < until:
        dt = min(longest, until - t)
        variance = SIGMA * SIGMA * dt
        end = x + drift * dt + math.sqrt(variance) * rng.standard_normal()
        up0, up1, low0, low1 = bound - x, bound - end, bound + x, bound + end
        side = -1
        if up1 <= 0.0:
            side = 1
        elif low1 <= 0.0:
            side = 0
        elif crosses(rng, up0, up1, variance, 0.0):
            side = 1
        elif crosses(rng, low0, low1, variance, 0.0):
            side = 0
        if side >= 0:
            a0, a1 = (up0, up1) if side == 1 else (low0, low1)
            return t + dt * crossing_share(rng, a0, abs(a1), variance), side, end
        t += dt
        x = end
    return until, -1, x


@fast_kernel
def _fill(rng, process, condition, present, outcomes):  # pragma: no cover - compiled
    """Fill in the outcomes of every trial that is present."""
    first_phase, second_phase, mu_ss, b, c, mu_R, sd_R, lapse, start = process
    rt, response, answered = outcomes
    for i in range(condition.shape[0]):
        for j in range(condition.shape[1]):
            if not present[i, j]:
                continue
            if lapse[i] > 0.0 and rng.random() < lapse[i]:
                rt[i, j], response[i, j] = answer_at_random(rng, LAPSE_RANGE[0], LAPSE_RANGE[1])
                answered[i, j] = True
                continue
            level = condition[i, j]
            selected_at, selected, _ = _passage(rng, 0.0, mu_ss[i], c[i], 0.0, HORIZON)
            place = start_share(rng, start) * b[i]
            time, side, place = _passage(rng, place, first_phase[i, level], b[i], 0.0, selected_at)
            if side < 0 and selected >= 0:
                drift = second_phase[i, level, selected]
                time, side, _ = _passage(rng, place, drift, b[i], selected_at, HORIZON)
            if side >= 0:
                rt[i, j] = time + non_decision(rng, mu_R[i], sd_R[i])
                response[i, j] = 1 - side  # "correct" comes first, and is the upper bound
                answered[i, j] = True


def dstp(
    *, fixed: Mapping[str, float] | None = None, free: Sequence[str] = (), start: str = "point"
) -> Model:
    """The dual-stage two-phase model.

    Args:
        fixed: parameters that are not estimated, with their values, for example ``{"sd_R": 30}``.
        free: further parameters to estimate: ``lapse``.
        start: of the response, "point" (always 0), as published; or "beta", 2 Beta(3, 3) - 1 of the
            bound over trials, as in DMC.

    Returns:
        A `Model` with the free parameters in the order mu_t, mu_fl, mu_ss, mu_rs2, b, c, mu_R,
        sd_R, then those in ``free``. It has no likelihood.

    Raises:
        ValueError: for an unknown parameter or option, or a value outside the parameter's domain.

    Example:
        >>> dstp(fixed={"mu_fl": 0.1}).parameter_names
        ('mu_t', 'mu_ss', 'mu_rs2', 'b', 'c', 'mu_R', 'sd_R')

    Source: Hübner, Steinhauser & Lehle (2010); the neutral condition and the variability over
        trials are DMC's.
    """
    start = one_of(start, ("point", "beta"), "start")
    fixed, free = options_of(fixed, free)
    parameters, values = chosen(STANDARD, (LAPSE,), free, fixed)
    variant = _Dstp(tuple(parameter.name for parameter in parameters), values, start)
    settings = {"fixed": fixed, "free": free, "start": start}
    return Model(
        "dstp", parameters, CONFLICT_TASK, variant.simulate, settings, "Hübner et al. 2010"
    )

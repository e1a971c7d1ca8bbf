r"""Revised Diffusion Model for Conflict tasks (Lee & Sewell 2024, Psychon. Bull. Rev. 31, 1-31).

    dX = (w(t) s d_a + (1 - w(t)) d_c + eta) dt + sigma dW,   w(t) = A0 exp(-t / tau),   X(0) = 0
    s = +1 congruent, -1 incongruent, 0 neutral,   d_a = A / (A0 tau)
    RT = first passage + R,   R ~ Normal(mu_R, sd_R) cut at 0

Attention is divided between an automatic channel, which reads the irrelevant feature, and a
controlled one, which reads the relevant feature. It begins with the share ``A0`` on the automatic
channel, and leaves it with the time constant ``tau``; the published rate is k = 1 / tau. So the
drift from the irrelevant feature becomes weaker and never changes its sign, as that of DMC does.
Units, bounds and non-decision times are those of DMC: ``A``, ``d_c``, ``b``, ``mu_R`` and ``sd_R``
compare with DMC's A, mu_c, b, mu_R and sd_R.

The mean path has a closed form,

    m(t) = d_c t + (s A - A0 tau d_c) (1 - exp(-t / tau)).

So what data tell are d_c, tau, how far the automatic channel moves the path in the end, A, and for
how long the controlled channel is delayed, A0 tau. Two choices follow. A is estimated and not the
drift d_a: at usual values d_a and tau are correlated by -0.94 in what 300 trials tell, A and tau by
0.42. And A0 is fixed at 1, all of the attention, unless freed or fixed elsewhere: 300 trials tell
it with a standard error of about 0.7, where its whole range is 1. With A = 0 and A0 = 0 nothing is
left but the plain diffusion model.

The published model has a rate k of its own for congruent and one for incongruent trials. With
``tau_ratio`` freed, the time constant is tau in incongruent trials, tau tau_ratio in congruent ones
and tau sqrt(tau_ratio) in neutral ones, so that tau_ratio = k_incongruent / k_congruent. d_a is the
same in all, and A is that of incongruent trials.

The equation of the drift, and that k depends on the condition, are as the documentation of the R
package ream gives them (Hartmann & Murrow). The second is also what Janczyk, Mackenzie & Koob
(2025, Psychon. Bull. Rev. 32, 690-704) discuss, who find that several parameters of the published
model are hardly recovered. The article itself could not be read for this implementation: whether
the start varies there, and whether A0 is free and may exceed 1, could not be checked. The neutral
condition and the common time constant are choices made here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from incongruent.data.trials import CONFLICT_TASK
from incongruent.models.diffusion import (
    HORIZON,
    LAPSE,
    RESIDUAL,
    SIGN,
    ConstantBounds,
    PassageModel,
    chosen,
    emptied_after,
    growing_steps,
    one_bound_within_reach,
    one_of,
    options_of,
)
from incongruent.models.model import Model, Parameter

Array = np.ndarray

LONGEST_STEP = 40.0
"""The longest step of the simulator, in ms."""

STANDARD = (
    Parameter(
        "A", "how far the automatic channel moves the path in the end", "", 0.0, math.inf, 12.0
    ),
    Parameter(
        "tau", "time constant with which attention leaves that channel", "ms", 1.0, math.inf, 25.0
    ),
    Parameter("d_c", "drift of the controlled channel", "1/ms", -2.0, 5.0, 0.55),
    Parameter("b", "half the distance between the bounds", "", 5.0, math.inf, 60.0),
    *RESIDUAL,
)
OPTIONAL = (
    Parameter("A0", "share of attention on the automatic channel at 0", "", 0.0, 1.0, 1.0),
    Parameter("tau_ratio", "time constant, congruent over incongruent", "", 0.01, 100.0, 1.0),
    Parameter("drift_sd", "standard deviation of the drift over trials", "1/ms", 0.0, 5.0, 0.0),
    LAPSE,
)


class _Rdmc(ConstantBounds):
    """The options of one variant."""

    def grid(self, p: Mapping[str, Array]) -> Array:
        """Ends of the steps (dataset, step + 1), short while attention moves.

        Later on, steps are as long as one bound at a time can be met in a step.
        """
        longest = np.minimum(LONGEST_STEP, one_bound_within_reach(p["b"]))
        tau = p["tau"][:, None] * _longer(p, SIGN)  # (dataset, condition)
        bend, slowest = _bending(p, tau.min(axis=1)), tau.max(axis=1)
        never = np.full(len(bend), np.inf)
        return growing_steps(longest, emptied_after(p["b"]), bend, slowest, never, HORIZON)

    def mean_path(self, p: Mapping[str, Array], t: Array, sign: Array) -> Array:
        longer = _longer(p, sign)[:, :, None]  # (dataset, condition, 1)
        each = {name: value[:, None, None] for name, value in p.items()}
        withdrawn = -np.expm1(-t[:, None, :] / (each["tau"] * longer))  # (dataset, condition, time)
        pushed = (sign[:, None] * each["A"] - each["A0"] * each["tau"] * each["d_c"]) * longer
        return each["d_c"] * t[:, None, :] + pushed * withdrawn


def _longer(p: Mapping[str, Array], sign: Array) -> Array:
    """Time constants over that of incongruent trials, (dataset, condition)."""
    return p["tau_ratio"][:, None] ** (0.5 * (1.0 + sign))


def _bending(p: Mapping[str, Array], tau: Array) -> Array:
    """The longest step in ms at time 0, (dataset,), for the shortest time constant (dataset,)."""
    change = np.maximum(p["A"] / p["tau"] + p["A0"] * np.abs(p["d_c"]), 1e-9)  # of drift, 1/ms
    slight = np.sqrt(0.05 * p["b"] * tau / change)  # a bow of at most 0.6 % of b
    return np.minimum(0.15 * tau, slight)


def rdmc(
    *, fixed: Mapping[str, float] | None = None, free: Sequence[str] = (), start: str = "point"
) -> Model:
    """The revised Diffusion Model for Conflict tasks.

    Args:
        fixed: parameters that are not estimated, with their values, for example ``{"sd_R": 30}``;
            ``{"A0": 0.8}`` for another share of attention at the beginning.
        free: further parameters to estimate, out of ``A0``, ``tau_ratio``, ``drift_sd`` and
            ``lapse``.
        start: "point" (always 0); or "beta", 2 Beta(3, 3) - 1 of the bound over trials, as in DMC.

    Returns:
        A `Model` with the free parameters in the order A, tau, d_c, b, mu_R, sd_R, then those in
        ``free``. It has an exact likelihood.

    Raises:
        ValueError: for an unknown parameter or option, or a value outside the parameter's domain.

    Example:
        >>> rdmc(fixed={"sd_R": 30.0}, free=["tau_ratio"]).parameter_names
        ('A', 'tau', 'd_c', 'b', 'mu_R', 'tau_ratio')

    Source: Lee & Sewell (2024), by way of the documentation of the R package ream; the module says
        what could not be checked. The neutral condition and the variability over trials are DMC's.
    """
    start = one_of(start, ("point", "beta"), "start")
    fixed, free = options_of(fixed, free)
    parameters, values = chosen(STANDARD, OPTIONAL, free, fixed)
    variant = _Rdmc(tuple(parameter.name for parameter in parameters), values, start)
    passages = PassageModel(variant.paths, variant.effects)
    settings = {"fixed": fixed, "free": free, "start": start}
    return Model(
        "rdmc",
        parameters,
        CONFLICT_TASK,
        passages,
        settings,
        "Lee & Sewell 2024",
        passages.likelihood,
    )

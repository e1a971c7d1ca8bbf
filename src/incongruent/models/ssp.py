r"""Shrinking spotlight model (White, Ratcliff & Starns 2011, Cognitive Psychology 63, 210-238).

    dX = (p [p_target(t) + s (1 - p_target(t))] + eta) dt + sigma dW,   X(0) = 0
    s = +1 congruent, -1 incongruent, 0 neutral
    p_target(t) = Phi(0.5 / sd(t)) - Phi(-0.5 / sd(t)) = erf(c / sd(t)),   c = 0.5 / sqrt(2)
    sd(t) = max(sd_0 (1 - t / t_int), 0.001)
    RT = first passage + R,   R ~ Normal(mu_R, sd_R) cut at 0

Attention is a normal distribution over a row of stimuli one unit wide each, with the target in the
middle. It narrows while the decision is made, so that flankers count less and less. ``t_int`` =
sd_0 / r is the interference time: the spotlight is at its narrowest then.

Units are those of DMC, ms and sigma = 4 per sqrt(ms), so that ``p``, ``b``, ``mu_R`` and ``sd_R``
compare with DMC's mu_c, b, mu_R and sd_R. Values published with sigma = 0.1 per sqrt(s) become b =
1264.9 A with bounds at ±A (632.5 a with bounds at 0 and a), p = 1.2649 p, t_int = sd_0 / r:

    A = 0.05, p = 0.4, sd_0 = 1.5, r = 0.04 per ms, ter = 0.3 s   are
    b = 63.2, p = 0.506, t_int = 37.5 ms, mu_R = 300 ms.

The width at the beginning, sd_0, and the rate of shrinking, r, can hardly be told apart from data
(White, Servant & Logan 2018, Psychonomic Bulletin & Review 25, 286-301). So sd_0 is fixed at 1.5
unless freed or fixed elsewhere, and t_int is estimated. What data do tell is the time that
attention spends on flankers, the integral of 1 - p_target, which is 0.424 t_int for sd_0 = 1.5 and
0.621 t_int for sd_0 = 3: compare t_int among fits with the same sd_0 only.

The mean path has a closed form: an antiderivative of erf(c / w) is w erf(c / w) + c / sqrt(pi)
E_1(c^2 / w^2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from incongruent.data.trials import CONFLICT_TASK
from incongruent.models.diffusion import (
    HORIZON,
    LAPSE,
    RESIDUAL,
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

NARROWEST = 0.001
"""The spotlight's SD does not fall below this, as in the published model."""
LONGEST_STEP = 40.0
"""The longest step of the simulator, in ms."""

STANDARD = (
    Parameter(
        "p", "perceptual input of an item that has all of the attention", "1/ms", -2.0, 5.0, 0.55
    ),
    Parameter(
        "t_int",
        "interference time, sd_0 / r: when the spotlight is at its narrowest",
        "ms",
        0.01,
        math.inf,
        50.0,
    ),
    Parameter("b", "half the distance between the bounds", "", 5.0, math.inf, 60.0),
    *RESIDUAL,
)
OPTIONAL = (
    Parameter("sd_0", "width of the spotlight at the beginning", "stimuli", 0.1, 20.0, 1.5),
    Parameter("drift_sd", "standard deviation of the drift over trials", "1/ms", 0.0, 5.0, 0.0),
    LAPSE,
)


def attended(t: Array, t_int: Array, sd_0: Array) -> Array:
    """Attention that the target has had until time t, in ms.

    This is the integral of p_target from 0 to t; all arguments broadcast.
    """
    t_floor = t_int * np.maximum(1.0 - NARROWEST / sd_0, 0.0)  # ms; when the SD meets its floor
    width = sd_0 * (1.0 - np.minimum(t, t_floor) / t_int)
    shrinking = (_of_erf(sd_0) - _of_erf(width)) * (t_int / sd_0)
    return shrinking + np.maximum(t - t_floor, 0.0)


def _of_erf(w: Array) -> Array:
    """An antiderivative of erf(c / w) in w > 0, which is 0 at 0."""
    c = 0.5 / math.sqrt(2.0)
    return w * special.erf(c / w) + c / math.sqrt(math.pi) * special.exp1((c / w) ** 2)


class _Ssp(ConstantBounds):
    """The options of one variant."""

    def grid(self, p: Mapping[str, Array]) -> Array:
        """Ends of the steps (dataset, step + 1), short while the spotlight shrinks.

        Later on, steps are as long as one bound at a time can be met in a step.
        """
        speed = np.maximum(np.abs(p["p"]), 1e-9)
        by_noise = np.minimum(LONGEST_STEP, one_bound_within_reach(p["b"]))
        longest = np.minimum(by_noise, p["b"] / (2.0 * speed))
        never = np.full(len(speed), np.inf)
        bend = _bending(p, speed)
        return growing_steps(longest, emptied_after(p["b"]), bend, never, p["t_int"], HORIZON)

    def mean_path(self, p: Mapping[str, Array], t: Array, sign: Array) -> Array:
        target = attended(t, p["t_int"][:, None], p["sd_0"][:, None])
        return p["p"][:, None, None] * (
            target[:, None, :] + sign[:, None] * (t - target)[:, None, :]
        )


def _bending(p: Mapping[str, Array], speed: Array) -> Array:
    """The longest step in ms while the spotlight shrinks, (dataset,), for drifts up to a speed."""
    rate = p["sd_0"] / p["t_int"]
    slight = np.sqrt(0.02 * p["b"] / (speed * rate))  # a bow of at most 0.6 % of b
    return np.minimum(0.15 / rate, slight)


def ssp(
    *, fixed: Mapping[str, float] | None = None, free: Sequence[str] = (), start: str = "point"
) -> Model:
    """The shrinking spotlight model.

    Args:
        fixed: parameters that are not estimated, with their values, for example ``{"sd_R": 30}``;
            ``{"sd_0": 2}`` for another width at the beginning.
        free: further parameters to estimate, out of ``sd_0``, ``drift_sd`` and ``lapse``.
        start: "point" (always 0), as published; or "beta", 2 Beta(3, 3) - 1 of the bound over
            trials, as in DMC.

    Returns:
        A `Model` with the free parameters in the order p, t_int, b, mu_R, sd_R, then those in
        ``free``. It has an exact likelihood.

    Raises:
        ValueError: for an unknown parameter or option, or a value outside the parameter's domain.

    Example:
        >>> ssp(fixed={"sd_R": 30.0}, free=["lapse"]).parameter_names
        ('p', 't_int', 'b', 'mu_R', 'lapse')

    Source: White, Ratcliff & Starns (2011); the neutral condition and the variability over trials
        are DMC's.
    """
    start = one_of(start, ("point", "beta"), "start")
    fixed, free = options_of(fixed, free)
    parameters, values = chosen(STANDARD, OPTIONAL, free, fixed)
    variant = _Ssp(tuple(parameter.name for parameter in parameters), values, start)
    passages = PassageModel(variant.paths, variant.effects)
    settings = {"fixed": fixed, "free": free, "start": start}
    return Model(
        "ssp",
        parameters,
        CONFLICT_TASK,
        passages,
        settings,
        "White et al. 2011",
        passages.likelihood,
    )

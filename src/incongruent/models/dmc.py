r"""Diffusion Model for Conflict tasks.

Ulrich, Schröter, Leuthold & Birngruber (2015), Cognitive Psychology 78, 148-174.

    dX = (mu_c + eta + s mu_a(t)) dt + sigma dW,   s = +1 congruent, -1 incongruent, 0 neutral
    int_0^t mu_a = A exp(-t/tau) [e t / ((a - 1) tau)]^(a - 1)
    X(0) = b (2 Beta(alpha, alpha) - 1),   RT = first passage + R,   R ~ Normal(mu_R, sd_R) cut at 0

The upper bound is the correct response. Time is in ms and sigma = 4 per sqrt(ms), the convention of
the DMC literature. Only the activation (the integral above) enters, never the drift itself, which
is unbounded at 0 for a < 2.

Koob, Mackenzie, Ulrich, Leuthold & Janczyk (2023, Cognitive Psychology 140, 101528) let the
activation undershoot when it swings back to zero, for the Simon task. Here it does so with the
parameter ``undershoot``, u, which is 0 unless freed or fixed elsewhere:

    int_0^t mu_a = A y^m exp(-m (1 - u) (y - 1)) [1 - u m (y - 1)],   m = a - 1,   y = t / (m tau)

With u = 0 this is the equation above. For every u the peak is A at (a - 1) tau. The activation
falls below zero at (a - 1) tau + tau / u; for a = 2 the depth is 9, 30 and 74 % of A with u = 0.3,
0.4 and 0.5. Of the article only the abstract could be read for this implementation, so that its
equation and this one are not compared: they share the sign of the activation, and may differ in
shape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from incongruent.data.basics.plain import number
from incongruent.data.trials import CONFLICT_TASK
from incongruent.models.diffusion import (
    HORIZON,
    LAPSE,
    RESIDUAL,
    SIGMA,
    SIGN,
    PassageModel,
    by_name,
    chosen,
    effects_of,
    emptied_after,
    growing_steps,
    one_bound_within_reach,
    one_of,
    options_of,
    paths_of_means,
    start_table,
)
from incongruent.models.first_passage import Paths, TrialEffects
from incongruent.models.model import Model, Parameter

Array = np.ndarray

STANDARD = (
    Parameter("A", "peak of the automatic activation", "", 0.0, math.inf, 20.0),
    Parameter("tau", "time scale of the automatic activation", "ms", 1.0, math.inf, 120.0),
    Parameter("mu_c", "controlled drift", "1/ms", -2.0, 5.0, 0.55),
    Parameter("b", "half the distance between the bounds", "", 5.0, math.inf, 60.0),
    *RESIDUAL,
)
OPTIONAL = (
    Parameter("a", "shape of the automatic activation", "", 1.05, 10.0, 2.0),
    Parameter("undershoot", "how soon the activation falls below zero", "", 0.0, 0.6, 0.0),
    Parameter(
        "drift_sd", "standard deviation of the controlled drift over trials", "1/ms", 0.0, 5.0, 0.0
    ),
    LAPSE,
    Parameter("kappa", "share of the bound that collapses in the end", "", 0.0, 0.99, 0.5),
    Parameter("t_half", "time at which half of the collapse is over", "ms", 1.0, math.inf, 400.0),
    Parameter("shape", "steepness of the Weibull collapse", "", 0.2, 20.0, 3.0),
)
OF_ACTIVATION = ("A", "tau", "a", "undershoot")
"""The parameters of the automatic activation, in the order of `activation`."""
LEAST_ALPHA = 0.5
"""A start distribution of a smaller shape lies at the bounds for the most part, nearer than numbers
can tell apart.
"""
LONGEST_STEP = {"bridge": 40.0, "euler": 1.0}
"""The longest step of the simulator, in ms, unless another one is given."""
COLLAPSE = {
    "constant": (),
    "hyperbolic": ("kappa", "t_half"),
    "weibull": ("kappa", "t_half", "shape"),
}


def activation(
    t: Array, A: Array, tau: Array, a: Array | float, undershoot: Array | float = 0.0
) -> Array:
    """Automatic activation at time t (ms), the integral of its drift; all arguments broadcast."""
    later = undershoot * (t / tau - (a - 1.0))  # than the peak
    return _pulse(t, A, tau, a, later) * (1.0 - later)


def _pulse(t: Array, A: Array, tau: Array, a: Array | float, later: Array) -> Array:
    """The activation without the factor that changes its sign; all arguments broadcast."""
    return A * np.exp(later - t / tau) * (math.e * t / ((a - 1.0) * tau)) ** (a - 1.0)


@dataclass(frozen=True)
class _Dmc:
    """The options of one variant."""

    free: tuple[str, ...]
    fixed: Mapping[str, float]
    start: str
    alpha: float
    bound: str
    scheme: str
    dt: float

    def effects(self, theta: Array) -> TrialEffects:
        """What varies over trials, for theta (dataset, parameter)."""
        p = by_name(theta, self.free, self.fixed)
        return effects_of(p, start_table(self.start, self.alpha))

    def paths(
        self, theta: Array, times: Array | None = None, levels: Array | slice = slice(None)
    ) -> Paths:
        """Mean paths and bounds for theta (dataset, parameter), in all conditions or some.

        They are on the simulator's times or on others. Both trials and densities come from this
        definition.
        """
        p, sign = by_name(theta, self.free, self.fixed), SIGN[levels]
        times = self.grid(p) if times is None else times  # (dataset, step + 1)
        bound = self._bound(p, times)
        if self.scheme == "euler":
            return _straight_paths(times, self._euler_increment(p, times, sign), bound)
        return paths_of_means(lambda t: self._mean_path(p, t, sign), times, bound)

    def grid(self, p: Mapping[str, Array]) -> Array:
        """Ends of the steps (dataset, step + 1), short while the activation bends.

        Later on, steps are as long as one bound at a time can be met in a step.
        """
        if self.scheme == "euler":
            return np.tile(np.arange(0.0, HORIZON + self.dt, self.dt), (len(p["tau"]), 1))
        b = p["b"] * (1.0 - p["kappa"])
        longest = np.minimum(self.dt, one_bound_within_reach(b))
        always = np.full(len(p["tau"]), np.inf)
        fading = p["tau"] / (1.0 - p["undershoot"])
        return growing_steps(longest, emptied_after(b), _bending(p), fading, always, HORIZON)

    def _mean_path(self, p: Mapping[str, Array], t: Array, sign: Array) -> Array:
        automatic = activation(t, *(p[name][:, None] for name in OF_ACTIVATION))
        return (p["mu_c"][:, None] * t)[:, None, :] + sign[:, None] * automatic[:, None, :]

    def _euler_increment(self, p: Mapping[str, Array], times: Array, sign: Array) -> Array:
        """Drift at the right end of each step, times the step: what published simulators do."""
        automatic = _automatic_drift(p, times[:, 1:])
        drift = p["mu_c"][:, None, None] + sign[:, None] * automatic[:, None, :]
        return drift * np.diff(times)[:, None, :]

    def _bound(self, p: Mapping[str, Array], t: Array) -> Array:
        b, kappa = p["b"][:, None], p["kappa"][:, None]
        return b * (1.0 - kappa * self._collapsed(p, t))

    def _collapsed(self, p: Mapping[str, Array], t: Array) -> Array:
        """The share of its collapse that the bound has behind it at times (dataset, time)."""
        t_half, shape = p["t_half"][:, None], p["shape"][:, None]
        return {
            "constant": lambda: np.zeros_like(t),
            "hyperbolic": lambda: t / (t + t_half),
            "weibull": lambda: 1.0 - 2.0 ** (-((t / t_half) ** shape)),
        }[self.bound]()


def _bending(p: Mapping[str, Array]) -> Array:
    """The longest step in ms over which the activation may bend at time 0, (dataset,)."""
    return (
        p["tau"]
        * np.minimum(0.15, 0.1 * np.sqrt(p["b"] / np.maximum(p["A"], 1e-9)))
        * np.minimum(1.0, p["a"] - 1.0) ** 2
    )


def _automatic_drift(p: Mapping[str, Array], t: Array) -> Array:
    """Drift of the automatic process at times (dataset, time) above 0."""
    A, tau, a, undershoot = (p[name][:, None] for name in OF_ACTIVATION)
    later = undershoot * (t / tau - (a - 1.0))
    change = ((a - 1.0) / t - 1.0 / tau) * (1.0 - later) - undershoot * later / tau
    return _pulse(t, A, tau, a, later) * change


def _straight_paths(times: Array, increment: Array, bound: Array) -> Paths:
    """Mean paths that do not bend within a step."""
    return Paths(times, increment, np.zeros_like(increment), bound, SIGMA)


def dmc(
    *,
    fixed: Mapping[str, float] | None = None,
    free: Sequence[str] = (),
    start: str = "beta",
    alpha: float = 3.0,
    bound: str = "constant",
    scheme: str = "bridge",
    dt: float | None = None,
) -> Model:
    """The Diffusion Model for Conflict tasks and its variants.

    Args:
        fixed: parameters that are not estimated, with their values, for example ``{"sd_R": 30}``.
        free: further parameters to estimate, out of ``a``, ``undershoot``, ``drift_sd``, ``lapse``
            and those of the collapsing bound.
        start: "beta" (over trials, with shape ``alpha``) or "point" (always 0).
        alpha: shape of the start distribution, at least 0.5.
        bound: "constant"; "hyperbolic", b (1 - kappa t / (t + t_half)); or "weibull", b (1 - kappa
            (1 - 2^-(t / t_half)^shape)).
        scheme: "bridge", free of discretisation bias; or "euler", the convention of published
            software.
        dt: longest step in ms; 40 for the bridge, 1 for Euler when left out.

    Returns:
        A `Model` with the free parameters in the order A, tau, mu_c, b, mu_R, sd_R, then those in
        ``free``.

    Raises:
        ValueError: for an unknown parameter, option or scheme, or a value outside the parameter's
            domain.

    Example:
        >>> dmc(fixed={"sd_R": 30.0}, free=["lapse"]).parameter_names
        ('A', 'tau', 'mu_c', 'b', 'mu_R', 'lapse')

    Source: Ulrich et al. (2015). Weibull and hyperbolic bounds after Hawkins et al. (2015) and
        Voskuilen et al. (2016), in a parametrisation by half time. The activation that undershoots
        is after Koob et al. (2023), A y^m exp(-m (1 - u) (y - 1)) [1 - u m (y - 1)] with m = a - 1
        and y = t / (m tau), which could not be compared with theirs.
    """
    start = one_of(start, ("beta", "point"), "start")
    bound = one_of(bound, tuple(COLLAPSE), "bound")
    scheme = one_of(scheme, ("bridge", "euler"), "scheme")
    fixed, free = options_of(fixed, free)
    usable = _usable(bound)
    parameters, values = chosen(STANDARD, usable, free, fixed, f" (with bound={bound!r})")
    alpha, step = number("alpha", alpha), number("dt", LONGEST_STEP[scheme] if dt is None else dt)
    _check_alpha_and_step(alpha, step)
    names, constants = tuple(p.name for p in parameters), _unused(bound) | values
    variant = _Dmc(names, constants, start, alpha, bound, scheme, step)
    passages = PassageModel(variant.paths, variant.effects, scheme)
    return Model(
        "dmc",
        parameters,
        CONFLICT_TASK,
        passages,
        dict(fixed=fixed, free=free, start=start, alpha=alpha, bound=bound, scheme=scheme, dt=step),
        "Ulrich et al. 2015",
        passages.likelihood,
    )


def _usable(bound: str) -> list[Parameter]:
    """The optional parameters that a variant of the bound has."""
    collapse = {name for names in COLLAPSE.values() for name in names}
    return [p for p in OPTIONAL if p.name not in collapse or p.name in COLLAPSE[bound]]


def _unused(bound: str) -> dict[str, float]:
    """The values of the optional parameters that a variant of the bound lacks."""
    others = [p for p in OPTIONAL if p not in _usable(bound)]
    typical = {p.name: p.typical for p in others if p.typical is not None}
    return typical | ({"kappa": 0.0} if bound == "constant" else {})


def _check_alpha_and_step(alpha: float, step: float) -> None:
    if not (LEAST_ALPHA <= alpha < math.inf and 0 < step < math.inf):
        raise ValueError(
            f"Expected alpha of at least {LEAST_ALPHA:g}, below which trials begin at a bound,"
            f" where they are over at once, and dt above 0; got alpha={alpha}, dt={step}."
        )

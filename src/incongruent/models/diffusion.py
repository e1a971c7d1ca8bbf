"""What the conflict models with a likelihood have in common.

That is units, the choice of parameters, and simulator and likelihood from mean paths.

A model says what its process does on average and where its bounds are (`Paths`), and what varies
over trials (`TrialEffects`). Both its trials and its densities come from these two, so that they
cannot differ. The upper bound is the correct response, time is in ms, and sigma = 4 per sqrt(ms),
the convention of the DMC literature, for all of them: bounds and drifts of different models can be
compared.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np

from incongruent.data.basics.plain import number, plain, text_of, words_of
from incongruent.data.trials import CONDITION
from incongruent.models.first_passage import Paths, TrialEffects, beta_start, simulate_passages
from incongruent.models.forward_equation import LEVELS
from incongruent.models.model import Kept, Likelihood, Parameter
from incongruent.models.response_times import (
    Observed,
    PathsOf,
    log_densities,
    log_likelihood,
)

Array = np.ndarray

SIGMA = 4.0
FROM_SECONDS = SIGMA * math.sqrt(1000.0) / 0.1
"""How much larger places and bounds are here than where sigma = 0.1 per sqrt(s), 1264.9; drifts per
second become so much larger per 1000 ms.
"""
HORIZON = 5000.0
"""Decision times are followed up to here, in ms; a path that has met no bound by then is a trial
without an answer.
"""
LAPSE_RANGE = (150.0, 2500.0)
START_SHAPE = 3.0
"""Shape of the start's beta distribution where it varies, as in DMC."""
AT_ONCE = 512
"""Parameter values whose densities are worked out together; more would not fit into the processor's
cache.
"""
SIGN = np.array(
    [{"congruent": 1.0, "incongruent": -1.0, "neutral": 0.0}[level] for level in CONDITION.levels]
)

RESIDUAL = (
    Parameter("mu_R", "mean non-decision time", "ms", 0.0, math.inf, 340.0),
    Parameter("sd_R", "standard deviation of the non-decision time", "ms", 0.0, math.inf, 35.0),
)
LAPSE = Parameter("lapse", "share of trials answered at random", "", 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class PassageModel:
    """Simulator and likelihood of a diffusion between two bounds.

    A model's ``simulate`` is one of these, so that its paths can be asked for.

    Attributes:
        paths: ``paths(theta, times, levels)``: mean paths and bounds for theta (dataset, parameter)
            on times (dataset, step + 1), or for None on the simulator's own, for some of the
            conditions or all.
        effects: ``effects(theta)``: what varies over trials.
        scheme: "bridge" or "euler".
    """

    paths: Callable[[Array, Array | None, Array | slice], Paths]
    effects: Callable[[Array], TrialEffects]
    scheme: str = "bridge"

    def __call__(
        self, theta: Array, given: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        """What `Model.simulate` asks for."""
        condition = np.ascontiguousarray(given["condition"])
        paths = self.paths(theta, None, slice(None))
        rt, response, answered = simulate_passages(
            paths, self.effects(theta), condition, present, rng, scheme=self.scheme
        )
        return {"condition": condition, "response": response, "rt": rt}, answered

    @property
    def likelihood(self) -> Likelihood | None:
        """The exact likelihood; None for Euler's scheme.

        Trials of Euler's scheme come from another, discrete process.
        """
        if self.scheme != "bridge":
            return None
        return Likelihood(
            self._log_likelihood,
            len(LEVELS),
            self._log_densities,
            {LAPSE.name: self._on_grid_of_lapses},
        )

    def _log_likelihood(
        self, theta: Array, values: Mapping[str, Array], answered: Array, kept: Kept, level: int
    ) -> Array:
        found = [np.empty(0)]
        if len(values["condition"]) == 0:  # no trials: nothing to learn from
            return np.zeros(len(theta))
        levels, observed = _observed(values, answered)
        for effects, paths_of in self._in_parts(theta, levels):
            found.append(log_likelihood(paths_of, effects, observed, kept, LEVELS[level]))
        return np.concatenate(found)

    def _on_grid_of_lapses(
        self,
        theta: Array,
        grid: Array,
        values: Mapping[str, Array],
        answered: Array,
        kept: Kept,
        level: int,
    ) -> Array:
        found = [np.empty((0, len(grid)))]
        if len(values["condition"]) == 0:
            return np.zeros((len(theta), len(grid)))
        levels, observed = _observed(values, answered)
        for effects, paths_of in self._in_parts(theta, levels):
            many = _with_lapses(effects, grid)
            found.append(log_likelihood(paths_of, many, observed, kept, LEVELS[level]))
        return np.concatenate(found)

    def _log_densities(
        self, theta: Array, values: Mapping[str, Array], kept: Kept, level: int
    ) -> Array:
        n_trials = len(values["rt"])
        found = [np.empty((0, n_trials))]
        if n_trials == 0:
            return np.zeros((len(theta), 0))
        levels, observed = _observed(values, np.ones(n_trials, bool))
        for effects, paths_of in self._in_parts(theta, levels):
            found.append(log_densities(paths_of, effects, observed, kept, LEVELS[level]))
        return np.concatenate(found)

    def _in_parts(self, theta: Array, levels: Array) -> Iterator[tuple[TrialEffects, PathsOf]]:
        """What varies over trials, and mean paths in some conditions, for some theta at a time."""
        theta = np.asarray(theta, float)
        for first in range(0, len(theta), AT_ONCE):
            part = theta[first : first + AT_ONCE]
            yield self.effects(part), self._paths_of(part, levels)

    def _paths_of(self, theta: Array, levels: Array) -> PathsOf:
        """Mean paths in some conditions at some rows of theta, on given times."""
        return lambda rows, times: self.paths(theta[rows], times, levels)


def _observed(values: Mapping[str, Array], answered: Array) -> tuple[Array, Observed]:
    """The conditions that there are, and the trials with positions among these."""
    levels, condition = np.unique(values["condition"], return_inverse=True)
    unanswered = np.bincount(condition[~answered], minlength=len(levels))
    response, rt = values["response"][answered], values["rt"][answered]
    return levels, Observed(condition[answered], response, rt, unanswered)


def _with_lapses(effects: TrialEffects, grid: Array) -> TrialEffects:
    """The same effects with several shares of lapses (rate,) for every parameter value."""
    return replace(effects, lapse=np.tile(grid, (len(effects.lapse), 1)))


def by_name(theta: Array, free: Sequence[str], fixed: Mapping[str, float]) -> dict[str, Array]:
    """Every parameter, free or fixed, as an array (dataset,), from theta (dataset, parameter)."""
    theta = np.asarray(theta, float)
    constant = {name: np.full(len(theta), value) for name, value in fixed.items()}
    return constant | {name: np.ascontiguousarray(theta[:, i]) for i, name in enumerate(free)}


def start_table(start: str, shape: float) -> Array:
    """Quantiles of the start (knot,), as `TrialEffects` has them: of a beta, or of the point 0."""
    return beta_start(shape) if start == "beta" else np.zeros(1)


def effects_of(p: Mapping[str, Array], start: Array) -> TrialEffects:
    """What varies over trials, from parameters (dataset,) by name and a table of the start."""
    return TrialEffects(start, p["mu_R"], p["sd_R"], p["drift_sd"], p["lapse"], LAPSE_RANGE)


def emptied_after(bound: Array) -> Array:
    """The time in ms after which less than one path in ten thousand is left within the bound."""
    return 8.0 * (bound / SIGMA) ** 2


def one_bound_within_reach(bound: Array) -> Array:
    """The longest step in ms in which noise can hardly reach both bounds."""
    return (bound / (2.0 * SIGMA)) ** 2


def paths_of_means(mean_path: Callable[[Array], Array], times: Array, bound: Array) -> Paths:
    """Paths from the mean path (dataset, condition, time) at times (dataset, time)."""
    ends, inside = mean_path(times), mean_path(_middles(times))
    bow = inside - _middles(ends)
    return Paths(times, np.diff(ends, axis=-1), bow, bound, SIGMA)


def _middles(values: Array) -> Array:
    """The means of neighbours along the last axis."""
    return 0.5 * (values[..., 1:] + values[..., :-1])


@dataclass(frozen=True)
class ConstantBounds(ABC):
    """A variant of a model with constant bounds, from its grid and its mean path.

    Attributes:
        free: parameters to estimate, in the order of the columns of theta.
        fixed: the others, with their values.
        start: "point" or "beta".
    """

    free: tuple[str, ...]
    fixed: Mapping[str, float]
    start: str

    @abstractmethod
    def grid(self, p: Mapping[str, Array]) -> Array:
        """Ends of the simulator's steps (dataset, step + 1), from parameters by name."""

    @abstractmethod
    def mean_path(self, p: Mapping[str, Array], t: Array, sign: Array) -> Array:
        """The mean path (dataset, condition, time) at times (dataset, time)."""

    def effects(self, theta: Array) -> TrialEffects:
        """What varies over trials, for theta (dataset, parameter)."""
        p = by_name(theta, self.free, self.fixed)
        return effects_of(p, start_table(self.start, START_SHAPE))

    def paths(
        self, theta: Array, times: Array | None = None, levels: Array | slice = slice(None)
    ) -> Paths:
        """Mean paths and bounds for theta (dataset, parameter), in all conditions or some.

        They are on the simulator's times or on others.
        """
        p, sign = by_name(theta, self.free, self.fixed), SIGN[levels]
        times = self.grid(p) if times is None else times  # (dataset, step + 1)
        bound = np.broadcast_to(p["b"][:, None], times.shape)
        return paths_of_means(lambda t: self.mean_path(p, t, sign), times, bound)


def options_of(
    fixed: Mapping[str, float] | None, free: Sequence[str]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The two options that all of these models have, in plain Python.

    Raises:
        ValueError: for a value that is no number.
        TypeError: for names that are no list.
    """
    if fixed is not None and not hasattr(fixed, "items"):
        raise TypeError(f"Expected `fixed` to map names of parameters to values; got {fixed!r}.")
    values = {
        text_of(name): number(f"the fixed parameter {name!r}", value)
        for name, value in (fixed.items() if fixed is not None else ())
    }
    return values, words_of("names of parameters in `free`", free)


def chosen(
    standard: Sequence[Parameter],
    optional: Sequence[Parameter],
    free: Sequence[str],
    fixed: Mapping[str, float],
    note: str = "",
) -> tuple[tuple[Parameter, ...], dict[str, float]]:
    """The parameters to estimate, and the values of the others.

    Args:
        standard: estimated unless fixed.
        optional: fixed at their typical values unless freed.
        free: those of ``optional`` to estimate as well.
        fixed: values of parameters that are not estimated.
        note: for the words of errors.

    Raises:
        ValueError: for names that are not there, or come twice, and values outside a parameter's
            domain.
    """
    known = {parameter.name: parameter for parameter in (*standard, *optional)}
    _check_free(free, [parameter.name for parameter in optional], note)
    fixable = {name: parameter for name, parameter in known.items() if name not in free}
    for name, value in fixed.items():
        _check_fixed(name, value, fixable, list(known), note)
    names = [parameter.name for parameter in standard if parameter.name not in fixed] + list(free)
    typical = _typical(parameter for parameter in optional if parameter.name not in names)
    return tuple(known[name] for name in names), typical | dict(fixed)


def _typical(parameters: Iterable[Parameter]) -> dict[str, float]:
    """The typical values of parameters by name, where they are known."""
    return {p.name: p.typical for p in parameters if p.typical is not None}


def _check_free(free: Sequence[str], usable: Sequence[str], note: str) -> None:
    for name in free:
        if name not in usable or list(free).count(name) > 1:
            raise ValueError(
                f"Expected `free` to name some of {usable}{note}, each once; got {name!r}."
            )


def _check_fixed(
    name: str, value: float, fixable: Mapping[str, Parameter], known: Sequence[str], note: str
) -> None:
    if name not in fixable:
        raise ValueError(
            f"Expected `fixed` to name parameters of the model{note} not in `free`, of"
            f" {known}; got {name!r}."
        )
    low, high = fixable[name].low, fixable[name].high
    if not low <= value <= high:
        raise ValueError(f"Expected {name} within [{low}, {high}]; got {value}.")


def one_of(value: Any, legal: tuple[str, ...], what: str) -> str:
    """An option in plain text; one that there is not is refused.

    Raises:
        ValueError: with the legal ones.
    """
    value = plain(value)
    if value not in legal:
        raise ValueError(f"Expected {what} to be one of {legal}; got {value!r}.")
    return value


@numba.njit(nogil=True, cache=True)
def growing_steps(longest, emptied, bend, growth, until, horizon):  # pragma: no cover - compiled
    """Ends of steps (dataset, step + 1) in ms, filled up with the horizon.

    Every argument but the last is (dataset,), in ms.

    Steps are at most ``longest``, and longer in proportion to time after ``emptied``, when hardly a
    path is left. While the mean path bends, which is before ``until``, they are at most ``bend``
    exp(t / (2 ``growth``)).
    """
    n_datasets = len(longest)
    counts = np.zeros(n_datasets, np.int64)
    times = np.zeros((n_datasets, 1))
    for filling in (False, True):
        if filling:
            times = np.full((n_datasets, counts.max() + 1), horizon)
        for i in range(n_datasets):
            t, k = 0.0, 0
            while t < horizon:
                if filling:
                    times[i, k] = t
                step = longest[i] * max(1.0, t / emptied[i])
                if t < until[i]:
                    step = min(step, bend[i] * math.exp(min(t / (2.0 * growth[i]), 50.0)))
                t = min(t + step, horizon)
                k += 1
            counts[i] = k
    return times

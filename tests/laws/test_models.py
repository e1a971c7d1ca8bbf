"""One contract for every model: simulation and likelihood agree, also on windows, deadlines and
lapses, and JSON and pickle keep both.

A new model joins by one line in the table. What is special to a model, such as published figures,
stands in a file of its own.
"""

import hashlib
import itertools
import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.data.basics.plain import json_text
from incongruent.data.trials import checked
from incongruent.models import BUILDERS, Kept, Likelihood, Model, dmc, dstp, rdmc, ssp
from incongruent.models.diffusion import LAPSE_RANGE
from incongruent.storage.cards import simulator_from_json, simulator_to_json

SIGMAS = 5.0
FEWEST = 20.0
"""Expected trials of a cell that is judged by itself; rarer ones are judged together."""


# --- models of one's own, written in every way, with their likelihood -----------------------------

CUE = inc.Category("cue", ("left", "right"), given=True)
AGE = inc.Continuous("age", unit="years", given=True, per="dataset")
CHOICE = inc.Category("choice", ("left", "right"))
RT = inc.Continuous("rt", unit="ms", positive=True)
COLUMNS = [CUE, AGE, CHOICE, RT]
OWN = [inc.Parameter("v", low=-10.0, high=10.0), inc.Parameter("t", unit="ms", low=0.0)]
SCALE = 100.0


def trial(theta, cue, age, rng):
    """Slower with age; the right cue pushes to the right; one in ten gives no answer."""
    rt = theta[1] + age + rng.exponential(100.0)
    choice = 1 if rng.random() < 1.0 / (1.0 + math.exp(-theta[0] - (cue - 0.5))) else 0
    return choice, rt, rng.random() > 0.1


def trial_with_none(theta, cue, age, rng):
    choice, rt, answered = trial(theta, cue, age, rng)
    return (choice, rt) if answered else None


def dataset(theta, cue, age, n_trials, rng):
    choice = rng.random(n_trials) < 1.0 / (1.0 + np.exp(-theta[0] - (cue - 0.5)))
    return {"rt": theta[1] + age + rng.exponential(100.0, n_trials), "choice": choice}


def vector(theta, rng):
    choice = rng.random(len(theta)) < 1.0 / (1.0 + np.exp(-theta[:, 0]))
    return np.stack([choice, theta[:, 1] + rng.exponential(100.0, len(theta))], axis=1)


@dataclass(frozen=True)
class OwnLikelihood:
    """The exact likelihood of these functions, of which a share of trials gives an answer."""

    answers: float

    def densities(self, theta, values, kept, level):
        """Log density of each answered trial, (theta, trial), scaled to what is kept."""
        start, right = self._of(theta, values)
        late = values["rt"] - start
        with np.errstate(divide="ignore"):
            in_time = np.where(late > 0.0, -late / SCALE - math.log(SCALE), -np.inf)
            return (
                np.log(np.where(values["choice"] == 1, right, 1.0 - right))
                + math.log(self.answers)
                + in_time
                - self._log_kept(start, kept)
            )

    def at(self, theta, values, answered, kept, level):
        """Log likelihood of a data set, (theta,)."""
        start, _ = self._of(theta, values)
        silent = 1.0 - self.answers + self.answers * self._after(start, kept.deadline)
        with np.errstate(divide="ignore"):
            each = np.where(
                answered,
                self.densities(theta, values, kept, level),
                np.log(silent) - self._log_kept(start, kept),
            )
        return each.sum(axis=1)

    def _of(self, theta, values):
        start = theta[:, [1]] + values.get("age", 0.0)
        return start, 1.0 / (1.0 + np.exp(-theta[:, [0]] - (values.get("cue", 0.5) - 0.5)))

    def _after(self, start, time):
        return 0.0 * start if time is None else np.exp(-np.maximum(time - start, 0.0) / SCALE)

    def _log_kept(self, start, kept):
        low, high = kept.window or (0.0, None)
        above = np.maximum(self._after(start, high) - self._after(start, kept.deadline), 0.0)
        return np.log(1.0 - self.answers * (1.0 - self._after(start, low) + above))


def own(answers: float, columns=tuple(COLUMNS), **way) -> Model:
    likelihood = OwnLikelihood(answers)
    return Model(
        "own",
        OWN,
        columns,
        likelihood=Likelihood(likelihood.at, densities=likelihood.densities),
        **way,
    )


# --- the table ------------------------------------------------------------------------------------

CONFLICT = ("congruent", "incongruent", "neutral")


@dataclass(frozen=True, eq=False)
class Subject:
    """A model at one place of its parameters.

    ``alone``: data sets of one trial are judged, since its likelihood, or the model itself, knows
    no other way to single trials. ``later``: the parameter that is added to each RT. ``n``: trials
    that are simulated for each level. ``given``: values of other given columns; ``varied``: their
    distributions, where trials of all levels are simulated together.
    """

    make: Callable[[], Model]
    theta: tuple[float, ...]
    levels: tuple[str | None, ...] = CONFLICT
    names: tuple[str, str] = ("condition", "response")
    given: Mapping[str, float] = field(default_factory=dict)
    varied: Mapping[str, object] = field(default_factory=dict)
    alone: bool = False
    later: str = "mu_R"
    n: int = 30_000


BASE = (20, 118.4, 0.57, 61, 340, 35)
WEIGHED = (12.0, 25.0, 0.57, 58.0, 305.0, 28.0)
SPOT = (0.5, 100.0, 70.0, 340.0, 35.0)
STAGES = (0.0569, 0.0822, 0.4655, 1.9922, 88.544, 108.782, 300.0, 30.0)
ONCE = {"levels": ("incongruent",), "alone": True, "n": 10_000}
MINE = {
    "levels": ("left", "right"),
    "names": ("cue", "choice"),
    "given": {"age": 30.0},
    "varied": {"age": stats.uniform(18, 60)},
    "later": "t",
    "n": 20_000,
}
SUBJECTS = {
    "dmc": Subject(dmc, BASE),
    "dmc, sd_R fixed": Subject(lambda: dmc(fixed={"sd_R": 30.0}), BASE[:5]),
    "dmc, no residual spread": Subject(lambda: dmc(fixed={"sd_R": 0.0}), BASE[:5]),
    "dmc, residual cut at zero": Subject(dmc, (20, 100, 0.55, 60, 120, 90)),
    "dmc, point start": Subject(lambda: dmc(start="point"), BASE),
    "dmc, wide start": Subject(lambda: dmc(alpha=1.5), BASE),
    "dmc, drift varies": Subject(lambda: dmc(free=["drift_sd"]), (*BASE, 0.15)),
    "dmc, steep activation": Subject(lambda: dmc(free=["a"]), (*BASE, 1.3)),
    "dmc, flat activation": Subject(lambda: dmc(free=["a"]), (*BASE, 3.0)),
    "dmc, undershoot": Subject(lambda: dmc(free=["undershoot"]), (*BASE, 0.4)),
    "dmc, lapses": Subject(lambda: dmc(free=["lapse"]), (*BASE, 0.1)),
    "dmc, all of these": Subject(
        lambda: dmc(fixed={"sd_R": 30.0}, free=["a", "drift_sd", "lapse"]),
        (*BASE[:5], 1.5, 0.2, 0.05),
    ),
    "dmc, hyperbolic bound": Subject(
        lambda: dmc(bound="hyperbolic", dt=20.0, free=["kappa", "t_half"]), (*BASE, 0.7, 150.0)
    ),
    "dmc, weibull bound": Subject(
        lambda: dmc(bound="weibull", free=["kappa", "t_half", "shape"]), (*BASE, 0.7, 150.0, 3.0)
    ),
    "dmc, euler": Subject(
        lambda: dmc(scheme="euler", dt=2.0, start="point", free=["lapse"]), (*BASE, 0.1)
    ),
    "dmc, weibull bound in part": Subject(
        lambda: dmc(bound="weibull", free=["kappa"], fixed={"shape": 2.0}), (*BASE, 0.7)
    ),
    "rdmc": Subject(rdmc, WEIGHED),
    "rdmc, long and strong": Subject(rdmc, (40.0, 150.0, 0.5, 80.0, 340.0, 35.0)),
    "rdmc, brief, narrow bounds": Subject(rdmc, (15.0, 5.0, 0.6, 25.0, 340.0, 35.0)),
    "rdmc, rates differ": Subject(
        lambda: rdmc(fixed={"sd_R": 28.0}, free=["A0", "tau_ratio"]), (*WEIGHED[:5], 0.8, 4.0)
    ),
    "rdmc, start and drift vary, lapses": Subject(
        lambda: rdmc(start="beta", free=["drift_sd", "lapse"]), (*WEIGHED, 0.2, 0.1)
    ),
    "ssp": Subject(ssp, (0.506, 37.5, 63.2, 300.0, 35.0)),
    "ssp, slow": Subject(ssp, (0.5, 300.0, 80.0, 340.0, 35.0)),
    "ssp, brief": Subject(ssp, (0.4, 5.0, 50.0, 340.0, 35.0)),
    "ssp, strong": Subject(ssp, (1.2, 60.0, 120.0, 340.0, 35.0)),
    "ssp, narrow bounds": Subject(ssp, (0.9, 80.0, 25.0, 340.0, 35.0)),
    "ssp, wide spotlight": Subject(lambda: ssp(fixed={"sd_0": 6.0}), SPOT),
    "ssp, start varies": Subject(lambda: ssp(start="beta"), SPOT),
    "ssp, drift varies": Subject(lambda: ssp(free=["drift_sd"]), (*SPOT, 0.2)),
    "ssp, lapses": Subject(lambda: ssp(free=["lapse", "sd_0"]), (*SPOT, 0.1, 2.0)),
    "dstp": Subject(dstp, STAGES),
    "dstp, start varies": Subject(lambda: dstp(start="beta", fixed={"sd_R": 30.0}), STAGES[:7]),
    "dstp, lapses": Subject(lambda: dstp(free=["lapse"]), (*STAGES, 0.1)),
    "dmc without its lapses": Subject(
        lambda: inc.marginalised(dmc(free=["lapse"]), lapse=stats.beta(2, 8)), BASE, **ONCE
    ),
    "ssp without its lapses": Subject(
        lambda: inc.marginalised(ssp(free=["lapse"]), lapse=inc.priors.lapse_rate()), SPOT, **ONCE
    ),
    "dmc without its mean residual": Subject(
        lambda: inc.marginalised(dmc(fixed={"sd_R": 20.0}), mu_R=stats.norm(340, 30)),
        BASE[:4],
        **{**ONCE, "later": ""},
    ),
    "dmc without two": Subject(
        lambda: inc.marginalised(
            dmc(free=["lapse", "drift_sd"]),
            lapse=inc.priors.lapse_rate(),
            drift_sd=stats.uniform(0.1, 0.05),
        ),
        BASE,
        **ONCE,
    ),
    "own trial": Subject(lambda: own(0.9, trial=trial), (0.4, 300.0), **MINE),
    "own trial that returns None": Subject(
        lambda: own(0.9, trial=trial_with_none), (0.4, 300.0), **MINE
    ),
    "own trial in numba": Subject(lambda: own(0.9, trial=numba.njit(trial)), (0.4, 300.0), **MINE),
    "own data set": Subject(lambda: own(1.0, dataset=dataset), (0.4, 300.0), **MINE),
    "own vector": Subject(
        lambda: own(1.0, (CHOICE, RT), vector=vector),
        (0.4, 300.0),
        (None,),
        ("", "choice"),
        alone=True,
        later="t",
    ),
    "own data set without its choices": Subject(
        lambda: inc.marginalised(own(1.0, dataset=dataset), v=stats.norm(0.4, 1.0)),
        (300.0,),
        **{**MINE, "alone": True, "n": 10_000},
    ),
}


@cache
def model_of(name: str) -> Model:
    return SUBJECTS[name].make()


@cache
def prior_of(name: str) -> inc.Prior:
    """Near the place of the table."""
    return inc.Prior(
        **{
            parameter: stats.uniform(0.95 * at, 0.1 * at)
            for parameter, at in zip(
                model_of(name).parameter_names, SUBJECTS[name].theta, strict=True
            )
        }
    )


def simulator_of(
    name: str,
    n_trials: int | tuple[int, int],
    share: Mapping[str, float],
    kept: Kept,
    given: Mapping[str, object],
) -> inc.Simulator:
    design = inc.Design(n_trials, share, kept.window, kept.deadline, given=given)
    return inc.Simulator(model_of(name), prior_of(name), design)


def mixed(name: str, n_trials: int | tuple[int, int], kept: Kept = Kept()) -> inc.Simulator:
    """Trials of all levels, as many as the model allows."""
    levels = [level for level in SUBJECTS[name].levels if level is not None]
    single = SUBJECTS[name].levels == (None,)
    return simulator_of(
        name,
        1 if single else n_trials,
        {level: 1.0 / len(levels) for level in levels},
        kept,
        SUBJECTS[name].varied,
    )


EVERY = tuple(SUBJECTS)
EXACT = tuple(
    name
    for name in EVERY
    if name not in ("dmc, euler", "dmc without two") and not name.startswith("dstp")
)
EACH = tuple(
    name
    for name in EXACT
    if not name.startswith(("dmc without", "ssp without", "own data set without"))
)
LAPSING = tuple(name for name in EVERY if "lapse" in model_of(name).parameter_names)
RULES = ("all trials", "window", "deadline", "deadline within window", "window within deadline")


def rules_for(name: str) -> tuple[str, ...]:
    """Under which rules trials are counted; that windows and deadlines only scale densities is a
    law of its own, for every model.
    """
    if name in ("dmc, lapses", "ssp", "own trial"):
        return RULES
    return ("all trials", "deadline within window") if name in EACH else ("all trials", "deadline")


every_model = pytest.mark.parametrize("name", EVERY)
with_likelihood = pytest.mark.parametrize("name", EXACT)


def test_the_table_says_which_models_have_a_likelihood():
    assert tuple(name for name in EVERY if model_of(name).likelihood is not None) == EXACT
    assert tuple(name for name in EXACT if model_of(name).likelihood.densities is not None) == EACH
    assert {SUBJECTS[name].make().name for name in EVERY} >= set(BUILDERS)


# --- trials, simulated once for all laws ----------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sample:
    """Trials of one level, (trial,); ``side`` is the position of the response."""

    rt: np.ndarray
    side: np.ndarray
    answered: np.ndarray

    def under(self, kept: Kept) -> "Sample":
        """What a design keeps of them."""
        low, high = kept.window or (0.0, math.inf)
        answered = self.answered & (self.rt <= (kept.deadline or math.inf))
        there = ~answered | ((self.rt >= low) & (self.rt <= high))
        return Sample(self.rt[there], self.side[there], answered[there])


def drawn(name: str, theta, level: str | None, n: int, seed: int, kept: Kept = Kept()) -> Sample:
    subject = SUBJECTS[name]
    simulator = simulator_of(
        name,
        1 if subject.alone else n,
        {level: 1.0} if level is not None else {},
        kept,
        subject.given,
    )
    trials = simulator.simulate_at(
        np.tile(np.asarray(theta, float), (n if subject.alone else 1, 1)), seed=seed
    )
    here = trials.present
    return Sample(
        trials.values["rt"][here].astype(float),
        trials.values[subject.names[1]][here],
        trials.answered[here],
    )


@cache
def sample(name: str, level: str | None) -> Sample:
    return drawn(name, SUBJECTS[name].theta, level, SUBJECTS[name].n, seed=1)


@cache
def places(name: str, level: str | None) -> np.ndarray:
    """RTs that part the trials into cells of about the same probability, from other trials than
    those that are judged.
    """
    pilot = drawn(name, SUBJECTS[name].theta, level, 2_000, seed=2)
    return np.unique(
        np.round(
            np.quantile(
                pilot.rt[pilot.answered],
                np.linspace(0.01, 0.99, 25) if name in EACH else np.linspace(0.05, 0.8, 6),
            )
        )
    )


@cache
def kept_by(name: str, rule: str) -> Kept:
    """Windows and deadlines that leave many trials out."""
    at = places(name, SUBJECTS[name].levels[0])
    low, middle, late, high = (
        float(at[int(share * (len(at) - 1))]) for share in (0.1, 0.55, 0.75, 0.92)
    )
    return {
        "all trials": Kept(),
        "window": Kept((low, high)),
        "deadline": Kept(None, middle),
        "deadline within window": Kept((low, high), late),
        "window within deadline": Kept((low, middle), late),
    }[rule]


# --- simulation and likelihood --------------------------------------------------------------------


def values_of(name: str, level: str | None, side, rt) -> dict[str, np.ndarray]:
    """Columns of trials of one level."""
    subject, (side, rt) = SUBJECTS[name], np.broadcast_arrays(side, np.asarray(rt, float))
    values = {subject.names[1]: side.astype(np.int8), "rt": rt} | {
        column: np.full(rt.shape, value) for column, value in subject.given.items()
    }
    if level is not None:
        levels = next(c.levels for c in model_of(name).columns if c.name == subject.names[0])
        values[subject.names[0]] = np.full(rt.shape, levels.index(level), np.int8)
    return values


def log_densities(
    name: str, theta, level: str | None, side: int, rt: np.ndarray, kept: Kept, accuracy: int
) -> np.ndarray:
    """Of single trials, (trial,), from the densities or from data sets of one trial."""
    likelihood, theta, values = (
        model_of(name).likelihood,
        np.array([theta], float),
        values_of(name, level, side, rt),
    )
    if likelihood.densities is not None:
        return likelihood.densities(theta, values, kept, accuracy)[0]
    one = np.ones(1, bool)
    return np.array(
        [
            likelihood.at(theta, {c: v[i : i + 1] for c, v in values.items()}, one, kept, 0)[0]
            for i in range(len(rt))
        ]
    )


def silence(name: str, theta, level: str | None, kept: Kept, accuracy: int = 0) -> float:
    """Probability of a trial without an answer."""
    found = model_of(name).likelihood.at(
        np.array([theta], float),
        values_of(name, level, 0, np.zeros(1)),
        np.zeros(1, bool),
        kept,
        accuracy,
    )
    return float(np.exp(found[0]))


def accuracy_of(name: str) -> int:
    return min(1, model_of(name).likelihood.n_levels - 1)


def edges_of(name: str, level: str | None, kept: Kept) -> np.ndarray:
    low, high = kept.window or (0.0, math.inf)
    top, at = min(high, kept.deadline or math.inf), places(name, level)
    return np.unique(
        np.r_[[x for x in (low, top) if 0.0 < x < math.inf], at[(at > low) & (at < top)]]
    )


def cell_probabilities(
    name: str, theta, level: str | None, edges: np.ndarray, kept: Kept
) -> np.ndarray:
    """Of answers between edges, (side, cell), by Gauss's rule on pieces of at most 10 ms, or 60 ms
    where each point costs a likelihood.
    """
    longest = 10.0 if name in EACH else 60.0
    nodes, weights = np.polynomial.legendre.leggauss(4)
    cells, begins, lengths = [], [], []
    for cell, (begin, end) in enumerate(itertools.pairwise(edges)):
        n = math.ceil((end - begin) / longest)
        cells += [cell] * n
        begins += [begin + (end - begin) * k / n for k in range(n)]
        lengths += [(end - begin) / n] * n
    half = 0.5 * np.array(lengths)[:, None]
    rt, weight = np.array(begins)[:, None] + half * (1.0 + nodes), half * weights
    found = []
    for side in (0, 1):
        density = np.exp(
            log_densities(name, theta, level, side, rt.ravel(), kept, accuracy_of(name))
        ).reshape(rt.shape)
        found.append(np.bincount(cells, (density * weight).sum(axis=1), len(edges) - 1))
    return np.array(found)


def surprises(name: str, theta, level: str | None, kept: Kept) -> list[str]:
    """What the sample has too often or too rarely for the likelihood at theta: cells of response
    and RT, trials without an answer, and elsewhere.
    """
    trials, edges = sample(name, level).under(kept), edges_of(name, level, kept)
    expected = np.r_[
        cell_probabilities(name, theta, level, edges, kept).ravel(),
        silence(name, theta, level, kept, accuracy_of(name)),
    ]
    observed = [
        np.histogram(trials.rt[trials.answered & (trials.side == side)], edges)[0]
        for side in (0, 1)
    ]
    observed = np.r_[np.concatenate(observed), (~trials.answered).sum()]
    expected, observed = (
        np.r_[expected, 1.0 - expected.sum()] * len(trials.rt),
        np.r_[observed, len(trials.rt) - observed.sum()].astype(float),
    )
    often = expected >= FEWEST
    expected, observed = (np.r_[x[often], x[~often].sum()] for x in (expected, observed))
    error = np.sqrt(np.maximum(expected * (1.0 - expected / len(trials.rt)), 1.0))
    off = [
        f"cell {i}: {observed[i]:.0f}, not {expected[i]:.1f}"
        for i in np.flatnonzero(np.abs(observed - expected) > SIGMAS * error)
    ]
    judged = expected >= FEWEST
    chi2 = ((observed - expected)[judged] ** 2 / expected[judged]).sum()
    return off + [f"chi2 {chi2:.0f} of {judged.sum()} cells"] * bool(
        stats.chi2.sf(chi2, judged.sum() - 1) < 2.0 * stats.norm.sf(SIGMAS)
    )


@pytest.mark.parametrize(
    ("name", "rule"), [(name, rule) for name in EXACT for rule in rules_for(name)]
)
def test_simulated_trials_are_as_frequent_as_the_likelihood_says(name, rule):
    """By condition, response and RT; under a window and a deadline the likelihood is that of the
    trials that are kept.

    Not of windows where a parameter is integrated out: data sets of one trial say by being there at
    all which value they may have had.
    """
    levels = SUBJECTS[name].levels if rule == "all trials" else SUBJECTS[name].levels[:2][-1:]
    found = {
        level: surprises(name, SUBJECTS[name].theta, level, kept_by(name, rule)) for level in levels
    }
    assert not any(found.values()), found


@pytest.mark.parametrize("name", EACH)
def test_windows_and_deadlines_scale_densities_and_do_nothing_else(name):
    """By the share of trials that is kept, which is that of the simulated ones."""
    theta, level = SUBJECTS[name].theta, SUBJECTS[name].levels[-1]
    for rule in RULES[1:]:
        kept, rt = kept_by(name, rule), places(name, level)[3:6]
        scale = [
            log_densities(name, theta, level, side, rt, kept, 0)
            - log_densities(name, theta, level, side, rt, Kept(), 0)
            for side in (0, 1)
        ]
        assert np.ptp(scale) < 1e-6, rule
        share, whole = float(np.exp(-np.mean(scale))), len(sample(name, level).rt)
        remaining = len(sample(name, level).under(kept).rt) / whole
        assert (
            abs(remaining - share)
            <= SIGMAS * math.sqrt(max(share * (1.0 - share), 1e-9) / whole) + 1e-6
        ), rule


@with_likelihood
def test_trials_behind_a_deadline_have_the_mass_that_lies_behind_it(name):
    for level in SUBJECTS[name].levels:
        trials, last = sample(name, level), 1.0
        for deadline in places(name, level)[2::5]:
            late, probability = (
                (~trials.under(Kept(None, deadline)).answered).mean(),
                silence(name, SUBJECTS[name].theta, level, Kept(None, deadline)),
            )
            assert (
                abs(late - probability)
                <= SIGMAS * math.sqrt(probability * (1.0 - probability) / len(trials.rt)) + 2e-4
            ), (level, deadline)
            assert probability < last
            last = probability


@pytest.mark.parametrize("name", EACH)
def test_a_likelihood_that_is_a_little_off_is_noticed(name):
    """By 10 ms of everything; so the laws above can fail."""
    theta, level = np.array(SUBJECTS[name].theta, float), SUBJECTS[name].levels[-1]
    theta[model_of(name).parameter_names.index(SUBJECTS[name].later)] += 10.0
    assert surprises(name, theta, level, Kept())


@pytest.mark.parametrize("name", EACH)
def test_the_likelihood_of_a_data_set_is_that_of_its_trials(name):
    """With trials that have no answer, under a window and a deadline; at several places at once."""
    kept, likelihood, theta = (
        kept_by(name, "deadline within window"),
        model_of(name).likelihood,
        prior_of(name).sample(3, seed=4),
    )
    simulator = mixed(name, 60, kept)
    trials = simulator.simulate_at(np.tile(SUBJECTS[name].theta, (3, 1)), seed=5)
    for i in range(3):
        here, answered = trials.present[i], trials.answered[i, trials.present[i]]
        values = {column: array[i, here] for column, array in trials.values.items()}
        whole = likelihood.at(theta, values, answered, kept, 0)
        each = likelihood.densities(
            theta, {column: array[answered] for column, array in values.items()}, kept, 0
        ).sum(axis=1)
        silent = {column: array[~answered] for column, array in values.items()}
        each = each + likelihood.at(theta, silent, np.zeros((~answered).sum(), bool), kept, 0)
        assert whole == pytest.approx(each, rel=1e-9)


# --- designs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule"),
    [*((name, "deadline within window") for name in EVERY), *(("dmc", rule) for rule in RULES[1:])],
)
def test_a_design_keeps_what_lies_within_and_changes_nothing_else(name, rule):
    kept, subject = kept_by(name, rule), SUBJECTS[name]
    level, n = subject.levels[-1], 1_000
    whole, found = (
        drawn(name, subject.theta, level, n, 3).under(kept),
        drawn(name, subject.theta, level, n, 3, kept),
    )
    assert 0 < found.answered.sum() < n
    assert np.array_equal(found.answered, whole.answered)
    for values in ("rt", "side"):
        assert np.array_equal(
            getattr(found, values)[found.answered], getattr(whole, values)[whole.answered]
        )


@every_model
def test_the_seed_alone_decides(name):
    """Not the number of threads."""
    simulator = mixed(name, (2, 6))
    one, many, other = (
        simulator.simulate(300, seed=seed, workers=workers)
        for seed, workers in ((1, 1), (1, 3), (2, 1))
    )
    assert same(one, many)
    assert (
        not np.isin(
            one.trials.values["rt"][one.trials.answered],
            other.trials.values["rt"][other.trials.answered],
        ).mean()
        > 0.01
    )
    checked(one.trials)


@every_model
def test_places_without_a_trial_are_left_alone(name):
    subject, rng = SUBJECTS[name], np.random.default_rng(1)
    present = np.ones((300, 1), bool) if subject.levels == (None,) else rng.random((30, 10)) < 0.5
    given = {column: np.full(present.shape, value) for column, value in subject.given.items()}
    if subject.names[0]:
        given[subject.names[0]] = np.where(present, 1, 99).astype(np.int8)
    values, answered = model_of(name).simulate(
        np.tile(subject.theta, (len(present), 1)).astype(float),
        given,
        present,
        np.random.default_rng(2),
    )
    assert not answered[~present].any()
    assert answered[present].mean() > 0.8
    assert not np.asarray(values["rt"])[~present].any()


@pytest.mark.parametrize("make", BUILDERS.values(), ids=BUILDERS)
def test_a_path_that_never_ends_has_no_answer(make):
    model, present = make(fixed={"b": 1e6}), np.ones((1, 50), bool)
    theta = np.array([[parameter.typical for parameter in model.parameters]], float)
    values, answered = model.simulate(
        theta, {"condition": np.ones((1, 50), np.int8)}, present, np.random.default_rng(1)
    )
    assert not answered.any()
    assert not values["rt"].any()


@pytest.mark.parametrize("name", [name for name in EVERY if SUBJECTS[name].later])
def test_data_sets_do_not_share_parameters(name):
    theta = np.tile(np.array(SUBJECTS[name].theta, float), (400, 1))
    theta[1::2, model_of(name).parameter_names.index(SUBJECTS[name].later)] += 5000.0
    trials = mixed(name, 3).simulate_at(theta, seed=1)
    slow = [trials.values["rt"][k::2][trials.answered[k::2]] > 4000.0 for k in (0, 1)]
    rate = dict(zip(model_of(name).parameter_names, SUBJECTS[name].theta, strict=True)).get(
        "lapse", 0.0
    )
    lapses = rate if "without" not in name else 0.2
    assert slow[0].mean() < 0.01
    assert slow[1].mean() > 1.0 - lapses - 0.1


# --- lapses ---------------------------------------------------------------------------------------


def with_rate(name: str, rate: float) -> tuple[float, ...]:
    theta = list(SUBJECTS[name].theta)
    theta[model_of(name).parameter_names.index("lapse")] = rate
    return tuple(theta)


@pytest.mark.parametrize("name", LAPSING)
def test_lapses_are_uniform_and_at_random(name):
    trials = drawn(name, with_rate(name, 1.0), "congruent", 20_000, 1)
    assert trials.answered.all()
    assert stats.kstest(
        trials.rt, "uniform", (LAPSE_RANGE[0], LAPSE_RANGE[1] - LAPSE_RANGE[0])
    ).pvalue > 2.0 * stats.norm.sf(SIGMAS)
    assert abs(trials.side.mean() - 0.5) < SIGMAS * 0.5 / math.sqrt(len(trials.rt))


@pytest.mark.parametrize("name", LAPSING)
def test_lapses_are_mixed_into_what_is_simulated(name):
    rate, n, edges = (
        0.3,
        20_000,
        np.array([0, 150, 300, 400, 450, 500, 600, 800, 1200, 2000, 2350, 1e9]),
    )
    shares = [
        np.concatenate(
            [
                np.histogram(trials.rt[trials.answered & (trials.side == side)], edges)[0]
                for side in (0, 1)
            ]
        )
        / n
        for trials in (
            drawn(name, with_rate(name, share), "incongruent", n, seed)
            for seed, share in enumerate((rate, 0.0))
        )
    ]
    uniform = (
        np.tile(np.diff(np.clip(edges, *LAPSE_RANGE)) / (LAPSE_RANGE[1] - LAPSE_RANGE[0]), 2) / 2.0
    )
    expected = (1.0 - rate) * shares[1] + rate * uniform
    error = np.sqrt(
        (expected * (1.0 - expected) + (1.0 - rate) ** 2 * shares[1] * (1.0 - shares[1])) / n
    )
    assert (np.abs(shares[0] - expected) <= SIGMAS * error).all(), (shares[0], expected)
    assert np.abs(shares[0] - shares[1]).max() > 0.05


@pytest.mark.parametrize("name", [name for name in LAPSING if name in EACH])
def test_lapses_are_mixed_into_the_likelihood(name):
    """Also into the probability of no answer and of what is kept."""
    inside = 0.5 / (LAPSE_RANGE[1] - LAPSE_RANGE[0])
    for level in SUBJECTS[name].levels:
        rt, deadline = np.r_[100.0, 160.0, places(name, level), 2300.0, 2400.0], 480.0
        for side in (0, 1):
            without, mixture = (
                np.exp(log_densities(name, with_rate(name, e), level, side, rt, Kept(), 0))
                for e in (0.0, 0.2)
            )
            lapses = np.where((rt >= LAPSE_RANGE[0]) & (rt <= LAPSE_RANGE[1]), inside, 0.0)
            assert mixture == pytest.approx(0.8 * without + 0.2 * lapses, rel=1e-9)
        late = [silence(name, with_rate(name, e), level, Kept(None, deadline)) for e in (0.0, 0.2)]
        assert late[1] == pytest.approx(
            0.8 * late[0] + 0.2 * (LAPSE_RANGE[1] - deadline) * 2.0 * inside, rel=1e-9
        )


# --- files and other processes --------------------------------------------------------------------


def same(one: inc.Simulations, other: inc.Simulations) -> bool:
    arrays = [
        [s.theta, s.trials.present, s.trials.answered, *s.trials.values.values()]
        for s in (one, other)
    ]
    return list(one.trials.values) == list(other.trials.values) and all(
        np.array_equal(a, b) for a, b in zip(*arrays, strict=True)
    )


def filed(name: str) -> inc.Simulator:
    """As people make one, with a window and a deadline."""
    return mixed(name, (5, 20), kept_by(name, "deadline within window"))


def assert_the_same_simulator(one: inc.Simulator, other: inc.Simulator) -> None:
    made = one.simulate(20, seed=3)
    assert same(made, other.simulate(20, seed=3))
    assert other.model.parameters == one.model.parameters
    assert other.model.settings == one.model.settings
    assert (other.model.likelihood is None) == (one.model.likelihood is None)
    if one.model.likelihood is not None:
        here, design = made.trials.present[0], one.design
        values, answered = (
            {column: array[0, here] for column, array in made.trials.values.items()},
            made.trials.answered[0, here],
        )
        kept = Kept(design.window, design.deadline)
        found = [
            simulator.model.likelihood.at(made.theta[:1], values, answered, kept, 0)
            for simulator in (one, other)
        ]
        assert np.isfinite(found[0]).all()
        assert np.array_equal(*found)


@every_model
def test_json_gives_the_same_simulator(name):
    """One of one's own needs its functions."""
    simulator = filed(name)
    card = json.loads(json_text(simulator_to_json(simulator)))
    again = simulator_from_json(card, None if simulator.model.name in BUILDERS else simulator.model)
    assert json.loads(json_text(simulator_to_json(again))) == card
    assert_the_same_simulator(simulator, again)


@pytest.mark.parametrize(
    "name",
    [name for name in EVERY if name != "own trial in numba"],
    # which is compiled anew: below, in another process
)
def test_pickle_gives_the_same_simulator(name):
    simulator = filed(name)
    assert_the_same_simulator(simulator, pickle.loads(pickle.dumps(simulator)))


ELSEWHERE = """
import hashlib, pickle, sys
for name, simulator in pickle.load(open(sys.argv[1], "rb")).items():
    made = simulator.simulate(20, seed=3)
    content = made.theta.tobytes() + made.trials.values["rt"].tobytes()
    print(name, hashlib.sha256(content).hexdigest(), sep=": ")
"""


@pytest.mark.slow
def test_pickle_gives_the_same_simulators_in_another_process(tmp_path: Path):
    """Which has this file on its path, as those that people start have theirs."""
    (tmp_path / "simulators.pickle").write_bytes(
        pickle.dumps({name: filed(name) for name in EVERY})
    )
    search = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    arguments = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "simulators.pickle")]
    there = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": search},
    ).stdout.splitlines()
    made = {name: filed(name).simulate(20, seed=3) for name in EVERY}
    assert there == [
        f"{name}: {hashlib.sha256(m.theta.tobytes() + m.trials.values['rt'].tobytes()).hexdigest()}"
        for name, m in made.items()
    ]

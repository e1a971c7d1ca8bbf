"""Simulators of one's own: every way to write one gives what it says, and what its columns do not
allow is refused in words.
"""

import math
from dataclasses import replace

import numba
import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.data.trials import checked
from incongruent.models.custom import SimulationError

CUE = inc.Category("cue", ("left", "right"), given=True)
AGE = inc.Continuous("age", unit="years", given=True, per="dataset")
CHOICE = inc.Category("choice", ("left", "right"))
RT = inc.Continuous("rt", unit="ms", positive=True)
COLUMNS = [CUE, AGE, CHOICE, RT]
PRIOR = inc.Prior(v=stats.norm(0, 1), t=stats.uniform(200, 300))
DESIGN = inc.Design((5, 40), {"left": 0.5, "right": 0.5}, given={"age": stats.uniform(18, 60)})


def trial(theta, cue, age, rng):
    """Slower with age; the right cue pushes to the right; one in ten gives no answer."""
    rt = theta[1] + age + rng.exponential(100.0)
    choice = 1 if rng.random() < 1.0 / (1.0 + math.exp(-theta[0] - (cue - 0.5))) else 0
    return choice, rt, rng.random() > 0.1


def dataset(theta, cue, age, n_trials, rng):
    choice = rng.random(n_trials) < 1.0 / (1.0 + np.exp(-theta[0] - (cue - 0.5)))
    return {"rt": theta[1] + age + rng.exponential(100.0, n_trials), "choice": choice}


def test_one_outcome_without_anything_given():
    for function in (
        lambda theta, rng: rng.normal(theta[0]),
        numba.njit(lambda theta, rng: rng.normal(theta[0], 1.0)),
    ):
        model = inc.Model("one", ["m"], [inc.Continuous("x")], trial=function)
        made = inc.Simulator(model, inc.Prior(m=stats.norm(0, 3)), inc.Design(200)).simulate(
            300, seed=1
        )
        assert made.trials.answered.all()
        assert np.abs(
            made.trials.values["x"].mean(axis=1) - made.theta[:, 0]
        ).max() < 5 / math.sqrt(200)


def test_a_vector_is_a_data_set_of_one_trial():
    columns = [inc.Continuous("x"), inc.Integer("n")]
    model = inc.Model(
        "vector",
        ["m"],
        columns,
        vector=lambda theta, rng: np.stack([theta[:, 0], rng.poisson(3.0, len(theta))], axis=1),
    )
    made = inc.Simulator(model, inc.Prior(m=stats.norm(0, 3)), inc.Design(1)).simulate(500, seed=1)
    np.testing.assert_allclose(made.trials.values["x"][:, 0], made.theta[:, 0], rtol=1e-6)
    assert made.trials.values["n"].dtype == np.int32
    with pytest.raises(SimulationError, match="Expected a design of one trial"):
        inc.Simulator(model, inc.Prior(m=stats.norm(0, 3)), inc.Design(2)).simulate(1, seed=1)


def test_what_is_given_changes_as_often_as_its_column_says():
    levels = inc.Category("load", ("low", "high"), given=True)
    columns = [
        inc.Continuous("gap", given=True),
        levels,
        inc.Integer("size", given=True, per="dataset"),
        inc.Continuous("room", given=True, per="batch"),
        inc.Continuous("x"),
    ]
    model = inc.Model(
        "given",
        ["m"],
        columns,
        trial=lambda theta, gap, load, size, room, rng: theta[0] + gap + load + size + room,
    )
    given = {
        "gap": stats.norm(0, 1),
        "load": {"low": 0.25, "high": 0.75},
        "size": stats.poisson(5),
        "room": lambda shape, rng: rng.random(shape),
    }
    trials = checked(
        inc.Simulator(model, inc.Prior(m=stats.norm(0, 1)), inc.Design(400, given=given))
        .simulate(50, seed=1)
        .trials
    )
    assert len(np.unique(trials.values["gap"])) > 10_000
    assert trials.values["load"].mean() == pytest.approx(0.75, abs=5 * math.sqrt(0.1875 / 20_000))
    assert (trials.values["size"] == trials.values["size"][:, :1]).all()
    assert len(np.unique(trials.values["size"])) > 3
    assert len(np.unique(trials.values["room"])) == 1


MODEL = inc.Model("own", ["v", "t"], COLUMNS, trial=trial)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: inc.Model("m", [], COLUMNS, trial=trial), "at least one parameter"),
        (lambda: inc.Model("m", ["a", "a"], COLUMNS, trial=trial), "name of its own"),
        (lambda: inc.Model("m", ["a"], [CUE], trial=trial), "Expected an outcome"),
        (
            lambda: inc.Model("m", ["a"], COLUMNS, trial=trial, dataset=dataset),
            "Expected one of trial, dataset, vector and simulate",
        ),
        (
            lambda: inc.Model("m", ["a"], COLUMNS, vector=dataset),
            "Expected only outcomes in a model of vectors",
        ),
        (lambda: inc.Continuous("age", per="dataset"), "Expected per='trial' for the outcome"),
        (lambda: inc.Continuous("age", given=True, per="person"), "Expected per to be one of"),
        (lambda: inc.Simulator(MODEL, PRIOR, inc.Design(9, {"left": 1.0})), "missing \\['age'\\]"),
        (
            lambda: inc.Simulator(MODEL, PRIOR, replace(DESIGN, given={"age": 3, "sex": 1})),
            "not in the model \\['sex'\\]",
        ),
        (
            lambda: inc.Simulator(MODEL, PRIOR, replace(DESIGN, given={"age": "old"})).simulate(
                2, seed=1
            ),
            "Expected a distribution, a number",
        ),
        (
            lambda: inc.Simulator(
                MODEL, PRIOR, replace(DESIGN, given={"age": lambda shape, rng: np.zeros(3)})
            ).simulate(2, seed=1),
            "the function gave",
        ),
        (
            lambda: inc.Simulator(
                MODEL,
                PRIOR,
                replace(DESIGN, share={"up": 1.0}, condition=inc.Category("c", ("up",))),
            ),
            "one of the given columns",
        ),
        (
            lambda: (
                inc.Simulator(MODEL, PRIOR, replace(DESIGN, window=(1.0, 2.0), deadline=None))
                .simulate(2, seed=1)
                .trials.where("rt", "x")
            ),
            "level",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises((ValueError, KeyError), match=words):
        make()


def gives(outcome, columns=(CHOICE, RT), name="trial"):
    model = inc.Model("bad", ["v", "t"], columns, **{name: outcome})
    return inc.Simulator(model, PRIOR, inc.Design(3)).simulate(2, seed=1)


@pytest.mark.parametrize(
    ("outcome", "name", "words"),
    [
        (
            lambda theta, rng: (0, -1.0),
            "trial",
            (
                "Expected a finite number above 0 in column 'rt' from the simulator 'bad'; got -1.0"
                " at v="
            ),
        ),
        (lambda theta, rng: (0, math.nan), "trial", "got nan at v="),
        (lambda theta, rng: (0.5, 300.0), "trial", "Expected the position of a level"),
        (lambda theta, rng: (2, 300.0), "trial", "got 2.0"),
        (
            lambda theta, rng: 300.0,
            "trial",
            "Expected the outcomes \\['choice', 'rt'\\] of a trial",
        ),
        (
            numba.njit(lambda theta, rng: 300.0),
            "trial",
            "Expected the outcomes \\['choice', 'rt'\\] of a trial",
        ),
        (numba.njit(lambda theta, rng: (0, 300.0, True, 4)), "trial", "Expected the outcomes"),
        (lambda theta, n, rng: np.zeros(n), "dataset", "Expected 2 arrays"),
        (
            lambda theta, n, rng: (np.zeros(n), np.ones(n + 1)),
            "dataset",
            "Expected 'rt' of shape \\(3,\\)",
        ),
        (
            lambda theta, n, rng: {"rt": np.ones(n)},
            "dataset",
            "Expected the outcomes \\['choice', 'rt'\\] from the simulator; got \\['rt'\\]",
        ),
        (
            lambda theta, given, present, rng: ({"rt": np.ones(present.shape)}, present),
            "simulate",
            "Expected 'choice' of shape",
        ),
    ],
)
def test_a_simulator_that_gives_something_else_is_told(outcome, name, words):
    with pytest.raises(SimulationError, match=words):
        gives(outcome, name=name)

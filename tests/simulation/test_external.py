"""Simulations made elsewhere: every shape that has one meaning is understood, every other is
refused in words.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import incongruent as inc
from incongruent.data.trials import per_dataset

N, T = 20, 30
RNG = np.random.default_rng(1)
RT = RNG.gamma(5.0, 80.0, (N, T))
CONDITION = np.arange(T) % 2
AGE = RNG.uniform(18, 60, N)
ERROR = RNG.random((N, T)) < 0.2


def test_arrays_of_every_shape_find_their_place():
    trials = inc.trials_from(
        {
            "rt": RT,
            "error": ERROR,
            "condition": CONDITION,
            "age": AGE,
            "number": 699,
            "pair": RNG.normal(size=(N, T, 2)),
        }
    )
    columns = {column.name: column for column in trials.columns}
    assert columns["rt"] == inc.Continuous("rt", positive=True)
    assert columns["error"] == inc.Category("error", ("False", "True"))
    assert columns["condition"] == inc.Category("condition", ("0", "1"), given=True)
    assert columns["age"] == inc.Continuous("age", given=True, positive=True, per="dataset")
    assert columns["number"] == inc.Category("number", ("699",), given=True, per="batch")
    assert columns["pair_2"] == inc.Continuous("pair_2")
    np.testing.assert_allclose(trials.values["rt"], RT, rtol=1e-6)
    assert (trials.values["condition"] == CONDITION).all()
    np.testing.assert_allclose(per_dataset(trials, "age"), AGE, rtol=1e-6)
    assert (trials.n_trials == T).all()
    assert len(trials.notes) == 7


def test_numbers_of_trials():
    n = np.arange(N) + 5
    trials = inc.trials_from({"rt": RT}, n_trials=n)
    assert np.array_equal(trials.n_trials, n)
    assert (inc.trials_from({"rt": RT}, n_trials=7).n_trials == 7).all()


def test_what_lies_beyond_the_last_trial_is_never_looked_at():
    padded = RT.copy()
    padded[:, 10:] = np.nan
    assert (inc.trials_from({"rt": padded}, n_trials=10).n_trials == 10).all()


def test_vectors():
    for data in (RNG.normal(size=(N, 3)), {f"x{k}": RNG.normal(size=N) for k in (1, 2, 3)}):
        trials = inc.trials_from(data)
        assert [column.name for column in trials.columns] == ["x1", "x2", "x3"]
        assert (trials.n_trials == 1).all()


def test_a_data_frame_and_a_file_give_what_the_arrays_give(tmp_path):
    frame = pd.DataFrame(
        {
            "dataset": np.repeat(np.arange(N), T),
            "rt": RT.ravel(),
            "error": ERROR.ravel(),
            "condition": np.tile(CONDITION, N),
        }
    )
    frame["age"] = np.repeat(AGE, T)
    arrays = inc.trials_from({"rt": RT, "error": ERROR, "condition": CONDITION, "age": AGE})
    frame.to_csv(tmp_path / "trials.csv", index=False)
    frame.to_parquet(tmp_path / "trials.parquet", index=False)
    for source in (frame, tmp_path / "trials.csv", tmp_path / "trials.parquet"):
        trials = inc.trials_from(source, given=["condition", "age"])
        assert trials.columns == arrays.columns
        for name, values in arrays.values.items():
            np.testing.assert_allclose(trials.values[name], values, rtol=1e-6)
        assert trials.names == tuple(map(str, range(N)))


def test_theta_is_matched_by_name():
    frame = pd.DataFrame({"dataset": ["b"] * 4 + ["a"] * 3, "x": np.arange(7) + 0.5})
    made = inc.simulations_from(pd.DataFrame({"dataset": ["a", "b"], "m": [1.0, 2.0]}), frame)
    assert made.trials.names == ("b", "a")
    assert made.theta[:, 0].tolist() == [2.0, 1.0]
    with pytest.raises(
        ValueError,
        match=(
            "Expected one row of theta for each of the 2 data sets; missing \\['b'\\], without data"
            " \\['c'\\]"
        ),
    ):
        inc.simulations_from(pd.DataFrame({"dataset": ["a", "c"], "m": [1.0, 2.0]}), frame)


def test_trials_without_an_answer():
    rt, answered = RT.copy(), RNG.random((N, T)) < 0.9
    rt[~answered] = np.nan
    trials = inc.trials_from({"rt": rt}, answered=answered)
    assert np.array_equal(trials.answered, answered)
    with pytest.raises(
        ValueError,
        match=r"Expected a finite number in column 'rt'; got nan at place .* Say with answered=",
    ):
        inc.trials_from({"rt": rt})


def test_the_design_is_that_of_the_data():
    condition = np.stack(
        [RNG.permutation(np.r_[np.zeros(k), np.ones(T - k)]) for k in RNG.integers(10, 20, N)]
    )
    made = inc.simulations_from(
        {"m": RNG.normal(size=N)},
        {"rt": RT, "condition": condition, "age": AGE},
        given=["condition"],
    )
    design = made.simulator.design
    assert (design.smallest, design.largest) == (3, 30)
    low, high = design.share["1"]
    assert low == pytest.approx(condition.mean(axis=1).min())
    assert high == pytest.approx(condition.mean(axis=1).max())
    values, _ = design.lay_out_given(100, made.simulator.model.columns, np.random.default_rng(1))
    assert np.isin(values["age"], AGE.astype(np.float32)).all()
    varied = inc.simulations_from({"m": RNG.normal(size=N)}, {"rt": RT}, n_trials=np.arange(N) + 5)
    assert (varied.simulator.design.smallest, varied.simulator.design.largest) == (5, 24)


def test_such_a_model_does_not_simulate():
    made = inc.simulations_from(
        {"m": RNG.normal(size=N)}, {"rt": RT}, prior=inc.Prior(m=stats.norm(0, 1))
    )
    with pytest.raises(
        ValueError,
        match=(
            "Expected a model that can simulate; 'external' is known by simulations made elsewhere"
            " alone"
        ),
    ):
        made.simulator.simulate(2, seed=1)


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        ({"rt": RT, "x": RT[:, :5]}, {}, "Expected the same shape"),
        ({"rt": RT, "x": np.zeros(7)}, {}, "Expected 'x' of shape"),
        ({"rt": RT[:, :N], "x": np.zeros(N)}, {}, "there are 20 of each"),
        ({"rt": RT}, {"n_trials": 31}, "Expected n_trials of 0 to 30"),
        ({"rt": RT}, {"given": ["load"]}, "Expected `given` to name some of"),
        (
            {"rt": RT},
            {"columns": [inc.Continuous("x")]},
            "Expected arrays for the columns \\['x'\\]; got \\['rt'\\]",
        ),
        (
            {"rt": RT},
            {"columns": [inc.Integer("rt")]},
            "Expected a whole number within .* in column 'rt'",
        ),
        (
            {"rt": RT - 1000},
            {"columns": [inc.Continuous("rt", positive=True)]},
            "Expected a finite number above 0",
        ),
        (
            {"c": np.full((N, T), "up")},
            {"columns": [inc.Category("c", ("down",))]},
            "Expected levels \\('down',\\) in column 'c'; got \\['up'\\]",
        ),
        (
            {"c": np.full((N, T), "up")},
            {"columns": [inc.Continuous("c")]},
            "Expected numbers in column 'c'",
        ),
        ({"x": RT + 1j}, {}, "of real numbers"),
        ({"x": 3}, {}, "Expected at least one array of shape"),
        (np.zeros(3), {}, "Expected an array \\(dataset, column\\)"),
        (np.zeros((3, 2)), {"columns": [inc.Continuous("x")]}, "Expected 1 columns"),
        ({"rt": RT}, {"answered": np.ones(3, bool)}, "Expected answered of shape"),
        (
            pd.DataFrame({"x": [1.0]}),
            {},
            "Expected a column 'dataset' that tells the data sets apart",
        ),
    ],
)
def test_what_has_no_one_meaning_is_refused(data, options, words):
    with pytest.raises(ValueError, match=words):
        inc.trials_from(data, options.pop("columns", None), **options)


@pytest.mark.parametrize(
    ("theta", "options", "words"),
    [
        ({"m": np.zeros(3)}, {}, "Expected theta for 20 data sets; got 3 rows"),
        ({"m": np.full(N, np.nan)}, {}, "Expected finite parameters; got m=nan in data set 1"),
        (
            {"m": np.full(N, 5.0)},
            {"prior": inc.Prior(m=stats.uniform(0, 1))},
            "Expected theta within the support of",
        ),
        (
            {"m": np.zeros(N)},
            {"prior": inc.Prior(k=stats.norm(0, 1))},
            "Expected theta with the prior's parameters",
        ),
        ({"m": np.zeros(N)}, {}, "every parameter varies"),
        (
            {"m": RNG.normal(size=N)},
            {"n_trials": np.arange(N)},
            "Expected data sets with at least one trial each; got 1 without any",
        ),
    ],
)
def test_theta_that_does_not_belong_is_refused(theta, options, words):
    with pytest.raises(ValueError, match=words):
        inc.simulations_from(theta, {"rt": RT}, **options)


TRIALS = inc.trials_from({"rt": RT})


@pytest.mark.parametrize(
    ("data", "columns", "options"),
    [
        (TRIALS, None, {"n_trials": 5}),
        (TRIALS, None, {"answered": np.ones((N, T), bool)}),
        (TRIALS, [inc.Continuous("rt")], {}),
        (pd.DataFrame({"dataset": [1], "x": [1.0]}), None, {"n_trials": 1}),
        ({"rt": RT}, [inc.Continuous("rt")], {"given": ["rt"]}),
    ],
)
def test_an_option_that_would_be_left_unused_is_refused(data, columns, options):
    with pytest.raises(ValueError, match=r"^Expected .* beside|^Expected either columns"):
        inc.trials_from(data, columns, **options)


def test_a_misspelt_option_is_told():
    with pytest.raises(
        TypeError, match="simulations_from has no option 'ntrials'; did you mean 'n_trials'"
    ):
        inc.simulations_from({"m": AGE}, {"rt": RT}, ntrials=3)

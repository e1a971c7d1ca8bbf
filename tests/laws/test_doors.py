"""Laws of every door: what is accepted is kept in plain Python, saved, loaded as it was, printed,
shown on the page, and pickled.

Numbers come as Python's, numpy's and others', sequences as lists, tuples and arrays, names with
whatever a keyboard gives.
"""

import enum
import io
import json
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

import incongruent as inc
from incongruent.cli.parts import plain, print_anything
from incongruent.data.basics.plain import as_json, json_text, text_of
from incongruent.data.long_format import from_long
from incongruent.data.positions import positions_of
from incongruent.models.curves import rt_densities
from incongruent.networks.architecture import architecture_from_json, architecture_to_json
from incongruent.posterior.history import Evaluation, History, history_from_json
from incongruent.posterior.progress import LITERAL, screen
from incongruent.posterior.statistics import ranges_of
from incongruent.priors.independent import prior_from_json
from incongruent.report.files import write_netcdf
from incongruent.simulation.nuisance import marginalised
from incongruent.simulation.observed import design_of
from incongruent.storage.cards import check_card, simulator_from_json, simulator_to_json
from incongruent.training.recipe import Budget

few = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Level(enum.Enum):
    """A name as an enumeration has it."""

    LEFT = "left"


WHOLE = st.sampled_from([int, np.int64, np.int16, np.uint32, np.array, lambda n: np.array([n])[0]])
"""Ways in which a whole number comes."""
REAL = st.sampled_from(
    [float, np.float64, np.float32, np.array, Fraction, lambda x: Decimal(str(x))]
)
"""Ways in which a number comes; those used here are the same in single precision."""
SEVERAL = st.sampled_from([list, tuple, np.array])
NAMES = st.one_of(
    st.text(min_size=1, max_size=8),
    st.sampled_from(
        [
            "x\\[/b]",
            "[red]",
            "[/]",
            "\\",
            "a\\\\",
            ":smile:",
            "x\u2028y",
            "Jürgen 雪",
            "\x1b[2J",
            "1,2",
            '"',
            "=1+1",
            "\udcff",
            "</script>",
        ]
    ),
)


def is_plain(value: object) -> bool:
    """Nothing but Python's own."""
    if isinstance(value, dict):
        return type(value) is dict and all(is_plain(k) and is_plain(v) for k, v in value.items())
    if isinstance(value, tuple | list):
        return all(is_plain(v) for v in value)
    return value is None or type(value) in (bool, int, float, str)


def survives(simulator: inc.Simulator) -> None:
    """The simulator is saved, loaded, printed and pickled as it is."""
    check_card(simulator)
    card = simulator_to_json(simulator)
    again = simulator_from_json(json.loads(json_text(card)), simulator.model)
    assert again.design == simulator.design
    assert again.prior.to_json() == simulator.prior.to_json()
    for other in (again, pickle.loads(pickle.dumps(simulator))):
        assert json_text(simulator_to_json(other)) == json_text(card)
        assert repr(other) == repr(simulator)
    assert printed(repr(simulator)) == plain(repr(simulator)) + "\n"


def printed(text: str) -> str:
    """What the terminal shows."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    Console(file=out, width=10_000, **LITERAL).print(plain(text))
    out.seek(0)
    return out.read()


def normal(*names: str) -> inc.Prior:
    return inc.Prior(**{name: stats.norm(0, 1) for name in names})


@few
@given(
    st.integers(1, 50),
    st.integers(0, 50),
    WHOLE,
    REAL,
    SEVERAL,
    st.sampled_from([0.25, 0.5, (0.25, 0.75)]),
)
def test_designs(low, more, whole, real, several, share):
    shares = [
        several([real(s) for s in share]) if isinstance(share, tuple) else real(share)
        for _ in range(2)
    ]
    if share == 0.25:
        shares[1] = real(0.75)
    design = inc.Design(
        several([whole(low), whole(low + more)]),
        dict(zip(("congruent", np.str_("incongruent")), shares, strict=True)),
        window=several([real(200), real(900)]),
        deadline=real(800),
    )
    assert design.n_trials == (low, low + more)
    assert design.window == (200.0, 900.0)
    assert is_plain([design.n_trials, design.share, design.window, design.deadline])
    assert design == eval(repr(design), {"Design": inc.Design, "Category": inc.Category})
    survives(inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design))


def test_a_window_that_was_asked_for_is_kept_and_the_usual_one_is_not():
    seconds, counts = (
        inc.Model("s", ["m"], [inc.Continuous("rt", unit="s")]),
        inc.Model("c", ["m"], [inc.Integer("k")]),
    )
    said = inc.Design(10, window=[150, 2500])
    assert inc.Design(10).bound_to(seconds.columns).window is None
    assert said.bound_to(seconds.columns).window == (150.0, 2500.0)
    assert inc.Design(10).bound_to(counts.columns).window is None
    with pytest.raises(ValueError, match=r"Expected a column 'rt' for window=\(150.0, 2500.0\)"):
        said.bound_to(counts.columns)
    assert pickle.loads(pickle.dumps(inc.Design(10))).bound_to(counts.columns).window is None
    assert replace(inc.Design(10), deadline=None).bound_to(counts.columns).window is None
    assert inc.Design(10).bound_to(inc.models.dmc().columns[2:]).window == (150.0, 2500.0)


@few
@given(
    NAMES,
    NAMES,
    st.sampled_from([True, np.True_, np.array(True)]),
    st.lists(NAMES, min_size=1, max_size=4, unique_by=text_of),
    SEVERAL,
)
def test_columns_and_models(name, unit, yes, levels, several):
    columns = [
        inc.Continuous(name, unit, positive=yes),
        inc.Category(f"{name}!", several(levels), given=yes),
    ]
    assert all(is_plain(list(vars(column).values())) for column in columns)
    parameter = inc.Parameter(
        name, unit, unit, low=np.float32(-8), high=Decimal(8), typical=np.int64(0)
    )
    model = inc.Model(
        np.str_("own"),
        [parameter],
        columns,
        settings={"path": Path("a"), "n": np.arange(3), name: np.float32(1)},
    )
    assert is_plain([model.name, model.settings, list(vars(parameter).values())])
    survives(
        inc.Simulator(
            model,
            normal(name),
            inc.Design(3, given={f"{name}!": dict.fromkeys(levels, np.float64(1 / len(levels)))}),
        )
    )


def test_levels_that_are_no_text_are_known_by_their_text():
    assert inc.Category("c", (0, np.int64(1), 2.0, True, Level.LEFT)).levels == (
        "0",
        "1",
        "2",
        "True",
        "left",
    )
    with pytest.raises(TypeError, match="Expected a list of levels of column 'c'; got 'correct'"):
        inc.Category("c", "correct")
    with pytest.raises(
        ValueError, match="Expected True or False for given of column 'x'; got 'yes'"
    ):
        inc.Continuous("x", given="yes")
    with pytest.raises(TypeError, match="Expected text for the name of a column; got 3"):
        inc.Continuous(3)


@few
@given(REAL, st.sampled_from(["free", "tuple", "array"]))
def test_models_that_ship(real, kind):
    free = {"free": ["lapse"], "tuple": ("lapse", "drift_sd"), "array": np.array(["drift_sd"])}[
        kind
    ]
    made = [
        inc.models.dmc(
            fixed={"sd_R": real(30), np.str_("tau"): real(64)},
            free=free,
            alpha=real(2),
            dt=real(20),
            bound=np.str_("constant"),
        ),
        inc.models.rdmc(fixed={"sd_R": real(30)}, free=free),
        inc.models.ssp(fixed={"sd_R": real(30)}, free=free),
        inc.models.dstp(fixed={"sd_R": real(30)}),
    ]
    for model in made:
        assert is_plain(model.settings)
        again = inc.models.build(model.name, json.loads(json_text(model.settings)))
        assert (again.settings, again.parameters) == (model.settings, model.parameters)
    assert (made[0].settings, made[0].parameters) == (
        pickle.loads(pickle.dumps(made[0])).settings,
        made[0].parameters,
    )


NEW = [
    ("Normal", {"mu": 20.0, "sigma": 4.0}, stats.norm(20, 4)),
    ("Uniform", {"a": 20.0, "b": 220.0}, stats.uniform(20, 200)),
    ("gamma", {"a": 4.0}, stats.gamma(4)),
    ("lognorm", {"s": 0.5}, stats.lognorm(0.5)),
    ("t", {"df": 5.0}, stats.t(5)),
]


@pytest.mark.parametrize(("family", "values", "same"), NEW, ids=[family for family, *_ in NEW])
def test_the_new_distributions_of_scipy_become_the_old_ones(family, values, same):
    make = getattr(stats, family)
    new = (make if isinstance(make, type) else stats.make_distribution(make))(**values)
    for given_as, wanted in (
        (new, same),
        (3.0 * new + 1.0, None),
        (stats.truncate(new, same.ppf(0.1), same.ppf(0.9)), None),
    ):
        prior = inc.Prior(m=given_as)
        assert prior_from_json(json.loads(json_text(prior.to_json()))) == prior
        q = np.linspace(0.05, 0.95, 7)
        np.testing.assert_allclose(
            prior["m"].ppf(q), given_as.icdf(q) if wanted is None else wanted.ppf(q), rtol=1e-9
        )


@pytest.mark.parametrize(
    "distribution",
    [
        stats.exp(stats.Normal(mu=0.0, sigma=1.0)),
        stats.Normal(mu=[0.0, 1.0], sigma=1.0),
        -1.0 * stats.make_distribution(stats.gamma)(a=2.0),
    ],
    ids=["exponential of another", "several", "turned round"],
)
def test_a_new_distribution_without_a_counterpart_is_refused_with_what_to_write(distribution):
    with pytest.raises(
        ValueError,
        match=r"Expected a frozen continuous distribution for 'm', such as stats\.norm\(0, 1\)",
    ):
        inc.Prior(m=distribution)


class _Own(stats.rv_continuous):
    def _pdf(self, x):
        return 1.0 + 0.0 * x


@pytest.mark.parametrize(
    "distribution",
    [
        _Own(a=0, b=1, name="mine")(),
        _Own(a=0, b=1, name="norm")(),
        stats.norm([0, 1], 1),
        stats.rv_histogram(np.histogram([1, 2, 3]))(),
    ],
    ids=["of one's own", "under a known name", "several", "a histogram"],
)
def test_a_distribution_that_no_file_can_name_is_refused(distribution):
    with pytest.raises(
        ValueError, match=r"Expected a distribution of scipy\.stats for 'm' that a file can name"
    ):
        inc.Prior(m=distribution)


@few
@given(REAL, st.lists(NAMES, min_size=1, max_size=3, unique_by=text_of))
def test_priors(real, names):
    prior = inc.Prior(
        **{name: inc.truncated(stats.norm(real(1), real(2)), real(-2), real(4)) for name in names}
    )
    assert is_plain(prior.to_json())
    assert (
        prior_from_json(json.loads(json_text(prior.to_json())))
        == prior
        == pickle.loads(pickle.dumps(prior))
    )
    lows = {name: real(-2) for name in names}
    ones = np.ones(len(names), np.float32)
    joint = inc.JointPrior(
        np.array(names, object),
        low=lows,
        location=ones,
        scale=ones,
        log_prob=lambda theta: theta.sum(axis=-1),
    )
    assert is_plain(joint.to_json())
    again = pickle.loads(pickle.dumps(joint))
    assert again.to_json() == joint.to_json()
    assert again.log_prob(np.ones((2, len(names)))).tolist() == [len(names)] * 2
    ones[:] = 7.0
    assert joint.to_json() == again.to_json()


def test_a_parameter_may_have_any_name_and_a_cut_may_be_cut_again():
    for name in ("joint", "self", "name", "low", "distributions"):
        survives(
            inc.Simulator(
                inc.Model("own", [name], [inc.Continuous("x")]), normal(name), inc.Design(3)
            )
        )
    twice = inc.truncated(inc.truncated(stats.norm(0, 1), -1, 2), 0, 5)
    assert twice.support() == (0.0, 2.0)
    assert prior_from_json(inc.Prior(m=twice).to_json())["m"].support() == (0.0, 2.0)


@few
@given(WHOLE, REAL)
def test_recipes_budgets_and_architectures(whole, real):
    recipe = inc.Recipe(
        batch_size=whole(32), peak_rate=real(0.5), warmup=whole(3), average=real(0.5), reuse=real(2)
    )
    budgets = Budget(None, whole(7)), Budget(real(2), None)
    assert all(is_plain(list(vars(record).values())) for record in (recipe, *budgets))
    encoder = inc.encoders.SetTransformer(width=whole(8), n_heads=whole(4), dropout=real(0.5))
    architecture = inc.Architecture(
        encoder,
        inc.flows.CouplingFlow(n_layers=whole(2), transform=np.str_("affine"), dropout=real(0.25)),
        whole(5),
    )
    card = architecture_to_json(architecture)
    assert is_plain(card)
    assert (
        architecture_from_json(json.loads(json.dumps(card)))
        == architecture
        == pickle.loads(pickle.dumps(architecture))
    )


GIVEN = {
    "a number": np.float32(2),
    "a distribution": stats.norm(np.float32(2), Decimal(1)),
    "a new distribution": stats.Uniform(a=0.0, b=1.0),
    "a cut distribution": inc.truncated(stats.norm(0, 1), 0, 1),
    "a discrete distribution": stats.randint(np.int64(0), 5),
    "a function": lambda shape, rng: rng.random(shape),
}


@pytest.mark.parametrize("how", GIVEN.values(), ids=GIVEN)
def test_what_sets_a_given_column(how):
    model = inc.Model("own", ["m"], [inc.Continuous("load", given=True), inc.Continuous("x")])
    simulator = inc.Simulator(model, normal("m"), inc.Design(3, given={"load": how}))
    check_card(simulator)
    again = pickle.loads(pickle.dumps(simulator))
    one, other = (
        s.design.lay_out_given(4, model.columns, np.random.default_rng(1))[0]["load"]
        for s in (simulator, again)
    )
    assert np.array_equal(one, other)
    assert "0x" not in repr(simulator.design)
    loaded = simulator_from_json(json.loads(json_text(simulator_to_json(simulator))))
    assert callable(how) is not (loaded.design == simulator.design) or hasattr(how, "rvs")


def test_a_given_value_that_its_column_cannot_hold_is_refused():
    columns = [inc.Integer("k", given=True), inc.Continuous("x")]
    design = inc.Design(3, given={"k": 3e9})
    with pytest.raises(
        ValueError,
        match=(
            r"Expected a whole number within ±2147483647 for the given column 'k'; 3000000000\.0"
            r" gave 3000000000\.0"
        ),
    ):
        design.lay_out_given(2, columns, np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"mapping of levels to probabilities for 'k'; got array"):
        inc.Design(3, given={"k": np.arange(3)})


# --- trials ---------------------------------------------------------------------------------------


@few
@given(
    st.lists(st.integers(0, 10**12), min_size=2, max_size=5, unique=True),
    st.sampled_from([np.int64, np.float64, str]),
)
def test_names_of_data_sets_are_kept(ids, kind):
    frame = pd.DataFrame(
        {"dataset": np.repeat(np.array(ids).astype(kind), 2), "x": np.arange(2 * len(ids)) + 0.5}
    )
    assert inc.trials_from(frame).names == tuple(map(str, ids))
    made = inc.simulations_from(
        pd.DataFrame({"dataset": ids[::-1], "m": np.arange(len(ids))}), frame
    )
    assert made.theta[:, 0].tolist() == list(range(len(ids)))[::-1]


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 10**15])
def test_whole_numbers_that_are_too_large_are_refused(value):
    values = np.arange(40).reshape(2, 20)
    values[1, 3] = value
    with pytest.raises(
        ValueError, match="Expected a whole number within ±2147483647 in column 'k'"
    ):
        inc.trials_from({"k": values})


@pytest.mark.parametrize(
    ("value", "positive"), [(1e39, False), (-1e39, False), (1e39, True), (1e-60, True)]
)
def test_numbers_that_single_precision_cannot_hold_are_refused(value, positive):
    values = np.full((2, 3), 1.5)
    values[1, 2] = value
    with pytest.raises(ValueError, match="Expected a finite number"):
        inc.trials_from({"x": values}, [inc.Continuous("x", positive=positive)])


def study_of(names: list) -> inc.Trials:
    n = len(names)
    return inc.Trials(
        [inc.Continuous("x")],
        {"x": [[1.5, 2.5]] * n},
        [[1, 1]] * n,
        [[True, False]] * n,
        names,
        {"slow": [2] * n},
        "a note",
    )


@few
@given(st.lists(NAMES, min_size=1, max_size=4))
def test_trials_take_lists_and_any_names(names):
    study = study_of(names)
    assert is_plain(study.names)
    assert study.notes == ("a note",)
    assert study.answered.dtype == bool
    assert [printed(name) for name in study.names] == [plain(name) + "\n" for name in study.names]
    assert pickle.loads(pickle.dumps(study)).names == study.names
    study.to_frame().to_csv().encode()


@few
@given(st.data())
def test_selecting(data):
    names = ["a", "b", "001", "1", "a"]
    n, study = len(names), study_of(names)
    wanted = data.draw(st.lists(st.integers(-n, n - 1), max_size=7))
    for kind in (
        list,
        tuple,
        lambda v: np.array(v, int),
        lambda v: [np.int8(i) for i in v],
        pd.Series,
    ):
        assert positions_of(names, kind(wanted)).tolist() == [i % n for i in wanted]
    mask = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    for kind in (list, tuple, np.array, pd.Series):
        assert positions_of(names, kind(mask)).tolist() == np.flatnonzero(mask).tolist()
    words = data.draw(st.lists(st.sampled_from(names), max_size=3))
    for kind in (list, tuple, np.array):
        assert study.select(kind(words)).names == tuple(
            name for word in words for name in names if name == word
        )
    assert study.select(slice(1, 3)).names == ("b", "001")
    assert study.select("001").names == ("001",)
    assert study.select(range(2)).names == ("a", "b")
    assert study.select(np.int64(-1)).n_excluded.tolist() == [2]


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ([7], IndexError, "Expected positions from 0 to 1, for 2 data sets; got 7"),
        ([True], IndexError, "Expected True or False for each of 2 data sets; got 1 of them"),
        (["c"], KeyError, "Expected names of data sets, such as a, b; got 'c'"),
        (
            [0.5],
            TypeError,
            (
                r"Expected positions of data sets, names, a slice, or True and False for each; got"
                r" \[0.5\]"
            ),
        ),
        (["a", 1], TypeError, "Expected positions of data sets, names"),
    ],
)
def test_data_sets_that_there_are_not(wanted, error, words):
    with pytest.raises(error, match=words):
        study_of(["a", "b"]).select(wanted)


def test_a_column_called_participant_keeps_its_place():
    columns = [inc.Continuous("participant"), inc.Continuous("dataset")]
    values = {"participant": [7.5, 8.5], "dataset": [1.0, 2.0]}
    frame = from_long(columns, [0, 1], values, names=["a", "b"]).to_frame()
    assert frame["participant"].tolist() == [7.5, 8.5]
    assert frame["dataset_2"].tolist() == ["a", "b"]


def test_parts_of_arrays_that_are_called_alike_are_refused():
    with pytest.raises(ValueError, match="Expected a name of its own for every column"):
        inc.trials_from({"x": np.zeros((2, 3, 2)), "x_1": np.ones((2, 3))})


# --- processes ------------------------------------------------------------------------------------


@numba.njit
def _sometimes(theta, rng):  # pragma: no cover - compiled
    x = rng.normal(theta[0], 1.0)
    if x < 0.0:
        return None
    return x, 1


def test_a_compiled_trial_without_an_answer_is_none():
    model = inc.Model("own", ["m"], [inc.Continuous("x"), inc.Integer("k")], trial=_sometimes)
    plainly = inc.Model("own", ["m"], model.columns, trial=_sometimes.py_func)
    simulator = inc.Simulator(model, normal("m"), inc.Design(30))
    trials = simulator.simulate(20, seed=1).trials
    assert 0.3 < trials.answered.mean() < 0.7
    for other in (
        inc.Simulator(plainly, normal("m"), inc.Design(30)),
        pickle.loads(pickle.dumps(simulator)),
    ):
        again = other.simulate(20, seed=1).trials
        assert np.array_equal(again.answered, trials.answered)
        np.testing.assert_array_equal(
            np.where(again.answered, again.values["x"], 0),
            np.where(trials.answered, trials.values["x"], 0),
        )


def _own() -> inc.Model:
    def dataset(theta, n_trials, rng):
        return rng.normal(theta[0], theta[1], n_trials)

    return inc.Model(
        "own", ["m", inc.Parameter("s", low=0)], [inc.Continuous("x")], dataset=dataset
    )


def _simulators() -> dict[str, inc.Simulator]:
    share = {"congruent": 0.5, "incongruent": 0.5}
    robust = marginalised(inc.models.dmc(free=["lapse"]), lapse=inc.priors.lapse_rate())
    vector = inc.Model(
        "v", ["m"], [inc.Continuous("x")], vector=lambda theta, rng: rng.normal(theta)
    )
    several = inc.JointPrior(
        ["m", "s"], sample=lambda n, rng: rng.uniform(1, 2, (n, 2)), low={"s": 0}
    )
    return {
        "own": inc.Simulator(
            _own(), inc.Prior(m=stats.norm(0, 1), s=stats.gamma(2)), inc.Design(5)
        ),
        "joint prior": inc.Simulator(_own(), several, inc.Design(5)),
        "vectors": inc.Simulator(vector, normal("m"), inc.Design(1)),
        "marginalised": inc.Simulator(
            marginalised(_own(), s=stats.gamma(2)), normal("m"), inc.Design(5)
        ),
        "marginalised dmc": inc.Simulator(robust, inc.priors.schaefer2025(), inc.Design(5, share)),
        "rdmc": inc.Simulator(inc.models.rdmc(), inc.priors.broad_rdmc(), inc.Design(5, share)),
        "ssp": inc.Simulator(inc.models.ssp(), inc.priors.broad_ssp(), inc.Design(5, share)),
        "dstp": inc.Simulator(inc.models.dstp(), inc.priors.broad_dstp(), inc.Design(5, share)),
    }


@pytest.mark.parametrize("name", _simulators())
def test_a_pickled_simulator_simulates_the_same(name):
    simulator = _simulators()[name]
    check_card(simulator)
    again = pickle.loads(pickle.dumps(simulator))
    one, other = simulator.simulate(3, seed=np.int64(1)), again.simulate(3, seed=1)
    assert np.array_equal(one.theta, other.theta)
    assert all(
        np.array_equal(one.trials.values[column], other.trials.values[column])
        for column in one.trials.values
    )


def test_closures_go_to_processes_and_what_cannot_go_is_refused_before_anything_is_made(tmp_path):
    lock = threading.Lock()

    def locked(theta, n_trials, rng):
        with lock:
            return rng.normal(theta[0], 1.0, n_trials)

    simulator = inc.Simulator(
        _own(), inc.Prior(m=stats.norm(0, 1), s=stats.gamma(2)), inc.Design(5)
    )
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        bank = inc.write_bank(tmp_path / "bank", simulator, 20, seed=np.int64(1), executor=pool)
        sizes = list(
            inc.over_people(
                lambda part: len(part), study_of(["a", "b", "c"]), executor=pool, at_once=2
            )
        )
    assert sizes == [2, 1]
    np.testing.assert_allclose(
        bank.chunk(0)[0][:20],
        inc.write_bank(tmp_path / "again", simulator, 20, seed=1).chunk(0)[0][:20],
    )
    stuck = inc.Simulator(
        inc.Model("own", ["m"], [inc.Continuous("x")], dataset=locked), normal("m"), inc.Design(5)
    )
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(
            pickle.PicklingError, match=r"it holds something that lives in this one alone .*lock"
        ),
    ):
        inc.write_bank(tmp_path / "stuck", stuck, 20, seed=1, executor=pool)
    assert not (tmp_path / "stuck").exists()


# --- cards ----------------------------------------------------------------------------------------


def test_a_model_of_ones_own_under_the_name_of_another_is_refused_before_training():
    simulator = inc.Simulator(
        inc.Model("ssp", ["m"], [inc.Continuous("x")]), normal("m"), inc.Design(5)
    )
    with pytest.raises(inc.FileError, match="needs a name that no model of the package has"):
        check_card(simulator)


def test_settings_that_no_file_holds_are_refused_where_the_model_is_made():
    with pytest.raises(
        TypeError,
        match=(
            r"Expected numbers, text, or lists and mappings of these in settings of"
            r" 'own'\['when'\]\[1\], .*; got object"
        ),
    ):
        inc.Model("own", ["m"], [inc.Continuous("x")], settings={"when": [1, object()]})


@pytest.mark.parametrize("seed", [1.5, -1, "1", True, None])
def test_seeds_that_are_none_are_refused_before_training(simulator, seed):
    with pytest.raises(
        (TypeError, ValueError), match="Expected a seed that is a whole number from 0 on; got"
    ):
        inc.train(simulator, steps=1, seed=seed, progress=False)


def test_a_history_with_infinite_losses_is_saved():
    look = Evaluation(np.int64(1), np.float32(2), float("inf"), 1.0, float("nan"), 0.5, 3)
    history = History((look,), None, float("-inf"), np.int64(4), 1.0, 0.0)
    card = json.loads(json.dumps(history.to_json(), allow_nan=False))
    again = history_from_json(card)
    assert np.isnan([again.prior_loss, again.evaluations[0].training]).all()
    assert again.to_json() == history.to_json()


def test_a_statistic_that_no_simulation_has_is_no_range():
    columns = [inc.Continuous("x")]
    nobody = from_long(columns, [0, 1], {"x": [0.0, 0.0]}, answered=np.zeros(2, bool))
    assert is_plain(ranges_of(nobody, ()).to_json())
    json.dumps(ranges_of(nobody, ()).to_json(), allow_nan=False)


def test_a_trained_network_is_saved_whatever_its_notes(posterior, tmp_path):
    """Numbers of numpy among its notes, seed and design have cost people whole nights."""
    noted = posterior.with_notes(
        n=np.int64(3),
        share=np.float32(0.5),
        table=np.eye(2),
        nothing=float("nan"),
        path=Path("a/b"),
        who="x\\[/b]",
    )
    noted.save(tmp_path / "x[1].network")
    again = inc.load_posterior(str(tmp_path / "x[1].network"))
    assert again.notes == noted.notes
    assert again.card() == noted.card()
    assert again.simulator.design == noted.simulator.design
    people = posterior.simulator.simulate(3, seed=5).trials
    for other in (again, pickle.loads(pickle.dumps(noted))):
        assert np.array_equal(
            other.sample(people, np.int64(4), seed=np.int64(1)).theta,
            posterior.sample(people, 4, seed=1).theta,
        )
    with pytest.raises(
        TypeError, match=r"in notes\['when'\], which a file can hold; got Timestamp"
    ):
        posterior.with_notes(when=pd.Timestamp("2020-01-01"))


def test_what_training_keeps_on_record_is_plain_whatever_it_was_given(small, monkeypatch):
    kept = {}

    def stop(job, *_, **__):
        kept["job"] = job
        raise inc.TrainingError("stopped")

    monkeypatch.setattr("incongruent.training.train.learn_all", stop)
    design = inc.Design(
        np.array([20, 40]),
        {"congruent": np.float32(0.5), "incongruent": np.float32(0.5)},
        window=np.array([150, 2500]),
    )
    prior = inc.Prior(
        **{
            name: stats.norm(np.float32(p.typical), np.float32(p.typical / 8))
            for name, p in _standard().items()
        }
    )
    simulator = inc.Simulator(inc.models.dmc(fixed={"sd_R": np.int64(30)}), prior, design)
    recipe = inc.Recipe(batch_size=np.int64(64), peak_rate=np.float32(0.001))
    with pytest.raises(inc.TrainingError):
        inc.train(
            simulator,
            steps=np.int64(2),
            seed=np.int64(3),
            architecture=small,
            recipe=recipe,
            progress=False,
        )
    assert is_plain(kept["job"].fingerprint())
    json.dumps(simulator_to_json(kept["job"].data.source.simulator), allow_nan=False)


def test_a_network_that_could_not_be_saved_is_not_trained(small, monkeypatch):
    monkeypatch.setattr(
        "incongruent.training.train.learn_all", lambda *_, **__: pytest.fail("training began")
    )
    model = inc.Model(
        "ssp",
        ["m"],
        [inc.Continuous("x")],
        dataset=lambda theta, n_trials, rng: rng.normal(theta[0], 1.0, n_trials),
    )
    with pytest.raises(inc.FileError, match="needs a name that no model of the package has"):
        inc.train(
            inc.Simulator(model, normal("m"), inc.Design(5)),
            steps=1,
            seed=1,
            architecture=small,
            progress=False,
        )


def _standard() -> dict[str, inc.Parameter]:
    return {p.name: p for p in inc.models.dmc(fixed={"sd_R": 30}).parameters}


@few
@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.floats(), st.text()),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
def test_notes_are_what_json_gives_back(value):
    said = as_json({"v": value}, "notes")
    assert as_json(json.loads(json.dumps(said, allow_nan=False)), "notes") == said


# --- observed data take the network's columns -----------------------------------------------------


def test_observed_data_take_the_networks_columns(posterior):
    study = posterior.simulator.simulate(4, seed=9).trials
    whole = replace(study, values={**study.values, "rt": np.round(study.values["rt"])})
    frame = whole.to_frame().rename(columns={"participant": "dataset"})
    frame["rt"] = frame["rt"].astype(int)
    observed = inc.trials_from(frame, given=["condition"])
    assert isinstance(observed.column("rt"), inc.Integer)
    assert np.array_equal(
        posterior.sample(observed, 3, seed=1).theta, posterior.sample(whole, 3, seed=1).theta
    )
    corrected = inc.log_likelihood(
        posterior.simulator, posterior.sample(whole, 3, seed=1).theta, observed
    )
    np.testing.assert_allclose(
        corrected,
        inc.log_likelihood(posterior.simulator, posterior.sample(whole, 3, seed=1).theta, whole),
    )
    forgotten = inc.trials_from(frame)  # nothing is said to be given, and everybody answered
    assert study.answered[study.present].all()
    assert np.array_equal(
        posterior.sample(forgotten, 3, seed=1).theta, posterior.sample(whole, 3, seed=1).theta
    )


SIGNED = [
    inc.Continuous("x"),
    inc.Category("c", ("1", "2", "10"), given=True),
    inc.Integer("k", unit="steps"),
]


def read(data: dict, **options) -> inc.Trials:
    from incongruent.data.matching import in_columns

    return in_columns(inc.trials_from(data, **options), SIGNED)


def test_values_keep_their_meaning_in_other_columns():
    c, k = np.array([[1, 10, 1], [10, 2, 2]]), np.array([[3, 40, 5], [4, 4, 4]])
    trials = read({"x": np.array([[1, 2, 2], [2, 1, 1]]), "c": c, "k": k}, given=["c"])
    assert trials.columns == tuple(SIGNED)
    assert trials.values["x"].tolist() == [[1, 2, 2], [2, 1, 1]]
    assert np.array(["1", "2", "10"])[trials.values["c"]].tolist() == c.astype(str).tolist()
    assert trials.values["k"].tolist() == k.tolist()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"x": [[1.5]], "c": [["3"]], "k": [[1]]},
            r"Expected levels \('1', '2', '10'\) in column 'c'; got \['3'\]",
        ),
        (
            {"x": [[1.5]], "c": [["1"]], "k": [[1.5]]},
            "Expected a whole number within .* in column 'k'; got 1.5 in data set '1', trial 0",
        ),
        (
            {"x": [["up"]], "c": [["1"]], "k": [[1]]},
            r"Expected numbers in column 'x'; got the levels \('up',\)",
        ),
        ({"y": [[1.5]], "c": [["1"]], "k": [[1]]}, r"missing \['x'\], not known here \['y'\]"),
    ],
)
def test_what_the_networks_columns_do_not_allow_is_refused(data, words):
    with pytest.raises(ValueError, match=words):
        read({name: np.array(values) for name, values in data.items()}, given=["c"])


# --- simulations made elsewhere -------------------------------------------------------------------

RNG = np.random.default_rng(3)
THETA = RNG.uniform(0, 2, 60)
DATA = RNG.normal(THETA[:, None], 1.0, (60, 8))


def test_stored_simulations_without_a_prior_say_that_draws_may_leave_the_range():
    free, bound = (
        inc.simulations_from({"m": THETA}, {"x": DATA}),
        inc.simulations_from({"m": THETA}, {"x": DATA}, bounds="range"),
    )
    assert any("draws may lie outside of the range" in note for note in free.trials.notes)
    assert not any("draws may lie outside" in note for note in bound.trials.notes)
    z = np.linspace(-9, 9, 50)[:, None]
    margin = np.ptp(THETA) / 59
    inside = bound.simulator.prior.from_real(z)
    assert THETA.min() - margin <= inside.min() < THETA.min()
    assert THETA.max() < inside.max() <= THETA.max() + margin
    beyond = free.simulator.prior.from_real(z)
    draws = inc.Draws(beyond[None], np.zeros((1, 50)), free.simulator, ("1",))
    outside = (beyond < THETA.min()) | (beyond > THETA.max())
    assert draws.beyond_sample_range == {"m": outside.mean()}
    assert "of the draws of m outside of the range of the simulations" in repr(draws)
    for simulations in (free, bound):
        survives(simulations.simulator)
    said = inc.simulations_from({"m": THETA}, {"x": DATA}, bounds={"m": (np.int64(0), 3)})
    assert said.simulator.prior.limits(0) == (0.0, 3.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bounds": "all"}, "Expected bounds='range', or"),
        ({"bounds": {"m": 3}}, r"Expected \(low, high\) as the bounds of 'm'; got 3"),
        ({"bounds": {"k": (0, 3)}}, r"limits for \['k'\] beside"),
        ({"bounds": {"m": (0, 1)}}, r"Expected samples of m within \[0, 1\]"),
        (
            {"bounds": "range", "prior": normal("m")},
            "Expected either a prior, which has its own limits, or bounds",
        ),
        ({"failed": "skip"}, "Expected failed to be 'refuse' or 'leave out'; got 'skip'"),
    ],
)
def test_bounds_that_are_none_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        inc.simulations_from({"m": THETA}, {"x": DATA}, **options)


@pytest.mark.parametrize("kind", ["mapping", "array", "frame", "frame by name"])
def test_failed_simulations_are_refused_or_left_out_on_request(kind):
    theta, data = THETA.copy(), DATA.copy()
    theta[5], data[7, 3], data[9] = np.nan, np.inf, np.nan
    kept = np.delete(np.arange(60), [5, 7, 9])
    frame = pd.DataFrame({"dataset": np.repeat(np.arange(60), 8), "x1": data.ravel()})
    table = (
        pd.DataFrame({"m": theta})
        if kind == "frame"
        else pd.DataFrame({"dataset": np.arange(60), "m": theta})
    )
    source = {"mapping": {"x1": data}, "array": data[..., None]}.get(kind, frame)
    parameters = {"m": theta} if kind in ("mapping", "array") else table
    with pytest.raises(ValueError, match=r"Expected a finite number|Expected finite parameters"):
        inc.simulations_from(parameters, source)
    made = inc.simulations_from(parameters, source, failed="leave out")
    np.testing.assert_allclose(made.theta[:, 0], theta[kept])
    np.testing.assert_allclose(made.trials.values["x1"], data[kept], rtol=1e-6)
    assert any(
        "3 of 60 simulations failed (5.0%) and were left out: the prior is cut" in note
        for note in made.trials.notes
    )
    with pytest.raises(ValueError, match="all 60 have parameters or trials that are not finite"):
        inc.simulations_from({"m": np.full(60, np.nan)}, {"x": data}, failed="leave out")


def test_trials_without_an_answer_and_places_beyond_the_last_have_not_failed():
    data, answered = DATA.copy(), np.ones(DATA.shape, bool)
    data[3, 2], answered[3, 2], data[:, 6:] = np.nan, False, np.nan
    made = inc.simulations_from(
        {"m": THETA}, {"x": data}, answered=answered, n_trials=6, failed="leave out"
    )
    assert len(made) == 60


# --- the start of DMC -----------------------------------------------------------------------------


def test_the_widest_start_that_is_accepted_is_simulated_as_the_forward_equation_has_it():
    model, theta = inc.models.dmc(alpha=0.5), np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0])
    design = inc.Design(1000, {"congruent": 0.5, "incongruent": 0.5}, window=None)
    trials = inc.Simulator(model, inc.priors.schaefer2025(), design).simulate_at(
        np.tile(theta, (100, 1)), seed=1
    )
    curves = rt_densities(model, theta)
    for level, density, share in zip(
        curves.levels,
        curves.density,
        curves.share("error") / curves.density.sum(axis=(1, 2)) / 4.0,
        strict=True,
    ):
        here = trials.where("condition", level)
        n, wrong = here.sum(), trials.where("response", "error")[here]
        # curves hold 99.5 % of the trials
        assert abs(wrong.mean() - share) < 5.0 * np.sqrt(share * (1.0 - share) / n) + 0.002
        rt = trials.values["rt"][here]
        rt = rt[rt < curves.rt[-1]]
        mean = (density.sum(axis=0) * curves.rt).sum() / density.sum()
        assert abs(rt.mean() - mean) < 5.0 * rt.std() / np.sqrt(len(rt))


def test_an_observed_design_takes_numbers_of_any_kind():
    study = (
        inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(4, {"congruent": 1}))
        .simulate(2, seed=1)
        .trials
    )
    design = design_of(study, window=np.array([200, 900]), deadline=np.float32(800))
    assert is_plain([design.window, design.deadline])


@few
@given(
    st.lists(NAMES, min_size=2, max_size=3, unique_by=text_of),
    st.lists(NAMES, min_size=2, max_size=2),
)
@example(["draw", "draw_", "participant"], ["x/y", "a\0b"])
@example(["a/b", "a_b", "chain"], ["", "."])
@example(["", ".", ".."], ["1", "01"])
def test_draws_of_any_people_and_parameters_go_to_arviz_and_to_a_file_and_come_back(
    tmp_path, parameters, people
):
    simulator = inc.Simulator(
        inc.Model("own", parameters, [inc.Continuous("x")]), normal(*parameters), inc.Design(3)
    )
    theta = np.random.default_rng(1).normal(size=(2, 50, len(parameters)))
    draws = inc.Draws(theta, np.zeros((2, 50)), simulator, tuple(people))
    write_netcdf(draws, tmp_path / "draws.nc")
    for tree in (draws.to_arviz(), xr.load_datatree(tmp_path / "draws.nc", engine="h5netcdf")):
        assert tree["posterior"].coords["participant"].values.tolist() == [
            text_of(name) for name in people
        ]
        came = {
            array.attrs["parameter"]: array.to_numpy()
            for array in tree["posterior"].data_vars.values()
        }
        assert set(came) == set(simulator.model.parameter_names)
        for i, name in enumerate(simulator.model.parameter_names):
            np.testing.assert_array_equal(came[name][0].T, theta[..., i])


# --- the terminal and the page --------------------------------------------------------------------

STRANGE = ["x\\[/b]", "[red]", "[/]", "\\", "a\\\\", ":smile:", "Jürgen 雪", "<script>", "1,2"]


def test_the_terminal_shows_every_name_as_it_is(capsys, monkeypatch):
    from incongruent.cli import commands as cli
    from incongruent.cli.tables import show_table

    show_table(pd.DataFrame({"person[/]": STRANGE}), "title [/b]\\")
    shown = capsys.readouterr().out
    assert all(text in shown for text in (*STRANGE, "person[/]", "title [/b]\\"))
    for style in ("", "bold", "yellow"):
        screen.print(plain(" ".join(STRANGE)), style=style)
        assert capsys.readouterr().out == " ".join(STRANGE) + "\n"

    def stop(*_, **__):
        raise inc.FileError(" ".join(STRANGE))

    monkeypatch.setattr(cli, "app", stop)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == f"error: {' '.join(STRANGE)}\n"


def test_nothing_from_outside_is_obeyed_by_the_terminal():
    assert plain("\x1b[2J\r\x07\udcff\u2028") == "\\x1b[2J\\r\\x07\\udcff\\u2028"
    assert plain("two\nlines\t雪") == "two\nlines\\t雪"


def test_no_module_writes_markup_for_the_terminal():
    for path in Path(inc.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not any(tag in text for tag in ("[/]", "[bold", "[yellow", "[red", "[dim]")), path


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_of_any_encoding_shows_any_text(encoding, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    monkeypatch.setattr("sys.stdout", out)
    print_anything()
    screen.print("雪 – x")
    out.flush()
    shown = out.buffer.getvalue().decode(encoding)
    assert (
        shown == "雪 – x\n"
        if encoding == "utf-8"
        else shown.startswith("\\u96ea") and shown.endswith(" x\n")
    )

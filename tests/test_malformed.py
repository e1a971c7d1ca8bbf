"""Whatever comes in, the answer is a result or a sentence that says what was expected; never an error from deep inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

import incongruent as inc
from incongruent.trials import CONFLICT_TASK

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=5), st.just(stats.norm(0, 1)), st.just(stats.norm))
THINGS = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=3), SCALARS, max_size=2))


def answers(call) -> object | None:
    """What the call gives; None when it refuses in words."""
    try:
        return call()
    except (ValueError, TypeError, KeyError) as error:
        refused = error
    text = str(refused).strip("\"'")
    assert text.startswith("Expected") or "has no option" in text, f"{type(refused).__name__}: {text[:200]}"
    return None


@FEW
@given(st.dictionaries(st.sampled_from(["A", "tau", "mu_c"]), THINGS, max_size=3))
def test_priors(distributions):
    made = answers(lambda: inc.Prior(**distributions))
    assert made is None or isinstance(made, inc.Prior)


@FEW
@given(st.lists(st.one_of(st.text(max_size=3), THINGS), max_size=3), st.lists(st.one_of(st.sampled_from(CONFLICT_TASK), THINGS), max_size=3), THINGS)
def test_models(parameters, columns, function):
    made = answers(lambda: inc.Model("m", parameters, columns, trial=function))
    assert made is None or isinstance(made, inc.Model)


@FEW
@given(THINGS, THINGS, THINGS)
def test_designs(n_trials, share, window):
    made = answers(lambda: inc.Design(n_trials, share, window))
    assert made is None or isinstance(made, inc.Design)


@FEW
@given(
    st.lists(st.sampled_from(["subject", "rt", "condition", "accuracy", "x"]), min_size=1, max_size=5, unique=True),
    st.lists(st.lists(SCALARS, min_size=5, max_size=5), max_size=4),
)
def test_tables_of_trials(names, rows):
    frame = pd.DataFrame([row[: len(names)] for row in rows], columns=names).astype(object)
    made = answers(lambda: inc.read_trials(frame))
    assert made is None or isinstance(made, inc.Trials)


ARRAYS = st.sampled_from(
    [np.ones((3, 4)), np.ones(3), np.full((3, 4), np.nan), np.ones((2, 2)), np.ones((3, 4, 2)), np.array(["a", "b"]), np.ones(0)]
)


@FEW
@given(st.dictionaries(st.sampled_from(["rt", "x", "c"]), st.one_of(SCALARS, ARRAYS)))
def test_arrays_of_trials(data):
    made = answers(lambda: inc.trials_from(data))
    assert made is None or isinstance(made, inc.Trials)


@FEW
@given(THINGS, st.one_of(st.none(), st.integers(-1, 3), st.floats(-1, 1)))
def test_what_is_to_be_learned_from(source, steps):
    assert answers(lambda: inc.train(source, steps=steps, seed=1, progress=False)) is None


@FEW
@given(
    present=st.lists(st.booleans(), min_size=4, max_size=4),
    answered=st.lists(st.booleans(), min_size=4, max_size=4),
    rt=st.lists(st.floats(width=32), min_size=4, max_size=4),
    condition=st.lists(st.integers(-2, 4), min_size=4, max_size=4),
    n_draws=st.integers(-1, 2),
)
def test_studies_to_draw_for(posterior, present, answered, rt, condition, n_draws):
    def draw() -> object:
        values = {"rt": np.array([rt], np.float32), "condition": np.array([condition], np.int8), "response": np.zeros((1, 4), np.int8)}
        return posterior.sample(inc.Trials(CONFLICT_TASK, values, np.array([present]), np.array([answered])), n_draws, seed=1)

    answers(draw)


@FEW
@given(st.binary(max_size=300))
def test_files(tmp_path: Path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    for load in (inc.load_posterior, inc.import_simulations, inc.open_bank):
        assert answers(lambda load=load: load(path)) is None

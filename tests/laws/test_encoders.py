"""What every encoder owes: padding is invisible, order does not matter, data sets do not leak into
each other, any number of trials will do.
"""

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from incongruent.data.long_format import from_long
from incongruent.data.trials import (
    CONFLICT_TASK,
    RESPONSE,
    Category,
    Column,
    Continuous,
    Integer,
    Trials,
    pad,
)
from incongruent.networks import encoders
from incongruent.networks.architecture import Architecture
from incongruent.networks.encoder import Encoder, EncoderOptions, bucket_of
from incongruent.networks.estimator import build_estimator
from incongruent.networks.histogram import Axis, HistogramEncoder
from incongruent.networks.task import Task
from incongruent.storage.weights import load_arrays, named_leaves, save_arrays, with_leaves

LEVELS = ("congruent", "incongruent")
AXIS = Axis("rt", 150.0, 2500.0, 64)
CONFLICT = Task(CONFLICT_TASK, (("condition", LEVELS),), (150.0, 2500.0), 2, 1, 400)
CUE, SIDE = (
    Category("cue", ("none", "valid", "invalid"), given=True),
    Category("side", ("left", "right"), given=True),
)
GROUP, AGE = (
    Category("group", ("young", "old", "oldest"), given=True, per="dataset"),
    Continuous("age", "years", given=True, per="dataset"),
)
CHOICE, SURE, GAIN = (
    Category("choice", ("a", "b", "c")),
    Category("sure", ("no", "yes")),
    Continuous("gain"),
)
GIVEN_LEVELS = (("cue", ("valid", "invalid")), ("group", ("young", "old")))
FACTORS = Task((GROUP, CHOICE, CUE, GAIN, SURE, AGE, SIDE), GIVEN_LEVELS, (-3.0, 3.0), 2, 1, 400)
BARE = Task((GAIN,), (), (-3.0, 3.0), 2, 1, 400)
CONTRAST = Continuous("contrast", given=True, positive=True)
ANYTHING = Task(
    (
        CUE,
        CONTRAST,
        Integer("clicks"),
        GAIN,
        CHOICE,
        GROUP,
        AGE,
        Continuous("time", "s", positive=True),
    ),
    GIVEN_LEVELS,
    None,
    2,
    1,
    400,
)


@dataclass(frozen=True)
class Case:
    """An encoder and the task that it is for."""

    task: Task
    encoder: Encoder


def case(task: Task, options: EncoderOptions, n_summaries: int = 5) -> Case:
    """With weights as they begin, standardising by some trials."""
    encoder = build_estimator(
        np.random.default_rng(1), task, Architecture(options, n_summaries=n_summaries)
    ).encoder
    return Case(
        task,
        encoder.fitted(encoder.features(some_trials(task, (min(200, task.largest),) * 20, seed=9))),
    )


def some_values(
    column: Column, person: np.ndarray, task: Task, rng: np.random.Generator
) -> np.ndarray:
    """Values that a column may have, (row,)."""
    n = len(person) if column.per == "trial" else person.max() + 1
    if isinstance(column, Category):
        values = rng.choice([column.levels.index(level) for level in task.levels_of(column)], n)
    elif isinstance(column, Integer):
        values = rng.poisson(3.0, n)
    else:
        values = (
            rng.lognormal(6.1 if column.name == "rt" else 0.0, 0.4, n)
            if column.name == "rt" or column.positive
            else rng.normal(size=n)
        )
    return values if column.per == "trial" else values[person]


def some_trials(task: Task = CONFLICT, sizes=(1, 2, 50, 333), seed: int = 1) -> Trials:
    rng, person = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    values = {column.name: some_values(column, person, task, rng) for column in task.columns}
    return from_long(
        task.columns,
        person,
        values,
        answered=rng.random(len(person)) < 0.9,
        names=[str(i) for i in range(len(sizes))],
    )


HISTOGRAM = encoders.Histogram(n_knots=64, n_quantiles=0, width=16)
QUANTILES = replace(HISTOGRAM, n_quantiles=7)
CASES = {
    "histogram": case(CONFLICT, HISTOGRAM),
    "histogram and quantiles": case(CONFLICT, QUANTILES),
    "histogram of factors": case(FACTORS, replace(QUANTILES, n_knots=8)),
    "histogram of one column": case(BARE, QUANTILES),
    "deep set": case(CONFLICT, encoders.DeepSet(width=16)),
    "deep set of anything": case(ANYTHING, encoders.DeepSet(width=16)),
    "set transformer": case(CONFLICT, encoders.SetTransformer(width=16, n_heads=4, n_inducing=5)),
    "set transformer of anything": case(
        ANYTHING, encoders.SetTransformer(width=8, n_heads=2, n_inducing=3, n_blocks=1, n_seeds=1)
    ),
}
LONG = {"deep set of anything", "set transformer of anything"}
"""Compiling these takes seconds a test, so that they are looked at with the slow tests."""
every_encoder = pytest.mark.parametrize(
    "of",
    [
        pytest.param(of, id=name, marks=pytest.mark.slow if name in LONG else ())
        for name, of in CASES.items()
    ],
)


@eqx.filter_jit
def summaries_of(encoder: Encoder, features) -> jax.Array:
    return jax.vmap(encoder)(features)


def summaries(encoder: Encoder, trials: Trials) -> np.ndarray:
    return np.asarray(summaries_of(encoder, encoder.features(trials)))


def rearranged(trials: Trials, order: np.ndarray) -> Trials:
    """Trials in another order, order (dataset, trial) of places."""
    rows = np.arange(len(trials))[:, None]
    values = {name: array[rows, order] for name, array in trials.values.items()}
    return replace(
        trials,
        values=values,
        present=trials.present[rows, order],
        answered=trials.answered[rows, order],
    )


def one_trial(rt: float, condition: int = 0, response: int = 0, answered: bool = True) -> Trials:
    values = {"condition": [condition], "response": [response], "rt": [rt]}
    return from_long(CONFLICT_TASK, np.zeros(1, int), values, answered=np.array([answered]))


def close(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@every_encoder
def test_any_number_of_trials_will_do(of):
    """Also none, and many more than were ever trained for."""
    for sizes in ((1,), (1, 2, 50, 333), (5000, 3)):
        trials = some_trials(of.task, sizes)
        features = of.encoder.features(trials)
        assert features.shape == (len(sizes), *of.encoder.shape(max(sizes)))
        assert np.isfinite(features).all()
        assert summaries(of.encoder, trials).shape == (len(sizes), of.encoder.n_summaries)
        assert np.isfinite(summaries(of.encoder, trials)).all()
    nobody = replace(
        trials, present=np.zeros_like(trials.present), answered=np.zeros_like(trials.present)
    )
    assert np.isfinite(summaries(of.encoder, nobody)).all()


@every_encoder
def test_gradients_are_finite_whatever_the_trials(of):
    trials = some_trials(of.task, (1, 7))
    present = np.array([[False], [True]]) & trials.present  # nobody has no trial at all
    features = of.encoder.features(
        replace(trials, present=present, answered=trials.answered & present)
    )
    gradients = eqx.filter_jit(eqx.filter_grad(lambda e, f: jnp.sum(jax.vmap(e)(f) ** 2)))(
        of.encoder, features
    )
    assert all(
        bool(jnp.isfinite(leaf).all())
        for leaf in jax.tree.leaves(eqx.filter(gradients, eqx.is_array))
    )


@every_encoder
def test_padding_is_invisible(of):
    trials = some_trials(of.task)
    features = of.encoder.features(trials)
    assert np.array_equal(of.encoder.features(pad(trials, 1000)), features)
    if not of.encoder.ragged:
        wider = np.pad(features, ((0, 0), (0, 123), (0, 0)))
        close(summaries_of(of.encoder, wider), summaries_of(of.encoder, features))


@every_encoder
def test_absent_trials_may_lie_anywhere(of):
    trials, rng = some_trials(of.task), np.random.default_rng(2)
    # absent ones come to lie between the others
    order = np.argsort(rng.random(trials.present.shape), axis=1)
    close(summaries(of.encoder, rearranged(trials, order)), summaries(of.encoder, trials))


@every_encoder
def test_the_order_of_trials_does_not_matter(of):
    trials = some_trials(of.task, (40, 40, 40))
    order = np.argsort(np.random.default_rng(3).random(trials.present.shape), axis=1)
    close(summaries(of.encoder, rearranged(trials, order)), summaries(of.encoder, trials))


@every_encoder
def test_data_sets_do_not_leak_into_each_other(of):
    trials = some_trials(of.task)
    name = next(c.name for c in of.task.columns if isinstance(c, Continuous) and not c.given)
    values = trials.values[name].copy()
    values[1] *= 2.0
    changed = of.encoder.features(replace(trials, values={**trials.values, name: values}))
    others, before = np.array([0, 2, 3]), of.encoder.features(trials)
    assert np.array_equal(changed[others], before[others])
    assert not np.array_equal(changed[1], before[1])
    after = np.asarray(summaries_of(of.encoder, changed))
    assert np.array_equal(after[others], summaries(of.encoder, trials)[others])
    assert not np.allclose(after[1], summaries(of.encoder, trials)[1])
    for i in (1, 3):
        close(summaries(of.encoder, trials.select([i]))[0], summaries(of.encoder, trials)[i])


@every_encoder
@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, -999.0, 0.0, 1e30])
def test_garbage_behind_the_masks_is_never_seen(of, garbage):
    trials = pad(some_trials(of.task), 400)
    dirty = {}
    for column in of.task.columns:
        known = trials.present if column.given else trials.answered
        rubbish = (
            column.dtype(-99) if isinstance(column, Category | Integer) else np.float32(garbage)
        )
        dirty[column.name] = np.where(known, trials.values[column.name], rubbish)
    assert np.array_equal(
        of.encoder.features(replace(trials, values=dirty)), of.encoder.features(trials)
    )


@every_encoder
def test_a_run_is_a_data_set_of_its_own(of):
    trials = some_trials(of.task, (60, 60, 60))
    coded = of.encoder.code(trials)
    features = of.encoder.collect(
        coded, np.array([2, 0, 2]), np.array([0, 10, 59]), np.array([60, 25, 1])
    )
    for feature, row, run in zip(
        features, (2, 0, 2), (slice(0, 60), slice(10, 35), slice(59, 60)), strict=True
    ):
        values = {name: array[[row], run] for name, array in trials.values.items()}
        alone = of.encoder.features(
            Trials(trials.columns, values, trials.present[[row], run], trials.answered[[row], run])
        )[0]
        assert np.array_equal(feature[: len(alone)], alone)
        assert not feature[len(alone) :].any()


@every_encoder
def test_room_keeps_what_is_put_there(of):
    trials, longer = some_trials(of.task, (30, 20)), some_trials(of.task, (40, 50, 60), seed=2)
    room = of.encoder.code(trials).room(7, 60)
    room.put(slice(0, 3), of.encoder.code(longer))
    room.put(slice(1, 3), of.encoder.code(trials))
    rows = np.array([0, 1, 2])
    kept = of.encoder.collect(room, rows, np.zeros(3, int), room.n[rows])
    for row, alone in enumerate((longer.select([0]), trials.select([0]), trials.select([1]))):
        expected = of.encoder.features(alone)[0]
        assert np.array_equal(kept[row][: len(expected)], expected)
    by_trial = of.encoder.code(trials).by_trial.values()
    assert (
        sum(array.nbytes for array in by_trial) == of.encoder.bytes_per_trial * trials.present.size
    )


@every_encoder
def test_every_column_is_seen(of):
    trials, rng = some_trials(of.task, (50,)), np.random.default_rng(4)
    before = of.encoder.features(trials)
    for column in of.task.columns:
        now = trials.values[column.name]
        while np.array_equal(now, trials.values[column.name]):
            now = some_values(column, np.zeros(50, int), of.task, rng)[None].astype(column.dtype)
        changed = replace(trials, values={**trials.values, column.name: now})
        assert not np.allclose(of.encoder.features(changed), before), column.name
        assert not np.allclose(
            summaries(of.encoder, changed), summaries(of.encoder, trials), atol=1e-6
        ), column.name
    assert not np.allclose(
        of.encoder.features(replace(trials, answered=np.zeros_like(trials.answered))), before
    )


@every_encoder
def test_the_number_of_trials_is_seen(of):
    once = some_trials(of.task, (1,), seed=3)
    twice = replace(
        once,
        values={name: np.repeat(values, 2, axis=1) for name, values in once.values.items()},
        present=np.repeat(once.present, 2, axis=1),
        answered=np.repeat(once.answered, 2, axis=1),
    )
    assert not np.allclose(summaries(of.encoder, once), summaries(of.encoder, twice))


@every_encoder
def test_an_encoder_that_was_saved_is_the_same(of, tmp_path):
    save_arrays(tmp_path / "e", named_leaves(of.encoder, "encoder"), {}, kind="test", version=1)
    fresh = jax.tree.map(
        lambda leaf: leaf + 1.0 if eqx.is_inexact_array(leaf) else leaf, of.encoder
    )
    loaded = with_leaves(fresh, load_arrays(tmp_path / "e", kind="test", version=1)[0], "encoder")
    assert np.array_equal(
        summaries(loaded, some_trials(of.task)), summaries(of.encoder, some_trials(of.task))
    )
    assert not np.array_equal(
        summaries(fresh, some_trials(of.task)), summaries(of.encoder, some_trials(of.task))
    )


@every_encoder
def test_a_level_that_is_not_read_is_refused(of):
    for name, levels in of.task.levels:
        trials = some_trials(of.task, (3,))
        column = trials.column(name)
        (unread,) = set(column.levels) - set(levels)
        values = np.full_like(trials.values[name], column.levels.index(unread))
        with pytest.raises(
            ValueError,
            match=(
                rf"Expected only the levels \(.*\) in column '{name}'; got '{unread}'. Leave these"
            ),
        ):
            of.encoder.features(replace(trials, values={**trials.values, name: values}))


@pytest.mark.parametrize("options", [encoders.Histogram, encoders.DeepSet, encoders.SetTransformer])
def test_dropout_happens_with_a_key_alone(options):
    wet, dry = (
        case(CONFLICT, options(width=16, dropout=0.5)).encoder,
        case(CONFLICT, options(width=16)).encoder,
    )
    features = jnp.asarray(wet.features(some_trials(CONFLICT, (20,)))[0])
    first, again, other = (wet(features, key=jax.random.key(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    assert np.array_equal(wet(features), dry(features))
    assert np.array_equal(dry(features, key=jax.random.key(1)), dry(features))


def axes(jaxpr, n: int) -> int:
    """The largest number of axes of length n of anything that is computed."""
    most = 0
    for equation in jaxpr.eqns:
        most = max(
            [most, *(v.aval.shape.count(n) for v in equation.outvars if hasattr(v.aval, "shape"))]
        )
        inner = [getattr(value, "jaxpr", value) for value in equation.params.values()]
        most = max([most, *(axes(part, n) for part in inner if hasattr(part, "eqns"))])
    return most


@pytest.mark.parametrize("name", ["deep set", "set transformer", "set transformer of anything"])
def test_no_trial_is_compared_with_every_other(name):
    encoder, n = CASES[name].encoder, 997  # a length that nothing else has
    features = jnp.ones((n, encoder.shape(n)[1]))
    assert axes(jax.make_jaxpr(encoder)(features).jaxpr, n) == 1
    assert axes(jax.make_jaxpr(jax.grad(lambda f: encoder(f).sum()))(features).jaxpr, n) == 1
    assert axes(jax.make_jaxpr(lambda f: f @ f.T)(features).jaxpr, n) == 2


def test_there_are_four_padded_lengths_up_to_the_largest_size():
    for largest in (1, 7, 100, 128, 129, 1000, 1975):
        sizes = range(1, 3 * largest)
        lengths = [bucket_of(n, largest)[1] for n in sizes]
        assert len({length for length in lengths if length <= largest}) <= 4
        for n, length in zip(sizes, lengths, strict=True):
            low, high = bucket_of(n, largest)
            assert low <= n <= high == length <= max(2 * n, 128, -(-largest // 8))
            assert [bucket_of(m, largest) for m in (low, high)] == [(low, high)] * 2
            assert low == 1 or bucket_of(low - 1, largest)[1] == low - 1
        assert bucket_of(largest, largest)[1] == largest


VECTOR = replace(ANYTHING, largest=1)


def test_a_vector_is_one_trial():
    of = case(VECTOR, encoders.MLP(width=16))
    trials = some_trials(VECTOR, (1,) * 6)
    assert of.encoder.features(trials).shape == (6, *of.encoder.shape(1))
    for name, values in trials.values.items():
        changed = replace(trials, values={**trials.values, name: np.roll(values, 1, axis=0)})
        assert not np.allclose(summaries(of.encoder, changed), summaries(of.encoder, trials)), name
    assert np.array_equal(of.encoder.features(pad(trials, 3)), of.encoder.features(trials))
    with pytest.raises(
        ValueError,
        match="Expected data sets of one trial, which are vectors; got one with 3 trials",
    ):
        of.encoder.features(some_trials(VECTOR, (1, 3)))
    with pytest.raises(
        ValueError,
        match=(
            "Expected a design with n_trials=1 for the encoder MLP, which reads vectors; got up"
            " to 400"
        ),
    ):
        case(ANYTHING, encoders.MLP())


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (
            ANYTHING,
            r"exactly one continuous outcome, .* got \['contrast', 'clicks', 'gain', 'time'\]",
        ),
        (replace(BARE, columns=(CHOICE,)), r"exactly one continuous outcome, .* got \[\]"),
        (
            replace(BARE, axis=None),
            "Expected a range of 'gain' for the histogram encoder; got none",
        ),
        (
            replace(
                BARE, columns=(GAIN, *(Category(f"c{i}", tuple("abcdefghij")) for i in range(5)))
            ),
            "at most 10000 cells",
        ),
    ],
)
def test_a_histogram_refuses_what_it_cannot_count(task, words):
    with pytest.raises(ValueError, match=words):
        build_estimator(np.random.default_rng(1), task, Architecture(encoders.Histogram()))


def test_numbers_are_standardised_over_the_trials_in_which_they_are_known():
    task = replace(ANYTHING, columns=(CONTRAST, GAIN, CUE))
    encoder = build_estimator(
        np.random.default_rng(1), task, Architecture(encoders.DeepSet(width=8))
    ).encoder
    trials = some_trials(task, (30, 40, 5))
    fitted = encoder.fitted(encoder.features(trials))
    contrast, gain = (
        np.log(trials.values["contrast"][trials.present]),
        trials.values["gain"][trials.answered],
    )
    np.testing.assert_allclose(fitted.center, [contrast.mean(), gain.mean(), 0, 0, 0, 0], rtol=1e-4)
    np.testing.assert_allclose(fitted.scale, [contrast.std(), gain.std(), 1, 1, 1, 1], rtol=1e-4)
    seen = np.asarray(fitted.standardised(jnp.asarray(fitted.features(trials))))
    assert not seen[..., 1][~(seen[..., -2] > 0)].any()
    assert not seen[..., 0][~(seen[..., -1] > 0)].any()


def test_a_column_that_never_changes_is_no_trouble():
    task = replace(FACTORS, columns=(AGE, GAIN))
    for options in (encoders.Histogram(width=8), encoders.DeepSet(width=8)):
        encoder = build_estimator(np.random.default_rng(1), task, Architecture(options)).encoder
        trials = some_trials(task, (30, 40, 5))
        same = replace(
            trials, values={**trials.values, "age": np.full_like(trials.values["age"], 34.56)}
        )
        assert np.isfinite(summaries(encoder.fitted(encoder.features(same)), trials)).all()


def parts(
    encoder: HistogramEncoder, trials: Trials
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frequencies (dataset, cell, knot), shares of cells (dataset, cell) and of unanswered trials
    (dataset, level), and n (dataset,).
    """
    features, n_cells, n_knots = encoder.features(trials), encoder.n_cells, encoder.axis.n_knots
    roots, cells, unanswered, log_n = np.split(
        features, np.cumsum([n_cells * n_knots, n_cells, encoder.n_given]), axis=1
    )
    return roots.reshape(len(trials), n_cells, n_knots) ** 2, cells, unanswered, np.exp(log_n[:, 0])


def test_frequencies_sum_to_the_shares_of_their_cells():
    trials = some_trials()
    frequencies, cells, unanswered, n = parts(CASES["histogram"].encoder, trials)
    np.testing.assert_allclose(frequencies.sum(axis=2), cells, atol=1e-5)
    np.testing.assert_allclose(cells.sum(axis=1) + unanswered.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(n, trials.n_trials, rtol=1e-5)


def test_cells_are_condition_by_response():
    trials = some_trials()
    _, cells, unanswered, _ = parts(CASES["histogram"].encoder, trials)
    for i, level in enumerate(LEVELS):
        here = trials.where("condition", level)
        for j, outcome in enumerate(RESPONSE.levels):
            expected = (here & trials.where("response", outcome)).sum(axis=1) / trials.n_trials
            np.testing.assert_allclose(cells[:, 2 * i + j], expected, atol=1e-6)
        np.testing.assert_allclose(
            unanswered[:, i], (here & ~trials.answered).sum(axis=1) / trials.n_trials, atol=1e-6
        )


def knot(place: float) -> float:
    """RT at a place on the axis."""
    return AXIS.low * (AXIS.high / AXIS.low) ** (place / (AXIS.n_knots - 1))


@pytest.mark.parametrize(
    ("rt", "expected"),
    [
        (knot(10), {10: 1.0}),
        (knot(10.5), {10: 0.5, 11: 0.5}),
        (knot(20.25), {20: 0.75, 21: 0.25}),
        (knot(62.5), {62: 0.5, 63: 0.5}),
        (150.0, {0: 1.0}),
        (2500.0, {63: 1.0}),
        (1e-3, {0: 1.0}),
        (0.0, {0: 1.0}),
        (1e6, {63: 1.0}),
    ],
)
def test_a_trial_counts_at_the_knots_around_it_by_nearness(rt, expected):
    frequencies, *_ = parts(CASES["histogram"].encoder, one_trial(rt, condition=1, response=1))
    wanted = np.zeros((4, AXIS.n_knots))
    wanted[3, list(expected)] = list(expected.values())
    np.testing.assert_allclose(frequencies[0], wanted, atol=2e-5)


def test_an_unanswered_trial_counts_by_its_condition_alone():
    frequencies, cells, unanswered, n = parts(
        CASES["histogram"].encoder, one_trial(400.0, condition=1, response=1, answered=False)
    )
    assert not frequencies.any()
    assert not cells.any()
    assert unanswered.tolist() == [[0.0, 1.0]]
    assert n == 1.0


def test_fitted_standardises_features_and_nothing_else():
    encoder = CASES["histogram"].encoder
    features = encoder.features(some_trials(sizes=(100,) * 50))
    fitted = encoder.fitted(features)
    np.testing.assert_allclose(fitted.center, features.mean(axis=0), rtol=1e-6)
    assert (np.asarray(fitted.scale) >= 0.02).all()
    assert np.array_equal(fitted.features(some_trials()), encoder.features(some_trials()))
    same = jax.tree.map(lambda a, b: bool((a == b).all()), fitted.blocks, encoder.blocks)
    assert all(jax.tree.leaves(same))


def test_quantiles_are_those_of_each_cell():
    """Against numpy's on the log axis, within the half step to which a histogram knows them; an
    empty cell has zeros.
    """
    encoder, trials = CASES["histogram and quantiles"].encoder, some_trials(sizes=(4000, 3))
    quantiles = encoder.features(trials)[:, -4 * 7 :].reshape(2, 4, 7)
    place = AXIS.place(trials.values["rt"]) * 2.0 / (AXIS.n_knots - 1) - 1.0
    for cell in range(4):
        here = trials.where("condition", LEVELS[cell // 2]) & trials.where(
            "response", RESPONSE.levels[cell % 2]
        )
        expected = np.quantile(place[0, here[0]], (np.arange(7) + 0.5) / 7)
        np.testing.assert_allclose(quantiles[0, cell], expected, atol=1.2 / (AXIS.n_knots - 1))
        if not here[1].any():
            assert not quantiles[1, cell].any()
    assert not encoder.features(one_trial(400.0, condition=1))[:, -4 * 7 :].reshape(4, 7)[:2].any()

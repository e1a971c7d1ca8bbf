"""What every encoder owes: padding is invisible, order does not matter, data sets do not leak into each other, any number of trials will do."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from incongruent.networks.encoders import Axis, HistogramEncoder
from incongruent.trials import CONDITION, CONFLICT_TASK, RESPONSE, Trials, from_long, pad, select

LEVELS = ("congruent", "incongruent")
AXIS = Axis("rt", 150.0, 2500.0, 64)


def histogram(n_quantiles: int = 0) -> HistogramEncoder:
    task = {"axis": AXIS, "given": (CONDITION, LEVELS), "outcome": RESPONSE}
    return HistogramEncoder(jax.random.key(1), **task, n_summaries=5, n_quantiles=n_quantiles, width=16, n_blocks=1)


ENCODERS = {"histogram": histogram(), "histogram and quantiles": histogram(7)}
every_encoder = pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)


def some_trials(sizes=(1, 2, 50, 333), seed: int = 1) -> Trials:
    rng, n = np.random.default_rng(seed), sum(sizes)
    outcomes = {"condition": rng.integers(0, 2, n), "response": rng.random(n) < 0.2, "rt": rng.lognormal(6.1, 0.4, n)}
    person = np.repeat(np.arange(len(sizes)), sizes)
    return from_long(CONFLICT_TASK, person, outcomes, answered=rng.random(n) < 0.9, names=[str(i) for i in range(len(sizes))])


def rearranged(trials: Trials, order: np.ndarray) -> Trials:
    """Trials in another order, order (dataset, trial) of places."""
    rows = np.arange(len(trials))[:, None]
    values = {name: array[rows, order] for name, array in trials.values.items()}
    return replace(trials, values=values, present=trials.present[rows, order], answered=trials.answered[rows, order])


def one_trial(rt: float, condition: int = 0, response: int = 0, answered: bool = True) -> Trials:
    values = {"condition": [condition], "response": [response], "rt": [rt]}
    return from_long(CONFLICT_TASK, np.zeros(1, int), values, answered=np.array([answered]))


@every_encoder
def test_features_are_finite_and_of_one_shape_for_any_number_of_trials(encoder):
    for sizes in ((1,), (1, 2, 50, 333), (5000, 3)):
        features = encoder.features(some_trials(sizes))
        assert features.shape == (len(sizes), encoder.n_features)
        assert np.isfinite(features).all()
        summaries = jax.vmap(encoder)(features)
        assert summaries.shape == (len(sizes), encoder.n_summaries)
        assert np.isfinite(summaries).all()


@every_encoder
def test_padding_is_invisible(encoder):
    trials = some_trials()
    assert np.array_equal(encoder.features(pad(trials, 1000)), encoder.features(trials))


@every_encoder
def test_absent_trials_may_lie_anywhere(encoder):
    trials, rng = some_trials(), np.random.default_rng(2)
    order = np.argsort(rng.random(trials.present.shape), axis=1)  # absent ones come to lie between the others
    np.testing.assert_allclose(encoder.features(rearranged(trials, order)), encoder.features(trials), atol=1e-5)


@every_encoder
def test_the_order_of_trials_does_not_matter(encoder):
    trials = some_trials((40, 40, 40))
    order = np.argsort(np.random.default_rng(3).random(trials.present.shape), axis=1)
    np.testing.assert_allclose(encoder.features(rearranged(trials, order)), encoder.features(trials), atol=1e-5)


@every_encoder
def test_data_sets_do_not_leak_into_each_other(encoder):
    trials = some_trials()
    rt = trials.values["rt"].copy()
    rt[1] *= 2.0
    changed = encoder.features(replace(trials, values={**trials.values, "rt": rt}))
    others = np.array([0, 2, 3])
    assert np.array_equal(changed[others], encoder.features(trials)[others])
    assert not np.array_equal(changed[1], encoder.features(trials)[1])
    for i in range(4):
        assert np.array_equal(encoder.features(select(trials, [i]))[0], encoder.features(trials)[i])


@every_encoder
@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, -999.0, 0.0, 1e30])
def test_garbage_behind_the_masks_is_never_seen(encoder, garbage):
    trials = pad(some_trials(), 400)
    rt = np.where(trials.answered, trials.values["rt"], np.float32(garbage))
    response = np.where(trials.answered, trials.values["response"], np.int8(-99))
    condition = np.where(trials.present, trials.values["condition"], np.int8(99))
    dirty = replace(trials, values={"rt": rt, "response": response, "condition": condition})
    assert np.array_equal(encoder.features(dirty), encoder.features(trials))


@every_encoder
def test_a_run_is_a_data_set_of_its_own(encoder):
    trials = some_trials((60, 60, 60))
    coded = encoder.code(trials)
    features = encoder.collect(coded, np.array([2, 0, 2]), np.array([0, 10, 59]), np.array([60, 25, 1]))
    for feature, row, run in zip(features, (2, 0, 2), (slice(0, 60), slice(10, 35), slice(59, 60)), strict=True):
        values = {name: array[[row], run] for name, array in trials.values.items()}
        alone = Trials(trials.columns, values, trials.present[[row], run], trials.answered[[row], run])
        assert np.array_equal(encoder.features(alone)[0], feature)


@every_encoder
def test_every_column_is_seen(encoder):
    trials = some_trials((50,))
    for name, change in (("rt", lambda rt: 1.5 * rt), ("response", lambda r: 1 - r), ("condition", lambda c: 1 - c)):
        changed = replace(trials, values={**trials.values, name: change(trials.values[name]).astype(trials.values[name].dtype)})
        assert not np.allclose(encoder.features(changed), encoder.features(trials))
    assert not np.allclose(encoder.features(replace(trials, answered=np.zeros_like(trials.answered))), encoder.features(trials))


@every_encoder
def test_the_number_of_trials_is_seen(encoder):
    once, twice = one_trial(400.0), from_long(CONFLICT_TASK, np.zeros(2, int), {"condition": [0, 0], "response": [0, 0], "rt": [400.0, 400.0]})
    assert not np.allclose(encoder.features(once), encoder.features(twice))


@every_encoder
def test_a_level_that_is_not_read_is_refused(encoder):
    with pytest.raises(
        ValueError, match=r"Expected only the levels \('congruent', 'incongruent'\) in column 'condition'; got 'neutral'. Leave these"
    ):
        encoder.features(one_trial(400.0, condition=2))


def parts(encoder: HistogramEncoder, trials: Trials) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frequencies (dataset, cell, knot), shares of cells (dataset, cell) and of unanswered trials (dataset, level), and n (dataset,)."""
    features, n_cells, n_knots = encoder.features(trials), encoder.n_cells, encoder.axis.n_knots
    roots, cells, unanswered, log_n = np.split(features, np.cumsum([n_cells * n_knots, n_cells, len(encoder.levels)]), axis=1)
    return roots.reshape(len(trials), n_cells, n_knots) ** 2, cells, unanswered, np.exp(log_n[:, 0])


def test_frequencies_sum_to_the_shares_of_their_cells():
    trials = some_trials()
    frequencies, cells, unanswered, n = parts(ENCODERS["histogram"], trials)
    np.testing.assert_allclose(frequencies.sum(axis=2), cells, atol=1e-5)
    np.testing.assert_allclose(cells.sum(axis=1) + unanswered.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(n, trials.n_trials, rtol=1e-5)


def test_cells_are_condition_by_response():
    trials = some_trials()
    _, cells, unanswered, _ = parts(ENCODERS["histogram"], trials)
    for i, level in enumerate(LEVELS):
        here = trials.where("condition", level)
        for j, outcome in enumerate(RESPONSE.levels):
            expected = (here & trials.where("response", outcome)).sum(axis=1) / trials.n_trials
            np.testing.assert_allclose(cells[:, 2 * i + j], expected, atol=1e-6)
        np.testing.assert_allclose(unanswered[:, i], (here & ~trials.answered).sum(axis=1) / trials.n_trials, atol=1e-6)


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
    frequencies, *_ = parts(ENCODERS["histogram"], one_trial(rt, condition=1, response=1))
    wanted = np.zeros((4, AXIS.n_knots))
    wanted[3, list(expected)] = list(expected.values())
    np.testing.assert_allclose(frequencies[0], wanted, atol=2e-5)


def test_an_unanswered_trial_counts_by_its_condition_alone():
    frequencies, cells, unanswered, n = parts(ENCODERS["histogram"], one_trial(400.0, condition=1, response=1, answered=False))
    assert not frequencies.any()
    assert not cells.any()
    assert unanswered.tolist() == [[0.0, 1.0]]
    assert n == 1.0


def test_fitted_standardises_features_and_nothing_else():
    encoder = ENCODERS["histogram"]
    features = encoder.features(some_trials((100,) * 50))
    fitted = encoder.fitted(features)
    np.testing.assert_allclose(fitted.center, features.mean(axis=0), rtol=1e-6)
    assert (np.asarray(fitted.scale) >= 0.02).all()
    assert np.array_equal(fitted.features(some_trials()), encoder.features(some_trials()))
    same = jax.tree.map(lambda a, b: bool((a == b).all()), fitted.blocks, encoder.blocks)
    assert all(jax.tree.leaves(same))


def test_quantiles_are_those_of_each_cell():
    """Against numpy's on the log axis, within the half step to which a histogram knows them; an empty cell has zeros."""
    encoder, trials = ENCODERS["histogram and quantiles"], some_trials((4000, 3))
    quantiles = encoder.features(trials)[:, -4 * 7 :].reshape(2, 4, 7)
    place = AXIS.place(trials.values["rt"]) * 2.0 / (AXIS.n_knots - 1) - 1.0
    for cell in range(4):
        here = trials.where("condition", LEVELS[cell // 2]) & trials.where("response", RESPONSE.levels[cell % 2])
        expected = np.quantile(place[0, here[0]], (np.arange(7) + 0.5) / 7)
        np.testing.assert_allclose(quantiles[0, cell], expected, atol=1.2 / (AXIS.n_knots - 1))
        if not here[1].any():
            assert not quantiles[1, cell].any()
    assert not encoder.features(one_trial(400.0, condition=1))[:, -4 * 7 :].reshape(4, 7)[:2].any()

"""Laws of the window: parameters and trials stay together, the paced series is the seed's, and
threads end.
"""

import threading
from dataclasses import replace

import numpy as np
import pytest

from incongruent import models, priors
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import CONFLICT_TASK, Trials
from incongruent.networks.architecture import Architecture
from incongruent.networks.encoder import bucket_of
from incongruent.networks.encoders import DeepSet, Histogram
from incongruent.networks.estimator import build_estimator
from incongruent.networks.task import Task
from incongruent.simulation.designs import Design, design_of
from incongruent.simulation.simulator import CHUNK, Simulator
from incongruent.training.fresh import Window
from incongruent.training.sources import Fresh, data_for

HALVES = {"congruent": 0.5, "incongruent": 0.5}
SIMULATOR = Simulator(models.dmc(), priors.broad(), Design((3, 8), HALVES, window=None))
TASK = Task(CONFLICT_TASK, (("condition", ("congruent", "incongruent")),), (150.0, 2500.0), 6)
ENCODER = build_estimator(
    np.random.default_rng(0), TASK, Architecture(Histogram(width=8, n_knots=16, n_quantiles=0))
).encoder


def window(*, seed: int = 1, workers: int = 2, first_chunk: int = 0) -> Window:
    return Window(
        Fresh(SIMULATOR, seed), ENCODER, n_bytes=0, workers=workers, first_chunk=first_chunk
    )


def z_of(seed: int, chunks: list[int]) -> np.ndarray:
    return np.concatenate([Fresh(SIMULATOR, seed).chunk(i)[0].astype(np.float32) for i in chunks])


def runs_of(trials: Trials, row: int, size: int) -> np.ndarray:
    """Features (start, feature) of every run of that size of one data set."""
    coded, starts = ENCODER.code(trials), np.arange(trials.n_trials[row] - size + 1)
    return ENCODER.collect(coded, np.full(len(starts), row), starts, np.full(len(starts), size))


def test_every_draw_is_a_run_of_the_data_set_of_its_parameters():
    with window() as w:
        w.refresh(1)
        z, features = w.draw(200, np.random.default_rng(1))
    known, trials = Fresh(SIMULATOR, 1).chunk(0)
    known = known.astype(np.float32)
    sizes = np.rint(np.exp(features[:, -1])).astype(int)
    assert set(sizes) == set(range(3, 9))
    for i in range(200):
        (row,) = np.flatnonzero((known == z[i]).all(axis=1))
        assert (runs_of(trials, row, sizes[i]) == features[i]).all(axis=1).any()


def test_runs_begin_everywhere():
    with window() as w:
        w.refresh(1)
        z, features = w.draw(100_000, np.random.default_rng(2))
    z_of_first, trials = Fresh(SIMULATOR, 1).chunk(0)
    first = z_of_first.astype(np.float32)[0]
    mine = features[(z == first).all(axis=1) & (np.rint(np.exp(features[:, -1])) == 3)]
    found = {int(np.argmax((runs_of(trials, 0, 3) == f).all(axis=1))) for f in mine}
    assert found == set(range(6))


@pytest.mark.parametrize("until", [1, 3, 6])
def test_refresh_until_takes_in_exactly_so_many_chunks(until):
    with window() as w:
        w.refresh(until)
        assert (w.n_chunks, w.n_simulated, w.next_chunk) == (until, until * CHUNK, until)
        w.refresh(until)
        w.refresh(until - 1)
        assert w.n_chunks == until


def test_refresh_without_a_number_takes_in_what_is_ready():
    with window() as w:
        w.refresh(1)
        before = w.n_chunks
        w._waiting[0].result()  # now at least one is ready
        w.refresh()
        assert w.n_chunks > before


def test_workers_rest_while_there_is_enough():
    with window() as w:
        w.refresh(4)
        for _ in range(50):
            w.refresh(most=6)
            if w._waiting:
                w._waiting[0].result()
        assert w.n_chunks <= 4 + 3  # three had been begun before
        assert not w._waiting
        w.refresh(8)
        assert w.n_chunks == 8


def paced(workers: int, seed: int = 1) -> list[np.ndarray]:
    drawn = []
    with window(workers=workers, seed=seed) as w:
        for step in range(6):
            w.refresh(1 + step)
            drawn += w.draw(50, stream(seed, Purpose.BATCHES, step))
    return drawn


@pytest.mark.parametrize("workers", [1, 3])
def test_paced_draws_depend_on_the_seed_alone(workers):
    assert all(np.array_equal(a, b) for a, b in zip(paced(2), paced(workers), strict=True))


def test_another_seed_gives_other_draws():
    assert not any(np.array_equal(a, b) for a, b in zip(paced(2), paced(2, seed=5), strict=True))


def test_the_oldest_chunk_is_overwritten():
    with window() as w:
        w.refresh(6)
        assert w.capacity == 4 * CHUNK
        z, _ = w.draw(5000, np.random.default_rng(3))
    drawn = {tuple(row) for row in z}
    assert drawn.isdisjoint(map(tuple, z_of(1, [0, 1])))
    for chunk in (2, 3, 4, 5):
        assert not drawn.isdisjoint(map(tuple, z_of(1, [chunk])))


def test_only_what_has_entered_is_drawn():
    with window() as w:
        w.refresh(2)
        z, features = w.draw(2000, np.random.default_rng(4))
    assert {tuple(row) for row in z} <= set(map(tuple, z_of(1, [0, 1])))
    assert np.isfinite(features).all()


def test_a_window_begins_where_another_ended():
    with window(first_chunk=2) as w:
        w.refresh(1)
        z, _ = w.draw(500, np.random.default_rng(5))
        assert w.next_chunk == 3
    assert {tuple(row) for row in z} <= set(map(tuple, z_of(1, [2])))


def test_no_thread_outlives_the_window():
    before = set(threading.enumerate())
    with window(workers=3) as w:
        w.refresh(1)
        mine = set(threading.enumerate()) - before
        assert mine
    assert not any(thread.is_alive() for thread in mine)


def test_room_grows_with_the_bytes_in_whole_chunks():
    with Window(Fresh(SIMULATOR, 1), ENCODER, n_bytes=6 * 8 * (10 * CHUNK + 7), workers=1) as w:
        assert w.capacity == 10 * CHUNK


def test_an_observed_design_has_no_sizes_to_draw_from():
    observed = Simulator(
        models.dmc(), priors.broad(), design_of(SIMULATOR.simulate(5, seed=1).trials)
    )
    with pytest.raises(
        TypeError,
        match=(
            "Expected a simulator with a Design to train on; got ObservedDesign, which has no sizes"
            " to draw from"
        ),
    ):
        data_for(observed, None, 1, 0)


def test_nothing_can_be_drawn_from_an_empty_window():
    with (
        window() as w,
        pytest.raises(
            ValueError,
            match=r"Expected simulations in the window; got none yet. Call refresh\(1\) first",
        ),
    ):
        w.draw(5, np.random.default_rng(1))


WIDE = Simulator(models.dmc(), priors.broad(), Design((5, 600), HALVES, window=None))
PADDED = build_estimator(
    np.random.default_rng(0), replace(TASK, largest=600), Architecture(DeepSet(width=4, n_blocks=0))
).encoder


def test_a_padded_batch_has_sizes_of_one_bucket_and_all_batches_together_those_of_the_design():
    found, lengths = [], set()
    with Window(Fresh(WIDE, 1), PADDED, n_bytes=0, workers=1) as w:
        w.refresh(2)
        for seed in range(400):
            _, features = w.draw(64, np.random.default_rng(seed))
            sizes = features[..., -1].sum(axis=1).astype(int)
            low, high = bucket_of(int(sizes[0]), 600)
            assert features.shape == (64, high, PADDED.shape(600)[1])
            assert sizes.min() >= max(low, 5)
            found.append(sizes)
            lengths.add(high)
    assert lengths == {128, 256, 512, 600}
    share = np.mean(np.concatenate(found) > 256)
    expected = np.log(601 / 257) / np.log(601 / 5)
    assert abs(share - expected) < 5 * np.sqrt(
        expected * (1 - expected) / 400
    )  # batches are of one bucket, so that only their number counts


def test_a_padded_draw_is_a_run_of_the_data_set_of_its_parameters():
    with Window(Fresh(WIDE, 1), PADDED, n_bytes=0, workers=1) as w:
        w.refresh(1)
        z, features = w.draw(50, np.random.default_rng(1))
    z_of_all, trials = Fresh(WIDE, 1).chunk(0)
    known, coded = z_of_all.astype(np.float32), PADDED.code(trials)
    for i in range(50):
        (row,) = np.flatnonzero((known == z[i]).all(axis=1))
        size = int(features[i, :, -1].sum())
        starts = np.arange(trials.n_trials[row] - size + 1)
        runs = PADDED.collect(coded, np.full(len(starts), row), starts, np.full(len(starts), size))
        assert (runs[:, :size] == features[i, :size]).all(axis=(1, 2)).any()


def test_room_depends_on_what_the_encoder_keeps():
    """A conflict task has one number, two categories and a state: seven bytes a trial."""
    with Window(Fresh(WIDE, 1), PADDED, n_bytes=7 * 600 * (10 * CHUNK + 7), workers=1) as w:
        assert w.capacity == 10 * CHUNK

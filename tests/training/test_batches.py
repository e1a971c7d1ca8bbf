"""Laws of batches: parameters and trials stay together, the paced series is the seed's, and threads
end.
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
from incongruent.simulation.designs import Design
from incongruent.simulation.observed import design_of
from incongruent.simulation.simulator import CHUNK, Simulator
from incongruent.storage.bank.bank import write_bank
from incongruent.training.batches import NOTHING, Arrived, Batches, RandomRuns
from incongruent.training.buffer import Buffer
from incongruent.training.mixture import Mixture
from incongruent.training.sources import Fresh, FromBank, Source, Stored
from incongruent.training.split import data_for

HALVES = {"congruent": 0.5, "incongruent": 0.5}
SIMULATOR = Simulator(models.dmc(), priors.broad(), Design((3, 8), HALVES, window=None))
TASK = Task(CONFLICT_TASK, (("condition", ("congruent", "incongruent")),), (150.0, 2500.0), 6)
ENCODER = build_estimator(
    np.random.default_rng(0), TASK, Architecture(Histogram(width=8, n_knots=16, n_quantiles=0))
).encoder


RUNS = RandomRuns(SIMULATOR.design, ENCODER)


def buffer(*, seed: int = 1, workers: int = 2, after: Arrived = NOTHING) -> Buffer:
    return Buffer(Fresh(SIMULATOR, seed), RUNS, n_bytes=0, workers=workers, after=after)


def z_of(seed: int, chunks: list[int]) -> np.ndarray:
    return np.concatenate([Fresh(SIMULATOR, seed).chunk(i)[0].astype(np.float32) for i in chunks])


def runs_of(trials: Trials, row: int, size: int) -> np.ndarray:
    """Features (start, feature) of every run of that size of one data set."""
    coded, starts = ENCODER.code(trials), np.arange(trials.n_trials[row] - size + 1)
    return ENCODER.collect(coded, np.full(len(starts), row), starts, np.full(len(starts), size))


def test_every_draw_is_a_run_of_the_data_set_of_its_parameters():
    with buffer() as b:
        b.wait_for(1)
        z, features = b.draw(200, np.random.default_rng(1))
    known, trials = Fresh(SIMULATOR, 1).chunk(0)
    known = known.astype(np.float32)
    sizes = np.rint(np.exp(features[:, -1])).astype(int)
    assert set(sizes) == set(range(3, 9))
    for i in range(200):
        (row,) = np.flatnonzero((known == z[i]).all(axis=1))
        assert (runs_of(trials, row, sizes[i]) == features[i]).all(axis=1).any()


def test_runs_begin_everywhere():
    with buffer() as b:
        b.wait_for(1)
        z, features = b.draw(100_000, np.random.default_rng(2))
    z_of_first, trials = Fresh(SIMULATOR, 1).chunk(0)
    first = z_of_first.astype(np.float32)[0]
    mine = features[(z == first).all(axis=1) & (np.rint(np.exp(features[:, -1])) == 3)]
    found = {int(np.argmax((runs_of(trials, 0, 3) == f).all(axis=1))) for f in mine}
    assert found == set(range(6))


@pytest.mark.parametrize("until", [1, 3, 6])
def test_waiting_takes_in_exactly_so_many_chunks(until):
    with buffer() as b:
        b.wait_for(until)
        assert b.arrived == Arrived(until * CHUNK, until, until)
        b.wait_for(until)
        b.wait_for(until - 1)
        assert b.arrived.n_chunks == until


def test_what_is_ready_is_taken_in():
    with buffer() as b:
        b.wait_for(1)
        before = b.arrived.n_chunks
        b._waiting[0].result()  # now at least one is ready
        b.take_ready()
        assert b.arrived.n_chunks > before


def test_workers_rest_while_there_is_enough():
    with buffer() as b:
        b.wait_for(4)
        for _ in range(50):
            b.take_ready(most=6)
            if b._waiting:
                b._waiting[0].result()
        assert b.arrived.n_chunks <= 4 + 3  # three had been begun before
        assert not b._waiting
        b.wait_for(8)
        assert b.arrived.n_chunks == 8


def paced(workers: int, seed: int = 1) -> list[np.ndarray]:
    drawn = []
    with buffer(workers=workers, seed=seed) as b:
        for step in range(6):
            b.wait_for(1 + step)
            drawn += b.draw(50, stream(seed, Purpose.BATCHES, step))
    return drawn


@pytest.mark.parametrize("workers", [1, 3])
def test_paced_draws_depend_on_the_seed_alone(workers):
    assert all(np.array_equal(a, b) for a, b in zip(paced(2), paced(workers), strict=True))


def test_another_seed_gives_other_draws():
    assert not any(np.array_equal(a, b) for a, b in zip(paced(2), paced(2, seed=5), strict=True))


def test_the_oldest_chunk_is_overwritten():
    with buffer() as b:
        b.wait_for(6)
        assert b.capacity == 4 * CHUNK
        z, _ = b.draw(5000, np.random.default_rng(3))
    drawn = {tuple(row) for row in z}
    assert drawn.isdisjoint(map(tuple, z_of(1, [0, 1])))
    for chunk in (2, 3, 4, 5):
        assert not drawn.isdisjoint(map(tuple, z_of(1, [chunk])))


def test_only_what_has_entered_is_drawn():
    with buffer() as b:
        b.wait_for(2)
        z, features = b.draw(2000, np.random.default_rng(4))
    assert {tuple(row) for row in z} <= set(map(tuple, z_of(1, [0, 1])))
    assert np.isfinite(features).all()


def test_a_buffer_begins_where_another_ended():
    with buffer(after=Arrived(2 * CHUNK, 2, 2)) as b:
        assert b.arrived == Arrived(2 * CHUNK, 2, 2)
        b.wait_for(3)
        z, _ = b.draw(500, np.random.default_rng(5))
        assert b.arrived == Arrived(3 * CHUNK, 3, 3)
    assert {tuple(row) for row in z} <= set(map(tuple, z_of(1, [2])))


def test_no_thread_outlives_the_buffer():
    before = set(threading.enumerate())
    with buffer(workers=3) as b:
        b.wait_for(1)
        mine = set(threading.enumerate()) - before
        assert mine
    assert not any(thread.is_alive() for thread in mine)


def test_room_grows_with_the_bytes_in_whole_chunks():
    with Buffer(Fresh(SIMULATOR, 1), RUNS, n_bytes=6 * 8 * (10 * CHUNK + 7), workers=1) as b:
        assert b.capacity == 10 * CHUNK


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


def test_nothing_can_be_drawn_from_an_empty_buffer():
    with (
        buffer() as b,
        pytest.raises(
            ValueError,
            match=r"Expected simulations in the buffer; got none yet. Call wait_for\(1\) first",
        ),
    ):
        b.draw(5, np.random.default_rng(1))


WIDE = Simulator(models.dmc(), priors.broad(), Design((5, 600), HALVES, window=None))
PADDED = build_estimator(
    np.random.default_rng(0), replace(TASK, largest=600), Architecture(DeepSet(width=4, n_blocks=0))
).encoder
WIDE_RUNS = RandomRuns(WIDE.design, PADDED)


def test_a_padded_batch_has_sizes_of_one_bucket_and_all_batches_together_those_of_the_design():
    found, lengths = [], set()
    with Buffer(Fresh(WIDE, 1), WIDE_RUNS, n_bytes=0, workers=1) as b:
        b.wait_for(2)
        for seed in range(400):
            _, features = b.draw(64, np.random.default_rng(seed))
            sizes = features[..., -1].sum(axis=1).astype(int)
            low, high = bucket_of(int(sizes[0]), 600)
            assert features.shape == (64, high, PADDED.shape(600)[1])
            assert sizes.min() >= max(low, 5)
            found.append(sizes)
            lengths.add(high)
    assert lengths == {128, 256, 512, 600}
    share = np.mean(np.concatenate(found) > 256)
    expected = np.log(601 / 257) / np.log(601 / 5)
    # batches are of one bucket, so that only their number counts
    assert abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / 400)


def test_a_padded_draw_is_a_run_of_the_data_set_of_its_parameters():
    with Buffer(Fresh(WIDE, 1), WIDE_RUNS, n_bytes=0, workers=1) as b:
        b.wait_for(1)
        z, features = b.draw(50, np.random.default_rng(1))
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
    with Buffer(Fresh(WIDE, 1), WIDE_RUNS, n_bytes=7 * 600 * (10 * CHUNK + 7), workers=1) as b:
        assert b.capacity == 10 * CHUNK


# --- every source ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Each kind of source, of five chunks where they are stored."""
    bank = write_bank(tmp_path_factory.mktemp("bank") / "bank", SIMULATOR, 5 * CHUNK, seed=3)
    stored = bank.simulations()
    z = SIMULATOR.prior.to_real(stored.theta)
    return {
        "fresh": Fresh(SIMULATOR, 3),
        "stored": Stored(SIMULATOR, z, stored.trials),
        "bank": FromBank(bank, (0, 1, 2, 3, 4), 3, 5 * CHUNK),
        "mixture": Mixture((SIMULATOR, SIMULATOR), np.array([0.5, 0.5]), 3),
    }


every_source = pytest.mark.parametrize("name", ["fresh", "stored", "bank", "mixture"])


def drawn(batches: Batches, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return batches.draw(64, np.random.default_rng(seed))


@every_source
def test_every_source_gives_batches_that_depend_on_the_seed_alone(
    sources: dict[str, Source], name: str
) -> None:
    source = sources[name]
    with source.batches(RUNS, 0, NOTHING) as one, source.batches(RUNS, 0, NOTHING) as two:
        for n_chunks in (1, 3, 6):
            one.wait_for(n_chunks)
            two.wait_for(n_chunks)
            (z, features), (z_again, features_again) = drawn(one), drawn(two)
            assert z.shape == (64, source.target_dim)
            assert features.shape == (64, *ENCODER.shape(8))
            assert (z.dtype, features.dtype) == (np.float32, np.float32)
            assert np.isfinite(features).all()
            assert np.array_equal(z, z_again)
            assert np.array_equal(features, features_again)
            assert not np.array_equal(features, drawn(one, seed=2)[1])
            assert one.arrived == two.arrived


@every_source
def test_every_source_says_how_much_has_arrived(sources: dict[str, Source], name: str) -> None:
    source = sources[name]
    with source.batches(RUNS, 0, NOTHING) as batches:
        batches.wait_for(2)
        arrived = batches.arrived
    if name == "stored":
        assert arrived == Arrived(n_simulated=5 * CHUNK)
    else:
        assert arrived == Arrived(2 * CHUNK, 2, 2)
    with source.batches(RUNS, 0, arrived) as batches:
        batches.wait_for(3)
        again = batches.arrived
    assert again == (arrived if name == "stored" else Arrived(3 * CHUNK, 3, 3))


@every_source
def test_every_source_tells_itself_from_others(sources: dict[str, Source], name: str) -> None:
    """Those that are made by seed need no fingerprint."""
    source = sources[name]
    assert (source.fingerprint() is None) == (source.n_stored is None)
    assert source.fingerprint() == source.fingerprint()
    some = source.some_trials()
    assert len(some) == CHUNK
    assert np.array_equal(some.n_trials, source.some_trials().n_trials)


def test_a_bank_is_read_in_another_order_in_every_round(sources: dict[str, Source]) -> None:
    bank = sources["bank"]
    assert isinstance(bank, FromBank)
    rounds = [[bank.chunk(5 * r + i)[0].tobytes() for i in range(5)] for r in range(3)]
    assert len({frozenset(one) for one in rounds}) == 1
    assert len({tuple(one) for one in rounds}) > 1

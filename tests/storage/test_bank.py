"""Laws of banks: a chunk is complete or absent, whoever writes it and whatever interrupts, and what
is damaged is never read as good.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from scipy import stats

import incongruent as inc
from incongruent import Category, Continuous, Integer, Model
from incongruent.data.trials import Trials
from incongruent.models.custom import SimulationError
from incongruent.simulation.simulator import CHUNK, Simulations
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.bank import Bank, open_bank, write_bank, write_chunk
from incongruent.storage.bank.card import CARD
from incongruent.storage.bank.layout import layout_of, marker_path
from incongruent.storage.bank.upkeep import merge_banks, verify

HALVES = {"congruent": 0.5, "incongruent": 0.5}
DMC = inc.Simulator(
    inc.models.dmc(), inc.priors.broad(), inc.Design((5, 12), HALVES, window=(200.0, 600.0))
)

VECTOR = inc.Simulator(
    Model(
        "vector",
        ["a", "b"],
        [Continuous("x"), Continuous("y/..")],
        vector=lambda theta, rng: theta + rng.normal(size=theta.shape),
    ),
    inc.Prior(a=stats.norm(), b=stats.norm()),
    inc.Design(1),
)


def many_columns(theta, level, load, n_trials, rng):
    return {
        "n": rng.poisson(5.0 + load, n_trials),
        "side": rng.integers(0, 2, n_trials),
        "x": theta[0] + rng.normal(size=n_trials) - level,
    }


COLUMNS = [
    Category("level", ("low", "high"), given=True),
    Continuous("load", given=True, per="dataset"),
    Integer("n"),
    Category("side", ("left", "right")),
    Continuous("x"),
]
MANY = inc.Simulator(
    Model("many columns", ["mu"], COLUMNS, dataset=many_columns),
    inc.Prior(mu=stats.norm()),
    inc.Design((3, 7), {"low": 0.4, "high": 0.6}, given={"load": stats.uniform()}),
)
SIMULATORS = {"dmc": DMC, "vector": VECTOR, "many columns": MANY}


def same(one: tuple[np.ndarray, Trials], other: tuple[np.ndarray, Trials]) -> bool:
    """Bit for bit, what is masked included."""
    (theta, a), (other_theta, b) = one, other
    pairs = [(theta, other_theta), (a.present, b.present), (a.answered, b.answered)]
    pairs += [(a.values[name], b.values[name]) for name in {**a.values, **b.values}] + [
        (a.excluded[r], b.excluded[r]) for r in {**a.excluded, **b.excluded}
    ]
    return (
        all(
            p.dtype == q.dtype and p.shape == q.shape and p.tobytes() == q.tobytes()
            for p, q in pairs
        )
        and a.columns == b.columns
    )


def contents(bank: Bank) -> list:
    """Everything in a bank, chunk by chunk."""
    return [
        (
            json.loads(marker_path(bank.path, i).read_text()),
            {name: a.tobytes() for name, a in bank.arrays(i).items()},
        )
        for i in np.flatnonzero(bank.done).tolist()
    ]


def pair(simulations: Simulations) -> tuple[np.ndarray, Trials]:
    return simulations.theta, simulations.trials


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "bank"
    write_bank(path, DMC, 1000, seed=1)
    return path


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    """A copy of a sound bank of 1000 data sets, to be spoilt."""
    shutil.copytree(sound, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize("simulator", SIMULATORS.values(), ids=SIMULATORS)
@pytest.mark.parametrize("workers", [1, 4])
def test_a_chunk_is_what_the_simulator_gives_whatever_the_number_of_workers(
    simulator, workers, tmp_path
):
    written = write_bank(tmp_path / "bank", simulator, 3 * CHUNK, seed=7, workers=workers)
    bank = open_bank(tmp_path / "bank", simulator.model)
    assert len(bank) == bank.n_datasets == 3 * CHUNK
    assert bank.done.all()
    for index in range(3):
        assert same(bank.chunk(index), simulator.chunk(7, index))
        assert same(written.chunk(index), simulator.chunk(7, index))
    together = bank.simulations()
    assert together.trials.names == tuple(str(i + 1) for i in range(3 * CHUNK))
    assert np.array_equal(together.theta[CHUNK : 2 * CHUNK], simulator.chunk(7, 1)[0])
    assert same(pair(bank.simulations([2])), simulator.chunk(7, 2))


def test_the_last_chunk_holds_the_rest(sound):
    bank = open_bank(sound)
    theta, trials = bank.chunk(3)
    assert len(theta) == len(trials) == 1000 - 3 * CHUNK
    assert np.array_equal(theta, DMC.chunk(1, 3)[0][: len(theta)])
    assert len(bank) == len(bank.simulations()) == 1000
    assert (
        str(bank)
        == "Bank of 1,000 of 1,000 data sets (4 of 4 chunks complete) of the model 'dmc', up to 12"
        f" trials each, seed 1, in {sound}."
    )


def test_a_bank_can_be_extended_and_is_then_as_if_made_at_once(path, tmp_path):
    reader = open_bank(path)
    bank = write_bank(path, DMC, 1500, seed=1)
    assert len(bank) == len(reader) == 1500
    assert contents(bank) == contents(write_bank(tmp_path / "at once", DMC, 1500, seed=1))
    assert len(write_bank(path, DMC, 10, seed=1)) == 1500


def test_only_missing_chunks_are_simulated(path):
    told = []
    marker_path(path, 2).unlink()
    before = marker_path(path, 1).stat().st_mtime_ns
    assert open_bank(path).missing.tolist() == [2]
    write_bank(path, DMC, 1000, seed=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 4), (4, 4)]
    assert marker_path(path, 1).stat().st_mtime_ns == before


def test_a_chunk_can_be_written_twice_and_by_path_and_index_alone(path):
    before = contents(open_bank(path))
    write_chunk(path, 1)
    write_chunk(path, 1, simulator=DMC)
    assert contents(open_bank(path)) == before
    with pytest.raises(
        FileError,
        match=(
            r"Expected a chunk from 0 to 3 of the bank .*; got 4. Extend the bank with write_bank"
        ),
    ):
        write_chunk(path, 4)
    other = inc.Simulator(DMC.model, inc.priors.schaefer2025(), DMC.design)
    with pytest.raises(FileError, match=r"Expected the simulator .*prior\.A"):
        write_chunk(path, 1, simulator=other)


def test_a_model_of_ones_own_has_to_be_passed_to_simulate(tmp_path):
    write_bank(tmp_path / "b", VECTOR, 300, seed=1)
    bank = open_bank(tmp_path / "b")
    assert same(bank.chunk(0), VECTOR.chunk(1, 0))
    with pytest.raises(SimulationError, match="Pass model="):
        write_chunk(tmp_path / "b", 0)
    write_chunk(tmp_path / "b", 0, model=VECTOR.model)
    found = verify(bank, seed=1)
    assert found.sound
    assert "none was simulated again: Expected a model that can simulate" in str(found)
    assert verify(open_bank(tmp_path / "b", VECTOR.model), resimulate=5, seed=1).repeated == (0, 1)
    with pytest.raises(FileError, match="Expected the model 'vector'"):
        open_bank(tmp_path / "b", DMC.model)
    limited = Model(
        "vector",
        [inc.Parameter("a", low=-50.0), "b"],
        VECTOR.model.columns,
        vector=VECTOR.model.simulate,
    )
    with pytest.raises(
        FileError, match=r"got simulator\.model\.parameters\[0\]\.low -50\.0 instead of -inf"
    ):
        open_bank(tmp_path / "b", limited)


DIFFERENT = {
    "seed": (DMC, 2, r"got seed 2 instead of 1\."),
    "prior": (
        inc.Simulator(DMC.model, inc.priors.schaefer2025(), DMC.design),
        1,
        r"simulator\.prior\.A\.args\[0\] 20\.5 instead of 20\.0",
    ),
    "design": (
        inc.Simulator(DMC.model, inc.priors.broad(), replace(DMC.design, window=None)),
        1,
        r"simulator\.design\.window None instead of \[200",
    ),
    "model": (VECTOR, 1, r"simulator\.model\.name vector instead of dmc"),
}


@pytest.mark.parametrize(("simulator", "seed", "words"), DIFFERENT.values(), ids=DIFFERENT)
def test_another_simulator_or_seed_is_refused_in_words(path, simulator, seed, words):
    with pytest.raises(FileError, match=words):
        write_bank(path, simulator, 1000, seed=seed)
    assert len(open_bank(path)) == 1000


def data_files(path: Path, index: int) -> list[Path]:
    return sorted(
        file
        for name in layout_of(DMC)
        for file in (path / name / "c").rglob("*")
        if file.relative_to(path / name / "c").parts[0] == str(index) and file.is_file()
    )


def spoilt(path: Path) -> bool:
    """Whether chunk 1, and it alone, is refused when read and found by `verify`, and the whole bank
    refused with it.
    """
    bank = open_bank(path)
    with pytest.raises(
        FileError,
        match=r"Expected chunk 1 .*got a damaged chunk .*Simulate it again with write_chunk",
    ):
        bank.chunk(1)
    with pytest.raises(FileError, match="damaged chunk"):
        bank.simulations()
    assert same(bank.chunk(0), DMC.chunk(1, 0))
    found = verify(bank, resimulate=0, seed=1)
    return (
        found.damaged == (1,)
        and found.whole == (0, 2, 3)
        and not found.sound
        and "1 damaged (1), to be simulated again" in str(found)
    )


def test_a_flipped_byte_anywhere_is_noticed(path):
    files = data_files(path, 1)
    assert len(files) == len(layout_of(DMC)) == 7
    for file in files:
        good = file.read_bytes()
        for place in np.linspace(0, len(good) - 1, 7).astype(int):
            bad = bytearray(good)
            bad[place] ^= 0x5A
            file.write_bytes(bytes(bad))
            try:
                arrays = open_bank(path).arrays(1)
            except FileError:
                continue
            made = {name: a.tobytes() for name, a in arrays.items()}
            file.write_bytes(good)
            # a byte that says nothing
            assert made == {name: a.tobytes() for name, a in open_bank(path).arrays(1).items()}, (
                f"byte {place} of {file}"
            )
        file.write_bytes(good)
    file = path / "theta" / "c" / "1" / "0"
    bad = bytearray(file.read_bytes())
    bad[len(bad) // 2] ^= 1
    file.write_bytes(bytes(bad))
    assert spoilt(path)
    write_chunk(path, 1)
    assert verify(open_bank(path), resimulate=4, seed=1).repeated == (0, 1, 2, 3)


@pytest.mark.parametrize("name", ["theta", "column2_rt", "present", "excluded0_out_of_window"])
@pytest.mark.parametrize("length", [0, 0.5, None], ids=["empty", "half", "gone"])
def test_a_file_cut_short_or_gone_is_noticed(path, name, length):
    file = next(file for file in data_files(path, 1) if name in file.parts)
    if length is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: int(length * file.stat().st_size)])
    assert spoilt(path)


def test_chunks_that_change_places_or_markers_that_are_spoilt_are_noticed(path):
    for file in data_files(path, 1):
        shutil.copy(Path(str(file).replace("/c/1", "/c/2")), file)
    assert spoilt(path)
    shutil.copy(marker_path(path, 2), marker_path(path, 1))
    assert spoilt(path)
    for content in (b"", b"{", b"[]", b'{"seed": 1, "index": 1, "n": 256}'):
        marker_path(path, 1).write_bytes(content)
        assert spoilt(path)


def test_data_without_a_marker_is_absent(path):
    marker_path(path, 1).unlink()
    bank = open_bank(path)
    assert bank.done.tolist() == [True, False, True, True]
    assert len(bank) == len(bank.simulations()) == 1000 - CHUNK
    with pytest.raises(
        FileError,
        match=r"Expected chunk 1 in the bank .*; it is absent. Simulate it with write_bank",
    ):
        bank.chunk(1)
    assert "1 missing (1)" in str(verify(bank, seed=1))


def test_what_is_no_bank_is_refused_in_words(tmp_path, path):
    with pytest.raises(FileError, match=r"Expected a bank at .*; there is none"):
        open_bank(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="there is a file"):
        open_bank(tmp_path / "file")
    with pytest.raises(FileError, match=r"the folder has no bank\.json"):
        open_bank(tmp_path)
    with pytest.raises(
        FileError, match=r"Expected a bank or an empty folder; .* holds something else"
    ):
        write_bank(tmp_path, DMC, 10, seed=1)
    card = json.loads((path / CARD).read_text())
    for change, words in (
        ({"kind": "other"}, "got something else"),
        ({"version": 9}, "Expected banks of version 1; .* has version 9"),
        ({"card": card["card"].replace("20.0", "21.0")}, "its checksum differs"),
    ):
        (path / CARD).write_text(json.dumps(card | change))
        with pytest.raises(FileError, match=words):
            open_bank(path)
    (path / CARD).write_text("{")
    with pytest.raises(FileError, match="it is damaged"):
        open_bank(path)
    (path / CARD).write_text(json.dumps(card))
    (path / "theta" / "zarr.json").write_text("{")
    with pytest.raises(
        FileError, match=r"Expected a zarr array at .*theta; it is absent or damaged"
    ):
        open_bank(path).chunk(0)


def test_impossible_wishes_are_refused(tmp_path, sound):
    with pytest.raises(
        ValueError, match="Expected a whole number for n_datasets, at least 1; got 0"
    ):
        write_bank(tmp_path / "b", DMC, 0, seed=1)
    study = DMC.simulate(3, seed=1).trials
    with pytest.raises(TypeError, match="Expected a simulator with a Design"):
        write_bank(
            tmp_path / "b",
            inc.Simulator(DMC.model, inc.priors.broad(), inc.design_of(study)),
            10,
            seed=1,
        )
    assert not (tmp_path / "b").exists()


def test_a_folder_that_cannot_be_written_to_is_said_to_be_one(tmp_path, monkeypatch, path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        FileError, match=r"Expected a folder that can be written to at .*; got: .*Not a directory"
    ):
        write_bank(tmp_path / "file" / "bank", DMC, 10, seed=1)

    with pytest.raises(
        FileError, match=r"Expected a folder that can be written to at .*; got: .*Not a directory"
    ):
        merge_banks([path], tmp_path / "file" / "bank")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"got: .*No space left on device"):
        write_bank(path, DMC, 2000, seed=1, workers=1)
    assert open_bank(path).missing.tolist() == [4, 5, 6, 7]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="who may do everything may write everywhere",
)
def test_a_read_only_folder_can_be_read_and_is_said_to_be_one(path):
    folders = [path, *(p for p in path.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert same(open_bank(path).chunk(0), DMC.chunk(1, 0))
        with pytest.raises(FileError, match="Expected a folder that can be written to"):
            write_bank(path, DMC, 2000, seed=1)
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_what_goes_wrong_in_a_model_is_not_put_down_to_the_folder(tmp_path):
    def needs_a_file(theta, rng):
        raise FileNotFoundError("stimuli.csv")

    model = Model("vector", ["a", "b"], VECTOR.model.columns, vector=needs_a_file)
    with pytest.raises(FileNotFoundError, match=r"stimuli\.csv"):
        write_bank(
            tmp_path / "b", inc.Simulator(model, VECTOR.prior, VECTOR.design), 10_000, seed=1
        )
    assert not open_bank(tmp_path / "b").done.any()


def test_other_programs_can_read_the_folder(sound):
    group = zarr.open_group(sound, mode="r")
    assert group["theta"].shape == (4 * CHUNK, 6)
    assert group["column2_rt"].attrs["unit"] == "ms"
    assert np.array_equal(group["theta"][:1000], open_bank(sound).simulations().theta)


def test_an_array_that_says_it_is_too_small_is_no_harm(path):
    text = (path / "theta" / "zarr.json").read_text()
    (path / "theta" / "zarr.json").write_text(text.replace("1024", "256"))
    assert same(open_bank(path).chunk(2), DMC.chunk(1, 2))


def test_banks_of_one_seed_are_united(tmp_path):
    write_bank(tmp_path / "a", DMC, 600, seed=1)
    write_bank(tmp_path / "b", DMC, 1200, seed=1)
    for index in (1, 3):
        marker_path(tmp_path / "b", index).unlink()
    bank = merge_banks([tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    assert bank.seed == 1
    assert bank.n_datasets == 1200
    assert bank.missing.tolist() == [3]
    whole = write_bank(tmp_path / "c", DMC, 1200, seed=1)
    assert contents(whole) == contents(write_bank(tmp_path / "d", DMC, 1200, seed=1))


def test_banks_of_several_seeds_are_put_one_after_the_other_and_remember_it(tmp_path):
    for name, n, seed in (("a", 300, 1), ("b", 520, 2), ("a again", 300, 1)):
        write_bank(tmp_path / name, DMC, n, seed=seed)
    bank = merge_banks([tmp_path / "a", tmp_path / "b", tmp_path / "a again"], tmp_path / "c")
    assert bank.seed is None
    assert [(o.seed, o.index, o.n) for o in map(bank.origin, range(5))] == [
        (1, 0, 256),
        (1, 1, 44),
        (2, 0, 256),
        (2, 1, 256),
        (2, 2, 8),
    ]
    assert len(bank) == bank.n_datasets == len(bank.simulations()) == 820
    assert same(bank.chunk(3), DMC.chunk(2, 1))
    assert verify(bank, resimulate=9, seed=1).repeated == (0, 1, 2, 3, 4)
    assert "several seeds" in str(bank)
    marker_path(bank.path, 3).unlink()
    assert bank.missing.tolist() == [3]
    assert len(bank) == 820 - CHUNK
    write_chunk(bank.path, 3)
    assert same(bank.chunk(3), DMC.chunk(2, 1))
    again = merge_banks([tmp_path / "c", tmp_path / "b"], tmp_path / "d")
    assert contents(again) == contents(bank)
    with pytest.raises(
        FileError, match=r"was merged from several. Extend the banks it was made of"
    ):
        write_bank(tmp_path / "c", DMC, 2000, seed=1)


def test_merging_refuses_what_it_cannot_do(tmp_path, path, sound):
    other = inc.Simulator(DMC.model, inc.priors.schaefer2025(), DMC.design)
    write_bank(tmp_path / "other", other, 10, seed=1)
    with pytest.raises(
        FileError,
        match=(
            r"Expected banks of the same simulator; .*other has prior\.A\.args\[0\] 20\.5 instead"
            r" of 20\.0"
        ),
    ):
        merge_banks([path, tmp_path / "other"], tmp_path / "c")
    with pytest.raises(
        FileError, match=r"Expected a new folder for the merged bank; .* is there already"
    ):
        merge_banks([path, sound], tmp_path / "other")
    with pytest.raises(ValueError, match="Expected at least one bank to merge; got none"):
        merge_banks([], tmp_path / "c")
    (path / "theta" / "c" / "1" / "0").write_bytes(b"")
    assert verify(merge_banks([path, sound], tmp_path / "mended"), seed=1).sound
    with pytest.raises(FileError, match="got a damaged chunk"):
        merge_banks([path], tmp_path / "c")
    for index in range(4):
        marker_path(path, index).unlink()
    with pytest.raises(FileError, match="Expected at least one complete chunk in the banks"):
        merge_banks([path], tmp_path / "c")
    with pytest.raises(FileError, match="Expected at least one complete chunk in the bank"):
        open_bank(path).simulations()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy", "mended", "other"]


FORKER = """
import os, sys, time
from scipy import stats
import incongruent as inc
from incongruent.storage.bank.bank import write_bank

def slow(theta, rng):
    time.sleep(0.03)
    return theta + rng.normal(size=theta.shape)

model = inc.Model("vector", ["a", "b"], [inc.Continuous("x"), inc.Continuous("y/..")], vector=slow)
simulator = inc.Simulator(model, inc.Prior(a=stats.norm(), b=stats.norm()), inc.Design(1))
for line in sys.stdin:
    what, argument, *n = line.rstrip().split("|")
    if what == "wait":
        print(os.waitstatus_to_exitcode(os.waitpid(int(argument), 0)[1]), flush=True)
    elif child := os.fork():
        print(child, flush=True)
    else:
        write_bank(argument, simulator, int(n[0]), seed=4, workers=2)
        os._exit(0)
"""


class Writers:
    """Processes that write the bank of VECTOR with seed 4, slowly."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words: object) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("|".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, path: Path, n_datasets: int) -> int:
        return self.ask("start", path, n_datasets)

    def wait(self, writer: int) -> int:
        return self.ask("wait", writer)


@pytest.fixture(scope="module")
def writers():
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    writers = Writers()
    yield writers
    assert writers.process.stdin is not None
    assert writers.process.stdout is not None
    writers.process.stdin.close()
    writers.process.stdout.close()
    writers.process.wait(timeout=30)


def until(path: Path, n_chunks: int) -> Bank:
    """The bank, once so many chunks of it are complete."""
    for _ in range(20_000):
        if (path / CARD).exists() and open_bank(path).done.sum() >= n_chunks:
            return open_bank(path, VECTOR.model)
        time.sleep(0.001)
    raise AssertionError(f"{n_chunks} chunks have not come")


def test_a_writer_that_is_killed_leaves_whole_chunks_and_another_goes_on(tmp_path, writers):
    for n_chunks in (1, 9, 16, 30):
        writer = writers.start(tmp_path / "killed", 40 * CHUNK)
        until(tmp_path / "killed", n_chunks)
        os.kill(writer, signal.SIGKILL)
        assert writers.wait(writer) == -signal.SIGKILL
        bank = open_bank(tmp_path / "killed", VECTOR.model)
        assert n_chunks <= bank.done.sum() < 40
        assert verify(bank, resimulate=40, seed=1).sound
    resumed = write_bank(tmp_path / "killed", VECTOR, 40 * CHUNK, seed=4)
    assert contents(resumed) == contents(write_bank(tmp_path / "whole", VECTOR, 40 * CHUNK, seed=4))


def test_two_writers_and_a_reader_at_once(tmp_path, writers):
    both = [writers.start(tmp_path / "bank", n * CHUNK) for n in (30, 40)]
    bank, seen = until(tmp_path / "bank", 1), set()
    while not (bank.done.all() and bank.n_chunks == 40):
        index = int(np.random.default_rng(len(seen)).choice(np.flatnonzero(bank.done)))
        assert same(bank.chunk(index), VECTOR.chunk(4, index))  # refused if it were not whole
        seen.add((len(bank), index))
    assert len(seen) > 10
    assert [writers.wait(writer) for writer in both] == [0, 0]
    assert contents(bank) == contents(write_bank(tmp_path / "alone", VECTOR, 40 * CHUNK, seed=4))


MEMORY = """
import resource, sys
import incongruent as inc
from incongruent.storage.bank.bank import write_bank
from incongruent.storage.parquet import export_simulations

design = inc.Design(100, {"congruent": 0.5, "incongruent": 0.5})
simulator = inc.Simulator(inc.models.dmc(), inc.priors.broad(), design)
bank = write_bank(sys.argv[1], simulator, int(sys.argv[2]) * 256, seed=1, workers=2)
for index in range(bank.n_chunks):
    bank.chunk(index)
export_simulations(bank, sys.argv[1] + ".parquet")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units")
def test_memory_does_not_grow_with_the_bank(tmp_path):
    def peak(n_chunks: int) -> int:
        arguments = [sys.executable, "-c", MEMORY, str(tmp_path / str(n_chunks)), str(n_chunks)]
        return int(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)

    assert peak(200) - peak(20) < 30_000  # KiB


@pytest.mark.slow
def test_the_size_on_disk_is_what_the_docstring_says(tmp_path):
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.broad(), inc.Design(200, HALVES))
    write_bank(tmp_path / "b", simulator, 20 * CHUNK, seed=1)
    size = sum(
        file.stat().st_size
        for name in layout_of(simulator)
        for file in (tmp_path / "b" / name / "c").rglob("*")
        if file.is_file()
    )
    assert size / (20 * CHUNK) == pytest.approx(810, rel=0.03)


def test_without_zarr_a_bank_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(FileError, match=r'pip install "incongruent\[bank\]"'):
        write_bank(tmp_path / "bank", VECTOR, 10, seed=1)

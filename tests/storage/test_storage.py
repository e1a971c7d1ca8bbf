"""Laws of files: whole or absent, and a damaged one is never taken for a sound one."""

import os
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pytest
from safetensors.numpy import save

from incongruent.storage.atomic import FileError, write_atomically
from incongruent.storage.weights import load_arrays, named_leaves, save_arrays, with_leaves

ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "bias": np.array([1.5, -2.0]),
    "n": np.array(7, np.int64),
    "mask": np.array([True, False, True]),
    "none": np.zeros((0, 4), np.float32),
}
CARD = {"model": "dmc", "notes": ["größer", 1, None], "window": [150.0, 2500.0]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.test"
    save_arrays(path, ARRAYS, CARD, kind="test", version=1)
    return path


def load(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    return load_arrays(path, kind="test", version=1)


def refuses(path: Path, content: bytes) -> bool:
    """Whether the content is refused with a FileError; any other exception ends the test."""
    path.write_bytes(content)
    try:
        load(path)
    except FileError:
        return True
    return False


def test_what_is_saved_comes_back(path):
    arrays, card = load(path)
    assert card == CARD
    assert sorted(arrays) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)
        assert arrays[name].shape == array.shape


def test_arrays_that_are_not_in_order_come_back(tmp_path):
    turned = np.arange(12.0).reshape(3, 4).T[::2]
    save_arrays(tmp_path / "b", {"turned": turned}, {}, kind="test", version=1)
    assert np.array_equal(load(tmp_path / "b")[0]["turned"], turned)


def test_a_change_of_any_byte_is_noticed(path):
    sound = path.read_bytes()
    for place in range(len(sound)):
        for change in (0x0F, 0xFF):
            damaged = bytearray(sound)
            damaged[place] ^= change
            assert refuses(path, bytes(damaged)), (
                f"byte {place} of {len(sound)}: {sound[place]:#x} ^ {change:#x}"
            )
    assert not refuses(path, sound)


def test_a_file_cut_anywhere_is_refused(path):
    sound = path.read_bytes()
    assert all(refuses(path, sound[:length]) for length in range(len(sound)))


def test_bytes_added_or_swapped_are_noticed(path):
    sound = path.read_bytes()
    assert refuses(path, sound + b"\0")
    assert refuses(path, sound[:-16] + sound[-8:] + sound[-16:-8])
    assert refuses(path, b"\0" * len(sound))


def test_every_refusal_says_what_came(tmp_path, path):
    with pytest.raises(FileError, match=r"Expected a test file at .*nowhere; there is none"):
        load(tmp_path / "nowhere")
    with pytest.raises(FileError, match="there is none"):
        load(tmp_path)
    with pytest.raises(FileError, match=r"Expected a posterior file; .*a\.test is test\."):
        load_arrays(path, kind="posterior", version=1)
    with pytest.raises(
        FileError,
        match=(
            r"Expected test files of version 2; .*a\.test has version 1. Use the release that"
            r" wrote it"
        ),
    ):
        load_arrays(path, kind="test", version=2)
    path.write_bytes(save(ARRAYS))
    with pytest.raises(FileError, match=r"Expected a test file; .* is something else"):
        load(path)
    path.write_text("subject,rt\n1,400\n")
    with pytest.raises(FileError, match=r"is damaged or of another format .*Copy or make it again"):
        load(path)


def test_a_foreign_file_that_claims_the_kind_is_refused(path):
    path.write_bytes(save(ARRAYS, {"kind": "test", "version": "1"}))
    with pytest.raises(
        FileError, match=r"its checksum differs, so it is damaged. Copy or make it again"
    ):
        load(path)


def test_a_card_with_not_a_number_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        save_arrays(tmp_path / "c", ARRAYS, {"loss": float("nan")}, kind="test", version=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "interruption", [OSError("disk full"), KeyboardInterrupt()], ids=["disk full", "interrupt"]
)
@pytest.mark.parametrize("step", ["replace", "fsync", "chmod"])
def test_an_interrupted_write_leaves_the_old_file_and_no_litter(
    path, monkeypatch, step, interruption
):
    def stop(*_: object) -> None:
        raise interruption

    monkeypatch.setattr(os, step, stop)
    with pytest.raises(type(interruption)):
        save_arrays(path, {"new": np.ones(3)}, {}, kind="test", version=1)
    monkeypatch.undo()
    assert load(path)[1] == CARD
    assert list(path.parent.iterdir()) == [path]


def test_a_new_file_replaces_the_old_one(path):
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


WRITER = """
import os, signal, sys, time
import numpy as np
from incongruent.storage.weights import save_arrays, load_arrays

def write_for_ever(path):
    versions = [({"a": np.full(500_000, float(i))}, {"i": i}) for i in (1, 2)]
    while True:
        for arrays, card in versions:
            save_arrays(path, arrays, card, kind="test", version=1)

path = sys.argv[1]
for wait in (0.31, 0.17, 0.23, 0.29, 0.13):
    child = os.fork()
    if child == 0:
        write_for_ever(path)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    arrays, card = load_arrays(path, kind="test", version=1)
    assert (arrays["a"] == card["i"]).all() and len(arrays["a"]) == 500_000
    print(card["i"])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_killed_while_writing_leaves_a_whole_file(path):
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 5


def network(key: int, width: int = 4) -> eqx.nn.MLP:
    return eqx.nn.MLP(2, 3, width, 1, key=jax.random.key(key))


def test_the_leaves_of_a_network_come_back(tmp_path):
    save_arrays(tmp_path / "n", named_leaves(network(1), "net"), {}, kind="test", version=1)
    again = with_leaves(network(2), load(tmp_path / "n")[0], "net")
    assert eqx.tree_equal(again, network(1))
    skeleton = eqx.filter_eval_shape(lambda: network(2))
    assert eqx.tree_equal(with_leaves(skeleton, load(tmp_path / "n")[0], "net"), network(1))


def test_the_leaves_of_another_network_are_refused():
    leaves = named_leaves(network(1), "net")
    with pytest.raises(
        FileError,
        match=(
            r"Expected an array 'net.*' of shape \(5, 2\); got shape \(4, 2\). The file is of"
            r" another network"
        ),
    ):
        with_leaves(network(1, width=5), leaves, "net")
    with pytest.raises(FileError, match="got none"):
        with_leaves(network(1), leaves, "other")

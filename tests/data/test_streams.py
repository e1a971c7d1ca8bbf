"""Laws of random numbers: streams for different purposes never meet, whatever the seeds; seeds are
what they should be; nothing else makes any.
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import incongruent as inc
from incongruent.checks.model.predictive import predict
from incongruent.checks.network.calibration import calibrate
from incongruent.checks.network.neighbourhood import posterior_sbc
from incongruent.checks.network.quality import efficiency
from incongruent.checks.network.recovery import recover
from incongruent.checks.replicas import matched
from incongruent.checks.scope.surprise import surprise
from incongruent.data.basics import streams
from incongruent.data.basics.streams import (
    Purpose,
    as_seed,
    child,
    jax_key,
    places_of,
    stream,
    word,
)
from incongruent.training.sources import Fresh
from incongruent.training.split import data_for

ROOT = Path(inc.__file__).parent
SEEDS = st.integers(0, 2**400)


# --- the tree -------------------------------------------------------------------------------------


def first_numbers() -> Counter[int]:
    """The first number of every stream, child and key, for all purposes and the seeds 0 to 50."""
    found: Counter[int] = Counter()
    for seed in range(51):
        for purpose in Purpose:
            for place in ((), (0,)):
                found[int(stream(seed, purpose, *place).bit_generator.random_raw())] += 1
                found[child(seed, purpose, *place)] += 1
        found[
            int.from_bytes(np.asarray(jax.random.key_data(jax_key(seed, purpose))).tobytes())
        ] += 1
    return found


def test_no_two_streams_begin_alike():
    assert set(first_numbers().values()) == {1}


@pytest.mark.parametrize(
    ("purpose", "number"),
    [(Purpose.PRIOR, 0), (Purpose.LAYOUT, 1), (Purpose.TRIALS, 2), (Purpose.BANK, 3)],
)
def test_simulations_and_banks_keep_the_streams_that_they_were_begun_with(purpose, number):
    for place in ((), (0,), (7,)):
        before = np.random.Generator(
            np.random.SFC64(np.random.SeedSequence(12, spawn_key=(number, *place)))
        )
        assert np.array_equal(stream(12, purpose, *place).random(5), before.random(5))


@given(
    SEEDS,
    SEEDS,
    st.sampled_from(Purpose),
    st.sampled_from(Purpose),
    st.lists(st.integers(0, 2**32 - 1), max_size=3),
)
@settings(max_examples=300, deadline=None)
def test_seeds_of_any_size_have_streams_of_their_own(one, other, first, second, place):
    if (one, first) != (other, second):
        assert child(one, first, *place) != child(other, second, *place)
    assert child(one, first, *place) != child(one, first, *place, 0)
    assert child(one, first, *place) == child(one, first, *place)
    assert 0 <= child(one, first) < 2**63
    assert 0 <= word(one, first) < 2**32


@pytest.mark.parametrize("seed", [0, 3, 2**127])
def test_a_long_seed_does_not_run_into_the_purpose(seed):
    beyond = seed + 2**128 * int(Purpose.BANK)  # numpy appends the purpose to the words of the seed
    assert child(beyond, Purpose.PRIOR) != child(seed, Purpose.BANK, 0)


def test_places_are_words():
    for wrong in (-1, 2**32):
        with pytest.raises(ValueError, match=r"Expected places from 0 to 2\^32 - 1"):
            stream(1, Purpose.BATCHES, wrong)


@given(st.lists(st.text(), unique=True, max_size=8))
@settings(max_examples=50, deadline=None)
def test_people_have_places_of_their_own_whoever_else_is_there(names):
    assert len(set(places_of(names))) == len(names)
    assert places_of([*names, *names])[: len(names)] == places_of(names)
    assert len(set(places_of([*names, *names]))) == 2 * len(names)
    assert [places_of([name])[0] for name in names] == places_of(names)


def test_names_that_a_hash_of_32_bits_confuses_are_told_apart():
    one, other = "plumless", "buckeroo"  # crc32 gives both the same
    assert places_of([one]) != places_of([other])


def test_streams_need_no_jax():
    program = (
        "import sys; sys.modules['jax'] = None\n"
        "from incongruent.data.basics.streams import Purpose, child, stream\n"
        "print(stream(1, Purpose.PRIOR).random(), child(1, Purpose.PRIOR))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    first = stream(1, Purpose.PRIOR).random()
    assert done.stdout.split() == [str(first), str(child(1, Purpose.PRIOR))], done.stderr[-2000:]


# --- seeds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [int, np.int8, np.int64, np.uint8, np.uint64])
def test_whole_numbers_of_every_kind_are_the_same_seed(kind):
    assert as_seed(kind(7)) == 7
    assert type(as_seed(kind(7))) is int
    assert child(kind(7), Purpose.TRIALS) == child(7, Purpose.TRIALS)


DOORS: dict[str, Callable[[inc.Posterior, object], object]] = {
    "prior": lambda posterior, seed: posterior.simulator.prior.sample(2, seed=seed),
    "simulate": lambda posterior, seed: posterior.simulator.simulate(2, seed=seed),
    "chunk": lambda posterior, seed: posterior.simulator.chunk(seed, 0),
    "sample": lambda posterior, seed: posterior.sample(few_of(posterior), 2, seed=seed),
    "train": lambda posterior, seed: inc.train(
        posterior.simulator, steps=1, seed=seed, progress=False
    ),
    "fit": lambda posterior, seed: inc.fit(posterior, few_of(posterior), seed=seed),
    "check": lambda posterior, seed: inc.check(posterior, few_of(posterior), seed=seed),
    "hygiene": lambda posterior, seed: inc.hygiene(few_of(posterior), seed=seed),
    "mmd": lambda posterior, seed: inc.mmd_test(
        np.eye(3), np.eye(3), np.zeros((30, 3, 3)), seed=seed
    ),
    "recover": lambda posterior, seed: recover(posterior, n_datasets=20, seed=seed),
    "calibrate": lambda posterior, seed: calibrate(posterior, n_datasets=20, seed=seed),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("seed", "error"),
    [
        (-1, ValueError),
        (np.int64(-5), ValueError),
        (True, TypeError),
        (1.5, TypeError),
        (None, TypeError),
        ("1", TypeError),
    ],
)
def test_what_is_no_seed_is_refused_in_words(door, seed, error, posterior):
    with pytest.raises(
        error,
        match=r"Expected a seed that is a whole number from 0 on; got .*Give one, like seed=1",
    ):
        DOORS[door](posterior, seed)


def test_a_bank_refuses_what_is_no_seed_before_it_makes_a_folder(tmp_path, simulator):
    with pytest.raises(ValueError, match="whole number from 0 on"):
        inc.write_bank(tmp_path / "bank", simulator, 10, seed=-1)
    assert not (tmp_path / "bank").exists()


# --- what the package opens -----------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch) -> list[tuple[int, ...]]:
    """Every stream from which is drawn from here on: its seed, purpose and place. Children are made
    without drawing.
    """
    seen: list[tuple[int, ...]] = []
    whole = streams.sequence

    def watched(seed: int, purpose: Purpose, *place: int) -> np.random.SeedSequence:
        if sys._getframe(1).f_code.co_name != "child":
            seen.append((as_seed(seed), int(purpose), *map(int, place)))
        return whole(seed, purpose, *place)

    monkeypatch.setattr(streams, "sequence", watched)
    return seen


DATA_SEED = 10**6
"""Of data that several runs look at."""
RUNS: dict[str, Callable[[inc.Posterior, int], object]] = {
    "simulate": lambda p, seed: p.simulator.simulate(300, seed=seed),
    "series of a run": lambda p, seed: [
        data_for(p.simulator, None, seed, 10**6).source.chunk(i) for i in range(2)
    ],
    "held out": lambda p, seed: data_for(p.simulator, None, seed, 10**6).held_out(),
    "bank": lambda p, seed: [p.simulator.chunk(seed, i) for i in range(2)],
    "split": (
        lambda p, seed: data_for(
            p.simulator.simulate(40, seed=child(seed, Purpose.TRY_OUT)), None, seed, 10**6
        ).held_out()
    ),
    "recover": lambda p, seed: recover(p, n_datasets=20, n_draws=20, seed=seed),
    "calibrate": lambda p, seed: calibrate(p, n_datasets=20, n_draws=30, corrected=True, seed=seed),
    "around a person": lambda p, seed: posterior_sbc(
        p, short_of(p), 0, n_datasets=20, n_draws=30, seed=seed
    ),
    "efficiency": lambda p, seed: efficiency(p, n_datasets=5, n_draws=100, seed=seed),
    "mmd": lambda p, seed: inc.mmd_of_study(
        p, few_of(p), n_reference=40, n_fresh=60, n_null=19, seed=seed
    ),
    "surprise": lambda p, seed: surprise(p, few_of(p), n_simulated=60, seed=seed),
    "panel": lambda p, seed: inc.predictive_panel(
        p, few_of(p), n_replicates=39, n_predictions=2, seed=seed
    ),
    "summary space": lambda p, seed: inc.summary_space(
        p, {"a": few_of(p)}, priors={"other": p.simulator.prior}, n_simulated=40, seed=seed
    ),
    "prior": lambda p, seed: inc.check_prior(p, few_of(p), n_draws=20, n_simulated=60, seed=seed),
    "matched": lambda p, seed: matched(p.simulator, few_of(p), 3, seed=seed),
    "prediction": lambda p, seed: predict(
        p.sample(few_of(p), 30, seed=seed), few_of(p), n_replicates=20, seed=seed
    ),
    "units": lambda p, seed: inc.hygiene(few_of(p), seed=seed),
}
"""What draws by chance, each with a seed of its user."""


def few_of(posterior: inc.Posterior) -> inc.Trials:
    return posterior.simulator.simulate(3, seed=DATA_SEED).trials


def short_of(posterior: inc.Posterior) -> inc.Trials:
    """A person with at most half as many trials as the network knows."""
    people = posterior.simulator.simulate(50, seed=DATA_SEED).trials
    return people.select(np.flatnonzero(people.n_trials <= 100)[:1])


def share_nothing(
    runs: Iterable[str],
    posterior: inc.Posterior,
    opened: list[tuple[int, ...]],
    seeds: tuple[int, ...],
) -> None:
    owners: dict[tuple[int, ...], str] = {}
    for name in runs:
        for seed in seeds:
            opened.clear()
            RUNS[name](posterior, seed)
            here = Counter(key for key in opened if key[0] not in (DATA_SEED, 0))
            assert here, f"{name} drew nothing"
            twice = [key for key, n in here.items() if n > 1]
            assert not twice, f"{name} opens {twice[:3]} twice"
            shared = {key: owners[key] for key in here if key in owners}
            assert not shared, f"{name} with seed {seed} shares {list(shared.items())[:3]}"
            owners |= dict.fromkeys(here, f"{name} with seed {seed}")


def test_making_and_splitting_data_with_one_seed_or_neighbouring_ones_shares_no_random_numbers(
    posterior, opened
):
    share_nothing(
        ("simulate", "series of a run", "held out", "bank", "split", "matched", "units"),
        posterior,
        opened,
        (1, 2),
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Expected MCMC")
def test_runs_with_one_seed_or_neighbouring_ones_share_no_random_numbers(posterior, opened):
    share_nothing(RUNS, posterior, opened, (1, 2, 3))


def test_a_bank_of_the_same_seed_holds_out_nothing_that_is_trained_on(simulator):
    held_out, trained = simulator.chunk(1, 0)[0], Fresh(simulator, 1).chunk(0)[0]
    assert not np.isin(simulator.prior.to_real(held_out)[:, 0], trained[:, 0]).any()


# --- the source -----------------------------------------------------------------------------------

MAKERS = {
    "default_rng",
    "SeedSequence",
    "PRNGKey",
    "RandomState",
    "SFC64",
    "PCG64",
    "MT19937",
    "SystemRandom",
    "crc32",
    "wrap_key_data",
}
REASONS = {
    "storage/bank/bank.py": (
        "the order in which several writers of a bank look for work; what they write does not"
        " depend on it, and it may not be the same twice"
    )
}
"""Files that make random numbers in another way, and why they may."""
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
}


def name_of(node: ast.AST) -> str:
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )


def is_seed(node: ast.AST) -> bool:
    last_word = name_of(node).lower().strip("_").split("_")[-1]
    return last_word in ("seed", "seeds") and name_of(node) != "n_seeds"


def arithmetic_on_seeds(tree: ast.AST) -> list[int]:
    """Lines that add to a seed, multiply it, or the like."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and (is_seed(node.left) or is_seed(node.right))
        and not isinstance(node.op, ast.BitOr)
    ]


def makers(tree: ast.AST) -> list[int]:
    """Lines that make random numbers from something else than the tree; keys under which nothing is
    drawn, for shapes alone, are none.
    """
    shapes = {
        id(arg)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name_of(node.func) == "filter_eval_shape"
        for arg in node.args
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in shapes:
            of = name_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if name_of(node.func) in MAKERS or (
                of == "random"
                and name_of(node.func) in ("key", "seed", "random", "shuffle", "choice")
            ):
                found.append(node.lineno)
    return found


def test_nothing_is_reckoned_with_seeds():
    assert {
        file: lines for file, tree in TREES.items() if (lines := arithmetic_on_seeds(tree))
    } == {}


def test_random_numbers_are_made_in_one_place():
    assert {file for file, tree in TREES.items() if makers(tree)} == {
        "data/basics/streams.py",
        *REASONS,
    }


@pytest.mark.parametrize(
    "line",
    [
        "f(seed=seed + 1)",
        "a = 2 * seed",
        "b = self.seed * 10",
        "c = job.seed ^ 5",
        "d = own_seed - k",
    ],
)
def test_arithmetic_on_a_seed_would_be_seen(line):
    assert arithmetic_on_seeds(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "np.random.default_rng(seed)",
        "jax.random.key(0)",
        "jax.random.PRNGKey(seed)",
        "zlib.crc32(name)",
        "random.random()",
    ],
)
def test_other_random_numbers_would_be_seen(line):
    assert makers(ast.parse(line))

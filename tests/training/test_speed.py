"""What a user waits for: looks at validation data, compilation, and that neither changes what is
learned.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import incongruent as inc
from incongruent.networks.encoder import buckets
from incongruent.posterior import compiling
from incongruent.posterior.history import Stopped
from incongruent.training import learner
from incongruent.training.batches import RandomRuns
from incongruent.training.plan import PosteriorPlan
from incongruent.training.recipe import Budget
from incongruent.training.step import Pace, learn, state_of
from incongruent.training.validation import (
    SHARE,
    SMALLEST_BLOCK,
    _block_size,
    _rows_from_everywhere,
    n_looked_at,
    training_work,
)

MEAN = inc.Model(
    "mean", ["m"], [inc.Continuous("x")], dataset=lambda theta, n, rng: rng.normal(theta[0], 1.0, n)
)
SIMULATOR = inc.Simulator(MEAN, inc.Prior(m=stats.norm(0, 1)), inc.Design(20))
FLAT = inc.Architecture(
    inc.encoders.DeepSet(width=8, n_blocks=0), inc.flows.CouplingFlow(n_layers=0), 2
)


class Padded:
    ragged = False


class Ragged:
    ragged = True


@given(
    steps=st.integers(1, 10**6),
    n_batch=st.integers(2, 512),
    n_stored=st.integers(1, 4096),
    encoder=st.sampled_from([Padded, Ragged]),
)
def test_ten_looks_take_a_tenth_of_the_work_whatever_the_budget(
    steps: int, n_batch: int, n_stored: int, encoder: type
) -> None:
    n = n_looked_at(Budget(None, steps), n_batch, encoder(), n_stored)  # type: ignore[arg-type]
    assert 1 <= n <= n_stored
    training = training_work(np.empty((n_batch, 1))) * steps
    assert n <= SMALLEST_BLOCK or 10 * 2 * n <= SHARE * training + 1e-6


@given(n=st.integers(1, 3000))
def test_blocks_are_of_the_size_that_is_there(n: int) -> None:
    size = _block_size(n)
    filled = -(-n // size) * size
    assert size in (16, 32, 64, 128, 256)
    assert filled < max(2 * n, 17)
    assert filled - n < 128


@given(kinds=st.integers(1, 40), times=st.integers(1, 12), n=st.integers(1, 500))
def test_a_data_set_is_not_looked_at_again_before_every_other(
    kinds: int, times: int, n: int
) -> None:
    z = np.tile(np.arange(kinds, dtype=float)[:, None], (times, 1))
    rows = _rows_from_everywhere(z, n)
    assert len(rows) == len(set(rows)) == min(n, len(z))
    counts = np.bincount(z[rows, 0].astype(int), minlength=kinds)
    assert counts.max() - counts.min() <= 1


@given(largest=st.integers(2, 5000), n_lengths=st.integers(1, 4), seed=st.integers(0, 99))
def test_short_budgets_have_few_lengths_and_every_size_a_place(
    largest: int, n_lengths: int, seed: int
) -> None:
    runs = RandomRuns(inc.Design((1, largest)), Padded(), n_lengths)  # type: ignore[arg-type]
    found = {runs.bucket(np.random.default_rng([seed, i])) for i in range(30)}
    assert len({high for _, high in found}) <= n_lengths
    assert {high for _, high in found} <= {high for _, high in buckets(largest)}
    below = sorted(found)
    assert all(first[1] < second[0] for first, second in pairwise(below))


@pytest.fixture(scope="module")
def run() -> inc.Posterior:
    """A hundred stored data sets, of which ten are kept; 40 steps."""
    return inc.train(
        SIMULATOR.simulate(100, seed=1),
        steps=40,
        seed=1,
        architecture=FLAT,
        recipe=inc.Recipe(batch_size=16),
        progress=False,
    )


def test_few_data_sets_are_looked_at_seldom(run: inc.Posterior) -> None:
    """One look at 16 data sets with two networks is the work of two thirds of a step: not before
    six steps.
    """
    steps = [0, *(look.step for look in run.history.evaluations)]
    assert 3 <= len(steps) - 1 <= 7
    assert all(later - earlier >= 6 for earlier, later in pairwise(steps[:-1]))
    assert steps[-1] == 40


def test_training_does_not_stop_before_it_has_seen_everything_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is learned, so that patience ends at the second look, the eighth of nine steps."""
    idle = inc.Recipe(batch_size=30, peak_rate=1e-30)
    given_budget = {"seed": 1, "architecture": FLAT, "recipe": idle, "progress": False}
    stored = SIMULATOR.simulate(100, seed=1)
    history = inc.train(stored, epochs=3, **given_budget).history
    assert history.stopped is Stopped.BUDGET
    assert history.epoch(history.evaluations[-1]) == pytest.approx(3.0, abs=0.1)
    monkeypatch.setattr(learner, "FEW_TIMES", 0)
    assert inc.train(stored, epochs=3, **given_budget).history.stopped is Stopped.NO_BETTER


def test_a_step_on_one_vector_is_adam_with_clipping_and_averages() -> None:
    """Against optax on the tree of weights."""
    import equinox as eqx
    import optax

    from incongruent.networks.estimator import loss
    from incongruent.posterior.posterior import task_of

    plan = PosteriorPlan(task_of(SIMULATOR, FLAT), FLAT, SIMULATOR.prior)
    recipe = inc.Recipe(batch_size=8, clip=0.1)
    state = state_of(plan.build(np.random.default_rng(1)), recipe)
    made = SIMULATOR.simulate(8, seed=2)
    z = jnp.asarray(made.theta, jnp.float32)
    features = jnp.asarray(state.network.encoder.features(made.trials))
    network, weights = state.network, eqx.filter(state.network, eqx.is_inexact_array)
    adam = optax.chain(optax.clip_by_global_norm(0.1), optax.scale_by_adam())
    moments, average = adam.init(weights), weights

    @eqx.filter_jit
    def step(
        network: object, moments: object, average: object, key: jax.Array
    ) -> tuple[object, ...]:
        gradient = eqx.filter_grad(loss)(network, z, features, 0.0, key)
        updates, moments = adam.update(gradient, moments)
        network = eqx.apply_updates(network, jax.tree.map(lambda u: -1e-2 * u, updates))
        return (
            network,
            moments,
            jax.tree.map(
                lambda old, new: 0.5 * old + 0.5 * new,
                average,
                eqx.filter(network, eqx.is_inexact_array),
            ),
        )

    for i in range(3):
        pace = Pace(np.float32(1e-2), np.float32(0.5), np.int32(i))
        state, _ = learn(state, z, features, pace, jax.random.key(3), recipe)
        network, moments, average = step(
            network, moments, average, jax.random.fold_in(jax.random.key(3), i)
        )
    for mine, theirs in ((state.network, network), (state.averaged, eqx.combine(average, network))):
        pairs = zip(
            jax.tree.leaves(eqx.filter(mine, eqx.is_array)),
            jax.tree.leaves(eqx.filter(theirs, eqx.is_array)),
            strict=True,
        )
        for one, other in pairs:
            np.testing.assert_allclose(one, other, atol=2e-5)


def test_initial_weights_compile_nothing_and_come_from_the_seed() -> None:
    """Shapes that no other test has, so that nothing of theirs can serve."""
    from incongruent.posterior.posterior import task_of

    architecture = inc.Architecture(
        inc.encoders.SetTransformer(width=28, n_inducing=13),
        inc.flows.CouplingFlow(n_layers=2, width=37),
        11,
    )
    plan = PosteriorPlan(task_of(SIMULATOR, architecture), architecture, SIMULATOR.prior)
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if "backend_compile" in event else None
    )
    one, again, other, empty = (
        plan.build(rng) for rng in (*map(np.random.default_rng, (1, 1, 2)), None)
    )
    assert compiled == []
    weights = [layer.encoder.pooled.first.weight for layer in (one, again, other, empty)]
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    assert not np.any(weights[3])
    limit = weights[0].shape[1] ** -0.5
    assert stats.kstest(np.ravel(weights[0]), stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-4


# --- compiled programs are kept -------------------------------------------------------------------

PROGRAM = """
import warnings; warnings.simplefilter("error")
import sys, jax, incongruent as inc
from incongruent.posterior import compiling
before = jax.config.jax_compilation_cache_dir
jax.jit(lambda x: x + 1)(1.0)
if "own" in sys.argv: jax.config.update("jax_compilation_cache_dir", sys.argv[2])
compiling.WORTH_KEEPING = 0.0
kept = compiling.keep_compiled()
jax.jit(lambda x: x @ x.T + 17.0)(jax.numpy.ones((5, 7)))
print(before, kept, jax.config.jax_compilation_cache_dir, sep="|")
"""


def _told(folder: Path, *arguments: str, **variables: str) -> list[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JAX_", compiling.SWITCH))
    }
    environment = {**inherited, "XDG_CACHE_HOME": str(folder), **variables}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip().split("|")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.name.endswith("-cache"))


@pytest.mark.slow
def test_programs_are_kept_in_the_users_cache_and_used_by_the_next_process(tmp_path: Path) -> None:
    before, kept, _ = _told(tmp_path)
    assert before == "None"  # importing the package has changed nothing
    assert Path(kept).is_relative_to(tmp_path / "incongruent")
    assert Path(kept).stat().st_mode & 0o077 == 0
    first = _files(tmp_path)
    assert first
    _told(tmp_path)
    assert _files(tmp_path) == first


@pytest.mark.slow
def test_a_cache_can_be_switched_off_placed_elsewhere_or_be_the_users_own(tmp_path: Path) -> None:
    assert _told(tmp_path, INCONGRUENT_COMPILATION_CACHE="off")[1:] == ["None", "None"]
    elsewhere = _told(tmp_path, INCONGRUENT_COMPILATION_CACHE=str(tmp_path / "mine"))
    assert Path(elsewhere[1]).parent == tmp_path / "mine"
    assert _told(tmp_path, "own", str(tmp_path / "theirs"))[1:] == [
        "None",
        str(tmp_path / "theirs"),
    ]
    (tmp_path / "a file").write_text("")
    assert _told(tmp_path, INCONGRUENT_COMPILATION_CACHE=str(tmp_path / "a file"))[1:] == [
        "None",
        "None",
    ]
    assert not (tmp_path / "incongruent").exists()


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    """What lies there would be run."""
    assert compiling._private(tmp_path)
    tmp_path.chmod(0o777)
    assert not compiling._private(tmp_path)


def test_old_programs_are_removed(tmp_path: Path) -> None:
    for name, days in (("old", compiling.DAYS + 1), ("young", 1)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, times=(0, (tmp_path / name).stat().st_mtime - days * 86400))
    compiling._remove_old(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["young"]


def test_how_far_programs_are_optimised_tells_them_apart(tmp_path: Path, optimised: None) -> None:
    """Tests toggle it, and share a cache."""
    from jax._src import cache_key, compiler

    def key() -> str:
        low = jax.jit(lambda x: x * 2.0 + 1.0).lower(1.0)
        devices = np.array(jax.devices()[:1])
        options = compiler.get_compile_options(num_replicas=1, num_partitions=1)
        return cache_key.get(
            low.compiler_ir("stablehlo"), devices, options, jax.devices()[0].client
        )

    full = key()
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        assert key() != full
    finally:
        jax.config.update("jax_disable_most_optimizations", False)

"""What several test files share: folders of real data, and one small network trained once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

import incongruent as inc

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Fast tests run many small programs a few times each, and less optimised ones are compiled in half the time. Slow tests run as users do."""
    if "not slow" in config.option.markexpr:
        jax.config.update("jax_disable_most_optimizations", True)
        os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # for processes that tests start


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with public data sets; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("INCONGRUENT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no folder with public data at {folder}; set INCONGRUENT_DATA to one")
    return folder


@pytest.fixture(scope="session")
def simulator() -> inc.Simulator:
    """DMC under a published prior, 50 to 200 trials."""
    return inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design((50, 200), {"congruent": 0.5, "incongruent": 0.5}))


@pytest.fixture(scope="session")
def small() -> inc.Architecture:
    """A network that compiles in seconds."""
    return inc.Architecture(inc.encoders.Histogram(width=32), inc.flows.CouplingFlow(n_layers=2, n_bins=4, width=16), 8)


@pytest.fixture(scope="session")
def posterior(simulator: inc.Simulator, small: inc.Architecture) -> inc.Posterior:
    """A small network, trained for a few hundred steps: rough, but far better than the prior."""
    return inc.train(simulator, steps=400, seed=3, architecture=small, progress=False)


@pytest.fixture(scope="module")
def optimised() -> Iterator[None]:
    """Programs compiled in full, for files whose tests run longer than they compile."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)

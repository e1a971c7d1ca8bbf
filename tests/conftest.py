"""What several test files share: folders of real data, and one small network trained once."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import pytest
from hypothesis import settings
from shapes import check_shapes

import incongruent as inc

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]

check_shapes()  # modules of the package are imported when they are first used, which is later

settings.register_profile("the same each time", derandomize=True)
settings.register_profile("other examples each time")
settings.load_profile(
    "other examples each time" if os.environ.get("INCONGRUENT_EXPLORE") else "the same each time"
)


def pytest_configure(config: pytest.Config) -> None:
    """Fast tests run many small programs a few times each, and less optimised ones are compiled in
    half the time. Slow tests run as users do.
    """
    if "not slow" in config.option.markexpr:
        jax.config.update("jax_disable_most_optimizations", True)
        os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # for processes that tests start
    _keep_compiled(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was compiled, at the end of the whole run."""
    if config.stash.get(MADE, None):
        shutil.rmtree(config.stash[MADE], ignore_errors=True)


MADE = pytest.StashKey[str]()
"""The folder of compiled programs, where this process has made it."""


def _keep_compiled(config: pytest.Config) -> None:
    """The same small networks are trained in many files: all workers of a run, and the processes
    that they start, share what was compiled. A folder of the environment's is left alone.
    """
    # workers find that of the process that started them
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        config.stash[MADE] = tempfile.mkdtemp(prefix="incongruent-compiled-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = config.stash[MADE]
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.05")
    jax.config.update("jax_compilation_cache_dir", os.environ["JAX_COMPILATION_CACHE_DIR"])
    jax.config.update(
        "jax_persistent_cache_min_compile_time_secs",
        float(os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"]),
    )


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
    return inc.Simulator(
        inc.models.dmc(),
        inc.priors.schaefer2025(),
        inc.Design((50, 200), {"congruent": 0.5, "incongruent": 0.5}),
    )


@pytest.fixture(scope="session")
def small() -> inc.Architecture:
    """A network that compiles in seconds."""
    return inc.Architecture(
        inc.encoders.Histogram(width=32), inc.flows.CouplingFlow(n_layers=2, n_bins=4, width=16), 8
    )


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


# --- a browser, for pages -------------------------------------------------------------------------

CHROMIUM = Path(os.environ.get("INCONGRUENT_CHROMIUM", "/usr/bin/chromium"))
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""Nothing but the page goes over the network. Without the sandbox, as containers need it: the pages
are our own.
"""


@pytest.fixture(
    scope="module"
    # not "session": playwright leaves an event loop running in this thread, with which asyncio.run
    # fails elsewhere
)
def chromium() -> Iterator[Browser]:
    """A headless Chromium; tests that need it are skipped where there is none, and fail there in
    CI.
    """
    if not CHROMIUM.exists():
        reason = (
            f"no Chromium at {CHROMIUM}; install Debian's chromium, or set INCONGRUENT_CHROMIUM"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with warnings.catch_warnings():
        # about playwright's own code, while it is imported and starts
        warnings.simplefilter("ignore")
        from playwright.sync_api import sync_playwright

        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield browser
    browser.close()
    playwright.stop()

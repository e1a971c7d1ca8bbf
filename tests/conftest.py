"""What several test files share: folders of real data, and one small network trained once."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import pytest

import incongruent as inc

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


# --- a browser, for pages -------------------------------------------------------------------------------------------------------------------

CHROMIUM = Path(os.environ.get("INCONGRUENT_CHROMIUM", "/usr/bin/chromium"))
QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
"""Nothing but the page goes over the network. Without the sandbox, as containers need it: the pages are our own."""


@pytest.fixture(scope="module")  # not "session": playwright leaves an event loop running in this thread, with which asyncio.run fails elsewhere
def chromium() -> Iterator[Browser]:
    """A headless Chromium; tests that need it are skipped where there is none, and fail there in CI."""
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM}; install Debian's chromium, or set INCONGRUENT_CHROMIUM"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about playwright's own code, while it is imported and starts
        from playwright.sync_api import sync_playwright

        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield browser
    browser.close()
    playwright.stop()

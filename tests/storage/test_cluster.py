"""Banks and posteriors on a real scheduler with workers as processes, one of which is killed in the
middle.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import incongruent as inc
from incongruent.data.demo import demo_study
from incongruent.posterior.parallel import over_people

SIMULATOR = inc.Simulator(
    inc.models.dmc(),
    inc.priors.schaefer2025(),
    inc.Design(40, {"congruent": 0.5, "incongruent": 0.5}),
)


def same(one: inc.Simulations, other: inc.Simulations) -> bool:
    return np.array_equal(one.theta, other.theta) and all(
        np.array_equal(v, other.trials.values[k]) for k, v in one.trials.values.items()
    )


def test_any_executor_writes_the_bank_that_threads_write(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as executor:
        there = inc.write_bank(tmp_path / "there", SIMULATOR, 1000, seed=1, executor=executor)
        assert executor.submit(len, "open").result() == 4  # it is the caller's, and still open
    here = inc.write_bank(tmp_path / "here", SIMULATOR, 1000, seed=1)
    assert same(there.simulations(), here.simulations())


def test_parts_of_a_study_give_what_the_whole_gives(posterior: inc.Posterior) -> None:
    study = posterior.simulator.simulate(50, seed=1).trials
    whole = posterior.sample(study, 20, seed=1).summary()
    with ThreadPoolExecutor(2) as executor:
        parts = list(
            over_people(
                lambda part: posterior.sample(part, 20, seed=1).summary(),
                study,
                executor=executor,
                at_once=16,
                ahead=2,
            )
        )
    assert [len(part) for part in parts] == [96, 96, 96, 12]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, rtol=1e-4)
    with pytest.raises(ValueError, match="Expected at_once and ahead of at least 1"):
        next(over_people(len, study, executor=executor, at_once=0))


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.slow
def test_a_cluster_writes_a_bank_although_a_worker_is_killed(client: Any, tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if done >= total // 4 and not killed:
            pid = client.run(os.getpid)
            killed.append(next(iter(pid.values())))
            os.kill(killed[0], signal.SIGKILL)

    made = inc.write_bank(
        tmp_path / "there",
        SIMULATOR,
        40 * 256,
        seed=1,
        executor=client.get_executor(retries=3),
        progress=kill_one,
    )
    assert killed
    assert made.done.all()
    assert inc.verify(made, resimulate=3, seed=1).sound
    assert same(
        made.simulations([0, 7, 39]),
        inc.write_bank(tmp_path / "here", SIMULATOR, 40 * 256, seed=1).simulations([0, 7, 39]),
    )


@pytest.mark.slow
def test_a_cluster_samples_for_everybody_although_a_worker_is_killed(client: Any) -> None:
    posterior, study = inc.pretrained("dmc"), demo_study()

    def summary(part: inc.Trials) -> pd.DataFrame:
        return posterior.sample(part, 100, seed=1).summary()

    results = over_people(summary, study, executor=client.get_executor(retries=3), at_once=5)
    first = next(results)
    client.wait_for_workers(2)
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    time.sleep(0.1)
    found = pd.concat([first, *results], ignore_index=True)
    pd.testing.assert_frame_equal(
        found, posterior.sample(study, 100, seed=1).summary(), rtol=1e-3, atol=1e-3
    )

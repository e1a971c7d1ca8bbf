"""Learning on several devices gives what learning on one gives."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import json, jax, incongruent as inc
from scipy import stats
draw = lambda theta, rng: rng.normal(theta, 1.0)
model = inc.Model("m", ["m"], [inc.Continuous("x")], vector=draw)
simulator = inc.Simulator(model, inc.Prior(m=stats.norm(0, 1)), inc.Design(1))
flow = inc.flows.CouplingFlow(n_layers=1, n_bins=4, width=8)
small = inc.Architecture(inc.encoders.MLP(width=8, n_blocks=1), flow, 2)
options = {"recipe": inc.Recipe(batch_size=32, warmup=5), "progress": False}
stored = simulator.simulate(200, seed=1)
history = inc.train(stored, steps=120, seed=1, architecture=small, **options).history
print(json.dumps([jax.device_count(), [[e.training, e.validation] for e in history.evaluations]]))
"""


def losses(n_devices: int) -> tuple[int, np.ndarray]:
    flags = {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={n_devices}",
        "JAX_PLATFORMS": "cpu",
    }
    made = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | flags,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    count, table = json.loads(made.stdout.splitlines()[-1])
    return count, np.array(table)


@pytest.mark.slow
def test_two_devices_give_the_losses_of_one():
    (one, alone), (two, together) = losses(1), losses(2)
    assert (one, two) == (1, 2)
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-4)
    assert alone[-1, 1] < alone[0, 1] - 0.1

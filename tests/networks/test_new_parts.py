"""A new encoder and a new flow are one file each, like these classes, and one line with their name.

By that name saved files know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import incongruent as inc
from incongruent.data.trials import Trials
from incongruent.networks import architecture, encoders, flows
from incongruent.networks.encoder import Coded, Encoder, EncoderOptions, last_places
from incongruent.networks.flow import Flow, FlowOptions, Layer
from incongruent.networks.layers import Linear, Weights, linear
from incongruent.networks.task import Task

MODEL = inc.Model(
    "normal", ["m"], [inc.Continuous("x")], dataset=lambda theta, n, rng: rng.normal(theta[0], 1, n)
)
SIMULATOR = inc.Simulator(MODEL, inc.Prior(m=stats.norm(0, 1)), inc.Design((5, 20)))


@dataclass(frozen=True, kw_only=True)
class Average(EncoderOptions):
    """Reads the mean of one number."""

    every_trial: ClassVar[bool] = False
    factor: float = 1.0

    def build(self, weights: Weights, task: Task, n_summaries: int) -> AverageEncoder:
        return AverageEncoder(
            last=linear(weights, 1, n_summaries), n_summaries=n_summaries, factor=self.factor
        )


class AverageEncoder(Encoder):
    ragged: ClassVar[bool] = True
    last: Linear
    n_summaries: int = eqx.field(static=True)
    factor: float = eqx.field(static=True)

    @property
    def bytes_per_trial(self) -> int:
        return 4

    def shape(self, n_trials: int) -> tuple[int, ...]:
        return (1,)

    def code(self, trials: Trials) -> Coded:
        value = np.where(trials.answered, trials.values["x"], 0.0).astype(np.float32)
        return Coded({"value": value}, {}, last_places(trials.present))

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        value = coded.by_trial["value"]
        runs = zip(rows, starts, sizes, strict=True)
        means = [value[row, start : start + size].mean() for row, start, size in runs]
        return np.array(means, np.float32)[:, None]

    def fitted(self, features: np.ndarray) -> AverageEncoder:
        return self

    def __call__(self, features: jax.Array, *, key: jax.Array | None = None) -> jax.Array:
        return self.last(self.factor * features)


@dataclass(frozen=True, kw_only=True)
class ShiftFlow(FlowOptions):
    """Shifts by what the context says."""

    n_layers: int = 1

    def build(self, weights: Weights, dim: int, context_dim: int) -> Flow:
        layers = [Shift(linear(weights, context_dim, dim)) for _ in range(self.n_layers)]
        return Flow(dim, context_dim, tuple(layers))


class Shift(Layer):
    head: Linear

    def forward(
        self, z: jax.Array, context: jax.Array, *, key: jax.Array | None = None
    ) -> tuple[jax.Array, jax.Array]:
        return z + self.head(context), jnp.zeros(())

    def inverse(self, u: jax.Array, context: jax.Array) -> tuple[jax.Array, jax.Array]:
        return u - self.head(context), jnp.zeros(())


def test_a_new_encoder_and_a_new_flow_train_save_and_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = inc.Architecture(Average(factor=2.0), ShiftFlow(n_layers=2), 3)
    posterior = inc.train(SIMULATOR, steps=3, seed=1, architecture=new, progress=False)
    posterior.save(tmp_path / "new")
    monkeypatch.setattr(architecture, "ENCODERS", (*architecture.ENCODERS, Average))
    monkeypatch.setattr(architecture, "FLOWS", (*architecture.FLOWS, ShiftFlow))
    loaded = inc.load_posterior(tmp_path / "new", model=MODEL)
    assert loaded.architecture == new
    assert eqx.tree_equal(loaded.estimator, posterior.estimator)
    study = SIMULATOR.simulate(3, seed=2).trials
    draws = loaded.sample(study, 200, seed=3)
    assert np.isfinite(draws.theta).all()
    density = loaded.log_prob(draws.theta[:, 0], study)
    np.testing.assert_allclose(density, draws.log_q[:, 0], atol=1e-4)


def test_what_can_be_chosen_is_what_files_know() -> None:
    assert {kind.__name__ for kind in architecture.ENCODERS} == set(encoders.__all__)
    assert {kind.__name__ for kind in architecture.FLOWS} == set(flows.__all__)
    assert all(issubclass(kind, EncoderOptions) for kind in architecture.ENCODERS)
    assert all(issubclass(kind, FlowOptions) for kind in architecture.FLOWS)


def test_something_else_than_an_option_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Expected a flow like inc.flows.CouplingFlow\(\)"):
        inc.Architecture(flow=Average())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Expected an encoder like inc.encoders.DeepSet\(\)"):
        inc.Architecture(encoder=ShiftFlow())  # type: ignore[arg-type]

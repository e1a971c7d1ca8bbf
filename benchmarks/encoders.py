"""What a training step costs as the number of trials grows: our encoders, and BayesFlow 2's networks of the same size in the same run.

    pip install -e ".[benchmark]"
    KERAS_BACKEND=jax python benchmarks/encoders.py [--sizes 100 300 1000] [--batch 64] [--repeats 10]

Milliseconds of one step (gradient, update) on a batch of data sets that all have n trials with an RT, a response and a condition; six parameters,
18 summaries, four spline couplings of 64 units. Width 64, two blocks; attention with 16 inducing points, four heads and two seeds. Compilation is not
counted. Median of the repeats.
"""

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np

import incongruent as inc
from incongruent.posterior import task_of
from incongruent.steps import Pace, fresh_state, learn
from incongruent.training import PosteriorPlan

SHARE = {"congruent": 0.5, "incongruent": 0.5}
OURS = {
    "HistogramEncoder": inc.encoders.Histogram(),
    "DeepSet": inc.encoders.DeepSet(width=64, n_blocks=2),
    "SetTransformer": inc.encoders.SetTransformer(width=64, n_blocks=2, n_inducing=16, n_heads=4, n_seeds=2),
}


def ours(name: str, n: int, batch: int) -> Callable[[], None]:
    """A step of ours."""
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(n, SHARE))
    architecture = inc.Architecture(OURS[name])
    plan = PosteriorPlan(task_of(simulator, architecture), architecture, simulator.prior)
    recipe = inc.Recipe(batch_size=batch)
    state = fresh_state(jax.random.key(1), plan, recipe)
    made = simulator.simulate(batch, seed=1)
    z, features = simulator.prior.to_real(made.theta).astype(np.float32), state.network.encoder.features(made.trials)
    pace = Pace(np.float32(1e-4), np.float32(0.9), np.int32(1))
    holder = [state]

    def step() -> None:
        holder[0], value = learn(holder[0], z, features, pace, jax.random.key(1), recipe)
        value.block_until_ready()

    return step


def bayesflow(kind: str, n: int, batch: int) -> Callable[[], None]:
    """A step of BayesFlow 2 on the same data."""
    import bayesflow as bf
    import keras

    simulator = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(n, SHARE))
    made = simulator.simulate(batch, seed=1)
    columns = [made.trials.values["rt"] / 1000.0, made.trials.values["response"], made.trials.values["condition"]]
    data = {"x": np.stack(columns, axis=-1).astype(np.float32), "z": simulator.prior.to_real(made.theta).astype(np.float32)}
    summary = (
        bf.networks.DeepSet(summary_dim=18, depth=2, mlp_widths_equivariant=(64, 64), mlp_widths_invariant_inner=(64, 64))
        if kind == "DeepSet"
        else bf.networks.SetTransformer(summary_dim=18, embed_dims=(64, 64), num_heads=(4, 4), num_inducing_points=16, num_seeds=2)
    )
    adapter = bf.Adapter().as_set("x").rename("z", "inference_variables").rename("x", "summary_variables")
    inference = bf.networks.CouplingFlow(transform="spline", depth=4, subnet_kwargs={"widths": (64, 64)})
    approximator = bf.ContinuousApproximator(adapter=adapter, inference_network=inference, summary_network=summary)
    approximator.compile(optimizer=keras.optimizers.Adam(1e-4))
    dataset = bf.datasets.OfflineDataset(data, batch_size=batch, adapter=adapter)

    def step() -> None:
        approximator.fit(dataset=dataset, epochs=1, verbose=0)

    return step


def milliseconds(step: Callable[[], None], repeats: int) -> float:
    """Median time of a step after two that are not counted."""
    step(), step()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return 1000.0 * float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--without-bayesflow", action="store_true")
    options = parser.parse_args()
    print(f"| ms a step of {options.batch} | " + " | ".join(f"n = {n}" for n in options.sizes) + " | last / first |")
    print("|---" * (len(options.sizes) + 2) + "|")
    rows = [(f"incongruent {name}", lambda n, name=name: ours(name, n, options.batch)) for name in OURS]
    if not options.without_bayesflow:
        rows += [(f"BayesFlow {kind}", lambda n, kind=kind: bayesflow(kind, n, options.batch)) for kind in ("DeepSet", "SetTransformer")]
    for label, make in rows:
        times = [milliseconds(make(n), options.repeats) for n in options.sizes]
        print(f"| {label} | " + " | ".join(f"{t:.1f}" for t in times) + f" | {times[-1] / times[0]:.1f} |", flush=True)


if __name__ == "__main__":
    main()

"""What a training step costs as the number of trials grows: our encoders, and BayesFlow 2's
networks of the same size in the same run.

    pip install -e ".[benchmark]"
    KERAS_BACKEND=jax python benchmarks/encoders.py [--sizes 100 300 1000] [--batch 64] [--repeats
    10]

Milliseconds of one step (gradient, update) on a batch of data sets that all have n trials with an
RT, a response and a condition; six parameters, 18 summaries, four spline couplings of 64 units.
Width 64, two blocks; attention with 16 inducing points, four heads and two seeds. Compilation is
not counted. Median of the repeats.

    KERAS_BACKEND=jax python benchmarks/encoders.py --as-a-user [--steps 100]

What a user waits for instead: 100 stored simulations of 699 trials with four columns, a set
transformer of width 32, six spline couplings, 32 summaries, MMD weight 1, batches of 16. Wall time
of the first 100 steps, compilation and validation included, each in a fresh process: with nothing
compiled yet, and in the next process. Import is in the second number of each row.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np

import incongruent as inc
from incongruent.posterior.posterior import task_of
from incongruent.training.step import Pace, learn, state_of
from incongruent.training.train import PosteriorPlan

SHARE = {"congruent": 0.5, "incongruent": 0.5}
OURS = {
    "HistogramEncoder": inc.encoders.Histogram(),
    "DeepSet": inc.encoders.DeepSet(width=64, n_blocks=2),
    "SetTransformer": inc.encoders.SetTransformer(
        width=64, n_blocks=2, n_inducing=16, n_heads=4, n_seeds=2
    ),
}


def ours(name: str, n: int, batch: int) -> Callable[[], None]:
    """A step of ours."""
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(n, SHARE))
    architecture = inc.Architecture(OURS[name])
    plan = PosteriorPlan(task_of(simulator, architecture), architecture, simulator.prior)
    recipe = inc.Recipe(batch_size=batch)
    state = state_of(plan.build(np.random.default_rng(1)), recipe)
    made = simulator.simulate(batch, seed=1)
    z, features = (
        simulator.prior.to_real(made.theta).astype(np.float32),
        state.network.encoder.features(made.trials),
    )
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
    columns = [
        made.trials.values["rt"] / 1000.0,
        made.trials.values["response"],
        made.trials.values["condition"],
    ]
    data = {
        "x": np.stack(columns, axis=-1).astype(np.float32),
        "z": simulator.prior.to_real(made.theta).astype(np.float32),
    }
    summary = (
        bf.networks.DeepSet(
            summary_dim=18,
            depth=2,
            mlp_widths_equivariant=(64, 64),
            mlp_widths_invariant_inner=(64, 64),
        )
        if kind == "DeepSet"
        else bf.networks.SetTransformer(
            summary_dim=18,
            embed_dims=(64, 64),
            num_heads=(4, 4),
            num_inducing_points=16,
            num_seeds=2,
        )
    )
    adapter = (
        bf.Adapter().as_set("x").rename("z", "inference_variables").rename("x", "summary_variables")
    )
    inference = bf.networks.CouplingFlow(
        transform="spline", depth=4, subnet_kwargs={"widths": (64, 64)}
    )
    approximator = bf.ContinuousApproximator(
        adapter=adapter, inference_network=inference, summary_network=summary
    )
    approximator.compile(optimizer=keras.optimizers.Adam(1e-4))
    dataset = bf.datasets.OfflineDataset(data, batch_size=batch, adapter=adapter)

    def step() -> None:
        approximator.fit(dataset=dataset, epochs=1, verbose=0)

    return step


def simulations() -> dict[str, np.ndarray]:
    """Stored elsewhere: 100 data sets of 699 trials, theta and columns by name."""
    rng, n, sets = np.random.default_rng(1), 699, 100
    theta = {
        "A": rng.gamma(4, 5, sets),
        "tau": rng.uniform(20, 200, sets),
        "mu_c": rng.normal(0.5, 0.1, sets),
        "b": rng.normal(60, 12, sets),
    }
    theta |= {"mu_R": rng.normal(340, 40, sets), "sd_R": rng.normal(35, 8, sets)}
    given = {"condition": np.arange(n) % 2, "side": np.arange(n) // 2 % 2}
    rt = (
        theta["mu_R"][:, None]
        + rng.gamma(4, 30, (sets, n))
        + theta["A"][:, None] * given["condition"]
    )
    return {**theta, **given, "rt": rt, "accuracy": (rng.random((sets, n)) < 0.9).astype(float)}


THETA = ("A", "tau", "mu_c", "b", "mu_R", "sd_R")
GIVEN = ("condition", "side", "rt", "accuracy")


def train_ours(data: dict[str, np.ndarray], steps: int) -> None:
    """With validation on a tenth, as by default."""
    stored = inc.simulations_from(
        {name: data[name] for name in THETA}, {name: data[name] for name in GIVEN} | {"number": 699}
    )
    architecture = inc.Architecture(
        inc.encoders.SetTransformer(width=32), inc.flows.CouplingFlow(n_layers=6), 32
    )
    inc.train(
        stored,
        steps=steps,
        seed=1,
        architecture=architecture,
        recipe=inc.Recipe(batch_size=16, mmd_weight=1.0),
        progress=False,
    )


def train_bayesflow(data: dict[str, np.ndarray], steps: int) -> None:
    """Ninety data sets in batches of 16 are six steps an epoch; validation on the other ten after
    each, as `fit_offline` does.
    """
    import bayesflow as bf

    shape = (100, 699)
    x = np.stack(
        [np.broadcast_to(data[name], shape) / (1000.0 if name == "rt" else 1.0) for name in GIVEN],
        axis=-1,
    ).astype(np.float32)
    z = np.stack([data[name] for name in THETA], axis=-1).astype(np.float32)
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    summary = bf.networks.SetTransformer(
        summary_dim=32,
        embed_dims=(32, 32),
        num_heads=(4, 4),
        mlp_widths=(32, 32),
        base_distribution="normal",
    )
    workflow = bf.BasicWorkflow(
        adapter=bf.Adapter()
        .as_set("x")
        .rename("z", "inference_variables")
        .rename("x", "summary_variables"),
        inference_network=bf.networks.CouplingFlow(transform="spline", depth=6),
        summary_network=summary,
    )
    parts = [{"x": x[rows], "z": z[rows]} for rows in (slice(90), slice(90, None))]
    workflow.fit_offline(
        parts[0], epochs=-(-steps // 6), batch_size=16, validation_data=parts[1], verbose=0
    )


def as_a_user(steps: int, without_bayesflow: bool) -> None:
    """A row for each package, and for each whether something was compiled before."""
    print(
        f"| as a user would: the first {steps} steps, compilation and validation included | s of"
        " training | s with import | s of processor |"
    )
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "INCONGRUENT_COMPILATION_CACHE": folder}
        names = ("incongruent", "incongruent, next process") + (
            () if without_bayesflow else ("BayesFlow", "BayesFlow, next process")
        )
        for name in names:
            command = [sys.executable, __file__, "--one", name.split(",")[0], "--steps", str(steps)]
            begun, processor = time.perf_counter(), os.times()
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            wall, after = time.perf_counter() - begun, os.times()
            used = (
                after.children_user
                + after.children_system
                - processor.children_user
                - processor.children_system
            )
            seconds = (
                f"{float(done.stdout.split()[-1]):.1f}"
                if done.returncode == 0
                else "failed: " + done.stderr.strip().splitlines()[-1]
            )
            print(f"| {name} | {seconds} | {wall:.1f} | {used:.1f} |", flush=True)


def one(name: str, steps: int) -> None:
    """Train in this process and print the seconds."""
    data, begun = simulations(), time.perf_counter()
    (train_ours if name == "incongruent" else train_bayesflow)(data, steps)
    print(time.perf_counter() - begun)


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
    parser.add_argument("--as-a-user", action="store_true")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--one", choices=("incongruent", "BayesFlow"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return one(options.one, options.steps)
    if options.as_a_user:
        return as_a_user(options.steps, options.without_bayesflow)
    print(
        f"| ms a step of {options.batch} | "
        + " | ".join(f"n = {n}" for n in options.sizes)
        + " | last / first |"
    )
    print("|---" * (len(options.sizes) + 2) + "|")
    rows = [
        (f"incongruent {name}", lambda n, name=name: ours(name, n, options.batch)) for name in OURS
    ]
    if not options.without_bayesflow:
        rows += [
            (f"BayesFlow {kind}", lambda n, kind=kind: bayesflow(kind, n, options.batch))
            for kind in ("DeepSet", "SetTransformer")
        ]
    for label, make in rows:
        times = [milliseconds(make(n), options.repeats) for n in options.sizes]
        print(
            f"| {label} | "
            + " | ".join(f"{t:.1f}" for t in times)
            + f" | {times[-1] / times[0]:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

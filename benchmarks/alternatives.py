"""incongruent against BayesFlow 2 and sbi: the same simulator, prior and test people, the same
seconds of training on the same cores.

    pip install -e ".[benchmark]"
    KERAS_BACKEND=jax python benchmarks/alternatives.py [--seconds 180] [--only incongruent sbi-npe
    …] [--people 200]

Everybody learns z, which is standard normal under the prior, from trials (RT in s, error,
incongruent) that our simulator makes; the log density is that of z. The others train for exactly
the 500 trials of the test; ours for 50 to 1000. Settings are those that the others' documentation
recommends, with one choice of the learning rate among three by the loss after a fifth of the
seconds (not counted). The number of steps is set by the time of a few steps after compilation,
since their schedules need to know it.

Nats: mean of log q - log prior at the truth. Seconds to draw: 1000 draws for 100 people, the second
call; ten times that for 10 people where flow matching draws.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import NamedTuple

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
from scipy import stats

import incongruent as inc
from incongruent.checks.network.recovery import LEVELS
from incongruent.simulation.simulator import Simulations

N_TRIALS = 500
SHARE = {"congruent": 0.5, "incongruent": 0.5}
PRIOR = inc.priors.schaefer2025()
TRAINING = inc.Simulator(inc.models.dmc(), PRIOR, inc.Design(N_TRIALS, SHARE))
BATCH = 64
DIM = len(PRIOR.names)


class Fitted(NamedTuple):
    """A trained competitor: draws of z (person, draw, parameter) and log q(z) (person,) for trials
    (person, trial, 3).
    """

    sample: Callable[[np.ndarray, int], np.ndarray]
    log_prob: Callable[[np.ndarray, np.ndarray], np.ndarray]
    note: str


def plain(simulations: Simulations) -> np.ndarray:
    """Trials (dataset, trial, 3) float32: RT in s, error, incongruent. The few trials outside the
    window repeat the data set's first one.
    """
    trials = simulations.trials
    columns = [
        trials.values["rt"] / 1000.0,
        trials.values["response"] == 1,
        trials.values["condition"] == 1,
    ]
    out = np.stack([np.asarray(column, np.float32) for column in columns], axis=-1)
    first = np.take_along_axis(out, trials.present.argmax(axis=1)[:, None, None], axis=1)
    return np.where(trials.present[..., None], out, first)


def batches(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Z (n, parameter) and trials (n, trial, 3)."""
    simulations = TRAINING.simulate(n, seed=seed)
    return PRIOR.to_real(simulations.theta).astype(np.float32), plain(simulations)


def bayesflow(kind: str) -> Callable[[float, np.ndarray], Fitted]:
    """SetTransformer or DeepSet with spline couplings, or flow matching; trained online."""

    def train(seconds: float, _: np.ndarray) -> Fitted:
        import bayesflow as bf
        import keras

        counter = iter(range(10**9))

        def simulate(batch_shape, **_):
            z, x = batches(int(batch_shape[0]), seed=50_000 + next(counter))
            return {"z": z, "x": x}

        def workflow(rate: float):
            deep_set = kind.startswith("deepset")
            more = {} if deep_set else {"num_inducing_points": 32}
            summaries = bf.networks.DeepSet if deep_set else bf.networks.SetTransformer
            summary = summaries(summary_dim=18, **more)
            inference = (
                bf.networks.FlowMatching()
                if kind.endswith("matching")
                else bf.networks.CouplingFlow(transform="spline")
            )
            adapter = (
                bf.Adapter()
                .as_set("x")
                .convert_dtype("float64", "float32")
                .rename("z", "inference_variables")
                .rename("x", "summary_variables")
            )
            simulator = bf.simulators.LambdaSimulator(simulate, is_batched=True)
            return bf.BasicWorkflow(
                simulator=simulator,
                adapter=adapter,
                inference_network=inference,
                summary_network=summary,
                initial_learning_rate=rate,
            )

        def fit(rate: float, n_steps: int):
            keras.utils.set_random_seed(1)
            flow = workflow(rate)
            history = flow.fit_online(
                epochs=1, num_batches_per_epoch=n_steps, batch_size=BATCH, verbose=0
            )
            return flow, float(history.history["loss"][-1])

        took = []
        for n_steps in (5, 25):  # compilation is in both
            begun = time.perf_counter()
            fit(5e-4, n_steps)
            took.append(time.perf_counter() - begun)
        step = max((took[1] - took[0]) / 20.0, 1e-3)
        trial = max(10, int(0.2 * seconds / step))
        losses = {rate: fit(rate, trial)[1] for rate in (2e-4, 5e-4, 1.5e-3)}
        rate = min(losses, key=losses.get)
        flow, _ = fit(rate, max(10, int(seconds / step)))

        def sample(x, n_draws):
            return np.asarray(flow.sample(conditions={"x": x}, num_samples=n_draws, verbose=0)["z"])

        def log_prob(z, x):
            return np.asarray(flow.log_prob({"z": z, "x": x})).reshape(-1)

        return Fitted(
            sample,
            log_prob,
            f"{int(seconds / step)} steps of {BATCH}, {step * 1000:.0f} ms a step, rate {rate:g}",
        )

    return train


def sbi(seconds: float, _: np.ndarray) -> Fitted:
    """Neural posterior estimation with a permutation-invariant embedding and a neural spline flow,
    on a fixed set of simulations.
    """
    import torch
    from sbi.inference import NPE
    from sbi.neural_nets import posterior_nn
    from sbi.neural_nets.embedding_nets import FCEmbedding, PermutationInvariantEmbedding

    n = 10_000
    z, x = (torch.as_tensor(array) for array in batches(n, seed=60_000))

    def run(rate: float, epochs: int):
        torch.manual_seed(1)
        embedding = PermutationInvariantEmbedding(
            FCEmbedding(3, output_dim=32, num_hiddens=64), trial_net_output_dim=32, output_dim=18
        )
        estimator = posterior_nn("nsf", embedding_net=embedding, z_score_x="none")
        inference = NPE(
            torch.distributions.MultivariateNormal(torch.zeros(DIM), torch.eye(DIM)),
            density_estimator=estimator,
            show_progress_bars=False,
        )
        inference.append_simulations(z, x)
        network = inference.train(
            max_num_epochs=epochs, training_batch_size=200, learning_rate=rate
        )
        return inference, network, float(inference.summary["best_validation_loss"][-1])

    begun = time.perf_counter()
    run(5e-4, 1)
    epoch = (time.perf_counter() - begun) / 2.0  # the last epoch's number is counted from 0
    tried = {
        rate: run(rate, max(1, int(0.2 * seconds / epoch)))[2] for rate in (2e-4, 5e-4, 1.5e-3)
    }
    rate = min(tried, key=tried.get)
    inference, network, _ = run(rate, max(1, int(seconds / epoch)))
    posterior = inference.build_posterior(network)

    def sample(x, n_draws):
        return (
            posterior.sample_batched((n_draws,), x=torch.as_tensor(x), show_progress_bars=False)
            .numpy()
            .swapaxes(0, 1)
        )

    def log_prob(z, x):
        with torch.no_grad():
            return network.log_prob(
                torch.as_tensor(z, dtype=torch.float32)[None], condition=torch.as_tensor(x)
            ).numpy()[0]

    epochs = len(inference.summary["validation_loss"])
    return Fitted(
        sample, log_prob, f"{n} simulations, {epochs} epochs, {epoch:.1f} s an epoch, rate {rate:g}"
    )


def ours(seconds: float, _: np.ndarray) -> inc.Posterior:
    """Trained as `incongruent train` does, for 50 to 1000 trials."""
    simulator = inc.Simulator(inc.models.dmc(), PRIOR, inc.Design((50, 1000), SHARE))
    return inc.train(simulator, minutes=seconds / 60.0, seed=1, progress=False)


def measured(theta: np.ndarray, draws: np.ndarray, gain: np.ndarray) -> list[str]:
    """Nats, mean NRMSE over parameters, largest calibration error."""
    mean, truth = draws.mean(axis=1), theta
    nrmse = np.sqrt(((mean - truth) ** 2).mean(axis=0)) / truth.std(axis=0)
    central = np.abs(2.0 * (draws < truth[:, None]).mean(axis=1) - 1.0)
    error = np.abs((central[None] <= LEVELS[:, None, None]).mean(axis=1) - LEVELS[:, None]).mean(
        axis=0
    )
    return [
        f"{gain.mean():.2f} ± {gain.std() / np.sqrt(len(gain)):.2f}",
        f"{nrmse.mean():.2f}",
        f"{error.max():.3f}",
    ]


METHODS: dict[str, Callable] = {
    "incongruent": ours,
    "bayesflow-deepset-coupling": bayesflow("deepset-coupling"),
    "bayesflow-settransformer-coupling": bayesflow("settransformer-coupling"),
    "bayesflow-settransformer-matching": bayesflow("settransformer-matching"),
    "sbi-npe": sbi,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS))
    options = parser.parse_args()
    test = inc.Simulator(inc.models.dmc(dt=1.0), PRIOR, inc.Design(N_TRIALS, SHARE)).simulate(
        options.people, seed=777
    )
    x, z = plain(test), PRIOR.to_real(test.theta)
    print(
        "| method | seconds | nats | mean NRMSE | largest calibration error | 1000 draws × 100"
        " people, s | settings |\n|---|---|---|---|---|---|---|"
    )
    for name in options.only:
        for seconds in (
            [options.seconds / 3.0, options.seconds] if name == "incongruent" else [options.seconds]
        ):
            fitted = METHODS[name](seconds, x)
            if isinstance(fitted, inc.Posterior):
                some = test.trials.select(range(min(100, options.people)))
                fitted.sample(some, 1000, seed=1)
                begun = time.perf_counter()
                fitted.sample(some, 1000, seed=2)
                took = time.perf_counter() - begun
                draws = fitted.sample(test.trials, 500, seed=3).theta
                gain = fitted.log_prob(test.theta, test.trials) - PRIOR.log_prob(test.theta)
                last = fitted.history.evaluations[-1]
                note = f"{last.step} steps of 256"
            else:
                # minutes, and proportional to people
                n_timed = 10 if name.endswith("matching") else 100
                fitted.sample(x[:n_timed], 1000)
                begun = time.perf_counter()
                fitted.sample(x[:n_timed], 1000)
                took = (time.perf_counter() - begun) * 100 / n_timed
                draws = PRIOR.from_real(fitted.sample(x, 500).astype(float))
                gain = fitted.log_prob(z.astype(np.float32), x).astype(float) - stats.norm.logpdf(
                    z
                ).sum(axis=1)
                note = fitted.note
            print(
                f"| {name} | {seconds:.0f} | {' | '.join(measured(test.theta, draws, gain))} |"
                f" {took:.1f} | {note} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""Trains the network that ships. Run: python tools/train_shipped.py [--minutes 40] [--out
src/incongruent/pretrained/dmc.safetensors]

An interrupted run goes on from its checkpoint when the same command is given again.
"""

import argparse
from pathlib import Path

import incongruent as inc
from incongruent.checks.network.quality import with_quality

TARGET = Path(__file__).parents[1] / "src" / "incongruent" / "pretrained" / "dmc.safetensors"
SEED = 2026


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    design = inc.Design((20, 2000), {"congruent": (0.2, 0.8), "incongruent": (0.2, 0.8)})
    simulator = inc.Simulator(inc.models.dmc(), inc.priors.broad(), design)
    architecture = inc.Architecture(
        encoder=inc.encoders.Histogram(n_knots=48, width=384),
        flow=inc.flows.CouplingFlow(n_layers=6),
    )
    recipe = inc.Recipe(buffer_bytes=900_000_000, reuse=8.0)
    checkpoint = options.out.with_suffix(".checkpoint")
    posterior = inc.train(
        simulator,
        minutes=options.minutes,
        seed=SEED,
        architecture=architecture,
        recipe=recipe,
        checkpoint=checkpoint,
    )
    print(posterior.history)
    posterior.save(options.out)
    posterior = with_quality(posterior, n_datasets=6000, seed=SEED + 1)
    posterior.save(options.out)


if __name__ == "__main__":
    main()

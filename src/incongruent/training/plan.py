"""What a posterior's network is to learn, q(theta | trials), and a trial run of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np

from incongruent.data.trials import Trials
from incongruent.networks.architecture import Architecture, architecture_to_json
from incongruent.networks.estimator import Estimator, build_estimator, loss
from incongruent.networks.layers import Weights
from incongruent.networks.task import Task
from incongruent.priors.joint import AnyPrior


@dataclass(frozen=True)
class PosteriorPlan:
    """Learn q(theta | trials).

    Attributes:
        task: what is read and estimated.
        architecture: of the network.
        prior: of theta.
    """

    task: Task
    architecture: Architecture
    prior: AnyPrior

    def __hash__(self) -> int:
        return hash((self.task, self.architecture))

    def build(self, weights: Weights) -> Estimator:
        """An untrained estimator."""
        return build_estimator(weights, self.task, self.architecture)

    def baseline(self, z: np.ndarray) -> float:
        """Mean -log p(z) under the prior.

        Where the prior's density is unknown, it is that of a standard normal distribution.
        """
        if self.prior.has_density:
            return float(-np.mean(self.prior.log_prob_real(z)))
        squares = np.mean(0.5 * np.sum(z**2, axis=1))
        return float(squares + 0.5 * z.shape[1] * math.log(2.0 * math.pi))

    def describe(self) -> dict[str, Any]:
        """The architecture."""
        return {"architecture": architecture_to_json(self.architecture)}

    def dry_run(self, few: Trials) -> None:
        """Encoder, flow and loss on a few data sets, in shapes alone.

        So what does not fit is refused before anything is compiled.

        Raises:
            ValueError: when features are not finite.
        """
        network = self.build(None)
        features = network.encoder.features(few)
        if not np.isfinite(features).all():
            raise ValueError(
                "Expected finite features of every data set; got some that are not. Look at the"
                " columns with incongruent.to_frame."
            )
        z = np.zeros((len(few), self.task.n_parameters), np.float32)
        eqx.filter_eval_shape(loss, network, z, features, 0.0, jax.random.key(0))

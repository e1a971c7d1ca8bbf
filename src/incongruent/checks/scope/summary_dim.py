"""How many summaries does a network really use, and how many are enough?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from incongruent.checks.scope.summary_space import (
    VARIANCE,
    components_for,
    components_of,
    simulated_summaries,
)
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, child
from incongruent.posterior.posterior import Posterior
from incongruent.training.train import train

Array = np.ndarray

NEARLY = 0.02
"""By how much R² over all components, or nats, may be missed."""
RULE = 2
"""Summaries for each parameter by the field's rule of thumb (Schmitt et al., arXiv 2112.08866, and
others).
"""


@dataclass(frozen=True, eq=False)
class SummaryDim:
    """How many summaries a network uses.

    Attributes:
        used: summaries of the network.
        rule_of_thumb: two for each parameter.
        for_variance: principal components that hold 99 % of the variance.
        for_parameters: leading components from which parameters are predicted as well as from all,
            up to 0.02 in mean R².
        r_squared: (component,) mean over parameters of R², on data sets not learned from, from so
            many leading components (linear and squares).
        suggested: the larger of the two counts, at least one for each parameter; of the retrained
            networks, when there are any, the smallest that is within 0.02 nats of the best.
        retrained: for each number of summaries that was trained, its validation loss in nats; empty
            without retraining.
    """

    used: int
    rule_of_thumb: int
    for_variance: int
    for_parameters: int
    r_squared: Float[Array, " component"]
    suggested: int
    retrained: Mapping[int, float]

    def __str__(self) -> str:
        return (
            f"Of {self.used} summaries {self.for_variance} components hold {VARIANCE:.0%} of the"
            f" variance, and {self.for_parameters} tell as much about the parameters as all; the"
            f" rule of thumb is {self.rule_of_thumb}. Suggested: {self.suggested}."
            f"{self._words_of_retraining}"
        )

    @property
    def _words_of_retraining(self) -> str:
        if not self.retrained:
            return ""
        losses = ", ".join(f"{n} summaries {loss:.2f} nats" for n, loss in self.retrained.items())
        return f" Retrained: {losses}."


@checked_names
def suggest_summary_dim(
    posterior: Posterior,
    *,
    n_simulated: int = 2000,
    retrain: int | None = None,
    per_parameter: Sequence[int] = (1, 2, 3, 4),
    seed: int,
) -> SummaryDim:
    """Estimate how many summaries are enough.

    The estimate is from the components of those that there are; to be sure, from training with
    fewer and more.

    Args:
        posterior: whose summaries.
        n_simulated: data sets from its own prior and design.
        retrain: steps of training for each number of summaries, from the posterior's simulator, all
            with the same simulations; None trains nothing.
        per_parameter: numbers of summaries for each parameter to train with.
        seed: of simulations and training.

    Raises:
        ValueError: for too few simulations.

    Example:
        >>> import incongruent as inc
        >>> suggest_summary_dim(inc.pretrained(), n_simulated=200, seed=1).rule_of_thumb
        12
    """
    own, summaries = simulated_summaries(
        posterior, [], None, n_simulated, child(seed, Purpose.SUMMARY_DATA)
    )
    n_parameters, used = len(posterior.simulator.prior.names), summaries.shape[1]
    _require_simulations(n_simulated, used)
    components = components_of(summaries)
    theta = posterior.simulator.prior.to_real(own.theta)
    r_squared = _r_squared_by_number(components.of(summaries), theta)
    for_variance = components_for(components.explained, slack=1e-12)
    for_parameters = _first_nearly_best(r_squared)
    losses = _losses_of_retrained(posterior, retrain, per_parameter, seed)
    return SummaryDim(
        used=used,
        rule_of_thumb=RULE * n_parameters,
        for_variance=for_variance,
        for_parameters=for_parameters,
        r_squared=r_squared,
        suggested=_smallest_good(losses) or max(for_variance, for_parameters, n_parameters),
        retrained=losses,
    )


def _require_simulations(n_simulated: int, n_summaries: int) -> None:
    """Raise ValueError for too few simulations to judge so many summaries."""
    if n_simulated < 6 * n_summaries:
        raise ValueError(
            f"Expected at least six simulations for each of the {n_summaries} summaries; got"
            f" n_simulated={n_simulated}. Ask for more."
        )


def _first_nearly_best(r_squared: Float[Array, " component"]) -> int:
    """The smallest number of components whose R² is nearly the best."""
    return int(np.argmax(r_squared >= r_squared.max() - NEARLY) + 1)


def _smallest_good(losses: Mapping[int, float]) -> int | None:
    """The smallest number of summaries whose loss is nearly the best; None without retraining."""
    best = min(losses.values(), default=0.0)
    return min((n for n, loss in losses.items() if loss <= best + NEARLY), default=None)


def _losses_of_retrained(
    posterior: Posterior, steps: int | None, per_parameter: Sequence[int], seed: int
) -> dict[int, float]:
    """Validation losses by number of summaries; empty without steps of training."""
    if steps is None:
        return {}
    sizes = [n * len(posterior.simulator.prior.names) for n in per_parameter]
    return _losses_with(posterior, sizes, steps, child(seed, Purpose.SUMMARY_TRAINING))


def _losses_with(
    posterior: Posterior, sizes: Sequence[int], steps: int, seed: int
) -> dict[int, float]:
    """The best validation loss of networks with other numbers of summaries, by that number."""
    return {n: _loss_with(posterior, n, steps, seed) for n in sizes}


def _loss_with(posterior: Posterior, n_summaries: int, steps: int, seed: int) -> float:
    """The best validation loss of a network with so many summaries."""
    architecture = replace(posterior.architecture, n_summaries=n_summaries)
    trained = train(
        posterior.simulator, steps=steps, seed=seed, architecture=architecture, progress=False
    )
    assert trained.history is not None
    return float(trained.history.best.best)


def _r_squared_by_number(points: Array, theta: Array) -> Array:
    """`_r_squared` from the first component, the first two, and so on, (component,)."""
    return np.array([_r_squared(points[:, :k], theta) for k in range(1, points.shape[1] + 1)])


def _r_squared(points: Array, theta: Array) -> float:
    """The mean over parameters of R² of a regression on points and their squares.

    It is fitted to the first half of the data sets and judged on the second.
    """
    design, half = _design_matrix(points), len(points) // 2
    slopes = np.linalg.lstsq(design[:half], theta[:half], rcond=None)[0]
    judged = theta[half:]
    return float(np.mean(_shares_explained(judged, design[half:] @ slopes)))


def _shares_explained(theta: Array, predicted: Array) -> Array:
    """R² of each parameter, (parameter,)."""
    total = theta - theta.mean(axis=0)
    return 1.0 - _sum_of_squares(theta - predicted) / _sum_of_squares(total)


def _design_matrix(points: Float[Array, "dataset component"]) -> Float[Array, "dataset feature"]:
    """1, the points and their squares, (dataset, feature)."""
    return np.concatenate([np.ones((len(points), 1)), points, points**2], axis=1)


def _sum_of_squares(x: Float[Array, "dataset parameter"]) -> Float[Array, " parameter"]:
    """The sum of squares over data sets, (parameter,)."""
    return (x**2).sum(axis=0)

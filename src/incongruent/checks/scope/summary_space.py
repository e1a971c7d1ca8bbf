r"""Where simulated and observed data sets lie in the space of learned summaries, and how many
summaries a network really uses.

Principal components are those of the simulations, in the network's own units, which give weight to
what tells about theta; everything else is laid into the same axes. A component that goes along with
a parameter says which parameter a study's distance lies in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from incongruent.checks.replicas import in_parts, simulator_with
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials, concatenate, select
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import Simulations
from incongruent.training.train import train

Array = np.ndarray

OWN_PRIOR = "simulated"
VARIANCE = 0.99
"""Share of the variance that informative components hold together."""
NEARLY = 0.02
"""By how much R² over all components, or nats, may be missed."""
RULE = 2
"""Summaries for each parameter by the field's rule of thumb (Schmitt et al., arXiv 2112.08866, and
others).
"""


@dataclass(frozen=True, eq=False)
class SummarySpace:
    """Data sets on the principal components of simulated summaries.

    Attributes:
        points: for each set of data sets its place, (dataset, component); "simulated" comes first,
            then other priors, then studies.
        explained: (component,) share of the simulations' variance, from the largest.
        correlation: (component, parameter) of each component with each parameter, over the
            simulations.
        parameter_names: the columns of ``correlation``.
        studies: which of the sets are observed.
        seed: of the simulations.
    """

    points: Mapping[str, Array]
    explained: Array
    correlation: Array
    parameter_names: tuple[str, ...]
    studies: tuple[str, ...]
    seed: int

    def table(self) -> pd.DataFrame:
        """One row per component: component, explained, together (cumulated), and the correlation
        with each parameter.
        """
        n = len(self.explained)
        frame = pd.DataFrame(
            {
                "component": np.arange(1, n + 1),
                "explained": self.explained,
                "together": np.cumsum(self.explained),
            }
        )
        return frame.join(pd.DataFrame(self.correlation, columns=list(self.parameter_names)))

    def most_like(self, component: int) -> tuple[str, float]:
        """The parameter that a component (from 0) goes along with most, and its correlation."""
        i = int(np.argmax(np.abs(self.correlation[component])))
        return self.parameter_names[i], float(self.correlation[component, i])

    def places(self) -> pd.DataFrame:
        """Mean and SD of each other set on each component, in SDs of the simulations: columns set,
        component, mean, sd.
        """
        own = self.points[OWN_PRIOR]
        mean, sd = own.mean(axis=0), np.maximum(own.std(axis=0), 1e-300)
        rows = []
        for name, points in self.points.items():
            if name != OWN_PRIOR:
                white = (points - mean) / sd
                rows += [
                    (name, k + 1, m, s)
                    for k, (m, s) in enumerate(
                        zip(white.mean(axis=0), white.std(axis=0), strict=True)
                    )
                ]
        return pd.DataFrame(rows, columns=["set", "component", "mean", "sd"])

    def __str__(self) -> str:
        n = int(np.searchsorted(np.cumsum(self.explained), VARIANCE) + 1)
        first = ", ".join(
            f"{share:.0%} ({name} r = {r:+.2f})"
            for share, (name, r) in zip(
                self.explained[:3], map(self.most_like, range(3)), strict=False
            )
        )
        text = (
            f"{n} of {len(self.explained)} components hold {VARIANCE:.0%} of the variance of"
            f" simulated summaries; the first: {first}."
        )
        places = self.places()
        for name in [name for name in self.points if name != OWN_PRIOR]:
            mine = places[places["set"] == name]
            far = mine.iloc[int(np.abs(np.asarray(mine["mean"])).argmax())]
            text += (
                f" {name}: farthest on component {int(far['component'])}, {far['mean']:+.1f} ±"
                f" {far['sd']:.1f} SD."
            )
        return text


@checked_names
def summary_space(
    posterior: Posterior,
    studies: Mapping[str, Trials],
    *,
    priors: Mapping[str, AnyPrior] | None = None,
    n_simulated: int = 2000,
    seed: int,
) -> SummarySpace:
    """Lay simulated data sets, several studies, and simulations from other priors side by side.

    Args:
        posterior: whose summaries.
        studies: by name; may be empty.
        priors: others to simulate from, by name.
        n_simulated: data sets from each prior; of the designs of all people of the studies in turn,
            of the posterior's own design without studies.
        seed: of the simulations.

    Raises:
        ScopeError: when nobody of a study is within what the network was trained for.
        ValueError: for too few simulations, or names given twice.

    Example:
        >>> import incongruent as inc
        >>> space = summary_space(inc.pretrained(), {}, n_simulated=100, seed=1)
        >>> space.points["simulated"].shape, space.correlation.shape
        ((100, 18), (18, 6))
    """
    priors = dict(priors or {})
    if {OWN_PRIOR, *studies} & set(priors) or OWN_PRIOR in studies:
        raise ValueError(
            f"Expected different names for studies and priors, and none {OWN_PRIOR!r}; got"
            f" {[*studies, *priors]}. Rename one."
        )
    own, summaries = _simulated(
        posterior, list(studies.values()), None, n_simulated, child(seed, Purpose.SUMMARY_DATA)
    )
    if len(summaries) <= summaries.shape[1]:
        raise ValueError(
            f"Expected more simulations than the {summaries.shape[1]} summaries; got"
            f" n_simulated={n_simulated}. Ask for more."
        )
    mean, vectors, explained = _components(summaries)

    def place(values: Array) -> Array:
        return (values - mean) @ vectors

    points = {OWN_PRIOR: place(summaries)}
    for k, (name, prior) in enumerate(priors.items()):
        points[name] = place(
            _simulated(
                posterior,
                list(studies.values()),
                prior,
                n_simulated,
                child(seed, Purpose.SUMMARY_OTHER_PRIOR, k),
            )[1]
        )
    points |= {
        name: place(posterior.summaries(study).astype(float)) for name, study in studies.items()
    }
    theta = posterior.simulator.prior.to_real(own.theta)
    n = theta.shape[1]
    with np.errstate(invalid="ignore"):
        correlation = np.nan_to_num(np.corrcoef(points[OWN_PRIOR], theta, rowvar=False)[:-n, -n:])
    return SummarySpace(
        points, explained, correlation, posterior.simulator.prior.names, tuple(studies), seed
    )


@dataclass(frozen=True, eq=False)
class SummaryDim:
    """How many summaries a network uses.

    Attributes:
        used: summaries of the network.
        rule_of_thumb: two for each parameter.
        for_variance: principal components that hold 99 % of the variance.
        for_parameters: leading components from which parameters are predicted as well as from all,
            up to .02 in mean R².
        r_squared: (component,) mean over parameters of R², on data sets not learned from, from so
            many leading components (linear and squares).
        suggested: the larger of the two counts, at least one for each parameter; of the retrained
            networks, when there are any, the smallest that is within .02 nats of the best.
        retrained: for each number of summaries that was trained, its validation loss in nats; empty
            without retraining.
    """

    used: int
    rule_of_thumb: int
    for_variance: int
    for_parameters: int
    r_squared: Array
    suggested: int
    retrained: Mapping[int, float]

    def __str__(self) -> str:
        text = (
            f"Of {self.used} summaries {self.for_variance} components hold {VARIANCE:.0%} of the"
            f" variance, and {self.for_parameters} tell as much about the parameters as all; the"
            f" rule of thumb is {self.rule_of_thumb}. Suggested: {self.suggested}."
        )
        if self.retrained:
            text += (
                " Retrained: "
                + ", ".join(f"{n} summaries {loss:.2f} nats" for n, loss in self.retrained.items())
                + "."
            )
        return text


@checked_names
def suggest_summary_dim(
    posterior: Posterior,
    *,
    n_simulated: int = 2000,
    retrain: int | None = None,
    per_parameter: Sequence[int] = (1, 2, 3, 4),
    seed: int,
) -> SummaryDim:
    """How many summaries are enough? From the components of those that there are; to be sure, by
    training with fewer and more.

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
    own, summaries = _simulated(posterior, [], None, n_simulated, child(seed, Purpose.SUMMARY_DATA))
    n_parameters, used = len(posterior.simulator.prior.names), summaries.shape[1]
    if n_simulated < 6 * used:
        raise ValueError(
            f"Expected at least six simulations for each of the {used} summaries; got"
            f" n_simulated={n_simulated}. Ask for more."
        )
    mean, vectors, explained = _components(summaries)
    points = (summaries - mean) @ vectors
    theta = posterior.simulator.prior.to_real(own.theta)
    r_squared = np.array([_r_squared(points[:, :k], theta) for k in range(1, used + 1)])
    for_variance = int(np.searchsorted(np.cumsum(explained), VARIANCE - 1e-12) + 1)
    for_parameters = int(np.argmax(r_squared >= r_squared.max() - NEARLY) + 1)
    suggested, losses = max(for_variance, for_parameters, n_parameters), {}
    if retrain is not None:
        losses = {
            n * n_parameters: _loss_with(
                posterior, n * n_parameters, retrain, child(seed, Purpose.SUMMARY_TRAINING)
            )
            for n in per_parameter
        }
        suggested = min(n for n, loss in losses.items() if loss <= min(losses.values()) + NEARLY)
    return SummaryDim(
        used, RULE * n_parameters, for_variance, for_parameters, r_squared, suggested, losses
    )


def _loss_with(posterior: Posterior, n_summaries: int, steps: int, seed: int) -> float:
    """The best validation loss of a network with so many summaries."""
    architecture = replace(posterior.architecture, n_summaries=n_summaries)
    trained = train(
        posterior.simulator, steps=steps, seed=seed, architecture=architecture, progress=False
    )
    assert trained.history is not None
    return float(trained.history.best.best)


def _simulated(
    posterior: Posterior, studies: Sequence[Trials], prior: AnyPrior | None, n: int, seed: int
) -> tuple[Simulations, Array]:
    """Simulations, of the designs of all people in random order or of the simulator's own, and
    their summaries (dataset, summary).
    """
    simulator = simulator_with(posterior, prior)
    if not studies:
        own = simulator.simulate(n, seed=seed)
        own = own.select(np.flatnonzero(own.trials.n_trials > 0))
        return own, posterior.summaries(own.trials).astype(float)
    people = concatenate([posterior.admit(study).trials for study in studies])
    order = stream(seed, Purpose.SUMMARY_ORDER).permutation(-(-n // len(people)) * len(people))
    if len(people) > n:
        people, order = select(people, order[:n]), np.arange(n)
    parts = list(in_parts(simulator, people, -(-n // len(people)), seed=seed))
    summaries = np.concatenate([posterior.summaries(part.trials) for part in parts]).astype(float)
    together = parts[0]
    for part in parts[1:]:
        together = together.joined(part)
    return together.select(order[:n]), summaries[order[:n]]


def _components(summaries: Array) -> tuple[Array, Array, Array]:
    """Mean, directions (summary, component) from the largest, signed so that their largest entry is
    positive, and shares of the variance.
    """
    dim = summaries.shape[1]
    values, vectors = np.linalg.eigh(np.cov(summaries, rowvar=False).reshape(dim, dim))
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(dim)])
    return summaries.mean(axis=0), vectors * signs, values / values.sum()


def _r_squared(points: Array, theta: Array) -> float:
    """Mean over parameters of R² on the second half, of a regression on points and their squares
    that was fitted to the first.
    """
    design = np.concatenate([np.ones((len(points), 1)), points, points**2], axis=1)
    half = len(points) // 2
    found = np.linalg.lstsq(design[:half], theta[:half], rcond=None)[0]
    left, there = theta[half:] - design[half:] @ found, theta[half:] - theta[half:].mean(axis=0)
    return float(np.mean(1.0 - (left**2).sum(axis=0) / (there**2).sum(axis=0)))

r"""Where simulated and observed data sets lie in the space of learned summaries.

Principal components are those of the simulations, in the network's own units, which give weight to
what is informative about theta; everything else is projected onto the same axes. The parameter that
a component correlates with most says in which parameter a study lies far away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
from jaxtyping import Float

from incongruent.checks.replicas import in_parts, simulator_with
from incongruent.checks.scope.design_groups import simulations_each
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials, concatenate
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import Simulations, Simulator

Array = np.ndarray

OWN_PRIOR = "simulated"
VARIANCE = 0.99
"""Share of the variance that informative components hold together."""


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

    points: Mapping[str, Float[Array, "_ component"]]
    explained: Float[Array, " component"]
    correlation: Float[Array, "component parameter"]
    parameter_names: tuple[str, ...]
    studies: tuple[str, ...]
    seed: int

    def table(self) -> pd.DataFrame:
        """One row per component.

        Columns: component, explained, together (cumulated), and the correlation with each
        parameter.
        """
        return self._shares_of_variance().join(self._correlations())

    def _shares_of_variance(self) -> pd.DataFrame:
        """The components by number, and what they explain alone and with those before."""
        columns = {
            "component": np.arange(1, len(self.explained) + 1),
            "explained": self.explained,
            "together": np.cumsum(self.explained),
        }
        return pd.DataFrame(columns)

    def _correlations(self) -> pd.DataFrame:
        """The correlations, one row per component and one column per parameter."""
        return pd.DataFrame(self.correlation, columns=list(self.parameter_names))

    def most_like(self, component: int) -> tuple[str, float]:
        """The parameter that a component (from 0) correlates with most, and that correlation."""
        i = int(np.argmax(np.abs(self.correlation[component])))
        return self.parameter_names[i], float(self.correlation[component, i])

    def places(self) -> pd.DataFrame:
        """Mean and SD of each other set on each component, in SDs of the simulations.

        Columns: set, component, mean, sd.
        """
        rows = [row for name in self._other_sets for row in self._places_of(name)]
        return pd.DataFrame(rows, columns=["set", "component", "mean", "sd"])

    def _places_of(self, name: str) -> list[tuple[str, int, float, float]]:
        """Rows of `places` for one set."""
        white = self._in_sds_of_simulations(self.points[name])
        moments = zip(white.mean(axis=0), white.std(axis=0), strict=True)
        return [(name, k, mean, sd) for k, (mean, sd) in enumerate(moments, 1)]

    def _in_sds_of_simulations(self, points: Array) -> Array:
        """Points less the mean of the simulations, in their SDs, (dataset, component)."""
        own = self.points[OWN_PRIOR]
        return (points - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-300)

    @property
    def _other_sets(self) -> list[str]:
        return [name for name in self.points if name != OWN_PRIOR]

    def __str__(self) -> str:
        others = [_farthest(name, part) for name, part in self.places().groupby("set", sort=False)]
        return "".join([self._words_of_components(), *others])

    def _words_of_components(self) -> str:
        n, first = components_for(self.explained), range(min(3, len(self.explained)))
        return (
            f"{n} of {len(self.explained)} components hold {VARIANCE:.0%} of the variance of"
            f" simulated summaries; the first: {', '.join(map(self._words_of_component, first))}."
        )

    def _words_of_component(self, component: int) -> str:
        """Its share of the variance, and the parameter that it is most like."""
        name, r = self.most_like(component)
        return f"{self.explained[component]:.0%} ({name} r = {r:+.2f})"


def _farthest(name: object, places: pd.DataFrame) -> str:
    """The component on which a set lies farthest from the simulations, as a sentence."""
    distance = np.abs(np.asarray(places["mean"]))
    far = places.iloc[int(distance.argmax())]
    return (
        f" {name}: farthest on component {int(far['component'])}, {far['mean']:+.1f} ±"
        f" {far['sd']:.1f} SD."
    )


@checked_names
def summary_space(
    posterior: Posterior,
    studies: Mapping[str, Trials],
    *,
    priors: Mapping[str, AnyPrior] | None = None,
    n_simulated: int = 2000,
    seed: int,
) -> SummarySpace:
    """Compare simulated data sets, several studies, and simulations from other priors.

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
    _require_different_names(studies, priors)
    people = list(studies.values())
    own, summaries = simulated_summaries(
        posterior, people, None, n_simulated, child(seed, Purpose.SUMMARY_DATA)
    )
    _require_more_than_summaries(summaries, n_simulated)
    components = components_of(summaries)
    others = _summaries_under(priors, posterior, people, n_simulated, seed)
    observed = {name: _summaries(posterior, study) for name, study in studies.items()}
    sets = {OWN_PRIOR: summaries, **others, **observed}
    points = {name: components.of(found) for name, found in sets.items()}
    theta = posterior.simulator.prior.to_real(own.theta)
    return SummarySpace(
        points=points,
        explained=components.explained,
        correlation=_correlation(points[OWN_PRIOR], theta),
        parameter_names=posterior.simulator.prior.names,
        studies=tuple(studies),
        seed=seed,
    )


def _require_different_names(studies: Mapping[str, Trials], priors: Mapping[str, AnyPrior]) -> None:
    """Raise ValueError unless every set of data sets has a name of its own."""
    if {OWN_PRIOR, *studies} & set(priors) or OWN_PRIOR in studies:
        raise ValueError(
            f"Expected different names for studies and priors, and none {OWN_PRIOR!r}; got"
            f" {[*studies, *priors]}. Rename one."
        )


def _require_more_than_summaries(summaries: Array, n_simulated: int) -> None:
    """Raise ValueError for fewer data sets than the components of summaries need."""
    if len(summaries) <= summaries.shape[1]:
        raise ValueError(
            f"Expected more simulations than the {summaries.shape[1]} summaries; got"
            f" n_simulated={n_simulated}. Ask for more."
        )


def _summaries_under(
    priors: Mapping[str, AnyPrior],
    posterior: Posterior,
    people: Sequence[Trials],
    n: int,
    seed: int,
) -> dict[str, Float[Array, "_ summary"]]:
    """Summaries of n simulations from each prior, by its name, (dataset, summary)."""
    found: dict[str, Array] = {}
    for k, (name, prior) in enumerate(priors.items()):
        other_seed = child(seed, Purpose.SUMMARY_OTHER_PRIOR, k)
        found[name] = simulated_summaries(posterior, people, prior, n, other_seed)[1]
    return found


def _summaries(posterior: Posterior, trials: Trials) -> Float[Array, "dataset summary"]:
    """Summaries in double precision, (dataset, summary)."""
    return posterior.summaries(trials).astype(float)


def _correlation(points: Array, theta: Array) -> Array:
    """Correlations (component, parameter); 0 for a component or parameter that does not vary."""
    n = theta.shape[1]
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.corrcoef(points, theta, rowvar=False)[:-n, -n:])


def simulated_summaries(
    posterior: Posterior, studies: Sequence[Trials], prior: AnyPrior | None, n: int, seed: int
) -> tuple[Simulations, Float[Array, "dataset summary"]]:
    """N simulations and their summaries (dataset, summary).

    They are of the designs of all people of the studies in random order, or of the simulator's own
    without studies.
    """
    simulator = simulator_with(posterior, prior)
    if not studies:
        own = _with_trials(simulator.simulate(n, seed=seed))
        return own, _summaries(posterior, own.trials)
    people = concatenate([posterior.admit(study).trials for study in studies])
    return _summaries_of_designs(posterior, simulator, people, n, seed)


def _with_trials(simulations: Simulations) -> Simulations:
    """The simulations that have at least one trial."""
    return simulations.select(np.flatnonzero(simulations.trials.n_trials > 0))


def _summaries_of_designs(
    posterior: Posterior, simulator: Simulator, people: Trials, n: int, seed: int
) -> tuple[Simulations, Float[Array, "dataset summary"]]:
    """N simulations of people's designs in random order, and their summaries."""
    n_in_all = simulations_each(n, len(people)) * len(people)
    order = stream(seed, Purpose.SUMMARY_ORDER).permutation(n_in_all)
    if len(people) > n:
        people, order = people.select(order[:n]), np.arange(n)
    parts = list(in_parts(simulator, people, simulations_each(n, len(people)), seed=seed))
    summaries = np.concatenate([posterior.summaries(part.trials) for part in parts]).astype(float)
    return reduce(Simulations.joined, parts).select(order[:n]), summaries[order[:n]]


@dataclass(frozen=True, eq=False)
class Components:
    """The principal components of simulated summaries.

    Attributes:
        mean: (summary,).
        directions: (summary, component), from the largest, signed so that their largest entry is
            positive.
        explained: (component,) shares of the variance.
    """

    mean: Float[Array, " summary"]
    directions: Float[Array, "summary component"]
    explained: Float[Array, " component"]

    def of(self, summaries: Float[Array, "dataset summary"]) -> Float[Array, "dataset component"]:
        """Summaries (dataset, summary) on the components, (dataset, component)."""
        return (summaries - self.mean) @ self.directions


def components_of(summaries: Float[Array, "dataset summary"]) -> Components:
    """The principal components of summaries (dataset, summary)."""
    values, vectors = _eigen(_covariance(summaries))
    signed = vectors * _signs_of_largest(vectors)
    return Components(summaries.mean(axis=0), signed, values / values.sum())


def _covariance(summaries: Float[Array, "dataset summary"]) -> Float[Array, "summary summary"]:
    """The covariance of summaries (dataset, summary); a matrix for one summary too."""
    dim = summaries.shape[1]
    return np.cov(summaries, rowvar=False).reshape(dim, dim)


def _eigen(covariance: Array) -> tuple[Array, Array]:
    """Eigenvalues, at least 0, and eigenvectors in columns, the largest first."""
    values, vectors = np.linalg.eigh(covariance)
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def _signs_of_largest(vectors: Float[Array, "summary component"]) -> Float[Array, " component"]:
    """The sign of the entry that is largest in size in each column."""
    largest = np.abs(vectors).argmax(axis=0)
    return np.sign(vectors[largest, np.arange(vectors.shape[1])])


def components_for(explained: Float[Array, " component"], *, slack: float = 0.0) -> int:
    """How many leading components hold ``VARIANCE`` of the variance."""
    return int(np.searchsorted(np.cumsum(explained), VARIANCE - slack) + 1)

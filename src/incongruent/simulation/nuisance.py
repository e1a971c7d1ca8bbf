r"""Nuisance parameters: they vary from data set to data set and are not to be estimated.

The share of lapses is an example. Under `marginalised` a data set draws nu from its distribution g,
and theta alone is learned:

    p(x | theta) = ∫ p(x | theta, nu) g(nu) d nu

Networks learn that integral from simulations by themselves. The exact likelihood, where the model
has one, is integrated by the trapezoidal rule on the scale on which g is standard normal, where
likelihoods are nearly normal too; the rule is then exact but for terms that fall off exponentially.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from incongruent.models import build
from incongruent.models.custom import Simulate
from incongruent.models.model import Kept, Likelihood, Model
from incongruent.priors.distributions import (
    Distribution,
    distribution_from_json,
    distribution_to_json,
)
from incongruent.priors.independent import Prior

Array = np.ndarray

MARGINAL = "marginal"
"""Where settings of a model keep the distributions."""
NODES = np.linspace(-3.6, 3.6, 25)
"""Where g is standard normal. A likelihood of 500 trials has an SD of 0.2 and more there, for
shares of lapses up to 15 %.
"""


def marginalised(model: Model, **distributions: Distribution) -> Model:
    """The model with some of its parameters integrated out.

    Each data set draws its own values of them from their distributions.

    Args:
        model: with these among its parameters.
        distributions: by parameter: frozen continuous scipy.stats distributions, or `truncated`
            ones, within the parameter's domain.

    Predictive checks draw such parameters from their distribution, since they are not estimated for
    a person; so they judge that distribution too. To predict a person with that person's own share
    of lapses, leave it among the parameters instead.

    Returns:
        A `Model` of the remaining parameters. It keeps name and reference, and its ``settings``
        contain the distributions. Its exact likelihood costs 25 times as much, for lapses hardly
        more; with more than one distribution it has none.

    Raises:
        ValueError: for names that are no parameters, when none would remain, or distributions
            beyond a domain.

    Example:
        >>> from incongruent import models, priors
        >>> robust = marginalised(models.dmc(free=["lapse"]), lapse=priors.lapse_rate())
        >>> robust.parameter_names
        ('A', 'tau', 'mu_c', 'b', 'mu_R', 'sd_R')
    """
    _check(model, distributions)
    remaining = [p for p in model.parameters if p.name not in distributions]
    nuisance = _within_domains(distributions, model)
    joined = _Joined.of_model(model, [p.name for p in remaining], nuisance)
    return Model(
        model.name,
        remaining,
        model.columns,
        _simulator_drawing(model, joined),
        {**model.settings, MARGINAL: _distributions_to_json(nuisance)},
        model.reference,
        _integrated(model.likelihood, joined),
    )


def _within_domains(distributions: Mapping[str, Distribution], model: Model) -> Prior:
    """The distributions of parameters of a model, cut to the domains of these."""
    domains = [parameter for parameter in model.parameters if parameter.name in distributions]
    return Prior(**distributions).within(domains)


def _simulator_drawing(model: Model, joined: _Joined) -> Simulate:
    """The model's simulator for the remaining parameters; it draws the others."""

    def simulate(
        theta: Array, given: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        nu = joined.nuisance.sample(len(theta), seed=rng)
        return model.simulate(joined.of(theta, nu), given, present, rng)

    return simulate


def _distributions_to_json(nuisance: Prior) -> dict[str, Any]:
    return {name: distribution_to_json(nuisance[name]) for name in nuisance.names}


def _check(model: Model, distributions: Mapping[str, Distribution]) -> None:
    """Refuse names that are no parameters, all of them or none, and what is done already.

    Raises:
        ValueError: for any of these.
    """
    known = set(model.parameter_names)
    unknown = set(distributions) - known
    if unknown or not distributions or known == set(distributions):
        hint = " Free it first, as in models.dmc(free=['lapse'])." if unknown else ""
        raise ValueError(
            f"Expected distributions of some of the parameters {model.parameter_names}, but not"
            f" all; got {tuple(distributions)}.{hint}"
        )
    if MARGINAL in model.settings:
        raise ValueError(
            "Expected a model of which nothing is integrated out yet; got"
            f" {dict(model.settings)[MARGINAL]}. Name all at once."
        )


def built(name: str, settings: Mapping[str, Any]) -> Model:
    """The model of that name with these settings; some parameters may have been integrated out.

    Raises:
        ValueError: when no model of that name ships with the package.
    """
    settings = dict(settings)
    marginal = settings.pop(MARGINAL, None)
    model = build(name, settings)
    if not marginal:
        return model
    return marginalised(model, **_distributions(marginal))


def integrated_out(model: Model) -> dict[str, Distribution]:
    """The distributions of the parameters that `marginalised` has integrated out, by name."""
    marginal = model.settings.get(MARGINAL, {})
    assert isinstance(marginal, Mapping)
    return _distributions(marginal)


def _distributions(marginal: Mapping[str, Any]) -> dict[str, Distribution]:
    return {name: distribution_from_json(name, entry) for name, entry in marginal.items()}


@dataclass(frozen=True, eq=False)
class _Joined:
    """Parameters of a model, from those that remain and those that are integrated out.

    Attributes:
        order: positions of the model's parameters among the remaining and the others, (parameter,).
        nuisance: the distributions of those that are integrated out.
    """

    order: Array
    nuisance: Prior

    @classmethod
    def of_model(cls, model: Model, remaining: list[str], nuisance: Prior) -> _Joined:
        """Both kinds of parameters of a model."""
        names = [*remaining, *nuisance.names]
        return cls(np.array([names.index(name) for name in model.parameter_names]), nuisance)

    def of(self, theta: Array, nu: Array) -> Array:
        """(dataset, parameter of the model) from both kinds of parameters.

        Theta is (dataset, remaining parameter), and nu (dataset, nuisance parameter).
        """
        return np.concatenate([theta, nu], axis=1)[:, self.order]


def _integrated(likelihood: Likelihood | None, joined: _Joined) -> Likelihood | None:
    """The likelihood without its nuisance parameter; None for several, or when it is not known."""
    if likelihood is None or len(joined.nuisance.names) != 1:
        return None
    rule = _Rule(likelihood, joined, joined.nuisance.from_real(NODES[:, None]))
    return replace(likelihood, at=rule.at, densities=None, on_grid={})


def _log_weights() -> Array:
    """Log of the standard normal density at each node times the distance of nodes, (node,)."""
    return np.log(NODES[1] - NODES[0]) - 0.5 * (NODES**2 + np.log(2.0 * np.pi))


@dataclass(frozen=True, eq=False)
class _Rule:
    """The trapezoidal rule over the one nuisance parameter of a likelihood.

    Attributes:
        likelihood: of the model with this parameter.
        joined: this parameter and those that remain.
        nodes: its values at which the likelihood is computed, (node, 1).
    """

    likelihood: Likelihood
    joined: _Joined
    nodes: Array

    def at(
        self, theta: Array, values: Mapping[str, Array], answered: Array, kept: Kept, level: int
    ) -> Array:
        """The integrated log likelihood at theta (theta, remaining parameter), (theta,)."""
        theta = np.asarray(theta, float)
        at_nodes = self._at_nodes(theta, values, answered, kept, level)
        return np.asarray(special.logsumexp(at_nodes + _log_weights(), axis=1))

    def _at_nodes(
        self, theta: Array, values: Mapping[str, Array], answered: Array, kept: Kept, level: int
    ) -> Array:
        """Log likelihoods at all values of the nuisance parameter, (theta, node)."""
        nodes, n = self.nodes, len(theta)
        on_grid = self.likelihood.on_grid.get(self.joined.nuisance.names[0])
        if on_grid is not None:
            some = self.joined.of(theta, np.tile(nodes[:1], (n, 1)))
            return on_grid(some, nodes[:, 0], values, answered, kept, level)
        each = self.likelihood.at(self._every_node(theta), values, answered, kept, level)
        return each.reshape(n, len(nodes))

    def _every_node(self, theta: Array) -> Array:
        """All parameters for every theta with every node, (theta x node, parameter)."""
        repeated = np.repeat(theta, len(self.nodes), axis=0)
        return self.joined.of(repeated, np.tile(self.nodes, (len(theta), 1)))

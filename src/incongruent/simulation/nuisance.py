r"""Nuisance parameters: what varies from data set to data set and is not to be estimated, such as
the share of lapses.

Under `marginalised` a data set draws nu from its distribution g, and theta alone is learned:

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
    """The model with some of its parameters integrated out, each data set having a value of its own
    from a distribution.

    Args:
        model: with these among its parameters.
        distributions: by parameter: frozen continuous scipy.stats distributions, or `truncated`
            ones, within the parameter's domain.

    Predictive checks draw such parameters from their distribution, since nobody has estimated them
    for a person; so they judge that distribution too. To predict a person with a share of lapses
    that is that person's, leave it among the parameters instead.

    Returns:
        A `Model` of the remaining parameters. It keeps name and reference, and its ``settings``
        tell the distributions. Its exact likelihood costs 25 times as much, for lapses hardly more;
        with more than one distribution it has none.

    Raises:
        ValueError: for names that are no parameters, when none would remain, or distributions
            beyond a domain.

    Example:
        >>> from incongruent import models, priors
        >>> robust = marginalised(models.dmc(free=["lapse"]), lapse=priors.lapse_rate())
        >>> robust.parameter_names
        ('A', 'tau', 'mu_c', 'b', 'mu_R', 'sd_R')
    """
    known = {parameter.name: parameter for parameter in model.parameters}
    unknown, remaining = (
        [name for name in distributions if name not in known],
        [p for p in model.parameters if p.name not in distributions],
    )
    if unknown or not distributions or not remaining:
        hint = " Free it first, as in models.dmc(free=['lapse'])." if unknown else ""
        raise ValueError(
            f"Expected distributions of some of the parameters {tuple(known)}, but not all; got"
            f" {tuple(distributions)}.{hint}"
        )
    if MARGINAL in model.settings:
        raise ValueError(
            "Expected a model of which nothing is integrated out yet; got"
            f" {dict(model.settings)[MARGINAL]}. Name all at once."
        )
    whole = Prior(**distributions).within(
        [known[name] for name in model.parameter_names if name in distributions]
    )
    places = np.array(
        [model.parameter_names.index(p.name) for p in remaining]
        + [model.parameter_names.index(name) for name in whole.names]
    )
    joined = _Joined(np.argsort(places), whole)

    def simulate(
        theta: Array, given: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        return model.simulate(
            joined.of(theta, whole.sample(len(theta), seed=rng)), given, present, rng
        )

    likelihood = (
        _integrated(model.likelihood, joined)
        if model.likelihood is not None and len(distributions) == 1
        else None
    )
    settings = {
        **model.settings,
        MARGINAL: {name: distribution_to_json(whole[name]) for name in whole.names},
    }
    return Model(
        model.name, remaining, model.columns, simulate, settings, model.reference, likelihood
    )


def built(name: str, settings: Mapping[str, Any]) -> Model:
    """The model of that name with these settings, of which some parameters may have been integrated
    out.

    Raises:
        ValueError: when no model of that name ships with the package.
    """
    settings = dict(settings)
    marginal = settings.pop(MARGINAL, None)
    model = build(name, settings)
    return (
        marginalised(
            model, **{key: distribution_from_json(key, entry) for key, entry in marginal.items()}
        )
        if marginal
        else model
    )


def integrated_out(model: Model) -> dict[str, Distribution]:
    """The distributions of the parameters that `marginalised` has integrated out, by name."""
    marginal = model.settings.get(MARGINAL, {})
    assert isinstance(marginal, Mapping)
    return {name: distribution_from_json(name, entry) for name, entry in marginal.items()}


@dataclass(frozen=True, eq=False)
class _Joined:
    """Both kinds of parameters in the model's order."""

    order: Array
    nuisance: Prior

    def of(self, theta: Array, nu: Array) -> Array:
        """(dataset, parameter of the model) from theta (dataset, remaining parameter) and nu
        (dataset, nuisance parameter).
        """
        return np.concatenate([theta, nu], axis=1)[:, self.order]


def _integrated(likelihood: Likelihood, joined: _Joined) -> Likelihood:
    """The likelihood without the one nuisance parameter."""
    log_weights = np.log(NODES[1] - NODES[0]) - 0.5 * (NODES**2 + np.log(2.0 * np.pi))
    nodes, across = (
        joined.nuisance.from_real(NODES[:, None]),
        likelihood.across.get(joined.nuisance.names[0]),
    )

    def at(
        theta: Array, values: Mapping[str, Array], answered: Array, kept: Kept, level: int
    ) -> Array:
        theta = np.asarray(theta, float)
        if across is not None:
            found = across(
                joined.of(theta, np.tile(nodes[:1], (len(theta), 1))),
                nodes[:, 0],
                values,
                answered,
                kept,
                level,
            )
        else:
            every = joined.of(np.repeat(theta, len(nodes), axis=0), np.tile(nodes, (len(theta), 1)))
            found = likelihood.at(every, values, answered, kept, level).reshape(
                len(theta), len(nodes)
            )
        return np.asarray(special.logsumexp(found + log_weights, axis=1))

    return replace(likelihood, at=at, densities=None, across={})

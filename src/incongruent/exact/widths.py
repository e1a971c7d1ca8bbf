r"""Evidence of a variant under other widths of the priors of its new parameters.

It needs no further likelihoods. With the weights w of draws under the usual priors p of the new
parameters, the evidence under priors p' is

    p'(x) = p(x) E[p'(theta) / p(theta) | x] = p(x) sum w p'(theta) / p(theta),   sum w = 1

Draws of the posterior alone would not do: where trials say little about a parameter they would
leave out the tails of a wider prior. Weighted draws come from a proposal with longer tails.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from incongruent.exact.adaptive import Adapted
from incongruent.exact.change import Change
from incongruent.priors.independent import Prior
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

WIDTHS = (0.5, 2.0)
"""Widths of the priors of new parameters at which evidence is given as well."""


def evidence_at_widths(found: Adapted, simulator: Simulator, changes: Sequence[Change]) -> Array:
    """Log evidence of one person at each of `WIDTHS`, (width,); NaN without new parameters.

    Args:
        found: weighted draws under the usual priors.
        simulator: the variant's.
        changes: that the variant makes.
    """
    if not any(change.free for change in changes):
        return np.full(len(WIDTHS), np.nan)
    own = new_priors(simulator, changes, 1.0)
    places = [simulator.prior.names.index(name) for name in own.names]
    theta = simulator.prior.from_real(found.z)[:, places]
    log_weights = found.log_density - found.log_q
    log_shares = log_weights - special.logsumexp(log_weights)
    each = [new_priors(simulator, changes, width).log_prob(theta) for width in WIDTHS]
    log_means = [_log_mean_ratio(log_shares, other, own.log_prob(theta)) for other in each]
    return np.asarray(found.weights.log_evidence[0] + log_means)


def log_ratios_at(width: float, theta: Array, simulator: Simulator, change: Change) -> Array:
    """Log density of the new parameters at another width of their priors, less the usual one.

    Args:
        width: so many times the usual one.
        theta: (…, draw, parameter) of the variant.
        simulator: the variant's.
        change: whose new parameters are meant.

    Returns:
        (…, draw); -inf where a draw has no density at that width.
    """
    own, other = (new_priors(simulator, [change], w) for w in (1.0, width))
    places = [simulator.prior.names.index(name) for name in own.names]
    with np.errstate(divide="ignore"):
        return other.log_prob(theta[..., places]) - own.log_prob(theta[..., places])


def _log_mean_ratio(log_shares: Array, log_other: Array, log_own: Array) -> float:
    """The log of the weighted mean ratio of two densities, each (draw,).

    Draws at the end of a prior's support, where its density is 0, count as impossible.
    """
    possible = np.isfinite(log_own)
    return float(
        np.asarray(special.logsumexp((log_shares + log_other)[possible] - log_own[possible]))
    )


def new_priors(simulator: Simulator, changes: Sequence[Change], width: float) -> Prior:
    """Priors of all new parameters at so many times their width, within the model's domains."""
    priors = {name: d for change in changes for name, d in change.prior_at(width).items()}
    return Prior(**priors).within([p for p in simulator.model.parameters if p.name in priors])

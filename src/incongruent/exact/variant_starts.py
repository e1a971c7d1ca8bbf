"""Where sampling of a variant begins: at draws of the nearest model that has been sampled.

Parameters that the variant shares with that model come from its draws. A new one comes from its
prior or, where another variant with it has been sampled, from a normal distribution around that
variant's draws: lapses and drift variability together begin at the draws of the one, and where the
draws of the other are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from incongruent.exact.adaptive import Start
from incongruent.exact.target import Target, on_the_real_line
from incongruent.exact.variant_results import VariantFit

Array = np.ndarray

WIDENED = 1.5
"""New parameters are drawn with so many times the SD that they have under another variant."""
NARROWEST = 0.3
"""… but with this SD at least; the prior's is 1."""


@dataclass(frozen=True)
class Proposal:
    """A normal distribution on the real line, from which a new parameter is drawn."""

    mean: float
    sd: float

    def log_ratio_of_prior(self, z: Array) -> Array:
        """The log density of the prior, less that of this distribution, at z (draw,)."""
        return stats.norm.logpdf(z) - stats.norm.logpdf(z, self.mean, self.sd)


PRIOR = Proposal(0.0, 1.0)


def start_from_draws(
    target: Target,
    names: Sequence[str],
    known: Sequence[VariantFit],
    person: int,
    n_draws: int,
    rng: np.random.Generator,
) -> Start:
    """Draws of the nearest model, with the new parameters.

    The weights are ratios of densities. Where the variant has fixed some of the parameters they are
    only nearly so, which is good enough to begin with.

    Args:
        target: the variant's density of the person.
        names: of the variant's parameters.
        known: models that have been sampled, the one as fitted first; none of another mechanism.
        person: their position.
        n_draws: at most.
        rng: of draws.
    """
    nearest = _nearest(known, names, person)
    rows = _rows(nearest, n_draws, rng)
    shared = _on_the_real_line(nearest, person)[rows]
    there = nearest.draws.parameter_names
    z = np.empty((len(rows), len(names)))
    log_ratio = -nearest.correction.log_likelihood[person, rows]
    for i, name in enumerate(names):
        if name in there:
            z[:, i] = shared[:, there.index(name)]
        else:
            proposal = _proposal(known, name, person)
            z[:, i] = rng.normal(proposal.mean, proposal.sd, len(rows))
            log_ratio = log_ratio + proposal.log_ratio_of_prior(z[:, i])
    with np.errstate(invalid="ignore"):
        log_likelihood = target.log_likelihood(z)
        log_density = log_likelihood + target.log_prior(z)
        return Start.at_draws(z, log_likelihood + log_ratio, log_density)


def _rows(nearest: VariantFit, most: int, rng: np.random.Generator) -> Array:
    """Positions of the draws to begin with."""
    n_draws = nearest.draws.theta.shape[1]
    return rng.choice(n_draws, min(most, n_draws), replace=False)


def _nearest(known: Sequence[VariantFit], names: Sequence[str], person: int) -> VariantFit:
    """The model with the largest evidence of the person among those that this one extends."""
    usable = [one for one in known[1:] if _is_part(one, names) and _is_sampled(one, person)]
    return max([known[0], *usable], key=lambda one: float(one.log_evidence[person]))


def _is_part(one: VariantFit, names: Sequence[str]) -> bool:
    return set(one.draws.parameter_names) <= set(names)


def _is_sampled(one: VariantFit, person: int) -> bool:
    """Whether there are draws of the person, whose trials the variant can give."""
    return bool(np.isfinite(one.log_evidence[person]))


def _proposal(known: Sequence[VariantFit], name: str, person: int) -> Proposal:
    """From where a parameter is drawn that the nearest model lacks."""
    having = [
        one for one in known if name in one.draws.parameter_names and _is_sampled(one, person)
    ]
    if not having:
        return PRIOR
    one = max(having, key=lambda one: float(one.log_evidence[person]))
    z = _on_the_real_line(one, person)[:, one.draws.parameter_names.index(name)]
    return Proposal(float(z.mean()), max(WIDENED * float(z.std()), NARROWEST))


def _on_the_real_line(one: VariantFit, person: int) -> Array:
    """The draws of a person on the real line, (draw, parameter)."""
    return on_the_real_line(one.draws.simulator.prior, one.draws.theta[person])

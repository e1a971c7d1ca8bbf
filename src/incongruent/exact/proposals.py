"""From which distribution to draw next, given weighted draws and their densities."""

from __future__ import annotations

import numpy as np

from incongruent.exact.effort import Effort
from incongruent.exact.parabola import fewest_places, normal_at_the_top
from incongruent.exact.student_mixtures import StudentMixture, mixture_of
from incongruent.exact.tempering import tempered

Array = np.ndarray

SHARE_OF_PARABOLA = 0.5
"""This share of the draws comes from the component that a parabola gives."""


def proposal_for(
    z: Array,
    log_weights: Array,
    log_density: Array | None,
    effort: Effort,
    rng: np.random.Generator,
) -> tuple[StudentMixture, float]:
    """A mixture of t distributions, and how far weights were tempered for it.

    Args:
        z: draws (draw, parameter), on the real line.
        log_weights: (draw,), unnormalised.
        log_density: (draw,) of the target up to a constant; None where it is not known.
        effort: how much is done.
        rng: for where components begin.
    """
    n_parameters = z.shape[1]
    weights, gamma = tempered(log_weights, effort.fewest_to_fit(n_parameters))
    mixture = mixture_of(z, weights, rng)
    if not effort.parabola or log_density is None:
        return mixture, gamma
    many, _ = tempered(log_weights, fewest_places(n_parameters))
    top = normal_at_the_top(z, log_density, many)
    return (mixture if top is None else mixture.with_normal(*top, SHARE_OF_PARABOLA)), gamma

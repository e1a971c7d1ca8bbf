"""Late densities: what is left decays as the equation says, and does not ring."""

from __future__ import annotations

import math

import numpy as np
import pytest

from incongruent.models import dmc
from incongruent.models.diffusion import SIGMA, PassageModel
from incongruent.models.forward_equation import LEVELS, first_passages
from incongruent.models.model import Kept
from incongruent.priors import broad


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(
    ("mu_c", "b"), [(0.2, 100.0), (0.56, 42.0), (0.71, 55.6), (1.1, 30.0), (0.5, 43.0)]
)
def test_what_is_left_decays_at_the_rate_of_the_slowest_mode(
    mu_c: float, b: float, level: int
) -> None:
    """With a constant drift the rate is v² / 2 sigma² + pi² sigma² / 8 b², in closed form."""
    model = dmc()
    assert isinstance(model.simulate, PassageModel)
    simulate = model.simulate
    theta = np.array([[0.0, 100.0, mu_c, b, 340.0, 35.0]])
    found = first_passages(
        lambda times: simulate.paths(theta, times, np.array([0])),
        simulate.effects(theta).start,
        np.zeros(1),
        LEVELS[level],
    )
    exact = mu_c**2 / (2.0 * SIGMA**2) + math.pi**2 * SIGMA**2 / (8.0 * b**2)
    assert found.decay[0, 0] == pytest.approx(exact, rel=2e-3 / 4**level)


def test_levels_of_accuracy_agree_on_densities_that_are_as_good_as_impossible() -> None:
    """Answers of one in e^60, as late lapses are to a model without lapses."""
    likelihood = dmc().likelihood
    assert likelihood is not None
    assert likelihood.densities is not None
    theta, rt = broad().sample(40, seed=3), np.linspace(120.0, 2500.0, 80)
    for condition in (0, 1):
        for response in (0, 1):
            values = {
                "condition": np.full(len(rt), condition, np.int8),
                "response": np.full(len(rt), response, np.int8),
                "rt": rt,
            }
            fast, fine = (likelihood.densities(theta, values, Kept(), level) for level in (0, 2))
            possible = (fine > -60.0) & np.isfinite(fast)
            assert possible.mean() > 0.5
            assert np.abs(fast - fine)[possible].max() < 0.25
            assert np.quantile(np.abs(fast - fine)[possible], 0.9) < 0.05

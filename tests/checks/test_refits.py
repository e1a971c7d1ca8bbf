"""Refits of a study that ends earlier than what the network has learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import incongruent as inc
from incongruent.checks.model.refits import Refits
from incongruent.checks.panel_statistics import statistics_for
from incongruent.exact.likelihood import log_likelihood
from incongruent.exact.recorded import ratio_of_recordings

HALF = {"congruent": 0.5, "incongruent": 0.5}


@pytest.fixture(scope="module")
def people() -> inc.Simulator:
    return inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), inc.Design(200, HALF))


def test_the_ratio_of_recordings_is_the_difference_of_exact_likelihoods(
    people: inc.Simulator,
) -> None:
    early = people.recorded_as(window=(150.0, 600.0))
    study = early.simulate(2, seed=1).trials
    theta = people.prior.sample(2 * 5, seed=2).reshape(2, 5, -1)
    ratio = ratio_of_recordings(people, early, theta, study)
    known = log_likelihood(early, theta, study) - log_likelihood(people, theta, study)
    np.testing.assert_allclose(ratio, known, atol=0.02)
    assert (ratio > 0.0).all()  # what is certain not to come later is likelier before
    assert (ratio_of_recordings(people, people, theta, study) == 0.0).all()


def test_a_recorded_posterior_knows_what_it_has_learned_from(posterior: inc.Posterior) -> None:
    assert posterior.learned is None
    recorded = posterior.recorded_as(window=(150.0, 800.0))
    assert recorded.learned is posterior.simulator
    assert recorded.recorded_as(window=(150.0, 700.0)).learned is posterior.simulator


def test_a_recorded_posterior_is_saved_as_it_was_trained(
    posterior: inc.Posterior, tmp_path: Path
) -> None:
    posterior.recorded_as(window=(150.0, 800.0)).save(tmp_path / "network")
    again = inc.load_posterior(tmp_path / "network")
    assert again.learned is None
    assert again.simulator.design == posterior.simulator.design


@pytest.mark.slow
def test_refits_know_of_an_end_that_the_network_does_not(people: inc.Simulator) -> None:
    """Posterior means of weighted draws are nearer to the exact ones than those of the network.

    That holds for ends that cut off little; where they cut off much, forty draws are too few.
    """
    own = inc.pretrained("dmc").unguarded()
    recorded = own.recorded_as(window=(150.0, 750.0))
    study = people.recorded_as(window=(150.0, 750.0)).simulate(20, seed=3).trials
    rng = np.random.default_rng(4)
    known = statistics_for(study)
    weighted = Refits(recorded, own.simulator.prior, study, known, rng)._draws(study, 40)
    blind = own.sample(study, 400, seed=5)
    exact = inc.reweight(replace(blind, simulator=recorded.simulator), study, seed=6)
    at = own.simulator.prior.names.index("mu_c")
    right = exact.means[:, at].mean()
    off = blind.means[:, at].mean() - right
    assert off > 0.01  # missing slow answers are taken for fast processing
    assert abs(weighted[..., at].mean() - right) < 0.35 * off

"""Adaptive sampling and MCMC give the same posterior, also where the network knows it badly."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import incongruent as inc
from incongruent.exact import mcmc
from incongruent.exact.anew import Sampler
from incongruent.exact.likelihood import evaluate
from incongruent.posterior.draws import BY_ADAPTIVE

N_DRAWS = 2500


def assert_same_posterior(trials: inc.Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    """Means within a fifth of an SD, SDs within a tenth, evidence within 0.15 nats and its error.

    Chains are half as long as usual, and their error a fortieth of an SD.
    """
    monkeypatch.setattr(mcmc, "STEPS_PER_TIME", 25)
    draws = inc.pretrained("dmc").unguarded().sample(trials, N_DRAWS, seed=1)
    log_likelihood, _ = evaluate(draws.simulator, draws.theta, trials)
    log_weights = draws.simulator.prior.log_prob(draws.theta) + log_likelihood - draws.log_q
    sampler, everybody = Sampler.of(draws.simulator, trials, 1, None), np.arange(len(trials))
    adapted = sampler.by_adaptation(everybody, draws.theta, log_weights)
    for one, chain in zip(adapted, sampler.by_mcmc(everybody, draws.theta), strict=True):
        assert one is not None
        assert chain is not None
        assert one.by == BY_ADAPTIVE
        assert one.trusted
        assert one.accurate
        assert math.isnan(one.disagreement) or one.disagreement < 0.2  # one start, or two
        sd = chain.theta.std(axis=0)
        assert np.abs(one.theta.mean(axis=0) - chain.theta.mean(axis=0)) / sd == pytest.approx(
            0.0, abs=0.2
        )
        assert one.theta.std(axis=0) / sd == pytest.approx(1.0, abs=0.12)
        assert one.log_evidence == pytest.approx(chain.log_evidence, abs=0.15)
        error = np.hypot(one.log_evidence_error, chain.log_evidence_error)
        assert abs(one.log_evidence - chain.log_evidence) < 4.5 * error


@pytest.mark.slow
def test_people_with_lapses_that_the_model_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    known = inc.pretrained("dmc").simulator
    design = inc.Design((30, 300), {"congruent": 0.5, "incongruent": 0.5}, window=(150, 2500))
    trials = inc.Simulator(known.model, known.prior, design).simulate(3, seed=8).trials
    rt = trials.values["rt"].copy()
    rt[:, :2] = [[160.0, 190.0], [170.0, 1800.0], [210.0, 1500.0]]
    trials = replace(trials, values={**trials.values, "rt": rt}, answered=trials.present)
    assert_same_posterior(trials, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(("study", "person"), [("stroop1", "01"), ("stroop2", "07")])
def test_real_people_for_whom_the_network_is_worst(
    study: str, person: str, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCONGRUENT_DATA", str(data_folder))
    everybody = inc.pretrained("dmc").admit(inc.datasets.load(f"pratte2010_{study}")).trials
    assert_same_posterior(everybody.select([person]), monkeypatch)

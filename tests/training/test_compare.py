"""Model comparison against probabilities known exactly, and ensembles."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import incongruent as inc

COLUMNS = [inc.Continuous("x")]
NARROW = inc.Model(
    "narrow", ["m"], COLUMNS, dataset=lambda theta, n, rng: rng.normal(theta[0], 1.0, n)
)
WIDE = inc.Model("wide", ["m"], COLUMNS, dataset=lambda theta, n, rng: rng.normal(theta[0], 1.5, n))
PRIOR = inc.Prior(m=stats.norm(0, 1))
DESIGN = inc.Design((5, 20))
BOTH = {"narrow": inc.Simulator(NARROW, PRIOR, DESIGN), "wide": inc.Simulator(WIDE, PRIOR, DESIGN)}
FLOW = inc.flows.CouplingFlow(n_layers=1, n_bins=4, width=16)
TINY = inc.Architecture(inc.encoders.DeepSet(width=16, n_blocks=1), FLOW, 4)


def log_evidence(x: np.ndarray, sd: float) -> float:
    """Of normal data with a standard normal mean."""
    return stats.multivariate_normal(np.zeros(len(x)), sd**2 * np.eye(len(x)) + 1.0).logpdf(x)


@pytest.fixture(scope="module")
def comparison():
    recipe = inc.Recipe(batch_size=128, peak_rate=5e-3, warmup=50)
    return inc.compare(BOTH, steps=500, seed=1, architecture=TINY, recipe=recipe, progress=False)


def test_probabilities_are_those_of_bayes(comparison):
    made = [simulator.simulate(150, seed=5).trials for simulator in BOTH.values()]
    study = inc.concatenate(made)
    exact = np.array(
        [
            [log_evidence(row[here].astype(float), sd) for sd in (1.0, 1.5)]
            for row, here in zip(study.values["x"], study.present, strict=True)
        ]
    )
    exact = special.softmax(exact, axis=1)[:, 0]
    table = comparison.probabilities(study)
    assert np.abs(table["narrow"] - exact).mean() < 0.1
    assert np.corrcoef(table["narrow"], exact)[0, 1] > 0.9
    assert (table["narrow"] + table["wide"]).to_numpy() == pytest.approx(1.0)
    assert set(table["best"]) == {"narrow", "wide"}
    assert (table["log_bayes_factor"] >= 0).all()


def test_calibration_is_on_record(comparison):
    assert comparison.calibration_error < 0.06
    assert 0.6 < comparison.accuracy < 0.95
    assert comparison.calibration["n"].sum() == 2 * 2048
    assert "narrow, wide" in str(comparison)


def test_a_comparison_that_was_saved_says_the_same(comparison, tmp_path):
    comparison.save(tmp_path / "c")
    study = BOTH["narrow"].simulate(5, seed=5).trials
    alone = inc.load_comparison(tmp_path / "c")
    pd.testing.assert_frame_equal(alone.probabilities(study), comparison.probabilities(study))
    pd.testing.assert_frame_equal(alone.calibration, comparison.calibration)
    assert str(alone) == str(comparison)
    with pytest.raises(ValueError, match="Expected a model that can simulate"):
        alone.simulators["narrow"].simulate(1, seed=1)
    with_models = inc.load_comparison(tmp_path / "c", models={"narrow": NARROW, "wide": WIDE})
    assert np.array_equal(
        with_models.simulators["narrow"].simulate(2, seed=1).theta,
        BOTH["narrow"].simulate(2, seed=1).theta,
    )


def test_a_comparison_of_other_models_is_refused(comparison, tmp_path):
    comparison.save(tmp_path / "c")
    with pytest.raises(
        inc.FileError, match=r"Expected models among \['narrow', 'wide'\].*got \['tall'\]"
    ):
        inc.load_comparison(tmp_path / "c", models={"tall": WIDE})
    with pytest.raises(inc.FileError, match="Expected the model 'narrow'"):
        inc.load_comparison(tmp_path / "c", models={"narrow": WIDE})
    with pytest.raises(inc.FileError, match="saved posterior"):
        inc.load_posterior(tmp_path / "c")


@pytest.mark.parametrize(
    ("simulators", "weights", "words"),
    [
        ({"one": BOTH["narrow"]}, None, "Expected at least two simulators"),
        (
            {"one": BOTH["narrow"], "two": inc.Simulator(WIDE, PRIOR, inc.Design(3))},
            None,
            "the same Design",
        ),
        (BOTH, {"narrow": 1.0}, "Expected a probability above 0 for each"),
        (BOTH, {"narrow": 0.5, "wide": 0.6}, "with sum 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(simulators, weights, words):
    with pytest.raises(ValueError, match=words):
        inc.compare(simulators, steps=1, seed=1, weights=weights, progress=False)


def test_the_mmd_term_is_for_posteriors():
    with pytest.raises(ValueError, match="Expected a recipe without the MMD term"):
        inc.compare(BOTH, steps=1, seed=1, recipe=inc.Recipe(mmd_weight=1.0), progress=False)


@pytest.fixture(scope="module")
def members():
    recipe = inc.Recipe(batch_size=64, peak_rate=5e-3, warmup=20)
    return [
        inc.train(
            BOTH["narrow"], steps=150, seed=seed, architecture=TINY, recipe=recipe, progress=False
        )
        for seed in (1, 2)
    ]


@pytest.mark.slow
def test_an_ensemble_is_the_mixture_of_its_members(members):
    ensemble, study = inc.Ensemble(members), BOTH["narrow"].simulate(6, seed=3).trials
    draws = ensemble.sample(study, 1001, seed=1)
    assert draws.theta.shape == (6, 1001, 1)
    mixture = np.logaddexp(*(member.log_prob(draws.theta, study) for member in members)) - np.log(2)
    np.testing.assert_allclose(draws.log_q, mixture, atol=1e-5)
    np.testing.assert_allclose(ensemble.log_prob(draws.theta, study), mixture, atol=1e-12)
    grid = np.linspace(-6, 6, 2001)
    density = np.exp(ensemble.log_prob(np.tile(grid[None, :, None], (6, 1, 1)), study))
    assert np.trapezoid(density, grid, axis=1) == pytest.approx(np.ones(6), abs=0.01)


@pytest.mark.slow
def test_members_that_agree_disagree_by_nothing_and_others_by_up_to_log_k(members):
    study = BOTH["narrow"].simulate(6, seed=3).trials
    assert inc.Ensemble([members[0], members[0]]).disagreement(study, seed=1) == pytest.approx(
        np.zeros(6), abs=1e-6
    )
    found = inc.Ensemble(members).disagreement(study, seed=1)
    assert ((found > 0) & (found < np.log(2))).all()


@pytest.mark.slow
def test_an_ensemble_of_strangers_is_refused(members):
    with pytest.raises(ValueError, match="Expected at least two posteriors"):
        inc.Ensemble(members[:1])
    other = replace(members[0], simulator=BOTH["wide"])
    with pytest.raises(ValueError, match="Expected posteriors for the same model and prior"):
        inc.Ensemble([members[0], other])

"""Laws of the simulator: the seed alone decides, and every trial that was laid out is accounted
for.
"""

import numpy as np
import pytest
from scipy import stats

from incongruent import models, priors
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import Category, Trials, checked
from incongruent.priors.independent import Prior
from incongruent.simulation.designs import Design
from incongruent.simulation.observed import design_of
from incongruent.simulation.simulator import CHUNK, Simulations, Simulator

HALVES = {"congruent": 0.5, "incongruent": 0.5}
SIMULATOR = Simulator(models.dmc(), priors.broad(), Design((5, 40), HALVES))
TYPICAL = np.array([20.0, 120.0, 0.55, 60.0, 340.0, 35.0])


def same(one: Trials, other: Trials) -> bool:
    return (
        np.array_equal(one.present, other.present)
        and np.array_equal(one.answered, other.answered)
        and all(np.array_equal(one.values[name], other.values[name]) for name in one.values)
        and all(
            np.array_equal(one.excluded[reason], other.excluded[reason]) for reason in one.excluded
        )
    )


def laid_out(design: Design, n_datasets: int, seed: int) -> np.ndarray:
    return design.lay_out(n_datasets, stream(seed, Purpose.LAYOUT))[1].sum(axis=1)


@pytest.mark.parametrize("workers", [2, 5, None])
def test_the_number_of_workers_changes_nothing(workers):
    one, other = (
        SIMULATOR.simulate(700, seed=1, workers=1),
        SIMULATOR.simulate(700, seed=1, workers=workers),
    )
    assert np.array_equal(one.theta, other.theta)
    assert same(one.trials, other.trials)
    assert one.trials.names == other.trials.names == tuple(str(i + 1) for i in range(700))


def test_seeds_and_chunks_give_different_numbers():
    one, other = SIMULATOR.simulate(2 * CHUNK, seed=1), SIMULATOR.simulate(2 * CHUNK, seed=2)
    assert not np.isin(one.theta, other.theta).any()
    first, second = one.trials.values["rt"][:CHUNK, :5], one.trials.values["rt"][CHUNK:, :5]
    assert not np.isin(first[first > 0], second[second > 0]).all()
    assert len(np.unique(one.theta)) == one.theta.size


def test_a_chunk_depends_on_nothing_but_seed_and_index():
    theta, trials = SIMULATOR.chunk(3, 2)
    SIMULATOR.simulate(10, seed=3)
    SIMULATOR.chunk(3, 0)
    again = Simulator(models.dmc(), priors.broad(), Design((5, 40), HALVES)).chunk(3, 2)
    assert np.array_equal(theta, again[0])
    assert same(trials, again[1])
    for seed, index in ((3, 1), (2, 2)):
        assert not np.isin(SIMULATOR.chunk(seed, index)[0], theta).any()


def test_a_chunk_has_data_sets_of_the_largest_size():
    simulator = Simulator(models.dmc(), priors.broad(), Design((5, 40), HALVES, window=None))
    theta, trials = simulator.chunk(1, 0)
    assert theta.shape == (CHUNK, 6)
    assert (trials.n_trials == 40).all()


DESIGNS = {
    "no window": Design((5, 40), HALVES, window=None),
    "window": Design((5, 40), HALVES, window=(300.0, 500.0)),
    "deadline": Design((5, 40), HALVES, window=None, deadline=400.0),
    "both": Design((5, 40), HALVES, window=(300.0, 500.0), deadline=450.0),
}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_every_trial_is_kept_or_counted(design):
    trials = checked(Simulator(models.dmc(), priors.broad(), design).simulate(300, seed=4).trials)
    assert np.array_equal(trials.n_trials + trials.n_excluded, laid_out(design, 300, 4))
    assert (trials.n_excluded.sum() > 0) == (design.window is not None)
    rt = trials.values["rt"][trials.answered]
    low, high = design.window or (0.0, np.inf)
    assert low <= rt.min() <= rt.max() <= min(high, design.deadline or np.inf)


def test_trials_after_the_deadline_have_no_answer():
    without, with_deadline = (
        Simulator(models.dmc(), priors.broad(), DESIGNS[name]).simulate(300, seed=5).trials
        for name in ("no window", "deadline")
    )
    assert np.array_equal(without.present, with_deadline.present)
    in_time = without.answered & (without.values["rt"] <= 400.0)
    assert np.array_equal(with_deadline.answered, in_time)
    assert in_time.sum() < without.answered.sum()


def test_the_window_leaves_other_trials_as_they_were():
    without, windowed = (
        Simulator(models.dmc(), priors.broad(), DESIGNS[name]).simulate(300, seed=6).trials
        for name in ("no window", "window")
    )
    rt = without.values["rt"]
    assert np.array_equal(
        windowed.present, without.present & ~(without.answered & ((rt < 300.0) | (rt > 500.0)))
    )
    assert np.array_equal(windowed.values["rt"], rt)


def test_simulate_at_uses_the_given_parameters():
    later = np.stack([TYPICAL, TYPICAL + np.array([0, 0, 0, 0, 100.0, 0])])
    design = Design(20_000, HALVES, window=None)
    trials = Simulator(models.dmc(), priors.broad(), design).simulate_at(later, seed=7)
    rt = [trials.values["rt"][i][trials.answered[i]].astype(float) for i in range(2)]
    error = np.hypot(*(r.std() / np.sqrt(len(r)) for r in rt))
    assert abs(rt[1].mean() - rt[0].mean() - 100.0) < 5 * error
    assert error < 2.0


def test_simulating_at_the_drawn_parameters_is_simulating():
    simulations = SIMULATOR.simulate(300, seed=8)
    assert same(SIMULATOR.simulate_at(simulations.theta, seed=8, workers=2), simulations.trials)


def test_theta_follows_the_prior_within_the_models_domain():
    prior = Prior(
        **{name: priors.broad()[name] for name in ("mu_R", "tau", "mu_c", "b", "A")},
        sd_R=stats.norm(30.0, 12.5),
    )
    simulator = Simulator(models.dmc(), prior, Design(1, HALVES))
    theta = simulator.simulate(5000, seed=9).theta
    assert simulator.prior.names == models.dmc().parameter_names
    for i, parameter in enumerate(models.dmc().parameters):
        assert parameter.low <= theta[:, i].min()
        assert theta[:, i].max() <= parameter.high
        assert stats.kstest(theta[:, i], simulator.prior[parameter.name].cdf).pvalue > 5.7e-7


def test_an_observed_design_is_simulated_with_its_own_counts():
    study = (
        Simulator(models.dmc(), priors.broad(), Design((5, 40), HALVES, window=None))
        .simulate(20, seed=10)
        .trials
    )
    simulated = (
        Simulator(models.dmc(), priors.broad(), design_of(study, window=None))
        .simulate(40, seed=11)
        .trials
    )
    for level in ("congruent", "incongruent", "neutral"):
        counts = study.where("condition", level).sum(axis=1)
        assert np.array_equal(simulated.where("condition", level).sum(axis=1), np.tile(counts, 2))


def test_misfits_are_refused():
    load = Category("load", ("low", "high"), given=True)
    with pytest.raises(
        ValueError,
        match=(
            r"Expected shares for the levels of one of the given columns \['condition'\]; got .*"
            r" for 'load'"
        ),
    ):
        Simulator(
            models.dmc(), priors.broad(), Design(10, {"low": 0.5, "high": 0.5}, condition=load)
        )
    prior = Prior(
        **{name: priors.broad()[name] for name in ("A", "tau", "mu_c", "b", "mu_R")},
        lapse=stats.beta(1, 20),
    )
    with pytest.raises(
        ValueError,
        match=(
            r"Expected a prior for exactly the parameters .*missing \['sd_R'\], not in the model"
            r" \['lapse'\]"
        ),
    ):
        Simulator(models.dmc(), prior, Design(10, HALVES))
    trials = SIMULATOR.simulate(3, seed=1).trials
    with pytest.raises(
        ValueError, match=r"Expected theta of shape \(3, 6\), \(dataset, parameter\); got \(4, 6\)"
    ):
        Simulations(np.zeros((4, 6)), trials, models.dmc().parameter_names)

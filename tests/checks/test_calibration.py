"""Calibration checks on posteriors whose calibration is known, right or wrong by a known amount."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

import incongruent as inc
from incongruent.checks.network.calibration import (
    LOG_LIKELIHOOD,
    LOG_Q,
    TARP_NEAR,
    TARP_PRIOR,
    Calibration,
    calibrate,
)
from incongruent.checks.network.neighbourhood import posterior_sbc
from incongruent.checks.network.uniformity import simultaneous_band, uniformity_p
from incongruent.exact.importance import largest_k_hat
from incongruent.plots import calibration_figure, plot_ranks, save_png
from incongruent.plots.style import ACCENT, SECOND


def test_uniform_values_are_rejected_as_often_as_stated():
    rng = np.random.default_rng(1)
    for n in (20, 300):
        p = np.array([uniformity_p(rng.random(n)) for _ in range(1000)])
        for level in (0.05, 0.2):
            low, high = stats.binom(1000, level).ppf([0.001, 0.999]) / 1000
            assert (p <= level).mean() <= high
            # of few values the test is discrete, and keeps below its level
            assert (p <= level).mean() >= (low if n == 300 else 0.5 * low)


@pytest.mark.parametrize(
    "values",
    [
        lambda r: r.beta(1.3, 1.3, 1000),
        lambda r: r.beta(0.8, 0.8, 1000),
        lambda r: r.random(1000) ** 1.2,
    ],
)
def test_what_is_not_uniform_is_rejected(values):
    assert uniformity_p(values(np.random.default_rng(1))) < 0.01


def test_the_band_holds_as_a_whole():
    rng, n = np.random.default_rng(2), 200
    band = simultaneous_band(n, 0.9)
    places = np.arange(1, 100) / 100
    inside = 0
    for _ in range(2000):
        share = (rng.random(n)[:, None] <= places).mean(axis=0)
        inside += bool(((share >= band.low) & (share <= band.high)).all())
    assert inside / 2000 == pytest.approx(0.9, abs=0.03)


def test_no_values_have_no_p():
    assert np.isnan(uniformity_p(np.empty(0)))


def test_weights_are_bad_by_the_limit_of_their_own_number_of_draws():
    """What is good for 2000 draws is bad for 100, and a k-hat that nobody knows is bad; the limit
    is 1 - 1 / log10(draws), and at most .7.
    """
    n, rng = 40, np.random.default_rng(1)
    k_hat = np.r_[
        np.full(10, 0.45),
        np.full(10, 0.55),
        np.full(10, 0.65),
        np.full(8, 0.75),
        np.full(2, np.nan),
    ]
    record = Calibration(
        {"m": rng.random(n)},
        rng.standard_normal((n, 1)),
        np.full((n, 1), 0.5),
        np.full(n, 50),
        ("m",),
        False,
        k_hat,
        np.ones(n),
        0,
    )
    limits = {100: 0.5, 300: 0.596, 2_000: 0.697, 100_000: 0.7}
    for n_draws, limit in limits.items():
        assert largest_k_hat(n_draws) == pytest.approx(limit, abs=1e-3)
        bad = 100.0 * (1.0 - (k_hat < limit).sum() / n)
        assert f"({bad:.1f}% with bad weights; " in str(replace(record, n_draws=n_draws)), n_draws
    assert {n_draws: n - (k_hat < limit).sum() for n_draws, limit in limits.items()} == {
        100: 30,
        300: 20,
        2_000: 10,
        100_000: 10,
    }


@pytest.fixture(scope="module")
def both(posterior):
    """The small network's calibration, as it is and corrected, on the same simulations."""
    simulations = posterior.simulator.simulate(200, seed=21)
    return [
        calibrate(posterior, simulations, n_draws=100, corrected=corrected, seed=22)
        for corrected in (False, True)
    ]


def test_every_quantity_is_there(both):
    for calibration in both:
        assert set(calibration.ranks) == {
            "A",
            "tau",
            "mu_c",
            "b",
            "mu_R",
            "sd_R",
            LOG_Q,
            LOG_LIKELIHOOD,
            TARP_PRIOR,
            TARP_NEAR,
        }
        assert all(((ranks > 0.0) & (ranks < 1.0)).all() for ranks in calibration.ranks.values())
        assert np.isfinite(calibration.ess).all()
        assert calibration.n_draws == 100
        assert list(calibration.table()["quantity"]) == list(calibration.ranks)


def test_a_rough_network_is_caught_and_the_correction_mends_it(both):
    raw, corrected = both
    assert len(raw.failures()) > 0
    assert "not uniform for" in str(raw)
    p_raw, p = (c.table().set_index("quantity")["p"] for c in (raw, corrected))
    assert p[p_raw.idxmin()] > p_raw.min()
    assert corrected.z_score.std(axis=0) == pytest.approx(np.ones(6), abs=0.25)


def test_bins_hold_every_data_set_once(both):
    table = both[0].by_trials([50, 100, 200])
    assert list(table["trials"].unique()) == ["50–99", "100–200"]
    assert table.groupby("trials")["n_datasets"].first().sum() == 200


def test_bent_ranks_fail_for_their_own_parameter_only(both):
    """Ranks of one parameter as a posterior that lies too low has them."""
    calibration = both[1]
    bent = replace(
        calibration, ranks=dict(calibration.ranks) | {"A": calibration.ranks["A"] ** 1.5}
    )
    before, after = (set(c.failures()["quantity"]) for c in (calibration, bent))
    assert after - before == {"A"} - before
    assert "A" in after


def test_the_figure_shows_every_quantity_and_marks_what_leaves_its_band(both, tmp_path):
    figure = calibration_figure(both[0])
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert set(both[0].ranks) < set(titles)
    save_png(figure, tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")
    off = dict(both[1].ranks) | {"A": both[1].ranks["A"] ** 3}
    colours = {}
    for name, record in (
        ("off", replace(both[1], ranks=off)),
        ("good", replace(both[1], ranks=off | {"A": np.linspace(0.001, 0.999, 200)})),
    ):
        ax = Figure().subplots()
        colours[name] = plot_ranks(record, "A", ax).lines[0].get_color()
    assert colours == {"off": SECOND, "good": ACCENT}


def test_around_one_person(posterior):
    trials = posterior.simulator.simulate(3, seed=31).trials
    small = trials.select([int(np.argmin(trials.n_trials))])
    calibration = posterior_sbc(
        posterior, small, 0, n_datasets=40, n_draws=100, corrected=True, seed=1
    )
    assert len(calibration) == 40
    n = int(small.n_trials[0])
    assert (calibration.n_trials <= 2 * n).all()
    assert (calibration.n_trials > n).all()
    assert calibration.table()["p"].notna().all()


def test_a_person_with_too_many_trials_is_refused(posterior):
    design = inc.Design(190, {"congruent": 0.5, "incongruent": 0.5})
    trials = (
        inc.Simulator(posterior.simulator.model, posterior.simulator.prior, design)
        .simulate(1, seed=1)
        .trials
    )
    with pytest.raises(ValueError, match="room for at least 50 new trials"):
        posterior_sbc(posterior, trials, 0, seed=1)


@pytest.mark.slow
def test_a_network_for_another_prior_is_caught(posterior):
    """Taken for the prior it was not trained on, a network has bad weights and ranks that are not
    uniform; under its own it has fewer of both.
    """
    own = calibrate(posterior, n_datasets=150, n_draws=200, seed=1)
    other = inc.Prior(
        **{name: posterior.simulator.prior[name] for name in ("A", "tau", "mu_c", "b", "sd_R")},
        mu_R=stats.norm(340.0, 60.0),
    )
    simulator = inc.Simulator(posterior.simulator.model, other, posterior.simulator.design)
    spoiled = calibrate(
        replace(posterior, simulator=simulator), n_datasets=150, n_draws=200, seed=1
    )
    assert "mu_R" in list(spoiled.failures()["quantity"])
    bad_own, bad = ((c.k_hat > largest_k_hat(200)).mean() for c in (own, spoiled))
    assert bad > bad_own + 0.2


@pytest.mark.long
def test_a_network_trained_for_seconds_is_caught_and_one_trained_for_minutes_is_not():
    """By k-hat and by ranks; the same checks pass for a network with a fair budget."""
    simulator = inc.Simulator(
        inc.models.dmc(),
        inc.priors.schaefer2025(),
        inc.Design((50, 500), {"congruent": 0.5, "incongruent": 0.5}),
    )
    hasty = calibrate(
        inc.train(simulator, steps=30, seed=1, progress=False), n_datasets=1000, n_draws=500, seed=2
    )
    assert len(hasty.failures()) > 0
    assert (hasty.k_hat > largest_k_hat(500)).mean() > 0.2
    fair = inc.train(simulator, steps=7000, seed=1, progress=False)
    corrected = calibrate(fair, n_datasets=1000, n_draws=500, corrected=True, seed=2)
    assert (corrected.k_hat <= largest_k_hat(500)).mean() >= 0.95
    assert len(corrected.failures()) == 0, corrected.table()
    assert len(corrected.failures([50, 100, 200, 500])) == 0, corrected.by_trials(
        [50, 100, 200, 500]
    )


@pytest.mark.slow
def test_corrected_draws_are_calibrated_around_a_person(posterior):
    """Posterior SBC of exact posteriors is uniform, so p-values of its quantities may not be small
    together.
    """
    design = inc.Design(90, {"congruent": 0.5, "incongruent": 0.5})
    trials = (
        inc.Simulator(posterior.simulator.model, posterior.simulator.prior, design)
        .simulate(1, seed=4)
        .trials
    )
    calibration = posterior_sbc(
        posterior, trials, 0, n_datasets=300, n_draws=400, corrected=True, seed=1
    )
    assert len(calibration.failures()) == 0, calibration.table()

"""Who is inside what a network was trained for: one person outside is flagged, a study with nobody
inside is refused.
"""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import incongruent as inc
from incongruent.checks.model.predictive import Prediction
from incongruent.data.datasets import DATASETS, load
from incongruent.data.trials import RESPONSE
from incongruent.posterior.draws import BY_MCMC, BY_NETWORK, Correction
from incongruent.posterior.scope import (
    FEWEST_PEOPLE,
    IN_APP,
    IN_PYTHON,
    IN_SHELL,
    admit,
)
from incongruent.posterior.statistics import (
    FEWEST_SIMULATED,
    Kind,
    Ranges,
    Statistic,
    ranges_of,
    statistics_of,
)
from incongruent.report.content import glance

DESIGN = inc.Design((50, 200), {"congruent": 0.5, "incongruent": 0.5})
SIMULATOR = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), DESIGN)


@pytest.fixture(scope="module")
def ranges() -> Ranges:
    return ranges_of(SIMULATOR.simulate(1000, seed=1).trials, DESIGN.levels)


def people(n: int, seed: int = 2) -> inc.Trials:
    return SIMULATOR.simulate(n, seed=seed).trials


def slower(study: inc.Trials, by: float) -> inc.Trials:
    return replace(study, values={**study.values, "rt": study.values["rt"] + by}, notes=())


def all_wrong(study: inc.Trials) -> inc.Trials:
    return replace(
        study,
        values={
            **study.values,
            "response": np.full_like(study.values["response"], RESPONSE.levels.index("error")),
        },
    )


def of_another_design(study: inc.Trials) -> inc.Trials:
    share = {"congruent": 0.9, "incongruent": 0.1}
    return (
        inc.Simulator(SIMULATOR.model, SIMULATOR.prior, inc.Design(150, share))
        .simulate(len(study), seed=5)
        .trials
    )


def too_long(study: inc.Trials) -> inc.Trials:
    share = {"congruent": 0.5, "incongruent": 0.5}
    return (
        inc.Simulator(SIMULATOR.model, SIMULATOR.prior, inc.Design(900, share))
        .simulate(len(study), seed=5)
        .trials
    )


def without_trials(study: inc.Trials) -> inc.Trials:
    return replace(
        study, present=np.zeros_like(study.present), answered=np.zeros_like(study.answered)
    )


OUTSIDE = {
    "slow": (lambda study: slower(study, 900.0), "RT (ms)", "prior"),
    "in seconds": (
        lambda study: replace(study, values={**study.values, "rt": study.values["rt"] / 1000.0}),
        "no usable trials",
        "reading",
    ),
    "all wrong": (all_wrong, "error share", "prior"),
    "another share": (of_another_design, "congruent trials ", "design"),
    "too many trials": (too_long, "umber of trials 900", "design"),
    "no trials": (without_trials, "no usable trials", "reading"),
}


@pytest.mark.parametrize("kind", OUTSIDE)
@pytest.mark.parametrize("n", [1, 3, 12])
def test_a_study_with_nobody_inside_is_refused_whatever_the_reason_and_let_in_on_request(
    kind: str, n: int, ranges: Ranges
) -> None:
    make, reason, advice = OUTSIDE[kind]
    study = make(people(n))
    with pytest.raises(inc.ScopeError) as refused:
        admit(study, DESIGN, ranges)
    words = str(refused.value)
    assert reason in words
    assert ("all" if n > 1 else "1 lies outside") in words
    # with no trials there is nothing to go on with
    assert ("anyway=True" in words) == (advice != "reading")
    assert IN_PYTHON[advice][1:] in words
    admission = admit(study, DESIGN, ranges, anyway=True)
    assert admission.outside.all()
    assert admission.n_flagged == n


@pytest.mark.parametrize("n", [1, 3])
def test_numbers_of_trials_are_shown_as_numbers_and_shares_in_percent(
    n: int, ranges: Ranges
) -> None:
    """One message for each unit: counts, shares of trials, times and shares of answers."""

    def refusal(study: inc.Trials) -> str:
        with pytest.raises(inc.ScopeError) as refused:
            admit(study, DESIGN, ranges)
        return str(refused.value)

    simulator = inc.Simulator(SIMULATOR.model, SIMULATOR.prior, inc.Design(240, DESIGN.share))
    long = simulator.simulate(n, seed=5).trials
    every = replace(long, present=np.ones_like(long.present))
    few = f" ({n} of {n})" if n > 1 else ""
    assert f"number of trials 240, trained for 50 to 200{few}" in refusal(every)
    shares = refusal(of_another_design(people(n)))
    assert re.search(
        r": congruent trials [\d.]+%( to [\d.]+%)?, trained for 50\.0% to 50\.0%", shares
    )
    assert re.search(
        r"median RT \(ms\) \d+( to \d+)?, trained for \d+ to \d+", refusal(slower(people(n), 900.0))
    )
    wrong = refusal(all_wrong(people(n)))
    assert re.search(r"error share, congruent 100\.0%, trained for 0\.0% to [\d.]+%", wrong)


@pytest.mark.parametrize(
    "name",
    ["number of trials", "error share of (ms) trials", "share of trials"],
)
def test_what_a_statistic_is_does_not_depend_on_how_it_is_spelt(name: str) -> None:
    assert Statistic(name, Kind.COUNT).shown(240.0) == "240"
    assert Statistic(name, Kind.SHARE).shown(0.25) == "25.0%"
    assert Statistic(name, Kind.QUANTILE).shown(0.25) == "0.25"
    assert Statistic(name, Kind.QUANTILE, unit="ms").shown(400.2) == "400"
    assert Statistic(name, Kind.QUANTILE, unit="s").shown(0.4002) == "0.4002"


def test_statistics_of_other_data_say_what_they_are() -> None:
    columns = [inc.Continuous("share of", unit="ms"), inc.Category("trials", ("(ms)", "x"))]
    values = {"share of": np.full((1, 4), 300.0), "trials": np.array([["(ms)", "x", "x", "x"]])}
    found = statistics_of(inc.trials_from(values, columns), ())
    shown = {known.name: known.shown(float(value[0])) for known, value in found.items()}
    assert shown["50% quantile of share of (ms)"] == "300"
    assert shown["share of '(ms)', trials"] == "25.0%"
    assert {(known.column, known.level, known.probability) for known in found} == {
        ("share of", None, 0.1),
        ("share of", None, 0.5),
        ("share of", None, 0.9),
        ("trials", "(ms)", None),
        ("trials", "x", None),
    }


@pytest.mark.parametrize("kind", OUTSIDE)
def test_one_person_inside_lets_a_study_in_and_the_others_are_flagged(
    kind: str, ranges: Ranges
) -> None:
    study = inc.concatenate([OUTSIDE[kind][0](people(8)), people(1, seed=3)])
    admission = admit(study, DESIGN, ranges)
    assert admission.outside.tolist() == [True] * 8 + [False]
    assert [bool(flags) for flags in admission.flags] == [True] * 8 + [False]


def beyond(study: inc.Trials, ranges: Ranges, share: float) -> inc.Trials:
    """Everybody's slow RTs beyond what was simulated, by a share of the simulated range."""
    name = "slow (90 %) RT (ms)"
    wanted = ranges.high[name] + share * (ranges.high[name] - ranges.low[name])
    rt = np.broadcast_to(
        np.linspace(350.0, 1.0 + wanted / 0.9, study.present.shape[1]), study.present.shape
    ).copy()
    slow = np.quantile(rt[0], 0.9)
    return replace(
        study,
        values={**study.values, "rt": rt * wanted / slow},
        present=np.ones_like(study.present),
        answered=np.ones_like(study.present),
    )


def test_a_slight_excess_of_one_person_is_no_reason_to_refuse_but_one_of_everybody_is(
    ranges: Ranges,
) -> None:
    few = replace(
        DESIGN, n_trials=(20, 5000), share={"congruent": (0.0, 1.0), "incongruent": (0.0, 1.0)}
    )
    name = "slow (90 %) RT (ms)"
    only = Ranges(
        {**ranges.low, **{k: -1e9 for k in ranges.low if k != name}},
        {**ranges.high, **{k: 1e9 for k in ranges.high if k != name}},
        1000,
    )
    for n in range(1, FEWEST_PEOPLE + 3):
        slight, far = beyond(people(n), only, 0.1), beyond(people(n), only, 0.4)
        if n < FEWEST_PEOPLE:
            admission = admit(slight, few, only)
            assert admission.n_flagged == n
            assert not admission.outside.any()
        else:
            with pytest.raises(inc.ScopeError, match=rf"slow \(90 %\) RT .* \({n} of {n}\)"):
                admit(slight, few, only)
        with pytest.raises(inc.ScopeError):
            admit(far, few, only)


@given(
    n=st.integers(1, 12),
    n_simulated=st.integers(2, FEWEST_SIMULATED - 1),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=10, deadline=None)
def test_ranges_of_few_simulations_flag_but_never_refuse(
    n: int, n_simulated: int, seed: int
) -> None:
    few = ranges_of(SIMULATOR.simulate(n_simulated, seed=seed).trials, DESIGN.levels)
    admission = admit(slower(people(n), 900.0), DESIGN, few)
    assert admission.n_flagged == n
    assert Ranges(**few.to_json()) == few


def test_people_from_the_prior_are_never_refused(ranges: Ranges) -> None:
    for seed in range(5):
        study = people(40, seed=100 + seed)
        admission = admit(study, DESIGN, ranges)
        assert admission.n_flagged <= 4
        assert not admission.outside.any()
        for i in range(5):
            admit(study.select([i]), DESIGN, ranges)


def test_every_door_says_its_own_words_and_the_error_can_be_pickled(ranges: Ranges) -> None:
    with pytest.raises(inc.ScopeError) as refused:
        admit(slower(people(6), 900.0), DESIGN, ranges)
    error = pickle.loads(pickle.dumps(refused.value))
    assert str(error) == str(refused.value) == error.said(IN_PYTHON)
    assert set(IN_PYTHON) == set(IN_SHELL) == set(IN_APP)
    assert "--anyway" in error.said(IN_SHELL)
    assert "train --prior" in error.said(IN_SHELL)
    for other in (IN_SHELL, IN_APP):
        assert "=True" not in error.said(other)
    assert "--" not in error.said(IN_APP)


def fit_of(k_hat: list[float], mcmc: list[bool], flags: list[bool]) -> inc.Fit:
    """A fit of made-up numbers."""
    n = len(k_hat)
    study = people(n)
    theta = SIMULATOR.prior.sample(n * 1000, seed=1).reshape(n, 1000, -1)
    zeros = np.zeros(n)
    correction = Correction(
        np.array(k_hat),
        zeros,
        zeros,
        zeros,
        zeros == 0,
        np.where(mcmc, BY_MCMC, BY_NETWORK).astype(object),
        zeros,
        np.array(mcmc) | (np.array(k_hat) < 0.67),
        zeros,
        zeros,
        np.zeros((n, 1000)),
    )
    words = tuple(("far away",) if flagged else () for flagged in flags)
    draws = inc.Draws(theta, np.zeros((n, 1000)), SIMULATOR, study.names, words, correction)
    return inc.Fit(draws, Prediction({}, {}, (), study.names), study, words)


def test_a_fit_whose_weights_are_good_for_nobody_says_so_and_so_does_the_page() -> None:
    assert fit_of([0.1, 3.0], [False, True], [False, True]).alarms == ()
    (by_mcmc,) = fit_of([2.0, np.inf], [True, True], [False, True]).alarms
    assert "trusted for nobody (k_hat above 0.67 for 2 of 2)" in by_mcmc
    assert "Posteriors of 2 were sampled anew on the exact likelihood." in by_mcmc
    (as_they_are,) = fit_of([2.0, np.nan], [False, False], [False, False]).alarms
    assert "These posteriors are not to be trusted." in as_they_are
    both = fit_of([2.0, 1.0], [False, False], [True, True])
    assert [sentence.split("(")[0] for sentence in both.alarms] == [
        "Nobody lies inside what the network was trained for ",
        "The network's draws can be trusted for nobody ",
    ]
    assert glance(both, None)["alarms"] == list(both.alarms)


@pytest.mark.slow
@pytest.mark.parametrize("name", DATASETS)
def test_public_studies_are_let_in_by_the_network_that_ships(
    name: str, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCONGRUENT_DATA", str(data_folder))
    admission = inc.pretrained().admit(load(name))
    assert admission.n_flagged <= 0.25 * len(admission.flags)
    assert admission.outside.mean() <= 0.15

"""The network that ships: its card, its recovery, and what it says about real people."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import incongruent as inc
from incongruent.analysis import fit
from incongruent.checks.network.recovery import recover
from incongruent.data.demo import demo_study, demo_truth
from incongruent.priors.published import broad

pytestmark = pytest.mark.usefixtures("optimised")
PRATTE_CODES = inc.Coding(levels={"0": "incongruent", "1": "congruent", "2": "neutral"})
PRATTE = [
    "experiment",
    "subject",
    "block",
    "trial",
    "colour",
    "distractor",
    "condition",
    "response",
    "accuracy",
    "rt",
    "unused",
]
SPATIAL = [
    "subject",
    "block",
    "block type",
    "trial",
    "word",
    "location",
    "condition",
    "response",
    "accuracy",
    "rt",
]
FILES = {
    "Ulrich flanker": ("ulrich2015/flankerData.txt", {}),
    "Ulrich Simon": ("ulrich2015/simonData.txt", {}),
    "Pratte Simon": ("pratte2010/allsi2.dat", {"names": PRATTE, "where": "experiment == 0"}),
    "Pratte Stroop": (
        "pratte2010/allsi2.dat",
        {"names": PRATTE, "where": "experiment == 1", "coding": PRATTE_CODES},
    ),
    "Pratte Simon 2": ("pratte2010/allsi7.dat", {"names": SPATIAL, "where": "`block type` == 0"}),
    "Pratte spatial Stroop": (
        "pratte2010/allsi7.dat",
        {"names": SPATIAL, "where": "`block type` == 1"},
    ),
    "von Bastian Simon": ("vonbastian2016/LEF_simon.csv", {}),
    "von Bastian Stroop": ("vonbastian2016/LEF_stroop.csv", {}),
    "von Bastian flanker": ("vonbastian2016/LEF_flanker.csv", {}),
}
QUICK = {"Ulrich flanker", "Ulrich Simon", "Pratte Simon"}
"""Studies of few people; the others are looked at with the slow tests."""


@pytest.fixture(scope="module")
def dmc() -> inc.Posterior:
    return inc.pretrained("dmc")


def test_the_card_says_what_the_network_is(dmc: inc.Posterior) -> None:
    card = dmc.card()
    assert dmc.simulator.prior == broad()
    assert card["design"]["n_trials"] == (20, 2000)
    assert card["design"]["share"] == {"congruent": (0.2, 0.8), "incongruent": (0.2, 0.8)}
    quality = card["notes"]["quality"]
    assert {row["trials"] for row in quality["by_trials"]} == {
        "20–49",
        "50–99",
        "100–199",
        "200–499",
        "500–999",
        "1000–2000",
    }
    assert max(row["calibration_error"] for row in quality["overall"]) <= 0.02
    assert dmc.history is not None
    assert dmc.history.evaluations[-1].seconds > 600


def test_the_file_is_small(dmc: inc.Posterior) -> None:
    folder = Path(inc.pretrained.__code__.co_filename).parent  # type: ignore[attr-defined]
    assert (folder / "dmc.safetensors").stat().st_size < 5_000_000


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"networks that ship, \['dmc'\]; got 'ddm'"):
        inc.pretrained("ddm")


def test_a_simulated_study_is_recovered(dmc: inc.Posterior) -> None:
    design = inc.Design(300, {"congruent": 0.5, "incongruent": 0.5})
    simulations = inc.Simulator(inc.models.dmc(), inc.priors.schaefer2025(), design).simulate(
        100, seed=41
    )
    table = recover(dmc, simulations, n_draws=1000, seed=1).table().set_index("parameter")
    floor = {"mu_R": 0.95, "mu_c": 0.85, "b": 0.85, "A": 0.7, "sd_R": 0.7}
    assert all(table.loc[name, "r"] >= r for name, r in floor.items()), table["r"]
    assert 0.86 <= table["coverage_90"].mean() <= 0.94


def test_the_demo_study_is_recovered(dmc: inc.Posterior) -> None:
    study, truth = demo_study(), demo_truth()
    assert list(study.names) == truth["participant"].tolist()
    draws = dmc.sample(study, 500, seed=1)
    r = [
        np.corrcoef(draws.means[:, i], truth[name])[0, 1]
        for i, name in enumerate(draws.parameter_names)
    ]
    assert min(r[4], r[3], r[2]) > 0.85


@pytest.mark.slow
def test_a_thousand_people_take_seconds(dmc: inc.Posterior) -> None:
    """Eight seconds of all cores together on the machine of RESULTS.md. Machines differ, so that
    what is tested is that time grows as people do.
    """
    study = dmc.simulator.simulate(1000, seed=3).trials
    dmc.sample(study.select(range(16)), 1000, seed=1)
    seconds = []
    for n in (128, 1000):
        begun = time.process_time()
        assert dmc.sample(study.select(range(n)), 1000, seed=1).theta.shape == (n, 1000, 6)
        seconds.append(time.process_time() - begun)
    assert seconds[1] / 1000 < 1.5 * seconds[0] / 128
    assert seconds[1] < 120.0


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in FILES]
)
def test_real_people_are_fitted(name: str, dmc: inc.Posterior, data_folder: Path) -> None:
    file, options = FILES[name]
    study = inc.read_trials(data_folder / file, **options)
    result = fit(dmc, study, n_draws=200, adapt=False, seed=1)
    assert len(result.draws) == len(study)
    assert np.isfinite(result.draws.theta).all()
    assert (
        result.study.n_trials + result.study.n_excluded == study.n_trials + study.n_excluded
    ).all()


def test_ulrichs_flanker_people_are_where_the_literature_has_them(
    dmc: inc.Posterior, data_folder: Path
) -> None:
    study = inc.read_trials(data_folder / "ulrich2015/flankerData.txt")
    A, _, mu_c, b, mu_R, _ = dmc.sample(study, 1000, seed=1).means.mean(axis=0)
    assert 15 <= A <= 25
    assert 0.5 <= mu_c <= 0.65
    assert 50 <= b <= 65
    assert 300 <= mu_R <= 360

"""Code in the documentation runs as it stands, block after block."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import incongruent as inc

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_a_simulator_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / "own_simulator.md").read_text(), flags=re.DOTALL):
        exec(compile(block, "own_simulator.md", "exec"), names)
    printed = capsys.readouterr().out
    race, detection, line = (printed.splitlines()[k] for k in (0, 1, 2))
    recovered = [float(number) for number in re.findall(r"\d\.\d+", race.replace("np.float64", ""))]
    assert len(recovered) == 3
    assert min(recovered) > 0.7
    assert float(detection) > 0.7
    assert float(line) > 0.9
    assert np.isfinite(recovered).all()


@pytest.mark.slow
def test_do_model_and_people_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / "misspecification.md").read_text(), flags=re.DOTALL)
    exec(compile(block, "misspecification.md", "exec"), {})
    study, people, space = capsys.readouterr().out.splitlines()
    assert "narrower than the reference" in study
    assert people.startswith("0 of 30 people are outside")
    assert "components hold 99%" in space


@pytest.mark.slow
def test_the_simulator_is_far_more_extreme(data_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The whole story, block after block, and what it says of each."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INCONGRUENT_DATA", str(data_folder))
    shown = (DOCS / "far_more_extreme.md").read_text()
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", shown, flags=re.DOTALL):
        exec(compile(block, "far_more_extreme.md", "exec"), names)
    assert (tmp_path / "space.png").stat().st_size > 10_000
    found, after, real, last = (names[name] for name in ("found", "after", "real", "last"))
    assert inc.hygiene(names["batches"])["units"].severity.value == "warning"
    assert inc.hygiene(names["study"])["units"].severity.value == "fine"
    # the twin, whose truth is known: move the prior to where it is, and the question is closed
    assert found.verdict is inc.Verdict.MOVE_PRIOR
    assert {("A", "down"), ("b", "down")} <= set(found.prior.moves())
    assert found.panel.failing() == ()
    truth = inc.priors.schaefer2025()
    for name in ("A", "b"):
        middle = float(truth[name].ppf(0.5))
        assert abs(float(found.suggestion.prior[name].ppf(0.5)) - middle) < 0.4 * abs(float(found.suggestion.before[name].ppf(0.5)) - middle)
    assert after.mmd.p_value > 0.05
    assert after.prior.p_value > 0.05
    assert after.verdict in (inc.Verdict.WELL_SPECIFIED, inc.Verdict.WASTEFUL)
    # the people themselves
    assert real.verdict is inc.Verdict.DEFICIENT
    assert {("A", "down"), ("b", "down")} <= set(real.prior.moves())
    assert any(name.startswith("skewness") for name in real.panel.failing())
    assert not any(name.startswith(("skewness", "SD")) for name in last.panel.failing())
    assert len(last.panel.failing()) < len(real.panel.failing())
    assert [name for name, word in last.prior.moves() if word in ("up", "down")] in ([], ["lapse"])

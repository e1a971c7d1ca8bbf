"""Code in the documentation runs as it stands, block after block."""

import re
from pathlib import Path

import numpy as np
import pytest

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

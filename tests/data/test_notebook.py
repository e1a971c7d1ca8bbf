"""What notebooks show: short, escaped, and there for the objects that people look at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import incongruent as inc
from incongruent.data.basics.notebook import MOST_ROWS, html
from incongruent.data.demo import demo_study
from incongruent.data.long_format import from_long


def test_text_from_outside_is_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    study = from_long(
        [inc.Continuous("x")],
        np.zeros(3, int),
        {"x": [1.0, 2.0, 3.0]},
        names=[hostile],
    )
    for shown in (
        study._repr_html_(),
        html(hostile, [hostile], pd.DataFrame({hostile: [hostile]})),
    ):
        assert "<script>" not in shown
        assert "&lt;script&gt;" in shown


def test_a_long_table_is_cut_and_says_so() -> None:
    shown = html("Rows", table=pd.DataFrame({"x": np.arange(1000) / 7}))
    assert shown.count("<tr>") == MOST_ROWS
    assert f"The first {MOST_ROWS} of 1000 rows." in shown
    assert "0.1429" in shown


@pytest.mark.parametrize("kind", ["trials", "posterior", "draws", "fit"])
def test_objects_that_people_look_at_have_a_table(kind: str, posterior: inc.Posterior) -> None:
    study = demo_study().select(range(3))
    result = inc.fit(posterior, study, n_draws=30, adapt=False, anyway=True, seed=1)
    shown = {"trials": study, "posterior": posterior, "draws": result.draws, "fit": result}[kind]
    text = shown._repr_html_()
    assert text.startswith("<p><b>")
    assert "<table" in text
    assert len(text) < 20_000

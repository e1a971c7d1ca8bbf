"""Tables for spreadsheets: nothing in them runs, and names come back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incongruent.data.basics.csvs import FORMULA, as_csv, read_results
from incongruent.storage.atomic import write_atomically

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), min_size=1, max_size=8)
QUOTES, BEGINNINGS = st.sampled_from(["", "'", "''"]), st.sampled_from([*FORMULA[:4], "\t", "＝"])
HOSTILE = st.builds(lambda quotes, begin, rest: quotes + begin + rest, QUOTES, BEGINNINGS, NAMES)
NUMBERS = st.one_of(
    st.integers(-999, 999).map(str),
    st.floats(-1e3, 1e3).map(repr),
    st.integers(0, 99).map("{:+d}".format),
    st.just("007"),
)


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "people.csv"


@given(names=st.lists(NAMES | HOSTILE | NUMBERS, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_no_cell_is_a_formula_and_names_come_back_as_they_were(
    names: list[str], path: Path
) -> None:
    frame = pd.DataFrame(
        {"participant": names, "x": [-1.5] * len(names), "flags": names, "=head": 1}
    )
    write_atomically(path, as_csv(frame).encode())
    written = pd.read_csv(path, dtype=str, keep_default_na=False)
    cells = [*written["participant"], *written["flags"], *written.columns]
    assert not [cell for cell in cells if cell.startswith(FORMULA) and not is_number(cell)]
    back = read_results(path)
    assert list(back.columns) == list(frame.columns)
    assert back["participant"].tolist() == names
    assert back["x"].tolist() == frame["x"].tolist()


def test_plain_numbers_are_no_formulas() -> None:
    frame = pd.DataFrame({"participant": ["-1", "+5", "-1.5e3", "-a"], "x": -2.0})
    assert as_csv(frame).splitlines() == [
        "participant,x",
        "-1,-2.0",
        "+5,-2.0",
        "-1.5e3,-2.0",
        "'-a,-2.0",
    ]

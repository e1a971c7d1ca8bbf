"""A simulated flanker study with known parameters.

It has 30 people with 240 trials each, and was made by ``tools/make_demo_study.py``.
"""

from __future__ import annotations

from importlib import resources

import pandas as pd

from incongruent.data.reading.read_trials import read_trials
from incongruent.data.trials import Trials


def demo_study() -> Trials:
    """The trials of the demo study, read like those of any other file."""
    with resources.as_file(resources.files(__name__) / "study.csv") as path:
        return read_trials(path)


def demo_truth() -> pd.DataFrame:
    """The parameters with which the demo study was simulated, one row per person."""
    with resources.as_file(resources.files(__name__) / "truth.csv") as path:
        return pd.read_csv(path, dtype={"participant": str})

"""Whatever comes in, the answer is a result or a sentence that says what was expected; never an
error from deep inside.
"""

from __future__ import annotations

import functools
import gzip
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import rdata
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

import incongruent as inc
from incongruent.data.trials import CONFLICT_TASK

FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=5),
    st.just(stats.norm(0, 1)),
    st.just(stats.norm),
)
THINGS = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.text(max_size=3), SCALARS, max_size=2),
)


def answers(call) -> object | None:
    """What the call gives; None when it refuses in words."""
    try:
        return call()
    except (ValueError, TypeError, KeyError) as error:
        refused = error
    text = str(refused).strip("\"'")
    assert text.startswith("Expected") or "has no option" in text, (
        f"{type(refused).__name__}: {text[:200]}"
    )
    return None


@FEW
@given(st.dictionaries(st.sampled_from(["A", "tau", "mu_c"]), THINGS, max_size=3))
def test_priors(distributions):
    made = answers(lambda: inc.Prior(**distributions))
    assert made is None or isinstance(made, inc.Prior)


@FEW
@given(
    st.lists(st.one_of(st.text(max_size=3), THINGS), max_size=3),
    st.lists(st.one_of(st.sampled_from(CONFLICT_TASK), THINGS), max_size=3),
    THINGS,
)
def test_models(parameters, columns, function):
    made = answers(lambda: inc.Model("m", parameters, columns, trial=function))
    assert made is None or isinstance(made, inc.Model)


@FEW
@given(THINGS, THINGS, THINGS)
def test_designs(n_trials, share, window):
    made = answers(lambda: inc.Design(n_trials, share, window))
    assert made is None or isinstance(made, inc.Design)


@FEW
@given(
    st.lists(
        st.sampled_from(["subject", "rt", "condition", "accuracy", "x"]),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    st.lists(st.lists(SCALARS, min_size=5, max_size=5), max_size=4),
)
def test_tables_of_trials(names, rows):
    frame = pd.DataFrame([row[: len(names)] for row in rows], columns=names).astype(object)
    made = answers(lambda: inc.read_trials(frame))
    assert made is None or isinstance(made, inc.Trials)


ARRAYS = st.sampled_from(
    [
        np.ones((3, 4)),
        np.ones(3),
        np.full((3, 4), np.nan),
        np.ones((2, 2)),
        np.ones((3, 4, 2)),
        np.array(["a", "b"]),
        np.ones(0),
    ]
)


@FEW
@given(st.dictionaries(st.sampled_from(["rt", "x", "c"]), st.one_of(SCALARS, ARRAYS)))
def test_arrays_of_trials(data):
    made = answers(lambda: inc.trials_from(data))
    assert made is None or isinstance(made, inc.Trials)


@FEW
@given(THINGS, st.one_of(st.none(), st.integers(-1, 3), st.floats(-1, 1)))
def test_what_is_to_be_learned_from(source, steps):
    assert answers(lambda: inc.train(source, steps=steps, seed=1, progress=False)) is None


@FEW
@given(
    present=st.lists(st.booleans(), min_size=4, max_size=4),
    answered=st.lists(st.booleans(), min_size=4, max_size=4),
    rt=st.lists(st.floats(width=32), min_size=4, max_size=4),
    condition=st.lists(st.integers(-2, 4), min_size=4, max_size=4),
    n_draws=st.integers(-1, 2),
)
def test_studies_to_draw_for(posterior, present, answered, rt, condition, n_draws):
    def draw() -> object:
        values = {
            "rt": np.array([rt], np.float32),
            "condition": np.array([condition], np.int8),
            "response": np.zeros((1, 4), np.int8),
        }
        return posterior.sample(
            inc.Trials(CONFLICT_TASK, values, np.array([present]), np.array([answered])),
            n_draws,
            seed=1,
        )

    answers(draw)


@FEW
@given(st.binary(max_size=300))
def test_files(tmp_path: Path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    for load in (inc.load_posterior, inc.import_simulations, inc.open_bank):
        assert answers(lambda load=load: load(path)) is None


# --- files of trials ------------------------------------------------------------------------------


def trials_to_break() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "subject": pd.Series(["001"] * 6 + ["002"] * 6, dtype=object),
            "condition": pd.Series(["congruent", "incongruent"] * 6, dtype=object),
            "rt": np.round(rng.gamma(20, 20, 12), 2),
            "accuracy": [1] * 12,
        }
    )


def _bytes_of(write: Callable[[Path], object], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


@functools.cache
def whole_files() -> dict[str, bytes]:
    """A whole file of each format."""
    frame = trials_to_break()
    text = frame.to_csv(index=False)
    log = "*** Header Start ***\nSubject: 1\n*** Header End ***\n" + "".join(
        f"Level: 2\n*** LogFrame Start ***\ncondition: {row.condition}\nrt: {row.rt}\naccuracy:"
        " 1\n*** LogFrame End ***\n"
        for row in frame.itertuples()
    )
    return {
        "csv": text.encode(),
        "titled": f"sep=;\n# title\n\n{frame.to_csv(index=False, sep=';', quoting=1)}".encode(),
        "tsv": frame.to_csv(index=False, sep="\t").encode("utf-16"),
        "spaces": frame.to_string(index=False).encode(),
        "no header": frame.to_csv(index=False, header=False).encode(),
        "records": frame.to_json(orient="records").encode(),
        "columns": frame.to_json().encode(),
        "lines": frame.to_json(orient="records", lines=True).encode(),
        "log": log.encode(),
        "gz": gzip.compress(text.encode()),
        "zip": _bytes_of(lambda path: frame.to_csv(path, index=False), "a.zip"),
        "parquet": _bytes_of(frame.to_parquet, "a.parquet"),
        "feather": _bytes_of(frame.to_feather, "a.feather"),
        "xlsx": _bytes_of(lambda path: frame.to_excel(path, index=False), "a.xlsx"),
        "sav": _bytes_of(lambda path: pyreadstat.write_sav(frame, str(path)), "a.sav"),
        "dta": _bytes_of(
            lambda path: frame.to_stata(path, write_index=False, version=118), "a.dta"
        ),
        "rds": _bytes_of(lambda path: rdata.write_rds(path, frame), "a.rds"),
        "plain rds": gzip.decompress(_bytes_of(lambda path: rdata.write_rds(path, frame), "a.rds")),
    }


SNIPPETS = [
    b"",
    b",",
    b'"',
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"rt",
    b"{",
    b"[",
    b"]",
    b"1e999",
    b"-1",
    b"\xe2\x80\xa8",
    b"#",
    b"sep=;",
    b"NA",
    b"\t",
]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Content cut, or with some places overwritten, or with a part twice."""
    kind, at = rng.integers(4), int(rng.integers(len(content)))
    if kind == 0:
        return content[:at]
    if kind == 1:
        end = int(rng.integers(at, len(content)))
        return content[:end] + content[at:]
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(len(changed))) if changed else 0
        snippet = (
            SNIPPETS[rng.integers(len(SNIPPETS))]
            if kind == 2
            else rng.bytes(int(rng.integers(1, 4)))
        )
        changed[place : place + int(rng.integers(0, 4))] = snippet
    return bytes(changed)


def malformed_files(folder: Path, rng: np.random.Generator, n: int) -> Counter[str]:
    """How many mutated files of each format, random contents, and folders of them were answered."""
    files, path = whole_files(), folder / "file"
    tried: Counter[str] = Counter()
    for i in range(n):
        name = [*files, "random", "folder"][i % (len(files) + 2)]
        if name == "folder":
            place = folder / "people"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            for k in range(3):
                source = files[rng.choice(["csv", "titled", "records", "no header"])]
                (place / f"s{k}{rng.choice(['.csv', '.txt', '.json', '', '.csv.gz'])}").write_bytes(
                    mutated(source, rng) if k else source
                )
            answers(lambda place=place: inc.read_trials(place))
        else:
            path.write_bytes(
                rng.bytes(int(rng.integers(200))) if name == "random" else mutated(files[name], rng)
            )
            names = list(trials_to_break().columns) if name == "no header" or i % 7 == 0 else None
            answers(lambda names=names: inc.read_trials(path, names=names))
        tried[name] += 1
    return tried


def test_files_of_trials(tmp_path: Path):
    tried = malformed_files(tmp_path, np.random.default_rng(1), 200)
    assert len(tried) == len(whole_files()) + 2


def test_whole_files_are_read(tmp_path: Path):
    for name, content in whole_files().items():
        (tmp_path / "file").write_bytes(content)
        names = list(trials_to_break().columns) if name == "no header" else None
        assert len(inc.read_trials(tmp_path / "file", names=names, by=())) == 1, name


@pytest.mark.slow
def test_ten_thousand_files_of_trials(tmp_path: Path):
    tried = malformed_files(tmp_path, np.random.default_rng(2), 10_000)
    assert sum(tried.values()) == 10_000

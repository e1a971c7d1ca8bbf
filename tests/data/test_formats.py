"""Laws of formats and folders: the same trials read the same from every format and from one file or
many; what is left out is named.
"""

import bz2
import gzip
import importlib
import json
import lzma
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
import rdata
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incongruent.data.files.tables import FILE_COLUMN, read_table, source_name
from incongruent.data.reading.read_trials import Coding, read_trials
from incongruent.data.trials import Trials
from incongruent.data.values import DataError, numbers, texts

quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def made(n_people: int = 3, n_trials: int = 20, seed: int = 0, first: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = n_people * n_trials
    return pd.DataFrame(
        {
            "subject": np.repeat([f"{i + first:03d}" for i in range(n_people)], n_trials),
            "condition": np.tile(["congruent", "incongruent"], n // 2),
            "rt": np.round(rng.gamma(20, 20, n) + 150, 2),
            "accuracy": (rng.random(n) > 0.1) + 0,
        }
    )


def same(one: Trials, other: Trials) -> bool:
    return one.names == other.names and all(
        np.array_equal(one.values[c][one.present], other.values[c][other.present])
        for c in one.values
    )


# --- formats --------------------------------------------------------------------------------------


def _workbook(frame: pd.DataFrame, path: Path) -> None:
    frame.to_excel(path, index=False)


def _titled_workbook(frame: pd.DataFrame, path: Path) -> None:
    frame.to_excel(path, index=False, startrow=3)
    book = openpyxl.load_workbook(path)
    book.active["A1"] = "A flanker experiment"
    book.create_sheet("empty")
    book.save(path)


def _spss(frame: pd.DataFrame, path: Path) -> None:
    coded = frame.assign(condition=frame["condition"].map({"congruent": 1.0, "incongruent": 2.0}))
    labels = {"condition": {1.0: "congruent", 2.0: "incongruent"}, "rt": {-1.0: "no answer"}}
    pyreadstat.write_sav(coded, str(path), variable_value_labels=labels)


def _stata(frame: pd.DataFrame, path: Path) -> None:
    frame.astype({"condition": "category"}).to_stata(path, write_index=False, version=118)


def _r(frame: pd.DataFrame, path: Path) -> None:
    rdata.write_rds(path, _as_r(frame))


def _as_r(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        subject=frame["subject"].astype(object),
        condition=pd.Categorical(frame["condition"].astype(object)),
    )


def _r_data(frame: pd.DataFrame, path: Path) -> None:
    rdata.write_rda(path, {"trials": _as_r(frame), "n": np.array([3])})


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[pd.DataFrame, Path], None]:
    return lambda frame, path: path.write_bytes(pack(frame.to_csv(index=False).encode()))


def _zip(frame: pd.DataFrame, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("trials.csv", frame.to_csv(index=False))
        archive.writestr("__MACOSX/._trials.csv", b"\0\1")


def _json(orient: str) -> Callable[[pd.DataFrame, Path], None]:
    return lambda frame, path: path.write_text(
        frame.to_json(orient=orient, index=False)
        if orient == "split"
        else frame.to_json(orient=orient)
    )


def _columns_of_lists(frame: pd.DataFrame, path: Path) -> None:
    path.write_text(json.dumps(frame.to_dict("list")), encoding="utf-16")


def _json_lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True)


def _lines_of_people(frame: pd.DataFrame, path: Path) -> None:
    path.write_text(
        "\n".join(person.to_json(orient="records") for _, person in frame.groupby("subject"))
    )


def _people_with_trials(frame: pd.DataFrame, path: Path) -> None:
    people = [
        {
            "subject": name,
            "age": 20,
            "trials": json.loads(person.drop(columns="subject").to_json(orient="records")),
        }
        for name, person in frame.groupby("subject")
    ]
    path.write_text(json.dumps(people))


FORMATS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "a.xlsx": _workbook,
    "titled.xlsx": _titled_workbook,
    "a.sav": _spss,
    "a.dta": _stata,
    "a.rds": _r,
    "a.rda": _r_data,
    "a.parquet": lambda frame, path: frame.to_parquet(path),
    "bytes.parquet": (
        lambda frame, path: frame.assign(condition=frame["condition"].map(str.encode)).to_parquet(
            path
        )
    ),
    "a.feather": lambda frame, path: frame.to_feather(path),
    "a.csv.gz": _packed(gzip.compress),
    "a.csv.bz2": _packed(bz2.compress),
    "a.csv.xz": _packed(lzma.compress),
    "a.zip": _zip,
    "records.json": _json("records"),
    "columns.json": _json("columns"),
    "split.json": _json("split"),
    "table.json": _json("table"),
    "lists.json": _columns_of_lists,
    "a.jsonl": _json_lines,
    "jatos.txt": _lines_of_people,
    "people.json": _people_with_trials,
    "misnamed.csv": lambda frame, path: frame.to_parquet(path),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reads_the_same(name, tmp_path):
    frame = made()
    FORMATS[name](frame, tmp_path / name)
    table, notes = read_table(tmp_path / name)
    assert same(read_trials(table), read_trials(frame))
    assert texts(table["subject"]).tolist() == frame["subject"].tolist()
    if name == "a.sav":
        assert any("1 = congruent, 2 = incongruent" in note for note in notes)
    if name == "titled.xlsx":
        assert any("A flanker experiment" in note for note in notes)
    if name == "a.rda":
        assert any("'n'" in note for note in notes)


@pytest.mark.parametrize("name", ["a.xlsx", "a.sav", "a.rds"])
def test_a_missing_reader_is_named_with_what_to_install(name, tmp_path, monkeypatch):
    FORMATS[name](made(), tmp_path / name)

    def lacking(package: str) -> None:
        raise ImportError(package)

    monkeypatch.setattr(importlib, "import_module", lacking)
    with pytest.raises(DataError, match=r'pip install "incongruent\[formats\]"'):
        read_table(tmp_path / name)


def test_labels_that_not_all_values_have_are_not_used(tmp_path):
    _spss(made().assign(rt=lambda f: f["rt"].where(f.index > 3, -1.0)), tmp_path / "a.sav")
    table, notes = read_table(tmp_path / "a.sav")
    assert table["rt"].tolist()[:4] == [-1.0] * 4
    assert any("'rt'" in note and "not used" in note for note in notes)


def test_sheets_beside_the_first_are_named_and_formulas_need_results(tmp_path):
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        made().to_excel(book, sheet_name="data", index=False)
        made(1).to_excel(book, sheet_name="pilot", index=False)
    table, notes = read_table(tmp_path / "a.xlsx")
    assert len(table) == 60
    assert any("'data'" in note and "'pilot'" in note for note in notes)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    for i in range(2, 62):
        book["data"][f"C{i}"] = f"={400 + i}"
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(DataError, match="results of the formulas"):
        read_table(tmp_path / "b.xlsx")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"rt": 1, "rt": 2}]', "different names"),
        ('[{"rt": 1}, {"rt": ', "error in line 1, character"),
        ('[{"rt": 1}, 3]', "something else"),
        ('{"a": 1, "b": {"c": 2}}', "something else"),
        ("[]", "something else"),
        ("[" * 100_000, "Expected"),
        ('{"a": [1, 2], "b": [1]}', "something else"),
    ],
)
def test_json_that_is_no_table_is_refused(content, words, tmp_path):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / "a.json")


@quick
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b c", "rt", "ü"]),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(max_size=5),
                st.lists(st.integers()),
            ),
            min_size=1,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_records_in_json_come_back(tmp_path, records):
    (tmp_path / "a.json").write_text(json.dumps(records))
    table, _ = read_table(tmp_path / "a.json")
    assert len(table) == len(records)
    for row, record in zip(table.to_dict("records"), records, strict=True):
        for key, value in record.items():
            came = row[key]
            wanted = json.dumps(value) if isinstance(value, list) else value
            assert came == wanted or (wanted is None and pd.isna(came))


# --- E-Prime's log --------------------------------------------------------------------------------


def eprime_log(trials: pd.DataFrame, name: str, end: bool = True) -> str:
    """The log of one person: a practice block without trials below it, one block of trials, the
    session.
    """
    lines = [
        "*** Header Start ***",
        "VersionPersist: 1",
        "LevelName: Session",
        "LevelName: Block",
        "LevelName: Trial",
        "Experiment: Flanker",
    ]
    lines += [
        f"Subject: {name}",
        "Session: 1",
        "*** Header End ***",
        "Level: 2",
        "*** LogFrame Start ***",
        "Procedure: Welcome",
        "*** LogFrame End ***",
    ]
    for trial in trials.to_dict("records"):
        lines += [
            "\t\tLevel: 3",
            "\t\t*** LogFrame Start ***",
            "\t\tProcedure: TrialProc",
            f"\t\tCongruency: {trial['condition']}",
        ]
        lines += [
            f"\t\tTarget.RT: {trial['rt']}",
            f"\t\tTarget.ACC: {trial['accuracy']}",
            "\t\tStimulus: a: b",
            "\t\t*** LogFrame End ***",
        ]
    lines += [
        "\tLevel: 2",
        "\t*** LogFrame Start ***",
        "\tProcedure: BlockProc",
        "\tBlock: 1",
        "\t*** LogFrame End ***",
    ]
    lines += [
        "Level: 1",
        "*** LogFrame Start ***",
        "Experiment: Flanker",
        f"Subject: {name}",
        "Clock: 3",
        "*** LogFrame End ***",
    ]
    return "\n".join(lines if end else lines[:-8])


def test_eprimes_log_gives_a_row_for_each_trial(tmp_path):
    for name, person in made().groupby("subject"):
        (tmp_path / f"Flanker-{name}-1.txt").write_bytes(eprime_log(person, name).encode("utf-16"))
    table, notes = read_table(tmp_path)
    trials = table[table["Procedure"] == "TrialProc"]
    assert trials["Target.RT"].tolist() == made()["rt"].tolist()
    assert texts(trials["Subject"]).tolist() == made()["subject"].tolist()
    assert trials["Procedure[Block]"].unique().tolist() == ["BlockProc"]
    assert trials["Stimulus"].unique().tolist() == ["a: b"]
    assert len(table) == len(trials) + 3
    assert any("log of E-Prime" in note for note in notes)
    broken, notes = read_table(_written(tmp_path / "b.txt", eprime_log(made(1), "7", end=False)))
    assert len(broken) == 21
    assert any("broken off" in note for note in notes)


def _written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# --- folders --------------------------------------------------------------------------------------


def people(
    folder: Path,
    names: list[str],
    *,
    suffix: str = ".csv",
    subject: bool = False,
    header: bool = True,
) -> list[pd.DataFrame]:
    """One file a person; each person's frame."""
    frames = []
    for i, name in enumerate(names):
        frame = made(1, seed=i, first=i + 1)
        frames.append(frame)
        shown = frame if subject else frame.drop(columns="subject")
        _written(folder / f"{name}{suffix}", shown.to_csv(index=False, header=header))
    return frames


NAMES = ["s1", "s2", "s10"]


def test_a_folder_a_pattern_and_a_list_read_the_same_and_the_file_is_the_person(tmp_path):
    frames = people(tmp_path, NAMES)
    wanted = read_trials(
        pd.concat([frame.assign(subject=name) for name, frame in zip(NAMES, frames, strict=True)])
    )
    paths = [tmp_path / f"{name}.csv" for name in NAMES]
    for source in (
        tmp_path,
        str(tmp_path),
        tmp_path / "*.csv",
        str(tmp_path / "s*"),
        paths,
        tuple(map(str, paths)),
        iter(paths),
        [tmp_path],
    ):
        trials = read_trials(source)
        assert trials.names == tuple(NAMES)
        assert same(trials, wanted)
        assert any("3 files were read as one table" in note for note in trials.notes)
    assert source_name(tmp_path) == tmp_path.name
    assert source_name(paths) == "3 files"


def test_a_column_of_people_counts_more_than_the_files_names(tmp_path):
    people(tmp_path, NAMES, subject=True)
    assert read_trials(tmp_path).names == ("001", "002", "003")
    assert read_trials(tmp_path, by=(FILE_COLUMN, "subject")).names == (
        "s1 · 001",
        "s2 · 002",
        "s10 · 003",
    )


def test_names_are_understood_together(tmp_path):
    for name, who in [("a", "001"), ("b", "12"), ("c", "7")]:
        _written(
            tmp_path / f"{name}.csv",
            made(1, seed=len(who)).assign(subject=who, x=name).to_csv(index=False),
        )
    assert set(read_trials(tmp_path).names) == {"001", "12", "7"}


def test_columns_are_matched_by_name(tmp_path):
    one, two, three = made(1, seed=1), made(1, seed=2, first=2), made(1, seed=3, first=3)
    _written(tmp_path / "1.csv", one.assign(age=20).to_csv(index=False))
    _written(
        tmp_path / "2.csv",
        two[["rt", "accuracy", "condition", "subject"]].to_csv(index=False, sep=";"),
    )
    _written(tmp_path / "3.csv", three.rename(columns={"rt": "RT"}).to_csv(index=False, sep="\t"))
    table, notes = read_table(tmp_path)
    assert same(read_trials(table), read_trials(pd.concat([one, two, three])))
    assert table["age"].notna().tolist() == [True] * 20 + [False] * 40
    assert any(
        "'age' is empty where 2 of 3 files lack it: '2.csv', '3.csv'" in note for note in notes
    )
    assert any("RT = rt" in note for note in notes)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet", ".sav", ".json", ".rds"])
def test_folders_of_every_format(suffix, tmp_path):
    frames = []
    for i, name in enumerate(NAMES):
        frames.append(made(1, seed=i, first=i + 1))
        writers = {
            ".xlsx": _workbook,
            ".parquet": pd.DataFrame.to_parquet,
            ".sav": _spss,
            ".rds": _r,
            ".json": _json("records"),
        }
        writers.get(suffix, lambda frame, path: frame.to_csv(path, index=False))(
            frames[-1], tmp_path / f"{name}{suffix}"
        )
    assert same(read_trials(tmp_path), read_trials(pd.concat(frames)))
    people(tmp_path, ["s11"], subject=True)
    if suffix != ".csv":
        table, _ = read_table(tmp_path)
        assert len(table) == 80
        assert len(numbers(table["rt"])[~np.isnan(numbers(table["rt"]))]) == 80


def test_what_is_not_a_table_is_left_out_and_named(tmp_path):
    frames = people(tmp_path, NAMES)
    others = {
        ".DS_Store": b"\0\1",
        "notes.txt": "These are notes.\nThe second person was tired, I think.\n\nThat is all.\n",
        "README.md": "# Read me",
        "picture.png": b"\x89PNG\0",
        "empty.csv": "",
        "header.csv": "condition,rt,accuracy\n",
        "people.csv": "participant,age,sex,hand\n1,20,f,r\n2,21,m,l\n",
        "s1.xlsx": None,
        "~$s1.xlsx": b"\0",
        "sub/.hidden.csv": "a,b\n1,2\n",
    }
    for name, content in others.items():
        if content is None:
            _workbook(frames[0], tmp_path / name)
        else:
            _written(tmp_path / name, content)
    trials = read_trials(tmp_path)
    assert trials.names == tuple(NAMES)
    for name in others:
        assert any(f"'{name}'" in note and "Left out" in note for note in trials.notes), name


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "there are none"),
        (
            {"notes.txt": "some prose\nthat is no table at all\n", "a.png": b"\0"},
            "none of 1 files is a table",
        ),
        ({"a.csv": "subject,rt\n1,2\n1,2,3\n", "b.csv": "subject,rt\n1,2\n"}, "line 3 has 3"),
        ({"a.csv": "subject,rt\n1,2\n", "b.csv": "subject,rt\n1,2\n"}, "hold the same"),
        ({"a.csv": "subject,rt\n1,2\n", "b.csv": "x,y\n1,2\n"}, "same columns"),
        (
            {"a.csv": f"subject,{FILE_COLUMN}\n1,2\n", "b.csv": f"subject,{FILE_COLUMN}\n1,3\n"},
            "Rename it",
        ),
    ],
)
def test_folders_that_are_refused(files, words, tmp_path):
    for name, content in files.items():
        _written(tmp_path / name, content)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path)


def test_files_named_one_by_one_are_never_left_out(tmp_path):
    people(tmp_path, NAMES)
    notes = _written(tmp_path / "notes.csv", "")
    with pytest.raises(DataError, match="empty"):
        read_table([*tmp_path.glob("s*.csv"), notes])
    other = _written(tmp_path / "other.csv", "x,y\n1,2\n")
    with pytest.raises(DataError, match="same columns"):
        read_table([*tmp_path.glob("s*.csv"), other])


def test_files_without_a_header_in_a_folder_need_names(tmp_path):
    frames = people(tmp_path, NAMES, header=False)
    _written(tmp_path / "notes.txt", "A note\n")
    with pytest.raises(DataError, match="Expected a header"):
        read_trials(tmp_path)
    trials = read_trials(tmp_path, names=["condition", "rt", "accuracy"])
    assert same(
        trials,
        read_trials(pd.concat([f.assign(subject=n) for n, f in zip(NAMES, frames, strict=True)])),
    )


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (
            ["sub-01/func/sub-01_task-flanker_events", "sub-02/func/sub-02_task-flanker_events"],
            ["sub-01", "sub-02"],
        ),
        (["P1/data", "P2/data"], ["P1", "P2"]),
        (["control/01", "patient/01"], ["control", "patient"]),
        (["control/01", "patient/02"], ["01", "02"]),
        (["Müller (1)", "漢字 2", "a.b.c"], ["Müller (1)", "a.b.c", "漢字 2"]),
        (["[x]", "s2", "s10"], ["[x]", "s2", "s10"]),
    ],
)
def test_the_part_of_a_name_that_tells_people_apart(names, wanted, tmp_path):
    people(tmp_path, names)
    assert sorted(set(read_table(tmp_path)[0][FILE_COLUMN])) == sorted(wanted)
    one, _ = read_table(tmp_path / f"{names[0]}.csv")
    assert FILE_COLUMN not in one.columns


def test_sessions_in_names_become_a_column(tmp_path):
    people(
        tmp_path,
        [f"sub-0{i}/ses-{k}/beh/sub-0{i}_ses-{k}_task-stroop_beh" for i in (1, 2) for k in (1, 2)],
        suffix=".tsv",
    )
    _written(
        tmp_path / "participants.tsv",
        "participant_id\tage\tsex\tgroup\nsub-01\t20\tm\ta\nsub-02\t21\tf\tb\n",
    )
    _written(tmp_path / "dataset_description.json", '{"Name": "x", "BIDSVersion": "1.8.0"}')
    table, notes = read_table(tmp_path)
    assert table.groupby([FILE_COLUMN, "session"]).size().tolist() == [20] * 4
    assert set(table[FILE_COLUMN]) == {"sub-01", "sub-02"}
    assert "task" not in table.columns
    assert all(
        any(f"'{name}'" in note for note in notes)
        for name in ("participants.tsv", "dataset_description.json")
    )


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(tmp_path):
    people(tmp_path, ["data[1]", "data1"])
    assert read_trials(tmp_path / "data[1].csv", by=()).n_trials.sum() > 0
    assert FILE_COLUMN not in read_table(tmp_path / "data[1].csv")[0].columns


@quick
@given(
    st.lists(
        st.text(st.sampled_from("abz019 _-.ü漢('[]"), min_size=1, max_size=8)
        .map(str.strip)
        .filter(lambda n: n and n[0] not in ".~"),
        min_size=2,
        max_size=4,
        unique_by=str.casefold,
    )
)
def test_no_two_files_become_one_person(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("people")
    people(folder, names)
    table, _ = read_table(folder)
    assert table[FILE_COLUMN].nunique() == len(names)
    assert len(table) == 20 * len(names)


def test_options_go_to_every_file(tmp_path):
    people(tmp_path, NAMES)
    trials = read_trials(tmp_path, coding=Coding(subject=FILE_COLUMN), where="rt > 300", unit="ms")
    assert trials.names == tuple(NAMES)


# --- without the packages of the extra "formats" --------------------------------------------------


WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None  # as if it were not installed
import polars
import incongruent as inc
print(inc.read_trials("trials.csv"))
for read in (
    lambda: inc.read_trials("trials.parquet"),
    lambda: inc.read_trials(polars.DataFrame({"rt": [400.0]})),
    lambda: inc.import_simulations("simulations.parquet"),
):
    try:
        read()
    except (inc.DataError, ModuleNotFoundError) as error:
        print(error)
"""


def test_without_pyarrow_text_is_read_and_the_rest_says_what_to_install(tmp_path):
    frame = pd.DataFrame(
        {"subject": "007", "rt": [400.0, 420.5] * 10, "accuracy": 1, "condition": ["c", "i"] * 10}
    )
    frame.to_csv(tmp_path / "trials.csv", index=False)
    frame.to_parquet(tmp_path / "trials.parquet")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYARROW], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "Trials(1 data sets, 20–20 trials each, columns condition, response, rt)",
        *(
            f"Expected the package pyarrow, which {needs}; it is not installed. Install it with pip"
            ' install "incongruent[formats]".'
            for needs in (
                "reads Parquet files such as trials.parquet",
                "reads frames of other libraries than pandas",
                "reads and writes files of simulations",
            )
        ),
    ], done.stderr[-2000:]

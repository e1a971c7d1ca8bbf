"""Laws of reading: formats do not matter, every row is counted, and errors are sentences.

What cannot be understood is refused with a sentence that says what to do.
"""

import ast
import contextlib
import io
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incongruent.data.reading.read_trials import REASONS, Coding, DataError, exclusions, read_trials
from incongruent.data.trials import CONFLICT_TASK, Trials, checked
from incongruent.data.values import as_text

DATA = Path(
    os.environ.get("INCONGRUENT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
real = pytest.mark.skipif(
    not DATA.is_dir(),
    reason="the published data sets are not here; set INCONGRUENT_DATA to their folder",
)
quick = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

PRATTE_1 = [
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
PRATTE_CODES = Coding(levels={"0": "incongruent", "1": "congruent", "2": "neutral"})
PRATTE_2 = [
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


def made(
    n_people: int = 4, n_trials: int = 40, effect: float = 60.0, seed: int = 0
) -> pd.DataFrame:
    """A plain file of the people 1, 2, … with one error in ten trials.

    Half of the trials are incongruent, and slower by the effect.
    """
    rng = np.random.default_rng(seed)
    n = n_people * n_trials
    condition = np.tile(["congruent", "incongruent"], n // 2)
    rt = np.round(rng.gamma(20, 20, n) + 150 + effect * (condition == "incongruent"), 3)
    return pd.DataFrame(
        {
            "subject": np.repeat(np.arange(1, n_people + 1), n_trials),
            "condition": condition,
            "rt": rt,
            "accuracy": (rng.random(n) > 0.1) + 0,
        }
    )


def same(one: Trials, other: Trials) -> bool:
    alike = (
        one.names == other.names
        and one.columns == other.columns
        and np.array_equal(one.present, other.present)
    )
    return (
        alike
        and all(
            np.array_equal(one.values[c][one.present], other.values[c][one.present])
            for c in one.values
        )
        and all(np.array_equal(one.excluded[r], other.excluded[r]) for r in REASONS)
    )


def refused(source: object, *words: str, **options: object) -> None:
    """The source is refused, with all of the words in the sentence."""
    with pytest.raises(DataError) as caught:
        read_trials(source, **options)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def written(folder: Path, text: str | bytes, name: str = "file.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --- the published data ---------------------------------------------------------------------------

PUBLISHED = {
    # file, options, people, mean RT in s and accuracy of congruent and incongruent trials, delta
    # function in ms (None: not published)
    "ulrich flanker": (
        "ulrich2015/flankerData.txt",
        {},
        16,
        (0.404, 0.435),
        (0.976, 0.913),
        (18, 20, 34, 40, 47),
    ),
    "ulrich simon": ("ulrich2015/simonData.txt", {}, 16, (0.402, 0.423), None, (25, 23, 26, 30, 6)),
    "pratte simon": (
        "pratte2010/allsi2.dat",
        {"names": PRATTE_1, "where": "experiment == 0"},
        38,
        (0.541, 0.555),
        None,
        (35, None, None, None, -26),
    ),
    "pratte stroop": (
        "pratte2010/allsi2.dat",
        {"names": PRATTE_1, "where": "experiment == 1", "coding": PRATTE_CODES},
        38,
        (0.705, 0.795),
        None,
        (24, None, None, None, 162),
    ),
    "bastian simon": (
        "vonbastian2016/LEF_simon.csv",
        {},
        121,
        (0.448, 0.527),
        (0.993, 0.899),
        None,
    ),
}
SLACK = 0.0005  # half of the last digit printed


def in_cells(rows: pd.DataFrame, statistic: object) -> pd.DataFrame:
    """The statistic of the RT in s, (subject, condition)."""
    seconds = rows.assign(rt=rows["rt"] / 1000)
    table = seconds.pivot_table("rt", "participant", "condition", aggfunc=statistic, observed=True)
    return table[["congruent", "incongruent"]]


@real
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_figures(name):
    file, options, n_people, mean_rt, accuracy, delta = PUBLISHED[name]
    trials = checked(read_trials(DATA / file, window=None, **options))
    assert len(trials) == n_people
    rows = trials.to_frame().query("200 < rt < 2000")
    correct = rows[rows["response"] == "correct"]
    assert in_cells(correct, "mean").mean().to_numpy() == pytest.approx(mean_rt, abs=SLACK)
    if accuracy:
        found = (rows["response"] == "correct").groupby(rows["condition"], observed=False).mean()
        assert found.iloc[:2].to_numpy() == pytest.approx(accuracy, abs=SLACK)
    for q, wanted in zip((0.1, 0.3, 0.5, 0.7, 0.9), delta or (), strict=False):
        cells = in_cells(correct, lambda rt, q=q: rt.quantile(q))
        effect = 1000 * (cells["incongruent"] - cells["congruent"]).mean()
        assert wanted is None or effect == pytest.approx(wanted, abs=0.5)


@real
@pytest.mark.parametrize(
    ("file", "options", "n_people", "kept", "timeouts", "out_of_window"),
    [
        ("ulrich2015/flankerData.txt", {}, 16, 5373, 0, 0),
        ("ulrich2015/simonData.txt", {}, 16, 5374, 0, 0),
        (
            "pratte2010/allsi2.dat",
            {"names": PRATTE_1, "where": "experiment == 0"},
            38,
            19091,
            27,
            34,
        ),
        (
            "pratte2010/allsi2.dat",
            {"names": PRATTE_1, "where": "experiment == 1", "coding": PRATTE_CODES},
            38,
            18922,
            25,
            205,
        ),
        (
            "pratte2010/allsi7.dat",
            {"names": PRATTE_2, "where": "`block type` == 0"},
            38,
            13627,
            18,
            35,
        ),
        (
            "pratte2010/allsi7.dat",
            {"names": [*PRATTE_2, "unused"], "where": "`block type` == 1"},
            38,
            13591,
            21,
            68,
        ),
        ("vonbastian2016/LEF_simon.csv", {}, 121, 24195, 0, 5),
        ("vonbastian2016/LEF_stroop.csv", {}, 121, 17396, 0, 28),
        ("vonbastian2016/LEF_flanker.csv", {}, 121, 17383, 0, 41),
    ],
)
def test_published_counts(file, options, n_people, kept, timeouts, out_of_window):
    trials = checked(read_trials(DATA / file, **options))
    assert len(trials) == n_people
    padded = file.startswith("pratte")  # whose people are called 01, 02, …
    assert trials.names == tuple(f"{i + 1:02d}" if padded else str(i + 1) for i in range(n_people))
    assert {reason: int(counts.sum()) for reason, counts in trials.excluded.items()} == {
        **dict.fromkeys(REASONS, 0),
        "timeout": timeouts,
        "out of window": out_of_window,
    }
    assert trials.n_trials.sum() == kept


@real
def test_ten_names_for_eleven_columns_read_the_same():
    ten = read_trials(DATA / "pratte2010/allsi7.dat", names=PRATTE_2, coding=PRATTE_CODES)
    eleven = read_trials(
        DATA / "pratte2010/allsi7.dat", names=[*PRATTE_2, "unused"], coding=PRATTE_CODES
    )
    assert same(ten, eleven)
    assert any("column_11 has no name" in note for note in ten.notes)
    refused(DATA / "pratte2010/allsi7.dat", "Expected 11 names", "got 9", names=PRATTE_2[:9])


@real
def test_real_codes_are_told_by_the_data_whichever_way_round_they_are():
    frame = pd.read_csv(DATA / "pratte2010/allsi2.dat", sep=r"\s+", names=PRATTE_1).query(
        "experiment == 0"
    )
    reversed_codes = frame.assign(condition=frame["condition"].map({0: 1, 1: 0}))
    assert same(read_trials(frame), read_trials(reversed_codes))


@real
def test_real_codes_that_the_data_do_not_tell_are_refused_with_a_table():
    frame = pd.read_csv(DATA / "pratte2010/allsi2.dat", sep=r"\s+", names=PRATTE_1).query(
        "experiment == 1"
    )
    right = {"1": "congruent", "2": "neutral", "0": "incongruent"}
    refused(
        frame,
        "'1': 6328 trials, 719 ms, 2.8% errors",
        f"give Coding(levels={right})",
        "or Coding(levels={'2': 'congruent'",
    )


# --- formats --------------------------------------------------------------------------------------


def _text(frame, **options):
    return frame.to_csv(index=False, **options).encode()


def _parquet(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


FORMATS = {
    "csv": _text,
    "tsv": lambda frame: _text(frame, sep="\t"),
    "semicolon": lambda frame: _text(frame, sep=";"),
    "semicolon, decimal comma": lambda frame: _text(frame, sep=";", decimal=","),
    "comma, quoted decimal comma": lambda frame: _text(frame, decimal=","),
    "whitespace": lambda frame: frame.to_string(index=False).encode(),
    "spaces": lambda frame: _text(frame, sep=" "),
    "quoted": lambda frame: _text(frame, sep=";", quoting=1),
    "quoted spaces": lambda frame: _text(frame, sep=" ", quoting=1),
    "byte-order mark": lambda frame: b"\xef\xbb\xbf" + _text(frame),
    "utf-16": lambda frame: frame.to_csv(index=False).encode("utf-16"),
    "windows line ends": lambda frame: _text(frame, lineterminator="\r\n"),
    "old mac line ends": lambda frame: _text(frame).replace(b"\n", b"\r"),
    "empty lines": lambda frame: b"\n" + _text(frame).replace(b"\n", b"\n\n") + b",,,\n",
    "separator at line ends": lambda frame: (
        _text(frame).replace(b"\n", b",\n").replace(b",\n", b"\n", 1)
    ),
    "row numbers": lambda frame: frame.to_csv().encode(),
    "row names without a header, as R writes them": lambda frame: (
        frame.to_csv(sep=" ").encode().removeprefix(b'"" ').removeprefix(b" ")
    ),
    "parquet": _parquet,
}


@pytest.mark.parametrize("form", FORMATS)
def test_formats_do_not_matter(form, tmp_path):
    frame = made()
    assert same(read_trials(written(tmp_path, FORMATS[form](frame), "data")), read_trials(frame))


@pytest.mark.parametrize(
    "frame",
    [
        pl.from_pandas,
        lambda f: pl.from_pandas(f).lazy(),
        lambda f: f.convert_dtypes(),
        lambda f: f.astype({"condition": "category"}),
    ],
)
def test_frames_do_not_matter(frame):
    original = made()
    before = original.copy(deep=True)
    assert same(read_trials(frame(original)), read_trials(original))
    pd.testing.assert_frame_equal(original, before)


@pytest.mark.parametrize("separator", [",", "\t", ";", " "])
def test_files_without_header_need_names(separator, tmp_path):
    frame = made()
    path = written(tmp_path, frame.to_csv(index=False, header=False, sep=separator))
    refused(path, "Expected a header", "`names`", "--columns")
    assert same(read_trials(path, names=list(frame.columns)), read_trials(frame))
    refused(path, "Expected 4 names", "got 5", names=[*frame.columns, "more"])
    refused(path, "Expected 4 names", "got 3", "Column 4", names=list(frame.columns)[:3])
    refused(path, "Expected different names", "'rt'", names=["subject", "rt", "rt", "accuracy"])


def test_headerless_frames_and_first_lines_without_numbers(tmp_path):
    frame = made()
    bare = frame.set_axis(range(4), axis=1)
    assert same(read_trials(bare, names=list(frame.columns)), read_trials(frame))
    refused(bare, "to have names for its columns")
    refused(frame, "Leave `names` out", names=list(frame.columns))
    words = frame.assign(
        subject="s" + frame["subject"].astype(str),
        accuracy=np.where(frame["accuracy"], "correct", "error"),
    )
    words.loc[0, "rt"] = np.nan
    path = written(tmp_path, words.to_csv(index=False, header=False, na_rep="NA"))
    refused(path, "Expected a header")
    assert same(read_trials(path, names=list(frame.columns)), read_trials(words))


def test_bytes_that_are_not_utf8_are_read_and_noted(tmp_path):
    frame = (
        made().replace({"subject": {1: "Jörg", 2: "Zoë", 3: "a", 4: "b"}})
        if False
        else made().assign(subject=lambda f: "Jörg " + f["subject"].astype(str))
    )
    trials = read_trials(written(tmp_path, frame.to_csv(index=False).encode("cp1252")))
    assert trials.names[0] == "Jörg 1"
    assert any("Windows-1252" in note for note in trials.notes)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["the file is empty"]),
        (b" \n \n", ["the file is empty"]),
        (b"subject,condition,rt,accuracy\n", ["got only the header"]),
        (
            b"subject,condition,rt,accuracy\n1,congruent,500\n1,congruent,500,1\n",
            ["Expected", "fields in every line", "Repair"],
        ),
        (
            b"subject,condition,rt,accuracy\n1,congruent,500,1\n1,congruent,500,1,7\n",
            ["line 3", "has 5"],
        ),
        (b"subject,rt,rt,accuracy\n1,2,500,1\n", ["different names", "'rt'"]),
        (b"subject,condition,rt\n1,congruent,500,1,2\n", ["as many fields", "3", "got 5"]),
        (b"PAR1nonsense", ["complete Parquet file"]),
        (b"PK\x03\x04\x00\x00\x00", ["complete zip file"]),
        (b"\x89PNG\x00\x00", ["neither", "Save it as CSV"]),
        (b"\x00\x01\x02\x03", ["neither"]),
        (
            b"subject;condition;rt;accuracy\n1;congruent;987;1\n1;incongruent;1,234;1\n",
            ["decimals", "thousands"],
        ),
    ],
)
def test_malformed_files(content, words, tmp_path):
    refused(written(tmp_path, content), *words)


def test_repeated_columns_of_a_frame_are_refused():
    refused(
        made().set_axis(["subject", "condition", "rt", "rt"], axis=1), "different names", "'rt'"
    )
    refused(made().iloc[:0], "got only the header")


def test_paths(tmp_path):
    refused(tmp_path / "nowhere.csv", "there is none")
    refused(tmp_path, "Expected files of trials in the folder")
    refused(tmp_path / "*.csv", "names fit", "there are none")
    refused(["nowhere.csv"], "there is none")
    refused("a\0b", "can be read")


# --- roles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "subject",
        "Subject",
        "ID",
        "participant",
        "PPT",
        "sub",
        "uid",
        "subj",
        "VP",
        "vpn",
        "Participant ID",
        "subj_idx.id",
    ],
)
def test_names_of_the_person(name):
    assert read_trials(made().rename(columns={"subject": name})).names == ("1", "2", "3", "4")


@pytest.mark.parametrize(
    "name",
    [
        "rt",
        "RT",
        "reaction_time",
        "Response Time",
        "latency",
        "rt_ms",
        "RT (ms)",
        "latency.msec",
        "key_resp.rt",
        "rtms",
    ],
)
def test_names_of_the_reaction_time(name):
    assert same(read_trials(made().rename(columns={"rt": name})), read_trials(made()))


@pytest.mark.parametrize(
    "name", ["accuracy", "acc", "ACC", "correct", "Stimulus.ACC", "is_correct"]
)
def test_names_of_the_accuracy(name):
    assert same(read_trials(made().rename(columns={"accuracy": name})), read_trials(made()))


@pytest.mark.parametrize("name", ["Error", "err", "is_error", "incorrect", "key.error"])
def test_names_of_the_error(name):
    frame = made().assign(accuracy=lambda f: 1 - f["accuracy"]).rename(columns={"accuracy": name})
    assert same(read_trials(frame), read_trials(made()))


@pytest.mark.parametrize(
    "name",
    ["condition", "Comp", "congruency", "compatibility", "trial_type", "congruent", "Flanker Type"],
)
def test_names_of_the_condition(name):
    assert same(read_trials(made().rename(columns={"condition": name})), read_trials(made()))


@pytest.mark.parametrize(
    ("extra", "option", "column"),
    [
        ("ID", "subject", "ID"),
        ("latency", "rt", "latency"),
        ("correct", "accuracy", "correct"),
        ("key.rt", "rt", "key.rt"),
    ],
)
def test_the_best_name_wins_and_can_be_overridden(extra, option, column):
    frame = made().assign(
        **{extra: made()[{"subject": "subject", "rt": "rt", "accuracy": "accuracy"}[option]]}
    )
    assert same(read_trials(frame), read_trials(frame, coding=Coding(**{option: column})))


@pytest.mark.parametrize(
    ("renamed", "twin", "other", "words"),
    [
        (
            {"subject": "ID"},
            "participant",
            lambda f: f["ID"].to_numpy()[::-1] // 2,
            ["person", "'ID', 'participant'", "Coding(subject='ID')"],
        ),
        (
            {"rt": "latency"},
            "response_time",
            lambda f: f["latency"] + 9,
            ["reaction time", "'latency', 'response_time'", "Coding(rt='latency')"],
        ),
        (
            {},
            "error",
            lambda f: f["accuracy"],
            ["accuracy", "'accuracy', 'error'", "Coding(accuracy='accuracy')"],
        ),
        (
            {},
            "congruency",
            lambda f: f["condition"].to_numpy()[::-1],
            ["condition", "'condition', 'congruency'", "Coding(condition='condition')"],
        ),
    ],
)
def test_candidates_that_differ_are_refused_and_candidates_that_say_the_same_are_one(
    renamed, twin, other, words
):
    frame = made().rename(columns=renamed)
    refused(frame.assign(**{twin: other}), "more than one", *words)
    name = next(iter(renamed.values()), {"error": "accuracy", "congruency": "condition"}.get(twin))
    alike = 1 - frame[name] if twin == "error" else frame[name]
    assert same(read_trials(frame.assign(**{twin: alike})), read_trials(made()))


@pytest.mark.parametrize("column", ["subject", "rt", "accuracy", "condition"])
def test_a_role_nobody_plays_is_refused(column):
    refused(
        made().rename(columns={column: "whatever"}),
        "Expected one column",
        "'whatever'",
        f"Name the right one with Coding({column}='whatever')",
    )
    assert same(
        read_trials(
            made().rename(columns={column: "whatever"}), coding=Coding(**{column: "WHATEVER"})
        ),
        read_trials(made()),
    )
    refused(
        made(),
        f"Expected Coding({column}=...) to name one of the columns",
        coding=Coding(**{column: "nothing"}),
    )


def test_all_roles_that_are_open_are_refused_at_once():
    frame = made().rename(columns={"rt": "first", "accuracy": "second"})
    refused(
        frame,
        "reaction time",
        "accuracy",
        "Name the right ones with Coding(rt='first', accuracy='second')",
    )


def test_the_condition_is_the_column_that_can_be_understood():
    frame = made().assign(
        trial_type="html-keyboard-response", type=[f"t{i % 7}" for i in range(160)]
    )
    assert same(read_trials(frame), read_trials(made()))


def test_a_response_key_is_not_the_accuracy_but_an_outcome_in_words_is():
    keys = made().assign(response=np.tile([1, 0], 80), outcome="left")
    assert same(read_trials(keys), read_trials(made()))
    words = (
        made()
        .rename(columns={"accuracy": "response"})
        .replace({"response": {1: "correct", 0: "error"}})
    )
    assert same(read_trials(words), read_trials(made()))


def test_coding_is_checked():
    with pytest.raises(DataError, match="Expected one of `accuracy` and `error`"):
        Coding(accuracy="a", error="b")
    with pytest.raises(
        DataError, match="Expected levels among 'congruent', 'incongruent', 'neutral'; got 'comp'"
    ):
        Coding(levels={"1": "comp"})


@pytest.mark.parametrize(
    "options",
    [
        {"names": "subject rt"},
        {"where": 3},
        {"window": 5},
        {"window": ("a", "b")},
        {"coding": {}},
        {"by": 3},
        {"by": [1]},
        {"coding": Coding(rt=3)},
    ],
)
def test_wrong_types(options):
    with pytest.raises(TypeError, match="Expected"):
        read_trials(made(), **options)


@pytest.mark.parametrize("source", [None, 3, [], [3], {"rt": [1]}, made()["rt"]])
def test_wrong_sources(source):
    with pytest.raises(TypeError, match="Expected a path or a frame"):
        read_trials(source)


# --- codes ----------------------------------------------------------------------------------------

WORDS = [
    ("comp", "incomp", None),
    ("Congruent", "INCONGRUENT", "neutral"),
    ("con", "inc", "neu"),
    ("c", "i", "n"),
    ("compatible", "incompatible", None),
    ("same", "different", None),
    ("congruente", "incongruente", "neutro"),
    ("k", "ik", None),
    ("congruent_left", "incongruent_left", None),
]
CODES = [
    ("True", "False", None),
    (True, False, None),
    (1, 0, None),
    ("1", "0", None),
    (0, 1, None),
    (1, 2, None),
    (-1, 1, None),
    (20.0, 10.0, None),
]
MORE_CODES = [(1.0, 0.0, 2.0), (1, 2, 3), (0, 1, 2), (1, -1, 0)]


def coded(codes: tuple[object, object, object], effect: float = 60.0) -> pd.DataFrame:
    """A file with codes for congruent, incongruent and neutral trials.

    Incongruent trials are slower and have more errors; neutral ones are between the two.
    """
    congruent, incongruent, neutral = codes
    frame = made(n_people=8, n_trials=200, effect=0.0)
    rng = np.random.default_rng(5)
    step = (frame["condition"] == "incongruent") * 2
    if neutral is not None:
        step[::5] = 1
    rt = frame["rt"] + effect * step / 2
    accuracy = (rng.random(len(frame)) > 0.04 + 0.13 * step * (effect > 0)) + 0
    return frame.assign(
        condition=step.map({0: congruent, 1: neutral, 2: incongruent}).astype(object),
        rt=rt,
        accuracy=accuracy,
    )


def in_words(neutral: bool) -> pd.DataFrame:
    return coded(("congruent", "incongruent", "neutral" if neutral else None))


@pytest.mark.parametrize("codes", WORDS)
def test_words_of_the_condition(codes):
    trials = read_trials(coded(codes))
    assert same(trials, read_trials(in_words(codes[2] is not None)))
    assert any("recognised by the labels" in note for note in trials.notes)
    assert any("Neutral trials are present" in note for note in trials.notes) == (
        codes[2] is not None
    )


@pytest.mark.parametrize("codes", CODES + MORE_CODES)
def test_numbers_are_conditions_in_the_order_of_their_reaction_times_and_errors(codes):
    trials = read_trials(coded(codes, effect=120.0))
    assert same(
        trials,
        read_trials(
            coded(
                ("congruent", "incongruent", None if codes[2] is None else "neutral"), effect=120.0
            )
        ),
    )
    assert any("recognised by reaction times and errors" in note for note in trials.notes)


@pytest.mark.parametrize("codes", CODES + MORE_CODES)
def test_numbers_that_the_data_do_not_tell_are_refused_with_both_options(codes):
    frame = coded(codes, effect=0.0)
    with pytest.raises(DataError) as caught:
        read_trials(frame)
    message = str(caught.value)
    assert "do not both tell them apart beyond three standard errors" in message
    assert " trials, " in message
    for advised in re.findall(r"Coding\(levels=(\{.*?\})\)", message):
        levels = ast.literal_eval(advised)
        assert sorted(levels) == sorted({as_text(code) for code in codes if code is not None})
        trials = read_trials(frame, coding=Coding(levels=levels))
        assert any("as given" in note for note in trials.notes)


def test_numbers_need_both_times_and_errors():
    frame = coded((1, 0, None))
    refused(frame.assign(accuracy=1), "do not both tell")
    refused(frame.assign(rt=400.0 + np.arange(len(frame)) % 90), "do not both tell")


def test_conditions_that_hardly_differ_are_not_told_by_their_order():
    """Where neutral trials are like congruent ones, either of them may have the code 0."""
    frame = coded((0, 2, None), effect=120.0)
    fast = (frame["condition"] == 0) & (frame.index % 4 == 0)
    refused(
        frame.assign(condition=frame["condition"].mask(fast, 1)),
        "'0'",
        "'1'",
        "'2'",
        "do not both tell",
    )


def test_true_and_false_in_any_case():
    frame = coded(("TRUE", "False", None)).assign(
        condition=lambda f: f["condition"].where(f.index % 3 > 0, f["condition"].str.lower())
    )
    assert same(
        read_trials(frame.rename(columns={"condition": "congruent"})),
        read_trials(in_words(neutral=False)),
    )


@pytest.mark.parametrize("name", ["incongruent", "is_incongruent", "Conflict"])
def test_a_column_called_incongruent_holds_the_reverse(name):
    frame = coded((0, 1, None), effect=0.0).rename(columns={"condition": name})
    assert same(
        read_trials(frame), read_trials(coded(("congruent", "incongruent", None), effect=0.0))
    )


@pytest.mark.parametrize("name", ["congruent", "is_congruent", "Compatible"])
def test_a_column_called_congruent_needs_no_support(name):
    frame = coded((True, False, None), effect=0.0).rename(columns={"condition": name})
    assert same(
        read_trials(frame), read_trials(coded(("congruent", "incongruent", None), effect=0.0))
    )


def test_congruent_trials_that_are_slower_get_a_caution():
    trials = read_trials(made(effect=-100.0))
    assert any(
        note.startswith("Caution: congruent trials are") and "the other way round" in note
        for note in trials.notes
    )
    assert not any(note.startswith("Caution:") for note in read_trials(made()).notes)


@pytest.mark.parametrize("codes", [("x", "y", None), ("left", "right", None), ("a", "b", "d")])
def test_labels_nobody_understands_are_refused(codes):
    refused(coded(codes), "got the labels", str(codes[0]), "Coding(levels=")


def test_given_levels():
    frame = coded(("x", "y", "z"))
    trials = read_trials(frame, coding=Coding(levels={"x": "congruent", "y": "incongruent"}))
    assert trials.excluded["unknown condition"].sum() == (frame["condition"] == "z").sum()
    numbers = read_trials(
        coded((2.0, 1.0, None)), coding=Coding(levels={"2": "congruent", "1": "incongruent"})
    )
    assert same(numbers, read_trials(in_words(neutral=False)))
    refused(frame, "got the labels 'z'", "Coding(levels=", coding=Coding(levels={"a": "congruent"}))


def test_a_minority_of_unknown_labels_is_counted():
    for codes, stray in [(("comp", "incomp", None), "filler"), ((1, 0, None), 99)]:
        frame = coded(codes, effect=120.0)
        frame.loc[[0, 1, 200], "condition"] = stray
        assert read_trials(frame).excluded["unknown condition"].tolist() == [2, 1, *[0] * 6]


def test_accuracy_below_half_is_refused():
    wrong = made().assign(accuracy=lambda f: 1 - f["accuracy"])
    refused(wrong, "Expected most answers to be correct", "Coding(error='accuracy')")
    assert same(read_trials(wrong, coding=Coding(error="accuracy")), read_trials(made()))
    refused(
        made().rename(columns={"accuracy": "error"}),
        "with 1 = an error",
        "Coding(accuracy='error')",
    )


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (True, False),
        ("TRUE", "FALSE"),
        ("correct", "error"),
        ("Correct", "Incorrect"),
        ("1", "0"),
        (1.0, 0.0),
    ],
)
def test_codes_of_the_accuracy(right, wrong):
    frame = made().assign(accuracy=lambda f: f["accuracy"].map({1: right, 0: wrong}))
    assert same(read_trials(frame), read_trials(made()))


def test_unknown_accuracy_codes_are_counted_not_guessed():
    frame = made()
    frame.loc[[0, 1, 40], "accuracy"] = 2
    assert read_trials(frame).excluded["unknown accuracy code"].tolist() == [2, 1, 0, 0]
    refused(
        made().assign(accuracy=lambda f: 2 - f["accuracy"]),
        "every label of column 'accuracy'",
        "'2' (",
        "not known",
        "accuracy='accuracy', outcomes={'1': 'correct', '2': 'error'}",
    )
    refused(made().assign(accuracy="left"), "Expected 1 and 0", "'left'")
    refused(made().assign(accuracy=None), "Expected 1 and 0", "no value at all")


# --- units ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rt", "rt_s", "RT (sec)", "latency.s"])
def test_seconds_become_milliseconds_once(name):
    frame = made().assign(rt=lambda f: f["rt"] / 1000).rename(columns={"rt": name})
    assert same(read_trials(frame), read_trials(made()))
    assert same(read_trials(frame, unit="s"), read_trials(made(), unit="ms"))


def test_units_that_contradict_the_median_are_refused():
    seconds = made().assign(rt=lambda f: f["rt"] / 1000)
    refused(seconds, "in ms, since `unit` is 'ms'", "got a median of 0.", "unit='s'", unit="ms")
    refused(made(), "in s, since `unit` is 's'", "unit='ms'", unit="s")
    refused(
        seconds.rename(columns={"rt": "rt_ms"}), "the name of column 'rt_ms' says 'ms'", "unit='s'"
    )
    assert same(read_trials(seconds.rename(columns={"rt": "rt_ms"}), unit="s"), read_trials(made()))
    refused(made(), "'ms' or 's'", unit="minutes")


@pytest.mark.parametrize("factor", [0.1, 1e-5, 1000.0])
def test_an_ambiguous_median_is_refused(factor):
    refused(made().assign(rt=lambda f: f["rt"] * factor), "may be either", "Give unit=")


@pytest.mark.parametrize("rt", [-1.0, 0.0, np.nan, np.inf, "fast", pd.Timedelta(1)])
def test_no_reaction_times_are_refused(rt):
    refused(made().assign(rt=rt), "Expected", "'rt'")


def test_the_window_is_inclusive_in_both_units():
    frame = pd.DataFrame(
        {
            "subject": 1,
            "condition": "c",
            "rt": [0.15, 0.1499, 2.5, 2.5001, 0.285, 0.4, 0.5],
            "accuracy": 1,
        }
    )
    assert read_trials(frame).excluded["out of window"].tolist() == [2]
    assert read_trials(frame.assign(rt=frame["rt"] * 1000)).excluded["out of window"].tolist() == [
        2
    ]
    assert read_trials(frame, window=None).n_trials.tolist() == [7]
    assert read_trials(frame, window=(285, 400)).n_trials.tolist() == [2]
    refused(frame, "Expected `window`", window=(500, 100))


# --- data sets ------------------------------------------------------------------------------------


def test_data_sets_from_several_columns_in_natural_order():
    frame = made(n_people=12).assign(session=lambda f: np.where(f.index % 2, "s10", "s2"))
    trials = read_trials(frame, by=("subject", "session"))
    assert trials.names[:3] == ("1 · s2", "1 · s10", "2 · s2")
    assert trials.names[-1] == "12 · s10"
    assert same(read_trials(frame, by="SUBJECT"), read_trials(frame))
    assert read_trials(frame, by=()).names == ("all",)
    assert read_trials(frame.assign(subject=frame["subject"].astype(float))).names[9] == "10"
    refused(frame, "Expected `by` to name one of the columns", "'age'", by="age")


def test_rows_of_nobody_are_refused():
    frame = made().assign(subject=lambda f: f["subject"].where(f.index > 2))
    refused(frame, "3 of 160 rows have none", "where")
    assert read_trials(frame, where="subject == subject").n_trials.sum() == 157


def test_long_identifiers_stay_apart(tmp_path):
    ids = made()["subject"].map(
        {1: "60000000000000000001", 2: "60000000000000000002", 3: "60000000000000000003", 4: "x1"}
    )
    assert (
        len(
            read_trials(
                written(
                    tmp_path,
                    made()
                    .assign(subject=ids.where(ids != "x1", "60000000000000000004"))
                    .to_csv(index=False),
                )
            )
        )
        == 4
    )


WHOLE = Coding(
    levels={"c": "congruent", "i": "incongruent", "n": "neutral"},
    outcomes={"1": "correct", "0": "error"},
)


def test_each_trial_counts_under_the_first_reason():
    rows = [
        (-1.0, "c", 1),
        (-1.0, None, 9),
        (np.nan, "c", 1),
        (0.0, "c", 1),
        (-0.0, "c", 1),
        (np.inf, "c", 1),
        (-np.inf, "c", 1),
        (1e305, "c", 1),
        (500.0, None, 1),
        (500.0, "c", None),
        (9000.0, None, 1),
        (9000.0, "?", 9),
        (500.0, "?", 9),
        (500.0, "c", 9),
        (500.0, "c", 1),
        (500.0, "c", 0),
    ] + [(500.0, "i", 1)] * 20
    frame = pd.DataFrame(rows, columns=["rt", "condition", "accuracy"]).assign(subject="a")
    trials = read_trials(frame, coding=WHOLE)
    assert {reason: int(counts[0]) for reason, counts in trials.excluded.items()} == dict(
        zip(REASONS, (4, 7, 1, 1, 1), strict=True)
    )
    assert trials.n_trials.tolist() == [22]


def test_a_person_left_without_trials_stays():
    frame = made()
    frame.loc[frame["subject"] == 2, "rt"] = -1
    trials = read_trials(frame)
    assert trials.names == ("1", "2", "3", "4")
    assert trials.n_trials.tolist() == [40, 0, 40, 40]
    table = exclusions(trials)
    assert list(table.columns) == ["participant", "n_trials", "n_excluded", *REASONS]
    assert table.loc[1].tolist() == ["2", 0, 40, 40, 0, 0, 0, 0]


def test_extreme_designs_are_legal():
    assert read_trials(made().assign(accuracy=1)).n_trials.sum() == 160
    assert read_trials(made().query("condition == 'congruent'")).n_trials.sum() == 80
    assert read_trials(made(n_people=1, n_trials=20)).n_trials.tolist() == [20]
    assert read_trials(made(n_people=1, n_trials=3000)).n_trials.tolist() == [3000]


# --- where ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "n"),
    [
        ("subject == 1", 40),
        ("subject in [1, 2]", 80),
        ("subject not in (1, 2)", 80),
        ("1 < subject <= 3", 80),
        ("subject == 1 or subject == 2", 80),
        ("subject == 1 | subject == 2", 80),
        ("subject > 1 & subject < 4", 80),
        ("not (subject == 1)", 120),
        ("~(subject == 1)", 120),
        ("condition == 'congruent'", 80),
        ("subject % 2 == 0 and -rt < -1", 80),
        ("`block type` == 'a & b'", 160),
        ("practice == False", 160),
    ],
)
def test_where_chooses_rows(where, n):
    trials = read_trials(
        made().assign(practice=False, **{"block type": "a & b"}), where=where, window=None
    )
    assert trials.n_trials.sum() == n
    assert f"`where` chose {n} of 160 rows: {where}." in trials.notes


@pytest.mark.parametrize(
    ("where", "word"),
    [
        ("block == 1", "there is no column 'block'"),
        ("`block type` == 1", "there is no column 'block type'"),
        ("subject == @x", "cannot be read"),
        ("subject = 1", "cannot be read"),
        ("", "cannot be read"),
        ("(" * 500, "cannot be read"),
        ("-" * 100_000 + "1", "cannot be read"),
        ("subject ==", "cannot be read"),
        ("__import__('os').system('true')", "is not allowed"),
        ("subject.map(print)", "is not allowed"),
        ("subject.values == 1", "is not allowed"),
        ("subject[0] == 1", "is not allowed"),
        ("[s for s in subject]", "is not allowed"),
        ("(lambda: 1)()", "is not allowed"),
        ("subject ** 9 == 1", "is not allowed"),
        ("'a' * 9 == condition", "is not allowed"),
        ("f'{subject}' == 1", "is not allowed"),
        ("(subject := 1) == 1", "is not allowed"),
        ("rt", "not true or false for each row"),
        ("rt + 1", "not true or false for each row"),
        ("1 == 1", "not true or false for each row"),
        ("condition > 3", "cannot be computed"),
        ("subject == 99", "holds for none of 160 rows"),
    ],
)
def test_where_refuses(where, word):
    refused(
        made(),
        "Expected `where`",
        word,
        "The columns are 'subject', 'condition', 'rt', 'accuracy'",
        where=where,
    )


# --- laws over any data ---------------------------------------------------------------------------

any_rt = st.one_of(
    st.floats(100, 3000), st.sampled_from([-1.0, 0.0, -0.0, np.nan, np.inf, -np.inf])
)
any_row = st.tuples(
    st.integers(1, 3),
    any_rt,
    st.sampled_from(["c", "i", "n", None, "?"]),
    st.sampled_from([1, 1, 1, 0, None, 2]),
)
plain_rows = [(1, 450.0, "c", 1), (2, 500.0, "i", 0)] + [
    (person, 500.0, "i", 1) for person in (1, 2) for _ in range(30)
]


def frame_of(rows: list[tuple[int, float, str | None, int | None]]) -> pd.DataFrame:
    return pd.DataFrame([*plain_rows, *rows], columns=["subject", "rt", "condition", "accuracy"])


@quick
@given(st.lists(any_row, max_size=20))
def test_every_row_is_kept_or_counted(rows):
    frame = frame_of(rows)
    trials = checked(read_trials(frame, coding=WHOLE))
    assert (trials.n_trials + trials.n_excluded).tolist() == frame.groupby(
        "subject"
    ).size().tolist()
    assert list(trials.excluded) == list(REASONS)
    chosen = read_trials(frame, where="subject > 1", coding=WHOLE)
    assert (chosen.n_trials + chosen.n_excluded).sum() == (frame["subject"] > 1).sum()
    assert (trials.answered == trials.present).all()
    assert [column.name for column in trials.columns] == [column.name for column in CONFLICT_TASK]


@quick
@given(st.lists(any_row, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    frame = frame_of(rows)
    order = list(range(len(frame)))
    random.shuffle(order)
    one, other = read_trials(frame, coding=WHOLE), read_trials(frame.iloc[order], coding=WHOLE)
    assert one.names == other.names
    assert exclusions(one).equals(exclusions(other))


@quick
@given(st.lists(any_row, max_size=20))
def test_what_was_read_can_be_read_again(rows):
    trials = read_trials(frame_of(rows), window=None, coding=WHOLE)
    trials = trials.select(trials.n_trials > 0)
    again = read_trials(trials.to_frame(), window=None)
    assert same(again, replace(trials, excluded=dict.fromkeys(REASONS, np.zeros(len(trials), int))))


def only_data_errors(source: object, **options: object) -> None:
    with contextlib.suppress(DataError):
        checked(read_trials(source, **options))


@quick
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.text("subjectr,;\t \n\"'1-.N5ci", max_size=200).map(str.encode),
    )
)
def test_any_bytes_are_read_or_refused(tmp_path, content):
    only_data_errors(written(tmp_path, content))
    only_data_errors(written(tmp_path, b"subject,condition,rt,accuracy\n1,c,500,1\n" + content))
    only_data_errors(written(tmp_path, content), names=["subject", "condition", "rt", "accuracy"])


@quick
@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from(
                [
                    "subject",
                    "id",
                    "rt",
                    "rt_s",
                    "latency",
                    "condition",
                    "congruent",
                    "accuracy",
                    "error",
                    "x.rt",
                ]
            ),
            st.text(max_size=5),
        ),
        st.lists(
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.floats(),
                st.text(max_size=6),
                st.sampled_from(["c", "i", 1, 500]),
                st.just([1]),
            ),
            min_size=3,
            max_size=3,
        ),
        min_size=3,
        max_size=8,
    )
)
def test_any_frame_is_read_or_refused(columns):
    only_data_errors(
        pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    )


@quick
@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(
                [
                    "rt",
                    "subject",
                    "`",
                    "==",
                    "<",
                    "(",
                    ")",
                    "and",
                    "not",
                    "1",
                    "'a'",
                    "[",
                    "]",
                    ",",
                    "-",
                    "in",
                ]
            )
        ).map(" ".join),
    )
)
def test_any_filter_is_applied_or_refused(where):
    only_data_errors(made(), where=where)

"""Forms in which programs write trials: each is read correctly, or refused with advice.

The advice is the one option with which the file can be read.
"""

import ast
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import incongruent as inc
from incongruent.data import doors
from incongruent.data.codings import OUTCOMES
from incongruent.data.reading.read_trials import Coding, DataError, read_trials
from incongruent.data.trials import checked

DATA = Path(
    os.environ.get("INCONGRUENT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
FORMS = DATA / "forms"
forms = pytest.mark.skipif(
    not FORMS.is_dir(),
    reason="the folder of forms is not here; set INCONGRUENT_DATA to the folder that has it",
)


def trial_frame(n_people: int = 5, n_trials: int = 60) -> pd.DataFrame:
    """A plain study of people who are slower and less accurate in incongruent trials.

    Stimuli and flankers point to the left or to the right.
    """
    rng = np.random.default_rng(11)
    n = n_people * n_trials
    incongruent = np.arange(n) % 2 == 1
    correct = rng.random(n) > 0.04 + 0.1 * incongruent
    stimulus = np.where(rng.random(n) < 0.5, "left", "right")
    other = np.where(stimulus == "left", "right", "left")
    return pd.DataFrame(
        {
            "subject": np.repeat([f"p{i}" for i in range(1, n_people + 1)], n_trials),
            "condition": np.where(incongruent, "incongruent", "congruent"),
            "rt": np.round(rng.gamma(20, 12, n) + 200 + 40 * incongruent, 1),
            "accuracy": correct + 0,
            "stimulus": stimulus,
            "flanker_side": np.where(incongruent, other, stimulus),
            "response": np.where(correct, stimulus, other),
        }
    )


def columns(*names: str) -> list[str]:
    return ["subject", "condition", "rt", "accuracy", *names]


FRAME = trial_frame()
PLAIN = FRAME[columns()]
N, ERRORS = len(FRAME), int((FRAME["accuracy"] == 0).sum())


def fully(frame: pd.DataFrame, **options: object) -> None:
    """Everything of the plain study is there: people, trials, errors, congruent trials."""
    trials = checked(read_trials(frame, **options))
    assert trials.n_trials.tolist() == [60] * 5
    assert trials.where("response", "error").sum() == ERRORS
    assert trials.where("condition", "congruent").sum() == N / 2
    assert trials.values["rt"].sum() == pytest.approx(FRAME["rt"].sum(), rel=1e-5)


def refusal(frame: object, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read_trials(frame, **options)
    return str(caught.value)


# --- the shared forms -----------------------------------------------------------------------------

READ = {
    # file, options, people, trials left, errors, trials left out for lack of an answer
    "acc_comm.csv": ({}, 4, 480, 32, 0),
    "acc_hitmiss.csv": ({}, 4, 480, 32, 0),
    "acc_hssm.csv": ({}, 4, 480, 32, 0),
    "acc_janein.csv": ({}, 4, 480, 32, 0),
    "dead_neg.csv": ({}, 20, 5100, 335, 900),
    "dead_p999.csv": ({}, 20, 5100, 335, 900),
    "emc2.csv": ({"coding": Coding(accuracy="R == stimulus")}, 20, 6000, 354, 0),
    "groups.csv": ({"by": ("group", "subject")}, 20, 6000, 354, 0),
    "german2.csv": ({}, 4, 480, 32, 0),
    "spanish.csv": ({}, 4, 480, 32, 0),
    "gorilla.csv": ({"where": "display != 'practice'"}, 4, 426, 27, 14),
    "opensesame.csv": ({}, 4, 480, 32, 0),
    "eprime_path.txt": ({"coding": Coding(rt="Target.RT", accuracy="Target.ACC")}, 4, 427, 28, 13),
    "sepline.csv": ({}, 4, 1200, 63, 0),
    "title.csv": ({}, 4, 1200, 63, 0),
    "zeros.csv": ({}, 4, 1200, 63, 0),
    "jspsych.json": ({}, 4, 465, 31, 15),
}


@forms
@pytest.mark.parametrize("file", READ)
def test_forms_are_read(file):
    options, n_people, n_trials, n_errors, n_timeouts = READ[file]
    trials = checked(read_trials(FORMS / file, **options))
    assert (len(trials), trials.n_trials.sum()) == (n_people, n_trials)
    assert trials.where("response", "error").sum() == n_errors
    assert trials.excluded["timeout"].sum() == n_timeouts


@forms
def test_forms_that_need_an_option_name_it():
    assert "Coding(accuracy='stimulus == R')" in refusal(FORMS / "emc2.csv")
    assert "by=('group', 'subject')" in refusal(FORMS / "groups.csv")
    assert "Coding(rt='Target.RT', accuracy='Target.ACC')" in refusal(FORMS / "eprime_path.txt")
    names = ["block", "colour", "word", "match", "rt_order", "finger", "status", "rt"]
    message = refusal(FORMS / "psytoolkit", names=names)
    assert "Coding(accuracy='status', outcomes={'1': 'correct', '2': 'error'})" in message, message


@forms
def test_names_stay_as_they_are_written():
    assert read_trials(FORMS / "zeros.csv").names == ("001", "002", "003", "004")


@forms
@pytest.mark.parametrize("file", ["dead_neg.csv", "dead_p999.csv"])
def test_omissions_are_kept_where_a_deadline_is_known(file):
    trials = checked(read_trials(FORMS / file, deadline=533.0))
    assert trials.n_trials.tolist() == [300] * 20
    assert (trials.present & ~trials.answered).sum() == 900
    assert trials.excluded["timeout"].sum() == 0


# --- accuracy -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("correct", "error"),
    [
        *(
            ("hit", "miss"),
            ("Correct", "Commission Error"),
            ("1", "-1"),
            ("ja", "nein"),
            ("sí", "no"),
            ("oui", "non"),
            ("richtig", "falsch"),
        ),
        *(
            ("correcto", "incorrecto"),
            ("juste", "faux"),
            ("goed", "fout"),
            ("正确", "错误"),
            ("TRUE", "FALSE"),
            ("right", "wrong"),
            ("CORRECT", "INCORRECT"),
        ),
    ],
)
def test_words_of_the_accuracy(correct, error):
    frame = PLAIN.assign(accuracy=PLAIN["accuracy"].map({1: correct, 0: error}))
    fully(frame)
    note = next(note for note in read_trials(frame).notes if note.startswith("The accuracy"))
    assert f"{correct} = correct" in note
    assert f"{error} = error" in note


@pytest.mark.parametrize(
    ("correct", "error"), [("correct", "E_7"), ("1", "2"), ("hit", "fa?"), ("ok!", "bad!"), (1, 7)]
)
@pytest.mark.parametrize("share", [0.005, 0.06])
def test_a_half_understood_accuracy_is_refused_whatever_its_share(correct, error, share):
    """Errors are rare in easy tasks, so that a rare label may be all of the errors."""
    accuracy = np.where(np.arange(N) < max(1, share * N), error, correct).astype(object)
    message = refusal(PLAIN.assign(accuracy=accuracy))
    assert repr(str(error)) in message
    assert "outcomes={" in message
    outcomes = {str(correct): "correct", str(error): "error"}
    trials = read_trials(
        PLAIN.assign(accuracy=accuracy), coding=Coding(accuracy="accuracy", outcomes=outcomes)
    )
    assert trials.where("response", "error").sum() == (accuracy == error).sum()


def test_a_third_label_that_is_not_rare_is_refused_and_can_be_an_omission():
    status = np.where(np.arange(N) % 20 == 0, 3, np.where(FRAME["accuracy"] == 1, 1, 2))
    frame = FRAME.drop(columns="accuracy").assign(accuracy=status)
    assert "outcomes={'1': 'correct', '2': 'error', '3': 'omission'}" in refusal(frame)
    coding = Coding(accuracy="accuracy", outcomes={1: "correct", 2: "error", 3: "omission"})
    trials = read_trials(frame, coding=coding)
    assert trials.excluded["timeout"].sum() == N // 20
    assert trials.where("response", "error").sum() == (status == 2).sum()
    assert any(note.startswith("Caution:") and "5.0%" in note for note in trials.notes)


def test_a_miss_without_a_time_is_an_omission():
    missed = np.arange(N) % 30 == 0
    accuracy = np.where(missed, "miss", np.where(FRAME["accuracy"] == 1, "hit", "wrong"))
    trials = read_trials(PLAIN.assign(accuracy=accuracy, rt=PLAIN["rt"].where(~missed)))
    assert trials.excluded["timeout"].sum() == missed.sum()


def test_a_word_for_missing_counts_where_the_coding_names_it():
    frame = PLAIN.assign(condition=PLAIN["condition"].replace("incongruent", "none"))
    levels = {"congruent": "congruent", "none": "incongruent"}
    fully(frame, coding=Coding(condition="condition", levels=levels))


@pytest.mark.parametrize("stray", ["filler", "nogo", "catch"])
def test_a_half_understood_condition_is_refused(stray):
    condition = PLAIN["condition"].mask(np.arange(N) % 10 == 0, stray)
    message = refusal(PLAIN.assign(condition=condition))
    assert f"'{stray}' (10.0%, not known)" in message
    advised = ast.literal_eval(re.search(r"levels=(\{.*?\})", message)[1])
    assert advised == {"congruent": "congruent", "incongruent": "incongruent", stray: "?"}
    trials = read_trials(
        PLAIN.assign(condition=condition),
        coding=Coding(levels={k: v for k, v in advised.items() if v != "?"}),
    )
    assert trials.excluded["unknown condition"].sum() == N / 10


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "name"),
    [
        *(
            ("subject", "sub_id"),
            ("subject", "VP_Code"),
            ("subject", "participante"),
            ("subject", "Subject Nr."),
            ("subject", "subjectCode"),
        ),
        *(
            ("subject", "subject_number_1"),
            ("rt", "TR"),
            ("rt", "RZ"),
            ("rt", "target_rt"),
            ("rt", "Reaktionszeit [ms]"),
            ("rt", "RT1"),
            ("rt", "rt_corrected"),
        ),
        *(
            ("accuracy", "acierto"),
            ("accuracy", "Korrekt"),
            ("accuracy", "acc_2"),
            ("accuracy", "respAcc"),
            ("condition", "congruency_num"),
        ),
        *(
            ("condition", "compf"),
            ("condition", "Kongruenz"),
            ("condition", "condicion"),
            ("condition", "flanker_condition"),
            ("condition", "trialTypeName"),
        ),
    ],
)
def test_names_with_affixes_and_in_other_languages(role, name):
    fully(PLAIN.rename(columns={role: name}))


def test_columns_whose_values_speak_against_a_role_are_no_candidates():
    running = FRAME.groupby("subject")["accuracy"].expanding().mean().to_numpy()
    clock = np.cumsum(FRAME["rt"] + 800)
    frame = PLAIN.rename(columns={"accuracy": "correct", "rt": "response_time"})
    frame = frame.assign(
        acc=running,
        accuracy=100 * running,
        total_response_time=clock,
        participant=None,
        subject_id=np.arange(N),
        avg_rt=400.5,
        rt=clock,
    )
    fully(frame)


def test_accuracy_and_errors_that_agree_are_one():
    fully(
        FRAME[columns()]
        .rename(columns={"accuracy": "Correct"})
        .assign(Incorrect=1 - FRAME["accuracy"])
    )


def test_a_message_lists_the_likely_columns_only():
    many = {f"note_{i}": f"text {i}" for i in range(60)}
    message = refusal(PLAIN.rename(columns={"rt": "zeit"}).assign(**many))
    assert "'zeit'" in message
    assert "note_" not in message


# --- computed columns -----------------------------------------------------------------------------


def test_columns_can_be_computed():
    bare = FRAME[["subject", "stimulus", "flanker_side", "response"]].assign(
        t0=np.arange(N) * 1000.0, t1=np.arange(N) * 1000.0 + FRAME["rt"]
    )
    coding = Coding(
        rt="t1 - t0", accuracy="response == stimulus", condition="stimulus == flanker_side"
    )
    fully(bare, coding=coding)
    assert "The reaction time was computed: t1 - t0." in read_trials(bare, coding=coding).notes
    fully(
        bare,
        coding=Coding(
            rt="t1 - t0", error="response != stimulus", condition="stimulus == flanker_side"
        ),
    )


def test_what_is_computed_from_a_missing_value_is_missing():
    gone = np.arange(N) % 12 == 0
    frame = FRAME.drop(columns="accuracy").assign(response=FRAME["response"].mask(gone))
    trials = read_trials(frame, coding=Coding(accuracy="response == stimulus"))
    assert trials.excluded["missing"].sum() == gone.sum()
    assert trials.where("response", "error").sum() == ((FRAME["accuracy"] == 0) & ~gone).sum()


@pytest.mark.parametrize(
    ("coding", "words"),
    [
        ({"accuracy": "response == ink"}, "there is no column 'ink'"),
        ({"accuracy": "rt + 1"}, "not true or false"),
        ({"rt": "response == stimulus"}, "true or false, and no time"),
        ({"rt": "response + stimulus"}, "no number for each row, and no time"),
        ({"rt": "rt - (1"}, "cannot be read"),
        ({"condition": "stimulus.upper() == flanker_side"}, "is not allowed"),
        ({"accuracy": "respons == stimulus"}, "did you mean 'response'?"),
    ],
)
def test_computed_columns_are_refused_in_words(coding, words):
    assert words in refusal(FRAME, coding=Coding(**coding))


@pytest.mark.parametrize(
    ("where", "n"),
    [
        ("response is missing", 25),
        ("response is not missing", N - 25),
        ("not (response is missing)", N - 25),
    ],
)
def test_where_can_ask_for_missing_values(where, n):
    frame = FRAME.assign(response=FRAME["response"].mask(np.arange(N) % 12 == 0))
    trials = read_trials(frame, where=where)
    assert trials.n_trials.sum() + trials.n_excluded.sum() == n


def test_where_takes_names_with_dots_and_brackets_and_hints_at_backticks():
    frame = PLAIN.assign(**{"Target.RT": np.arange(N), "Procedure[Block]": "main"})
    assert (
        read_trials(frame, where="Target.RT < 100 and Procedure[Block] == 'main'").n_trials.sum()
        == 100
    )
    assert "stands in backticks, as in `Target.RT`" in refusal(frame, where="Target.ACC < 100")


@pytest.mark.parametrize(
    "dtype", ["Int64", "Float64", "string", "boolean", "category", "int64[pyarrow]"]
)
def test_where_takes_columns_of_any_type_with_missing_values(dtype):
    block = pd.Series(np.arange(N) % 2).mask(np.arange(N) % 10 == 0)
    values = {
        "string": block.map({0: "a", 1: "b"}),
        "boolean": block.map({0: False, 1: True}),
        "category": block.map({0: "a", 1: "b"}),
    }.get(dtype, block)
    where = {"string": "block == 'b'", "category": "block == 'b'", "boolean": "block == True"}.get(
        dtype, "block == 1"
    )
    frame = PLAIN.assign(block=values.astype(dtype))
    assert read_trials(frame, where=where).n_trials.sum() == (block == 1).sum()
    assert (
        read_trials(frame, where=where.replace("==", "!=")).n_trials.sum() == N - (block == 1).sum()
    )


# --- identity -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column", ["group", "Gruppe", "experiment", "file", "lab", "cohort", "list"]
)
def test_numbers_that_begin_again_are_refused(column):
    two = pd.concat(
        [PLAIN.assign(**{column: "a"}), PLAIN.assign(**{column: "b"})], ignore_index=True
    )
    message = refusal(two)
    assert f"by=('{column}', 'subject') to keep them apart, or by='subject'" in message
    assert len(read_trials(two, by=(column, "subject"))) == 10
    assert len(read_trials(two, by="subject")) == 5


@pytest.mark.parametrize("column", ["group", "age", "sex", "handedness"])
def test_what_a_person_has_one_of_is_refused_in_any_order_of_rows(column):
    half = np.arange(N) % 60 < 30
    message = refusal(PLAIN.assign(**{column: np.where(half, 20, 30)}))
    assert f"'{column}'" in message
    assert "a person has one" in message


def test_sessions_tasks_and_practice_are_named():
    place = np.arange(N) % 60
    frame = PLAIN.assign(
        session=place // 30,
        task=np.where(place < 20, "simon", "stroop"),
        phase=np.where(place < 6, "practice", "main"),
    )
    notes = " ".join(read_trials(frame).notes)
    assert (
        "Column 'session' takes several values within 5 of 5 data sets: '0' (150 rows), '1' (150"
        " rows)" in notes
    )
    assert "Column 'task'" in notes
    assert "where='phase != \"practice\"'" in notes
    assert not any(
        "takes several values" in note
        for note in read_trials(frame, where="session == 1 and task == 'stroop'").notes
    )


def test_columns_that_change_with_the_trials_are_no_parts_of_a_person():
    frame = FRAME.assign(
        trial=np.arange(N) % 60,
        block=np.arange(N) % 60 // 20,
        congruency_num=(FRAME["condition"] == "congruent") + 0,
    )
    assert not any("takes several values" in note for note in read_trials(frame).notes)


def test_rows_of_nobody_are_counted():
    ends = pd.DataFrame(
        {
            "subject": [None, None],
            "condition": ["END OF FILE", None],
            "rt": [None, None],
            "accuracy": [None, None],
        }
    )
    trials = read_trials(pd.concat([PLAIN.astype(object), ends], ignore_index=True))
    assert (
        "2 rows have no person, reaction time and answer; they are no trials and are left out."
        in trials.notes
    )


@pytest.mark.parametrize(
    "names",
    [
        ["001", "010", "1", "01", "10"],
        ["6000001", "6000002", "60000000000000000003", "7e5", "700000"],
        ["Ä", "ß", "名", "x\\[/b]", "=1+1"],
    ],
)
def test_people_are_called_as_they_are_written(names, tmp_path):
    frame = PLAIN.assign(subject=np.repeat(names, 60))
    assert sorted(read_trials(frame).names) == sorted(names)
    frame.to_csv(tmp_path / "study.csv", index=False)
    assert sorted(read_trials(tmp_path / "study.csv").names) == sorted(names)


# --- omissions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [-1, 0, 999, 9999, 99999, -999, 1500])
@pytest.mark.parametrize("factor", [1.0, 0.001])
def test_codes_of_omissions(code, factor):
    late = np.arange(N) % 15 == 0
    written = code * factor if code == 1500 else code
    frame = PLAIN.assign(
        rt=(PLAIN["rt"] * factor).mask(late, written), accuracy=PLAIN["accuracy"].mask(late, 0)
    )
    trials = read_trials(frame)
    assert trials.excluded["timeout"].sum() == late.sum()
    kept = checked(read_trials(frame, deadline=1500.0))
    assert kept.n_trials.sum() == N
    assert (kept.present & ~kept.answered).sum() == late.sum()
    assert kept.where("response", "error").sum() == ((FRAME["accuracy"] == 0) & ~late).sum()


def test_long_answers_that_are_correct_are_no_code():
    frame = PLAIN.assign(rt=PLAIN["rt"].mask(np.arange(N) % 50 == 0, 999.0), accuracy=1)
    assert read_trials(frame).excluded["timeout"].sum() == 0
    few = PLAIN.assign(rt=PLAIN["rt"].mask(np.arange(N) == 5, 999.0))
    assert read_trials(few).excluded["timeout"].sum() == 0


def test_answers_after_the_deadline_are_none():
    trials = read_trials(PLAIN, deadline=450.0)
    assert (trials.present & ~trials.answered).sum() == (PLAIN["rt"] > 450.0).sum()


def test_blank_rows_are_omissions_only_while_they_are_few():
    blank = PLAIN.assign(
        rt=PLAIN["rt"].mask(np.arange(N) % 10 == 0),
        accuracy=PLAIN["accuracy"].mask(np.arange(N) % 10 == 0),
    )
    assert read_trials(blank).excluded["missing"].sum() == N / 10
    kept = read_trials(blank, deadline=1500.0)
    assert (kept.present & ~kept.answered).sum() == N / 10
    most = PLAIN.assign(
        rt=PLAIN["rt"].where(np.arange(N) % 2 == 0),
        accuracy=PLAIN["accuracy"].where(np.arange(N) % 2 == 0),
    )
    assert "hardly all trials" in refusal(most, deadline=1500.0)


# --- doors ----------------------------------------------------------------------------------------


def test_messages_speak_the_language_of_the_door():
    frame = PLAIN.assign(accuracy=PLAIN["accuracy"].map({1: 1, 0: 2}))
    assert "Coding(accuracy='accuracy', outcomes={'1': 'correct', '2': 'error'})" in refusal(frame)
    with doors.at_door(doors.COMMAND_LINE):
        assert "--coding accuracy=accuracy,1=correct,2=error" in refusal(frame)
    with doors.at_door(doors.APP):
        message = refusal(frame)
        assert "“What the labels of the accuracy mean”: 1 = correct, 2 = error" in message
        assert "Coding(" not in message
        assert "--" not in message


def test_what_the_command_line_advises_it_understands():
    from incongruent.cli.reading import coding_of, data_sets

    for entries in (
        {
            "accuracy": "status",
            "outcomes": {"1": "correct", "error": "error", "no, really": "omission"},
        },
        {"condition": 'a "b", c', "levels": {"x=y": "congruent", "ü": "incongruent"}},
        {"rt": "t1 - t0", "subject": "who is it"},
    ):
        with doors.at_door(doors.COMMAND_LINE):
            advised = doors.coding(**entries)
        import shlex

        option, words = shlex.split(advised)
        assert option == "--coding"
        assert coding_of(words) == Coding(**entries)
    with doors.at_door(doors.COMMAND_LINE):
        assert doors.option("by", ()) == "--by none"
    assert data_sets("none") == []
    assert data_sets('"a, b",c') == ["a, b", "c"]


def test_outcomes_are_checked():
    with pytest.raises(
        DataError, match="Expected outcomes among 'correct', 'error', 'omission'; got 'late'"
    ):
        Coding(outcomes={"1": "late"})
    assert OUTCOMES == ("correct", "error", "omission")


# --- a deadline, from the file to the posterior ---------------------------------------------------


@forms
@pytest.mark.slow
def test_intervals_hold_the_truth_although_a_deadline_cut_every_seventh_answer():
    """A network that knows the deadline has intervals of the right coverage, one without has not.

    Of all trials, 15 % have no answer.
    """
    truth = pd.read_csv(FORMS / "sim20_truth.csv").set_index("subject")
    share = {"congruent": 0.5, "incongruent": 0.5}
    names = ["mu_c", "b", "mu_R"]
    simulator = inc.Simulator(
        inc.models.dmc(), inc.priors.schaefer2025(), inc.Design((200, 400), share, deadline=533.0)
    )
    coverage = {}
    for deadline, posterior in (
        (533.0, inc.train(simulator, steps=3000, seed=4, progress=False)),
        (None, inc.pretrained()),
    ):
        study = read_trials(FORMS / "dead_neg.csv", deadline=deadline)
        draws = posterior.sample(study, 1000, seed=1, anyway=True)
        low, high = np.quantile(draws.theta, [0.05, 0.95], axis=1)
        columns = [draws.parameter_names.index(name) for name in names]
        true = truth.loc[[int(name) for name in study.names], names].to_numpy()
        coverage[deadline] = ((true >= low[:, columns]) & (true <= high[:, columns])).mean()
    assert 0.85 <= coverage[533.0] <= 0.95, coverage
    assert coverage[None] < 0.6, coverage

"""Laws of `Trials`: rows and padded arrays hold the same, masks hide what is not there, and misfits
are refused.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incongruent.data.long_format import from_long
from incongruent.data.trials import (
    CONDITION,
    CONFLICT_TASK,
    RT,
    Category,
    Continuous,
    Trials,
    checked,
    concatenate,
    pad,
)

quick = settings(max_examples=50, deadline=None)
rows_of_people = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(0, 1),
        st.floats(150, 2500, width=32),
        st.booleans(),
    ),
    max_size=30,
)


def trials_of(rows, names=("a", "b", "c", "d")) -> Trials:
    person, condition, response, rt, answered = (
        np.array([row[i] for row in rows]) for i in range(5)
    )
    values = {"condition": condition, "response": response, "rt": rt}
    return from_long(CONFLICT_TASK, person, values, answered=answered.astype(bool), names=names)


def same(one: Trials, other: Trials) -> bool:
    return one.names == other.names and one.to_frame().equals(other.to_frame())


SOME = [
    (0, 0, 0, 400.0, True),
    (2, 1, 1, 500.0, True),
    (0, 1, 0, 450.0, False),
    (2, 2, 0, 550.0, True),
    (2, 0, 0, 350.0, True),
]


@quick
@given(rows_of_people)
def test_every_row_has_its_place(rows):
    trials = checked(trials_of(rows))
    assert trials.n_trials.tolist() == [sum(row[0] == i for row in rows) for i in range(4)]
    frame = trials.to_frame()
    assert len(frame) == len(rows)
    for i, name in enumerate(trials.names):
        mine = [row for row in rows if row[0] == i]
        theirs = frame[frame["participant"] == name]
        assert theirs["condition"].tolist() == [CONDITION.levels[row[1]] for row in mine]
        assert theirs["rt"].dropna().tolist() == [row[3] for row in mine if row[4]]
        assert theirs["response"].isna().tolist() == [not row[4] for row in mine]


@quick
@given(rows_of_people, st.integers(0, 5))
def test_padding_changes_nothing(rows, extra):
    trials = trials_of(rows)
    padded = checked(pad(trials, trials.present.shape[1] + extra))
    assert padded.present.shape[1] == trials.present.shape[1] + extra
    assert same(padded, trials)


@quick
@given(rows_of_people)
def test_selecting_and_concatenating_undo_each_other(rows):
    trials = trials_of(rows)
    assert same(concatenate([trials.select([i]) for i in range(4)]), trials)
    assert same(trials.select([3, 1]), concatenate([trials.select([3]), trials.select([1])]))
    assert same(trials.select(slice(None)), trials)


def test_concatenation_keeps_counts_and_notes():
    one = Trials(
        **{**vars(trials_of(SOME)), "excluded": {"missing": np.arange(4)}, "notes": ("x", "y")}
    )
    other = Trials(
        **{**vars(trials_of(SOME)), "excluded": {"timeout": np.ones(4, int)}, "notes": ("y",)}
    )
    both = concatenate([one, other])
    assert both.excluded["missing"].tolist() == [0, 1, 2, 3, 0, 0, 0, 0]
    assert both.n_excluded.tolist() == [0, 1, 2, 3, 1, 1, 1, 1]
    assert both.notes == ("x", "y")
    assert both.select([3, 4]).n_excluded.tolist() == [3, 1]


def test_values_in_masked_places_are_not_used():
    trials = trials_of(SOME)
    spoiled = {
        name: np.where(trials.present & trials.answered, array, 99)
        for name, array in trials.values.items()
        if name != "condition"
    }
    spoiled["condition"] = np.where(trials.present, trials.values["condition"], 99)
    spoiled["rt"] = np.where(trials.answered, trials.values["rt"], np.nan)
    other = Trials(CONFLICT_TASK, spoiled, trials.present, trials.answered, trials.names)
    assert same(checked(other), trials)
    for column, level in [("condition", "congruent"), ("response", "correct")]:
        assert np.array_equal(other.where(column, level), trials.where(column, level))


def test_given_columns_are_known_without_an_answer():
    trials = trials_of(SOME)
    assert trials.where("condition", "incongruent").sum(axis=1).tolist() == [1, 0, 1, 0]
    assert trials.where("response", "correct").sum(axis=1).tolist() == [1, 0, 2, 0]


def test_looks():
    trials = trials_of(SOME)
    assert repr(trials) == "Trials(4 data sets, 0–3 trials each, columns condition, response, rt)"
    assert len(trials) == 4
    assert trials.column("rt") is RT
    assert trials.n_excluded.tolist() == [0, 0, 0, 0]
    assert (trials.values["rt"].dtype, trials.values["condition"].dtype) == (np.float32, np.int8)
    assert from_long([RT], np.array([0, 1]), {"rt": np.ones(2)}).names == ("1", "2")


def test_the_empty_case():
    nothing = from_long(
        CONFLICT_TASK, np.array([], int), {"condition": [], "response": [], "rt": []}
    )
    assert len(nothing) == 0
    assert "no trials" in repr(nothing)
    assert len(nothing.to_frame()) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"present": np.ones(3, bool)},
            r"Expected `present` of shape \(dataset, trial\); got shape \(3,\)",
        ),
        ({"answered": np.ones((4, 9), bool)}, "Expected 'answered' of shape"),
        ({"names": ("a",)}, "Expected 4 names, one for each data set; got 1"),
        ({"values": {"rt": np.zeros((4, 3))}}, "Expected values for the columns"),
    ],
)
def test_misfits_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Trials(**{**vars(trials_of(SOME)), **change})


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("rt", np.nan, "Expected a finite number in column 'rt'; got nan in data set 'a', trial 0"),
        ("condition", 3, "Expected the position of a level of"),
        ("response", -1, "level"),
    ],
)
def test_bad_values_are_found(column, value, words):
    trials = trials_of(SOME)
    trials.values[column][0, 0] = value
    with pytest.raises(ValueError, match=words):
        checked(trials)


def test_an_answer_needs_a_trial():
    trials = trials_of(SOME)
    with pytest.raises(ValueError, match="Expected answers only where a trial is present"):
        checked(Trials(**{**vars(trials), "answered": np.ones_like(trials.present)}))


def test_wrong_requests():
    trials = trials_of(SOME)
    with pytest.raises(KeyError, match="Expected one of the columns"):
        trials.column("latency")
    with pytest.raises(KeyError, match="Expected a category column with the level 'fast'"):
        trials.where("rt", "fast")
    with pytest.raises(ValueError, match="Expected room for at least 3 trials; got n_trials=2"):
        pad(trials, 2)
    with pytest.raises(ValueError, match="Expected at least one Trials"):
        concatenate([])
    with pytest.raises(ValueError, match="in every part"):
        concatenate([trials, from_long([RT], np.array([0]), {"rt": np.ones(1)})])
    with pytest.raises(ValueError, match="Expected 1 to 127 different levels"):
        Category("condition", ("a", "a"))
    assert Continuous("x").dtype is np.float32

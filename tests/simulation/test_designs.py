"""Laws of designs: counts are exact, ranges hold, orders are random, and an observed design is
copied person by person.
"""

import itertools

import numpy as np
import pytest
from scipy import stats

from incongruent.data.long_format import from_long
from incongruent.data.trials import CONDITION, CONFLICT_TASK, Category
from incongruent.simulation.designs import Design
from incongruent.simulation.observed import design_of, layout_of

FIVE_SIGMA = 5.7e-7
"""Two-sided probability beyond five standard errors."""
HALVES = {"congruent": 0.5, "incongruent": 0.5}
DESIGNS = {
    "one size": Design(100, HALVES),
    "odd size": Design(7, HALVES),
    "thirds": Design((1, 50), {"congruent": 1 / 3, "incongruent": 1 / 3, "neutral": 1 / 3}),
    "one level": Design((3, 9), {"incongruent": 1.0}),
    "a range": Design((20, 400), {"congruent": (0.2, 0.8), "incongruent": (0.2, 0.8)}),
    "ranges of three": Design(
        (10, 300), {"congruent": (0.1, 0.9), "incongruent": (0.1, 0.6), "neutral": (0.0, 0.3)}
    ),
    "a range and a number": Design(
        (20, 40), {"congruent": (0.5, 0.75), "incongruent": (0.0, 1.0), "neutral": 0.25}
    ),
    "ranges that meet in one point": Design(
        40, {"congruent": (0.0, 0.5), "incongruent": (0.0, 0.5)}
    ),
}
every_design = pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)


def counts_of(condition: np.ndarray, present: np.ndarray) -> np.ndarray:
    return np.stack([((condition == level) & present).sum(axis=1) for level in range(3)], axis=1)


def range_of(design: Design, level: str) -> tuple[float, float]:
    share = design.share.get(level, 0.0)
    return share if isinstance(share, tuple) else (share, share)


@every_design
def test_shares_sum_to_one_and_keep_to_their_ranges(design):
    shares = design.shares(1000, np.random.default_rng(1))
    assert shares.shape == (1000, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-8)
    for i, level in enumerate(CONDITION.levels):
        low, high = range_of(design, level)
        assert shares[:, i].min() >= low - 1e-8
        assert shares[:, i].max() <= high + 1e-8


@every_design
def test_counts_are_the_shares_within_rounding(design):
    condition, present = design.lay_out(500, np.random.default_rng(2))
    counts, n = counts_of(condition, present), present.sum(axis=1)
    assert np.array_equal(counts.sum(axis=1), n)
    for i, level in enumerate(CONDITION.levels):
        low, high = range_of(design, level)
        assert (counts[:, i] > low * n - 1).all()
        assert (counts[:, i] < high * n + 1).all()
        assert level in design.levels or not counts[:, i].any()


def test_shares_that_give_whole_numbers_give_exactly_these():
    condition, present = Design(
        100, {"congruent": 0.29, "incongruent": 0.57, "neutral": 0.14}
    ).lay_out(50, np.random.default_rng(3))
    assert (counts_of(condition, present) == [29, 57, 14]).all()


@every_design
def test_trials_stand_at_the_front_and_sizes_stay_within_their_range(design):
    condition, present = design.lay_out(500, np.random.default_rng(4))
    n = present.sum(axis=1)
    assert condition.dtype == np.int8
    assert np.array_equal(present, np.arange(present.shape[1]) < n[:, None])
    assert design.smallest <= n.min() <= n.max() <= design.largest


@every_design
def test_full_gives_every_data_set_the_largest_size(design):
    condition, present = design.lay_out(50, np.random.default_rng(5), full=True)
    assert condition.shape == present.shape == (50, design.largest)
    assert present.all()


def size_frequencies(sizes: np.ndarray, smallest: int, largest: int) -> float:
    """p-value of P(n) = log((n + 1) / n) / log((largest + 1) / smallest)."""
    n = np.arange(smallest, largest + 1)
    expected = np.log((n + 1) / n) / np.log((largest + 1) / smallest) * len(sizes)
    return stats.chisquare(np.bincount(sizes, minlength=largest + 1)[smallest:], expected).pvalue


def test_sizes_are_log_uniform():
    sizes = Design((5, 60), HALVES).sizes(200_000, np.random.default_rng(6))
    assert size_frequencies(sizes, 5, 60) > FIVE_SIGMA


def test_the_gate_tells_uniform_sizes_from_log_uniform_ones():
    assert size_frequencies(np.random.default_rng(6).integers(5, 61, 200_000), 5, 60) < FIVE_SIGMA


def test_every_order_of_the_trials_is_equally_likely():
    orders = {order: i for i, order in enumerate(set(itertools.permutations([0, 0, 0, 1, 1])))}
    condition, _ = Design(5, {"congruent": 0.6, "incongruent": 0.4}).lay_out(
        100_000, np.random.default_rng(7)
    )
    seen = np.bincount([orders[tuple(row)] for row in condition.tolist()], minlength=10)
    assert len(orders) == 10
    assert stats.chisquare(seen).pvalue > FIVE_SIGMA


@every_design
def test_the_generator_alone_decides(design):
    one, again, other = (design.lay_out(200, np.random.default_rng(seed)) for seed in (8, 8, 9))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert (
        one[0].shape != other[0].shape
        or not np.array_equal(one[0], other[0])
        or design.levels == ("incongruent",)
    )


def test_a_design_names_its_levels_in_their_own_order():
    assert Design(10, {"neutral": 0.5, "congruent": 0.5}).levels == ("congruent", "neutral")
    assert Design(10, {"congruent": 1.0, "neutral": 0.0}).levels == ("congruent",)


def test_another_condition_column_may_carry_the_shares():
    load = Category("load", ("low", "high"), given=True)
    condition, present = Design(10, {"low": 0.3, "high": 0.7}, condition=load).lay_out(
        4, np.random.default_rng(1)
    )
    assert (np.bincount(condition[present], minlength=2) == [12, 28]).all()


STUDY_ROWS = np.array([[0] * 7 + [1] * 3 + [2] * 5, [0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 0, 1, 2, 0, 0]])


def study():
    person, condition = STUDY_ROWS
    outcomes = {"response": np.zeros(15), "rt": np.full(15, 400.0)}
    answered = np.arange(15) % 4 > 0
    return from_long(
        CONFLICT_TASK,
        person,
        {"condition": condition, **outcomes},
        answered=answered,
        names=("a", "b", "c"),
    )


def test_an_observed_design_has_the_counts_of_each_person():
    design = design_of(study(), deadline=900.0)
    condition, present = design.lay_out(3, np.random.default_rng(1))
    assert (counts_of(condition, present) == [[3, 4, 0], [0, 2, 1], [3, 1, 1]]).all()
    assert design.largest == 7
    assert design.deadline == 900.0


def test_more_data_sets_than_people_begin_again_with_the_first():
    condition, present = design_of(study()).lay_out(8, np.random.default_rng(1))
    counts = counts_of(condition, present)
    assert np.array_equal(counts[:3], counts[3:6])
    assert np.array_equal(counts[:2], counts[6:])


def test_an_observed_layout_has_each_trial_in_its_place_whatever_the_chance():
    observed = study()
    layout = layout_of(observed, window=None, deadline=None).bound_to(CONFLICT_TASK)
    first, second = (
        layout.lay_out_given(5, CONFLICT_TASK, np.random.default_rng(seed)) for seed in (1, 2)
    )
    rows = [0, 1, 2, 0, 1]
    for values, present in (first, second):
        assert np.array_equal(present, observed.present[rows])
        assert np.array_equal(values["condition"], observed.values["condition"][rows])
    some = layout.select(np.array([2, 0]))
    assert np.array_equal(some.present, observed.present[[2, 0]])
    assert np.array_equal(some.given["condition"], observed.values["condition"][[2, 0]])


def test_an_observed_layout_of_other_columns_is_refused():
    with pytest.raises(ValueError, match=r"Expected a study with the given columns \[\] of"):
        layout_of(study(), window=None, deadline=None).bound_to(CONFLICT_TASK[1:2])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_trials": 0}, "Expected n_trials of at least 1, or a range (smallest, largest); got 0"),
        ({"n_trials": (50, 10)}, "got (50, 10)"),
        ({"share": {"congruent": 0.5, "other": 0.5}}, "got 'other'"),
        ({"share": {"congruent": 1.5}}, "Expected the share of 'congruent' within [0, 1]; got 1.5"),
        (
            {"share": {"congruent": (0.8, 0.2), "incongruent": 0.5}},
            "Expected the share of 'congruent'",
        ),
        ({"share": {"congruent": 0.5, "incongruent": 0.4}}, "Expected shares that sum to 1"),
        (
            {"share": {"congruent": (0.6, 0.8), "incongruent": (0.5, 0.7)}},
            "Expected shares that sum to 1",
        ),
        (
            {"window": (2500.0, 150.0)},
            "Expected a window (shortest, longest) in ms; got (2500.0, 150.0)",
        ),
        ({"deadline": 0.0}, "Expected a deadline above 0 ms; got 0.0"),
    ],
)
def test_a_design_that_cannot_be_is_refused(arguments, words):
    with pytest.raises(ValueError, match=r"^Expected") as caught:
        Design(**{"n_trials": 10, "share": HALVES, **arguments})
    assert words in str(caught.value)

"""Laws of the vocabulary: every word can be found, once, and means one thing."""

import pytest

from incongruent.data import vocabulary
from incongruent.data.vocabulary import (
    ACCURACY_NAMES,
    CONDITION_WORDS,
    ERROR_NAMES,
    NO,
    OUTCOME_WORDS,
    RT_NAMES,
    SUBJECT_NAMES,
    YES,
    plain,
)

TIERS = {
    "subject": SUBJECT_NAMES,
    "rt": RT_NAMES,
    "accuracy": (*ACCURACY_NAMES, *ERROR_NAMES),
    "condition words": tuple(CONDITION_WORDS.values()),
    "outcome words": tuple(OUTCOME_WORDS.values()),
    "yes and no": (YES, NO),
}
"""Groups of words; no word may be in two groups, since each has another meaning."""
LISTS = {
    name: words
    for name, words in vars(vocabulary).items()
    if name.isupper() and isinstance(words, tuple) and all(isinstance(word, str) for word in words)
}


@pytest.mark.parametrize("groups", TIERS.values(), ids=TIERS)
def test_no_word_is_in_two_groups(groups):
    words = [word for group in groups for word in group]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    "words",
    [*LISTS.values(), *(sum(groups, ()) for groups in TIERS.values())],
    ids=[*LISTS, *TIERS],
)
def test_words_are_written_as_they_are_looked_up(words):
    assert words
    assert [plain(word) for word in words] == list(words)
    assert len(set(words)) == len(words)

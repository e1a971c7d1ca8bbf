"""Priors in words: what is printed can be read, and what cannot be read is refused in words."""

from __future__ import annotations

import contextlib
import json
import math
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import incongruent as inc
from incongruent.models import dmc
from incongruent.priors.published import NAMED
from incongruent.priors.text import FAMILIES, prior_named_or_said

DMC = dmc().parameters
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: x or 1.0)
POSITIVE = st.floats(1e-3, 1e6)
SHAPES = st.floats(0.1, 50.0)
NAMES = st.from_regex(r"[A-Za-zµ_][A-Za-z0-9_]{0,8}", fullmatch=True)
FROZEN = st.one_of(
    st.builds(lambda a, b: stats.norm(a, b), NUMBERS, POSITIVE),
    st.builds(lambda a, b: stats.norm(loc=a, scale=b), NUMBERS, POSITIVE),
    st.builds(lambda a, b: stats.uniform(a, b), NUMBERS, POSITIVE),
    st.builds(lambda a, b: stats.gamma(a, scale=b), SHAPES, POSITIVE),
    st.builds(
        lambda a, b, c: stats.lognorm(a, c, scale=b), st.floats(0.05, 2.0), POSITIVE, NUMBERS
    ),
    st.builds(lambda a, b: stats.beta(a, b), SHAPES, SHAPES),
    st.builds(lambda a, b: stats.t(a, scale=b), st.floats(1.0, 30.0), POSITIVE),
)
CUT = st.builds(
    lambda d, low, high: inc.truncated(
        d, float(d.ppf(low)), math.inf if high is None else float(d.ppf(high))
    ),
    FROZEN,
    st.floats(0.0, 0.4).map(lambda q: max(q, 1e-9)),
    st.none() | st.floats(0.5, 0.99),
)
PRIORS = st.dictionaries(NAMES, FROZEN | CUT, min_size=1, max_size=6).map(
    lambda made: inc.Prior(**made)
)


@given(prior=PRIORS)
@settings(max_examples=50, deadline=None)
def test_what_is_printed_is_read_as_the_same_prior(prior: inc.Prior) -> None:
    assert inc.prior_from_text(repr(prior)) == prior
    assert inc.prior_from_text(json.dumps(prior.to_json())) == prior
    lines = (
        repr(prior)
        .removeprefix("Prior(")
        .removesuffix(")")
        .replace("), ", "); ")
        .replace("], ", "]\n")
    )
    assert inc.prior_from_text(f"# a remark, with (brackets\n{lines}  # another\n") == prior


@pytest.mark.parametrize("name", NAMED)
def test_priors_that_ship_are_read_from_what_they_print_by_name_and_from_a_file(
    name: str, tmp_path: Path
) -> None:
    prior = NAMED[name]()
    assert prior_named_or_said(name, DMC) == prior_named_or_said(repr(prior), DMC) == prior
    for file, text in {
        "prior.json": json.dumps(prior.to_json()),
        "prior.txt": "\ufeff" + repr(prior),
    }.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
        assert (
            prior_named_or_said(str(tmp_path / file), DMC)
            == inc.prior_from_file(tmp_path / file)
            == prior
        )


def test_python_can_be_pasted() -> None:
    text = (
        "Prior(A=inc.truncated(stats.norm(20, 15), 0, high=60), tau=scipy.stats.lognorm(.6,"
        " scale=+80) on [10, inf], b=beta(2, 3))"
    )
    written = inc.Prior(
        A=inc.truncated(stats.norm(20, 15), 0, 60),
        tau=inc.truncated(stats.lognorm(0.6, scale=80), 10),
        b=stats.beta(2, 3),
    )
    assert inc.prior_from_text(text) == written


def test_a_cut_of_a_cut_is_one_cut() -> None:
    twice = inc.truncated(inc.truncated(stats.norm(0, 1), -1, 2), -3, 1)
    assert (
        inc.Prior(x=twice)
        == inc.Prior(x=inc.truncated(stats.norm(0, 1), -1, 1))
        == inc.prior_from_text(repr(inc.Prior(x=twice)))
    )
    with pytest.raises(
        ValueError, match=r"Expected a part of \[-1\.0, 2\.0\], to which it is cut already"
    ):
        inc.truncated(inc.truncated(stats.norm(0, 1), -1, 2), 3, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "or parameters with distributions"),
        ("brod", r"got 'brod' \(did you mean broad\?\)"),
        (
            "A=gama(4, scale=5)",
            r"A=gama.*continuous distribution of scipy\.stats; got 'gama' \(did you mean gamma\?\)",
        ),
        ("A=os.system(1)", "got 'os.system'"),
        ("A=norm(__import__('os'), 1)", r"Expected a number; got __import__\('os'\)"),
        ("A=norm(1 + 1, 1)", r"Expected a number; got 1 \+ 1"),
        ("A=norm(True, 1)", "Expected a number; got True"),
        ("A=norm(0, -1)", "a scale above 0; got 0, -1"),
        ("A=norm(0, 1, 2, 3)", "Expected the arguments loc, scale for norm"),
        ("A=norm(0, sd=1)", r"norm has no argument 'sd'.*It has loc, scale"),
        ("A=gamma(4, scal=5)", r"no argument 'scal' \(did you mean scale\?\)"),
        ("A=norm(**x)", "Expected each argument once"),
        ("A=norm(0, 1) on [3]", "Expected a range of two numbers"),
        ("A=norm(0, 1) on [2, 1]", "Expected low < high"),
        ("A=norm(0, 1) on [90, 91]", "Expected some of the distribution"),
        ("A=norm", "name of a distribution with its numbers in brackets"),
        ("A=norm(0, 1", "Expected a distribution with numbers for A"),
        ("A=poisson(3)", "continuous distribution"),
        ("A=norm(0, 1), A=norm(0, 1)", "A has two priors"),
        ("norm(0, 1), tau=norm(0, 1)", "Expected parameter=distribution"),
        ("A=norm(20, 1), drift=norm(1, 1)", "'drift' is none of them"),
        ("A=norm(20, 1)", "tau, mu_c, b, mu_R, sd_R missing"),
        ("{}", r"at least one parameter"),
        ('{"A": 3}', "as Prior.to_json writes it"),
        ('{"A"', "as Prior.to_json writes it"),
    ],
)
def test_what_cannot_be_read_is_refused_and_the_wrong_part_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        prior_named_or_said(text, DMC)


def test_files_that_cannot_be_read_are_refused_and_named(tmp_path: Path) -> None:
    for name, content in {
        "odd": b"\xff\xfe\x00",
        "large": b"#" * 200_000,
        "wrong": b"A=norm(0)\nA=norm(1)",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            prior_named_or_said(str(tmp_path / name), DMC)
    with pytest.raises(ValueError, match="it cannot be read"):
        inc.prior_from_file(tmp_path)


WORDS = (
    "A",
    "tau",
    "norm",
    "gamma",
    "inf",
    "nan",
    " on ",
    "stats.",
    "lambda",
    "1e999",
    "Prior(",
    "0x",
    "µ",
)
PIECES = st.sampled_from([*"()[]{},;=+-.*@#'\"\\\n 019eEj_", *WORDS])


@given(text=st.lists(PIECES | st.characters(codec="utf-8"), max_size=25).map("".join))
@settings(max_examples=400, deadline=None)
def test_no_text_ends_otherwise_than_in_a_prior_or_words(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for wrapped in (text, f"A={text}", f"A=norm({text})"):
            with contextlib.suppress(ValueError):
                assert isinstance(inc.prior_from_text(wrapped), inc.Prior)


def test_brackets_without_end_are_refused() -> None:
    for deep in (
        "A=" + "(" * 5000,
        "A=" + "norm(" * 3000 + ")" * 3000,
        "A=norm(" + "-" * 9000 + "1)",
        "x" * 30_000,
    ):
        with pytest.raises(ValueError, match="Expected"):
            inc.prior_from_text(deep)


def test_all_continuous_distributions_of_scipy_are_known() -> None:
    assert {
        "norm",
        "gamma",
        "uniform",
        "lognorm",
        "beta",
        "halfnorm",
        "truncnorm",
        "invgauss",
        "weibull_min",
    } <= set(FAMILIES)

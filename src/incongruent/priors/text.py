"""Priors in words, as `Prior` prints them, on the command line or in a file.

    A=gamma(4, scale=5), tau=uniform(20, 200), mu_c=norm(0.55, 0.1) on [0, 1]

Each parameter has the name of a continuous distribution of scipy.stats with its arguments;
``on [low, high]`` cuts it to a range. Commas, semicolons or new lines stand between parameters, and
``#`` begins a remark. Nothing is evaluated: what is not a distribution with numbers is refused.
"""

from __future__ import annotations

import ast
import difflib
import json
import math
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from incongruent.models.model import Parameter
from incongruent.priors.distributions import Distribution, truncated
from incongruent.priors.independent import Prior, prior_from_json
from incongruent.priors.published import NAMED, named_prior

EXAMPLE = "A=gamma(4, scale=5), tau=uniform(20, 200), mu_c=norm(0.55, 0.1) on [0, 1]"
LONGEST = 20_000
"""Characters of a text; a longer one is no prior."""
FAMILIES = {
    name: family for name, family in vars(stats).items() if isinstance(family, stats.rv_continuous)
}
"""Continuous distributions of scipy.stats, by name."""
MODULES = ("stats", "scipy.stats")
"""What may stand before the name of a distribution, as in Python."""


def prior_from_text(text: str, parameters: Sequence[Parameter] | None = None) -> Prior:
    """The prior that a text describes.

    The text has the form that `Prior` prints, or is JSON of `Prior.to_json`.

    Args:
        text: parameters with their distributions.
        parameters: those of a model, all of which have to be there; any when left out.

    Raises:
        ValueError: naming the part that cannot be read, and what was expected there.

    Example:
        >>> prior_from_text("A=gamma(4, scale=5), mu_c=norm(0.55, 0.1) on [0, 1]")
        Prior(A=gamma(4, scale=5), mu_c=norm(0.55, 0.1) on [0, 1])
    """
    if len(text) > LONGEST:
        raise ValueError(f"Expected a prior of at most {LONGEST:,} characters; got {len(text):,}.")
    if text.lstrip().startswith("{"):
        return _fitting(_from_json(text), parameters)
    found: dict[str, Distribution] = {}
    for part in _parts(_unwrapped(text)):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not name or not value or "(" in name:
            raise ValueError(
                f"Expected parameter=distribution, for example {EXAMPLE}; got {part.strip()!r}."
            )
        if name in found:
            raise ValueError(f"Expected each parameter once; {name} has two priors.")
        if parameters is not None and name not in (
            known := [parameter.name for parameter in parameters]
        ):
            raise ValueError(
                f"Expected a prior of the model's parameters, {', '.join(known)}; {name!r} is none"
                f" of them{_near(name, known)}."
            )
        found[name] = _distribution(name, value)
    if not found:
        raise ValueError(
            f"Expected parameters with their distributions, for example {EXAMPLE}; got none."
        )
    return _fitting(Prior(**found), parameters)


def prior_named_or_said(text: str, parameters: Sequence[Parameter] | None = None) -> Prior:
    """The prior that is meant by a name, the path of a file, or a text.

    Names are those of priors that ship; texts are as in `prior_from_text`.

    Args:
        text: the name, the path of a file with such a text or with JSON, or the text itself.
        parameters: those of a model.

    Raises:
        ValueError: when it is none of these, or cannot be read.
    """
    if text.strip() in NAMED:
        return _fitting(named_prior(text.strip()), parameters)
    if _is_file(text):
        return prior_from_file(text, parameters)
    if "=" not in text and not text.lstrip().startswith("{"):
        raise ValueError(
            f"Expected the name of a prior ({', '.join(NAMED)}), a file, or parameters with"
            f" distributions, for example {EXAMPLE}; got {text!r}{_near(text, list(NAMED))}."
        )
    return prior_from_text(text, parameters)


def prior_from_file(
    path: str | os.PathLike[str], parameters: Sequence[Parameter] | None = None
) -> Prior:
    """The prior that a file describes, as text with one line for each parameter or as JSON.

    Arguments and errors are those of `prior_from_text`.
    """
    try:
        if os.path.getsize(path) > 4 * LONGEST:
            raise ValueError(f"it has {os.path.getsize(path):,} bytes, too many for a prior")
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # one of them is UnicodeDecodeError
        raise ValueError(
            f"Expected a text file with a prior at {path}; it cannot be read ({error})."
        ) from error
    try:
        return prior_from_text(text, parameters)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long, or with characters that no path has
        return False


def _unwrapped(text: str) -> str:
    """The text without the ``Prior(…)`` around it that Python prints."""
    whole = re.fullmatch(r"\s*Prior\s*\((.*)\)\s*", text, re.DOTALL)
    return whole[1] if whole else text


def _parts(text: str) -> list[str]:
    """The parts of a text, without remarks.

    Commas, semicolons and ends of lines that are in no brackets stand between parts.
    """
    parts, depth = [""], 0
    for char in re.sub(r"#[^\n]*", "", text):
        depth += (char in "([") - (char in ")]")
        if depth <= 0 and char in ",;\n":
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part.strip()]


def _distribution(name: str, text: str) -> Distribution:
    """The distribution of a parameter.

    Raises:
        ValueError: naming the parameter and the wrong part.
    """
    tree = _tree(re.sub(r"\bon\s*(?=\[)", "@ ", text))
    if tree is None:
        raise ValueError(
            f"Expected a distribution with numbers for {name}, such as norm(0.5, 0.1) or norm(0.5,"
            f" 0.1) on [0, 1]; got {text!r}."
        )
    try:
        with np.errstate(all="ignore"):  # of impossible numbers, which are refused in words
            return Prior(**{name: _of(tree)})[name]
    except TypeError as error:
        raise ValueError(
            f"Expected a distribution of scipy.stats with its arguments for {name}; got {text!r}"
            f" ({error})."
        ) from error
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{name}={text}: {error}") from error


def _tree(text: str) -> ast.expr | None:
    """A text as a tree; None when it is no expression."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the parser, about things like "1if"
        try:
            return ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _of(node: ast.expr) -> Any:
    """The distribution that a tree describes."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _cut(node)
    if not isinstance(node, ast.Call):
        raise ValueError(
            "Expected the name of a distribution with its numbers in brackets, such as norm(0.5,"
            f" 0.1); got {_words(node)}."
        )
    called = _words(node.func)
    if called in ("truncated", "inc.truncated", "incongruent.truncated") and node.args:
        limits = {str(keyword.arg): _number(keyword.value) for keyword in node.keywords}
        return truncated(_of(node.args[0]), *map(_number, node.args[1:]), **limits)
    family, options = _family(called), _options(node)
    return _frozen(called, family, [_number(value) for value in node.args], options)


def _cut(node: ast.BinOp) -> Any:
    """The distribution of ``distribution on [low, high]``."""
    if not isinstance(node.right, ast.List) or len(node.right.elts) != 2:
        raise ValueError(
            f"Expected a range of two numbers, such as on [0, 1]; got {_words(node.right)}."
        )
    return truncated(_of(node.left), *map(_number, node.right.elts))


def _options(node: ast.Call) -> dict[str, float]:
    """The arguments that are given by name."""
    options = {
        str(keyword.arg): _number(keyword.value)
        for keyword in node.keywords
        if keyword.arg is not None
    }
    if len(options) < len(node.keywords):
        raise ValueError(
            f"Expected each argument once, with its name and number; got {_words(node)}."
        )
    return options


def _family(called: str) -> Any:
    module, _, name = called.rpartition(".")
    if (module and module not in MODULES) or name not in FAMILIES:
        raise ValueError(
            "Expected the name of a continuous distribution of scipy.stats; got"
            f" {called!r}{_near(name, list(FAMILIES))}."
        )
    return FAMILIES[name]


def _frozen(called: str, family: Any, values: list[float], options: Mapping[str, float]) -> Any:
    known = [*(family.shapes.split(", ") if family.shapes else ()), "loc", "scale"]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(
            f"{called} has no argument {unknown[0]!r}{_near(unknown[0], known)}. It has"
            f" {', '.join(known)}."
        )
    try:
        frozen = family(*values, **options)
    except TypeError as error:
        raise ValueError(
            f"Expected the arguments {', '.join(known)} for {called}, the last two of which may be"
            f" left out ({error})."
        ) from error
    if math.isnan(
        float(frozen.cdf(frozen.support()[0] if math.isfinite(frozen.support()[0]) else 0.0))
    ):
        came = ", ".join(f"{value:g}" for value in (*values, *options.values()))
        raise ValueError(
            f"Expected possible arguments for {called}, such as a scale above 0; got {came}."
        )
    return frozen


def _number(node: ast.expr) -> float:
    """A number, with its sign, or inf."""
    sign = 1.0
    inner = node
    while isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub | ast.UAdd):
        sign, inner = (-sign if isinstance(inner.op, ast.USub) else sign), inner.operand
    if isinstance(inner, ast.Name) and inner.id == "inf":
        return sign * math.inf
    value = inner.value if isinstance(inner, ast.Constant) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"Expected a number; got {_words(node)}.")
    return sign * float(value)


def _words(node: ast.expr) -> str:
    """A part of a tree as it was written."""
    try:
        return ast.unparse(node).replace(" @ ", " on ")
    except RecursionError:
        return "something with too many brackets"


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name.strip(), known, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _from_json(text: str) -> Prior:
    try:
        return prior_from_json(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            "Expected a prior as JSON, as Prior.to_json writes it; this cannot be read"
            f" ({type(error).__name__}: {error})."
        ) from error


def _fitting(prior: Prior, parameters: Sequence[Parameter] | None) -> Prior:
    """The prior, after a look at its names."""
    if parameters is None:
        return prior
    known = [parameter.name for parameter in parameters]
    missing, extra = (
        [name for name in known if name not in prior.names],
        [name for name in prior.names if name not in known],
    )
    if missing or extra:
        wrong = [f"{', '.join(missing)} missing"] * bool(missing) + [
            f"{', '.join(extra)} unknown"
        ] * bool(extra)
        raise ValueError(
            f"Expected a prior for each parameter of the model, {', '.join(known)}; got"
            f" {', '.join(prior.names)}: {'; '.join(wrong)}."
        )
    return prior

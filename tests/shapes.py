"""Shapes are checked: signatures that name the axes of arrays are held to it at every call.

A signature such as ``Float[Array, "dataset parameter"]`` costs users nothing. In tests jaxtyping
puts beartype before every function of the modules whose signatures name shapes, and JAX refuses to
spread an array over one with more axes, which is how a missing axis goes unnoticed.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import beartype
import jax
import jaxtyping

from incongruent.data.basics import options

KINDS = ("Bool", "Float", "Int", "Shaped")
"""What jaxtyping calls the kinds of arrays in signatures."""
PACKAGE = Path(__file__).parents[1] / "src" / "incongruent"


def sources() -> dict[str, str]:
    """The source of every module of the package, by its full name."""
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path.read_text("utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def names_shapes(source: str) -> bool:
    """Whether signatures of a module name axes."""
    return any(f"{kind}[" in source for kind in KINDS)


def is_compiled(source: str) -> bool:
    """Whether a module holds functions for numba, which compiles a function as it stands."""
    return "njit" in source


CHECKED = [name for name, text in sources().items() if names_shapes(text) and not is_compiled(text)]


def arrays_only(function: Callable[..., Any]) -> Callable[..., Any]:
    """Beartype for arguments and results that are arrays.

    What else users can get wrong, such as a seed that is no number, a function refuses in words,
    and tests look for those.
    """
    hints = function.__annotations__
    function.__annotations__ = {
        name: hint if names_shapes(str(hint)) else object for name, hint in hints.items()
    }
    return beartype.beartype(function)


def leave_options_alone() -> None:
    """Let records of options, which hold no arrays, refuse a wrong name in their own words."""
    checked_names = options.checked_names

    def unchecked(what: Any) -> Any:
        made = checked_names(what)
        if isinstance(made, type):
            made.__no_type_check__ = True  # type: ignore[attr-defined]
        return made

    options.checked_names = unchecked  # type: ignore[assignment]


def know_the_kinds_of_arrays() -> None:
    """Let every module find the kinds of arrays in its signatures.

    Modules that have to be imported fast import them for type checkers alone.
    """
    for kind in KINDS:
        setattr(builtins, kind, getattr(jaxtyping, kind))


def check_shapes() -> None:
    """Have shapes checked from now on; call it before the package is imported."""
    leave_options_alone()
    know_the_kinds_of_arrays()
    jaxtyping.install_import_hook(CHECKED, "shapes.arrays_only")
    jax.config.update("jax_numpy_rank_promotion", "raise")

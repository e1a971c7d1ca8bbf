"""Shapes are checked: signatures that name the axes of arrays are held to it at every call.

A signature such as ``Float[Array, "dataset parameter"]`` costs users nothing. In tests jaxtyping
puts beartype before every function of the modules whose signatures name shapes, and JAX refuses to
spread an array over one with more axes, which is how a missing axis goes unnoticed.
"""

from __future__ import annotations

from pathlib import Path

import jax
import jaxtyping

PACKAGE = Path(__file__).parents[1] / "src" / "incongruent"


def sources() -> dict[str, str]:
    """The source of every module of the package, by its full name."""
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path.read_text("utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def names_shapes(source: str) -> bool:
    """Whether signatures of a module name axes."""
    return "Float[" in source


def is_compiled(source: str) -> bool:
    """Whether a module holds functions for numba, which compiles a function as it stands."""
    return "njit" in source


CHECKED = [name for name, text in sources().items() if names_shapes(text) and not is_compiled(text)]


def check_shapes() -> None:
    """Have shapes checked from now on; call it before the package is imported."""
    jaxtyping.install_import_hook(CHECKED, "beartype.beartype")
    jax.config.update("jax_numpy_rank_promotion", "raise")

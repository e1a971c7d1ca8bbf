"""Models: parameters, columns and a function that simulates, one file each.

`build` makes a model again from its name and settings.

Others use `model` (what a model is), `custom` (models of one's own), `dmc`, `rdmc`, `ssp`, `dstp`,
and the curves that a parameter value implies: `curves` and `implied`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from incongruent.models.dmc import dmc
from incongruent.models.dstp import dstp
from incongruent.models.model import Kept, Likelihood, Model, Parameter
from incongruent.models.rdmc import rdmc
from incongruent.models.ssp import ssp

BUILDERS: dict[str, Callable[..., Model]] = {
    "dmc": dmc,
    "dstp": dstp,
    "rdmc": rdmc,
    "ssp": ssp,
}
"""The models that a saved posterior can name."""

__all__ = [
    "BUILDERS",
    "Kept",
    "Likelihood",
    "Model",
    "Parameter",
    "build",
    "dmc",
    "dstp",
    "rdmc",
    "ssp",
]


def build(name: str, settings: Mapping[str, Any]) -> Model:
    """The model of that name with these settings.

    Raises:
        ValueError: when no model of that name ships with the package.
    """
    if name not in BUILDERS:
        raise ValueError(
            f"Expected one of the models {sorted(BUILDERS)}; got {name!r}. A model of your own has"
            " to be passed as `model=`."
        )
    return BUILDERS[name](**settings)

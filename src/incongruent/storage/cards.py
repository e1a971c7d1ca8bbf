"""Cards: what a saved network or a bank says about model, prior and design, and the way back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from incongruent.data.basics.plain import json_text
from incongruent.data.trials import Category, Column, column_from_json, column_to_json
from incongruent.models import BUILDERS, Model, Parameter
from incongruent.priors.joint import AnyPrior, any_prior_from_json
from incongruent.simulation.covariates import (
    Covariate,
    covariate_from_json,
    covariate_to_json,
)
from incongruent.simulation.designs import Design
from incongruent.simulation.nuisance import built
from incongruent.simulation.recording import recording_from_json
from incongruent.simulation.simulator import Simulator
from incongruent.storage.atomic import FileError


def simulator_to_json(simulator: Simulator) -> dict[str, Any]:
    """Model, prior and design as plain values.

    Raises:
        TypeError: when the design is that of one study.
    """
    design = simulator.design
    if not isinstance(design, Design):
        raise TypeError(
            f"Expected a simulator with a Design; got {type(design).__name__}, which is that of one"
            " study."
        )
    return {
        "model": _model_to_json(simulator.model),
        "prior": simulator.prior.to_json(),
        "design": _design_to_json(design),
    }


def _model_to_json(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "settings": dict(model.settings),
        "reference": model.reference,
        "parameters": [_parameter_to_json(parameter) for parameter in model.parameters],
        "columns": [column_to_json(column) for column in model.columns],
    }


def _parameter_to_json(parameter: Parameter) -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(parameter).items()}


def _design_to_json(design: Design) -> dict[str, Any]:
    return {
        "n_trials": design.n_trials,
        "share": dict(design.share),
        "window": design.window,
        "deadline": design.deadline,
        "condition": design.condition.name if design.share else None,
        "given": _given_to_json(design),
        "recording": design.recording.to_json() if design.recording is not None else None,
    }


def _given_to_json(design: Design) -> dict[str, Any]:
    """What sets each given column."""
    return {name: covariate_to_json(how) for name, how in design.given.items()}


def check_card(simulator: Simulator, **others: Any) -> None:
    """Check that a file can describe this simulator and give it back, before long work begins.

    Args:
        simulator: model, prior and design.
        others: what else will be saved, by name.

    Raises:
        FileError: when a file cannot describe it, or another simulator comes back from it.
    """
    card = _checked_card(simulator, others)
    found = differences(card, _card_after_loading(simulator, card))
    if found:
        raise FileError(
            "Expected a simulator that comes back from a file as it is; there it has"
            f" {'; '.join(found[:3])}.{_hint(simulator)}"
        )


def _checked_card(simulator: Simulator, others: Mapping[str, Any]) -> dict[str, Any]:
    """The card of a simulator, after a check that it and other values can be stored.

    Raises:
        FileError: when they cannot.
    """
    try:
        card = _as_read(simulator)
        json_text(others)
    except (TypeError, ValueError) as error:
        raise FileError(
            f"Expected a simulator that a file can describe; {error}. Give numbers, text and"
            " functions alone."
        ) from error
    return card


def _card_after_loading(simulator: Simulator, card: Mapping[str, Any]) -> dict[str, Any]:
    """The card of the simulator that is made from the card of this one.

    Raises:
        FileError: when none can be made.
    """
    try:
        return _as_read(simulator_from_json(card))
    except (TypeError, ValueError, KeyError) as error:
        raise FileError(
            "Expected a simulator that comes back from a file; this one does not"
            f" ({error}).{_hint(simulator)}"
        ) from error


def _as_read(simulator: Simulator) -> dict[str, Any]:
    """The card of a simulator as it comes back from a file."""
    return json.loads(json_text(simulator_to_json(simulator)))


def _hint(simulator: Simulator) -> str:
    """What to do about a model that comes back as one of the package; nothing for others."""
    known = simulator.model.name in BUILDERS
    return " A model of one's own needs a name that no model of the package has." if known else ""


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """What differs between two cards, in words."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        pairs = _paired_by_key(one, other, where)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = _paired_by_position(one, other, where)
    else:
        return [] if one == other else [f"{where} {other} instead of {one}"]
    return [words for pair in pairs for words in differences(*pair)]


Pair = tuple[Any, Any, str]
"""Two values that stand in the same place of two cards, and the name of this place."""


def _paired_by_key(one: Mapping[str, Any], other: Mapping[str, Any], where: str) -> list[Pair]:
    """The entries of two mappings; None stands for one that is missing."""
    return [
        (one.get(key), other.get(key), f"{where}.{key}".lstrip("."))
        for key in _keys_to_compare(one, other)
    ]


def _keys_to_compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """All keys; a reference, which earlier releases did not write, only where both have one."""
    optional = {"reference"} - (one.keys() & other.keys())
    return [key for key in dict.fromkeys([*one, *other]) if key not in optional]


def _paired_by_position(one: list[Any], other: list[Any], where: str) -> list[Pair]:
    """The elements of two lists of the same length."""
    return [(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(one, other, strict=True))]


def simulator_from_json(
    card: Mapping[str, Any], model: Model | None = None, prior: AnyPrior | None = None
) -> Simulator:
    """The simulator that `simulator_to_json` described.

    Args:
        card: its plain values.
        model: the model, when it does not ship with the package; without it, one that cannot
            simulate.
        prior: the joint prior whose functions could not be saved; without it, one known by its map
            to the real line alone.

    Raises:
        FileError: when model or prior are other ones.
    """
    if prior is not None and prior.to_json() != card["prior"]:
        raise FileError(
            f"Expected the prior for which this was made, {any_prior_from_json(card['prior'])}; got"
            f" {prior}."
        )
    model = _model_from_json(card["model"], model)
    design = _design_from_json(card["design"], model)
    return Simulator(model, prior or any_prior_from_json(card["prior"]), design)


def _design_from_json(spec: Mapping[str, Any], model: Model) -> Design:
    share = {level: _as_tuple(value) for level, value in spec["share"].items()}
    return Design(
        _as_tuple(spec["n_trials"]),
        share,
        tuple(spec["window"]) if spec["window"] else None,
        spec["deadline"],
        **({"condition": _condition(spec, model)} if share else {}),
        given=_given_from_json(spec),
        recording=recording_from_json(spec.get("recording")),
    )


def _given_from_json(spec: Mapping[str, Any]) -> dict[str, Covariate]:
    """What sets each given column; earlier releases wrote nothing about them."""
    return {name: covariate_from_json(name, how) for name, how in spec.get("given", {}).items()}


def _condition(spec: Mapping[str, Any], model: Model) -> Category:
    """The column that the shares speak of; earlier releases had only one, and did not name it."""
    named = [
        column
        for column in model.columns
        if isinstance(column, Category)
        and column.given
        and spec.get("condition") in (None, column.name)
    ]
    return named[0]


def _as_tuple(value: Any) -> Any:
    """A range, which is a list in JSON, as a tuple; a number as it is."""
    return tuple(value) if isinstance(value, list) else value


def _model_from_json(spec: Mapping[str, Any], model: Model | None) -> Model:
    """The model given, checked; or the one of the package; or one that cannot simulate."""
    columns = _columns_from_json(spec)
    if model is None:
        return _model_described(spec, columns)
    if model.name != spec["name"]:
        raise FileError(
            f"Expected the model {spec['name']!r}, for which this was made; got {model.name!r}."
        )
    if columns is not None and model.columns != columns:
        raise FileError(
            f"Expected the model {model.name!r} with the columns {columns}; got {model.columns}."
        )
    return model


def _columns_from_json(spec: Mapping[str, Any]) -> tuple[Column, ...] | None:
    """The columns of a model; None for files of earlier releases, which did not describe them."""
    return tuple(column_from_json(c) for c in spec["columns"]) if "columns" in spec else None


def _model_described(spec: Mapping[str, Any], columns: tuple[Column, ...] | None) -> Model:
    """The model of the package that is described, or one of that description without functions."""
    if spec["name"] in BUILDERS:
        return built(spec["name"], spec["settings"])
    if columns is None:
        raise FileError(
            f"Expected one of the models {sorted(BUILDERS)}; got {spec['name']!r}. Pass yours"
            " as `model=`."
        )
    parameters = [_parameter_from_json(parameter) for parameter in spec["parameters"]]
    reference = spec.get("reference", "")
    return Model(spec["name"], parameters, columns, settings=spec["settings"], reference=reference)


def _parameter_from_json(spec: Mapping[str, Any]) -> Parameter:
    """A parameter, whose infinite limits are words in JSON."""
    return Parameter(**{**spec, "low": float(spec["low"]), "high": float(spec["high"])})


def _plain(value: Any) -> Any:
    """A value that strict JSON can hold; infinite numbers become words."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value

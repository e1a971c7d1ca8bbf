"""Simulators as plain values: what a saved network or a bank says about model, prior and design, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incongruent.designs import Design
from incongruent.joint_prior import AnyPrior, any_prior_from_json
from incongruent.models import BUILDERS, Model, Parameter
from incongruent.nuisance import built
from incongruent.priors import distribution_from_json, distribution_to_json
from incongruent.simulation import Simulator
from incongruent.storage import FileError
from incongruent.trials import Category, column_from_json, column_to_json


def simulator_to_json(simulator: Simulator) -> dict[str, Any]:
    """Model, prior and design as plain values.

    Raises:
        TypeError: when the design is that of one study.
    """
    design = simulator.design
    if not isinstance(design, Design):
        raise TypeError(f"Expected a simulator with a Design; got {type(design).__name__}, which is that of one study.")
    model = simulator.model
    return {
        "model": {
            "name": model.name,
            "settings": dict(model.settings),
            "parameters": [{k: _plain(v) for k, v in vars(p).items()} for p in model.parameters],
            "columns": [column_to_json(column) for column in model.columns],
        },
        "prior": simulator.prior.to_json(),
        "design": {
            "n_trials": design.n_trials,
            "share": dict(design.share),
            "window": design.window,
            "deadline": design.deadline,
            "condition": design.condition.name if design.share else None,
            "given": {name: _covariate_to_json(how) for name, how in design.given.items()},
        },
    }


def simulator_from_json(card: Mapping[str, Any], model: Model | None = None, prior: AnyPrior | None = None) -> Simulator:
    """The simulator that `simulator_to_json` described.

    Args:
        card: its plain values.
        model: the model, when it does not ship with the package; without it, one that cannot simulate.
        prior: the joint prior whose functions could not be saved; without it, one known by its map to the real line alone.

    Raises:
        FileError: when model or prior are other ones.
    """
    if prior is not None and prior.to_json() != card["prior"]:
        raise FileError(f"Expected the prior for which this was made, {any_prior_from_json(card['prior'])}; got {prior}.")
    spec, n_trials = card["design"], card["design"]["n_trials"]
    model = _model(card["model"], model)
    share = {level: tuple(value) if isinstance(value, list) else value for level, value in spec["share"].items()}
    named = [c for c in model.columns if isinstance(c, Category) and c.given and spec.get("condition") in (None, c.name)]
    given = {name: _covariate_from_json(name, how) for name, how in spec.get("given", {}).items()}
    design = Design(
        n_trials if isinstance(n_trials, int) else (n_trials[0], n_trials[1]),
        share,
        tuple(spec["window"]) if spec["window"] else None,
        spec["deadline"],
        **({"condition": named[0]} if share else {}),
        given=given,
    )
    return Simulator(model, prior or any_prior_from_json(card["prior"]), design)


def _model(spec: Mapping[str, Any], model: Model | None) -> Model:
    columns = tuple(column_from_json(c) for c in spec["columns"]) if "columns" in spec else None
    if model is None and spec["name"] in BUILDERS:
        return built(spec["name"], spec["settings"])
    if model is None:
        if columns is None:
            raise FileError(f"Expected one of the models {sorted(BUILDERS)}; got {spec['name']!r}. Pass yours as `model=`.")
        parameters = [Parameter(**{**p, "low": float(p["low"]), "high": float(p["high"])}) for p in spec["parameters"]]
        return Model(spec["name"], parameters, columns, settings=spec["settings"])
    if model.name != spec["name"]:
        raise FileError(f"Expected the model {spec['name']!r}, for which this was made; got {model.name!r}.")
    if columns is not None and model.columns != columns:
        raise FileError(f"Expected the model {model.name!r} with the columns {columns}; got {model.columns}.")
    return model


def _covariate_to_json(how: Any) -> dict[str, Any]:
    if hasattr(how, "rvs"):
        return {"distribution": distribution_to_json(how)}
    if isinstance(how, Mapping):
        return {"probabilities": dict(how)}
    if callable(how):
        return {"function": getattr(how, "__name__", type(how).__name__)}
    return {"value": float(how)}


def _covariate_from_json(name: str, spec: Mapping[str, Any]) -> Any:
    if "distribution" in spec:
        return distribution_from_json(name, spec["distribution"], discrete=True)
    if "function" in spec:
        return _Forgotten(name, spec["function"])
    return spec["probabilities"] if "probabilities" in spec else spec["value"]


class _Forgotten:
    """Stands in for a function that set a given column and could not be saved."""

    def __init__(self, column: str, name: str) -> None:
        self.column, self.__name__ = column, name

    def __call__(self, *_: Any) -> Any:
        raise ValueError(
            f"Expected the function {self.__name__!r} that gives {self.column!r} its values; files hold no functions. Make a Simulator with it again."
        )


def _plain(value: Any) -> Any:
    """A value that strict JSON can hold; infinite numbers become words."""
    return str(value) if isinstance(value, float) and value in (float("inf"), float("-inf")) else value

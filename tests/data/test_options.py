"""Options: a wrong name is a TypeError that names the nearest one, and architectures are written
down and read again.
"""

import json
from dataclasses import replace
from inspect import signature

import pytest

import incongruent as inc
from incongruent.data.basics.options import checked_names
from incongruent.data.trials import CONFLICT_TASK, Category, Column, Continuous, Integer
from incongruent.networks.architecture import (
    Architecture,
    architecture_from_json,
    architecture_to_json,
)
from incongruent.networks.encoders import MLP, DeepSet, Histogram, SetTransformer
from incongruent.networks.flows import AutoregressiveFlow, CouplingFlow

ARCHITECTURES = [
    Architecture(),
    Architecture(Histogram(n_knots=12), CouplingFlow(transform="affine", dropout=0.1), 5),
    Architecture(DeepSet(width=8), AutoregressiveFlow(n_layers=2, permutation="fixed")),
    Architecture(SetTransformer(n_inducing=3)),
    Architecture(MLP(n_blocks=0)),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=repr)
def test_an_architecture_survives_json(architecture):
    assert (
        architecture_from_json(json.loads(json.dumps(architecture_to_json(architecture))))
        == architecture
    )


def test_an_unknown_kind_is_refused():
    card = architecture_to_json(Architecture(DeepSet()))
    with pytest.raises(
        ValueError,
        match=r"Expected one of \['DeepSet', 'Histogram', 'MLP', 'SetTransformer'\]; got 'Tree'",
    ):
        architecture_from_json(card | {"encoder": {"kind": "Tree"}})


@pytest.mark.parametrize(
    ("make", "wrong", "right"),
    [
        (CouplingFlow, "n_layer", "n_layers"),
        (AutoregressiveFlow, "droput", "dropout"),
        (Histogram, "knots", "n_knots"),
        (DeepSet, "widht", "width"),
        (SetTransformer, "n_inducing_points", "n_inducing"),
        (MLP, "blocks", "n_blocks"),
        (inc.Architecture, "encode", "encoder"),
        (inc.Recipe, "batchsize", "batch_size"),
        (inc.Design, "shares", "share"),
        (inc.Model, "params", "parameters"),
        (inc.train, "minute", "minutes"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest_right_one(make, wrong, right):
    with pytest.raises(
        TypeError,
        match=(
            rf"^{make.__name__} has no option '{wrong}'; did you mean '{right}'\? It has .*{right}"
        ),
    ):
        make(**{wrong: 1})


def test_names_near_to_nothing_get_no_advice():
    with pytest.raises(
        TypeError,
        match=(
            r"^CouplingFlow has no option 'zzz'\. It has n_layers, transform, n_bins, width,"
            r" dropout, permutation\.$"
        ),
    ):
        CouplingFlow(zzz=1)


def test_a_function_with_checked_names_stays_what_it_was():
    @checked_names
    def add(one: int, *, two: int = 2) -> int:
        """One and two."""
        return one + two

    assert (add(1), add(1, two=3), add(one=5)) == (3, 4, 7)
    assert (add.__name__, add.__doc__, str(signature(add))) == (
        "add",
        "One and two.",
        "(one: int, *, two: int = 2) -> int",
    )
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        add()
    assert replace(CouplingFlow(), n_bins=3) == CouplingFlow(n_bins=3)
    assert next(iter(signature(inc.train).parameters)) == "source"


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (CouplingFlow, {"n_bins": 0}, "Expected a whole number for n_bins, at least 1; got 0"),
        (CouplingFlow, {"n_layers": -1}, "whole number for n_layers, at least 0"),
        (CouplingFlow, {"width": 8.0}, "whole number for width, at least 1; got 8.0"),
        (
            AutoregressiveFlow,
            {"transform": "cubic"},
            r"Expected transform to be one of \('spline', 'affine'\); got 'cubic'",
        ),
        (
            CouplingFlow,
            {"permutation": "none"},
            r"Expected permutation to be one of \('random', 'fixed'\)",
        ),
        (CouplingFlow, {"dropout": 1.0}, "Expected dropout of at least 0 and below 1"),
        (Histogram, {"n_knots": 1}, "whole number for n_knots, at least 2"),
        (Histogram, {"dropout": -0.1}, "Expected dropout"),
        (
            SetTransformer,
            {"width": 10, "n_heads": 4},
            "Expected a width that is a multiple of n_heads; got width=10, n_heads=4",
        ),
        (Architecture, {"n_summaries": 0}, "whole number for n_summaries, at least 1"),
    ],
)
def test_impossible_options_are_refused(make, options, words):
    with pytest.raises(ValueError, match=words):
        make(**options)


def test_an_architecture_is_made_of_encoder_and_flow():
    with pytest.raises(
        TypeError,
        match=r"Expected an encoder like inc.encoders.DeepSet\(\), or None; got 'deepset'",
    ):
        Architecture(encoder="deepset")
    with pytest.raises(TypeError, match="Expected a flow like"):
        Architecture(flow=DeepSet())


X, CUE = Continuous("x"), Category("cue", ("a", "b"), given=True)


@pytest.mark.parametrize(
    ("columns", "largest", "chosen"),
    [
        (CONFLICT_TASK, 400, Histogram()),
        ((X,), 400, Histogram()),
        ((X, CUE, Integer("age", given=True, per="dataset")), 400, Histogram()),
        ((X,), 1, MLP()),
        ((X, Continuous("y")), 400, DeepSet()),
        ((X, Continuous("y", given=True)), 400, DeepSet()),
        ((Integer("clicks"),), 400, DeepSet()),
        ((Category("choice", ("a", "b")), CUE), 400, DeepSet()),
    ],
)
def test_the_encoder_fits_the_columns_unless_somebody_chose_it(
    columns: tuple[Column, ...], largest: int, chosen
):
    assert Architecture().chosen_for(columns, largest).encoder == chosen
    assert Architecture(SetTransformer()).chosen_for(columns, largest).encoder == SetTransformer()

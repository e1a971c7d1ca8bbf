"""Usual changes are those that a model does not have already."""

from __future__ import annotations

import pytest

import incongruent as inc
from incongruent.exact.changes import usual_changes

LAPSES = {"lapse": inc.priors.lapse_rate()}


@pytest.mark.parametrize(
    ("model", "gone"),
    [
        (inc.models.dmc(free=["lapse"]), "lapses"),
        (inc.marginalised(inc.models.dmc(free=["lapse"]), **LAPSES), "lapses"),
        (inc.marginalised(inc.models.ssp(free=["lapse"]), **LAPSES), "lapses"),
        (inc.models.dmc(free=["drift_sd"]), "drift variability"),
        (inc.models.dmc(alpha=12.0), "narrow start"),
        (inc.models.rdmc(start="beta"), "varying start"),
    ],
)
def test_what_a_model_has_or_integrates_out_is_not_asked_for_again(
    model: inc.Model, gone: str
) -> None:
    plain = {"dmc": inc.models.dmc, "ssp": inc.models.ssp, "rdmc": inc.models.rdmc}[model.name]()
    names = [change.name for change in usual_changes(model)]
    assert names == [change.name for change in usual_changes(plain) if change.name != gone]


def test_every_usual_change_can_be_made_where_lapses_are_integrated_out() -> None:
    model = inc.marginalised(inc.models.dmc(free=["lapse"]), **LAPSES)
    prior = inc.priors.schaefer2025()
    for change in usual_changes(model):
        changed, wider = change.applied(model, prior)
        assert changed.parameter_names == wider.names
        if change.mechanism is None:
            assert changed.settings["marginal"] == model.settings["marginal"]

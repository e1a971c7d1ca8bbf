"""A diagnosis of training says what was slow and what to change."""

from dataclasses import replace

import pytest

import incongruent as inc
from incongruent.posterior.history import Evaluation, History, Stopped


def history(
    *,
    seconds=100.0,
    waiting=0.0,
    first=5.0,
    n_simulated=100_000,
    batch_size=256,
    n_stored=None,
    validation=(1.0, 0.9, 0.8, 0.8),
):
    looks = tuple(
        Evaluation(
            250 * (i + 1),
            seconds * (i + 1) / 4,
            1.0 - 0.1 * i,
            v,
            v,
            1e-3,
            n_simulated * (i + 1) // 4,
        )
        for i, v in enumerate(validation)
    )
    return History(
        looks, Stopped.BUDGET, 2.0, batch_size, seconds - waiting, waiting, first, n_stored=n_stored
    )


def diagnosed(posterior, encoder=None, **options):
    return inc.diagnose_training(
        replace(posterior, history=history(**options), architecture=inc.Architecture(encoder))
    )


def test_a_run_without_fault(posterior):
    found = diagnosed(posterior, n_simulated=500_000)
    assert found.bottleneck == "learning"
    assert found.milliseconds == pytest.approx(95.0, rel=0.01)
    assert "Nothing to change stands out" in str(found)


def test_waiting_for_the_simulator(posterior):
    found = diagnosed(posterior, waiting=40.0)
    assert (found.bottleneck, found.waiting) == ("simulation", 0.4)
    assert "write_bank" in str(found)


def test_a_short_budget_goes_into_compilation(posterior):
    found = diagnosed(posterior, seconds=20.0, first=9.0)
    assert found.bottleneck == "compilation"
    assert "train longer" in str(found)


def test_dear_encoders(posterior):
    assert "histogram encoder" in str(
        diagnosed(posterior, inc.encoders.SetTransformer(), n_simulated=500_000)
    )
    assert "Batches of 64 instead of 256" in str(
        diagnosed(posterior, inc.encoders.DeepSet(), n_simulated=500_000)
    )
    assert "Batches" not in str(
        diagnosed(posterior, inc.encoders.DeepSet(), n_simulated=500_000, batch_size=64)
    )


def test_a_network_that_over_fits_its_stored_simulations(posterior):
    found = diagnosed(posterior, n_stored=1000, validation=(0.8, 0.9, 1.0, 1.1))
    assert "never runs out of data" in str(found)
    assert "over-fits its simulations" in str(found)


def test_nothing_on_record(posterior):
    with pytest.raises(ValueError, match="Expected a posterior with the history of its training"):
        inc.diagnose_training(replace(posterior, history=None))

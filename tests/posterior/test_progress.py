"""What is shown while work of minutes goes on, in a terminal and in a pipe."""

from __future__ import annotations

import threading
import time
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import incongruent as inc
from incongruent.exact.likelihood import evaluate
from incongruent.posterior import progress
from incongruent.posterior.parallel import in_threads
from incongruent.posterior.progress import (
    Stage,
    announce,
    counting,
    counting_bar,
    listening,
    progress_bar,
    shown_stages,
)

SIMULATOR = inc.Simulator(
    inc.models.dmc(),
    inc.priors.schaefer2025(),
    inc.Design(20, {"congruent": 0.5, "incongruent": 0.5}),
)


def shown(*, terminal: bool) -> tuple[Console, StringIO]:
    text = StringIO()
    return Console(file=text, force_terminal=terminal, width=120, color_system=None), text


def work() -> None:
    announce("sampling [people]")
    done = counting(4)
    for n in range(1, 5):
        done(n)
    announce("writing")


def test_a_pipe_gets_plain_lines_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(np.arange(0.0, 1000.0, 6.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    console, text = shown(terminal=False)
    with shown_stages(console):
        work()
    assert text.getvalue().splitlines() == [
        "sampling [people]",
        "sampling [people]: 2 of 4 people, 12 s left",
        "writing",
    ]


def test_a_terminal_gets_a_bar_with_people_done_and_what_it_is_doing() -> None:
    console, text = shown(terminal=True)
    with shown_stages(console):
        announce("sampling [people]")
        done = counting(4)
        done(1)
        time.sleep(0.6)
        done(2)
        time.sleep(0.6)
    assert "sampling [people]" in text.getvalue()
    assert "2 of 4 people, 1 s left" in text.getvalue()


@pytest.mark.parametrize("bar", [progress_bar, counting_bar])
def test_training_and_simulating_say_in_a_pipe_how_far_they_are(
    bar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    console, text = shown(terminal=False)
    if bar is progress_bar:
        with progress_bar(console) as report:
            report(0.25, 30.0, None, "")
    else:
        with counting_bar("chunks", console) as tell:
            tell(1, 4)
    assert text.getvalue().startswith("25%: ")


def test_a_stage_in_words_and_the_time_left() -> None:
    assert Stage("x", 1, 4).share(10.0) == "1 of 4 people, 30 s left"
    assert Stage("x", 1, 100, "studies").share(10.0) == "1 of 100 studies, 16 min 30 s left"
    assert Stage("x", 0, 4).share(10.0) == "0 of 4 people"
    assert Stage("x", 4, 4).share(10.0) == "4 of 4 people"
    assert Stage("x").share(10.0) == ""


def test_an_error_ends_the_rest_and_stops_what_is_under_way() -> None:
    begun, stop = [], threading.Event()

    def one(i: int) -> int:
        begun.append(i)
        if i == 1:
            raise KeyboardInterrupt
        stop.wait(60.0)
        return i

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_threads(one, range(100), workers=2, stop=stop)
    assert time.monotonic() - started < 30.0
    assert len(begun) < 10


def test_results_come_in_order_and_are_counted() -> None:
    counted: list[int] = []
    assert in_threads(
        lambda i: (time.sleep(0.002 * (5 - i)), i)[1], range(5), workers=3, done=counted.append
    ) == list(range(5))
    assert counted == [1, 2, 3, 4, 5]
    assert in_threads(abs, [], workers=2) == []


def test_the_likelihood_of_many_people_counts_them() -> None:
    simulations = SIMULATOR.simulate(3, seed=1)
    heard: list[Stage] = []
    with listening(heard.append):
        announce("correcting")
        evaluate(SIMULATOR, simulations.theta[:, None, :].repeat(3, axis=1), simulations.trials)
    assert [(stage.words, stage.done, stage.total) for stage in heard] == [
        ("correcting", 0, None),
        *(("correcting", n, 3) for n in (1, 2, 3)),
    ]

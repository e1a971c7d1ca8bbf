"""The pages without a browser, where what ends when has to be certain: readings and persons that
are asked for while others are under way.
"""

import asyncio
import threading
from types import SimpleNamespace

import pytest
from nicegui import Client, ui

import incongruent as inc
from incongruent.app import explorer_page, fit_page
from incongruent.app.choices import Choices, read
from incongruent.app.explorer_page import EVERYBODY, NOTHING, ExplorerPage
from incongruent.app.fit_page import FitPage
from incongruent.app.shared import Shared
from incongruent.app.visitors import Visitors

ROWS = "subject,condition,rt,accuracy\n" + "".join(
    f"{s},{c},{400 + 10 * i},1\n" for s in (1, 2, 3) for i in range(20) for c in ("con", "inc")
)


class Gate:
    """A function whose first call ends after it has been opened, and later ones at once."""

    def __init__(self, function):
        self.function, self.opened, self.calls = function, threading.Event(), 0

    def __call__(self, *arguments, **options):
        self.calls += 1
        if self.calls == 1:
            assert self.opened.wait(30)
        return self.function(*arguments, **options)


@pytest.fixture
def shared(tmp_path):
    return Shared(
        Visitors(tmp_path),
        SimpleNamespace(ahead=lambda job: 0),
        {"dmc": inc.pretrained()},
        1_000_000,
    )


def on_a_page(build):
    """Run a test's coroutine where elements can be made."""

    async def inside():
        with Client(ui.page("/")) as client:
            try:
                await build()
            finally:
                client.delete()

    asyncio.run(inside())


def buttons(page):
    return [
        element.text for element in page.fitting.descendants() if isinstance(element, ui.button)
    ]


def give_file(visitor, content=ROWS):
    path = visitor.place_for_upload()
    path.write_text(content)
    visitor.take(path, "trials.csv")
    return path


def test_what_was_said_last_counts_whichever_reading_ends_last(shared, monkeypatch):
    visitor, gate = shared.visitors.of("one"), Gate(read)

    async def walk():
        page = FitPage(shared, visitor)
        page.build()
        give_file(visitor)
        await page._read(Choices())
        assert buttons(page) == ["Fit"]

        monkeypatch.setattr(fit_page, "read", gate)
        page.controls.unit.set_value("ms")  # slow
        slow = asyncio.ensure_future(page._corrected())
        await asyncio.sleep(0)
        assert page.sign.visible
        assert buttons(page) == []  # nothing to fit meanwhile
        page._start()
        assert visitor.job is None
        page.controls.where.set_value("subject <= 2")
        await page._corrected()
        gate.opened.set()
        await slow
        assert (visitor.reading.choices.where, visitor.reading.choices.unit) == (
            "subject <= 2",
            "ms",
        )
        assert visitor.reading.study.names == ("1", "2")
        assert not page.sign.visible
        assert buttons(page) == ["Fit"]

    on_a_page(walk)


def test_what_is_said_again_is_not_taken_for_what_is_shown(shared, monkeypatch):
    """From nothing to a unit and back, before the first has been read."""
    visitor, gate = shared.visitors.of("one"), Gate(read)

    async def walk():
        page = FitPage(shared, visitor)
        page.build()
        give_file(visitor)
        await page._read(Choices())
        monkeypatch.setattr(fit_page, "read", gate)
        page.controls.unit.set_value("s")
        slow = asyncio.ensure_future(page._corrected())
        await asyncio.sleep(0)
        page.controls.unit.set_value("")
        await page._corrected()
        gate.opened.set()
        await slow
        assert visitor.reading.choices == page.controls.said() == Choices()
        assert visitor.reading.refusal is None

    on_a_page(walk)


def test_another_file_is_not_replaced_by_a_late_reading_of_the_one_before(shared, monkeypatch):
    visitor, gate = shared.visitors.of("one"), Gate(read)

    async def walk():
        page, other = FitPage(shared, visitor), FitPage(shared, visitor)
        page.build()
        other.build()
        give_file(visitor)
        monkeypatch.setattr(fit_page, "read", gate)
        slow = asyncio.ensure_future(page._read(Choices()))
        await asyncio.sleep(0)
        other._look()
        assert other.sign.visible  # another page of the same visitor waits too
        give_file(visitor, ROWS.replace("3,con", "4,con").replace("3,inc", "4,inc"))
        await other._read(Choices())
        gate.opened.set()
        await slow
        assert visitor.reading.study.names == ("1", "2", "4")
        page._start()  # this page has not shown the other file yet
        assert visitor.job is None
        page._look()
        assert page.on_screen is visitor.reading
        assert not page.sign.visible

    on_a_page(walk)


def test_options_of_a_fit_outlive_another_reading(shared):
    visitor = shared.visitors.of("one")

    async def walk():
        page = FitPage(shared, visitor)
        page.build()
        give_file(visitor)
        await page._read(Choices())
        page.seed.set_value(7)
        page.with_check.set_value(False)
        page.anyway.set_value(True)
        await page._read(Choices(where="subject <= 2"))
        assert (page.n_draws.value, page.seed.value, page.with_check.value, page.anyway.value) == (
            1000,
            7,
            False,
            True,
        )

    on_a_page(walk)


def test_the_person_chosen_last_is_shown_whichever_is_ready_last(shared, monkeypatch):
    visitor = shared.visitors.of("one")
    visitor.take(give_file(visitor), "trials.csv")
    path = give_file(visitor)
    visitor.keep(read(path, Choices(), None), visitor.ask(Choices()))
    gate = Gate(explorer_page.observe)
    monkeypatch.setattr(explorer_page, "observe", gate)

    async def walk():
        page = ExplorerPage(shared, visitor)
        page.build()
        sent = []
        page._send = sent.append
        slow = asyncio.ensure_future(page._show_data(EVERYBODY))
        await asyncio.sleep(0)
        await page._show_data(NOTHING)
        gate.opened.set()
        await slow
        assert gate.calls == 1
        assert page.span is None
        assert all(
            series["data"] == []
            for numbers in sent
            for name in numbers
            for series in numbers[name]["series"]
            if "data" in series["id"]
        )

    on_a_page(walk)


def test_charts_say_what_they_show_after_every_move(shared):
    async def walk():
        page = ExplorerPage(shared, shared.visitors.of("one"))
        page.build()
        before = {chart: element.props["aria-label"] for chart, element in page.spoken.items()}
        page._send = lambda numbers: None
        await page._set_all([10.0, *page.typical[1:]])
        after = {chart: element.props["aria-label"] for chart, element in page.spoken.items()}
        assert before["activation"].endswith(
            "Model: bounds at ±60; the automatic part is at most 20."
        )
        assert after["activation"].endswith(
            "Model: bounds at ±60; the automatic part is at most 10."
        )
        assert before["error"] != after["error"]

    on_a_page(walk)

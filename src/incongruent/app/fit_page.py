"""The page that fits a file: give it, see how it is understood, correct that, wait, read on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from nicegui import events, run, ui

from incongruent.app.choices import DEMO, Choices, Reading, first_lines, kept, read
from incongruent.app.controls import Controls
from incongruent.app.guard import MEGABYTE, too_large
from incongruent.app.job_view import JobView
from incongruent.app.reading_view import show_rows, show_sentences
from incongruent.app.shared import Shared, card, frame, heading, refusal
from incongruent.app.visitors import Visitor
from incongruent.app.work import Task, carry_out, program
from incongruent.app.worker import ENDED
from incongruent.data.reading.read_trials import DataError
from incongruent.data.trials import Trials
from incongruent.posterior.pretrained import names as shipped
from incongruent.report import Origin

EVERY = 0.5
"""Seconds between looks at the job."""
FEWEST_DRAWS, MOST_DRAWS = 25, 10_000


class FitOptions(NamedTuple):
    """What is said to the controls of a fit; None for an empty field."""

    n_draws: float | None = 1000
    seed: float | None = 1
    with_check: bool = True
    anyway: bool = False


class FitPage:
    """One page of one visitor; what belongs to the visitor outlives it.

    Args:
        shared: what all pages share.
        visitor: whose page it is.
    """

    def __init__(self, shared: Shared, visitor: Visitor) -> None:
        self.shared, self.visitor = shared, visitor
        self.on_screen: Reading | None = None
        self.wish_controls: tuple[Any, ...] = ()

    def build(self) -> None:
        """Put everything on the page."""
        with frame("/"):
            with card("Your data"):
                self._drop()
            self.understood = ui.element("div")
            self.fitting = ui.element("div")
            self.job = JobView(self.shared, self.visitor)
        self._look()
        ui.timer(EVERY, self._look)

    def _look(self) -> None:
        """Show what has changed, perhaps on another page of the same visitor."""
        if self.visitor.is_reading:
            self._wait()
        elif self.visitor.reading is not self.on_screen:
            self._show_reading()
        self.job.look()

    # --- a file -----------------------------------------------------------------------------------

    def _drop(self) -> None:
        self.upload_refusal = refusal("")
        self.upload_refusal.visible = False
        upload = self._upload_control()
        with upload.add_slot("header"), ui.element("div").classes("line"):
            self._invitation()
        with (
            ui.element("div")
            .classes("line")
            .style("margin-top: 10px")
            .props("role=status") as self.sign
        ):
            ui.spinner(size="20px")
            ui.label("Reading the file; a large one takes a while.").classes("soft")
        self.sign.visible = False

    def _upload_control(self) -> ui.upload:
        upload = ui.upload(
            multiple=True,
            auto_upload=True,
            max_file_size=self.shared.limit,
            max_total_size=self.shared.limit,
            on_multi_upload=self._uploaded,
        )
        upload.on_rejected(self._rejected).classes("drop")
        upload.on("failed", self._rejected, js_handler="() => emit()")
        # Without a reset the same file could not be given again.
        upload.on("uploaded", upload.reset, js_handler="() => emit()")
        upload.props('aria-label="files of trials" flat')
        # Of two fields with one name the server would see one.
        upload.props(":field-name='file => `${file.name} ${Math.random()}`'")
        return upload

    def _invitation(self) -> None:
        """What can be given, and a button for those who have nothing at hand."""
        with ui.button("Choose files").props("unelevated no-caps"):
            ui.element("q-uploader-add-trigger")
        ui.label(
            "or drop them here: CSV, Excel, SPSS, JSON and others; all trials in one file, or"
            " one file for each person."
        ).classes("soft")
        ui.label(
            f"At most {self.shared.limit / MEGABYTE:g} MB together. They stay on this machine."
        ).classes("soft small")
        ui.button("No file at hand? Take the demo study", on_click=self._demo).props(
            "flat dense padding='2px 6px'"
        ).classes("at-demo small")

    def _rejected(self) -> None:
        self.upload_refusal.text, self.upload_refusal.visible = too_large(self.shared.limit), True

    async def _uploaded(self, event: events.MultiUploadEventArguments) -> None:
        self.upload_refusal.visible = False
        names = [file.name for file in event.files]
        path, places = self.visitor.places_for_uploads(names)
        for file, place in zip(event.files, places, strict=True):
            await file.save(place)
        await self._take(path, _together(names))

    async def _demo(self) -> None:
        path = self.visitor.place_for_upload()
        path.write_bytes((resources.files("incongruent.data.demo") / DEMO).read_bytes())
        await self._take(path, f"{DEMO} (simulated)", is_demo=True)

    async def _take(self, path: Path, name: str, *, is_demo: bool = False) -> None:
        self.visitor.take(path, name, is_demo=is_demo)
        await self._read(Choices())

    async def _read(self, choices: Choices) -> None:
        """Read the file again with other choices, and show what came of it.

        There is nothing to fit meanwhile. A result that comes late, after other choices or another
        file, is not shown.
        """
        path, before = self.visitor.path, self.visitor.reading
        if path is None:
            return
        ticket, reading = self.visitor.ask(choices), None
        self._wait()
        try:
            design = self._posterior.simulator.design
            reading = await run.io_bound(
                lambda: read(path, choices, design.window, before, deadline=design.deadline)
            )
        finally:
            kept_it = self.visitor.keep(reading, ticket)
        if kept_it:
            self._show_other(before)

    def _wait(self) -> None:
        """While a file is read."""
        self.sign.visible = True
        self.fitting.clear()

    # --- how it is understood ---------------------------------------------------------------------

    def _show_other(self, before: Reading | None) -> None:
        """Show another reading of the file.

        If it has the same columns, the controls stay as they are, with the cursor in one of them.
        """
        reading = self.visitor.reading
        if (
            before is not None
            and reading is not None
            and self.on_screen is before
            and reading.columns == before.columns
        ):
            self._show_words()
        else:
            self._show_reading()

    def _show_reading(self) -> None:
        self.understood.clear()
        self.on_screen = reading = self.visitor.reading
        if reading is None or self.visitor.path is None:
            self._show_fitting()
            return
        with self.understood, card():
            heading(self.visitor.file_name).classes("text").classes("at-file-name")
            self._words_and_controls(reading)
            ui.label("The file's first rows").classes("soft small").style("margin-top: 14px")
            show_rows(reading, first_lines(self.visitor.path))
        self._show_words()

    def _words_and_controls(self, reading: Reading) -> None:
        """How the file is understood, beside what corrects that."""
        with ui.element("div").classes("columns"):
            self.words = ui.element("div")
            with ui.element("div"):
                self.controls = Controls(reading, self._corrected)

    def _show_words(self) -> None:
        """What the reader says, and what can be done with it."""
        self.on_screen = reading = self.visitor.reading
        self.words.clear()
        if reading is not None:
            with self.words:
                show_sentences(reading)
            self.controls.show_labels(reading)
        self._show_fitting()

    async def _corrected(self) -> None:
        """The user said something else about the file."""
        reading = self.visitor.reading
        if reading is None:
            return
        try:
            choices = self.controls.said()
        except DataError as error:
            self.visitor.keep(replace(reading, study=None, refusal=str(error)))
            self._show_words()
            return
        if choices != self.visitor.asked:
            await self._read(choices)

    # --- a fit ------------------------------------------------------------------------------------

    @property
    def _posterior(self) -> Any:
        return self.shared.posteriors[self._network]

    @property
    def _network(self) -> str:
        return self.visitor.network or next(iter(self.shared.posteriors))

    def _show_fitting(self) -> None:
        self.sign.visible = False
        self.fitting.clear()
        reading = self.visitor.reading
        if reading is None or reading.study is None or not kept(reading.study):
            return
        with self.fitting, card("Fit"):
            with ui.element("div").classes("fields"):
                self._draw_network_control()
                self._draw_option_controls()
            with ui.element("div").classes("line").style("margin-top: 10px"):
                self._fit_button()

    def _fit_button(self) -> None:
        """A button, and beside it how long a fit takes."""
        ui.button("Fit", on_click=self._start).props("unelevated").classes("at-fit")
        ui.label(
            "About a minute for a few people, several for a hundred; the page can be closed and"
            " opened again."
        ).classes("soft small")

    def _draw_network_control(self) -> None:
        ui.select(
            self.shared.names, label="Network", value=self._network, on_change=self._other_network
        ).classes("at-network")

    def _draw_option_controls(self) -> None:
        """Controls that keep what was said to them when they are drawn again."""
        before = self._options
        self.n_draws = ui.number(
            "Draws for each person",
            value=before.n_draws,
            min=FEWEST_DRAWS,
            max=MOST_DRAWS,
            precision=0,
        )
        self.seed = ui.number(
            "Seed: same seed, same result", value=before.seed, min=0, max=2**31, precision=0
        )
        with ui.element("div").classes("wide line"):
            self.with_check = ui.checkbox("Ask also if the model is right", value=before.with_check)
            self.anyway = ui.checkbox("Fit even if nobody is in range", value=before.anyway)
            self.anyway.classes("at-anyway")
        self.wish_controls = (self.n_draws, self.seed, self.with_check, self.anyway)

    @property
    def _options(self) -> FitOptions:
        """What is said to the controls, also to those of a card that is drawn again."""
        return FitOptions(*(control.value for control in self.wish_controls))

    async def _other_network(self, event: events.ValueChangeEventArguments) -> None:
        self.visitor.network = event.value
        await self._read(self.visitor.asked or Choices())

    def _start(self) -> None:
        reading, options = self.visitor.reading, self._options
        if reading is None or reading.study is None:
            return
        if self.visitor.is_reading or reading is not self.on_screen:
            ui.notify(
                "Expected the file to have been read, and to be the one that is shown here; look at"
                " it, and press Fit again."
            )
        elif options.n_draws is None or options.seed is None:
            return  # the fields say themselves that they are empty
        elif self._is_busy:
            ui.notify("Expected one fit at a time; cancel the one that runs, or wait for it.")
        else:
            n_draws, seed = int(options.n_draws), int(options.seed)
            task = self._task(reading.study, reading.choices, n_draws, seed)
            self.visitor.job = self.shared.worker.submit(carry_out, task)
            self.job.look()

    @property
    def _is_busy(self) -> bool:
        job = self.visitor.job
        return job is not None and job.state not in ENDED

    def _task(self, study: Trials, choices: Choices, n_draws: int, seed: int) -> Task:
        """What the worker is to do, with the program that does the same."""
        with_check, anyway = bool(self._options.with_check), bool(self._options.anyway)
        lines = program(
            self._program_reading(choices),
            self._program_loading(),
            n_draws=n_draws,
            seed=seed,
            with_check=with_check,
            anyway=anyway,
        )
        return Task(
            study,
            self._network,
            n_draws,
            seed,
            with_check,
            self.visitor.new_results(),
            Origin(self.visitor.file_name, lines, seed),
            anyway,
        )

    def _program_reading(self, choices: Choices) -> str:
        """The lines of a program that read the file."""
        design = self._posterior.simulator.design
        if self.visitor.is_demo:
            return choices.demo_code(design.window, design.deadline)
        return f"study = {choices.code(self.visitor.file_name, design.window, design.deadline)}"

    def _program_loading(self) -> str:
        """The expression of a program that loads the network."""
        if self._network in shipped():
            return f"inc.pretrained({self._network!r})"
        return f"inc.load_posterior({self.shared.names[self._network]!r})"


def _together(names: Sequence[str]) -> str:
    """What several files are called, or the one."""
    return names[0] if len(names) == 1 else f"{len(names)} files: {', '.join(names)}"

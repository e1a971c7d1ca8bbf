"""The page that fits: drop a file, see how it is understood, put it right, wait, read the report."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from nicegui import events, run, ui

from incongruent.app.choices import DEMO, Choices, Reading, first_lines, first_rows, kept, read
from incongruent.app.controls import Controls
from incongruent.app.guard import MEGABYTE, too_large
from incongruent.app.house import House, card, frame, heading, refusal
from incongruent.app.visitors import Visitor
from incongruent.app.work import ARCHIVE, REPORT, Task, carry_out, program
from incongruent.app.worker import ENDED, Job, State
from incongruent.data.reading.read_trials import DataError, exclusions
from incongruent.data.trials import Trials
from incongruent.posterior.pretrained import names as shipped
from incongruent.report import Origin

EVERY = 0.5
"""Seconds between looks at the job."""
FEWEST_DRAWS, MOST_DRAWS, DRAWS = 25, 10_000, 1000
PEOPLE_A_PAGE = 10


class FitPage:
    """One page of one visitor; what belongs to the visitor outlives it.

    Args:
        house: what all pages share.
        visitor: whose page it is.
    """

    def __init__(self, house: House, visitor: Visitor) -> None:
        self.house, self.visitor = house, visitor
        self.shown: tuple[Any, ...] = ()  # what of the job is on the screen
        self.on_screen: Reading | None = None
        self.wishes: tuple[Any, ...] = ()  # controls, also of a card that has been drawn again

    def build(self) -> None:
        """Put everything on the page."""
        with frame("/"):
            with card("Your data"):
                self._drop()
            self.understood = ui.element("div")
            self.fitting = ui.element("div")
            self.status = ui.label().classes("unseen at-status").props("role=status")
            self.result = ui.element("div")
        self._look()
        ui.timer(EVERY, self._look)

    def _look(self) -> None:
        """Show what has changed, perhaps on another page of the same visitor."""
        if self.visitor.is_reading:
            self._wait()
        elif self.visitor.reading is not self.on_screen:
            self._show_reading()
        self._look_at_job()

    # --- a file -----------------------------------------------------------------------------------

    def _drop(self) -> None:
        limit = self.house.limit
        self.upload_refusal = refusal("")
        self.upload_refusal.visible = False
        upload = ui.upload(
            multiple=True,
            auto_upload=True,
            max_file_size=limit,
            max_total_size=limit,
            on_multi_upload=self._uploaded,
        )
        upload.on_rejected(self._rejected).classes("drop")
        upload.on("failed", self._rejected, js_handler="() => emit()")
        upload.on(
            "uploaded", upload.reset, js_handler="() => emit()"
        )  # or the same file could not be given again
        upload.props('aria-label="files of trials" flat')
        upload.props(
            ":field-name='file => `${file.name} ${Math.random()}`'"
        )  # of two fields with one name the server would see one
        with upload.add_slot("header"), ui.element("div").classes("line"):
            with ui.button("Choose files").props("unelevated no-caps"):
                ui.element("q-uploader-add-trigger")
            ui.label(
                "or drop them here: CSV, Excel, SPSS, JSON and others; all trials in one file, or"
                " one file for each person."
            ).classes("soft")
            ui.label(
                f"At most {limit / MEGABYTE:g} MB together. They stay on this machine."
            ).classes("soft small")
            ui.button("No file at hand? Take the demo study", on_click=self._demo).props(
                "flat dense padding='2px 6px'"
            ).classes("at-demo small")
        with (
            ui.element("div")
            .classes("line")
            .style("margin-top: 10px")
            .props("role=status") as self.sign
        ):
            ui.spinner(size="20px")
            ui.label("Reading the file; a large one takes a while.").classes("soft")
        self.sign.visible = False

    def _rejected(self) -> None:
        self.upload_refusal.text, self.upload_refusal.visible = too_large(self.house.limit), True

    async def _uploaded(self, event: events.MultiUploadEventArguments) -> None:
        self.upload_refusal.visible = False
        names = [file.name for file in event.files]
        path, places = self.visitor.places_for_uploads(names)
        for file, place in zip(event.files, places, strict=True):
            await file.save(place)
        await self._take(
            path, names[0] if len(names) == 1 else f"{len(names)} files: {', '.join(names)}"
        )

    async def _demo(self) -> None:
        path = self.visitor.place_for_upload()
        path.write_bytes((resources.files("incongruent.data.demo") / DEMO).read_bytes())
        await self._take(path, f"{DEMO} (simulated)", is_demo=True)

    async def _take(self, path: Path, name: str, *, is_demo: bool = False) -> None:
        self.visitor.take(path, name, is_demo=is_demo)
        await self._read(Choices())

    async def _read(self, choices: Choices) -> None:
        """Read the file again with other choices, and show what came of it; there is nothing to fit
        meanwhile.

        What comes late, when something else has been said or another file been given, is thrown
        away.
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
        """Another reading of the same columns leaves the controls as they are, with the cursor in
        one of them.
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
            with ui.element("div").classes("columns"):
                self.words = ui.element("div")
                with ui.element("div"):
                    self.controls = Controls(reading, self._corrected)
            ui.label("The file's first rows").classes("soft small").style("margin-top: 14px")
            _rows(reading, first_lines(self.visitor.path))
        self._show_words()

    def _show_words(self) -> None:
        """What the reader says, and what can be done with it."""
        self.on_screen = reading = self.visitor.reading
        self.words.clear()
        if reading is not None:
            with self.words:
                _sentences(reading)
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
        return self.house.posteriors[self._network]

    @property
    def _network(self) -> str:
        return self.visitor.network or next(iter(self.house.posteriors))

    def _show_fitting(self) -> None:
        self.sign.visible = False
        self.fitting.clear()
        reading = self.visitor.reading
        if reading is None or reading.study is None or not kept(reading.study):
            return
        n_draws, seed, with_check, anyway = (
            (control.value for control in self.wishes) if self.wishes else (DRAWS, 1, True, False)
        )
        with self.fitting, card("Fit"):
            with ui.element("div").classes("fields"):
                ui.select(
                    self.house.names,
                    label="Network",
                    value=self._network,
                    on_change=self._other_network,
                ).classes("at-network")
                self.n_draws = ui.number(
                    "Draws for each person",
                    value=n_draws,
                    min=FEWEST_DRAWS,
                    max=MOST_DRAWS,
                    precision=0,
                )
                self.seed = ui.number(
                    "Seed: same seed, same result", value=seed, min=0, max=2**31, precision=0
                )
                self.with_check = ui.checkbox("Ask also if the model is right", value=with_check)
                self.anyway = ui.checkbox("Go on when nobody fits", value=anyway).classes(
                    "at-anyway"
                )
                self.wishes = (self.n_draws, self.seed, self.with_check, self.anyway)
            with ui.element("div").classes("line").style("margin-top: 10px"):
                ui.button("Fit", on_click=self._start).props("unelevated").classes("at-fit")
                ui.label(
                    "About a minute for a few people, several for a hundred; the page can be closed"
                    " and opened again."
                ).classes("soft small")

    async def _other_network(self, event: events.ValueChangeEventArguments) -> None:
        self.visitor.network = event.value
        await self._read(self.visitor.asked or Choices())

    def _start(self) -> None:
        reading, job = self.visitor.reading, self.visitor.job
        if reading is None or reading.study is None:
            return
        if self.visitor.is_reading or reading is not self.on_screen:
            ui.notify(
                "Expected the file to have been read, and to be the one that is shown here; look at"
                " it, and press Fit again."
            )
            return
        if self.n_draws.value is None or self.seed.value is None:
            return
        if job is not None and job.state not in ENDED:
            ui.notify("Expected one fit at a time; cancel the one that runs, or wait for it.")
            return
        n_draws, seed, with_check, anyway = (
            int(self.n_draws.value),
            int(self.seed.value),
            bool(self.with_check.value),
            bool(self.anyway.value),
        )
        origin = self._origin(
            reading, n_draws=n_draws, seed=seed, with_check=with_check, anyway=anyway
        )
        task = Task(
            reading.study,
            self._network,
            n_draws,
            seed,
            with_check,
            self.visitor.new_results(),
            origin,
            anyway,
        )
        self.visitor.job = self.house.worker.submit(carry_out, task)
        self._look_at_job()

    def _origin(
        self, reading: Reading, *, n_draws: int, seed: int, with_check: bool, anyway: bool
    ) -> Origin:
        name, design, choices = (
            self.visitor.file_name,
            self._posterior.simulator.design,
            reading.choices,
        )
        lines = (
            choices.demo_code(design.window, design.deadline)
            if self.visitor.is_demo
            else f"study = {choices.code(name, design.window, design.deadline)}"
        )
        loaded = (
            f"inc.pretrained({self._network!r})"
            if self._network in shipped()
            else f"inc.load_posterior({self.house.names[self._network]!r})"
        )
        return Origin(
            name,
            program(
                lines, loaded, n_draws=n_draws, seed=seed, with_check=with_check, anyway=anyway
            ),
            seed,
        )

    # --- the job ----------------------------------------------------------------------------------

    def _look_at_job(self) -> None:
        """Show what is new about the visitor's job, and only that."""
        job, visitor = self.visitor.job, self.visitor
        if job is not None and job.state is State.DONE and visitor.outcome is not job.outcome:
            self.house.visitors.publish(visitor, job.outcome, job.task.study)
        shown = (
            job,
            job.state if job else None,
            len(job.stages) if job else 0,
            self.house.worker.ahead(job) if job else 0,
            visitor.token,
        )
        if shown != self.shown:
            self.shown = shown
            self._show_job()
        elif job is not None and job.state is State.RUNNING:
            self.clock.text = _seconds(job.timetable()[-1][1])
            self.share.text = job.share()
            self.total.text = f"{_seconds(job.seconds())} in all"

    def _show_job(self) -> None:
        self.status.text = self._state()
        self.result.clear()
        with self.result:
            if self.visitor.job is not None and self.visitor.job.state is not State.DONE:
                with card():
                    self._progress(self.visitor.job)
            if self.visitor.outcome is not None:
                with card():
                    self._outcome()

    def _state(self) -> str:
        """For those who hear the page: the state of the job with its stage, without the clock."""
        job = self.visitor.job
        if job is None:
            return ""
        return (
            f"{self._head(job)}: {job.stages[-1][0]}"
            if job.state is State.RUNNING
            else self._head(job)
        )

    def _head(self, job: Job) -> str:
        ahead = self.house.worker.ahead(job)
        return {
            State.WAITING: f"Waiting: {ahead} job{'s' if ahead != 1 else ''} before yours",
            State.RUNNING: "Fitting",
            State.DONE: "The fit is done; results are below",
            State.FAILED: "The fit could not be done",
            State.CANCELLED: "Cancelled",
        }[job.state]

    def _progress(self, job: Job) -> None:
        heading(self._head(job)).classes("at-job-state")
        if job.state is State.FAILED:
            refusal(job.complaint)
        table = job.timetable()
        for i, (words, seconds) in enumerate(table):
            now = job.state is State.RUNNING and i == len(table) - 1
            with ui.element("div").classes("stage now" if now else "stage"):
                with ui.element("div").classes("line"):
                    ui.label(words)
                    self.share = ui.label(job.share() if now else "").classes("soft small at-share")
                self.clock = ui.label(_seconds(seconds)).classes("seconds")
        if job.state not in ENDED:
            with ui.element("div").classes("line").style("margin-top: 10px"):
                ui.button("Cancel", on_click=lambda: self._cancel(job)).props("outline").classes(
                    "at-cancel"
                )
                self.total = ui.label(
                    f"{_seconds(job.seconds())} in all" if job.stages else ""
                ).classes("soft small")

    def _cancel(self, job: Job) -> None:
        self.house.worker.cancel(job)
        self._look_at_job()

    def _outcome(self) -> None:
        outcome, job, token = self.visitor.outcome, self.visitor.job, self.visitor.token
        assert outcome is not None
        heading("Results").classes("at-results")
        if job is not None and job.outcome is outcome:
            ui.label(
                f"{len(outcome.names)} people of {job.task.origin.source}, in"
                f" {_seconds(job.seconds())}."
            ).classes("text soft")
        for sentence in outcome.sentences:
            ui.label(f"• {sentence}").classes("note")
        with ui.element("div").classes("line").style("margin-top: 8px"):
            ui.link("Open the report in a new tab", f"/results/{token}/{REPORT}", new_tab=True)
            ui.link("Download report.html", f"/results/{token}/{REPORT}?download=true")
            ui.link("Download everything (zip)", f"/results/{token}/{ARCHIVE}")
            ui.link("Look at it in the explorer", "/explorer")
        ui.element("iframe").props(
            f'src="/results/{token}/{REPORT}" sandbox="allow-scripts allow-popups allow-downloads"'
            ' title="report"'
        ).classes("report")


def _sentences(reading: Reading) -> None:
    """How a file was understood, or why not."""
    if reading.refusal is not None:
        heading("This file cannot be read as trials yet.", 3)
        refusal(reading.refusal)
        ui.label("Say under Corrections what the columns are, or give another file.").classes(
            "soft small"
        )
    if reading.study is not None:
        study = reading.study
        left_out = int(study.n_excluded.sum())
        n = study.n_trials
        size = f"{n.min()}" if n.min() == n.max() else f"{n.min()}–{n.max()}"
        who = f"{len(study)} people" if len(study) != 1 else "1 data set"
        heading(f"{who}, {size} trials each; {left_out} trials left out.", 3).classes("at-summary")
    for note in reading.notes:
        ui.label(f"• {note}").classes("note")
    if reading.study is not None:
        _exclusions(reading.study)


def _exclusions(study: Trials) -> None:
    frame = exclusions(study)
    heads = [name.replace("_", " ") for name in frame]
    columns = [
        {"name": f"c{i}", "label": head, "field": f"c{i}", "align": "right" if i else "left"}
        for i, head in enumerate(heads)
    ]
    rows = [
        {f"c{i}": str(value) for i, value in enumerate(row)}
        for row in frame.itertuples(index=False)
    ]
    with (
        ui.expansion("Trials kept and left out, person by person")
        .classes("fill")
        .props("dense header-class=q-px-none")
    ):
        ui.table(columns=columns, rows=rows, row_key="c0", pagination=PEOPLE_A_PAGE).classes(
            "table"
        ).props("dense flat")


def _rows(reading: Reading, lines: list[str]) -> None:
    """The first rows as the reader split them, or the first lines when it could not."""
    if reading.table is None:
        ui.label("\n".join(lines)).classes("mono").classes("at-raw")
        return
    columns = [
        {"name": f"c{i}", "label": name, "field": f"c{i}", "align": "left"}
        for i, name in enumerate(reading.columns)
    ]
    rows = [
        {"row": k, **{f"c{i}": cell for i, cell in enumerate(row)}}
        for k, row in enumerate(first_rows(reading.table))
    ]
    ui.table(columns=columns, rows=rows, row_key="row").classes("table").props(
        "dense flat hide-pagination"
    ).classes("at-raw")


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"

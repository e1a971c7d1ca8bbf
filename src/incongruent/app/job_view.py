"""The visitor's job as the page shows it: how far it is, and what came of it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from incongruent.app.shared import Shared, card, heading, refusal
from incongruent.app.visitors import Visitor
from incongruent.app.work import ARCHIVE, REPORT, Outcome
from incongruent.app.worker import ENDED, Job, State
from incongruent.posterior.progress import duration


class JobView:
    """The part of a page that follows the visitor's job; it is built where it is made.

    Args:
        shared: what all pages share.
        visitor: whose job it is.
    """

    def __init__(self, shared: Shared, visitor: Visitor) -> None:
        self.shared, self.visitor = shared, visitor
        self.shown: tuple[Any, ...] = ()  # what of the job is on the screen
        self.status = ui.label().classes("unseen at-status").props("role=status")
        self.result = ui.element("div")

    def look(self) -> None:
        """Show what is new about the job, and only that."""
        self._publish()
        state = self._present()
        job = self.visitor.job
        if state != self.shown:
            self.shown = state
            self._show()
        elif job is not None and job.state is State.RUNNING:
            self._move_clocks(job)

    def _publish(self) -> None:
        """Let the results of a job that is done be seen."""
        job, visitor = self.visitor.job, self.visitor
        if job is not None and job.state is State.DONE and visitor.outcome is not job.outcome:
            self.shared.visitors.publish(visitor, job.outcome, job.task.study)

    def _present(self) -> tuple[Any, ...]:
        """What is to be on the screen, apart from the clocks."""
        job, token = self.visitor.job, self.visitor.token
        if job is None:
            return None, None, 0, 0, token
        return job, job.state, len(job.stages), self.shared.worker.ahead(job), token

    def _move_clocks(self, job: Job) -> None:
        self.clock.text = duration(job.timetable()[-1][1])
        self.share.text = job.share()
        self.total.text = f"{duration(job.seconds())} in all"

    def _show(self) -> None:
        job = self.visitor.job
        self.status.text = self._state(job) if job is not None else ""
        self.result.clear()
        with self.result:
            self._show_cards(job)

    def _show_cards(self, job: Job | None) -> None:
        """How far the job is, and what came of it or of the one before."""
        if job is not None and job.state is not State.DONE:
            with card():
                self._progress(job)
        if self.visitor.outcome is not None:
            with card():
                self._outcome(self.visitor.outcome)

    def _state(self, job: Job) -> str:
        """For those who hear the page: the state of the job with its stage, without the clock."""
        head = self._head(job)
        return f"{head}: {job.stages[-1][0]}" if job.state is State.RUNNING else head

    def _head(self, job: Job) -> str:
        ahead = self.shared.worker.ahead(job)
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
        self._stages(job)
        if job.state not in ENDED:
            with ui.element("div").classes("line").style("margin-top: 10px"):
                self._cancel_button(job)

    def _stages(self, job: Job) -> None:
        """Every stage so far; the last one is the present one while the job runs."""
        table = job.timetable()
        for i, (words, seconds) in enumerate(table):
            is_present = job.state is State.RUNNING and i == len(table) - 1
            self._stage(words, seconds, job.share() if is_present else None)

    def _stage(self, words: str, seconds: float, share: str | None) -> None:
        """One stage with its time; the present one has a share that is done."""
        with ui.element("div").classes("stage" if share is None else "stage now"):
            with ui.element("div").classes("line"):
                ui.label(words)
                self.share = ui.label(share or "").classes("soft small at-share")
            self.clock = ui.label(duration(seconds)).classes("seconds")

    def _cancel_button(self, job: Job) -> None:
        """A button, and beside it how long the job has run."""
        button = ui.button("Cancel", on_click=lambda: self._cancel(job)).props("outline")
        button.classes("at-cancel")
        total = f"{duration(job.seconds())} in all" if job.stages else ""
        self.total = ui.label(total).classes("soft small")

    def _cancel(self, job: Job) -> None:
        self.shared.worker.cancel(job)
        self.look()

    def _outcome(self, outcome: Outcome) -> None:
        job = self.visitor.job
        heading("Results").classes("at-results")
        if job is not None and job.outcome is outcome:
            ui.label(_in_short(job)).classes("text soft")
        for sentence in outcome.sentences:
            ui.label(f"• {sentence}").classes("note")
        self._links(f"/results/{self.visitor.token}")

    def _links(self, results: str) -> None:
        """Ways to the files of the results, and the report within the page."""
        with ui.element("div").classes("line").style("margin-top: 8px"):
            ui.link("Open the report in a new tab", f"{results}/{REPORT}", new_tab=True)
            ui.link("Download report.html", f"{results}/{REPORT}?download=true")
            ui.link("Download everything (zip)", f"{results}/{ARCHIVE}")
            ui.link("Look at it in the explorer", "/explorer")
        ui.element("iframe").props(
            f'src="{results}/{REPORT}" sandbox="allow-scripts allow-popups allow-downloads"'
            ' title="report"'
        ).classes("report")


def _in_short(job: Job) -> str:
    """How many people of which file were fitted, and how long that took."""
    source, seconds = job.task.origin.source, job.seconds()
    return f"{len(job.outcome.names)} people of {source}, in {duration(seconds)}."

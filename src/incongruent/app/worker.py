"""Jobs of all visitors, one after the other, in a process of their own.

A process rather than a thread: compiling and sampling would make every page wait for the
interpreter's lock, and only a process can be stopped at once. It is started before the first job,
so that nothing has to be imported when one comes, stays for the next, and is started again after a
job that was cancelled or died.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from enum import Enum
from multiprocessing.connection import Connection
from typing import Any

from incongruent.posterior.progress import Stage, listening
from incongruent.posterior.scope import IN_APP, ScopeError

NICER = 10
"""How much the worker stands back for the page."""


class State(Enum):
    """Of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class Job:
    """One job: where it stands, and what came of it.

    Attributes:
        state: where it stands.
        stages: (words, begun) of every stage so far, in seconds of `time.monotonic`.
        stage: the last of them, with how much of it is done.
        outcome: what the work returned, when done.
        complaint: the sentence of the error, when failed.
        ended: when, in seconds of `time.monotonic`.
    """

    def __init__(self, work: Callable[[Any], Any], task: Any) -> None:
        self.work, self.task = work, task
        self.state = State.WAITING
        self.stages: list[tuple[str, float]] = []
        self.stage = Stage("starting")
        self.outcome: Any = None
        self.complaint = ""
        self.ended: float | None = None

    def timetable(self) -> list[tuple[str, float]]:
        """Every stage so far with the seconds it took, or has taken until now."""
        stages = list(self.stages)  # another thread adds to it
        ends = [*(begun for _, begun in stages[1:]), self.ended or time.monotonic()]
        return [(words, end - begun) for (words, begun), end in zip(stages, ends, strict=False)]

    def share(self) -> str:
        """How much of the present stage is done, and how long the rest takes; "" if not known."""
        return self.stage.share(self.timetable()[-1][1]) if self.stages else ""

    def seconds(self) -> float:
        """Since it began to run."""
        return sum(seconds for _, seconds in self.timetable())


class Worker:
    """A process that does one job at a time, and the queue before it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[Job] = []  # the first one runs
        self._closed = False
        self._start()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Any], Any], task: Any) -> Job:
        """Do ``work(task)`` when its turn comes; both, and its result, have to be picklable."""
        job = Job(work, task)
        with self._changed:
            self._queue.append(job)
            self._changed.notify_all()
        return job

    def ahead(self, job: Job) -> int:
        """How many jobs come before this one."""
        with self._changed:
            return self._queue.index(job) if job in self._queue else 0

    def cancel(self, job: Job) -> None:
        """Stop a job at once, or take it out of the queue."""
        with self._changed:
            if job.state in ENDED:
                return
            running = job.state is State.RUNNING
            self._end(job, State.CANCELLED)
            if running:
                self._process.terminate()

    def close(self) -> None:
        """Stop everything."""
        with self._changed:
            self._closed = True
            for job in list(self._queue):
                self._end(job, State.CANCELLED)
            self._process.terminate()
            self._changed.notify_all()
        self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _end(self, job: Job, state: State) -> None:
        job.state, job.ended = state, time.monotonic()
        if job in self._queue:
            self._queue.remove(job)

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._connection.send((job.work, job.task))
                while job.state is State.RUNNING:
                    self._hear(job, *self._connection.recv())
                if job.state is State.CANCELLED:
                    self._replace(job)
            except (EOFError, OSError):
                self._replace(job)

    def _next(self) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            if self._closed:
                return None
            job = self._queue[0]
            job.state, job.stages = State.RUNNING, [("starting", time.monotonic())]
            return job

    def _hear(self, job: Job, kind: str, content: Any) -> None:
        with self._changed:
            if job.state is not State.RUNNING:
                raise EOFError  # cancelled while this was on its way; the process is going
            if kind == "stage":
                job.stage = content
                if content.done == 0:
                    job.stages.append((content.words, time.monotonic()))
            elif kind == "done":
                job.outcome = content
                self._end(job, State.DONE)
            else:
                job.complaint = content
                self._end(job, State.FAILED)

    def _replace(self, job: Job) -> None:
        """The process is gone, since it was stopped or died, or is going: start another."""
        with self._changed:
            if self._closed:
                return
            if job.state is State.RUNNING:
                job.complaint = (
                    "Expected the analysis to end; its process did before, perhaps for want of"
                    " memory. Try fewer people or fewer draws."
                )
                self._end(job, State.FAILED)
            self._process.terminate()
            self._process.join()
            self._connection.close()
            self._start()


def _work(connection: Connection) -> None:
    """What the process does: jobs as they come, until nobody sends any more."""
    # Ctrl+C is for the server, which ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICER)
    with contextlib.suppress(EOFError, OSError):
        while True:
            work, task = connection.recv()
            connection.send(_result(work, task, connection))


def _result(work: Callable[[Any], Any], task: Any, connection: Connection) -> tuple[str, Any]:
    try:
        with listening(lambda stage: connection.send(("stage", stage))):
            return "done", work(task)
    except ScopeError as error:
        return "failed", error.said(IN_APP)
    except (
        ValueError,
        MemoryError,
        OSError,
    ) as error:  # what the package raises about data, networks, scope and files
        return "failed", str(error) or type(error).__name__
    except Exception as error:
        traceback.print_exc()  # for the operator
        return (
            "failed",
            (
                f"Something went wrong that should not ({type(error).__name__}: {error}). The"
                " terminal says where."
            ),
        )

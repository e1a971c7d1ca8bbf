"""The server behind the page: local only, one working folder, nothing written elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from nicegui import app, background_tasks, ui
from nicegui.storage import Storage
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse, PlainTextResponse, Response

from incongruent.app.explorer_page import ExplorerPage
from incongruent.app.fit_page import FitPage
from incongruent.app.guard import HOSTS, MEGABYTE, RESULTS, Guard
from incongruent.app.shared import Shared
from incongruent.app.visitors import Visitors
from incongruent.app.work import REPORT
from incongruent.app.worker import Worker
from incongruent.data.trials import CONFLICT_TASK
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.pretrained import names as shipped
from incongruent.posterior.pretrained import network_named
from incongruent.posterior.progress import screen
from incongruent.storage.atomic import FileError

ADDRESS = "127.0.0.1"


def serve(
    *, port: int, browser: bool, network: str | None, folder: Path | None, limit: float
) -> None:
    """Serve the page until it is interrupted.

    Args:
        port: another free one is taken when it is in use, or 0.
        browser: open the page in one.
        network: file of a network to offer beside those that ship.
        folder: working folder, kept at the end; a temporary one, removed at the end, for None.
        limit: largest upload in MB.

    Raises:
        FileError: when there is no such network, or it is for other data than files of trials hold.
    """
    networks = [
        *([network] if network is not None and network not in shipped() else []),
        *shipped(),
    ]
    posteriors = {name: _for_conflict_tasks(name) for name in networks}
    with _working_folder(folder) as place:
        Storage.path = place / "page"
        worker = Worker()
        try:
            shared = Shared(Visitors(place), worker, posteriors, int(limit * MEGABYTE))
            found = _free_port(port)
            _install(shared, found)
            _run(found, browser)
        finally:
            worker.close()


def _for_conflict_tasks(network: str) -> Posterior:
    posterior = network_named(network)
    columns = posterior.simulator.model.columns
    if set(columns) != set(CONFLICT_TASK):
        wanted, found = (", ".join(column.name for column in of) for of in (CONFLICT_TASK, columns))
        raise FileError(
            f"Expected a network for conflict tasks, with the columns {wanted}; that of {network}"
            f" is for {posterior.simulator.model.name} with the columns {found}. Use it from"
            " Python: inc.load_posterior and inc.fit."
        )
    return posterior


@contextmanager
def _working_folder(folder: Path | None) -> Iterator[Path]:
    """Where everything is written, also temporary files of libraries, here and in the worker."""
    before = os.environ.get("TMPDIR")
    fresh = (
        tempfile.TemporaryDirectory(prefix="incongruent-", ignore_cleanup_errors=True)
        if folder is None
        else nullcontext(folder)
    )
    with fresh as found:
        place = Path(found).resolve()
        for_a_moment = place / "moment"
        for_a_moment.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"], tempfile.tempdir = str(for_a_moment), str(for_a_moment)
        try:
            yield place
        finally:
            tempfile.tempdir = None
            os.environ.pop("TMPDIR")
            if before is not None:
                os.environ["TMPDIR"] = before


def _install(shared: Shared, port: int) -> None:
    """Pages, files and guards of the one application."""
    _add_pages(shared)
    _add_results(shared)
    _add_guards(shared, port)


def _add_pages(shared: Shared) -> None:
    @ui.page("/", title="incongruent · fit")
    def fit() -> None:
        FitPage(shared, shared.visitors.of(app.storage.browser["id"])).build()

    @ui.page("/explorer", title="incongruent · explorer")
    def explorer() -> None:
        ExplorerPage(shared, shared.visitors.of(app.storage.browser["id"])).build()


def _add_results(shared: Shared) -> None:
    """The files of results, for those who know their token."""

    @app.get("/results/{token}/{name}")
    def results(token: str, name: str, download: bool = False) -> Response:
        path = shared.visitors.file(token, name)
        if path is None:
            return PlainTextResponse("There is no such result here.", 404)
        return _file(path, is_shown=name == REPORT and not download)


def _add_guards(shared: Shared, port: int) -> None:
    # Cookies know no ports: a page beside this one must not take its cookie. "lax", as a link from
    # elsewhere would else begin a new session.
    app.add_middleware(
        SessionMiddleware,
        secret_key=secrets.token_urlsafe(32),
        session_cookie=f"incongruent-{port}",
        same_site="lax",
    )
    app.add_middleware(Guard, limit=shared.limit)
    # The last one added is asked first.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)


def _file(path: Path, *, is_shown: bool) -> Response:
    """A file of a result, which the browser shows or keeps."""
    return FileResponse(
        path,
        filename=path.name,
        headers={"Content-Security-Policy": RESULTS, "Cache-Control": "no-store"},
        content_disposition_type="inline" if is_shown else "attachment",
    )


def _run(port: int, browser: bool) -> None:
    # Not at once: the worker has to be stopped, and a temporary folder to be removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app.on_startup(lambda: background_tasks.create(_announce(port), name="announce"))
    ui.run(
        host=ADDRESS,
        port=port,
        show=browser,
        title="incongruent",
        language="en-GB",
        reload=False,
        dark=False,
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=30.0,
    )


async def _announce(port: int) -> None:
    """Say where the page is as soon as it is there, which is a moment after the start."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(ADDRESS, port)
            writer.close()
            break
        await asyncio.sleep(0.05)
    screen.print(
        f"The page is at http://{ADDRESS}:{port} for browsers on this machine. Ctrl+C ends it."
    )


def _free_port(port: int) -> int:
    """The port, or another one when it is in use."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            if os.name == "posix":  # as the server does: a port that was left a moment ago is free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, wanted))
            except OSError:
                continue
            found = probe.getsockname()[1]
        if port and found != port:
            screen.print(f"Port {port} is in use; the page takes {found}.")
        return found
    raise OSError(f"Expected a free port on {ADDRESS}; there is none.")

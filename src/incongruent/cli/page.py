"""``incongruent app``: the page, for those who have it installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PORT = 8347

NOT_INSTALLED = (
    "Expected the package nicegui, which the page needs; it is not installed. Install it with: pip"
    ' install "incongruent[app]"'
)


def open_app(
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Port; another free one when it is taken, or for 0."),
    ] = PORT,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    network: Annotated[
        str | None,
        typer.Option(help="File of a network of your own, offered beside those that ship."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Working folder, kept at the end; a temporary one, removed at the end, when left"
                " out."
            )
        ),
    ] = None,
    limit: Annotated[float, typer.Option(min=0.001, help="Largest upload, in MB.")] = 100.0,
) -> None:
    """A local page in the browser: fit a file and read the report, or explore the model.

    In the explorer you move the model's parameters and see what they do.
    """
    from incongruent.posterior.progress import errors

    try:
        from incongruent.app.server import serve
    except ModuleNotFoundError as error:
        if error.name != "nicegui":
            raise
        errors.print(NOT_INSTALLED)
        raise typer.Exit(1) from error
    serve(port=port, browser=browser, network=network, folder=folder, limit=limit)

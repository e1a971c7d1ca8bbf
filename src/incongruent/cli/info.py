"""``incongruent info``: what a network was trained for, how, and how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from incongruent.cli.parts import file_for, plain, usable

if TYPE_CHECKING:
    from incongruent.posterior.about import About
    from incongruent.posterior.history import History


def info(
    network: Annotated[
        str, typer.Argument(help="A network that ships with the package, or a file.")
    ] = "dmc",
    figure: Annotated[
        Path | None, typer.Option(help="PNG, PDF or SVG for the loss history.")
    ] = None,
) -> None:
    """What a network was trained for, how, and how good it is."""
    from incongruent.cli.tables import show_quality
    from incongruent.posterior.pretrained import about_named

    if figure is not None:
        file_for(figure)
    about = about_named(network)
    _show(about)
    show_quality(about.notes)
    if figure is not None and about.history is not None:
        _draw(about.history, figure)


def _show(about: About) -> None:
    from incongruent.posterior.progress import screen

    model = about.simulator.model
    screen.print(f"model   {model.name} ({model.reference}), {plain(str(dict(model.settings)))}")
    screen.print(f"prior   {plain(repr(about.simulator.prior))}")
    screen.print(f"design  {plain(str(about.simulator.design))}")
    if about.history is not None:
        screen.print(f"history {plain(str(about.history))}")
    for name in ("versions", "devices", "cores"):
        screen.print(f"{name}  {plain(str(about.notes.get(name)))}")


def _draw(history: History, file: Path) -> None:
    from incongruent.plots import history_figure, save_figure

    usable(lambda: save_figure(history_figure(history), file))

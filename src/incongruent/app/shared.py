"""What all pages share: visitors, the worker, the networks on offer, and the look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from nicegui import ui

from incongruent.app.visitors import Visitors
from incongruent.app.worker import Worker
from incongruent.posterior.posterior import Posterior

STYLE = resources.files("incongruent.app").joinpath("shared.css").read_text(encoding="utf-8")
"""How all pages look."""
PAGES = {"/": "Fit", "/explorer": "Explorer"}


@dataclass(frozen=True)
class Shared:
    """What the operator set up.

    Attributes:
        visitors: everybody.
        worker: does the jobs.
        posteriors: the networks on offer by name, the first one chosen at first.
        limit: bytes of the largest file.
    """

    visitors: Visitors
    worker: Worker
    posteriors: Mapping[str, Posterior]
    limit: int

    @property
    def names(self) -> dict[str, str]:
        """What the networks are called on the page."""
        return {name: Path(name).name for name in self.posteriors}


@contextmanager
def frame(here: str) -> Iterator[None]:
    """The look, and links between the pages."""
    ui.add_css(STYLE)
    ui.colors(primary="#0072B2")
    with ui.element("header").classes("top"):
        _title(PAGES[here])
        with ui.element("nav").props('aria-label="pages"'):
            for target, name in PAGES.items():
                _link(name, target, is_here=target == here)
    with ui.element("main"):
        yield


def _title(page: str) -> None:
    """The name of the package, and for those who hear the page that of the page."""
    with ui.element("h1"):
        _tagged("span", "incongruent")
        _tagged("span", f": {page}").classes("unseen")


def _link(name: str, target: str, *, is_here: bool) -> None:
    link = ui.link(name, target).classes("here" if is_here else "")
    link.props("aria-current=page" if is_here else "")


@contextmanager
def card(title: str = "") -> Iterator[ui.element]:
    """A part of the page with a heading."""
    with ui.element("section").classes("card") as section:
        if title:
            heading(title)
        yield section


def heading(text: str, level: int = 2) -> ui.label:
    """Of a part of the page; parts of parts have level 3."""
    return _tagged(f"h{level}", text).classes("head")


def refusal(text: str) -> ui.label:
    """Why something cannot be done; screen readers say it at once."""
    return ui.label(text).classes("refusal text").classes("at-refusal").props("role=alert")


def _tagged(tag: str, text: str) -> ui.label:
    label = ui.label(text)
    label.tag = tag
    return label

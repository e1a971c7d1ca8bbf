"""What all pages share: visitors, the worker, the networks on offer, and the look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nicegui import ui

from incongruent.app.visitors import Visitors
from incongruent.app.worker import Worker
from incongruent.posterior.posterior import Posterior

STYLE = """
:root { --ink: #222; --soft: #5c5c5c; --edge: #d9d9d9; --blue: #0072B2; --nicegui-default-padding: 0; --nicegui-default-gap: 0; }
body { background: #f7f7f5; color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
.nicegui-content { display: block; width: 100%; max-width: 1240px; margin: 0 auto; padding: 0 20px 60px; }
.top, .top nav { display: flex; align-items: baseline; gap: 24px; flex-wrap: wrap; }
.top { padding: 18px 0 14px; }
.top h1 { font: inherit; font-weight: 650; font-size: 19px; letter-spacing: normal; margin: 0; }
.top a { color: var(--soft); text-decoration: none; padding: 2px 0; border-bottom: 2px solid transparent; }
.top a.here { color: var(--ink); border-color: var(--blue); }
.card { background: #fff; border: 1px solid var(--edge); border-radius: 8px; padding: 18px 20px; margin-bottom: 16px; min-width: 0; }
.head { font: inherit; font-weight: 650; font-size: 16px; letter-spacing: normal; margin: 0 0 6px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft { color: var(--soft); }
.small { font-size: 13px; }
.card a { color: var(--blue); }
.text { overflow-wrap: anywhere; white-space: pre-wrap; }
.mono { font: 12.5px/1.5 ui-monospace, Menlo, Consolas, monospace; white-space: pre; overflow-x: auto; tab-size: 4; background: #f7f7f5;
  border: 1px solid var(--edge); border-radius: 6px; padding: 8px 10px; }
.line { display: flex; flex-wrap: wrap; gap: 12px 16px; align-items: center; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 8px 32px; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 6px 16px; }
.fields > *, .fill { width: 100%; min-width: 0; }
.fields > .wide { grid-column: 1 / -1; }
.fields > .q-checkbox { width: auto; justify-self: start; align-self: center; }
.q-checkbox__label { white-space: nowrap; }
.refusal { border-left: 3px solid #D55E00; padding: 6px 12px; background: #fdf4ee; overflow-wrap: anywhere; margin: 8px 0; }
.note { padding-left: 14px; text-indent: -14px; overflow-wrap: anywhere; }
.stage { display: flex; justify-content: space-between; gap: 16px; padding: 3px 0; border-bottom: 1px solid #efefef; max-width: 560px; }
.stage.now { font-weight: 600; }
.stage .seconds { font-variant-numeric: tabular-nums; white-space: nowrap; }
.report { width: 100%; height: 78vh; border: 1px solid var(--edge); border-radius: 6px; background: #fff; margin-top: 12px; }
.drop.q-uploader { width: 100%; max-height: none; box-shadow: none; border: 1.5px dashed #a8a8a8; border-radius: 8px; background: #fcfcfb; }
.drop .q-uploader__header { background: transparent; color: var(--ink); padding: 14px 16px; }
.drop .q-uploader__list { display: none; }
.explorer { display: grid; grid-template-columns: 290px minmax(0, 1fr); gap: 16px; align-items: start; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
.charts .card { padding: 12px 14px; margin: 0; }
.chart { width: 100%; height: 262px; }
.side { position: sticky; top: 12px; }
.parameter { display: grid; grid-template-columns: minmax(0, 1fr) 92px; gap: 0 12px; align-items: center; margin-top: 10px; }
.parameter .meaning { grid-column: 1 / 3; }
.q-table th, .q-table td { font-size: 13px; max-width: 320px; overflow: hidden; text-overflow: ellipsis; }
.table { width: 100%; box-shadow: none; border: 1px solid var(--edge); border-radius: 6px; }
.q-btn { text-transform: none; }
@media (max-width: 900px) {
  .columns, .explorer, .charts { grid-template-columns: minmax(0, 1fr); }
  .side { position: static; }
  .nicegui-content { padding: 0 12px 40px; }
  .card { padding: 14px; }
}
"""

PAGES = {"/": "Fit", "/explorer": "Explorer"}


@dataclass(frozen=True)
class House:
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
        with ui.element("h1"):
            _tagged("span", "incongruent")
            _tagged("span", f": {PAGES[here]}").classes("unseen")
        with ui.element("nav").props('aria-label="pages"'):
            for target, name in PAGES.items():
                ui.link(name, target).classes("here" if target == here else "").props(
                    "aria-current=page" if target == here else ""
                )
    with ui.element("main"):
        yield


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

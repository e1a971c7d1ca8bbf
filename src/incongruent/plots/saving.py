"""Figures as files and as part of a page: PNG, PDF and SVG, the same bytes for the same figure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from incongruent.plots.style import styled
from incongruent.storage.atomic import write_atomically

NOTHING_OF_THE_DAY: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
}
"""What matplotlib would write about when and with which version; without it bytes depend on the
picture alone.
"""
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
REFERENCE = re.compile(r"url\(#([^)]*)\)")


def save_figure(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a figure as PNG (300 dots an inch), PDF or SVG, whichever the name ends in.

    The file is whole or absent, and the same figure gives the same bytes. Text stays text in PDF
    (TrueType fonts, embedded) and SVG.

    Raises:
        ValueError: for a name that ends otherwise.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in NOTHING_OF_THE_DAY:
        raise ValueError(
            f"Expected a name that ends in .png, .pdf or .svg; got {Path(path).name!r}. Use .pdf or"
            " .svg for a paper, .png for slides and pages."
        )
    write_atomically(path, _bytes(figure, suffix))


def save_png(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a PNG, whatever the name ends in, that is whole or absent."""
    write_atomically(path, _bytes(figure, ".png"))


def figure_svg(figure: Figure, *, prefix: str, description: str = "") -> str:
    """A figure as SVG to be put into an HTML page: no XML declaration, no document type, and
    nothing that touches the rest of the page.

    Args:
        figure: what to draw.
        prefix: put before every id, so that several figures of a page do not take each other's
            parts; another one for each figure. Links that point out of the figure, like
            ``#person-3``, stay as they are.
        description: what the picture shows, for those who cannot see it.

    Raises:
        ValueError: for a prefix that no id can begin with.
    """
    if not PREFIX.fullmatch(prefix):
        raise ValueError(
            f"Expected a prefix of letters, digits, - and _, with a letter first; got {prefix!r}."
            " Take something like 'forest-'."
        )
    root = ET.fromstring(_bytes(figure, ".svg"))
    for parent in list(root.iter()):
        for child in [
            child for child in parent if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style")
        ]:
            parent.remove(child)
    # the style sheet that was removed speaks of all elements of a page; these two are inherited
    # from the root just as well
    root.set("style", "stroke-linejoin:round;stroke-linecap:butt;max-width:100%;height:auto")
    _rename_ids(root, prefix)
    links = any(element.tag == f"{{{SVG}}}a" for element in root.iter())
    root.set("role", "group" if links else "img")  # of an "img" nobody would be read the links
    if description:
        root.set("aria-label", description)
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")


def _bytes(figure: Figure, suffix: str) -> bytes:
    # The layout begins where it begins in a new figure: otherwise its last digits would depend on
    # earlier drawings.
    for ax in figure.axes:
        if (place := ax.get_subplotspec()) is not None:
            ax.set_subplotspec(place)
    buffer = BytesIO()
    with styled():
        figure.savefig(buffer, format=suffix[1:], metadata=NOTHING_OF_THE_DAY[suffix])
    return buffer.getvalue()


def _rename_ids(root: ET.Element, prefix: str) -> None:
    """Put a prefix before every id and every reference to one of them."""
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}

    def renamed(name: str, value: str) -> str:
        if name == "id":
            return prefix + value
        if name in ("href", f"{{{XLINK}}}href"):
            return f"#{prefix}{value[1:]}" if value.startswith("#") and value[1:] in ids else value
        return REFERENCE.sub(
            lambda found: f"url(#{prefix}{found[1]})" if found[1] in ids else found[0], value
        )

    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, renamed(name, value))

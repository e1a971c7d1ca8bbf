"""Figures as files and as part of a page: PNG, PDF and SVG, the same bytes for the same figure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Set
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
OF_WHOLE_FILES = (f"{{{SVG}}}metadata", f"{{{SVG}}}style")
"""Elements that have no place in a part of a page."""
HREFS = ("href", f"{{{XLINK}}}href")
PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
REFERENCE = re.compile(r"url\(#([^)]*)\)")


def save_figure(figure: Figure, path: str | PathLike[str]) -> None:
    """Write a figure as PNG (300 dots an inch), PDF or SVG, whichever the name ends in.

    The file is complete or absent, and the same figure gives the same bytes. Text stays text in PDF
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
    """Write a PNG, whatever the name ends in, that is complete or absent."""
    write_atomically(path, _bytes(figure, ".png"))


def figure_svg(figure: Figure, *, prefix: str, description: str = "") -> str:
    """A figure as SVG to be put into an HTML page.

    It has no XML declaration and no document type, and it does not change the rest of the page.

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
    _remove_style_sheet(root)
    _rename_ids(root, prefix)
    _describe(root, description)
    return _as_text(root)


def _remove_style_sheet(root: ET.Element) -> None:
    """Take away what speaks of all elements of a page, and metadata.

    What the style sheet said is inherited from the root just as well.
    """
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in OF_WHOLE_FILES]:
            parent.remove(child)
    root.set("style", "stroke-linejoin:round;stroke-linecap:butt;max-width:100%;height:auto")


def _describe(root: ET.Element, description: str) -> None:
    """Say to those who cannot see it what it is; of an "img" they would not be read the links."""
    has_links = any(element.tag == f"{{{SVG}}}a" for element in root.iter())
    root.set("role", "group" if has_links else "img")
    if description:
        root.set("aria-label", description)


def _as_text(root: ET.Element) -> str:
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")


def _bytes(figure: Figure, suffix: str) -> bytes:
    _forget_layout(figure)
    buffer = BytesIO()
    with styled():
        figure.savefig(buffer, format=suffix[1:], metadata=NOTHING_OF_THE_DAY[suffix])
    return buffer.getvalue()


def _forget_layout(figure: Figure) -> None:
    """Let the layout begin where it begins in a new figure.

    Its last digits would depend on earlier drawings otherwise.
    """
    for ax in figure.axes:
        if (place := ax.get_subplotspec()) is not None:
            ax.set_subplotspec(place)


def _rename_ids(root: ET.Element, prefix: str) -> None:
    """Put a prefix before every id and every reference to one of them."""
    ids = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, _renamed(name, value, ids, prefix))


def _renamed(name: str, value: str, ids: Set[str], prefix: str) -> str:
    """The value of an attribute with the prefix before every id in it."""
    if name == "id":
        return prefix + value
    if name in HREFS:
        return _renamed_link(value, ids, prefix)
    return REFERENCE.sub(
        lambda found: f"url(#{prefix}{found[1]})" if found[1] in ids else found[0], value
    )


def _renamed_link(target: str, ids: Set[str], prefix: str) -> str:
    """A link with the prefix where it points into the figure, as it is where it points out."""
    is_inside = target.startswith("#") and target[1:] in ids
    return f"#{prefix}{target[1:]}" if is_inside else target

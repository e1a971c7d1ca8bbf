"""Pages link to files beside ``docs/`` as they lie in the repository; on the site these links lead
to the pages that include the files.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from sphinx.application import Sphinx

PAGES = {
    "README.md": "index.md",
    "benchmarks/RESULTS.md": "results.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "VISION.md": "vision.md",
}
OPTIONAL = {"app": "app.md", "auto_gallery/index": "gallery"}
"""Entries of the table of contents, and what has to be there for them to stand."""
GALLERY = re.compile(r"\[([^]]+)\]\(gallery/([\w./]+)\)")
LINK = re.compile(r"\]\(((?:\.\./)+)([\w./-]+\.md)(#[\w-]+)?\)")


def _example(found: re.Match[str]) -> str:
    """A link to the page that sphinx-gallery makes of a script, or of the header of the gallery."""
    name = "index" if found[2].startswith("GALLERY") else posixpath.splitext(found[2])[0]
    return f"[{found[1]}](auto_gallery/{name}.rst)"


def rewrite(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace the links of one page."""
    up = posixpath.dirname(docname)

    def page(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("docs", up, found[1] + found[2]))
        return (
            f"]({posixpath.relpath(PAGES[path], up or '.')}{found[3] or ''})"
            if path in PAGES
            else found[0]
        )

    source[0] = LINK.sub(page, source[0])
    source[0] = GALLERY.sub(_example if (app.srcdir / "gallery").is_dir() else r"\1", source[0])
    for name, needed in OPTIONAL.items():
        if docname == "index" and not (app.srcdir / needed).exists():
            source[0] = source[0].replace(f"\n{name}\n", "\n")


def included(app: Sphinx, relative_path: Any, parent_docname: str, content: list[str]) -> None:
    """Links of an included file of the root: they begin with docs/ or name another file there."""

    def page(found: re.Match[str]) -> str:
        path, anchor = found[1], found[2] or ""
        return f"]({PAGES.get(path, path.removeprefix('docs/'))}{anchor})"

    content[0] = re.sub(r"\]\((?:\.\./)?([\w./-]+\.md)(#[\w-]+)?\)", page, content[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen for pages and included files as they are read."""
    app.connect("source-read", rewrite)
    app.connect("include-read", included)
    return {"parallel_read_safe": True}

"""Names in docstrings and signatures lead to where the name is documented, whichever module it was
written in.

``incongruent.data.trials.Trials`` is documented as ``incongruent.Trials``, since that is how one
imports it.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

PACKAGE = "incongruent."


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.reference | None:
    """A link to the only documented object whose name ends like the target; None when there is none
    or several.
    """
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"]).removeprefix(PACKAGE).removeprefix("inc.")
    objects = env.get_domain("py").objects  # type: ignore[attr-defined]
    parts = target.split(".")
    for tail in (".".join(parts[k:]) for k in range(len(parts))):
        found = {
            name: entry
            for name, entry in objects.items()
            if name == PACKAGE + tail or name.endswith("." + tail)
        }
        shortest = sorted(found, key=lambda name: (name.count("."), name))
        if shortest and (
            len(shortest) == 1 or shortest[0].count(".") < shortest[1].count(".") or tail == target
        ):
            entry = found[shortest[0]]
            return make_refnode(
                app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, shortest[0]
            )
    return None


class Whole:
    """Docstrings of properties as they are; napoleon would cut them at their first colon and take
    what stands before for a type.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def keep(
        self, app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
    ) -> None:
        """Remember them."""
        self.lines = list(lines)

    def restore(
        self, app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
    ) -> None:
        """Put them back."""
        if what in ("property", "attribute", "data") and not any(
            line.rstrip() in ("Raises:", "Returns:", "Attributes:", "Example:")
            for line in self.lines
        ):
            lines[:] = self.lines


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen for references that Sphinx does not resolve, and for docstrings before and after
    napoleon reads them.
    """
    app.connect("missing-reference", resolve)
    for field in app.registry.domains["py"].directives["class"].doc_field_types:  # type: ignore[attr-defined]
        if field.name == "variable":
            field.label = "Attributes"  # as docstrings call them
    whole = Whole()
    app.connect("autodoc-process-docstring", whole.keep, priority=400)
    app.connect("autodoc-process-docstring", whole.restore, priority=600)
    return {"parallel_read_safe": True}

"""Lets sphinx-gallery show figures that pyplot knows nothing of: every new `Figure` among the names
of an example, as it is in print.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

from incongruent.plots import save_figure

_shown: WeakSet[Figure] = WeakSet()


def figure_scraper(
    block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any], **_: Any
) -> str:
    """Save the figures that a block of code has added to the example's names; return the reST that
    shows them.
    """
    paths, titles = [], []
    for figure in _figures(block_vars["example_globals"]):
        if figure in _shown:
            continue
        _shown.add(figure)
        path = next(block_vars["image_path_iterator"])
        save_figure(figure, path)
        paths.append(path)
        titles += [title for ax in figure.axes if (title := ax.get_title(loc="left"))]
    return figure_rst(paths, gallery_conf["src_dir"], fig_titles=", ".join(titles))


def _figures(names: dict[str, Any]) -> list[Figure]:
    """Figures that names stand for, also those in lists, in order."""
    found: list[Figure] = []
    for value in names.values():
        found += [
            each
            for each in (value if isinstance(value, list | tuple) else [value])
            if isinstance(each, Figure)
        ]
    return list(dict.fromkeys(found))

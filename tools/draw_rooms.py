"""Draw the rooms of the package and what they import from each other: docs/figures/rooms.png.

    python tools/draw_rooms.py

Rooms stand in their order, which is that of ``tests/test_architecture.py``, with the first sentence
of their docstring. A band runs from a room to one that it imports; it is as thick as there are
imports, and so all bands point upwards. Lengths are in mm.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY / "src"), str(REPOSITORY / "tests")]

import test_architecture as laws  # noqa: E402

WIDTH = 174.0
"""Of a page, as in ``incongruent.plots.style``."""
BOXES, BOX = 60.0, 22.0
"""Where the boxes begin, and how wide they are."""
THICKNESS = 0.09
"""Of one import."""
LEAST, GAP = 6.4, 1.6
"""Height of the smallest room, and what lies between two."""
POINTS = 72.0 / 25.4
COMPUTING, SHOWING, INK = "#0072B2", "#D55E00", "#222222"
WORDS = 42
"""Letters a line."""


@dataclass(frozen=True)
class Room:
    """One room on the map: its top and its height, downwards from the top of the figure."""

    name: str
    says: str
    n_files: int
    top: float
    height: float

    @property
    def middle(self) -> float:
        """Half-way down."""
        return self.top + 0.5 * self.height


def count_imports() -> Counter[tuple[str, str]]:
    """How many times modules of one room import modules of another: (importing, imported)."""
    found: Counter[tuple[str, str]] = Counter()
    for module in laws.INSIDE:
        here = laws.room_of(module)
        for name in laws.imports(laws.MODULES[module].read_text(encoding="utf-8")):
            found[here, laws.room_of(name)] += laws.room_of(name) != here
    return +found


def first_sentence(room: str) -> str:
    """What the docstring of a room says it is, without its name."""
    text = ast.get_docstring(ast.parse(laws.MODULES[room].read_text(encoding="utf-8"))) or ""
    sentence = " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")
    name, _, rest = sentence.partition(": ")
    said = rest if name.lower().startswith(room) else sentence
    return said[0].upper() + said[1:]


def lay_out(imports: Counter[tuple[str, str]]) -> dict[str, Room]:
    """The rooms below each other, each high enough for its bands and its words."""
    rooms, top = {}, 4.0
    for name in laws.ROOMS:
        bands = sum(n for pair, n in imports.items() if name in pair)
        says = textwrap.fill(first_sentence(name), WORDS)
        height = max(LEAST, THICKNESS * bands + 1.0, 2.6 * (says.count("\n") + 1))
        n_files = sum(laws.room_of(module) == name for module in laws.INSIDE)
        rooms[name] = Room(name, says, n_files, top, height)
        top += height + GAP
    return rooms


def ports(
    rooms: dict[str, Room], imports: Counter[tuple[str, str]]
) -> dict[tuple[str, str], tuple[float, float]]:
    """Where the band of each pair leaves and arrives.

    Bands to earlier rooms leave the upper part of a box, bands from later ones arrive below them;
    in both parts they are ordered so that they lie within each other and do not cross.
    """
    order = {name: place for place, name in enumerate(laws.ROOMS)}
    leaves, arrives = {}, {}
    for name, room in rooms.items():
        to = sorted((b for a, b in imports if a == name), key=lambda b: -order[b])
        by = sorted((a for a, b in imports if b == name), key=lambda a: -order[a])
        total = sum(imports[name, b] for b in to) + sum(imports[a, name] for a in by)
        at = room.middle - 0.5 * THICKNESS * total
        for pair, place in (
            *(((name, b), leaves) for b in to),
            *(((a, name), arrives) for a in by),
        ):
            thick = THICKNESS * imports[pair]
            place[pair] = at + 0.5 * thick
            at += thick
    return {pair: (leaves[pair], arrives[pair]) for pair in imports}


def draw_band(ax: Axes, start: float, end: float, n: int, reach: float, colour: str) -> None:
    """Half an ellipse to the right of the boxes, with a head where it arrives."""
    edge, thick = BOXES + BOX, THICKNESS * n
    angle = np.linspace(0.0, np.pi, 200)
    half = 0.5 * (start - end)
    x = edge + 2.0 + reach * np.sin(angle)
    y = 0.5 * (start + end) + half * np.cos(angle)
    ax.plot(
        np.r_[edge, x, edge + 1.6],
        np.r_[start, y, end],
        color=colour,
        lw=thick * POINTS,
        alpha=0.5,
        solid_capstyle="butt",
        solid_joinstyle="round",
    )
    head = max(0.5 * thick, 0.45)
    ax.add_patch(
        Polygon(
            [(edge + 0.1, end), (edge + 1.7, end - head), (edge + 1.7, end + head)],
            color=colour,
            lw=0,
        )
    )


def draw_room(ax: Axes, room: Room, colour: str) -> None:
    """A box with the name, and what the room says of itself beside it."""
    ax.add_patch(
        Rectangle((BOXES, room.top), BOX, room.height, fc="white", ec=colour, lw=1.0, zorder=3)
    )
    ax.text(
        BOXES + 0.5 * BOX,
        room.middle,
        room.name,
        ha="center",
        va="center",
        fontsize=8,
        weight="bold",
        color=INK,
        zorder=4,
    )
    ax.text(BOXES - 2.0, room.middle, room.says, ha="right", va="center", fontsize=6.5, color=INK)


def draw_legend(ax: Axes, y: float) -> None:
    """How thick bands are, and what the colours mean, in one line."""
    marks = [
        *((n, INK, f"{n} import{'s' * (n > 1)}") for n in (1, 10, 40)),
        (25, COMPUTING, "of a room that computes"),
        (25, SHOWING, "of a room that shows"),
    ]
    for left, (n, colour, words) in zip((18.0, 42.0, 68.0, 96.0, 136.0), marks, strict=True):
        thick = THICKNESS * n * POINTS
        ends = [left - 8.0, left - 1.5]
        ax.plot(ends, [y, y], color=colour, alpha=0.5, lw=thick, solid_capstyle="butt")
        ax.text(left, y, words, va="center", fontsize=6.5, color=INK)


def draw() -> Figure:
    """The whole map."""
    imports = count_imports()
    rooms = lay_out(imports)
    bottom = max(room.top + room.height for room in rooms.values()) + 9.0
    figure = Figure(figsize=(WIDTH / 25.4, bottom / 25.4))
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set(xlim=(0.0, WIDTH), ylim=(bottom, 0.0))
    ax.set_axis_off()
    colours = {name: COMPUTING if name in laws.COMPUTING else SHOWING for name in rooms}
    at = ports(rooms, imports)
    longest = max(start - end for start, end in at.values())
    free = WIDTH - (BOXES + BOX) - 6.0
    for (here, there), (start, end) in sorted(at.items(), key=lambda item: item[1][1] - item[1][0]):
        reach = free * ((start - end) / longest) ** 0.8
        draw_band(ax, start, end, imports[here, there], reach, colours[here])
    for name, room in rooms.items():
        draw_room(ax, room, colours[name])
    draw_legend(ax, bottom - 4.0)
    return figure


if __name__ == "__main__":
    draw().savefig(
        REPOSITORY / "docs" / "figures" / "rooms.png", dpi=200, metadata={"Software": None}
    )

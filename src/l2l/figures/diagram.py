"""Boxes, round nodes and arrows on an empty canvas: what the diagrams are drawn with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path

from l2l.figures.style import GREY
from l2l.results import Results

COLUMN = 325.0
"""The width of a canvas."""
INK = "#222222"
PROBLEM_TINT, PROBLEM_FILL = "#EAF2F8", "#CFE3F1"
OPTIMIZER_TINT, OPTIMIZER_FILL = "#FCEDE2", "#F8D3B8"
LINE: dict[str, Any] = {
    "arrowstyle": "-|>,head_length=3.2,head_width=1.6",
    "mutation_scale": 1,
    "zorder": 2.5,
    "joinstyle": "miter",
}

Point = tuple[float, float]


@dataclass(frozen=True)
class Canvas:
    """An empty figure of the printed width.

    Coordinates are hundredths of an inch at the usual width of a column (3.25 inches), from the
    lower left corner. Texts may hold mathematics and line breaks.

    Attributes:
        figure: the figure.
        axes: its only axes, without frame or ticks.
    """

    figure: Figure
    axes: Axes

    @staticmethod
    def of(results: Results, height: float) -> Canvas:
        """A canvas of this height, in the style of the configuration."""
        width = results.config.figures.width_inches
        figure = Figure(figsize=(width, width * height / COLUMN), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, COLUMN)
        axes.set_ylim(0, height)
        axes.set_axis_off()
        return Canvas(figure, axes)

    def box(
        self, center: Point, size: Point, text: str = "", fill: str = "white", edge: str = INK
    ) -> Patch:
        """A rounded rectangle with text in its middle. Returns the outline, for arrows."""
        (x, y), (width, height) = center, size
        look: dict[str, Any] = {"facecolor": fill, "edgecolor": edge, "linewidth": 0.7, "zorder": 2}
        look["boxstyle"] = "round,pad=0,rounding_size=4"
        patch = FancyBboxPatch((x - width / 2, y - height / 2), width, height, **look)
        self.axes.add_patch(patch)
        self.axes.text(x, y, text, ha="center", va="center", zorder=4, linespacing=1.25)
        return patch

    def node(self, center: Point, text: str, fill: str, radius: float = 16) -> Patch:
        """A circle with a formula, a point larger than other text. Returns the outline."""
        patch = Circle(center, radius, facecolor=fill, edgecolor=INK, linewidth=0.7, zorder=3)
        self.axes.add_patch(patch)
        size = rcParams["font.size"] + 1
        self.axes.annotate(text, center, ha="center", va="center_baseline", zorder=4, fontsize=size)
        return patch

    def arrow(
        self,
        start: Point,
        end: Point,
        source: Patch | None = None,
        target: Patch | None = None,
        color: str = INK,
        dashed: bool = False,
        width: float = 0.8,
    ) -> None:
        """An arrow between two points, cut off at the outlines around them, if there are any."""
        patch = FancyArrowPatch(
            start,
            end,
            patchA=source,
            patchB=target,
            shrinkA=0 if source is None else 0.5,
            shrinkB=0 if target is None else 0.5,
            color=color,
            linewidth=width,
            linestyle=(0, (2.6, 1.8)) if dashed else "solid",
            **LINE,
        )
        self.axes.add_patch(patch)

    def state_loop(self, center: Point, size: Point, reach: Point, text: str) -> None:
        """An arrow out of the right of a box, over its top and back in on the left.

        Args:
            center: of the box.
            size: of the box.
            reach: how far the loop stands out to the sides, and above the box's top.
            text: in the middle of the loop's upper side.
        """
        (x, y), (width, height), (side, over) = center, size, reach
        left, right, top = x - width / 2, x + width / 2, y + height / 2 + over
        turn = min(side, over) / 2  # the radius of the corners
        vertices, codes = [(right, y)], [Path.MOVETO]
        corners = [(right + side, y), (right + side, top), (left - side, top), (left - side, y)]
        ends = [(right, y), *corners, (left, y)]
        for before, corner, after in zip(ends, ends[1:], ends[2:], strict=False):
            vertices += [_towards(corner, before, turn), corner, _towards(corner, after, turn)]
            codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
        path = Path([*vertices, (left, y)], [*codes, Path.LINETO])
        self.axes.add_patch(FancyArrowPatch(path=path, color=INK, linewidth=0.8, **LINE))
        frame = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": INK, "lw": 0.6}
        self.axes.annotate(text, (x, top), ha="center", va="center", zorder=4, bbox=frame)

    def note(self, point: Point, text: str, align: str = "center", color: str = INK) -> None:
        """Text without a frame, a point smaller than in boxes but not below 7 points.

        Its left, centre or right is at the point, as `align` says.
        """
        base = rcParams["font.size"]
        size = min(base, max(7.0, base - 1))
        look = {"ha": align, "va": "center", "color": color, "fontsize": size, "zorder": 5}
        self.axes.text(*point, text, linespacing=1.25, **look)

    def band(self, bottom: float, top: float, fill: str, name: str) -> None:
        """A shaded strip over the whole width, with its name in the upper right corner."""
        self.axes.axhspan(bottom, top, color=fill, linewidth=0, zorder=0)
        self.note((COLUMN - 5, top - 9), name, "right", GREY)


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at a distance from `start` on the horizontal or vertical way to `end`."""
    (x0, y0), (x1, y1) = start, end
    length = abs(x1 - x0) + abs(y1 - y0)
    return x0 + (x1 - x0) * distance / length, y0 + (y1 - y0) * distance / length

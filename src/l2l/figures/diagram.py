"""Boxes, round nodes and arrows on an empty canvas: what the three diagrams are drawn with.

Coordinates are hundredths of an inch at the usual printed width of one column (3.25 inches), from
the lower left corner.
"""

from __future__ import annotations

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path

from l2l.config.schema import FigureSettings
from l2l.figures.style import GREY

COLUMN = 325.0
INK = "#222222"
OPTIMIZEE_TINT, OPTIMIZEE_FILL = "#EAF2F8", "#CFE3F1"
OPTIMIZER_TINT, OPTIMIZER_FILL = "#FCEDE2", "#F8D3B8"

HEAD = "-|>,head_length=3.2,head_width=1.6"

Point = tuple[float, float]


def canvas(style: FigureSettings, height: float) -> tuple[Figure, Axes]:
    """An empty figure of the printed width.

    Args:
        style: the settings of figures.
        height: in canvas units; the width is `COLUMN`.

    Returns:
        The figure and its only axes, without frame or ticks.
    """
    figure = Figure(
        figsize=(style.width_inches, style.width_inches * height / COLUMN), facecolor="white"
    )
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, COLUMN)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    return figure, axes


def box(
    axes: Axes,
    center: Point,
    size: Point,
    text: str = "",
    fill: str = "white",
    edge: str = INK,
    rounding: float = 4,
) -> Patch:
    """A rounded rectangle with text in its middle.

    Args:
        axes: the canvas.
        center: of the rectangle.
        size: width and height.
        text: may hold mathematics and line breaks.
        fill: colour inside.
        edge: colour of the outline, or "none".
        rounding: radius of the corners.

    Returns:
        The outline, for arrows to end at.
    """
    (x, y), (width, height) = center, size
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle=f"round,pad=0,rounding_size={rounding}",
        facecolor=fill,
        edgecolor=edge,
        linewidth=0.7,
        zorder=2,
    )
    axes.add_patch(patch)
    axes.text(x, y, text, ha="center", va="center", zorder=4, linespacing=1.25)
    return patch


def node(
    axes: Axes, center: Point, text: str, fill: str, radius: float = 16, larger: float = 1
) -> Patch:
    """A circle with a formula in it.

    Args:
        axes: the canvas.
        center: of the circle.
        text: the formula.
        fill: colour inside.
        radius: of the circle.
        larger: points by which the formula is larger than other text.

    Returns:
        The outline, for arrows to end at.
    """
    patch = Circle(center, radius, facecolor=fill, edgecolor=INK, linewidth=0.7, zorder=3)
    axes.add_patch(patch)
    axes.annotate(
        text,
        center,
        ha="center",
        va="center_baseline",
        zorder=4,
        fontsize=rcParams["font.size"] + larger,
    )
    return patch


def arrow(
    axes: Axes,
    start: Point,
    end: Point,
    source: Patch | None = None,
    target: Patch | None = None,
    color: str = INK,
    dashed: bool = False,
    width: float = 0.8,
) -> None:
    """An arrow between two points, cut off at the outlines of what lies at its ends.

    Args:
        axes: the canvas.
        start: where it comes from.
        end: where it points to.
        source: outline around the start.
        target: outline around the end.
        color: of line and head.
        dashed: a broken line, in place of a solid one.
        width: of the line, in points.
    """
    patch = FancyArrowPatch(
        start,
        end,
        patchA=source,
        patchB=target,
        shrinkA=0 if source is None else 0.5,
        shrinkB=0 if target is None else 0.5,
        arrowstyle=HEAD,
        mutation_scale=1,
        color=color,
        linewidth=width,
        linestyle=(0, (2.6, 1.8)) if dashed else "solid",
        zorder=2.5,
        joinstyle="miter",
    )
    axes.add_patch(patch)


def state_loop(axes: Axes, center: Point, size: Point, reach: Point, text: str) -> None:
    """An arrow out of the right of a box, over its top and back in on the left, with a label.

    Args:
        axes: the canvas.
        center: of the box.
        size: of the box.
        reach: how far the loop stands out to the sides, and above the box's top.
        text: the label, in the middle of the loop's upper side.
    """
    (x, y), (width, height), (side, over) = center, size, reach
    left, right, top, turn = (
        x - width / 2,
        x + width / 2,
        y + height / 2 + over,
        min(side, over) / 2,
    )
    corners = [(right + side, y), (right + side, top), (left - side, top), (left - side, y)]
    vertices, codes = [(right, y)], [Path.MOVETO]
    ends = [(right, y), *corners, (left, y)]
    for before, corner, after in zip(ends, ends[1:], ends[2:], strict=False):
        vertices += [_towards(corner, before, turn), corner, _towards(corner, after, turn)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    vertices.append((left, y))
    codes.append(Path.LINETO)
    axes.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle=HEAD,
            mutation_scale=1,
            color=INK,
            linewidth=0.8,
            zorder=2.5,
            joinstyle="miter",
        )
    )
    axes.annotate(
        text,
        (x, top),
        ha="center",
        va="center",
        zorder=4,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": INK, "lw": 0.6},
    )


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at a distance from `start` on the way to `end`, both on a level or a plumb line."""
    (x0, y0), (x1, y1) = start, end
    length = abs(x1 - x0) + abs(y1 - y0)
    return x0 + (x1 - x0) * distance / length, y0 + (y1 - y0) * distance / length


def note(
    axes: Axes, point: Point, text: str, align: str = "center", color: str = INK, smaller: float = 1
) -> None:
    """Text without a frame, a little smaller than in boxes but not below 7 points.

    Args:
        axes: the canvas.
        point: left, centre or right of the text, by `align`.
        text: may hold mathematics and line breaks.
        align: "left", "center" or "right".
        color: of the text.
        smaller: points by which it is smaller.
    """
    base = rcParams["font.size"]
    axes.text(
        *point,
        text,
        ha=align,
        va="center",
        color=color,
        fontsize=min(base, max(7.0, base - smaller)),
        zorder=5,
        linespacing=1.25,
    )


def band(axes: Axes, bottom: float, top: float, fill: str, name: str) -> None:
    """A shaded strip over the whole width, with its name in the upper right corner.

    Args:
        axes: the canvas.
        bottom: lower edge.
        top: upper edge.
        fill: its colour.
        name: what it holds.
    """
    axes.axhspan(bottom, top, color=fill, linewidth=0, zorder=0)
    note(axes, (COLUMN - 5, top - 9), name, "right", GREY)

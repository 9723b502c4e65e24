"""The named lines of a figure as numbers, for a page that tells them under the pointer.

They are read from the figure after it was drawn, whatever drew it: a line with a label counts, and
one without (a hair line, a rule) does not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

MOST_POINTS = 101
"""Of a line that is longer, so many points are kept, evenly over its length."""
ALIGNED = 0.005
"""Panels whose edges are nearer stand below, or beside, each other; fractions of the picture."""


def lines_of(figure: Figure) -> list[dict[str, Any]]:
    """The panels of a figure that have named lines.

    Args:
        figure: drawn, so that its layout is final.

    Returns:
        For each panel `title`, `x` and `y` (the words at its axes), `box` (left, top, right and
        bottom as fractions of the picture, from its upper left corner), and `groups` of lines that
        have the same points: `x` (their values), `at` (where these are, as fractions of the
        picture's width), and `lines`, each with `name`, `color` and its values `y`, with four
        digits; None: not a finite number.
    """
    panels = [_panel(axes, figure) for axes in figure.axes]
    for word, side in (("x", 0), ("y", 1)):  # of a column, or row, that has its label once
        for panel in panels:
            beside = (p[word] for p in panels if abs(p["box"][side] - panel["box"][side]) < ALIGNED)
            panel[word] = panel[word] or next(filter(None, beside), "")
    return [panel for panel in panels if panel["groups"]]


def _panel(axes: Axes, figure: Figure) -> dict[str, Any]:
    groups: dict[tuple[float, ...], dict[str, Any]] = {}
    to_picture = axes.transData + figure.transFigure.inverted()
    left, right = sorted(axes.get_xlim())
    for line in axes.get_lines():
        name = str(line.get_label())
        if name.startswith("_"):  # matplotlib's own name for one without a label
            continue
        x, y = (np.asarray(values, np.float64) for values in line.get_data())
        inside = np.flatnonzero((x >= left) & (x <= right))
        if inside.size > MOST_POINTS:
            inside = inside[np.linspace(0, inside.size - 1, MOST_POINTS).round().astype(int)]
        if not inside.size:
            continue
        x, y = x[inside], y[inside]
        # Across alone: what lies where depends on x, and y may be no number.
        at = to_picture.transform(np.column_stack([x, np.full(x.size, axes.get_ylim()[0])]))[:, 0]
        group = groups.setdefault(
            tuple(x),
            {"x": [*map(_short, x)], "at": [round(float(place), 4) for place in at], "lines": []},
        )
        values = [_short(value) for value in y]
        group["lines"].append({"name": name, "color": to_hex(line.get_color()), "y": values})
    place = axes.bbox.transformed(figure.transFigure.inverted())
    titles = [axes.get_title(loc) for loc in ("left", "center", "right")]
    return {
        "title": " ".join(", ".join(filter(None, titles)).split()),
        "x": " ".join(axes.get_xlabel().split()),
        "y": " ".join(axes.get_ylabel().split()),
        "box": [round(float(v), 4) for v in (place.x0, 1 - place.y1, place.x1, 1 - place.y0)],
        "groups": [*groups.values()],
    }


def _short(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value == round(value) and abs(value) < 1e6 else float(f"{value:.4g}")

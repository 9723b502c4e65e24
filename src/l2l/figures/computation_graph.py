"""Figure `computation_graph` (figure 2 of the paper): three unrolled steps of an optimizer.

Gradients are dropped along the dashed arrows. `tests/figures/test_computation_graph.py` compares
the arrows with autograd's own record of three steps of this program.
"""

from __future__ import annotations

from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from l2l.figures.base import Figure
from l2l.figures.diagram import (
    INK,
    OPTIMIZER_FILL,
    OPTIMIZER_TINT,
    PROBLEM_FILL,
    PROBLEM_TINT,
    Canvas,
    Point,
)
from l2l.figures.style import VERMILLION
from l2l.results import Results

HEIGHT = 268.0
LEFT, SPACING = 29.0, 89.0  # of the column of step t - 2, and between columns
ROWS = {"f": 245.0, "theta": 200.0, "+": 200.0, "grad": 142.0, "g": 94.0, "h": 44.0, "m": 44.0}
BETWEEN = ("+", "g", "m")
"""Nodes that stand between the columns of two steps."""
BOUNDARY, FLOOR = 115.0, 22.0  # between problem and optimizer, and below the optimizer
SYMBOLS = {"f": "f", "theta": r"\theta", "grad": r"\nabla", "g": "g", "h": "h"}
STEPS = (-2, -1, 0)
"""The inner steps t - 2, t - 1 and t."""
ARROWS = (
    ("theta", "f", 0),
    ("theta", "grad", 0),
    *(("grad", "m", 0), ("h", "m", 0), ("m", "g", 0), ("m", "h", 1)),  # equation (3)
    *(("theta", "+", 0), ("g", "+", 0), ("+", "theta", 1)),  # equation (1)
)
"""Of a step: source, target, and by how many steps the target is later."""
DASHED = ("theta", "grad")
"""The arrow that carries second derivatives, which equation (5) drops."""


def draw(results: Results) -> Drawing:
    """The graph of the optimizer's unroll, dashed where second derivatives are dropped."""
    canvas = Canvas.of(results, HEIGHT)
    canvas.band(BOUNDARY, HEIGHT, PROBLEM_TINT, "Optimizee")
    canvas.band(FLOOR, BOUNDARY, OPTIMIZER_TINT, "Optimizer")
    arrows = [
        ((source, step), (target, step + later), (source, target) == DASHED)
        for step in STEPS
        for source, target, later in ARROWS
    ]
    nodes = {node for start, end, _ in arrows for node in (start, end)}
    outlines = {_place(*node): _draw_node(canvas, *node) for node in sorted(nodes)}
    for start, end, dashed in sorted((_place(*a), _place(*b), dashed) for a, b, dashed in arrows):
        look = (VERMILLION, True, 1.1) if dashed else (INK, False, 0.8)
        canvas.arrow(start, end, outlines[start], outlines[end], *look)
    y = 10.0
    canvas.arrow((8, y), (32, y))
    canvas.note((37, y), "gradients flow", "left")
    canvas.arrow((112, y), (140, y), color=VERMILLION, dashed=True, width=1.1)
    canvas.note((145, y), "second derivatives: dropped", "left")
    return canvas.figure


def _place(symbol: str, step: int) -> Point:
    column = LEFT + SPACING * (step + 2)
    # A little right of the middle, clear of the arrows into m.
    return column + 0.55 * SPACING * (symbol in BETWEEN), ROWS[symbol]


def _draw_node(canvas: Canvas, symbol: str, step: int) -> Patch:
    where = _place(symbol, step)
    if symbol == "m":
        return canvas.box(where, (24, 24), "$m$")
    if symbol == "+":
        return canvas.node(where, "$+$", "white", radius=7)
    subscript = f"t{{{step:+d}}}" if step else "t"
    fill = OPTIMIZER_FILL if symbol in ("g", "h") else PROBLEM_FILL
    return canvas.node(where, f"${SYMBOLS[symbol]}_{{{subscript}}}$", fill)


FIGURE = Figure(
    name="computation_graph",
    title="How the optimizer is trained",
    caption="Three steps of optimization as one graph. Gradients of the losses flow back along the "
    "solid arrows into the optimizer's weights. Along the dashed arrows (how θ changes the "
    "gradient) they are dropped, which saves second derivatives.",
    drawn_by=draw,
)

"""Figure `computation_graph` (figure 2 of the paper): three unrolled steps, drawn from autograd.

Which edges there are, and which are dashed, comes from `graph_trace`; only places and symbols of
the nodes stand here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from l2l.figures import diagram
from l2l.figures.base import Figure
from l2l.figures.diagram import INK, Point
from l2l.figures.style import VERMILLION
from l2l.results import Results

if TYPE_CHECKING:
    from l2l.figures.graph_trace import Edge, Node

HEIGHT = 268.0
LEFT, SPACING = 29.0, 89.0  # of the column of step t - 2, and between columns
ROWS = {"f": 245.0, "theta": 200.0, "grad": 142.0, "g": 94.0, "h": 44.0}
BOUNDARY, FLOOR = 115.0, 22.0  # between optimizee and optimizer, and below the optimizer
SYMBOLS = {"f": "f", "theta": r"\theta", "grad": r"\nabla", "g": "g", "h": "h"}
FUNCTION_OF = {"theta": "+", "g": "m", "h": "m"}
"""What computes a node, where the figure shows that: equation (1) adds, equation (3) is m."""


def draw(results: Results) -> Drawing:
    """The graph of the optimizer's unroll, dashed where second derivatives are dropped."""
    from l2l.figures.graph_trace import trace  # imports torch, which other figures do without

    edges = trace()
    figure, axes = diagram.canvas(results.config.figures, HEIGHT)
    diagram.band(axes, BOUNDARY, HEIGHT, diagram.OPTIMIZEE_TINT, "Optimizee")
    diagram.band(axes, FLOOR, BOUNDARY, diagram.OPTIMIZER_TINT, "Optimizer")
    outlines = _draw_nodes(axes, edges)
    for start, end, dashed in _arrows(edges):
        diagram.arrow(
            axes,
            start,
            end,
            outlines[start],
            outlines[end],
            color=VERMILLION if dashed else INK,
            dashed=dashed,
            width=1.1 if dashed else 0.8,
        )
    _draw_key(axes)
    return figure


def place(symbol: str, step: int) -> Point:
    """Where a node stands: one column a step, updates between columns.

    Args:
        symbol: as in `graph_trace.Node`, or "+" or "m" for the function of a step.
        step: relative to t.
    """
    column = LEFT + SPACING * (step + 2)
    between = column + 0.55 * SPACING  # a little right, clear of the arrows into m
    if symbol == "+":
        return between, ROWS["theta"]
    if symbol == "m":
        return between, ROWS["h"]
    return (between if symbol == "g" else column), ROWS[symbol]


def _function(target: Node) -> Point | None:
    """The place of the function that computes a node, where the figure shows one."""
    if target.symbol not in FUNCTION_OF:
        return None
    step = target.step if target.symbol == "g" else target.step - 1
    return place(FUNCTION_OF[target.symbol], step)


def _arrows(edges: list[Edge]) -> list[tuple[Point, Point, bool]]:
    """Start, end and dash of each arrow; edges into + and m meet there and go on as one."""
    arrows: dict[tuple[Point, Point], bool] = {}
    for edge in edges:
        source, target = place(*edge.source), place(*edge.target)
        function = _function(edge.target)
        legs = [(source, target)] if function is None else [(source, function), (function, target)]
        for leg in legs:
            arrows[leg] = arrows.get(leg, True) and edge.dashed
    return [(start, end, dashed) for (start, end), dashed in sorted(arrows.items())]


def _draw_nodes(axes: Axes, edges: list[Edge]) -> dict[Point, Patch]:
    """Every node of the graph and every function; place -> outline."""
    outlines = {}
    for found in sorted({node for edge in edges for node in (edge.source, edge.target)}):
        where = place(*found)
        subscript = f"t{{{found.step:+d}}}" if found.step else "t"
        fill = diagram.OPTIMIZER_FILL if found.symbol in ("g", "h") else diagram.OPTIMIZEE_FILL
        text = f"${SYMBOLS[found.symbol]}_{{{subscript}}}$"
        outlines[where] = diagram.node(axes, where, text, fill)
    for edge in edges:
        function = _function(edge.target)
        if function is None or function in outlines:
            continue
        if FUNCTION_OF[edge.target.symbol] == "m":
            outlines[function] = diagram.box(axes, function, (24, 24), "$m$", "white")
        else:
            outlines[function] = diagram.node(axes, function, "$+$", "white", radius=7)
    return outlines


def _draw_key(axes: Axes) -> None:
    """What solid and dashed arrows mean."""
    y = 10.0
    diagram.arrow(axes, (8, y), (32, y))
    diagram.note(axes, (37, y), "gradients flow", "left")
    diagram.arrow(axes, (112, y), (140, y), color=VERMILLION, dashed=True, width=1.1)
    diagram.note(axes, (145, y), "second derivatives: dropped", "left")


FIGURE = Figure(
    name="computation_graph",
    title="How the optimizer is trained",
    caption="Three steps of optimization as one graph. Gradients of the losses flow back along the "
    "solid arrows into the optimizer's weights. Along the dashed arrows (how θ changes the "
    "gradient) they are dropped, which saves second derivatives.",
    drawn_by=draw,
)

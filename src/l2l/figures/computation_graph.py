"""Figure `computation_graph` (figure 2 of the paper): three unrolled steps, drawn from autograd.

Its edges come from autograd's own record of three inner steps of the project's problem, features
and LSTM step. The steps are unrolled twice, with second derivatives kept and dropped. In each
record one walks from every named tensor against the flow to the nearest named tensors. Edges in
both records are solid; edges that appear only when second derivatives are kept are dashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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

if TYPE_CHECKING:  # functions below import torch, which other figures do without
    from torch import Tensor

    from l2l.optimizers.lstm import CoordinatewiseLSTM
    from l2l.problems.quadratic import Quadratic

HEIGHT = 268.0
LEFT, SPACING = 29.0, 89.0  # of the column of step t - 2, and between columns
ROWS = {"f": 245.0, "theta": 200.0, "grad": 142.0, "g": 94.0, "h": 44.0}
BOUNDARY, FLOOR = 115.0, 22.0  # between problem and optimizer, and below the optimizer
SYMBOLS = {"f": "f", "theta": r"\theta", "grad": r"\nabla", "g": "g", "h": "h"}
FUNCTION_OF = {"theta": "+", "g": "m", "h": "m"}
"""What computes a node, where the figure shows that: equation (1) adds, equation (3) is m."""


STEPS = (-2, -1, 0)
"""The inner steps t - 2, t - 1 and t."""


class Node(NamedTuple):
    """A named tensor.

    Attributes:
        symbol: "theta", "f", "grad", "h" or "g".
        step: relative to t.
    """

    symbol: str
    step: int


class Edge(NamedTuple):
    """`target` is computed from `source`, with no other named tensor between them.

    Attributes:
        source: where the arrow starts.
        target: where it ends.
        dashed: the edge carries second derivatives, which equation (5) drops.
    """

    source: Node
    target: Node
    dashed: bool


def draw(results: Results) -> Drawing:
    """The graph of the optimizer's unroll, dashed where second derivatives are dropped."""
    edges = trace()
    canvas = Canvas.of(results, HEIGHT)
    canvas.band(BOUNDARY, HEIGHT, PROBLEM_TINT, "Optimizee")
    canvas.band(FLOOR, BOUNDARY, OPTIMIZER_TINT, "Optimizer")
    outlines = _draw_nodes(canvas, edges)
    for start, end, dashed in _arrows(edges):
        canvas.arrow(
            start,
            end,
            outlines[start],
            outlines[end],
            VERMILLION if dashed else INK,
            dashed,
            1.1 if dashed else 0.8,
        )
    _draw_key(canvas)
    return canvas.figure


def place(symbol: str, step: int) -> Point:
    """Where a node stands: one column a step, updates between columns.

    Args:
        symbol: as in `Node`, or "+" or "m" for the function of a step.
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


def _draw_nodes(canvas: Canvas, edges: list[Edge]) -> dict[Point, Patch]:
    """Every node of the graph and every function; place -> outline."""
    outlines = {}
    for node in sorted({node for edge in edges for node in (edge.source, edge.target)}):
        where = place(*node)
        subscript = f"t{{{node.step:+d}}}" if node.step else "t"
        fill = OPTIMIZER_FILL if node.symbol in ("g", "h") else PROBLEM_FILL
        outlines[where] = canvas.node(where, f"${SYMBOLS[node.symbol]}_{{{subscript}}}$", fill)
    for edge in edges:
        function = _function(edge.target)
        if function is None or function in outlines:
            continue
        if FUNCTION_OF[edge.target.symbol] == "m":
            outlines[function] = canvas.box(function, (24, 24), "$m$", "white")
        else:
            outlines[function] = canvas.node(function, "$+$", "white", radius=7)
    return outlines


def _draw_key(canvas: Canvas) -> None:
    """What solid and dashed arrows mean."""
    y = 10.0
    canvas.arrow((8, y), (32, y))
    canvas.note((37, y), "gradients flow", "left")
    canvas.arrow((112, y), (140, y), color=VERMILLION, dashed=True, width=1.1)
    canvas.note((145, y), "second derivatives: dropped", "left")


def trace() -> list[Edge]:
    """Edges of the unrolled graph, sorted."""
    kept = edges_between(unroll(second_derivatives=True))
    dropped = edges_between(unroll(second_derivatives=False))
    return sorted(Edge(*pair, dashed=pair not in dropped) for pair in kept | dropped)


def pieces() -> tuple[Quadratic, CoordinatewiseLSTM]:
    """The problem and the untrained optimizer of the traced run, small: the graph has no sizes."""
    import torch

    from l2l.config.optimizers import LSTMSettings, ParameterGroup
    from l2l.config.problems import QuadraticSettings
    from l2l.optimizers.lstm import CoordinatewiseLSTM
    from l2l.optimizers.weights import initial_phi
    from l2l.problems.quadratic import QuadraticFamily
    from l2l.rng import stream

    quadratic = QuadraticSettings(kind="quadratic", dimensions=3, init_std=1.0)
    problem = QuadraticFamily(quadratic, 0, torch.device("cpu")).sample(("figure",), [0], 3)
    settings = LSTMSettings(
        kind="lstm",
        layers=2,
        units=4,
        preprocessing="none",
        p=10.0,
        input_scale=1.0,
        output_scale=1.0,
        forget_bias=0.0,
        head_init_scale=1.0,
        averaged_cells=0,
        groups=(ParameterGroup(name="all", parameters=("*",)),),
    )
    return problem, CoordinatewiseLSTM(settings, initial_phi(settings, stream(0, "figure", "phi")))


def unroll(second_derivatives: bool) -> dict[Node, list[Tensor]]:
    """Run three inner steps, equations (1) and (3), keeping autograd's record.

    Args:
        second_derivatives: keep d grad / d theta in the record. Otherwise each gradient is a leaf:
            something to differentiate the optimizer with respect to, without a past of its own.

    Returns:
        The tensors of each node; h has two, hidden and cell.
    """
    import torch

    from l2l.optimizers.lstm import lstm_step

    problem, optimizer = pieces()
    theta = problem.initial().requires_grad_()
    first = optimizer.init(theta.detach())
    hidden, cell = first.hidden.requires_grad_(), first.cell.requires_grad_()
    named = {Node("theta", STEPS[0]): [theta], Node("h", STEPS[0]): [hidden, cell]}
    for step in STEPS:
        loss = problem.loss(theta, step)
        (gradient,) = torch.autograd.grad(
            loss.sum(), theta, create_graph=second_derivatives, retain_graph=True
        )
        if not second_derivatives:
            gradient = gradient.detach().requires_grad_()
        inputs = optimizer.inputs(gradient).flatten(0, -2)
        output, hidden, cell = lstm_step(optimizer.phi, inputs, hidden, cell)
        update = optimizer.settings.output_scale * output.reshape(theta.shape)
        theta = theta + update
        named |= {
            Node("f", step): [loss],
            Node("grad", step): [gradient],
            Node("g", step): [update],
            Node("h", step + 1): [hidden, cell],
            Node("theta", step + 1): [theta],
        }
    return named


def edges_between(named: dict[Node, list[Tensor]]) -> set[tuple[Node, Node]]:
    """Walk autograd's record back from each named tensor to the nearest named ones.

    Args:
        named: the tensors of each node.

    Returns:
        (source, target) pairs.
    """
    owner = {_record(tensor): node for node, tensors in named.items() for tensor in tensors}
    edges = set()
    for target, tensors in named.items():
        pending = [parent for tensor in tensors for parent in _parents(_record(tensor))]
        seen = set()
        while pending:
            record = pending.pop()
            if record in owner:
                edges.add((owner[record], target))
            elif record not in seen:
                seen.add(record)
                pending += _parents(record)
    return edges


def _record(tensor: Tensor) -> Any:
    """Autograd's entry for a tensor: its function, or for a leaf the node that collects there."""
    from torch.autograd.graph import get_gradient_edge

    return get_gradient_edge(tensor).node


def _parents(record: Any) -> list[Any]:
    return [parent for parent, _ in record.next_functions if parent is not None]


FIGURE = Figure(
    name="computation_graph",
    title="How the optimizer is trained",
    caption="Three steps of optimization as one graph. Gradients of the losses flow back along the "
    "solid arrows into the optimizer's weights. Along the dashed arrows (how θ changes the "
    "gradient) they are dropped, which saves second derivatives.",
    drawn_by=draw,
)

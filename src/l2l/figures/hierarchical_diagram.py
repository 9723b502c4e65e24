"""Figure `hierarchical_diagram`: recurrent networks at three levels (Wichrowska et al. 2017)."""

from __future__ import annotations

from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from l2l.figures.base import Figure
from l2l.figures.diagram import COLUMN, OPTIMIZER_FILL, OPTIMIZER_TINT, Canvas, Point
from l2l.figures.style import BLUE, GREY, VERMILLION
from l2l.results import Results

HEIGHT = 300.0
GLOBAL, TENSOR, PARAMETER, EDGE = 280.0, 212.0, 138.0, 92.0  # heights of the rows
TENSORS = {70.0: (-42.0, 0.0, 42.0), 198.0: (-21.0, 21.0)}  # column -> its coordinates, from there
UPPER, CELL = (84.0, 28.0), (34.0, 26.0)
APART = 6.0  # half the distance of two arrows side by side

GOES_IN = (
    "the coordinate's gradient: averages over several time\n"
    "scales, each divided by its running size"
)
COMES_OUT = "its update: a direction, times a learning rate that\nchanges relative to a running one"


def draw(results: Results) -> Drawing:
    """Gradients go in below, means of states go up, biases come down, steps come out below."""
    canvas = Canvas.of(results, HEIGHT)
    center, right = sum(TENSORS) / 2, COLUMN - 5
    top = canvas.box((center, GLOBAL), UPPER, "global RNN", OPTIMIZER_FILL, VERMILLION)
    for x, coordinates in TENSORS.items():
        _draw_tensor(canvas, x, coordinates, (center, GLOBAL), top)
    for y, text in (
        (GLOBAL, "one"),
        (TENSOR, "one for each\ntensor"),
        (PARAMETER, "one for each\ncoordinate"),
    ):
        canvas.note((right, y), text, "right", GREY)
    between = (GLOBAL + TENSOR) / 2
    canvas.note((center - 48, between + 9), "means", "right", BLUE)
    canvas.note((center, between - 6), "biases", color=VERMILLION)
    for y, symbol, text in (
        (54, r"$\nabla$", GOES_IN),
        (20, "$g$", COMES_OUT),
    ):
        canvas.note((12, y + 6), symbol)
        canvas.note((24, y), text, "left")
    return canvas.figure


def _draw_tensor(
    canvas: Canvas, x: float, coordinates: tuple[float, ...], above: Point, top: Patch
) -> None:
    """A tensor RNN over the parameter RNNs of its coordinates, with what goes in and comes out."""
    place = (x, TENSOR)
    own = canvas.box(place, UPPER, "tensor RNN", OPTIMIZER_FILL, VERMILLION)
    _draw_both_ways(canvas, place, above, own, top)
    width = coordinates[-1] - coordinates[0] + CELL[0] + 10
    canvas.box((x, PARAMETER), (width, CELL[1] + 10), "", OPTIMIZER_TINT, "none")
    for shift in coordinates:
        place = (x + shift, PARAMETER)
        cell = canvas.box(place, CELL, "RNN", OPTIMIZER_FILL, VERMILLION)
        _draw_both_ways(canvas, place, (x + shift / 2, TENSOR), cell, own)
        enter, leave = (place[0] - APART - 2, EDGE), (place[0] + APART + 2, EDGE)
        canvas.arrow(enter, (enter[0], PARAMETER), None, cell)
        canvas.arrow((leave[0], PARAMETER), leave, cell)
        for (column, _), symbol in ((enter, r"$\nabla$"), (leave, "$g$")):
            canvas.axes.text(column, EDGE - 10, symbol, ha="center", va="center")


def _draw_both_ways(canvas: Canvas, low: Point, high: Point, lower: Patch, upper: Patch) -> None:
    """Means up, biases down."""
    up, down = [((low[0] + s, low[1]), (high[0] + s, high[1])) for s in (-APART, APART)]
    canvas.arrow(*up, lower, upper, BLUE, width=1.0)
    canvas.arrow(down[1], down[0], upper, lower, VERMILLION, dashed=True, width=1.0)


FIGURE = Figure(
    name="hierarchical_diagram",
    title="Networks above networks: the hierarchical RNN",
    caption="The hierarchical RNN of Wichrowska et al. (2017), an optimizer in which parameters "
    "know of each other. Each coordinate of θ has a small network of its own. Means of their "
    "memories go up to a network for each tensor, for example for the weights of a layer, and from "
    "these to one for everything. What those know comes down as biases; from the global one to the "
    "bottom too, which is not drawn. On each level all networks share their weights.",
    drawn_by=draw,
    study="hierarchical",
)

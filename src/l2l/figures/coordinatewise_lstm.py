"""Figure `coordinatewise_lstm` (figure 3 of the paper): one LSTM for all coordinates of theta."""

from __future__ import annotations

from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from l2l.figures.base import Figure
from l2l.figures.diagram import OPTIMIZER_FILL, OPTIMIZER_TINT, PROBLEM_FILL, Canvas
from l2l.figures.style import VERMILLION
from l2l.results import Results

HEIGHT = 284.0
ROWS = {"1": 191.0, "2": 119.0, "n": 22.0}  # index of the coordinate -> height of its row
FUNCTION, GRADIENT, INPUT, LSTM, PLUS, RESULT = 15.0, 56.0, 103.0, 181.0, 258.0, 304.0  # columns
CELL = (50.0, 24.0)


def draw(results: Results) -> Drawing:
    """One step of the optimizer: shared weights, a state of its own for each coordinate."""
    top, bottom = max(ROWS.values()), min(ROWS.values())
    canvas = Canvas.of(results, HEIGHT)
    canvas.box(
        (LSTM, (HEIGHT + bottom - 20) / 2),
        (CELL[0] + 46, HEIGHT - bottom + 16),
        fill=OPTIMIZER_TINT,
        edge="none",
    )
    center = (FUNCTION, (top + bottom) / 2)
    function = canvas.box(center, (24, top - bottom + 36), "$f$", PROBLEM_FILL)
    for index, y in ROWS.items():
        _draw_row(canvas, index, y, function)
    for x in (GRADIENT, INPUT, LSTM, PLUS, RESULT):
        canvas.axes.text(x, ROWS["2"] - 33, r"$\vdots$", ha="center", va="center")
    for x, text in (
        (FUNCTION + 16, "gradient"),
        (INPUT, "preprocess,\neq. (6)"),
        (LSTM, "shared weights $\\phi$,\nown states $h$"),
        ((PLUS + RESULT) / 2, "update,\neq. (1)"),
    ):
        canvas.note((x, HEIGHT - 17), text)
    return canvas.figure


def _draw_row(canvas: Canvas, index: str, y: float, function: Patch) -> None:

    def formula(symbol: str, step: str = "t") -> str:
        return rf"${symbol}_{{{step}}}^{{({index})}}$"

    gradient = canvas.node((GRADIENT, y), formula(r"\nabla\!"), PROBLEM_FILL)
    prepared = canvas.box((INPUT, y), (30, 28))
    canvas.note((INPUT, y), "log\nsign")
    cell = canvas.box((LSTM, y), CELL, "LSTM", OPTIMIZER_FILL, edge=VERMILLION)
    canvas.state_loop((LSTM, y), CELL, (11, 16), formula("h"))
    plus = canvas.node((PLUS, y), "$+$", "white", radius=7)
    result = canvas.node((RESULT, y), formula(r"\theta", "t{+}1"), PROBLEM_FILL)
    previous = canvas.node((PLUS, y + 36), formula(r"\theta"), PROBLEM_FILL)
    canvas.arrow((FUNCTION, y), (GRADIENT, y), function, gradient)
    canvas.arrow((GRADIENT, y), (INPUT, y), gradient, prepared)
    canvas.arrow((INPUT, y), (LSTM, y), prepared, cell)
    canvas.arrow((LSTM, y), (PLUS, y), cell, plus)
    canvas.arrow((PLUS, y + 36), (PLUS, y), previous, plus)
    canvas.arrow((PLUS, y), (RESULT, y), plus, result)
    canvas.note((LSTM + CELL[0] / 2 + 32, y - 10), formula("g"))


FIGURE = Figure(
    name="coordinatewise_lstm",
    title="One small LSTM for all coordinates",
    caption="Each coordinate of θ has its own gradient and its own state h, but all share the same "
    "weights φ. So one small set of weights serves any number of parameters.",
    drawn_by=draw,
)

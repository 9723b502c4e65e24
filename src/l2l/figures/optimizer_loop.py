"""Figure `optimizer_loop` (figure 1 of the paper): optimizer and problem in their loop."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure as Drawing

from l2l.figures.base import Figure
from l2l.figures.diagram import OPTIMIZER_FILL, OPTIMIZER_TINT, PROBLEM_TINT, Canvas
from l2l.figures.style import BLUE, VERMILLION
from l2l.results import Results

HEIGHT = 134.0
LEFT, RIGHT, MIDDLE = 58.0, 267.0, 67.0  # centres of the two boxes
BOX = (108.0, 126.0)


def draw(results: Results) -> Drawing:
    """The loop: error signals to the optimizer, parameter updates to the problem."""
    canvas = Canvas.of(results, HEIGHT)
    learned = canvas.box((LEFT, MIDDLE), BOX, fill=OPTIMIZER_TINT, edge=VERMILLION)
    problem = canvas.box((RIGHT, MIDDLE), BOX, fill=PROBLEM_TINT, edge=BLUE)
    _draw_optimizer(canvas)
    _draw_problem(canvas)
    upper, lower = MIDDLE + 30, MIDDLE - 30
    canvas.arrow((RIGHT, upper), (LEFT, upper), problem, learned, width=1.4)
    canvas.arrow((LEFT, lower), (RIGHT, lower), learned, problem, width=1.4)
    middle = (LEFT + RIGHT) / 2
    canvas.note((middle, upper + 11), "error signal")
    canvas.note((middle, upper - 13), r"$\nabla_t=\nabla_{\theta}f(\theta_t)$")
    canvas.note((middle, lower + 12), "updates")
    canvas.note((middle, lower - 13), r"$\theta_{t{+}1}=\theta_t+g_t$")
    return canvas.figure


def _draw_optimizer(canvas: Canvas) -> None:
    canvas.axes.text(LEFT, MIDDLE + 50, "Optimizer", ha="center", va="center", weight="bold")
    size, center = (34.0, 24.0), (LEFT, MIDDLE - 2)
    canvas.box(center, size, "$m$", OPTIMIZER_FILL)
    canvas.state_loop(center, size, (12, 14), "$h_t$")
    canvas.note((LEFT, MIDDLE - 30), r"weights $\phi$, state $h_t$")
    canvas.note((LEFT, MIDDLE - 48), r"$(g_t,h_{t{+}1})=m(\nabla_t,h_t,\phi)$")


def _draw_problem(canvas: Canvas) -> None:
    canvas.axes.text(RIGHT, MIDDLE + 50, "Optimizee", ha="center", va="center", weight="bold")
    inset = canvas.axes.inset_axes(
        (RIGHT - 48, MIDDLE - 38, 96, 78), transform=canvas.axes.transData
    )
    inset.set_axis_off()
    hessian, path = np.array([[0.5, 0.5], [0.5, 3.2]]), [np.array([-1.7, 0.2])]
    for _ in range(10):
        path.append(path[-1] - 0.5 * hessian @ path[-1])
    x, y = np.meshgrid(np.linspace(-2.1, 2.1, 141), np.linspace(-1.2, 1.2, 81))
    theta = np.stack([x, y], axis=-1)
    height = np.einsum("...i,ij,...j->...", theta, hessian, theta) / 2
    levels = [0.02, 0.1, 0.25, 0.5, 0.8]
    inset.contour(x, y, height, levels=levels, colors=BLUE, linewidths=0.5, alpha=0.7)
    inset.plot(*np.transpose(path), color=VERMILLION, linewidth=1, marker="o", markersize=2)
    canvas.note((RIGHT, MIDDLE - 48), r"$f(\theta)$, parameters $\theta$")


FIGURE = Figure(
    name="optimizer_loop",
    title="Optimizer and problem",
    caption="The idea. The problem is a function f with parameters θ. It hands its gradient to the "
    "optimizer, which hands back an update of θ. Here the optimizer is itself a neural network "
    "with a memory h and weights φ, and φ is learned.",
    drawn_by=draw,
)

"""Figure `optimizer_loop` (figure 1 of the paper): optimizer and optimizee in their loop."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from l2l.figures import diagram
from l2l.figures.base import Figure
from l2l.figures.style import BLUE, VERMILLION
from l2l.results import Results

HEIGHT = 134.0
LEFT, RIGHT, MIDDLE = 58.0, 267.0, 67.0  # centres of the two boxes
BOX = (108.0, 126.0)


def draw(results: Results) -> Drawing:
    """The loop: error signals to the optimizer, parameter updates to the optimizee."""
    figure, axes = diagram.canvas(results.config.figures, HEIGHT)
    learned = diagram.box(axes, (LEFT, MIDDLE), BOX, fill=diagram.OPTIMIZER_TINT, edge=VERMILLION)
    problem = diagram.box(axes, (RIGHT, MIDDLE), BOX, fill=diagram.OPTIMIZEE_TINT, edge=BLUE)
    _draw_optimizer(axes)
    _draw_optimizee(axes)
    upper, lower = MIDDLE + 30, MIDDLE - 30
    diagram.arrow(axes, (RIGHT, upper), (LEFT, upper), problem, learned, width=1.4)
    diagram.arrow(axes, (LEFT, lower), (RIGHT, lower), learned, problem, width=1.4)
    middle = (LEFT + RIGHT) / 2
    diagram.note(axes, (middle, upper + 11), "error signal")
    diagram.note(axes, (middle, upper - 13), r"$\nabla_t=\nabla_{\theta}f(\theta_t)$")
    diagram.note(axes, (middle, lower + 12), "updates")
    diagram.note(axes, (middle, lower - 13), r"$\theta_{t{+}1}=\theta_t+g_t$")
    return figure


def _draw_optimizer(axes: Axes) -> None:
    """Its name and equation (3), around the recurrent cell whose state returns to it."""
    axes.text(LEFT, MIDDLE + 50, "Optimizer", ha="center", va="center", weight="bold")
    size, center = (34.0, 24.0), (LEFT, MIDDLE - 2)
    diagram.box(axes, center, size, "$m$", diagram.OPTIMIZER_FILL)
    diagram.state_loop(axes, center, size, (12, 14), "$h_t$")
    diagram.note(axes, (LEFT, MIDDLE - 30), r"weights $\phi$, state $h_t$")
    diagram.note(axes, (LEFT, MIDDLE - 48), r"$(g_t,h_{t{+}1})=m(\nabla_t,h_t,\phi)$")


def _draw_optimizee(axes: Axes) -> None:
    """Its name over the contours of a quadratic, with a path that descends on it."""
    axes.text(RIGHT, MIDDLE + 50, "Optimizee", ha="center", va="center", weight="bold")
    inset = axes.inset_axes((RIGHT - 48, MIDDLE - 38, 96, 78), transform=axes.transData)
    inset.set_axis_off()
    path = descend(np.array([-1.7, 0.2]), steps=10, learning_rate=0.5)
    x, y = np.meshgrid(np.linspace(-2.1, 2.1, 141), np.linspace(-1.2, 1.2, 81))
    height = _quadratic(np.stack([x, y], axis=-1))
    levels = [0.02, 0.1, 0.25, 0.5, 0.8]
    inset.contour(x, y, height, levels=levels, colors=BLUE, linewidths=0.5, alpha=0.7)
    inset.plot(*path.T, color=VERMILLION, linewidth=1, marker="o", markersize=2)
    diagram.note(axes, (RIGHT, MIDDLE - 48), r"$f(\theta)$, parameters $\theta$")


HESSIAN = np.array([[0.5, 0.5], [0.5, 3.2]])


def _quadratic(theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """theta' H theta / 2 of points [..., 2]."""
    return np.asarray(np.einsum("...i,ij,...j->...", theta, HESSIAN, theta) / 2)


def descend(start: NDArray[np.float64], steps: int, learning_rate: float) -> NDArray[np.float64]:
    """Gradient descent on the quadratic of the drawing.

    Args:
        start: theta[0], [2].
        steps: number of updates.
        learning_rate: their size.

    Returns:
        All points, [steps + 1, 2].
    """
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * HESSIAN @ path[-1])
    return np.stack(path)


FIGURE = Figure(
    name="optimizer_loop",
    title="Optimizer and problem",
    caption="The idea. The problem is a function f with parameters θ. It hands its gradient to the "
    "optimizer, which hands back an update of θ. Here the optimizer is itself a neural network "
    "with a memory h and weights φ, and φ is learned.",
    drawn_by=draw,
)

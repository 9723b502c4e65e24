"""The graph of figure 2 is the program's own: autograd's record of three steps has its arrows."""

import torch
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch
from tests.figures.fake_results import fake
from torch import Tensor
from torch.autograd.graph import get_gradient_edge

from l2l.config import load_config
from l2l.config.problems import QuadraticSettings
from l2l.figures.computation_graph import ARROWS, DASHED, FIGURE, STEPS
from l2l.figures.style import VERMILLION
from l2l.meta.rollout import begin, rollout
from l2l.optimizers.lstm import lstm_step
from l2l.optimizers.weights import initial_phi, make_optimizer
from l2l.problems.quadratic import QuadraticFamily
from l2l.rng import stream

Node = tuple[str, int]
Edges = set[tuple[Node, Node]]


def drawn() -> tuple[Edges, Edges]:
    """Edges between named tensors, solid and dashed: without the functions + and m."""
    solid, dashed = set(), set()
    for step in STEPS:
        for source, target, later in ARROWS:
            into = [one for one, function, _ in ARROWS if function == source]
            for start in into if source in "+m" else [source]:
                edge = ((start, step), (target, step + later))
                if target not in "+m":
                    (dashed if (source, target) == DASHED else solid).add(edge)
    return solid, dashed


def unrolled(second_derivatives: bool) -> dict[Node, list[Tensor]]:
    """The tensors of three steps, equations (1) and (3); h has two, hidden and cell."""
    quadratic = QuadraticSettings(kind="quadratic", dimensions=3, init_std=1.0)
    problem = QuadraticFamily(quadratic, 0, torch.device("cpu")).sample(("figure",), [0], 3)
    kind = load_config().recipes["quadratics_lstm"].optimizer
    optimizer = make_optimizer(kind, initial_phi(kind, stream(0, "figure")))
    theta = problem.initial().requires_grad_()
    state = optimizer.init(theta.detach())
    hidden, cell = state.hidden.requires_grad_(), state.cell.requires_grad_()
    named = {("theta", STEPS[0]): [theta], ("h", STEPS[0]): [hidden, cell]}
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
        named |= {("f", step): [loss], ("grad", step): [gradient], ("g", step): [update]}
        named |= {("h", step + 1): [hidden, cell], ("theta", step + 1): [theta]}
    end = rollout(problem, optimizer, begin(problem, optimizer), 3)
    torch.testing.assert_close(theta.detach(), end.theta)  # these are the program's own steps
    return named


def recorded(named: dict[Node, list[Tensor]]) -> Edges:
    """From each named tensor back along autograd's record to the nearest named ones."""
    owner = {get_gradient_edge(t).node: node for node, tensors in named.items() for t in tensors}
    edges, seen = set(), set()
    pending = list(owner.items())
    while pending:
        record, target = pending.pop()
        for parent, _ in record.next_functions:
            if parent in owner:
                edges.add((owner[parent], target))
            elif parent is not None and (parent, target) not in seen:
                seen.add((parent, target))
                pending.append((parent, target))
    return edges


def test_the_edges_are_those_that_autograd_recorded() -> None:
    solid, dashed = drawn()
    assert recorded(unrolled(second_derivatives=False)) == solid
    assert recorded(unrolled(second_derivatives=True)) == solid | dashed


def test_the_figure_has_an_arrow_for_each_edge_and_dashes_three() -> None:
    axes = FIGURE.draw(fake()).axes[0]
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    dashed = [arrow for arrow in arrows if to_hex(arrow.get_edgecolor()) == VERMILLION.lower()]
    # a step: theta to f, grad, +; grad and h to m; m to g and h; g to +; + to theta. Key: one each
    assert len(arrows) == 3 * 9 + 2
    assert len(dashed) == 3 + 1
    assert all(arrow.get_linestyle() != "solid" for arrow in dashed)

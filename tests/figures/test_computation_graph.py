"""The computational graph is the program's own, and it is the one of the paper's figure 2."""

import torch
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch
from tests.figures.fake_results import fake

from l2l.figures.computation_graph import FIGURE, Edge, Node, edges_between, pieces, trace, unroll
from l2l.figures.style import VERMILLION
from l2l.meta.rollout import begin, rollout


def paper_edges() -> set[Edge]:
    """Figure 2: written down from equations (1), (3) and (5), step by step."""
    edges = set()
    for step in (-2, -1, 0):
        theta, h, grad, g = (Node(symbol, step) for symbol in ("theta", "h", "grad", "g"))
        edges |= {
            Edge(theta, Node("f", step), False),
            Edge(theta, grad, True),
            Edge(theta, Node("theta", step + 1), False),
            Edge(g, Node("theta", step + 1), False),
            *(Edge(source, g, False) for source in (grad, h)),
            *(Edge(source, Node("h", step + 1), False) for source in (grad, h)),
        }
    return edges


def test_the_traced_edges_are_those_of_the_paper() -> None:
    edges = trace()
    assert len(edges) == len(set(edges))
    assert set(edges) == paper_edges()


def test_no_gradient_flows_where_an_edge_is_dashed_when_second_derivatives_are_dropped() -> None:
    kept, dropped = unroll(second_derivatives=True), unroll(second_derivatives=False)
    for step in (-2, -1, 0):
        theta, grad = Node("theta", step), Node("grad", step)
        (flow,) = torch.autograd.grad(
            kept[grad][0].sum(), kept[theta][0], retain_graph=True, allow_unused=True
        )
        assert flow is not None
        assert flow.abs().sum() > 0
        assert dropped[grad][0].is_leaf


def test_keeping_second_derivatives_changes_no_value() -> None:
    kept, dropped = unroll(second_derivatives=True), unroll(second_derivatives=False)
    assert kept.keys() == dropped.keys()
    for found, tensors in kept.items():
        for one, other in zip(tensors, dropped[found], strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_the_traced_run_is_the_programs_own_rollout() -> None:
    problem, optimizer = pieces()
    end = rollout(problem, optimizer, begin(problem, optimizer), 3)
    traced = unroll(second_derivatives=True)
    torch.testing.assert_close(traced[Node("theta", 1)][0].detach(), end.theta)
    for tensor, expected in zip(
        traced[Node("h", 1)], (end.state.hidden, end.state.cell), strict=True
    ):
        torch.testing.assert_close(tensor.detach(), expected)


def test_the_walk_stops_at_the_nearest_named_tensors() -> None:
    a = torch.ones(2, requires_grad=True)
    b = torch.ones(2, requires_grad=True)
    unnamed = (a * b).exp()
    c = unnamed + a
    d = c.square().sum()
    named = {Node("theta", 0): [a], Node("h", 0): [b], Node("g", 0): [c], Node("f", 0): [d]}
    assert edges_between(named) == {
        (Node("theta", 0), Node("g", 0)),
        (Node("h", 0), Node("g", 0)),
        (Node("g", 0), Node("f", 0)),
    }


def test_the_figure_has_an_arrow_for_each_edge_and_dashes_three() -> None:
    axes = FIGURE.draw(fake()).axes[0]
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    dashed = [arrow for arrow in arrows if to_hex(arrow.get_edgecolor()) == VERMILLION.lower()]
    # a step: theta to f, grad, +; grad and h to m; m to g and h; g to +; + to theta. Key: one each
    assert len(arrows) == 3 * 9 + 2
    assert len(dashed) == 3 + 1
    assert all(arrow.get_linestyle() != "solid" for arrow in dashed)

"""The computational graph of three inner steps, read from autograd's own record of a real run.

The problem, the optimizer's features and its LSTM step are the project's own. The steps are
unrolled twice, with second derivatives kept and dropped. In each record one walks from every named
tensor against the flow to the nearest named tensors. Edges in both records are solid in the figure;
edges that appear only when second derivatives are kept are dashed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from l2l.config.optimizers import LSTMSettings, ParameterGroup
from l2l.config.problems import QuadraticSettings
from l2l.optimizers.lstm import CoordinatewiseLSTM, lstm_step
from l2l.optimizers.weights import initial_phi
from l2l.problems.quadratic import Quadratic, QuadraticFamily
from l2l.rng import stream

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


def trace() -> list[Edge]:
    """Edges of the unrolled graph, sorted."""
    kept = edges_between(unroll(second_derivatives=True))
    dropped = edges_between(unroll(second_derivatives=False))
    return sorted(Edge(*pair, dashed=pair not in dropped) for pair in kept | dropped)


def pieces() -> tuple[Quadratic, CoordinatewiseLSTM]:
    """The problem and the untrained optimizer of the traced run, small: the graph has no sizes."""
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
    return torch.autograd.graph.get_gradient_edge(tensor).node


def _parents(record: Any) -> list[Any]:
    return [parent for parent, _ in record.next_functions if parent is not None]

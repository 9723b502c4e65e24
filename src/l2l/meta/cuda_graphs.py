"""The inner step on a GPU, as CUDA graphs.

A step is tens to hundreds of small kernels. The CPU needs up to twenty times as long to launch them
one by one as they run. A graph is captured once and launches them together. There is one for each
half of the step, the learned optimizer's update and the problem's loss and gradient, as functions
of tensors. The graphs are kept while the problems stay the same, over an episode's windows.
L2L_GRAPHS=0 turns this off. Only one thread at a time may use this module.
"""

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from l2l.optimizers.base import Optimizer, map_state
from l2l.problems.base import Problem

CALLS_BEFORE = 2
"""Plain calls before one is captured: in them libraries choose and load their kernels."""

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]


class Captured:
    """A function of tensors on a GPU, captured at its third call and replayed from then on.

    The function only launches kernels: it asks for no value of a tensor, and its course depends on
    shapes and dtypes alone. A function that does more is called each time, and a line says so.

    Args:
        name: of the function in that line.
    """

    def __init__(self, name: str) -> None:
        self._name, self._calls = name, 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []

    def __call__(self, function: Function, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """The function's values, in memory of their own; the function is the same in each call.

        The function is not an attribute: a reference back to its owner would keep graphs until
        Python's garbage collection.
        """
        self._calls += 1
        if self._calls == CALLS_BEFORE + 1 and self._name not in _refused and _wanted():
            self._capture(function, inputs)
        if self._graph is None or list(map(_kind, inputs)) != list(map(_kind, self._inputs)):
            return function(inputs)
        torch._foreach_copy_(self._inputs, list(inputs))
        self._graph.replay()
        copies = [torch.empty_like(output) for output in self._outputs]
        torch._foreach_copy_(copies, self._outputs)
        return copies

    def _capture(self, function: Function, inputs: Sequence[Tensor]) -> None:
        device = inputs[0].device
        place, here = _place(device), torch.cuda.current_stream(device)
        own, outputs = [value.clone() for value in inputs], []
        graph = torch.cuda.CUDAGraph()
        place.stream.wait_stream(here)
        try:
            with torch.cuda.device(device), torch.cuda.stream(place.stream):
                graph.capture_begin(pool=place.pool)
                try:
                    outputs = list(function(own))
                finally:
                    graph.capture_end()
        except RuntimeError as error:
            reason = str(error.__context__ or error).partition("\n")[0]
            print(f"l2l: {self._name} runs kernel by kernel: {reason}", file=sys.stderr)
            _refused.add(self._name)
        else:
            self._inputs, self._outputs, self._graph = own, outputs, graph
        finally:
            if self._graph is None:  # the allocator's record of the place may be wrong now
                _place.cache_clear()
            here.wait_stream(place.stream)


_refused: set[str] = set()


def _wanted() -> bool:
    return os.environ.get("L2L_GRAPHS", "") != "0"


def _kind(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.shape, tensor.dtype, tensor.device


@dataclass(frozen=True)
class _Place:
    """Where a device's graphs are captured: one stream, and one memory that all share.

    They can share it, as one runs at a time and outputs are copied. An empty graph keeps it alive.
    """

    stream: torch.cuda.Stream
    pool: Any
    empty: torch.cuda.CUDAGraph


@functools.cache
def _place(device: torch.device) -> _Place:
    place = _Place(
        torch.cuda.Stream(device), torch.cuda.graph_pool_handle(), torch.cuda.CUDAGraph()
    )
    with torch.cuda.device(device), torch.cuda.stream(place.stream), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is empty
        place.empty.capture_begin(pool=place.pool)
        place.empty.capture_end()
    return place


class InnerStep:
    """Both halves of the inner step: called twice, then captured.

    Args:
        problems: the problem.
        optimizer: it is called each time, without a graph, if it is hand-crafted, draws random
            numbers, or has a state of more than tensors and tuples.
    """

    def __init__(self, problems: Problem, optimizer: Any) -> None:
        self.problems, self.structure = problems, _structure(optimizer)
        self._template: Any = optimizer  # the graph is of this one, but for its phi
        self._update = Captured(f"the update of {type(optimizer).__name__}")
        self._loss = Captured(f"the gradient of {type(problems).__name__}")
        self.follow(optimizer)

    def follow(self, optimizer: Any) -> None:
        """Continue with an optimizer of the same structure, perhaps with other weights."""
        self._current: Any = optimizer
        self._weights: list[Tensor] = []
        if _is_learned(optimizer):
            self._weights = [self._current.phi[name] for name in self._template.phi]

    def update(self, gradient: Tensor, state: Any, reuse: bool) -> tuple[Tensor, Any]:
        """See `Optimizer.update`."""
        parts: list[Any] = []
        form = map_state(state, parts.append)
        if not self._weights or not all(isinstance(part, Tensor) for part in parts):
            return self._current.update(gradient, state, reuse)

        def function(inputs: Sequence[Tensor]) -> Sequence[Tensor]:
            values = iter(inputs)
            phi = {name: next(values) for name in self._template.phi}
            gradient, before = next(values), map_state(form, lambda _: next(values))
            step, after = self._template.with_phi(phi).update(gradient, before)
            map_state(after, (outputs := [step]).append)
            return outputs

        step, *after = self._update(function, [*self._weights, gradient, *parts])
        values = iter(after)
        return step, map_state(form, lambda _: next(values))

    def loss_and_gradient(self, theta: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """See `Problem.loss_and_gradient`."""
        number = torch.full((), step, device=theta.device)
        loss, gradient = self._loss(
            lambda inputs: self.problems.loss_and_gradient(*inputs), [theta, number]
        )
        return loss, gradient


_last: list[InnerStep] = []


def captured_step(problems: Problem, optimizer: Optimizer) -> InnerStep:
    """The step of these problems and of optimizers like this one; kept from the last call."""
    same = _last and _last[0].problems is problems
    if same and _last[0].structure == _structure(optimizer):
        _last[0].follow(optimizer)
    else:
        _last[:] = [InnerStep(problems, optimizer)]
    return _last[0]


def _structure(optimizer: Any) -> Any:
    """What the graph of an optimizer depends on besides the values of phi, to be compared."""
    return _without_phi(optimizer) if _is_learned(optimizer) else None


def _is_learned(optimizer: Any) -> bool:
    """Whether it has weights phi; then its update is a function of phi, gradient and state."""
    return hasattr(optimizer, "phi")


def _without_phi(thing: Any) -> Any:
    if isinstance(thing, Tensor):
        return _Constant(thing)
    if isinstance(thing, dict):
        return {name: _without_phi(value) for name, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [_without_phi(value) for value in thing]
    if is_dataclass(thing):
        weights = {name: _kind(weight) for name, weight in getattr(thing, "phi", {}).items()}
        rest = [field.name for field in fields(thing) if field.name != "phi"]
        return type(thing), weights, {name: _without_phi(getattr(thing, name)) for name in rest}
    return thing


class _Constant:
    """A tensor that is compared by its values."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Constant) or _kind(self._tensor) != _kind(other._tensor):
            return False
        return self._tensor is other._tensor or torch.equal(self._tensor, other._tensor)

    __hash__ = None  # type: ignore[assignment]

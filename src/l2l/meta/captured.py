"""The inner step on a GPU, as CUDA graphs.

A step is tens to hundreds of small kernels, and to launch them one by one takes the CPU ten times
as long as they run. Captured once, they are launched together. What is captured are the two halves
of the step, the learned optimizer's update and the optimizee's loss and gradient, as functions of
tensors; they are kept for as long as the problems stay the same, over the windows of an episode.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from l2l.optimizees.base import Optimizee
from l2l.optimizers import GroupedLSTM, LearnedOptimizer, Optimizer
from l2l.optimizers.population import Population

CALLS_BEFORE = 2
"""Calls as they are, before one is captured: libraries choose and load their kernels in them."""

CAPTURED = (LearnedOptimizer, GroupedLSTM, Population)
"""Optimizers whose update is a function of phi, gradient and state, all of them tensors."""

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]


class Captured:
    """A function of tensors on a GPU, captured at its third call and replayed from then on.

    Args:
        function: launches kernels alone: it asks for no value of a tensor. One that does is not
            captured but called, and a line says so.
        name: what it is called there.
    """

    def __init__(self, function: Function, name: str) -> None:
        self._function, self._name = function, name
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []

    def __call__(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """The function's values, in memory of their own."""
        self._calls += 1
        if self._calls == CALLS_BEFORE + 1:
            self._capture(inputs)
        if self._graph is None:
            return self._function(inputs)
        torch._foreach_copy_(self._inputs, list(inputs))
        self._graph.replay()
        found = [torch.empty_like(output) for output in self._outputs]
        torch._foreach_copy_(found, self._outputs)
        return found

    def _capture(self, inputs: Sequence[Tensor]) -> None:
        own = [value.clone() for value in inputs]
        if not _place:
            _place.append((torch.cuda.Stream(), torch.cuda.graph_pool_handle()))
        (aside, pool), here = _place[0], torch.cuda.current_stream()
        graph, outputs = torch.cuda.CUDAGraph(), []
        aside.wait_stream(here)
        try:
            with torch.cuda.stream(aside):
                graph.capture_begin(pool=pool)
                try:
                    outputs = list(self._function(own))
                finally:
                    graph.capture_end()
        except RuntimeError as error:
            reason = str(error.__context__ or error).splitlines()[0]
            print(f"l2l: {self._name} runs kernel by kernel: {reason}", file=sys.stderr)
        else:
            self._inputs, self._outputs, self._graph = own, outputs, graph
        finally:
            if self._graph is None:  # what the allocator knows of them may be wrong from now on
                _place.clear()
            here.wait_stream(aside)


_place: list[tuple[torch.cuda.Stream, Any]] = []
"""Where everything is captured: one stream, and one memory that all graphs share, as one runs at a
time and outputs are copied."""


class InnerStep:
    """Both halves of the inner step: as they are, or captured.

    Args:
        problems: the optimizee.
        optimizer: hand-crafted ones, and what draws random numbers, are not captured.
    """

    def __init__(self, problems: Optimizee, optimizer: Optimizer) -> None:
        self.problems, self.structure = problems, _structure(optimizer)
        self._optimizer = self._current = optimizer
        self._state: Any = None  # what a state looks like
        self._weights: list[Tensor] = []
        self._update = Captured(self._updated, f"the update of {type(optimizer).__name__}")
        name = f"the gradient of {type(problems).__name__}"
        self._loss = Captured(self._loss_and_gradient, name)

    def follow(self, optimizer: Optimizer) -> None:
        """Go on with an optimizer of the same structure, perhaps with other weights."""
        self._current = optimizer
        if isinstance(optimizer, CAPTURED):
            self._weights = list(optimizer.phi.values())

    def update(self, gradient: Tensor, state: Any, reuse: bool) -> tuple[Tensor, Any]:
        """See `Optimizer.update`."""
        if not self._weights:
            return self._current.update(gradient, state, reuse)
        self._state = state
        step, *after = self._update([*self._weights, gradient, *leaves(state)])
        return step, like(state, iter(after))

    def loss_and_gradient(self, theta: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """See `Optimizee.loss_and_gradient`."""
        number = torch.full((), step, device=theta.device)
        loss, gradient = self._loss([theta, number])
        return loss, gradient

    def _updated(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        values = iter(inputs)
        optimizer: Any = self._optimizer
        optimizer = optimizer.with_phi({name: next(values) for name in optimizer.phi})
        gradient = next(values)
        step, after = optimizer.update(gradient, like(self._state, values))
        return [step, *leaves(after)]

    def _loss_and_gradient(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        theta, step = inputs
        return self.problems.loss_and_gradient(theta, step)


_last: list[InnerStep] = []


def captured_step(problems: Optimizee, optimizer: Optimizer) -> InnerStep:
    """The step of these problems and of optimizers like this one: the last one's, if it is."""
    fits = _last and _last[0].problems is problems
    if not fits or _last[0].structure != _structure(optimizer):
        _last[:] = [InnerStep(problems, optimizer)]
    _last[0].follow(optimizer)
    return _last[0]


def leaves(tree: Any) -> Iterator[Tensor]:
    """The tensors of a state: a tensor, or a tuple of states."""
    if isinstance(tree, Tensor):
        yield tree
    else:
        for part in tree:
            yield from leaves(part)


def like(tree: Any, values: Iterator[Tensor]) -> Any:
    """A state that looks like `tree`, of other tensors."""
    if isinstance(tree, Tensor):
        return next(values)
    parts = [like(part, values) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def _structure(optimizer: Any) -> Any:
    """What the graph of an optimizer depends on besides the values of tensors, to be compared."""
    return _without_values(optimizer) if isinstance(optimizer, CAPTURED) else None


def _without_values(thing: Any) -> Any:
    if isinstance(thing, Tensor):
        return thing.shape, thing.dtype
    if isinstance(thing, dict):
        return {name: _without_values(value) for name, value in thing.items()}
    if isinstance(thing, tuple):
        return [_without_values(value) for value in thing]
    if is_dataclass(thing):
        return type(thing), [_without_values(getattr(thing, field.name)) for field in fields(thing)]
    return thing

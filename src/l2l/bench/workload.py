"""The workload: meta-training episodes of a recipe, and one window of them for the kernels."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from l2l import kernels
from l2l.bench.plain import CellOptimizer, ColumnOptimizer, PlainMetaTraining, PlainOptimizer
from l2l.config.recipes import Recipe
from l2l.estimators.adjoint import roll_window
from l2l.kernels import implementation
from l2l.kernels.interface import sizes
from l2l.meta.cuda_graphs import Captured, InnerStep
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.meta.train import Training, train_episode
from l2l.optimizers import CoordinatewiseLSTM
from l2l.optimizers.handcrafted import SGD
from l2l.problems import Family, live_part

EPISODES_BEFORE = 2  # of meta-training, so that the window is not that of an untrained phi
META_LEARNING_RATE = 3e-3


class MetaTraining:
    """Episodes of a recipe, one after the other."""

    def __init__(self, training: Training, family: Family) -> None:
        self._training, self._family = training, family
        self._state = training.begin(0)
        for _ in range(EPISODES_BEFORE):
            self.episode()

    def episode(self) -> None:
        """Everything that meta-training does in an episode."""
        train_episode(self._training, self._family, self._state)

    @property
    def optimizer(self) -> CoordinatewiseLSTM:
        """The learned optimizer as it stands."""
        optimizer = self._training.optimizer(self._state.phi)
        assert isinstance(optimizer, CoordinatewiseLSTM)  # the command sees to it
        return optimizer


@dataclass(frozen=True)
class KernelWindow:
    """What the kernels get in a window.

    Attributes:
        phi: the optimizer's parameters.
        inputs: [steps, coordinates, inputs].
        state: before the first step.
        cotangents: [steps, coordinates].
    """

    phi: kernels.Phi
    inputs: Tensor
    state: kernels.State
    cotangents: Tensor

    def forward(self) -> None:
        """The forward kernel, step by step; on a GPU as a graph, as meta-training has it."""
        state = self.state
        for step, inputs in enumerate(self.inputs):
            if inputs.is_cuda:
                _, *parts = self._captured(self._step, [inputs, state.hidden, state.cell])
                state = kernels.LSTMState(*parts)
            else:
                _, state = kernels.forward_step(self.phi, inputs, state, reuse=step > 0)

    @functools.cached_property
    def _captured(self) -> Captured:
        return Captured("the forward kernel")

    def _step(self, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
        inputs, hidden, cell = tensors
        before = kernels.LSTMState(hidden, cell)
        output, after = kernels.forward_step(self.phi, inputs, before)
        return [output, after.hidden, after.cell]

    def backward(self) -> kernels.Phi:
        """The backward kernel."""
        return kernels.backward_window(self.phi, self.inputs, self.state, self.cotangents)

    @property
    def active(self) -> int:
        """How many coordinates the backward pass does not skip."""
        return int((self.cotangents != 0).any(dim=0).sum())

    def error(self) -> float:
        """The relative error of the backward kernel, against autograd through torch.nn in float64.

        The largest over the tensors of phi, each as the norm of the difference over the norm.
        """
        size = sizes(self.phi)
        lstm = nn.LSTM(size.inputs, size.units, size.layers)
        modules = nn.ModuleDict({"lstm": lstm, "head": nn.Linear(size.units, 1)})
        modules = modules.to(self.inputs.device, torch.float64)
        modules.load_state_dict({name: weight.double() for name, weight in self.phi.items()})
        before = (self.state.hidden.double(), self.state.cell.double())
        sequence, _ = modules["lstm"](self.inputs.double(), before)
        exact = dict(modules.named_parameters())
        gradients = torch.autograd.grad(
            modules["head"](sequence)[..., 0], list(exact.values()), self.cotangents.double()
        )
        own = self.backward()
        return max(
            float((own[name].double() - gradient).norm() / gradient.norm())
            for name, gradient in zip(exact, gradients, strict=True)
        )

    def operations(self) -> tuple[float, float]:
        """Floating-point operations of the two kernels, those of their matrix products alone.

        A multiply-add counts as two. The backward pass recomputes the forward products, multiplies
        by the transposed weights (to the layer below, and to the step before), and makes the
        weights' gradients. Skipped coordinates are not counted, activations and biases neither.
        """
        steps, coordinates, _ = self.inputs.shape
        inputs, layers, units = sizes(self.phi)
        recurrent = layers * 4 * units * units
        below = (layers - 1) * 4 * units * units
        cell = 4 * units * inputs + below + recurrent
        backward = steps * (2 * cell + below) + (steps - 1) * recurrent
        return 2.0 * steps * coordinates * cell, 2.0 * self.active * backward


class Workload:
    """Everything that is timed: meta-training exact, sampled and plain, and its parts.

    Args:
        name: the recipe's name.
        recipe: what to train; the first stage of its unroll is kept throughout.
        family: its problems.
        seed: of all streams.
        device: where to compute.
        fraction: of the coordinates in the sampled backward pass.
    """

    def __init__(
        self,
        name: str,
        recipe: Recipe,
        family: Family,
        seed: int,
        device: torch.device,
        fraction: float,
    ) -> None:
        self.name, self.recipe, self.fraction = name, recipe, fraction
        self.unroll = min(recipe.unroll[0].window, recipe.steps)

        def meta_training(fraction: float) -> MetaTraining:
            sampling = recipe.sampling.model_copy(update={"fraction": fraction})
            own = recipe.model_copy(update={"unroll": recipe.unroll[:1], "sampling": sampling})
            streams, episodes = ("bench",), recipe.episodes
            return MetaTraining(
                Training(name, own, META_LEARNING_RATE, streams, seed, device, episodes, name),
                family,
            )

        self.exact, self.sampled = meta_training(1), meta_training(fraction)
        problems = range(recipe.problems_per_episode)
        self.problems = family.sample(("bench", recipe.problem), problems, recipe.steps)
        self.live = live_part(self.problems, train_loss=False)
        on_gpu = device.type == "cuda"
        self._inner: Any = InnerStep(self.live, SGD(META_LEARNING_RATE)) if on_gpu else self.live
        self.window = self._window()
        self.plain = self._plain(CellOptimizer)
        self.columns = self._plain(ColumnOptimizer)

    def problem(self) -> None:
        """Loss and gradient of the problem, as often as in a window."""
        theta = self.live.initial()
        for step in range(self.unroll):
            self._inner.loss_and_gradient(theta, step)

    def describe(self) -> dict[str, Any]:
        """The workload, ready for JSON."""
        size = sizes(self.window.phi)
        return {
            "recipe": self.name,
            "coordinates": self.problems.initial().numel(),
            "live_coordinates": self.live.initial().numel(),
            "active_coordinates": self.window.active,
            "layers": size.layers,
            "units": size.units,
            "unroll": self.unroll,
            "steps": self.recipe.steps,
            "dtype": str(self.window.inputs.dtype).removeprefix("torch."),
            "sampled_fraction": self.fraction,
            "kernels": implementation(self.window.inputs).__name__.rpartition(".")[2],
        }

    def _plain(self, form: type[PlainOptimizer]) -> PlainMetaTraining:
        optimizer = form(self.exact.optimizer.settings, self.window.phi)
        steps = self.recipe.steps
        return PlainMetaTraining(optimizer, self.problems, steps, self.unroll, META_LEARNING_RATE)

    def _window(self) -> KernelWindow:
        """The second window of an episode, where there are two: its first state is not zero."""
        optimizer, weights = self.exact.optimizer, loss_weights(self.recipe)
        carry = begin(self.live, optimizer)
        if self.recipe.steps >= 2 * self.unroll:
            carry = roll_window(self.live, optimizer, carry, self.unroll, weights).end
        rolled = roll_window(self.live, optimizer, carry, self.unroll, weights)
        inputs = optimizer.inputs(rolled.gradients).flatten(1, 2)
        cotangents = rolled.cotangents.flatten(1) * optimizer.settings.output_scale
        return KernelWindow(optimizer.phi, inputs, carry.state, cotangents)

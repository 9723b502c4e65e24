"""The workload: meta-training episodes of a recipe, and one window of them for the kernels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from l2l import kernels
from l2l.bench.plain import Form, PlainMetaTraining, cells, columns
from l2l.config.recipes import Recipe
from l2l.estimators.adjoint import roll_window
from l2l.kernels import implementation
from l2l.kernels.interface import sizes
from l2l.meta.cuda_graphs import Captured, InnerStep
from l2l.meta.rollout import begin
from l2l.meta.schedule import loss_weights
from l2l.meta.train import Training, train_episode
from l2l.optimizers import CoordinatewiseLSTM, NormalisedLSTM, bind
from l2l.optimizers.handcrafted import SGD
from l2l.problems import Family, live_part

EPISODES_BEFORE = 2  # of meta-training, so that the window is not that of an untrained phi
META_LEARNING_RATE = 3e-3
LSTM = CoordinatewiseLSTM | NormalisedLSTM


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
        modules["head"](sequence)[..., 0].backward(self.cotangents.double())
        own, errors = self.backward(), []
        for name, weight in modules.named_parameters():
            assert weight.grad is not None
            errors.append(float((own[name].double() - weight.grad).norm() / weight.grad.norm()))
        return max(errors)

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
    """What is timed: pieces of meta-training, each a function without arguments.

    Args:
        name: the recipe's name.
        recipe: what to train; the first stage of its unroll is kept throughout.
        family: its problems.
        seed: of all streams.
        device: where to compute.
        fraction: of the coordinates in the sampled backward pass.

    Attributes:
        pieces: name of a time -> the work, and how many inner steps it is.
        window: what the kernels get in the second window of an episode, where there are two: its
            first state is not zero.
        description: ready for JSON.
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
        unroll, steps = min(recipe.unroll[0].window, recipe.steps), recipe.steps

        def meta_training(fraction: float) -> tuple[Callable[[], None], LSTM]:
            """An episode, everything that meta-training does in it; and the optimizer as it was."""
            sampling = recipe.sampling.model_copy(update={"fraction": fraction})
            own = recipe.model_copy(update={"unroll": recipe.unroll[:1], "sampling": sampling})
            rate, episodes = META_LEARNING_RATE, recipe.episodes
            training = Training(name, own, rate, ("bench",), seed, device, episodes, name)
            state = training.begin(0)
            for _ in range(EPISODES_BEFORE):
                train_episode(training, family, state)
            optimizer = training.optimizer(state.phi)
            assert isinstance(optimizer, LSTM)  # the command sees to it
            return functools.partial(train_episode, training, family, state), optimizer

        exact, optimizer = meta_training(1)
        sampled, _ = meta_training(fraction)
        problems = range(recipe.problems_per_episode)
        whole = family.sample(("bench", recipe.problem), problems, steps)
        live = live_part(whole, train_loss=False)
        inner: Any = InnerStep(live, SGD(META_LEARNING_RATE)) if device.type == "cuda" else live

        def problem() -> None:
            theta = live.initial()
            for step in range(unroll):
                inner.loss_and_gradient(theta, step)

        optimizer = bind(optimizer, live.places())
        weights, carry = loss_weights(recipe), begin(live, optimizer)
        if steps >= 2 * unroll:
            carry = roll_window(live, optimizer, carry, unroll, weights).end
        rolled = roll_window(live, optimizer, carry, unroll, weights)
        if isinstance(optimizer, NormalisedLSTM):
            inputs = _window_of(optimizer, rolled.gradients, carry.state)
            state, scale = carry.state.cells, carry.state.scale
        else:
            inputs = optimizer.inputs(rolled.gradients).flatten(1, 2)
            state, scale = carry.state, optimizer.settings.output_scale
        cotangents = (rolled.cotangents * scale).flatten(1)
        self.window = KernelWindow(optimizer.phi, inputs, state, cotangents)

        def plain(form: Form) -> Callable[[], None]:
            settings, phi = optimizer.settings, self.window.phi
            rate = META_LEARNING_RATE
            return PlainMetaTraining(form, settings, phi, whole, steps, unroll, rate).window

        self.pieces: dict[str, tuple[Callable[[], object], int]] = {
            "plain_pytorch_ms": (plain(cells), unroll),
            "column_pytorch_ms": (plain(columns), unroll),
            "forward_ms": (self.window.forward, unroll),
            "backward_ms": (self.window.backward, unroll),
            "optimizee_ms": (problem, unroll),
            "meta_step_ms": (exact, steps),
            "meta_step_sampled_ms": (sampled, steps),
        }
        size = sizes(self.window.phi)
        self.description: dict[str, Any] = {
            "recipe": name,
            "coordinates": whole.initial().numel(),
            "live_coordinates": live.initial().numel(),
            "active_coordinates": self.window.active,
            "layers": size.layers,
            "units": size.units,
            "unroll": unroll,
            "steps": steps,
            "dtype": str(inputs.dtype).removeprefix("torch."),
            "sampled_fraction": fraction,
            "kernels": implementation(inputs).__name__.rpartition(".")[2],
        }


def _window_of(optimizer: NormalisedLSTM, gradients: Tensor, state: Any) -> Tensor:
    """What the LSTM sees of gradients [steps, B, n]: [steps, B n, inputs]."""
    inputs = []
    for gradient in gradients:
        seen, _, state = optimizer.see(gradient, state)
        inputs.append(seen)
    return torch.stack(inputs)

"""The weights phi of any kind of learned optimizer: how they start, their shapes, flat and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from l2l.errors import UserError
from l2l.optimizers.base import Phi, UpdateRule
from l2l.optimizers.groups import Grouped
from l2l.registry import OPTIMIZERS, resolve

if TYPE_CHECKING:
    from l2l.config.optimizers import LearnedSettings


def make_optimizer(settings: LearnedSettings, phi: Phi) -> UpdateRule:
    """The learned optimizer of this kind with these weights."""
    return _class(settings)(settings, phi)


def phi_shapes(settings: LearnedSettings) -> dict[str, tuple[int, ...]]:
    """Names and shapes of phi; they depend on the optimizer alone, never on theta (claim C12)."""
    return _class(settings).shapes(settings)


def initial_phi(settings: LearnedSettings, generator: torch.Generator) -> Phi:
    """The weights at the start of meta-training: float32 tensors on the CPU."""
    return _class(settings).initial(settings, generator)


def flatten_phi(phi: Phi, settings: LearnedSettings) -> Tensor:
    """All weights in one vector."""
    return torch.cat([phi[name].flatten() for name in phi_shapes(settings)])


def unflatten_phi(flat: Tensor, settings: LearnedSettings) -> Phi:
    """The inverse of `flatten_phi`; the weights are views of the vector."""
    shapes = phi_shapes(settings)
    parts = flat.split([math.prod(shape) for shape in shapes.values()])
    return {
        name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)
    }


def continued_phi(trained: UpdateRule, settings: LearnedSettings) -> Tensor:
    """A trained optimizer's weights as the start of another's meta-training, one vector.

    Args:
        trained: with the same architecture; where it has one parameter group and the new one has
            several, all of them start from it.
        settings: of the new optimizer, whose scales may be others.

    Raises:
        UserError: the architectures differ.
    """
    expected, phi = phi_shapes(settings), trained.phi
    own = {name: tuple(weight.shape) for name, weight in phi.items()}
    ends = {name.rpartition("/")[2] for name in expected}  # without the names of groups
    if own != expected and ends == own.keys():
        phi = {name: phi[name.rpartition("/")[2]] for name in expected}
    if {name: tuple(weight.shape) for name, weight in phi.items()} != expected:
        raise UserError(
            "start_from: the trained optimizer has another kind, other layers, units, "
            "preprocessing or groups than the recipe; give both the same"
        )
    return flatten_phi(phi, settings)


def uniform(
    shapes: dict[str, tuple[int, ...]], bound: float, generator: torch.Generator
) -> dict[str, Tensor]:
    """Weights drawn from U(-bound, bound), float32."""
    return {
        name: (2 * torch.rand(shape, generator=generator) - 1) * bound
        for name, shape in shapes.items()
    }


def cells_and_head(
    shapes: dict[str, tuple[int, ...]], units: int, head_scale: float, generator: torch.Generator
) -> dict[str, Tensor]:
    """Cells as PyTorch draws them, U(+-1/sqrt(units)), and an output layer times `head_scale`."""
    phi = uniform(shapes, 1 / math.sqrt(units), generator)
    for name in ("head.weight", "head.bias"):
        phi[name] *= head_scale
    return phi


def _class(settings: Any) -> Any:
    """The class of these settings: `Grouped` where there are several parameter groups."""
    if len(getattr(settings, "groups", ())) > 1:
        return Grouped
    return resolve(OPTIMIZERS[settings.kind].code)

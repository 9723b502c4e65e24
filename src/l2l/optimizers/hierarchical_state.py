"""The hierarchical RNN's state, theta's tensors, and what the parameter RNNs see of a gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor

from l2l.config.optimizers import HierarchicalSettings

SQUARES_FLOOR = 1e-24  # the third power of its inverse square root is a float32
LARGEST_GRADIENT = 1e15  # its square is a float32
LOG_OF_NO_DECAY = -1e6  # e^(2^-s of it) is 0 for every s


@dataclass(frozen=True, eq=False)
class Segments:
    """Which coordinates of theta make up each of its tensors; empty tensors are left out.

    Attributes:
        sizes: how many coordinates each of the T tensors has.
        order: the numbers of all n coordinates, tensor by tensor, int64 [n]; None: 0 to n - 1, as
            every problem of this project holds them.
    """

    sizes: tuple[int, ...]
    order: Tensor | None = None

    @classmethod
    def of(cls, places: Mapping[str, Tensor]) -> Self:
        """The segments of named parameters, see `Problem.places`."""
        parts = [place.flatten() for place in places.values() if place.numel()]
        order = torch.cat([*parts, next(iter(places.values())).flatten()[:0]])
        plain = torch.equal(order, torch.arange(len(order), device=order.device))
        return cls(tuple(map(len, parts)), None if plain else order)

    def group(self, values: Tensor) -> Tensor:
        """Values in theta's order [..., n], tensor by tensor [..., n]."""
        return values if self.order is None else values[..., self.order]

    def ungroup(self, values: Tensor) -> Tensor:
        """The inverse of `group`."""
        return values if self.order is None else values[..., self.order.argsort()]

    def mean(self, values: Tensor) -> Tensor:
        """The mean over each tensor's coordinates: grouped values [..., n] -> [..., T]."""
        return torch.stack([part.mean(dim=-1) for part in values.split(self.sizes, dim=-1)], dim=-1)

    def spread(self, values: Tensor) -> Tensor:
        """Each tensor's value at all its coordinates: [..., T] -> [..., n], grouped."""
        columns = zip(values.split(1, dim=-1), self.sizes, strict=True)
        return torch.cat([column.expand(*column.shape[:-1], size) for column, size in columns], -1)


class HierarchicalState(NamedTuple):
    """h of B problems with T tensors and n coordinates (grouped by tensor), S time scales.

    Attributes:
        average: m, [S, B, n].
        square: v, [S, B, n].
        log_decay: log b_m and log b_v, [2, B, n].
        log_rate: R, [B, n].
        offset: theta - base, [B, n].
        parameter: h_i, [parameter_units, B, n].
        tensor: h_T, [tensor_units, B, T].
        whole: h_G, [global_units, B].
    """

    average: Tensor
    square: Tensor
    log_decay: Tensor
    log_rate: Tensor
    offset: Tensor
    parameter: Tensor
    tensor: Tensor
    whole: Tensor


def start(settings: HierarchicalSettings, theta: Tensor, tensors: int) -> HierarchicalState:
    """The state before the first step, for theta [B, n] made of so many tensors."""
    each = tuple(theta.shape)
    return HierarchicalState(
        average=theta.new_zeros(settings.scales, *each),
        square=theta.new_zeros(settings.scales, *each),
        log_decay=theta.new_full((2, *each), LOG_OF_NO_DECAY),
        log_rate=theta.new_full(each, math.log(settings.learning_rate)),
        offset=theta.new_zeros(each),
        parameter=theta.new_zeros(settings.parameter_units, *each),
        tensor=theta.new_zeros(settings.tensor_units, len(theta), tensors),
        whole=theta.new_zeros(settings.global_units, len(theta)),
    )


def running_averages(gradient: Tensor, state: HierarchicalState) -> tuple[Tensor, Tensor]:
    """m and v, [S, B, n] each."""
    powers = 0.5 ** torch.arange(len(state.average), device=gradient.device, dtype=gradient.dtype)
    decays = torch.exp(state.log_decay[:, None] * powers[:, None, None])
    gradient = gradient.clamp(-LARGEST_GRADIENT, LARGEST_GRADIENT)
    average = torch.lerp(gradient.expand_as(state.average), state.average, decays[0])
    return average, torch.lerp(average * average, state.square, decays[1])


def parameter_inputs(average: Tensor, square: Tensor, log_rate: Tensor) -> tuple[Tensor, Tensor]:
    """The scaled averages [S, B, n], and all inputs x [2 S + 1, B, n]."""
    square = square + SQUARES_FLOOR
    scaled, logs = average * torch.rsqrt(square), torch.log(square)
    relative_logs = logs - logs.mean(dim=0)
    relative_rate = log_rate - log_rate.mean(dim=1, keepdim=True)
    return scaled, torch.cat([scaled, relative_logs, relative_rate[None]])

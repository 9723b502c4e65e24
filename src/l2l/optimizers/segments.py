"""The tensors that theta is made of, as segments of its coordinates: means over each, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Segments:
    """Which coordinates make up each tensor; tensors without coordinates are left out.

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
        order = torch.cat(parts)
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

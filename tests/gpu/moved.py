"""Copies on the GPU of what the tests make on the CPU."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from l2l.optimizers.base import map_state

GPU = torch.device("cuda")


def moved(thing: Any, device: torch.device = GPU) -> Any:
    """A tensor, mapping, tuple or dataclass with every tensor in it on a device."""
    if isinstance(thing, torch.Tensor):
        return thing.to(device)
    if isinstance(thing, dict):
        return {key: moved(value, device) for key, value in thing.items()}
    if isinstance(thing, tuple):
        return map_state(thing, lambda part: moved(part, device))
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        given = [field.name for field in dataclasses.fields(thing) if field.init]
        fields = {name: getattr(thing, name) for name in given}
        return dataclasses.replace(thing, **{k: moved(v, device) for k, v in fields.items()})
    return thing

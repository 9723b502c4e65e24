"""The weights phi of the hierarchical RNN: names, shapes, and the start of meta-training."""

from __future__ import annotations

import math

import torch

from l2l.config.optimizers import HierarchicalSettings
from l2l.optimizers.gru import gru_shapes
from l2l.optimizers.learned import Phi
from l2l.optimizers.phi import uniform

DECAY_LOGITS = (2.2, 3.2)  # 0.90 and 0.96
MOMENTUM_LOGIT = 3.2
LOG_RATE_OF_BASE = -1.0


def hierarchical_shapes(settings: HierarchicalSettings) -> dict[str, tuple[int, ...]]:
    """Names and shapes of phi."""
    parameter, tensor, whole, scales = (
        settings.parameter_units,
        settings.tensor_units,
        settings.global_units,
        settings.scales,
    )
    return {
        **gru_shapes("parameter", 2 * scales + 1, parameter),
        "parameter.from_tensor": (3 * parameter, tensor),
        "parameter.from_global": (3 * parameter, whole),
        **gru_shapes("tensor", parameter, tensor),
        "tensor.from_global": (3 * tensor, whole),
        **gru_shapes("global", tensor, whole),
        "direction.weight": (2, parameter),
        "direction.shortcut": (2, scales),
        "rate.weight": (1, parameter),
        "rate.bias": (1,),
        "rate.momentum": (1,),
        "rate.base": (1,),
        "decay.weight": (2, parameter),
        "decay.bias": (2,),
    }


def untrained(settings: HierarchicalSettings, generator: torch.Generator) -> Phi:
    """phi at the start of meta-training, float32 on the CPU.

    GRUs, and what comes down to them, are U(+-1/sqrt(units)); the rest as the head of
    `l2l.optimizers.hierarchical` says, with `head_init_scale` times the same range for W, w and D.
    """
    shapes = hierarchical_shapes(settings)
    phi: Phi = {}
    for level in ("parameter", "tensor", "global"):
        own = {name: shape for name, shape in shapes.items() if name.startswith(f"{level}.")}
        units = own[f"{level}.weight_hh"][1]
        phi |= uniform(own, 1 / math.sqrt(units), generator)
    heads = {name: shapes[f"{name}.weight"] for name in ("direction", "rate", "decay")}
    bound = settings.head_init_scale / math.sqrt(settings.parameter_units)
    for name, weight in uniform(heads, bound, generator).items():
        phi[f"{name}.weight"] = weight
    phi["direction.weight"][1] = phi["direction.weight"][0]
    phi["direction.shortcut"] = torch.full((2, settings.scales), -1 / settings.scales)
    phi["rate.bias"] = torch.zeros(1)
    phi["rate.momentum"] = torch.tensor([MOMENTUM_LOGIT])
    phi["rate.base"] = torch.tensor([LOG_RATE_OF_BASE])
    phi["decay.bias"] = torch.tensor(DECAY_LOGITS)
    return {name: phi[name] for name in shapes}

"""Sampling the backward pass: an unbiased meta-gradient from a part of the coordinates.

The gradient of phi is a sum over coordinates of theta. A random subset, each coordinate weighted by
the inverse of its probability, has the same expectation (Horvitz and Thompson 1952) and costs in
proportion. Coordinates are drawn roughly in proportion to what they add, and evenly along theta
(systematic sampling): neighbours, weights of neighbouring pixels to one unit, add alike.
"""

from __future__ import annotations

import torch
from torch import Tensor

from l2l.config.estimators import Sampling


def probabilities(cotangents: Tensor, settings: Sampling) -> Tensor:
    """The probability of each coordinate to be drawn.

    Args:
        cotangents: dL / d outputs of a window, [steps, coordinates].
        settings: `fraction` of the coordinates whose cotangents are not all zero is the expected
            number; of each one's share, `uniform` is the same for all and the rest is in proportion
            to the norm of its cotangents (the sum of their sizes).

    Returns:
        float64 [coordinates], at most 1; 0 where all cotangents are zero. All are 1 if a norm is
        not finite: a diverged window must stay visible.
    """
    norms = cotangents.abs().sum(dim=0).double()
    if not bool(norms.isfinite().all()):
        return torch.ones_like(norms)
    active = norms > 0
    count = int(active.sum())
    if count == 0:
        return torch.zeros_like(norms)
    share = (1 - settings.uniform) * norms / norms[active].mean() + settings.uniform * active
    wanted = settings.fraction * count
    certain = torch.zeros_like(active)
    while True:  # those that would be drawn more than once are certain, the others share the rest
        rest = share.masked_fill(certain, 0)
        chance = rest * ((wanted - int(certain.sum())) / rest.sum()).nan_to_num()
        more = chance > 1
        if not bool(more.any()):
            return torch.where(certain, 1.0, chance)
        certain |= more


def sample_cotangents(cotangents: Tensor, settings: Sampling, generator: torch.Generator) -> Tensor:
    """Cotangents, most of them zero, that keep the window's gradient unbiased.

    Args:
        cotangents: dL / d outputs of a window, [steps, coordinates].
        settings: the fraction and the rule.
        generator: the stream to draw from; one number is drawn.

    Returns:
        [steps, coordinates]: divided by its probability where a coordinate is drawn, else zero.
    """
    chances = probabilities(cotangents, settings).cpu()  # sums in order: the same bits each time
    offset = torch.rand(1, generator=generator, dtype=torch.float64)
    passed = torch.cat([offset, offset + chances.cumsum(0)]).floor()
    drawn = ((passed[1:] > passed[:-1]) & (chances > 0)) | (chances == 1)
    weights = torch.where(drawn, 1 / chances, 0).to(cotangents)
    return torch.where(drawn.to(cotangents.device), cotangents * weights, 0)

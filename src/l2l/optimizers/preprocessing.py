"""What the LSTM sees of a gradient: equation (6) of the paper, or the gradient itself."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def features(gradient: Tensor, preprocessing: str, p: float) -> Tensor:
    """The LSTM's inputs.

    Args:
        gradient: [...], any float dtype.
        preprocessing: "log" for equation (6), "none" for the gradient as it is.
        p: gradients from e^-p up count as large.

    Returns:
        [..., 2] for "log": (log|grad| / p, sign(grad)) where |grad| >= e^-p, else (-1, e^p grad);
        [..., 1] for "none".
    """
    if preprocessing == "none":
        return gradient[..., None]
    large = gradient.abs() >= math.exp(-p)
    magnitude = gradient.abs().clamp_min(math.exp(-p)).log() / p  # -1 where small
    sign = torch.where(large, gradient.sign(), math.exp(p) * gradient)
    return torch.stack([magnitude, sign], dim=-1)


def width(preprocessing: str) -> int:
    """How many numbers the LSTM sees of one coordinate."""
    return {"none": 1, "log": 2}[preprocessing]

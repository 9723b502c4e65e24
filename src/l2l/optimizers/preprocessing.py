"""What a coordinate-wise optimizer sees of a gradient: equation (6), or the gradient scaled."""

from __future__ import annotations

from torch import Tensor

from l2l import kernels
from l2l.config.optimizers import Preprocessing

INPUTS = {
    "none": "input_scale * grad[t] of one coordinate",
    "log": "(log|grad|/p, sign(grad)) where |grad| >= e^-p, else (-1, e^p grad)",
}


def features(gradient: Tensor, settings: Preprocessing) -> Tensor:
    """The optimizer's inputs.

    Args:
        gradient: [...], any float dtype.
        settings: `preprocessing` "log" for equation (6) with `p`, "none" for the gradient times
            `input_scale`.

    Returns:
        [..., 2] for "log", see `l2l.kernels.log_features`; [..., 1] for "none".
    """
    if settings.preprocessing == "log":
        return kernels.log_features(gradient, settings.p)
    scaled = gradient if settings.input_scale == 1 else gradient * settings.input_scale
    return scaled[..., None]


def width(settings: Preprocessing) -> int:
    """How many numbers the optimizer sees of one coordinate."""
    return {"none": 1, "log": 2}[settings.preprocessing]

"""What the LSTM sees of a gradient: equation (6) of the paper, or the gradient itself."""

from __future__ import annotations

from torch import Tensor

from l2l import kernels


def features(gradient: Tensor, preprocessing: str, p: float) -> Tensor:
    """The LSTM's inputs.

    Args:
        gradient: [...], any float dtype.
        preprocessing: "log" for equation (6), "none" for the gradient as it is.
        p: gradients from e^-p up count as large.

    Returns:
        [..., 2] for "log", see `l2l.kernels.log_features`; [..., 1] for "none".
    """
    return gradient[..., None] if preprocessing == "none" else kernels.log_features(gradient, p)


def width(preprocessing: str) -> int:
    """How many numbers the LSTM sees of one coordinate."""
    return {"none": 1, "log": 2}[preprocessing]

"""Which implementation of the kernels runs: the fastest one that fits, else the reference."""

import functools
import os
import sys
from types import ModuleType

import torch
from torch import Tensor

from l2l.errors import UserError
from l2l.kernels import cpu, cuda, reference
from l2l.kernels.build import BuildError, library

CHOICES = ("reference", "cpu", "cuda")
SLOWDOWN = "3 to 4 times slower"


@functools.cache
def _fused_kernels_wanted(choice: str) -> bool:
    """Whether the compiled kernels can and may be used; says so once where they cannot."""
    try:
        library()
    except BuildError as error:
        if choice == "cpu":
            raise UserError(
                f"L2L_KERNEL=cpu, but {error}; install g++ or unset L2L_KERNEL"
            ) from None
        print(
            f"l2l: the LSTM runs in plain PyTorch, {SLOWDOWN} than the compiled kernels: {error}",
            file=sys.stderr,
        )
        return False
    return True


def implementation(tensor: Tensor) -> ModuleType:
    """The module whose log_features, zero_state, forward_step, backward_window serve such tensors.

    Args:
        tensor: the LSTM's inputs or a part of phi; its device and dtype decide.

    Returns:
        `l2l.kernels.cuda` on a GPU; `l2l.kernels.cpu` for float32 on a CPU, where there is a C++
        compiler; else `l2l.kernels.reference`. The environment variable L2L_KERNEL can say
        "reference" (everywhere), "cuda" (its code runs on a CPU too) or "cpu" (on a CPU it must be
        there).

    Raises:
        UserError: where L2L_KERNEL is something else, or is "cpu" and the kernels cannot be built.
    """
    choice = os.environ.get("L2L_KERNEL", "")
    if choice and choice not in CHOICES:
        raise UserError(f"L2L_KERNEL is {choice!r}; set it to {', '.join(CHOICES)}, or unset it")
    if choice == "reference":
        return reference
    if choice == "cuda" or tensor.is_cuda:
        return cuda
    fits = tensor.is_cpu and tensor.dtype == torch.float32
    return cpu if fits and _fused_kernels_wanted(choice) else reference

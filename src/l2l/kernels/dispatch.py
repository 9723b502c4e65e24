"""Which implementation of the kernels runs: the fused one where it can, else the reference."""

import functools
import os
import sys
from types import ModuleType

import torch
from torch import Tensor

from l2l.errors import UserError
from l2l.kernels import cpu, reference
from l2l.kernels.build import BuildError, library

CHOICES = ("reference", "cpu")
SLOWDOWN = "about 3 times slower"


@functools.cache
def _fused_kernels_wanted(choice: str) -> bool:
    """Whether the compiled kernels can and may be used; says so once where they cannot."""
    if choice and choice not in CHOICES:
        raise UserError(f"L2L_KERNEL is {choice!r}; set it to {' or '.join(CHOICES)}, or unset it")
    if choice == "reference":
        return False
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


def implementation(inputs: Tensor) -> ModuleType:
    """The module whose forward_step and backward_window serve these inputs.

    Args:
        inputs: the LSTM's inputs; their device and dtype decide.

    Returns:
        `l2l.kernels.cpu` for float32 on a CPU, where there is a C++ compiler and the environment
        variable L2L_KERNEL does not say "reference"; else `l2l.kernels.reference`.

    Raises:
        UserError: where L2L_KERNEL is neither "reference" nor "cpu", or is "cpu" and the kernels
            cannot be built.
    """
    fits = inputs.device.type == "cpu" and inputs.dtype == torch.float32
    if _fused_kernels_wanted(os.environ.get("L2L_KERNEL", "")) and fits:
        return cpu
    return reference

"""The machine: device, threads, and arithmetic that gives the same bits each time."""

from __future__ import annotations

import os

import torch

from l2l.config.schema import Compute, Stage
from l2l.errors import UserError


def prepare(settings: Compute, stage: Stage | None = None) -> torch.device:
    """Set threads and deterministic algorithms, and choose the device of a stage.

    Raises:
        UserError: cuda is asked for where there is none.
    """
    torch.set_num_threads(settings.threads)
    device = settings.device_of(stage)
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        key = f"devices.{stage}" if stage in settings.devices else "device"
        raise UserError(f"compute.{key} = cuda, but PyTorch sees no GPU; set it to auto or cpu")
    if not cuda or device == "cpu":
        return torch.device("cpu")  # everything used here is deterministic on a CPU
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Else each empty tensor costs a kernel.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.allow_tf32 = False  # cuDNN would round its inputs to 10 bits
    return torch.device("cuda")

"""A checksum over the text and the tensors of a file: one changed byte is seen when it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def seal(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over a text and the names, types, shapes and bytes of tensors.

    Args:
        text: the file's metadata but for the checksum itself.
        tensors: in any order, on any device.
    """
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

"""The idx format of the MNIST files: bytes in, uint8 array out, nothing taken on trust.

Layout (big endian): two zero bytes, one type byte (0x08 is uint8), one byte with the number of
dimensions, a 4-byte size per dimension, then the values in C order.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

UINT8 = 0x08


class IdxError(ValueError):
    """The bytes are not one whole idx file of uint8 values."""


def decode_idx(content: bytes) -> NDArray[np.uint8]:
    """The array in an idx file.

    Args:
        content: the whole file, not compressed.

    Returns:
        A read-only uint8 view of `content` with the shape that the header states.

    Raises:
        IdxError: wrong magic number, a type other than uint8, or too few or too many bytes.
    """
    if len(content) < 4:
        raise IdxError(f"truncated: {len(content)} bytes, shorter than the idx magic number")
    zeros, kind, dimensions = struct.unpack_from(">HBB", content)
    if zeros != 0 or kind != UINT8 or dimensions == 0:
        raise IdxError(f"not an idx file of uint8 values: it starts with 0x{content[:4].hex()}")
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise IdxError(f"truncated: {len(content)} bytes, the idx header alone has {header}")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    expected = header + math.prod(shape)
    if len(content) != expected:
        word = "truncated" if len(content) < expected else "too long"
        sizes = " x ".join(str(size) for size in shape)
        raise IdxError(f"{word}: {len(content)} bytes, an idx file of {sizes} has {expected}")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)

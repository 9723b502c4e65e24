"""What MNIST is, whatever it came from: four arrays, their idx files, shapes and digests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from l2l.data.idx import IdxError, decode_idx


class CorruptError(Exception):
    """A file's content is not the MNIST array it should be; the message says in what way."""


@dataclass(frozen=True)
class MnistArray:
    """One of the four arrays.

    Attributes:
        file: the idx file's name, without ".gz".
        shape: of the decoded uint8 array.
        sha256: hex digest of the decoded uint8 array in C order.
    """

    file: str
    shape: tuple[int, ...]
    sha256: str

    def decode(self, content: bytes) -> NDArray[np.uint8]:
        """The array in an idx file, verified.

        Args:
            content: the whole idx file, not compressed.

        Returns:
            A read-only uint8 view of `content` with this array's shape.

        Raises:
            CorruptError: not an idx file, or another shape or digest than MNIST's.
        """
        try:
            array = decode_idx(content)
        except IdxError as error:
            raise CorruptError(f"{self.file}: {error}") from error
        # The digest is of the values alone, so the shape is a check of its own.
        if array.shape != self.shape:
            raise CorruptError(f"{self.file}: shape {array.shape}, not {self.shape}")
        digest = hashlib.sha256(array.reshape(-1).data).hexdigest()
        if digest != self.sha256:
            raise CorruptError(f"{self.file}: SHA-256 {digest[:12]}..., not {self.sha256[:12]}...")
        return array


ARRAYS = {
    "train_images": MnistArray(
        "train-images-idx3-ubyte",
        (60000, 28, 28),
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    ),
    "train_labels": MnistArray(
        "train-labels-idx1-ubyte",
        (60000,),
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    ),
    "test_images": MnistArray(
        "t10k-images-idx3-ubyte",
        (10000, 28, 28),
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    "test_labels": MnistArray(
        "t10k-labels-idx1-ubyte",
        (10000,),
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ),
}
FILE_NAMES = tuple(array.file for array in ARRAYS.values())

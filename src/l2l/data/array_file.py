"""A file that holds one array of a dataset: what its content must be, whatever it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class CorruptError(Exception):
    """Some content is not the array it should be; the message says in what way."""


@dataclass(frozen=True)
class ArrayFile:
    """One of a dataset's files.

    Attributes:
        file: its name.
        shape: of the uint8 array in it.
        sha256: hex digest of that array in C order.
        parse: content -> read-only uint8 array that shares its memory; ValueError where that
            cannot be.
    """

    file: str
    shape: tuple[int, ...]
    sha256: str
    parse: Callable[[bytes], NDArray[np.uint8]]

    def decode(self, content: bytes) -> NDArray[np.uint8]:
        """The array in the file, verified.

        Args:
            content: the whole file, not compressed.

        Returns:
            A read-only uint8 view of `content` with this file's shape.

        Raises:
            CorruptError: another format, shape or digest than this file's.
        """
        try:
            array = self.parse(content)
        except ValueError as error:
            raise CorruptError(f"{self.file}: {error}") from error
        # The digest is of the values alone, so the shape is a check of its own.
        if array.shape != self.shape:
            raise CorruptError(f"{self.file}: shape {array.shape}, not {self.shape}")
        verify_digest(self.file, array, self.sha256)
        return array


def verify_digest(name: str, array: NDArray[np.uint8], sha256: str) -> None:
    """Compare an array with its digest.

    Args:
        name: of the array, for the message.
        array: uint8, any shape, C-contiguous.
        sha256: hex digest that its values must have.

    Raises:
        CorruptError: they have another one.
    """
    digest = hashlib.sha256(array.reshape(-1).data).hexdigest()
    if digest != sha256:
        raise CorruptError(f"{name}: SHA-256 {digest[:12]}..., not {sha256[:12]}...")

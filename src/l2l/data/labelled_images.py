"""Labelled images as tensors, a training and a test set: the form of MNIST and CIFAR-10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """A dataset on the CPU.

    Attributes:
        train_images: uint8 [images, ...].
        train_labels: int64 [images].
        test_images: uint8 [images, ...].
        test_labels: int64 [images].
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.uint8]]) -> LabelledImages:
        """The tensors of four uint8 arrays, named as the attributes.

        A tensor shares the memory of its array where that can be written; torch has no read-only
        tensors, so a read-only array is copied.
        """
        import torch

        images = {
            name: torch.from_numpy(np.require(arrays[name], requirements="W"))
            for name in ("train_images", "test_images")
        }
        labels = {
            name: torch.from_numpy(arrays[name].astype(np.int64))
            for name in ("train_labels", "test_labels")
        }
        return cls(**images, **labels)

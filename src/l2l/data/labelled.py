"""Labelled images, a training and a test set.

A new data set of this form is a file of its own with one `LabelledDataset`: docs/extending.md
has an example.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from l2l.data.folder import verify
from l2l.data.sources import DatasetRecord, Source, obtain

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """A data set on the CPU.

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
    def of(cls, arrays: Mapping[str, Array]) -> LabelledImages:
        """The tensors of four uint8 arrays, named as the attributes.

        A tensor of images shares the memory of its array if that can be written; torch has no
        read-only tensors, so a read-only array is copied.
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


@dataclass(frozen=True)
class LabelledDataset:
    """What a data set of labelled images is, and where it comes from.

    Its files are looked for in <data directory>/<name>. What is missing or corrupt is fetched from
    the first source that has it.

    Attributes:
        name: in the registry, in records, and of its folder in the data directory.
        title: its name in messages.
        files: file -> SHA-256 (hex) of its content, not compressed.
        sources: each returns all files, not compressed; they are tried in this order.
        digests: SHA-256 (hex) of train_images, train_labels, test_images and test_labels.
        assemble: the content of the files -> these four arrays, of uint8. It may empty what it
            gets, to save memory.
        places: see `sources.obtain`.
        places_in_words: the same for a person, after a list of the files.
    """

    name: str
    title: str
    files: Mapping[str, str]
    sources: tuple[Source, ...]
    digests: Mapping[str, str]
    assemble: Callable[[dict[str, bytes]], dict[str, Array]]
    places: tuple[str, ...] = ("{}", "{}.gz")
    places_in_words: str = "(plain or .gz)"

    def fetch(self, directory: Path) -> DatasetRecord:
        """Put what is missing or corrupt into <directory>/<name>; see `sources.Dataset`."""
        contents, source = self._obtain(directory)
        arrays = self.assemble(contents)
        for name, sha256 in self.digests.items():
            verify(f"{name} of {self.title}", arrays[name], sha256)
        return DatasetRecord(self.name, source, None, dict(self.digests))

    def load(self, directory: Path) -> LabelledImages:
        """Read the images and labels; see `sources.Dataset`."""
        return LabelledImages.of(self.assemble(self._obtain(directory)[0]))

    def _obtain(self, directory: Path) -> tuple[dict[str, bytes], str]:
        def check(file: str, content: bytes) -> None:
            verify(file, content, self.files[file])

        by_hand = f"{', '.join(self.files)} {self.places_in_words}"
        folder = directory / self.name
        return obtain(self.title, folder, self.files, check, self.sources, by_hand, self.places)

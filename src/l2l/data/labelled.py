"""Labelled images, a training and a test set, in files that hold one array each.

A new data set of this form is a file of its own with one `LabelledDataset`: docs/extending.md
has an example.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from l2l.data.folder import ENVIRONMENT_VARIABLE, CorruptError, prepare_folder, read, say, verify
from l2l.data.sources import DatasetRecord, Source, read_first_good
from l2l.files import write_bytes

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
class ArrayFile:
    """A file that holds one array.

    Attributes:
        file: its name.
        shape: of the uint8 array in it.
        sha256: hex digest of that array in C order.
        parse: content -> read-only uint8 array that shares its memory; raises ValueError if the
            content has another format.
    """

    file: str
    shape: tuple[int, ...]
    sha256: str
    parse: Callable[[bytes], Array]

    def decode(self, content: bytes) -> Array:
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
        if array.shape != self.shape:
            raise CorruptError(f"{self.file}: shape {array.shape}, not {self.shape}")
        verify(self.file, array, self.sha256)
        return array


@dataclass(frozen=True)
class LabelledDataset:
    """What a data set of labelled images is, and where it comes from.

    Its files are looked for in <data directory>/<name>. What is missing or corrupt is fetched from
    the first source that has it; a corrupt file is named on stderr and replaced.

    Attributes:
        name: in the registry, in records, and of its folder in the data directory.
        title: its name in messages.
        files: key -> the file, for `assemble`.
        sources: each returns the content of all files by their names, not compressed; they are
            tried in this order.
        digests: SHA-256 (hex) of train_images, train_labels, test_images and test_labels.
        assemble: the files' arrays by their keys -> these four arrays. It may empty what it gets,
            to save memory. By default the files' arrays are the four.
        places: where a file is looked for in the folder, in this order; "{}" stands for its name,
            and ".gz" at the end means that it is gzipped. What is fetched is written to the first.
        places_in_words: the same for a person, after a list of the files.
    """

    name: str
    title: str
    files: Mapping[str, ArrayFile]
    sources: tuple[Source[dict[str, bytes]], ...]
    digests: Mapping[str, str]
    assemble: Callable[[dict[str, Array]], dict[str, Array]] = dict
    places: tuple[str, ...] = ("{}", "{}.gz")
    places_in_words: str = "(plain or .gz)"

    def fetch(self, directory: Path) -> DatasetRecord:
        """Put what is missing or corrupt into <directory>/<name>; see `sources.Dataset`."""
        _, source = self._arrays(directory)
        return DatasetRecord(self.name, source, None, dict(self.digests))

    def load(self, directory: Path) -> LabelledImages:
        """Read the images and labels; see `sources.Dataset`."""
        return LabelledImages.of(self._arrays(directory)[0])

    def _arrays(self, directory: Path) -> tuple[dict[str, Array], str]:
        """The four verified arrays, and where the files came from."""
        parsed, source = self._parsed(directory / self.name)
        arrays = self.assemble(parsed)
        for name, sha256 in self.digests.items():
            verify(f"{name} of {self.title}", arrays[name], sha256)
        return arrays, source

    def _parsed(self, folder: Path) -> tuple[dict[str, Array], str]:
        """The files' verified arrays by their keys, and where the files came from."""
        contents: dict[str, bytes] = {}
        to_write: dict[Path, str] = {}
        problems = []
        for key, file in self.files.items():
            places = [folder / place.format(file.file) for place in self.places]
            content, corrupt = _read_first(places, file)
            if content is not None:
                contents[key] = content
            else:
                problems.append(f"{file.file} is {'corrupt' if corrupt else 'missing'}")
                corrupt = corrupt or places[:1]
            to_write |= dict.fromkeys(corrupt, key)
        source = "local"
        if to_write:
            prepare_folder(folder)
        if problems:
            fetched, network = self._fetch(folder, ", ".join(problems))
            source = f"{network} and local" if contents else network
            contents = fetched | contents
        for path, key in to_write.items():
            content = contents[key]
            # mtime=0: the same bytes whenever the file is made.
            gzipped = path.suffix == ".gz"
            write_bytes(path, gzip.compress(content, 6, mtime=0) if gzipped else content)
        return {key: file.parse(contents[key]) for key, file in self.files.items()}, source

    def _fetch(self, folder: Path, missing: str) -> tuple[dict[str, bytes], str]:
        """All files by their keys from the first good source, and its name."""

        def check(contents: dict[str, bytes]) -> None:
            for file in self.files.values():
                file.decode(contents[file.file])

        names = ", ".join(file.file for file in self.files.values())
        contents, source = read_first_good(
            self.title,
            self.sources,
            check,
            missing,
            f"to provide it by hand, put {names} {self.places_in_words} into {folder}, or set "
            f"{ENVIRONMENT_VARIABLE} to a folder whose {self.name}/ holds them",
        )
        return {key: contents[file.file] for key, file in self.files.items()}, source


def _read_first(places: list[Path], file: ArrayFile) -> tuple[bytes | None, list[Path]]:
    """The content of the first good copy, not compressed (None: there is none), and bad copies."""
    corrupt = []
    for path in places:
        content = read(path)
        if content is None:
            continue
        try:
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            file.decode(content)
        except (CorruptError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            say(f"{path} is corrupt ({error}); replacing it from the next source")
            corrupt.append(path)
        else:
            return content, corrupt
    return None, corrupt

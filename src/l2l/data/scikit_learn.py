"""What comes with scikit-learn: optical digits, a text, and a table for regression.

- optdigits: 1500 training and 297 test images, uint8 [images, 8, 8], 0 to 240.
- text: the descriptions of its data sets, in windows of `CONTEXT` characters. A window is an
  "image" [CONTEXT, len(ALPHABET)] with a row for each character, 255 at its place in the alphabet;
  its label is the character that follows. The last tenth of the text is the test set.
- diabetes: ten measurements of 442 patients and the progress of their disease a year later.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data.folder import verify
from l2l.data.labelled import LabelledDataset
from l2l.data.sources import DatasetRecord, Source, obtain

TRAINING = 1500
CONTEXT = 12
ALPHABET = "abcdefghijklmnopqrstuvwxyz .,-0\n"
"""Digits are 0, and what is not in it is a space."""
DESCRIPTIONS = ("breast_cancer", "covtype", "kddcup99", "lfw", "rcv1", "twenty_newsgroups")


def _installed(read: Callable[[], dict[str, bytes]]) -> tuple[Source, ...]:
    return (Source("scikit-learn", 0, read),)


def _digits() -> dict[str, bytes]:
    from sklearn.datasets import load_digits  # takes a second, which other commands can save

    digits = load_digits()
    images, labels = (15 * digits.images).astype(np.uint8), digits.target.astype(np.uint8)
    return {
        "train_images": images[:TRAINING].tobytes(),
        "train_labels": labels[:TRAINING].tobytes(),
        "test_images": images[TRAINING:].tobytes(),
        "test_labels": labels[TRAINING:].tobytes(),
    }


def _digit_arrays(contents: dict[str, bytes]) -> dict[str, NDArray[np.uint8]]:
    shapes = {"train_images": (-1, 8, 8), "test_images": (-1, 8, 8)}
    return {
        name: np.frombuffer(content, np.uint8).reshape(shapes.get(name, -1))
        for name, content in contents.items()
    }


DIGIT_DIGESTS = {  # of the arrays, and of the files too
    "train_images": "0371016293702c7ce51aa780b427b05c823bd559b37ee20e30ffd529a6b53cab",
    "train_labels": "e2fd6b6f26a4b1209a81b338ea6e2e743f689f6e990db31cfd6d59849794c750",
    "test_images": "356e08902783eb9ff8361afa1ac68bb775d593f3f8f29ba720ca7ede662fbfe1",
    "test_labels": "e7e87e0ab1d1814c4420ecd904dea92bf6a05de1b7d724842fa0ccce6c7b11f3",
}
OPTDIGITS = LabelledDataset(
    name="optdigits",
    title="the optical digits of scikit-learn",
    files=DIGIT_DIGESTS,
    sources=_installed(_digits),
    digests=DIGIT_DIGESTS,
    assemble=_digit_arrays,
)


def _text() -> dict[str, bytes]:
    folder = resources.files("sklearn.datasets.descr")
    texts = [(folder / f"{name}.rst").read_text(encoding="utf-8") for name in DESCRIPTIONS]
    return {"text.txt": "\n".join(texts).encode()}


def _windows(contents: dict[str, bytes]) -> dict[str, NDArray[np.uint8]]:
    text = contents["text.txt"].decode().lower()
    places = {character: place for place, character in enumerate(ALPHABET)}
    places |= dict.fromkeys("0123456789", places["0"])
    codes = np.array([places.get(character, places[" "]) for character in text], np.uint8)
    seen = np.lib.stride_tricks.sliding_window_view(codes[:-1], CONTEXT)
    images = np.uint8(255) * np.eye(len(ALPHABET), dtype=np.uint8)[seen]
    labels = codes[CONTEXT:].copy()
    training = len(labels) - len(labels) // 10
    return {
        "train_images": images[:training],
        "train_labels": labels[:training],
        "test_images": images[training:],
        "test_labels": labels[training:],
    }


TEXT = LabelledDataset(
    name="text",
    title="the text of scikit-learn's descriptions",
    files={"text.txt": "54d146c9bac702ed362c884c1f10c43eeb55ce6d3323094656f83d99379855d7"},
    sources=_installed(_text),
    digests={
        "train_images": "cb36bfb0af30f98ab7260c6c038f1f23fe3b08772be39293f9d65c8fcdb2b045",
        "train_labels": "b0471c84d0d35863740c2b5e5fe65379d197dd6f5978278ce75bc884405a04e6",
        "test_images": "8c25d41edb2f8075a4c07eef695ab95144d7ad2808bd60ec1b708aa40dec4e60",
        "test_labels": "40422b74fb1dfbf3ab5dc6df09f5a3790966b9d9a17f91bb2d675a68850d5916",
    },
    assemble=_windows,
)


@dataclass(frozen=True)
class Table:
    """Numbers to predict a number from.

    Attributes:
        inputs: float64 [rows, columns].
        targets: float64 [rows].
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]


@dataclass(frozen=True)
class TableDataset:
    """A table whose file has a row of numbers for each case, the target last.

    Attributes:
        name: in the registry, in records, and of its folder in the data directory.
        title: its name in messages.
        file: the name of its one file.
        digest: SHA-256 (hex) of its content.
        sources: where the file comes from.
    """

    name: str
    title: str
    file: str
    digest: str
    sources: tuple[Source, ...]

    def fetch(self, directory: Path) -> DatasetRecord:
        """Put the file into <directory>/<name>; see `sources.Dataset`."""
        return DatasetRecord(self.name, self._obtain(directory)[1], None, {self.file: self.digest})

    def load(self, directory: Path) -> Table:
        """Read the table; see `sources.Dataset`."""
        rows = np.loadtxt(io.BytesIO(self._obtain(directory)[0]))
        return Table(rows[:, :-1], rows[:, -1])

    def _obtain(self, directory: Path) -> tuple[bytes, str]:
        def check(file: str, content: bytes) -> None:
            verify(file, content, self.digest)

        folder = directory / self.name
        contents, source = obtain(self.title, folder, (self.file,), check, self.sources, self.file)
        return contents[self.file], source


def _diabetes() -> dict[str, bytes]:
    from sklearn.datasets import load_diabetes

    bunch, text = load_diabetes(scaled=False), io.StringIO()
    np.savetxt(text, np.column_stack([bunch.data, bunch.target]), fmt="%g")
    return {"diabetes.txt": text.getvalue().encode()}


DIABETES = TableDataset(
    name="diabetes",
    title="the diabetes patients of scikit-learn",
    file="diabetes.txt",
    digest="5d0899154bd13511abf9f8c4a3c22135acafbc2e7866a602c0c5acd2f825aaaf",
    sources=_installed(_diabetes),
)

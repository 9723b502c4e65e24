"""MNIST as tensors, and the record of where it came from."""

from __future__ import annotations

from pathlib import Path

from l2l.data.directory import data_directory
from l2l.data.labelled_images import LabelledImages
from l2l.data.mnist_arrays import ARRAYS
from l2l.data.mnist_sources import NETWORK_SOURCES
from l2l.data.record import DataSet, DatasetRecord
from l2l.data.store import Dataset, obtain

DATASET = Dataset(
    name="mnist",
    title="MNIST",
    arrays=ARRAYS,
    places=("{}", "{}.gz"),
    places_in_words="(plain or .gz)",
    sources=NETWORK_SOURCES,
)


def load_mnist(directory: Path | None = None) -> LabelledImages:
    """Load MNIST, verified by digest; what is missing or corrupt is fetched first.

    Args:
        directory: the data directory, which holds mnist/; None for `data_directory(None)`.

    Returns:
        60000 training and 10000 test images, uint8 [images, 28, 28], 0 (background) to 255.

    Raises:
        UserError: a file is missing and no source has it, or the directory cannot be written.
    """
    arrays, _ = obtain(DATASET, data_directory(None) if directory is None else directory)
    return LabelledImages.of(arrays)


def fetch_mnist(directory: Path) -> DatasetRecord:
    """See to it that the four files lie in <directory>/mnist, verified, from the first good source.

    Args:
        directory: the data directory; made if only its last part is missing.

    Returns:
        The record for results/<protocol>/data/mnist.json.

    Raises:
        UserError: no source has the files, or the directory cannot be written.
    """
    _, source = obtain(DATASET, directory)
    digests = {name: array.sha256 for name, array in ARRAYS.items()}
    return DatasetRecord(name="mnist", source=source, stand_in=None, digests=digests)


MNIST = DataSet("mnist", fetch_mnist, load_mnist)

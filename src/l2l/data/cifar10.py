"""CIFAR-10 as tensors, and the record of where it came from."""

from __future__ import annotations

from pathlib import Path

from l2l.data.cifar10_arrays import BATCHES, DIGESTS, assemble
from l2l.data.cifar10_sources import ARCHIVE_FOLDER, NETWORK_SOURCES, URL
from l2l.data.directory import data_directory
from l2l.data.labelled_images import LabelledImages
from l2l.data.record import DataSet, DatasetRecord
from l2l.data.store import Dataset, obtain

DATASET = Dataset(
    name="cifar10",
    title="CIFAR-10",
    arrays=BATCHES,
    places=("{}", f"{ARCHIVE_FOLDER}/{{}}"),
    places_in_words=f"(or the unpacked {URL})",
    sources=NETWORK_SOURCES,
)


def load_cifar10(directory: Path | None = None) -> LabelledImages:
    """Load CIFAR-10, verified by digest; what is missing or corrupt is fetched first.

    Args:
        directory: the data directory, which holds cifar10/; None for `data_directory(None)`.

    Returns:
        50000 training and 10000 test images, uint8 [images, row, column, RGB], 32 x 32 pixels.

    Raises:
        UserError: a file is missing and no source has it, or the directory cannot be written.
    """
    records, _ = obtain(DATASET, data_directory(None) if directory is None else directory)
    return LabelledImages.of(assemble(records))


def fetch_cifar10(directory: Path) -> DatasetRecord:
    """See to it that the six files lie in <directory>/cifar10, verified, from a good source.

    Args:
        directory: the data directory; made if only its last part is missing.

    Returns:
        The record for results/<protocol>/data/cifar10.json.

    Raises:
        UserError: no source has the files, or the directory cannot be written.
    """
    records, source = obtain(DATASET, directory)
    assemble(records)  # verifies the arrays too
    return DatasetRecord(name="cifar10", source=source, stand_in=None, digests=dict(DIGESTS))


CIFAR10 = DataSet("cifar10", fetch_cifar10, load_cifar10)

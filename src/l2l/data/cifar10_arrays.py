"""What CIFAR-10 is, whatever it came from: six batch files, and the four arrays that they make.

A batch file of the dataset's binary version (https://www.cs.toronto.edu/~kriz/cifar.html) is a row
of records without a header: one byte for the label, then the 32 x 32 pixels, first all red values,
then green, then blue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from l2l.data.array_file import ArrayFile, verify_digest

SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE
IMAGES_PER_BATCH = 10000
TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_BATCH = "test_batch"

# Of the arrays that the program computes with: images [image, row, column, RGB], and labels.
DIGESTS = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}


def decode_records(content: bytes) -> NDArray[np.uint8]:
    """The records of a batch file.

    Args:
        content: the whole file.

    Returns:
        A read-only uint8 view [images, 3073] of `content`.

    Raises:
        ValueError: not a whole number of records.
    """
    if len(content) % RECORD:
        raise ValueError(f"{len(content)} bytes, not a whole number of {RECORD}-byte records")
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)


def _batch(name: str, sha256: str) -> ArrayFile:
    return ArrayFile(f"{name}.bin", (IMAGES_PER_BATCH, RECORD), sha256, decode_records)


# A digest for each file too, those that sha256sum prints: they tell which one is corrupt.
BATCHES = {
    name: _batch(name, sha256)
    for name, sha256 in {
        "data_batch_1": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    }.items()
}


def assemble(records: dict[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.uint8]]:
    """The four arrays out of the batches, verified.

    Args:
        records: batch name -> uint8 [images, 3073]. Emptied on the way, so that the images do not
            lie in memory twice.

    Returns:
        train_images uint8 [50000, 32, 32, 3], train_labels uint8 [50000], and the same for test
        with 10000.

    Raises:
        CorruptError: an array has another digest than CIFAR-10's.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    for part, names in (("train", TRAIN_BATCHES), ("test", (TEST_BATCH,))):
        count = sum(len(records[name]) for name in names)
        images = np.empty((count, SIDE, SIDE, 3), dtype=np.uint8)
        labels = np.empty(count, dtype=np.uint8)
        start = 0
        for name in names:
            batch = records.pop(name)
            rows = slice(start, start + len(batch))
            labels[rows] = batch[:, 0]
            planes = batch[:, 1:].reshape(-1, 3, SIDE, SIDE)
            for channel in range(3):  # twice as fast as one transposed copy
                images[rows, ..., channel] = planes[:, channel]
            start = rows.stop
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    for name, array in arrays.items():
        verify_digest(name, array, DIGESTS[name])
    return arrays

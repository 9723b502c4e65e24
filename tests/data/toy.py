"""A new data set, as `l2l.data` describes it: tiny images in the idx format, on a server."""

from __future__ import annotations

import numpy as np
from tests.data.helpers import Files, digest, idx

from l2l.data.https import download
from l2l.data.labelled import ArrayFile, LabelledDataset
from l2l.data.mnist import decode_idx
from l2l.data.sources import Source, SourceError

random = np.random.default_rng(0)
ARRAYS = {
    "train_images": random.integers(0, 256, (6, 4, 5), dtype=np.uint8),
    "train_labels": random.integers(0, 10, 6, dtype=np.uint8),
    "test_images": random.integers(0, 256, (3, 4, 5), dtype=np.uint8),
    "test_labels": random.integers(0, 10, 3, dtype=np.uint8),
}
FILES = {
    name: ArrayFile(name.replace("_", "-"), array.shape, digest(array.tobytes()), decode_idx)
    for name, array in ARRAYS.items()
}
CONTENTS: Files = {FILES[name].file: idx(array) for name, array in ARRAYS.items()}
SITE = "https://example.invalid"


def from_site() -> dict[str, bytes]:
    """File name -> content, from its site."""
    return {file.file: download(f"{SITE}/{file.file}") for file in FILES.values()}


def from_package() -> dict[str, bytes]:
    """File name -> content, from a package that there is not."""
    raise SourceError("there is no package")


TOY = LabelledDataset(
    name="toy",
    title="the toy set",
    files=FILES,
    sources=(Source("its site", 1, from_site), Source("its package", 1, from_package)),
    digests={name: file.sha256 for name, file in FILES.items()},
)

"""A new data set, as `l2l.data` describes it: tiny images in the idx format, on a server."""

from __future__ import annotations

import numpy as np
from tests.data.helpers import Files, digest, idx

from l2l.data.https import download
from l2l.data.labelled import LabelledDataset
from l2l.data.mnist import decode_idx
from l2l.data.sources import Source, SourceError

random = np.random.default_rng(0)
ARRAYS = {
    "train_images": random.integers(0, 256, (6, 4, 5), dtype=np.uint8),
    "train_labels": random.integers(0, 10, 6, dtype=np.uint8),
    "test_images": random.integers(0, 256, (3, 4, 5), dtype=np.uint8),
    "test_labels": random.integers(0, 10, 3, dtype=np.uint8),
}
CONTENTS: Files = {name.replace("_", "-"): idx(array) for name, array in ARRAYS.items()}
SITE = "https://example.invalid"


def from_site() -> dict[str, bytes]:
    """File name -> content, from its site."""
    return {file: download(f"{SITE}/{file}") for file in CONTENTS}


def from_package() -> dict[str, bytes]:
    """File name -> content, from a package that there is not."""
    raise SourceError("there is no package")


TOY = LabelledDataset(
    name="toy",
    title="the toy set",
    files={file: digest(content) for file, content in CONTENTS.items()},
    sources=(Source("its site", 1, from_site), Source("its package", 1, from_package)),
    digests={name: digest(array.tobytes()) for name, array in ARRAYS.items()},
    assemble=lambda files: {name.replace("-", "_"): decode_idx(files[name]) for name in files},
)

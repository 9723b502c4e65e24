"""The photographs that Neural Art paints: 1,920 of 128 x 128 pixels in three splits.

The originals are photographs of ImageNet's categories, gathered in two public repositories.
ImageNet's terms allow research, not passing on: neither they nor pictures made from them are ever
committed, only their names and digests (photographs.csv). Where the photographs cannot be fetched,
crops of free ones stand in; the three splits are cut from different photographs, so an optimizer
is tested on some that it never saw. `PHOTOGRAPHS.load(...).image(split, index)` is one of them.
"""

from __future__ import annotations

import csv
import io
import urllib.parse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data.bundled import bundled_picture
from l2l.data.pictures import Key, Picture, PictureDataset
from l2l.data.sources import SourceError

SIDE = 128
QUALITY = 95
COUNTS = {"train": 1800, "validation": 20, "test": 100}
MANIFEST = Path(__file__).with_name("photographs.csv")
# Repository and commit of each source that the manifest names.
REPOSITORIES = {
    "imagen": "ajschumacher/imagen/2e8718956e3bb046db9a8e488c2254fd9846b6c5",
    "samples": "EliSchwartz/imagenet-sample-images/bc69043e2862758a1906c6a24a792bb28c6bb2ff",
}
STAND_IN = "random crops of the free photographs inside scikit-image and scikit-learn"
STAND_INS = {
    "train": ("astronaut", "coffee", "rocket"),
    "validation": ("flower",),
    "test": ("chelsea", "china"),
}
SEED = 2017  # the first test crops show something: no empty sky


def manifest() -> dict[Key, Picture]:
    """(split, index from 0) -> the photograph, in order."""
    pictures: dict[Key, Picture] = {}
    next_index = dict.fromkeys(COUNTS, 0)
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            split = line["file"].partition("/")[0]
            pictures[split, next_index[split]] = Picture(
                file=line["file"],
                sha256=line["sha256"],
                path=f"{REPOSITORIES[line['source']]}/{urllib.parse.quote(line['path'])}",
                source_sha256=line["source_sha256"],
            )
            next_index[split] += 1
    return pictures


def remake(original: bytes) -> bytes:
    """The centre of a picture as a JPEG file of 128 x 128 pixels.

    The pixels are taken as they are stored: a rotation in EXIF is left alone, as it was when the
    manifest's files were made.

    Args:
        original: a JPEG or PNG file.

    Returns:
        The JPEG file. Its bytes depend on the versions of Pillow and its JPEG library.

    Raises:
        SourceError: it is no such file.
    """
    from PIL import Image

    made = io.BytesIO()
    try:
        image = Image.open(io.BytesIO(original), formats=["JPEG", "PNG"]).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = image.crop((left, top, left + side, top + side))
        square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(made, "JPEG", quality=QUALITY)
    except Exception as error:  # Pillow has no one exception for a damaged file
        raise SourceError(f"an original is no picture: {error}") from error
    return made.getvalue()


def crop(split: str, index: int) -> NDArray[np.uint8]:
    """What stands in for a photograph: a square of half to all of a free one's shorter side.

    Args:
        split: "train", "validation" or "test".
        index: from 0. The free photographs of the split take turns.

    Returns:
        uint8 [128, 128, RGB], always the same for the same split and index.

    Raises:
        UserError: a package is not installed.
    """
    from PIL import Image

    names = STAND_INS[split]
    picture = bundled_picture(names[index % len(names)])
    # Plain uniform numbers of a named bit generator: what NumPy keeps the same between versions.
    seeds = np.random.SeedSequence([SEED, list(COUNTS).index(split), index])
    size, down, right = np.random.Generator(np.random.PCG64(seeds)).random(3)
    rows, columns, _ = picture.shape
    side = max(SIDE, int(min(rows, columns) * (0.5 + 0.5 * size)))
    top, left = int(down * (rows - side + 1)), int(right * (columns - side + 1))
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return np.array(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


PHOTOGRAPHS = PictureDataset(
    name="photographs",
    folder="photos128",
    pictures=manifest,
    stand_in=STAND_IN,
    stand_in_source="scikit-image and scikit-learn",
    free=crop,
    remake=remake,
)

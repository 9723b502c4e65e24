"""What the photographs are: 1,920 files in three sets, each with its digest and its original.

The originals are photographs of ImageNet's categories, gathered in two public repositories.
ImageNet's terms allow research, not passing on: neither they nor pictures made from them are ever
committed, only their names and digests (photographs.csv).
"""

from __future__ import annotations

import csv
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

SIDE = 128
COUNTS = {"train": 1800, "validation": 20, "test": 100}
MANIFEST = Path(__file__).with_name("photographs.csv")
SITE = "https://raw.githubusercontent.com"
# Repository and commit of each source that the manifest names.
REPOSITORIES = {
    "imagen": "ajschumacher/imagen/2e8718956e3bb046db9a8e488c2254fd9846b6c5",
    "samples": "EliSchwartz/imagenet-sample-images/bc69043e2862758a1906c6a24a792bb28c6bb2ff",
}


@dataclass(frozen=True)
class Photograph:
    """One line of the manifest.

    Attributes:
        file: its path in the dataset's folder, "train/0000.jpg".
        sha256: hex digest of that file.
        url: where its original is.
        source_sha256: hex digest of the original.
    """

    file: str
    sha256: str
    url: str
    source_sha256: str


def manifest() -> dict[str, list[Photograph]]:
    """The photographs of each split ("train", "validation", "test"), in order."""
    splits: dict[str, list[Photograph]] = {split: [] for split in COUNTS}
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            photograph = Photograph(
                file=line["file"],
                sha256=line["sha256"],
                url=f"{SITE}/{REPOSITORIES[line['source']]}/{urllib.parse.quote(line['path'])}",
                source_sha256=line["source_sha256"],
            )
            splits[photograph.file.partition("/")[0]].append(photograph)
    return splits

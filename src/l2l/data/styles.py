"""The six style pictures of Neural Art.

They are in two public repositories at fixed commits. The paintings are old, their photographs not
always free: neither they nor pictures made from them are committed. Where they cannot be fetched,
pictures inside scikit-image stand in for all six. `STYLES.load(...).image(name)` is one of them, as
large as its file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from l2l.data.bundled import bundled_picture
from l2l.data.pictures import Key, Picture, PictureDataset

FAST = "lengstrom/fast-style-transfer/eb413b348902be82efc20c1e347e96c1b9e4a7fd/examples/style"
NEURAL = "jcjohnson/fast-neural-style/2cdacb296950ca6afc68593801a820ce5a102620/images/styles"
STAND_IN = "pictures inside scikit-image"


@dataclass(frozen=True)
class Style:
    """One of the pictures.

    Attributes:
        sha256: hex digest of its file, NAME.jpg.
        path: where the file is on pictures.SITE.
        stand_in: the picture of bundled.FILES that stands in for it.
    """

    sha256: str
    path: str
    stand_in: str


PAINTINGS = {
    "starry_night": Style(
        "0592ab0f7b51b3ce72608a95e53880bd93971e5b48f93a0ce8dfd3cbccf3d098",
        f"{NEURAL}/starry_night.jpg",
        "ihc",
    ),
    "wave": Style(
        "14bcf58a39b7095168f27756d76d0c615bb8954acc5eae9e62c66a9684c2ee2b",
        f"{FAST}/wave.jpg",
        "hubble_deep_field",
    ),
    "udnie": Style(
        "c3d3d4b9e325b485820d1a91df3bad591c2bab86919412e9f1b424e862cf204a",
        f"{FAST}/udnie.jpg",
        "brick",
    ),
    "the_scream": Style(
        "f3075cddeb974a9ee1d6418f7f33fd05185a7ac7dcb4288bd2805d499a9dcaee",
        f"{FAST}/the_scream.jpg",
        "retina",
    ),
    "composition_vii": Style(
        "8f992ed4aecd6dd56972d7bc8166761de7c94e670ee6effa8fd05f3daeb33409",
        f"{NEURAL}/composition_vii.jpg",
        "gravel",
    ),
    "shipwreck": Style(
        "4f7cf34e3cd4a5daaf3f421f059ca9a01aaa2a3afd7243d6670c9c8bc001a213",
        f"{FAST}/the_shipwreck_of_the_minotaur.jpg",
        "grass",
    ),
}


def pictures() -> dict[Key, Picture]:
    """(name,) -> the picture."""
    return {
        (name,): Picture(f"{name}.jpg", style.sha256, style.path, style.sha256)
        for name, style in PAINTINGS.items()
    }


def free_picture(name: str) -> NDArray[np.uint8]:
    """What stands in for a style, uint8 [rows, columns, RGB]."""
    return bundled_picture(PAINTINGS[name].stand_in).copy()


STYLES = PictureDataset(
    name="styles",
    folder="styles",
    pictures=pictures,
    stand_in=STAND_IN,
    stand_in_source="scikit-image",
    free=free_picture,
)

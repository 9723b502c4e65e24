"""Free pictures inside installed packages, from which the stand-ins are made.

They lie in the wheels of scikit-image and scikit-learn and are read from there as files, so neither
package is imported. Whatever is made from them may be published, with the attribution below:

| picture | package | licence |
|---|---|---|
| astronaut | scikit-image | public domain (NASA: Eileen Collins) |
| chelsea | scikit-image | CC0 (Stefan van der Walt) |
| coffee | scikit-image | CC0 (Rachel Michetti) |
| rocket | scikit-image | public domain (SpaceX) |
| ihc | scikit-image | no known copyright restrictions |
| hubble_deep_field | scikit-image | public domain (NASA) |
| retina | scikit-image | CC0 |
| brick, gravel, grass | scikit-image | CC0 |
| china | scikit-learn | CC BY 2.0 (danielbuechele on Flickr) |
| flower | scikit-learn | CC BY 2.0 (vultilion on Flickr) |

Their other colour photograph, scikit-image's motorcycle, has no clear licence and is not used.
"""

from __future__ import annotations

import functools
import importlib.util
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l2l.data.folder import CorruptError, read, verify
from l2l.errors import UserError

ATTRIBUTION = "china by danielbuechele and flower by vultilion, both on Flickr, CC BY 2.0"
DISTRIBUTIONS = {"skimage": "scikit-image", "sklearn": "scikit-learn"}
# Folder in a package -> file of a picture -> its SHA-256 (hex).
_FOLDERS = {
    "skimage/data": {
        "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "ihc.png": "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        "hubble_deep_field.jpg": "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "retina.jpg": "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        "brick.png": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
        "gravel.png": "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
        "grass.png": "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    },
    "sklearn/datasets/images": {
        "china.jpg": "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        "flower.jpg": "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    },
}
FILES = {
    Path(file).stem: (f"{folder}/{file}", sha256)
    for folder, files in _FOLDERS.items()
    for file, sha256 in files.items()
}
"""Picture -> its file, below the package, and the file's SHA-256 (hex)."""


@functools.cache
def bundled_picture(name: str) -> NDArray[np.uint8]:
    """One of the pictures.

    Args:
        name: a key of FILES.

    Returns:
        Read-only uint8 [rows, columns, RGB]; a grey picture has three equal channels.

    Raises:
        UserError: the package is not installed, or its picture is another one.
    """
    place, sha256 = FILES[name]
    package, _, file = place.partition("/")
    spec = importlib.util.find_spec(package)
    try:
        if spec is None or not spec.submodule_search_locations:
            raise CorruptError(f"{package} is not installed")
        path = Path(spec.submodule_search_locations[0]) / file
        if (content := read(path)) is None:
            raise CorruptError(f"{path} is missing")
        verify(str(path), content, sha256)
    except CorruptError as error:
        remedy = f"pip install --force-reinstall -c constraints.txt {DISTRIBUTIONS[package]}"
        raise UserError(f"{error}: {remedy}") from None
    image = pixels(content)
    image.setflags(write=False)
    return image


def pixels(content: bytes) -> NDArray[np.uint8]:
    """The pixels of a picture file, uint8 [rows, columns, RGB]."""
    from PIL import Image

    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))

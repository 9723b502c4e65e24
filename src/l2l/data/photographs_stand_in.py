"""What stands in for the photographs: crops of the few free ones inside installed packages.

The three splits are cut from different photographs, so what an optimizer is tested on it never saw.
The crops are made when asked for and not stored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from l2l.data.bundled import bundled_picture
from l2l.data.photographs_manifest import COUNTS, SIDE

STAND_IN = "random crops of the free photographs inside scikit-image and scikit-learn"
PICTURES = {
    "train": ("astronaut", "coffee", "rocket"),
    "validation": ("flower",),
    "test": ("chelsea", "china"),
}
SEED = 2017  # the first test crops show something: no empty sky


def crop(split: str, index: int) -> NDArray[np.uint8]:
    """One crop: a square at a random place, of half to all of the picture's shorter side.

    Args:
        split: "train", "validation" or "test".
        index: from 0. The pictures of the split take turns.

    Returns:
        uint8 [128, 128, RGB], always the same for the same split and index.

    Raises:
        UserError: a package is not installed.
    """
    from PIL import Image  # comes with torchvision

    names = PICTURES[split]
    picture = bundled_picture(names[index % len(names)])
    # Plain uniform numbers of a named bit generator: what NumPy keeps the same between versions.
    seeds = np.random.SeedSequence([SEED, list(COUNTS).index(split), index])
    size, down, right = np.random.Generator(np.random.PCG64(seeds)).random(3)
    rows, columns, _ = picture.shape
    side = max(SIDE, int(min(rows, columns) * (0.5 + 0.5 * size)))
    top, left = int(down * (rows - side + 1)), int(right * (columns - side + 1))
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return np.array(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))

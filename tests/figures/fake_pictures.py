"""Generated patterns in the place of photographs, of styles and of what became of them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from l2l.evaluation.pictures import write_pictures
from l2l.problems import StyledPictures


def discs(count: int, size: int) -> NDArray[np.uint8]:
    """As photographs: a disc before a gradient, lower from picture to picture; [count, s, s, 3]."""
    y, x = np.mgrid[:size, :size] / size
    found = []
    for place in np.linspace(0.3, 0.7, count):
        disc = (x - 0.5) ** 2 + (y - place) ** 2 < 0.06
        found.append(np.stack([0.2 * y + 0.7 * disc, 0.3 + 0.4 * y, 0.8 - 0.5 * y], axis=-1))
    return np.round(255 * np.stack(found)).astype(np.uint8)


def waves(count: int, size: int) -> NDArray[np.uint8]:
    """As styles: bent stripes, others from picture to picture; [count, size, size, 3]."""
    y, x = np.mgrid[:size, :size] / size
    found = [
        np.stack(
            [
                0.5 + 0.5 * np.sin(20 * x + 8 * np.sin(9 * y + place)),
                0.5 + 0.5 * np.cos(13 * y + place),
                np.full_like(x, 0.4),
            ],
            axis=-1,
        )
        for place in range(count)
    ]
    return np.round(255 * np.stack(found)).astype(np.uint8)


def mixture(count: int, size: int, share: float) -> NDArray[np.uint8]:
    """As styled pictures: so much of a style, the rest of a photograph; [count, size, size, 3]."""
    mixed = share * waves(count, size) + (1 - share) * discs(count, size)
    return np.round(mixed).astype(np.uint8)


def write_fakes(path: Path, family: str, count: int, size: int, share: float) -> None:
    """A file of pictures as a test of Neural Art leaves it."""
    content, styled, style = (
        torch.from_numpy(made)
        for made in (discs(count, size), mixture(count, size, share), waves(count, size))
    )
    write_pictures(path, {family: StyledPictures(content, styled, tuple(style))}, publishable=True)

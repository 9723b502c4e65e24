"""Generated patterns in the place of photographs, of styles and of what became of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from l2l.config import Config
from l2l.evaluation.evaluate import write_pictures as write
from l2l.figures import style_images
from l2l.files import write_json
from l2l.layout import Layout
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


SHARES = {"neural_art": 0.6, "adam": 0.3}
"""Optimizer -> how much of the style is in its pictures."""
FREE = [{"name": name, "stand_in": text} for name, text in style_images.FREE.items()]
REAL = [{"name": name, "stand_in": None} for name in style_images.FREE]


def write_pictures(
    config: Config, root: Path, records: Sequence[dict] = FREE, sizes: Sequence[int] = (64, 128)
) -> None:
    """What the figure `style_images` reads: 3 photographs, of another size in each experiment."""
    layout = Layout(config.run_name, root)
    for experiment, size in zip(style_images.EXPERIMENTS, sizes, strict=True):
        for optimizer, meta_seed in style_images.OPTIMIZERS.items():
            made = (discs(3, size), mixture(3, size, SHARES[optimizer]), waves(3, size))
            content, styled, style = map(torch.from_numpy, made)
            path = layout.pictures(experiment, optimizer, meta_seed)
            pictures = {experiment: StyledPictures(content, styled, tuple(style))}
            write(path, pictures, publishable=True)
    for record in records:
        write_json(layout.data(record["name"]), record)

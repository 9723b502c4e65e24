"""Neural Art (Gatys et al. 2015; section 3.4 of the paper): theta is a picture.

f(theta) = s (alpha L_content + beta L_style + gamma L_variation), with
    L_content    mean (F - F_c)^2 / mean F_c^2, features F of block4_conv2, F_c the photograph's
    L_style      mean over five layers of mean (G - G_s)^2 / mean G_s^2, Gram matrices
                 G = F F^T / (channels pixels), G_s the style's
    L_variation  mean squared difference of neighbouring pixels
    s            pixels / 64^2
Content and style are relative to their targets, so that no photograph and no layer outweighs the
others. Without s the gradient of a coordinate would fall with the number of pixels, and an
optimizer that sees single coordinates would see another scale at every resolution.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from l2l.config.problems import NeuralArtSettings
from l2l.data.photographs import COUNTS, PHOTOGRAPHS
from l2l.data.pictures import Pictures
from l2l.data.styles import STYLES
from l2l.data.vgg16 import VGG16
from l2l.errors import UserError
from l2l.problems.base import Family, Problem, Setup, Step, StyledPictures
from l2l.problems.vgg_features import VGGFeatures
from l2l.rng import stream

CONTENT_LAYER = "block4_conv2"
STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
LAST_LAYER = STYLE_LAYERS[-1]
REFERENCE_PIXELS = 64 * 64


@dataclass(frozen=True)
class NeuralArt(Problem):
    """B pictures, each with a photograph and a style of its own.

    Attributes:
        features: the frozen network.
        settings: the weights of the three terms.
        content: the photographs and theta[0], float32 [B, 3, height, width], RGB in [0, 1].
        content_features: their features, float32 [B, channels, height', width'].
        styles: the style of each, [3, height, width], to be shown beside the results.
        grams: the Gram matrices of the styles: layer -> [B, channels, channels].
    """

    features: VGGFeatures
    settings: NeuralArtSettings
    content: Tensor
    content_features: Tensor
    styles: tuple[Tensor, ...]
    grams: dict[str, Tensor]

    @staticmethod
    def of(
        features: VGGFeatures,
        settings: NeuralArtSettings,
        content: Tensor,
        styles: Sequence[Tensor],
    ) -> NeuralArt:
        """The problems of making each photograph look like its style.

        Args:
            features: the frozen network.
            settings: the weights of the three terms.
            content: the photographs, float32 [B, 3, height, width], RGB in [0, 1].
            styles: one for each photograph, [3, any height, any width]; the features of a tensor
                that is there several times are computed once.
        """
        with torch.no_grad():
            target = _precise(features(content, [CONTENT_LAYER])[CONTENT_LAYER])
            once = {id(style): grams(features, style[None]) for style in styles}
        each = [once[id(style)] for style in styles]
        stacked = {layer: torch.cat([one[layer] for one in each]) for layer in STYLE_LAYERS}
        return NeuralArt(features, settings, content, target, tuple(styles), stacked)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:  # type: ignore[override]
        """theta is the picture: channel, row, column."""
        return {"picture": tuple(self.content.shape[1:])}

    def initial(self) -> Tensor:
        """theta[0], [B, n]: the photographs themselves."""
        return self.content.flatten(1)

    def loss(self, theta: Tensor, step: Step) -> Tensor:
        """f of each picture, [B]; the same at every step."""
        images = theta.reshape(self.content.shape)
        features = self.features(images, [CONTENT_LAYER, *STYLE_LAYERS])
        content = _relative(_precise(features[CONTENT_LAYER]), self.content_features)
        style = torch.stack(
            [_relative(gram(features[layer]), self.grams[layer]) for layer in STYLE_LAYERS]
        ).mean(dim=0)
        terms = (
            self.settings.content_weight * content
            + self.settings.style_weight * style
            + self.settings.variation_weight * variation(images)
        )
        return terms * (images[0, 0].numel() / REFERENCE_PIXELS)

    def repeat(self, times: int) -> NeuralArt:
        """These problems `times` times in a row."""
        return replace(
            self,
            content=self.content.repeat(times, 1, 1, 1),
            content_features=self.content_features.repeat(times, 1, 1, 1),
            styles=self.styles * times,
            grams={layer: g.repeat(times, 1, 1) for layer, g in self.grams.items()},
        )

    def pictures(self, theta: Tensor) -> StyledPictures:
        """theta [B, n] as pictures, beside the photographs and the styles."""
        styled = theta.reshape(self.content.shape)
        return StyledPictures(
            content=_displayed(self.content),
            styled=_displayed(styled),
            style=tuple(_displayed(style[None])[0] for style in self.styles),
        )


def gram(features: Tensor) -> Tensor:
    """F F^T / (channels pixels), [B, channels, channels], of features [B, channels, h, w]."""
    flat = _precise(features).flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def grams(features: VGGFeatures, images: Tensor) -> dict[str, Tensor]:
    """The Gram matrices of all style layers: layer -> [B, channels, channels]."""
    return {layer: gram(values) for layer, values in features(images, STYLE_LAYERS).items()}


def variation(images: Tensor) -> Tensor:
    """Mean squared difference of vertical and of horizontal neighbours, [B]."""
    rows = (images[:, :, 1:] - images[:, :, :-1]).square().mean(dim=(1, 2, 3))
    columns = (images[..., 1:] - images[..., :-1]).square().mean(dim=(1, 2, 3))
    return rows + columns


def _precise(features: Tensor) -> Tensor:
    """The features in float32 at least."""
    return features.to(torch.promote_types(features.dtype, torch.float32))


def _relative(values: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference over the target's mean square, [B]."""
    difference = (values - target).square().flatten(1).mean(dim=1)
    return difference / target.square().flatten(1).mean(dim=1)


def _displayed(images: Tensor) -> Tensor:
    """uint8 [B, height, width, RGB] of [B, 3, height, width], clipped to [0, 1]."""
    return (255 * images.clamp(0, 1)).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()


@dataclass(frozen=True)
class NeuralArtFamily(Family):
    """Square photographs of one size, each with a style of one list.

    Attributes:
        settings: the size, the styles, the weights of the loss.
        seed: the seed of the run.
        device: where the pictures are put.
        features: the frozen network, on the device.
        photographs: `image(split, number)` is one of them.
        paintings: the data set of the styles.
        counts: split -> number of its photographs.
    """

    settings: NeuralArtSettings
    seed: int
    device: torch.device
    features: VGGFeatures
    photographs: Pictures
    paintings: Pictures
    counts: Mapping[str, int] = field(default_factory=COUNTS.copy)

    @classmethod
    def load(cls, settings: NeuralArtSettings, setup: Setup) -> Self:
        """The family, with VGG-16 and the pictures; see `Family.load`."""
        device, dtype = setup.device, precision(settings.precision, setup.device)
        weights, photographs, paintings = _data(setup.directory)
        features = VGGFeatures.of(weights, LAST_LAYER, device, dtype)
        return cls(settings, setup.seed, device, features, photographs, paintings)

    @functools.cached_property
    def styles(self) -> tuple[Tensor, ...]:
        """The styles of the settings, float32 [3, size, size] each, on the device."""
        pictures = (self.paintings.image(name) for name in self.settings.styles)
        return tuple(square(each, self.settings.size).to(self.device) for each in pictures)

    @property
    def stand_ins(self) -> Mapping[str, str | None]:
        """See `Family.stand_ins`."""
        return {"photographs": self.photographs.stand_in, "styles": self.paintings.stand_in}

    @property
    def publishable(self) -> bool:
        """See `Family.publishable`."""
        return self.photographs.publishable and self.paintings.publishable

    def sample(self, names: Sequence[str | int], indices: Sequence[int], steps: int) -> NeuralArt:
        """Draw problems.

        The first name of the stream decides about the photographs: "train" draws a training
        photograph and a style at random; "test" takes test photograph i, and every other name
        validation photograph i, with the styles in turn.

        Raises:
            UserError: there are fewer photographs than problems.
        """
        split = {"train": "train", "test": "test"}.get(str(names[0]), "validation")
        count = self.counts[split]
        if split != "train" and max(indices) >= count:
            raise UserError(
                f"there are {count} {split} photographs, not {max(indices) + 1}: lower the number "
                "of problems"
            )
        photographs, styles = [], []
        for index in indices:
            if split == "train":
                generator = stream(self.seed, *names, "photograph", index)
                photograph = int(torch.randint(count, (), generator=generator))
                style = int(torch.randint(len(self.styles), (), generator=generator))
            else:
                photograph, style = index, index % len(self.styles)
            photographs.append(
                square(self.photographs.image(split, photograph), self.settings.size)
            )
            styles.append(self.styles[style])
        content = torch.stack(photographs).to(self.device)
        return NeuralArt.of(self.features, self.settings, content, styles)


def precision(name: str, device: torch.device) -> torch.dtype:
    """The dtype in which features are computed.

    On a CPU with AVX512-BF16 a step in bfloat16 takes 0.6 of the time of float32. Losses differ by
    less than 0.2 %, and the cosine between the gradients is 0.997.

    Args:
        name: auto, float32 or bfloat16.
        device: where to compute.
    """
    if name == "auto":  # PyTorch has no public function for this question
        native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        name = "bfloat16" if device.type == "cpu" and native() else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


def square(picture: NDArray[np.uint8], size: int) -> Tensor:
    """The central square of a picture, scaled.

    Args:
        picture: uint8 [rows, columns, RGB].
        size: pixels of a side of the result.

    Returns:
        float32 [3, size, size] in [0, 1], on the CPU.
    """
    rows, columns, _ = picture.shape
    side = min(rows, columns)
    top, left = (rows - side) // 2, (columns - side) // 2
    middle = Image.fromarray(picture[top : top + side, left : left + side])
    return as_tensor(middle.resize((size, size), Image.Resampling.LANCZOS))


def as_tensor(picture: Image.Image) -> Tensor:
    """An RGB picture as float32 [3, rows, columns] in [0, 1]."""
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255).permute(2, 0, 1)


@functools.cache  # a job may test several experiments
def _data(directory: Path) -> tuple[Mapping[str, Tensor], Pictures, Pictures]:
    """VGG-16's weights, the photographs and the styles."""
    return VGG16.load(directory), PHOTOGRAPHS.load(directory), STYLES.load(directory)

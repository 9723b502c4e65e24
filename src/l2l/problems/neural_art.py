"""Neural Art (Gatys et al. 2015; section 3.4 of the paper): theta is a picture.

f(theta) = s (alpha L_content + beta L_style + gamma L_variation), with
    L_content    mean (F - F_c)^2 / mean F_c^2, features F of block4_conv2, F_c the photograph's
    L_style      mean over five layers of mean (G - G_s)^2 / mean G_s^2, Gram matrices
                 G = F F^T / (channels pixels), G_s the style's
    L_variation  mean squared difference of neighbouring pixels
    s            pixels / 64^2
Content and style are relative to their targets, so that no photograph and no layer outweighs the
others. Without s a coordinate's gradient would fall with the number of pixels, and an optimizer
that sees single coordinates would meet another scale at every resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from l2l.problems.base import Pictures, Problem, Step
from l2l.problems.vgg_features import VGGFeatures

CONTENT_LAYER = "block4_conv2"
STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
LAST_LAYER = STYLE_LAYERS[-1]
REFERENCE_PIXELS = 64 * 64


@dataclass(frozen=True)
class Weights:
    """alpha, beta, gamma."""

    content: float
    style: float
    variation: float


@dataclass(frozen=True)
class NeuralArt(Problem):
    """B pictures, each with a photograph and a style of its own.

    Attributes:
        features: frozen.
        weights: of the three terms.
        content: the photographs, [B, 3, height, width], RGB in [0, 1]; theta[0] too.
        content_features: of them, [B, channels, height', width'], float32.
        styles: style pictures, [3, height, width] each, to be shown beside the results.
        grams: the Gram matrices of each picture's style: layer -> [B, channels, channels].
    """

    features: VGGFeatures
    weights: Weights
    content: Tensor
    content_features: Tensor
    styles: tuple[Tensor, ...]
    grams: dict[str, Tensor]

    @staticmethod
    def of(
        features: VGGFeatures, weights: Weights, content: Tensor, styles: Sequence[Tensor]
    ) -> NeuralArt:
        """The problems of making each photograph look like its style.

        Args:
            features: frozen.
            weights: of the three terms.
            content: [B, 3, height, width], RGB in [0, 1].
            styles: one for each photograph, [3, any height, any width]; what is given twice is
                looked at once.
        """
        with torch.no_grad():
            found = _precise(features(content, [CONTENT_LAYER])[CONTENT_LAYER])
            once = {id(style): grams(features, style[None]) for style in styles}
        each = [once[id(style)] for style in styles]
        stacked = {layer: torch.cat([one[layer] for one in each]) for layer in STYLE_LAYERS}
        return NeuralArt(features, weights, content, found, tuple(styles), stacked)

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
        found = self.features(images, [CONTENT_LAYER, *STYLE_LAYERS])
        content = _relative(_precise(found[CONTENT_LAYER]), self.content_features)
        style = torch.stack(
            [_relative(gram(found[layer]), self.grams[layer]) for layer in STYLE_LAYERS]
        ).mean(dim=0)
        terms = (
            self.weights.content * content
            + self.weights.style * style
            + self.weights.variation * variation(images)
        )
        return terms * (images[0, 0].numel() / REFERENCE_PIXELS)

    def repeat(self, times: int) -> NeuralArt:
        """The same problems `times` over."""
        return replace(
            self,
            content=self.content.repeat(times, 1, 1, 1),
            content_features=self.content_features.repeat(times, 1, 1, 1),
            styles=self.styles * times,
            grams={layer: g.repeat(times, 1, 1) for layer, g in self.grams.items()},
        )

    def pictures(self, theta: Tensor) -> Pictures:
        """What theta [B, n] looks like, beside the photographs and the styles."""
        styled = theta.reshape(self.content.shape)
        return Pictures(
            content=_displayed(self.content),
            styled=_displayed(styled),
            style=tuple(_displayed(style[None])[0] for style in self.styles),
        )


def gram(features: Tensor) -> Tensor:
    """F F^T / (channels pixels), [B, channels, channels], of [B, channels, h, w]."""
    flat = _precise(features).flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def grams(features: VGGFeatures, images: Tensor) -> dict[str, Tensor]:
    """The Gram matrices of every style layer: layer -> [B, channels, channels]."""
    return {layer: gram(found) for layer, found in features(images, STYLE_LAYERS).items()}


def variation(images: Tensor) -> Tensor:
    """Mean squared difference of vertical and of horizontal neighbours, [B]."""
    rows = (images[:, :, 1:] - images[:, :, :-1]).square().mean(dim=(1, 2, 3))
    columns = (images[..., 1:] - images[..., :-1]).square().mean(dim=(1, 2, 3))
    return rows + columns


def _precise(features: Tensor) -> Tensor:
    """In float32, where features are of less."""
    return features.to(torch.promote_types(features.dtype, torch.float32))


def _relative(found: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference over the target's mean square, [B]."""
    return (found - target).square().flatten(1).mean(dim=1) / target.square().flatten(1).mean(dim=1)


def _displayed(images: Tensor) -> Tensor:
    """uint8 [B, height, width, RGB] of [B, 3, height, width]; what is not in [0, 1] is cut off."""
    return (255 * images.clamp(0, 1)).round().to(torch.uint8).permute(0, 2, 3, 1).cpu()

"""Small transformers that classify an image from its patches (Dosovitskiy et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from l2l.config.problems import AttentionSettings
from l2l.problems.sequences import SequenceFamily, SequenceProblem, linear

WIDER = 2  # the hidden layer of a block, in widths


@dataclass(frozen=True)
class Attention(SequenceProblem):
    """B transformers: blocks of attention and an MLP, layer normalisation before each and at last.

    The logits are linear in the mean over the patches.
    """

    settings: AttentionSettings

    def logits(self, named: Mapping[str, Tensor], sequences: Tensor) -> Tensor:
        """See `SequenceProblem.logits`."""
        hidden = linear(sequences, named, "patch") + named["position.weight"][:, None]
        for block in range(self.settings.blocks):
            name = f"block{block}"
            hidden = hidden + self._attention(
                _normalised(hidden, named, f"{name}.norm1"), named, name
            )
            wide = linear(_normalised(hidden, named, f"{name}.norm2"), named, f"{name}.wide")
            hidden = hidden + linear(functional.gelu(wide), named, f"{name}.narrow")
        return linear(_normalised(hidden, named, "norm").mean(dim=2), named, "output")

    def _attention(self, inputs: Tensor, named: Mapping[str, Tensor], name: str) -> Tensor:
        """Attention over the patches, [B, batch, patches, width] for inputs of this shape."""
        heads = linear(inputs, named, f"{name}.attention").unflatten(
            -1, (3, self.settings.heads, -1)
        )
        query, key, value = heads.permute(3, 0, 1, 4, 2, 5)  # [B, batch, heads, patches, width]
        products = query @ key.mT / math.sqrt(query.shape[-1])
        mixed = products.softmax(dim=-1) @ value
        return linear(mixed.transpose(2, 3).flatten(3), named, f"{name}.mixed")


def _normalised(hidden: Tensor, named: Mapping[str, Tensor], layer: str) -> Tensor:
    """Layer normalisation (Ba, Kiros and Hinton 2016); hidden [B, ..., width]."""
    spread = (slice(None), *[None] * (hidden.dim() - 2))
    scale, shift = named[f"{layer}.scale"][spread], named[f"{layer}.shift"][spread]
    return functional.layer_norm(hidden, hidden.shape[-1:]) * scale + shift


@dataclass(frozen=True)
class AttentionFamily(SequenceFamily):
    """Transformers of one architecture on one data set."""

    settings: AttentionSettings

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The named parameters of one network."""
        width, (_, patches, pixels) = self.settings.width, self.data.images.shape
        layers = {"patch": (width, pixels)}
        for block in range(self.settings.blocks):
            layers[f"block{block}.attention"] = (3 * width, width)
            layers[f"block{block}.mixed"] = (width, width)
            layers[f"block{block}.wide"] = (WIDER * width, width)
            layers[f"block{block}.narrow"] = (width, WIDER * width)
        layers["output"] = (self.classes, width)
        shapes: dict[str, tuple[int, ...]] = {"position.weight": (patches, width)}
        for name, (outputs, inputs) in layers.items():
            shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
        norms = [f"block{b}.norm{n}" for b in range(self.settings.blocks) for n in (1, 2)]
        for name in (*norms, "norm"):
            shapes |= {f"{name}.scale": (width,), f"{name}.shift": (width,)}
        return shapes

    def networks(self, minibatches: Tensor, theta0: Tensor) -> Attention:
        """See `ImageFamily.networks`."""
        return Attention(self.shapes, minibatches, theta0, self.settings, self.data)

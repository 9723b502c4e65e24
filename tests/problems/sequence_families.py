"""Small families of networks on images in patches."""

from __future__ import annotations

from typing import Any

import torch

from l2l.config.problems import AttentionSettings, RecurrentSettings
from l2l.problems.attention import AttentionFamily
from l2l.problems.recurrent import RecurrentFamily
from l2l.problems.sequences import PatchSet, patches

IMAGES = {
    "dataset": "mnist",
    "batch_size": 6,
    "init": "torch",
    "init_std": 0.01,
    "train_sample": 20,
}


def images(patch: tuple[int, int]) -> PatchSet:
    """Forty images of 6 x 4 pixels and three classes."""
    generator = torch.Generator().manual_seed(77)
    whole = torch.randint(0, 256, (40, 6, 4), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 3, (40,), generator=generator)
    return PatchSet(patches(whole, patch), labels, torch.randperm(40, generator=generator)[:20])


def recurrent_family(cell: str = "gru", **changes: Any) -> RecurrentFamily:
    values = {"kind": "recurrent", "cell": cell, "units": 5, "patch": (2, 4)} | IMAGES | changes
    settings = RecurrentSettings.model_validate(values)
    return RecurrentFamily(settings, 0, images(settings.patch), 3)


def attention_family(**changes: Any) -> AttentionFamily:
    own = {"kind": "attention", "blocks": 2, "width": 6, "heads": 2, "patch": (3, 2)}
    settings = AttentionSettings.model_validate(own | IMAGES | changes)
    return AttentionFamily(settings, 0, images(settings.patch), 3)

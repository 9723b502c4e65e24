"""Painting a user's own picture: an optimizer moves its pixels until they look like a style."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

from l2l.config.problems import NeuralArtSettings
from l2l.data.vgg16 import VGG16
from l2l.errors import UserError
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import Optimizer
from l2l.painting.pictures import Frames
from l2l.problems.neural_art import LAST_LAYER, NeuralArt, as_tensor, precision
from l2l.problems.vgg_features import VGGFeatures


def paint(
    content: Image.Image,
    style: Image.Image,
    optimizer: Optimizer,
    settings: NeuralArtSettings,
    steps: int,
    wanted: Callable[[int], bool],
    report: Callable[[float], None],
    directory: Path,
    device: torch.device,
) -> Frames:
    """Paint a picture.

    Args:
        content: RGB, of any size; the picture starts from it.
        style: RGB, of any size.
        optimizer: learned or hand-crafted, for one group of parameters.
        settings: the weights of the loss; its own size and styles are not used.
        steps: how many updates to make.
        wanted: which steps' pictures are kept; the last one always is.
        report: called after each update with the loss.
        directory: where VGG-16's weights lie, or are put.
        device: where to compute.

    Returns:
        step -> what the picture looked like.

    Raises:
        UserError: the loss diverged.
    """
    dtype = precision(settings.precision, device)
    features = VGGFeatures.of(VGG16.load(directory), LAST_LAYER, device, dtype)
    photograph = as_tensor(content)[None].to(device)
    problem = NeuralArt.of(features, settings, photograph, [as_tensor(style).to(device)])
    frames: Frames = {}

    def observe(carry: Carry) -> None:
        loss = carry.loss.item()
        if not math.isfinite(loss):
            raise UserError(
                f"the loss diverged after {carry.step} of {steps} steps: give another --optimizer, "
                "or smaller weights of the loss (--set problems.neural_art.style_weight=...)"
            )
        if carry.step == steps or wanted(carry.step):
            frames[carry.step] = Image.fromarray(problem.pictures(carry.theta).styled[0].numpy())
        if carry.step:
            report(loss)

    start = begin(problem, optimizer)
    observe(start)
    rollout(problem, optimizer, start, steps, observe)
    return frames

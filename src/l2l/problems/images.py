"""What problems on labelled images share: the data set, random minibatches, fixed samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from l2l.data.labelled import LabelledImages
from l2l.errors import UserError
from l2l.problems.base import Step
from l2l.registry import DATASETS, resolve
from l2l.rng import stream


def labelled_images(name: str, directory: Path) -> LabelledImages:
    """A data set, verified.

    Args:
        name: in `l2l.registry.DATASETS`.
        directory: the folder of the data sets.

    Raises:
        UserError: it has no labels, or it is missing and cannot be fetched.
    """
    images = resolve(DATASETS[name]).load(directory)
    if not isinstance(images, LabelledImages):
        raise UserError(f"dataset = {name}: it has no labels; give one of labelled images")
    return images


def fixed_sample(count: int, size: int, seed: int, name: str) -> Tensor:
    """The numbers of `size` different images out of `count`, or of all, int64, from a stream."""
    return torch.randperm(count, generator=stream(seed, name))[:size]


def draw_minibatches(
    seed: int, names: Sequence[str | int], indices: Sequence[int], count: int, size: tuple[int, int]
) -> Tensor:
    """Numbers of images, uniform with replacement; problem i draws from a stream of its own.

    Args:
        seed: the seed of the run.
        names: the stream of the problems.
        indices: which problems of that stream.
        count: how many images there are.
        size: (steps + 1, images of a minibatch).

    Returns:
        int64 [B, steps + 1, batch], on the CPU.
    """
    streams = [stream(seed, *names, "minibatch", i) for i in indices]
    return torch.stack([torch.randint(count, size, generator=each) for each in streams])


def at_step(minibatches: Tensor, step: Step) -> Tensor:
    """The images of one step, [B, batch], out of those of all steps, [B, steps + 1, batch]."""
    if isinstance(step, Tensor):
        return minibatches.index_select(1, step[None])[:, 0]
    return minibatches[:, step]

"""One seed, many named and independent random streams: every number of an experiment is from one.

A stream is found by its name, not by how much was drawn before: problem 7 is the same whether 8
or 64 problems run, and a resumed meta-training needs no generator state to end with the same bits.
"""

from __future__ import annotations

import hashlib

import torch


def stream(seed: int, *names: str | int) -> torch.Generator:
    """The CPU generator of a named stream.

    Args:
        seed: the one seed of the run.
        names: the path of the stream, for example ("test", "mnist", 7, "minibatch").

    Returns:
        A torch.Generator, seeded by SHA-256 of seed and names. PyTorch's CPU generator uses 32 bits
        of a seed, so among hundreds of thousands of episodes some few share their numbers.
    """
    path = "/".join([str(seed), *(f"{type(name).__name__}:{name}" for name in names)])
    digest = hashlib.sha256(path.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

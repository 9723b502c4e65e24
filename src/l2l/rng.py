"""One seed, and many named, independent random streams that all random numbers come from.

A stream depends on its name, not on what was drawn before. So problem 7 is the same whether 8 or 64
problems run, and a resumed meta-training ends with the same bits without a saved generator.
"""

from __future__ import annotations

import hashlib

import torch


def stream(seed: int, *names: str | int) -> torch.Generator:
    """The random generator of a named stream, on the CPU.

    Args:
        seed: the one seed of the run.
        names: the path of the stream, for example ("test", "mnist", 7, "minibatch").

    Returns:
        A torch.Generator, seeded by SHA-256 of seed and names. PyTorch's CPU generator uses 32 bits
        of a seed, so a few among hundreds of thousands of episodes share their numbers.
    """
    path = "/".join([str(seed), *(f"{type(name).__name__}:{name}" for name in names)])
    digest = hashlib.sha256(path.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

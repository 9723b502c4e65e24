"""What tests of several parts share: real MNIST, and one thread."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from l2l.data.mnist import fetch_mnist

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tests are small: more threads than one only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def mnist_directory() -> Path:
    """A data directory with real MNIST: named by the user, beside the repository, or fetched."""
    named = os.environ.get("L2L_DATA_DIR")
    beside = REPOSITORY.parent / "shared" / "data"
    if named:
        directory = Path(named)
    elif (beside / "mnist").is_dir():
        directory = beside
    else:
        directory = REPOSITORY / "data"
    fetch_mnist(directory)
    return directory

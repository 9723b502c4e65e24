"""What tests of several parts share: real MNIST, and one thread."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from l2l.data.cifar10 import fetch_cifar10
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


@pytest.fixture(scope="session")
def data_directory(mnist_directory: Path) -> Path:
    """A data directory with real MNIST and real CIFAR-10, which may take a download of 139 MB."""
    if (mnist_directory / "cifar10").is_dir():
        return mnist_directory
    directory = REPOSITORY / "data"  # nothing is written into a folder of the user's
    directory.mkdir(exist_ok=True)
    if not (directory / "mnist").exists():
        (directory / "mnist").symlink_to(mnist_directory.resolve() / "mnist")
    fetch_cifar10(directory)
    return directory

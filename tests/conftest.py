"""What tests of several parts share: real MNIST, and one thread."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from l2l.data.mnist import MNIST
from l2l.registry import DATASETS, resolve

REPOSITORY = Path(__file__).resolve().parents[1]
LONGEST = ("test_smoke_run", "test_extending", "test_notebook", "test_dag", "test_page")
"""Files that take minutes, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: no worker does them alone at the end (--dist loadfile)."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


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
    MNIST.fetch(directory)
    return directory


@pytest.fixture(scope="session")
def data_directory(mnist_directory: Path) -> Path:
    """A data directory with every dataset, which may take downloads of 200 MB.

    Photographs and styles are stand-ins where the user has none and their homes cannot be reached.
    """
    folders = ("mnist", "cifar10", "photos128", "styles", "vgg16")
    if all((mnist_directory / folder).is_dir() for folder in folders):
        return mnist_directory
    directory = REPOSITORY / "data"  # nothing is written into a folder of the user's
    directory.mkdir(exist_ok=True)
    for folder in folders:
        of_the_user = mnist_directory.resolve() / folder
        if of_the_user.is_dir() and not (directory / folder).exists():
            (directory / folder).symlink_to(of_the_user)
    for path in DATASETS.values():
        resolve(path).fetch(directory)
    return directory

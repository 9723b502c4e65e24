"""Files for the tests of faults."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

LABELS = "t10k-labels-idx1-ubyte"


@pytest.fixture
def gzipped_labels(mnist_directory: Path) -> bytes:
    """MNIST's test labels, gzipped."""
    plain = mnist_directory / "mnist" / LABELS
    if plain.exists():
        return gzip.compress(plain.read_bytes(), 1)
    return plain.with_name(f"{LABELS}.gz").read_bytes()

"""Checkpoints of small untrained optimizers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small import hierarchical_settings, lstm_settings, random_phi

from l2l.optimizers import CoordinatewiseLSTM, checkpoint
from l2l.optimizers.hierarchical import HierarchicalRNN
from l2l.rng import stream

PARTS = [
    {"name": "convolutional", "parameters": ["conv*"]},
    {"name": "connected", "parameters": ["*"]},
]


@pytest.fixture
def lstm(tmp_path: Path) -> Callable[..., str]:
    """Writes an LSTM's file, and returns its path."""

    def write(name: str = "lstm", seed: int = 0, **changes: Any) -> str:
        settings = lstm_settings(**changes)
        path = tmp_path / f"{name}.safetensors"
        phi = random_phi(settings, seed, torch.float32)
        checkpoint.save(path, CoordinatewiseLSTM(settings, phi), {})
        return str(path)

    return write


@pytest.fixture
def hierarchical(tmp_path: Path) -> str:
    """The path of a hierarchical RNN's file."""
    settings = hierarchical_settings()
    path = tmp_path / "hierarchical.safetensors"
    phi = HierarchicalRNN.initial(settings, stream(0, "tests"))
    checkpoint.save(path, HierarchicalRNN(settings, phi), {})
    return str(path)

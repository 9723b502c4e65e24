"""Checkpoints of small untrained optimizers, and a model to learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small import hierarchical_settings, lstm_settings, normalised_settings, random_phi
from torch import Tensor, nn

from l2l.optimizers import CoordinatewiseLSTM, checkpoint
from l2l.optimizers.hierarchical import HierarchicalRNN
from l2l.optimizers.normalised import NormalisedLSTM
from l2l.rng import stream

Write = Callable[..., str]
PARTS = [
    {"name": "convolutional", "parameters": ["conv*"]},
    {"name": "connected", "parameters": ["*"]},
]


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


def batch(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(20, 6, generator=generator, dtype=torch.float32)
    return x.to(dtype), torch.randint(0, 3, (20,), generator=generator)


def learn(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> float:
    x, y = batch(next(model.parameters()).dtype)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x).float(), y)
        loss.backward()
        optimizer.step()
    return loss.item()


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def lstm(tmp_path: Path) -> Write:
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


@pytest.fixture
def normalised(tmp_path: Path) -> str:
    """The path of a file of an LSTM on normalised gradients, with steps relative to tensors."""
    settings = normalised_settings(decays=[0.9])
    path = tmp_path / "normalised.safetensors"
    phi = random_phi(settings, dtype=torch.float32)
    checkpoint.save(path, NormalisedLSTM(settings, phi), {})
    return str(path)

"""A learned optimizer with accelerate: prepare takes it as any optimizer.

    pip install accelerate
    python examples/with_accelerate.py

It trains a small network on scikit-learn's digits.
"""

from __future__ import annotations

import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import l2l


def main() -> None:
    """Train for ten epochs."""
    torch.manual_seed(0)
    images, labels = (torch.tensor(part) for part in load_digits(return_X_y=True))
    images = images.float() / 16
    loader = DataLoader(TensorDataset(images, labels), batch_size=128, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = l2l.LearnedOptimizer(model.parameters(), steps=10 * len(loader))
    accelerator = Accelerator(cpu=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    for _ in range(10):
        for batch, targets in loader:
            optimizer.zero_grad()
            accelerator.backward(nn.functional.cross_entropy(model(batch), targets))
            optimizer.step()
    right = model(images).argmax(dim=1) == labels
    print(f"accuracy {right.float().mean():.3f}")


if __name__ == "__main__":
    main()

"""A learned optimizer with Lightning: configure_optimizers returns it.

    pip install lightning
    python examples/with_lightning.py

It trains a small network on scikit-learn's digits.
"""

from __future__ import annotations

import lightning
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import l2l


class Digits(lightning.LightningModule):
    """A classifier of scikit-learn's digits."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The loss of a minibatch."""
        images, labels = batch
        return nn.functional.cross_entropy(self.model(images), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The learned optimizer, told how long the run is."""
        steps = int(self.trainer.estimated_stepping_batches)
        return l2l.LearnedOptimizer(self.parameters(), steps=steps)


def main() -> None:
    """Train for 150 steps."""
    lightning.seed_everything(0)
    images, labels = (torch.tensor(part) for part in load_digits(return_X_y=True))
    images = images.float() / 16
    loader = DataLoader(TensorDataset(images, labels), batch_size=128, shuffle=True)
    digits = Digits()
    trainer = lightning.Trainer(
        max_steps=150, accelerator="cpu", logger=False, enable_checkpointing=False
    )
    trainer.fit(digits, loader)
    right = digits.model(images).argmax(dim=1) == labels
    print(f"accuracy {right.float().mean():.3f}")


if __name__ == "__main__":
    main()

"""A network of your own, trained with a learned optimizer and with ADAM.

    python examples/own_model.py
    python examples/own_model.py --steps 300 --learned path/to/optimizer.safetensors

`l2l.LearnedOptimizer` is a `torch.optim.Optimizer`: the training loop is the usual one. The learned
optimizer "general" was meta-trained on small networks of many kinds. Here it meets images that it
has never seen, scikit-learn's digits of 8 x 8 pixels. It has no learning rate to tune; it only asks
how many steps there will be. ADAM has one, so ADAM is shown with three.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import l2l

TRAIN = 1400  # images; the other 397 test what was learned


def train(
    make_optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer],
    images: Tensor,
    labels: Tensor,
    steps: int,
) -> tuple[list[float], float]:
    """Train one network. Returns the loss of each step, and the accuracy on the test images."""
    torch.manual_seed(0)  # the same initial weights and minibatches for every optimizer
    model = nn.Sequential(nn.Linear(64, 32), nn.Sigmoid(), nn.Linear(32, 10))
    optimizer = make_optimizer(model.parameters())
    losses = []
    for _ in range(steps):
        batch = torch.randint(TRAIN, (128,))
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    correct = model(images[TRAIN:]).argmax(dim=1) == labels[TRAIN:]
    return losses, correct.float().mean().item()


def main() -> None:
    """Train the same network with each optimizer, and print what came out."""
    parser = argparse.ArgumentParser(description="A learned optimizer beside ADAM on digits.")
    parser.add_argument("--steps", type=int, default=100, help="of training (default: 100)")
    parser.add_argument(
        "--learned",
        default="general",
        help=f"a released optimizer ({', '.join(l2l.released())}) or a checkpoint's path",
    )
    arguments = parser.parse_args()
    images, labels = (torch.tensor(part) for part in load_digits(return_X_y=True))
    images = images.float() / 16  # pixels from 0 to 1

    optimizers: dict[str, Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]] = {
        f"learned, {arguments.learned}": lambda weights: l2l.LearnedOptimizer(
            weights, arguments.learned, steps=arguments.steps
        ),
        "ADAM, rate 0.001": lambda weights: torch.optim.Adam(weights, lr=0.001),
        "ADAM, rate 0.01": lambda weights: torch.optim.Adam(weights, lr=0.01),
        "ADAM, rate 0.1": lambda weights: torch.optim.Adam(weights, lr=0.1),
    }
    middle = (arguments.steps + 1) // 2
    print(f"{'optimizer':20} loss at step {middle:4}  at step {arguments.steps:4}  test accuracy")
    for name, make_optimizer in optimizers.items():
        losses, accuracy = train(make_optimizer, images, labels, arguments.steps)
        print(f"{name:20} {losses[middle - 1]:17.3f} {losses[-1]:13.3f} {accuracy:14.1%}")


if __name__ == "__main__":
    main()

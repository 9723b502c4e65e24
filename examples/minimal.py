"""The whole idea in one file of plain PyTorch: an LSTM learns to minimise quadratics.

    python examples/minimal.py

It takes about a minute on one core. It imports nothing of the package, so that it can be read from
top to bottom. The numbers in brackets are the equations of Andrychowicz et al. (2016), "Learning to
learn by gradient descent by gradient descent", https://arxiv.org/abs/1606.04474.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn

STEPS = 100  # of an episode: the optimizer starts at theta[0] and makes this many updates
WINDOW = 20  # backpropagation goes back over this many of them
State = tuple[Tensor, Tensor]  # of the LSTM: (hidden, cell)


class Quadratics:
    """A batch of B problems f(theta) = ||W theta - y||^2, with W and y drawn from N(0, 1).

    A batch costs little more than one problem, and the mean over many problems is what counts.
    """

    def __init__(self, problems: int, dimensions: int = 10) -> None:
        self.W = torch.randn(problems, dimensions, dimensions)
        self.y = torch.randn(problems, dimensions)
        self.theta0 = 0.01 * torch.randn(problems, dimensions)  # every optimizer starts here

    def loss(self, theta: Tensor) -> Tensor:
        """f(theta) of each problem: [B, dimensions] -> [B]."""
        residual = (self.W @ theta[..., None])[..., 0] - self.y
        return residual.square().sum(dim=1)

    def gradient(self, theta: Tensor) -> Tensor:
        """The gradient of each problem, [B, dimensions], a constant to autograd.

        `detach` is equation (5). The gradient depends on theta, and theta on phi through the
        earlier updates; this path is dropped, because it needs the second derivatives of f.
        """
        theta = theta.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.loss(theta).sum(), theta)[0]


class LearnedOptimizer(nn.Module):
    """m(gradient, h, phi): a small LSTM in place of a rule that people wrote. phi are its weights.

    It is coordinate-wise: each number in theta has a hidden state of its own, and all share phi.
    So the coordinates of all problems are one large batch, and it fits a theta of any size.
    """

    def __init__(self, units: int = 20, layers: int = 2) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, units, layers)
        self.head = nn.Linear(units, 1)
        with torch.no_grad():  # small first updates; large ones make theta diverge at once
            self.head.weight.mul_(0.1)
            self.head.bias.mul_(0.1)

    def init(self, theta: Tensor) -> State:
        """h[0]: zero."""
        zero = theta.new_zeros(self.lstm.num_layers, theta.numel(), self.lstm.hidden_size)
        return zero, zero

    def forward(self, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        """The update g[t] and the next state h[t+1] for a gradient [B, dimensions]. (3)"""
        output, state = self.lstm(gradient.reshape(1, -1, 1), state)  # [steps=1, coordinates, 1]
        return self.head(output).reshape(gradient.shape), state


def window(
    optimizer: LearnedOptimizer, problems: Quadratics, theta: Tensor, state: State, steps: int
) -> tuple[Tensor, Tensor, State]:
    """Make `steps` updates. Returns the loss after each update [steps, B], theta and the state."""
    losses = []
    for _ in range(steps):
        update, state = optimizer(problems.gradient(theta), state)
        theta = theta + update  # (1)
        losses.append(problems.loss(theta))
    return torch.stack(losses), theta, state


def episode(optimizer: LearnedOptimizer, adam: torch.optim.Optimizer, problems: Quadratics) -> None:
    """Meta-train on one batch of fresh problems: an update of phi after each window."""
    theta, state = problems.theta0, optimizer.init(problems.theta0)
    for _ in range(STEPS // WINDOW):
        losses, theta, state = window(optimizer, problems, theta, state, WINDOW)
        meta_loss = losses.sum(dim=0).mean()  # sum over t, mean over f; every w[t] is 1 (4)
        adam.zero_grad()
        meta_loss.backward()  # through the updates and through the LSTM, back to the window's start
        adam.step()
        # Truncated backpropagation: the next window starts where this one ended, as a constant.
        theta, state = theta.detach(), (state[0].detach(), state[1].detach())


@torch.no_grad()
def test_learned(optimizer: LearnedOptimizer, problems: Quadratics) -> Tensor:
    """The losses of a whole episode, with phi frozen: [STEPS, B]."""
    theta = problems.theta0
    return window(optimizer, problems, theta, optimizer.init(theta), STEPS)[0]


def meta_train(episodes: int, batch: int = 64, learning_rate: float = 0.01) -> LearnedOptimizer:
    """Learn an optimizer. The best phi on validation problems is kept (early stopping)."""
    optimizer = LearnedOptimizer()
    adam = torch.optim.Adam(optimizer.parameters(), learning_rate)
    validation, best, best_loss = Quadratics(batch), copy.deepcopy(optimizer), float("inf")
    for number in range(1, episodes + 1):
        episode(optimizer, adam, Quadratics(batch))
        if number % 10 == 0 or number == episodes:
            loss = test_learned(optimizer, validation)[-1].mean().item()
            print(f"episode {number:4}: validation loss after {STEPS} steps {loss:.3f}", flush=True)
            if loss < best_loss:
                best, best_loss = copy.deepcopy(optimizer), loss
    return best


def hand_crafted(name: str, learning_rate: float, problems: Quadratics) -> Tensor:
    """The losses of NAG or ADAM, as PyTorch has them: [STEPS, B]."""
    theta = problems.theta0.clone().requires_grad_()
    optimizer: torch.optim.Optimizer
    if name == "NAG":
        optimizer = torch.optim.SGD([theta], learning_rate, momentum=0.9, nesterov=True)
    else:
        optimizer = torch.optim.Adam([theta], learning_rate)
    losses = []
    for _ in range(STEPS):
        theta.grad = problems.gradient(theta)
        optimizer.step()
        losses.append(problems.loss(theta).detach())
    return torch.stack(losses)


def tune(name: str, rates: Iterable[float], problems: Quadratics) -> float:
    """The learning rate with the lowest mean final loss, as the paper chooses it."""

    def final_loss(rate: float) -> float:
        return hand_crafted(name, rate, problems)[-1].mean().nan_to_num(torch.inf).item()

    return min(rates, key=final_loss)


def main() -> None:
    """Meta-train, tune NAG and ADAM, and compare all three on problems that none has seen."""
    parser = argparse.ArgumentParser(description="An LSTM learns to minimise quadratics.")
    parser.add_argument("--episodes", type=int, default=100, help="of meta-training (default: 100)")
    episodes = parser.parse_args().episodes
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the matrices are small: more threads would mostly wait
    learned = meta_train(episodes)
    tuning, fresh = Quadratics(128), Quadratics(128)
    results = {"LSTM": test_learned(learned, fresh)}
    for name in ("NAG", "ADAM"):
        rate = tune(name, [10 ** (power / 6) for power in range(-18, 1)], tuning)
        results[f"{name}, learning rate {rate:.3g}"] = hand_crafted(name, rate, fresh)
    steps = f"{STEPS} steps"
    print(f"\n{'mean over 128 fresh problems':30} loss after {steps}  mean loss of {steps}")
    for name, losses in results.items():
        print(f"{name:30} {losses[-1].mean():20.3f} {losses.mean():23.3f}")


if __name__ == "__main__":
    main()

"""A learned optimizer of your own: define it, meta-train it for half a minute, use it.

    python examples/own_optimizer.py

It is momentum at several time scales. With averages v_k of the gradients,

    v_k <- b_k v_k + grad,    theta <- theta - sum over k of r_k v_k,

SGD with momentum has one pair of a rate r and a momentum b, which people tune. Here are three
pairs, and they are learned: phi are these six numbers.

To keep an optimizer in the package, put the two classes into src/l2l/optimizers/ and the line of
the registry into src/l2l/registry.py (docs/extending.md). Then recipes can name it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from torch import Tensor

import l2l
from l2l.config import load_config
from l2l.config.optimizers import LearnedSettings
from l2l.estimators import adjoint
from l2l.meta.rollout import Carry, begin, rollout
from l2l.optimizers import Optimizer, Phi, UpdateRule, checkpoint, make_baseline, make_optimizer
from l2l.problems import Family, Problem, Setup, make_family
from l2l.registry import OPTIMIZERS, Kind
from l2l.rng import stream

STEPS, WINDOW = 100, 20  # of an episode, and of the meta-gradient


class MomentaSettings(LearnedSettings):
    """What its weights do not say: how many averages there are."""

    kind: Literal["momenta"]
    averages: int


@dataclass(frozen=True)
class Momenta(UpdateRule):
    """The optimizer m(gradient, state, phi)."""

    settings: MomentaSettings
    phi: Phi

    @staticmethod
    def shapes(settings: MomentaSettings) -> dict[str, tuple[int, ...]]:
        """log r_k, and the logit of b_k."""
        return {"log_rate": (settings.averages,), "logit": (settings.averages,)}

    @staticmethod
    def initial(settings: MomentaSettings, generator: torch.Generator) -> Phi:
        """Rates of 0.001, and momenta b from 0.1 to 0.9."""
        logit = torch.linspace(-2.2, 2.2, settings.averages)
        return {"log_rate": torch.full((settings.averages,), 0.001).log(), "logit": logit}

    def init(self, theta: Tensor) -> Tensor:
        """v = 0, [B, n, averages]."""
        return theta.new_zeros(*theta.shape, self.settings.averages)

    def step(self, gradient: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The step [B, n] to add to theta, and the next state."""
        averages = self.phi["logit"].sigmoid() * state + gradient[..., None]
        return -(self.phi["log_rate"].exp() * averages).sum(dim=-1), averages


OPTIMIZERS["momenta"] = Kind(f"{__name__}:MomentaSettings", f"{__name__}:Momenta")


def equal_weights(losses: Tensor, first_step: int) -> Tensor:
    """w[t] = 1 in the meta-loss, the sum over t of w[t] f(theta[t])."""
    return torch.ones_like(losses)


def quadratics() -> Family:
    """The problems f(theta) = ||W theta - y||^2 of studies/quadratics.yaml."""
    config = load_config()
    setup = Setup(config.seed, Path("data"), torch.device("cpu"), config.problems)
    return make_family("quadratic", setup)


def meta_train(episodes: int) -> UpdateRule:
    """Learn phi on fresh problems, by truncated backpropagation over windows."""
    settings = MomentaSettings(kind="momenta", averages=3)
    optimizer = make_optimizer(settings, Momenta.initial(settings, stream(0, "own optimizer")))
    family = quadratics()
    weights = [weight.requires_grad_() for weight in optimizer.phi.values()]
    adam = torch.optim.Adam(weights, lr=0.03)
    for episode in range(episodes):
        indices = range(64 * episode, 64 * (episode + 1))
        problems = family.sample(("train", "own optimizer"), indices, STEPS)
        carry = begin(problems, optimizer)
        for _ in range(STEPS // WINDOW):
            window = adjoint(problems, optimizer, carry, WINDOW, equal_weights)
            for name, weight in optimizer.phi.items():
                weight.grad = window.gradient[name]
            adam.step()
            carry = window.carry  # theta and the state go on, with the new phi
        if (episode + 1) % 20 == 0 or episode + 1 == episodes:
            loss = carry.loss.mean().item()
            print(f"episode {episode + 1:4}: loss after {STEPS} steps {loss:.3f}", flush=True)
    return optimizer


def mean_losses(problems: Problem, optimizer: Optimizer) -> list[float]:
    """The loss after each step, mean over the problems."""
    losses: list[float] = []

    def observe(carry: Carry) -> None:
        losses.append(carry.loss.mean().item())

    rollout(problems, optimizer, begin(problems, optimizer), STEPS, observe)
    return losses


def compare(optimizer: UpdateRule) -> None:
    """Print the loss on fresh problems, beside NAG at several learning rates."""
    problems = quadratics().sample(("test", "quadratic"), range(128), STEPS)
    subjects: dict[str, Optimizer] = {"learned momenta": optimizer}
    subjects |= {f"NAG, rate {rate}": make_baseline("nag", rate) for rate in (0.003, 0.007, 0.015)}
    print(f"\n{'128 fresh problems':20} loss after {STEPS} steps  mean loss of {STEPS} steps")
    for name, subject in subjects.items():
        losses = mean_losses(problems, subject)
        print(f"{name:20} {losses[-1]:20.3g} {sum(losses) / STEPS:23.3g}")


def use(path: Path) -> None:
    """Minimise a function of plain PyTorch with the optimizer in a file."""
    torch.manual_seed(0)
    matrix, target = torch.randn(10, 10), torch.randn(10)
    theta = torch.zeros(10, requires_grad=True)
    optimizer = l2l.LearnedOptimizer([theta], str(path))
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = (matrix @ theta - target).square().sum()
        loss.backward()
        optimizer.step()
    print(f"\nas a torch.optim.Optimizer: {target.square().sum():.2f} -> {loss.item():.3f}")


def main() -> None:
    """Meta-train, compare, save, and use the file."""
    parser = argparse.ArgumentParser(description="Define, meta-train and use an optimizer.")
    parser.add_argument("--episodes", type=int, default=200, help="of meta-training (default: 200)")
    optimizer = meta_train(parser.parse_args().episodes)
    rates, momenta = optimizer.phi["log_rate"].exp(), optimizer.phi["logit"].sigmoid()
    pairs = zip(rates.tolist(), momenta.tolist(), strict=True)
    print("phi: " + ", ".join(f"r = {r:.4f} with b = {b:.3f}" for r, b in pairs))
    compare(optimizer)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "momenta.safetensors"
        checkpoint.save(path, optimizer, {"recipe": "examples/own_optimizer.py"})
        use(path)


if __name__ == "__main__":
    main()

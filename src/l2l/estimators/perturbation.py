"""Perturbations of the weights phi, rolled together from one start: what ES and its like share.

Members of a population are in this order: phi itself, phi + offset of each pair, phi - offset of
each pair. The first one is reported, and the next window goes on from it unless the estimator says
otherwise. Its losses give w[t] of all members.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from l2l.estimators.base import LossWeights
from l2l.meta.rollout import Carry, rollout
from l2l.optimizers.base import Phi, UpdateRule
from l2l.problems.base import Problem


@dataclass(frozen=True)
class Population:
    """M optimizers; the batch is M equal parts, one after the other, as `Problem.repeat` has it.

    The problem is batched over all members. The optimizer is called for each member in turn, so
    that the fused kernels serve it: nine LSTMs of two layers of 20 units, on MNIST's 13,850 live
    coordinates each, take 21 ms a step on one core (AVX-512); one batched LSTM in plain PyTorch
    takes 243 ms (baddbmm).

    A state is the tuple of the members' states. Members may start from the same state object: the
    first `update` of a rollout does not reuse its memory.

    Attributes:
        members: the optimizers.
    """

    members: tuple[UpdateRule, ...]

    @property
    def phi(self) -> Phi:
        """The weights of all members, each name with its member's number before it."""
        return {
            f"{number}/{name}": weight
            for number, member in enumerate(self.members)
            for name, weight in member.phi.items()
        }

    def with_phi(self, phi: Phi) -> Population:
        """The same members with other weights."""
        members = []
        for number, member in enumerate(self.members):
            own = {name: phi[f"{number}/{name}"] for name in member.phi}
            members.append(member.with_phi(own))
        return Population(tuple(members))

    def init(self, theta: Tensor) -> tuple[Any, ...]:
        """The states of all members, for theta [M B, n]."""
        parts = theta.chunk(len(self.members))
        return tuple(m.init(part) for m, part in zip(self.members, parts, strict=True))

    def update(
        self, gradient: Tensor, state: tuple[Any, ...], reuse: bool = False
    ) -> tuple[Tensor, tuple[Any, ...]]:
        """The steps [M B, n] for gradients [M B, n], and the next states; no graph is kept."""
        parts = gradient.chunk(len(self.members))
        pairs = [
            member.update(part, before, reuse)
            for member, part, before in zip(self.members, parts, state, strict=True)
        ]
        return torch.cat([step for step, _ in pairs]), tuple(after for _, after in pairs)


@dataclass(frozen=True)
class RolledPopulation:
    """A window of K inner steps of M members.

    Attributes:
        end: of all members, [M B, n]; of the first one alone where the others are not needed.
        losses: f(theta[t]) of the unperturbed member, [K, B].
        meta_losses: mean over B of sum over t of w[t] f(theta[t]), float64 [M].
    """

    end: Carry
    losses: Tensor
    meta_losses: Tensor


def flat(phi: Phi, order: Iterable[str] | None = None) -> Tensor:
    """All weights in one vector, in the order of these names; without them in the mapping's."""
    names = phi if order is None else order
    return torch.cat([phi[name].detach().flatten() for name in names])


def like(vector: Tensor, phi: Phi) -> Phi:
    """The inverse of `flat`: names, shapes and dtype of phi; views where the dtype is the same."""
    parts = vector.to(next(iter(phi.values())).dtype).split([w.numel() for w in phi.values()])
    return {name: part.view_as(phi[name]) for name, part in zip(phi, parts, strict=True)}


def draw_offsets(phi: Phi, pairs: int, sigma: float, generator: torch.Generator) -> Tensor:
    """sigma eps with eps ~ N(0, I): [pairs, size of phi], drawn on the CPU, on phi's device."""
    center = flat(phi)
    eps = torch.randn(pairs, len(center), generator=generator, dtype=center.dtype)
    return sigma * eps.to(center.device)


def population(optimizer: UpdateRule, offsets: Tensor) -> Population:
    """The optimizer, and those with weights phi + offsets and phi - offsets [P, size of phi]."""
    center = flat(optimizer.phi)
    weights = [*(center + offsets), *(center - offsets)]
    others = [optimizer.with_phi(like(weight, optimizer.phi)) for weight in weights]
    return Population((optimizer, *others))


def repeat(carry: Carry, members: int) -> Carry:
    """The same start for all members; they share the optimizer's state, which stays as it is."""
    return Carry(
        carry.step,
        carry.theta.repeat(members, 1),
        (carry.state,) * members,
        carry.loss.repeat(members),
        carry.gradient.repeat(members, 1),
    )


def first_member(carry: Carry) -> Carry:
    """Where the first member stands."""
    count = len(carry.loss) // len(carry.state)
    parts = (carry.theta, carry.loss, carry.gradient)
    theta, loss, gradient = (part[:count].clone() for part in parts)
    return Carry(carry.step, theta, carry.state[0], loss, gradient)


@torch.no_grad()
def roll(
    problems: Problem, members: Population, carry: Carry, steps: int, weights: LossWeights
) -> RolledPopulation:
    """Roll a window of the whole population.

    Args:
        problems: the M B problems, repeated for the members.
        members: the population.
        carry: the start of the window, of all members.
        steps: K, the window's length.
        weights: w[t], see `LossWeights`; asked for with the first member's losses.
    """
    visited: list[Tensor] = []
    end = rollout(problems, members, carry, steps, observe=lambda now: visited.append(now.loss))
    losses = torch.stack(visited).unflatten(1, (len(members.members), -1))
    weight = weights(losses[:, 0], carry.step + 1)
    return RolledPopulation(end, losses[:, 0], meta_losses(losses, weight))


def meta_losses(losses: Tensor, weight: Tensor) -> Tensor:
    """Mean over B of sum over t of w[t] f(theta[t]): float64 [M], of losses [K, M, B], w [K, B]."""
    return (weight.double()[:, None] * losses.double()).sum(dim=0).mean(dim=1)


def antithetic(offsets: Tensor, losses: Tensor, sigma: float) -> Tensor:
    """offset (L(phi + offset) - L(phi - offset)) / (2 sigma^2) of each pair, [P, size of phi].

    Args:
        offsets: [P, size of phi].
        losses: L of the perturbed members, [2 P].
        sigma: the offsets' standard deviation.

    Returns:
        float64. A member whose loss is not finite makes its pair not finite, and the mean over
        pairs with it.
    """
    plus, minus = losses.double().chunk(2)
    return offsets.double() * ((plus - minus) / (2 * sigma**2))[:, None]

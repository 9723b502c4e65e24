"""Many optimizers with weights phi of their own, in one rollout.

The problem is batched over all members. The learned optimizer is called for each member in turn,
so that the fused kernels serve it: nine LSTMs of two layers of 20 units, on MNIST's 13,850 live
coordinates each, take 21 ms a step on one core (AVX-512); one batched LSTM in plain PyTorch takes
243 ms (baddbmm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from l2l.optimizers.learned import Phi

if TYPE_CHECKING:
    from l2l.optimizers import Trainable


@dataclass(frozen=True)
class Population:
    """M optimizers; the batch is M equal parts, one after the other, as `Problem.repeat` has it.

    A state is the tuple of the members' states. Members may start from the same state object: the
    first `update` of a rollout does not reuse its memory.

    Attributes:
        members: the optimizers.
    """

    members: tuple[Trainable, ...]

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

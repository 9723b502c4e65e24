"""Parameter groups: one learned optimizer for each group of the problem's named parameters.

Section 3.3 of the paper has two: an LSTM for the parameters of the convolutional layers and one for
the fully connected ones, with weights phi of their own, meta-trained together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor

from l2l.config.optimizers import ParameterGroup
from l2l.errors import UserError
from l2l.optimizers.base import Optimizer
from l2l.optimizers.learned import LearnedOptimizer, Phi
from l2l.optimizers.lstm import CoordinatewiseLSTM, group_prefix


@dataclass(frozen=True)
class GroupedLSTM:
    """Several coordinate-wise LSTMs that share the work on one theta.

    Attributes:
        parts: group name -> its LSTM and the coordinates it serves, int64. Every coordinate is in
            one group.
    """

    parts: dict[str, tuple[CoordinatewiseLSTM, Tensor]]

    @property
    def phi(self) -> Phi:
        """The weights of all groups, each name with its group's before it."""
        return {
            group_prefix(name) + key: weight
            for name, (lstm, _) in self.parts.items()
            for key, weight in lstm.phi.items()
        }

    def with_phi(self, phi: Phi) -> GroupedLSTM:
        """The same groups with other weights."""
        parts = {}
        for name, (lstm, place) in self.parts.items():
            own = {key: phi[group_prefix(name) + key] for key in lstm.phi}
            parts[name] = (lstm.with_phi(own), place)
        return GroupedLSTM(parts)

    def init(self, theta: Tensor) -> tuple[Any, ...]:
        """The state of each group."""
        return tuple(lstm.init(theta[:, place]) for lstm, place in self.parts.values())

    def update(
        self, gradient: Tensor, state: tuple[Any, ...], reuse: bool = False
    ) -> tuple[Tensor, tuple[Any, ...]]:
        """The step [B, n] for a gradient [B, n], and the next states; no graph is kept."""
        step, states = torch.empty_like(gradient), []
        for (lstm, place), before in zip(self.parts.values(), state, strict=True):
            part, after = lstm.update(gradient.index_select(1, place), before, reuse)
            step.index_copy_(1, place, part)
            states.append(after)
        return step, tuple(states)

    def step(self, gradient: Tensor, state: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
        """The step [B, n] for a gradient [B, n], and the next states: for autograd."""
        step, states = torch.zeros_like(gradient), []
        for (lstm, place), before in zip(self.parts.values(), state, strict=True):
            part, after = lstm.step(gradient.index_select(1, place), before)
            step = step.index_copy(1, place, part)
            states.append(after)
        return step, tuple(states)

    def backward(
        self,
        gradients: Tensor,
        state: tuple[Any, ...],
        cotangents: Tensor,
        sample: Callable[[Tensor], Tensor] | None = None,
    ) -> Phi:
        """The gradient of every group's phi; see `CoordinatewiseLSTM.backward`."""
        found: Phi = {}
        for (name, (lstm, place)), before in zip(self.parts.items(), state, strict=True):
            own = (gradients.index_select(2, place), before, cotangents.index_select(2, place))
            for key, value in lstm.backward(*own, sample).items():
                found[group_prefix(name) + key] = value
        return found


def bind(optimizer: Optimizer, places: Mapping[str, Tensor]) -> Any:
    """The optimizer for problems with these named parameters.

    Args:
        optimizer: any; what is hand-crafted does not depend on names.
        places: name -> numbers of its coordinates, see `Problem.places`.

    Returns:
        A `GroupedLSTM` where an LSTM has several groups, else what its own `bind` gives.

    Raises:
        UserError: a parameter is in no group.
    """
    if not isinstance(optimizer, CoordinatewiseLSTM):
        return optimizer.bind(places) if isinstance(optimizer, LearnedOptimizer) else optimizer
    groups = optimizer.settings.groups
    found: dict[str, list[Tensor]] = {group.name: [] for group in groups}
    for name, place in places.items():
        found[_group_of(name, groups)].append(place)
    if len(groups) == 1:
        return optimizer
    empty = next(iter(places.values()))[:0]
    return GroupedLSTM(
        {name: (optimizer.alone(name), torch.cat([empty, *parts])) for name, parts in found.items()}
    )


def _group_of(parameter: str, groups: tuple[ParameterGroup, ...]) -> str:
    """The first group that has a pattern for the parameter."""
    for group in groups:
        if any(fnmatchcase(parameter, pattern) for pattern in group.parameters):
            return group.name
    raise UserError(
        f"optimizer.groups: the parameter '{parameter}' is in none of the groups "
        f"{', '.join(group.name for group in groups)}; add a pattern for it, or '*' to the last one"
    )

"""Parameter groups: one learned optimizer for each group of the problem's named parameters.

Section 3.3 of the paper has two: an LSTM for the parameters of the convolutional layers and one for
the fully connected ones, with weights phi of their own, meta-trained together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from l2l.config.optimizers import ParameterGroup
from l2l.errors import UserError
from l2l.optimizers.base import Optimizer, Phi, UpdateRule
from l2l.registry import OPTIMIZERS, resolve

ONE_GROUP = (ParameterGroup(name="all", parameters=("*",)),)
"""The parameter groups of an optimizer that serves all parameters alike."""


class Part(NamedTuple):
    """A group's own optimizer, and the coordinates of theta that it serves, int64."""

    name: str
    rule: UpdateRule
    place: Tensor


@dataclass(frozen=True)
class Grouped(UpdateRule):
    """Several optimizers of one kind that share the work on one theta.

    Attributes:
        settings: of each of them; `groups` says which parameters each one serves.
        phi: the weights of all, each name with its group's before it ("group/name").
        places: group -> its coordinates of theta, int64; every coordinate is in one group. None: it
            is not bound to a problem yet (`bind`).
    """

    settings: Any
    phi: Phi
    places: Mapping[str, Tensor] | None = None

    @staticmethod
    def shapes(settings: Any) -> dict[str, tuple[int, ...]]:
        """Names and shapes of phi, group by group."""
        one = _kind(settings).shapes(_of_one_group(settings))
        return {f"{group.name}/{key}": one[key] for group in settings.groups for key in one}

    @staticmethod
    def initial(settings: Any, generator: torch.Generator) -> Phi:
        """The weights at the start of meta-training; one group after the other draws its own."""
        phi: Phi = {}
        for group in settings.groups:
            own = _kind(settings).initial(_of_one_group(settings), generator)
            phi |= {f"{group.name}/{key}": weight for key, weight in own.items()}
        return phi

    @staticmethod
    def conventions(settings: Any) -> dict[str, str]:
        """Those of one group."""
        return _kind(settings).conventions(_of_one_group(settings))

    def alone(self, name: str) -> UpdateRule:
        """The optimizer of one group, for all parameters that it is given."""
        prefix = f"{name}/"
        own = {key: weight for key, weight in self.phi.items() if key.startswith(prefix)}
        phi = {key.removeprefix(prefix): weight for key, weight in own.items()}
        return _kind(self.settings)(_of_one_group(self.settings), phi)

    def bind(self, places: Mapping[str, Tensor], steps: int | None = None) -> Grouped:
        """The optimizer for problems with these named parameters.

        Raises:
            UserError: a parameter is in no group.
        """
        groups = self.settings.groups
        own: dict[str, list[Tensor]] = {group.name: [] for group in groups}
        for name, place in places.items():
            own[_group_of(name, groups)].append(place)
        empty = next(iter(places.values()))[:0]
        joined = {name: torch.cat([empty, *parts]) for name, parts in own.items()}
        return dataclasses.replace(self, places=joined)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The groups' optimizers.

        Raises:
            UserError: it is not bound to a problem.
        """
        if self.places is None:
            names = ", ".join(group.name for group in self.settings.groups)
            raise UserError(
                f"this optimizer has one for each of the parameter groups {names}: bind it to the "
                "parameters first (l2l.optimizers.bind)"
            )
        return tuple(Part(name, self.alone(name), place) for name, place in self.places.items())

    def init(self, theta: Tensor) -> tuple[Any, ...]:
        """The state of each group."""
        return tuple(rule.init(theta[:, place]) for _, rule, place in self.parts)

    def update(
        self, gradient: Tensor, state: tuple[Any, ...], reuse: bool = False
    ) -> tuple[Tensor, tuple[Any, ...]]:
        """The step [B, n] for a gradient [B, n], and the next states; no graph is kept."""
        step, states = torch.empty_like(gradient), []
        for (_, rule, place), before in zip(self.parts, state, strict=True):
            part, after = rule.update(gradient.index_select(1, place), before, reuse)
            step.index_copy_(1, place, part)
            states.append(after)
        return step, tuple(states)

    def step(self, gradient: Tensor, state: tuple[Any, ...]) -> tuple[Tensor, tuple[Any, ...]]:
        """The step [B, n] for a gradient [B, n], and the next states: for autograd."""
        step, states = torch.zeros_like(gradient), []
        for (_, rule, place), before in zip(self.parts, state, strict=True):
            part, after = rule.step(gradient.index_select(1, place), before)
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
        """The gradient of every group's phi; see `UpdateRule.backward`."""
        total: Phi = {}
        for (name, rule, place), before in zip(self.parts, state, strict=True):
            own = (gradients.index_select(2, place), before, cotangents.index_select(2, place))
            for key, value in rule.backward(*own, sample).items():
                total[f"{name}/{key}"] = value
        return total


def bind(optimizer: Optimizer, places: Mapping[str, Tensor], steps: int | None = None) -> Any:
    """The optimizer for problems with these named parameters.

    Args:
        optimizer: any. Most hand-crafted ones depend on neither and stay as they are.
        places: name -> numbers of its coordinates, see `Problem.places`.
        steps: how many steps there will be; None: nobody knows.

    Raises:
        UserError: a parameter is in none of the optimizer's parameter groups.
    """
    if not isinstance(optimizer, UpdateRule):
        own = getattr(optimizer, "bind", None)
        return own(places, steps) if own else optimizer
    if groups := getattr(optimizer.settings, "groups", ()):
        for name in places:
            _group_of(name, groups)
    return optimizer.bind(places, steps)


def _group_of(parameter: str, groups: tuple[ParameterGroup, ...]) -> str:
    """The first group that has a pattern for the parameter."""
    for group in groups:
        if any(fnmatchcase(parameter, pattern) for pattern in group.parameters):
            return group.name
    raise UserError(
        f"optimizer.groups: the parameter '{parameter}' is in none of the groups "
        f"{', '.join(group.name for group in groups)}; add a pattern for it, or '*' to the last one"
    )


def _of_one_group(settings: Any) -> Any:
    return settings.model_copy(update={"groups": ONE_GROUP})


def _kind(settings: Any) -> Any:
    """The class of each group's optimizer."""
    return resolve(OPTIMIZERS[settings.kind].code)

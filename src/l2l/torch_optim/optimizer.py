"""A `torch.optim.Optimizer` whose update rule was learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from l2l.errors import UserError
from l2l.optimizers import Grouped, UpdateRule
from l2l.optimizers.checkpoint import checksum, load
from l2l.shipped import optimizer_path
from l2l.torch_optim.state import State, narrow, pack, ready, unpack

Source = str | Path
"""A released name, a path of a checkpoint, or either with ":" and a part behind it."""

STATE = "learned"  # in `state`, of the first parameter of those that share one
MEMBERS = "members"  # beside it: which of the group's parameters those are


class LearnedOptimizer(torch.optim.Optimizer):
    r"""theta <- theta + lr g, with (g, h) = m(grad, h, phi): equations (1) and (3) of the paper.

    The rule m was meta-trained and does not change; there is nothing to tune but `lr`, a factor on
    its updates, which learning rate schedulers may change.

    >>> import torch
    >>> import l2l
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(64, 10)
    >>> labels = (x[:, 0] > 0).long()
    >>> model = torch.nn.Linear(10, 2)
    >>> optimizer = l2l.LearnedOptimizer(model.parameters(), "mnist")
    >>> losses = []
    >>> for _ in range(50):
    ...     optimizer.zero_grad()
    ...     loss = torch.nn.functional.cross_entropy(model(x), labels)
    ...     loss.backward()
    ...     optimizer.step()
    ...     losses.append(loss.item())
    >>> losses[-1] < 0.5 * losses[0]
    True

    It sees gradients only, so it does best on losses and lengths of training like those of its
    meta-training; `l2l.released()` says what those were and where it fails.

    Each coordinate of each parameter has a recurrent state in float32, whatever the parameter's
    dtype: 320 bytes with the LSTMs that ship, 88 with the hierarchical RNN. On a CPU the LSTM's
    step is a compiled kernel, on a GPU cuDNN's LSTM. A parameter without a gradient is left alone,
    and so is its state. The hierarchical RNN sees all parameters of a group together: the same ones
    must have a gradient in every step.

    Args:
        params: parameters, named parameters, or groups of them as dictionaries, as for any
            optimizer of torch. A group can have its own `learned` and `lr`.
        learned: the name of a released optimizer (`l2l.released()`), or the path of a checkpoint.
            If it has several parts, as "cifar" has, name one: "cifar:convolutional".
        lr: a factor on the updates, 0 or more; 1 is the learned rule.
        state_dtype: torch.bfloat16 keeps the state between steps in half the memory (measured: on
            quadratics and MNIST the loss changes by less than 0.5 %; a step takes longer).

    Raises:
        UserError: there is no such optimizer; it has several parts and none is chosen; `lr` is
            not a number of 0 or more; `state_dtype` is neither float32 nor bfloat16; in a step: a
            gradient is sparse or complex.
    """

    def __init__(
        self,
        params: Iterable[Any],
        learned: Source = "mnist",
        lr: float = 1.0,
        state_dtype: torch.dtype = torch.float32,
    ) -> None:
        defaults = {"learned": str(learned), "lr": lr, "state_dtype": state_dtype}
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters; their group's `learned` is looked up at once."""
        group = {**self.defaults, **param_group}
        group["learned"] = str(group["learned"])
        lr = group["lr"]
        if not (isinstance(lr, float | int) and 0 <= lr < math.inf):
            raise UserError(f"lr = {lr!r}: expected a number of 0 or more")
        if group["state_dtype"] not in (torch.float32, torch.bfloat16):
            raise UserError(
                f"state_dtype = {group['state_dtype']!r}: expected torch.float32 or torch.bfloat16"
            )
        narrow = group["state_dtype"] != torch.float32
        if self._rule(group["learned"], "cpu").settings.couples and narrow:
            raise UserError(
                f"state_dtype: the state of '{group['learned']}' has sums over all steps, which "
                "bfloat16 would stop: leave it at torch.float32"
            )
        super().add_param_group(param_group | {"learned": group["learned"]})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient.

        Args:
            closure: evaluates the model anew and returns the loss; torch's convention.

        Returns:
            What the closure returns, or None.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for together in self._together(group):
                self._update(group, together)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The state as tensors and plain values, for `torch.save`; loads with `weights_only`.

        Returns:
            As of any torch optimizer. A parameter's state has the recurrent state as float32
            tensors (or as `state_dtype` says); a group has a digest of its phi and settings.
        """
        result = super().state_dict()
        result["state"] = {number: _pack_entry(entry) for number, entry in result["state"].items()}
        for group in result["param_groups"]:
            group["digest"] = self._digest(group)
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict`, with the same bits on the same device.

        The values in its groups win (`lr`, `state_dtype`), as with any torch optimizer.

        Raises:
            ValueError: the groups have other sizes, as with any torch optimizer.
            UserError: it is of another learned optimizer than the one of this name here.
        """
        groups = [{"state_dtype": torch.float32, **group} for group in state_dict["param_groups"]]
        for group in groups:
            here = self._digest(group)
            if group.pop("digest", here) != here:
                raise UserError(
                    f"the state is of another optimizer than '{group['learned']}' is here; use the "
                    "version of l2l, or the file, that it was saved with"
                )
        super().load_state_dict(state_dict | {"state": {}, "param_groups": groups})
        numbers = chain.from_iterable(group["params"] for group in state_dict["param_groups"])
        places = [(group, p) for group in self.param_groups for p in group["params"]]
        for number, (group, parameter) in zip(numbers, places, strict=True):
            if number in state_dict["state"]:
                self.state[parameter] = self._unpack_entry(group, state_dict["state"][number])

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: without the kernels' own layout, which differs between processors."""
        result = super().__getstate__()
        return result | {"state": {p: _pack_entry(entry) for p, entry in self.state.items()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("state_dtype", torch.float32)  # of an older version
            for parameter in group["params"]:
                if parameter in self.state:
                    self.state[parameter] = self._unpack_entry(group, self.state[parameter])

    def _unpack_entry(self, group: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
        """What `_pack_entry` made of an entry of `state`, as this process keeps it."""
        members = list(entry[MEMBERS])
        template = self._start(group, [group["params"][member] for member in members])
        state = narrow(unpack(entry, template), group["state_dtype"])
        return {MEMBERS: members, STATE: state}

    def _together(self, group: dict[str, Any]) -> list[list[int]]:
        """The parameters with a gradient, as numbers in the group: those in one list share a state.

        A coordinate-wise optimizer has a list for each.
        """
        members = [n for n, p in enumerate(group["params"]) if p.grad is not None]
        if not members or not self._rule(group["learned"], "cpu").settings.couples:
            return [[number] for number in members]
        for parameter in group["params"]:
            before = self.state[parameter].get(MEMBERS) if parameter in self.state else None
            if before is not None and before != members:
                raise UserError(
                    f"'{group['learned']}' looks at all parameters of a group together, and other "
                    "ones have a gradient now than before: give those that come and go a group of "
                    "their own"
                )
        return [members]

    def _update(self, group: dict[str, Any], members: list[int]) -> None:
        parameters = [group["params"][member] for member in members]
        gradient = torch.cat([_gradient(p) for p in parameters])[None]
        entry = self.state[parameters[0]]
        if not entry:
            entry.update({MEMBERS: members, STATE: self._start(group, parameters)})
        state = entry[STATE]
        if not ready(state, gradient.device):
            state = unpack(pack(state), self._start(group, parameters))
        rule = self._bound(group, parameters)
        step, state = rule.update(gradient, state, reuse=True)
        entry[STATE] = narrow(state, group["state_dtype"])
        sizes = [p.numel() for p in parameters]
        for parameter, own in zip(parameters, step[0].split(sizes), strict=True):
            parameter.add_(own.view_as(parameter).to(parameter.dtype), alpha=group["lr"])

    def _digest(self, group: dict[str, Any]) -> str:
        """SHA-256 of the settings and weights of the group's rule, hexadecimal."""
        rule = self._rule(group["learned"], "cpu")
        return checksum(rule.settings.model_dump_json(), rule.phi)

    def _rule(self, learned: str, device: str) -> UpdateRule:
        """The learned rule as it was when this optimizer first used it."""
        known = self.__dict__.setdefault("_known", {})
        if (learned, device) not in known:
            known[learned, device] = _load_rule(learned, device)
        return known[learned, device]

    def _start(self, group: dict[str, Any], parameters: list[Tensor]) -> State:
        """h[0] of parameters that share a state."""
        count = sum(p.numel() for p in parameters)
        theta = torch.zeros(1, count, device=parameters[0].device)
        return self._bound(group, parameters).init(theta)

    def _bound(self, group: dict[str, Any], parameters: list[Tensor]) -> UpdateRule:
        """The rule for theta made of these parameters, on their device."""
        rule = self._rule(group["learned"], str(parameters[0].device))
        if not rule.settings.couples:
            return rule
        ends = torch.tensor([0, *(p.numel() for p in parameters)]).cumsum(0).tolist()
        spans = pairwise(ends)
        device = parameters[0].device
        return rule.bind(
            {str(n): torch.arange(*span, device=device) for n, span in enumerate(spans)}
        )


def _pack_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of `state` as a list of numbers and tensors."""
    return {MEMBERS: entry[MEMBERS], **pack(entry[STATE])}


def _gradient(parameter: Tensor) -> Tensor:
    """A parameter's gradient, flat, in float32."""
    gradient = parameter.grad
    assert gradient is not None
    if gradient.layout != torch.strided:
        raise UserError(
            f"a parameter of shape {tuple(parameter.shape)} has a sparse gradient, and a learned "
            "optimizer needs one for every coordinate: use sparse=False in the embedding, or "
            "another optimizer for it"
        )
    if gradient.is_complex():
        raise UserError(
            f"a parameter of shape {tuple(parameter.shape)} is complex: optimize its real and "
            "imaginary parts (torch.view_as_real)"
        )
    return gradient.detach().float().flatten()


def _load_rule(source: str, device: str = "cpu") -> UpdateRule:
    """The learned optimizer.

    Args:
        source: a name or a path, "name:part" for a part of an optimizer with several.
        device: as torch names it.

    Raises:
        UserError: there is none, it is damaged, or it has several parts and none is chosen.
    """
    name, _, part = source.rpartition(":")
    if not name or Path(source).is_file():  # a path may have a colon
        name, part = source, ""
    path = optimizer_path(name)
    rule = load(path, device).optimizer
    names = [group.name for group in rule.settings.groups] if isinstance(rule, Grouped) else []
    if part and part not in names:
        has = f"it has {', '.join(names)}" if names else "it is one"
        raise UserError(f"{path.stem}:{part}: there is no such part; {has}")
    if isinstance(rule, Grouped) and not part:
        raise UserError(
            f"{path.stem} has a part for each of {', '.join(names)}: give parameters in groups, "
            f'such as {{"params": ..., "learned": "{path.stem}:{names[0]}"}}'
        )
    return rule.alone(part) if isinstance(rule, Grouped) else rule

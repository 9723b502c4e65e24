"""A `torch.optim.Optimizer` whose update rule was learned."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, partial
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from l2l.errors import UserError
from l2l.optimizers import Grouped, UpdateRule
from l2l.optimizers.checkpoint import checksum, load
from l2l.shipped import hub, optimizer_path
from l2l.torch_optim.state import State, cast, join, keep, rebuild, split, start, tensors

Source = str | Path
"""A released name, a path of a checkpoint, "hf:user/name", or one with ":" and a part behind it."""

STATE = "learned"  # what a parameter's entry in `state` has: the states of its pieces, in a list
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}  # of the state between steps
CPU = torch.device("cpu")
WHOLE = {"parameter": torch.empty(0, dtype=torch.int64)}  # the places of one parameter alone
PIECE = 1 << 18  # coordinates that are updated at once: bounds the memory beside the state


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
    >>> optimizer = l2l.LearnedOptimizer(model.parameters(), steps=50)
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
    dtype: 96 bytes with "general", 320 with the other LSTMs, 88 with the hierarchical RNN. On a CPU
    the LSTM's step is a compiled kernel, on a GPU cuDNN's LSTM. A step of the other LSTMs needs
    little memory besides (330 bytes in all, 190 with `state_dtype=torch.bfloat16`), that of the
    hierarchical RNN 700 bytes.

    A parameter without a gradient is left alone, and so is its state. The hierarchical RNN sees all
    parameters of a group together: the same ones must have a gradient in every step. A gradient
    that is always zero moves a coordinate nevertheless, such as an embedding's row of
    `padding_idx`: in 200 steps by 0.003 to 0.47, see docs/own_code.md. Only "general", and others
    of the kind "normalised", leave it where it is.

    Args:
        params: parameters, named parameters, or groups of them as dictionaries, as for any
            optimizer of torch. A group can have its own `learned` and `lr`.
        learned: the name of a released optimizer (`l2l.released()`), the path of a checkpoint, or
            "hf:user/name" or "hf:user/name@revision" of the Hugging Face Hub. If it has several
            parts, as "cifar" has, name one: "cifar:convolutional".
        lr: a factor on the updates, 0 or more; 1 is the learned rule.
        steps: how many steps there will be, if you know: "general" makes its steps smaller towards
            the end. None: they stay as they are at the start. Other optimizers do not ask.
        state_dtype: torch.bfloat16 keeps the state between steps in half the memory (measured: on
            quadratics and MNIST the loss changes by less than 0.5 %). Not for the hierarchical RNN.

    Raises:
        UserError: there is no such optimizer; it has several parts and none is chosen; `lr` is
            not a number of 0 or more; `steps` is not a number of 1 or more; `state_dtype` is
            neither float32 nor bfloat16; in a step: a gradient is sparse or complex, or a
            parameter of the hierarchical RNN is sharded.
    """

    def __init__(
        self,
        params: Iterable[Any],
        learned: Source = "general",
        lr: float = 1.0,
        steps: int | None = None,
        state_dtype: torch.dtype = torch.float32,
    ) -> None:
        defaults = {"learned": str(learned), "lr": lr, "steps": steps, "state_dtype": state_dtype}
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters; their group's `learned` is looked up at once."""
        group = {**self.defaults, **param_group}
        group["learned"] = str(group["learned"])
        group["state_dtype"] = str(group["state_dtype"]).removeprefix("torch.")  # plain, for files
        lr = group["lr"]
        if not (isinstance(lr, float | int) and 0 <= lr < math.inf):
            raise UserError(f"lr = {lr!r}: expected a number of 0 or more")
        steps = group["steps"]
        if not (steps is None or (isinstance(steps, int) and steps >= 1)):
            raise UserError(f"steps = {steps!r}: expected a whole number of 1 or more, or None")
        if group["state_dtype"] not in DTYPES:
            raise UserError(
                f"state_dtype = {group['state_dtype']}: expected torch.float32 or torch.bfloat16"
            )
        rule = self._rule(group["learned"])
        if rule.settings.couples and group["state_dtype"] != "float32":
            raise UserError(
                f"state_dtype: the state of '{group['learned']}' has sums over all steps, which "
                "bfloat16 would stop: leave it at torch.float32"
            )
        plain = {key: group[key] for key in ("learned", "state_dtype")}
        digest = self._digest(group["learned"])
        super().add_param_group(param_group | plain | {"digest": digest})

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
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters and self._rule(group["learned"]).settings.couples:
                self._update_together(group, parameters)
            else:
                for parameter in parameters:
                    self._update(group, parameter)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The state as tensors and plain values, for `torch.save`; loads with `weights_only`.

        Returns:
            As of any torch optimizer. A parameter's state has, under "learned", the tensors of its
            recurrent state by name, in float32 (or as `state_dtype` says): copies, each with memory
            of its own. A group has a digest of its phi and settings.
        """
        handle = self.register_state_dict_post_hook(_packed, prepend=True)
        try:
            return super().state_dict()
        finally:
            handle.remove()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a `state_dict`, with the same bits on the same device.

        The values in its groups win (`lr`, `state_dtype`), as with any torch optimizer. The file of
        the learned optimizer may have moved. What is refused changes nothing.

        Raises:
            ValueError: the groups have other sizes, as with any torch optimizer.
            UserError: it is of another optimizer, or of other parameters.
        """
        handle = self.register_load_state_dict_pre_hook(_uncast)
        try:
            super().load_state_dict(state_dict)
        finally:
            handle.remove()

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: without the kernels' own layout, which differs between processors."""
        return super().__getstate__() | {"state": self._pack()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        groups = state["param_groups"]
        for group, own in zip(groups, vars(self).get("param_groups", groups), strict=True):
            group["learned"] = self._same_rule(group, own["learned"])
        entries: defaultdict[Tensor, Any] = defaultdict(dict)
        for group in groups:
            for parameter in group["params"]:
                if parameter in state["state"]:
                    entries[parameter] = self._unpack(group, parameter, state["state"][parameter])
        super().__setstate__(state | {"state": entries})

    def _pack(self) -> dict[Tensor, dict[str, Any]]:
        """`state` with named tensors instead of pieces in the kernels' own layout."""
        return {
            p: {
                STATE: join(
                    self.state[p][STATE], *self._pieces(group["learned"], _local(p).numel())
                )
            }
            for group in self.param_groups
            for p in group["params"]
            if self.state.get(p)
        }

    def _unpack(self, group: dict[str, Any], parameter: Tensor, entry: Any) -> dict[str, Any]:
        """What `_pack` made of an entry of `state`, as this process keeps it."""
        saved = (entry() if callable(entry) else entry).get(STATE)  # callable: of `_uncast`
        pieces, like = self._pieces(group["learned"], _local(parameter).numel())
        whole = {}
        for name, expected in tensors(like).items():
            tensor = saved.get(name) if isinstance(saved, dict) else None
            if not isinstance(tensor, Tensor) or tensor.shape != expected.shape:
                shape = isinstance(tensor, Tensor) and f"of shape {tuple(tensor.shape)}"
                raise UserError(
                    f"the saved state '{name}' is {shape or 'missing'}, expected "
                    f"{tuple(expected.shape)}: it is the state of other parameters, or of another "
                    "optimizer or version of l2l"
                )
            whole[name] = tensor
        states = map(rebuild, pieces, split(whole, pieces))
        form = (DTYPES[group["state_dtype"]], parameter.device, True)
        return {STATE: [cast(state, *form) for state in states]}

    def _pieces(self, learned: str, count: int) -> tuple[list[State], State]:
        """What the states of a parameter's pieces look like, and what they would as one."""
        size = count if self._rule(learned).settings.couples else PIECE
        pieces = torch.empty(count, device="meta").split(size)
        return [self._like(learned, len(piece)) for piece in pieces], self._like(learned, count)

    def _update(self, group: dict[str, Any], parameter: Tensor) -> None:
        """The step of a parameter whose coordinates do not depend on each other."""
        rule = self._rule(group["learned"], parameter.device).bind(WHOLE, group.get("steps"))
        gradient = _gradient(parameter)[None]
        step = torch.empty_like(gradient, dtype=torch.float32)
        gradients, steps = (part.split(PIECE, dim=1) for part in (gradient, step))
        entry, dtype = self.state[parameter], DTYPES[group["state_dtype"]]
        if not entry:
            # A rule may ask for the root mean square of its tensor, and a piece is not the tensor.
            wide = torch.promote_types(parameter.dtype, torch.float32)
            norm = torch.linalg.vector_norm(parameter, dtype=wide)
            norm = norm.full_tensor() if _sharded(norm) else norm
            step.fill_(norm / max(1, parameter.numel()) ** 0.5)
            entry[STATE] = [start(rule, part, dtype) for part in steps]
        for number, piece in enumerate(gradients):
            before = entry[STATE][number]
            state = cast(before, torch.float32, parameter.device)
            own, state = rule.update(piece.float(), state, reuse=True)
            steps[number].copy_(own)
            entry[STATE][number] = keep(state, dtype, before)
            del state  # before the next piece takes memory
        _add(parameter, step, group["lr"])

    def _update_together(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """The step of parameters whose coordinates depend on each other."""
        before = [p for p in group["params"] if self.state.get(p)]
        if before and set(before) != set(parameters):
            raise UserError(
                f"'{group['learned']}' looks at all parameters of a group together, and other ones "
                "have a gradient now than before: give those that come and go a group of their own"
            )
        if any(map(_sharded, parameters)):
            raise UserError(
                f"'{group['learned']}' looks at all parameters together, and no process has all of "
                "a sharded one: use another learned optimizer, or DistributedDataParallel"
            )
        learned, sizes = group["learned"], [p.numel() for p in parameters]
        likes = [self._like(learned, size) for size in sizes]
        device = parameters[0].device
        gradient = torch.cat([_gradient(p).float() for p in parameters])[None]
        rule = self._rule(learned, device, *sizes)
        own = [self.state[p].get(STATE) for p in parameters]
        last, state = self._known.get(id(group), ((), None))
        if not before:
            state = rule.init(torch.zeros_like(gradient))
        elif len(own) != len(last) or any(x is not y for x, y in zip(own, last, strict=True)):
            like = self._like(learned, *sizes)
            state = rebuild(like, join([part for (part,) in own], likes, like))
        state = cast(state, torch.float32, device)
        step, state = rule.update(gradient, state, reuse=True)
        own = [[state] for state in map(rebuild, likes, split(tensors(state), likes))]
        self._known[id(group)] = own, state
        for parameter, part, view in zip(parameters, own, step[0].split(sizes), strict=True):
            self.state[parameter][STATE] = part
            _add(parameter, view, group["lr"])

    def _same_rule(self, saved: dict[str, Any], learned: str) -> str:
        """Which of two names, this optimizer's own or the saved one, is the rule of a saved group.

        Raises:
            UserError: neither is, or the group is not of a learned optimizer.
        """
        if not saved.keys() >= {"learned", "digest", "state_dtype"}:
            raise UserError(
                "the state is not of an l2l.LearnedOptimizer, or of an older version of l2l"
            )
        for name in (learned, saved["learned"]):
            with suppress(UserError):  # the file is elsewhere now
                if self._digest(name) == saved["digest"]:
                    return name
        raise UserError(
            f"the state is of another optimizer than '{learned}' is here; use the version of l2l, "
            f"or the file, that it was saved with ('{saved['learned']}')"
        )

    def _digest(self, learned: str) -> str:
        """SHA-256 of a rule's settings and weights, hexadecimal."""
        rule = self._rule(learned)
        return checksum(rule.settings.model_dump_json(), rule.phi)

    def _like(self, learned: str, *sizes: int) -> State:
        """A state of parameters of these sizes, without memory: for its structure and shapes."""
        if (learned, sizes) not in self._known:
            theta = torch.zeros(1, sum(sizes), device="meta")
            rule = self._rule(learned, torch.device("meta"), *sizes)
            self._known[learned, sizes] = rule.init(theta)
        return self._known[learned, sizes]

    def _rule(self, learned: str, device: torch.device = CPU, *sizes: int) -> UpdateRule:
        """The learned rule as it was when this optimizer first used it.

        Args:
            learned: a name or a path, as for `_load_rule`.
            device: of phi.
            sizes: numbers of coordinates of the parameters that are updated together.
        """
        if learned not in self._known:
            self._known[learned] = _load_rule(learned)
        rule: UpdateRule = self._known[learned]
        key = (learned, device, sizes if rule.settings.couples else ())
        if key not in self._known:
            rule = rule.with_phi({name: weight.to(device) for name, weight in rule.phi.items()})
            if rule.settings.couples and sizes:
                device = CPU if device.type == "meta" else device
                spans = enumerate(pairwise([0, *accumulate(sizes)]))
                rule = rule.bind({str(n): torch.arange(*span, device=device) for n, span in spans})
            self._known[key] = rule
        return self._known[key]

    @cached_property
    def _known(self) -> dict[Any, Any]:
        """Rules and forms of states that were used; not saved."""
        return {}


def _packed(optimizer: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
    """Let the hooks of `state_dict` see tensors."""
    numbers = chain.from_iterable(group["params"] for group in state_dict["param_groups"])
    parameters = chain.from_iterable(group["params"] for group in optimizer.param_groups)
    entries = optimizer._pack()
    both = zip(numbers, parameters, strict=True)
    return state_dict | {"state": {number: entries[p] for number, p in both if p in entries}}


def _uncast(optimizer: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
    """Hide the state from torch, which would cast it to the parameters' dtype."""
    entries = state_dict["state"].items()
    return state_dict | {"state": {number: partial(dict, entry) for number, entry in entries}}


def _add(parameter: Tensor, step: Tensor, lr: float) -> None:
    own = _local(parameter)
    own.add_(step.view_as(own).to(own.dtype), alpha=lr)


def _sharded(tensor: Any) -> bool:
    """Whether it is a DTensor. Torch's class is slow to import, and a protocol slow to ask."""
    return hasattr(tensor, "to_local")


def _local(tensor: Any) -> Tensor:
    """What this process has of a tensor: a shard, with fully_shard."""
    own: Tensor = tensor.to_local() if _sharded(tensor) else tensor
    return own


def _gradient(parameter: Tensor) -> Tensor:
    """A parameter's gradient, flat."""
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
    return _local(gradient.detach()).flatten()


def _load_rule(source: str) -> UpdateRule:
    """The learned optimizer.

    Args:
        source: see `Source`.

    Raises:
        UserError: there is none, it is damaged, or it has several parts and none is chosen.
    """
    name, _, part = source.removeprefix(hub.PREFIX).rpartition(":")
    if not name or Path(source).is_file():  # a path may have a colon
        name, part = source.removeprefix(hub.PREFIX), ""
    path = hub.fetch(name) if source.startswith(hub.PREFIX) else optimizer_path(name)
    rule = load(path).optimizer
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

"""The state of a meta-training between two episodes, and its file.

Problems come from streams that have names, so the state is complete: a run that is killed and
resumed from here ends with the same bits as an undisturbed one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from l2l.files import write_bytes
from l2l.optimizers.checkpoint import checksum
from l2l.optimizers.handcrafted import AdamState

TENSORS = ("phi", "average", "best", "adam_mean", "adam_square", "memory")


@dataclass
class TrainingState:
    """A meta-training after some episodes. Tensors are vectors of phi's size, except `memory`.

    Attributes:
        phi: the optimizer's weights.
        average: the moving average of phi that is validated.
        best: the validated average with the lowest final validation loss.
        adam_mean, adam_square, adam_count: the meta-optimizer's state.
        memory: what the meta-gradient estimator keeps, see `l2l.estimators.base.Episode`.
        episode: episodes done.
        attempt: which initialisation of the stream this is, from 0.
        best_validation, best_episode: of `best`.
        norms: meta-gradient norms of the latest windows, for clipping.
        epoch_losses, epoch_norms, epoch_skipped: of the windows since the last validation: mean
            loss, meta-gradient norm, and how many diverged.
        signals: meta-gradient norm / meta-loss of every window until the attempt counts as alive.
        alive: whether the attempt has shown that it learns.
        rows: the log table so far.
        collapsed: why earlier attempts were given up.
        diverged: when and why it stepped back, see `l2l.meta.epoch`.
        seconds: of work so far, over all resumed runs.
    """

    phi: Tensor
    average: Tensor
    best: Tensor
    adam_mean: Tensor
    adam_square: Tensor
    memory: Tensor
    adam_count: int = 0
    episode: int = 0
    attempt: int = 0
    best_validation: float = float("inf")
    best_episode: int = 0
    norms: list[float] = field(default_factory=list)
    epoch_losses: list[float] = field(default_factory=list)
    epoch_norms: list[float] = field(default_factory=list)
    signals: list[float] = field(default_factory=list)
    alive: bool = False
    epoch_skipped: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    collapsed: list[str] = field(default_factory=list)
    diverged: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def start(cls, phi: Tensor, remembered: int = 0) -> TrainingState:
        """The state before an attempt's first episode; `remembered` is the size of `memory`."""
        state = cls(phi, phi, phi, phi, phi, phi.new_zeros(remembered))
        state.reset_meta_optimizer()
        return state

    def reset_meta_optimizer(self) -> None:
        """Forget moments and norms: they belong to windows of another length."""
        self.adam_mean, self.adam_square = torch.zeros_like(self.phi), torch.zeros_like(self.phi)
        self.adam_count = 0
        self.norms = []

    @property
    def adam(self) -> AdamState:
        """The meta-optimizer's state."""
        return AdamState(self.adam_mean, self.adam_square, self.adam_count)

    @adam.setter
    def adam(self, state: AdamState) -> None:
        self.adam_mean, self.adam_square, self.adam_count = state


def save_state(path: Path, state: TrainingState, digest: str) -> None:
    """Write the state, atomically; `digest` names the settings it belongs to."""
    tensors = {name: getattr(state, name).cpu().clone() for name in TENSORS}
    numbers = {f.name: getattr(state, f.name) for f in fields(state) if f.name not in TENSORS}
    text = json.dumps(numbers)
    metadata = {"digest": digest, "numbers": text, "sha256": checksum(digest + text, tensors)}
    write_bytes(path, as_bytes(tensors, metadata))


def load_state(path: Path, digest: str, device: torch.device) -> TrainingState | str:
    """Read a state back, or say why it cannot be used."""
    if not path.exists():
        return "nothing to resume"
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            metadata = file.metadata() or {}
            if metadata.get("digest") != digest:
                return f"{path} belongs to other settings"
            tensors = {name: file.get_tensor(name) for name in TENSORS}
        if "sha256" not in metadata:
            return f"{path} is damaged or of an older version (no checksum)"
        if metadata["sha256"] != checksum(digest + metadata["numbers"], tensors):
            return f"{path} is damaged (another checksum)"
        return TrainingState(**tensors, **json.loads(metadata["numbers"]))
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        return f"{path} is damaged ({error})"

"""Trained optimizers as files: safetensors, with everything needed to apply them.

The metadata key `l2l` holds JSON: the kind of the optimizer, its settings, what its inputs and
outputs are, where it came from, and `sha256`, a checksum of all that and of the tensors. An
LSTM's tensor names are those of `torch.nn.LSTM` and `torch.nn.Linear`, gates in torch's order
(i, f, g, o).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from l2l.errors import UserError
from l2l.files import write_bytes
from l2l.optimizers.base import UpdateRule
from l2l.optimizers.groups import ONE_GROUP
from l2l.optimizers.weights import make_optimizer, phi_shapes
from l2l.registry import OPTIMIZERS, resolve

FORMAT = 2
WITHOUT_CHECKSUM = 1  # the earlier format, which is still read
DEFAULTS = {  # of what an LSTM's file may leave out
    "kind": "lstm",
    "input_scale": 1.0,
    "forget_bias": 0.0,
    "head_init_scale": 1.0,
    "averaged_cells": 0,
    "groups": ONE_GROUP,
}


@dataclass(frozen=True)
class Checkpoint:
    """A trained optimizer and where it came from."""

    optimizer: UpdateRule
    provenance: dict[str, Any]


def save(path: Path, optimizer: UpdateRule, provenance: dict[str, Any]) -> None:
    """Write a trained optimizer, atomically.

    Args:
        path: the .safetensors file.
        optimizer: settings and phi.
        provenance: ready for JSON: recipe, meta-seed, validation loss, commit, data, ...
    """
    settings = optimizer.settings
    description = {
        "format": FORMAT,
        **settings.model_dump(mode="json"),
        **optimizer.conventions(settings),
        "provenance": provenance,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in optimizer.phi.items()}
    description["sha256"] = checksum(json.dumps(description), tensors)
    write_bytes(path, as_bytes(tensors, {"l2l": json.dumps(description)}))


def load(path: Path, device: str = "cpu") -> Checkpoint:
    """Read a trained optimizer.

    >>> from l2l.shipped import optimizer_path
    >>> checkpoint = load(optimizer_path("mnist"))
    >>> checkpoint.provenance["recipe"]
    'mnist_long_unroll'
    >>> theta = torch.zeros(3, 10)  # [problems, coordinates]
    >>> step, state = checkpoint.optimizer.update(theta, checkpoint.optimizer.init(theta))
    >>> step.shape
    torch.Size([3, 10])

    Raises:
        UserError: the file is missing, damaged, or not such a checkpoint.
    """
    try:
        with safe_open(path, framework="pt", device=device) as file:
            if "l2l" not in (metadata := file.metadata() or {}):
                raise ValueError("it does not say what its tensors are")
            description = json.loads(metadata["l2l"])
            phi = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if description["format"] not in (FORMAT, WITHOUT_CHECKSUM):
            raise ValueError(f"format {description['format']}, expected {FORMAT}")
        if description["format"] == FORMAT or "sha256" in description:
            written = description.pop("sha256")
            if written != checksum(json.dumps(description), phi):
                raise ValueError("changed since it was written: another checksum")
        phi = {name: tensor.float() for name, tensor in phi.items()}
        provenance = description["provenance"]
        values = DEFAULTS | description
        if values["kind"] not in OPTIMIZERS:
            raise ValueError(f"kind {values['kind']!r}, known are {', '.join(OPTIMIZERS)}")
        settings_class = resolve(OPTIMIZERS[values["kind"]].settings)
        settings = settings_class(**{key: values[key] for key in settings_class.model_fields})
    except FileNotFoundError:
        raise UserError(f"no checkpoint at {path}: train it first (l2l train --help)") from None
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())  # pydantic writes several lines
        raise UserError(
            f"{path} is not a checkpoint of a learned optimizer ({reason}): "
            "delete it and train it again (l2l train --help, or snakemake), or give a good copy"
        ) from None
    expected = phi_shapes(settings)
    shapes = {name: tuple(tensor.shape) for name, tensor in phi.items()}
    if shapes != expected:
        wrong = sorted(set(expected.items()) ^ set(shapes.items()))
        raise UserError(f"{path}: tensors do not fit its settings: {wrong[0][0]}, {wrong[0][1]}")
    if broken := [name for name, tensor in phi.items() if not tensor.isfinite().all()]:
        raise UserError(f"{path}: {broken[0]} has weights that are not finite: train it again")
    return Checkpoint(make_optimizer(settings, phi), provenance)


def checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over a text and the names, types, shapes and bytes of tensors.

    Args:
        text: the file's metadata but for the checksum itself.
        tensors: in any order, on any device.
    """
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()

"""Trained optimizers as files: safetensors, with everything needed to apply them.

Tensor names are those of `torch.nn.LSTM` and `torch.nn.Linear`, gates in torch's order (i, f, g,
o). The metadata key `l2l` holds JSON: `preprocessing`, `p`, `output_scale`, `units`, `layers`, the
input and output conventions, and where the optimizer came from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from l2l.config.recipes import LSTMSettings
from l2l.errors import UserError
from l2l.files import write_atomically
from l2l.optimizers.lstm import ONE_GROUP, CoordinatewiseLSTM, phi_shapes

FORMAT = 1
INPUTS = {
    "none": "grad[t] of one coordinate",
    "log": "(log|grad|/p, sign(grad)) where |grad| >= e^-p, else (-1, e^p grad)",
}
DEFAULTS = {  # of what a file may leave out
    "forget_bias": 0.0,
    "head_init_scale": 1.0,
    "groups": ONE_GROUP,
}
CONVENTIONS = {
    "gates": "i, f, g, o, as in torch.nn.LSTM; a forget bias is already part of bias_ih",
    "output": "theta[t+1] = theta[t] + output_scale * head(lstm(input))",
    "state": "one (h, c) for each coordinate, zero at the start",
}


@dataclass(frozen=True)
class Checkpoint:
    """A trained optimizer and where it came from."""

    optimizer: CoordinatewiseLSTM
    provenance: dict[str, Any]


def save(path: Path, optimizer: CoordinatewiseLSTM, provenance: dict[str, Any]) -> None:
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
        "input": INPUTS[settings.preprocessing],
        **CONVENTIONS,
        "provenance": provenance,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in optimizer.phi.items()}
    metadata = {"l2l": json.dumps(description)}
    write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata))


def load(path: Path, device: str = "cpu") -> Checkpoint:
    """Read a trained optimizer.

    Raises:
        UserError: the file is missing, damaged, or not such a checkpoint.
    """
    try:
        with safe_open(path, framework="pt", device=device) as file:
            description = json.loads((file.metadata() or {})["l2l"])
            phi = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        if description["format"] != FORMAT:
            raise ValueError(f"format {description['format']}, expected {FORMAT}")
        provenance = description["provenance"]
        values = DEFAULTS | description
        settings = LSTMSettings(**{key: values[key] for key in LSTMSettings.model_fields})
    except FileNotFoundError:
        raise UserError(f"no checkpoint at {path}: train it first (l2l train --help)") from None
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())  # pydantic writes several lines
        raise UserError(
            f"{path} is not a checkpoint of a learned optimizer ({reason}): "
            "train it again (l2l train --help), or give a good copy"
        ) from None
    expected = phi_shapes(settings)
    found = {name: tuple(tensor.shape) for name, tensor in phi.items()}
    if found != expected:
        wrong = sorted(set(expected.items()) ^ set(found.items()))
        raise UserError(f"{path}: tensors do not fit its settings: {wrong[0][0]}, {wrong[0][1]}")
    return Checkpoint(CoordinatewiseLSTM(settings, phi), provenance)

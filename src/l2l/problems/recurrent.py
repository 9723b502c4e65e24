"""Recurrent networks that classify an image from its patches, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from l2l.config.problems import RecurrentSettings
from l2l.problems.sequences import SequenceFamily, SequenceProblem, linear

GATES = {"tanh": 1, "gru": 3}


@dataclass(frozen=True)
class Recurrent(SequenceProblem):
    """B networks of one recurrent layer, and a linear layer on its last state.

    The cells are those of torch.nn.RNN (tanh) and torch.nn.GRU, gates r, z, n.
    """

    settings: RecurrentSettings

    def logits(self, named: Mapping[str, Tensor], sequences: Tensor) -> Tensor:
        """See `SequenceProblem.logits`."""
        inputs = linear(sequences, named, "input")
        weight, bias = named["hidden.weight"].mT, named["hidden.bias"][:, None]
        hidden = inputs.new_zeros(*inputs.shape[:2], self.settings.units)
        for below in inputs.unbind(dim=2):
            recurrent = torch.baddbmm(bias, hidden, weight)
            if self.settings.cell == "tanh":
                hidden = torch.tanh(below + recurrent)
                continue
            units = self.settings.units
            r, z = torch.sigmoid((below + recurrent)[..., : 2 * units]).chunk(2, dim=-1)
            new = torch.tanh(below[..., 2 * units :] + r * recurrent[..., 2 * units :])
            hidden = new + z * (hidden - new)
        return linear(hidden, named, "output")


@dataclass(frozen=True)
class RecurrentFamily(SequenceFamily):
    """Networks of one architecture on one data set."""

    settings: RecurrentSettings

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The named parameters of one network."""
        units, pixels = self.settings.units, self.data.images.shape[2]
        gates = GATES[self.settings.cell] * units
        return {
            "input.weight": (gates, pixels),
            "input.bias": (gates,),
            "hidden.weight": (gates, units),
            "hidden.bias": (gates,),
            "output.weight": (self.classes, units),
            "output.bias": (self.classes,),
        }

    def networks(self, minibatches: Tensor, theta0: Tensor) -> Recurrent:
        """See `ImageFamily.networks`."""
        return Recurrent(self.shapes, minibatches, theta0, self.settings, self.data)

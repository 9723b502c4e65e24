"""Recurrent and attention networks against torch.nn's layers, and images against their patches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.problems.sequence_families import attention_family, recurrent_family
from tests.small import CPU, double
from torch import Tensor, nn
from torch.nn import functional

from l2l.config.problems import AttentionSettings
from l2l.errors import UserError
from l2l.problems import Setup, make_family
from l2l.problems.attention import Attention
from l2l.problems.recurrent import Recurrent
from l2l.problems.sequences import SequenceProblem, patches


def _recurrent(problems: Recurrent, named: dict[str, Tensor], x: Tensor) -> Tensor:
    """The logits [batch, classes] by torch.nn.RNN or GRU."""
    kind = {"tanh": nn.RNN, "gru": nn.GRU}[problems.settings.cell]
    cell = kind(x.shape[2], problems.settings.units, batch_first=True, dtype=x.dtype)
    weights = {
        "weight_ih_l0": named["input.weight"],
        "bias_ih_l0": named["input.bias"],
        "weight_hh_l0": named["hidden.weight"],
        "bias_hh_l0": named["hidden.bias"],
    }
    sequence, _ = torch.func.functional_call(cell, weights, (x,))
    return functional.linear(sequence[:, -1], named["output.weight"], named["output.bias"])


def _attention(problems: Attention, named: dict[str, Tensor], x: Tensor) -> Tensor:
    """The logits [batch, classes] by torch.nn.MultiheadAttention and torch.nn.LayerNorm."""
    width = problems.settings.width

    def norm(hidden: Tensor, layer: str) -> Tensor:
        own = {"weight": named[f"{layer}.scale"], "bias": named[f"{layer}.shift"]}
        module = nn.LayerNorm(width, dtype=x.dtype)
        return torch.func.functional_call(module, own, (hidden,))

    def linear(hidden: Tensor, layer: str) -> Tensor:
        return functional.linear(hidden, named[f"{layer}.weight"], named[f"{layer}.bias"])

    hidden = linear(x, "patch") + named["position.weight"]
    for block in range(problems.settings.blocks):
        name = f"block{block}"
        attention = nn.MultiheadAttention(
            width, problems.settings.heads, batch_first=True, dtype=x.dtype
        )
        weights = {
            "in_proj_weight": named[f"{name}.attention.weight"],
            "in_proj_bias": named[f"{name}.attention.bias"],
            "out_proj.weight": named[f"{name}.mixed.weight"],
            "out_proj.bias": named[f"{name}.mixed.bias"],
        }
        normal = norm(hidden, f"{name}.norm1")
        hidden = hidden + torch.func.functional_call(attention, weights, (normal,) * 3)[0]
        wide = nn.GELU()(linear(norm(hidden, f"{name}.norm2"), f"{name}.wide"))
        hidden = hidden + linear(wide, f"{name}.narrow")
    return linear(norm(hidden, "norm").mean(dim=1), "output")


FAMILIES = {
    "tanh": (lambda: recurrent_family("tanh"), _recurrent),
    "gru": (lambda: recurrent_family("gru"), _recurrent),
    "attention": (attention_family, _attention),
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_losses_and_gradients_are_those_of_torch_nn(kind: str) -> None:
    make, network = FAMILIES[kind]
    problems = double(make().sample(("train",), range(3), 4))
    assert isinstance(problems, SequenceProblem)
    generator = torch.Generator().manual_seed(1)
    theta = problems.initial().double()
    theta = theta + 0.5 * torch.randn(theta.shape, generator=generator, dtype=torch.float64)
    sample = problems.data.sample.expand(3, -1)
    for chosen, found in (
        (problems.minibatch(3), problems.loss_and_gradient(theta, 3)),
        (sample, (problems.train_loss(theta), None)),
    ):
        for b in range(3):
            row = theta[b].clone().requires_grad_()
            named = {k: v[0] for k, v in problems.unflatten(row[None]).items()}
            x = problems.data.images[chosen[b]].double() / 255
            loss = functional.cross_entropy(
                network(problems, named, x), problems.data.labels[chosen[b]]
            )
            torch.testing.assert_close(found[0][b], loss.detach())
            if found[1] is not None:
                (gradient,) = torch.autograd.grad(loss, row)
                torch.testing.assert_close(found[1][b], gradient, rtol=1e-8, atol=1e-10)


def test_patches_are_cut_row_by_row() -> None:
    image = torch.arange(24).view(1, 6, 4)
    found = patches(image, (3, 2))
    assert found.shape == (1, 4, 6)
    for number, (row, column) in enumerate([(0, 0), (0, 2), (3, 0), (3, 2)]):
        expected = image[0, row : row + 3, column : column + 2].flatten()
        assert torch.equal(found[0, number], expected)
    colours = torch.stack([image, 100 + image], dim=-1)
    assert torch.equal(patches(colours, (3, 2))[..., 1::2], 100 + found)
    with pytest.raises(UserError, match=r"patch = \[4, 2\]: images of 6 x 4 pixels"):
        patches(image, (4, 2))


def test_heads_must_divide_the_width() -> None:
    values = attention_family().settings.model_dump()
    with pytest.raises(ValueError, match="width = 6 must be a multiple of heads = 4"):
        AttentionSettings(**(values | {"heads": 4}))


def test_a_family_has_the_images_of_its_data_set(mnist_directory: Path) -> None:
    settings = recurrent_family().settings.model_copy(update={"patch": (4, 28)})
    family = make_family("x", Setup(0, mnist_directory, CPU, {"x": settings}))
    assert family.data.images.shape[1:] == (7, 112)
    assert (family.classes, len(family.data.sample)) == (10, 20)

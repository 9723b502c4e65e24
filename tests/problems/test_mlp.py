"""Multi-layer perceptrons against torch.nn.Sequential with cross_entropy."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from tests.small import CPU, PIXELS, double, image_set, mlp_family
from torch import Tensor, nn

from l2l.config.problems import MLPSettings
from l2l.data.mnist import MNIST
from l2l.problems import Setup, make_family
from l2l.problems.mlp import ACTIVATIONS, MLP, ImageSet

NAMES = ("test", "mnist")
LAYERS = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


def _network(theta: Tensor, hidden: tuple[int, ...], activation: str, pixels: int) -> nn.Module:
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise([pixels, *hidden, 10]):
        modules += [nn.Linear(inputs, outputs, dtype=theta.dtype), LAYERS[activation]()]
    network = nn.Sequential(*modules[:-1])
    nn.utils.vector_to_parameters(theta.clone(), network.parameters())
    return network


def _expected(network: nn.Module, data: ImageSet, chosen: Tensor) -> tuple[float, Tensor]:
    dtype = next(network.parameters()).dtype
    images = data.images[chosen].to(dtype) / 255
    loss = nn.functional.cross_entropy(network(images), data.labels[chosen])
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    return loss.item(), torch.cat([gradient.flatten() for gradient in gradients])


def _check(problems: MLP, hidden: tuple[int, ...], activation: str, step: int) -> None:
    theta = problems.initial()
    loss, gradient = problems.loss_and_gradient(theta, step)
    for b in range(len(theta)):
        network = _network(theta[b], hidden, activation, problems.data.images.shape[1])
        value, slope = _expected(network, problems.data, problems.minibatches[b, step])
        assert loss[b].item() == pytest.approx(value, rel=1e-11)
        torch.testing.assert_close(gradient[b], slope, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("hidden", [(), (4,), (7, 3), (5, 5, 5)], ids=str)
def test_loss_and_gradient_equal_a_torch_network(hidden: tuple[int, ...], activation: str) -> None:
    family = mlp_family(hidden, activation, init="gaussian", init_std=0.7)
    _check(double(family.sample(NAMES, range(3), steps=4)), hidden, activation, step=3)


def test_the_base_network_on_real_mnist_equals_a_torch_network(mnist_directory: Path) -> None:
    settings = MLPSettings(
        kind="mlp",
        dataset="mnist",
        hidden=(20,),
        activation="sigmoid",
        batch_size=128,
        init="torch",
        init_std=0.01,
        train_sample=500,
    )
    family = make_family("x", Setup(0, mnist_directory, CPU, {"x": settings}))
    problems = family.sample(NAMES, range(2), steps=2)
    assert isinstance(problems, MLP)
    assert problems.coordinates == 784 * 20 + 20 + 20 * 10 + 10
    _check(double(problems), (20,), "sigmoid", step=2)
    train = MNIST.load(mnist_directory)
    assert torch.equal(problems.data.images, train.train_images.reshape(60000, 784))
    assert torch.equal(problems.data.labels, train.train_labels)
    rows = {bytes(row) for row in problems.data.images.numpy()}
    sample = [bytes(row) for row in _sample(problems.data).numpy()]
    assert len(set(sample)) == len(sample) == 500
    assert rows.issuperset(sample)
    initial = problems.train_loss(problems.initial())
    assert bool(((initial > 2.2) & (initial < 2.6)).all())  # ln 10 = 2.303 and a little


def _sample(data: ImageSet) -> Tensor:
    """The images behind train_loss, dark pixels and all, [size, pixels]."""
    whole = torch.zeros(data.images.shape[1], len(data.sample_labels), dtype=torch.uint8)
    whole[data.sample_pixels] = data.sample_images
    return whole.T.contiguous()


def test_train_loss_is_the_mean_over_the_fixed_sample() -> None:
    problems = double(mlp_family((7, 3), "tanh").sample(NAMES, range(3), steps=1))
    theta = problems.initial() + 0.3 * torch.randn(3, problems.coordinates, dtype=torch.float64)
    found = problems.train_loss(theta)
    data = problems.data
    for b in range(3):
        network = _network(theta[b], (7, 3), "tanh", PIXELS)
        total = 0.0
        for image, label in zip(_sample(data), data.sample_labels, strict=True):
            scores = network(image.double() / 255)
            total -= scores.log_softmax(0)[label].item()
        assert found[b].item() == pytest.approx(total / len(data.sample_labels), rel=1e-12)
    assert not found.requires_grad


def test_minibatches_differ_between_steps_and_problems_and_cover_all_images() -> None:
    problems = mlp_family(batch_size=40).sample(NAMES, range(20), steps=9)
    assert problems.minibatches.shape == (20, 10, 40)
    flat = problems.minibatches.flatten(0, 1)
    assert len({tuple(row.tolist()) for row in flat}) == 200
    counts = torch.bincount(flat.flatten(), minlength=50)
    expected = flat.numel() / 50
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    assert len(counts) == 50
    assert chi_square < 49 + 5 * math.sqrt(2 * 49)


def test_the_torch_initialisation_has_the_distribution_of_nn_linear() -> None:
    problems = mlp_family((4,)).sample(NAMES, range(1500), steps=0)
    named = problems.unflatten(problems.initial())
    for layer, inputs in ((0, PIXELS), (1, 4)):
        bound = 1 / math.sqrt(inputs)
        torch.manual_seed(0)
        reference = nn.Linear(inputs, 20_000)
        for name in ("weight", "bias"):
            ours = named[f"layers.{layer}.{name}"].flatten()
            theirs = getattr(reference, name).detach().flatten()
            assert ours.abs().max() <= bound
            quantiles = torch.linspace(0.01, 0.99, 21)
            torch.testing.assert_close(
                ours[:50_000].quantile(quantiles),
                theirs[:50_000].quantile(quantiles),
                rtol=0,
                atol=0.04 * bound,
            )


def test_the_gaussian_initialisation_has_the_standard_deviation_asked_for() -> None:
    problems = mlp_family((4,), init="gaussian", init_std=0.01).sample(NAMES, range(500), steps=0)
    for value in problems.unflatten(problems.initial()).values():
        assert abs(value.mean().item()) < 4 * 0.01 / value.numel() ** 0.5
        assert value.std().item() == pytest.approx(0.01, rel=4 / (2 * value.numel()) ** 0.5)


def test_theta_is_laid_out_as_named_parameters_in_order() -> None:
    family = mlp_family((7, 3))
    problems = family.sample(NAMES, range(2), steps=0)
    theta = torch.arange(2.0 * problems.coordinates).reshape(2, -1)
    named = problems.unflatten(theta)
    network = _network(theta[1], (7, 3), "relu", PIXELS)
    for ours, theirs in zip(named.values(), network.parameters(), strict=True):
        assert torch.equal(ours[1], theirs)
    assert list(named) == [f"layers.{i}.{k}" for i in range(3) for k in ("weight", "bias")]


def test_other_images_give_another_loss() -> None:
    """Guards the tests above: the loss does look at images and labels."""
    data = image_set()
    shuffled = replace(data, labels=data.labels.roll(1))
    theta = mlp_family().sample(NAMES, range(1), 0).initial()
    losses = [
        mlp_family(data=chosen).sample(NAMES, range(1), 0).loss(theta, 0)
        for chosen in (data, shuffled)
    ]
    assert not torch.allclose(*losses)

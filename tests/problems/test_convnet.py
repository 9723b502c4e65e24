"""The convolutional network against torch.nn's layers, and its data against the whole dataset."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.small import CPU, convnet_family, double
from torch import Tensor, nn

from l2l.config import load_config
from l2l.config.problems import PlainConvNetSettings
from l2l.data.labelled import LabelledImages
from l2l.errors import UserError
from l2l.problems import Setup, convnet, images, make_family, mlp
from l2l.problems.convnet import ColourImages, ConvNet
from l2l.problems.plain_convnet import PlainConvNetFamily


def _network(problems: ConvNet, theta: Tensor) -> nn.Sequential:
    """The same network out of torch.nn's layers, in training mode, with its own memory order."""
    named = {name: value[0] for name, value in problems.unflatten(theta[None]).items()}
    layers: list[nn.Module] = []
    for number in (1, 2):
        kernel = named[f"conv{number}.kernel"]
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 5, padding="same", bias=False)
        conv.weight.data = kernel.clone()
        norm = nn.BatchNorm2d(kernel.shape[0]).double()
        norm.weight.data, norm.bias.data = (
            named[f"conv{number}.{part}"].clone() for part in ("scale", "shift")
        )
        layers += [conv, norm, nn.ReLU(), nn.MaxPool2d(2)]
    hidden = nn.Linear(named["hidden.weight"].shape[1], named["hidden.weight"].shape[0], bias=False)
    hidden.weight.data = named["hidden.weight"].clone()
    norm = nn.BatchNorm1d(len(named["hidden.scale"])).double()
    norm.weight.data, norm.bias.data = named["hidden.scale"].clone(), named["hidden.shift"].clone()
    output = nn.Linear(*reversed(named["output.weight"].shape))
    output.weight.data, output.bias.data = (
        named["output.weight"].clone(),
        named["output.bias"].clone(),
    )
    return nn.Sequential(*layers, nn.Flatten(), hidden, norm, nn.ReLU(), output)


def _expected(network: nn.Module, data: ColourImages, chosen: Tensor) -> Tensor:
    images = data.images[chosen].permute(0, 3, 1, 2).double() / 255
    return nn.functional.cross_entropy(network(images), data.labels[chosen])


def _moved(problems: ConvNet) -> Tensor:
    """Somewhere away from the start: scales of both signs, shifts that are not zero."""
    theta = problems.initial()
    return theta + 0.7 * torch.randn(theta.shape, generator=torch.Generator().manual_seed(1)).to(
        theta
    )


def test_without_normalisation_loss_and_gradient_are_those_of_torch_nn_too() -> None:
    normalised = convnet_family()
    family = PlainConvNetFamily(
        PlainConvNetSettings(**normalised.settings.model_dump() | {"kind": "plain_convnet"}),
        0,
        normalised.data,
        normalised.train_sample,
        normalised.test_sample,
    )
    problems = double(family.sample(("train",), range(2), 4))
    theta = _moved(problems)
    loss, gradient = problems.loss_and_gradient(theta, 3)
    for b in range(2):
        layers = [nn.Conv2d(3, 3, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Conv2d(3, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        network = nn.Sequential(*layers, nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 3)).double()
        nn.utils.vector_to_parameters(theta[b], network.parameters())
        expected = _expected(network, problems.data, problems.minibatch(3)[b])
        torch.testing.assert_close(loss[b], expected.detach())
        parts = torch.autograd.grad(expected, list(network.parameters()))
        torch.testing.assert_close(gradient[b], torch.cat([part.flatten() for part in parts]))


def test_loss_and_gradient_are_those_of_torch_nn() -> None:
    problems = double(convnet_family().sample(("train",), range(3), 4))
    theta = _moved(problems)
    for step in (0, 4):
        loss, gradient = problems.loss_and_gradient(theta, step)
        assert torch.equal(loss, problems.loss(theta, step))
        for b in range(3):
            network = _network(problems, theta[b])
            expected = _expected(network, problems.data, problems.minibatches[b, step])
            torch.testing.assert_close(loss[b], expected)
            parameters = list(network.parameters())
            grads = torch.autograd.grad(expected, parameters)
            flat = torch.cat([grad.flatten() for grad in grads])
            torch.testing.assert_close(gradient[b], flat, rtol=1e-8, atol=1e-10)


def test_the_order_of_the_parameters_is_that_of_the_layers() -> None:
    problems = convnet_family().sample(("train",), [0], 0)
    names = [name.split(".")[0] for name in problems.shapes]
    assert list(dict.fromkeys(names)) == ["conv1", "conv2", "hidden", "output"]


@pytest.mark.parametrize("kind", ["train", "test"])
def test_the_fixed_samples_are_normalised_in_equal_batches_no_larger_than_those_of_training(
    kind: str,
) -> None:
    problems = double(convnet_family(batch_size=8).sample(("train",), range(2), 0))
    theta = _moved(problems)
    sample = getattr(problems, f"{kind}_sample")
    count = len(sample.labels)
    assert count == 20, "batches of 7, 7 and 6"
    for b in range(2):
        network = _network(problems, theta[b])
        parts = torch.arange(count).split([7, 7, 6])
        total = sum(_expected(network, sample, part) * len(part) for part in parts) / count
        found = getattr(problems, f"{kind}_loss")(theta)
        torch.testing.assert_close(found[b], total)


def test_a_problem_is_the_same_in_any_batch_and_when_repeated() -> None:
    family = convnet_family()
    whole, single = family.sample(("a",), range(4), 3), family.sample(("a",), [2], 3)
    assert torch.equal(whole.initial()[2], single.initial()[0])
    theta = whole.initial()
    assert torch.equal(whole.loss(theta, 3)[2:3], single.loss(theta[2:3], 3))
    twice = whole.repeat(2)
    assert torch.equal(twice.loss(theta.repeat(2, 1), 1), whole.loss(theta, 1).repeat(2))


@pytest.mark.parametrize("init", ["torch", "gaussian"])
def test_initial_weights_have_the_spread_of_the_settings(init: str) -> None:
    problems = convnet_family(channels=(64, 64), hidden=64, init=init, init_std=0.3).sample(
        ("train",), range(4), 0
    )
    for name, value in problems.unflatten(problems.initial()).items():
        if name.endswith("scale"):
            assert (value == 1).all()
        elif name.endswith("shift"):
            assert (value == 0).all()
        elif name != "output.bias":
            inputs = value[0, 0].numel()
            expected = 0.3 if init == "gaussian" else 1 / (3 * inputs) ** 0.5
            assert value.std().item() == pytest.approx(expected, rel=0.1)
            if init == "torch":
                assert value.abs().max() <= 1 / inputs**0.5


def _fake_cifar() -> LabelledImages:
    """Image i shows nothing but i's last digits, and is of class i % 10."""
    sets = {}
    for name, count in (("train", 200), ("test", 60)):
        numbers = torch.arange(count)
        images = numbers.to(torch.uint8)[:, None, None, None].expand(count, 32, 32, 3)
        sets |= {f"{name}_images": images.contiguous(), f"{name}_labels": numbers % 10}
    return LabelledImages(**sets)


def _family(**changes: Any) -> Any:
    changes |= {"train_sample": 16, "test_sample": 6}
    settings = load_config().problems["cifar2"].model_copy(update=changes)
    return make_family("x", Setup(0, Path(), CPU, {"x": settings}))


def test_a_subset_has_the_images_of_its_classes_and_labels_from_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(convnet, "labelled_images", lambda name, directory: _fake_cifar())
    family: Any = _family(labels=(7, 2))
    for part, size in ((family.data, 40), (family.train_sample, 16), (family.test_sample, 6)):
        classes = part.images[:, 0, 0, 0] % 10
        assert len(part.labels) == size
        assert torch.equal(part.labels, (classes == 2).long())
        assert set(classes.tolist()) == {2, 7}
    assert family.shapes["output.weight"] == (2, 32)
    assert family.sample(("a",), [0], 1).coordinates == sum(
        [3 * 16 * 25, 16 * 16 * 25, 16 * 16 * 25, 3 * 2 * 16, 256 * 32, 2 * 32, 32 * 2, 2]
    )


def test_held_out_images_are_never_in_a_minibatch(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = _fake_cifar()
    test_images = fake.test_images + 200 - 144  # other shades than any training image
    changed = LabelledImages(
        fake.train_images % 50, fake.train_labels, test_images, fake.test_labels
    )
    monkeypatch.setattr(convnet, "labelled_images", lambda name, directory: changed)
    family: Any = _family(labels=tuple(range(10)))
    assert int(family.data.images.max()) < 50 <= int(family.test_sample.images.min())
    assert int(family.train_sample.images.max()) < 50


def test_any_labelled_images_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels, channels and classes are those of the data: grey images in three classes."""
    pixels, labels = torch.arange(30 * 64).reshape(30, 8, 8).to(torch.uint8), torch.arange(30) % 3
    grey = LabelledImages(pixels, labels, pixels, labels)
    for module in (convnet, mlp):
        monkeypatch.setattr(module, "labelled_images", lambda name, directory: grey)
    assert _family(labels=(0, 1, 2)).shapes["conv1.kernel"][1] == 1
    with pytest.raises(UserError, match="labels 0 to 2"):
        _family(labels=(0, 3))
    mlp._image_set.cache_clear()
    settings = load_config().problems["mnist"].model_copy(update={"train_sample": 5})
    family: Any = make_family("x", Setup(0, Path(), CPU, {"x": settings}))
    mlp._image_set.cache_clear()
    assert family.shapes["layers.0.weight"][1] == 64
    assert family.shapes["layers.1.bias"] == (3,)


def test_pictures_without_labels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    unlabelled = SimpleNamespace(load=lambda directory: object())
    monkeypatch.setattr(images, "resolve", lambda path: unlabelled)
    with pytest.raises(UserError, match="dataset = photographs: it has no labels"):
        images.labelled_images("photographs", Path())
